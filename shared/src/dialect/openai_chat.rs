//! OpenAI's chat completions: messages in, texts and calls of tools out, in tokens.

mod translate;

use bytes::Bytes;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::fields::{Field, Fields, Rule, Why};
use super::openai::request::{MAX_COMPLETION_TOKENS, MAX_TOKENS};
use super::openai::{Chunk, OpenAi, Shape, texts};
use super::{Asked, BadBody};

/// The format.
pub static OPENAI_CHAT: OpenAi = OpenAi {
    name: "openai_chat",
    schema: SCHEMA,
    fields: FIELDS,
    read,
    shape: Shape::Choices(CHUNK),
    echo: None,
    as_stream,
    translator: Some(&translate::ChatTranslator),
};

const SCHEMA: &str = r#"{
    "type": "object",
    "required": ["model", "messages"],
    "properties": {
        "model": {"type": "string", "minLength": 1, "maxLength": 100},
        "messages": {"type": "array", "items": {"type": "object"}, "minItems": 1},
        "stream": {"nullable": true, "type": "boolean", "default": false},
        "stream_options": {
            "nullable": true, "type": "object",
            "properties": {"include_usage": {"type": "boolean", "nullable": true}}
        },
        "max_tokens": {"nullable": true, "type": "integer", "minimum": 1, "maximum": 10000000},
        "max_completion_tokens": {"nullable": true, "type": "integer", "minimum": 1, "maximum": 10000000},
        "n": {"nullable": true, "type": "integer", "minimum": 1, "maximum": 128}
    }
}"#;

const CHUNK: Chunk = Chunk {
    object: "chat.completion.chunk",
    nothing: "\"delta\":{}",
};

/// OpenAI's bound of `n` (API reference, chat completions).
const CHOICES_MAX: u64 = 128;

const FIELDS: &[Field] = &[
    ("background", Rule::Refused(Why::Later)),
    ("best_of", Rule::One),
    ("candidate_count", Rule::One),
    ("container", Rule::Refused(Why::Service)),
    ("conversation", Rule::Refused(Why::Unseen)),
    ("data_sources", Rule::Refused(Why::Service)),
    ("deferred", Rule::Refused(Why::Later)),
    ("enable_code_interpreter", Rule::Refused(Why::Service)),
    ("enable_search", Rule::Refused(Why::Service)),
    ("enable_web_search", Rule::Refused(Why::Service)),
    ("functions", Rule::Text),
    (MAX_COMPLETION_TOKENS, Rule::Read),
    (MAX_TOKENS, Rule::Read),
    ("mcp_servers", Rule::Refused(Why::Service)),
    ("messages", Rule::Messages),
    ("modalities", Rule::Modalities),
    ("n", Rule::Read),
    ("num_return_sequences", Rule::One),
    ("plugins", Rule::Refused(Why::Service)),
    ("prediction", Rule::Refused(Why::Guess)),
    ("previous_response_id", Rule::Refused(Why::Unseen)),
    ("response_format", Rule::Text),
    ("search_options", Rule::Refused(Why::Service)),
    ("search_parameters", Rule::ModeOff),
    ("speed", Rule::Words(&["standard"])),
    ("stream", Rule::Read),
    ("stream_options", Rule::Read),
    ("tools", Rule::Tools),
    ("web_search", Rule::Refused(Why::Service)),
    ("web_search_options", Rule::Refused(Why::Service)),
];

fn read(fields: &Fields<'_>) -> Result<Asked, BadBody> {
    let messages = fields
        .get("messages")
        .map(RawValue::get)
        .unwrap_or_default();
    if !messages.starts_with('[') || messages[1..].trim_start().starts_with(']') {
        let message = "`messages` must be an array with at least one message.";
        return Err(BadBody::of("messages", message));
    }
    let mut asked = texts::asked(fields, &[MAX_TOKENS, MAX_COMPLETION_TOKENS])?;
    asked.answers = fields.whole("n", 1, CHOICES_MAX)?.unwrap_or(1);
    Ok(asked)
}

/// The text, the end, the usage.
fn as_stream(answer: &[u8]) -> Option<Bytes> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let chunk = |choices| texts::chunk(&answer, CHUNK.object, choices);
    let choices = answer["choices"].as_array()?;
    let mut chunks = Vec::new();
    for choice in choices {
        let mut delta = choice["message"].clone();
        if let Some(calls) = delta.get_mut("tool_calls").and_then(Value::as_array_mut) {
            for (index, call) in calls.iter_mut().enumerate() {
                if let Some(call) = call.as_object_mut() {
                    call.insert("index".to_owned(), index.into());
                }
            }
        }
        let mut part = json!({"index": choice["index"], "delta": delta, "finish_reason": null});
        if !choice["logprobs"].is_null() {
            part["logprobs"] = choice["logprobs"].clone();
        }
        chunks.push(chunk(json!([part])));
    }
    for choice in choices {
        let end = json!({"index": choice["index"], "delta": {}, "finish_reason": choice["finish_reason"]});
        chunks.push(chunk(json!([end])));
    }
    Some(texts::streamed(chunks, &answer, CHUNK.object))
}

#[cfg(test)]
mod tests;
