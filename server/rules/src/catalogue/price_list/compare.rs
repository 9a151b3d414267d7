//! A price beside the one before, unit by unit, and what of it must be looked at twice: a price that
//! becomes nothing, a change of more than half or of the steps that count whole, a price below its cost.

use shared::credits::Credits;
use shared::link::Operation;
use shared::units::Unit;

use super::draft::{rate_of, worth};
use crate::catalogue::price::PriceList;
use crate::catalogue::price::list::Rate;
use crate::catalogue::price::when::When;

/// A change of more than so many hundredths of what was is confirmed by itself.
const LARGE_PERCENT: i128 = 50;

/// One unit under one condition, as it was and as it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceChange {
    /// Of what.
    pub unit: Unit,
    /// When; empty where always.
    pub when: String,
    /// All amounts are for so many.
    pub per: u64,
    /// What tenants pay now; `None` where it has no price.
    pub old: Option<Credits>,
    /// What they would pay.
    pub new: Option<Credits>,
    /// What the provider takes, in credits, where it is known.
    pub old_cost: Option<Credits>,
    /// What it would take.
    pub new_cost: Option<Credits>,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PriceChanges {
    /// Those that differ, and those that don't, in the order of bills.
    pub lines: Vec<PriceChange>,
    /// A price or a cost becomes nothing that was none.
    pub becomes_zero: bool,
    /// A price or a cost changes by more than half, or how many units count as one step.
    pub is_large: bool,
    /// Something is sold below its cost.
    pub is_below_cost: bool,
}

/// Which amount of a rate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Price,
    Cost,
}

/// An amount of one unit as a fraction: millionths of millionths of a credit, over the units.
#[derive(Clone, Copy)]
struct Fraction {
    amount: i128,
    per: i128,
}

fn fraction(list: &PriceList, rate: &Rate, which: Which) -> Option<Fraction> {
    let worth = match which {
        Which::Price => 1_000_000,
        Which::Cost => i128::from(worth(list.currency.as_ref()).micros()),
    };
    let amount = match which {
        Which::Price => rate.credits,
        Which::Cost => rate.cost?,
    };
    Some(Fraction {
        amount: i128::from(amount.micros()).checked_mul(worth)?,
        per: i128::from(rate.per),
    })
}

impl Fraction {
    /// In whole millionths of a credit for `per` units, rounded up.
    fn shown(self, per: u64) -> Option<Credits> {
        let whole = self.amount.checked_mul(i128::from(per))?;
        let divisor = self.per.checked_mul(1_000_000)?;
        let up = whole.checked_add(divisor.checked_sub(1)?)?;
        let micros = up.checked_div(divisor)?;
        i64::try_from(micros).ok().map(Credits::from_micros)
    }

    /// Whether it is more than half away from what was; also where that can't be reckoned.
    fn is_far_from(self, old: Self) -> bool {
        let away = || {
            let new = self.amount.checked_mul(old.per)?;
            let old = old.amount.checked_mul(self.per)?;
            let away = new.checked_sub(old)?.checked_abs()?;
            Some(away.checked_mul(100)? > old.checked_mul(LARGE_PERCENT)?)
        };
        away().unwrap_or(true)
    }

    fn is_below(self, other: Self) -> bool {
        let (this, other) = (
            self.amount.checked_mul(other.per),
            other.amount.checked_mul(self.per),
        );
        this.zip(other).is_none_or(|(this, other)| this < other)
    }
}

impl PriceChanges {
    /// Of the old price of a model, if it has one, and the new one.
    pub fn between(operation: Operation, old: Option<&PriceList>, new: &PriceList) -> Self {
        let mut changes = Self::default();
        let mut keys: Vec<(Unit, &When)> = Vec::new();
        let lists = [Some(new), old];
        for rate in lists.into_iter().flatten().flat_map(|list| &list.rates) {
            if !keys.contains(&(rate.unit, &rate.when)) {
                keys.push((rate.unit, &rate.when));
            }
        }
        keys.sort_by_key(|(unit, when)| (*unit, !when.is_always()));
        for (unit, when) in keys {
            changes.line(operation, (unit, when), (old, new));
        }
        let minimum = |list: &PriceList| list.minimum.unwrap_or_default();
        if let Some(old) = old {
            changes.judge_plain(minimum(old), minimum(new));
        }
        changes
    }

    /// Whether a person must have ticked it.
    pub fn needs_confirmation(&self) -> bool {
        self.becomes_zero || self.is_large
    }

    /// Whether all stays as it is.
    pub fn is_nothing(&self) -> bool {
        let same = |line: &PriceChange| line.old == line.new && line.old_cost == line.new_cost;
        !self.needs_confirmation() && self.lines.iter().all(same)
    }

    fn line(
        &mut self,
        operation: Operation,
        (unit, when): (Unit, &When),
        (old, new): (Option<&PriceList>, &PriceList),
    ) {
        let before = old.and_then(|list| Some((list, rate_of(list, unit, when)?)));
        let after = rate_of(new, unit, when).map(|rate| (new, rate));
        let of = |found: Option<(&PriceList, &Rate)>, which: Which| {
            found.and_then(|(list, rate)| fraction(list, rate, which))
        };
        let (was, becomes) = (of(before, Which::Price), of(after, Which::Price));
        let (cost_was, cost_becomes) = (of(before, Which::Cost), of(after, Which::Cost));
        let is_needed = operation.units().contains(&unit) && when.is_always();
        self.judge(was, becomes, is_needed);
        if cost_becomes.is_some() {
            self.judge(cost_was, cost_becomes, false);
        }
        if let (Some(price), Some(cost)) = (becomes, cost_becomes) {
            self.is_below_cost |= price.is_below(cost);
        }
        if let (Some((_, before)), Some((_, after))) = (before, after) {
            // How much it makes of a call depends on the call: a minute that is begun may be a second.
            self.is_large |= before.step != after.step;
        }
        let per = after.or(before).map_or(1, |(_, rate)| rate.per);
        let shown = |of: Option<Fraction>| of.and_then(|of| of.shown(per));
        self.lines.push(PriceChange {
            unit,
            when: when.to_string(),
            per,
            old: shown(was),
            new: shown(becomes),
            old_cost: shown(cost_was),
            new_cost: shown(cost_becomes),
        });
    }

    fn judge(&mut self, was: Option<Fraction>, becomes: Option<Fraction>, is_needed: bool) {
        let is_zero = becomes.is_none_or(|new| new.amount == 0);
        match was {
            Some(old) if old.amount > 0 && is_zero => self.becomes_zero = true,
            Some(old) => self.is_large |= becomes.is_some_and(|new| new.is_far_from(old)),
            // The first price that a model gets is a sale of its own.
            None => self.becomes_zero |= is_needed && is_zero,
        }
    }

    fn judge_plain(&mut self, was: Credits, becomes: Credits) {
        let plain = |amount: Credits| {
            Some(Fraction {
                amount: i128::from(amount.micros()),
                per: 1,
            })
        };
        self.judge(plain(was), plain(becomes), false);
    }
}
