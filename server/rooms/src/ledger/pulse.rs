//! How long the writer's commits took, minute by minute for an hour; kept in memory, for people who
//! look after the platform. Decides nothing.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shared::clock::Moment;

const MINUTE_MS: i64 = 60_000;
/// An hour.
const MINUTES_MAX: usize = 60;
/// Commits of a minute that are told apart: 17 a second are enough for percentiles.
const COMMITS_MAX: usize = 1_000;

/// The commits of a minute, by how long they took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commits {
    /// When the minute began.
    pub at: Moment,
    /// Half of them took less.
    pub p50: Duration,
    /// 95 in a hundred took less.
    pub p95: Duration,
    /// 99 in a hundred took less.
    pub p99: Duration,
}

#[derive(Debug, Default)]
struct Kept {
    all: AtomicU64,
    minutes: Mutex<VecDeque<(i64, Vec<Duration>)>>,
}

/// The commits of a process; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Pulse(Arc<Kept>);

/// What `per_mille` of a sorted row lie below.
fn percentile(sorted: &[Duration], per_mille: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    let place = last.saturating_mul(per_mille).div_ceil(1_000);
    sorted.get(place).copied().unwrap_or_default()
}

impl Pulse {
    /// A commit took so long.
    pub(super) fn committed(&self, at: Moment, took: Duration) {
        self.0.all.fetch_add(1, Ordering::Relaxed);
        let minute = at.unix_ms().div_euclid(MINUTE_MS);
        let kept = self.0.minutes.lock();
        let mut minutes = kept.unwrap_or_else(PoisonError::into_inner);
        if minutes.back().is_none_or(|(last, _)| *last != minute) {
            minutes.push_back((minute, Vec::new()));
            if minutes.len() > MINUTES_MAX {
                minutes.pop_front();
            }
        }
        if let Some((_, commits)) = minutes.back_mut()
            && commits.len() < COMMITS_MAX
        {
            commits.push(took);
        }
    }

    /// How many there were.
    pub(super) fn all(&self) -> u64 {
        self.0.all.load(Ordering::Relaxed)
    }

    /// The minutes of the last hour that had any, in order.
    pub(super) fn minutes(&self, now: Moment) -> Vec<Commits> {
        let kept = self.0.minutes.lock();
        let minutes = kept.unwrap_or_else(PoisonError::into_inner).clone();
        let hour_ago = now.unix_ms().div_euclid(MINUTE_MS).saturating_sub(60);
        let young = minutes.into_iter().filter(|(minute, _)| *minute > hour_ago);
        young
            .map(|(minute, mut commits)| {
                commits.sort_unstable();
                Commits {
                    at: Moment::from_unix_ms(minute.saturating_mul(MINUTE_MS)),
                    p50: percentile(&commits, 500),
                    p95: percentile(&commits, 950),
                    p99: percentile(&commits, 990),
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_of_minutes_is_kept_with_percentiles() {
        let pulse = Pulse::default();
        let at = |minute: i64| Moment::from_unix_ms(minute * MINUTE_MS);
        assert!(pulse.minutes(at(0)).is_empty());
        for ms in 1..=100 {
            pulse.committed(at(7), Duration::from_millis(ms));
        }
        let found = pulse.minutes(at(8));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].at, at(7));
        let ms = |took: Duration| took.as_millis();
        assert_eq!((ms(found[0].p50), ms(found[0].p95)), (51, 96));
        for minute in 8..200 {
            pulse.committed(at(minute), Duration::from_millis(1));
        }
        assert_eq!(pulse.minutes(at(199)).len(), 60);
        assert!(pulse.minutes(at(300)).is_empty(), "too long ago");
        assert_eq!(pulse.all(), 292);
    }
}
