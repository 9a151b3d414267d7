//! Medians and paired ratios reckoned by hand, and when a ledger counts as exact.

use super::fixture::report;
use super::*;

#[test]
fn the_median_of_an_even_number_is_between_the_middle_two() {
    let spread = Spread::of([4.0, 1.0, 3.0, 2.0]).unwrap();
    assert_eq!(
        spread,
        Spread {
            median: 2.5,
            least: 1.0,
            most: 4.0
        }
    );
    assert_eq!(Spread::of([]), None);
}

#[test]
fn ratios_pair_rounds_so_that_a_slow_hour_cancels_out() {
    let own = [report(100.0, 2.0), report(50.0, 4.0), report(200.0, 1.0)];
    let nginx = [report(400.0, 1.0), report(200.0, 2.0), report(800.0, 0.5)];
    let ratio = Spread::ratio(&own, &nginx, |report| report.per_second).unwrap();
    assert_eq!(
        ratio,
        Spread {
            median: 0.25,
            least: 0.25,
            most: 0.25
        }
    );
    let added = Spread::added(&own, &nginx, |report| report.latency.p50_ms).unwrap();
    assert_eq!(
        added,
        Spread {
            median: 1.0,
            least: 0.5,
            most: 2.0
        }
    );
}

#[test]
fn a_yardstick_of_zero_gives_no_ratio() {
    let ratio = Spread::ratio(&[report(1.0, 1.0)], &[report(0.0, 1.0)], |r| r.per_second);
    assert_eq!(ratio, None);
}

#[test]
fn the_ledger_is_exact_only_when_charged_settled_and_kept_agree() {
    let exact = Exactness {
        succeeded: 7,
        price_micros: 1_000,
        used_micros: 7_000,
        held_micros: 0,
        available_micros: 93_000,
        granted_micros: 100_000,
        waited: Duration::ZERO,
    };
    assert!(exact.holds());
    assert!(
        !Exactness {
            used_micros: 6_000,
            ..exact.clone()
        }
        .holds()
    );
    assert!(
        !Exactness {
            held_micros: 1_000,
            ..exact.clone()
        }
        .holds()
    );
    assert!(
        !Exactness {
            available_micros: 93_001,
            ..exact
        }
        .holds()
    );
}
