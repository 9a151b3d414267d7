//! The steps of a stream put together to the answer that they are.

use std::collections::HashMap;

use serde_json::Value;
use shared::dialect::neutral::{
    Candidate, ChatAnswer, ChatEvent, Part, Signature, SignatureFormat, Stop, Thought, ToolCall,
};

/// An answer in the making.
#[derive(Default)]
pub(crate) struct Fold {
    answer: ChatAnswer,
    /// Where the calls of each answer stand.
    calls: HashMap<(u32, u32), usize>,
}

impl Fold {
    fn parts(&mut self, answer: u32) -> &mut Vec<Part> {
        let at = usize::try_from(answer).expect("a few");
        let all = &mut self.answer.candidates;
        while all.len() <= at {
            all.push(Candidate {
                parts: Vec::new(),
                stop: Stop::End,
            });
        }
        &mut all[at].parts
    }

    fn thought(&mut self, answer: u32, text: &str, signature: Option<Signature>) {
        let parts = self.parts(answer);
        match parts.last_mut() {
            Some(Part::Thought(open)) if open.signature.is_none() => {
                open.text.push_str(text);
                open.signature = signature;
            }
            _ => parts.push(Part::Thought(Thought {
                text: text.to_owned(),
                signature,
            })),
        }
    }

    pub(crate) fn take(&mut self, event: ChatEvent<'_>) {
        match event {
            ChatEvent::Begin { id } => self.answer.id = id.into_owned(),
            ChatEvent::Text { answer, text } => self.parts(answer).push(Part::text(text)),
            ChatEvent::Refusal { answer, text } => {
                self.parts(answer).push(Part::Refusal(text.into_owned()));
            }
            ChatEvent::Thought { answer, text } => self.thought(answer, &text, None),
            ChatEvent::Signature { answer, signature } => self.thought(answer, "", Some(signature)),
            ChatEvent::ToolCall {
                answer,
                call,
                id,
                name,
                signature,
            } => {
                let parts = self.parts(answer);
                parts.push(Part::ToolCall(ToolCall {
                    id: id.into_owned(),
                    name: name.into_owned(),
                    arguments: String::new(),
                    signature,
                    cache: None,
                }));
                let at = parts.len() - 1;
                let before = self.calls.insert((answer, call), at);
                assert_eq!(before, None, "a call begins twice");
            }
            ChatEvent::Arguments { answer, call, json } => {
                let at = self.calls[&(answer, call)];
                let Part::ToolCall(call) = &mut self.parts(answer)[at] else {
                    panic!("no call");
                };
                call.arguments.push_str(&json);
            }
            ChatEvent::Media { answer, media } => self.parts(answer).push(Part::Media(*media)),
            ChatEvent::Citation { answer, citation } => {
                let parts = self.parts(answer);
                if !matches!(parts.last(), Some(Part::Text { .. })) {
                    parts.push(Part::text(""));
                }
                if let Some(Part::Text { citations, .. }) = parts.last_mut() {
                    citations.push(*citation);
                }
            }
            ChatEvent::Stop { answer, stop } => {
                self.parts(answer);
                let at = usize::try_from(answer).expect("a few");
                self.answer.candidates[at].stop = stop;
            }
        }
    }

    pub(crate) fn answer(self) -> ChatAnswer {
        self.answer
    }
}

/// An answer without what is the same in other words: how texts are cut, and how JSON is spaced.
pub(crate) fn plain(mut answer: ChatAnswer) -> ChatAnswer {
    answer.tier = None;
    for candidate in &mut answer.candidates {
        let mut all: Vec<Part> = Vec::new();
        for mut part in std::mem::take(&mut candidate.parts) {
            if let Part::ToolCall(call) = &mut part {
                let json: Value = serde_json::from_str(&call.arguments)
                    .unwrap_or_else(|error| panic!("arguments `{}`: {error}", call.arguments));
                call.arguments = json.to_string();
            }
            match (all.last_mut(), &part) {
                (
                    Some(Part::Text {
                        text, citations, ..
                    }),
                    Part::Text {
                        text: more,
                        citations: further,
                        ..
                    },
                ) => {
                    text.push_str(more);
                    citations.extend(further.iter().cloned());
                }
                (Some(Part::Refusal(text)), Part::Refusal(more)) => text.push_str(more),
                (
                    _,
                    Part::Text {
                        text, citations, ..
                    },
                ) if text.is_empty() && citations.is_empty() => {}
                _ => all.push(part),
            }
        }
        candidate.parts = all;
        proofs_at_calls(&mut candidate.parts);
        proofs_behind(&mut candidate.parts);
        // In a stream the words come before it is known that they are the provider's.
        if candidate.stop == Stop::Refused(None)
            && let Some(Part::Refusal(why)) = candidate
                .parts
                .pop_if(|part| matches!(part, Part::Refusal(_)))
        {
            candidate.stop = Stop::Refused(Some(why));
        }
    }
    answer
}

/// The same for a dialect that has a place for each kind of part and no order between them.
pub(crate) fn unordered(mut answer: ChatAnswer) -> ChatAnswer {
    for candidate in &mut answer.candidates {
        candidate.parts.sort_by_key(|part| match part {
            Part::Thought(_) => 0,
            Part::Text { .. } => 1,
            Part::Refusal(_) => 2,
            Part::Media(_) => 3,
            Part::ToolCall(_) | Part::ToolResult(_) => 4,
        });
    }
    plain(answer)
}

/// Where a call has no place for its proof, that stands before it, maybe at a thought; Google's requests
/// have it at the call again.
fn proofs_at_calls(parts: &mut Vec<Part>) {
    let mut at = 0;
    while at + 1 < parts.len() {
        let [Part::Thought(proof), Part::ToolCall(call)] = &mut parts[at..at + 2] else {
            at += 1;
            continue;
        };
        let is_googles = |proof: &Signature| proof.format == SignatureFormat::Google;
        let is_its = proof.signature.as_ref().is_some_and(is_googles);
        if is_its && call.signature.is_none() {
            call.signature = proof.signature.take();
            if proof.text.is_empty() {
                parts.remove(at);
            }
        }
        at += 1;
    }
}

/// In a stream a proof comes behind the text that it is of; the thought is before.
fn proofs_behind(parts: &mut Vec<Part>) {
    let is_open =
        |part: &Part| matches!(part, Part::Thought(thought) if thought.signature.is_none());
    let is_proof = |part: &Part| matches!(part, Part::Thought(thought) if thought.text.is_empty());
    if let Some(proof) = parts.iter().position(is_proof)
        && let Some(open) = parts[..proof].iter().rposition(is_open)
        && let Part::Thought(proof) = parts.remove(proof)
        && let Part::Thought(thought) = &mut parts[open]
    {
        thought.signature = proof.signature;
    }
}
