//! `Credits`: money as whole millionths of a credit, with checked arithmetic and exact decimal text.
//! Knows no price and no floating point.

#![deny(clippy::float_arithmetic, clippy::arithmetic_side_effects)]

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

use serde::de::Error as _;

/// An amount of credits; may be negative where a difference is meant. 1 credit = 1,000,000 micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Credits(i64);

/// How many micro-credits make a credit.
pub const MICROS_PER_CREDIT: i64 = 1_000_000;

/// The text is not a decimal amount with at most six places that fits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an amount of credits is a decimal number with at most 6 places, between -9e12 and 9e12")]
pub struct CreditsError;

impl Credits {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount.
    pub const MAX: Self = Self(i64::MAX);

    /// From whole micro-credits.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From whole credits; `None` when it does not fit.
    pub const fn from_credits(credits: i64) -> Option<Self> {
        match credits.checked_mul(MICROS_PER_CREDIT) {
            Some(micros) => Some(Self(micros)),
            None => None,
        }
    }

    /// As whole micro-credits.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Sum; `None` when it does not fit.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(micros) => Some(Self(micros)),
            None => None,
        }
    }

    /// Difference; `None` when it does not fit.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(micros) => Some(Self(micros)),
            None => None,
        }
    }

    /// `self * numerator / denominator`, rounded up (towards plus infinity); `None` when the
    /// result does not fit, a factor is negative or the denominator is not positive.
    pub fn scaled_up(self, numerator: i64, denominator: i64) -> Option<Self> {
        if self.0 < 0 || numerator < 0 || denominator <= 0 {
            return None;
        }
        let product = i128::from(self.0).checked_mul(i128::from(numerator))?;
        let denominator = i128::from(denominator);
        let rounded = product
            .checked_add(denominator.checked_sub(1)?)?
            .checked_div(denominator)?;
        i64::try_from(rounded).ok().map(Self)
    }

    /// Whether less than nothing.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }
}

impl Sum for Credits {
    /// # Panics
    /// When the sum leaves the range: balances are bounded far below it, so this is a bug.
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, |total, next| {
            total
                .checked_add(next)
                .expect("a sum of credits fits in 64 bits")
        })
    }
}

impl fmt::Display for Credits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let (whole, micros) = (magnitude / 1_000_000, magnitude % 1_000_000);
        let sign = if self.0 < 0 { "-" } else { "" };
        if micros == 0 {
            return write!(f, "{sign}{whole}");
        }
        let decimals = format!("{micros:06}");
        write!(f, "{sign}{whole}.{}", decimals.trim_end_matches('0'))
    }
}

impl FromStr for Credits {
    type Err = CreditsError;

    fn from_str(text: &str) -> Result<Self, CreditsError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let well_formed = !whole.is_empty()
            && whole.len() <= 13
            && decimals.len() <= 6
            && all_digits(whole)
            && all_digits(decimals)
            && !(digits.ends_with('.'));
        if !well_formed {
            return Err(CreditsError);
        }
        let whole: i64 = whole.parse().map_err(|_| CreditsError)?;
        let micros: i64 = format!("{decimals:0<6}")
            .parse()
            .map_err(|_| CreditsError)?;
        let magnitude = whole
            .checked_mul(MICROS_PER_CREDIT)
            .and_then(|w| w.checked_add(micros))
            .ok_or(CreditsError)?;
        let signed = if negative {
            magnitude.checked_neg()
        } else {
            Some(magnitude)
        };
        signed.map(Self).ok_or(CreditsError)
    }
}

impl serde::Serialize for Credits {
    /// A JSON number written digit by digit, never through a float.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = serde_json::value::RawValue::from_string(self.to_string())
            .map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Credits {
    /// Takes a JSON number or a string with one, read digit by digit.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<serde_json::value::RawValue>::deserialize(deserializer)?;
        raw.get()
            .trim_matches('"')
            .parse()
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails, as it should"
)]
mod tests;
