//! Converse's objects as they stand in JSON, for requests and answers. Facts: the service model of Bedrock
//! Runtime as of 2026-11-20. Blocks are unions there, of which one field is set.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::dialect::neutral::Json;

/// A text that is there or not.
pub(super) type Text<'a> = Option<Cow<'a, str>>;

/// A field that is null is one that is not there.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A request; the model is named in the path.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Body<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) system: Option<Vec<Block<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) inference_config: Option<Inference<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_config: Option<ToolConfig<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output_config: Option<OutputConfig<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) service_tier: Option<Typed<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request_metadata: Option<BTreeMap<Cow<'a, str>, Cow<'a, str>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) additional_model_request_fields: Option<Extra<'a>>,
}

/// The fields of [`Body`], as they are written.
pub(super) const FIELDS: [&str; 8] = [
    "messages",
    "system",
    "inferenceConfig",
    "toolConfig",
    "outputConfig",
    "serviceTier",
    "requestMetadata",
    "additionalModelRequestFields",
];

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Message<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) role: Cow<'a, str>,
    #[serde(deserialize_with = "or_default")]
    pub(super) content: Vec<Block<'a>>,
}

/// An object that is told by its type.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Typed<'a> {
    #[serde(rename = "type")]
    #[serde(deserialize_with = "or_default")]
    pub(super) kind: Cow<'a, str>,
}

/// A part of a message, of the system prompt or of a tool's result.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Block<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image: Option<Medium<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) document: Option<Medium<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) video: Option<Medium<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) audio: Option<Medium<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_use: Option<ToolUse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_result: Option<ToolResult<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_content: Option<Reasoning<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) citations_content: Option<Cited<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_point: Option<CachePoint<'a>>,
    /// Of a tool's result alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) json: Option<Json>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CachePoint<'a> {
    #[serde(rename = "type")]
    #[serde(deserialize_with = "or_default")]
    pub(super) kind: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ttl: Text<'a>,
}

/// A picture, sound, film or file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Medium<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) format: Text<'a>,
    /// Of documents alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Text<'a>,
    #[serde(deserialize_with = "or_default")]
    pub(super) source: Source<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Source<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bytes: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Text<'a>,
    #[serde(rename = "s3Location", skip_serializing_if = "Option::is_none")]
    pub(super) s3: Option<S3<'a>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct S3<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) uri: Cow<'a, str>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ToolUse<'a> {
    #[serde(rename = "toolUseId", deserialize_with = "or_default")]
    pub(super) id: Cow<'a, str>,
    #[serde(deserialize_with = "or_default")]
    pub(super) name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<Json>,
    /// `server_tool_use` where the provider runs it itself.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) kind: Text<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ToolResult<'a> {
    #[serde(rename = "toolUseId", deserialize_with = "or_default")]
    pub(super) id: Cow<'a, str>,
    #[serde(deserialize_with = "or_default")]
    pub(super) content: Vec<Block<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Text<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Reasoning<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_text: Option<ReasoningText<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) redacted_content: Text<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ReasoningText<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) text: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signature: Text<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Cited<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) content: Vec<Plain<'a>>,
    #[serde(deserialize_with = "or_default")]
    pub(super) citations: Vec<Citation<'a>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Plain<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) text: Cow<'a, str>,
}

/// Where a text comes from; the same in answers and in streams.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Citation<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source_content: Option<Vec<Plain<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) location: Option<Location<'a>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Location<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) web: Option<Web<'a>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Web<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) url: Text<'a>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Inference<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop_sequences: Option<Vec<Cow<'a, str>>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ToolConfig<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_choice: Option<ToolChoice<'a>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Tool<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_spec: Option<ToolSpec<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_point: Option<CachePoint<'a>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ToolSpec<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Text<'a>,
    #[serde(deserialize_with = "or_default")]
    pub(super) input_schema: Schema,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) strict: Option<bool>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Schema {
    pub(super) json: Option<Json>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ToolChoice<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) auto: Option<Nothing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) any: Option<Nothing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool: Option<Named<'a>>,
}

/// `{}`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Nothing {}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Named<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) name: Cow<'a, str>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct OutputConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text_format: Option<TextFormat<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) effort: Text<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct TextFormat<'a> {
    #[serde(rename = "type")]
    #[serde(deserialize_with = "or_default")]
    pub(super) kind: Cow<'a, str>,
    #[serde(deserialize_with = "or_default")]
    pub(super) structure: Structure<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Structure<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) json_schema: NamedSchema<'a>,
}

/// The schema is a text in a text.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct NamedSchema<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) schema: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Text<'a>,
}

/// What makers of models take beside what all have.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Extra<'a> {
    /// Anthropic's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thinking: Option<Thinking<'a>>,
    /// Anthropic's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_k: Option<u64>,
    /// `OpenAI`'s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_effort: Text<'a>,
    /// Amazon's.
    #[serde(rename = "reasoningConfig", skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_config: Option<ReasoningConfig<'a>>,
    /// Amazon's.
    #[serde(rename = "inferenceConfig", skip_serializing_if = "Option::is_none")]
    pub(super) inference_config: Option<TopK>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Thinking<'a> {
    #[serde(rename = "type")]
    #[serde(deserialize_with = "or_default")]
    pub(super) kind: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) budget_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) display: Text<'a>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ReasoningConfig<'a> {
    #[serde(rename = "type")]
    #[serde(deserialize_with = "or_default")]
    pub(super) kind: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_reasoning_effort: Text<'a>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct TopK {
    #[serde(deserialize_with = "or_default")]
    pub(super) top_k: u64,
}

/// A whole answer.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Answer<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) output: Output<'a>,
    pub(super) stop_reason: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) metrics: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) service_tier: Option<Typed<'a>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Output<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) message: Message<'a>,
}
