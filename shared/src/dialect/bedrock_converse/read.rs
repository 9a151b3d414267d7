//! A request of Converse as a chat. No tenant sends one: this is the other direction of `write`, for those
//! who play the provider.

use std::borrow::Cow;

use super::answer::part_of;
use super::wire::{self, ConverseBlock, ConverseBody, ConverseToolConfig, FIELDS};
use super::write::END_USER;
use crate::dialect::neutral::{
    CacheMark, ChatRequest, Effort, Format, Json, Part, Reasoning, Role, Tool, ToolChoice,
    ToolResult, Turn, unsaid,
};
use crate::dialect::{BadBody, Head};
use crate::json;

/// What a schema is called that has no name.
const SCHEMA_NAME: &str = "answer";

/// The request as a chat.
pub(super) fn read(head: &Head, body: &[u8]) -> Result<ChatRequest, BadBody> {
    let wrong = |message: String| BadBody::whole(message);
    let mut request = ChatRequest::default();
    json::each_field(body, |name, _| {
        if !FIELDS.contains(&name) {
            unsaid::note(&mut request.unsaid, name);
        }
        Ok(())
    })
    .map_err(|error| wrong(error.to_string()))?;
    let body: ConverseBody<'_> = serde_json::from_slice(body)
        .map_err(|error| wrong(format!("The body is no request of Converse: {error}")))?;
    request.stream = head.stream.unwrap_or_default();
    request.instructions = parts(body.system.unwrap_or_default());
    for message in body.messages {
        let role = match message.role.as_ref() {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            other => {
                let message = format!("There is no role `{other}` in messages.");
                return Err(BadBody::of("messages", message));
            }
        };
        let parts = parts(message.content);
        request.turns.push(Turn { role, parts });
    }
    if let Some(config) = body.tool_config {
        tools(config, &mut request);
    }
    let inference = body.inference_config.unwrap_or_default();
    request.output_max = inference.max_tokens;
    request.sampling.temperature = inference.temperature;
    request.sampling.top_p = inference.top_p;
    let stop = inference.stop_sequences.unwrap_or_default();
    request.stop = stop.into_iter().map(Cow::into_owned).collect();
    let extra = body.additional_model_request_fields.unwrap_or_default();
    request.sampling.top_k = extra
        .top_k
        .or(extra.inference_config.as_ref().map(|config| config.top_k));
    let output = body.output_config.unwrap_or_default();
    request.reasoning = reasoning(&extra, output.effort.as_deref());
    request.format = output.text_format.map(format).transpose()?;
    request.tier = body.service_tier.map(|tier| tier.kind.into_owned());
    request.end_user = body
        .request_metadata
        .and_then(|mut metadata| metadata.remove(END_USER))
        .map(Cow::into_owned);
    Ok(request)
}

fn mark(point: &wire::ConverseCachePoint<'_>) -> CacheMark {
    if point.ttl.as_deref() == Some("1h") {
        CacheMark::Long
    } else {
        CacheMark::Short
    }
}

/// Blocks as parts; a point of the cache is a mark on the part before it.
fn parts(blocks: Vec<ConverseBlock<'_>>) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for mut block in blocks {
        if let Some(point) = &block.cache_point {
            let mark = Some(mark(point));
            match parts.last_mut() {
                Some(Part::Text { cache, .. }) => *cache = mark,
                Some(Part::Media(media)) => media.cache = mark,
                Some(Part::ToolCall(call)) => call.cache = mark,
                Some(Part::ToolResult(result)) => result.cache = mark,
                Some(Part::Refusal(_) | Part::Thought(_)) | None => {}
            }
            continue;
        }
        match block.tool_result.take() {
            Some(result) => parts.push(Part::ToolResult(tool_result(result))),
            None => parts.extend(part_of(block)),
        }
    }
    parts
}

fn tool_result(result: wire::ConverseToolResult<'_>) -> ToolResult {
    let part = |block: ConverseBlock<'_>| match &block.json {
        Some(json) => Some(Part::text(json.get())),
        None => part_of(block),
    };
    ToolResult {
        id: result.id.into_owned(),
        name: None,
        parts: result.content.into_iter().filter_map(part).collect(),
        is_error: result.status.as_deref() == Some("error"),
        cache: None,
    }
}

fn tools(config: ConverseToolConfig<'_>, request: &mut ChatRequest) {
    for tool in config.tools {
        if let (Some(point), Some(last)) = (&tool.cache_point, request.tools.last_mut()) {
            last.cache = Some(mark(point));
        }
        if let Some(spec) = tool.tool_spec {
            request.tools.push(Tool {
                name: spec.name.into_owned(),
                description: spec.description.map(Cow::into_owned),
                parameters: spec.input_schema.json,
                strict: spec.strict,
                cache: None,
            });
        }
    }
    request.tool_choice = config.tool_choice.and_then(|choice| {
        if let Some(tool) = choice.tool {
            return Some(ToolChoice::Function(tool.name.into_owned()));
        }
        let any = choice.any.map(|_| ToolChoice::Required);
        any.or_else(|| choice.auto.map(|_| ToolChoice::Auto))
    });
}

fn reasoning(extra: &wire::ConverseExtra<'_>, effort: Option<&str>) -> Option<Reasoning> {
    let mut reasoning = Reasoning {
        effort: effort
            .or(extra.reasoning_effort.as_deref())
            .and_then(Effort::from_word),
        ..Reasoning::default()
    };
    let mut is_off = false;
    if let Some(thinking) = &extra.thinking {
        is_off |= thinking.kind == "disabled";
        reasoning.budget = thinking.budget_tokens;
        reasoning.shows = thinking
            .display
            .as_deref()
            .map(|display| display != "omitted");
    }
    if let Some(config) = &extra.reasoning_config {
        is_off |= config.kind == "disabled";
        let word = config.max_reasoning_effort.as_deref();
        reasoning.effort = word.and_then(Effort::from_word).or(reasoning.effort);
    }
    if is_off {
        reasoning.effort = Some(Effort::None);
    }
    let is_told = extra.thinking.is_some() || reasoning != Reasoning::default();
    is_told.then_some(reasoning)
}

fn format(format: wire::ConverseTextFormat<'_>) -> Result<Format, BadBody> {
    let schema = format.structure.json_schema;
    let Some(json) = Json::of(schema.schema) else {
        let message = "`outputConfig` holds a schema that is no JSON.";
        return Err(BadBody::of("outputConfig", message));
    };
    Ok(Format::JsonSchema {
        name: schema
            .name
            .map_or_else(|| SCHEMA_NAME.to_owned(), Cow::into_owned),
        description: schema.description.map(Cow::into_owned),
        schema: json,
        strict: None,
    })
}
