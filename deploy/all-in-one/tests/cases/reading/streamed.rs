//! A stream as a client reads it: its content, its error, and how it ended.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;

use super::datas;

/// A stream that was read to its end.
#[derive(Debug)]
pub(crate) struct Streamed {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// All that came, as text.
    pub(crate) text: String,
    /// The JSON of each event.
    pub(crate) events: Vec<Value>,
    /// What stood in events and is neither JSON nor `[DONE]`.
    pub(crate) broken: Vec<String>,
    /// How often `[DONE]` came.
    pub(crate) done: usize,
    /// When the head was there.
    pub(crate) head_after: Duration,
    /// When the first byte of the body was there.
    pub(crate) first_after: Option<Duration>,
    /// When `[DONE]` was there.
    pub(crate) done_after: Option<Duration>,
    /// The connection ended without the body's proper end.
    pub(crate) torn: bool,
}

impl Streamed {
    /// The text of the first choice.
    pub(crate) fn content(&self) -> String {
        let piece = |event: &Value| {
            event["choices"][0]["delta"]["content"]
                .as_str()
                .map(String::from)
        };
        self.events.iter().filter_map(piece).collect()
    }

    /// The error that a client raises: of a refusal, or of an event.
    pub(crate) fn error(&self) -> Option<&Value> {
        let mut errors = self.events.iter().map(|event| &event["error"]);
        errors.find(|error| error.is_object())
    }

    /// A client's loop ends without an error.
    #[track_caller]
    pub(crate) fn is_whole(&self) -> &Self {
        assert_eq!(self.status, 200, "{}", self.text);
        assert!(self.error().is_none(), "{}", self.text);
        assert!(self.broken.is_empty() && !self.torn, "{}", self.text);
        assert_eq!(self.done, 1, "{}", self.text);
        self
    }

    /// A client raises an error that it can read, and nothing says that all is well.
    #[track_caller]
    pub(crate) fn is_failed(&self) -> &Self {
        assert!(self.broken.is_empty() && !self.torn, "{}", self.text);
        let error = self
            .error()
            .unwrap_or_else(|| panic!("no error is told: {}", self.text));
        assert!(
            error["message"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{error}"
        );
        assert_eq!(self.done, 0, "{}", self.text);
        assert!(self.status == 200 || self.status >= 400, "{}", self.status);
        self
    }
}

pub(crate) async fn read_stream(request: reqwest::RequestBuilder) -> Streamed {
    let begun = Instant::now();
    let answer = request.send().await.expect("an answer");
    let mut read = Streamed {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        text: String::new(),
        events: Vec::new(),
        broken: Vec::new(),
        done: 0,
        head_after: begun.elapsed(),
        first_after: None,
        done_after: None,
        torn: false,
    };
    let mut bytes = Vec::new();
    let mut parts = answer.bytes_stream();
    while let Some(part) = parts.next().await {
        let Ok(part) = part else {
            read.torn = true;
            break;
        };
        read.first_after.get_or_insert_with(|| begun.elapsed());
        bytes.extend_from_slice(&part);
        let tail = &bytes[bytes.len().saturating_sub(part.len() + 20)..];
        if read.done_after.is_none() && tail.windows(6).any(|six| six == b"[DONE]") {
            read.done_after = Some(begun.elapsed());
        }
    }
    read.text = String::from_utf8_lossy(&bytes).into_owned();
    let kind = read
        .headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    if kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
        read.sort();
    } else {
        let whole = serde_json::from_str(&read.text);
        read.events.extend(whole);
    }
    read
}

impl Streamed {
    /// Splits the text into its events.
    fn sort(&mut self) {
        for data in datas(&self.text) {
            if data.trim() == "[DONE]" {
                self.done += 1;
            } else if let Ok(value) = serde_json::from_str(&data) {
                self.events.push(value);
            } else {
                self.broken.push(data);
            }
        }
    }
}
