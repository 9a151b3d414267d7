//! How long credits last, by pace and expiry; any grants and any spending have an answer.

use proptest::prelude::*;
use shared::id::GrantId;

use super::*;
use crate::ledger::GrantKind;

/// Noon of some day.
const MIDNIGHT: Moment = Moment::from_unix_ms(20_000 * DAY_MS);
const NOON: Moment = Moment::from_unix_ms(20_000 * DAY_MS + DAY_MS / 2);

fn grant(micros: i64, expires_in_days: Option<i64>) -> Grant {
    Grant {
        id: GrantId::random(),
        kind: GrantKind::Purchase,
        source_key: String::new(),
        granted: Credits::from_micros(micros),
        remaining: Credits::from_micros(micros),
        expires_at: expires_in_days
            .map(|days| Moment::from_unix_ms(NOON.unix_ms() + days * DAY_MS)),
        note: String::new(),
        created_at: NOON,
    }
}

fn told(grants: &[Grant], days: &[i64]) -> Forecast {
    let days: Vec<Credits> = days
        .iter()
        .map(|spent| Credits::from_micros(*spent))
        .collect();
    let pace = Pace {
        days: &days,
        multiplier_ppm: 1_000_000,
        today: MIDNIGHT,
        now: NOON,
    };
    forecast(grants, pace)
}

fn lasts(grants: &[Grant], days: &[i64]) -> (u64, i64, i64) {
    match told(grants, days) {
        Forecast::Lasts {
            days,
            per_day,
            lapses,
            ..
        } => (days, per_day.micros(), lapses.micros()),
        other @ (Forecast::Unlimited | Forecast::NotSpending | Forecast::Empty) => {
            panic!("{other:?}")
        }
    }
}

#[test]
fn without_an_end_none_is_told() {
    let plenty = [grant(1_000, None)];
    assert_eq!(told(&plenty, &[0; 30]), Forecast::NotSpending);
    assert_eq!(told(&plenty, &[]), Forecast::NotSpending);
    assert_eq!(told(&[], &[5; 30]), Forecast::Empty);
    assert_eq!(
        told(&[grant(1_000, Some(0)), grant(0, None)], &[5; 30]),
        Forecast::Empty
    );
    let free = Pace {
        days: &[],
        multiplier_ppm: 0,
        today: MIDNIGHT,
        now: NOON,
    };
    assert_eq!(forecast(&[], free), Forecast::Unlimited);
}

#[test]
fn the_pace_is_that_of_the_last_week_else_of_the_last_month() {
    // 6 whole days and half of today: 650 in 6.5 days.
    let mut days = vec![9_999; 23];
    days.extend([100, 100, 100, 100, 100, 100, 50]);
    assert_eq!(lasts(&[grant(1_000, None)], &days), (10, 100, 0));
    let mut days = vec![0; 30];
    // 14.5 days ago, then nothing.
    days[15] = 1_450;
    assert_eq!(lasts(&[grant(1_000, None)], &days), (10, 100, 0));
    // One that began an hour ago is not taken to spend so every hour.
    let mut days = vec![0; 30];
    days[29] = 100;
    assert_eq!(lasts(&[grant(1_000, None)], &days), (10, 100, 0));
}

#[test]
fn what_expires_before_it_can_be_spent_does_not_help() {
    let mut days = vec![0; 30];
    days[29] = 100;
    // 200 until the second day, the other 800 lapse; then 300 for three days.
    let grants = [grant(300, None), grant(1_000, Some(2))];
    assert_eq!(lasts(&grants, &days), (5, 100, 800));
    // A gap between expiry and nothing: it ends with the expiry.
    assert_eq!(lasts(&[grant(1_000, Some(2))], &days), (2, 100, 800));
}

proptest! {
    #[test]
    fn any_grants_and_any_spending_have_an_answer(
        grants in proptest::collection::vec((0_i64..=i64::MAX / 8, proptest::option::of(-5_i64..1_000)), 0..6),
        days in proptest::collection::vec(0_i64..=i64::MAX / 40, 0..31),
    ) {
        let grants: Vec<Grant> = grants.into_iter().map(|(micros, days)| grant(micros, days)).collect();
        if let Forecast::Lasts { until, lapses, per_day, .. } = told(&grants, &days) {
            prop_assert!(until >= NOON);
            let all: i128 = grants.iter().map(|grant| i128::from(grant.remaining.micros())).sum();
            prop_assert!(i128::from(lapses.micros()) <= all);
            prop_assert!(per_day >= Credits::ZERO);
        }
    }
}
