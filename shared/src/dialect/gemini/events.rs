//! Errors, usage and events as Google writes them (API reference, "Errors" and `UsageMetadata`), and as its
//! clients read them (google-genai 3.6.1 in Python, @google/genai 2.32 in JavaScript, go-genai of 2026-08).

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::dialect::ErrorText;
use crate::units::{Unit, Usage};

/// Blank lines, and no comment: Google's clients in Python and Go take a comment for a broken answer, and
/// all of them pass over an event of nothing.
pub(super) const KEEP_ALIVE: &[u8] = b"\n\n";

/// Google's word for an HTTP status (google.rpc.Code).
fn status_word(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHENTICATED",
        402 | 429 => "RESOURCE_EXHAUSTED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        408 | 504 => "DEADLINE_EXCEEDED",
        409 => "ABORTED",
        499 => "CANCELLED",
        501 => "UNIMPLEMENTED",
        502 | 503 | 529 => "UNAVAILABLE",
        500..=599 => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    }
}

/// The error object as JSON. The stable word stands where Google has its own, as the reason of an
/// `ErrorInfo`.
pub(in crate::dialect) fn error(told: ErrorText<'_>) -> String {
    let ErrorText {
        status,
        kind: _,
        code,
        param,
        message,
    } = told;
    let mut error = Map::new();
    error.insert("code".to_owned(), status.into());
    error.insert("message".to_owned(), message.into());
    error.insert("status".to_owned(), status_word(status).into());
    let reason = code.map(|code| {
        json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": code.to_ascii_uppercase()})
    });
    let violation = param.map(|field| {
        json!({
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{"field": field, "description": message}]
        })
    });
    let details: Vec<Value> = reason.into_iter().chain(violation).collect();
    if !details.is_empty() {
        error.insert("details".to_owned(), details.into());
    }
    json!({"error": error}).to_string()
}

/// A failure in a stream that has begun. Clients in Python and of late in JavaScript raise it out of an event,
/// those in Go and older ones in JavaScript only where it stands bare, as Google itself sends it: so it stands
/// there twice. No blank line is behind the last one, since such clients in JavaScript pass over it where it
/// comes in one piece with others, and raise what is left over at the end.
pub(super) fn error_event(told: ErrorText<'_>) -> Bytes {
    let error = error(told);
    format!("data: {error}\n\n{error}\n").into()
}

/// Tokens by what they stand for; nothing where all are text.
fn modalities(text: u64, others: [(&str, u64); 3]) -> Option<Value> {
    if others.iter().all(|(_, count)| *count == 0) {
        return None;
    }
    let all = std::iter::once(("TEXT", text)).chain(others);
    let all = all.filter(|(_, count)| *count > 0);
    Some(
        all.map(|(word, count)| json!({"modality": word, "tokenCount": count}))
            .collect(),
    )
}

/// A `usageMetadata` object.
pub(in crate::dialect) fn usage(usage: &Usage, tier: Option<&str>) -> Value {
    use Unit as U;
    let count = |unit| usage.count(unit);
    let (input, output) = (usage.input_total(), usage.output_total());
    let thoughts = count(U::ReasoningToken);
    let cached_media = [
        ("IMAGE", count(U::CachedInputImageToken)),
        ("AUDIO", count(U::CachedInputAudioToken)),
        ("VIDEO", 0),
    ];
    let media = [
        (
            "IMAGE",
            count(U::InputImageToken).saturating_add(cached_media[0].1),
        ),
        (
            "AUDIO",
            count(U::InputAudioToken).saturating_add(cached_media[1].1),
        ),
        ("VIDEO", count(U::InputVideoToken)),
    ];
    let made = [
        ("IMAGE", count(U::OutputImageToken)),
        ("AUDIO", count(U::OutputAudioToken)),
        ("VIDEO", 0),
    ];
    let sum = |all: [(&str, u64); 3]| {
        all.iter()
            .fold(0_u64, |sum, (_, count)| sum.saturating_add(*count))
    };
    let cached = count(U::CachedInputToken).saturating_add(sum(cached_media));
    let answered = output.saturating_sub(thoughts);
    let mut told = Map::new();
    let mut note = |name: &str, value: Value| {
        told.insert(name.to_owned(), value);
    };
    note("promptTokenCount", input.into());
    note("candidatesTokenCount", answered.into());
    note("totalTokenCount", input.saturating_add(output).into());
    if thoughts > 0 {
        note("thoughtsTokenCount", thoughts.into());
    }
    if cached > 0 {
        note("cachedContentTokenCount", cached.into());
    }
    let details = [
        (
            "promptTokensDetails",
            modalities(input.saturating_sub(sum(media)), media),
        ),
        (
            "candidatesTokensDetails",
            modalities(answered.saturating_sub(sum(made)), made),
        ),
        (
            "cacheTokensDetails",
            modalities(count(U::CachedInputToken), cached_media),
        ),
    ];
    for (name, value) in details {
        if let Some(value) = value {
            note(name, value);
        }
    }
    if let Some(tier) = tier {
        note("serviceTier", tier.into());
    }
    Value::Object(told)
}
