//! The list of providers and keys: kept as the database says, with each change of a key written to it.
//! Knows nothing of calls; what operators may change is `provider_admin`'s.

pub(crate) mod balances;
mod days;
mod key_batch;
mod provider_admin;
mod refusals;
mod terms;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use shared::clock::{Clock, Moment};
use shared::db::DbError;
use shared::id::ProviderKeyId;
use shared::link::events::GatewayEvent;
use shared::link::options::ProviderOptions;
use shared::link::rules;
use shared::seal::Sealer;
use shared::secret::Secret;
use shared::supervisor::Supervisor;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use self::balances::{BalancePace, BalancesKnown};
use crate::events::Journal;
use crate::pool::health::{KeyHealth, Off};
use crate::pool::{HostHealth, PoolKey, PoolProvider, Pools, ProviderHealth, ProviderParts};
use crate::store::{BY_OPERATOR, KeyRow, ProviderRow, Snapshot, Store};
use crate::{keys, providers};

/// Changes of keys that wait to be stored.
pub(crate) const WAITING_MAX: usize = 256;
/// How often a gateway looks whether another one changed the providers.
const RELOAD_EVERY: Duration = Duration::from_secs(2);
/// Between attempts to store what the database did not take.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
const TRIES_MAX: u32 = 30;

/// The providers of a database and their keys.
pub(crate) struct ProviderList {
    pub(crate) store: Store,
    pub(crate) journal: Arc<Journal>,
    /// What calls see of it.
    pools: Arc<Pools>,
    sealer: Sealer,
    clock: Clock,
    /// Held while the list is read.
    reloading: tokio::sync::Mutex<()>,
    /// What the database called it when it was read.
    version: AtomicI64,
    /// How often balances are asked for.
    pace: BalancePace,
}

/// What was known before the list is read again.
struct Known {
    keys: HashMap<ProviderKeyId, Arc<KeyHealth>>,
    /// By name and address: another address is another host.
    providers: HashMap<(String, String), Arc<ProviderHealth>>,
    /// Of keys with an address of their own, by provider and address.
    hosts: HashMap<(String, String), Arc<HostHealth>>,
    balances: BalancesKnown,
}

/// What a key is sealed for.
fn seal_place(id: &str) -> String {
    format!("provider_keys|{id}")
}

impl ProviderList {
    /// Not read yet.
    pub(crate) fn new(
        store: Store,
        journal: Arc<Journal>,
        pools: Arc<Pools>,
        sealer: Sealer,
        (clock, pace): (Clock, BalancePace),
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            journal,
            pools,
            sealer,
            clock,
            reloading: tokio::sync::Mutex::default(),
            version: AtomicI64::new(-1),
            pace,
        })
    }

    /// Keeps the pools as the database says, and the database as calls say of keys, until the process
    /// stops.
    pub(crate) fn watch(
        self: &Arc<Self>,
        told: mpsc::Receiver<GatewayEvent>,
        supervisor: &Supervisor,
    ) {
        let reading = self.clone().keep_current(supervisor.clone());
        supervisor.spawn("providers", reading);
        let writing = self.clone().write_events(told, supervisor.stopping());
        supervisor.spawn("events", writing);
        supervisor.spawn("key days", self.clone().keep_days(supervisor.clone()));
        let asking = self.clone().keep_balances(supervisor.clone());
        supervisor.spawn("balances", asking);
    }

    async fn keep_current(self: Arc<Self>, supervisor: Supervisor) {
        let stop = supervisor.stopping();
        let pause = || stop.run_until_cancelled(tokio::time::sleep(RELOAD_EVERY));
        while pause().await.is_some() {
            self.reload_if_changed().await;
            keys::probe_due(&self.pools, &self.store, &supervisor);
        }
    }

    async fn reload_if_changed(&self) {
        let outcome = match self.store.version().await {
            Ok(version) if version == self.version.load(Ordering::Acquire) => Ok(()),
            Ok(_) => self.reload().await,
            Err(error) => Err(error),
        };
        if let Err(error) = outcome {
            warn!(%error, "the providers were not read again: {error}");
        }
    }

    /// Reads the list again. One at a time: an older list would take the place of a newer one, and what
    /// is known of the keys between them would be lost.
    pub(crate) async fn reload(&self) -> Result<(), DbError> {
        let _alone = self.reloading.lock().await;
        self.read_again().await
    }

    /// As [`ProviderList::reload`], by whoever holds its lock.
    async fn read_again(&self) -> Result<(), DbError> {
        let snapshot = self.store.snapshot().await?;
        let mut known = self.known_health();
        known.balances = BalancesKnown::of(&snapshot);
        self.pools.replace(self.opened(&snapshot, known));
        self.version.store(snapshot.version, Ordering::Release);
        Ok(())
    }

    fn known_health(&self) -> Known {
        let all = self.pools.all();
        let keys = all.values().flat_map(|provider| &provider.keys);
        let provider = |known: &Arc<PoolProvider>| {
            let at = (known.name.clone(), known.base_url.clone());
            (at, known.health.clone())
        };
        let mut hosts = HashMap::new();
        for provider in all.values() {
            for key in &provider.keys {
                if let (Some(address), Some(host)) = (&key.terms.base_url, &key.host) {
                    hosts.insert((provider.name.clone(), address.clone()), host.clone());
                }
            }
        }
        Known {
            hosts,
            balances: BalancesKnown::default(),
            keys: keys
                .map(|key| (key.id.clone(), key.health.clone()))
                .collect(),
            providers: all.values().map(provider).collect(),
        }
    }

    fn opened(&self, snapshot: &Snapshot, mut known: Known) -> HashMap<String, Arc<PoolProvider>> {
        let mut pools = HashMap::new();
        for row in &snapshot.providers {
            let Some(connector) = providers::provider(&row.kind) else {
                warn!(
                    provider = row.name,
                    "provider `{}` has an unknown kind and is left out", row.name
                );
                continue;
            };
            let keys = snapshot.keys.iter().filter(|key| key.provider == row.name);
            let keys = keys
                .filter_map(|key| self.open_key((row, key), &mut known))
                .collect();
            // Earlier versions kept what was pasted.
            let base_url = rules::kept_url(&row.base_url).to_owned();
            let at = (row.name.clone(), base_url.clone());
            let health = known.providers.get(&at).cloned().unwrap_or_default();
            let provider = PoolProvider::new(ProviderParts {
                name: row.name.clone(),
                base_url,
                options: options(row),
                enabled: row.enabled,
                connector,
                keys,
                health,
            });
            pools.insert(row.name.clone(), Arc::new(provider));
        }
        pools
    }

    fn open_key(
        &self,
        (of, row): (&ProviderRow, &KeyRow),
        known: &mut Known,
    ) -> Option<Arc<PoolKey>> {
        if row.has_no_secret() {
            return None;
        }
        let opened = self
            .sealer
            .open(&seal_place(&row.id), &row.sealed)
            .map_err(|e| e.to_string());
        let secret = opened.and_then(|bytes| String::from_utf8(bytes).map_err(|e| e.to_string()));
        let secret = secret
            .inspect_err(|error| {
                error!(key.id = row.id, "key `{}` can't be opened: {error}", row.id);
            })
            .ok()?;
        let id = ProviderKeyId::from_stored(row.id.clone());
        let health = known.keys.get(&id).cloned().unwrap_or_default();
        health.set_off(row.disabled.then(|| off(row)));
        health.set_parked(known.balances.parked_until((of, row), self.pace));
        let weight = u32::try_from(row.weight).unwrap_or(1);
        let terms = terms::read(row);
        Some(Arc::new(PoolKey {
            id,
            secret: Secret::new(secret),
            last4: row.last4.clone(),
            weight,
            headers: terms::headers(&self.sealer, row),
            host: terms.base_url.as_ref().map(|address| {
                let at = (row.provider.clone(), address.clone());
                known.hosts.entry(at).or_default().clone()
            }),
            terms,
            health,
        }))
    }

    /// Writes that this gateway came up; one without its database does not.
    pub(crate) async fn write_start(&self) -> Result<(), DbError> {
        let started = GatewayEvent::GatewayStarted {
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        self.store.record(&started, self.clock.now()).await
    }

    /// Stores what is told, until the process stops.
    async fn write_events(
        self: Arc<Self>,
        mut told: mpsc::Receiver<GatewayEvent>,
        stop: CancellationToken,
    ) {
        while let Some(Some(news)) = stop.run_until_cancelled(told.recv()).await {
            info!("{news:?}");
            self.write_event(&news, &stop).await;
        }
        // What was told before the end is not lost, where the database is there.
        while let Ok(news) = told.try_recv() {
            self.write_event(&news, &stop).await;
        }
    }

    async fn write_event(&self, news: &GatewayEvent, stop: &CancellationToken) {
        for _ in 0..TRIES_MAX {
            match self.try_write(news).await {
                Ok(()) => {
                    self.journal.wake_listeners();
                    return;
                }
                Err(error) => warn!(%error, "an event was not stored yet: {error}"),
            }
            let pause = tokio::time::sleep(AGAIN_AFTER);
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
        self.pools.written(news);
    }

    /// While the list is not read: one that was read before and set after it would undo a key's switch
    /// until the next look.
    async fn try_write(&self, news: &GatewayEvent) -> Result<(), DbError> {
        let _alone = self.reloading.lock().await;
        self.store.record(news, self.clock.now()).await?;
        self.pools.written(news);
        Ok(())
    }
}

/// Options out of the database; what a later version wrote and this one can't read counts as none.
pub(super) fn options(row: &ProviderRow) -> ProviderOptions {
    serde_json::from_str(&row.options).unwrap_or_else(|error| {
        warn!(
            provider = row.name,
            %error, "the options of provider `{}` can't be read: {error}", row.name
        );
        ProviderOptions::default()
    })
}

/// Why a key is off, and when it is asked about again. Earlier versions kept no such time.
fn off(row: &KeyRow) -> Off {
    let by_operator = row.reason.as_deref() == Some(BY_OPERATOR);
    let probe_at = row.probe_at.or((!by_operator).then_some(0));
    Off {
        reason: row.reason.clone(),
        probe_at: probe_at.map(Moment::from_unix_ms),
    }
}
