//! What authentication remembers: principals by credential, for a short while, and that a
//! credential was refused. Bounded; refusals can't push good ones out.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use server_rules::access::{Network, Principal};
use shared::clock::Moment;
use shared::id::TenantId;

/// A principal is read again after this even if nothing was announced.
const TRUSTED: Duration = Duration::from_secs(30);
/// A refusal is remembered for this long: a flood of one wrong key costs one query a second.
const REFUSED: Duration = Duration::from_secs(1);
/// Principals kept at most, about 1 KB each; refusals are a hash and a moment.
const ENTRIES_MAX: usize = 50_000;
const REFUSALS_MAX: usize = 10_000;
/// Locks, so that cores seldom meet.
const SHARDS: usize = 16;

/// A principal with what must be checked on each call.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) principal: Arc<Principal>,
    pub(super) networks: Option<Arc<[Network]>>,
    pub(super) expires_at: Option<Moment>,
    pub(super) loaded_at: Moment,
}

#[derive(Debug, Default)]
struct Shard {
    known: HashMap<String, Known>,
    refused: HashMap<String, Moment>,
}

/// The cache of one process.
#[derive(Debug)]
pub(super) struct Cache {
    shards: Vec<Mutex<Shard>>,
    forgets: AtomicU64,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            forgets: AtomicU64::new(0),
        }
    }
}

impl Cache {
    /// `credential` is a hash in hex, so its last characters are even.
    fn shard(&self, credential: &str) -> MutexGuard<'_, Shard> {
        let place = credential
            .bytes()
            .rev()
            .take(2)
            .fold(0_usize, |sum, b| sum.wrapping_mul(7).wrapping_add(b.into()));
        self.shards[place % SHARDS]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of a credential and fresh enough.
    pub(super) fn known(&self, credential: &str, now: Moment) -> Option<Known> {
        let shard = self.shard(credential);
        shard
            .known
            .get(credential)
            .filter(|known| now.since(known.loaded_at) < TRUSTED)
            .cloned()
    }

    /// Whether the credential was refused a moment ago.
    pub(super) fn refused(&self, credential: &str, now: Moment) -> bool {
        let shard = self.shard(credential);
        shard
            .refused
            .get(credential)
            .is_some_and(|at| now.since(*at) < REFUSED)
    }

    /// How often something was forgotten; ask before a principal is read from the database.
    pub(super) fn forgets(&self) -> u64 {
        self.forgets.load(Ordering::SeqCst)
    }

    /// Keeps what was read, unless something was forgotten since `forgets` was asked for: the row
    /// may have been read just before the change that made everybody forget it.
    pub(super) fn remember(&self, credential: String, known: Known, forgets: u64) {
        let mut shard = self.shard(&credential);
        if self.forgets() != forgets {
            return;
        }
        if shard.known.len() >= ENTRIES_MAX / SHARDS {
            let now = known.loaded_at;
            shard
                .known
                .retain(|_, known| now.since(known.loaded_at) < TRUSTED);
            if shard.known.len() >= ENTRIES_MAX / SHARDS {
                shard.known.clear();
            }
        }
        shard.known.insert(credential, known);
    }

    pub(super) fn remember_refusal(&self, credential: String, now: Moment) {
        let mut shard = self.shard(&credential);
        if shard.refused.len() >= REFUSALS_MAX / SHARDS {
            shard.refused.clear();
        }
        shard.refused.insert(credential, now);
    }

    /// Forgets everybody of a tenant.
    pub(super) fn forget(&self, tenant: &TenantId) {
        self.retain(|known| known.principal.tenant != *tenant);
    }

    /// Forgets everybody.
    pub(super) fn forget_all(&self) {
        self.retain(|_| false);
    }

    fn retain(&self, stays: impl Fn(&Known) -> bool) {
        // Counted before the first lock: whoever remembers after that lock sees it.
        self.forgets.fetch_add(1, Ordering::SeqCst);
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.known.retain(|_, known| stays(known));
            shard.refused.clear();
        }
    }
}

#[cfg(test)]
mod tests;
