//! The request that goes to a provider: the tenant's bytes with the provider's name for the model, with
//! usage asked for in streams, and with exactly one maximum, in the field that the model obeys. And what
//! of it to send otherwise when the provider refuses a field by name.

use std::ops::Range;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method, Request};
use http_body_util::Full;
use serde_json::value::RawValue;
use shared::dialect::told::Told;
use shared::fault::{Fault, FaultKind};
use shared::json;
use shared::link::{Call, Operation};

use crate::providers::Route;
use crate::providers::learned::{Maximum, Quirks};

const MAX_TOKENS: &str = "max_tokens";
const MAX_COMPLETION_TOKENS: &str = "max_completion_tokens";
const STREAM_OPTIONS: &str = "stream_options";

/// What to send.
pub(super) struct Asked<'a> {
    pub(super) method: Method,
    /// Below the provider's address.
    pub(super) path: &'a str,
    pub(super) stream: bool,
    pub(super) body: Bytes,
}

/// Built from nothing: no header of the tenant goes to a provider.
pub(super) fn request(route: Route<'_>, asked: Asked<'_>) -> Result<Request<Full<Bytes>>, Fault> {
    let ours = |what: &str| Fault::new(FaultKind::Internal, what.to_owned());
    let mut secret = HeaderValue::try_from(format!("Bearer {}", route.key.expose()))
        .map_err(|_| ours("the key is not a header value"))?;
    secret.set_sensitive(true);
    let accept = if asked.stream {
        "text/event-stream"
    } else {
        "application/json"
    };
    Request::builder()
        .method(asked.method)
        .uri(format!("{}{}", route.base_url, asked.path))
        .header(AUTHORIZATION, secret)
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .header(ACCEPT, HeaderValue::from_static(accept))
        // Without it a provider may pack as it likes (RFC 9110, 12.5.3).
        .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
        .header(USER_AGENT, HeaderValue::from_static("waule"))
        .body(Full::new(asked.body))
        .map_err(|_| ours("the provider's address is not a URL"))
}

/// Puts `text` where `at` stands.
struct Edit {
    at: Range<usize>,
    text: String,
}

/// The tenant's bytes for `model`, which differs by `quirks`.
pub(super) fn translated(call: &Call, model: &str, quirks: Quirks) -> Result<Bytes, Fault> {
    let body = &call.body;
    let [name, options, max, completion] = json::fields(
        body,
        ["model", STREAM_OPTIONS, MAX_TOKENS, MAX_COMPLETION_TOKENS],
    )
    .map_err(|e| Fault::new(FaultKind::BadRequest, e.to_string()))?;
    let model =
        serde_json::to_string(model).map_err(|e| Fault::new(FaultKind::Internal, e.to_string()))?;
    let mut edits = Vec::with_capacity(4);
    match name {
        Some(old) => edits.push(replace(body, old, model)),
        None => edits.push(insert(body, "model", &model)),
    }
    if call.operation == Operation::Chat {
        if call.stream && !call.show_usage && !quirks.no_usage_option {
            edits.push(asks_usage(body, options));
        }
        edits.extend(one_maximum(body, max, completion, quirks.maximum));
    }
    Ok(apply(body, edits))
}

fn asks_usage(body: &Bytes, options: Option<&RawValue>) -> Edit {
    let asked = || "{\"include_usage\":true}".to_owned();
    let Some(old) = options else {
        return insert(body, STREAM_OPTIONS, &asked());
    };
    let mut kept: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(old.get()).unwrap_or_default();
    kept.insert("include_usage".to_owned(), true.into());
    let json = serde_json::to_string(&kept).unwrap_or_else(|_| asked());
    replace(body, old, json)
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
                replace(body, kept, larger),
                Edit {
                    at: member(body, other),
                    text: String::new(),
                },
            ]
        }
        (Some(max), None) if given(Some(max)) && name != MAX_TOKENS => {
            vec![renamed(body, max, name)]
        }
        (None, Some(completion)) if given(Some(completion)) && name != MAX_COMPLETION_TOKENS => {
            vec![renamed(body, completion, name)]
        }
        _ => Vec::new(),
    }
}

/// Words of a refusal that does not know a field, and not only its value.
const UNKNOWN: [&str; 11] = [
    "unsupported",
    "not supported",
    "unrecognized",
    "unknown",
    "unexpected",
    "extra inputs",
    "extra fields",
    "not permitted",
    "not allowed",
    "instead",
    "deprecated",
];

/// How to send it again, when the refusal names a field that we added or that has another name there.
pub(super) fn otherwise(call: &Call, fault: &Fault, told: &Told, quirks: Quirks) -> Option<Quirks> {
    let refuses_body = matches!(fault.upstream_status, Some(400 | 422));
    if !refuses_body || call.operation != Operation::Chat {
        return None;
    }
    let message = told.message.to_lowercase();
    let names = |field: &str| told.param.as_deref() == Some(field) || message.contains(field);
    let added_options = call.stream && !call.show_usage && !quirks.no_usage_option;
    if added_options && names(STREAM_OPTIONS) {
        return Some(Quirks {
            no_usage_option: true,
            ..quirks
        });
    }
    let code = told.code.as_deref().unwrap_or_default();
    let kind = told.kind.as_deref().unwrap_or_default();
    let is_unknown = UNKNOWN.iter().any(|word| message.contains(word))
        || ["unsupported_parameter", "unknown_parameter"].contains(&code)
        || kind == "extra_forbidden";
    if !is_unknown {
        return None;
    }
    let wants = |maximum| {
        Some(Quirks { maximum, ..quirks }).filter(|other| other.maximum != quirks.maximum)
    };
    // `max_tokens` stands in no longer name.
    match told.param.as_deref() {
        Some(MAX_TOKENS) => return wants(Maximum::MaxCompletionTokens),
        Some(MAX_COMPLETION_TOKENS) => return wants(Maximum::MaxTokens),
        _ => {}
    }
    let first = |field: &str| message.find(field).unwrap_or(usize::MAX);
    match (first(MAX_TOKENS), first(MAX_COMPLETION_TOKENS)) {
        (usize::MAX, usize::MAX) => None,
        // The one that is named first is the one that is refused.
        (max, completion) if max < completion => wants(Maximum::MaxCompletionTokens),
        _ => wants(Maximum::MaxTokens),
    }
}

/// Where `part`, a piece of `body`, stands in it.
fn span(body: &Bytes, part: &RawValue) -> Range<usize> {
    let start = (part.get().as_ptr() as usize).saturating_sub(body.as_ptr() as usize);
    assert!(
        start + part.get().len() <= body.len(),
        "a changed value must be a part of the body"
    );
    start..start + part.get().len()
}

/// Where the name of the field with that value stands, with its quotes.
fn name_of(body: &Bytes, value: &RawValue) -> Range<usize> {
    let before = &body[..span(body, value).start];
    let end = memchr::memrchr(b'"', before).map_or(0, |at| at + 1);
    // A name that is known holds no quotes.
    let start = memchr::memrchr(b'"', &before[..end.saturating_sub(1)]).unwrap_or(0);
    start..end
}

/// A whole field, with the one comma that goes with it.
fn member(body: &Bytes, value: &RawValue) -> Range<usize> {
    let (mut start, mut end) = (name_of(body, value).start, span(body, value).end);
    let blanks = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let after = end + blanks(&body[end..]);
    if body.get(after) == Some(&b',') {
        end = after + 1;
    } else {
        let before = body[..start].trim_ascii_end();
        if before.last() == Some(&b',') {
            start = before.len() - 1;
        }
    }
    start..end
}

fn replace(body: &Bytes, old: &RawValue, json: String) -> Edit {
    Edit {
        at: span(body, old),
        text: json,
    }
}

fn renamed(body: &Bytes, value: &RawValue, name: &str) -> Edit {
    Edit {
        at: name_of(body, value),
        text: format!("\"{name}\""),
    }
}

/// Adds a field as the object's first.
fn insert(body: &Bytes, name: &str, json: &str) -> Edit {
    let open = memchr::memchr(b'{', body).map_or(0, |at| at + 1);
    let is_empty = body[open..].trim_ascii_start().first() == Some(&b'}');
    let comma = if is_empty { "" } else { "," };
    Edit {
        at: open..open,
        text: format!("\"{name}\":{json}{comma}"),
    }
}

fn apply(body: &Bytes, mut edits: Vec<Edit>) -> Bytes {
    edits.sort_by_key(|edit| (edit.at.start, edit.at.end));
    let added: usize = edits.iter().map(|edit| edit.text.len()).sum();
    let mut out = Vec::with_capacity(body.len() + added);
    let mut at = 0;
    for edit in &edits {
        out.extend_from_slice(&body[at..edit.at.start]);
        out.extend_from_slice(edit.text.as_bytes());
        at = edit.at.end;
    }
    out.extend_from_slice(&body[at..]);
    Bytes::from(out)
}

#[cfg(test)]
mod tests;
