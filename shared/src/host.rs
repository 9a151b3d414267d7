//! How far a host of a URL is, as whoever connects to it reads it: an address has many spellings, and
//! some look like a name. Pure: asks no name server.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far the way to a host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// This machine.
    Here,
    /// A private network, and names that only one knows (containers).
    Near,
    /// Anything else.
    Far,
}

impl Reach {
    /// Of a URL's host, with or without the brackets of IPv6.
    pub fn of(host: &str) -> Self {
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        if let Some(address) = bare.or(Some(host)).and_then(|text| text.parse().ok()) {
            return Self::of_v6(address);
        }
        let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        if name.is_empty() {
            return Self::Far;
        }
        if is_number(name.rsplit('.').next().unwrap_or_default()) {
            // What ends in a number is an address or nothing (WHATWG URL, "ends in a number").
            return ipv4(&name).map_or(Self::Far, Self::of_v4);
        }
        if name == "localhost" || name.ends_with(".localhost") {
            return Self::Here;
        }
        let is_word = name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if is_word { Self::Near } else { Self::Far }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        // The whole of 0.0.0.0/8 is "this host" (RFC 1122, 3.2.1.3), and Linux connects to it.
        if address.is_loopback() || address.octets()[0] == 0 {
            Self::Here
        } else if address.is_private() {
            Self::Near
        } else {
            Self::Far
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        if let IpAddr::V4(mapped) = IpAddr::V6(address).to_canonical() {
            return Self::of_v4(mapped);
        }
        if address.is_loopback() || address.is_unspecified() {
            Self::Here
        } else if address.is_unique_local() {
            Self::Near
        } else {
            Self::Far
        }
    }
}

fn is_number(part: &str) -> bool {
    let is_decimal = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    is_decimal || part.starts_with("0x")
}

/// One part of an address: decimal, octal or hexadecimal.
fn number(part: &str) -> Option<u64> {
    let (digits, radix) = if let Some(hex) = part.strip_prefix("0x") {
        (hex, 16)
    } else if part.len() > 1 && part.starts_with('0') {
        (&part[1..], 8)
    } else {
        (part, 10)
    };
    if digits.is_empty() {
        // `0x` alone is zero.
        return (radix == 16).then_some(0);
    }
    let is_plain = digits.bytes().all(|b| b.is_ascii_alphanumeric());
    is_plain
        .then(|| u64::from_str_radix(digits, radix).ok())
        .flatten()
}

/// One to four numbers, of which the last fills what the others leave (`inet_aton`).
fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let parts: Vec<u64> = text.split('.').map(number).collect::<Option<_>>()?;
    let (last, firsts) = parts.split_last()?;
    if firsts.len() > 3 || firsts.iter().any(|part| *part > 255) {
        return None;
    }
    let rest_bits = 8 * (4 - u32::try_from(firsts.len()).ok()?);
    if *last >= 1 << rest_bits {
        return None;
    }
    let high = firsts
        .iter()
        .enumerate()
        .fold(0, |high, (at, part)| high | (part << (24 - 8 * at)));
    u32::try_from(high | last).ok().map(Ipv4Addr::from_bits)
}

/// Scheme, host and port of a URL, in one spelling: what a key is sent to.
pub fn origin(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let port = uri
        .port_u16()
        .unwrap_or(if scheme == "https" { 443 } else { 80 });
    let host = uri.host()?.to_ascii_lowercase();
    let host = host.strip_suffix('.').unwrap_or(&host);
    Some(format!("{scheme}://{host}:{port}"))
}

#[cfg(test)]
mod tests;
