//! Server-sent events and errors as Anthropic writes them (API reference, "Streaming" and "Errors", as of
//! 2026-11). Official clients read only events that have a name.

use bytes::Bytes;
use serde::Serialize;

use crate::dialect::ErrorText;
use crate::dialect::event::said;
use crate::dialect::walk::Walk;

/// The event that ends a stream.
pub(super) const STOP: &[u8] = b"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
/// An event that clients pass over: somebody still works on the answer.
pub(super) const PING: &[u8] = b"event: ping\ndata: {\"type\":\"ping\"}\n\n";
/// What `STOP` is called.
pub(super) const STOP_NAME: &[u8] = b"message_stop";
/// Longer than any event that ends a stream, with the blanks that some put into it.
const STOP_BYTES_MAX: usize = 512;

/// Writes one event, whose name must need no escaping.
pub(super) fn event(to: &mut Vec<u8>, name: &str, data: &[u8]) {
    to.extend_from_slice(b"event: ");
    to.extend_from_slice(name.as_bytes());
    to.extend_from_slice(b"\ndata: ");
    to.extend_from_slice(data);
    to.extend_from_slice(b"\n\n");
}

/// Whether these bytes are the event that ends a stream, with or without the blank line behind it.
pub(super) fn is_stop(event: &[u8]) -> bool {
    if event.len() > STOP_BYTES_MAX || memchr::memmem::find(event, STOP_NAME).is_none() {
        return false;
    }
    let data = said(event).data;
    let mut is_stop = false;
    let mut walk = Walk::new(&data);
    let read = walk.object(|walk, name| {
        let value = walk.value()?;
        is_stop |= name == b"type" && value == b"\"message_stop\"";
        Some(())
    });
    read.is_some() && is_stop
}

/// Whether whole events end with the one that ends a stream.
pub(super) fn ends(bytes: &[u8]) -> bool {
    let from = bytes.len().saturating_sub(STOP_BYTES_MAX);
    let tail = bytes[from..].trim_ascii_end();
    // The blank line before the last event, in any form of lines.
    let breaks = [&b"\n\n"[..], b"\r\n\r\n", b"\r\r"];
    let places = breaks.iter().filter_map(|line| {
        let at = memchr::memmem::rfind(tail, line)?;
        Some(at + line.len())
    });
    let last = places.max().unwrap_or(0);
    is_stop(&tail[last..])
}

#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    error: ErrorObject<'a>,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    message: &'a str,
}

/// Anthropic's word for what an HTTP status says.
fn kind(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        408 | 504 => "timeout_error",
        409 => "conflict_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    }
}

/// An error as JSON.
pub(super) fn error(told: ErrorText<'_>) -> Bytes {
    let envelope = Envelope {
        kind: "error",
        error: ErrorObject {
            kind: kind(told.status),
            message: told.message,
        },
    };
    // Texts alone always can be written.
    serde_json::to_vec(&envelope).unwrap_or_default().into()
}

/// An error in a stream.
pub(super) fn error_event(told: ErrorText<'_>) -> Bytes {
    let mut bytes = Vec::new();
    event(&mut bytes, "error", &error(told));
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_anthropics_type_for_its_status() {
        for (status, kind) in [
            (400, "invalid_request_error"),
            (401, "authentication_error"),
            (402, "billing_error"),
            (403, "permission_error"),
            (404, "not_found_error"),
            (413, "request_too_large"),
            (422, "invalid_request_error"),
            (429, "rate_limit_error"),
            (500, "api_error"),
            (502, "api_error"),
            (503, "overloaded_error"),
            (504, "timeout_error"),
            (529, "overloaded_error"),
        ] {
            let told = ErrorText {
                status,
                kind: "server_error",
                code: Some("overloaded"),
                param: None,
                message: "a \"b\"\n",
            };
            let json =
                format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"a \"b\"\n"}}}}"#);
            assert_eq!(error(told), Bytes::from(json.clone()));
            let event = format!("event: error\ndata: {json}\n\n");
            assert_eq!(error_event(told), Bytes::from(event));
        }
    }

    #[test]
    fn the_end_of_a_stream_is_known_in_every_form() {
        let before = "event: ping\ndata: {\"type\":\"ping\"}\n\n";
        for (last, is_end) in [
            (
                "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
                true,
            ),
            (
                "event: message_stop\r\ndata: {\"type\":\"message_stop\"          }\r\n\r\n",
                true,
            ),
            ("data:{\"type\":\"message_stop\"}\n\n", true),
            (
                "data: {\"type\":\"message_stop\"}\nevent: message_stop\n\n",
                true,
            ),
            ("event: message_stop\ndata: {\"type\":\"ping\"}\n\n", false),
            (
                "event: x\ndata: {\"delta\":{\"text\":\"\\\"type\\\":\\\"message_stop\\\"\"}}\n\n",
                false,
            ),
            ("event: ping\ndata: {\"type\":\"ping\"}\n\n", false),
            (
                "event: message_stop\ndata: {\"type\":\"message_stop\"\n\n",
                false,
            ),
            ("\n\n", false),
            ("", false),
        ] {
            assert_eq!(is_stop(last.as_bytes()), is_end, "{last:?}");
            let all = format!("{before}{last}");
            assert_eq!(ends(all.as_bytes()), is_end, "{last:?}");
        }
        assert!(ends(STOP));
        assert!(!ends(&[STOP, PING].concat()));
    }
}
