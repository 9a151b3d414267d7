//! Reads the messages of a request: what comes before the conversation, and who said what in it.
//!
//! `system` and `developer` messages before the first answer are instructions, in order. A later one says
//! something about what follows it, and moved to the front it would also change the beginning that
//! provider's caches know; so it keeps its place, as a text of the user between `<system>` and `</system>`.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use super::super::raw::Raw;
use super::super::{media, thought};
use crate::dialect::BadBody;
use crate::dialect::neutral::{CacheMark, Part, Role, Thought, ToolCall, ToolResult, Turn};

/// What was said, while it is read.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    pub(super) instructions: Vec<Part>,
    pub(super) turns: Vec<Turn>,
    /// What the user's side said behind the last answer: results stand first, as providers want them,
    /// wherever a client put them.
    results: Vec<Turn>,
    rest: Vec<Turn>,
    has_answer: bool,
    /// Of calls, by their ids.
    functions: HashMap<String, String>,
    /// Calls of the last answer, for results that don't say whose they are.
    open: VecDeque<String>,
    calls_made: u64,
    /// Whether a message names who of its side speaks, which the neutral form can't.
    pub(super) has_names: bool,
}

/// What is wrong with the message at `at`.
fn wrong(at: usize, what: &str) -> BadBody {
    BadBody::of("messages", format!("`messages[{at}]`: {what}."))
}

/// Reads `messages`.
pub(super) fn read(messages: Raw<'_>) -> Result<Conversation, BadBody> {
    if !messages.is_list() {
        return Err(BadBody::of("messages", "`messages` must be an array."));
    }
    let mut conversation = Conversation::default();
    messages.try_each(|at, message| conversation.take(at, message))?;
    conversation.end_user();
    Ok(conversation)
}

impl Conversation {
    fn take(&mut self, at: usize, message: Raw<'_>) -> Result<(), BadBody> {
        let role = message.get("role").and_then(Raw::words).unwrap_or_default();
        match &*role {
            "system" | "developer" => self.system(at, message),
            "user" => self.user(at, message),
            "assistant" => self.assistant(at, message),
            "tool" | "function" => self.result(at, message),
            _ => Err(wrong(
                at,
                "`role` must be system, developer, user, assistant or tool",
            )),
        }
    }

    fn system(&mut self, at: usize, message: Raw<'_>) -> Result<(), BadBody> {
        let parts = content(at, message, true)?;
        if !self.has_answer {
            self.instructions.extend(parts);
            return Ok(());
        }
        let parts: Vec<Part> = parts.into_iter().map(Part::told_late).collect();
        if !parts.is_empty() {
            self.rest.push(Turn {
                role: Role::User,
                parts,
            });
        }
        Ok(())
    }

    fn user(&mut self, at: usize, message: Raw<'_>) -> Result<(), BadBody> {
        self.has_names |= message.get("name").and_then(Raw::words).is_some();
        let parts = content(at, message, true)?;
        if !parts.is_empty() {
            self.rest.push(Turn {
                role: Role::User,
                parts,
            });
        }
        Ok(())
    }

    fn assistant(&mut self, at: usize, message: Raw<'_>) -> Result<(), BadBody> {
        self.end_user();
        self.has_answer = true;
        self.has_names |= message.get("name").and_then(Raw::words).is_some();
        let names = ["refusal", "images", "audio", "tool_calls", "function_call"];
        let [refusal, images, audio, tool_calls, function_call] = message.pick(names);
        if audio.is_some() {
            let why = "a spoken answer that is named by its id can't be sent to the model's \
                       provider; put its words into `content`";
            return Err(wrong(at, why));
        }
        let mut calls = Vec::new();
        if let Some(list) = tool_calls {
            list.try_each(|_, call| {
                calls.push(self.call(at, call)?);
                Ok(())
            })?;
        }
        if let Some(call) = function_call {
            calls.push(self.function(at, call, "")?);
        }
        let thoughts = thought::read(message, &mut calls);
        let mut parts: Vec<Part> = thoughts.into_iter().map(Part::Thought).collect();
        parts.extend(content(at, message, false)?);
        if let Some(refusal) = refusal.and_then(Raw::words) {
            parts.push(Part::Refusal(refusal.into_owned()));
        }
        if let Some(images) = images {
            images.try_each(|_, image| {
                parts.push(self::part(at, image)?);
                Ok(())
            })?;
        }
        self.open = calls.iter().map(|call| call.id.clone()).collect();
        for call in &calls {
            self.functions.insert(call.id.clone(), call.name.clone());
        }
        parts.extend(calls.into_iter().map(Part::ToolCall));
        if !parts.is_empty() {
            self.turns.push(Turn {
                role: Role::Assistant,
                parts,
            });
        }
        Ok(())
    }

    fn call(&mut self, at: usize, call: Raw<'_>) -> Result<ToolCall, BadBody> {
        let [id, kind, function] = call.pick(["id", "type", "function"]);
        if let Some(kind) = kind.and_then(Raw::words)
            && kind != "function"
        {
            let why = format!("a call of the type `{kind}` can't be sent to the model's provider");
            return Err(wrong(at, &why));
        }
        let function = function.ok_or_else(|| wrong(at, "a call has no `function`"))?;
        let id = id.and_then(Raw::words).unwrap_or_default();
        let mut read = self.function(at, function, &id)?;
        read.signature = thought::read_at_call(call);
        read.cache = cache(call);
        Ok(read)
    }

    fn function(&mut self, at: usize, call: Raw<'_>, id: &str) -> Result<ToolCall, BadBody> {
        let [name, arguments] = call.pick(["name", "arguments"]);
        let name = name
            .and_then(Raw::words)
            .ok_or_else(|| wrong(at, "a call has no name of its function"))?;
        let id = if id.is_empty() {
            self.made_id()
        } else {
            id.to_owned()
        };
        Ok(ToolCall {
            id,
            name: name.into_owned(),
            arguments: arguments_of(arguments),
            signature: None,
            cache: None,
        })
    }

    fn made_id(&mut self) -> String {
        self.calls_made += 1;
        format!("call_{}", self.calls_made)
    }

    fn result(&mut self, at: usize, message: Raw<'_>) -> Result<(), BadBody> {
        let [id, name] = message.pick(["tool_call_id", "name"]);
        let id = match id.and_then(Raw::words) {
            Some(id) => id.into_owned(),
            None => self.open.pop_front().unwrap_or_else(|| self.made_id()),
        };
        let told = || name.and_then(Raw::words).map(Cow::into_owned);
        let name = self.functions.get(&id).cloned().or_else(told);
        let mut parts = content(at, message, true)?;
        // A mark at the end of what was answered is one at the end of the answer.
        let mut mark = None;
        if let Some(Part::Text { cache, .. }) = parts.last_mut() {
            mark = cache.take();
        }
        let result = ToolResult {
            id,
            name,
            parts,
            is_error: false,
            cache: mark,
        };
        self.results.push(Turn {
            role: Role::User,
            parts: vec![Part::ToolResult(result)],
        });
        Ok(())
    }

    /// The user's side has said all that stands before the next answer.
    fn end_user(&mut self) {
        self.turns.append(&mut self.results);
        self.turns.append(&mut self.rest);
    }
}

/// Arguments as the model wrote them; some clients give them as an object.
pub(in super::super) fn arguments_of(arguments: Option<Raw<'_>>) -> String {
    match arguments {
        Some(text) if text.is_text() => text.text().unwrap_or_default().into_owned(),
        Some(json) => json.json().to_owned(),
        None => String::new(),
    }
}

/// Where a provider's cache should end: Anthropic's mark, or OpenAI's of 2026.
pub(super) fn cache(of: Raw<'_>) -> Option<CacheMark> {
    let [control, breakpoint] = of.pick(["cache_control", "prompt_cache_breakpoint"]);
    let held = control.or(breakpoint).filter(|mark| mark.is_object())?;
    let life = held.get("ttl").and_then(Raw::words);
    let is_long = matches!(life.as_deref(), Some("1h" | "12h" | "24h"));
    Some(if is_long {
        CacheMark::Long
    } else {
        CacheMark::Short
    })
}

/// The content of a message, with the message's own mark for the cache at its end.
fn content(at: usize, message: Raw<'_>, is_needed: bool) -> Result<Vec<Part>, BadBody> {
    let mut parts = Vec::new();
    match message.get("content") {
        Some(text) if text.is_text() => {
            let text = text.text().unwrap_or_default();
            if is_needed || !text.is_empty() {
                parts.push(Part::text(text));
            }
        }
        Some(list) if list.is_list() => list.try_each(|_, entry| {
            // An empty text says nothing, and not all take one beside others.
            let read = part(at, entry)?;
            if !matches!(&read, Part::Text { text, .. } if text.is_empty()) {
                parts.push(read);
            }
            Ok(())
        })?,
        None if !is_needed => {}
        // Nothing is what an empty tool answers.
        None if message.get("tool_call_id").is_some() => {}
        _ => return Err(wrong(at, "`content` must be a text or an array of parts")),
    }
    if let (Some(mark), Some(last)) = (cache(message), parts.last_mut()) {
        match last {
            Part::Text { cache, .. } => *cache = Some(mark),
            Part::Media(media) => media.cache = Some(mark),
            Part::Refusal(_) | Part::Thought(_) | Part::ToolCall(_) | Part::ToolResult(_) => {}
        }
    }
    Ok(parts)
}

fn part(at: usize, part: Raw<'_>) -> Result<Part, BadBody> {
    if let Some(text) = part.text() {
        return Ok(Part::text(text));
    }
    let kind = part.get("type").and_then(Raw::words).unwrap_or_default();
    let words = |name| part.get(name).and_then(Raw::text).unwrap_or_default();
    Ok(match &*kind {
        "text" | "input_text" | "output_text" => Part::Text {
            text: words("text").into_owned(),
            citations: Vec::new(),
            cache: cache(part),
        },
        "refusal" => Part::Refusal(words("refusal").into_owned()),
        "thinking" => Part::Thought(spoken_thought(part)),
        _ => {
            let Some(read) = media::read(&kind, part) else {
                let kind: String = kind.chars().take(40).collect();
                let why = format!(
                    "a content part of the type `{kind}` can't be sent to the model's provider"
                );
                return Err(wrong(at, &why));
            };
            let mut media = read.map_err(|what| wrong(at, &what))?;
            media.cache = cache(part);
            Part::Media(media)
        }
    })
}

/// A thought among the content: Mistral's is a list of texts, Anthropic's a text.
pub(in super::super) fn spoken_thought(part: Raw<'_>) -> Thought {
    let mut text = String::new();
    if let Some(held) = part.get("thinking") {
        match held.text() {
            Some(words) => text.push_str(&words),
            None => held.each(|entry| {
                if let Some(words) = entry.get("text").and_then(Raw::text) {
                    text.push_str(&words);
                }
            }),
        }
    }
    Thought {
        text,
        signature: None,
    }
}
