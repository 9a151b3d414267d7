//! OpenAI's completions, as they were before chats: a text in, its continuation out, in tokens.

use bytes::Bytes;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::fields::{Field, Fields, Rule, Why};
use super::openai::request::MAX_TOKENS;
use super::openai::{Chunk, OpenAi, Shape, texts};
use super::{Asked, BadBody};

/// The format.
pub static OPENAI_COMPLETIONS: OpenAi = OpenAi {
    name: "openai_completions",
    schema: SCHEMA,
    fields: FIELDS,
    read,
    shape: Shape::Choices(CHUNK),
    echo: Some("echo"),
    as_stream,
    translator: None,
};

const SCHEMA: &str = r#"{
    "type": "object",
    "required": ["model", "prompt"],
    "properties": {
        "model": {"type": "string", "minLength": 1, "maxLength": 100},
        "prompt": {"anyOf": [{"type": "string"}, {"type": "array", "items": {}, "minItems": 1}]},
        "stream": {"nullable": true, "type": "boolean", "default": false},
        "stream_options": {
            "nullable": true, "type": "object",
            "properties": {"include_usage": {"type": "boolean", "nullable": true}}
        },
        "max_tokens": {"nullable": true, "type": "integer", "minimum": 1, "maximum": 10000000},
        "n": {"nullable": true, "type": "integer", "minimum": 1, "maximum": 128},
        "echo": {"nullable": true, "type": "boolean"},
        "stop": {
            "nullable": true,
            "anyOf": [{"type": "string", "nullable": true}, {"type": "array", "items": {"type": "string"}}]
        }
    }
}"#;

const CHUNK: Chunk = Chunk {
    object: "text_completion",
    nothing: "\"text\":\"\",\"logprobs\":null",
};

/// OpenAI's bound of `n` (API reference, completions), and ours of `n` for all prompts together.
const ANSWERS_MAX: u64 = 128;

const FIELDS: &[Field] = &[
    ("best_of", Rule::One),
    ("data_sources", Rule::Refused(Why::Service)),
    ("echo", Rule::Read),
    (MAX_TOKENS, Rule::Read),
    ("n", Rule::Read),
    ("prompt", Rule::Input),
    ("stream", Rule::Read),
    ("stream_options", Rule::Read),
    ("suffix", Rule::Text),
];

fn read(fields: &Fields<'_>) -> Result<Asked, BadBody> {
    let each = fields.whole("n", 1, ANSWERS_MAX)?.unwrap_or(1);
    let answers = each.saturating_mul(prompts(fields)?);
    if answers > ANSWERS_MAX {
        let message = format!("`n` for each prompt may be {ANSWERS_MAX} answers at most.");
        return Err(BadBody::of("n", message));
    }
    // Checked, and left to the provider: what is repeated is no output.
    fields.flag("echo")?;
    let mut asked = texts::asked(fields, &[MAX_TOKENS])?;
    asked.answers = answers;
    Ok(asked)
}

/// How many prompts there are: a text or an array of tokens is one, a list of either is as many.
fn prompts(fields: &Fields<'_>) -> Result<u64, BadBody> {
    let wrong = || {
        let message =
            "`prompt` must be a text, an array of tokens, or an array of either that is not empty.";
        BadBody::of("prompt", message)
    };
    let raw = fields.get("prompt").ok_or_else(wrong)?;
    if raw.get().starts_with('"') {
        return Ok(1);
    }
    let list: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|_| wrong())?;
    let first = list.first().and_then(|first| first.get().bytes().next());
    let is_like = |one: &&RawValue| match first {
        Some(open @ (b'"' | b'[')) => one.get().as_bytes().first() == Some(&open),
        Some(_) => one.get().parse::<u64>().is_ok(),
        None => false,
    };
    if list.is_empty() || !list.iter().all(is_like) {
        return Err(wrong());
    }
    match first {
        Some(b'"' | b'[') => Ok(u64::try_from(list.len()).unwrap_or(u64::MAX)),
        Some(_) | None => Ok(1),
    }
}

/// A chunk for each text with its end, and the usage.
fn as_stream(answer: &[u8]) -> Option<Bytes> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let choices = answer["choices"].as_array()?.iter();
    let chunks = choices.map(|choice| texts::chunk(&answer, CHUNK.object, json!([choice])));
    Some(texts::streamed(chunks.collect(), &answer, CHUNK.object))
}

#[cfg(test)]
mod tests;
