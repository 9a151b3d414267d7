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
    /// When today began.
    pub today: Moment,
    /// Now.
    pub now: Moment,
}

impl Pace<'_> {
    /// What was spent, and in how many milliseconds: from the first day with spending on, at least a
    /// day, so that neither a new tenant nor an early hour distorts it.
    fn measured(&self) -> Option<(i128, i128)> {
        let now = self.now.unix_ms();
        let today = now.saturating_sub(self.today.unix_ms());
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
mod tests;
