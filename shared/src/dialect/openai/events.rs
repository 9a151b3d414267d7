//! Server-sent events and errors as OpenAI writes them (API reference, "Streaming" and "Errors").

use std::fmt::Write;

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use crate::dialect::ErrorText;

/// The event that ends a stream of texts.
pub const DONE: &[u8] = b"data: [DONE]\n\n";
/// A comment, which clients pass over (WHATWG HTML, 9.2.6): somebody still works on the answer.
pub const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

/// One event.
pub(crate) fn event(data: &str) -> Bytes {
    format!("data: {data}\n\n").into()
}

/// Chunks as a whole stream.
pub(crate) fn chunks(chunks: &[Value]) -> Bytes {
    let mut text = String::new();
    for chunk in chunks {
        // Writing to a String can't fail.
        let _ = write!(text, "data: {chunk}\n\n");
    }
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(DONE);
    bytes.into()
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: ErrorObject<'a>,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    param: Option<&'a str>,
    code: Option<&'a str>,
}

/// The error object as JSON.
pub(crate) fn error(told: ErrorText<'_>) -> String {
    let ErrorText {
        status: _,
        kind,
        code,
        param,
        message,
    } = told;
    let error = ErrorObject {
        message,
        kind,
        param,
        code,
    };
    // Texts alone always can be written.
    serde_json::to_string(&Envelope { error }).unwrap_or_default()
}
