//! The Responses API with state: what a request asks to be kept and what it refers to, its items, and
//! answers as they are kept. The neighbour `openai_responses` refuses what is taken out here.

use bytes::Bytes;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::{Brought, METADATA, STORE, flag, raw_metadata, taken, told};
use crate::dialect::BadBody;
use crate::json::{self, Edit};

/// The field that names the answer before.
pub const PREVIOUS: &str = "previous_response_id";
/// The field that names a conversation.
pub const CONVERSATION: &str = "conversation";
/// The field that lets an answer come later.
pub const BACKGROUND: &str = "background";
const INPUT: &str = "input";

/// What a request says of state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a thing that a request says by itself"
)]
pub struct ResponseState {
    /// Whether the answer is to be kept, which is so where nothing is said.
    pub store: bool,
    /// The answer before.
    pub previous: Option<String>,
    /// The conversation.
    pub conversation: Option<String>,
    /// Whether the answer comes later.
    pub background: bool,
    /// Whether a stream is asked for.
    pub stream: bool,
    /// Words of the caller's own.
    pub metadata: Map<String, Value>,
    /// What is to be told of the request with its answer.
    pub instructions: Value,
    /// What the request brings itself, as items.
    pub input: Vec<Value>,
    /// Whether that is too large to be kept; then it is not read.
    pub too_large: bool,
}

fn text(value: Option<&Value>, name: &'static str) -> Result<Option<String>, BadBody> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(BadBody::of(name, format!("`{name}` must be a text."))),
    }
}

/// What is written as a text alone is a message of the user.
fn items(input: Value) -> Vec<Value> {
    match input {
        Value::Array(items) => items,
        Value::String(text) => vec![json!({
            "type": "message", "role": "user",
            "content": [{"type": "input_text", "text": text}],
        })],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}

/// Words of the request that are told with its answer; a text, which may be long.
fn instructions(raw: Option<&RawValue>) -> Value {
    let text = raw.filter(|raw| raw.get().starts_with('"'));
    let text = text.and_then(|raw| serde_json::from_str(raw.get()).ok());
    text.unwrap_or(Value::Null)
}

/// Reads what a request says of state, and gives the body without it: that of a request without state. An
/// input of more than `bytes_max` bytes is not read, nor one that nobody keeps.
pub fn take(body: &Bytes, bytes_max: usize) -> Result<(ResponseState, Bytes), BadBody> {
    let mut rest = body.clone();
    let store = flag(taken(&mut rest, STORE)?.as_ref(), STORE)?;
    let previous = text(taken(&mut rest, PREVIOUS)?.as_ref(), PREVIOUS)?;
    let conversation = match taken(&mut rest, CONVERSATION)? {
        Some(Value::Object(named)) => text(named.get("id"), CONVERSATION)?,
        named => text(named.as_ref(), CONVERSATION)?,
    };
    let background = flag(taken(&mut rest, BACKGROUND)?.as_ref(), BACKGROUND)?;
    if previous.is_some() && conversation.is_some() {
        let message = "`previous_response_id` and `conversation` can't be used together.";
        return Err(BadBody::of(CONVERSATION, message));
    }
    let read = [INPUT, METADATA, "instructions", "stream"];
    let found = json::fields(&rest, read).map_err(|error| BadBody::whole(error.to_string()))?;
    let [input, words, told, stream] = found;
    let store = store.unwrap_or(true);
    let refers = |input: &&RawValue| {
        let text = input.get().as_bytes();
        memchr::memmem::find(text, REFERENCE.as_bytes()).is_some()
    };
    let is_kept = store || previous.is_some() || conversation.is_some();
    let wanted = (INPUT, "a text or an array of items");
    let (input, too_large) = match Brought::read(
        input.filter(|input| is_kept || refers(input)),
        wanted,
        bytes_max,
    )? {
        Brought::Nothing => (Vec::new(), false),
        Brought::Read(input) => (items(input), false),
        Brought::TooLarge => (Vec::new(), true),
    };
    let state = ResponseState {
        store,
        previous,
        conversation,
        background: background.unwrap_or(false),
        stream: stream.is_some_and(|raw| raw.get() == "true"),
        metadata: raw_metadata(words)?,
        instructions: instructions(told),
        input,
        too_large,
    };
    if state.background && !state.store {
        let message = "`background` needs `store`: an answer that comes later is kept until then.";
        return Err(BadBody::of(BACKGROUND, message));
    }
    Ok((state, rest))
}

/// The body with what was said before in front of its own input; `None` where it has none.
pub fn with_context(body: &Bytes, context: &[Value], own: &[Value]) -> Option<Bytes> {
    let [input] = json::fields(body, [INPUT]).ok()?;
    let at = json::span(body, input?);
    let all: Vec<&Value> = context.iter().chain(own).collect();
    let text = serde_json::to_string(&all).ok()?;
    Some(json::apply(body, vec![Edit::replace(at, text)]))
}

/// What is said in an answer of how it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseMark {
    /// The id under which it is told, and kept.
    pub id: String,
    /// Whether it is kept.
    pub store: bool,
    /// The answer before.
    pub previous: Option<String>,
    /// The conversation.
    pub conversation: Option<String>,
    /// Whether it comes later.
    pub background: bool,
    /// Words of the caller's own.
    pub metadata: Map<String, Value>,
    /// As the request had them.
    pub instructions: Value,
}

impl ResponseMark {
    /// Says it in an answer.
    pub fn mark(&self, answer: &mut Map<String, Value>) {
        let conversation = self.conversation.as_ref();
        let fields = [
            ("id", json!(self.id)),
            ("store", json!(self.store)),
            (PREVIOUS, json!(self.previous)),
            (
                CONVERSATION,
                json!(conversation.map(|id| json!({"id": id}))),
            ),
            (BACKGROUND, json!(self.background)),
            (METADATA, json!(self.metadata)),
        ];
        for (name, value) in fields {
            answer.insert(name.to_owned(), value);
        }
        let told = answer
            .get("instructions")
            .is_some_and(|told| !told.is_null());
        if !told {
            answer.insert("instructions".to_owned(), self.instructions.clone());
        }
    }

    /// An answer that is still to come.
    pub fn begun(&self, created_at: i64, model: &str) -> Map<String, Value> {
        let begun = json!({
            "object": "response", "created_at": created_at, "model": model, "status": "in_progress",
            "error": null, "incomplete_details": null, "max_output_tokens": null, "output": [],
            "parallel_tool_calls": true, "temperature": null, "tool_choice": "auto", "tools": [],
            "top_p": null, "usage": null,
        });
        let mut answer = begun.as_object().cloned().unwrap_or_default();
        self.mark(&mut answer);
        answer
    }
}

/// An event that tells the whole response.
#[derive(Debug, Clone, PartialEq)]
pub struct ResponseEvent {
    kind: String,
    fields: Map<String, Value>,
}

/// The last events of a stream.
const LAST: [&str; 3] = [
    "response.completed",
    "response.incomplete",
    "response.failed",
];
/// Others that tell the response.
const BEGUN: [&str; 3] = [
    "response.created",
    "response.queued",
    "response.in_progress",
];

impl ResponseEvent {
    /// Of an event's bytes; `None` where it tells no response.
    pub fn read(event: &[u8]) -> Option<Self> {
        // Events of text are many and tell none.
        memchr::memmem::find(event, b"\"response\"")?;
        let fields = told(event)?;
        let kind = fields.get("type")?.as_str()?.to_owned();
        let is_known = LAST.contains(&kind.as_str()) || BEGUN.contains(&kind.as_str());
        (is_known && fields.get("response")?.is_object()).then_some(Self { kind, fields })
    }

    /// Whether it ends the stream.
    pub fn is_last(&self) -> bool {
        LAST.contains(&self.kind.as_str())
    }

    /// The response.
    pub fn response(&mut self) -> Option<&mut Map<String, Value>> {
        self.fields.get_mut("response")?.as_object_mut()
    }

    /// As it is sent.
    pub fn bytes(&self) -> Bytes {
        let json = serde_json::to_string(&self.fields).unwrap_or_default();
        format!("event: {}\ndata: {json}\n\n", self.kind).into()
    }
}

/// The items that an answer adds to what was said.
pub fn output(answer: &Map<String, Value>) -> Vec<Value> {
    let items = answer.get("output").and_then(Value::as_array);
    items.cloned().unwrap_or_default()
}

/// The ids of these items.
pub fn item_ids(answer: &Map<String, Value>) -> Vec<String> {
    let items = answer.get("output").and_then(Value::as_array);
    let ids = items
        .into_iter()
        .flatten()
        .filter_map(|item| item["id"].as_str());
    ids.map(str::to_owned).collect()
}

/// The type of an item that is another one's id.
const REFERENCE: &str = "item_reference";

/// The id of the item that stands in an item's place, where it is a reference and no more. The format takes
/// one without a `type`, too (API reference, "Item reference").
pub fn referred(item: &Value) -> Option<&str> {
    let fields = item.as_object()?;
    let is_reference = match fields.get("type").filter(|kind| !kind.is_null()) {
        Some(kind) => kind == REFERENCE,
        None => fields.keys().all(|name| name == "id" || name == "type"),
    };
    fields.get("id").filter(|_| is_reference)?.as_str()
}

/// How an answer stands, as its word.
pub fn status(answer: &Map<String, Value>) -> &str {
    answer
        .get("status")
        .and_then(Value::as_str)
        .unwrap_or("completed")
}

/// Bytes of an item's id that is taken over.
const ITEM_ID_BYTES_MAX: usize = 128;

/// Whether an id may name something that is kept: whoever made it up is outside.
fn is_item_id(id: &str) -> bool {
    (1..=ITEM_ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// An item with an id, its own where that can be one or the one that is given, as lists show it.
pub fn item_with_id(item: &Value, id: impl FnOnce(&str) -> String) -> Value {
    let mut item = item.clone();
    if let Some(fields) = item.as_object_mut() {
        let has = |fields: &Map<String, Value>, name: &str| {
            fields.get(name).is_some_and(Value::is_string)
        };
        if !has(fields, "type") {
            fields.insert("type".to_owned(), json!("message"));
        }
        if fields["type"] == "message" {
            // Clients read lists of parts; a text alone is one part.
            if let Some(Value::String(text)) = fields.get("content").cloned() {
                let from_model = fields.get("role").is_some_and(|role| role == "assistant");
                let part = if from_model {
                    json!({"type": "output_text", "text": text, "annotations": []})
                } else {
                    json!({"type": "input_text", "text": text})
                };
                fields.insert("content".to_owned(), json!([part]));
            }
            if !has(fields, "status") {
                fields.insert("status".to_owned(), json!("completed"));
            }
        }
        let own = fields.get("id").and_then(Value::as_str);
        if !own.is_some_and(is_item_id) {
            let kind = fields["type"].as_str().unwrap_or_default();
            let prefix = match kind {
                "message" => "msg",
                "function_call" => "fc",
                "function_call_output" => "fco",
                "reasoning" => "rs",
                _ => "item",
            };
            let id = id(prefix);
            fields.insert("id".to_owned(), json!(id));
        }
    }
    item
}
