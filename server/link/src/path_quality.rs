//! How bad the way to a node is, measured where it hurts: some streams come over two connections at
//! once, and how far the second copy of a byte is behind the first is what the way cost and not the
//! provider. Attaches nothing; `resumable_body` does.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// A copy that comes this much later waited for a retransmission: more than jitter and queues of two
/// connections over one path differ, less than a round trip of the border.
const LATE_AFTER: Duration = Duration::from_millis(60);
/// One stream of so many comes twice although nothing is known to be wrong.
const SAMPLED: u32 = 8;
/// One comparison moves the estimate by this part of the difference.
const WEIGHT: u32 = 1_024;
/// A share in millionths. At half a percent of lost packets the second copy pays
/// (docs/decisions/link-hedging); it is given up far below, or it would come and go.
const ONE: u32 = 1_000_000;
const BAD_PPM: u32 = 5_000;
const GOOD_PPM: u32 = 1_000;

/// The way to one node.
#[derive(Debug, Default)]
pub(super) struct PathQuality {
    late_ppm: AtomicU32,
    bad: AtomicBool,
    compared: AtomicBool,
    streams: AtomicU32,
}

impl PathQuality {
    /// Whether a new stream is to come over two connections from its beginning.
    pub(super) fn doubles_new(&self) -> bool {
        self.is_bad()
            || self
                .streams
                .fetch_add(1, Ordering::Relaxed)
                .is_multiple_of(SAMPLED)
    }

    /// Whether every stream is to come twice.
    pub(super) fn is_bad(&self) -> bool {
        self.bad.load(Ordering::Relaxed)
    }

    /// So many copies in a million are late; `None` before any was compared.
    pub(super) fn late_ppm(&self) -> Option<u32> {
        let compared = self.compared.load(Ordering::Relaxed);
        compared.then(|| self.late_ppm.load(Ordering::Relaxed))
    }

    /// The second copy of some bytes came `behind` the first.
    pub(super) fn compared(&self, behind: Duration) {
        self.compared.store(true, Ordering::Relaxed);
        // Two at once may lose one of their steps, which an estimate can bear.
        let old = self.late_ppm.load(Ordering::Relaxed);
        let step = if behind >= LATE_AFTER {
            ONE / WEIGHT
        } else {
            0
        };
        // Rounded up, or it would never come down to nothing.
        let new = (old - old.div_ceil(WEIGHT) + step).min(ONE);
        self.late_ppm.store(new, Ordering::Relaxed);
        if new >= BAD_PPM {
            self.bad.store(true, Ordering::Relaxed);
        } else if new < GOOD_PPM && self.is_bad() {
            self.bad.store(false, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_late_copies_turn_the_weather_and_many_good_ones_turn_it_back() {
        let quality = PathQuality::default();
        for _ in 0..10_000 {
            quality.compared(Duration::from_millis(20));
        }
        quality.compared(Duration::from_millis(200));
        assert!(!quality.is_bad(), "one is chance");
        for _ in 0..10 {
            quality.compared(Duration::from_millis(200));
        }
        assert!(quality.is_bad());
        for _ in 0..1_000 {
            quality.compared(Duration::ZERO);
        }
        assert!(quality.is_bad(), "no hurry");
        for _ in 0..10_000 {
            quality.compared(Duration::ZERO);
        }
        assert!(!quality.is_bad());
        assert_eq!(quality.late_ppm.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_way_on_which_everything_is_late_is_no_overflow() {
        let quality = PathQuality::default();
        for _ in 0..100_000 {
            quality.compared(Duration::MAX);
        }
        assert!(quality.late_ppm.load(Ordering::Relaxed) <= ONE);
    }

    #[test]
    fn in_good_weather_one_stream_of_eight_comes_twice_and_the_first_is_one() {
        let quality = PathQuality::default();
        let doubled: Vec<_> = (0..16).map(|_| quality.doubles_new()).collect();
        let places: Vec<_> = (0..16).filter(|at| doubled[*at]).collect();
        assert_eq!(places, [0, 8]);
    }
}
