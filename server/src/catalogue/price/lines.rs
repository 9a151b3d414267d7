//! How a charge came about, line by line: the same arithmetic as [`PriceItems::charge`], with every
//! step kept. Pure; exact to the last digit, so that the lines add up to the credits charged.

use std::fmt;

use shared::credits::Credits;
use shared::usage::Usage;

use super::{ImageAsk, PPM, PriceItems, TOKENS_PER_PRICE, rounded_up};

/// An exact amount of credits with 18 decimals: a price of a token times a multiplier has as many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Exact(i128);

/// Units of an [`Exact`] in a micro-credit.
const UNITS_PER_MICRO: i128 = 1_000_000_000_000;
/// Units of an [`Exact`] in a credit.
const UNITS_PER_CREDIT: u128 = 1_000_000_000_000_000_000;

impl Exact {
    /// The same amount.
    pub fn of(credits: Credits) -> Option<Self> {
        i128::from(credits.micros())
            .checked_mul(UNITS_PER_MICRO)
            .map(Self)
    }

    /// The amount in whole micro-credits; `None` when it lies between two or does not fit.
    pub fn whole(self) -> Option<Credits> {
        if self.0.checked_rem(UNITS_PER_MICRO)? != 0 {
            return None;
        }
        let micros = self.0.checked_div(UNITS_PER_MICRO)?;
        i64::try_from(micros).ok().map(Credits::from_micros)
    }

    /// Sum; `None` when it does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

impl fmt::Display for Exact {
    /// As a decimal number without zeros at its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let whole = magnitude.checked_div(UNITS_PER_CREDIT).unwrap_or_default();
        let rest = magnitude.checked_rem(UNITS_PER_CREDIT).unwrap_or_default();
        if rest == 0 {
            return write!(f, "{sign}{whole}");
        }
        let decimals = format!("{rest:018}");
        write!(f, "{sign}{whole}.{}", decimals.trim_end_matches('0'))
    }
}

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The call itself.
    Request,
    /// Input tokens at the full price.
    Input,
    /// Input tokens read from the provider's cache.
    CachedInput,
    /// Input tokens written to the provider's cache.
    CacheWrite,
    /// Output tokens without reasoning.
    Output,
    /// Output tokens spent on reasoning.
    Reasoning,
    /// Images.
    Image,
}

impl Part {
    /// A stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Input => "input",
            Self::CachedInput => "cached_input",
            Self::CacheWrite => "cache_write",
            Self::Output => "output",
            Self::Reasoning => "reasoning",
            Self::Image => "image",
        }
    }
}

/// Units times a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// For what.
    pub part: Part,
    /// How many requests, tokens or images.
    pub units: u64,
    /// The price of `per` units.
    pub price: Credits,
    /// A million for tokens, else one.
    pub per: u64,
    /// Units times price, exactly.
    pub amount: Exact,
}

/// A charge with its arithmetic: lines, multiplier and rounding add up to what was charged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// Parts that came to something or were used; in the order of the price.
    pub lines: Vec<Line>,
    /// The lines together.
    pub subtotal: Exact,
    /// What the subtotal was multiplied by, in millionths.
    pub multiplier_ppm: i64,
    /// What the multiplier added, or took away when below nothing.
    pub multiplied: Exact,
    /// What rounding up to a whole micro-credit added.
    pub rounded: Exact,
    /// What is charged.
    pub total: Credits,
}

impl PriceItems {
    /// The charge that [`PriceItems::charge`] makes of the same, with its arithmetic; `None` where that
    /// has none either.
    pub fn bill(
        &self,
        usage: &Usage,
        image: Option<ImageAsk<'_>>,
        multiplier_ppm: i64,
    ) -> Option<Bill> {
        if !self.is_sound() {
            return None;
        }
        let tokens = |part, units, price| (part, units, price, TOKENS_PER_PRICE);
        let mut parts = vec![
            (Part::Request, 1, self.per_request, 1),
            tokens(Part::Input, usage.input_tokens, self.input_per_million),
            tokens(
                Part::CachedInput,
                usage.cached_input_tokens,
                self.cached_input(),
            ),
            tokens(
                Part::CacheWrite,
                usage.cache_write_tokens,
                self.cache_write(),
            ),
            tokens(Part::Output, usage.output_tokens, self.output_per_million),
            tokens(Part::Reasoning, usage.reasoning_tokens, self.reasoning()),
        ];
        parts.extend(image.map(|ask| (Part::Image, ask.n, self.image(ask), 1)));
        let (mut lines, mut sum) = (Vec::new(), 0_i128);
        for (part, units, price, per) in parts {
            // In millionths of a micro-credit, as everywhere before the multiplier.
            let share = TOKENS_PER_PRICE.checked_div(per)?;
            let product = i128::from(units).checked_mul(i128::from(price.micros()))?;
            let amount = product.checked_mul(share)?;
            sum = sum.checked_add(amount)?;
            let used = match part {
                Part::Request => price > Credits::ZERO,
                Part::Input
                | Part::CachedInput
                | Part::CacheWrite
                | Part::Output
                | Part::Reasoning
                | Part::Image => units > 0,
            };
            if used {
                lines.push(Line {
                    part,
                    units,
                    price,
                    per: u64::try_from(per).ok()?,
                    amount: Exact(amount.checked_mul(PPM)?),
                });
            }
        }
        let total = rounded_up(sum, multiplier_ppm)?;
        let subtotal = Exact(sum.checked_mul(PPM)?);
        let exact = Exact(sum.checked_mul(i128::from(multiplier_ppm))?);
        Some(Bill {
            lines,
            subtotal,
            multiplier_ppm,
            multiplied: exact.checked_sub(subtotal)?,
            rounded: Exact::of(total)?.checked_sub(exact)?,
            total,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::ImagePrice;
    use super::*;

    fn micros(n: i64) -> Credits {
        Credits::from_micros(n)
    }

    #[test]
    fn a_bill_reads_as_one_would_reckon_by_hand() {
        let price = PriceItems {
            per_request: micros(100),
            input_per_million: micros(2_500_000),
            cached_input_per_million: Some(micros(1_250_000)),
            output_per_million: micros(10_000_001),
            ..PriceItems::default()
        };
        let usage = Usage {
            input_tokens: 1_000,
            cached_input_tokens: 500,
            output_tokens: 7,
            ..Usage::default()
        };
        let bill = price.bill(&usage, None, 1_100_000).expect("a bill");
        let lines: Vec<String> = bill
            .lines
            .iter()
            .map(|line| {
                let word = line.part.word();
                format!(
                    "{word} {} x {} / {} = {}",
                    line.units, line.price, line.per, line.amount
                )
            })
            .collect();
        assert_eq!(
            lines,
            [
                "request 1 x 0.0001 / 1 = 0.0001",
                "input 1000 x 2.5 / 1000000 = 0.0025",
                "cached_input 500 x 1.25 / 1000000 = 0.000625",
                "output 7 x 10.000001 / 1000000 = 0.000070000007",
            ]
        );
        assert_eq!(bill.subtotal.to_string(), "0.003295000007");
        assert_eq!(bill.multiplied.to_string(), "0.0003295000007");
        assert_eq!(bill.rounded.to_string(), "0.0000004999923");
        assert_eq!(bill.total, micros(3_625));
    }

    #[test]
    fn exact_amounts_print_with_their_sign_and_know_when_they_are_whole() {
        assert_eq!(Exact(-1).to_string(), "-0.000000000000000001");
        assert_eq!(
            Exact::of(micros(-2_500_000)).expect("fits").to_string(),
            "-2.5"
        );
        assert_eq!(Exact(1).whole(), None);
        assert_eq!(Exact(3 * UNITS_PER_MICRO).whole(), Some(micros(3)));
    }

    fn price() -> impl Strategy<Value = PriceItems> {
        let item = || 0_i64..1_000_000_000_000_000;
        let maybe = || proptest::option::of(item());
        (item(), item(), maybe(), maybe(), item(), maybe(), item()).prop_map(
            |(request, input, cached, written, output, reasoning, image)| PriceItems {
                per_request: micros(request),
                input_per_million: micros(input),
                cached_input_per_million: cached.map(micros),
                cache_write_per_million: written.map(micros),
                output_per_million: micros(output),
                reasoning_per_million: reasoning.map(micros),
                per_image: vec![ImagePrice {
                    credits: micros(image),
                    ..ImagePrice::default()
                }],
            },
        )
    }

    fn usage() -> impl Strategy<Value = Usage> {
        let tokens = || 0_u64..1 << 30;
        (tokens(), tokens(), tokens(), tokens(), tokens()).prop_map(
            |(input, cached, written, output, reasoning)| Usage {
                input_tokens: input,
                cached_input_tokens: cached,
                cache_write_tokens: written,
                output_tokens: output,
                reasoning_tokens: reasoning,
                ..Usage::default()
            },
        )
    }

    proptest! {
        #[test]
        fn the_lines_add_up_exactly_to_the_charge(
            price in price(),
            usage in usage(),
            images in proptest::option::of(0_u64..1_000),
            multiplier_ppm in 0_i64..10_000_000,
        ) {
            let image = images.map(|n| ImageAsk { n, size: None, quality: None });
            let charged = price.charge(&usage, image, multiplier_ppm);
            let bill = price.bill(&usage, image, multiplier_ppm);
            prop_assert_eq!(charged, bill.as_ref().map(|bill| bill.total));
            if let Some(bill) = bill {
                let mut sum = Exact::default();
                for line in &bill.lines {
                    sum = sum.checked_add(line.amount).expect("fits");
                }
                prop_assert_eq!(sum, bill.subtotal);
                let sum = sum.checked_add(bill.multiplied).expect("fits");
                let sum = sum.checked_add(bill.rounded).expect("fits");
                prop_assert_eq!(sum.whole(), charged);
                prop_assert!(bill.rounded >= Exact::default());
                prop_assert!(bill.rounded < Exact(UNITS_PER_MICRO), "less than a micro-credit");
            }
        }
    }
}
