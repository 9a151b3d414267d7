//! The terms of a key between an operator's words, the database and the pool. Knows no secret but those in
//! headers, which it seals.

use http::{HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use shared::link::connectors::ConnectorFacts;
use shared::link::{AdminError, KeyHeaders, KeyTerms, rules};
use shared::seal::Sealer;
use tracing::error;

use super::provider_admin::{checked, checked_address};
use crate::store::KeyRow;

/// What a key's headers are sealed for.
fn place(id: &str) -> String {
    format!("provider_keys|{id}|headers")
}

/// What an operator asks for, as it is kept.
pub(super) fn checked_terms(
    facts: &ConnectorFacts,
    mut terms: KeyTerms,
) -> Result<KeyTerms, AdminError> {
    checked("terms.priority", rules::priority(terms.priority))?;
    for (field, limit) in terms.limits() {
        checked(field, rules::limit(limit))?;
    }
    checked("terms.models", rules::models(&terms.models))?;
    checked("terms.tags", rules::tags(&terms.tags))?;
    if let Some(headers) = &terms.headers {
        checked("terms.headers", rules::headers(headers))?;
    }
    terms.base_url = match terms.base_url.as_deref().map(str::trim) {
        None | Some("") => None,
        Some(pasted) => {
            let address = checked_address(facts, "terms.base_url", pasted)?;
            Some(address.to_owned())
        }
    };
    Ok(terms)
}

/// Puts terms into a row; headers that are absent stay as they are.
pub(super) fn write(sealer: &Sealer, row: &mut KeyRow, terms: KeyTerms) {
    let list = |list: &[String]| {
        let is_given = !list.is_empty();
        is_given.then(|| serde_json::to_string(list).unwrap_or_default())
    };
    row.priority = terms.priority.into();
    row.requests_per_minute = terms.requests_per_minute.map(i64::from);
    row.tokens_per_minute = terms.tokens_per_minute.and_then(|n| i64::try_from(n).ok());
    row.calls_at_once = terms.calls_at_once.map(i64::from);
    row.requests_per_day = terms.requests_per_day.map(i64::from);
    row.tokens_per_day = terms.tokens_per_day.and_then(|n| i64::try_from(n).ok());
    row.models = list(&terms.models);
    row.tags = list(&terms.tags);
    row.base_url = terms.base_url;
    if let Some(headers) = terms.headers {
        let text = serde_json::to_vec(&headers).unwrap_or_default();
        let is_given = !headers.0.is_empty();
        row.headers = is_given.then(|| sealer.seal(&place(&row.id), &text));
    }
}

/// The terms in a row, without its headers.
pub(super) fn read(row: &KeyRow) -> KeyTerms {
    let count = |count: Option<i64>| u32::try_from(count?).ok();
    KeyTerms {
        priority: u32::try_from(row.priority).unwrap_or(0),
        requests_per_minute: count(row.requests_per_minute),
        tokens_per_minute: row.tokens_per_minute.and_then(|n| u64::try_from(n).ok()),
        calls_at_once: count(row.calls_at_once),
        requests_per_day: count(row.requests_per_day),
        tokens_per_day: row.tokens_per_day.and_then(|n| u64::try_from(n).ok()),
        models: parsed(row.models.as_deref()),
        base_url: row.base_url.clone(),
        headers: None,
        tags: parsed(row.tags.as_deref()),
    }
}

fn parsed<T: DeserializeOwned + Default>(text: Option<&str>) -> T {
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

/// The headers in a row; none where they can't be opened.
fn opened(sealer: &Sealer, row: &KeyRow) -> Option<KeyHeaders> {
    let sealed = row.headers.as_deref()?;
    let opened = sealer
        .open(&place(&row.id), sealed)
        .map_err(|error| error.to_string());
    opened
        .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()))
        .inspect_err(|error| {
            error!(
                key.id = row.id,
                "headers of key `{}` can't be opened: {error}", row.id
            );
        })
        .ok()
}

/// The same, to be sent.
pub(super) fn headers(sealer: &Sealer, row: &KeyRow) -> Vec<(HeaderName, HeaderValue)> {
    let headers = opened(sealer, row).unwrap_or_default().0;
    let header = |(name, value): (String, String)| {
        let mut value = HeaderValue::from_str(&value).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::try_from(name).ok()?, value))
    };
    headers.into_iter().filter_map(header).collect()
}

/// Their names, to be shown.
pub(super) fn header_names(sealer: &Sealer, row: &KeyRow) -> Vec<String> {
    let headers = opened(sealer, row).unwrap_or_default().0;
    headers.into_keys().collect()
}
