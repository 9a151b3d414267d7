//! Reads answers, whole or event by event: each event is an answer of the same form that holds what is new.

use std::borrow::Cow;
use std::collections::HashSet;

use super::parts::{SeenPart, each_of, fields};
use super::text;
use crate::dialect::event::said;
use crate::dialect::gemini::scan::is_reason;
use crate::dialect::neutral::{ChatEvent, Citation, Stop, StreamReader};
use crate::dialect::walk::{Walk, count};

/// Google makes eight answers at most; what has a higher index is one with the last.
const ANSWERS_MAX: u64 = 127;
/// Places of one answer that are told.
const CITATIONS_MAX: usize = 256;
/// Of the provider's id, in ids of calls: some clients take 40 characters for those.
const ID_CHARS_MAX: usize = 24;

/// Reasons for which the provider does not let something be said.
const REFUSALS: [&str; 11] = [
    "SAFETY",
    "RECITATION",
    "LANGUAGE",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "MODEL_ARMOR",
    "ESCALATION",
];

/// Google's word for why something is not said; `SAFETY` for what others say.
pub(super) fn refusal_word(reason: &str) -> Option<&'static str> {
    REFUSALS
        .into_iter()
        .find(|word| word.eq_ignore_ascii_case(reason))
}

/// Reads one stream.
#[derive(Debug, Default)]
pub(super) struct GeminiReader {
    has_begun: bool,
    /// The provider's id of the answer, as it stands in ids that are made.
    id: String,
    answers: Vec<Answer>,
}

/// What is known of one answer.
#[derive(Debug, Default)]
struct Answer {
    index: u32,
    calls: u32,
    has_said: bool,
    has_stopped: bool,
    cited: HashSet<String>,
}

/// What stands in a candidate beside its content.
#[derive(Debug, Default)]
struct Beside<'a> {
    reason: Option<&'a [u8]>,
    message: Option<&'a [u8]>,
    grounding: Option<&'a [u8]>,
    citations: Option<&'a [u8]>,
}

impl StreamReader for GeminiReader {
    fn read(&mut self, event: &[u8], each: &mut dyn FnMut(ChatEvent<'_>)) {
        self.json(&said(event).data, each);
    }
}

impl GeminiReader {
    /// Reads an answer or one event of it.
    pub(super) fn json(&mut self, json: &[u8], each: &mut dyn FnMut(ChatEvent<'_>)) {
        if json.first() != Some(&b'{') {
            return;
        }
        self.begin(json, each);
        // Ends at what is no JSON, with what was found before.
        Walk::new(json).object(|walk, name| {
            if name == b"candidates" && walk.peek()? == b'[' {
                return walk.array(|walk| self.candidate(walk, each));
            }
            walk.value().map(drop)
        });
    }

    /// The id stands behind the candidates.
    fn begin(&mut self, json: &[u8], each: &mut dyn FnMut(ChatEvent<'_>)) {
        if self.has_begun {
            return;
        }
        self.has_begun = true;
        let mut id = Cow::Borrowed("");
        fields(json, |name, value| {
            if matches!(name, b"responseId" | b"response_id") {
                id = text::of_value(value).unwrap_or_default();
            }
        });
        if !id.is_empty() {
            let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            self.id = id.chars().filter(is_plain).take(ID_CHARS_MAX).collect();
            each(ChatEvent::Begin { id });
        }
    }

    fn candidate(
        &mut self,
        walk: &mut Walk<'_>,
        each: &mut dyn FnMut(ChatEvent<'_>),
    ) -> Option<()> {
        if walk.peek()? != b'{' {
            return walk.value().map(drop);
        }
        // The index stands behind the content.
        let (mut ahead, mut index) = (*walk, 0);
        ahead.object(|walk, name| {
            let value = walk.value()?;
            if name == b"index" {
                index = count(value);
            }
            Some(())
        })?;
        let at = self.answer(u32::try_from(index.min(ANSWERS_MAX)).unwrap_or(0));
        let mut beside = Beside::default();
        walk.object(|walk, name| {
            if name == b"content" && walk.peek()? == b'{' {
                return walk.object(|walk, name| {
                    if name != b"parts" {
                        return walk.value().map(drop);
                    }
                    each_of(walk, |walk| {
                        let seen = SeenPart::read(walk)?;
                        self.part(at, &seen, each);
                        Some(())
                    })
                });
            }
            let value = walk.value()?;
            match name {
                b"finishReason" | b"finish_reason" => beside.reason = Some(value),
                b"finishMessage" | b"finish_message" => beside.message = Some(value),
                b"groundingMetadata" | b"grounding_metadata" => beside.grounding = Some(value),
                b"citationMetadata" | b"citation_metadata" => beside.citations = Some(value),
                _ => {}
            }
            Some(())
        })?;
        self.beside(at, &beside, each);
        Some(())
    }

    /// The place of an answer in the list.
    fn answer(&mut self, index: u32) -> usize {
        let found = self.answers.iter().position(|answer| answer.index == index);
        found.unwrap_or_else(|| {
            self.answers.push(Answer {
                index,
                ..Answer::default()
            });
            self.answers.len() - 1
        })
    }

    fn part(&mut self, at: usize, seen: &SeenPart<'_>, each: &mut dyn FnMut(ChatEvent<'_>)) {
        let Some(of) = self.answers.get_mut(at) else {
            return;
        };
        let answer = of.index;
        let mut signature = seen.signature();
        if let Some(call) = seen.call() {
            let id = if call.id.is_empty() {
                let made = format!("call_{}_{answer}_{}", self.id, of.calls);
                Cow::Owned(made.replace("__", "_"))
            } else {
                call.id
            };
            let (number, json) = (of.calls, call.arguments);
            of.calls = of.calls.saturating_add(1);
            of.has_said = true;
            each(ChatEvent::ToolCall {
                answer,
                call: number,
                id,
                name: call.name,
                signature,
            });
            each(ChatEvent::Arguments {
                answer,
                call: number,
                json,
            });
            return;
        }
        let words = seen.text.map(text::read).filter(|words| !words.is_empty());
        if seen.is_thought {
            // Pictures on the way to others are thoughts too, and shown to nobody.
            if let Some(text) = words {
                each(ChatEvent::Thought { answer, text });
            }
        }
        if let Some(signature) = signature.take() {
            each(ChatEvent::Signature { answer, signature });
        }
        if seen.is_thought {
            return;
        }
        let words = seen.text.map(text::read).filter(|words| !words.is_empty());
        if let Some(text) = words.or_else(|| seen.code().map(Cow::Owned)) {
            of.has_said = true;
            each(ChatEvent::Text { answer, text });
        }
        if let Some(media) = seen.media() {
            of.has_said = true;
            each(ChatEvent::Media {
                answer,
                media: Box::new(media),
            });
        }
    }

    fn beside(&mut self, at: usize, beside: &Beside<'_>, each: &mut dyn FnMut(ChatEvent<'_>)) {
        let Some(of) = self.answers.get_mut(at) else {
            return;
        };
        let answer = of.index;
        for citation in cited(beside) {
            if of.cited.len() < CITATIONS_MAX && of.cited.insert(citation.url.clone()) {
                each(ChatEvent::Citation {
                    answer,
                    citation: Box::new(citation),
                });
            }
        }
        let reason = beside.reason.and_then(text::of_value);
        let Some(reason) =
            reason.filter(|reason| !reason.is_empty() && is_reason(reason.as_bytes()))
        else {
            return;
        };
        if std::mem::replace(&mut of.has_stopped, true) {
            return;
        }
        let message = beside
            .message
            .and_then(text::of_value)
            .filter(|text| !text.is_empty());
        let stop = stop(&reason, of.calls > 0);
        if !of.has_said {
            let words = match (&stop, message) {
                (Stop::End, None) if reason != "STOP" => Some(Cow::Owned(format!(
                    "The model ended without an answer: {reason}."
                ))),
                (Stop::End | Stop::Refused(_), message) => message,
                _ => None,
            };
            if let Some(text) = words {
                each(ChatEvent::Refusal { answer, text });
            }
        }
        each(ChatEvent::Stop { answer, stop });
    }
}

/// Why an answer ends, by Google's word.
fn stop(reason: &str, has_calls: bool) -> Stop {
    match reason {
        "STOP" if has_calls => Stop::ToolCalls,
        "MAX_TOKENS" => Stop::MaxTokens,
        "CONTINUATION" => Stop::Paused,
        _ => match refusal_word(reason) {
            Some(word) => Stop::Refused(Some(word.to_ascii_lowercase())),
            None => Stop::End,
        },
    }
}

/// The places that an answer was taken from.
fn cited(beside: &Beside<'_>) -> Vec<Citation> {
    let mut found = Vec::new();
    fields(beside.grounding.unwrap_or_default(), |name, list| {
        if matches!(name, b"groundingChunks" | b"grounding_chunks") {
            each_place(list, |chunk| {
                fields(chunk, |name, place| {
                    if matches!(
                        name,
                        b"web" | b"maps" | b"retrievedContext" | b"retrieved_context"
                    ) {
                        found.extend(place_of(place));
                    }
                });
            });
        }
    });
    fields(beside.citations.unwrap_or_default(), |name, list| {
        if matches!(
            name,
            b"citations" | b"citationSources" | b"citation_sources"
        ) {
            each_place(list, |place| found.extend(place_of(place)));
        }
    });
    found
}

fn each_place<'a>(list: &'a [u8], mut each: impl FnMut(&'a [u8])) {
    let mut walk = Walk::new(list);
    if walk.peek() == Some(b'[') {
        walk.array(|walk| {
            each(walk.value()?);
            Some(())
        });
    }
}

fn place_of(place: &[u8]) -> Option<Citation> {
    let mut citation = Citation::default();
    fields(place, |name, value| match name {
        b"uri" => citation.url = text::of_value(value).unwrap_or_default().into_owned(),
        b"title" => citation.title = text::of_value(value).map(Cow::into_owned),
        b"text" => citation.quote = text::of_value(value).map(Cow::into_owned),
        _ => {}
    });
    (!citation.url.is_empty()).then_some(citation)
}
