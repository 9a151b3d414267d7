//! Streams of Cohere's chat: read into steps of an answer, and written from them.

use std::io::Write;

use super::answer::{citation, of_citation, stop_of, stop_word, usage_json};
use super::scan::{CohereKind, CohereScan};
use super::wire;
use crate::dialect::calls::StreamCalls;
use crate::dialect::event::said;
use crate::dialect::neutral::{ChatEvent, Stop, StreamReader, StreamWriter};
use crate::dialect::walk::text_of;
use crate::units::Usage;

/// Reads the stream of one answer.
#[derive(Debug, Default)]
pub(super) struct CohereReader {
    calls: StreamCalls,
}

impl CohereReader {
    /// What a part says.
    fn more(&mut self, scan: &CohereScan<'_>, each: &mut dyn FnMut(ChatEvent<'_>)) {
        let answer = 0;
        for raw in [scan.thought, scan.plan] {
            if !raw.is_empty() {
                let text = text_of(raw);
                each(ChatEvent::Thought { answer, text });
            }
        }
        if !scan.text.is_empty() {
            let text = text_of(scan.text);
            each(ChatEvent::Text { answer, text });
        }
        let number = scan.index.unwrap_or_default();
        self.calls.more(number, text_of(scan.arguments), each);
        if let Some(json) = scan.citation {
            let told = serde_json::from_slice::<wire::CohereCitation<'_>>(json).ok();
            if let Some(citation) = told.as_ref().and_then(citation) {
                let citation = Box::new(citation);
                each(ChatEvent::Citation { answer, citation });
            }
        }
    }
}

impl StreamReader for CohereReader {
    fn read(&mut self, event: &[u8], each: &mut dyn FnMut(ChatEvent<'_>)) {
        let said = said(event);
        let Some(scan) = CohereScan::of(&said.data) else {
            return;
        };
        match scan.kind {
            CohereKind::Other => {}
            CohereKind::MessageStart => {
                if let Some(id) = scan.id {
                    let id = text_of(id);
                    each(ChatEvent::Begin { id });
                }
            }
            CohereKind::CallStart => {
                let (id, name) = (text_of(scan.call_id), text_of(scan.call_name));
                let number = scan.index.unwrap_or_default();
                self.calls.begin(number, id, name, each);
                self.more(&scan, each);
            }
            CohereKind::More => self.more(&scan, each),
            CohereKind::CallEnd => self.calls.end(each),
            CohereKind::MessageEnd => {
                self.calls.end(each);
                let stop = stop_of(&scan.finish.map(text_of).unwrap_or_default());
                each(ChatEvent::Stop { answer: 0, stop });
            }
        }
    }
}

/// What is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    Thought,
    Call(u32),
}

/// Writes the stream of one answer; of several the first.
#[derive(Debug)]
pub(super) struct CohereWriter {
    id: String,
    has_begun: bool,
    open: Option<Open>,
    /// Of the contents, from zero; calls have numbers of their own.
    index: u32,
    citations: u32,
    stop: Option<Stop>,
}

fn put(to: &mut Vec<u8>, name: &str, rest: std::fmt::Arguments<'_>) {
    // Writing to a Vec can't fail.
    let _ = write!(to, "event: {name}\ndata: {{\"type\":\"{name}\"{rest}}}\n\n");
}

/// A text as JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn start_call(call: u32, id: &str, name: &str, to: &mut Vec<u8>) {
    let (id, name) = (quoted(id), quoted(name));
    put(
        to,
        "tool-call-start",
        format_args!(
            ",\"index\":{call},\"delta\":{{\"message\":{{\"tool_calls\":{{\"id\":{id},\
             \"type\":\"function\",\"function\":{{\"name\":{name},\"arguments\":\"\"}}}}}}}}"
        ),
    );
}

impl CohereWriter {
    /// With the id that the answer has where its provider tells none.
    pub(super) fn new(id: String) -> Self {
        Self {
            id,
            has_begun: false,
            open: None,
            index: 0,
            citations: 0,
            stop: None,
        }
    }

    fn begin(&mut self, to: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.has_begun, true) {
            let id = quoted(&self.id);
            put(
                to,
                "message-start",
                format_args!(
                    ",\"id\":{id},\"delta\":{{\"message\":{{\"role\":\"assistant\",\"content\":[],\
                     \"tool_plan\":\"\",\"tool_calls\":[],\"citations\":[]}}}}"
                ),
            );
        }
    }

    /// Closes what is open, unless it is the same; says whether something is to be begun.
    fn turn(&mut self, open: Option<Open>, to: &mut Vec<u8>) -> bool {
        self.begin(to);
        if self.open == open {
            return false;
        }
        match self.open {
            Some(Open::Call(call)) => put(to, "tool-call-end", format_args!(",\"index\":{call}")),
            Some(Open::Text | Open::Thought) => {
                let index = self.index;
                put(to, "content-end", format_args!(",\"index\":{index}"));
                self.index += 1;
            }
            None => {}
        }
        self.open = open;
        open.is_some()
    }

    fn content(&mut self, open: Open, field: &str, text: &str, to: &mut Vec<u8>) {
        let is_new = self.turn(Some(open), to);
        let index = self.index;
        if is_new {
            put(
                to,
                "content-start",
                format_args!(
                    ",\"index\":{index},\"delta\":{{\"message\":{{\"content\":{{\"type\":\"{field}\",\
                     \"{field}\":\"\"}}}}}}"
                ),
            );
        }
        let text = quoted(text);
        put(
            to,
            "content-delta",
            format_args!(
                ",\"index\":{index},\"delta\":{{\"message\":{{\"content\":{{\"{field}\":{text}}}}}}}"
            ),
        );
    }
}

impl StreamWriter for CohereWriter {
    fn write(&mut self, event: ChatEvent<'_>, to: &mut Vec<u8>) {
        match event {
            ChatEvent::Begin { id } => {
                if !id.is_empty() {
                    self.id = id.into_owned();
                }
                self.begin(to);
            }
            ChatEvent::Text { answer: 0, text } | ChatEvent::Refusal { answer: 0, text } => {
                self.content(Open::Text, "text", &text, to);
            }
            ChatEvent::Thought { answer: 0, text } => {
                self.content(Open::Thought, "thinking", &text, to);
            }
            ChatEvent::ToolCall {
                answer: 0,
                call,
                id,
                name,
                ..
            } => {
                self.turn(Some(Open::Call(call)), to);
                start_call(call, &id, &name, to);
            }
            ChatEvent::Arguments {
                answer: 0,
                call,
                json,
            } => {
                let json = quoted(&json);
                put(
                    to,
                    "tool-call-delta",
                    format_args!(
                        ",\"index\":{call},\"delta\":{{\"message\":{{\"tool_calls\":{{\"function\":\
                         {{\"arguments\":{json}}}}}}}}}"
                    ),
                );
            }
            ChatEvent::Citation {
                answer: 0,
                citation,
            } => {
                let told = serde_json::to_string(&of_citation(&citation)).unwrap_or_default();
                let index = self.citations;
                self.citations += 1;
                put(
                    to,
                    "citation-start",
                    format_args!(
                        ",\"index\":{index},\"delta\":{{\"message\":{{\"citations\":{told}}}}}"
                    ),
                );
                put(to, "citation-end", format_args!(",\"index\":{index}"));
            }
            ChatEvent::Stop { answer: 0, stop } => self.stop = Some(stop),
            // One answer, of texts and calls.
            ChatEvent::Text { .. }
            | ChatEvent::Refusal { .. }
            | ChatEvent::Thought { .. }
            | ChatEvent::Signature { .. }
            | ChatEvent::ToolCall { .. }
            | ChatEvent::Arguments { .. }
            | ChatEvent::Media { .. }
            | ChatEvent::Citation { .. }
            | ChatEvent::Stop { .. } => {}
        }
    }

    fn end(&mut self, usage: &Usage, to: &mut Vec<u8>) {
        self.turn(None, to);
        let stop = self.stop.take().unwrap_or_default();
        to.extend_from_slice(&ending(stop_word(&stop), usage));
    }
}

/// The event that ends a stream.
pub(super) fn ending(word: &str, usage: &Usage) -> Vec<u8> {
    let mut to = Vec::new();
    let usage = usage_json(usage);
    put(
        &mut to,
        "message-end",
        format_args!(",\"delta\":{{\"finish_reason\":\"{word}\",\"usage\":{usage}}}"),
    );
    to
}
