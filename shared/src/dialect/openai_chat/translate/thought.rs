//! What was thought, as this dialect's speakers write it: `reasoning_content` (DeepSeek and most others) or
//! `reasoning` (OpenRouter) for people, and OpenRouter's `reasoning_details` for what proves it: entries
//! `reasoning.text` with `text` and `signature`, `reasoning.summary` with `summary`, `reasoning.encrypted`
//! with `data`, whose `format` says by whom (OpenRouter, "Reasoning tokens", 2026-08). Google's own door puts
//! the proof of a call at the call, in `extra_content.google.thought_signature` (Google, "Thought
//! signatures").
//!
//! Since an entry says whose its proof is, proofs stand there as their makers wrote them, as OpenRouter's do;
//! one without a word for whose it is counts only where it bears Waule's own mark.

use std::borrow::Cow;
use std::collections::HashMap;

use super::out::JsonOut;
use super::raw::Raw;
use crate::dialect::neutral::{Signature, SignatureFormat, Thought, ToolCall};

/// Who made an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    Anthropic,
    Google,
    OpenAi,
}

impl Maker {
    fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "anthropic-claude-v1" => Self::Anthropic,
            "google-gemini-v1" => Self::Google,
            "openai-responses-v1" => Self::OpenAi,
            _ => return None,
        })
    }

    /// Whose format a proof of theirs has; of Anthropic an encrypted one is of a thought that is not shown.
    fn signs(self, is_encrypted: bool) -> SignatureFormat {
        match self {
            Self::Anthropic if is_encrypted => SignatureFormat::AnthropicRedacted,
            Self::Anthropic => SignatureFormat::Anthropic,
            Self::Google => SignatureFormat::Google,
            Self::OpenAi => SignatureFormat::OpenAi,
        }
    }
}

/// The word for whose a proof is.
pub(super) fn word(format: SignatureFormat) -> &'static str {
    match format {
        SignatureFormat::Anthropic | SignatureFormat::AnthropicRedacted => "anthropic-claude-v1",
        SignatureFormat::Google => "google-gemini-v1",
        SignatureFormat::OpenAi => "openai-responses-v1",
    }
}

/// One entry of `reasoning_details`.
#[derive(Debug)]
pub(super) struct Detail<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) signature: Option<Signature>,
    maker: Option<Maker>,
    /// Of OpenRouter's proofs of Google's calls: which call.
    id: Option<Cow<'a, str>>,
}

impl<'a> Detail<'a> {
    /// Reads one; `usual` made it where it does not say who.
    pub(super) fn read(entry: Raw<'a>, usual: Option<Maker>) -> Self {
        let names = [
            "text",
            "summary",
            "thinking",
            "signature",
            "data",
            "format",
            "id",
        ];
        let [text, summary, thinking, signature, data, format, id] = entry.pick(names);
        let words = |raw: Option<Raw<'a>>| raw.and_then(Raw::words);
        let format = words(format);
        let maker = format.as_deref().and_then(Maker::from_word).or(usual);
        let proof = |is_encrypted: bool, text: Cow<'a, str>| {
            Signature::read_in(maker.map(|maker| maker.signs(is_encrypted)), &text)
        };
        let data = words(data).and_then(|data| proof(true, data));
        let signature = data.or_else(|| words(signature).and_then(|text| proof(false, text)));
        let text = words(text)
            .or_else(|| words(summary))
            .or_else(|| words(thinking));
        Self {
            text: text.unwrap_or_default(),
            signature,
            maker,
            id: words(id),
        }
    }

    /// The call that it proves.
    pub(super) fn call(&self) -> Option<&str> {
        let is_google = matches!(
            self.signature,
            Some(Signature {
                format: SignatureFormat::Google,
                ..
            })
        );
        self.id.as_deref().filter(|_| is_google)
    }
}

/// The thoughts of a message with these calls, which get their proofs.
pub(super) fn read(message: Raw<'_>, calls: &mut [ToolCall]) -> Vec<Thought> {
    let names = [
        "reasoning_content",
        "reasoning",
        "reasoning_details",
        "thinking_blocks",
    ];
    let [content, reasoning, details, blocks] = message.pick(names);
    let plain = content
        .and_then(Raw::words)
        .or_else(|| reasoning.and_then(Raw::words));
    // LiteLLM's name for Anthropic's blocks.
    let (details, usual) = match (details, blocks) {
        (None, Some(blocks)) => (Some(blocks), Some(Maker::Anthropic)),
        (details, _) => (details, None),
    };
    let mut thoughts = Vec::new();
    if let Some(details) = details {
        thoughts = of_details(details, usual, calls);
    }
    let has_text = thoughts.iter().any(|thought| !thought.text.is_empty());
    if let (false, Some(plain)) = (has_text, plain) {
        let text = plain.into_owned();
        match thoughts.first_mut() {
            Some(first) if is_shown(first) => first.text = text,
            _ => thoughts.insert(
                0,
                Thought {
                    text,
                    signature: None,
                },
            ),
        }
    }
    thoughts
}

/// Whether what proves the thought is of one that is shown.
fn is_shown(thought: &Thought) -> bool {
    let format = thought.signature.as_ref().map(|signature| signature.format);
    format.is_some_and(|format| format != SignatureFormat::AnthropicRedacted)
}

fn of_details(details: Raw<'_>, usual: Option<Maker>, calls: &mut [ToolCall]) -> Vec<Thought> {
    let mut thoughts: Vec<Thought> = Vec::new();
    let mut made_by: Option<Maker> = None;
    let mut places: Option<HashMap<String, usize>> = None;
    details.each(|entry| {
        let detail = Detail::read(entry, usual);
        if let Some(id) = detail.call() {
            let places = places.get_or_insert_with(|| {
                let ids = calls.iter().map(|call| call.id.clone());
                ids.zip(0..).collect()
            });
            let call = places.get(id).and_then(|at| calls.get_mut(*at));
            if let Some(call) = call {
                call.signature = call.signature.take().or(detail.signature);
                return;
            }
        }
        if detail.text.is_empty() && detail.signature.is_none() {
            return;
        }
        // Of these two the proof is an entry behind that of the text.
        let is_behind = matches!(detail.maker, Some(Maker::Google | Maker::OpenAi))
            && detail.text.is_empty()
            && detail.maker == made_by;
        made_by = detail.maker;
        match thoughts.last_mut() {
            Some(last) if is_behind && last.signature.is_none() => {
                last.signature = detail.signature;
            }
            _ => thoughts.push(Thought {
                text: detail.text.into_owned(),
                signature: detail.signature,
            }),
        }
    });
    thoughts
}

/// Writes an entry for a text that has no proof, or of which the proof comes behind.
pub(super) fn write_text(out: &mut Vec<u8>, text: &str, index: usize) {
    out.open(b'{').key("type").text("reasoning.text");
    out.key("text").text(text);
    out.key("index").plain(index).close(b'}');
}

/// Writes entries for a thought, the first at `index`, and answers the index of the next.
pub(super) fn write(out: &mut Vec<u8>, thought: &Thought, mut index: usize) -> usize {
    let Some(signature) = &thought.signature else {
        write_text(out, &thought.text, index);
        return index + 1;
    };
    let format = signature.format;
    if format == SignatureFormat::Anthropic {
        out.open(b'{').key("type").text("reasoning.text");
        out.key("text").text(&thought.text);
        out.key("signature").text(&signature.data);
        out.key("format").text(word(format));
        out.key("index").plain(index).close(b'}');
        return index + 1;
    }
    if !thought.text.is_empty() {
        let (kind, name) = match format {
            SignatureFormat::OpenAi => ("reasoning.summary", "summary"),
            SignatureFormat::Anthropic
            | SignatureFormat::AnthropicRedacted
            | SignatureFormat::Google => ("reasoning.text", "text"),
        };
        out.open(b'{').key("type").text(kind);
        out.key(name).text(&thought.text);
        out.key("format").text(word(format));
        out.key("index").plain(index).close(b'}');
        index += 1;
    }
    write_encrypted(out, signature, None, index);
    index + 1
}

/// Writes an entry that is a proof alone, of a call where `id` is given.
pub(super) fn write_encrypted(
    out: &mut Vec<u8>,
    signature: &Signature,
    id: Option<&str>,
    index: usize,
) {
    out.open(b'{').key("type").text("reasoning.encrypted");
    out.key("data").text(&signature.data);
    if let Some(id) = id {
        out.key("id").text(id);
    }
    out.key("format").text(word(signature.format));
    out.key("index").plain(index).close(b'}');
}

/// What proves the thought behind a call, as it stands at the call.
pub(super) fn read_at_call(call: Raw<'_>) -> Option<Signature> {
    let google = call.get("extra_content")?.get("google")?;
    let text = google.get("thought_signature")?.words()?;
    Signature::read_in(Some(SignatureFormat::Google), &text)
}

/// Writes it at the call.
pub(super) fn write_at_call(out: &mut Vec<u8>, signature: &Signature) {
    let text = signature.written_in(Some(SignatureFormat::Google));
    out.key("extra_content").open(b'{').key("google").open(b'{');
    out.key("thought_signature")
        .text(&text)
        .close(b'}')
        .close(b'}');
}
