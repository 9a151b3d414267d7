//! What a vendor says is left on the account of a key, and what an operator wants done about it. An amount
//! that nobody told is absent, never zero. Asks nobody.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::AdminError;
use super::admin::InvalidField;

/// Longer texts are no amounts.
const TEXT_BYTES_MAX: usize = 64;
/// A power of ten that no account reaches.
const EXPONENT_MAX: i32 = 40;
/// Places behind the point that are kept.
const PLACES: i32 = 6;
/// A warning further ahead warns always.
pub const WARN_DAYS_MAX: u32 = 365;
/// Used where an operator said nothing.
pub const WARN_DAYS_USUAL: u32 = 3;

/// An amount in a vendor's currency, in millionths of it; as text a decimal number. May be negative: some
/// accounts owe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct VendorAmount(i64);

/// The text is not a number that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a decimal number between -9e12 and 9e12")]
pub struct NotAnAmount;

impl VendorAmount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From millionths.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// In millionths.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The difference, where it fits.
    pub fn less(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Reads a number as JSON or a vendor writes it, `shift` places further left: `1e2`, `-0.5`, `88.00`.
    /// What is below a millionth is cut off towards what is less, so that nothing looks like more than it
    /// is.
    pub fn read(text: &str, shift: i32) -> Result<Self, NotAnAmount> {
        let text = text.trim();
        if text.is_empty() || text.len() > TEXT_BYTES_MAX {
            return Err(NotAnAmount);
        }
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i32>().map_err(|_| NotAnAmount)?),
            None => (text, 0),
        };
        if exponent.abs() > EXPONENT_MAX || shift.abs() > EXPONENT_MAX {
            return Err(NotAnAmount);
        }
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let is_number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(part) {
            return Err(NotAnAmount);
        }
        let digits = [whole, part].concat();
        let digits = digits.trim_start_matches('0');
        let digits = if digits.is_empty() { "0" } else { digits };
        let mut value: i128 = digits
            .get(..digits.len().min(36))
            .filter(|some| some.len() == digits.len())
            .and_then(|digits| digits.parse().ok())
            .ok_or(NotAnAmount)?;
        let places = i32::try_from(part.len()).map_err(|_| NotAnAmount)?;
        let mut power = PLACES + exponent - shift - places;
        while power > 0 && value != 0 {
            value = value.checked_mul(10).ok_or(NotAnAmount)?;
            power -= 1;
        }
        let mut is_cut = false;
        while power < 0 && value != 0 {
            is_cut |= value % 10 != 0;
            value /= 10;
            power += 1;
        }
        if is_negative {
            value = -value - i128::from(is_cut);
        }
        i64::try_from(value).map(Self).map_err(|_| NotAnAmount)
    }
}

impl FromStr for VendorAmount {
    type Err = NotAnAmount;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::read(text, 0)
    }
}

impl fmt::Display for VendorAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.unsigned_abs();
        let (whole, part) = (micros / 1_000_000, micros % 1_000_000);
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{whole}")?;
        if part == 0 {
            return Ok(());
        }
        let part = format!("{part:06}");
        write!(f, ".{}", part.trim_end_matches('0'))
    }
}

impl Serialize for VendorAmount {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VendorAmount {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// What an operator wants done about the balances of a provider's keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BalanceTerms {
    /// Whether its vendor is asked.
    pub is_asked: bool,
    /// Who the vendor is, where its address does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// A key with so much or less takes no calls.
    pub floor: VendorAmount,
    /// One with so much or less is warned of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warn_at: Option<VendorAmount>,
    /// One whose balance ends within so many days is warned of; never where it is 0.
    pub warn_days: u32,
}

impl Default for BalanceTerms {
    fn default() -> Self {
        Self {
            is_asked: true,
            vendor: None,
            floor: VendorAmount::ZERO,
            warn_at: None,
            warn_days: WARN_DAYS_USUAL,
        }
    }
}

impl BalanceTerms {
    /// The same, where it may be kept; who the vendors are, a gateway knows.
    pub fn checked(&self) -> Result<(), AdminError> {
        let wrong = |field: &str, rule: String| {
            Err(AdminError::Invalid(InvalidField {
                field: field.to_owned(),
                rule,
            }))
        };
        if self.warn_days > WARN_DAYS_MAX {
            return wrong("warn_days", format!("at most {WARN_DAYS_MAX}"));
        }
        if self.warn_at.is_some_and(|line| line < self.floor) {
            return wrong("warn_at", "at least the floor".to_owned());
        }
        Ok(())
    }
}

/// How it stands with a key's balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BalanceState {
    /// There is enough.
    Fine,
    /// It is at or below the line of a warning.
    Low,
    /// It ends within the days of a warning.
    Ending,
    /// It is at or below the floor: the key takes no calls until it is above.
    Parked,
    /// Nobody told, or long ago.
    #[default]
    #[serde(other)]
    Unknown,
}

impl BalanceState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Unknown,
        Self::Fine,
        Self::Low,
        Self::Ending,
        Self::Parked,
    ];

    /// How soon somebody must look; the highest first.
    pub fn urgency(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Fine => 1,
            Self::Ending => 2,
            Self::Low => 3,
            Self::Parked => 4,
        }
    }

    /// Stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Fine => "fine",
            Self::Low => "low",
            Self::Ending => "ending",
            Self::Parked => "parked",
        }
    }

    /// From its stable word; one that a later version knows is unknown.
    pub fn from_word(word: &str) -> Self {
        let mut all = Self::ALL.into_iter();
        all.find(|state| state.word() == word).unwrap_or_default()
    }
}

/// Why a vendor's answer told no balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BalanceProblem {
    /// The vendor does not tell it to this key.
    Refused,
    /// There is no such question there.
    Absent,
    /// It answered with a failure.
    Failed,
    /// No connection, or it broke.
    Unreachable,
    /// No whole answer in time.
    Slow,
    /// The answer is none of the form that is known, or too large.
    Unreadable,
    /// This account has no limit that could end.
    Unlimited,
    /// Another one than this version knows.
    #[default]
    #[serde(other)]
    Other,
}

impl BalanceProblem {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::Other,
        Self::Refused,
        Self::Absent,
        Self::Failed,
        Self::Unreachable,
        Self::Slow,
        Self::Unreadable,
        Self::Unlimited,
    ];

    /// Stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::Refused => "refused",
            Self::Absent => "absent",
            Self::Failed => "failed",
            Self::Unreachable => "unreachable",
            Self::Slow => "slow",
            Self::Unreadable => "unreadable",
            Self::Unlimited => "unlimited",
        }
    }

    /// From its stable word.
    pub fn from_word(word: &str) -> Self {
        let mut all = Self::ALL.into_iter();
        all.find(|one| one.word() == word).unwrap_or_default()
    }
}

/// The balance of one key as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyBalance {
    /// The key.
    pub key: crate::id::ProviderKeyId,
    /// The operator's name for it.
    #[serde(default)]
    pub label: String,
    /// How its secret ends.
    pub last4: String,
    /// How it stands.
    #[serde(default)]
    pub state: BalanceState,
    /// What the vendor told last; absent where it never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<VendorAmount>,
    /// In which currency; the vendor's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// When that was, in unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<i64>,
    /// When it was asked for last, in unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<i64>,
    /// Why that brought nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<BalanceProblem>,
    /// What it falls by in a day; absent where too little is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily: Option<VendorAmount>,
    /// For how many hours it lasts at that; absent where it does not fall or nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours_left: Option<u64>,
}

/// The balances of one provider's keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderBalances {
    /// Its name.
    pub provider: String,
    /// Who is asked; absent where nobody can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// What an operator wants.
    #[serde(default)]
    pub terms: BalanceTerms,
    /// Of each key.
    #[serde(default)]
    pub keys: Vec<KeyBalance>,
}

/// All that a gateway knows of balances.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BalanceBoard {
    /// Whose balances it can ask for.
    pub vendors: Vec<String>,
    /// By provider.
    pub providers: Vec<ProviderBalances>,
}

/// A balance passed a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceEvent {
    /// The provider's name.
    pub provider: String,
    /// The key.
    pub key: crate::id::ProviderKeyId,
    /// How its secret ends.
    pub last4: String,
    /// How it stands now.
    pub state: BalanceState,
    /// What is left.
    pub amount: VendorAmount,
    /// In which currency.
    pub currency: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_vendors_write_them_and_never_grow() {
        for (text, shift, expected) in [
            ("110.00", 0, Some("110")),
            ("49.58894", 0, Some("49.58894")),
            ("0", 0, Some("0")),
            ("-0", 0, Some("0")),
            (" 88.88 ", 0, Some("88.88")),
            ("-3.5", 0, Some("-3.5")),
            ("+1", 0, Some("1")),
            ("1e2", 0, Some("100")),
            ("1.5e-05", 0, Some("0.000015")),
            ("1.25E+3", 0, Some("1250")),
            ("1000000", 4, Some("100")),
            ("12345", 4, Some("1.2345")),
            ("0.0000019", 0, Some("0.000001")),
            ("-0.0000011", 0, Some("-0.000002")),
            ("9.223372036854775807e12", 0, Some("9223372036854.775807")),
            ("9.3e12", 0, None),
            ("1e39", 0, None),
            ("1e400000000000", 0, None),
            ("0e40", 0, Some("0")),
            ("1e-40", 0, Some("0")),
            ("", 0, None),
            (".5", 0, None),
            ("1,000", 0, None),
            ("1 000", 0, None),
            ("NaN", 0, None),
            ("inf", 0, None),
            ("--1", 0, None),
            ("0x10", 0, None),
            ("１", 0, None),
            ("1.2.3", 0, None),
            (&"9".repeat(63), 0, None),
            (&"1".repeat(2_000), 0, None),
        ] {
            let read = VendorAmount::read(text, shift).ok();
            let read = read.map(|amount| amount.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn words_come_back_and_those_of_later_versions_are_unknown() {
        for state in BalanceState::ALL {
            assert_eq!(BalanceState::from_word(state.word()), state);
            let json = serde_json::to_string(&state).expect("JSON");
            assert_eq!(json, format!("\"{}\"", state.word()));
        }
        for problem in BalanceProblem::ALL {
            assert_eq!(BalanceProblem::from_word(problem.word()), problem);
        }
        let later: BalanceState = serde_json::from_str("\"frozen\"").expect("a word");
        assert_eq!(later, BalanceState::Unknown);
        assert_eq!(BalanceProblem::from_word("frozen"), BalanceProblem::Other);
    }

    #[test]
    fn terms_that_contradict_themselves_are_refused() {
        let amount = |text: &str| text.parse::<VendorAmount>().expect("an amount");
        let terms = BalanceTerms {
            floor: amount("5"),
            warn_at: Some(amount("4.99")),
            ..BalanceTerms::default()
        };
        assert!(terms.checked().is_err());
        let terms = BalanceTerms {
            warn_at: Some(amount("5")),
            ..terms
        };
        assert_eq!(terms.checked(), Ok(()));
        let terms = BalanceTerms {
            warn_days: WARN_DAYS_MAX + 1,
            ..terms
        };
        assert!(terms.checked().is_err());
        let of_nothing: BalanceTerms = serde_json::from_str("{}").expect("terms");
        assert_eq!(of_nothing, BalanceTerms::default());
    }
}
