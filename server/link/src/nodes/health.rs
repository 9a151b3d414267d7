//! How a node does: left out after failures, and let back in little by little.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use shared::clock::{Clock, Moment};

/// Failures in a row after which a node is left out.
pub(super) const FAILURES_MAX: u32 = 3;

/// For how long at first, and at most; it doubles from failure to failure.
pub(super) const REST_MIN: Duration = Duration::from_secs(1);

const REST_MAX: Duration = Duration::from_secs(30);

/// Within this its share of the calls grows back to the whole.
pub(super) const RAMP: Duration = Duration::from_secs(10);

/// How a node did lately.
#[derive(Debug, Default)]
pub(in super::super) struct Health {
    failures: AtomicU32,
    /// Left out until then, in unix milliseconds; zero while it is well.
    rests_until: AtomicI64,
}

impl Health {
    /// A call did not get through; after a few the node rests.
    pub(in super::super) fn failed(&self, clock: &Clock) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(more) = failures.checked_sub(FAILURES_MAX) {
            let rest = REST_MIN.saturating_mul(1 << more.min(8)).min(REST_MAX);
            self.rest(clock, rest);
        }
    }

    /// The node says itself that it takes no calls now.
    pub(in super::super) fn closed(&self, clock: &Clock) {
        self.rest(clock, REST_MIN);
    }

    fn rest(&self, clock: &Clock, rest: Duration) {
        let until = clock.now().after(rest).unix_ms();
        self.rests_until.store(until, Ordering::Relaxed);
    }

    pub(in super::super) fn succeeded(&self) {
        // A plain read first: the line stays shared between cores while all is well.
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    /// Whether it is left out now.
    pub(super) fn rests(&self, now: Moment) -> bool {
        now.unix_ms() < self.rests_until.load(Ordering::Relaxed)
    }

    /// Whether a call of this hash may go there first.
    pub(super) fn admits(&self, hash: u64, now: Moment) -> bool {
        let until = self.rests_until.load(Ordering::Relaxed);
        if until == 0 {
            return true;
        }
        let back = now.unix_ms().saturating_sub(until);
        let ramp = i64::try_from(RAMP.as_millis()).unwrap_or(i64::MAX);
        if back >= ramp {
            self.rests_until.store(0, Ordering::Relaxed);
            return true;
        }
        // Of a thousand calls as many as thousandths of the ramp are over.
        back > 0 && i64::try_from(hash % 1_000).unwrap_or(0) < back * 1_000 / ramp
    }
}
