//! Questions of our own about keys, which cost nothing: is a key that an answer doubted good, and is one
//! that was switched off good again. Decides nothing about calls; `pool` does.

use std::sync::Arc;

use shared::link::KeyVerdict;
use shared::supervisor::Supervisor;
use tracing::{info, warn};

use crate::pool::{Lease, PoolKey, PoolProvider, Pools};
use crate::store::Store;

/// Keys that are asked about at once when many are due.
const PROBES_MAX: usize = 4;

/// An answer doubts the key of `lease`: the provider is asked, and its word counts.
pub(crate) fn doubt(pools: &Arc<Pools>, supervisor: &Supervisor, lease: &Lease) {
    let (provider, key) = (lease.provider().clone(), lease.key().clone());
    if provider.connector.fails_on_request() || !key.health.begin_check(pools.now()) {
        return;
    }
    let pools = pools.clone();
    supervisor.spawn("key check", async move {
        let test = provider.connector.test(provider.route(&key, "")).await;
        info!(key.id = %key.id, "key `{}` was doubted and is {}", key.id, test.verdict.word());
        if test.verdict == KeyVerdict::Refused {
            pools.switch_off(&provider, &key);
        }
    });
}

/// Asks about keys that were switched off and whose time has come.
pub(crate) fn probe_due(pools: &Arc<Pools>, store: &Store, supervisor: &Supervisor) {
    let now = pools.now();
    let all = pools.all();
    let keys = all
        .values()
        .filter(|provider| provider.enabled)
        .flat_map(|provider| provider.keys.iter().map(move |key| (provider, key)))
        .filter(|(_, key)| key.health.due(now).is_some());
    for (provider, key) in keys.take(PROBES_MAX) {
        let (pools, store) = (pools.clone(), store.clone());
        let probe = probe(pools, store, provider.clone(), key.clone());
        supervisor.spawn("key probe", probe);
    }
}

async fn probe(pools: Arc<Pools>, store: Store, provider: Arc<PoolProvider>, key: Arc<PoolKey>) {
    let Some((at, next)) = key.health.due(pools.now()) else {
        return;
    };
    // Kept first, so that of several gateways one asks, and a crash asks no more often.
    key.health.stays_off(next);
    match store.claim_probe(&key.id, at, next).await {
        Ok(true) => {}
        Ok(false) => return,
        Err(error) => warn!(%error, "a probe was not stored: {error}"),
    }
    let test = provider.connector.test(provider.route(&key, "")).await;
    // Where there is no such question, calls tell; the key would be off for ever otherwise. A provider
    // that is busy is asked later.
    let is_busy = matches!(test.status, 408 | 429);
    let cant_be_told =
        test.verdict == KeyVerdict::Unknown && (200..500).contains(&test.status) && !is_busy;
    if test.ok || cant_be_told {
        pools.recovered(&provider, &key);
    }
}
