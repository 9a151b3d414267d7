//! What a model or a price must look like before it is stored. Pure; names the field and the rule.

pub mod facts;

use shared::calendar::CivilDate;
use shared::credits::Credits;
use shared::link::Operation;

use super::CatalogueError;
use super::model::WeightedTarget;
use super::price::list::{Currency, PERS, WORDS_MAX};
use super::price::{PriceList, RATE_MAX, RATES_MAX, Rate, Tariff};

/// A model's name goes into paths, headers and logs.
pub const ID_BYTES_MAX: usize = 100;
/// More places to try would outlast a call's deadline.
const TARGETS_MAX: usize = 16;
/// The gateway's bound of a provider's name.
pub const PROVIDER_BYTES_MAX: usize = 40;
/// Vendors' longest names with a path are half of it.
pub const PROVIDER_MODEL_BYTES_MAX: usize = 200;
/// Shares finer than a thousandth are not seen in any traffic.
pub const WEIGHT_MAX: u32 = 1_000;
/// Ten steps of fallback.
pub const PRIORITY_MAX: u32 = 9;
/// Six digits tell any two costs apart.
pub const COST_MAX: u32 = 1_000_000;
/// Ten times the largest output of 2026.
pub const OUTPUT_TOKENS_MAX: u64 = 10_000_000;
/// `1024x1024`, `standard` and the like.
pub const IMAGE_WORD_BYTES_MAX: usize = 40;

type Checked = Result<(), CatalogueError>;

fn rule(holds: bool, field: &'static str, rule: impl Into<String>) -> Checked {
    if holds {
        Ok(())
    } else {
        Err(CatalogueError::Invalid {
            field,
            rule: rule.into(),
        })
    }
}

fn is_text(text: &str, bytes_max: usize, allowed: impl Fn(u8) -> bool) -> bool {
    (1..=bytes_max).contains(&text.len()) && text.bytes().all(allowed)
}

/// A model's public name.
pub(super) fn id(id: &str) -> Checked {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._:/-".contains(&b);
    rule(
        is_text(id, ID_BYTES_MAX, allowed),
        "id",
        format!("1 to {ID_BYTES_MAX} of A-Z a-z 0-9 . _ : / -"),
    )
}

/// Whether a text can be a provider's name, or a gateway's.
pub(super) fn provider_name(name: &str) -> bool {
    let is_sign = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    is_text(name, PROVIDER_BYTES_MAX, is_sign)
}

/// Where a model runs.
pub(super) fn targets(targets: &[WeightedTarget]) -> Checked {
    let count = (1..=TARGETS_MAX).contains(&targets.len());
    rule(count, "targets", format!("1 to {TARGETS_MAX} targets"))?;
    for target in targets {
        let bytes = PROVIDER_BYTES_MAX;
        rule(
            provider_name(&target.provider),
            "targets.provider",
            format!("1 to {bytes} of a-z 0-9 -"),
        )?;
        let bytes = PROVIDER_MODEL_BYTES_MAX;
        let holds = is_text(&target.model, bytes, |b| b.is_ascii_graphic());
        rule(
            holds,
            "targets.model",
            format!("1 to {bytes} visible ASCII characters"),
        )?;
        let holds = (1..=WEIGHT_MAX).contains(&target.weight);
        rule(
            holds,
            "targets.weight",
            format!("a number from 1 to {WEIGHT_MAX}"),
        )?;
        let holds = target.priority <= PRIORITY_MAX;
        rule(
            holds,
            "targets.priority",
            format!("a number from 0 to {PRIORITY_MAX}"),
        )?;
        rule(
            target.cost.is_none_or(|cost| cost <= COST_MAX),
            "targets.cost",
            format!("a number from 0 to {COST_MAX}"),
        )?;
        rule(
            target.gateway.as_deref().is_none_or(provider_name),
            "targets.gateway",
            format!("a gateway's name or region: 1 to {PROVIDER_BYTES_MAX} of a-z 0-9 -"),
        )?;
    }
    Ok(())
}

/// How much a call can bring.
pub(super) fn max_output_tokens(operation: Operation, tokens: u64) -> Checked {
    // A text that may be empty could neither be held for nor be lowered.
    let least = u64::from(operation.writes_text());
    let holds = (least..=OUTPUT_TOKENS_MAX).contains(&tokens);
    rule(
        holds,
        "max_output_tokens",
        format!("a number from {least} to {OUTPUT_TOKENS_MAX}"),
    )
}

/// Whether calls may leave the model's name out.
pub(super) fn is_default(operation: Operation, is_default: bool) -> Checked {
    let holds = !is_default || !operation.names_model();
    rule(
        holds,
        "is_default",
        "false for a model whose calls always name it",
    )
}

fn unsound() -> CatalogueError {
    CatalogueError::Invalid {
        field: "rates",
        rule: format!("amounts from 0 to {RATE_MAX} credits"),
    }
}

/// A price of a model for that operation. No price, no call: what a call can bring must have one.
pub fn price(operation: Operation, list: &PriceList) -> Checked {
    rule(
        list.rates.len() <= RATES_MAX,
        "rates",
        format!("at most {RATES_MAX} rates"),
    )?;
    for one in &list.rates {
        rate(one)?;
    }
    if let Some(told) = &list.currency {
        currency(told)?;
    }
    if !list.is_sound() {
        return Err(unsound());
    }
    match list.uncovered(operation.units().iter().copied()).first() {
        None => Ok(()),
        Some(unit) => rule(
            false,
            "rates",
            format!("complete: `{unit}` needs a rate without conditions, 0 where it is free"),
        ),
    }
}

/// The currency of costs, at the rate of a day.
pub fn currency(currency: &Currency) -> Checked {
    let code = &currency.code;
    let is_code = code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase());
    let holds = is_code && Credits::ZERO < currency.credits && currency.credits <= RATE_MAX;
    rule(
        holds && is_day(&currency.as_of),
        "currency",
        "a code of three capitals, the credits that one of it is worth, and the day of that",
    )
}

/// The same, to be reckoned with.
pub fn tariff(operation: Operation, list: PriceList) -> Result<Tariff, CatalogueError> {
    price(operation, &list)?;
    Tariff::new(list).ok_or_else(unsound)
}

/// Whether a text is a day, as `2026-11-27`.
fn is_day(text: &str) -> bool {
    let is_plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return false;
    };
    let day = || {
        let (year, month, day) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
        CivilDate { year, month, day }.start()
    };
    is_plain && day().is_some()
}

/// One rate, whatever the others are.
pub fn rate(rate: &Rate) -> Checked {
    let when = &rate.when;
    for words in when.facts.values() {
        let word = |word: &String| is_text(word, IMAGE_WORD_BYTES_MAX, |b| b.is_ascii_graphic());
        let holds = (1..=WORDS_MAX).contains(&words.len()) && words.iter().all(word);
        rule(
            holds,
            "rates.when",
            format!(
                "1 to {WORDS_MAX} words of 1 to {IMAGE_WORD_BYTES_MAX} visible ASCII characters"
            ),
        )?;
    }
    let divides = |n: u64| PERS.contains(&n);
    rule(
        divides(rate.per) && divides(rate.step),
        "rates.per",
        "1, 10, 100, 1000, 10000, 100000, 1000000, 60000 or 3600000",
    )?;
    rule(
        rate.step == 1 || rate.unit.family().units().count() == 1,
        "rates.step",
        "1 for tokens",
    )
}

#[cfg(test)]
mod tests;
