//! The limits inside one process: meters and running calls of each scope, in shards under short
//! locks, bounded in number. Knows no other replica; `redis` does.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shared::clock::{Clock, Moment};

use super::meter::Meter;
use super::{LimitInfo, LimitSettings, LimitWhat, Refusal, ScopeWish, Wish};

/// Far more than cores, so that two calls rarely wait for the same lock.
const SHARDS: usize = 64;
/// Rooms of one shard: 64 x 4,096 of about 200 bytes are 50 MB at the very worst.
const ROOMS_MAX: usize = 4_096;
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
    rooms: HashMap<Box<str>, Room>,
    sweep_at: usize,
}

/// What is counted for one key or tenant.
#[derive(Debug, Default)]
struct Room {
    limits: LimitSettings,
    requests: Meter,
    tokens: Meter,
    running: u32,
}

impl Local {
    pub(super) fn new(clock: Clock) -> Self {
        let shard = |_| {
            Mutex::new(Shard {
                rooms: HashMap::new(),
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
    pub(super) fn admit(&self, wish: &Wish<'_>) -> Result<LimitInfo, Refusal> {
        let now = self.clock.now();
        let mut shard = self.shard(wish.tenant);
        for scope in wish.scopes() {
            shard.make_room(&scope, now);
        }
        let refusals = wish.scopes().filter_map(|scope| {
            let room = shard.rooms.get(scope.id)?;
            let (what, wait) = room.refuses(wish.tokens, now)?;
            Some((scope.scope, what, wait))
        });
        let longest = refusals.max_by_key(|(_, _, wait)| *wait);
        if longest.is_none() {
            for scope in wish.scopes() {
                if let Some(room) = shard.rooms.get_mut(scope.id) {
                    room.take(wish.tokens, now);
                }
            }
        }
        let rooms = wish.scopes().filter_map(|scope| shard.rooms.get(scope.id));
        let info = rooms
            .map(|room| room.info(now))
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
    pub(super) fn take_tokens(&self, wish: &Wish<'_>) -> Result<LimitInfo, Refusal> {
        let now = self.clock.now();
        let mut shard = self.shard(wish.tenant);
        let waits = wish.scopes().filter_map(|scope| {
            let room = shard.rooms.get(scope.id)?;
            let limit = room.limits.tokens_per_minute?;
            let wait = room.tokens.wait(limit, wish.tokens, now);
            (wait > Duration::ZERO).then_some((scope.scope, wait))
        });
        let longest = waits.max_by_key(|(_, wait)| *wait);
        let mut info = LimitInfo::default();
        for scope in wish.scopes() {
            let Some(room) = shard.rooms.get_mut(scope.id) else {
                continue;
            };
            if let (None, Some(limit)) = (longest, room.limits.tokens_per_minute) {
                room.tokens.take(limit, wish.tokens, now);
            }
            info = info.tighter(room.info(now));
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
    pub(super) fn undo(&self, wish: &Wish<'_>) {
        self.finish(wish, Some(0));
        let now = self.clock.now();
        let mut shard = self.shard(wish.tenant);
        for scope in wish.scopes() {
            if let Some(room) = shard.rooms.get_mut(scope.id)
                && let Some(limit) = room.limits.requests_per_minute
            {
                room.requests.give_back(limit.into(), 1, now);
            }
        }
    }

    /// Frees the slots, and corrects the tokens when the true number is known.
    pub(super) fn finish(&self, wish: &Wish<'_>, actual_tokens: Option<u64>) {
        let now = self.clock.now();
        let mut shard = self.shard(wish.tenant);
        for scope in wish.scopes() {
            let Some(room) = shard.rooms.get_mut(scope.id) else {
                continue;
            };
            room.running = room.running.saturating_sub(1);
            let Some((actual, limit)) = actual_tokens.zip(room.limits.tokens_per_minute) else {
                continue;
            };
            match actual.checked_sub(wish.tokens) {
                Some(more) => room.tokens.take(limit, more, now),
                None => room.tokens.give_back(limit, wish.tokens - actual, now),
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
    pub(super) fn rooms(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| shard.lock().expect("no panic inside").rooms.len())
            .sum()
    }
}

impl Shard {
    /// A room of the scope with its present limits. When too many scopes are busy at once, those
    /// that come last are not counted: limits must not take the product down.
    fn make_room(&mut self, scope: &ScopeWish<'_>, now: Moment) {
        if let Some(room) = self.rooms.get_mut(scope.id) {
            room.limits = scope.limits;
            return;
        }
        if self.rooms.len() >= self.sweep_at {
            self.rooms.retain(|_, room| !room.is_idle(now));
            // Doubling makes the cost of sweeping a constant for each new room.
            self.sweep_at = (self.rooms.len() * 2).clamp(SWEEP_MIN, ROOMS_MAX);
        }
        if self.rooms.len() < ROOMS_MAX {
            self.rooms.insert(
                scope.id.into(),
                Room {
                    limits: scope.limits,
                    ..Room::default()
                },
            );
        }
    }
}

impl Room {
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
