//! A request of Cohere's chat as a chat. No tenant sends one: this is the other direction of `write`, for
//! those who play the provider.

use std::borrow::Cow;

use super::answer::parts;
use super::wire::{
    CohereBody, CohereContent, CohereFormat, CohereImage, CohereItem, CohereMessage, CohereTool,
    FIELDS,
};
use crate::dialect::neutral::{
    ChatRequest, Effort, Format, Media, MediaKind, Part, Reasoning, Role, Source, Tool, ToolChoice,
    ToolResult, Turn, unsaid,
};
use crate::dialect::{BadBody, Head};
use crate::json;

/// What schemas are called, which have no name here.
pub(super) const SCHEMA_NAME: &str = "answer";

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
    let body: CohereBody<'_> = serde_json::from_slice(body)
        .map_err(|error| wrong(format!("The body is no request of Cohere's chat: {error}")))?;
    for message in body.messages {
        take(message, &mut request)?;
    }
    request.stream = head.stream.unwrap_or(body.stream);
    request.output_max = body.max_tokens;
    let stop = body.stop_sequences.unwrap_or_default();
    request.stop = stop.into_iter().map(Cow::into_owned).collect();
    let sampling = &mut request.sampling;
    sampling.temperature = body.temperature;
    sampling.top_p = body.p;
    sampling.top_k = body.k;
    sampling.seed = body.seed;
    sampling.frequency_penalty = body.frequency_penalty;
    sampling.presence_penalty = body.presence_penalty;
    let strict = body.strict_tools.filter(|strict| *strict);
    let tools = body.tools.unwrap_or_default();
    request.tools = tools
        .into_iter()
        .map(|tool| function(tool, strict))
        .collect();
    request.tool_choice = match body.tool_choice.as_deref() {
        Some("REQUIRED") => Some(ToolChoice::Required),
        Some("NONE") => Some(ToolChoice::None),
        Some(_) | None => None,
    };
    request.format = body.response_format.map(format);
    request.reasoning = body.thinking.map(|thinking| Reasoning {
        effort: (thinking.kind == "disabled").then_some(Effort::None),
        budget: thinking.token_budget,
        shows: None,
    });
    Ok(request)
}

fn function(tool: CohereTool<'_>, strict: Option<bool>) -> Tool {
    Tool {
        name: tool.function.name.into_owned(),
        description: tool.function.description.map(Cow::into_owned),
        parameters: tool.function.parameters,
        strict,
        cache: None,
    }
}

fn format(format: CohereFormat<'_>) -> Format {
    match (format.kind.as_ref(), format.json_schema) {
        ("json_object", Some(schema)) => Format::JsonSchema {
            name: SCHEMA_NAME.to_owned(),
            description: None,
            schema,
            strict: None,
        },
        ("json_object", None) => Format::JsonObject,
        _ => Format::Text,
    }
}

fn take(message: CohereMessage<'_>, request: &mut ChatRequest) -> Result<(), BadBody> {
    let (role, parts) = match message.role.as_ref() {
        "system" => {
            request.instructions.extend(contents(message.content));
            return Ok(());
        }
        "user" => (Role::User, contents(message.content)),
        "assistant" => (Role::Assistant, parts(message)),
        "tool" => {
            let id = message.tool_call_id.unwrap_or_default().into_owned();
            let result = Part::ToolResult(ToolResult {
                id,
                name: None,
                parts: contents(message.content),
                is_error: false,
                cache: None,
            });
            (Role::User, vec![result])
        }
        other => {
            let message = format!("There is no role `{other}` in messages.");
            return Err(BadBody::of("messages", message));
        }
    };
    match request.turns.last_mut() {
        Some(last) if last.role == role => last.parts.extend(parts),
        _ => request.turns.push(Turn { role, parts }),
    }
    Ok(())
}

fn contents(content: Option<CohereContent<'_>>) -> Vec<Part> {
    match content {
        Some(CohereContent::Text(text)) => vec![Part::text(text)],
        Some(CohereContent::Items(items)) => items.into_iter().filter_map(part).collect(),
        None => Vec::new(),
    }
}

fn part(item: CohereItem<'_>) -> Option<Part> {
    if let Some(text) = item.text {
        return Some(Part::text(text));
    }
    if let Some(document) = item.document {
        let data = document.get("data").unwrap_or(&document);
        return Some(Part::text(data.to_string()));
    }
    item.image_url.map(|image| Part::Media(picture(image)))
}

/// A picture at its address, or as data in it (RFC 2397).
fn picture(image: CohereImage<'_>) -> Media {
    let data = image.url.strip_prefix("data:");
    let split = data.and_then(|data| data.split_once(";base64,"));
    let (media_type, source) = match split {
        Some((media_type, bytes)) => (
            Some(media_type.to_owned()),
            Source::Base64(bytes.to_owned()),
        ),
        None => (None, Source::Url(image.url.clone().into_owned())),
    };
    Media {
        kind: MediaKind::Image,
        media_type,
        source,
        name: None,
        detail: image.detail.map(Cow::into_owned),
        cache: None,
    }
}
