//! Cuts as people write them: a kind and a time. Makes none of them.

use std::str::FromStr;
use std::time::Duration;

use super::border::Cut;
use super::border::control::Control;
use super::conditions::Loss;
use crate::failure::{Failure, Outcome};

/// A cut and its time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Planned {
    pub(super) kind: Kind,
    /// After the start.
    pub(super) at: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Reset,
    BlackHole(Duration),
    Flow,
    HalfClose,
    /// From then on so many packets of a hundred are lost, each independently.
    Loss(f64),
    /// A black hole ends before its time.
    Restore,
}

impl Planned {
    /// Makes it on a border; gives how many connections were hit, where that can be said.
    pub(super) fn make(&self, control: &Control) -> Outcome<Option<usize>> {
        match self.kind {
            Kind::Reset => control.cut(Cut::Reset),
            Kind::BlackHole(length) => control.cut(Cut::BlackHole(length)),
            Kind::Flow => control.cut(Cut::SilentFlow),
            Kind::Loss(percent) => {
                control.set_loss(Loss::independent(percent / 100.0));
                Ok(None)
            }
            Kind::Restore => {
                control.restore();
                Ok(None)
            }
            Kind::HalfClose => Err(Failure::new(
                "`halfclose` needs --proxy: packets have no half of a connection to close",
            )),
        }
    }

    pub(super) fn told(&self, hit: Option<usize>) -> String {
        let hit = hit.map_or_else(String::new, |hit| format!(", {hit} connections"));
        format!("cut at {} ms: {:?}{hit}", self.at.as_millis(), self.kind)
    }
}

impl FromStr for Planned {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let wrong = || {
            Failure::new(format!(
                "`{text}` is none of reset@MS, blackhole:MS@MS, flow@MS, loss:PERCENT@MS, restore@MS, halfclose@MS"
            ))
        };
        let milliseconds =
            |text: &str| text.parse().map(Duration::from_millis).map_err(|_| wrong());
        let (kind, at) = text.split_once('@').ok_or_else(wrong)?;
        let kind = match kind.split_once(':') {
            Some(("blackhole", length)) => Kind::BlackHole(milliseconds(length)?),
            Some(("loss", percent)) => {
                let percent = percent.parse().map_err(|_| wrong())?;
                if !(0.0..100.0).contains(&percent) {
                    return Err(wrong());
                }
                Kind::Loss(percent)
            }
            Some(_) => return Err(wrong()),
            None => match kind {
                "reset" => Kind::Reset,
                "flow" => Kind::Flow,
                "halfclose" => Kind::HalfClose,
                "restore" => Kind::Restore,
                _ => return Err(wrong()),
            },
        };
        Ok(Self {
            kind,
            at: milliseconds(at)?,
        })
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests;
