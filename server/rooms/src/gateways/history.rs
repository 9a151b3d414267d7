//! How each gateway did in the last day, as this process saw it: asked every minute, kept in memory
//! and gone with the process. Asks nobody itself; `follow` does.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use shared::clock::Moment;
use shared::link::{GatewayView, LinkCounts};

/// Between two looks.
pub(super) const LOOK_MS: i64 = 60_000;
/// A day of looks.
const LOOKS_MAX: usize = 24 * 60;
/// A younger history is drawn by the minute.
const YOUNG_MS: i64 = 2 * 3_600_000;
/// An older one by the quarter of an hour: 96 points a day.
const QUARTER_MS: i64 = 15 * 60_000;

/// What one look saw of a gateway.
#[derive(Debug, Clone)]
struct Seen {
    url: String,
    round_trip_ms: Option<u64>,
    /// Since the look before.
    happened: LinkCounts,
}

#[derive(Debug, Default)]
struct Kept {
    looks: VecDeque<(Moment, Vec<Seen>)>,
    /// What each had counted at its last look.
    counted: HashMap<String, LinkCounts>,
}

/// The last day; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct HealthHistory(Arc<Mutex<Kept>>);

/// A bucket of a gateway's history.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HistoryBucket {
    /// Half of the round trips were shorter; `None` where none was answered.
    pub round_trip_ms: Option<u64>,
    /// What happened on the way.
    pub happened: LinkCounts,
}

/// A gateway's last day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GatewayDay {
    /// Half of the round trips were shorter.
    pub p50_ms: Option<u64>,
    /// 95 in a hundred round trips were shorter.
    pub p95_ms: Option<u64>,
    /// When it last answered.
    pub seen_at: Option<Moment>,
    /// What happened on the way.
    pub happened: LinkCounts,
    /// One for each of [`Days::starts`].
    pub buckets: Vec<HistoryBucket>,
}

/// The last day of all gateways.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Days {
    /// When each bucket begins.
    pub starts: Vec<Moment>,
    /// By address.
    pub gateways: HashMap<String, GatewayDay>,
}

/// Each count with its other.
fn each(one: LinkCounts, two: LinkCounts, with: fn(u64, u64) -> u64) -> LinkCounts {
    LinkCounts {
        resumed: with(one.resumed, two.resumed),
        joined: with(one.joined, two.joined),
        lost: with(one.lost, two.lost),
        passed_on: with(one.passed_on, two.passed_on),
        hedged: with(one.hedged, two.hedged),
        hedges_won: with(one.hedges_won, two.hedges_won),
        doubled: with(one.doubled, two.doubled),
        checked: with(one.checked, two.checked),
        bytes_lost: with(one.bytes_lost, two.bytes_lost),
    }
}

/// What came after `before`; one that was taken out and in again counts from nothing.
fn since(now: LinkCounts, before: LinkCounts) -> LinkCounts {
    each(now, before, |now, before| {
        now.checked_sub(before).unwrap_or(now)
    })
}

fn plus(one: LinkCounts, two: LinkCounts) -> LinkCounts {
    each(one, two, u64::saturating_add)
}

/// The round trip that `per_mille` of all lie below.
fn percentile(round_trips: &mut [u64], per_mille: usize) -> Option<u64> {
    round_trips.sort_unstable();
    let last = round_trips.len().checked_sub(1)?;
    let place = last.saturating_mul(per_mille).div_ceil(1_000);
    round_trips.get(place).copied()
}

impl HealthHistory {
    /// Keeps what a look saw.
    pub(super) fn add(&self, at: Moment, views: &[GatewayView]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = views.iter().map(|view| {
            let before = kept.counted.insert(view.url.clone(), view.counts);
            let answered = view.answered.as_ref().map(|(_, took)| took.as_millis());
            Seen {
                url: view.url.clone(),
                round_trip_ms: answered.map(|ms| u64::try_from(ms).unwrap_or(u64::MAX)),
                happened: since(view.counts, before.unwrap_or_default()),
            }
        });
        let seen = seen.collect();
        kept.looks.push_back((at, seen));
        while kept.looks.len() > LOOKS_MAX {
            kept.looks.pop_front();
        }
    }

    /// The last day in buckets of equal length.
    pub fn days(&self, now: Moment) -> Days {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((oldest, _)) = kept.looks.front() else {
            return Days::default();
        };
        let age = now.unix_ms().saturating_sub(oldest.unix_ms());
        let length = if age < YOUNG_MS { LOOK_MS } else { QUARTER_MS };
        let number = |at: Moment| at.unix_ms().div_euclid(length);
        let first = number(*oldest);
        let starts: Vec<Moment> = (first..=number(now))
            .map(|number| Moment::from_unix_ms(number.saturating_mul(length)))
            .collect();
        let mut days = Days {
            gateways: HashMap::new(),
            starts,
        };
        let mut round_trips: HashMap<&str, Vec<Vec<u64>>> = HashMap::new();
        for (at, seen) in &kept.looks {
            let place = number(*at).saturating_sub(first);
            let place = usize::try_from(place).unwrap_or(0);
            for seen in seen {
                let day = days.gateways.entry(seen.url.clone()).or_default();
                day.buckets
                    .resize(days.starts.len(), HistoryBucket::default());
                day.happened = plus(day.happened, seen.happened);
                if let Some(bucket) = day.buckets.get_mut(place) {
                    bucket.happened = plus(bucket.happened, seen.happened);
                }
                let Some(ms) = seen.round_trip_ms else {
                    continue;
                };
                day.seen_at = Some(*at);
                let of = round_trips.entry(&seen.url).or_default();
                of.resize(days.starts.len(), Vec::new());
                if let Some(bucket) = of.get_mut(place) {
                    bucket.push(ms);
                }
            }
        }
        for (url, mut buckets) in round_trips {
            let Some(day) = days.gateways.get_mut(url) else {
                continue;
            };
            let mut all = buckets.concat();
            day.p50_ms = percentile(&mut all, 500);
            day.p95_ms = percentile(&mut all, 950);
            for (bucket, round_trips) in day.buckets.iter_mut().zip(&mut buckets) {
                bucket.round_trip_ms = percentile(round_trips, 500);
            }
        }
        days
    }
}

#[cfg(test)]
mod tests;
