//! From where a request comes, when proxies that are trusted stand before the server. What a header
//! says is believed only as far as trusted hops wrote it. Pure.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ValueEnum;
use http::header::FORWARDED;
use http::{HeaderMap, HeaderName};
use poem::Request;
use server_rules::access::Network;
use shared::config::ConfigError;

/// The header of most proxies; every one of them adds the address it was called from at its end.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Chains of proxies are short; what lies before that was made up.
const HOPS_MAX: usize = 32;
/// An address with a port, in brackets and quotes, is far shorter.
const HOP_BYTES_MAX: usize = 128;

/// The address of whoever sent a request, as an extension of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// The header that the trusted proxies write. Only one is read: they pass the other on as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239)
    Forwarded,
}

/// The proxies whose word is taken; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies {
    networks: Arc<[Network]>,
    header: ForwardedHeader,
    told: Arc<AtomicBool>,
}

impl TrustedProxies {
    /// From `TRUSTED_PROXIES`: addresses and networks.
    pub fn parse(list: &[String], header: ForwardedHeader) -> Result<Self, ConfigError> {
        let mut networks = Vec::new();
        for text in list.iter().map(|text| text.trim()) {
            if text.is_empty() {
                continue;
            }
            let wrong =
                |what: &str| ConfigError::Invalid(format!("TRUSTED_PROXIES: `{text}` {what}"));
            let network = Network::parse(text)
                .ok_or_else(|| wrong("is no address and no network like 10.0.0.0/8"))?;
            if network.is_everything() {
                return Err(wrong(
                    "would let every client choose its own address; name the proxies' networks",
                ));
            }
            networks.push(network);
        }
        Ok(Self {
            networks: networks.into(),
            header,
            told: Arc::default(),
        })
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|network| network.contains(address))
    }

    /// From where a request comes that `peer` handed over: the nearest hop that is not trusted. At
    /// what is no address the chain ends, with the hop that wrote it.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.trusts(client) {
            self.tell_once(client, headers);
            return client;
        }
        let hops = match self.header {
            ForwardedHeader::XForwardedFor => hops(headers, &X_FORWARDED_FOR, hop_address),
            ForwardedHeader::Forwarded => hops(headers, &FORWARDED, element_address),
        };
        for hop in hops {
            let Some(address) = hop else { break };
            client = address;
            if !self.trusts(client) {
                break;
            }
        }
        client
    }

    /// A proxy that is not named makes everybody one address; the log says so, once.
    fn tell_once(&self, peer: IpAddr, headers: &HeaderMap) {
        let forwarded = headers.contains_key(X_FORWARDED_FOR) || headers.contains_key(FORWARDED);
        if forwarded
            && !self.told.load(Ordering::Relaxed)
            && !self.told.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                "{peer} forwards requests for others and is not in TRUSTED_PROXIES: its own address counts for all of them"
            );
        }
    }
}

/// The hops of a header, the last one first; `None` where one is no address.
fn hops<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    read: fn(&str) -> Option<IpAddr>,
) -> impl Iterator<Item = Option<IpAddr>> + use<'a> {
    let lines: Vec<&'a [u8]> = headers
        .get_all(name)
        .iter()
        .map(http::HeaderValue::as_bytes)
        .collect();
    let parts = lines
        .into_iter()
        .rev()
        .flat_map(|line| line.rsplit(|byte| *byte == b','));
    parts.take(HOPS_MAX).map(move |part| {
        let text = std::str::from_utf8(part).ok()?;
        (text.len() <= HOP_BYTES_MAX)
            .then(|| read(text.trim()))
            .flatten()
    })
}

/// `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`.
fn hop_address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let address = match bare {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().ok()?.into(),
        None => text
            .parse::<IpAddr>()
            .or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()))
            .ok()?,
    };
    Some(address.to_canonical())
}

/// The `for` of an element of `Forwarded`: `for=192.0.2.7;proto=https`, `For="[2001:db8::1]:4711"`.
fn element_address(text: &str) -> Option<IpAddr> {
    let mut found = None;
    for pair in text.split(';') {
        let Some((name, value)) = pair.split_once('=') else {
            continue;
        };
        if name.trim().eq_ignore_ascii_case("for") {
            // Said twice, it may be said by two.
            if found.is_some() {
                return None;
            }
            let value = value.trim();
            let plain = value
                .strip_prefix('"')
                .and_then(|value| value.strip_suffix('"'));
            found = Some(hop_address(plain.unwrap_or(value))?);
        }
    }
    found
}

/// The client's address, as far as proxies that are trusted tell it. A socket of another family has
/// none, and no allowed address matches it.
pub fn peer(request: &Request) -> IpAddr {
    if let Some(ClientAddress(address)) = request.extensions().get() {
        return *address;
    }
    let unknown = IpAddr::from([0, 0, 0, 0]);
    request
        .remote_addr()
        .as_socket_addr()
        .map_or(unknown, |address| address.ip().to_canonical())
}

#[cfg(test)]
mod tests;
