//! The limits inside one process: meters and running calls of each scope, in shards under short
//! locks, bounded in number. Knows no other replica; `redis` does.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shared::clock::{Clock, Moment};

use super::rate_meter::RateMeter;
use super::scopes::LimitedScope;
use super::{LimitInfo, LimitSettings, LimitWhat, Refusal, Scopes};

/// Far more than cores, so that two calls rarely wait for the same lock.
const SHARDS: usize = 64;
/// Rooms of one shard: 64 x 4,096 of about 200 bytes are 50 MB at the very worst.
const BUCKETS_MAX: usize = 4_096;
/// Below this many, nothing is worth sweeping.
const SWEEP_MIN: usize = 64;
/// A slot is free when another call ends; nobody knows when, and a second is a polite guess.
const SLOT_WAIT: Duration = Duration::from_secs(1);

/// Every scope this process counts.
#[derive(Debug)]
pub(super) struct Local {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    clock: Clock,
}

#[derive(Debug)]
struct Shard {
    buckets: HashMap<Box<str>, Bucket>,
    sweep_at: usize,
}

/// What is counted for one key or tenant.
#[derive(Debug, Default)]
struct Bucket {
    limits: LimitSettings,
    requests: RateMeter,
    tokens: RateMeter,
    running: u32,
}

impl Local {
    pub(super) fn new(clock: Clock) -> Self {
        let shard = |_| {
            Mutex::new(Shard {
                buckets: HashMap::new(),
                sweep_at: SWEEP_MIN,
            })
        };
        Self {
            shards: std::array::from_fn(shard),
            hasher: RandomState::new(),
            clock,
        }
    }

    /// Admits into every scope or into none.
    pub(super) fn admit(&self, scopes: &Scopes<'_>) -> Result<LimitInfo, Refusal> {
        let now = self.clock.now();
        let mut shard = self.shard(scopes.tenant);
        for scope in scopes.limited() {
            shard.make_bucket(&scope, now);
        }
        let refusals = scopes.limited().filter_map(|scope| {
            let bucket = shard.buckets.get(scope.id)?;
            let (what, wait) = bucket.refuses(scopes.tokens, now)?;
            Some((scope.scope, what, wait))
        });
        let longest = refusals.max_by_key(|(_, _, wait)| *wait);
        if longest.is_none() {
            for scope in scopes.limited() {
                if let Some(bucket) = shard.buckets.get_mut(scope.id) {
                    bucket.take(scopes.tokens, now);
                }
            }
        }
        let buckets = scopes
            .limited()
            .filter_map(|scope| shard.buckets.get(scope.id));
        let info = buckets
            .map(|bucket| bucket.info(now))
            .fold(LimitInfo::default(), LimitInfo::tighter);
        match longest {
            None => Ok(info),
            Some((scope, what, retry_after)) => Err(Refusal {
                what,
                scope,
                retry_after,
                info,
            }),
        }
    }

    /// Counts the tokens of a call that was admitted without, in every scope or in none.
    pub(super) fn take_tokens(&self, scopes: &Scopes<'_>) -> Result<LimitInfo, Refusal> {
        let now = self.clock.now();
        let mut shard = self.shard(scopes.tenant);
        let waits = scopes.limited().filter_map(|scope| {
            let bucket = shard.buckets.get(scope.id)?;
            let limit = bucket.limits.tokens_per_minute?;
            let wait = bucket.tokens.wait(limit, scopes.tokens, now);
            (wait > Duration::ZERO).then_some((scope.scope, wait))
        });
        let longest = waits.max_by_key(|(_, wait)| *wait);
        let mut info = LimitInfo::default();
        for scope in scopes.limited() {
            let Some(bucket) = shard.buckets.get_mut(scope.id) else {
                continue;
            };
            if let (None, Some(limit)) = (longest, bucket.limits.tokens_per_minute) {
                bucket.tokens.take(limit, scopes.tokens, now);
            }
            info = info.tighter(bucket.info(now));
        }
        match longest {
            None => Ok(info),
            Some((scope, retry_after)) => Err(Refusal {
                what: LimitWhat::Tokens,
                scope,
                retry_after,
                info,
            }),
        }
    }

    /// Takes a call back that was counted.
    pub(super) fn undo(&self, scopes: &Scopes<'_>) {
        self.finish(scopes, Some(0));
        let now = self.clock.now();
        let mut shard = self.shard(scopes.tenant);
        for scope in scopes.limited() {
            if let Some(bucket) = shard.buckets.get_mut(scope.id)
                && let Some(limit) = bucket.limits.requests_per_minute
            {
                bucket.requests.give_back(limit.into(), 1, now);
            }
        }
    }

    /// Frees the slots, and corrects the tokens when the true number is known.
    pub(super) fn finish(&self, scopes: &Scopes<'_>, actual_tokens: Option<u64>) {
        let now = self.clock.now();
        let mut shard = self.shard(scopes.tenant);
        for scope in scopes.limited() {
            let Some(bucket) = shard.buckets.get_mut(scope.id) else {
                continue;
            };
            bucket.running = bucket.running.saturating_sub(1);
            let Some((actual, limit)) = actual_tokens.zip(bucket.limits.tokens_per_minute) else {
                continue;
            };
            match actual.checked_sub(scopes.tokens) {
                Some(more) => bucket.tokens.take(limit, more, now),
                None => bucket.tokens.give_back(limit, scopes.tokens - actual, now),
            }
        }
    }

    /// A key is counted beside its tenant, so that one lock covers both.
    fn shard(&self, tenant: &str) -> MutexGuard<'_, Shard> {
        let hash = usize::try_from(self.hasher.hash_one(tenant) & 0xffff).unwrap_or(0);
        self.shards[hash % SHARDS]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn buckets(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| shard.lock().expect("no panic inside").buckets.len())
            .sum()
    }
}

impl Shard {
    /// A bucket of the scope with its present limits. When too many scopes are busy at once, those
    /// that come last are not counted: limits must not take the product down.
    fn make_bucket(&mut self, scope: &LimitedScope<'_>, now: Moment) {
        if let Some(bucket) = self.buckets.get_mut(scope.id) {
            bucket.limits = scope.limits;
            return;
        }
        if self.buckets.len() >= self.sweep_at {
            self.buckets.retain(|_, bucket| !bucket.is_idle(now));
            // Doubling makes the cost of sweeping a constant for each new bucket.
            self.sweep_at = (self.buckets.len() * 2).clamp(SWEEP_MIN, BUCKETS_MAX);
        }
        if self.buckets.len() < BUCKETS_MAX {
            self.buckets.insert(
                scope.id.into(),
                Bucket {
                    limits: scope.limits,
                    ..Bucket::default()
                },
            );
        }
    }
}

impl Bucket {
    /// What stands in the way, and for how long.
    fn refuses(&self, tokens: u64, now: Moment) -> Option<(LimitWhat, Duration)> {
        let limits = &self.limits;
        let requests = limits
            .requests_per_minute
            .map(|limit| self.requests.wait(limit.into(), 1, now));
        let tokens = limits
            .tokens_per_minute
            .map(|limit| self.tokens.wait(limit, tokens, now));
        let full = limits
            .concurrency
            .is_some_and(|limit| self.running >= limit);
        [
            (LimitWhat::Requests, requests),
            (LimitWhat::Tokens, tokens),
            (LimitWhat::Concurrency, full.then_some(SLOT_WAIT)),
        ]
        .into_iter()
        .filter_map(|(what, wait)| {
            wait.filter(|wait| *wait > Duration::ZERO)
                .map(|wait| (what, wait))
        })
        .max_by_key(|(_, wait)| *wait)
    }

    fn take(&mut self, tokens: u64, now: Moment) {
        if let Some(limit) = self.limits.requests_per_minute {
            self.requests.take(limit.into(), 1, now);
        }
        if let Some(limit) = self.limits.tokens_per_minute {
            self.tokens.take(limit, tokens, now);
        }
        self.running = self.running.saturating_add(1);
    }

    fn info(&self, now: Moment) -> LimitInfo {
        LimitInfo {
            requests: self
                .limits
                .requests_per_minute
                .map(|limit| self.requests.left(limit.into(), now)),
            tokens: self
                .limits
                .tokens_per_minute
                .map(|limit| self.tokens.left(limit, now)),
        }
    }

    fn is_idle(&self, now: Moment) -> bool {
        self.running == 0
            && self
                .requests
                .is_empty(self.limits.requests_per_minute.map(u64::from), now)
            && self.tokens.is_empty(self.limits.tokens_per_minute, now)
    }
}
