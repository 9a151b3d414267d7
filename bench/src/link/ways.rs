//! The ways over the border that are compared, each ready to take calls. Leaves measuring to
//! `scenarios`.

pub(super) mod starting;

use std::net::Ipv4Addr;

use clap::ValueEnum;

use super::client::Route;
use crate::compare::processes::Stage;
use crate::failure::{Outcome, Step};
use crate::http::Call;
use crate::netem::border::Border;

/// Ports are free in namespaces that are ours alone.
const GATEWAY_PORT: u16 = 9_000;
const SERVER_PORT: u16 = 3_000;
const NGINX_PORT: u16 = 8_080;

/// The default of `GATEWAY_CONNECTIONS`, set all the same: a person's shell may hold another.
pub(super) const CONNECTIONS: usize = 8;

/// A way from the tenant at home to the provider overseas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum Way {
    NginxCubic,
    NginxBbr,
    H2Cubic,
    H2Bbr,
    Waule,
}

impl Way {
    pub(super) const ALL: [Self; 5] = [
        Self::NginxCubic,
        Self::NginxBbr,
        Self::H2Cubic,
        Self::H2Bbr,
        Self::Waule,
    ];

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::NginxCubic => "nginx, HTTP/1.1 pool, CUBIC",
            Self::NginxBbr => "nginx, HTTP/1.1 pool, BBR",
            Self::H2Cubic => "one h2 connection, CUBIC",
            Self::H2Bbr => "one h2 connection, BBR",
            Self::Waule => "Waule as shipped",
        }
    }

    /// Of sockets that ask for none. Waule's ask for BBR themselves, and get reno if they forget.
    pub(super) fn congestion(self) -> &'static str {
        match self {
            Self::NginxCubic | Self::H2Cubic => "cubic",
            Self::NginxBbr | Self::H2Bbr => "bbr",
            Self::Waule => "reno",
        }
    }

    pub(super) fn is_waule(self) -> bool {
        self == Self::Waule
    }
}

/// A way that takes calls. The processes end when it is dropped, those at home first.
pub(super) struct Ready {
    pub(super) chat: Chat,
    pub(super) route: Route,
    home: Stage,
    overseas: Option<Stage>,
}

/// Where to send a chat request, and as whom.
#[derive(Clone)]
pub(super) struct Chat {
    url: String,
    authorisation: Option<String>,
}

impl Chat {
    pub(super) fn call(&self, body: String) -> Outcome<Call> {
        let call = Call::post(&self.url, body)?;
        match &self.authorisation {
            Some(value) => call.header("authorization", value),
            None => Ok(call),
        }
    }
}

impl Ready {
    /// An error when a process has ended by itself.
    pub(super) fn check(&mut self) -> Outcome<()> {
        self.home.check()?;
        self.overseas.as_mut().map_or(Ok(()), Stage::check)
    }
}

/// Which congestion control the sockets of the calling thread's namespace use towards `peer`, and
/// how many do.
pub(super) fn congestion_seen(peer: Ipv4Addr) -> Outcome<Vec<(String, usize)>> {
    let done = std::process::Command::new("ss")
        .args(["-HtinO", "state", "established", "dst", &peer.to_string()])
        .output()
        .step(|| "`ss`".into())?;
    Ok(controls(&String::from_utf8_lossy(&done.stdout)))
}

fn controls(text: &str) -> Vec<(String, usize)> {
    /// Names of congestion controls that a kernel may have.
    const KNOWN: [&str; 6] = ["bbr", "cubic", "reno", "vegas", "westwood", "dctcp"];
    KNOWN
        .iter()
        .map(|name| {
            let uses = |line: &&str| line.split_ascii_whitespace().any(|word| word == *name);
            ((*name).to_owned(), text.lines().filter(uses).count())
        })
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// Where the border's two ends are asked.
pub(super) fn congestion_at_both_ends(border: &Border) -> Outcome<Vec<(String, usize)>> {
    let mut seen = border
        .home
        .run(|| congestion_seen(crate::netem::border::OVERSEAS))??;
    let far = border
        .overseas
        .run(|| congestion_seen(crate::netem::border::HOME))??;
    for (name, count) in far {
        match seen.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += count,
            None => seen.push((name, count)),
        }
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn congestion_controls_are_counted_by_socket() {
        let said = "0 0 10.77.0.1:5 10.77.0.2:9\t bbr wscale:7,7 rto:404 cubic_like:1\n\
                    0 0 10.77.0.1:6 10.77.0.2:9\t bbr wscale:7,7\n\
                    0 0 10.77.0.1:7 10.77.0.2:9\t cubic cwnd:10\n";
        let expected = vec![("bbr".to_owned(), 2), ("cubic".to_owned(), 1)];
        assert_eq!(controls(said), expected);
        assert_eq!(controls(""), Vec::new());
    }
}
