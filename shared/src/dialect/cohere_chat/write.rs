//! A chat as a request of Cohere's.

use std::borrow::Cow;

use super::answer::{item, of_call};
use super::wire::{
    CohereBody, CohereContent, CohereFormat, CohereFunction, CohereImage, CohereItem,
    CohereMessage, CohereThinking, CohereTool,
};
use crate::dialect::BadBody;
use crate::dialect::neutral::{
    ChatRequest, Effort, Format, Json, Media, MediaKind, Part, Role, Source, ToolChoice,
    ToolResult, Turn, WriteTo, Written,
};

/// Texts at which an answer ends, at most (API reference, "Chat").
const STOP_MAX: usize = 5;
/// Bounds of `p`; 1, which many clients send, is beyond.
const P: (f64, f64) = (0.01, 0.99);
const K_MAX: u64 = 500;

fn wrong(field: &'static str, message: &str) -> BadBody {
    BadBody::of(field, message)
}

/// The request in Cohere's words.
pub(super) fn write(request: &ChatRequest, to: WriteTo<'_>) -> Result<Written, BadBody> {
    if request.answers > 1 {
        let message = "The model's provider gives one answer to a request; leave `n` out.";
        return Err(wrong("n", message));
    }
    if request.stop.len() > STOP_MAX {
        let message = "The model's provider takes 5 texts in `stop` at most.";
        return Err(wrong("stop", message));
    }
    let mut dropped = request.unsaid.clone();
    let mut body = CohereBody {
        model: to.model.into(),
        messages: messages(request)?,
        max_tokens: request.output_max,
        response_format: format(request.format.as_ref()),
        thinking: thinking(request),
        stream: request.stream,
        ..CohereBody::default()
    };
    if body.messages.iter().all(|message| message.role == "system") {
        let message = "`messages` holds nothing that the model could answer.";
        return Err(wrong("messages", message));
    }
    if !request.stop.is_empty() {
        let texts = request.stop.iter().map(|text| Cow::from(text.as_str()));
        body.stop_sequences = Some(texts.collect());
    }
    tools(request, &mut body, &mut dropped)?;
    sample(request, &mut body, &mut dropped);
    let is_usual = |tier: &str| matches!(tier, "auto" | "default" | "standard" | "standard_only");
    for (is_there, name) in [
        (
            request.parallel_tool_calls == Some(false),
            "parallel_tool_calls",
        ),
        (request.cache_key.is_some(), "prompt_cache_key"),
        (request.end_user.is_some(), "user"),
        (
            request.tier.as_deref().is_some_and(|tier| !is_usual(tier)),
            "service_tier",
        ),
        (has_marks(request), "cache_control"),
    ] {
        if is_there {
            dropped.push(name.to_owned());
        }
    }
    dropped.sort_unstable();
    dropped.dedup();
    let json = serde_json::to_vec(&body)
        .map_err(|_| BadBody::whole("The request can't be written for the model's provider."))?;
    Ok(Written {
        body: json.into(),
        dropped,
    })
}

fn has_marks(request: &ChatRequest) -> bool {
    let in_turns = request.turns.iter().flat_map(|turn| &turn.parts);
    let mut parts = request.instructions.iter().chain(in_turns);
    let is_marked = |part: &Part| match part {
        Part::Text { cache, .. } => cache.is_some(),
        Part::Media(media) => media.cache.is_some(),
        Part::ToolCall(call) => call.cache.is_some(),
        Part::ToolResult(result) => result.cache.is_some(),
        Part::Refusal(_) | Part::Thought(_) => false,
    };
    parts.any(is_marked) || request.tools.iter().any(|tool| tool.cache.is_some())
}

fn format(format: Option<&Format>) -> Option<CohereFormat<'_>> {
    let json_schema = match format? {
        Format::Text => return None,
        Format::JsonObject => None,
        Format::JsonSchema { schema, .. } => Some(schema.clone()),
    };
    Some(CohereFormat {
        kind: "json_object".into(),
        json_schema,
    })
}

fn thinking(request: &ChatRequest) -> Option<CohereThinking<'_>> {
    let reasoning = request.reasoning.as_ref()?;
    if reasoning.effort == Some(Effort::None) {
        return Some(CohereThinking {
            kind: "disabled".into(),
            token_budget: None,
        });
    }
    // A part of the maximum; what is left of it is for the answer.
    let most = request.output_max.unwrap_or(u64::MAX);
    let of_effort = |effort: Effort| effort.budget().min(most / 5 * 4);
    let budget = reasoning.budget.or(reasoning.effort.map(of_effort))?;
    Some(CohereThinking {
        kind: "enabled".into(),
        token_budget: Some(budget),
    })
}

fn sample(request: &ChatRequest, body: &mut CohereBody<'_>, dropped: &mut Vec<String>) {
    let asked = &request.sampling;
    body.temperature = asked.temperature;
    body.p = asked.top_p.map(|p| p.clamp(P.0, P.1));
    body.k = asked.top_k.map(|k| k.min(K_MAX));
    body.seed = asked.seed.filter(|seed| *seed >= 0);
    // From 0 to 1 here.
    let penalty = |asked: Option<f64>| asked.map(|penalty| penalty.clamp(0.0, 1.0));
    body.frequency_penalty = penalty(asked.frequency_penalty);
    body.presence_penalty = penalty(asked.presence_penalty);
    for (is_other, name) in [
        (body.seed != asked.seed, "seed"),
        (
            body.frequency_penalty != asked.frequency_penalty,
            "frequency_penalty",
        ),
        (
            body.presence_penalty != asked.presence_penalty,
            "presence_penalty",
        ),
    ] {
        if is_other {
            dropped.push(name.to_owned());
        }
    }
}

fn tools<'a>(
    request: &'a ChatRequest,
    body: &mut CohereBody<'a>,
    dropped: &mut Vec<String>,
) -> Result<(), BadBody> {
    // One function alone can't be forced; but some one of those that are given can, and so only the one is
    // given.
    let only = match &request.tool_choice {
        Some(ToolChoice::Function(name)) => Some(name.as_str()),
        Some(ToolChoice::Auto | ToolChoice::None | ToolChoice::Required) | None => None,
    };
    let given = request.tools.iter();
    let given: Vec<_> = given
        .filter(|tool| only.is_none_or(|name| tool.name == name))
        .collect();
    if given.is_empty() {
        if only.is_some() || request.tool_choice == Some(ToolChoice::Required) {
            let message = "`tool_choice` forces a tool that is not among `tools`.";
            return Err(wrong("tool_choice", message));
        }
        return Ok(());
    }
    body.tool_choice = match &request.tool_choice {
        None | Some(ToolChoice::Auto) => None,
        Some(ToolChoice::None) => Some("NONE".into()),
        Some(ToolChoice::Required | ToolChoice::Function(_)) => Some("REQUIRED".into()),
    };
    let strict = given.iter().filter(|tool| tool.strict == Some(true));
    match strict.count() {
        0 => {}
        all if all == given.len() => body.strict_tools = Some(true),
        // It is for all tools or for none.
        _ => dropped.push("strict".to_owned()),
    }
    let tools = given.into_iter().map(|tool| CohereTool {
        kind: "function".into(),
        function: CohereFunction {
            name: tool.name.as_str().into(),
            description: tool.description.as_deref().map(Cow::from),
            parameters: tool
                .parameters
                .clone()
                .or_else(|| Json::of(r#"{"type":"object","properties":{}}"#)),
        },
    });
    body.tools = Some(tools.collect());
    Ok(())
}

fn messages(request: &ChatRequest) -> Result<Vec<CohereMessage<'_>>, BadBody> {
    let mut messages: Vec<CohereMessage<'_>> = Vec::new();
    let mut system = Vec::new();
    for part in &request.instructions {
        match part {
            Part::Text { text, .. } => system.push(item(text)),
            Part::Refusal(_)
            | Part::Media(_)
            | Part::Thought(_)
            | Part::ToolCall(_)
            | Part::ToolResult(_) => {
                let message = "The model's provider takes nothing but texts in instructions.";
                return Err(wrong("messages", message));
            }
        }
    }
    push(&mut messages, "system", system);
    for turn in &request.turns {
        match turn.role {
            Role::User => user(turn, &mut messages)?,
            Role::Assistant => assistant(turn, &mut messages)?,
        }
    }
    Ok(messages)
}

/// Adds items to the last message, where it is of the same role, else as one of their own.
fn push<'a>(
    messages: &mut Vec<CohereMessage<'a>>,
    role: &'static str,
    mut items: Vec<CohereItem<'a>>,
) {
    if items.is_empty() {
        return;
    }
    if let Some(last) = messages.last_mut().filter(|last| last.role == role)
        && let Some(CohereContent::Items(before)) = &mut last.content
    {
        before.append(&mut items);
        return;
    }
    messages.push(CohereMessage {
        role: role.into(),
        content: Some(CohereContent::Items(items)),
        ..CohereMessage::default()
    });
}

fn user<'a>(turn: &'a Turn, messages: &mut Vec<CohereMessage<'a>>) -> Result<(), BadBody> {
    for part in &turn.parts {
        match part {
            Part::Text { text, .. } | Part::Refusal(text) => {
                if !text.is_empty() {
                    push(messages, "user", vec![item(text)]);
                }
            }
            Part::Media(media) => push(messages, "user", vec![medium(media)?]),
            Part::ToolResult(result) => messages.push(tool(result)?),
            Part::Thought(_) | Part::ToolCall(_) => {}
        }
    }
    Ok(())
}

fn medium(media: &Media) -> Result<CohereItem<'_>, BadBody> {
    match (media.kind, &media.source) {
        (MediaKind::Image, Source::Base64(bytes)) => {
            let media_type = media.media_type.as_deref().unwrap_or("image/png");
            let url = Cow::from(format!("data:{media_type};base64,{bytes}"));
            Ok(picture(media, url))
        }
        (MediaKind::Image, Source::Url(url)) => Ok(picture(media, url.as_str().into())),
        (MediaKind::Document, Source::Text(text)) => Ok(CohereItem {
            text: Some(media.as_text().unwrap_or(text.into())),
            ..item("")
        }),
        _ => {
            let message = "The model's provider takes texts and pictures alone, in base64 or at an \
                           address.";
            Err(wrong("messages", message))
        }
    }
}

fn picture<'a>(media: &'a Media, url: Cow<'a, str>) -> CohereItem<'a> {
    let detail = media.detail.as_deref().map(Cow::from);
    CohereItem {
        kind: "image_url".into(),
        image_url: Some(CohereImage { url, detail }),
        ..CohereItem::default()
    }
}

fn tool(result: &ToolResult) -> Result<CohereMessage<'_>, BadBody> {
    let mut items = Vec::new();
    for part in &result.parts {
        match part {
            Part::Text { text, .. } | Part::Refusal(text) => items.push(item(text)),
            Part::Media(_) => {
                let message = "The model's provider takes nothing but texts from tools.";
                return Err(wrong("messages", message));
            }
            Part::Thought(_) | Part::ToolCall(_) | Part::ToolResult(_) => {}
        }
    }
    // The dialect has no flag for it.
    if result.is_error {
        items.insert(0, item(ToolResult::FAILED));
    }
    if items.is_empty() {
        items.push(item(""));
    }
    Ok(CohereMessage {
        role: "tool".into(),
        content: Some(CohereContent::Items(items)),
        tool_call_id: Some(result.id.as_str().into()),
        ..CohereMessage::default()
    })
}

/// What the model said. Thoughts before calls are the plan that models here have for them; other thoughts
/// are of use to nobody but a provider that can prove them.
fn assistant<'a>(turn: &'a Turn, messages: &mut Vec<CohereMessage<'a>>) -> Result<(), BadBody> {
    let (mut items, mut calls, mut plan) = (Vec::new(), Vec::new(), String::new());
    for part in &turn.parts {
        match part {
            Part::Text { text, .. } | Part::Refusal(text) => {
                if !text.is_empty() {
                    items.push(item(text));
                }
            }
            Part::ToolCall(call) => calls.push(of_call(call)),
            Part::Thought(thought) if thought.signature.is_none() => plan.push_str(&thought.text),
            Part::Thought(_) | Part::ToolResult(_) => {}
            Part::Media(_) => {
                let message = "The model's provider takes pictures of the user alone, none that the \
                               model made.";
                return Err(wrong("messages", message));
            }
        }
    }
    if calls.is_empty() {
        push(messages, "assistant", items);
        return Ok(());
    }
    messages.push(CohereMessage {
        role: "assistant".into(),
        content: (!items.is_empty()).then_some(CohereContent::Items(items)),
        tool_calls: Some(calls),
        tool_plan: (!plan.is_empty()).then(|| plan.into()),
        ..CohereMessage::default()
    });
    Ok(())
}
