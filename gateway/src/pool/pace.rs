//! How fast a key answers and how often it fails, compared with the others of its pool. Without locks.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use shared::clock::Moment;

/// Models that are told apart; those that share a place blur each other.
const PLACES: usize = 8;
const PLACES_U64: u64 = 8;
/// What was seen so long ago counts half against what is seen now.
const TAU_MS: u64 = 10_000;
/// The part of a slower answer that counts at once. A whole one would let every tail of a good key
/// count as its state.
const PEAK_PART: u64 = 4;
/// The part of a fault that counts.
const FAIL_PART: u64 = 8;
/// One.
const WHOLE: u64 = 1_000;
/// Answers are compared as multiples of what is usual: so long for the head, for a thousand tokens
/// read, and for a token written. Only the proportions matter.
const HEAD_MS: u64 = 400;
const READ_MS: u64 = 50;
const WRITTEN_MS: u64 = 15;
/// More says nothing else.
const SLOWEST: u64 = 1_000_000;

/// A number and when it was written, in one word.
#[derive(Debug, Default)]
struct Dated(AtomicU64);

impl Dated {
    fn get(&self) -> (u64, u64) {
        let word = self.0.load(Ordering::Relaxed);
        (word >> 32, word & 0xffff_ffff)
    }

    fn set(&self, value: u64, at: u64) {
        self.0
            .store((value << 32) | (at & 0xffff_ffff), Ordering::Relaxed);
    }
}

fn stamp(now: Moment) -> u64 {
    u64::try_from(now.unix_ms()).unwrap_or(0) & 0xffff_ffff
}

/// Between two stamps, which come around after 49 days.
fn between(then: u64, now: u64) -> u64 {
    now.wrapping_sub(then) & 0xffff_ffff
}

/// What is known of one key.
#[derive(Debug, Default)]
pub(super) struct KeyPace {
    /// In thousandths of what is usual; zero where nothing is known.
    slowness: [Dated; PLACES],
    /// The part of the calls that fail, in thousandths.
    failing: Dated,
    /// Whose the last fault was: one caller's faults count once.
    failed_last: AtomicU64,
    used_at: AtomicI64,
}

/// What an answer took, and what makes answers long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Took {
    pub(crate) span: Duration,
    pub(crate) input: u64,
    /// Written before it was over; nothing where that is the first byte.
    pub(crate) output: u64,
}

fn slot(slots: &[Dated; PLACES], model: u64) -> &Dated {
    &slots[usize::try_from(model % PLACES_U64).unwrap_or(0)]
}

impl KeyPace {
    /// A call goes there.
    pub(super) fn used(&self, now: Moment) {
        self.used_at.store(now.unix_ms(), Ordering::Relaxed);
    }

    pub(super) fn used_at(&self) -> i64 {
        self.used_at.load(Ordering::Relaxed)
    }

    /// A call of `model` was answered.
    pub(super) fn answered(&self, model: u64, took: Took, now: Moment) {
        let usual = HEAD_MS
            .saturating_add(took.input.saturating_mul(READ_MS) / 1_000)
            .saturating_add(took.output.saturating_mul(WRITTEN_MS));
        let ms = u64::try_from(took.span.as_millis()).unwrap_or(u64::MAX);
        let seen = (ms.saturating_mul(WHOLE) / usual).clamp(1, SLOWEST);
        let slot = slot(&self.slowness, model);
        let (known, at) = slot.get();
        let age = between(at, stamp(now));
        let value = if known == 0 {
            seen
        } else {
            let faded = (known * TAU_MS + seen * age) / (TAU_MS + age);
            let peak = known + seen.saturating_sub(known) / PEAK_PART;
            faded.max(peak.min(seen))
        };
        slot.set(value.max(1), stamp(now));
        self.mark(0, now);
    }

    /// A call failed that its provider should have answered.
    pub(super) fn failed(&self, caller: u64, now: Moment) {
        let is_same = self.failed_last.swap(caller, Ordering::Relaxed) == caller;
        if !is_same || self.failing(now) == 0 {
            self.mark(WHOLE, now);
        }
    }

    fn mark(&self, seen: u64, now: Moment) {
        let before = self.failing(now);
        if before == 0 && seen == 0 {
            return;
        }
        let value = (before * (FAIL_PART - 1) + seen) / FAIL_PART;
        self.failing.set(value, stamp(now));
    }

    fn failing(&self, now: Moment) -> u64 {
        let (value, at) = self.failing.get();
        if value == 0 {
            return 0;
        }
        let age = between(at, stamp(now));
        // Half after ten seconds, a quarter after twenty.
        value >> (age / TAU_MS).min(32)
    }

    /// How much slower than usual calls of `model` are served, faults included: a key that fails always
    /// is as good as one of eleven times the latency. Nothing where nothing is known.
    pub(super) fn slowness(&self, model: u64, now: Moment) -> Option<u64> {
        let (known, _) = slot(&self.slowness, model).get();
        let failing = self.failing(now);
        match (known, failing) {
            (0, 0) => None,
            (0, failing) => Some(WHOLE + 10 * failing),
            (known, failing) => Some(known.saturating_mul(WHOLE + 10 * failing) / WHOLE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn took(ms: u64) -> Took {
        Took {
            span: Duration::from_millis(ms),
            input: 0,
            output: 0,
        }
    }

    #[test]
    fn a_tail_is_no_state_and_a_state_is_seen_soon() {
        let (pace, start) = (KeyPace::default(), Moment::from_unix_ms(1_000_000));
        let at = |seconds| start.after(Duration::from_secs(seconds));
        assert_eq!(pace.slowness(3, start), None);
        pace.answered(3, took(400), start);
        assert_eq!(pace.slowness(3, start), Some(1_000));
        pace.answered(3, took(2_000), at(1));
        assert_eq!(pace.slowness(3, at(1)), Some(2_000));
        for _ in 0..8 {
            pace.answered(3, took(4_000), at(2));
        }
        assert!(pace.slowness(3, at(2)) > Some(8_000));
        assert_eq!(pace.slowness(4, at(2)), None, "another model");
        // Looked at again much later, the new word counts.
        pace.answered(3, took(400), at(200));
        assert!(pace.slowness(3, at(200)) < Some(1_500));
    }

    #[test]
    fn what_reads_and_writes_more_is_not_slower_for_it() {
        let (short, long, now) = (
            KeyPace::default(),
            KeyPace::default(),
            Moment::from_unix_ms(1_000),
        );
        short.answered(0, took(400), now);
        let span = Duration::from_millis(400 + 100 * 50 + 1_000 * 15);
        let took = Took {
            span,
            input: 100_000,
            output: 1_000,
        };
        long.answered(0, took, now);
        assert_eq!(short.slowness(0, now), long.slowness(0, now));
    }

    #[test]
    fn faults_of_several_callers_count_and_fade() {
        let (pace, now) = (KeyPace::default(), Moment::from_unix_ms(1_000_000));
        for _ in 0..50 {
            pace.failed(7, now);
        }
        assert_eq!(
            pace.slowness(0, now),
            Some(2_250),
            "one caller's count once"
        );
        for caller in 0..50 {
            pace.failed(caller, now);
        }
        assert!(pace.slowness(0, now) > Some(10_000));
        let later = now.after(Duration::from_secs(100));
        assert!(pace.slowness(0, later) < Some(1_100));
    }
}
