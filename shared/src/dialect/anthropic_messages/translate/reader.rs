//! Reads a stream, event by event: one pass, and a copy only of what is escaped.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::Told;
use super::blocks::{self, CitedRead};
use crate::dialect::anthropic_messages::scan::MessagesKind;
use crate::dialect::event::said;
use crate::dialect::neutral::{ChatEvent, StreamReader};
use crate::dialect::walk::{Walk, count, unescaped};

/// Parts that are open at once; providers have one.
const OPEN_MAX: usize = 16;

/// What is known of a stream so far.
#[derive(Debug, Default)]
pub(super) struct MessagesReader {
    /// Calls that began and did not end.
    open: SmallVec<[Open; 1]>,
    /// Calls so far.
    calls: u32,
}

/// A call that is being read.
#[derive(Debug)]
struct Open {
    /// Its part of the answer.
    index: u64,
    /// Which call it is.
    call: u32,
    /// Arguments that came with its beginning, and count where no others follow.
    input: Option<String>,
    /// Whether arguments came.
    has_arguments: bool,
}

/// The fields of an event as they are written.
#[derive(Default)]
struct Fields<'a> {
    kind: MessagesKind,
    index: u64,
    message: &'a [u8],
    block: &'a [u8],
    delta: &'a [u8],
}

impl<'a> Fields<'a> {
    fn of(data: &'a [u8]) -> Self {
        let mut fields = Self::default();
        // Ends at what is no JSON, which its meter refused before.
        Walk::new(data).object(|walk, name| {
            match name {
                b"type" if walk.peek()? == b'"' => fields.kind = MessagesKind::of(walk.text()?),
                b"index" => fields.index = count(walk.value()?),
                b"message" => fields.message = walk.value()?,
                b"content_block" => fields.block = walk.value()?,
                b"delta" => fields.delta = walk.value()?,
                _ => drop(walk.value()?),
            }
            Some(())
        });
        fields
    }
}

/// The texts of an object by their names; those that are no texts are empty.
fn texts<'a, const N: usize>(json: &'a [u8], names: [&[u8]; N]) -> [Cow<'a, str>; N] {
    let mut found = [const { Cow::Borrowed("") }; N];
    Walk::new(json).object(|walk, name| {
        let at = names.iter().position(|known| *known == name);
        match at {
            Some(at) if walk.peek()? == b'"' => found[at] = text(walk.text()?),
            _ => drop(walk.value()?),
        }
        Some(())
    });
    found
}

fn text(raw: &[u8]) -> Cow<'_, str> {
    match unescaped(raw) {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Cow::Owned(text),
            Err(error) => Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()),
        },
    }
}

/// A field of an object as it is written.
fn field<'a>(json: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    let mut found = None;
    Walk::new(json).object(|walk, name| {
        let value = walk.value()?;
        if name == wanted {
            found = Some(value);
        }
        Some(())
    });
    found
}

impl StreamReader for MessagesReader {
    fn read(&mut self, event: &[u8], each: &mut dyn FnMut(ChatEvent<'_>)) {
        let said = said(event);
        let fields = Fields::of(&said.data);
        match fields.kind {
            MessagesKind::MessageStart => {
                let [id] = texts(fields.message, [b"id"]);
                each(ChatEvent::Begin { id });
            }
            MessagesKind::BlockStart => self.begin(&fields, each),
            MessagesKind::BlockDelta => self.delta(&fields, each),
            MessagesKind::BlockStop => self.end(fields.index, each),
            MessagesKind::MessageDelta => {
                let told: Option<Told<'_>> = serde_json::from_slice(fields.delta).ok();
                if let Some(stop) = told.and_then(Told::stop) {
                    each(ChatEvent::Stop { answer: 0, stop });
                }
            }
            MessagesKind::Message
            | MessagesKind::MessageStop
            | MessagesKind::Ping
            | MessagesKind::Error
            | MessagesKind::Other => {}
        }
    }
}

impl MessagesReader {
    fn begin(&mut self, fields: &Fields<'_>, each: &mut dyn FnMut(ChatEvent<'_>)) {
        let answer = 0;
        let names: [&[u8]; 7] = [
            b"type",
            b"text",
            b"thinking",
            b"signature",
            b"data",
            b"id",
            b"name",
        ];
        let [kind, text, thinking, signature, data, id, name] = texts(fields.block, names);
        match kind.as_ref() {
            "text" if !text.is_empty() => each(ChatEvent::Text { answer, text }),
            "thinking" => {
                if !thinking.is_empty() {
                    let text = thinking;
                    each(ChatEvent::Thought { answer, text });
                }
                if let Some(signature) = blocks::signature(Some(signature.into_owned())) {
                    each(ChatEvent::Signature { answer, signature });
                }
            }
            "redacted_thinking" => {
                if let Some(signature) = blocks::redacted(&data) {
                    each(ChatEvent::Signature { answer, signature });
                }
            }
            "tool_use" => {
                let call = self.calls;
                self.calls = self.calls.saturating_add(1);
                each(ChatEvent::ToolCall {
                    answer,
                    call,
                    id,
                    name,
                    signature: None,
                });
                let input = field(fields.block, b"input")
                    .filter(|input| input.first() == Some(&b'{') && *input != b"{}")
                    .map(|input| String::from_utf8_lossy(input).into_owned());
                if self.open.len() >= OPEN_MAX {
                    self.open.remove(0);
                }
                self.open.push(Open {
                    index: fields.index,
                    call,
                    input,
                    has_arguments: false,
                });
            }
            _ => {}
        }
    }

    fn delta(&mut self, fields: &Fields<'_>, each: &mut dyn FnMut(ChatEvent<'_>)) {
        let answer = 0;
        let names: [&[u8]; 5] = [b"type", b"text", b"thinking", b"signature", b"partial_json"];
        let [kind, text, thinking, signature, json] = texts(fields.delta, names);
        match kind.as_ref() {
            "text_delta" if !text.is_empty() => each(ChatEvent::Text { answer, text }),
            "thinking_delta" if !thinking.is_empty() => {
                let text = thinking;
                each(ChatEvent::Thought { answer, text });
            }
            "signature_delta" => {
                if let Some(signature) = blocks::signature(Some(signature.into_owned())) {
                    each(ChatEvent::Signature { answer, signature });
                }
            }
            "input_json_delta" if !json.is_empty() => {
                let mut open = self.open.iter_mut();
                // Arguments of a tool that the provider runs itself are of no call.
                if let Some(open) = open.find(|open| open.index == fields.index) {
                    open.has_arguments = true;
                    let call = open.call;
                    each(ChatEvent::Arguments { answer, call, json });
                }
            }
            "citations_delta" => {
                let raw = field(fields.delta, b"citation").unwrap_or_default();
                if let Ok(cited) = serde_json::from_slice::<CitedRead>(raw) {
                    let citation = Box::new(cited.citation());
                    each(ChatEvent::Citation { answer, citation });
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, index: u64, each: &mut dyn FnMut(ChatEvent<'_>)) {
        let Some(at) = self.open.iter().position(|open| open.index == index) else {
            return;
        };
        let open = self.open.remove(at);
        if !open.has_arguments {
            // A call without arguments is one with an empty object of them.
            let json = open.input.unwrap_or_else(|| "{}".to_owned());
            each(ChatEvent::Arguments {
                answer: 0,
                call: open.call,
                json: Cow::Owned(json),
            });
        }
    }
}
