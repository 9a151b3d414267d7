//! Converse's objects as they stand in JSON, for requests and answers. Facts: the service model of Bedrock
//! Runtime as of 2026-11-20. Blocks are unions there, of which one field is set.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::dialect::neutral::Json;

/// A text that is there or not.
pub(super) type ConverseText<'a> = Option<Cow<'a, str>>;

/// A field that is null is one that is not there.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A request; the model is named in the path.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ConverseBody<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) messages: Vec<ConverseMessage<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) system: Option<Vec<ConverseBlock<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) inference_config: Option<ConverseInference<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_config: Option<ConverseToolConfig<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output_config: Option<ConverseOutputConfig<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) service_tier: Option<ConverseTyped<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request_metadata: Option<BTreeMap<Cow<'a, str>, Cow<'a, str>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) additional_model_request_fields: Option<ConverseExtra<'a>>,
}

/// The fields of [`ConverseBody`], as they are written.
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
pub(super) struct ConverseMessage<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) role: Cow<'a, str>,
    #[serde(deserialize_with = "or_default")]
    pub(super) content: Vec<ConverseBlock<'a>>,
}

/// An object that is told by its type.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ConverseTyped<'a> {
    #[serde(rename = "type")]
    #[serde(deserialize_with = "or_default")]
    pub(super) kind: Cow<'a, str>,
}

/// A part of a message, of the system prompt or of a tool's result.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ConverseBlock<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: ConverseText<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image: Option<ConverseMedium<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) document: Option<ConverseMedium<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) video: Option<ConverseMedium<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) audio: Option<ConverseMedium<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_use: Option<ConverseToolUse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_result: Option<ConverseToolResult<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_content: Option<ConverseReasoning<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) citations_content: Option<ConverseCited<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_point: Option<ConverseCachePoint<'a>>,
    /// Of a tool's result alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) json: Option<Json>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ConverseCachePoint<'a> {
    #[serde(rename = "type")]
    #[serde(deserialize_with = "or_default")]
    pub(super) kind: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ttl: ConverseText<'a>,
}

/// A picture, sound, film or file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ConverseMedium<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) format: ConverseText<'a>,
    /// Of documents alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: ConverseText<'a>,
    #[serde(deserialize_with = "or_default")]
    pub(super) source: ConverseSource<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ConverseSource<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bytes: ConverseText<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: ConverseText<'a>,
    #[serde(rename = "s3Location", skip_serializing_if = "Option::is_none")]
    pub(super) s3: Option<ConverseS3<'a>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ConverseS3<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) uri: Cow<'a, str>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ConverseToolUse<'a> {
    #[serde(rename = "toolUseId", deserialize_with = "or_default")]
    pub(super) id: Cow<'a, str>,
    #[serde(deserialize_with = "or_default")]
    pub(super) name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<Json>,
    /// `server_tool_use` where the provider runs it itself.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) kind: ConverseText<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ConverseToolResult<'a> {
    #[serde(rename = "toolUseId", deserialize_with = "or_default")]
    pub(super) id: Cow<'a, str>,
    #[serde(deserialize_with = "or_default")]
    pub(super) content: Vec<ConverseBlock<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: ConverseText<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ConverseReasoning<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_text: Option<ConverseReasoningText<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) redacted_content: ConverseText<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ConverseReasoningText<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) text: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signature: ConverseText<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ConverseCited<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) content: Vec<ConversePlain<'a>>,
    #[serde(deserialize_with = "or_default")]
    pub(super) citations: Vec<ConverseCitation<'a>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ConversePlain<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) text: Cow<'a, str>,
}

/// Where a text comes from; the same in answers and in streams.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ConverseCitation<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: ConverseText<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: ConverseText<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source_content: Option<Vec<ConversePlain<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) location: Option<ConverseLocation<'a>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ConverseLocation<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) web: Option<ConverseWeb<'a>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ConverseWeb<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) url: ConverseText<'a>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ConverseInference<'a> {
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
pub(super) struct ConverseToolConfig<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) tools: Vec<ConverseTool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_choice: Option<ConverseToolChoice<'a>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ConverseTool<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_spec: Option<ConverseToolSpec<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_point: Option<ConverseCachePoint<'a>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ConverseToolSpec<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: ConverseText<'a>,
    #[serde(deserialize_with = "or_default")]
    pub(super) input_schema: ConverseSchema,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) strict: Option<bool>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ConverseSchema {
    pub(super) json: Option<Json>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ConverseToolChoice<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) auto: Option<ConverseNothing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) any: Option<ConverseNothing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool: Option<ConverseNamed<'a>>,
}

/// `{}`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct ConverseNothing {}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ConverseNamed<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) name: Cow<'a, str>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ConverseOutputConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text_format: Option<ConverseTextFormat<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) effort: ConverseText<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ConverseTextFormat<'a> {
    #[serde(rename = "type")]
    #[serde(deserialize_with = "or_default")]
    pub(super) kind: Cow<'a, str>,
    #[serde(deserialize_with = "or_default")]
    pub(super) structure: ConverseStructure<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ConverseStructure<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) json_schema: ConverseNamedSchema<'a>,
}

/// The schema is a text in a text.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ConverseNamedSchema<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) schema: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: ConverseText<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: ConverseText<'a>,
}

/// What makers of models take beside what all have.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ConverseExtra<'a> {
    /// Anthropic's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thinking: Option<ConverseThinking<'a>>,
    /// Anthropic's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_k: Option<u64>,
    /// `OpenAI`'s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_effort: ConverseText<'a>,
    /// Amazon's.
    #[serde(rename = "reasoningConfig", skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_config: Option<ConverseReasoningConfig<'a>>,
    /// Amazon's.
    #[serde(rename = "inferenceConfig", skip_serializing_if = "Option::is_none")]
    pub(super) inference_config: Option<ConverseTopK>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ConverseThinking<'a> {
    #[serde(rename = "type")]
    #[serde(deserialize_with = "or_default")]
    pub(super) kind: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) budget_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) display: ConverseText<'a>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ConverseReasoningConfig<'a> {
    #[serde(rename = "type")]
    #[serde(deserialize_with = "or_default")]
    pub(super) kind: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_reasoning_effort: ConverseText<'a>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ConverseTopK {
    #[serde(deserialize_with = "or_default")]
    pub(super) top_k: u64,
}

/// A whole answer.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ConverseAnswer<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) output: ConverseOutput<'a>,
    pub(super) stop_reason: ConverseText<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) metrics: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) service_tier: Option<ConverseTyped<'a>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ConverseOutput<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) message: ConverseMessage<'a>,
}
