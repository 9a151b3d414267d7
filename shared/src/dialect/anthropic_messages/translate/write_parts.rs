//! The conversation as a request has it: turns by turns, results first, nothing that is empty.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::blocks::{self, Block, CacheControl};
use super::{call_id, is_call_id, media};
use crate::dialect::BadBody;
use crate::dialect::neutral::{Part, Role, SignatureFormat, Thought, ToolResult, Turn};

/// A conversation must begin with the user; where it does not, with this, since no text is refused.
const BEGINNING: &str = ".";

/// A turn.
#[derive(Serialize)]
pub(super) struct Message<'a> {
    role: &'static str,
    content: Vec<Block<'a>>,
}

/// What the model is told before; texts.
pub(super) fn instructions(parts: &[Part]) -> Result<Vec<Block<'_>>, BadBody> {
    let none = Ids::default();
    let mut blocks = Vec::new();
    for part in parts {
        let Part::Text { .. } = part else {
            let message = "This model's provider takes texts alone as instructions.";
            return Err(BadBody::of("messages", message));
        };
        blocks.extend(block(part, &none)?);
    }
    Ok(blocks)
}

/// Ids of calls that this format does not take, with those that stand for them.
#[derive(Debug, Default)]
struct Ids<'a>(HashMap<&'a str, String>);

impl<'a> Ids<'a> {
    fn of(turns: &'a [Turn]) -> Self {
        let mut taken = BTreeSet::new();
        let mut bad = BTreeMap::new();
        for part in turns.iter().flat_map(|turn| &turn.parts) {
            let id = match part {
                Part::ToolCall(call) => &call.id,
                Part::ToolResult(result) => &result.id,
                Part::Text { .. } | Part::Refusal(_) | Part::Media(_) | Part::Thought(_) => {
                    continue;
                }
            };
            if is_call_id(id) {
                taken.insert(id.as_str());
            } else {
                let next = bad.len();
                bad.entry(id.as_str()).or_insert(next);
            }
        }
        let free = |at: usize| {
            let mut name = format!("call_{at}");
            while taken.contains(name.as_str()) {
                name.push('_');
            }
            name
        };
        Self(bad.into_iter().map(|(id, at)| (id, free(at))).collect())
    }

    fn get(&self, id: &'a str) -> Cow<'a, str> {
        match self.0.get(id) {
            Some(other) => Cow::Owned(other.clone()),
            None => call_id(id, 0),
        }
    }
}

/// The conversation, in turns of the user and the model by turns.
pub(super) fn messages(turns: &[Turn]) -> Result<Vec<Message<'_>>, BadBody> {
    let ids = &Ids::of(turns);
    let mut messages: Vec<Message<'_>> = Vec::new();
    // Pictures that a model made; only the user shows some here.
    let mut made: Vec<Block<'_>> = Vec::new();
    for turn in turns {
        let mut content = Vec::new();
        for part in &turn.parts {
            match (part, turn.role) {
                (Part::Media(_), Role::Assistant) => made.extend(block(part, ids)?),
                _ => content.extend(block(part, ids)?),
            }
        }
        if content.is_empty() {
            continue;
        }
        let role = match turn.role {
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        if turn.role == Role::User && !made.is_empty() {
            content.splice(0..0, made.drain(..));
        }
        match messages.last_mut().filter(|last| last.role == role) {
            Some(last) => last.content.append(&mut content),
            None => messages.push(Message { role, content }),
        }
    }
    if !made.is_empty() {
        let message =
            "This model's provider does not take pictures in the last message of the model.";
        return Err(BadBody::of("messages", message));
    }
    for message in &mut messages {
        // Results come before whatever else the user says.
        let is_other = |block: &Block<'_>| !matches!(block, Block::ToolResult { .. });
        if message.role == "user" {
            message.content.sort_by_key(is_other);
        }
    }
    if messages.first().is_none_or(|first| first.role != "user") {
        let content = vec![text_block(BEGINNING)];
        messages.insert(
            0,
            Message {
                role: "user",
                content,
            },
        );
    }
    trim_last(&mut messages);
    Ok(messages)
}

/// A model's turn that is to be gone on with must not end with blanks.
fn trim_last(messages: &mut Vec<Message<'_>>) {
    let Some(last) = messages.last_mut().filter(|last| last.role == "assistant") else {
        return;
    };
    if let Some(Block::Text { text, .. }) = last.content.last_mut() {
        let trimmed = text.trim_end();
        if trimmed.len() < text.len() {
            *text = Cow::Owned(trimmed.to_owned());
        }
        if text.is_empty() {
            last.content.pop();
        }
    }
    if last.content.is_empty() {
        messages.pop();
    }
}

fn text_block(text: &str) -> Block<'_> {
    Block::Text {
        text: Cow::Borrowed(text),
        citations: Vec::new(),
        cache_control: None,
    }
}

/// Whether a part is written at all.
pub(super) fn is_said(part: &Part) -> bool {
    match part {
        // Texts of blanks alone are refused like empty ones.
        Part::Text { text, .. } | Part::Refusal(text) => !text.trim().is_empty(),
        Part::Thought(thought) => thought_block(thought).is_some(),
        Part::Media(_) | Part::ToolCall(_) | Part::ToolResult(_) => true,
    }
}

/// A thought with the proof that this format's own providers gave; no other is taken.
fn thought_block(thought: &Thought) -> Option<Block<'_>> {
    let signature = thought.signature.as_ref()?;
    match signature.format {
        SignatureFormat::Anthropic => Some(Block::Thinking {
            thinking: &thought.text,
            signature: Cow::Borrowed(&signature.data),
        }),
        SignatureFormat::AnthropicRedacted => Some(Block::RedactedThinking {
            data: &signature.data,
        }),
        SignatureFormat::Google | SignatureFormat::OpenAi => None,
    }
}

/// A part as it is written; `None` where nothing is said.
fn block<'a>(part: &'a Part, ids: &Ids<'a>) -> Result<Option<Block<'a>>, BadBody> {
    if !is_said(part) {
        return Ok(None);
    }
    Ok(match part {
        // Where a text came from is no part of what is asked, and its proofs are another's.
        Part::Text { text, cache, .. } => Some(Block::Text {
            text: Cow::Borrowed(text),
            citations: Vec::new(),
            cache_control: cache.map(CacheControl::of),
        }),
        Part::Refusal(text) => Some(text_block(text)),
        Part::Media(media) => Some(media::written(media)?),
        Part::Thought(thought) => thought_block(thought),
        Part::ToolCall(call) => Some(Block::ToolUse {
            id: ids.get(&call.id),
            name: &call.name,
            input: blocks::input(&call.arguments),
            cache_control: call.cache.map(CacheControl::of),
        }),
        Part::ToolResult(result) => Some(result_block(result, ids)?),
    })
}

fn result_block<'a>(result: &'a ToolResult, ids: &Ids<'a>) -> Result<Block<'a>, BadBody> {
    let mut content = Vec::new();
    for part in &result.parts {
        match part {
            Part::Text { .. } | Part::Refusal(_) | Part::Media(_) => {
                content.extend(block(part, ids)?);
            }
            Part::Thought(_) | Part::ToolCall(_) | Part::ToolResult(_) => {}
        }
    }
    Ok(Block::ToolResult {
        tool_use_id: ids.get(&result.id),
        content,
        is_error: result.is_error,
        cache_control: result.cache.map(CacheControl::of),
    })
}
