//! What the link is meant to reach, against what it did. Measures nothing.

use super::figures::Durations;
use super::{Figures, Measured, Part};

/// One aim of Waule's way.
#[derive(Debug)]
pub(super) struct LinkAim {
    pub(super) name: String,
    /// At most, in the unit of the name.
    pub(super) wanted: f64,
    pub(super) measured: Option<f64>,
}

impl LinkAim {
    pub(super) fn is_met(&self) -> bool {
        self.measured
            .is_some_and(|measured| measured <= self.wanted)
    }
}

/// Percent of lost packets, percentile of the delay, and milliseconds at most.
const DELAYS: [(f64, usize, f64); 4] = [
    (1.0, 50, 101.0),
    (1.0, 90, 150.0),
    (1.0, 99, 300.0),
    (5.0, 99, 400.0),
];
/// One round trip and 20 ms.
const UPLOAD_MS: f64 = 220.0;
const RESET_GAP_MS: f64 = 450.0;
const SILENT_GAP_MS: f64 = 1_500.0;

/// For the border of 100 ms one way, of which the aims speak.
pub(super) fn of(measured: &[Measured]) -> Vec<LinkAim> {
    let mut aims = Vec::new();
    for one in measured.iter().filter(|one| one.cell.way.is_waule()) {
        let loss = one.cell.loss_percent;
        let at = format!("{}, {loss} % loss", one.cell.part.title());
        let failed = match &one.figures {
            Err(_) => {
                aims.push(LinkAim {
                    name: at,
                    wanted: 0.0,
                    measured: None,
                });
                continue;
            }
            Ok(Figures::Tokens(figures)) => {
                let wanted = DELAYS.iter().filter(|(of, ..)| (of - loss).abs() < 1e-9);
                for (_, percent, wanted) in wanted {
                    aims.push(LinkAim {
                        name: format!("{at}: delay p{percent}, ms"),
                        wanted: *wanted,
                        measured: figures.delay.percentile_ms(*percent),
                    });
                }
                figures.failed.count
            }
            Ok(Figures::Upload(figures)) => {
                if loss == 0.0 {
                    aims.push(LinkAim {
                        name: format!("{at}: p50, ms"),
                        wanted: UPLOAD_MS,
                        measured: figures.took.percentile_ms(50),
                    });
                }
                figures.failed.count
            }
            Ok(Figures::Cut(figures)) => {
                aims.extend(gap(one.cell.part, &figures.gap));
                figures.failed.count
            }
        };
        aims.push(LinkAim {
            name: format!("{at}: failed"),
            wanted: 0.0,
            measured: Some(failed as f64),
        });
    }
    aims
}

fn gap(part: Part, gap: &Durations) -> Option<LinkAim> {
    let wanted = match part {
        Part::Reset => RESET_GAP_MS,
        Part::SilentFlow => SILENT_GAP_MS,
        Part::Tokens | Part::Upload | Part::BlackHole => return None,
    };
    Some(LinkAim {
        name: format!("{}: longest added gap, ms", part.title()),
        wanted,
        // Of streams that lived; those that failed are an aim of their own.
        measured: gap.max_ms(),
    })
}

#[cfg(test)]
mod tests;
