//! What is known of a provider as a whole: whether its host answers, what it taught of its dialect, how
//! its calls end and how long its answers are.

use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use shared::clock::Moment;

use super::budget::RetryBudget;
use super::circuit::Circuits;
use super::queue::WaitQueue;
use crate::providers::learned::Learned;

/// Connections that fail in a row before the host rests.
const FAILURES_MAX: u32 = 2;
/// It rests for one second, two, four …, at most this.
const REST_MAX: Duration = Duration::from_secs(10);
/// The one call that tries it meanwhile has this long; others wait for what it brings.
const TRIAL: Duration = Duration::from_secs(6);

/// Survives a reload of the list, as long as the address is the same.
#[derive(Debug, Default)]
pub(crate) struct ProviderHealth {
    pub(crate) learned: Learned,
    pub(super) host: HostHealth,
    pub(super) circuits: Circuits,
    pub(super) budget: RetryBudget,
    pub(super) lengths: Lengths,
    pub(super) running: AtomicU32,
    /// Calls that were given a key, ever.
    pub(super) leased: AtomicU64,
    pub(super) queue: WaitQueue,
}

impl ProviderHealth {
    /// Calls that run now.
    pub(crate) fn running(&self) -> u32 {
        self.running.load(Ordering::Relaxed)
    }
}

/// Whether a host answers: a provider's, or that of a key with an address of its own.
#[derive(Debug, Default)]
pub(crate) struct HostHealth {
    failures: AtomicU32,
    /// In unix milliseconds; zero while it answers.
    down_until: AtomicI64,
}

impl HostHealth {
    /// Whether nothing can be sent there now. When the rest is over it may be tried.
    pub(super) fn is_down(&self, now: Moment) -> bool {
        self.down_until.load(Ordering::Acquire) > now.unix_ms()
    }

    /// Whether a call may go there now. When the rest is over one call at a time tries.
    pub(super) fn may_try(&self, now: Moment) -> bool {
        let until = self.down_until.load(Ordering::Acquire);
        if until == 0 {
            return true;
        }
        let next = now.after(TRIAL).unix_ms();
        let swapped =
            || (self.down_until).compare_exchange(until, next, Ordering::AcqRel, Ordering::Acquire);
        until <= now.unix_ms() && swapped().is_ok()
    }

    /// It answered something.
    pub(super) fn answered(&self) {
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
            self.down_until.store(0, Ordering::Release);
        }
    }

    /// No connection: that is the host's fault, whoever called.
    pub(super) fn unreachable(&self, now: Moment) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if failures >= FAILURES_MAX {
            let rest = Duration::from_secs(1 << (failures - FAILURES_MAX).min(5)).min(REST_MAX);
            let until = now.after(rest).unix_ms();
            self.down_until.store(until, Ordering::Release);
        }
    }
}

/// Models whose answers are told apart; those that share a place blur each other.
const PLACES: usize = 64;
const PLACES_U64: u64 = 64;
/// Tokens of an answer of which nothing is known.
const LENGTH_USUAL: u64 = 512;
/// An answer that is longer than thought moves the thought by this part of it, nine times as far as one
/// that is shorter: where nine of ten are shorter, it stands still.
const STEP_UP: u64 = 16;
const STEP_DOWN: u64 = 144;
/// Kept in parts of a token.
const FINE: u64 = 256;
const LENGTH_MAX: u64 = 1 << 32;

/// How many tokens nine of ten answers of a model have at most.
#[derive(Debug)]
pub(super) struct Lengths([AtomicU64; PLACES]);

impl Default for Lengths {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(LENGTH_USUAL * FINE)))
    }
}

impl Lengths {
    fn of(&self, model: u64) -> &AtomicU64 {
        &self.0[usize::try_from(model % PLACES_U64).unwrap_or(0)]
    }

    /// What an answer of `model` will probably not exceed.
    pub(super) fn likely(&self, model: u64) -> u64 {
        (self.of(model).load(Ordering::Relaxed) / FINE).max(1)
    }

    /// An answer had so many.
    pub(super) fn seen(&self, model: u64, tokens: u64) {
        let place = self.of(model);
        let known = place.load(Ordering::Relaxed);
        let seen = tokens.min(LENGTH_MAX).saturating_mul(FINE);
        let next = if seen > known {
            known + known / STEP_UP + FINE
        } else {
            known.saturating_sub(known / STEP_DOWN).max(FINE)
        };
        place.store(next.min(LENGTH_MAX * FINE), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_host_rests_and_is_tried_by_one_call_at_a_time() {
        let health = HostHealth::default();
        let start = Moment::from_unix_ms(1_000_000);
        health.unreachable(start);
        assert!(health.may_try(start), "once is chance");
        health.unreachable(start);
        assert!(!health.may_try(start));
        let later = start.after(Duration::from_secs(1));
        assert!(health.may_try(later), "the first one tries");
        assert!(!health.may_try(later), "the others wait for it");
        assert!(
            health.may_try(later.after(TRIAL)),
            "one that never told is not waited for"
        );
        for _ in 0..50 {
            health.unreachable(later);
        }
        assert!(
            health.may_try(later.after(REST_MAX)),
            "it never rests longer"
        );
        health.answered();
        assert!(health.may_try(later) && health.may_try(later));
    }

    #[test]
    fn the_length_of_nine_of_ten_answers_is_learned() {
        let lengths = Lengths::default();
        assert_eq!(lengths.likely(9), LENGTH_USUAL);
        // One of twenty is long, the others are spread up to a hundred.
        for n in 0_u64..4_000 {
            let tokens = if n % 20 == 0 { 5_000 } else { (n * 37) % 100 };
            lengths.seen(9, tokens);
        }
        let likely = lengths.likely(9);
        assert!((60..140).contains(&likely), "{likely}");
        assert_eq!(lengths.likely(10), LENGTH_USUAL);
    }
}
