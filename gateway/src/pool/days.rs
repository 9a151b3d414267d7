//! What was used of a key's day, in UTC: what the database knows of it, and what this process used since.
//! Pure; `admin` writes and reads.

use std::sync::Arc;

use shared::clock::Moment;
use shared::link::KeyTerms;

use super::{PoolKey, Pools};

const DAY_SECONDS: i64 = 86_400;
/// More tokens than a call has; so that what is taken for one can be given back exactly.
const CALL_TOKENS_MAX: i64 = 1 << 40;

/// Calls and tokens of a day; of a change they may be below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct DayCount {
    /// Days since 1970 in UTC.
    pub(crate) day: i64,
    pub(crate) requests: i64,
    pub(crate) tokens: i64,
}

impl DayCount {
    /// Whether there is nothing to write.
    pub(crate) fn is_nothing(self) -> bool {
        self.requests == 0 && self.tokens == 0
    }
}

/// The day of a moment.
pub(crate) fn day_of(now: Moment) -> i64 {
    now.unix_seconds().div_euclid(DAY_SECONDS)
}

/// A day of one key.
#[derive(Debug, Default)]
pub(super) struct Day {
    /// Days since 1970 in UTC.
    number: i64,
    /// What the database has, of this process and of others.
    known: DayCount,
    /// What this process used besides.
    own: DayCount,
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).map_or(CALL_TOKENS_MAX, |count| count.min(CALL_TOKENS_MAX))
}

impl Day {
    /// Goes on to the day of `now`. A clock that was set back waits for itself.
    pub(super) fn pass(&mut self, now: Moment) {
        let day = day_of(now);
        if day > self.number {
            *self = Self {
                number: day,
                ..Self::default()
            };
        }
    }

    /// Until when a call of `tokens` has to wait; nothing when there is room. A call that is larger than
    /// a whole day's limit needs a day of its own.
    pub(super) fn wait(&self, terms: &KeyTerms, tokens: u64) -> Option<Moment> {
        let used = |known: i64, own: i64| u64::try_from(known.saturating_add(own)).unwrap_or(0);
        let is_over =
            |used: u64, need: u64, limit: u64| used.saturating_add(need.min(limit)) > limit;
        let requests = used(self.known.requests, self.own.requests);
        let spent = used(self.known.tokens, self.own.tokens);
        let is_full = (terms.requests_per_day)
            .is_some_and(|most| is_over(requests, 1, most.into()))
            || (terms.tokens_per_day).is_some_and(|most| is_over(spent, tokens, most));
        is_full.then(|| {
            let tomorrow = self.number.saturating_add(1).saturating_mul(DAY_SECONDS);
            Moment::from_unix_ms(tomorrow.saturating_mul(1_000))
        })
    }

    /// A call of `tokens` begins; answers on which day.
    pub(super) fn take(&mut self, tokens: u64) -> i64 {
        self.own.requests = self.own.requests.saturating_add(1);
        self.own.tokens = self.own.tokens.saturating_add(signed(tokens));
        self.number
    }

    /// A call that began on `day` used another number of tokens than was thought.
    pub(super) fn change_tokens(&mut self, day: i64, before: u64, after: u64) {
        if day == self.number {
            let change = signed(after).saturating_sub(signed(before));
            self.own.tokens = self.own.tokens.saturating_add(change);
        }
    }

    /// A call that began on `day` never reached its provider.
    pub(super) fn never_sent(&mut self, day: i64) {
        if day == self.number {
            self.own.requests = self.own.requests.saturating_sub(1);
        }
    }

    pub(super) fn unsaved(&self) -> DayCount {
        DayCount {
            day: self.number,
            ..self.own
        }
    }

    pub(super) fn saved(&mut self, written: DayCount, total: DayCount) {
        if written.day != self.number || total.day != self.number {
            return;
        }
        self.own.requests = self.own.requests.saturating_sub(written.requests);
        self.own.tokens = self.own.tokens.saturating_sub(written.tokens);
        self.known = total;
    }
}

impl PoolKey {
    /// Of its day `written` is in the database, which has `total` in all.
    pub(crate) fn day_saved(&self, written: DayCount, total: DayCount) {
        self.health.meters.saved(written, total);
    }
}

impl Pools {
    /// What every key with a limit of a day used of the day that `now` is in and is not in the database.
    pub(crate) fn unsaved_days(&self, now: Moment) -> Vec<(Arc<PoolKey>, DayCount)> {
        let all = self.all();
        let keys = all.values().flat_map(|provider| &provider.keys);
        let limited = keys.filter(|key| {
            key.terms.requests_per_day.is_some() || key.terms.tokens_per_day.is_some()
        });
        limited
            .map(|key| (key.clone(), key.health.meters.unsaved(now)))
            .collect()
    }

    /// Whether a call runs.
    pub(crate) fn is_busy(&self) -> bool {
        let all = self.all();
        let mut keys = all.values().flat_map(|provider| &provider.keys);
        keys.any(|key| key.health.in_flight() > 0)
    }
}
