//! Whole answers.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::parts::{self, Parts, sign};
use super::reader::GeminiReader;
use super::{signature, writer};
use crate::dialect::gemini::events;
use crate::dialect::gemini::scan::GeminiScan;
use crate::dialect::neutral::{
    AnswerShown, Candidate, ChatAnswer, ChatEvent, Citation, Part, Stop, Thought, ToolCall,
};
use crate::fault::{Fault, FaultKind};
use crate::units::{Fact, Usage};

/// Reads a whole answer, which is a stream of one event.
pub(super) fn read(json: &[u8]) -> Result<ChatAnswer, Fault> {
    let json = json
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(json)
        .trim_ascii();
    let mut scan = GeminiScan::default();
    if !scan.read(json) || scan.candidates == 0 {
        let why = "the answer holds no candidates";
        return Err(Fault::new(FaultKind::InvalidAnswer, why));
    }
    let mut answer = ChatAnswer {
        tier: scan.tier().map(str::to_owned),
        ..ChatAnswer::default()
    };
    let mut found: BTreeMap<u32, Candidate> = BTreeMap::new();
    GeminiReader::default().json(json, &mut |event| match event {
        ChatEvent::Begin { id } => answer.id = id.into_owned(),
        ChatEvent::Text { answer, .. }
        | ChatEvent::Refusal { answer, .. }
        | ChatEvent::Thought { answer, .. }
        | ChatEvent::Signature { answer, .. }
        | ChatEvent::ToolCall { answer, .. }
        | ChatEvent::Arguments { answer, .. }
        | ChatEvent::Media { answer, .. }
        | ChatEvent::Citation { answer, .. }
        | ChatEvent::Stop { answer, .. } => {
            let one = found.entry(answer).or_insert_with(|| Candidate {
                parts: Vec::new(),
                stop: Stop::End,
            });
            take(one, event);
        }
    });
    answer.candidates = found.into_values().collect();
    if answer.candidates.is_empty() {
        // One that says nothing and tells no reason is one all the same.
        answer.candidates.push(Candidate {
            parts: Vec::new(),
            stop: Stop::End,
        });
    }
    Ok(answer)
}

fn take(one: &mut Candidate, event: ChatEvent<'_>) {
    let parts = &mut one.parts;
    match event {
        ChatEvent::Begin { .. } => {}
        ChatEvent::Text { text: more, .. } => match parts.last_mut() {
            Some(Part::Text { text, .. }) => text.push_str(&more),
            _ => parts.push(Part::text(more)),
        },
        ChatEvent::Refusal { text, .. } => parts.push(Part::Refusal(text.into_owned())),
        ChatEvent::Thought { text: more, .. } => match parts.last_mut() {
            Some(Part::Thought(thought)) if thought.signature.is_none() => {
                thought.text.push_str(&more);
            }
            _ => parts.push(Part::Thought(Thought {
                text: more.into_owned(),
                signature: None,
            })),
        },
        ChatEvent::Signature { signature, .. } => sign(parts, signature),
        ChatEvent::ToolCall {
            id,
            name,
            signature,
            ..
        } => parts.push(Part::ToolCall(ToolCall {
            id: id.into_owned(),
            name: name.into_owned(),
            arguments: String::new(),
            signature,
            cache: None,
        })),
        // A call's arguments come right behind it.
        ChatEvent::Arguments { json, .. } => {
            if let Some(Part::ToolCall(call)) = parts.last_mut() {
                call.arguments.push_str(&json);
            }
        }
        ChatEvent::Media { media, .. } => parts.push(Part::Media(*media)),
        ChatEvent::Citation { citation, .. } => {
            let is_text = |part: &&mut Part| matches!(part, Part::Text { .. });
            if let Some(Part::Text { citations, .. }) = parts.iter_mut().rev().find(is_text) {
                citations.push(*citation);
            }
        }
        ChatEvent::Stop { stop, .. } => one.stop = stop,
    }
}

/// Writes a whole answer.
pub(super) fn write(answer: &ChatAnswer, usage: &Usage, shown: &AnswerShown) -> Bytes {
    let mut out = b"{\"candidates\":[".to_vec();
    for (index, one) in (0_u32..).zip(&answer.candidates) {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"content\":{\"parts\":[");
        write_parts(&one.parts, &mut out);
        out.extend_from_slice(b"],\"role\":\"model\"}");
        let mut citations: Vec<&Citation> = Vec::new();
        for part in &one.parts {
            if let Part::Text { citations: own, .. } = part {
                citations.extend(own);
            }
        }
        writer::beside(index, &one.stop, &citations, &mut out);
        out.push(b'}');
    }
    let tier = answer
        .tier
        .as_deref()
        .or_else(|| usage.facts.get(Fact::Tier));
    let told = events::usage(usage, tier);
    out.extend_from_slice(format!("],\"usageMetadata\":{told}").as_bytes());
    writer::names(shown, &mut out);
    out.push(b'}');
    out.into()
}

fn write_parts(all: &[Part], out: &mut Vec<u8>) {
    let mut parts = Parts::new(out);
    for part in all {
        match part {
            Part::Text { text, .. } | Part::Refusal(text) if text.is_empty() => {}
            Part::Text { text, .. } | Part::Refusal(text) => {
                parts.part(|out| parts::write_text(text, out));
            }
            Part::Media(media) => {
                let mut written = Vec::new();
                if parts::write_media(media, &mut written) {
                    parts.part(|out| out.extend_from_slice(&written));
                }
            }
            Part::Thought(thought) => {
                parts.thought(
                    &thought.text,
                    thought.signature.as_ref().map(signature::written),
                );
            }
            Part::ToolCall(call) => {
                parts.call(call, call.signature.as_ref().map(signature::written));
            }
            // Never among an answer.
            Part::ToolResult(_) => {}
        }
    }
    parts.flush();
}
