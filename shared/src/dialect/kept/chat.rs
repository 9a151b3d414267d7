//! Chat completions that are kept: what a request says of it, and a whole answer put together of a
//! stream's events.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{Brought, METADATA, STORE, flag, metadata, taken, told};
use crate::dialect::BadBody;
use crate::json::{self, Edit};

/// What a request says of state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletionState {
    /// Words of the caller's own.
    pub metadata: Map<String, Value>,
    /// What was said before.
    pub messages: Vec<Value>,
    /// Whether that is too large to be kept; then it is not read.
    pub too_large: bool,
}

/// Reads whether a request's answer is to be kept; then with the body without saying so. Its words go out
/// too: providers take them for answers that they keep. Messages of more than `bytes_max` bytes are not read.
pub fn take(body: &Bytes, bytes_max: usize) -> Result<Option<(CompletionState, Bytes)>, BadBody> {
    let mut rest = body.clone();
    if flag(taken(&mut rest, STORE)?.as_ref(), STORE)? != Some(true) {
        return Ok(None);
    }
    let metadata = metadata(taken(&mut rest, METADATA)?.as_ref())?;
    let [messages] =
        json::fields(&rest, ["messages"]).map_err(|error| BadBody::whole(error.to_string()))?;
    let wanted = ("messages", "an array of messages");
    let (messages, too_large) = match Brought::read(messages, wanted, bytes_max)? {
        Brought::Read(Value::Array(messages)) => (messages, false),
        // The format itself says that there are none.
        Brought::Nothing => (Vec::new(), false),
        Brought::Read(_) => {
            let message = "`messages` must be an array of messages.";
            return Err(BadBody::of("messages", message));
        }
        Brought::TooLarge => (Vec::new(), true),
    };
    let state = CompletionState {
        metadata,
        messages,
        too_large,
    };
    Ok(Some((state, rest)))
}

/// A chunk of a stream with another id in the place of its own; `None` where it has none.
pub fn with_id(event: &[u8], id: &str) -> Option<Bytes> {
    let said = crate::dialect::event::said(event);
    let at = said.at?;
    let data = Bytes::copy_from_slice(&said.data);
    let [old] = json::fields(&data, ["id"]).ok()?;
    let span = json::span(&data, old?);
    let id = serde_json::to_string(id).ok()?;
    let data = json::apply(&data, vec![Edit::replace(span, id)]);
    let end = at.checked_add(said.data.len())?;
    Some([event.get(..at)?, &data, event.get(end..)?].concat().into())
}

/// Whether an event is the stream's end.
pub fn is_end(event: &[u8]) -> bool {
    *crate::dialect::event::said(event).data == *b"[DONE]"
}

#[derive(Debug, Default)]
struct Choice {
    message: Map<String, Value>,
    calls: BTreeMap<u64, Map<String, Value>>,
    finish: Value,
}

/// Puts an answer together of its chunks.
#[derive(Debug, Default)]
pub struct Assembled {
    head: Map<String, Value>,
    choices: BTreeMap<u64, Choice>,
}

/// Fields of a chunk that are those of the answer.
const HEAD: [&str; 6] = [
    "created",
    "model",
    "service_tier",
    "system_fingerprint",
    "usage",
    "id",
];

/// Adds to a text, or sets it.
fn append(fields: &mut Map<String, Value>, name: &str, more: &Value) {
    match (fields.get_mut(name), more) {
        (_, Value::Null) => {}
        (Some(Value::String(text)), Value::String(more)) => text.push_str(more),
        _ => drop(fields.insert(name.to_owned(), more.clone())),
    }
}

impl Assembled {
    /// Adds a chunk; whatever is none is passed over.
    pub fn add(&mut self, event: &[u8]) {
        let Some(chunk) = told(event) else { return };
        for name in HEAD {
            if let Some(value) = chunk.get(name).filter(|value| !value.is_null()) {
                self.head.insert(name.to_owned(), value.clone());
            }
        }
        let choices = chunk.get("choices").and_then(Value::as_array);
        for told in choices.into_iter().flatten() {
            let index = told["index"].as_u64().unwrap_or(0);
            let choice = self.choices.entry(index).or_default();
            if !told["finish_reason"].is_null() {
                choice.finish = told["finish_reason"].clone();
            }
            for (name, more) in told["delta"].as_object().into_iter().flatten() {
                match name.as_str() {
                    "tool_calls" => {
                        for call in more.as_array().into_iter().flatten() {
                            choice.add_call(call);
                        }
                    }
                    "role" => drop(choice.message.insert(name.clone(), more.clone())),
                    _ => append(&mut choice.message, name, more),
                }
            }
        }
    }

    /// The answer; `None` where nothing came.
    pub fn answer(self) -> Option<Map<String, Value>> {
        if self.choices.is_empty() {
            return None;
        }
        let choices = self.choices.into_iter().map(|(index, choice)| {
            let mut message = choice.message;
            for (name, nothing) in [("role", json!("assistant")), ("content", Value::Null)] {
                message.entry(name).or_insert(nothing);
            }
            message.entry("refusal").or_insert(Value::Null);
            if !choice.calls.is_empty() {
                let calls: Vec<Map<String, Value>> = choice.calls.into_values().collect();
                message.insert("tool_calls".to_owned(), json!(calls));
            }
            json!({"index": index, "message": message, "finish_reason": choice.finish, "logprobs": null})
        });
        let choices: Vec<Value> = choices.collect();
        let mut answer = self.head;
        answer.insert("object".to_owned(), json!("chat.completion"));
        answer.insert("choices".to_owned(), json!(choices));
        Some(answer)
    }
}

impl Choice {
    fn add_call(&mut self, told: &Value) {
        let index = told["index"].as_u64().unwrap_or(0);
        let call = self.calls.entry(index).or_default();
        for (name, more) in told.as_object().into_iter().flatten() {
            match (name.as_str(), more) {
                ("index", _) | (_, Value::Null) => {}
                ("function" | "custom", Value::Object(parts)) => {
                    let inner = call.entry(name.clone()).or_insert_with(|| json!({}));
                    let Some(inner) = inner.as_object_mut() else {
                        continue;
                    };
                    for (name, more) in parts {
                        if name == "name" {
                            inner.insert(name.clone(), more.clone());
                        } else {
                            append(inner, name, more);
                        }
                    }
                }
                _ => drop(call.insert(name.clone(), more.clone())),
            }
        }
    }
}

/// Gives an answer the id under which it is kept, and the caller's own words.
pub fn mark(answer: &mut Map<String, Value>, id: &str, words: &Map<String, Value>) {
    answer.insert("id".to_owned(), json!(id));
    answer.insert(METADATA.to_owned(), json!(words));
}

/// A message as lists show it: with an id, and its parts beside its text.
pub fn listed_message(message: &Value, id: &str) -> Value {
    let mut shown = message.clone();
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("id".to_owned(), json!(id));
        let parts = fields.get("content").cloned().unwrap_or(Value::Null);
        let parts = if parts.is_array() { parts } else { Value::Null };
        if parts.is_array() {
            fields.insert("content".to_owned(), Value::Null);
        }
        fields.entry("content").or_insert(Value::Null);
        fields.insert("content_parts".to_owned(), parts);
    }
    shown
}
