//! Streams of Converse, as the connector writes its frames down: `event: <type>`, `data: <payload>`. Read
//! into steps of an answer, and written from them.

use std::io::Write;

use super::answer::{citation, of_citation, stop_of, stop_word, usage_json};
use super::media;
use super::scan::{ConverseDelta, ConverseScan, ConverseStart};
use super::wire;
use crate::dialect::calls::StreamCalls;
use crate::dialect::event::said;
use crate::dialect::neutral::{
    ChatEvent, Media, MediaKind, Signature, SignatureFormat, Source, Stop, StreamReader,
    StreamWriter,
};
use crate::dialect::walk::text_of;
use crate::units::Usage;

/// A picture that comes in parts is put together up to so many characters of base64.
const IMAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Reads the stream of one answer.
#[derive(Debug, Default)]
pub(super) struct ConverseReader {
    calls: StreamCalls,
    /// The format of a picture that is on its way, and what came of it.
    image: Option<(String, String)>,
}

impl ConverseReader {
    fn begin(&mut self, index: u64, start: ConverseStart<'_>, each: &mut dyn FnMut(ChatEvent<'_>)) {
        if let Some(format) = start.image {
            self.image = Some((text_of(format).into_owned(), String::new()));
        }
        if start.is_tool && !start.is_theirs {
            self.calls
                .begin(index, text_of(start.id), text_of(start.name), each);
        }
    }

    fn more(&mut self, index: u64, delta: ConverseDelta<'_>, each: &mut dyn FnMut(ChatEvent<'_>)) {
        let answer = 0;
        match delta {
            ConverseDelta::Text(raw) if !raw.is_empty() => {
                let text = text_of(raw);
                each(ChatEvent::Text { answer, text });
            }
            ConverseDelta::Thought(raw) if !raw.is_empty() => {
                let text = text_of(raw);
                each(ChatEvent::Thought { answer, text });
            }
            ConverseDelta::Signature(raw) if !raw.is_empty() => {
                let home = Some(SignatureFormat::Anthropic);
                if let Some(signature) = Signature::read_in(home, &text_of(raw)) {
                    each(ChatEvent::Signature { answer, signature });
                }
            }
            ConverseDelta::Redacted(raw) if !raw.is_empty() => {
                let signature = Signature {
                    format: SignatureFormat::AnthropicRedacted,
                    data: text_of(raw).into_owned(),
                };
                each(ChatEvent::Signature { answer, signature });
            }
            ConverseDelta::Input(raw) => self.calls.more(index, text_of(raw), each),
            ConverseDelta::Image(raw) => {
                let (_, bytes) = self
                    .image
                    .get_or_insert_with(|| ("png".to_owned(), String::new()));
                if bytes.len().saturating_add(raw.len()) <= IMAGE_BYTES_MAX {
                    bytes.push_str(&text_of(raw));
                }
            }
            ConverseDelta::Citation(json) => {
                let told = serde_json::from_slice::<wire::ConverseCitation<'_>>(json).ok();
                if let Some(citation) = told.and_then(citation) {
                    let citation = Box::new(citation);
                    each(ChatEvent::Citation { answer, citation });
                }
            }
            ConverseDelta::Nothing
            | ConverseDelta::Text(_)
            | ConverseDelta::Thought(_)
            | ConverseDelta::Signature(_)
            | ConverseDelta::Redacted(_) => {}
        }
    }

    /// What was kept for the end of a block.
    fn close(&mut self, each: &mut dyn FnMut(ChatEvent<'_>)) {
        self.calls.end(each);
        if let Some((format, bytes)) = self.image.take()
            && !bytes.is_empty()
        {
            let media = Box::new(Media {
                kind: MediaKind::Image,
                media_type: media::media_type(MediaKind::Image, &format),
                source: Source::Base64(bytes),
                name: None,
                detail: None,
                cache: None,
            });
            each(ChatEvent::Media { answer: 0, media });
        }
    }
}

impl StreamReader for ConverseReader {
    fn read(&mut self, event: &[u8], each: &mut dyn FnMut(ChatEvent<'_>)) {
        let said = said(event);
        let Some(scan) = ConverseScan::of(&said.data) else {
            return;
        };
        let index = scan.index.unwrap_or_default();
        if let Some(start) = scan.start {
            self.close(each);
            self.begin(index, start, each);
        }
        match scan.delta {
            Some(delta) => self.more(index, delta, each),
            None if scan.index.is_some() && scan.start.is_none() => self.close(each),
            None => {}
        }
        if let Some(word) = scan.stop {
            self.close(each);
            each(ChatEvent::Stop {
                answer: 0,
                stop: stop_of(&text_of(word)),
            });
        }
    }
}

/// What the block is that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    Thought,
    Call(u32),
}

/// Writes the stream of one answer; of several the first.
#[derive(Debug, Default)]
pub(super) struct ConverseWriter {
    has_begun: bool,
    open: Option<Open>,
    index: u32,
    /// Whether a call was made, which is what ends the answer then.
    stop: Option<Stop>,
}

fn put(to: &mut Vec<u8>, name: &str, data: std::fmt::Arguments<'_>) {
    // Writing to a Vec can't fail.
    let _ = write!(to, "event: {name}\ndata: {data}\n\n");
}

/// A text as JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl ConverseWriter {
    fn begin(&mut self, to: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.has_begun, true) {
            put(
                to,
                "messageStart",
                format_args!("{{\"role\":\"assistant\"}}"),
            );
        }
    }

    /// Closes what is open, unless it is of the same kind.
    fn turn(&mut self, open: Option<Open>, to: &mut Vec<u8>) {
        self.begin(to);
        if self.open == open && open.is_some() {
            return;
        }
        if self.open.is_some() {
            let index = self.index;
            put(
                to,
                "contentBlockStop",
                format_args!("{{\"contentBlockIndex\":{index}}}"),
            );
            self.index += 1;
        }
        self.open = open;
    }

    fn delta(&mut self, delta: &str, to: &mut Vec<u8>) {
        let index = self.index;
        put(
            to,
            "contentBlockDelta",
            format_args!("{{\"contentBlockIndex\":{index},\"delta\":{delta}}}"),
        );
    }

    fn start(&mut self, start: &str, to: &mut Vec<u8>) {
        let index = self.index;
        put(
            to,
            "contentBlockStart",
            format_args!("{{\"contentBlockIndex\":{index},\"start\":{start}}}"),
        );
    }

    fn thought(&mut self, field: &str, text: &str, to: &mut Vec<u8>) {
        self.turn(Some(Open::Thought), to);
        let text = quoted(text);
        self.delta(
            &format!("{{\"reasoningContent\":{{\"{field}\":{text}}}}}"),
            to,
        );
    }

    fn signature(&mut self, signature: &Signature, to: &mut Vec<u8>) {
        if signature.format == SignatureFormat::AnthropicRedacted {
            self.turn(None, to);
            self.thought("redactedContent", &signature.data, to);
        } else {
            let text = signature.written_in(Some(SignatureFormat::Anthropic));
            self.thought("signature", &text, to);
        }
        self.turn(None, to);
    }

    fn media(&mut self, media: &Media, to: &mut Vec<u8>) {
        let (Some(format), Source::Base64(bytes)) = (media::format(media), &media.source) else {
            return;
        };
        if media.kind != MediaKind::Image {
            return;
        }
        self.turn(None, to);
        self.start(
            &format!("{{\"image\":{{\"format\":{}}}}}", quoted(format)),
            to,
        );
        self.delta(
            &format!(
                "{{\"image\":{{\"source\":{{\"bytes\":{}}}}}}}",
                quoted(bytes)
            ),
            to,
        );
        // A block that nothing continues.
        self.open = Some(Open::Call(u32::MAX));
        self.turn(None, to);
    }
}

impl StreamWriter for ConverseWriter {
    fn write(&mut self, event: ChatEvent<'_>, to: &mut Vec<u8>) {
        match event {
            ChatEvent::Begin { .. } => self.begin(to),
            ChatEvent::Text { answer: 0, text } | ChatEvent::Refusal { answer: 0, text } => {
                self.turn(Some(Open::Text), to);
                self.delta(&format!("{{\"text\":{}}}", quoted(&text)), to);
            }
            ChatEvent::Thought { answer: 0, text } => self.thought("text", &text, to),
            ChatEvent::Signature {
                answer: 0,
                signature,
            } => self.signature(&signature, to),
            ChatEvent::ToolCall {
                answer: 0,
                call,
                id,
                name,
                ..
            } => {
                self.turn(Some(Open::Call(call)), to);
                let (id, name) = (quoted(&id), quoted(&name));
                let start = format!("{{\"toolUse\":{{\"toolUseId\":{id},\"name\":{name}}}}}");
                self.start(&start, to);
            }
            ChatEvent::Arguments {
                answer: 0,
                call,
                json,
            } if self.open == Some(Open::Call(call)) => {
                let input = quoted(&json);
                self.delta(&format!("{{\"toolUse\":{{\"input\":{input}}}}}"), to);
            }
            ChatEvent::Media { answer: 0, media } => self.media(&media, to),
            ChatEvent::Citation {
                answer: 0,
                citation,
            } => {
                self.turn(Some(Open::Text), to);
                let told = serde_json::to_string(&of_citation(&citation)).unwrap_or_default();
                self.delta(&format!("{{\"citation\":{told}}}"), to);
            }
            ChatEvent::Stop { answer: 0, stop } => self.stop = Some(stop),
            // Converse has one answer, and one block at a time.
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

/// The events that end a stream.
pub(super) fn ending(word: &str, usage: &Usage) -> Vec<u8> {
    let mut to = Vec::new();
    put(
        &mut to,
        "messageStop",
        format_args!("{{\"stopReason\":\"{word}\"}}"),
    );
    let usage = usage_json(usage);
    put(
        &mut to,
        "metadata",
        format_args!("{{\"usage\":{usage},\"metrics\":{{\"latencyMs\":0}}}}"),
    );
    to
}
