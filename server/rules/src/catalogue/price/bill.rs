//! How a charge came about, line by line: every step of the arithmetic kept, exact, so that the lines
//! add up to the credits charged.

use std::fmt;

use shared::credits::Credits;
use shared::units::Unit;

use super::tariff::{PPM, rounded_up};

/// Sums before the multiplier are in so many parts of a micro-credit: the least number that a
/// million, an hour of milliseconds and a minute of them divide, so that a price per any of these is
/// whole.
pub(super) const SCALE: i128 = 18_000_000;
/// Parts of an [`Exact`] in a micro-credit.
const PARTS_PER_MICRO: i128 = SCALE * PPM;
/// Parts of an [`Exact`] in its last decimal.
const PARTS_PER_DECIMAL: u128 = 18;
/// Last decimals of an [`Exact`] in a credit.
const DECIMALS_PER_CREDIT: u128 = 1_000_000_000_000_000_000;

/// An exact amount of credits. Written with 18 decimals at most, which is exact for prices of a
/// million units times a multiplier; thirds, as of prices by the minute, are rounded in writing alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Exact(i128);

impl Exact {
    /// The same amount.
    pub fn of(credits: Credits) -> Option<Self> {
        i128::from(credits.micros())
            .checked_mul(PARTS_PER_MICRO)
            .map(Self)
    }

    /// A sum before the multiplier.
    pub(super) fn scaled(sum: i128) -> Option<Self> {
        sum.checked_mul(PPM).map(Self)
    }

    /// The amount in whole micro-credits; `None` when it lies between two or does not fit.
    pub fn whole(self) -> Option<Credits> {
        if self.0.checked_rem(PARTS_PER_MICRO)? != 0 {
            return None;
        }
        let micros = self.0.checked_div(PARTS_PER_MICRO)?;
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
        let half = PARTS_PER_DECIMAL / 2;
        let magnitude = self.0.unsigned_abs().saturating_add(half) / PARTS_PER_DECIMAL;
        let sign = if self.0 < 0 && magnitude > 0 { "-" } else { "" };
        let (whole, rest) = (
            magnitude / DECIMALS_PER_CREDIT,
            magnitude % DECIMALS_PER_CREDIT,
        );
        if rest == 0 {
            return write!(f, "{sign}{whole}");
        }
        let decimals = format!("{rest:018}");
        write!(f, "{sign}{whole}.{}", decimals.trim_end_matches('0'))
    }
}

/// Units times a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Of what.
    pub unit: Unit,
    /// How many; begun steps count whole in the amount.
    pub count: u64,
    /// The price of `per` units.
    pub price: Credits,
    /// A million for most tokens.
    pub per: u64,
    /// Units times price, exactly.
    pub amount: Exact,
}

/// A charge with its arithmetic: lines, minimum, multiplier and rounding add up to what was charged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// Units that were used, in their order.
    pub lines: Vec<Line>,
    /// The lines together.
    pub subtotal: Exact,
    /// What the least charge of a call added.
    pub raised: Exact,
    /// What that was multiplied by, in millionths.
    pub multiplier_ppm: i64,
    /// What the multiplier added, or took away when below nothing.
    pub multiplied: Exact,
    /// What rounding up to a whole micro-credit added.
    pub rounded: Exact,
    /// What is charged.
    pub total: Credits,
    /// Units that had no rate and were charged at the dearest of their family.
    pub unpriced: Vec<(Unit, u64)>,
}

impl Bill {
    pub(super) fn new(
        lines: Vec<Line>,
        (sum, raised): (i128, i128),
        multiplier_ppm: i64,
        unpriced: Vec<(Unit, u64)>,
    ) -> Option<Self> {
        let whole = sum.checked_add(raised)?;
        let total = rounded_up(whole, multiplier_ppm)?;
        let exact = Exact(whole.checked_mul(i128::from(multiplier_ppm))?);
        let before = Exact::scaled(whole)?;
        Some(Self {
            lines,
            subtotal: Exact::scaled(sum)?,
            raised: Exact::scaled(raised)?,
            multiplier_ppm,
            multiplied: exact.checked_sub(before)?,
            rounded: Exact::of(total)?.checked_sub(exact)?,
            total,
            unpriced,
        })
    }
}
