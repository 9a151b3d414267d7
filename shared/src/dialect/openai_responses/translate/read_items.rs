//! The items of a request's input.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::reader::custom_arguments;
use crate::dialect::BadBody;
use crate::dialect::neutral::{
    CacheMark, ChatRequest, Citation, Media, MediaKind, Part, Role, Signature, SignatureFormat,
    Source, Thought, ToolCall, ToolResult, Turn,
};

/// One item; which fields it has is told by its type.
#[derive(Deserialize)]
struct Item<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    role: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    summary: Option<&'a RawValue>,
    #[serde(default)]
    encrypted_content: Option<String>,
    #[serde(default)]
    call_id: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
    #[serde(default)]
    input: Option<String>,
    #[serde(borrow, default)]
    output: Option<&'a RawValue>,
}

/// A part of a message or of a result.
#[derive(Deserialize)]
struct Given<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    refusal: Option<String>,
    #[serde(borrow, default)]
    image_url: Option<&'a RawValue>,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    file_id: Option<String>,
    #[serde(default)]
    file_data: Option<String>,
    #[serde(default)]
    file_url: Option<String>,
    #[serde(default)]
    filename: Option<String>,
    #[serde(default)]
    input_audio: Option<Sound>,
    #[serde(default)]
    annotations: Option<Vec<Annotation>>,
    #[serde(default)]
    prompt_cache_breakpoint: Option<Breakpoint>,
}

#[derive(Deserialize)]
struct Sound {
    data: String,
    format: String,
}

#[derive(Deserialize)]
struct Annotation {
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    title: Option<String>,
}

#[derive(Deserialize)]
struct Breakpoint {
    #[serde(default)]
    ttl: Option<String>,
}

/// Where an item stands that can't be read, and why.
fn wrong(at: usize, why: &str) -> BadBody {
    BadBody::of("input", format!("`input[{at}]` can't be taken: {why}"))
}

/// Reads the input into the turns and, where the system speaks, the instructions.
pub(super) fn input(input: &RawValue, request: &mut ChatRequest) -> Result<(), BadBody> {
    if input.get().starts_with('"') {
        let text: String = serde_json::from_str(input.get()).map_err(|_| wrong(0, "no text."))?;
        push(request, Role::User, Part::text(text));
        return Ok(());
    }
    let items: Vec<&RawValue> = serde_json::from_str(input.get())
        .map_err(|_| BadBody::of("input", "`input` must be a text or an array of items."))?;
    let mut called = HashMap::new();
    for (at, raw) in items.iter().enumerate() {
        let item: Item<'_> =
            serde_json::from_str(raw.get()).map_err(|error| wrong(at, &format!("{error}.")))?;
        read(item, request, &mut called).map_err(|why| wrong(at, &why))?;
    }
    if request.turns.is_empty() && request.instructions.is_empty() {
        return Err(BadBody::of("input", "`input` says nothing."));
    }
    Ok(())
}

fn push(request: &mut ChatRequest, role: Role, part: Part) {
    match request.turns.last_mut() {
        Some(turn) if turn.role == role => turn.parts.push(part),
        Some(_) | None => request.turns.push(Turn {
            role,
            parts: vec![part],
        }),
    }
}

/// Names of functions by the ids of their calls.
type Called = HashMap<String, String>;

fn read(item: Item<'_>, request: &mut ChatRequest, called: &mut Called) -> Result<(), String> {
    let kind = match (&item.kind, &item.role) {
        (Some(kind), _) => kind.clone(),
        (None, Some(_)) => Cow::Borrowed("message"),
        (None, None) => return Err("it has neither `type` nor `role`.".to_owned()),
    };
    match &*kind {
        "message" => message(&item, request),
        "reasoning" => reasoning(item, request),
        "function_call" | "custom_tool_call" => call(item, request, called),
        "function_call_output" | "custom_tool_call_output" => result(item, request, called),
        "item_reference" => Err("what it refers to is not in the request.".to_owned()),
        other => Err(format!(
            "the provider of this model knows no items of the type `{}`.",
            other.chars().take(40).collect::<String>()
        )),
    }
}

fn message(item: &Item<'_>, request: &mut ChatRequest) -> Result<(), String> {
    let parts = parts(item.content)?;
    let role = match item.role.as_deref() {
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        Some("system" | "developer") => {
            let has_answer = |turn: &Turn| turn.role == Role::Assistant;
            if !request.turns.iter().any(has_answer) {
                request.instructions.extend(parts);
                return Ok(());
            }
            for part in parts {
                push(request, Role::User, part.told_late());
            }
            return Ok(());
        }
        _ => return Err("its `role` must be user, assistant, system or developer.".to_owned()),
    };
    for part in parts {
        push(request, role, part);
    }
    Ok(())
}

fn reasoning(item: Item<'_>, request: &mut ChatRequest) -> Result<(), String> {
    let list = |raw: Option<&RawValue>| -> Result<String, String> {
        let Some(raw) = raw.filter(|raw| raw.get() != "null") else {
            return Ok(String::new());
        };
        let parts: Vec<Given<'_>> =
            serde_json::from_str(raw.get()).map_err(|error| format!("{error}."))?;
        let texts: Vec<String> = parts.into_iter().filter_map(|part| part.text).collect();
        Ok(texts.join("\n\n"))
    };
    let mut text = list(item.summary)?;
    if text.is_empty() {
        text = list(item.content)?;
    }
    let home = Some(SignatureFormat::OpenAi);
    let proof = item.encrypted_content.filter(|proof| !proof.is_empty());
    let signature = proof.and_then(|proof| Signature::read_in(home, &proof));
    if !text.is_empty() || signature.is_some() {
        let thought = Part::Thought(Thought { text, signature });
        push(request, Role::Assistant, thought);
    }
    Ok(())
}

/// What proves the thought behind a call stands before it in an item of its own, since calls have no place
/// for it here.
fn proof_before(request: &mut ChatRequest) -> Option<Signature> {
    let turn = request.turns.last_mut()?;
    let is_proof = |part: &Part| {
        matches!(part, Part::Thought(Thought { text, signature: Some(signature) })
            if text.is_empty() && signature.format == SignatureFormat::Google)
    };
    if turn.role != Role::Assistant || !turn.parts.last().is_some_and(is_proof) {
        return None;
    }
    match turn.parts.pop() {
        Some(Part::Thought(thought)) => thought.signature,
        _ => None,
    }
}

fn call(item: Item<'_>, request: &mut ChatRequest, called: &mut Called) -> Result<(), String> {
    let (Some(id), Some(name)) = (item.call_id, item.name) else {
        return Err("a call needs `call_id` and `name`.".to_owned());
    };
    let arguments = if item.kind.as_deref() == Some("custom_tool_call") {
        custom_arguments(&item.input.unwrap_or_default())
    } else {
        match item.arguments.map(RawValue::get) {
            None | Some("null") => String::new(),
            Some(json) if json.starts_with('"') => {
                serde_json::from_str(json).map_err(|error| format!("{error}."))?
            }
            Some(json) => json.to_owned(),
        }
    };
    let signature = proof_before(request);
    called.insert(id.clone(), name.clone());
    let call = Part::ToolCall(ToolCall {
        id,
        name,
        arguments,
        signature,
        cache: None,
    });
    push(request, Role::Assistant, call);
    Ok(())
}

fn result(item: Item<'_>, request: &mut ChatRequest, called: &Called) -> Result<(), String> {
    let Some(id) = item.call_id.filter(|id| !id.is_empty()) else {
        return Err("a result needs the `call_id` of its call.".to_owned());
    };
    let result = Part::ToolResult(ToolResult {
        name: called.get(&id).cloned(),
        id,
        parts: parts(item.output)?,
        is_error: false,
        cache: None,
    });
    push(request, Role::User, result);
    Ok(())
}

/// A text, or a list of parts.
fn parts(content: Option<&RawValue>) -> Result<Vec<Part>, String> {
    let Some(raw) = content.filter(|raw| raw.get() != "null") else {
        return Ok(Vec::new());
    };
    if raw.get().starts_with('"') {
        let text: String = serde_json::from_str(raw.get()).map_err(|error| format!("{error}."))?;
        return Ok(vec![Part::text(text)]);
    }
    let given: Vec<Given<'_>> =
        serde_json::from_str(raw.get()).map_err(|error| format!("{error}."))?;
    given.into_iter().map(part).collect()
}

fn part(given: Given<'_>) -> Result<Part, String> {
    let cache = given.prompt_cache_breakpoint.as_ref().map(|mark| {
        if mark.ttl.as_deref() == Some("12h") {
            CacheMark::Long
        } else {
            CacheMark::Short
        }
    });
    match &*given.kind {
        "input_text" | "output_text" | "text" | "summary_text" => Ok(Part::Text {
            text: given.text.unwrap_or_default(),
            citations: citations(given.annotations),
            cache,
        }),
        "refusal" => Ok(Part::Refusal(given.refusal.unwrap_or_default())),
        "input_image" => image(given, cache).map(Part::Media),
        "input_file" => file(given, cache).map(Part::Media),
        "input_audio" => {
            let sound = given.input_audio.ok_or("`input_audio` is missing.")?;
            Ok(Part::Media(Media {
                kind: MediaKind::Audio,
                media_type: Some(format!("audio/{}", sound.format)),
                source: Source::Base64(sound.data),
                name: None,
                detail: None,
                cache,
            }))
        }
        other => Err(format!(
            "it holds a part of the type `{}`, which is not known.",
            other.chars().take(40).collect::<String>()
        )),
    }
}

fn citations(given: Option<Vec<Annotation>>) -> Vec<Citation> {
    let places = given.unwrap_or_default().into_iter();
    let cited = places.filter_map(|place| {
        Some(Citation {
            url: place.url.filter(|url| !url.is_empty())?,
            title: place.title.filter(|title| !title.is_empty()),
            quote: None,
        })
    });
    cited.collect()
}

/// An address, or the data that stand in it (RFC 2397) with their media type.
fn source(address: String) -> (Source, Option<String>) {
    let data = address.strip_prefix("data:").and_then(|rest| {
        let (kind, data) = rest.split_once(";base64,")?;
        let kind = kind.split(';').next().unwrap_or_default();
        let kind = Some(kind).filter(|kind| !kind.is_empty());
        Some((Source::Base64(data.to_owned()), kind.map(str::to_owned)))
    });
    data.unwrap_or((Source::Url(address), None))
}

fn image(given: Given<'_>, cache: Option<CacheMark>) -> Result<Media, String> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Address {
        Plain(String),
        Within { url: String },
    }
    let raw = given.image_url.filter(|raw| raw.get() != "null");
    let (source, media_type) = match (raw, given.file_id) {
        (Some(raw), _) => {
            let address = serde_json::from_str(raw.get());
            match address.map_err(|_| "`image_url` must be a text.")? {
                Address::Plain(url) | Address::Within { url } => source(url),
            }
        }
        (None, Some(id)) => (Source::Id(id), None),
        (None, None) => return Err("a picture needs `image_url`.".to_owned()),
    };
    Ok(Media {
        kind: MediaKind::Image,
        media_type,
        source,
        name: None,
        detail: given.detail,
        cache,
    })
}

fn file(given: Given<'_>, cache: Option<CacheMark>) -> Result<Media, String> {
    let (source, media_type) = match (given.file_data, given.file_url, given.file_id) {
        (Some(data), ..) => match source(data) {
            // Data without the beginning that says what they are.
            (Source::Url(data), _) => (Source::Base64(data), None),
            known => known,
        },
        (None, Some(url), _) => (Source::Url(url), None),
        (None, None, Some(id)) => (Source::Id(id), None),
        (None, None, None) => return Err("a file needs `file_data` or `file_url`.".to_owned()),
    };
    Ok(Media {
        kind: MediaKind::Document,
        media_type,
        source,
        name: given.filename,
        detail: given.detail,
        cache,
    })
}
