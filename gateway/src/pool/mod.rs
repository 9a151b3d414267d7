//! Providers and their keys in memory: who may be called now, and what a fault does to a key.
//! Names no provider and holds no SQL; `admin` loads and stores.

mod choose;
mod effect;
pub(crate) mod health;
mod provider;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use shared::clock::{Clock, Moment};
use shared::fault::{Fault, FaultKind};
use shared::id::ProviderKeyId;
use shared::link::events::{GatewayEvent, KeyEvent};
use shared::link::options::ProviderOptions;
use shared::secret::Secret;
use tracing::warn;

use self::health::{Asker, Block, KeyHealth, Report};
pub(crate) use self::provider::ProviderHealth;
use crate::providers::{self, Route};

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
    pub(crate) keys: Vec<Arc<PoolKey>>,
    pub(crate) health: Arc<ProviderHealth>,
}

/// A key with its secret.
pub(crate) struct PoolKey {
    pub(crate) id: ProviderKeyId,
    pub(crate) secret: Secret<String>,
    pub(crate) last4: String,
    pub(crate) weight: u32,
    pub(crate) health: Arc<KeyHealth>,
}

impl PoolProvider {
    /// Where a call of `model` with `key` goes.
    pub(crate) fn route<'a>(&'a self, key: &'a PoolKey, model: &'a str) -> Route<'a> {
        Route {
            base_url: &self.base_url,
            options: &self.options,
            key: &key.secret,
            model,
            learned: &self.health.learned,
        }
    }
}

/// Where changes of keys are told, to be stored.
pub(crate) type EventSender = tokio::sync::mpsc::Sender<GatewayEvent>;

/// Every provider; the list is swapped whole when it changes.
pub(crate) struct Pools {
    providers: RwLock<Arc<HashMap<String, Arc<PoolProvider>>>>,
    clock: Clock,
    events: EventSender,
}

/// Why a provider has no key for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Idle {
    /// There is none that could ever take it: switched off, or tried already.
    NoKey,
    /// Its host does not answer.
    Down,
    /// All rest; the first is ready then.
    Rests {
        /// In how many milliseconds.
        wait_ms: u64,
        /// What that one rests for.
        kind: FaultKind,
    },
}

/// A key in use for one attempt; gives its place back when dropped.
pub(crate) struct Lease {
    provider: Arc<PoolProvider>,
    key: Arc<PoolKey>,
    caller: u64,
    model: String,
    began: Moment,
    clock: Clock,
    events: EventSender,
}

impl Pools {
    /// Empty; what faults do to keys is told to `events`.
    pub(crate) fn new(clock: Clock, events: EventSender) -> Self {
        Self {
            providers: RwLock::default(),
            clock,
            events,
        }
    }

    /// By the clock that keys rest by.
    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Every provider by name.
    pub(crate) fn all(&self) -> Arc<HashMap<String, Arc<PoolProvider>>> {
        self.providers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// A provider's key of that id.
    pub(crate) fn key(&self, provider: &str, id: &ProviderKeyId) -> Option<Arc<PoolKey>> {
        let all = self.all();
        let mut keys = all.get(provider)?.keys.iter();
        keys.find(|key| key.id == *id).cloned()
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
        let now = self.clock.now();
        let untried = |key: &&Arc<PoolKey>| !tried.contains(&key.id);
        let eligible = |key: &&Arc<PoolKey>| untried(key) && key.health.block(asker, now).is_none();
        let key = match provider.keys.as_slice() {
            [only] => Some(only).filter(eligible),
            keys => choose::choose(keys.iter().filter(eligible), &mut rand::rng()),
        };
        let Some(key) = key else {
            let untried = provider.keys.iter().filter(untried);
            return Err(idle(
                untried.filter_map(|key| key.health.block(asker, now)),
                now,
            ));
        };
        if !provider.health.may_try(now) && !asker.is_last_resort {
            return Err(Idle::Down);
        }
        key.health.enter();
        Ok(Lease {
            provider: provider.clone(),
            key: key.clone(),
            caller: asker.caller,
            model: asker.model.to_owned(),
            began: now,
            clock: self.clock.clone(),
            events: self.events.clone(),
        })
    }

    /// The provider itself says that a key is not good.
    pub(crate) fn switch_off(&self, provider: &PoolProvider, key: &PoolKey) {
        let reason = FaultKind::InvalidKey.word();
        if let Some(probe_at) = key.health.switch_off(reason, self.clock.now()) {
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
        if !tell(&self.events, key, news) {
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

/// What the key that is ready first waits for.
fn idle(blocks: impl Iterator<Item = Block>, now: Moment) -> Idle {
    let rests = blocks.filter_map(|block| match block {
        Block::Off => None,
        Block::Rests { until, kind } => Some((until, kind)),
    });
    rests
        .min_by_key(|(until, _)| *until)
        .map_or(Idle::NoKey, |(until, kind)| Idle::Rests {
            wait_ms: u64::try_from(until.since(now).as_millis()).unwrap_or(u64::MAX),
            kind,
        })
}

impl Lease {
    pub(crate) fn provider(&self) -> &Arc<PoolProvider> {
        &self.provider
    }

    pub(crate) fn key(&self) -> &Arc<PoolKey> {
        &self.key
    }

    fn asker(&self) -> Asker<'_> {
        Asker {
            caller: self.caller,
            model: &self.model,
            is_last_resort: false,
        }
    }

    /// The provider answered, whatever it was.
    pub(crate) fn answered(&self) {
        self.provider.health.answered();
    }

    /// The attempt ended well: past faults are forgotten.
    pub(crate) fn succeeded(&self) {
        let now = self.clock.now();
        if self.key.health.succeeded(self.asker(), self.began, now) {
            self.tell(GatewayEvent::KeyRecovered, None);
        }
    }

    /// The attempt failed.
    pub(crate) fn failed(&self, fault: &Fault) {
        if self.provider.connector.fails_on_request() {
            return;
        }
        let now = self.clock.now();
        if fault.kind == FaultKind::Unreachable {
            self.provider.health.unreachable(now);
        }
        if self.key.health.failed(self.report(fault, now), now) {
            self.tell(GatewayEvent::KeyCooling, Some(fault.word().to_owned()));
        }
    }

    /// The attempt failed as another one with the same body at another key: it is the body's.
    pub(crate) fn suspected(&self, fault: &Fault) {
        if !self.provider.connector.fails_on_request() {
            let now = self.clock.now();
            self.key.health.suspected(self.report(fault, now), now);
        }
    }

    /// The model wrote more than it was asked for.
    pub(crate) fn ignored_maximum(&self) {
        let route = self.provider.route(&self.key, &self.model);
        self.provider.connector.ignored_maximum(route);
    }

    fn report<'a>(&'a self, fault: &'a Fault, now: Moment) -> Report<'a> {
        let keys = &self.provider.keys;
        let others = keys.iter().filter(|key| key.id != self.key.id);
        let resting = others.filter(|key| key.health.rests_for(self.caller, now));
        Report {
            fault,
            caller: self.caller,
            model: &self.model,
            is_within_share: resting.count() < share(keys.len()),
        }
    }

    fn tell(&self, kind: fn(KeyEvent) -> GatewayEvent, reason: Option<String>) {
        let news = kind(news(&self.provider, &self.key, reason));
        tell(&self.events, &self.key, news);
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

impl Drop for Lease {
    fn drop(&mut self) {
        self.key.health.leave();
    }
}

#[cfg(test)]
mod tests;
