//! Providers and their keys in memory: who may be called now, and what a fault does to a key.
//! Names no provider and holds no SQL; `admin` loads and stores.

pub(crate) mod ask;
mod bucket;
mod budget;
mod choose;
mod circuit;
pub(crate) mod days;
mod dice;
mod dry;
mod effect;
pub(crate) mod health;
mod joint;
mod lease;
mod meters;
mod pace;
mod provider;
mod queue;
mod window;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use http::{HeaderName, HeaderValue};
use shared::clock::{Clock, Moment};
use shared::fault::FaultKind;
use shared::id::ProviderKeyId;
use shared::link::KeyTerms;
use shared::link::events::{GatewayEvent, KeyEvent};
use shared::link::options::ProviderOptions;
use shared::secret::Secret;
use tracing::warn;

use self::ask::Size;
use self::choose::{KeyQuery, Tier};
use self::circuit::Gate;
use self::dice::{Dice, number_of};
use self::health::{Asker, KeyHealth};
pub(crate) use self::joint::JointMeters;
pub(crate) use self::lease::Lease;
use self::meters::Need;
pub(crate) use self::pace::Took;
pub(crate) use self::provider::{HostHealth, ProviderHealth};
use self::queue::{Sleeper, sleeper};
pub(crate) use self::queue::{WaitMetrics, wait_limit};
use crate::providers::{self, Route};

/// Keys that are asked for among all gateways before a call goes on: each costs a round trip.
const JOINT_TRIES: usize = 3;
/// The part of a pool that one caller's calls may show as cooling.
const SHARE_PART: usize = 4;

/// How far one caller's calls reach in a pool of `keys` keys: the number of keys that they may show as
/// cooling, a quarter and at least one. What a fault does is three things, each with its own bound.
///
/// - **To the caller that drew it**: whoever is told to wait by a key does not use that key until then,
///   for the full time, be it every key of the pool, and be others served meanwhile. So nobody makes us
///   hammer a provider that asked us to wait, and they are told how long. A rest that is a guess of ours
///   (no money, a key that was doubted, many faults in a row) is soft: it moves calls elsewhere while
///   there is an elsewhere, and any success ends it.
/// - **To all others**: nothing. One caller's word may be about its own requests only, so all `keys`
///   serve the others on. What the calls of two callers say of a key rests it for everybody, for as
///   long as both say so; five faults in a row of which not all are one caller's rest it too.
/// - **To what operators see and are told**: this share. Keys that rest for everybody are shown besides.
fn share(keys: usize) -> usize {
    (keys / SHARE_PART).max(1)
}

/// A provider as the pool sees it.
pub(crate) struct PoolProvider {
    pub(crate) name: String,
    pub(crate) base_url: String,
    pub(crate) options: ProviderOptions,
    pub(crate) enabled: bool,
    pub(crate) connector: &'static dyn providers::Provider,
    /// In the order of their priorities.
    pub(crate) keys: Vec<Arc<PoolKey>>,
    pub(crate) health: Arc<ProviderHealth>,
    tiers: Vec<Tier>,
}

/// What a provider is made of.
pub(crate) struct ProviderParts {
    pub(crate) name: String,
    pub(crate) base_url: String,
    pub(crate) options: ProviderOptions,
    pub(crate) enabled: bool,
    pub(crate) connector: &'static dyn providers::Provider,
    pub(crate) keys: Vec<Arc<PoolKey>>,
    pub(crate) health: Arc<ProviderHealth>,
}

/// A key with its secret.
pub(crate) struct PoolKey {
    pub(crate) id: ProviderKeyId,
    pub(crate) secret: Secret<String>,
    pub(crate) last4: String,
    pub(crate) weight: u32,
    pub(crate) terms: KeyTerms,
    /// Sent with it besides those that its connector needs.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// Of its own address, where it has one.
    pub(crate) host: Option<Arc<HostHealth>>,
    pub(crate) health: Arc<KeyHealth>,
}

impl PoolKey {
    /// Whether it is for calls of `model`; a name may end in `*`.
    fn serves(&self, model: &str) -> bool {
        let matches = |allowed: &String| match allowed.strip_suffix('*') {
            Some(begins) => model.starts_with(begins),
            None => allowed == model,
        };
        self.terms.models.is_empty() || self.terms.models.iter().any(matches)
    }
}

impl PoolProvider {
    /// Of its parts.
    pub(crate) fn new(parts: ProviderParts) -> Self {
        let mut keys = parts.keys;
        keys.sort_by_key(|key| key.terms.priority);
        Self {
            tiers: choose::tiers(&keys),
            name: parts.name,
            base_url: parts.base_url,
            options: parts.options,
            enabled: parts.enabled,
            connector: parts.connector,
            keys,
            health: parts.health,
        }
    }

    /// Where a call of `model` with `key` goes.
    pub(crate) fn route<'a>(&'a self, key: &'a PoolKey, model: &'a str) -> Route<'a> {
        Route {
            base_url: key.terms.base_url.as_ref().unwrap_or(&self.base_url),
            options: &self.options,
            key: &key.secret,
            model,
            learned: &self.health.learned,
            headers: &key.headers,
            heard: None,
            files: None,
        }
    }

    /// What a call of this size may bring of the model of that number.
    fn need(&self, model: u64, size: Size) -> Need {
        Need {
            input: size.input,
            output: size.output_max.min(self.health.lengths.likely(model)),
        }
    }

    /// Of the address where calls with `key` go.
    fn host<'a>(&'a self, key: &'a PoolKey) -> &'a HostHealth {
        key.host.as_deref().unwrap_or(&self.health.host)
    }
}

/// Where changes of keys are told, to be stored.
pub(crate) type EventSender = tokio::sync::mpsc::Sender<GatewayEvent>;

/// Every provider; the list is swapped whole when it changes.
pub(crate) struct Pools {
    providers: RwLock<Arc<HashMap<String, Arc<PoolProvider>>>>,
    tools: Tools,
    /// How calls that wait for room pass the time.
    sleeper: Sleeper,
    pub(crate) waits: WaitMetrics,
    /// What other gateways count too, where there are others.
    joint: Option<Arc<JointMeters>>,
}

/// What a key is leased with.
#[derive(Clone)]
struct Tools {
    clock: Clock,
    dice: Arc<Dice>,
    events: EventSender,
}

/// Why a provider has no key for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Idle {
    /// There is none that could ever take it: switched off, or tried already.
    NoKey,
    /// Its host does not answer.
    Down,
    /// A good key is only full, and will soon have room: waiting for it is worth while.
    Full {
        /// In how many milliseconds it probably has.
        wait_ms: u64,
        /// It is so for whoever wants the same; else a key rests for this caller that may have room for
        /// another one.
        for_all: bool,
    },
    /// All rest; the first is ready then.
    Rests {
        /// In how many milliseconds.
        wait_ms: u64,
        /// What that one rests for.
        kind: FaultKind,
    },
}

impl Idle {
    /// Full for all.
    fn full(wait_ms: u64) -> Self {
        Self::Full {
            wait_ms,
            for_all: true,
        }
    }

    fn until(until: Moment, kind: FaultKind, now: Moment) -> Self {
        Self::Rests {
            wait_ms: wait_ms(until, now),
            kind,
        }
    }
}

/// A lease with which nothing will be sent, unless this is forgotten.
struct Unsent<'a>(&'a Lease);

impl Drop for Unsent<'_> {
    fn drop(&mut self) {
        self.0.never_sent();
    }
}

fn wait_ms(until: Moment, now: Moment) -> u64 {
    u64::try_from(until.since(now).as_millis()).unwrap_or(u64::MAX)
}

impl Pools {
    /// Empty; what faults do to keys is told to `events`.
    pub(crate) fn new(clock: Clock, events: EventSender) -> Self {
        Self::seeded(clock, events, rand::random())
    }

    /// The same with draws that come again.
    pub(crate) fn seeded(clock: Clock, events: EventSender, seed: u64) -> Self {
        Self {
            providers: RwLock::default(),
            tools: Tools {
                clock,
                dice: Arc::new(Dice::of(seed)),
                events,
            },
            sleeper: sleeper(tokio::time::sleep),
            waits: WaitMetrics::default(),
            joint: None,
        }
    }

    /// The same, counting together with other gateways.
    pub(crate) fn counting_with(self, joint: Option<Arc<JointMeters>>) -> Self {
        Self { joint, ..self }
    }

    /// The same, where whoever waits passes the time so.
    #[cfg(test)]
    pub(crate) fn passing_time_by<F>(
        mut self,
        sleep: impl Fn(std::time::Duration) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.sleeper = sleeper(sleep);
        self
    }

    /// By the clock that keys rest by.
    pub(crate) fn now(&self) -> Moment {
        self.tools.clock.now()
    }

    /// The clock that keys rest by.
    pub(crate) fn clock(&self) -> Clock {
        self.tools.clock.clone()
    }

    /// Every provider by name.
    pub(crate) fn all(&self) -> Arc<HashMap<String, Arc<PoolProvider>>> {
        self.providers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether one of these providers has several keys to choose from.
    pub(crate) fn has_choice<'a>(&self, mut providers: impl Iterator<Item = &'a str>) -> bool {
        let all = self.all();
        providers.any(|name| {
            all.get(name)
                .is_some_and(|provider| provider.keys.len() > 1)
        })
    }

    /// A provider's key of that id.
    pub(crate) fn key(&self, provider: &str, id: &ProviderKeyId) -> Option<Arc<PoolKey>> {
        let all = self.all();
        let mut keys = all.get(provider)?.keys.iter();
        keys.find(|key| key.id == *id).cloned()
    }

    /// A provider that is switched on.
    fn enabled(&self, provider: &str) -> Option<Arc<PoolProvider>> {
        let all = self.all();
        all.get(provider).filter(|one| one.enabled).cloned()
    }

    /// Swaps the list.
    pub(crate) fn replace(&self, providers: HashMap<String, Arc<PoolProvider>>) {
        *self
            .providers
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(providers);
    }

    /// A key of `provider` for `asker`, none of those that were `tried`.
    pub(crate) fn lease(
        &self,
        provider: &str,
        asker: Asker<'_>,
        tried: &[ProviderKeyId],
    ) -> Result<Lease, Idle> {
        let all = self.all();
        let provider = all
            .get(provider)
            .filter(|provider| provider.enabled)
            .ok_or(Idle::NoKey)?;
        let number = number_of(asker.model);
        let need = provider.need(number, asker.size);
        let queue = &provider.health.queue;
        // What is a last resort waits for nobody: those that wait don't use what it may.
        if !asker.is_last_resort
            && let Some(wait_ms) = queue.is_before(number, need.all(), asker.caller)
        {
            return Err(Idle::full(wait_ms));
        }
        self.tools.lease(provider, asker, tried)
    }

    /// As [`Pools::lease`], of a key that has room among all gateways.
    pub(crate) async fn lease_joint(
        &self,
        provider: &str,
        asker: Asker<'_>,
        tried: &[ProviderKeyId],
    ) -> Result<Lease, Idle> {
        for _ in 0..JOINT_TRIES {
            let lease = self.lease(provider, asker, tried)?;
            if self.has_joint_room(&lease).await {
                return Ok(lease);
            }
        }
        Err(Idle::full(0))
    }

    /// Whether other gateways leave room for it; what it took is given back where they don't.
    async fn has_joint_room(&self, lease: &Lease) -> bool {
        let Some(joint) = &self.joint else {
            return true;
        };
        // A call that is dropped while it waits for the answer was never made.
        let asking = Unsent(lease);
        let has_room = lease.has_room_in(joint).await;
        std::mem::forget(asking);
        if !has_room {
            lease.changed_nothing();
        }
        has_room
    }

    /// The provider itself says that a key is not good.
    pub(crate) fn switch_off(&self, provider: &PoolProvider, key: &PoolKey) {
        let reason = FaultKind::InvalidKey.word();
        if let Some(probe_at) = key.health.switch_off(reason, self.tools.clock.now()) {
            let news = GatewayEvent::KeyDisabled(KeyEvent {
                probe_at: Some(probe_at.unix_ms()),
                ..news(provider, key, Some(reason.to_owned()))
            });
            self.tell_switch(key, news);
        }
    }

    /// A key that was switched off is good again; one that an operator switched off stays so.
    pub(crate) fn recovered(&self, provider: &PoolProvider, key: &PoolKey) {
        if key.health.switch_on() {
            let news = GatewayEvent::KeyRecovered(news(provider, key, None));
            self.tell_switch(key, news);
        }
    }

    /// What can't be told is not written: then the database's word counts again.
    fn tell_switch(&self, key: &PoolKey, news: GatewayEvent) {
        if !tell(&self.tools.events, key, news) {
            key.health.written();
        }
    }

    /// An event is in the database, or nobody writes it any more.
    pub(crate) fn written(&self, news: &GatewayEvent) {
        let (GatewayEvent::KeyDisabled(of) | GatewayEvent::KeyRecovered(of)) = news else {
            return;
        };
        if let Some(key) = self.key(&of.provider, &of.key) {
            key.health.written();
        }
    }
}

impl Tools {
    /// As [`Pools::lease`], whoever waits.
    fn lease(
        &self,
        provider: &Arc<PoolProvider>,
        asker: Asker<'_>,
        tried: &[ProviderKeyId],
    ) -> Result<Lease, Idle> {
        let now = self.clock.now();
        let (model, health) = (number_of(asker.model), &provider.health);
        let gate = health.circuits.gate(model, now);
        if let (Gate::Shut(until), false) = (gate, asker.is_last_resort) {
            return Err(Idle::until(until, FaultKind::Overloaded, now));
        }
        let query = KeyQuery {
            provider,
            asker,
            model,
            need: provider.need(model, asker.size),
            tried,
            now,
            dice: &self.dice,
        };
        let picked = query.pick()?;
        let lease = Lease::new(self, &query, picked, provider.clone());
        if !asker.is_last_resort && !lease.may_go(gate) {
            lease.changed_nothing();
            return Err(Idle::Down);
        }
        lease.enter();
        Ok(lease)
    }
}

fn news(provider: &PoolProvider, key: &PoolKey, reason: Option<String>) -> KeyEvent {
    KeyEvent {
        provider: provider.name.clone(),
        key: key.id.clone(),
        last4: key.last4.clone(),
        reason,
        probe_at: None,
    }
}

/// Answers whether it will be stored. A full queue means that the database is away.
fn tell(events: &EventSender, key: &PoolKey, news: GatewayEvent) -> bool {
    let is_taken = events.try_send(news).is_ok();
    if !is_taken {
        warn!(key.id = %key.id, "what happened to key `{}` is not stored", key.id);
    }
    is_taken
}

#[cfg(test)]
mod tests;
