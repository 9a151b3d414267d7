//! A request in this format, by the rules of version 2023-06-01. What the API refuses that is no part of
//! the meaning is left out by name; what is one is refused.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::value::RawValue;

use super::blocks::{Block, CacheControl};
use super::write_parts::{self, Message};
use super::write_thinking::{self, Thinking};
use crate::dialect::BadBody;
use crate::dialect::anthropic_messages::models::Takes;
use crate::dialect::neutral::{
    ChatRequest, Format, Part, Tool, ToolChoice, Turn, WriteTo, Written,
};

/// A request must say how much may be written; where nobody says it, so much.
const OUTPUT_MAX: u64 = 4_096;

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    max_tokens: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<Block<'a>>,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<ToolWritten<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Choice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Thinking>,
    #[serde(skip_serializing_if = "OutputConfig::is_nothing")]
    output_config: OutputConfig<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
}

#[derive(Serialize)]
struct ToolWritten<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    input_schema: Cow<'a, RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<CacheControl>,
}

#[derive(Serialize)]
struct Choice<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disable_parallel_tool_use: Option<bool>,
}

#[derive(Serialize, Default)]
struct OutputConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<FormatWritten<'a>>,
}

impl OutputConfig<'_> {
    fn is_nothing(&self) -> bool {
        self.effort.is_none() && self.format.is_none()
    }
}

#[derive(Serialize)]
struct FormatWritten<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    schema: &'a RawValue,
}

#[derive(Serialize)]
struct Metadata<'a> {
    user_id: &'a str,
}

/// Writes a request.
pub(super) fn write(request: &ChatRequest, to: WriteTo<'_>) -> Result<Written, BadBody> {
    if request.answers > 1 {
        let message = "This model's provider gives one answer to a request; `n` must be 1.";
        return Err(BadBody::of("n", message));
    }
    let mut dropped = request.unsaid.clone();
    let takes = Takes::of(to.model);
    let max_tokens = request.output_max.or(to.output_max).unwrap_or(OUTPUT_MAX);
    let (thinking, effort) = write_thinking::thinking(request, takes, max_tokens, &mut dropped);
    let [temperature, top_p] =
        write_thinking::sampling(request, takes, thinking.as_ref(), &mut dropped);
    let top_k = request.sampling.top_k.filter(|_| {
        let fits = takes.sampling && !write_thinking::thinks(thinking.as_ref());
        note(&mut dropped, "top_k", !fits);
        fits
    });
    let (tools, tool_choice) = tools(request)?;
    let written = Request {
        model: to.model,
        max_tokens,
        system: write_parts::instructions(&request.instructions)?,
        messages: write_parts::messages(&request.turns)?,
        tools,
        tool_choice,
        thinking,
        output_config: OutputConfig {
            effort,
            format: format(request)?,
        },
        temperature,
        top_p,
        top_k,
        stop_sequences: stop(request, &mut dropped),
        metadata: request
            .end_user
            .as_deref()
            .map(|user_id| Metadata { user_id }),
        service_tier: tier(request, &mut dropped),
        stream: request.stream,
    };
    unsaid(request, &mut dropped);
    let body = serde_json::to_vec(&written)
        .map_err(|error| BadBody::whole(format!("The request can't be written: {error}.")))?;
    Ok(Written {
        body: body.into(),
        dropped,
    })
}

/// Notes what is dropped, once.
pub(super) fn note(dropped: &mut Vec<String>, name: &str, is_dropped: bool) {
    if is_dropped && !dropped.iter().any(|known| known == name) {
        dropped.push(name.to_owned());
    }
}

/// What has no words here.
fn unsaid(request: &ChatRequest, dropped: &mut Vec<String>) {
    let sampling = &request.sampling;
    note(dropped, "seed", sampling.seed.is_some());
    let penalties = [
        ("frequency_penalty", sampling.frequency_penalty),
        ("presence_penalty", sampling.presence_penalty),
    ];
    for (name, penalty) in penalties {
        note(dropped, name, penalty.is_some_and(|penalty| penalty != 0.0));
    }
    note(dropped, "prompt_cache_key", request.cache_key.is_some());
}

fn stop<'a>(request: &'a ChatRequest, dropped: &mut Vec<String>) -> Vec<&'a str> {
    let texts = request.stop.iter().map(String::as_str);
    // Texts of blanks alone are refused.
    let (good, bad): (Vec<&str>, Vec<&str>) = texts.partition(|text| !text.trim().is_empty());
    note(dropped, "stop", !bad.is_empty());
    good
}

fn tier(request: &ChatRequest, dropped: &mut Vec<String>) -> Option<&'static str> {
    match request.tier.as_deref()? {
        "auto" => Some("auto"),
        "standard_only" | "standard" | "default" => Some("standard_only"),
        _ => {
            note(dropped, "service_tier", true);
            None
        }
    }
}

fn format(request: &ChatRequest) -> Result<Option<FormatWritten<'_>>, BadBody> {
    match &request.format {
        None | Some(Format::Text) => Ok(None),
        Some(Format::JsonSchema { schema, .. }) => {
            let schema = serde_json::from_str(schema.get())
                .map_err(|error| BadBody::of("response_format", error.to_string()))?;
            Ok(Some(FormatWritten {
                kind: "json_schema",
                schema,
            }))
        }
        Some(Format::JsonObject) => {
            let message = "This model's provider writes JSON by a schema only; use `json_schema` in place of \
                           `json_object`.";
            Err(BadBody::of("response_format", message))
        }
    }
}

/// The tools and which of them must be called.
fn tools(request: &ChatRequest) -> Result<(Vec<ToolWritten<'_>>, Option<Choice<'_>>), BadBody> {
    let choice = |kind, name, parallel: Option<bool>| Choice {
        kind,
        name,
        disable_parallel_tool_use: parallel.map(|is_on| !is_on),
    };
    if request.tools.is_empty() {
        if let Some(ToolChoice::Required | ToolChoice::Function(_)) = request.tool_choice {
            let message = "`tool_choice` wants a tool to be called, and there are no `tools`.";
            return Err(BadBody::of("tool_choice", message));
        }
        // Calls that were made before need tools that are known.
        let tools = called_before(&request.turns);
        let none = (!tools.is_empty()).then(|| choice("none", None, None));
        return Ok((tools, none));
    }
    let tools: Result<Vec<_>, BadBody> = request.tools.iter().map(tool).collect();
    let parallel = request.parallel_tool_calls;
    let choice = match &request.tool_choice {
        None => parallel.map(|_| choice("auto", None, parallel)),
        Some(ToolChoice::Auto) => Some(choice("auto", None, parallel)),
        Some(ToolChoice::None) => Some(choice("none", None, None)),
        Some(ToolChoice::Required) => Some(choice("any", None, parallel)),
        Some(ToolChoice::Function(name)) => Some(choice("tool", Some(name), parallel)),
    };
    Ok((tools?, choice))
}

fn tool(tool: &Tool) -> Result<ToolWritten<'_>, BadBody> {
    let wrong = |_| BadBody::of("tools", "A tool's parameters can't be written.");
    let schema = match &tool.parameters {
        None => Cow::Owned(RawValue::from_string(NO_PARAMETERS.to_owned()).map_err(wrong)?),
        Some(json) => schema(json.get()).map_err(wrong)?,
    };
    Ok(ToolWritten {
        name: &tool.name,
        description: tool.description.as_deref(),
        input_schema: schema,
        strict: tool.strict,
        cache_control: tool.cache.map(CacheControl::of),
    })
}

const NO_PARAMETERS: &str = "{\"type\":\"object\",\"properties\":{}}";

/// A schema of arguments, which must say that they are an object.
fn schema(json: &str) -> Result<Cow<'_, RawValue>, serde_json::Error> {
    let says_type = match crate::json::fields(json.as_bytes(), ["type"]) {
        Ok([kind]) => kind.is_some(),
        // No object at all is the provider's to refuse.
        Err(_) => true,
    };
    if says_type {
        return serde_json::from_str(json).map(Cow::Borrowed);
    }
    let inside = json.trim().strip_prefix('{').unwrap_or_default();
    let comma = if inside.trim_start().starts_with('}') {
        ""
    } else {
        ","
    };
    RawValue::from_string(format!("{{\"type\":\"object\"{comma}{inside}")).map(Cow::Owned)
}

/// Functions that were called in the conversation, by their names alone.
fn called_before(turns: &[Turn]) -> Vec<ToolWritten<'_>> {
    let parts = turns.iter().flat_map(|turn| &turn.parts);
    let names: BTreeSet<&str> = parts
        .filter_map(|part| match part {
            Part::ToolCall(call) => Some(call.name.as_str()),
            Part::Text { .. }
            | Part::Refusal(_)
            | Part::Media(_)
            | Part::Thought(_)
            | Part::ToolResult(_) => None,
        })
        .collect();
    let tool = |name| {
        let schema = RawValue::from_string(NO_PARAMETERS.to_owned()).ok()?;
        Some(ToolWritten {
            name,
            description: None,
            input_schema: Cow::Owned(schema),
            strict: None,
            cache_control: None,
        })
    };
    names.into_iter().filter_map(tool).collect()
}
