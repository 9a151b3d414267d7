//! Numbers of a list as they are written, exact to the last digit: `1.5e-07` is fifteen hundred-millionths
//! and no binary fraction near it. Knows no unit.

use super::ListFault;

/// A binary fraction printed in full has 17 digits; more than twice as many are an attack or an accident.
const DIGITS_MAX: usize = 40;
/// Prices of one token begin at the twelfth place behind the point.
const EXPONENT_MAX: i32 = 60;
/// An amount beyond it does not fit anyway.
const WHOLE_DIGITS_MAX: usize = 30;

/// A number of nothing or more: `digits`, the last one first, times ten to the power of `exponent`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decimal {
    digits: Vec<u8>,
    exponent: i32,
}

/// An amount in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Millionths {
    /// How many.
    pub count: i64,
    /// Whether it was rounded up to that.
    pub is_rounded: bool,
}

impl Decimal {
    /// One.
    pub fn one() -> Self {
        Self::whole(1)
    }

    /// A whole number.
    pub fn whole(number: u64) -> Self {
        let digits = number.to_string().bytes().rev().map(|b| b - b'0').collect();
        Self {
            digits,
            exponent: 0,
        }
        .trimmed()
    }

    /// So many millionths; nothing where they are below nothing.
    pub fn millionths(count: i64) -> Self {
        Self::whole(u64::try_from(count).unwrap_or(0)).shifted(-6)
    }

    /// Reads a number as JSON writes it (RFC 8259, 6).
    pub fn parse(text: &str) -> Result<Self, ListFault> {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (text, 0),
        };
        let (whole, places) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !is_number(places) {
            return Err(ListFault::NotANumber);
        }
        let written = [whole, places].concat();
        let significant = written.trim_matches('0');
        if significant.is_empty() {
            return Ok(Self::default());
        }
        if is_negative {
            return Err(ListFault::Negative);
        }
        if significant.len() > DIGITS_MAX || places.len() > DIGITS_MAX * 2 {
            return Err(ListFault::TooLong);
        }
        let digits = written.bytes().rev().map(|b| b - b'0').collect();
        let places = i32::try_from(places.len()).map_err(|_| ListFault::TooLong)?;
        let number = Self {
            digits,
            exponent: exponent - places,
        }
        .trimmed();
        if number.exponent.abs() > EXPONENT_MAX {
            return Err(ListFault::TooLong);
        }
        Ok(number)
    }

    /// Whether it is nothing.
    pub fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// Times another.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        let mut sums = vec![0_u32; self.digits.len() + other.digits.len()];
        for (at, digit) in self.digits.iter().enumerate() {
            for (behind, more) in other.digits.iter().enumerate() {
                // Numbers are products of six of them at most, so a sum stays below 81 * 240.
                sums[at + behind] += u32::from(*digit) * u32::from(*more);
            }
        }
        let mut carry = 0;
        let mut digits = Vec::with_capacity(sums.len());
        for sum in sums {
            let sum = sum + carry;
            digits.push(u8::try_from(sum % 10).unwrap_or(0));
            carry = sum / 10;
        }
        while carry > 0 {
            digits.push(u8::try_from(carry % 10).unwrap_or(0));
            carry /= 10;
        }
        Self {
            digits,
            exponent: self.exponent + other.exponent,
        }
        .trimmed()
    }

    /// Times ten to that power.
    #[must_use]
    pub fn shifted(mut self, power: i32) -> Self {
        if !self.is_zero() {
            self.exponent += power;
        }
        self
    }

    /// Whether it is more than another.
    pub fn is_more_than(&self, other: &Self) -> bool {
        let top = |of: &Self| i32::try_from(of.digits.len()).unwrap_or(i32::MAX) + of.exponent;
        if self.is_zero() || other.is_zero() || top(self) != top(other) {
            return match (self.is_zero(), other.is_zero()) {
                (true, _) => false,
                (false, true) => true,
                (false, false) => top(self) > top(other),
            };
        }
        // Of one length before the point: the first digit that differs decides, a longer one is more.
        self.digits.iter().rev().gt(other.digits.iter().rev())
    }

    /// In millionths, rounded up to a whole one; `None` where that does not fit.
    pub fn to_millionths(&self) -> Option<Millionths> {
        let power = self.exponent + 6;
        let (kept, is_rounded) = if power >= 0 {
            let zeros = usize::try_from(power).ok()?;
            if self.digits.len() + zeros > WHOLE_DIGITS_MAX && !self.is_zero() {
                return None;
            }
            let zeros = vec![0_u8; if self.is_zero() { 0 } else { zeros }];
            ([zeros, self.digits.clone()].concat(), false)
        } else {
            let gone = usize::try_from(power.unsigned_abs()).ok()?;
            let gone = gone.min(self.digits.len());
            let is_rounded = self.digits.iter().take(gone).any(|digit| *digit > 0);
            (self.digits.iter().skip(gone).copied().collect(), is_rounded)
        };
        let mut count: i64 = 0;
        for digit in kept.iter().rev() {
            count = count.checked_mul(10)?.checked_add(i64::from(*digit))?;
        }
        let count = count.checked_add(i64::from(is_rounded))?;
        Some(Millionths { count, is_rounded })
    }

    /// Without zeros at either end.
    fn trimmed(mut self) -> Self {
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        let zeros = self.digits.iter().take_while(|digit| **digit == 0).count();
        self.digits.drain(..zeros);
        self.exponent += i32::try_from(zeros).unwrap_or(0);
        if self.digits.is_empty() {
            self.exponent = 0;
        }
        self
    }
}

fn read_exponent(text: &str) -> Result<i32, ListFault> {
    let (sign, digits) = match text.as_bytes().first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        _ => (1, text),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ListFault::NotANumber);
    }
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Ok(0);
    }
    // What is larger is nonsense, and would not fit either.
    if digits.len() > 3 {
        return Err(ListFault::TooLong);
    }
    let number: i32 = digits.parse().map_err(|_| ListFault::TooLong)?;
    Ok(sign * number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_to_the_last_digit() {
        for (text, count, is_rounded) in [
            ("0", 0, false),
            ("-0.0", 0, false),
            ("0e-400", 0, false),
            ("1", 1_000_000, false),
            ("1.5e-07", 1, true),
            ("1.5E-6", 2, true),
            ("0.000001", 1, false),
            ("0.0000010000000000000001", 2, true),
            ("2e+3", 2_000_000_000, false),
            ("12.340", 12_340_000, false),
            ("9223372036854.775807", i64::MAX, false),
        ] {
            let told = Decimal::parse(text).map(|number| number.to_millionths());
            assert_eq!(told, Ok(Some(Millionths { count, is_rounded })), "{text}");
        }
        let per_million = Decimal::parse("1.5e-07").expect("a number").shifted(6);
        assert_eq!(per_million, Decimal::parse("0.15").expect("a number"));
        let too_much = Decimal::parse("9223372036854.775808").expect("a number");
        assert_eq!(too_much.to_millionths(), None);
        assert_eq!(Decimal::parse("1e50").map(|n| n.to_millionths()), Ok(None));
    }

    #[test]
    fn what_is_no_amount_is_told_apart() {
        for (text, fault) in [
            ("", ListFault::NotANumber),
            (".5", ListFault::NotANumber),
            ("1.", ListFault::NotANumber),
            ("1e", ListFault::NotANumber),
            ("1e+", ListFault::NotANumber),
            ("NaN", ListFault::NotANumber),
            ("0x10", ListFault::NotANumber),
            ("1_000", ListFault::NotANumber),
            ("-1e-9", ListFault::Negative),
            ("1e999999999999", ListFault::TooLong),
            ("1e-61", ListFault::TooLong),
        ] {
            assert_eq!(Decimal::parse(text), Err(fault), "{text}");
        }
        let long = "1".repeat(41);
        assert_eq!(Decimal::parse(&long), Err(ListFault::TooLong));
    }

    #[test]
    fn products_and_comparisons_are_exact() {
        let number = |text: &str| Decimal::parse(text).expect("a number");
        for (a, b, product) in [
            ("0.3", "0.1", "0.03"),
            ("99", "99", "9801"),
            ("1.25", "8", "10"),
            ("0", "7", "0"),
            (
                "0.30000000000000004",
                "0.30000000000000004",
                "0.0900000000000000240000000000000016",
            ),
        ] {
            assert_eq!(number(a).times(&number(b)), number(product), "{a} * {b}");
        }
        for (more, less) in [
            ("1", "0"),
            ("10", "9.99"),
            ("1.01", "1"),
            ("2e-7", "1.99e-7"),
        ] {
            assert!(number(more).is_more_than(&number(less)), "{more} {less}");
            assert!(!number(less).is_more_than(&number(more)), "{less} {more}");
            assert!(!number(more).is_more_than(&number(more)), "{more}");
        }
    }
}
