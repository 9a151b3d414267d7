//! How fast a balance falls, and how long it lasts. Pure, in whole millionths; what was paid in meanwhile
//! is left out, with the time in which it was.

use shared::link::balance::VendorAmount;

use crate::store::balances::Sample;

/// Less says nothing of a day.
const SPAN_LEAST_MS: i64 = 6 * HOUR_MS;
const HOUR_MS: i64 = 3_600_000;

/// How a balance falls; absent where too little is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Fall {
    /// In a day.
    pub(super) daily: Option<VendorAmount>,
    /// Until it is at the floor; absent too where it does not fall.
    pub(super) hours_left: Option<u64>,
}

/// Of samples in the order of time, and what was read last.
pub(super) fn fall(samples: &[Sample], last: Sample, floor: VendorAmount) -> Fall {
    let (mut fallen, mut spanned) = (0_i128, 0_i64);
    let before = samples.iter().filter(|sample| sample.at < last.at);
    let mut points = before.chain([&last]);
    let Some(mut one) = points.next().copied() else {
        return Fall::default();
    };
    for next in points.copied() {
        if next.amount <= one.amount {
            fallen += i128::from(one.amount) - i128::from(next.amount);
            spanned = spanned.saturating_add(next.at.saturating_sub(one.at));
        }
        one = next;
    }
    if spanned < SPAN_LEAST_MS {
        return Fall::default();
    }
    let in_hours = |hours: i64| fallen * i128::from(hours * HOUR_MS) / i128::from(spanned);
    let daily = i64::try_from(in_hours(24)).ok();
    let left = i128::from(last.amount) - i128::from(floor.micros());
    // Of the whole span, so that no slow fall is rounded away.
    let hours_left = (fallen > 0)
        .then(|| left.max(0) * i128::from(spanned) / i128::from(HOUR_MS) / fallen)
        .and_then(|hours| u64::try_from(hours).ok());
    Fall {
        daily: daily.map(VendorAmount::from_micros),
        hours_left,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(points: &[(i64, i64)], floor: i64) -> (Option<i64>, Option<u64>) {
        let sample = |(hour, units): &(i64, i64)| Sample {
            at: hour * HOUR_MS,
            amount: units * 1_000_000,
        };
        let all: Vec<Sample> = points.iter().map(sample).collect();
        let (last, before) = all.split_last().expect("a point");
        let floor = VendorAmount::from_micros(floor * 1_000_000);
        let fall = fall(before, *last, floor);
        (
            fall.daily.map(|daily| daily.micros() / 1_000_000),
            fall.hours_left,
        )
    }

    #[test]
    fn how_long_a_balance_lasts_follows_from_its_falls_alone() {
        for (points, floor, daily, hours) in [
            // Nothing is known of one reading, nor of an hour.
            (&[(0, 100)][..], 0, None, None),
            (&[(0, 100), (1, 90)], 0, None, None),
            (&[(0, 100), (24, 76)], 0, Some(24), Some(76)),
            (&[(0, 100), (24, 76)], 28, Some(24), Some(48)),
            // What is below the floor lasts no longer.
            (&[(0, 100), (24, 76)], 80, Some(24), Some(0)),
            // What was paid in is no fall backwards, and its time counts for nothing.
            (
                &[(0, 20), (12, 8), (13, 1_008), (25, 996)],
                0,
                Some(24),
                Some(996),
            ),
            // What does not fall never ends.
            (&[(0, 50), (48, 50)], 0, Some(0), None),
            (&[(0, 5), (24, 50)], 0, None, None),
            // An account that owes.
            (&[(0, 12), (24, -12)], 0, Some(24), Some(0)),
            // A clock that went back.
            (&[(30, 100), (6, 90)], 0, None, None),
        ] {
            assert_eq!(of(points, floor), (daily, hours), "{points:?} {floor}");
        }
    }

    #[test]
    fn the_largest_amounts_do_not_overflow() {
        let sample = |at, amount| Sample { at, amount };
        let all = [sample(0, i64::MAX), sample(i64::MAX / 2, i64::MIN)];
        let last = sample(i64::MAX, i64::MIN);
        let least = VendorAmount::from_micros(i64::MIN);
        let known = fall(&all, last, least);
        assert_eq!(known.hours_left, Some(0));
        let first = sample(i64::MIN, i64::MAX);
        let known = fall(&[first], sample(i64::MAX, i64::MAX - 1), least);
        assert!(known.daily.is_some());
    }
}
