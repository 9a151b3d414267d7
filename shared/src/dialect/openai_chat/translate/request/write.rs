//! Writes a request for a provider that speaks this dialect, as plainly as can be: many servers speak a part
//! of it, and refuse what they don't know.

use super::super::out::JsonOut;
use super::super::target::{ModelTarget, name};
use super::write_messages;
use crate::dialect::fields::{SAFETY_IDENTIFIER, USER};
use crate::dialect::neutral::{
    ChatRequest, Effort, Format, Sampling, Tool, ToolChoice, WriteTo, Written,
};
use crate::dialect::openai::request::{MAX_COMPLETION_TOKENS, MAX_TOKENS, USER_ID};
use crate::dialect::openai::strict;
use crate::dialect::{BadBody, EndUserField, Maximum};

/// Writes a request.
pub(in super::super) fn write(request: &ChatRequest, to: WriteTo<'_>) -> Result<Written, BadBody> {
    request.has_what_it_forces()?;
    let target = ModelTarget::of(to.model);
    let mut dropped = request.unsaid.clone();
    let mut out = Vec::with_capacity(1_024);
    out.open(b'{').key("model").text(to.model);
    let has_marks = write_messages::write(&mut out, request, target)?;
    if has_marks && !target.takes_cache_marks() {
        dropped.push("cache_control".to_owned());
    }
    if strict::is_weakened(request) {
        dropped.push("strict".to_owned());
    }
    tools(&mut out, request, target);
    if let Some(most) = request.output_max {
        let name = match to.quirks.maximum {
            Maximum::AsAsked | Maximum::MaxTokens => MAX_TOKENS,
            Maximum::MaxCompletionTokens => MAX_COMPLETION_TOKENS,
        };
        out.key(name).plain(most);
    }
    sampling(&mut out, &request.sampling, target, &mut dropped);
    if !request.stop.is_empty() {
        out.key("stop").open(b'[');
        for text in &request.stop {
            out.text(text);
        }
        out.close(b']');
    }
    if request.answers > 1 {
        out.key("n").plain(request.answers);
    }
    format(&mut out, request.format.as_ref());
    reasoning(&mut out, request, &mut dropped);
    let field = to.quirks.end_user;
    advice(&mut out, request, (target, field), &mut dropped);
    if request.stream {
        out.key("stream").plain(true);
        if !to.quirks.no_usage_option {
            out.key("stream_options").raw(r#"{"include_usage":true}"#);
        }
    }
    out.close(b'}');
    Ok(Written {
        body: out.into(),
        dropped,
    })
}

fn tools(out: &mut Vec<u8>, request: &ChatRequest, target: ModelTarget) {
    // Without tools both are refused, and mean nothing.
    if request.tools.is_empty() {
        return;
    }
    out.key("tools").open(b'[');
    for tool in &request.tools {
        write_tool(out, tool, target);
    }
    out.close(b']');
    match &request.tool_choice {
        None => {}
        Some(ToolChoice::Auto) => {
            out.key("tool_choice").text("auto");
        }
        Some(ToolChoice::None) => {
            out.key("tool_choice").text("none");
        }
        Some(ToolChoice::Required) => {
            out.key("tool_choice").text("required");
        }
        Some(ToolChoice::Function(name)) => {
            out.key("tool_choice")
                .open(b'{')
                .key("type")
                .text("function");
            out.key("function").open(b'{').key("name").text(name);
            out.close(b'}').close(b'}');
        }
    }
    if let Some(parallel) = request.parallel_tool_calls {
        out.key("parallel_tool_calls").plain(parallel);
    }
}

fn write_tool(out: &mut Vec<u8>, tool: &Tool, target: ModelTarget) {
    out.open(b'{').key("type").text("function");
    out.key("function").open(b'{').key("name").text(&tool.name);
    if let Some(description) = &tool.description {
        out.key("description").text(description);
    }
    if let Some(parameters) = &tool.parameters {
        out.key("parameters").raw(parameters.get());
    }
    if let Some(strict) = strict::said(tool.strict, tool.parameters.as_ref()) {
        out.key("strict").plain(strict);
    }
    out.close(b'}');
    out.cache(tool.cache.filter(|_| target.takes_cache_marks()));
    out.close(b'}');
}

fn sampling(out: &mut Vec<u8>, said: &Sampling, target: ModelTarget, dropped: &mut Vec<String>) {
    let numbers = [
        ("temperature", said.temperature),
        ("top_p", said.top_p),
        ("frequency_penalty", said.frequency_penalty),
        ("presence_penalty", said.presence_penalty),
    ];
    for (name, number) in numbers {
        if let Some(number) = number.filter(|number| number.is_finite()) {
            out.key(name).plain(number);
        }
    }
    if let Some(seed) = said.seed {
        out.key("seed").plain(seed);
    }
    match said.top_k {
        Some(top_k) if target.takes_top_k() => {
            out.key("top_k").plain(top_k);
        }
        Some(_) => dropped.push("top_k".to_owned()),
        None => {}
    }
}

fn format(out: &mut Vec<u8>, format: Option<&Format>) {
    let Some(format) = format else {
        return;
    };
    out.key("response_format").open(b'{').key("type");
    match format {
        Format::Text => {
            out.text("text");
        }
        Format::JsonObject => {
            out.text("json_object");
        }
        Format::JsonSchema {
            name,
            description,
            schema,
            strict,
        } => {
            out.text("json_schema").key("json_schema").open(b'{');
            out.key("name").text(name);
            if let Some(description) = description {
                out.key("description").text(description);
            }
            out.key("schema").raw(schema.get());
            if let Some(strict) = strict::said(*strict, Some(schema)) {
                out.key("strict").plain(strict);
            }
            out.close(b'}');
        }
    }
    out.close(b'}');
}

/// In OpenAI's words, which most others know; what counts in tokens becomes the word for about as many.
fn reasoning(out: &mut Vec<u8>, request: &ChatRequest, dropped: &mut Vec<String>) {
    let Some(reasoning) = &request.reasoning else {
        return;
    };
    let effort = reasoning
        .effort
        .or_else(|| reasoning.budget.map(Effort::of_budget));
    if let Some(effort) = effort {
        out.key("reasoning_effort").text(effort.word());
    }
    if reasoning.shows == Some(false) {
        dropped.push("reasoning.exclude".to_owned());
    }
}

/// What changes nothing of what is answered.
fn advice(
    out: &mut Vec<u8>,
    request: &ChatRequest,
    (target, field): (ModelTarget, EndUserField),
    dropped: &mut Vec<String>,
) {
    if let Some(user) = &request.end_user {
        let key = match field {
            EndUserField::OfDialect => Some(USER),
            EndUserField::SafetyIdentifier => Some(SAFETY_IDENTIFIER),
            EndUserField::UserId => Some(USER_ID),
            EndUserField::Nowhere => None,
        };
        match key {
            Some(key) => {
                out.key(key).text(&name(user));
            }
            None => dropped.push(USER.to_owned()),
        }
    }
    match &request.cache_key {
        Some(key) if target.takes_cache_key() => {
            out.key("prompt_cache_key").text(&name(key));
        }
        Some(_) => dropped.push("prompt_cache_key".to_owned()),
        None => {}
    }
    match request.tier.as_deref() {
        Some(tier @ ("default" | "flex" | "priority")) => {
            out.key("service_tier").text(tier);
        }
        // What is so anyhow, and Anthropic's word for the same.
        None | Some("auto" | "standard" | "standard_only") => {}
        Some(_) => dropped.push("service_tier".to_owned()),
    }
}
