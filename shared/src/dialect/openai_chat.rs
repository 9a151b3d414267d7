//! OpenAI's chat completions: messages in, texts and calls of tools out, in tokens.

use bytes::Bytes;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::openai::fields::{Field, Fields, Rule, Why};
use super::openai::request::{MAX_COMPLETION_TOKENS, MAX_TOKENS};
use super::openai::{self, Chunk, OPEN, OUTPUT_TOKENS_MAX, OpenAi, Shape};
use super::{Asked, BadBody, Output};

/// The format.
pub static OPENAI_CHAT: OpenAi = OpenAi {
    name: "openai_chat",
    schema: SCHEMA,
    fields: FIELDS,
    read,
    shape: Shape::Choices(CHUNK),
    echo: None,
    as_stream,
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
    let older = fields.whole(MAX_TOKENS, 1, OUTPUT_TOKENS_MAX)?;
    let newer = fields.whole(MAX_COMPLETION_TOKENS, 1, OUTPUT_TOKENS_MAX)?;
    let stream = fields.flag("stream")?;
    let mut asked = Asked::of(fields.model()?, Output::UpTo(older.max(newer)));
    for (name, number) in [(MAX_TOKENS, older), (MAX_COMPLETION_TOKENS, newer)] {
        if let Some(at) = fields.at(name) {
            asked.maxima.note(at, number.is_some());
        }
    }
    asked.show_usage = stream && fields.shows_usage()?;
    asked.answers = fields.whole("n", 1, CHOICES_MAX)?.unwrap_or(1);
    asked.stream = stream;
    asked.input_estimate = fields.input_estimate();
    asked.bounds = fields.bounds();
    asked.open = OPEN;
    Ok(asked)
}

/// The text, the end, the usage.
fn as_stream(answer: &[u8]) -> Option<Bytes> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let chunk = |choices: Value| {
        json!({
            "id": answer["id"], "object": CHUNK.object, "created": answer["created"],
            "model": answer["model"], "choices": choices,
        })
    };
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
    if !answer["usage"].is_null() {
        let mut last = chunk(json!([]));
        last["usage"] = answer["usage"].clone();
        chunks.push(last);
    }
    // What the tier was stands in each chunk, as it does in a stream.
    if let Some(tier) = answer.get("service_tier") {
        for chunk in &mut chunks {
            chunk["service_tier"] = tier.clone();
        }
    }
    Some(openai::chunks(&chunks))
}

#[cfg(test)]
mod tests;
