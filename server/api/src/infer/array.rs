//! A stream as one JSON array that comes element by element, which is how Google streams to those who do not
//! ask for events (Gemini API reference, `streamGenerateContent`, 2026-11). Events in, text out.

use bytes::Bytes;
use shared::dialect::gemini::GEMINI;
use shared::dialect::{Dialect, ErrorText};
use shared::sse::{Events, Keep};

/// Writes the array.
#[derive(Debug, Default)]
pub(super) struct ArrayWriter {
    events: Events,
    /// Whether an element was written.
    has_begun: bool,
    /// Whether an event was too large: it and what comes behind it is no element.
    is_broken: bool,
    has_ended: bool,
}

impl ArrayWriter {
    /// What the next bytes of the stream come to; empty while an event is not whole.
    pub(super) fn piece(&mut self, bytes: Bytes) -> Bytes {
        if self.is_broken {
            return Bytes::new();
        }
        let Self {
            events, has_begun, ..
        } = self;
        let mut out = Vec::new();
        let pushed = events.push(bytes, &mut Vec::new(), |event| {
            element(event, has_begun, &mut out);
            Keep::Nothing
        });
        if pushed.is_err() {
            self.is_broken = true;
            // What was gathered of it takes no room any more.
            self.events = Events::default();
        }
        out.into()
    }

    /// Its end, once. What stands behind the last event is no element: a failure is told there once more.
    pub(super) fn end(&mut self) -> Option<Bytes> {
        if std::mem::replace(&mut self.has_ended, true) {
            return None;
        }
        if self.is_broken {
            let failure = GEMINI.error_event(ErrorText {
                status: 502,
                kind: "server_error",
                code: Some("invalid_answer"),
                param: None,
                message: "The provider's answer has a part that is too large.",
            });
            let mut out = Vec::new();
            element(&failure, &mut self.has_begun, &mut out);
            out.push(b']');
            return Some(out.into());
        }
        Some(Bytes::from_static(if self.has_begun {
            b"]"
        } else {
            b"[]"
        }))
    }
}

/// The data of an event as the next element. Where there are none, as in what keeps a connection, a blank.
fn element(event: &[u8], has_begun: &mut bool, out: &mut Vec<u8>) {
    let lines = event.split(|byte| matches!(byte, b'\n' | b'\r'));
    let mut data = lines.filter_map(|line| line.strip_prefix(b"data:"));
    let Some(first) = data.next() else {
        out.push(b'\n');
        return;
    };
    let before: &[u8] = if std::mem::replace(has_begun, true) {
        b",\r\n"
    } else {
        b"["
    };
    out.extend_from_slice(before);
    out.extend_from_slice(first.trim_ascii());
    for line in data {
        // Between JSON's values a break is a blank.
        out.push(b'\n');
        out.extend_from_slice(line.trim_ascii());
    }
}

#[cfg(test)]
mod tests {
    use shared::sse::EVENT_BYTES_MAX;

    use super::*;

    fn written(pieces: &[&str]) -> String {
        let mut array = ArrayWriter::default();
        let mut out = Vec::new();
        for piece in pieces {
            out.extend_from_slice(&array.piece(Bytes::copy_from_slice(piece.as_bytes())));
        }
        out.extend_from_slice(&array.end().unwrap_or_default());
        assert_eq!(array.end(), None, "it ends once");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn each_event_is_an_element_however_it_comes() {
        for (pieces, expected) in [
            (&[][..], "[]"),
            (&["\n\n"], "\n[]"),
            (&["data: {\"a\":1}\n\n"], "[{\"a\":1}]"),
            (
                &["data: {\"a\"", ":1}\r\n\r\ndata:{\"b\":2}\r\n\r\n"],
                "[{\"a\":1},\r\n{\"b\":2}]",
            ),
            (&["data: {\"a\":\ndata: 1}\n\n"], "[{\"a\":\n1}]"),
            (&["data: {\"a\":1}\n\ndata: {\"cut"], "[{\"a\":1}]"),
        ] {
            assert_eq!(written(pieces), expected);
        }
    }

    #[test]
    fn behind_an_event_that_is_too_large_comes_the_failure_and_the_end() {
        let large = format!("data: {{\"a\":\"{}", "a".repeat(EVENT_BYTES_MAX));
        for (before, elements) in [("", 1), ("data: {\"a\":1}\n\n", 2)] {
            let text = written(&[before, &large, "\"}\n\n", "data: {\"b\":2}\n\n"]);
            let all: serde_json::Value = serde_json::from_str(&text).expect("an array");
            let all = all.as_array().expect("an array");
            assert_eq!(all.len(), elements);
            assert_eq!(all[elements - 1]["error"]["code"], 502);
        }
    }

    #[test]
    fn a_failure_is_the_last_element() {
        let failure = GEMINI.error_event(ErrorText {
            status: 502,
            kind: "server_error",
            code: None,
            param: None,
            message: "gone",
        });
        let keep_alive = GEMINI.keep_alive().expect("one");
        let [keep_alive, failure] =
            [keep_alive, failure].map(|bytes| String::from_utf8(bytes.to_vec()).expect("text"));
        let text = written(&["data: {\"a\":1}\n\n", &keep_alive, &failure]);
        let all: serde_json::Value = serde_json::from_str(&text).expect("an array");
        assert_eq!(all.as_array().map(Vec::len), Some(2));
        assert_eq!(all[1]["error"]["message"], "gone");
    }
}
