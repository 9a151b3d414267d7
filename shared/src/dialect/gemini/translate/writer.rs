//! Writes a stream: texts and pictures as they come, calls when they are whole, as Google does, and at the
//! end, in one event, why each answer ends, where it was taken from, and the usage.

use super::parts::{self, Parts};
use super::reader::refusal_word;
use super::{signature, text};
use crate::dialect::gemini::events;
use crate::dialect::neutral::{AnswerShown, ChatEvent, Citation, Stop, StreamWriter, ToolCall};
use crate::sse::EVENT_BYTES_MAX;
use crate::units::{Fact, Usage};

/// Calls that are not whole yet; further ones pass as they are.
const OPEN_MAX: usize = 256;
/// Places of one answer that are told at its end.
const CITATIONS_MAX: usize = 256;

/// Writes one stream.
#[derive(Debug)]
pub(super) struct GeminiWriter {
    /// What stands behind the candidates of each event.
    behind: Vec<u8>,
    open: Vec<Open>,
    /// Bytes of arguments in it.
    open_bytes: usize,
    answers: Vec<Answer>,
}

/// A call that is not whole yet.
#[derive(Debug)]
struct Open {
    answer: u32,
    number: u32,
    call: ToolCall,
}

/// What is known of one answer.
#[derive(Debug)]
struct Answer {
    index: u32,
    stop: Stop,
    /// Waits for the part that it stands on.
    held: Option<String>,
    citations: Vec<Citation>,
}

/// Google's word for why an answer ends, and what it tells beside.
pub(super) fn reason(stop: &Stop) -> (&'static str, Option<&str>) {
    match stop {
        Stop::End | Stop::StopText(_) | Stop::ToolCalls => ("STOP", None),
        Stop::MaxTokens | Stop::ContextFull => ("MAX_TOKENS", None),
        Stop::Refused(None) => ("SAFETY", None),
        Stop::Refused(Some(reason)) => match refusal_word(reason) {
            Some(word) => (word, None),
            None => ("SAFETY", Some(reason)),
        },
        Stop::Paused => ("CONTINUATION", None),
    }
}

/// Writes what stands in a candidate behind its content.
pub(super) fn beside(index: u32, stop: &Stop, citations: &[&Citation], out: &mut Vec<u8>) {
    let (word, message) = reason(stop);
    out.extend_from_slice(format!(",\"finishReason\":\"{word}\"").as_bytes());
    if let Some(message) = message {
        out.extend_from_slice(b",\"finishMessage\":");
        text::write(out, message);
    }
    if !citations.is_empty() {
        out.extend_from_slice(b",\"groundingMetadata\":{\"groundingChunks\":[");
        for (at, citation) in citations.iter().enumerate() {
            let open: &[u8] = if at > 0 {
                b",{\"web\":{\"uri\":"
            } else {
                b"{\"web\":{\"uri\":"
            };
            out.extend_from_slice(open);
            text::write(out, &citation.url);
            if let Some(title) = &citation.title {
                out.extend_from_slice(b",\"title\":");
                text::write(out, title);
            }
            out.extend_from_slice(b"}}");
        }
        out.extend_from_slice(b"]}");
    }
    out.extend_from_slice(format!(",\"index\":{index}").as_bytes());
}

/// Writes the model's name and the id, behind a comma.
pub(super) fn names(shown: &AnswerShown, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"modelVersion\":");
    text::write(out, &shown.model);
    out.extend_from_slice(b",\"responseId\":");
    text::write(out, &shown.id);
}

impl GeminiWriter {
    pub(super) fn new(shown: AnswerShown) -> Self {
        let mut behind = Vec::new();
        names(&shown, &mut behind);
        behind.extend_from_slice(b"}\n\n");
        Self {
            behind,
            open: Vec::new(),
            open_bytes: 0,
            answers: Vec::new(),
        }
    }

    fn answer(&mut self, index: u32) -> &mut Answer {
        let found = self.answers.iter().position(|answer| answer.index == index);
        let at = found.unwrap_or_else(|| {
            self.answers.push(Answer {
                index,
                stop: Stop::End,
                held: None,
                citations: Vec::new(),
            });
            self.answers.len() - 1
        });
        &mut self.answers[at]
    }

    /// One event with one part, on which the signature stands that waits.
    fn event(&mut self, index: u32, to: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        let held = self.answer(index).held.take();
        to.extend_from_slice(b"data: {\"candidates\":[{\"content\":{\"parts\":[{");
        write(to);
        if let Some(signature) = held {
            parts::write_signature(&signature, to);
        }
        to.extend_from_slice(b"}],\"role\":\"model\"},\"index\":");
        // Most have one answer.
        if index == 0 {
            to.push(b'0');
        } else {
            to.extend_from_slice(index.to_string().as_bytes());
        }
        to.extend_from_slice(b"}]");
        to.extend_from_slice(&self.behind);
    }

    /// Gives a signature that nothing follows a part of its own.
    fn flush_signature(&mut self, index: u32, to: &mut Vec<u8>) {
        if self.answer(index).held.is_some() {
            self.event(index, to, |out| parts::write_text("", out));
        }
    }

    /// Writes the calls of an answer, which are whole where another part begins.
    fn flush_calls(&mut self, index: u32, to: &mut Vec<u8>) {
        while let Some(at) = self.open.iter().position(|open| open.answer == index) {
            let Open { call, .. } = self.open.remove(at);
            self.open_bytes = self.open_bytes.saturating_sub(call.arguments.len());
            if let Some(own) = &call.signature {
                self.flush_signature(index, to);
                self.answer(index).held = Some(signature::written(own));
            }
            self.event(index, to, |out| {
                parts::write_call(&call.id, &call.name, &call.arguments, out);
            });
        }
    }

    /// Adds to a call that is not whole yet.
    fn arguments(&mut self, index: u32, number: u32, json: &str) {
        // More than the largest event is no call that anybody reads.
        let fits = self.open_bytes.saturating_add(json.len()) <= EVENT_BYTES_MAX;
        let is_it = |open: &&mut Open| open.answer == index && open.number == number;
        if let (true, Some(open)) = (fits, self.open.iter_mut().rev().find(is_it)) {
            self.open_bytes += json.len();
            open.call.arguments.push_str(json);
        }
    }

    fn text(&mut self, index: u32, words: &str, to: &mut Vec<u8>) {
        self.flush_calls(index, to);
        if !words.is_empty() {
            self.event(index, to, |out| parts::write_text(words, out));
        }
    }
}

impl StreamWriter for GeminiWriter {
    fn write(&mut self, event: ChatEvent<'_>, to: &mut Vec<u8>) {
        match event {
            ChatEvent::Begin { .. } => {}
            ChatEvent::Text { answer, text } | ChatEvent::Refusal { answer, text } => {
                self.text(answer, &text, to);
            }
            ChatEvent::Thought { answer, text } => {
                self.flush_calls(answer, to);
                self.flush_signature(answer, to);
                if !text.is_empty() {
                    self.event(answer, to, |out| {
                        parts::write_text(&text, out);
                        out.extend_from_slice(b",\"thought\":true");
                    });
                }
            }
            ChatEvent::Signature { answer, signature } => {
                self.flush_calls(answer, to);
                self.flush_signature(answer, to);
                self.answer(answer).held = Some(signature::written(&signature));
            }
            ChatEvent::ToolCall {
                answer,
                call,
                id,
                name,
                signature,
            } => {
                if self.open.len() >= OPEN_MAX {
                    self.flush_calls(answer, to);
                }
                self.answer(answer);
                self.open.push(Open {
                    answer,
                    number: call,
                    call: ToolCall {
                        id: id.into_owned(),
                        name: name.into_owned(),
                        arguments: String::new(),
                        signature,
                        cache: None,
                    },
                });
            }
            ChatEvent::Arguments { answer, call, json } => self.arguments(answer, call, &json),
            ChatEvent::Media { answer, media } => {
                self.flush_calls(answer, to);
                let mut part = Vec::new();
                if parts::write_media(&media, &mut part) {
                    self.event(answer, to, |out| out.extend_from_slice(&part));
                }
            }
            ChatEvent::Citation { answer, citation } => {
                let citations = &mut self.answer(answer).citations;
                if citations.len() < CITATIONS_MAX {
                    citations.push(*citation);
                }
            }
            ChatEvent::Stop { answer, stop } => {
                self.flush_calls(answer, to);
                self.answer(answer).stop = stop;
            }
        }
    }

    fn end(&mut self, usage: &Usage, to: &mut Vec<u8>) {
        if self.answers.is_empty() {
            self.answer(0);
        }
        self.answers.sort_by_key(|answer| answer.index);
        let indexes: Vec<u32> = self.answers.iter().map(|answer| answer.index).collect();
        for index in indexes {
            self.flush_calls(index, to);
        }
        to.extend_from_slice(b"data: {\"candidates\":[");
        for (at, answer) in self.answers.iter_mut().enumerate() {
            if at > 0 {
                to.push(b',');
            }
            to.extend_from_slice(b"{\"content\":{\"parts\":[");
            let mut last = Parts::new(to);
            last.thought("", answer.held.take());
            last.part(|out| parts::write_text("", out));
            to.extend_from_slice(b"],\"role\":\"model\"}");
            let citations: Vec<&Citation> = answer.citations.iter().collect();
            beside(answer.index, &answer.stop, &citations, to);
            to.push(b'}');
        }
        let told = events::usage(usage, usage.facts.get(Fact::Tier));
        to.extend_from_slice(format!("],\"usageMetadata\":{told}").as_bytes());
        to.extend_from_slice(&self.behind);
    }
}
