//! From what a list says to a price: what is imported as the provider's cost, what tenants pay, and what
//! stays of the price before. Amounts are rounded up to a millionth at the very end, and it is told where.

use serde::{Deserialize, Serialize};
use shared::credits::Credits;
use shared::units::{Family, Unit};

use super::decimal::{Decimal, Millionths};
use super::{Offer, Quote};
use crate::catalogue::price::list::{Currency, PriceList, RATE_MAX, Rate};
use crate::catalogue::price::when::When;

/// Which side of a price the list tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Takes {
    /// The provider's cost; the price is the cost times a factor.
    CostAndPrice,
    /// The provider's cost alone; what tenants pay stays.
    Cost,
    /// What tenants pay alone; the cost stays.
    Price,
}

impl Takes {
    /// Its stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::CostAndPrice => "cost_and_price",
            Self::Cost => "cost",
            Self::Price => "price",
        }
    }

    /// From its stable word.
    pub fn from_word(word: &str) -> Option<Self> {
        let all = [Self::CostAndPrice, Self::Cost, Self::Price];
        all.into_iter().find(|takes| takes.word() == word)
    }
}

/// How a list is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportTerms {
    /// Which side it tells.
    pub takes: Takes,
    /// What the price is of the list's, in millionths: 1,250,000 is a quarter more.
    pub factor_ppm: i64,
    /// The list's currency, at the rate of a day.
    pub currency: Currency,
}

/// A price as it would become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftPrice {
    /// All of it.
    pub list: PriceList,
    /// Units of which an amount was rounded up, of the list's or of one that stays.
    pub rounded: Vec<Unit>,
    /// Units that the list says nothing of, and whose rates stay as they are.
    pub kept: Vec<Unit>,
    /// Units of the list that are left out: they have no price yet that could stay, or it does not fit.
    pub left_out: Vec<Unit>,
}

/// Of how many of a unit its price may be told; the first at which it is exact, else the last.
fn pers(unit: Unit) -> &'static [u64] {
    match unit.family() {
        Family::Input | Family::Output | Family::Character => &[1_000_000],
        Family::Video | Family::Audio | Family::InputAudio | Family::Compute => {
            &[1_000, 60_000, 3_600_000]
        }
        Family::Request
        | Family::Image
        | Family::Pixel
        | Family::Search
        | Family::Page
        | Family::Tool => &[1, 1_000, 1_000_000],
    }
}

fn fits(amount: Millionths) -> bool {
    amount.count <= RATE_MAX.micros()
}

/// A quote as amounts for `per`: what tenants would pay, and the cost.
fn amounts(quote: &Quote, per: u64, terms: &ImportTerms) -> Option<[Millionths; 2]> {
    let cost = quote.each.times(&Decimal::whole(per));
    let price = cost
        .times(&Decimal::millionths(terms.currency.credits.micros()))
        .times(&Decimal::millionths(terms.factor_ppm));
    let both = [price.to_millionths()?, cost.to_millionths()?];
    both.iter().all(|amount| fits(*amount)).then_some(both)
}

/// The best `per` of a quote, with its amounts; whether one had to be rounded.
fn told(quote: &Quote, terms: &ImportTerms) -> Option<(u64, [Millionths; 2])> {
    let mut last = None;
    for per in pers(quote.unit) {
        let Some(both) = amounts(quote, *per, terms) else {
            break;
        };
        last = Some((*per, both));
        let wanted = match terms.takes {
            Takes::CostAndPrice => &both[..],
            Takes::Price => &both[..1],
            Takes::Cost => &both[1..],
        };
        if wanted.iter().all(|amount| !amount.is_rounded) {
            break;
        }
    }
    last
}

/// A unit, and those whose price it takes in turn.
fn chain(unit: Unit) -> impl Iterator<Item = Unit> {
    std::iter::successors(Some(unit), |unit| unit.falls_back_to())
}

/// The rate that a unit has under a condition: with just that one, else without any.
pub(super) fn rate_of<'a>(list: &'a PriceList, unit: Unit, when: &When) -> Option<&'a Rate> {
    let of = |when: &When| {
        let rates = &list.rates;
        chain(unit).find_map(|unit| {
            let mut of_unit = rates.iter().filter(|rate| rate.unit == unit);
            of_unit.find(|rate| rate.when == *when)
        })
    };
    let exact = list.rates.iter();
    let mut exact = exact.filter(|rate| rate.unit == unit && rate.when == *when);
    exact.next().or_else(|| of(&When::default()))
}

/// A quote for as many as the price before is of, where its cost is exact so: then what tenants pay stays as
/// it is written.
fn told_as_before(quote: &Quote, per: u64, terms: &ImportTerms) -> Option<(u64, [Millionths; 2])> {
    let both = amounts(quote, per, terms)?;
    (!both[1].is_rounded).then_some((per, both))
}

/// An amount for `from` units as one for `to`.
fn scaled(amount: Credits, from: u64, to: u64) -> Option<Millionths> {
    let product = i128::from(amount.micros()).checked_mul(i128::from(to))?;
    let is_rounded = product.checked_rem(i128::from(from))? != 0;
    let (from, to) = (i64::try_from(from).ok()?, i64::try_from(to).ok()?);
    let scaled = amount.scaled_up(to, from)?;
    Some(Millionths {
        count: scaled.micros(),
        is_rounded,
    })
}

/// What one of a currency is worth, in millionths of a credit.
pub(super) fn worth(currency: Option<&Currency>) -> Credits {
    currency.map_or(Credits::from_micros(1_000_000), |one| one.credits)
}

struct Drafting<'a> {
    old: Option<&'a PriceList>,
    terms: &'a ImportTerms,
    quotes: &'a [Quote],
    draft: DraftPrice,
}

fn note(units: &mut Vec<Unit>, unit: Unit) {
    if !units.contains(&unit) {
        units.push(unit);
    }
}

/// The price that a list's offer makes of the one before.
pub fn draft(offer: &Offer, old: Option<&PriceList>, terms: &ImportTerms) -> DraftPrice {
    let empty = DraftPrice {
        list: PriceList::default(),
        rounded: Vec::new(),
        kept: Vec::new(),
        left_out: Vec::new(),
    };
    let quotes = match offer {
        Offer::Price(list) => {
            return DraftPrice {
                list: list.clone(),
                ..empty
            };
        }
        Offer::Quotes(quotes) => quotes,
    };
    let mut drafting = Drafting {
        old,
        terms,
        quotes,
        draft: empty,
    };
    drafting.draft.list.minimum = old.and_then(|old| old.minimum);
    drafting.draft.list.currency = match terms.takes {
        Takes::Price => old.and_then(|old| old.currency.clone()),
        Takes::CostAndPrice | Takes::Cost => Some(terms.currency.clone()),
    };
    for quote in quotes {
        drafting.take(quote);
    }
    drafting.keep();
    drafting.draft
}

impl Drafting<'_> {
    fn take(&mut self, quote: &Quote) {
        let before = self
            .old
            .and_then(|old| rate_of(old, quote.unit, &quote.when));
        let stays_as_it_is = before.filter(|_| self.terms.takes == Takes::Cost);
        let found = stays_as_it_is
            .and_then(|before| told_as_before(quote, before.per, self.terms))
            .or_else(|| told(quote, self.terms));
        let Some((per, [price, cost])) = found else {
            return note(&mut self.draft.left_out, quote.unit);
        };
        let stays = |amount: Option<Credits>| {
            let before = before?;
            scaled(amount?, before.per, per)
        };
        let (price, cost) = match self.terms.takes {
            Takes::CostAndPrice => (Some(price), Some(cost)),
            Takes::Price => (Some(price), stays(before.and_then(|rate| rate.cost))),
            Takes::Cost => (stays(before.map(|rate| rate.credits)), Some(cost)),
        };
        let Some(price) = price else {
            return note(&mut self.draft.left_out, quote.unit);
        };
        if price.is_rounded || cost.is_some_and(|cost| cost.is_rounded) {
            note(&mut self.draft.rounded, quote.unit);
        }
        self.draft.list.rates.push(Rate {
            unit: quote.unit,
            per,
            credits: Credits::from_micros(price.count),
            cost: cost.map(|cost| Credits::from_micros(cost.count)),
            when: quote.when.clone(),
            // No list tells how usage is rounded. Another unit's steps are not this one's.
            step: before
                .filter(|before| before.unit == quote.unit)
                .map_or(1, |before| before.step),
        });
    }

    /// What stays of the price before.
    fn keep(&mut self) {
        let Some(old) = self.old else {
            return;
        };
        let told: Vec<Family> = self
            .draft
            .list
            .rates
            .iter()
            .map(|rate| rate.unit.family())
            .collect();
        let mut kept = Vec::new();
        for rate in &old.rates {
            let is_told = told.contains(&rate.unit.family());
            if !is_told {
                note(&mut self.draft.kept, rate.unit);
                kept.push(self.in_new_currency(rate, old));
            } else if self.terms.takes == Takes::Cost {
                let rates = &self.draft.list.rates;
                let same = |new: &Rate| new.unit == rate.unit && new.when == rate.when;
                if !rates.iter().any(same) {
                    kept.push(self.with_new_cost(rate));
                }
            }
        }
        // In front: what tenants pay by a condition of before goes on to be found first.
        kept.append(&mut self.draft.list.rates);
        let (always, conditional): (Vec<Rate>, Vec<Rate>) =
            kept.into_iter().partition(|rate| rate.when.is_always());
        self.draft.list.rates = conditional.into_iter().chain(always).collect();
        self.draft.list.rates.sort_by_key(|rate| rate.unit);
    }

    /// A rate that stays, its cost in the list's currency where that is another now.
    fn in_new_currency(&self, rate: &Rate, old: &PriceList) -> Rate {
        let new = worth(self.draft.list.currency.as_ref()).micros();
        let before = worth(old.currency.as_ref()).micros();
        let cost = rate.cost.and_then(|cost| cost.scaled_up(before, new));
        Rate {
            cost,
            ..rate.clone()
        }
    }

    /// A rate that the list does not have, at the cost that it tells for such a unit.
    fn with_new_cost(&self, rate: &Rate) -> Rate {
        let of = |when: &When| {
            chain(rate.unit).find_map(|unit| {
                let mut quotes = self.quotes.iter();
                quotes.find(|quote| quote.unit == unit && quote.when == *when)
            })
        };
        let quote = of(&rate.when).or_else(|| of(&When::default()));
        let amount = quote.and_then(|quote| {
            let cost = quote.each.times(&Decimal::whole(rate.per));
            cost.to_millionths().filter(|amount| fits(*amount))
        });
        Rate {
            cost: amount.map(|amount| Credits::from_micros(amount.count)),
            ..rate.clone()
        }
    }
}
