//! A whole answer, read and written.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::blocks::{self, Block, Cited};
use super::read_parts::calls_signature;
use super::{Ending, Told, UsageShown, call_id, tier_shown};
use crate::dialect::neutral::{
    AnswerShown, Candidate, ChatAnswer, Media, MediaKind, Part, Signature, SignatureFormat, Source,
    Stop, Thought, ToolCall,
};
use crate::fault::{Fault, FaultKind};
use crate::units::{Fact, Usage};

#[derive(Debug, Deserialize)]
struct MessageRead<'a> {
    id: Option<String>,
    #[serde(borrow)]
    content: Vec<BlockRead<'a>>,
    usage: Option<Tier>,
}

#[derive(Debug, Deserialize)]
struct Tier {
    service_tier: Option<String>,
}

#[derive(Debug, Deserialize)]
struct BlockRead<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    text: Option<String>,
    #[serde(borrow)]
    citations: Option<&'a RawValue>,
    thinking: Option<String>,
    signature: Option<String>,
    data: Option<String>,
    id: Option<String>,
    name: Option<String>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
}

/// Reads an answer. Parts that only Anthropic knows, as those of tools that it runs itself, are passed
/// over.
pub(super) fn read(answer: &[u8]) -> Result<ChatAnswer, Fault> {
    let wrong = |error: serde_json::Error| {
        let why = format!("the answer can't be read: {error}");
        Fault::new(FaultKind::InvalidAnswer, why)
    };
    let answer = answer.strip_prefix(b"\xef\xbb\xbf").unwrap_or(answer);
    let message: MessageRead<'_> = serde_json::from_slice(answer).map_err(wrong)?;
    let told: Told<'_> = serde_json::from_slice(answer).map_err(wrong)?;
    let mut parts = Vec::with_capacity(message.content.len());
    for block in message.content {
        part(block, &mut parts);
    }
    Ok(ChatAnswer {
        id: message.id.unwrap_or_default(),
        candidates: vec![Candidate {
            parts,
            stop: told.stop().unwrap_or_default(),
        }],
        tier: message.usage.and_then(|usage| usage.service_tier),
    })
}

fn part(block: BlockRead<'_>, parts: &mut Vec<Part>) {
    match block.kind.as_ref() {
        "text" => {
            let text = block.text.unwrap_or_default();
            if !text.is_empty() {
                parts.push(Part::Text {
                    text,
                    citations: blocks::citations(block.citations),
                    cache: None,
                });
            }
        }
        "thinking" => parts.push(Part::Thought(Thought {
            text: block.thinking.unwrap_or_default(),
            signature: blocks::signature(block.signature),
        })),
        "redacted_thinking" => parts.push(Part::Thought(Thought {
            text: String::new(),
            signature: blocks::redacted(&block.data.unwrap_or_default()),
        })),
        "tool_use" => {
            let signature = calls_signature(parts);
            parts.push(Part::ToolCall(ToolCall {
                id: block.id.unwrap_or_default(),
                name: block.name.unwrap_or_default(),
                arguments: block.input.map_or("{}", RawValue::get).to_owned(),
                signature,
                cache: None,
            }));
        }
        _ => {}
    }
}

#[derive(Debug, Serialize)]
struct Message<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    role: &'static str,
    model: &'a str,
    content: Vec<Block<'a>>,
    #[serde(flatten)]
    ending: Ending<'a>,
    usage: UsageShown<'a>,
}

/// Writes the first of the answers; this format has no others.
pub(super) fn write(answer: &ChatAnswer, usage: &Usage, shown: &AnswerShown) -> Bytes {
    let mut content = Vec::new();
    let (mut has_call, mut refusal) = (false, None);
    let first = answer.candidates.first();
    let parts = first.map(|first| first.parts.as_slice());
    for part in parts.unwrap_or_default() {
        match part {
            Part::ToolCall(_) => has_call = true,
            Part::Refusal(text) => refusal = Some(text.as_str()),
            Part::Text { .. } | Part::Media(_) | Part::Thought(_) | Part::ToolResult(_) => {}
        }
        block(part, &mut content);
    }
    let stop = first.map_or(Stop::End, |first| first.stop.clone());
    let stop = ended(stop, has_call, refusal);
    let tier = answer.tier.as_deref().or(usage.facts.get(Fact::Tier));
    let message = Message {
        id: format!("msg_{}", shown.id),
        kind: "message",
        role: "assistant",
        model: &shown.model,
        content,
        ending: Ending::of(&stop),
        usage: UsageShown::of(usage, tier.map(tier_shown)),
    };
    // Texts, numbers and JSON that was read always can be written.
    serde_json::to_vec(&message).unwrap_or_default().into()
}

/// Why an answer ends, in this format's terms: one that ends with calls is told as such, and a refusal in
/// words is one.
pub(super) fn ended(stop: Stop, has_call: bool, refusal: Option<&str>) -> Stop {
    match stop {
        Stop::End if has_call => Stop::ToolCalls,
        Stop::End | Stop::Refused(None) if refusal.is_some() => {
            Stop::Refused(refusal.map(str::to_owned))
        }
        stop @ (Stop::End
        | Stop::MaxTokens
        | Stop::ContextFull
        | Stop::StopText(_)
        | Stop::ToolCalls
        | Stop::Refused(_)
        | Stop::Paused) => stop,
    }
}

fn text(text: Cow<'_, str>) -> Block<'_> {
    Block::Text {
        text,
        citations: Vec::new(),
        cache_control: None,
    }
}

/// A proof as it stands in a thinking block.
pub(super) fn shown_signature(signature: &Signature) -> String {
    signature.written_in(Some(SignatureFormat::Anthropic))
}

fn block<'a>(part: &'a Part, content: &mut Vec<Block<'a>>) {
    match part {
        Part::Text { text, .. } | Part::Refusal(text) if text.is_empty() => {}
        Part::Text {
            text, citations, ..
        } => content.push(Block::Text {
            text: Cow::Borrowed(text),
            citations: citations.iter().map(Cited::of).collect(),
            cache_control: None,
        }),
        Part::Refusal(refusal) => content.push(text(Cow::Borrowed(refusal))),
        Part::Media(media) => content.push(text(Cow::Owned(linked(media)))),
        Part::Thought(thought) => content.push(thought_block(thought)),
        Part::ToolCall(call) => {
            if let Some(signature) = &call.signature {
                content.push(Block::Thinking {
                    thinking: "",
                    signature: Cow::Owned(shown_signature(signature)),
                });
            }
            content.push(Block::ToolUse {
                id: call_id(&call.id, content.len()),
                name: &call.name,
                input: blocks::input(&call.arguments),
                cache_control: None,
            });
        }
        Part::ToolResult(_) => {}
    }
}

fn thought_block(thought: &Thought) -> Block<'_> {
    match &thought.signature {
        Some(signature) if signature.format == SignatureFormat::AnthropicRedacted => {
            Block::RedactedThinking {
                data: &signature.data,
            }
        }
        signature => Block::Thinking {
            thinking: &thought.text,
            signature: Cow::Owned(signature.as_ref().map(shown_signature).unwrap_or_default()),
        },
    }
}

/// Media as a link in a text: answers of this format hold none, and what was paid for must be seen.
pub(super) fn linked(media: &Media) -> String {
    let (mark, what) = match media.kind {
        MediaKind::Image => ("!", "image"),
        MediaKind::Audio => ("", "audio"),
        MediaKind::Video => ("", "video"),
        MediaKind::Document => ("", "document"),
    };
    let media_type = media.media_type.as_deref().unwrap_or(match media.kind {
        MediaKind::Image => "image/png",
        MediaKind::Audio => "audio/wav",
        MediaKind::Video => "video/mp4",
        MediaKind::Document => "application/octet-stream",
    });
    match &media.source {
        Source::Base64(data) => format!("{mark}[{what}](data:{media_type};base64,{data})"),
        Source::Url(url) => format!("{mark}[{what}]({url})"),
        Source::Text(text) => text.clone(),
        Source::Id(id) => format!("{mark}[{what}]({id})"),
    }
}
