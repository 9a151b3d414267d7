//! Which gateway a generation goes to: by priority and rendezvous hashing, so that every server
//! chooses alike; nodes that fail are left out and let back in little by little. Opens no connection.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderValue, Uri};
use shared::clock::{Clock, Moment};
use shared::config::ConfigError;
use shared::host::Reach;
use shared::id::GenerationId;
use shared::link::wire::SEEN_MAX;
use shared::link::{Alive, GatewayPlace, GatewayView};

use super::encoded_body::BodyEncoder;
use super::metrics::LinkCounters;
use super::path_quality::PathQuality;
use super::transport::Pool;

/// Failures in a row after which a node is left out.
const FAILURES_MAX: u32 = 3;
/// For how long at first, and at most; it doubles from failure to failure.
const REST_MIN: Duration = Duration::from_secs(1);
const REST_MAX: Duration = Duration::from_secs(30);
/// Within this its share of the calls grows back to the whole.
const RAMP: Duration = Duration::from_secs(10);

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

/// How a node did lately.
#[derive(Debug, Default)]
pub(super) struct Health {
    failures: AtomicU32,
    /// Left out until then, in unix milliseconds; zero while it is well.
    rests_until: AtomicI64,
}

impl Health {
    /// A call did not get through; after a few the node rests.
    pub(super) fn failed(&self, clock: &Clock) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(more) = failures.checked_sub(FAILURES_MAX) {
            let rest = REST_MIN.saturating_mul(1 << more.min(8)).min(REST_MAX);
            self.rest(clock, rest);
        }
    }

    /// The node says itself that it takes no calls now.
    pub(super) fn closed(&self, clock: &Clock) {
        self.rest(clock, REST_MIN);
    }

    fn rest(&self, clock: &Clock, rest: Duration) {
        let until = clock.now().after(rest).unix_ms();
        self.rests_until.store(until, Ordering::Relaxed);
    }

    pub(super) fn succeeded(&self) {
        // A plain read first: the line stays shared between cores while all is well.
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    /// Whether it is left out now.
    fn rests(&self, now: Moment) -> bool {
        now.unix_ms() < self.rests_until.load(Ordering::Relaxed)
    }

    /// Whether a call of this hash may go there first.
    fn admits(&self, hash: u64, now: Moment) -> bool {
        let until = self.rests_until.load(Ordering::Relaxed);
        if until == 0 {
            return true;
        }
        let back = now.unix_ms().saturating_sub(until);
        let ramp = i64::try_from(RAMP.as_millis()).unwrap_or(i64::MAX);
        if back >= ramp {
            self.rests_until.store(0, Ordering::Relaxed);
            return true;
        }
        // Of a thousand calls as many as thousandths of the ramp are over.
        back > 0 && i64::try_from(hash % 1_000).unwrap_or(0) < back * 1_000 / ramp
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
mod tests {
    use super::*;

    fn address(base: &str, priority: u8) -> Address {
        Address {
            base: base.to_owned(),
            is_far: true,
            priority,
            name: String::new(),
            region: String::new(),
        }
    }

    fn ordered(key: &str, nodes: &[(Address, Health)], now: Moment) -> Vec<usize> {
        let candidates = nodes
            .iter()
            .enumerate()
            .map(|(at, (address, health))| Candidate {
                at,
                rank: 0,
                address,
                health,
                connected: true,
            });
        order(key, candidates, now)
    }

    #[test]
    fn a_node_is_left_out_after_a_few_failures_and_let_back_in_little_by_little() {
        let clock = Clock::fixed(Moment::from_unix_ms(1_000));
        let nodes: Vec<_> = ["a", "b", "c"]
            .map(|name| (address(name, 0), Health::default()))
            .into();
        let first = ordered("gen_1", &nodes, clock.now());
        assert_eq!(first, ordered("gen_1", &nodes, clock.now()));
        let health = &nodes[first[0]].1;
        for _ in 0..FAILURES_MAX {
            assert_eq!(ordered("gen_1", &nodes, clock.now()), first);
            health.failed(&clock);
        }
        let second = ordered("gen_1", &nodes, clock.now());
        assert_eq!(
            second,
            [first[1], first[2], first[0]],
            "the others keep their order"
        );
        let share = |now| {
            let keys = (0..3_000).map(|n| format!("gen_{n}"));
            keys.filter(|key| ordered(key, &nodes, now)[0] == first[0])
                .count()
        };
        assert_eq!(share(clock.now()), 0);
        clock.advance(REST_MIN + RAMP / 2);
        let half = share(clock.now());
        assert!((350..650).contains(&half), "{half}");
        clock.advance(RAMP);
        let all = share(clock.now());
        assert!((850..1_150).contains(&all), "{all}");
        health.succeeded();
        assert_eq!(ordered("gen_1", &nodes, clock.now()), first);
    }

    #[test]
    fn generations_spread_over_the_nodes_of_the_first_priority() {
        let nodes: Vec<_> = [("a", 0), ("b", 0), ("c", 1)]
            .map(|(name, priority)| (address(name, priority), Health::default()))
            .into();
        let mut counts = [0; 3];
        for n in 0..3_000 {
            counts[ordered(&n.to_string(), &nodes, Moment::from_unix_ms(0))[0]] += 1;
        }
        assert_eq!(counts[2], 0);
        assert!(
            counts[..2]
                .iter()
                .all(|count| (1_350..1_650).contains(count))
        );
    }

    #[test]
    fn plain_http_is_for_near_gateways_only_and_options_are_checked() {
        for url in [
            "http://127.0.0.1:9000",
            "http://[::1]:9000/",
            "https://gw.example.com",
            "http://gateway:9000",
            "http://10.0.0.7",
            "http://2130706433:9000",
            "http://localhost.:9000",
        ] {
            assert!(Address::parse(url).is_ok(), "{url}");
        }
        for url in [
            "http://gw.example.com",
            "gw.example.com",
            "ftp://x",
            "https://gw.example.com/a",
            "http://8.8.8.8",
            "http://134744072",
            "http://[::ffff:8.8.8.8]",
            "",
            "https://gw.example.com#priority=x",
            "https://gw.example.com#prioritty=1",
            "https://gw.example.com#name=A",
        ] {
            assert!(Address::parse(url).is_err(), "{url}");
        }
        let second = Address::parse("https://gw.example.com:8443/#priority=2").expect("valid");
        assert_eq!(second, address("https://gw.example.com:8443", 2));
    }

    #[test]
    fn what_was_seen_is_told_once_and_not_all_at_once() {
        let pool = Pool::new(
            "http://127.0.0.1:1",
            super::super::transport::Shape::of(1, false),
            None,
            Box::new(|| unreachable!("nothing is opened")),
        );
        let place = (address("a", 0), HeaderValue::from_static("secret"));
        let node = Node::new(place, pool.expect("a pool"), None, false);
        for _ in 0..=SEEN_MAX {
            node.saw(GenerationId::random());
        }
        assert_eq!(node.take_seen().len(), SEEN_MAX);
        assert_eq!(node.take_seen().len(), 1);
        assert!(node.take_seen().is_empty());
    }
}
