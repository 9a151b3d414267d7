//! For how long a tenant's credits last at its pace. Pure: grants, spending and time come in.

use shared::clock::Moment;
use shared::credits::Credits;

use crate::ledger::Grant;

const DAY_MS: i64 = 86_400_000;
/// The pace is that of the last week, else that of the last month.
const WEEK: usize = 7;

/// For how long credits last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forecast {
    /// The tenant's calls cost nothing.
    Unlimited,
    /// Nothing was spent for a month: no pace, no end.
    NotSpending,
    /// There is nothing left.
    Empty,
    /// So long, if the pace stays.
    Lasts {
        /// Whole days.
        days: u64,
        /// When they are used up or lapsed.
        until: Moment,
        /// The pace.
        per_day: Credits,
        /// Of these, what expires before it could be spent.
        lapses: Credits,
    },
}

/// What a forecast stands on.
#[derive(Debug, Clone, Copy)]
pub struct Pace<'a> {
    /// Spent each day, in order of time; the last one is today.
    pub days: &'a [Credits],
    /// What the tenant's prices are multiplied by, in millionths.
    pub multiplier_ppm: i64,
    /// Now.
    pub now: Moment,
}

impl Pace<'_> {
    /// What was spent, and in how many milliseconds: from the first day with spending on, at least a
    /// day, so that neither a new tenant nor an early hour distorts it.
    fn measured(&self) -> Option<(i128, i128)> {
        let today = self.now.unix_ms().rem_euclid(DAY_MS);
        let of = |days: &[Credits]| {
            let first = days.iter().position(|spent| *spent > Credits::ZERO)?;
            let spending = days.get(first..)?;
            let spent: i128 = spending
                .iter()
                .map(|spent| i128::from(spent.micros()))
                .sum();
            let whole = i64::try_from(spending.len()).ok()?.saturating_sub(1);
            let elapsed = whole.saturating_mul(DAY_MS).saturating_add(today);
            Some((spent, i128::from(elapsed.max(DAY_MS))))
        };
        let week = self.days.len().saturating_sub(WEEK);
        self.days.get(week..).and_then(of).or_else(|| of(self.days))
    }
}

/// For how long `grants` last: they are spent in the ledger's order, those that expire first first.
pub fn forecast(grants: &[Grant], pace: Pace<'_>) -> Forecast {
    if pace.multiplier_ppm == 0 {
        return Forecast::Unlimited;
    }
    let start = pace.now.unix_ms();
    let expiry = |grant: &Grant| grant.expires_at.map_or(i64::MAX, Moment::unix_ms);
    let spendable = grants
        .iter()
        .filter(|grant| grant.remaining > Credits::ZERO && expiry(grant) > start);
    let mut grants: Vec<&Grant> = spendable.collect();
    if grants.is_empty() {
        return Forecast::Empty;
    }
    let Some((spent, elapsed)) = pace.measured() else {
        return Forecast::NotSpending;
    };
    grants.sort_by_key(|grant| (expiry(grant), grant.id.clone()));
    let (mut at, mut lapses) = (start, 0_i64);
    for grant in grants {
        let micros = i128::from(grant.remaining.micros());
        let needed = (micros * elapsed).div_euclid(spent);
        let end = at.saturating_add(i64::try_from(needed).unwrap_or(i64::MAX));
        let expires = expiry(grant);
        if end <= expires {
            at = end;
            continue;
        }
        // What can be spent until then; the rest lapses.
        let used = i128::from(expires.saturating_sub(at).max(0)) * spent / elapsed;
        let rest = i64::try_from(micros.saturating_sub(used)).unwrap_or(0);
        lapses = lapses.saturating_add(rest.max(0));
        at = at.max(expires);
    }
    let per_day = i64::try_from(spent * i128::from(DAY_MS) / elapsed).unwrap_or(i64::MAX);
    Forecast::Lasts {
        days: u64::try_from(at.saturating_sub(start).div_euclid(DAY_MS)).unwrap_or(0),
        until: Moment::from_unix_ms(at),
        per_day: Credits::from_micros(per_day),
        lapses: Credits::from_micros(lapses),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared::id::GrantId;

    use super::*;
    use crate::ledger::GrantKind;

    /// Noon of some day.
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
}
