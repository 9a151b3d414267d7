//! A whole answer as the stream that was asked for, by way of the neutral form, for formats that are
//! translated both ways.

use std::borrow::Cow;

use bytes::Bytes;

use super::neutral::{AnswerShown, ChatAnswer, ChatEvent, Part, Translator};
use super::{Dialect, Judged, Metered};
use crate::units::Usage;

/// The events that say what `answer` says; `None` where it is none.
pub(crate) fn stream<D: Dialect + Translator>(dialect: &D, answer: &[u8]) -> Option<Bytes> {
    if dialect.judge(answer) != Judged::Answer {
        return None;
    }
    let told = dialect.usage(Metered::default(), answer).ok()?;
    // What was not told is left to those who read the stream.
    let usage = if told.estimated {
        Usage::default()
    } else {
        told
    };
    let whole = dialect.read_answer(answer).ok()?;
    let mut writer = dialect.stream_writer(AnswerShown {
        model: String::new(),
        id: whole.id.clone(),
        created: 0,
        shows_usage: true,
        input_estimate: usage.input_total(),
        repeated: bytes::Bytes::new(),
    });
    let mut to = Vec::with_capacity(answer.len().saturating_mul(2));
    each_event(&whole, &mut |event| writer.write(event, &mut to));
    writer.end(&usage, &mut to);
    Some(to.into())
}

/// Gives the steps of a whole answer to `each`.
pub(crate) fn each_event(whole: &ChatAnswer, each: &mut dyn FnMut(ChatEvent<'_>)) {
    let id = Cow::from(whole.id.as_str());
    each(ChatEvent::Begin { id });
    for (answer, candidate) in (0..).zip(&whole.candidates) {
        let mut calls = 0..;
        for part in &candidate.parts {
            each_of(part, answer, &mut calls, each);
        }
        let stop = candidate.stop.clone();
        each(ChatEvent::Stop { answer, stop });
    }
}

fn each_of(
    part: &Part,
    answer: u32,
    calls: &mut std::ops::RangeFrom<u32>,
    each: &mut dyn FnMut(ChatEvent<'_>),
) {
    match part {
        Part::Text {
            text, citations, ..
        } => {
            let text = text.into();
            each(ChatEvent::Text { answer, text });
            for citation in citations {
                let citation = Box::new(citation.clone());
                each(ChatEvent::Citation { answer, citation });
            }
        }
        Part::Refusal(text) => {
            let text = text.into();
            each(ChatEvent::Refusal { answer, text });
        }
        Part::Media(media) => {
            let media = Box::new(media.clone());
            each(ChatEvent::Media { answer, media });
        }
        Part::Thought(thought) => {
            if !thought.text.is_empty() {
                let text = (&thought.text).into();
                each(ChatEvent::Thought { answer, text });
            }
            if let Some(signature) = thought.signature.clone() {
                each(ChatEvent::Signature { answer, signature });
            }
        }
        Part::ToolCall(made) => {
            let call = calls.next().unwrap_or_default();
            each(ChatEvent::ToolCall {
                answer,
                call,
                id: (&made.id).into(),
                name: (&made.name).into(),
                signature: made.signature.clone(),
            });
            let json = (&made.arguments).into();
            each(ChatEvent::Arguments { answer, call, json });
        }
        // No answer holds one.
        Part::ToolResult(_) => {}
    }
}
