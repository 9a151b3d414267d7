//! What is known of a provider as a whole: whether its host answers, and what it taught of its dialect.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use shared::clock::Moment;

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
    failures: AtomicU32,
    /// In unix milliseconds; zero while it answers.
    down_until: AtomicI64,
}

impl ProviderHealth {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_host_rests_and_is_tried_by_one_call_at_a_time() {
        let health = ProviderHealth::default();
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
}
