//! What usage costs: exact, in whole micro-credits, rounded up once at the end.
//! Pure: knows no tenant, no database and no clock; `catalogue` finds the price that is valid.

#![deny(clippy::float_arithmetic, clippy::arithmetic_side_effects)]

pub mod bill;
pub mod lines;
pub mod list;
pub mod plain;
pub mod when;

use serde::{Deserialize, Serialize};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::PriceId;
use shared::usage::Usage;

/// One price item may be a thousand million credits; with it every sum of tokens fits in 128 bits.
pub const ITEM_MAX: Credits = Credits::from_micros(1_000_000_000_000_000);
/// More rows by size and quality than any vendor has.
pub const IMAGE_PRICES_MAX: usize = 64;

/// Token prices are for a million tokens.
const TOKENS_PER_PRICE: i128 = 1_000_000;
/// Multipliers are in millionths.
const PPM: i128 = 1_000_000;

/// A price of a model and what the provider takes for the same, valid from a moment on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// Its id; usage records name it.
    pub id: PriceId,
    /// From when on.
    pub valid_from: Moment,
    /// What tenants pay.
    pub items: PriceItems,
    /// What the provider takes.
    pub cost: PriceItems,
}

/// The parts of a price. An unknown part is refused when read: it would be charged as nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PriceItems {
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
    /// For an image, by size and quality.
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

/// Images that were asked for or made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageAsk<'a> {
    /// How many.
    pub n: u64,
    /// As the tenant wrote it.
    pub size: Option<&'a str>,
    /// As the tenant wrote it.
    pub quality: Option<&'a str>,
}

/// The bounds of a call that has not run yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorstCase<'a> {
    /// Input tokens of all classes at most.
    pub input_tokens: u64,
    /// Output tokens at most, reasoning included.
    pub output_tokens: u64,
    /// Images at most.
    pub image: Option<ImageAsk<'a>>,
}

impl PriceItems {
    /// What `usage` costs. Images are charged by `image`, whose `n` is how many were made; tokens
    /// are charged beside them. `None` when it does not fit or the price is unsound.
    pub fn charge(
        &self,
        usage: &Usage,
        image: Option<ImageAsk<'_>>,
        multiplier_ppm: i64,
    ) -> Option<Credits> {
        let classes = [
            (usage.input_tokens, self.input_per_million),
            (usage.cached_input_tokens, self.cached_input()),
            (usage.cache_write_tokens, self.cache_write()),
            (usage.output_tokens, self.output_per_million),
            (usage.reasoning_tokens, self.reasoning()),
        ];
        rounded_up(self.sum(&classes, image)?, multiplier_ppm)
    }

    /// What a call within the bounds costs at most: each token in the dearest class of its side.
    pub fn worst_case(&self, bounds: WorstCase<'_>, multiplier_ppm: i64) -> Option<Credits> {
        let classes = [
            (bounds.input_tokens, self.dearest_input()),
            (bounds.output_tokens, self.dearest_output()),
        ];
        rounded_up(self.sum(&classes, bounds.image)?, multiplier_ppm)
    }

    /// The largest bound of output tokens whose worst case without images fits into `budget`;
    /// `u64::MAX` when output is free, `None` when not even the input fits.
    pub fn output_tokens_within(
        &self,
        budget: Credits,
        input_tokens: u64,
        multiplier_ppm: i64,
    ) -> Option<u64> {
        let fixed = self.sum(&[(input_tokens, self.dearest_input())], None)?;
        if rounded_up(fixed, multiplier_ppm)? > budget {
            return None;
        }
        let price = i128::from(self.dearest_output().micros());
        if price == 0 || multiplier_ppm == 0 {
            return Some(u64::MAX);
        }
        // Rounding up to a whole micro-credit stays within a whole budget exactly when the
        // unrounded amount does, so the division may go down at each step.
        let budget = i128::from(budget.micros())
            .checked_mul(TOKENS_PER_PRICE)?
            .checked_mul(PPM)?;
        let payable = budget.checked_div(i128::from(multiplier_ppm))?;
        let tokens = payable.checked_sub(fixed)?.checked_div(price)?;
        Some(u64::try_from(tokens).unwrap_or(u64::MAX))
    }

    /// Whether every item is from nothing to [`ITEM_MAX`], and there are not too many.
    pub fn is_sound(&self) -> bool {
        let optional = [
            self.cached_input_per_million,
            self.cache_write_per_million,
            self.reasoning_per_million,
        ];
        let sound = |item: Credits| Credits::ZERO <= item && item <= ITEM_MAX;
        self.per_image.len() <= IMAGE_PRICES_MAX
            && [
                self.per_request,
                self.input_per_million,
                self.output_per_million,
            ]
            .into_iter()
            .chain(optional.into_iter().flatten())
            .chain(self.per_image.iter().map(|image| image.credits))
            .all(sound)
    }

    /// In millionths of a micro-credit, before the multiplier.
    fn sum(&self, classes: &[(u64, Credits)], image: Option<ImageAsk<'_>>) -> Option<i128> {
        if !self.is_sound() {
            return None;
        }
        let mut total = i128::from(self.per_request.micros()).checked_mul(TOKENS_PER_PRICE)?;
        for (tokens, price) in classes {
            let part = i128::from(*tokens).checked_mul(i128::from(price.micros()))?;
            total = total.checked_add(part)?;
        }
        if let Some(ask) = image {
            let each = i128::from(self.image(ask).micros()).checked_mul(TOKENS_PER_PRICE)?;
            total = total.checked_add(each.checked_mul(i128::from(ask.n))?)?;
        }
        Some(total)
    }

    /// The price of one image: that of its size and quality, else of its size, of its quality, of
    /// any image. A wish that the list does not know is taken as the dearest.
    pub(crate) fn image(&self, ask: ImageAsk<'_>) -> Credits {
        let row = |size: Option<&str>, quality: Option<&str>| {
            self.per_image
                .iter()
                .find(|row| row.size.as_deref() == size && row.quality.as_deref() == quality)
        };
        row(ask.size, ask.quality)
            .or_else(|| row(ask.size, None))
            .or_else(|| row(None, ask.quality))
            .or_else(|| row(None, None))
            .map(|row| row.credits)
            .or_else(|| self.per_image.iter().map(|row| row.credits).max())
            .unwrap_or(Credits::ZERO)
    }

    fn cached_input(&self) -> Credits {
        self.cached_input_per_million
            .unwrap_or(self.input_per_million)
    }

    fn cache_write(&self) -> Credits {
        self.cache_write_per_million
            .unwrap_or(self.input_per_million)
    }

    fn reasoning(&self) -> Credits {
        self.reasoning_per_million
            .unwrap_or(self.output_per_million)
    }

    fn dearest_input(&self) -> Credits {
        self.input_per_million
            .max(self.cached_input())
            .max(self.cache_write())
    }

    fn dearest_output(&self) -> Credits {
        self.output_per_million.max(self.reasoning())
    }
}

/// The one rounding: `total` is in millionths of a micro-credit.
fn rounded_up(total: i128, multiplier_ppm: i64) -> Option<Credits> {
    assert!(
        total >= 0,
        "a sound price times a count is never below nothing"
    );
    if multiplier_ppm < 0 {
        return None;
    }
    let scale = TOKENS_PER_PRICE.checked_mul(PPM)?;
    let exact = total.checked_mul(i128::from(multiplier_ppm))?;
    let rounded = exact
        .checked_add(scale.checked_sub(1)?)?
        .checked_div(scale)?;
    i64::try_from(rounded).ok().map(Credits::from_micros)
}

#[cfg(test)]
mod tests;
