//! The arithmetic of a rate: GCRA, written as a level that rises with what is taken and drains at
//! the limit's pace. Pure: knows no clock, no key and no lock; the Lua script says the same.
//!
//! Burst rule: a meter holds one minute's allowance, so a caller that was idle for a minute may use
//! it all at once. Any minute admits at most the allowance and what drains meanwhile, twice the
//! limit, and n minutes together admit at most n + 1 times the limit. Nothing is refused earlier.

use std::time::Duration;

use shared::clock::Moment;

use super::Left;

/// Levels are in sixty-thousandths of a unit: then `limit` per minute drains exactly `limit` of them
/// a millisecond, without a fraction. Public to the Lua script's tests.
pub(super) const LEVELS_PER_UNIT: u64 = 60_000;
/// A limit above this is as good as none, and its level still fits a Lua number exactly.
pub(super) const LIMIT_MAX: u64 = 1_000_000_000;
/// No call is counted with more units than this.
pub(super) const COST_MAX: u64 = LIMIT_MAX;
/// What a caller waits whose limit is nothing at all.
const NEVER: Duration = Duration::from_secs(60);

/// How full a rate is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RateMeter {
    level: u64,
    at: Moment,
}

impl RateMeter {
    /// How long until `cost` fits; nothing when it does. A cost above the whole limit fits when
    /// the meter is empty, and is then paid off over more than a minute.
    pub(super) fn wait(&self, limit: u64, cost: u64, now: Moment) -> Duration {
        if limit == 0 {
            return NEVER;
        }
        let limit = limit.min(LIMIT_MAX);
        let full = limit * LEVELS_PER_UNIT;
        let asked = cost.min(limit) * LEVELS_PER_UNIT;
        let over = self
            .level(limit, now)
            .saturating_add(asked)
            .saturating_sub(full);
        Duration::from_millis(over.div_ceil(limit))
    }

    /// Counts `cost`, whether it fits or not.
    pub(super) fn take(&mut self, limit: u64, cost: u64, now: Moment) {
        let added = cost.min(COST_MAX) * LEVELS_PER_UNIT;
        self.level = self.level(limit.min(LIMIT_MAX), now).saturating_add(added);
        self.at = now;
    }

    /// Takes back units that were counted too many.
    pub(super) fn give_back(&mut self, limit: u64, units: u64, now: Moment) {
        let removed = units.min(COST_MAX) * LEVELS_PER_UNIT;
        self.level = self
            .level(limit.min(LIMIT_MAX), now)
            .saturating_sub(removed);
        self.at = now;
    }

    /// Whole units that are left, and when all will be.
    pub(super) fn left(&self, limit: u64, now: Moment) -> Left {
        let shown = limit.min(LIMIT_MAX);
        let level = self.level(shown, now);
        let free = (shown * LEVELS_PER_UNIT).saturating_sub(level);
        let reset = if shown == 0 {
            NEVER
        } else {
            Duration::from_millis(level.div_ceil(shown))
        };
        Left {
            limit,
            remaining: free / LEVELS_PER_UNIT,
            reset,
        }
    }

    /// Whether nothing is left to remember.
    pub(super) fn is_empty(&self, limit: Option<u64>, now: Moment) -> bool {
        limit.is_none_or(|limit| self.level(limit.min(LIMIT_MAX), now) == 0)
    }

    /// A clock that was set back drains nothing and delays nothing beyond the step.
    fn level(&self, limit: u64, now: Moment) -> u64 {
        let elapsed_ms = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        self.level.saturating_sub(limit.saturating_mul(elapsed_ms))
    }
}

#[cfg(test)]
mod tests;
