//! What is left of a limit that a provider told, from one answer to the next. Pure.

use std::time::Duration;

use shared::clock::Moment;

use crate::providers::limits::ToldLimit;

/// Where nothing is told of the time, a minute is meant.
const USUAL: Duration = Duration::from_secs(60);
/// Of a limit that nothing was heard of for so long after its reset nothing is known.
const FORGOTTEN: Duration = Duration::from_secs(60);
/// Levels are kept in thousandths, so that slow refills are not lost between two looks.
const PARTS: i128 = 1_000;

/// One limit of one key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    limit: Option<u64>,
    /// In thousandths; below zero when more was sent than is left.
    level: i128,
    /// When it was brought up to date.
    at: Moment,
    /// When it is full again.
    full_at: Moment,
    /// Thousandths that come back in a millisecond, in millionths; none where all comes at the reset.
    rate: Option<i128>,
}

impl Bucket {
    /// As `told` of an answer; `since` was sent that the provider had not counted then.
    pub(super) fn of(told: ToldLimit, since: u64, now: Moment) -> Self {
        let is_full = told.limit == Some(told.remaining);
        let reset = told.reset.filter(|reset| !reset.is_zero()).unwrap_or(USUAL);
        let span_ms = i128::try_from(reset.as_millis()).unwrap_or(1).max(1);
        let missing = match told.limit {
            Some(limit) if is_full => Some((limit, 60_000)),
            Some(limit) => Some((limit.saturating_sub(told.remaining), span_ms)),
            None => None,
        };
        let rate = missing.filter(|_| told.refills);
        let rate = rate.map(|(missing, span_ms)| {
            (i128::from(missing)
                .saturating_mul(PARTS)
                .saturating_mul(1_000_000))
                / span_ms
        });
        Self {
            limit: told.limit,
            level: (i128::from(told.remaining) - i128::from(since)) * PARTS,
            at: now,
            full_at: now.after(reset),
            rate,
        }
    }

    /// What it holds `now`; nothing when too much time has passed to know.
    fn pass(&mut self, now: Moment) -> Option<i128> {
        if now > self.full_at.after(FORGOTTEN) {
            return None;
        }
        match (self.rate, self.limit) {
            (Some(rate), Some(limit)) => {
                let ms = i128::try_from(now.since(self.at).as_millis()).unwrap_or(0);
                let level = self
                    .level
                    .saturating_add(ms.saturating_mul(rate) / 1_000_000);
                self.level = level.min(i128::from(limit) * PARTS);
            }
            (_, limit) if now >= self.full_at => {
                self.level = i128::from(limit?) * PARTS;
                // Until the next answer tells when it is full again.
                self.full_at = now.after(USUAL);
            }
            _ => {}
        }
        self.at = self.at.max(now);
        Some(self.level)
    }

    /// Until when `need` has to wait; nothing when there is enough.
    pub(super) fn wait(&mut self, now: Moment, need: u64) -> Option<Moment> {
        let level = self.pass(now)?;
        // What is larger than all of it waits for all of it.
        let need = self.limit.map_or(need, |limit| need.min(limit));
        let missing = i128::from(need) * PARTS - level;
        if missing <= 0 {
            return None;
        }
        match self.rate {
            Some(rate) if rate > 0 => {
                let ms = missing.saturating_mul(1_000_000).div_euclid(rate) + 1;
                let wait = Duration::from_millis(u64::try_from(ms).unwrap_or(u64::MAX));
                Some(now.after(wait.min(Duration::from_secs(3_600))))
            }
            _ => Some(self.full_at.max(now.after(Duration::from_millis(1)))),
        }
    }

    /// So much was sent.
    pub(super) fn spend(&mut self, now: Moment, count: u64) {
        self.pass(now);
        self.level = self.level.saturating_sub(i128::from(count) * PARTS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(limit: u64, remaining: u64, reset_ms: u64, refills: bool) -> ToldLimit {
        ToldLimit {
            limit: Some(limit),
            remaining,
            reset: Some(Duration::from_millis(reset_ms)),
            refills,
        }
    }

    #[test]
    fn what_refills_comes_back_little_by_little() {
        let now = Moment::from_unix_ms(1_000_000);
        let after = |ms| now.after(Duration::from_millis(ms));
        let mut bucket = Bucket::of(told(60, 2, 58_000, true), 1, now);
        assert_eq!(bucket.wait(now, 1), None);
        bucket.spend(now, 1);
        assert_eq!(bucket.wait(now, 1), Some(after(1_001)));
        assert_eq!(bucket.wait(after(1_001), 1), None);
        assert_eq!(bucket.wait(after(100_000), 60), None);
        bucket.spend(after(100_000), 60);
        assert!(
            bucket.wait(after(100_000), 1).is_some(),
            "it is never more than full"
        );
        assert_eq!(bucket.wait(after(1_000_000), 60), None, "forgotten");
    }

    #[test]
    fn what_is_reset_comes_back_at_once() {
        let now = Moment::from_unix_ms(1_000_000);
        let after = |ms| now.after(Duration::from_millis(ms));
        let mut bucket = Bucket::of(told(10, 0, 5_000, false), 0, now);
        assert_eq!(bucket.wait(after(4_999), 1), Some(after(5_000)));
        assert_eq!(bucket.wait(after(5_000), 10), None);
        bucket.spend(after(5_000), 10);
        assert!(
            bucket.wait(after(5_001), 1).is_some(),
            "until an answer tells more"
        );
    }

    #[test]
    fn a_full_one_without_a_reset_is_a_minute_s() {
        let now = Moment::from_unix_ms(1_000_000);
        let mut bucket = Bucket::of(told(60, 60, 0, true), 0, now);
        bucket.spend(now, 60);
        assert_eq!(
            bucket.wait(now, 1),
            Some(now.after(Duration::from_millis(1_001)))
        );
    }
}
