//! No minute admits more than its limit and burst, whatever the clock and the callers do.

use proptest::prelude::*;

use super::*;

fn at(ms: i64) -> Moment {
    Moment::from_unix_ms(ms)
}

#[test]
fn a_whole_minute_fits_at_once_and_then_one_at_a_time() {
    let mut meter = RateMeter::default();
    for _ in 0..60 {
        assert_eq!(meter.wait(60, 1, at(5)), Duration::ZERO);
        meter.take(60, 1, at(5));
    }
    assert_eq!(meter.wait(60, 1, at(5)), Duration::from_secs(1));
    assert_eq!(
        meter.left(60, at(5)),
        Left {
            limit: 60,
            remaining: 0,
            reset: Duration::from_secs(60)
        }
    );
    assert_eq!(meter.wait(60, 1, at(1_005)), Duration::ZERO);
    assert_eq!(meter.left(60, at(30_005)).remaining, 30);
}

#[test]
fn a_call_larger_than_the_limit_waits_for_an_empty_meter_and_is_paid_off() {
    let mut meter = RateMeter::default();
    assert_eq!(meter.wait(100, 250, at(0)), Duration::ZERO);
    meter.take(100, 250, at(0));
    assert_eq!(meter.wait(100, 250, at(0)), Duration::from_secs(150));
    assert_eq!(meter.wait(100, 1, at(90_000)), Duration::from_millis(600));
    assert_eq!(meter.left(100, at(0)).remaining, 0);
}

#[test]
fn a_limit_of_nothing_admits_nothing_and_a_huge_one_everything() {
    let mut meter = RateMeter::default();
    assert_eq!(meter.wait(0, 1, at(0)), NEVER);
    assert_eq!(meter.wait(0, 0, at(0)), NEVER);
    meter.take(u64::MAX, u64::MAX, at(0));
    assert_eq!(meter.left(u64::MAX, at(60_000)).remaining, LIMIT_MAX);
}

#[test]
fn a_clock_set_back_does_not_lock_anybody_out() {
    let mut meter = RateMeter::default();
    meter.take(60, 60, at(10_000_000));
    meter.take(60, 0, at(1_000));
    assert_eq!(meter.wait(60, 1, at(1_000)), Duration::from_secs(1));
}

proptest! {
    #[test]
    fn no_minute_admits_more_than_the_limit_and_its_burst(
        limit in 1_u64..50,
        arrivals in proptest::collection::vec((0_i64..4_000, 1_u64..4), 1..300),
    ) {
        let mut meter = RateMeter::default();
        let mut now = 0;
        let mut admitted: Vec<(i64, u64)> = Vec::new();
        for (gap, cost) in arrivals {
            now += gap;
            let cost = cost.min(limit);
            let wait = meter.wait(limit, cost, at(now));
            if wait == Duration::ZERO {
                meter.take(limit, cost, at(now));
                admitted.push((now, cost));
            } else {
                let later = now + i64::try_from(wait.as_millis()).expect("short");
                prop_assert_eq!(meter.wait(limit, cost, at(later)), Duration::ZERO);
                prop_assert!(meter.wait(limit, cost, at(later - 1)) > Duration::ZERO);
            }
        }
        for (start, _) in &admitted {
            for minutes in 1..4 {
                let end = start + minutes * 60_000;
                let sum: u64 = admitted.iter().filter(|(t, _)| start <= t && *t < end).map(|(_, c)| c).sum();
                prop_assert!(sum <= limit * (u64::try_from(minutes).expect("small") + 1));
            }
        }
    }

    #[test]
    fn what_is_given_back_was_never_taken(limit in 1_u64..1_000, estimate in 0_u64..2_000, actual in 0_u64..2_000) {
        let (mut corrected, mut known) = (RateMeter::default(), RateMeter::default());
        corrected.take(limit, estimate, at(0));
        known.take(limit, actual, at(0));
        if estimate > actual {
            corrected.give_back(limit, estimate - actual, at(0));
        } else {
            corrected.take(limit, actual - estimate, at(0));
        }
        prop_assert_eq!(corrected.left(limit, at(0)), known.left(limit, at(0)));
    }
}
