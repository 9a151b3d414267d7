//! A request as it comes: what routing, prices and limits need of it, and what goes on to a provider that
//! speaks the same format, which is the tenant's bytes but for the model's name and the maximum.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::version::Version;
use crate::dialect::body::Body;
use crate::dialect::fields::{Field, Fields, Rule, Why, end_user_word};
use crate::dialect::openai::{OPEN, OUTPUT_TOKENS_MAX};
use crate::dialect::{Asked, BadBody, EndUserField, Forward, Head, Output};
use crate::json::{self, Edit};

pub(super) const SCHEMA: &str = r#"{
    "type": "object",
    "required": ["model", "messages", "max_tokens"],
    "properties": {
        "model": {"type": "string", "minLength": 1, "maxLength": 100},
        "messages": {"type": "array", "items": {"type": "object"}, "minItems": 1},
        "max_tokens": {"type": "integer", "minimum": 0, "maximum": 10000000},
        "system": {
            "nullable": true,
            "oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "object"}}]
        },
        "stream": {"nullable": true, "type": "boolean", "default": false},
        "tools": {"nullable": true, "type": "array", "items": {"type": "object"}},
        "tool_choice": {"nullable": true, "type": "object"},
        "thinking": {"nullable": true, "type": "object"},
        "stop_sequences": {"nullable": true, "type": "array", "items": {"type": "string"}}
    }
}"#;

/// The maximum of output tokens, thinking included.
pub(super) const MAX_TOKENS: &str = "max_tokens";
const THINKING: &str = "thinking";
/// Holds `user_id`, whose question it is: opaque, and nothing of a person (API reference, 2026-11).
const METADATA: &str = "metadata";
const CONTEXT: &str = "context_management";

/// What chooses words; no version after 2023 has it.
const SAMPLING: [&str; 3] = ["temperature", "top_k", "top_p"];

/// Types of tools that the tenant runs, and of the search among tools that the request itself holds, which
/// costs nothing beside tokens. Others (searches, fetching, code, advice of another model, MCP) the
/// provider runs and bills.
const CLIENT_TOOLS: &[&str] = &[
    "bash_2",
    "browser_toolset_2",
    "computer_2",
    "computer_toolset_2",
    "custom",
    "memory_2",
    "text_editor_2",
    "tool_search_tool_",
];

pub(super) const FIELDS: &[Field] = &[
    ("container", Rule::Refused(Why::Service)),
    (CONTEXT, Rule::Read),
    ("fallback_credit_token", Rule::Refused(Why::Routing)),
    (MAX_TOKENS, Rule::Read),
    ("mcp_servers", Rule::Refused(Why::Service)),
    ("messages", Rule::Messages),
    (METADATA, Rule::Read),
    ("output_config", Rule::Text),
    ("output_format", Rule::Text),
    ("service_tier", Rule::Words(&["auto", "standard_only"])),
    ("speed", Rule::Words(&["standard"])),
    ("stream", Rule::Read),
    ("system", Rule::Input),
    (SAMPLING[0], Rule::Read),
    (THINKING, Rule::Read),
    ("tools", Rule::ToolsOf(CLIENT_TOOLS)),
    (SAMPLING[1], Rule::Read),
    (SAMPLING[2], Rule::Read),
];

/// Reads a request.
pub(super) fn read(head: &Head, body: &Body) -> Result<Asked, BadBody> {
    let json = body
        .json()
        .ok_or_else(|| BadBody::whole("The body must be a JSON object; send application/json."))?;
    let version = Version::of(head)?;
    let fields = Fields::read(head, FIELDS, json)?;
    let asked = asked(&fields)?;
    for name in SAMPLING {
        if !version.has_sampling() && fields.get(name).is_some() {
            return Err(no_sampling(name));
        }
    }
    if fields.get(CONTEXT).is_some_and(compacts) {
        let message = "`context_management` is not taken: a compaction is billed beyond the maximum of \
                       the answer; leave that edit out.";
        return Err(BadBody::of(CONTEXT, message));
    }
    fields.allowed()?;
    Ok(asked)
}

/// That a version does not have `name`.
pub(super) fn no_sampling(name: &'static str) -> BadBody {
    let message = format!(
        "`{name}` is not taken by version 2026-10-21 of this API, not even at its default; leave it out, or \
         send `anthropic-version: 2023-06-01`."
    );
    BadBody::of(name, message)
}

fn asked(fields: &Fields<'_>) -> Result<Asked, BadBody> {
    let messages = fields.get("messages").map(RawValue::get);
    let messages = messages.unwrap_or_default();
    if !messages.starts_with('[') || messages[1..].trim_start().starts_with(']') {
        let message = "`messages` must be an array with at least one message.";
        return Err(BadBody::of("messages", message));
    }
    let mut asked = Asked::of(fields.model()?, Output::UpTo(None));
    let Some(max) = fields.whole(MAX_TOKENS, 0, OUTPUT_TOKENS_MAX)? else {
        let message = "`max_tokens` is missing: the most tokens that the answer may have.";
        return Err(BadBody::of(MAX_TOKENS, message));
    };
    if let Some(at) = fields.at(MAX_TOKENS) {
        asked.maxima.note(at, true);
    }
    asked.output = Output::UpTo(Some(max));
    asked.stream = fields.streams()?;
    // Every stream tells it.
    asked.show_usage = asked.stream;
    asked.input_estimate = fields.input_estimate();
    asked.bounds = fields.bounds();
    asked.open = OPEN;
    asked.end_user = fields.get(METADATA).and_then(end_user_of);
    asked.may_have_edge_fields = fields.for_edge;
    Ok(asked)
}

/// The tenant's word for whose question it is.
fn end_user_of(metadata: &RawValue) -> Option<String> {
    let [word] = json::fields(metadata.get().as_bytes(), [USER_ID]).ok()?;
    end_user_word(word?)
}

/// Whether `context_management` has the conversation summed up, by a call of the model that `usage` at the
/// top does not count.
fn compacts(context: &RawValue) -> bool {
    #[derive(serde::Deserialize)]
    struct Context {
        #[serde(default)]
        edits: Vec<serde_json::Value>,
    }
    let context: Option<Context> = serde_json::from_str(context.get()).ok();
    let kind = |edit: &serde_json::Value| {
        let kind = edit.get("type").and_then(serde_json::Value::as_str);
        kind.is_some_and(|kind| kind.starts_with("compact"))
    };
    context.is_some_and(|context| context.edits.iter().any(kind))
}

/// The body with a lower maximum, and with a budget for thinking that stays below it.
pub(super) fn with_maximum(body: &Bytes, asked: &Asked, tokens: u64) -> Bytes {
    let Some((at, _)) = asked.maxima.kept_and_others() else {
        return body.clone();
    };
    let mut edits = vec![Edit::replace(at, tokens.to_string())];
    edits.extend(lower_budget(body, asked, tokens));
    json::apply(body, edits)
}

/// The least that may be thought (API reference, "thinking").
pub(super) const BUDGET_MIN: u64 = 1_024;

/// A budget must be smaller than the maximum. One that was larger before is left alone: it may be for
/// several thoughts between calls of tools.
fn lower_budget(body: &Bytes, asked: &Asked, tokens: u64) -> Option<Edit> {
    let [thinking] = json::fields(body, [THINKING]).ok()?;
    let thinking = thinking?;
    let [budget] = json::fields(thinking.get().as_bytes(), ["budget_tokens"]).ok()?;
    let budget = budget?;
    let number: u64 = budget.get().parse().ok()?;
    let was_below = matches!(asked.output, Output::UpTo(Some(max)) if number < max);
    if !was_below || number < tokens {
        return None;
    }
    if tokens > BUDGET_MIN {
        let at = json::span(body, budget);
        return Some(Edit::replace(at, (tokens - 1).to_string()));
    }
    let off = "{\"type\":\"disabled\"}".to_owned();
    Some(Edit::replace(json::span(body, thinking), off))
}

/// The tenant's bytes for a provider, with its name for the model.
pub(super) fn forwarded(body: &Bytes, to: Forward<'_>) -> Result<Bytes, BadBody> {
    let [name, metadata] = json::fields(body, ["model", METADATA])
        .map_err(|error| BadBody::whole(error.to_string()))?;
    let model = serde_json::Value::from(to.model).to_string();
    let mut edits = Vec::with_capacity(2);
    match name {
        Some(old) => edits.push(Edit::replace(json::span(body, old), model)),
        None => edits.push(Edit::insert(body, "model", &model)),
    }
    edits.extend(end_user(body, metadata, to));
    Ok(json::apply(body, edits))
}

/// Our name of the end user in the place of the tenant's word.
fn end_user(body: &Bytes, metadata: Option<&RawValue>, to: Forward<'_>) -> Option<Edit> {
    let name = to.end_user?;
    let is_said = to.quirks.end_user != EndUserField::Nowhere;
    let Some(old) = metadata else {
        let json = format!("{{\"{USER_ID}\":\"{name}\"}}");
        return is_said.then(|| Edit::insert(body, METADATA, &json));
    };
    let at = json::span(body, old);
    let mut kept: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(old.get()).unwrap_or_default();
    kept.remove(USER_ID);
    if is_said {
        kept.insert(USER_ID.to_owned(), name.into());
    }
    if kept.is_empty() {
        return Some(Edit::remove(body, &at));
    }
    Some(Edit::replace(at, serde_json::Value::from(kept).to_string()))
}

const USER_ID: &str = "user_id";
