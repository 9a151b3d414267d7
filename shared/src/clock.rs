//! Time as an argument: the wall clock in production, a hand-moved one in tests.
//! The only place that asks the operating system what time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01 UTC; the only form of a moment in the databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(i64);

impl Moment {
    /// From unix milliseconds.
    pub const fn from_unix_ms(unix_ms: i64) -> Self {
        Self(unix_ms)
    }

    /// As unix milliseconds.
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// As whole unix seconds, rounded down.
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Later by `span`, at most the end of time.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// Earlier by `span`.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// How long after `earlier` this is; nothing if it is not after.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// Tells the time; cheap to clone.
#[derive(Debug, Clone)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The operating system's clock.
    pub const fn system() -> Self {
        Self(None)
    }

    /// A clock for tests that stands still until moved; clones move together.
    pub fn fixed(start: Moment) -> Self {
        Self(Some(Arc::new(AtomicI64::new(start.unix_ms()))))
    }

    /// Now.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one caller that everybody else goes through"
    )]
    pub fn now(&self) -> Moment {
        if let Some(fixed) = &self.0 {
            return Moment(fixed.load(Ordering::SeqCst));
        }
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Moment(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    /// Moves a fixed clock forward; the system's clock is left alone.
    pub fn advance(&self, span: Duration) {
        if let Some(fixed) = &self.0 {
            fixed.store(self.now().after(span).unix_ms(), Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_when_told_and_with_its_clones() {
        let clock = Clock::fixed(Moment::from_unix_ms(1_000));
        let other = clock.clone();
        clock.advance(Duration::from_secs(2));
        assert_eq!(other.now(), Moment::from_unix_ms(3_000));
        assert_eq!(
            other.now().since(Moment::from_unix_ms(500)),
            Duration::from_millis(2_500)
        );
        assert_eq!(Moment::from_unix_ms(0).since(other.now()), Duration::ZERO);
    }
}
