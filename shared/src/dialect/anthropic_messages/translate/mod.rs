//! Translates between Anthropic's Messages and the neutral form. Requests are written by the rules of
//! version 2023-06-01, which every door to these models knows.

mod answer;
mod blocks;
mod media;
mod read_parts;
mod read_request;
mod reader;
mod write_parts;
mod write_request;
mod write_thinking;
mod writer;

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use self::reader::MessagesReader;
use self::writer::MessagesWriter;
use crate::dialect::neutral::{
    AnswerShown, ChatAnswer, ChatRequest, Stop, StreamReader, StreamWriter, Translator, WriteTo,
    Written,
};
use crate::dialect::{BadBody, Head, others};
use crate::fault::Fault;
use crate::units::{Unit, Usage};

/// The translator of the format.
pub(super) static TRANSLATOR: Messages = Messages;

/// Anthropic's Messages.
#[derive(Debug)]
pub(super) struct Messages;

impl Translator for Messages {
    fn read_request(&self, head: &Head, body: &[u8]) -> Result<ChatRequest, BadBody> {
        read_request::read(head, body)
    }

    fn write_request(&self, request: &ChatRequest, to: WriteTo<'_>) -> Result<Written, BadBody> {
        write_request::write(request, to)
    }

    fn without_others(&self, body: &Bytes, to: WriteTo<'_>) -> Option<Bytes> {
        // Marks of others' proofs, and thoughts without any, as the writer of answers puts them.
        let marks = [
            "\"wsg1.",
            "\"wso1.",
            "\"signature\":\"\"",
            "\"signature\": \"\"",
        ];
        let is_here = others::holds(body, &marks);
        is_here.then(|| others::rewritten(self, body, to, ["messages", "thinking"]))?
    }

    fn read_answer(&self, answer: &[u8]) -> Result<ChatAnswer, Fault> {
        answer::read(answer)
    }

    fn write_answer(&self, answer: &ChatAnswer, usage: &Usage, shown: &AnswerShown) -> Bytes {
        answer::write(answer, usage, shown)
    }

    fn stream_reader(&self) -> Box<dyn StreamReader> {
        Box::new(MessagesReader::default())
    }

    fn stream_writer(&self, shown: AnswerShown) -> Box<dyn StreamWriter> {
        Box::new(MessagesWriter::new(shown))
    }
}

/// Why an answer ends, as it is told behind its parts.
#[derive(Debug, Serialize)]
struct Ending<'a> {
    #[serde(rename = "stop_reason")]
    reason: &'static str,
    #[serde(rename = "stop_sequence")]
    text: Option<&'a str>,
    #[serde(rename = "stop_details", skip_serializing_if = "Option::is_none")]
    details: Option<Details<'a>>,
}

#[derive(Debug, Serialize)]
struct Details<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    category: Option<&'static str>,
    explanation: &'a str,
}

impl<'a> Ending<'a> {
    fn of(stop: &'a Stop) -> Self {
        let (reason, text, why) = match stop {
            Stop::End => ("end_turn", None, None),
            Stop::MaxTokens => ("max_tokens", None, None),
            Stop::ContextFull => ("model_context_window_exceeded", None, None),
            Stop::StopText(text) => ("stop_sequence", text.as_deref(), None),
            Stop::ToolCalls => ("tool_use", None, None),
            Stop::Refused(why) => ("refusal", None, why.as_deref()),
            Stop::Paused => ("pause_turn", None, None),
        };
        Self {
            reason,
            text,
            details: why.map(|explanation| Details {
                kind: "refusal",
                category: None,
                explanation,
            }),
        }
    }
}

/// The same, as providers tell it.
#[derive(Debug, Default, Deserialize)]
struct Told<'a> {
    #[serde(rename = "stop_reason", borrow)]
    reason: Option<Cow<'a, str>>,
    #[serde(rename = "stop_sequence")]
    text: Option<String>,
    #[serde(rename = "stop_details")]
    details: Option<Explained>,
}

#[derive(Debug, Default, Deserialize)]
struct Explained {
    #[serde(default)]
    explanation: Option<String>,
}

impl Told<'_> {
    /// Why it ends; `None` where it does not.
    fn stop(self) -> Option<Stop> {
        Some(match self.reason?.as_ref() {
            "max_tokens" => Stop::MaxTokens,
            "model_context_window_exceeded" => Stop::ContextFull,
            "stop_sequence" => Stop::StopText(self.text),
            "tool_use" => Stop::ToolCalls,
            "refusal" => Stop::Refused(self.details.and_then(|told| told.explanation)),
            "pause_turn" | "compaction" => Stop::Paused,
            // Words that nobody knew of say that it ends.
            _ => Stop::End,
        })
    }
}

/// A usage as this format tells it: its input holds nothing that was read from a cache or written to one.
#[derive(Debug, Serialize)]
struct UsageShown<'a> {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    cache_creation: Lives,
    output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens_details: Option<Thinking>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_tool_use: Option<Searches>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
}

/// Cache writes by how long they live.
#[derive(Debug, Serialize)]
struct Lives {
    ephemeral_5m_input_tokens: u64,
    ephemeral_1h_input_tokens: u64,
}

#[derive(Debug, Serialize)]
struct Thinking {
    thinking_tokens: u64,
}

#[derive(Debug, Serialize)]
struct Searches {
    web_search_requests: u64,
    web_fetch_requests: u64,
}

impl<'a> UsageShown<'a> {
    fn of(usage: &Usage, service_tier: Option<&'a str>) -> Self {
        let count = |unit| usage.count(unit);
        let (short, long) = (
            count(Unit::CacheWriteToken),
            count(Unit::CacheWriteLongToken),
        );
        let read = [
            Unit::CachedInputToken,
            Unit::CachedInputAudioToken,
            Unit::CachedInputImageToken,
        ];
        let read = read.into_iter().map(count).fold(0, u64::saturating_add);
        let written = short.saturating_add(long);
        let thought = count(Unit::ReasoningToken);
        let searches = count(Unit::Search);
        Self {
            input_tokens: usage
                .input_total()
                .saturating_sub(read)
                .saturating_sub(written),
            cache_creation_input_tokens: written,
            cache_read_input_tokens: read,
            cache_creation: Lives {
                ephemeral_5m_input_tokens: short,
                ephemeral_1h_input_tokens: long,
            },
            output_tokens: usage.output_total(),
            output_tokens_details: (thought > 0).then_some(Thinking {
                thinking_tokens: thought,
            }),
            server_tool_use: (searches > 0).then_some(Searches {
                web_search_requests: searches,
                web_fetch_requests: 0,
            }),
            service_tier,
        }
    }
}

/// The tier in this format's words.
fn tier_shown(tier: &str) -> &'static str {
    match tier {
        "priority" => "priority",
        "batch" => "batch",
        _ => "standard",
    }
}

/// An id of a call as this format's requests take it (`^[a-zA-Z0-9_-]+$`): whoever is shown it sends it
/// back, maybe to Anthropic itself.
fn call_id(id: &str, at: usize) -> Cow<'_, str> {
    if is_call_id(id) {
        return Cow::Borrowed(id);
    }
    if id.is_empty() {
        return Cow::Owned(format!("call_{at}"));
    }
    let good = |c: char| if is_id_char(c) { c } else { '_' };
    Cow::Owned(id.chars().map(good).collect())
}

fn is_id_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

fn is_call_id(id: &str) -> bool {
    !id.is_empty() && id.chars().all(is_id_char)
}

#[cfg(test)]
mod answer_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod stream_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod write_tests;
