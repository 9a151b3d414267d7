//! Judges an accepted answer before it is believed: an error that came as a success is a refusal, a
//! stream's first event is looked at before anything is passed on, JSON where a stream was asked for is
//! made one, and a page is no answer. Every byte that was looked at is passed on as it came.

use std::fmt::Write;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::stream;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use shared::dialect::images;
use shared::dialect::told::{self, Told};
use shared::fault::{Fault, FaultKind};
use shared::json;
use shared::link::Operation;

use crate::providers::http::{self as outbound, Body};
use crate::providers::{Answer, ByteStream};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// What comes before a stream's first event (comments, a large first event) is looked at up to here.
const AHEAD_BYTES_MAX: usize = 64 * 1024;

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    pub(super) operation: Operation,
    pub(super) bytes_max: usize,
    pub(super) silence: Duration,
}

/// Why an answer that came as a success is none.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// The provider says so.
    Told(Box<Told>),
    /// It can't be told from the answer whether the work was done.
    Fault(Fault),
}

impl From<Fault> for NoAnswer {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

fn invalid(what: &str) -> NoAnswer {
    NoAnswer::Fault(Fault::new(FaultKind::InvalidAnswer, what.to_owned()))
}

/// The whole answer.
pub(super) async fn whole(body: Body, expected: Expected) -> Result<Answer, NoAnswer> {
    let bytes = outbound::whole(Vec::new(), body, expected.bytes_max, expected.silence).await?;
    let bytes = unmarked(bytes);
    judge(&bytes, expected.operation)?;
    Ok(Answer::Whole(bytes))
}

/// Without the byte order mark, which JSON must not have (RFC 8259, 8.1) and clients don't read.
fn unmarked(mut bytes: Bytes) -> Bytes {
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.advance(BYTE_ORDER_MARK.len());
    }
    bytes
}

/// The answer to a request for a stream, with its first event seen.
pub(super) async fn streamed(mut body: Body, expected: Expected) -> Result<Answer, NoAnswer> {
    let mut ahead: Vec<Bytes> = Vec::with_capacity(1);
    let mut joined = BytesMut::new();
    loop {
        // One piece nearly always holds the first event, and needs no copy.
        let seen = match ahead.as_slice() {
            [one] => one.as_ref(),
            _ => joined.as_ref(),
        };
        match look(seen) {
            Look::More if seen.len() < AHEAD_BYTES_MAX => {}
            Look::More | Look::Event => {
                let bytes = outbound::pieces(ahead, body, expected.silence);
                return Ok(Answer::Stream(bytes));
            }
            Look::Error(told) => return Err(NoAnswer::Told(Box::new(told))),
            Look::Page => return Err(invalid("a page came where a stream was asked for")),
            Look::Json => {
                let bytes =
                    outbound::whole(ahead, body, expected.bytes_max, expected.silence).await?;
                let bytes = unmarked(bytes);
                judge(&bytes, expected.operation)?;
                return Ok(Answer::Stream(match expected.operation {
                    Operation::Chat => as_stream(&bytes)?,
                    Operation::Embedding | Operation::Image => {
                        let events = images::as_stream(&bytes);
                        at_once(events.ok_or_else(|| invalid("the JSON holds no image"))?)
                    }
                }));
            }
        }
        match body.piece(expected.silence).await {
            Some(piece) => {
                let piece = piece?;
                if let [one] = ahead.as_slice() {
                    joined.extend_from_slice(one);
                }
                if !ahead.is_empty() {
                    joined.extend_from_slice(&piece);
                }
                ahead.push(piece);
            }
            None => return ended(ahead),
        }
    }
}

/// A stream that came to its end before its first event was whole.
fn ended(ahead: Vec<Bytes>) -> Result<Answer, NoAnswer> {
    let mut all = ahead.concat();
    let length = all.len();
    all.extend_from_slice(b"\n\n");
    match look(&all) {
        Look::Error(told) => Err(NoAnswer::Told(Box::new(told))),
        Look::Event => {
            all.truncate(length);
            let bytes = Ok(Bytes::from(all));
            Ok(Answer::Stream(Box::pin(stream::iter([bytes]))))
        }
        Look::More | Look::Page | Look::Json => Err(NoAnswer::Fault(Fault::new(
            FaultKind::Interrupted,
            "the stream ended before its first event",
        ))),
    }
}

/// What the beginning of a stream is.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    /// Not to be told yet.
    More,
    /// An event that is none of the errors.
    Event,
    Error(Told),
    Json,
    Page,
}

/// Looks at the first event with data; whatever a provider's content type says, the bytes say more.
fn look(seen: &[u8]) -> Look {
    let seen = seen.strip_prefix(BYTE_ORDER_MARK).unwrap_or(seen);
    match seen.trim_ascii_start().first() {
        None => return Look::More,
        Some(b'{' | b'[') => return Look::Json,
        Some(b'<') => return Look::Page,
        Some(_) => {}
    }
    let mut data: Vec<u8> = Vec::new();
    let mut says_error = false;
    let mut rest = seen;
    // The last line has no end yet.
    while let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
        let line = &rest[..end];
        let is_two = rest[end..].starts_with(b"\r\n");
        rest = &rest[end + 1 + usize::from(is_two)..];
        if let Some(text) = line.strip_prefix(b"data:") {
            let text = text.trim_ascii();
            if data.is_empty() && is_whole(text) {
                return verdict(text, says_error);
            }
            data.extend_from_slice(text);
            data.push(b'\n');
        } else if let Some(name) = line.strip_prefix(b"event:") {
            says_error = name.trim_ascii() == b"error";
        } else if line.is_empty() {
            let text = data.trim_ascii();
            if !text.is_empty() {
                return verdict(text, says_error);
            }
            data.clear();
            says_error = false;
        }
    }
    Look::More
}

/// Whether one line of data is all of its event; several lines are seldom used.
fn is_whole(text: &[u8]) -> bool {
    text == b"[DONE]"
        || (text.first() == Some(&b'{')
            && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok())
}

fn verdict(data: &[u8], says_error: bool) -> Look {
    let told = if says_error {
        Some(told::refusal(data))
    } else {
        told::error_in(data)
    };
    told.map_or(Look::Event, Look::Error)
}

/// Whether JSON is the answer that was asked for.
fn judge(bytes: &Bytes, operation: Operation) -> Result<(), NoAnswer> {
    if let Some(told) = told::error_in(bytes) {
        return Err(NoAnswer::Told(Box::new(told)));
    }
    let [choices, data] = json::fields(bytes, ["choices", "data"])
        .map_err(|error| invalid(&format!("not the JSON that was expected: {error}")))?;
    let answer = match operation {
        Operation::Chat => choices,
        Operation::Embedding | Operation::Image => data,
    };
    let is_list = |raw: &RawValue| {
        let inside = raw.get().strip_prefix('[');
        inside.is_some_and(|inside| !inside.trim_start().starts_with(']'))
    };
    if answer.is_some_and(is_list) {
        Ok(())
    } else {
        Err(invalid("the JSON holds no answer"))
    }
}

/// Events that are there already.
fn at_once(events: Bytes) -> ByteStream {
    Box::pin(stream::iter([Ok(events)]))
}

/// A whole answer as the stream that was asked for: the text, the end, the usage.
fn as_stream(bytes: &Bytes) -> Result<ByteStream, NoAnswer> {
    let answer: Value =
        serde_json::from_slice(bytes).map_err(|_| invalid("not the JSON that was expected"))?;
    let head = |choices: Value| {
        json!({
            "id": answer["id"], "object": "chat.completion.chunk", "created": answer["created"],
            "model": answer["model"], "choices": choices,
        })
    };
    let mut text = String::new();
    let mut push = |chunk: &Value| {
        let _ = write!(text, "data: {chunk}\n\n");
    };
    let none = Vec::new();
    let choices = answer["choices"].as_array().unwrap_or(&none);
    for choice in choices {
        let mut delta = choice["message"].clone();
        if let Some(calls) = delta.get_mut("tool_calls").and_then(Value::as_array_mut) {
            for (index, call) in calls.iter_mut().enumerate() {
                if let Some(call) = call.as_object_mut() {
                    call.insert("index".to_owned(), index.into());
                }
            }
        }
        let mut part = json!({"index": choice["index"], "delta": delta, "finish_reason": null});
        if !choice["logprobs"].is_null() {
            part["logprobs"] = choice["logprobs"].clone();
        }
        push(&head(json!([part])));
    }
    for choice in choices {
        let end = json!({"index": choice["index"], "delta": {}, "finish_reason": choice["finish_reason"]});
        push(&head(json!([end])));
    }
    if !answer["usage"].is_null() {
        let mut last = head(json!([]));
        last["usage"] = answer["usage"].clone();
        push(&last);
    }
    text.push_str("data: [DONE]\n\n");
    Ok(at_once(text.into()))
}

#[cfg(test)]
mod tests;
