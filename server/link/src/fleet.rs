//! All gateways that are known: those of the settings, which stay, and those that operators add and
//! take away while calls run. Sends nothing.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::{HeaderValue, Request};
use http_body_util::Full;
use shared::clock::Clock;
use shared::config::ConfigError;
use shared::id::GenerationId;
use shared::link::{Call, GatewayPlace, Target, wire};
use shared::secret::Secret;

use super::encoded_body::BodyEncoder;
use super::http::{ATTACH_MAX, LinkSettings};
use super::nodes::{Address, Candidate, Node, order};
use super::transport::{Pool, SILENCE_MAX, Shape};

/// A gateway may notice a cut at once, and this server only when it misses signs of life; what it
/// asked for before its patience ended takes its time on the way.
const NOTICE_MAX: Duration = SILENCE_MAX.saturating_add(ATTACH_MAX);

/// The gateways.
pub(super) struct Fleet {
    fixed: Vec<Arc<Node>>,
    all: ArcSwap<Vec<Arc<Node>>>,
    settings: LinkSettings,
    /// Of the gateways of the settings.
    secret: HeaderValue,
    /// For how long gateways are to keep what this server is cut from.
    pub(super) kept: HeaderValue,
    clock: Clock,
}

impl Fleet {
    pub(super) fn new(
        urls: &[String],
        secret: HeaderValue,
        settings: LinkSettings,
        clock: Clock,
    ) -> Result<Self, ConfigError> {
        let fixed = urls
            .iter()
            .map(|entry| node((Address::parse(entry)?, secret.clone()), &settings).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            all: ArcSwap::from_pointee(fixed.clone()),
            fixed,
            kept: wire::patience(settings.patience.saturating_add(NOTICE_MAX)),
            settings,
            secret,
            clock,
        })
    }

    /// How long a call waits for a link that is gone.
    pub(super) fn patience(&self) -> Duration {
        self.settings.patience
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(super) fn all(&self) -> Arc<Vec<Arc<Node>>> {
        self.all.load_full()
    }

    /// The nodes in the order they are tried for `key`.
    pub(super) fn ordered(&self, key: &str) -> Vec<Arc<Node>> {
        self.ranked(key, |_| Some(0))
    }

    /// The nodes in the order they are tried for a call: those through which its first target is
    /// reached come first, and those through which none is are left out.
    pub(super) fn for_call(&self, call: &Call) -> Vec<Arc<Node>> {
        self.for_targets(&call.generation, &call.targets)
    }

    fn for_targets(&self, generation: &GenerationId, targets: &[Target]) -> Vec<Arc<Node>> {
        if targets.iter().all(|target| target.gateway.is_none()) {
            return self.ordered(generation.as_str());
        }
        self.ranked(generation.as_str(), |place| {
            let mut targets = targets.iter();
            targets.position(|target| reaches(place, target))
        })
    }

    /// The addresses of the nodes that a call may go to, in their order. Also of the only one: others
    /// may come while the call's hold is open, and are not to be asked about it.
    pub(super) fn route(&self, generation: &GenerationId, targets: &[Target]) -> Vec<String> {
        let nodes = self.for_targets(generation, targets);
        nodes.iter().map(|node| node.place.base.clone()).collect()
    }

    /// The nodes at these addresses; all, where none is named or those named are there no more. Says too
    /// whether nobody else can be meant.
    pub(super) fn at(&self, addresses: &[String]) -> (Vec<Arc<Node>>, bool) {
        let all = self.all();
        let named = all
            .iter()
            .filter(|node| addresses.contains(&node.place.base));
        let named: Vec<Arc<Node>> = named.cloned().collect();
        let is_all = named.len() >= addresses.len();
        if named.is_empty() {
            (all.to_vec(), is_all)
        } else {
            (named, is_all)
        }
    }

    fn ranked(&self, key: &str, rank: impl Fn(&Address) -> Option<usize>) -> Vec<Arc<Node>> {
        let all = self.all.load();
        if let [only] = all.as_slice() {
            let fits = rank(&only.place).is_some();
            return fits.then(|| only.clone()).into_iter().collect();
        }
        let candidates = all.iter().enumerate().filter_map(|(at, node)| {
            Some(Candidate {
                at,
                rank: rank(&node.place)?,
                address: &node.place,
                health: &node.health,
                connected: node.pool.may_be_connected(),
            })
        });
        let places = order(key, candidates, self.clock.now());
        places
            .into_iter()
            .filter_map(|at| all.get(at).cloned())
            .collect()
    }

    /// Uses these besides the fixed ones. Calls that run go on where they are.
    pub(super) fn use_gateways(&self, places: &[GatewayPlace]) -> Result<(), ConfigError> {
        let old = self.all();
        let mut all = self.fixed.clone();
        for place in places {
            let address = Address::of(place)?;
            if all.iter().any(|node| node.place.base == address.base) {
                continue;
            }
            let secret = match &place.secret {
                Some(secret) => header(secret)?,
                None => self.secret.clone(),
            };
            let same = |node: &&Arc<Node>| node.place == address && node.secret == secret;
            if let Some(node) = old.iter().find(same) {
                all.push(node.clone());
            } else {
                let node = node((address, secret), &self.settings)?;
                node.pool.warm();
                all.push(Arc::new(node));
            }
        }
        if all.len() != old.len() || all.iter().zip(old.iter()).any(|(a, b)| !Arc::ptr_eq(a, b)) {
            self.all.store(Arc::new(all));
        }
        Ok(())
    }
}

/// Whether a target may be reached through the node at `place`.
fn reaches(place: &Address, target: &Target) -> bool {
    let wanted = target.gateway.as_deref();
    wanted.is_none_or(|wanted| place.name == wanted || place.region == wanted)
}

/// The call as the node at `place` gets it: with the targets that are reached through it.
pub(super) fn part_for(place: &Address, call: &Call) -> Option<Call> {
    if call.targets.iter().all(|target| reaches(place, target)) {
        return None;
    }
    let targets = call.targets.iter().filter(|target| reaches(place, target));
    Some(Call {
        targets: targets.cloned().collect(),
        ..call.clone()
    })
}

/// A secret as it is sent.
pub(super) fn header(secret: &Secret<String>) -> Result<HeaderValue, ConfigError> {
    let mut value = HeaderValue::from_str(secret.expose())
        .map_err(|_| ConfigError::Invalid("its secret must be printable ASCII".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn node(
    (place, secret): (Address, HeaderValue),
    settings: &LinkSettings,
) -> Result<Node, ConfigError> {
    let hedges = settings.hedging.covers(place.is_far);
    let packs = settings.compression.covers(place.is_far);
    let encoder = packs.then(|| BodyEncoder::new(&secret));
    let (url, shown) = (
        format!("{}{}/health", place.base, wire::PREFIX),
        secret.clone(),
    );
    let hello = move || {
        let mut request = Request::new(Full::default());
        // Checked above: it is a URL.
        *request.uri_mut() = url.parse().unwrap_or_default();
        request.headers_mut().insert(wire::SECRET, shown.clone());
        request
    };
    let shape = Shape::of(settings.connections, place.is_far);
    let pool = Pool::new(
        &place.base,
        Shape {
            patience: settings.patience,
            ..shape
        },
        settings.tls.as_ref(),
        Box::new(hello),
    )?;
    Ok(Node::new((place, secret), pool, encoder, hedges))
}

#[cfg(test)]
mod tests;
