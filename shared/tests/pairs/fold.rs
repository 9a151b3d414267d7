//! The steps of a stream put together to the answer that they are.

use std::collections::HashMap;

use serde_json::Value;
use shared::dialect::neutral::{
    Candidate, ChatAnswer, Event, Part, Signature, Stop, Thought, ToolCall,
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

    pub(crate) fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Begin { id } => self.answer.id = id.into_owned(),
            Event::Text { answer, text } => self.parts(answer).push(Part::text(text)),
            Event::Refusal { answer, text } => {
                self.parts(answer).push(Part::Refusal(text.into_owned()));
            }
            Event::Thought { answer, text } => self.thought(answer, &text, None),
            Event::Signature { answer, signature } => self.thought(answer, "", Some(signature)),
            Event::ToolCall {
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
            Event::Arguments { answer, call, json } => {
                let at = self.calls[&(answer, call)];
                let Part::ToolCall(call) = &mut self.parts(answer)[at] else {
                    panic!("no call");
                };
                call.arguments.push_str(&json);
            }
            Event::Media { answer, media } => self.parts(answer).push(Part::Media(*media)),
            Event::Citation { answer, citation } => {
                let parts = self.parts(answer);
                if !matches!(parts.last(), Some(Part::Text { .. })) {
                    parts.push(Part::text(""));
                }
                if let Some(Part::Text { citations, .. }) = parts.last_mut() {
                    citations.push(*citation);
                }
            }
            Event::Stop { answer, stop } => {
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
                (_, Part::Text { text, citations, .. })
                    if text.is_empty() && citations.is_empty() => {}
                _ => all.push(part),
            }
        }
        candidate.parts = all;
    }
    answer
}
