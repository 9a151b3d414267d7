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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(ms: i64) -> Moment {
        Moment::from_unix_ms(ms)
    }

    #[test]
    fn a_whole_minute_fits_at_once_and_then_one_at_a_time() {
        let mut meter = RateMeter::default();
        for _ in 0..60 {
            assert_eq!(meter.wait(60, 1, at(5)), Duration::ZERO);
            meter.take(60, 1, at(5));
        }
        assert_eq!(meter.wait(60, 1, at(5)), Duration::from_secs(1));
        assert_eq!(
            meter.left(60, at(5)),
            Left {
                limit: 60,
                remaining: 0,
                reset: Duration::from_secs(60)
            }
        );
        assert_eq!(meter.wait(60, 1, at(1_005)), Duration::ZERO);
        assert_eq!(meter.left(60, at(30_005)).remaining, 30);
    }

    #[test]
    fn a_call_larger_than_the_limit_waits_for_an_empty_meter_and_is_paid_off() {
        let mut meter = RateMeter::default();
        assert_eq!(meter.wait(100, 250, at(0)), Duration::ZERO);
        meter.take(100, 250, at(0));
        assert_eq!(meter.wait(100, 250, at(0)), Duration::from_secs(150));
        assert_eq!(meter.wait(100, 1, at(90_000)), Duration::from_millis(600));
        assert_eq!(meter.left(100, at(0)).remaining, 0);
    }

    #[test]
    fn a_limit_of_nothing_admits_nothing_and_a_huge_one_everything() {
        let mut meter = RateMeter::default();
        assert_eq!(meter.wait(0, 1, at(0)), NEVER);
        assert_eq!(meter.wait(0, 0, at(0)), NEVER);
        meter.take(u64::MAX, u64::MAX, at(0));
        assert_eq!(meter.left(u64::MAX, at(60_000)).remaining, LIMIT_MAX);
    }

    #[test]
    fn a_clock_set_back_does_not_lock_anybody_out() {
        let mut meter = RateMeter::default();
        meter.take(60, 60, at(10_000_000));
        meter.take(60, 0, at(1_000));
        assert_eq!(meter.wait(60, 1, at(1_000)), Duration::from_secs(1));
    }

    proptest! {
        #[test]
        fn no_minute_admits_more_than_the_limit_and_its_burst(
            limit in 1_u64..50,
            arrivals in proptest::collection::vec((0_i64..4_000, 1_u64..4), 1..300),
        ) {
            let mut meter = RateMeter::default();
            let mut now = 0;
            let mut admitted: Vec<(i64, u64)> = Vec::new();
            for (gap, cost) in arrivals {
                now += gap;
                let cost = cost.min(limit);
                let wait = meter.wait(limit, cost, at(now));
                if wait == Duration::ZERO {
                    meter.take(limit, cost, at(now));
                    admitted.push((now, cost));
                } else {
                    let later = now + i64::try_from(wait.as_millis()).expect("short");
                    prop_assert_eq!(meter.wait(limit, cost, at(later)), Duration::ZERO);
                    prop_assert!(meter.wait(limit, cost, at(later - 1)) > Duration::ZERO);
                }
            }
            for (start, _) in &admitted {
                for minutes in 1..4 {
                    let end = start + minutes * 60_000;
                    let sum: u64 = admitted.iter().filter(|(t, _)| start <= t && *t < end).map(|(_, c)| c).sum();
                    prop_assert!(sum <= limit * (u64::try_from(minutes).expect("small") + 1));
                }
            }
        }

        #[test]
        fn what_is_given_back_was_never_taken(limit in 1_u64..1_000, estimate in 0_u64..2_000, actual in 0_u64..2_000) {
            let (mut corrected, mut known) = (RateMeter::default(), RateMeter::default());
            corrected.take(limit, estimate, at(0));
            known.take(limit, actual, at(0));
            if estimate > actual {
                corrected.give_back(limit, estimate - actual, at(0));
            } else {
                corrected.take(limit, actual - estimate, at(0));
            }
            prop_assert_eq!(corrected.left(limit, at(0)), known.left(limit, at(0)));
        }
    }
}
