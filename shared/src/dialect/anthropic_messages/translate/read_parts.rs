//! The messages of a tenant's request: who says what, part by part.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::blocks::{self, CacheRead};
use super::media::{self, Around};
use super::read_request::{MESSAGES, parsed};
use crate::dialect::BadBody;
use crate::dialect::anthropic_messages::version::Version;
use crate::dialect::neutral::{
    CacheMark, MediaKind, Part, Role, Signature, SignatureFormat, Thought, ToolCall, ToolResult,
    Turn,
};

#[derive(Debug, Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(borrow)]
    content: &'a RawValue,
}

/// A part of any type.
#[derive(Debug, Deserialize)]
struct Block<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    text: Option<String>,
    #[serde(borrow)]
    citations: Option<&'a RawValue>,
    #[serde(borrow)]
    cache_control: Option<CacheRead<'a>>,
    #[serde(borrow)]
    source: Option<&'a RawValue>,
    title: Option<String>,
    context: Option<String>,
    id: Option<String>,
    name: Option<String>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    tool_use_id: Option<String>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    is_error: Option<bool>,
    thinking: Option<String>,
    signature: Option<String>,
    data: Option<String>,
    tool_name: Option<String>,
}

impl Block<'_> {
    fn cache(&self) -> Option<CacheMark> {
        self.cache_control.as_ref().map(CacheRead::mark)
    }
}

/// Whether a document is to be cited.
#[derive(Debug, Deserialize)]
struct Config {
    enabled: Option<bool>,
}

/// Where a part stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MessagePlace {
    System,
    User,
    Assistant,
    /// In what a tool answered.
    Within,
    /// In a document that is made of parts, which are no documents.
    Document,
}

/// What messages say, and what was learnt on the way.
#[derive(Debug, Default)]
pub(super) struct MessagesRead {
    pub(super) version: Version,
    /// What the model is told, before the conversation or within it.
    pub(super) instructions: Vec<Part>,
    pub(super) turns: Vec<Turn>,
    /// Fields of parts that have no words elsewhere.
    pub(super) unsaid: BTreeSet<&'static str>,
    /// Functions by the ids of their calls.
    called: HashMap<String, String>,
}

impl MessagesRead {
    /// Reads `messages`.
    pub(super) fn read(&mut self, raw: &RawValue) -> Result<(), BadBody> {
        let messages: Vec<Message<'_>> = parsed(MESSAGES, raw)?;
        for message in messages {
            let (role, place) = match message.role.as_ref() {
                "user" => (Role::User, MessagePlace::User),
                "assistant" => (Role::Assistant, MessagePlace::Assistant),
                "system" => {
                    let parts = self.parts(MESSAGES, message.content, MessagePlace::System)?;
                    let has_answer = |turn: &Turn| turn.role == Role::Assistant;
                    if self.turns.iter().any(has_answer) {
                        let parts = parts.into_iter().map(Part::told_late).collect();
                        let role = Role::User;
                        self.turns.push(Turn { role, parts });
                    } else {
                        self.instructions.extend(parts);
                    }
                    continue;
                }
                other => {
                    let message = format!("the role `{other}` in `messages` is not known.");
                    return Err(BadBody::of(MESSAGES, message));
                }
            };
            let parts = self.parts(MESSAGES, message.content, place)?;
            for part in &parts {
                if let Part::ToolCall(call) = part {
                    self.called.insert(call.id.clone(), call.name.clone());
                }
            }
            self.turns.push(Turn { role, parts });
        }
        Ok(())
    }

    /// A text, or a list of parts.
    pub(super) fn parts(
        &mut self,
        param: &'static str,
        raw: &RawValue,
        place: MessagePlace,
    ) -> Result<Vec<Part>, BadBody> {
        if raw.get().starts_with('"') {
            let text: String = parsed(param, raw)?;
            let part = (!text.is_empty()).then(|| Part::text(text));
            return Ok(part.into_iter().collect());
        }
        let blocks: Vec<Block<'_>> = parsed(param, raw)?;
        let mut parts = Vec::with_capacity(blocks.len());
        for block in blocks {
            self.part(param, block, place, &mut parts)?;
        }
        Ok(parts)
    }

    fn part(
        &mut self,
        param: &'static str,
        block: Block<'_>,
        place: MessagePlace,
        parts: &mut Vec<Part>,
    ) -> Result<(), BadBody> {
        let missing = |name: &str| {
            let message = format!("a part of the type `{}` has no `{name}`.", block.kind);
            BadBody::of(param, message)
        };
        match (block.kind.as_ref(), place) {
            ("text", _) => {
                let cache = block.cache();
                let text = block.text.ok_or_else(|| missing("text"))?;
                let citations = blocks::citations(block.citations);
                if place == MessagePlace::User
                    && !citations.is_empty()
                    && !self.version.has_sampling()
                {
                    let message =
                        "a text of the user has `citations`, which this version does not take.";
                    return Err(BadBody::of(param, message));
                }
                if !text.is_empty() {
                    parts.push(Part::Text {
                        text,
                        citations,
                        cache,
                    });
                }
            }
            (
                "image",
                MessagePlace::User
                | MessagePlace::Assistant
                | MessagePlace::Within
                | MessagePlace::Document,
            )
            | ("document", MessagePlace::User | MessagePlace::Assistant | MessagePlace::Within) => {
                self.medium(block, place, parts)?;
            }
            ("search_result", MessagePlace::User | MessagePlace::Within) => {
                parts.push(self.search_result(param, &block)?);
            }
            ("tool_reference", MessagePlace::Within) => {
                let name = block.tool_name.ok_or_else(|| missing("tool_name"))?;
                parts.push(Part::text(name));
            }
            ("tool_result", MessagePlace::User) => {
                let cache = block.cache();
                let id = block.tool_use_id.ok_or_else(|| missing("tool_use_id"))?;
                let within = match block.content {
                    Some(raw) => self.parts(param, raw, MessagePlace::Within)?,
                    None => Vec::new(),
                };
                let name = self.called.get(&id).cloned();
                parts.push(Part::ToolResult(ToolResult {
                    id,
                    name,
                    parts: within,
                    is_error: block.is_error.unwrap_or(false),
                    cache,
                }));
            }
            (_, MessagePlace::Assistant) => assistants(param, block, parts)?,
            (
                other,
                MessagePlace::System
                | MessagePlace::User
                | MessagePlace::Within
                | MessagePlace::Document,
            ) => {
                return Err(unknown(param, other));
            }
        }
        Ok(())
    }

    fn medium(
        &mut self,
        block: Block<'_>,
        place: MessagePlace,
        parts: &mut Vec<Part>,
    ) -> Result<(), BadBody> {
        let is_image = block.kind == "image";
        if !is_image && place == MessagePlace::Assistant && !self.version.has_sampling() {
            let message =
                "a message of the assistant has a `document`, which this version does not take.";
            return Err(BadBody::of(MESSAGES, message));
        }
        let config = block.citations.map(RawValue::get);
        let config: Option<Config> = config.and_then(|raw| serde_json::from_str(raw).ok());
        if config.is_some_and(|config| config.enabled == Some(true)) {
            self.unsaid.insert("citations");
        }
        if block.context.is_some() {
            self.unsaid.insert("context");
        }
        let around = Around {
            kind: if is_image {
                MediaKind::Image
            } else {
                MediaKind::Document
            },
            cache: block.cache(),
            name: block.title,
        };
        let read = media::read(block.source, around, |raw| {
            if is_image {
                return Err(unknown(MESSAGES, "content"));
            }
            self.parts(MESSAGES, raw, MessagePlace::Document)
        })?;
        parts.extend(read);
        Ok(())
    }

    /// A place that was searched for, as the text that stands there.
    fn search_result(&mut self, param: &'static str, block: &Block<'_>) -> Result<Part, BadBody> {
        let within = match block.content {
            Some(raw) => self.parts(param, raw, MessagePlace::System)?,
            None => Vec::new(),
        };
        let source = block.source.map(RawValue::get).unwrap_or_default();
        let source: String = serde_json::from_str(source).unwrap_or_default();
        let mut lines = vec![block.title.clone().unwrap_or_default(), source];
        lines.extend(within.into_iter().filter_map(|part| match part {
            Part::Text { text, .. } => Some(text),
            Part::Refusal(_)
            | Part::Media(_)
            | Part::Thought(_)
            | Part::ToolCall(_)
            | Part::ToolResult(_) => None,
        }));
        lines.retain(|line| !line.is_empty());
        Ok(Part::Text {
            text: lines.join("\n"),
            citations: Vec::new(),
            cache: block.cache(),
        })
    }
}

/// That a part has no words elsewhere.
fn unknown(param: &'static str, kind: &str) -> BadBody {
    let message = format!("a part of the type `{kind}` can't be told to this model's provider.");
    BadBody::of(param, message)
}

/// Parts that only the model says.
fn assistants(param: &'static str, block: Block<'_>, parts: &mut Vec<Part>) -> Result<(), BadBody> {
    let cache = block.cache();
    match block.kind.as_ref() {
        "thinking" => parts.push(Part::Thought(Thought {
            text: block.thinking.unwrap_or_default(),
            signature: blocks::signature(block.signature),
        })),
        "redacted_thinking" => {
            let signature = blocks::redacted(&block.data.unwrap_or_default());
            parts.push(Part::Thought(Thought {
                text: String::new(),
                signature,
            }));
        }
        "tool_use" => {
            let (Some(id), Some(name)) = (block.id, block.name) else {
                let message = "a part of the type `tool_use` has no `id` or no `name`.";
                return Err(BadBody::of(param, message));
            };
            let signature = calls_signature(parts);
            parts.push(Part::ToolCall(ToolCall {
                id,
                name,
                arguments: block.input.map_or("{}", RawValue::get).to_owned(),
                signature,
                cache,
            }));
        }
        other => return Err(unknown(param, other)),
    }
    Ok(())
}

/// Google proves the thought behind a call at the call itself. What this format has no place for there was
/// written as a thought of no words before it, and is taken from there.
pub(super) fn calls_signature(parts: &mut Vec<Part>) -> Option<Signature> {
    let is_carried = matches!(parts.last(), Some(Part::Thought(thought))
        if thought.text.is_empty()
            && thought.signature.as_ref().is_some_and(|s| s.format == SignatureFormat::Google));
    if !is_carried {
        return None;
    }
    let Some(Part::Thought(thought)) = parts.pop() else {
        return None;
    };
    thought.signature
}
