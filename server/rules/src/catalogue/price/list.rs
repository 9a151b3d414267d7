//! A price list as it is written: rates by unit with conditions, the provider's cost beside each.
//! Reckons nothing; a [`super::Tariff`] does.

use serde::{Deserialize, Serialize};
use shared::credits::Credits;
use shared::units::Unit;

use super::bill::SCALE;
use super::when::When;

/// One price may be a thousand million credits; with it every sum of units fits in 128 bits.
pub const RATE_MAX: Credits = Credits::from_micros(1_000_000_000_000_000);
/// A text model of 2026 needs 50: tiers by context bands by classes by regions.
pub const RATES_MAX: usize = 512;
/// Of how many units prices are told, and how large steps may be: each divides `SCALE`.
pub const PERS: [u64; 9] = [
    1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 60_000, 3_600_000,
];
/// Words of one condition.
pub const WORDS_MAX: usize = 32;

/// What a model costs: what tenants pay, and what the provider takes for the same.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceList {
    /// The first that fits a unit applies.
    pub rates: Vec<Rate>,
    /// What a call that came to anything costs at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Credits>,
    /// In what costs are told; credits when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
}

/// The price of units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Of what.
    pub unit: Unit,
    /// Of so many.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub per: u64,
    /// What tenants pay. An explicit zero is free.
    pub credits: Credits,
    /// What the provider takes, in millionths of its currency; unknown when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Credits>,
    /// When it applies.
    #[serde(default, skip_serializing_if = "When::is_always")]
    pub when: When,
    /// Begun steps of so many units count whole: 60,000 where begun minutes are billed.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub step: u64,
}

/// A provider's currency, at the rate of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Currency {
    /// ISO 4217.
    pub code: String,
    /// What one of it is worth.
    pub credits: Credits,
    /// The day of the rate, as `2026-11-27`.
    pub as_of: String,
}

fn one() -> u64 {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_one(n: &u64) -> bool {
    *n == 1
}

/// Which of a rate's two prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Credits,
    Cost,
}

impl Rate {
    pub(super) fn price(&self, side: Side) -> Option<Credits> {
        match side {
            Side::Credits => Some(self.credits),
            Side::Cost => self.cost,
        }
    }

    /// What `count` units come to.
    pub(super) fn amount(&self, count: u64, side: Side) -> Option<i128> {
        let steps = i128::from(count.div_ceil(self.step.max(1)));
        let units = steps.checked_mul(i128::from(self.step.max(1)))?;
        let share = SCALE.checked_div(i128::from(self.per))?;
        let each = i128::from(self.price(side)?.micros()).checked_mul(share)?;
        units.checked_mul(each)
    }

    fn is_sound(&self) -> bool {
        let sound = |price: Credits| Credits::ZERO <= price && price <= RATE_MAX;
        let divides = |n: u64| n > 0 && SCALE.checked_rem(i128::from(n)) == Some(0);
        // Where classes of a family are billed by steps, no bound of their sum holds.
        let steps = self.step == 1 || self.unit.family().units().count() == 1;
        sound(self.credits)
            && self.cost.is_none_or(sound)
            && divides(self.per)
            && divides(self.step)
            && steps
    }
}

impl PriceList {
    /// Whether it can be reckoned with; `catalogue::check` says what is wrong with one that can't.
    pub fn is_sound(&self) -> bool {
        let minimum = self.minimum.unwrap_or_default();
        self.rates.len() <= RATES_MAX
            && self.rates.iter().all(Rate::is_sound)
            && (Credits::ZERO..=RATE_MAX).contains(&minimum)
    }

    /// The units of `wanted` that may come without a price: no rate that always applies covers them.
    pub fn uncovered(&self, wanted: impl IntoIterator<Item = Unit>) -> Vec<Unit> {
        let is_always = |unit: Unit| {
            let mut rates = self.rates.iter();
            rates.any(|rate| rate.unit == unit && rate.when.is_always())
        };
        let is_covered = |unit: Unit| chain(unit).any(is_always);
        wanted
            .into_iter()
            .filter(|unit| !is_covered(*unit))
            .collect()
    }

    /// The first rate of a unit that no condition bounds, else that of the unit whose price it takes.
    pub fn plain_rate(&self, unit: Unit) -> Option<&Rate> {
        chain(unit).find_map(|unit| {
            let mut rates = self.rates.iter();
            rates.find(|rate| rate.unit == unit && rate.when.is_always())
        })
    }

    /// Whether nothing that it prices costs anything.
    pub fn is_free(&self) -> bool {
        let nothing = |rate: &Rate| rate.credits == Credits::ZERO;
        !self.rates.is_empty()
            && self.rates.iter().all(nothing)
            && self.minimum.unwrap_or_default() == Credits::ZERO
    }
}

/// A unit, and those whose price it takes in turn.
pub(super) fn chain(unit: Unit) -> impl Iterator<Item = Unit> {
    std::iter::successors(Some(unit), |unit| unit.falls_back_to())
}
