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
mod tests {
    use super::*;

    fn credits(text: &str) -> Credits {
        text.parse().expect("credits")
    }

    fn row(size: Option<&str>, quality: Option<&str>, text: &str) -> ImagePrice {
        ImagePrice {
            size: size.map(str::to_owned),
            quality: quality.map(str::to_owned),
            credits: credits(text),
        }
    }

    fn shown(list: &PriceList) -> Vec<String> {
        let shown = |rate: &Rate| {
            let words: Vec<_> = rate.when.facts.values().flatten().cloned().collect();
            let cost = rate
                .cost
                .map_or_else(|| "?".to_owned(), |cost| cost.to_string());
            format!(
                "{} {} {} / {cost}",
                rate.unit,
                words.join(" "),
                rate.credits
            )
        };
        list.rates.iter().map(shown).collect()
    }

    #[test]
    fn a_plain_price_is_rates_and_these_are_it_again() {
        let price = PlainPrice {
            per_request: credits("0.5"),
            input_per_million: credits("2.5"),
            cached_input_per_million: Some(credits("0.25")),
            output_per_million: credits("10"),
            ..PlainPrice::default()
        };
        let cost = PlainPrice {
            input_per_million: credits("2"),
            output_per_million: credits("8"),
            reasoning_per_million: Some(credits("9")),
            ..PlainPrice::default()
        };
        let list = price.list(Some(&cost));
        let lines = [
            "request  0.5 / 0",
            "input_token  2.5 / 2",
            "cached_input_token  0.25 / 2",
            "output_token  10 / 8",
            "reasoning_token  10 / 9",
        ];
        assert_eq!(shown(&list), lines);
        let free = list.clone().or_free([Unit::Image, Unit::OutputAudioToken]);
        assert_eq!(shown(&free)[5..], ["image  0 / 0"]);
        assert!(free.plain().is_some());
        let alone = price.list(None);
        assert!(alone.rates.iter().all(|rate| rate.cost.is_none()));
        let again = alone
            .plain()
            .map(|(price, cost)| (price.list(cost.as_ref()), cost));
        assert_eq!(again, Some((alone, None)));
        let mut richer = list;
        richer.rates[0].when.context_over = Some(1);
        assert_eq!(richer.plain(), None);
    }

    #[test]
    fn rows_of_images_stay_few_and_fit_as_the_plain_ones_did() {
        let price = PlainPrice {
            per_image: vec![
                row(Some("1024X1024"), Some("high"), "4"),
                row(Some("1024x1024"), None, "2"),
                row(None, Some("low"), "1"),
            ],
            ..PlainPrice::default()
        };
        let list = price.list(None);
        let lines = [
            "image 1024x1024 high 4 / ?",
            "image 1024x1024 2 / ?",
            "image low 1 / ?",
            "image  4 / ?",
        ];
        assert_eq!(shown(&list)[2..], lines);
        let cost = PlainPrice {
            per_image: vec![row(None, Some("high"), "3"), row(None, None, "0.1")],
            ..PlainPrice::default()
        };
        let both = [
            "image 1024x1024 high 4 / 3",
            "image 1024x1024 2 / 0.1",
            "image high 4 / 3",
            "image low 1 / 0.1",
            "image  4 / 0.1",
        ];
        assert_eq!(shown(&price.list(Some(&cost)))[2..], both);
    }
}
