//! Providers and their keys in memory: who may be called now, and what a fault does to a key.
//! Names no provider and holds no SQL; `admin` loads and stores.

mod choose;
mod cooldown;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use shared::clock::{Clock, Moment};
use shared::fault::Fault;
use shared::id::ProviderKeyId;
use shared::link::events::{KeyNews, News};
use shared::secret::Secret;
use tracing::warn;

use self::cooldown::Effect;
use crate::providers;

/// A provider as the pool sees it.
pub(crate) struct PoolProvider {
    pub(crate) name: String,
    pub(crate) base_url: String,
    pub(crate) enabled: bool,
    pub(crate) connector: &'static dyn providers::Provider,
    pub(crate) keys: Vec<Arc<PoolKey>>,
}

/// A key with its secret.
pub(crate) struct PoolKey {
    pub(crate) id: ProviderKeyId,
    pub(crate) secret: Secret<String>,
    pub(crate) last4: String,
    pub(crate) weight: u32,
    pub(crate) health: Arc<KeyHealth>,
}

/// What is known of a key's health; survives a reload of the list.
#[derive(Debug, Default)]
pub(crate) struct KeyHealth {
    in_flight: AtomicU32,
    state: Mutex<KeyState>,
}

/// Where a key stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct KeyState {
    /// Not used before this moment.
    pub(crate) cooling_until: Option<Moment>,
    /// Not used until an operator enables it.
    pub(crate) disabled: bool,
    /// Why it cools or is disabled.
    pub(crate) reason: Option<String>,
    /// Faults in a row that were the provider's.
    pub(crate) failures: u32,
}

impl KeyHealth {
    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(crate) fn state(&self) -> KeyState {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Sets what an operator or the database says.
    pub(crate) fn set_disabled(&self, disabled: bool, reason: Option<String>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.disabled != disabled {
            *state = KeyState {
                disabled,
                reason,
                ..KeyState::default()
            };
        }
    }

    fn usable(&self, now: Moment) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        !state.disabled && state.cooling_until.is_none_or(|until| until <= now)
    }
}

/// Where changes of keys are told, to be stored.
pub(crate) type Teller = tokio::sync::mpsc::Sender<News>;

/// Every provider; the list is swapped whole when it changes.
pub(crate) struct Pools {
    providers: RwLock<Arc<HashMap<String, Arc<PoolProvider>>>>,
    clock: Clock,
    teller: Teller,
}

/// A key in use for one attempt; gives its place back when dropped.
pub(crate) struct Lease {
    provider: Arc<PoolProvider>,
    key: Arc<PoolKey>,
    clock: Clock,
    teller: Teller,
}

impl Pools {
    /// Empty; what faults do to keys is told to `teller`.
    pub(crate) fn new(clock: Clock, teller: Teller) -> Self {
        Self {
            providers: RwLock::default(),
            clock,
            teller,
        }
    }

    /// Every provider by name.
    pub(crate) fn all(&self) -> Arc<HashMap<String, Arc<PoolProvider>>> {
        self.providers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Swaps the list.
    pub(crate) fn replace(&self, providers: HashMap<String, Arc<PoolProvider>>) {
        *self
            .providers
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(providers);
    }

    /// A healthy key of `provider`, another one than `avoid`.
    pub(crate) fn lease(&self, provider: &str, avoid: Option<&ProviderKeyId>) -> Option<Lease> {
        let provider = self
            .all()
            .get(provider)
            .filter(|provider| provider.enabled)?
            .clone();
        let now = self.clock.now();
        let eligible = |key: &&Arc<PoolKey>| Some(&key.id) != avoid && key.health.usable(now);
        let key = match provider.keys.as_slice() {
            [only] => Some(only).filter(eligible)?.clone(),
            keys => choose::choose(keys.iter().filter(eligible), &mut rand::rng())?.clone(),
        };
        key.health.in_flight.fetch_add(1, Ordering::Relaxed);
        Some(Lease {
            provider,
            key,
            clock: self.clock.clone(),
            teller: self.teller.clone(),
        })
    }
}

impl Lease {
    pub(crate) fn provider(&self) -> &PoolProvider {
        &self.provider
    }

    pub(crate) fn key(&self) -> &PoolKey {
        &self.key
    }

    fn state(&self) -> MutexGuard<'_, KeyState> {
        let state = &self.key.health.state;
        state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The attempt ended well: past faults are forgotten.
    pub(crate) fn succeeded(&self) {
        let mut state = self.state();
        if state.failures > 0 {
            state.failures = 0;
        }
        // A call from before the fault says nothing about the key now.
        let rested = |until: &mut Moment| *until <= self.clock.now();
        if state.cooling_until.take_if(rested).is_some() {
            drop(state);
            self.tell(News::KeyRecovered, None);
        }
    }

    /// The attempt failed.
    pub(crate) fn failed(&self, fault: &Fault) {
        let mut state = self.state();
        let last_healthy = self.provider.keys.len() < 2;
        let reason = || Some(fault.word().to_owned());
        match cooldown::effect(fault, state.failures, last_healthy) {
            Effect::Nothing => {}
            Effect::Count => state.failures = state.failures.saturating_add(1),
            Effect::Cool(span) => {
                state.failures = state.failures.saturating_add(1);
                state.reason = reason();
                let until = self.clock.now().after(span);
                // Told once, however often it fails before it is well again.
                if state.cooling_until.replace(until).is_none() {
                    drop(state);
                    self.tell(News::KeyCooling, reason());
                }
            }
            Effect::Disable => {
                state.disabled = true;
                state.reason = reason();
                drop(state);
                self.tell(News::KeyDisabled, reason());
            }
        }
    }

    /// A full queue means that the database is away; this process keeps the key's state itself.
    fn tell(&self, kind: fn(KeyNews) -> News, reason: Option<String>) {
        let news = KeyNews {
            provider: self.provider.name.clone(),
            key: self.key.id.clone(),
            last4: self.key.last4.clone(),
            reason,
        };
        if self.teller.try_send(kind(news)).is_err() {
            warn!(key.id = %self.key.id, "what happened to key `{}` is not stored", self.key.id);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.key.health.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
