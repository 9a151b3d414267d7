//! Objects of Cohere's chat as they stand in JSON, for requests and answers. Facts: Cohere's Python SDK
//! 7.3.1 as of 2026-11.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::dialect::neutral::Json;

/// A text that is there or not.
pub(super) type CohereText<'a> = Option<Cow<'a, str>>;

/// A field that is null is one that is not there.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A request.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CohereBody<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) model: Cow<'a, str>,
    #[serde(deserialize_with = "or_default")]
    pub(super) messages: Vec<CohereMessage<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tools: Option<Vec<CohereTool<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) strict_tools: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_choice: CohereText<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response_format: Option<CohereFormat<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop_sequences: Option<Vec<Cow<'a, str>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) frequency_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) presence_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) k: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thinking: Option<CohereThinking<'a>>,
    #[serde(deserialize_with = "or_default")]
    pub(super) stream: bool,
}

/// The fields of [`CohereBody`].
pub(super) const FIELDS: [&str; 16] = [
    "model",
    "messages",
    "tools",
    "strict_tools",
    "tool_choice",
    "response_format",
    "max_tokens",
    "stop_sequences",
    "temperature",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "k",
    "p",
    "thinking",
    "stream",
];

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CohereMessage<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) role: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<CohereContent<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_calls: Option<Vec<CohereToolCall<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_plan: CohereText<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_call_id: CohereText<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) citations: Option<Vec<CohereCitation<'a>>>,
}

/// A text, or a list of items.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum CohereContent<'a> {
    Text(Cow<'a, str>),
    Items(Vec<CohereItem<'a>>),
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CohereItem<'a> {
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub(super) kind: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: CohereText<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thinking: CohereText<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image_url: Option<CohereImage<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) document: Option<Value>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CohereImage<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) url: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: CohereText<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CohereToolCall<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) id: Cow<'a, str>,
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub(super) kind: Cow<'a, str>,
    #[serde(deserialize_with = "or_default")]
    pub(super) function: CohereCalled<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CohereCalled<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) name: Cow<'a, str>,
    #[serde(deserialize_with = "or_default")]
    pub(super) arguments: Cow<'a, str>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CohereTool<'a> {
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub(super) kind: Cow<'a, str>,
    #[serde(deserialize_with = "or_default")]
    pub(super) function: CohereFunction<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CohereFunction<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: CohereText<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parameters: Option<Json>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CohereFormat<'a> {
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub(super) kind: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) json_schema: Option<Json>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CohereThinking<'a> {
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub(super) kind: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token_budget: Option<u64>,
}

/// Where a text comes from; the same in answers and in streams.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CohereCitation<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) start: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) end: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: CohereText<'a>,
    #[serde(deserialize_with = "or_default")]
    pub(super) sources: Vec<CohereSource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_index: Option<u64>,
}

/// A document, or what a tool answered: fields of the tenant's own naming.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CohereSource {
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub(super) kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) document: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_output: Option<Value>,
}

/// A whole answer.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CohereAnswer<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) id: Cow<'a, str>,
    #[serde(deserialize_with = "or_default")]
    pub(super) message: CohereMessage<'a>,
    #[serde(deserialize_with = "or_default")]
    pub(super) finish_reason: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<Json>,
}
