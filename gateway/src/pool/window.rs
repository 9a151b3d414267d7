//! How much was used in the last minute, second by second. Pure.

/// Seconds that count: the sixty of a minute and the one that has begun, so that no sixty seconds,
/// wherever they begin, hold more than was allowed.
const SECONDS: usize = 61;
const SECONDS_I64: i64 = 61;

/// The use of a minute.
#[derive(Debug)]
pub(super) struct Minute {
    /// By second; the place of a second is its number modulo [`SECONDS`].
    slots: [u32; SECONDS],
    /// The latest second that was seen.
    second: i64,
    total: u64,
}

impl Default for Minute {
    fn default() -> Self {
        Self {
            slots: [0; SECONDS],
            second: 0,
            total: 0,
        }
    }
}

fn place(second: i64) -> usize {
    usize::try_from(second.rem_euclid(SECONDS_I64)).unwrap_or(0)
}

impl Minute {
    /// Goes on to `second` and forgets what is over. A clock that was set back waits for itself.
    fn pass(&mut self, second: i64) {
        let passed = second.saturating_sub(self.second);
        if passed >= SECONDS_I64 {
            (self.slots, self.total) = ([0; SECONDS], 0);
        } else {
            for over in 1..=passed {
                let slot = &mut self.slots[place(self.second.saturating_add(over))];
                self.total = self.total.saturating_sub(u64::from(*slot));
                *slot = 0;
            }
        }
        self.second = self.second.max(second);
    }

    /// In how many seconds there is room for `need` within `limit`; nothing when there is now. What is
    /// larger than the limit needs a minute of its own.
    pub(super) fn wait(&mut self, second: i64, need: u64, limit: u64) -> Option<i64> {
        self.pass(second);
        let need = need.min(limit);
        let surplus = self.total.saturating_add(need).checked_sub(limit)?;
        if surplus == 0 {
            return None;
        }
        let mut freed = 0_u64;
        // From the oldest second on.
        for after in 1..=SECONDS_I64 {
            freed = freed.saturating_add(u64::from(self.slots[place(self.second + after)]));
            if freed >= surplus {
                return Some(after.saturating_add(self.second - second));
            }
        }
        Some(SECONDS_I64)
    }

    /// Uses `count` in `second`; answers under which second it is kept.
    pub(super) fn add(&mut self, second: i64, count: u64) -> i64 {
        self.pass(second);
        self.change(self.second, 0, count);
        self.second
    }

    /// What was kept under `second` was more or less than thought, where it still counts.
    pub(super) fn change(&mut self, second: i64, before: u64, after: u64) {
        if self.second.saturating_sub(second) >= SECONDS_I64 || second > self.second {
            return;
        }
        let slot = &mut self.slots[place(second)];
        let count = u64::from(*slot)
            .saturating_add(after)
            .saturating_sub(before);
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.total = self.total.saturating_sub(u64::from(*slot)) + u64::from(count);
        *slot = count;
    }

    /// What counts in `second`.
    #[cfg(test)]
    pub(super) fn total(&mut self, second: i64) -> u64 {
        self.pass(second);
        self.total
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_sixty_seconds_hold_more_than_the_limit(
            limit in 1_u64..200,
            steps in prop::collection::vec((0_u64..9_000, 1_u64..40), 1..300),
        ) {
            let mut minute = Minute::default();
            let (mut now_ms, mut used): (i64, Vec<(i64, u64)>) = (1_000_000, Vec::new());
            for (passes, need) in steps {
                now_ms += i64::try_from(passes).expect("small");
                let need = need.min(limit);
                if let Some(wait) = minute.wait(now_ms / 1_000, need, limit) {
                    prop_assert!((1..=61).contains(&wait), "{wait}");
                    prop_assert_eq!(minute.wait(now_ms / 1_000 + wait, need, limit), None);
                    now_ms += wait * 1_000;
                }
                minute.add(now_ms / 1_000, need);
                used.push((now_ms, need));
                let since = now_ms - 60_000;
                let total: u64 = used.iter().filter(|(at, _)| *at > since).map(|(_, n)| n).sum();
                prop_assert!(total <= limit, "{total} of {limit}");
            }
            prop_assert_eq!(minute.total(now_ms / 1_000 + 61), 0);
        }
    }

    #[test]
    fn what_was_less_than_thought_is_given_back_while_it_counts() {
        let mut minute = Minute::default();
        let second = minute.add(1_000, 50);
        minute.change(second, 50, 20);
        assert_eq!(minute.total(1_030), 20);
        minute.change(second, 20, 70);
        assert_eq!(minute.total(1_060), 70);
        assert_eq!(minute.total(1_061), 0);
        minute.change(second, 70, 0);
        assert_eq!(minute.total(1_061), 0);
        assert_eq!(minute.wait(1_061, 900, 100), None, "alone in its minute");
    }
}
