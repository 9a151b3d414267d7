//! Percentiles of measured times. Decides nothing.

use std::time::Duration;

/// Percentiles of some times; all of them by nearest rank.
#[derive(Debug, Clone, Default)]
pub(super) struct Durations {
    sorted: Vec<Duration>,
}

impl Durations {
    pub(super) fn of(times: impl IntoIterator<Item = Duration>) -> Self {
        let mut sorted: Vec<_> = times.into_iter().collect();
        sorted.sort_unstable();
        Self { sorted }
    }

    /// In milliseconds; `None` when nothing was measured.
    pub(super) fn percentile_ms(&self, percent: usize) -> Option<f64> {
        let rank = (self.sorted.len() * percent).div_ceil(100).max(1);
        let time = self.sorted.get(rank - 1)?;
        Some(time.as_secs_f64() * 1e3)
    }

    pub(super) fn max_ms(&self) -> Option<f64> {
        self.percentile_ms(100)
    }

    pub(super) fn count(&self) -> usize {
        self.sorted.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_taken_by_nearest_rank() {
        let spread = Durations::of((1..=200).rev().map(Duration::from_millis));
        let shown = |percent| spread.percentile_ms(percent).unwrap().round();
        assert!((shown(50) - 100.0).abs() < 0.5);
        assert!((shown(99) - 198.0).abs() < 0.5);
        assert!((spread.max_ms().unwrap() - 200.0).abs() < 0.5);
        assert_eq!(spread.count(), 200);
        assert_eq!(Durations::default().percentile_ms(50), None);
        let one = Durations::of([Duration::from_millis(7)]);
        assert!((one.percentile_ms(1).unwrap() - 7.0).abs() < 0.5);
    }
}
