//! A plain price: the few numbers that most models need, as people write them, and as versions before
//! rates kept them. It is turned into rates, which is what is reckoned with.

use serde::{Deserialize, Serialize};
use shared::credits::Credits;
use shared::units::{Fact, Unit};

use super::list::{PriceList, Rate};
use super::when::When;

/// More rows by size and quality than any vendor has.
pub const IMAGE_PRICES_MAX: usize = 64;

/// Token prices are for a million tokens.
const MILLION: u64 = 1_000_000;

/// The parts of a plain price. An unknown part is refused when read: it would be charged as nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlainPrice {
    /// For each call that produced something.
    pub per_request: Credits,
    /// For a million input tokens.
    pub input_per_million: Credits,
    /// For a million tokens read from the provider's cache; as input when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_input_per_million: Option<Credits>,
    /// For a million tokens written to the provider's cache; as input when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_per_million: Option<Credits>,
    /// For a million output tokens.
    pub output_per_million: Credits,
    /// For a million reasoning tokens; as output when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_per_million: Option<Credits>,
    /// For an image, by size and quality; the dearest for one that no row fits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub per_image: Vec<ImagePrice>,
}

/// The price of an image of a size and quality; what is absent fits any.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImagePrice {
    /// For example `1024x1024`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// For example `high`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<String>,
    /// For one image.
    pub credits: Credits,
}

/// The token classes of a plain price, with those that fall back absent.
fn classes(plain: &PlainPrice) -> [(Unit, Option<Credits>); 5] {
    [
        (Unit::InputToken, Some(plain.input_per_million)),
        (Unit::CachedInputToken, plain.cached_input_per_million),
        (Unit::CacheWriteToken, plain.cache_write_per_million),
        (Unit::OutputToken, Some(plain.output_per_million)),
        (Unit::ReasoningToken, plain.reasoning_per_million),
    ]
}

impl PlainPrice {
    /// As rates, with what the provider takes beside them; unknown where `cost` is absent.
    pub fn list(&self, cost: Option<&Self>) -> PriceList {
        let mut rates = Vec::new();
        let request_cost = cost.map(|cost| cost.per_request);
        if self.per_request > Credits::ZERO || request_cost.unwrap_or_default() > Credits::ZERO {
            rates.push(rate((Unit::Request, 1), self.per_request, request_cost));
        }
        let costs = cost.map(classes);
        for (at, (unit, own)) in classes(self).into_iter().enumerate() {
            let class_cost = costs.and_then(|costs| costs.get(at).and_then(|(_, own)| *own));
            if own.is_none() && class_cost.is_none() {
                continue;
            }
            let credits = own.unwrap_or_else(|| self.fallen_back(unit));
            let cost = cost.map(|cost| class_cost.unwrap_or_else(|| cost.fallen_back(unit)));
            rates.push(rate((unit, MILLION), credits, cost));
        }
        rates.extend(self.image_rates(cost));
        PriceList {
            rates,
            ..PriceList::default()
        }
    }

    fn fallen_back(&self, unit: Unit) -> Credits {
        if unit == Unit::ReasoningToken {
            self.output_per_million
        } else {
            self.input_per_million
        }
    }

    /// The price of one image: that of its size and quality, else of its size, of its quality, of any
    /// image. What the list does not know is taken as the dearest.
    fn image(&self, size: Option<&str>, quality: Option<&str>) -> Credits {
        let row = |size: Option<&str>, quality: Option<&str>| {
            let is = |row: &&ImagePrice| {
                is_word(row.size.as_deref(), size) && is_word(row.quality.as_deref(), quality)
            };
            self.per_image.iter().find(is).map(|row| row.credits)
        };
        row(size, quality)
            .or_else(|| row(size, None))
            .or_else(|| row(None, quality))
            .or_else(|| row(None, None))
            .or_else(|| self.per_image.iter().map(|row| row.credits).max())
            .unwrap_or(Credits::ZERO)
    }

    /// Rows from the closest to the one that fits all, without those that say what a later one does.
    fn image_rates(&self, cost: Option<&Self>) -> Vec<Rate> {
        if self.per_image.is_empty() && cost.is_none_or(|cost| cost.per_image.is_empty()) {
            return Vec::new();
        }
        let rows = || {
            self.per_image
                .iter()
                .chain(cost.iter().flat_map(|cost| &cost.per_image))
        };
        let words = |word: fn(&ImagePrice) -> &Option<String>| {
            let words = rows().filter_map(|row| word(row).as_deref().map(str::to_ascii_lowercase));
            let mut words: Vec<_> = words.map(Some).collect();
            words.sort_unstable();
            words.dedup();
            words
        };
        let (sizes, qualities) = (words(|row| &row.size), words(|row| &row.quality));
        let pairs = sizes
            .iter()
            .flat_map(|size| qualities.iter().map(move |quality| (size, quality)));
        let closest = pairs.chain(sizes.iter().map(|size| (size, &None)));
        let all = closest.chain(qualities.iter().map(|quality| (&None, quality)));
        let mut kept: Vec<Rate> = Vec::new();
        // From the last: a row is kept where the one that would fit in its place says another thing.
        let all: Vec<_> = all.chain([(&None, &None)]).collect();
        for (size, quality) in all.into_iter().rev() {
            let (size, quality) = (size.as_deref(), quality.as_deref());
            let own = cost.map(|cost| cost.image(size, quality));
            let mut row = rate((Unit::Image, 1), self.image(size, quality), own);
            let facts = [(Fact::Size, size), (Fact::Quality, quality)];
            let known = facts
                .into_iter()
                .filter_map(|(fact, word)| Some((fact, vec![word?.to_owned()])));
            row.when.facts = known.collect();
            let fits = |later: &&Rate| {
                let mut facts = later.when.facts.iter();
                facts.all(|(fact, words)| row.when.facts.get(fact) == Some(words))
            };
            let later = kept.iter().rev().find(fits);
            if later.is_none_or(|later| (later.credits, later.cost) != (row.credits, row.cost)) {
                kept.push(row);
            }
        }
        kept.reverse();
        kept
    }
}

fn is_word(own: Option<&str>, asked: Option<&str>) -> bool {
    match (own, asked) {
        (None, None) => true,
        (Some(own), Some(asked)) => own.eq_ignore_ascii_case(asked),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn rate((unit, per): (Unit, u64), credits: Credits, cost: Option<Credits>) -> Rate {
    Rate {
        unit,
        per,
        credits,
        cost,
        when: When::default(),
        step: 1,
    }
}

impl PriceList {
    /// With an explicit zero for each of these units that may come without a price: what a plain price
    /// leaves out is free.
    #[must_use]
    pub fn or_free(mut self, units: impl IntoIterator<Item = Unit>) -> Self {
        let has_costs = self.rates.iter().any(|rate| rate.cost.is_some());
        let cost = has_costs.then_some(Credits::ZERO);
        for unit in self.uncovered(units) {
            self.rates.push(rate((unit, 1), Credits::ZERO, cost));
        }
        self
    }

    /// As a plain price and its cost, where it is one.
    pub fn plain(&self) -> Option<(PlainPrice, Option<PlainPrice>)> {
        let costs = self.rates.iter().map(|rate| rate.cost.is_some());
        let has_costs = costs.clone().any(|known| known);
        let side = |cost: bool| {
            let price = |rate: &Rate| if cost { rate.cost } else { Some(rate.credits) };
            let plain_rate = |unit| {
                let of_unit = self.rates.iter().find(|rate: &&Rate| rate.unit == unit);
                of_unit.and_then(price)
            };
            let images = self.rates.iter().filter(|rate| rate.unit == Unit::Image);
            let word = |rate: &Rate, fact| {
                rate.when
                    .facts
                    .get(&fact)
                    .and_then(|words| words.first())
                    .cloned()
            };
            let row = |rate: &Rate| {
                Some(ImagePrice {
                    size: word(rate, Fact::Size),
                    quality: word(rate, Fact::Quality),
                    credits: price(rate)?,
                })
            };
            Some(PlainPrice {
                per_request: plain_rate(Unit::Request).unwrap_or_default(),
                input_per_million: plain_rate(Unit::InputToken)?,
                cached_input_per_million: plain_rate(Unit::CachedInputToken),
                cache_write_per_million: plain_rate(Unit::CacheWriteToken),
                output_per_million: plain_rate(Unit::OutputToken)?,
                reasoning_per_million: plain_rate(Unit::ReasoningToken),
                per_image: images.map(row).collect::<Option<Vec<_>>>()?,
            })
        };
        let price = side(false)?;
        let cost = if has_costs { Some(side(true)?) } else { None };
        // It is one if it says all that the rates say.
        (price.list(cost.as_ref()) == *self).then_some((price, cost))
    }
}

#[cfg(test)]
mod tests;
