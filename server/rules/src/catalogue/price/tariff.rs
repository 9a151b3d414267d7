//! A price list that can be reckoned with: the one arithmetic for charges, bounds, previews and
//! details of calls. Pure: knows no tenant, no database and no clock.

use std::ops::Deref;
use std::sync::Arc;

use shared::clock::Moment;
use shared::credits::Credits;
use shared::units::{Fact, Family, Unit, Usage};

use super::bill::{Bill, Exact, Line, SCALE};
use super::list::{PriceList, Rate, Side, chain};
use super::when::{Holds, Known};

/// Multipliers are in millionths.
pub(super) const PPM: i128 = 1_000_000;
/// The provider's price is not multiplied.
const PLAIN_PPM: i64 = 1_000_000;

/// A sound [`PriceList`], looked through once: whoever has one can reckon. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tariff(Arc<PriceList>);

/// What a call that has not run yet can bring at most.
#[derive(Debug, Clone, Copy)]
pub struct WorstCase<'a> {
    /// So much of each family, under any of its units.
    pub bounds: &'a Usage,
    /// Facts that may turn out otherwise than `bounds` says.
    pub open: &'a [Fact],
    /// When it came.
    pub at: Moment,
}

/// A sum in [`SCALE`]ths of a micro-credit, before the multiplier.
#[derive(Debug, Clone, Default)]
struct Sum {
    scaled: i128,
    lines: Vec<Line>,
    unpriced: Vec<(Unit, u64)>,
}

impl Deref for Tariff {
    type Target = PriceList;

    fn deref(&self) -> &PriceList {
        &self.0
    }
}

impl Tariff {
    /// `None` where `list` can't be reckoned with; `catalogue::check` says what is wrong with it.
    pub fn new(list: PriceList) -> Option<Self> {
        list.is_sound().then(|| Self(Arc::new(list)))
    }

    /// What a usage costs; `None` when it does not fit.
    pub fn charge(&self, usage: &Usage, at: Moment, multiplier_ppm: i64) -> Option<Credits> {
        let charged = self.charge_and_unpriced(usage, at, multiplier_ppm);
        charged.map(|(credits, _)| credits)
    }

    /// The same, and how many of its measures had no rate: a list that was checked leaves none.
    pub fn charge_and_unpriced(
        &self,
        usage: &Usage,
        at: Moment,
        multiplier_ppm: i64,
    ) -> Option<(Credits, usize)> {
        let sum = self.sum(usage, at, Side::Credits, false)?;
        let credits = rounded_up(self.at_least(sum.scaled, usage)?, multiplier_ppm)?;
        Some((credits, sum.unpriced.len()))
    }

    /// What the provider takes for it; `None` where that is not known.
    pub fn cost(&self, usage: &Usage, at: Moment) -> Option<Credits> {
        let sum = self.sum(usage, at, Side::Cost, false)?;
        rounded_up(sum.scaled, self.cost_ppm())
    }

    /// The charge of [`Self::charge`], with its arithmetic.
    pub fn bill(&self, usage: &Usage, at: Moment, multiplier_ppm: i64) -> Option<Bill> {
        let sum = self.sum(usage, at, Side::Credits, true)?;
        let whole = self.at_least(sum.scaled, usage)?;
        let raised = whole.checked_sub(sum.scaled)?;
        Bill::new(
            sum.lines,
            (sum.scaled, raised),
            multiplier_ppm,
            sum.unpriced,
        )
    }

    /// The cost of [`Self::cost`], with its arithmetic.
    pub fn cost_bill(&self, usage: &Usage, at: Moment) -> Option<Bill> {
        let sum = self.sum(usage, at, Side::Cost, true)?;
        Bill::new(sum.lines, (sum.scaled, 0), self.cost_ppm(), sum.unpriced)
    }

    /// What a call within the bounds costs at most: each family at its dearest unit and rate that is
    /// still possible.
    pub fn worst_case(&self, case: WorstCase<'_>, multiplier_ppm: i64) -> Option<Credits> {
        let sum = self.worst_sum(case)?;
        rounded_up(self.at_least(sum, case.bounds)?, multiplier_ppm)
    }

    /// The largest bound of output tokens whose worst case beside those of `case` fits into `budget`;
    /// `u64::MAX` when output is free, `None` when not even the rest fits.
    pub fn output_tokens_within(
        &self,
        budget: Credits,
        case: WorstCase<'_>,
        multiplier_ppm: i64,
    ) -> Option<u64> {
        let mut rest = case.bounds.clone();
        for unit in Family::Output.units() {
            rest.set(unit, 0);
        }
        let bounds = &rest;
        let fixed = self.worst_sum(WorstCase { bounds, ..case })?;
        if rounded_up(self.at_least(fixed, case.bounds)?, multiplier_ppm)? > budget {
            return None;
        }
        let each = self.dearest(Family::Output, 1, known(case))?;
        if each == 0 || multiplier_ppm == 0 {
            return Some(u64::MAX);
        }
        // Rounding up to a whole micro-credit stays within a whole budget exactly when the
        // unrounded amount does, so the division may go down at each step.
        let budget = i128::from(budget.micros());
        let budget = budget.checked_mul(SCALE)?.checked_mul(PPM)?;
        let payable = budget.checked_div(i128::from(multiplier_ppm))?;
        let tokens = payable.checked_sub(fixed)?.checked_div(each)?;
        Some(u64::try_from(tokens).unwrap_or(u64::MAX))
    }

    /// Credits are in millionths, and so is a multiplier.
    fn cost_ppm(&self) -> i64 {
        let currency = self.currency.as_ref();
        currency.map_or(PLAIN_PPM, |currency| currency.credits.micros())
    }

    /// The rate of a unit: the first that fits it, else the first that fits what it falls back to.
    fn rate(&self, unit: Unit, known: Known<'_>) -> Option<&Rate> {
        let mut candidates = self.candidates(unit);
        candidates.find(|rate| rate.when.holds(known) == Holds::Yes)
    }

    /// The rates that may apply to a unit, in the order in which they are looked at.
    fn candidates(&self, unit: Unit) -> impl Iterator<Item = &Rate> {
        chain(unit).flat_map(|unit| self.rates.iter().filter(move |rate| rate.unit == unit))
    }

    /// The dearest rate of a family for so many units, whatever its conditions: what is charged for a
    /// unit that has none.
    fn dearest_of_all(&self, family: Family, count: u64, side: Side) -> Option<&Rate> {
        let of_family = self
            .rates
            .iter()
            .filter(|rate| rate.unit.family() == family);
        // What does not fit is dearer than all that does.
        of_family.max_by_key(|rate| rate.amount(count, side).unwrap_or(i128::MAX))
    }

    /// What `count` units of a family come to at the dearest of the rates that are still possible.
    fn dearest(&self, family: Family, count: u64, known: Known<'_>) -> Option<i128> {
        let mut most = 0;
        for unit in family.units() {
            let mut is_certain = false;
            for rate in self.candidates(unit) {
                let holds = rate.when.holds(known);
                if holds != Holds::No {
                    most = rate.amount(count, Side::Credits)?.max(most);
                }
                if holds == Holds::Yes {
                    is_certain = true;
                    break;
                }
            }
            if !is_certain && family != Family::Request {
                let dearest = self.dearest_of_all(family, count, Side::Credits);
                let amount = dearest.map_or(Some(0), |rate| rate.amount(count, Side::Credits));
                most = amount?.max(most);
            }
        }
        Some(most)
    }

    fn worst_sum(&self, case: WorstCase<'_>) -> Option<i128> {
        let known = known(case);
        let mut sum = self.dearest(Family::Request, 1, known)?;
        let mut families: Vec<Family> = case
            .bounds
            .measures()
            .map(|(unit, _)| unit.family())
            .collect();
        families.dedup();
        for family in families
            .into_iter()
            .filter(|family| *family != Family::Request)
        {
            let most = self.dearest(family, case.bounds.total(family), known)?;
            sum = sum.checked_add(most)?;
        }
        Some(sum)
    }

    fn sum(&self, usage: &Usage, at: Moment, side: Side, with_lines: bool) -> Option<Sum> {
        let known = Known {
            facts: &usage.facts,
            open: &[],
            context: usage.input_total(),
            is_bound: false,
            at,
        };
        let mut sum = Sum::default();
        let request = (Unit::Request, 1);
        let measures = usage.measures().filter(|(unit, _)| *unit != Unit::Request);
        for (unit, count) in std::iter::once(request).chain(measures) {
            let rate = match self.rate(unit, known) {
                Some(rate) => rate,
                None if unit == Unit::Request => continue,
                None => {
                    sum.unpriced.push((unit, count));
                    let Some(dearest) = self.dearest_of_all(unit.family(), count, side) else {
                        continue;
                    };
                    dearest
                }
            };
            let amount = rate.amount(count, side)?;
            sum.scaled = sum.scaled.checked_add(amount)?;
            let price = rate.price(side)?;
            if with_lines && (unit != Unit::Request || price > Credits::ZERO) {
                sum.lines.push(Line {
                    unit,
                    count,
                    price,
                    per: rate.per,
                    amount: Exact::scaled(amount)?,
                });
            }
        }
        Some(sum)
    }

    /// Raised to the minimum.
    fn at_least(&self, sum: i128, usage: &Usage) -> Option<i128> {
        match self.minimum {
            Some(minimum) if !usage.is_nothing() => {
                let minimum = i128::from(minimum.micros()).checked_mul(SCALE)?;
                Some(sum.max(minimum))
            }
            Some(_) | None => Some(sum),
        }
    }
}

fn known(case: WorstCase<'_>) -> Known<'_> {
    Known {
        facts: &case.bounds.facts,
        open: case.open,
        context: case.bounds.input_total(),
        is_bound: true,
        at: case.at,
    }
}

/// The one rounding: `total` is in [`SCALE`]ths of a micro-credit.
pub(super) fn rounded_up(total: i128, multiplier_ppm: i64) -> Option<Credits> {
    assert!(
        total >= 0,
        "a sound price times a count is never below nothing"
    );
    if multiplier_ppm < 0 {
        return None;
    }
    let scale = SCALE.checked_mul(PPM)?;
    let exact = total.checked_mul(i128::from(multiplier_ppm))?;
    let rounded = exact
        .checked_add(scale.checked_sub(1)?)?
        .checked_div(scale)?;
    i64::try_from(rounded).ok().map(Credits::from_micros)
}

#[cfg(test)]
mod tests;
