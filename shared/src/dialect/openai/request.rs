//! The request that goes to a provider: the tenant's bytes with the provider's name for the model, with
//! usage asked for in streams, and with exactly one maximum, in the field that the model obeys.

use std::ops::Range;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::Shape;
use crate::dialect::fields::{SAFETY_IDENTIFIER, STREAM_OPTIONS, USER};
use crate::dialect::{BadBody, EndUserField, Forward, Maxima, Maximum};
use crate::json::{self, Edit};

/// The maximum of output tokens in its older and its newer name.
pub(crate) const MAX_TOKENS: &str = "max_tokens";
pub(crate) const MAX_COMPLETION_TOKENS: &str = "max_completion_tokens";

/// The body with the maximum of output tokens set to `tokens`, in one field: the one the tenant used, and
/// where it used both or none, `max_tokens`. Providers that don't know that one say so, and the gateway
/// renames it; those that don't know `max_completion_tokens` mostly pass over it, and write on.
pub(super) fn with_maximum(body: &Bytes, maxima: &Maxima, tokens: u64) -> Bytes {
    let json = tokens.to_string();
    let edits = match maxima.kept_and_others() {
        None => vec![Edit::insert(body, MAX_TOKENS, &json)],
        Some((kept, others)) => {
            let removed = others.map(|at| Edit::remove(body, at));
            let mut edits: Vec<Edit> = removed.collect();
            edits.push(Edit::replace(kept, json));
            edits
        }
    };
    json::apply(body, edits)
}

/// The tenant's bytes for a provider.
pub(super) fn forwarded(body: &Bytes, shape: Shape, to: Forward<'_>) -> Result<Bytes, BadBody> {
    if matches!(shape, Shape::Pictures(_)) && to.quirks.no_response_format {
        let taken = json::take(body, RESPONSE_FORMAT);
        let taken = taken.map_err(|error| BadBody::whole(error.to_string()))?;
        if let Some((_, rest)) = taken {
            return forwarded(&rest, shape, to);
        }
    }
    let names = [
        "model",
        STORE,
        STREAM_OPTIONS,
        MAX_TOKENS,
        MAX_COMPLETION_TOKENS,
        USER,
        SAFETY_IDENTIFIER,
        USER_ID,
    ];
    let [name, store, options, max, completion, user, safety, user_id] =
        json::fields(body, names).map_err(|error| BadBody::whole(error.to_string()))?;
    if store.is_some_and(|store| store.get() == "true") {
        // Few ask for it, and of the rest nobody is to look twice.
        return forwarded(&kept_nowhere(body)?, shape, to);
    }
    let model = serde_json::Value::from(to.model).to_string();
    let mut edits = Vec::with_capacity(4);
    match name {
        Some(old) => edits.push(Edit::replace(json::span(body, old), model)),
        None => edits.push(Edit::insert(body, "model", &model)),
    }
    if matches!(shape, Shape::Choices(_)) {
        if to.asks_usage && !to.quirks.no_usage_option {
            edits.push(asks_usage(body, options));
        }
        edits.extend(one_maximum(body, max, completion, to.quirks.maximum));
    }
    let usual = match shape {
        Shape::Verdicts => None,
        Shape::Choices(_) | Shape::Vectors | Shape::Pictures(_) => Some(USER),
    };
    let mut to = to;
    if !shape.knows_safety_identifier() && to.quirks.end_user == EndUserField::SafetyIdentifier {
        to.quirks.end_user = EndUserField::OfDialect;
    }
    let given = [
        (USER, user),
        (SAFETY_IDENTIFIER, safety),
        (USER_ID, user_id),
    ];
    edits.extend(end_user(body, &given, to, usual));
    Ok(json::apply(body, edits))
}

/// DeepSeek's name for whose question it is.
pub(crate) const USER_ID: &str = "user_id";

/// Puts our name of the end user into the one field that is taken there, which is `usual` where the model
/// has no other, and takes the tenant's own words out of all that are `given`: one of them may be an address.
/// A `user_id` is nobody's word for it where it is not taken, and stays.
pub(crate) fn end_user(
    body: &Bytes,
    given: &[(&'static str, Option<&RawValue>)],
    to: Forward<'_>,
    usual: Option<&'static str>,
) -> Vec<Edit> {
    let Some(name) = to.end_user else {
        return Vec::new();
    };
    let field = usual.and_then(|usual| match to.quirks.end_user {
        EndUserField::OfDialect => Some(usual),
        EndUserField::SafetyIdentifier => Some(SAFETY_IDENTIFIER),
        EndUserField::UserId => Some(USER_ID),
        EndUserField::Nowhere => None,
    });
    let json = format!("\"{name}\"");
    let mut edits = Vec::with_capacity(2);
    let mut is_said = false;
    for (known, value) in given {
        let Some(value) = value else { continue };
        let at = json::span(body, value);
        if field == Some(*known) {
            is_said = true;
            edits.push(Edit::replace(at, json.clone()));
        } else if *known != USER_ID {
            edits.push(Edit::remove(body, &at));
        }
    }
    if let Some(field) = field.filter(|_| !is_said) {
        edits.push(Edit::insert(body, field, &json));
    }
    edits
}

/// How pictures are handed over, which models that hand them over in one way refuse.
const RESPONSE_FORMAT: &str = "response_format";
/// The wish that an answer be kept.
const STORE: &str = "store";

/// The body without that wish and without the words for an answer that is kept: what is kept for a tenant is
/// kept by the server, and never by a provider.
fn kept_nowhere(body: &Bytes) -> Result<Bytes, BadBody> {
    let without = |body: Bytes, name: &str| -> Result<Bytes, BadBody> {
        let taken = json::take(&body, name).map_err(|error| BadBody::whole(error.to_string()))?;
        Ok(taken.map_or(body, |(_, rest)| rest))
    };
    without(without(body.clone(), STORE)?, "metadata")
}

fn asks_usage(body: &Bytes, options: Option<&RawValue>) -> Edit {
    let asked = "{\"include_usage\":true}";
    let Some(old) = options else {
        return Edit::insert(body, STREAM_OPTIONS, asked);
    };
    let mut kept: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(old.get()).unwrap_or_default();
    kept.insert("include_usage".to_owned(), true.into());
    let json = serde_json::to_string(&kept).unwrap_or_else(|_| asked.to_owned());
    Edit::replace(json::span(body, old), json)
}

/// Leaves one maximum in the body, under the name that the model obeys. Where both are given, the larger
/// counts, as in the hold; older servers know `max_tokens` alone, so that one is kept.
fn one_maximum(
    body: &Bytes,
    max: Option<&RawValue>,
    completion: Option<&RawValue>,
    obeyed: Maximum,
) -> Vec<Edit> {
    let given = |raw: Option<&RawValue>| raw.is_some_and(|raw| raw.get() != "null");
    let at = |raw: &RawValue| -> Range<usize> { json::span(body, raw) };
    let name = match obeyed {
        Maximum::MaxTokens => MAX_TOKENS,
        Maximum::AsAsked if given(max) => MAX_TOKENS,
        Maximum::AsAsked | Maximum::MaxCompletionTokens => MAX_COMPLETION_TOKENS,
    };
    match (max, completion) {
        (Some(max), Some(completion)) if given(Some(max)) || given(Some(completion)) => {
            let count = |raw: &RawValue| raw.get().parse::<u64>().unwrap_or(0);
            let larger = count(max).max(count(completion)).to_string();
            let (kept, other) = if name == MAX_TOKENS {
                (max, completion)
            } else {
                (completion, max)
            };
            vec![
                Edit::replace(at(kept), larger),
                Edit::remove(body, &at(other)),
            ]
        }
        (Some(max), None) if given(Some(max)) && name != MAX_TOKENS => {
            vec![Edit::rename(body, &at(max), name)]
        }
        (None, Some(completion)) if given(Some(completion)) && name != MAX_COMPLETION_TOKENS => {
            vec![Edit::rename(body, &at(completion), name)]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
