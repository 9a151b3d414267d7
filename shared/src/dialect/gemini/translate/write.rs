//! Writes a neutral request for Google.

use std::collections::HashMap;

use serde::Serialize;

use super::parts::{self, Parts};
use super::{config, signature, text};
use crate::dialect::BadBody;
use crate::dialect::neutral::{
    ChatRequest, Json, Part, Role, Signature, SignatureFormat, ToolChoice, ToolResult, Turn,
    WriteTo, Written,
};

const MESSAGES: &str = "messages";

/// The request as it is sent.
pub(super) fn request(request: &ChatRequest, to: WriteTo<'_>) -> Result<Written, BadBody> {
    request.has_what_it_forces()?;
    let mut dropped = request.unsaid.clone();
    let mut writing = Writing {
        wants_signatures: config::wants_signatures(to.model),
        names: HashMap::new(),
        has_cache_mark: false,
    };
    let mut out = b"{\"contents\":[".to_vec();
    writing.contents(&request.turns, &mut out)?;
    out.push(b']');
    if !request.instructions.is_empty() {
        out.extend_from_slice(b",\"systemInstruction\":{\"parts\":[");
        writing.instructions(&request.instructions, &mut out)?;
        out.extend_from_slice(b"]}");
    }
    tools(request, &mut dropped, &mut out)?;
    let config = config::written(request, to.model, &mut dropped);
    if config != "{}" {
        out.extend_from_slice(b",\"generationConfig\":");
        out.extend_from_slice(config.as_bytes());
    }
    if let Some(tier) = &request.tier {
        match tier.as_str() {
            "flex" | "priority" => service_tier(tier, &mut out),
            "standard" | "default" => service_tier("standard", &mut out),
            "auto" => {}
            _ => dropped.push("service_tier".to_owned()),
        }
    }
    out.push(b'}');
    let mut note = |is_there: bool, name: &str| {
        if is_there {
            dropped.push(name.to_owned());
        }
    };
    note(request.end_user.is_some(), "user");
    note(request.cache_key.is_some(), "prompt_cache_key");
    note(
        request.parallel_tool_calls == Some(false),
        "parallel_tool_calls",
    );
    note(
        writing.has_cache_mark || request.tools.iter().any(|tool| tool.cache.is_some()),
        "cache_control",
    );
    Ok(Written {
        body: out.into(),
        dropped,
    })
}

fn service_tier(tier: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"serviceTier\":");
    text::write(out, tier);
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Declaration<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters_json_schema: Option<&'a Json>,
}

fn tools(
    request: &ChatRequest,
    dropped: &mut Vec<String>,
    out: &mut Vec<u8>,
) -> Result<(), BadBody> {
    let must_call = matches!(
        request.tool_choice,
        Some(ToolChoice::Required | ToolChoice::Function(_))
    );
    if request.tools.is_empty() {
        if must_call {
            let message = "`tool_choice` asks for a function, and `tools` has none.";
            return Err(BadBody::of("tool_choice", message));
        }
        return Ok(());
    }
    if request.tools.iter().any(|tool| tool.strict == Some(true)) {
        dropped.push("strict".to_owned());
    }
    let declarations: Vec<Declaration<'_>> = request
        .tools
        .iter()
        .map(|tool| Declaration {
            name: &tool.name,
            description: tool.description.as_deref(),
            parameters_json_schema: tool.parameters.as_ref(),
        })
        .collect();
    out.extend_from_slice(b",\"tools\":[{\"functionDeclarations\":");
    // Writing to a Vec can't fail.
    let _ = serde_json::to_writer(&mut *out, &declarations);
    out.extend_from_slice(b"}]");
    let Some(choice) = &request.tool_choice else {
        return Ok(());
    };
    let mode = match choice {
        ToolChoice::Auto => "AUTO",
        ToolChoice::None => "NONE",
        ToolChoice::Required | ToolChoice::Function(_) => "ANY",
    };
    out.extend_from_slice(
        format!(",\"toolConfig\":{{\"functionCallingConfig\":{{\"mode\":\"{mode}\"").as_bytes(),
    );
    if let ToolChoice::Function(name) = choice {
        out.extend_from_slice(b",\"allowedFunctionNames\":[");
        text::write(out, name);
        out.push(b']');
    }
    out.extend_from_slice(b"}}");
    Ok(())
}

/// What is known while turns are written.
#[derive(Debug)]
struct Writing<'a> {
    wants_signatures: bool,
    /// Functions by the ids of their calls.
    names: HashMap<&'a str, &'a str>,
    has_cache_mark: bool,
}

fn of_google(signature: Option<&Signature>) -> Option<String> {
    let own = signature.filter(|signature| signature.format == SignatureFormat::Google);
    own.map(signature::written)
}

impl<'a> Writing<'a> {
    /// Neighbours of one role are one content.
    fn contents(&mut self, turns: &'a [Turn], out: &mut Vec<u8>) -> Result<(), BadBody> {
        let mut is_first = true;
        for group in turns.chunk_by(|one, other| one.role == other.role) {
            let mut content = Vec::new();
            let mut parts = Parts::new(&mut content);
            let mut calls = 0_u64;
            for part in group.iter().flat_map(|turn| &turn.parts) {
                self.part(part, &mut parts, &mut calls)?;
            }
            parts.flush();
            if !parts.has_any {
                continue;
            }
            let role = match group.first().map(|turn| turn.role) {
                Some(Role::Assistant) => "model",
                Some(Role::User) | None => "user",
            };
            out.extend_from_slice(if std::mem::take(&mut is_first) {
                b""
            } else {
                b","
            });
            out.extend_from_slice(format!("{{\"role\":\"{role}\",\"parts\":[").as_bytes());
            out.extend_from_slice(&content);
            out.extend_from_slice(b"]}");
        }
        if is_first {
            return Err(BadBody::of(
                MESSAGES,
                "`messages` must hold at least one that says something.",
            ));
        }
        Ok(())
    }

    fn instructions(&mut self, all: &'a [Part], out: &mut Vec<u8>) -> Result<(), BadBody> {
        let mut parts = Parts::new(out);
        for part in all {
            match part {
                Part::Text { text, cache, .. } => {
                    self.has_cache_mark |= cache.is_some();
                    parts.bare(|out| parts::write_text(text, out));
                }
                Part::Refusal(_) | Part::Thought(_) => {}
                Part::Media(_) | Part::ToolCall(_) | Part::ToolResult(_) => {
                    let message = "Instructions to this model must be text.";
                    return Err(BadBody::of(MESSAGES, message));
                }
            }
        }
        Ok(())
    }

    fn part(
        &mut self,
        part: &'a Part,
        parts: &mut Parts<'_>,
        calls: &mut u64,
    ) -> Result<(), BadBody> {
        match part {
            Part::Text { text, cache, .. } => {
                self.has_cache_mark |= cache.is_some();
                if !text.is_empty() {
                    parts.part(|out| parts::write_text(text, out));
                }
            }
            Part::Refusal(text) if text.is_empty() => {}
            Part::Refusal(text) => parts.part(|out| parts::write_text(text, out)),
            Part::Media(media) => {
                self.has_cache_mark |= media.cache.is_some();
                let mut written = Vec::new();
                if !parts::write_media(media, &mut written) {
                    return Err(unseen());
                }
                parts.part(|out| out.extend_from_slice(&written));
            }
            // What Google can't verify it does not read.
            Part::Thought(thought) => {
                if let Some(signature) = of_google(thought.signature.as_ref()) {
                    parts.thought(&thought.text, Some(signature));
                }
            }
            Part::ToolCall(call) => {
                self.has_cache_mark |= call.cache.is_some();
                self.names.insert(&call.id, &call.name);
                // Of calls at once the first one has it.
                let is_unsigned = *calls == 0 && self.wants_signatures && !parts.is_holding();
                let own = of_google(call.signature.as_ref());
                let own = own.or_else(|| is_unsigned.then(|| signature::UNSIGNED.to_owned()));
                *calls += 1;
                parts.call(call, own);
            }
            Part::ToolResult(result) => self.result(result, parts)?,
        }
        Ok(())
    }

    fn result(&mut self, result: &'a ToolResult, parts: &mut Parts<'_>) -> Result<(), BadBody> {
        self.has_cache_mark |= result.cache.is_some();
        let named = result
            .name
            .as_deref()
            .or_else(|| self.names.get(result.id.as_str()).copied());
        let Some(name) = named else {
            let message = "A tool's result answers no call before it; this model's provider needs the function's \
                           name.";
            return Err(BadBody::of(MESSAGES, message));
        };
        let (mut words, mut media) = (Vec::new(), Vec::new());
        for part in &result.parts {
            match part {
                Part::Text { text, .. } | Part::Refusal(text) => words.push(text.as_str()),
                Part::Media(one) => {
                    if !media.is_empty() {
                        media.push(b',');
                    }
                    media.push(b'{');
                    if !parts::write_media(one, &mut media) {
                        return Err(unseen());
                    }
                    media.push(b'}');
                }
                Part::Thought(_) | Part::ToolCall(_) | Part::ToolResult(_) => {}
            }
        }
        parts.bare(|out| {
            out.extend_from_slice(b"\"functionResponse\":{\"id\":");
            text::write(out, &result.id);
            out.extend_from_slice(b",\"name\":");
            text::write(out, name);
            out.extend_from_slice(b",\"response\":");
            response(&words.join("\n"), result.is_error, out);
            if !media.is_empty() {
                out.extend_from_slice(b",\"parts\":[");
                out.extend_from_slice(&media);
                out.push(b']');
            }
            out.push(b'}');
        });
        Ok(())
    }
}

fn unseen() -> BadBody {
    let message = "A file is given by an id that this model's provider does not know; send its data or its \
                   address.";
    BadBody::of(MESSAGES, message)
}

/// A function's answer as an object: itself where it is one, unless it would be taken for Google's words.
fn response(words: &str, is_error: bool, out: &mut Vec<u8>) {
    let is_object = !is_error && parts::is_object(words);
    let mut is_worded = false;
    parts::fields(words.as_bytes(), |name, _| {
        is_worded |= matches!(name, b"output" | b"error");
    });
    if is_object && !is_worded {
        out.extend_from_slice(words.as_bytes());
        return;
    }
    if words.is_empty() && !is_error {
        out.extend_from_slice(b"{}");
        return;
    }
    out.extend_from_slice(if is_error {
        b"{\"error\":"
    } else {
        b"{\"output\":"
    });
    text::write(out, words);
    out.push(b'}');
}
