//! A key's form: read into a new key or a change, and filled from a key that is there. Stores nothing.

use admin_templates::form::{FieldError, Form};
use admin_templates::labels::{KeyKind, Word};
use server_edge::date::{self, Date};
use server_rooms::accounts::{ApiKey, ApiKeyKind, Field, KeyPatch, NewKey, Scopes};
use server_rooms::ledger::BudgetPeriod;
use server_rooms::limits::LimitSettings;
use shared::clock::Moment;
use shared::zone::Zone;

use super::super::super::api_keys;
use super::super::super::form::{self, FieldProblem, FormData};

/// Fields that are filled in again.
pub(super) const FIELDS: [&str; 10] = [
    "name",
    "kind",
    "scopes",
    "models",
    "addresses",
    "requests_per_minute",
    "tokens_per_minute",
    "budget",
    "budget_period",
    "expires_at",
];

/// What a new key and a change have in common.
struct Common {
    name: String,
    scopes: Scopes,
    models: Option<Vec<String>>,
    addresses: Option<Vec<String>>,
    requests_per_minute: Option<u32>,
    tokens_per_minute: Option<u64>,
    expires_at: Option<Moment>,
}

fn number<N: std::str::FromStr>(
    posted: &FormData,
    name: &'static str,
) -> Result<Option<N>, FieldProblem> {
    let read = posted.optional(name).map(str::parse);
    let wrong = |_| (name, FieldError::NotANumber);
    read.transpose().map_err(wrong)
}

fn some(words: Vec<String>) -> Option<Vec<String>> {
    Some(words).filter(|words| !words.is_empty())
}

fn common(posted: &FormData, kind: ApiKeyKind, zone: &Zone) -> Result<Common, FieldProblem> {
    let name = posted.optional("name");
    let name = name.ok_or(("name", FieldError::Required))?;
    let scopes = api_keys::scopes(posted, Some(kind))?;
    let expires_at = posted.optional("expires_at").map(str::parse::<Date>);
    let expires_at = expires_at.transpose();
    let wrong = ("expires_at", FieldError::NotADate);
    let expires_at = expires_at.map_err(|_| wrong.clone())?;
    let expires_at = expires_at
        .map(|date| date.over_in(zone).ok_or(wrong))
        .transpose()?;
    let addresses = posted.text("addresses");
    let addresses = addresses.split([',', ' ']).filter(|text| !text.is_empty());
    Ok(Common {
        name: name.to_owned(),
        scopes,
        models: some(posted.several("models").to_vec()),
        addresses: some(addresses.map(str::to_owned).collect()),
        requests_per_minute: number(posted, "requests_per_minute")?,
        tokens_per_minute: number(posted, "tokens_per_minute")?,
        expires_at,
    })
}

/// A key to be made.
pub(super) fn new_key(posted: &FormData, zone: &Zone) -> Result<NewKey, FieldProblem> {
    let kind = match KeyKind::from_code(posted.text("kind")) {
        Some(KeyKind::Live) => ApiKeyKind::Live,
        Some(KeyKind::Test) => ApiKeyKind::Test,
        None => return Err(("kind", FieldError::Unknown)),
    };
    let typed = common(posted, kind, zone)?;
    Ok(NewKey {
        scopes: typed.scopes,
        expires_at: typed.expires_at,
        allowed_models: typed.models,
        allowed_addresses: typed.addresses,
        limits: LimitSettings {
            requests_per_minute: typed.requests_per_minute,
            tokens_per_minute: typed.tokens_per_minute,
            concurrency: None,
        },
        ..NewKey::plain(&typed.name, kind)
    })
}

/// What changes on a key. The form knows days: an end that was not touched keeps its time of day.
pub(super) fn patch(
    posted: &FormData,
    key: &ApiKey,
    zone: &Zone,
) -> Result<KeyPatch, FieldProblem> {
    let typed = common(posted, key.kind, zone)?;
    let touched = posted.text("expires_at") != last_day(key.expires_at, zone);
    Ok(KeyPatch {
        name: Some(typed.name),
        scopes: Some(typed.scopes),
        allowed_models: typed.models.into(),
        allowed_addresses: typed.addresses.into(),
        requests_per_minute: typed.requests_per_minute.into(),
        tokens_per_minute: typed.tokens_per_minute.into(),
        concurrency: Field::Keep,
        expires_at: if touched {
            typed.expires_at.into()
        } else {
            Field::Keep
        },
    })
}

/// The last day of a key that ends, as the form writes it.
fn last_day(end: Option<Moment>, zone: &Zone) -> String {
    let Some(end) = end else {
        return String::new();
    };
    let last = Moment::from_unix_ms(end.unix_ms().saturating_sub(1));
    date::text_in(last, zone).chars().take(10).collect()
}

/// The form of a key that is there.
pub(super) fn filled(key: &ApiKey, budget: Option<(BudgetPeriod, String)>, zone: &Zone) -> Form {
    let (period, limit) = budget.unwrap_or((BudgetPeriod::Month, String::new()));
    let words = |list: &Option<Vec<String>>| list.as_deref().unwrap_or_default().join(" ");
    let requests = key.limits.requests_per_minute;
    let tokens = key.limits.tokens_per_minute;
    Form::of([
        ("name", key.name.as_str()),
        ("scopes", key.scopes.words().join(" ").as_str()),
        ("models", words(&key.allowed_models).as_str()),
        ("addresses", words(&key.allowed_addresses).as_str()),
        ("requests_per_minute", form::number(requests).as_str()),
        ("tokens_per_minute", form::number(tokens).as_str()),
        ("budget", limit.as_str()),
        ("budget_period", period.word()),
        ("expires_at", last_day(key.expires_at, zone).as_str()),
    ])
}

/// The room's refusal beside the field of the form.
pub(super) fn placed((name, error): FieldProblem) -> FieldProblem {
    match name {
        "allowed_models" => ("models", FieldError::Unknown),
        "allowed_addresses" => ("addresses", FieldError::NotAnAddress),
        "limits" => (
            "requests_per_minute",
            FieldError::OutOfRange(1, 4_294_967_295),
        ),
        "expires_at" => ("expires_at", FieldError::Past),
        _ => (name, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_of_a_key_is_read_as_it_was_written() {
        for name in ["UTC", "Asia/Shanghai", "America/New_York", "Africa/Cairo"] {
            let zone = Zone::named(name).expect("a zone");
            let end = |text: &str| text.parse::<Date>().expect("a date").over_in(&zone);
            let last = |text: &str| last_day(end(text), &zone);
            for day in ["2026-12-31", "2026-04-23", "2026-03-08", "2026-11-01"] {
                assert_eq!(last(day), day, "{name}");
            }
            assert_eq!(last("2026-12-31T08:30:00Z"), "2026-12-31");
            assert_eq!(last_day(None, &zone), "");
        }
    }
}
