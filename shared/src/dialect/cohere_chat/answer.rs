//! Whole answers of Cohere's chat, and the words that streams share with them.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::{Value, json};

use super::wire::{
    CohereAnswer, CohereCalled, CohereCitation, CohereContent, CohereItem, CohereMessage,
    CohereSource, CohereToolCall,
};
use crate::dialect::neutral::{
    AnswerShown, Candidate, ChatAnswer, Citation, Json, Part, Stop, Thought, ToolCall,
};
use crate::fault::{Fault, FaultKind};
use crate::units::{Unit, Usage};

/// Why it ends; the words of the first version of the chat too.
pub(super) fn stop_of(word: &str) -> Stop {
    match word {
        "TOOL_CALL" => Stop::ToolCalls,
        "MAX_TOKENS" => Stop::MaxTokens,
        "STOP_SEQUENCE" => Stop::StopText(None),
        "ERROR_LIMIT" => Stop::ContextFull,
        "ERROR_TOXIC" => Stop::Refused(None),
        _ => Stop::End,
    }
}

/// Cohere's word for why it ends.
pub(super) fn stop_word(stop: &Stop) -> &'static str {
    match stop {
        Stop::End | Stop::Paused => "COMPLETE",
        Stop::MaxTokens => "MAX_TOKENS",
        Stop::ContextFull => "ERROR_LIMIT",
        Stop::StopText(_) => "STOP_SEQUENCE",
        Stop::ToolCalls => "TOOL_CALL",
        Stop::Refused(_) => "ERROR_TOXIC",
    }
}

/// The first of its sources with an address.
pub(super) fn citation(told: &CohereCitation<'_>) -> Option<Citation> {
    let sources = told.sources.iter();
    let mut objects = sources.filter_map(|source| {
        let of_tool = source.tool_output.as_ref();
        source.document.as_ref().or(of_tool)
    });
    objects.find_map(|object| {
        let field = |name: &str| object.get(name).and_then(Value::as_str);
        let url = field("url")?;
        let is_address = url.starts_with("http://") || url.starts_with("https://");
        is_address.then(|| Citation {
            url: url.to_owned(),
            title: field("title").map(str::to_owned),
            quote: field("snippet").or(field("text")).map(str::to_owned),
        })
    })
}

/// The same in Cohere's words.
pub(super) fn of_citation(citation: &Citation) -> CohereCitation<'_> {
    let mut document = json!({"url": citation.url});
    for (name, value) in [("title", &citation.title), ("snippet", &citation.quote)] {
        if let Some(text) = value {
            document[name] = text.as_str().into();
        }
    }
    CohereCitation {
        sources: vec![CohereSource {
            kind: "document".to_owned(),
            document: Some(document),
            tool_output: None,
        }],
        ..CohereCitation::default()
    }
}

/// A message of the model as parts, in the order in which it was thought, said and called.
pub(super) fn parts(message: CohereMessage<'_>) -> Vec<Part> {
    let mut parts = Vec::new();
    let thought = |text: String| {
        Part::Thought(Thought {
            text,
            signature: None,
        })
    };
    match message.content {
        Some(CohereContent::Text(text)) if !text.is_empty() => parts.push(Part::text(text)),
        Some(CohereContent::Items(items)) => {
            for item in items {
                if let Some(text) = item.thinking {
                    parts.push(thought(text.into_owned()));
                } else if let Some(text) = item.text {
                    parts.push(Part::text(text));
                }
            }
        }
        Some(CohereContent::Text(_)) | None => {}
    }
    // The plan is what thinking came to.
    if let Some(plan) = message.tool_plan.filter(|plan| !plan.is_empty()) {
        let is_thought = |part: &&Part| matches!(part, Part::Thought(_));
        let at = parts.iter().take_while(is_thought).count();
        parts.insert(at, thought(plan.into_owned()));
    }
    let found: Vec<Citation> = message
        .citations
        .unwrap_or_default()
        .iter()
        .filter_map(citation)
        .collect();
    let is_text = |part: &Part| matches!(part, Part::Text { .. });
    if let Some(at) = parts.iter().rposition(is_text)
        && let Some(Part::Text { citations, .. }) = parts.get_mut(at)
    {
        *citations = found;
    }
    for call in message.tool_calls.unwrap_or_default() {
        let arguments = match call.function.arguments {
            text if text.trim().is_empty() => "{}".to_owned(),
            text => text.into_owned(),
        };
        parts.push(Part::ToolCall(ToolCall {
            id: call.id.into_owned(),
            name: call.function.name.into_owned(),
            arguments,
            signature: None,
            cache: None,
        }));
    }
    parts
}

/// A whole answer.
pub(super) fn read(json: &[u8]) -> Result<ChatAnswer, Fault> {
    let answer: CohereAnswer<'_> = serde_json::from_slice(json).map_err(|error| {
        let why = format!("not an answer of Cohere's chat: {error}");
        Fault::new(FaultKind::InvalidAnswer, why)
    })?;
    Ok(ChatAnswer {
        id: answer.id.into_owned(),
        candidates: vec![Candidate {
            parts: parts(answer.message),
            stop: stop_of(&answer.finish_reason),
        }],
        tier: None,
    })
}

/// A call in Cohere's words.
pub(super) fn of_call(call: &ToolCall) -> CohereToolCall<'_> {
    CohereToolCall {
        id: call.id.as_str().into(),
        kind: "function".into(),
        function: CohereCalled {
            name: call.name.as_str().into(),
            arguments: match call.arguments.trim() {
                "" => "{}".into(),
                _ => call.arguments.as_str().into(),
            },
        },
    }
}

/// A text of an item's kind.
pub(super) fn item(text: &str) -> CohereItem<'_> {
    CohereItem {
        kind: "text".into(),
        text: Some(text.into()),
        ..CohereItem::default()
    }
}

/// A whole answer; of several the first.
pub(super) fn write(answer: &ChatAnswer, usage: &Usage, shown: &AnswerShown) -> Bytes {
    let first = answer.candidates.first();
    let (mut items, mut calls, mut citations) = (Vec::new(), Vec::new(), Vec::new());
    for part in first.map_or(&[][..], |candidate| &candidate.parts) {
        match part {
            Part::Text {
                text, citations: c, ..
            } => {
                items.push(item(text));
                citations.extend(c.iter().map(of_citation));
            }
            Part::Refusal(text) => items.push(item(text)),
            Part::Thought(thought) => items.push(CohereItem {
                kind: "thinking".into(),
                thinking: Some(thought.text.as_str().into()),
                ..CohereItem::default()
            }),
            Part::ToolCall(call) => calls.push(of_call(call)),
            // Cohere's models make texts alone.
            Part::Media(_) | Part::ToolResult(_) => {}
        }
    }
    let written = CohereAnswer {
        id: Cow::from(if answer.id.is_empty() {
            shown.id.as_str()
        } else {
            answer.id.as_str()
        }),
        message: CohereMessage {
            role: "assistant".into(),
            content: Some(CohereContent::Items(items)),
            tool_calls: (!calls.is_empty()).then_some(calls),
            citations: (!citations.is_empty()).then_some(citations),
            ..CohereMessage::default()
        },
        finish_reason: stop_word(first.map_or(&Stop::End, |c| &c.stop)).into(),
        usage: Json::of(usage_json(usage)),
    };
    // Texts alone always can be written.
    serde_json::to_vec(&written).unwrap_or_default().into()
}

/// The usage object.
pub(super) fn usage_json(usage: &Usage) -> String {
    let (input, output) = (usage.input_total(), usage.output_total());
    let cached = usage.count(Unit::CachedInputToken);
    let counts = format!("{{\"input_tokens\":{input},\"output_tokens\":{output}}}");
    format!("{{\"billed_units\":{counts},\"tokens\":{counts},\"cached_tokens\":{cached}}}")
}
