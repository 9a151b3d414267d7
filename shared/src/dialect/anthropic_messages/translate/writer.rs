//! Writes a stream, event by event: one part of the answer is open at a time, and numbered when it begins.

use std::io::Write;

use serde::Serialize;
use smallvec::SmallVec;

use super::answer::{ended, linked, shown_signature};
use super::blocks::Cited;
use super::{Ending, UsageShown, call_id, tier_shown};
use crate::dialect::anthropic_messages::events::STOP;
use crate::dialect::neutral::{
    AnswerShown, ChatEvent, Signature, SignatureFormat, Stop, StreamWriter,
};
use crate::units::{Fact, Unit, Usage};

/// Calls whose parts are remembered: more in one answer is no answer.
const CALLS_MAX: usize = 128;
/// Words of a refusal that are told with why the answer ends.
const REFUSAL_BYTES_MAX: usize = 2_000;

/// What was written so far.
#[derive(Debug)]
pub(super) struct MessagesWriter {
    shown: AnswerShown,
    has_begun: bool,
    open: Option<Part>,
    /// Parts so far.
    parts: u64,
    /// The parts of calls.
    calls: SmallVec<[(u32, u64); 2]>,
    has_call: bool,
    refusal: String,
    stop: Stop,
}

/// The part that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Text,
    Thought,
    Call,
}

/// Writes a value as JSON.
fn json(to: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    // What is written here always can be.
    let _ = serde_json::to_writer(to, value);
}

impl MessagesWriter {
    pub(super) fn new(shown: AnswerShown) -> Self {
        Self {
            shown,
            has_begun: false,
            open: None,
            parts: 0,
            calls: SmallVec::new(),
            has_call: false,
            refusal: String::new(),
            stop: Stop::End,
        }
    }

    fn begin(&mut self, to: &mut Vec<u8>) {
        if self.has_begun {
            return;
        }
        self.has_begun = true;
        to.extend_from_slice(
            b"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":",
        );
        json(to, &format!("msg_{}", self.shown.id));
        to.extend_from_slice(b",\"type\":\"message\",\"role\":\"assistant\",\"model\":");
        json(to, &self.shown.model);
        to.extend_from_slice(
            b",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":",
        );
        let usage = Usage::of([(Unit::InputToken, self.shown.input_estimate)]);
        json(to, &UsageShown::of(&usage, None));
        to.extend_from_slice(b"}}\n\n");
    }

    /// Ends the part that is open.
    fn close(&mut self, to: &mut Vec<u8>) {
        if self.open.take().is_some() {
            let index = self.parts.saturating_sub(1);
            // Writing to a Vec can't fail.
            let _ = write!(
                to,
                "event: content_block_stop\ndata: {{\"type\":\"content_block_stop\",\"index\":{index}}}\n\n"
            );
        }
    }

    /// Begins the next part, of which `block` writes what it begins with.
    fn start(&mut self, to: &mut Vec<u8>, block: impl FnOnce(&mut Vec<u8>)) -> u64 {
        self.close(to);
        let index = self.parts;
        self.parts += 1;
        let _ = write!(
            to,
            "event: content_block_start\ndata: {{\"type\":\"content_block_start\",\"index\":{index},\"content_block\":"
        );
        block(to);
        to.extend_from_slice(b"}\n\n");
        index
    }

    /// More of a part.
    fn delta(to: &mut Vec<u8>, index: u64, head: &[u8], value: &(impl Serialize + ?Sized)) {
        let _ = write!(
            to,
            "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":{index},\"delta\":{{"
        );
        to.extend_from_slice(head);
        json(to, value);
        to.extend_from_slice(b"}}\n\n");
    }

    /// The part that is open.
    fn index(&self) -> u64 {
        self.parts.saturating_sub(1)
    }

    fn text(&mut self, text: &str, to: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        if self.open != Some(Part::Text) {
            self.start(to, |to| {
                to.extend_from_slice(b"{\"type\":\"text\",\"text\":\"\"}");
            });
            self.open = Some(Part::Text);
        }
        Self::delta(to, self.index(), b"\"type\":\"text_delta\",\"text\":", text);
    }

    fn open_thought(&mut self, to: &mut Vec<u8>) {
        if self.open != Some(Part::Thought) {
            self.start(to, |to| {
                to.extend_from_slice(
                    b"{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}",
                );
            });
            self.open = Some(Part::Thought);
        }
    }

    /// Proves the thought that is open, or one of no words.
    fn signature(&mut self, signature: &Signature, to: &mut Vec<u8>) {
        if signature.format == SignatureFormat::AnthropicRedacted {
            self.start(to, |to| {
                to.extend_from_slice(b"{\"type\":\"redacted_thinking\",\"data\":");
                json(to, &signature.data);
                to.push(b'}');
            });
            self.open = Some(Part::Thought);
            return self.close(to);
        }
        self.open_thought(to);
        let head = b"\"type\":\"signature_delta\",\"signature\":";
        Self::delta(to, self.index(), head, &shown_signature(signature));
        self.close(to);
    }

    fn call(&mut self, call: u32, (id, name): (&str, &str), to: &mut Vec<u8>) {
        let at = usize::try_from(self.parts).unwrap_or(usize::MAX);
        let id = call_id(id, at);
        let index = self.start(to, |to| {
            to.extend_from_slice(b"{\"type\":\"tool_use\",\"id\":");
            json(to, &id);
            to.extend_from_slice(b",\"name\":");
            json(to, name);
            to.extend_from_slice(b",\"input\":{}}");
        });
        self.open = Some(Part::Call);
        self.has_call = true;
        if self.calls.len() >= CALLS_MAX {
            self.calls.remove(0);
        }
        self.calls.push((call, index));
    }

    /// More of a call's arguments. Clients put them where their number says, be that part closed.
    fn arguments(&mut self, call: u32, arguments: &str, to: &mut Vec<u8>) {
        let found = self.calls.iter().rev().find(|(known, _)| *known == call);
        if let Some((_, index)) = found
            && !arguments.is_empty()
        {
            let head = b"\"type\":\"input_json_delta\",\"partial_json\":";
            Self::delta(to, *index, head, arguments);
        }
    }
}

impl StreamWriter for MessagesWriter {
    fn write(&mut self, event: ChatEvent<'_>, to: &mut Vec<u8>) {
        self.begin(to);
        match event {
            ChatEvent::Text { answer: 0, text } => self.text(&text, to),
            ChatEvent::Refusal { answer: 0, text } => {
                if self.refusal.len() + text.len() <= REFUSAL_BYTES_MAX {
                    self.refusal.push_str(&text);
                }
                self.text(&text, to);
            }
            ChatEvent::Thought { answer: 0, text } => {
                if !text.is_empty() {
                    self.open_thought(to);
                    let head = b"\"type\":\"thinking_delta\",\"thinking\":";
                    Self::delta(to, self.index(), head, &text);
                }
            }
            ChatEvent::Signature {
                answer: 0,
                signature,
            } => self.signature(&signature, to),
            ChatEvent::ToolCall {
                answer: 0,
                call,
                id,
                name,
                signature,
            } => {
                if let Some(signature) = signature {
                    // In a part of its own: what was thought before has its own proof.
                    self.close(to);
                    self.signature(&signature, to);
                }
                self.call(call, (&id, &name), to);
            }
            ChatEvent::Arguments {
                answer: 0,
                call,
                json,
            } => self.arguments(call, &json, to),
            ChatEvent::Media { answer: 0, media } => self.text(&linked(&media), to),
            ChatEvent::Citation {
                answer: 0,
                citation,
            } if self.open == Some(Part::Text) => {
                let head = b"\"type\":\"citations_delta\",\"citation\":";
                Self::delta(to, self.index(), head, &Cited::of(&citation));
            }
            ChatEvent::Stop { answer: 0, stop } => {
                self.close(to);
                self.stop = stop;
            }
            // It has begun; and this format has one answer.
            ChatEvent::Begin { .. }
            | ChatEvent::Text { .. }
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
        self.begin(to);
        self.close(to);
        let refusal = Some(self.refusal.as_str()).filter(|text| !text.is_empty());
        let stop = ended(std::mem::take(&mut self.stop), self.has_call, refusal);
        to.extend_from_slice(b"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":");
        json(to, &Ending::of(&stop));
        to.extend_from_slice(b",\"usage\":");
        let tier = usage.facts.get(Fact::Tier).map(tier_shown);
        json(to, &UsageShown::of(usage, tier));
        to.extend_from_slice(b"}\n\n");
        to.extend_from_slice(STOP);
    }
}
