//! Reads a vendor's answer to the question for a balance. Any bytes end in a reading or a problem; numbers
//! stay text until they are decimal amounts.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;
use shared::link::balance::{BalanceProblem, VendorAmount};

use super::{BalanceQuestion, BalanceReading, CurrencyPlace};

/// Words of vendors for currencies are short.
const CURRENCY_CHARS_MAX: usize = 12;
/// Accounts in more currencies are none.
const ENTRIES_MAX: usize = 20;

type Fields<'a> = HashMap<Cow<'a, str>, &'a RawValue>;

/// The fields of an object.
fn fields(raw: &RawValue) -> Option<Fields<'_>> {
    serde_json::from_str(raw.get()).ok()
}

/// A number as it stands, or a text that holds one.
fn number(raw: &RawValue) -> Option<Cow<'_, str>> {
    let text = raw.get();
    match text.as_bytes().first()? {
        b'"' => serde_json::from_str::<Cow<'_, str>>(text).ok(),
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(text)),
        _ => None,
    }
}

impl BalanceQuestion {
    /// What an answer tells.
    pub(super) fn read(&self, body: &[u8]) -> Result<BalanceReading, BalanceProblem> {
        let told = std::str::from_utf8(body).ok();
        let raw = told.and_then(|text| serde_json::from_str::<&RawValue>(text).ok());
        let mut raw = raw.ok_or(BalanceProblem::Unreadable)?;
        for name in self.inside {
            let inside = fields(raw).and_then(|fields| fields.get(*name).copied());
            raw = inside.ok_or(BalanceProblem::Unreadable)?;
        }
        if !raw.get().starts_with('[') {
            return self.entry(raw);
        }
        let entries: Vec<&RawValue> =
            serde_json::from_str(raw.get()).map_err(|_| BalanceProblem::Unreadable)?;
        if entries.len() > ENTRIES_MAX {
            return Err(BalanceProblem::Unreadable);
        }
        let read = entries.into_iter().map(|entry| self.entry(entry));
        let read: Vec<BalanceReading> = read.collect::<Result<_, _>>()?;
        // Amounts in several currencies can't be added: the first that holds something pays.
        let holds = read.iter().position(|one| one.amount > VendorAmount::ZERO);
        let mut read = read.into_iter();
        let first = read.nth(holds.unwrap_or(0));
        first.ok_or(BalanceProblem::Unreadable)
    }

    fn entry(&self, raw: &RawValue) -> Result<BalanceReading, BalanceProblem> {
        let fields = fields(raw).ok_or(BalanceProblem::Unreadable)?;
        let amount = |name: &str| {
            let raw = fields.get(name).ok_or(BalanceProblem::Unreadable)?;
            if self.is_open && raw.get() == "null" {
                return Err(BalanceProblem::Unlimited);
            }
            let text = number(raw).ok_or(BalanceProblem::Unreadable)?;
            VendorAmount::read(&text, self.shift).map_err(|_| BalanceProblem::Unreadable)
        };
        let mut left = amount(self.amount)?;
        if !self.less.is_empty() {
            let less = left.less(amount(self.less)?);
            left = less.ok_or(BalanceProblem::Unreadable)?;
        }
        let currency = match self.currency {
            CurrencyPlace::Is(currency) => currency.to_owned(),
            CurrencyPlace::Beside(name) => {
                let raw = fields.get(name).ok_or(BalanceProblem::Unreadable)?;
                let text: Cow<'_, str> =
                    serde_json::from_str(raw.get()).map_err(|_| BalanceProblem::Unreadable)?;
                let is_word = (1..=CURRENCY_CHARS_MAX).contains(&text.len())
                    && text.bytes().all(|b| b.is_ascii_alphanumeric());
                if !is_word {
                    return Err(BalanceProblem::Unreadable);
                }
                text.into_owned()
            }
        };
        Ok(BalanceReading {
            amount: left,
            currency,
        })
    }
}
