//! Reads a request into the neutral form.

use std::collections::{HashMap, HashSet, VecDeque};

use serde_json::value::RawValue;

use super::parts::{SeenPart, each_of, fields, sign};
use super::{config, schema, text};
use crate::dialect::neutral::{
    ChatRequest, Json, Part, Role, Thought, Tool, ToolCall, ToolChoice, ToolResult, Turn,
};
use crate::dialect::walk::Walk;
use crate::dialect::{BadBody, Head};
use crate::json;

const CONTENTS: &str = "contents";
const TOOLS: &str = "tools";

/// Calls by the names of their functions: results without an id answer those of their name in order.
#[derive(Debug, Default)]
struct Calls {
    made: u64,
    waiting: HashMap<String, VecDeque<String>>,
    answered: HashSet<String>,
}

impl Calls {
    fn call(&mut self, id: &str, name: &str) -> String {
        let id = if id.is_empty() {
            format!("call_{}", self.made)
        } else {
            id.to_owned()
        };
        self.made += 1;
        self.waiting
            .entry(name.to_owned())
            .or_default()
            .push_back(id.clone());
        id
    }

    fn result(&mut self, id: &str, name: &str) -> String {
        if !id.is_empty() {
            self.answered.insert(id.to_owned());
            return id.to_owned();
        }
        let waiting = self.waiting.entry(name.to_owned()).or_default();
        while let Some(id) = waiting.pop_front() {
            if !self.answered.contains(&id) {
                return id;
            }
        }
        self.made += 1;
        format!("call_{}", self.made - 1)
    }
}

/// Fields that are read when all others are known.
#[derive(Debug, Default)]
struct Later<'a> {
    contents: Option<&'a RawValue>,
    choice: Option<&'a RawValue>,
}

/// The request in neutral terms.
pub(super) fn read(head: &Head, body: &[u8]) -> Result<ChatRequest, BadBody> {
    let mut request = ChatRequest {
        stream: head.stream.unwrap_or(false),
        ..ChatRequest::default()
    };
    let (mut later, mut bad) = (Later::default(), None);
    let read = json::each_field(body, |name, value| {
        if bad.is_none() {
            bad = field(name, value, &mut request, &mut later).err();
        }
        Ok(())
    });
    read.map_err(|error| BadBody::whole(error.to_string()))?;
    bad.map_or(Ok(()), Err)?;
    if let Some(choice) = later.choice {
        choose(choice.get(), &mut request)?;
    }
    request.turns = turns(later.contents.map(RawValue::get).unwrap_or_default())?;
    if request.turns.is_empty() {
        return Err(BadBody::of(
            CONTENTS,
            "`contents` must hold at least one content.",
        ));
    }
    Ok(request)
}

fn field<'a>(
    name: &str,
    value: &'a RawValue,
    request: &mut ChatRequest,
    later: &mut Later<'a>,
) -> Result<(), BadBody> {
    match name {
        "contents" => later.contents = Some(value),
        "systemInstruction" | "system_instruction" => {
            let mut calls = Calls::default();
            request.instructions = content(value.get().as_bytes(), &mut calls)?.1;
        }
        "tools" => request.tools = tools(value.get())?,
        "toolConfig" | "tool_config" => later.choice = Some(value),
        "generationConfig" | "generation_config" => config::read(value, request)?,
        "serviceTier" | "service_tier" => {
            let word = text::of_value(value.get().as_bytes()).map(|word| word.to_ascii_lowercase());
            request.tier = word.filter(|word| !word.is_empty() && word != "unspecified");
        }
        // The path says it.
        "model" => {}
        _ => config::unsaid(name, value, request),
    }
    Ok(())
}

/// A content's role, where it has one, and its parts.
fn content(value: &[u8], calls: &mut Calls) -> Result<(Option<String>, Vec<Part>), BadBody> {
    let (mut role, mut list) = (None, None);
    // A text alone is what official clients make a content of, and some send as it is.
    if let Some(words) = text::of_value(value) {
        return Ok((None, vec![Part::text(words)]));
    }
    fields(value, |name, value| match name {
        b"role" => role = text::of_value(value).map(std::borrow::Cow::into_owned),
        b"parts" => list = Some(value),
        _ => {}
    });
    let (mut parts, mut bad) = (Vec::new(), None);
    if let Some(list) = list {
        each_of(&mut Walk::new(list), |walk| {
            let seen = SeenPart::read(walk)?;
            bad = part(&seen, calls, &mut parts).err();
            bad.is_none().then_some(())
        });
    }
    bad.map_or(Ok((role, parts)), Err)
}

fn turns(contents: &str) -> Result<Vec<Turn>, BadBody> {
    let (mut turns, mut bad) = (Vec::new(), None);
    let mut calls = Calls::default();
    let mut walk = Walk::new(contents.as_bytes());
    each_of(&mut walk, |walk| {
        match turn(walk.value()?, &mut calls) {
            Ok(Some(turn)) => turns.push(turn),
            Ok(None) => {}
            Err(found) => bad = Some(found),
        }
        bad.is_none().then_some(())
    });
    bad.map_or(Ok(turns), Err)
}

fn turn(value: &[u8], calls: &mut Calls) -> Result<Option<Turn>, BadBody> {
    let (role, parts) = content(value, calls)?;
    let role = match role.as_deref() {
        None | Some("" | "user" | "function" | "tool") => Role::User,
        Some("model") => Role::Assistant,
        Some(_) => {
            let message = "A content's `role` must be `user` or `model`; instructions go into \
                           `systemInstruction`.";
            return Err(BadBody::of(CONTENTS, message));
        }
    };
    Ok((!parts.is_empty()).then_some(Turn { role, parts }))
}

fn part(seen: &SeenPart<'_>, calls: &mut Calls, parts: &mut Vec<Part>) -> Result<(), BadBody> {
    let signature = seen.signature();
    if let Some(call) = seen.call() {
        parts.push(Part::ToolCall(ToolCall {
            id: calls.call(&call.id, &call.name),
            name: call.name.into_owned(),
            arguments: call.arguments.into_owned(),
            signature,
            cache: None,
        }));
        return Ok(());
    }
    let words = seen.text.map(text::read);
    let has_text = words.is_some();
    let words = words.filter(|words| !words.is_empty());
    if seen.is_thought {
        if let Some(words) = words {
            parts.push(Part::Thought(Thought {
                text: words.into_owned(),
                signature: None,
            }));
        }
        if let Some(signature) = signature {
            sign(parts, signature);
        }
        return Ok(());
    }
    let is_signed = signature.is_some();
    if let Some(signature) = signature {
        sign(parts, signature);
    }
    let before = parts.len();
    parts.extend(words.map(Part::text));
    parts.extend(seen.code().map(Part::text));
    parts.extend(seen.media().map(Part::Media));
    if let Some(raw) = seen.result {
        parts.push(Part::ToolResult(result(raw, calls)));
    }
    if parts.len() == before && !has_text && !is_signed {
        let message = "A part of `contents` holds nothing that this model's provider can take: neither text, \
                       media nor a function's call or answer.";
        return Err(BadBody::of(CONTENTS, message));
    }
    Ok(())
}

/// What a function answered. `output` and `error` are Google's words for what it did and what failed; an
/// object of anything else is the answer itself.
fn result(raw: &[u8], calls: &mut Calls) -> ToolResult {
    let (mut id, mut name, mut response, mut media) = (None, None, None, Vec::new());
    fields(raw, |field, value| match field {
        b"id" => id = text::of_value(value),
        b"name" => name = text::of_value(value),
        b"response" => response = Some(value),
        b"parts" => {
            each_of(&mut Walk::new(value), |walk| {
                media.extend(SeenPart::read(walk)?.media().map(Part::Media));
                Some(())
            });
        }
        _ => {}
    });
    let name = name.unwrap_or_default();
    let response = response.unwrap_or(b"{}");
    let (mut count, mut only) = (0_u32, None);
    fields(response, |name, value| {
        count += 1;
        only = Some((name, text::of_value(value)));
    });
    let (words, is_error) = match only {
        Some((b"output", Some(words))) if count == 1 => (Some(words), false),
        Some((b"error", Some(words))) if count == 1 => (Some(words), true),
        _ if count == 0 => (None, false),
        _ => (Some(String::from_utf8_lossy(response)), false),
    };
    let words = words.filter(|words| !words.is_empty());
    ToolResult {
        id: calls.result(&id.unwrap_or_default(), &name),
        name: (!name.is_empty()).then(|| name.into_owned()),
        parts: words.map(Part::text).into_iter().chain(media).collect(),
        is_error,
        cache: None,
    }
}

fn tools(list: &str) -> Result<Vec<Tool>, BadBody> {
    let (mut tools, mut is_good) = (Vec::new(), true);
    let mut walk = Walk::new(list.as_bytes());
    each_of(&mut walk, |walk| {
        fields(walk.value()?, |name, value| match name {
            b"functionDeclarations" | b"function_declarations" => {
                each_of(&mut Walk::new(value), |walk| {
                    let tool = tool(walk.value()?);
                    is_good &= tool.is_some();
                    tools.extend(tool);
                    Some(())
                });
            }
            _ => is_good &= value == b"null",
        });
        Some(())
    });
    if is_good {
        return Ok(tools);
    }
    let message =
        "This model's provider takes functions with names and schemas, and no other tools.";
    Err(BadBody::of(TOOLS, message))
}

fn tool(declared: &[u8]) -> Option<Tool> {
    let mut tool = Tool {
        name: String::new(),
        description: None,
        parameters: None,
        strict: None,
        cache: None,
    };
    let mut is_good = true;
    fields(declared, |name, value| {
        let raw = || std::str::from_utf8(value).ok().filter(|raw| *raw != "null");
        match name {
            b"name" => tool.name = text::of_value(value).unwrap_or_default().into_owned(),
            b"description" => {
                tool.description = text::of_value(value).map(std::borrow::Cow::into_owned);
            }
            b"parameters" => {
                if let Some(raw) = raw() {
                    tool.parameters = schema::json_schema(raw);
                    is_good &= tool.parameters.is_some();
                }
            }
            b"parametersJsonSchema" | b"parameters_json_schema" => {
                if let Some(raw) = raw() {
                    tool.parameters = Json::of(raw);
                }
            }
            _ => {}
        }
    });
    (is_good && !tool.name.is_empty()).then_some(tool)
}

/// `toolConfig`: which functions must be called. Where several may be and others not, those others are left
/// out.
fn choose(raw: &str, request: &mut ChatRequest) -> Result<(), BadBody> {
    let (mut mode, mut allowed) = (String::new(), Vec::<String>::new());
    fields(raw.as_bytes(), |name, value| {
        if !matches!(name, b"functionCallingConfig" | b"function_calling_config") {
            return;
        }
        fields(value, |name, value| match name {
            b"mode" => {
                mode = text::of_value(value)
                    .unwrap_or_default()
                    .to_ascii_uppercase();
            }
            b"allowedFunctionNames" | b"allowed_function_names" => {
                each_of(&mut Walk::new(value), |walk| {
                    allowed.extend(text::of_value(walk.value()?).map(std::borrow::Cow::into_owned));
                    Some(())
                });
            }
            _ => {}
        });
    });
    request.tool_choice = match mode.as_str() {
        "AUTO" | "VALIDATED" => Some(ToolChoice::Auto),
        "NONE" => Some(ToolChoice::None),
        "ANY" => Some(match &*allowed {
            [only] => ToolChoice::Function(only.clone()),
            _ => ToolChoice::Required,
        }),
        "" | "MODE_UNSPECIFIED" => None,
        _ => {
            let message =
                "`functionCallingConfig.mode` must be `AUTO`, `ANY`, `NONE` or `VALIDATED`.";
            return Err(BadBody::of("toolConfig", message));
        }
    };
    if matches!(mode.as_str(), "ANY" | "VALIDATED") && allowed.len() > 1
        || mode == "VALIDATED" && !allowed.is_empty()
    {
        let allowed: HashSet<&str> = allowed.iter().map(String::as_str).collect();
        request
            .tools
            .retain(|tool| allowed.contains(tool.name.as_str()));
    }
    Ok(())
}
