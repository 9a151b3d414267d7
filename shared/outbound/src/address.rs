//! Which addresses a call to the outside may go to, and how a URL is read before anybody is asked for its
//! name. Pure: asks no name server and opens nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;

/// Networks that are nobody's on the internet: this host, private ones, links (with the clouds' metadata),
/// carriers' (with a cloud's metadata at 100.100.100.200), documentation, tests, multicast and reserved.
const CLOSED_V4: &[([u8; 4], u32)] = &[
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];

/// The same of IPv6: what is not handed out as global unicast is closed anyway.
const CLOSED_V6: &[([u16; 8], u32)] = &[
    // Teredo, ORCHID and others with a special meaning.
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
];

fn within(bits: u128, network: u128, (length, width): (u32, u32)) -> bool {
    let shift = width.saturating_sub(length);
    (bits >> shift) == (network >> shift)
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = u128::from(address.to_bits());
    !CLOSED_V4.iter().any(|(network, length)| {
        let network = u128::from(Ipv4Addr::from(*network).to_bits());
        within(bits, network, (*length, 32))
    })
}

/// The address of IPv4 that one of IPv6 leads to: mapped, translated (NAT64), or through a tunnel (6to4).
fn inner(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let parts = address.segments();
    let last = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match parts {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(last(high, low))
        }
        [0x2002, high, low, ..] => Some(last(high, low)),
        _ => None,
    }
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = inner(address) {
        return is_public_v4(inner);
    }
    let bits = address.to_bits();
    let is_global = within(bits, 0x2000 << 112, (3, 128));
    is_global
        && !CLOSED_V6.iter().any(|(network, length)| {
            within(bits, Ipv6Addr::from(*network).to_bits(), (*length, 128))
        })
}

/// Whether it is somebody's on the internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Why a URL is called by nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlProblem {
    /// It can't be read.
    #[error("it is not a URL")]
    Unreadable,
    /// It is not https.
    #[error("it must begin with https://")]
    NotHttps,
    /// It has a name and a password in front of the host.
    #[error("it must not have a user name or a password in it")]
    HasUser,
    /// It is neither http nor https.
    #[error("it must begin with https:// or http://")]
    NotHttp,
    /// It has an unusual port.
    #[error("its port must be 443 or 8443")]
    Port,
    /// The same of a file's.
    #[error("its port must be 443, 80, 8443 or 8080")]
    FilePort,
}

/// What somebody is called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be told something that is not for others to read: TLS alone.
    Hook,
    /// For a file that lies open; the web still has many without TLS.
    File,
}

impl Purpose {
    /// The longest URL: a robot's address is short, a signed one of a storage has up to two thousand letters of
    /// proof.
    fn url_bytes_max(self) -> usize {
        match self {
            Self::Hook => 2_048,
            Self::File => 8_192,
        }
    }

    fn not_spoken(self) -> UrlProblem {
        match self {
            Self::Hook => UrlProblem::NotHttps,
            Self::File => UrlProblem::NotHttp,
        }
    }

    /// Whether a service of the web may be expected there.
    fn check_port(self, port: u16) -> Result<(), UrlProblem> {
        match (self, port) {
            (_, 443 | 8_443) | (Self::File, 80 | 8_080) => Ok(()),
            (Self::Hook, _) => Err(UrlProblem::Port),
            (Self::File, _) => Err(UrlProblem::FilePort),
        }
    }
}

/// A URL that may be asked for, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Whether TLS is spoken there.
    pub is_https: bool,
    /// The host, without the brackets of IPv6, in lower case.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The host as a request names it.
    pub authority: String,
    /// Path and query.
    pub path: String,
}

impl Target {
    /// Reads `url`. Other schemes and ports than the purpose has are for private networks, where these are allowed.
    pub fn parse(url: &str, purpose: Purpose, allows_private: bool) -> Result<Self, UrlProblem> {
        let is_short = url.len() <= purpose.url_bytes_max();
        let is_plain = is_short && url.bytes().all(|b| b.is_ascii_graphic());
        if !is_plain || url.contains(['\\', '#']) {
            return Err(UrlProblem::Unreadable);
        }
        let uri: Uri = url.parse().map_err(|_| UrlProblem::Unreadable)?;
        let is_https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if allows_private || purpose == Purpose::File => false,
            Some(_) => return Err(purpose.not_spoken()),
            None => return Err(UrlProblem::Unreadable),
        };
        let authority = uri.authority().ok_or(UrlProblem::Unreadable)?;
        if authority.as_str().contains('@') {
            return Err(UrlProblem::HasUser);
        }
        // The library tells of no port where it can't read it.
        let behind = authority.as_str().strip_prefix(authority.host());
        let port = match behind.unwrap_or(":") {
            "" => None,
            rest => {
                let port = rest.strip_prefix(':').and_then(|port| port.parse().ok());
                // None has the number 0.
                Some(port.map_or_else(|| purpose.check_port(0).map(|()| 0), Ok)?)
            }
        };
        let port: u16 = port.unwrap_or(if is_https { 443 } else { 80 });
        if !allows_private {
            purpose.check_port(port)?;
        }
        let host = authority.host().to_ascii_lowercase();
        let bare = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let host = bare.unwrap_or(&host).to_owned();
        if host.is_empty() {
            return Err(UrlProblem::Unreadable);
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            is_https,
            host,
            port,
            authority: authority.as_str().to_owned(),
            path: if path.is_empty() { "/" } else { path }.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
