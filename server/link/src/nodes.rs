//! Which gateway a generation goes to: by priority and rendezvous hashing, so that every server
//! chooses alike; nodes that fail are left out and let back in little by little. Opens no connection.

mod health;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderValue, Uri};
use shared::clock::{Clock, Moment};
use shared::config::ConfigError;
use shared::host::Reach;
use shared::id::GenerationId;
use shared::link::wire::SEEN_MAX;
use shared::link::{Alive, GatewayPlace, GatewayView};

use self::health::Health;
use super::encoded_body::BodyEncoder;
use super::metrics::LinkCounters;
use super::path_quality::PathQuality;
use super::transport::Pool;

/// One gateway.
pub(super) struct Node {
    pub(super) place: Address,
    /// What opens it.
    pub(super) secret: HeaderValue,
    pub(super) pool: Pool,
    pub(super) health: Health,
    /// There where bytes are dear.
    pub(super) encoder: Option<Arc<BodyEncoder>>,
    /// Whether streams may come over two of its connections.
    pub(super) hedges: bool,
    pub(super) quality: PathQuality,
    pub(super) counters: LinkCounters,
    seen: Mutex<Vec<GenerationId>>,
}

/// Where a gateway is, from one entry of `GATEWAY_URLS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// Scheme, host and port.
    pub(super) base: String,
    /// Whether the way there is a network's and not this machine's own.
    pub(super) is_far: bool,
    /// Nodes of a higher number are used while none of a lower one is well.
    pub(super) priority: u8,
    /// Targets may name it; may be empty.
    pub(super) name: String,
    /// Targets may name it; may be empty.
    pub(super) region: String,
}

impl Address {
    /// Checks one entry, `https://host:port#priority=1&name=us-1&region=us`.
    pub(super) fn parse(entry: &str) -> Result<Self, ConfigError> {
        let wrong = |what: &str| ConfigError::Invalid(format!("GATEWAY_URLS: `{entry}` {what}"));
        let (url, options) = entry.trim().split_once('#').unwrap_or((entry.trim(), ""));
        let mut place = GatewayPlace {
            url: url.to_owned(),
            name: String::new(),
            region: String::new(),
            priority: 0,
            secret: None,
        };
        for option in options.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("priority", number)) => {
                    place.priority = number
                        .parse()
                        .map_err(|_| wrong("has a priority that is not 0 to 255"))?;
                }
                Some(("name", name)) => name.clone_into(&mut place.name),
                Some(("region", region)) => region.clone_into(&mut place.region),
                _ => return Err(wrong("has an option that is not priority, name or region")),
            }
        }
        Self::of(&place)
    }

    /// What operators call it by: its name, or where it is.
    pub(super) fn shown(&self) -> &str {
        if self.name.is_empty() {
            &self.base
        } else {
            &self.name
        }
    }

    /// Checks a place: plain HTTP only to this machine and private networks, because the secret and
    /// the prompts would cross the border in the clear.
    pub(super) fn of(place: &GatewayPlace) -> Result<Self, ConfigError> {
        let url = place.url.trim();
        let wrong = |what: &str| ConfigError::Invalid(format!("the gateway `{url}` {what}"));
        let parsed: Uri = url.parse().map_err(|_| wrong("is not a URL"))?;
        let host = parsed.host().ok_or_else(|| wrong("has no host"))?;
        if !matches!(parsed.path(), "" | "/") || parsed.query().is_some() {
            return Err(wrong("must have no path"));
        }
        match parsed.scheme_str() {
            Some("https") => {}
            Some("http") if Reach::of(host) <= Reach::Near => {}
            Some("http") => {
                return Err(wrong(
                    "must use https: plain http is for this machine and private networks only",
                ));
            }
            _ => return Err(wrong("must start with https:// or http://")),
        }
        if ![&place.name, &place.region]
            .iter()
            .all(|name| is_word(name))
        {
            return Err(wrong(
                "has a name or region that is not at most 40 of a-z 0-9 -",
            ));
        }
        Ok(Self {
            base: url.trim_end_matches('/').to_owned(),
            is_far: Reach::of(host) != Reach::Here,
            priority: place.priority,
            name: place.name.clone(),
            region: place.region.clone(),
        })
    }
}

fn is_word(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    name.len() <= 40 && name.bytes().all(allowed)
}

impl Node {
    pub(super) fn new(
        (place, secret): (Address, HeaderValue),
        pool: Pool,
        encoder: Option<BodyEncoder>,
        hedges: bool,
    ) -> Self {
        Self {
            place,
            secret,
            pool,
            health: Health::default(),
            encoder: encoder.map(Arc::new),
            hedges,
            quality: PathQuality::default(),
            counters: LinkCounters::default(),
            seen: Mutex::default(),
        }
    }

    /// How it is now; `answered` when it was asked.
    pub(super) fn view(&self, clock: &Clock, answered: Option<(Alive, Duration)>) -> GatewayView {
        let (connections, streams) = self.pool.load();
        GatewayView {
            url: self.place.base.clone(),
            name: self.place.name.clone(),
            region: self.place.region.clone(),
            priority: self.place.priority,
            is_well: answered.is_some() && !self.health.rests(clock.now()),
            answered,
            connections,
            streams,
            is_way_bad: self.quality.is_bad(),
            late_ppm: self.quality.late_ppm(),
            counts: self.counters.counts(),
        }
    }

    /// All output of a generation is here: the gateway is told with a later call.
    pub(super) fn saw(&self, generation: GenerationId) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Without calls to tell it with, the gateway forgets by itself.
        if seen.len() < SEEN_MAX * 4 {
            seen.push(generation);
        }
    }

    /// What the gateway is to be told now.
    pub(super) fn take_seen(&self) -> Vec<GenerationId> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() <= SEEN_MAX {
            return std::mem::take(&mut *seen);
        }
        let rest = seen.split_off(SEEN_MAX);
        std::mem::replace(&mut *seen, rest)
    }
}

/// What decides a node's rank.
pub(super) struct Candidate<'a> {
    /// Its place in the caller's list.
    pub(super) at: usize,
    /// Of nodes that are well, those of a lower one come first.
    pub(super) rank: usize,
    pub(super) address: &'a Address,
    pub(super) health: &'a Health,
    /// Whether a connection to it is open, or none was tried yet.
    pub(super) connected: bool,
}

/// Places of `nodes` in the order they should be tried for `key`: the well ones by rank, priority and
/// rendezvous hash, then the others, because trying beats refusing.
pub(super) fn order<'a>(
    key: &str,
    nodes: impl Iterator<Item = Candidate<'a>>,
    now: Moment,
) -> Vec<usize> {
    let mut ranked: Vec<_> = nodes
        .map(|node| {
            let mut hasher = DefaultHasher::new();
            (&node.address.base, key).hash(&mut hasher);
            let hash = hasher.finish();
            let well = node.connected && node.health.admits(hash, now);
            (!well, node.rank, node.address.priority, hash, node.at)
        })
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(.., at)| at).collect()
}

#[cfg(test)]
mod tests;
