//! Reads a provider's stream of Responses.

use std::borrow::Cow;

use super::{plain, stop};
use crate::dialect::event::said;
use crate::dialect::neutral::{
    ChatEvent, Citation, Json, Media, MediaKind, Signature, SignatureFormat, Source, StreamReader,
};
use crate::dialect::openai_responses::scan::{
    Marks, Response, ResponsesKind, ResponsesPlace, ResponsesScan, ScannedItem, ScannedKind,
    ScannedPart,
};

/// Calls that are told apart in one answer.
const CALLS_MAX: usize = 1_024;

/// Responses have one answer.
const ANSWER: u32 = 0;

/// How far a stream is.
#[derive(Debug, Default)]
pub(super) struct ResponsesReader {
    has_begun: bool,
    has_ended: bool,
    /// Items whose texts came piece by piece.
    told: Marks,
    /// Items that are over.
    done: Marks,
    /// Items whose annotations came by themselves.
    annotated: Marks,
    /// Items whose thought itself comes, and not its summary.
    thoughts: Marks,
    summaries: Marks,
    /// The places of the calls, in their order.
    calls: Vec<u64>,
    last_index: u64,
}

type Each<'e> = &'e mut dyn FnMut(ChatEvent<'_>);

impl StreamReader for ResponsesReader {
    fn read(&mut self, event: &[u8], each: Each<'_>) {
        let said = said(event);
        let Some(scan) = ResponsesScan::of(&said.data) else {
            return;
        };
        if self.has_ended {
            return;
        }
        let index = scan.index.unwrap_or(self.last_index);
        let text = plain(scan.delta);
        match scan.kind {
            ResponsesKind::Text | ResponsesKind::Refusal if !text.is_empty() => {
                self.told.set(index);
                let answer = ANSWER;
                each(if scan.kind == ResponsesKind::Text {
                    ChatEvent::Text { answer, text }
                } else {
                    ChatEvent::Refusal { answer, text }
                });
            }
            ResponsesKind::Summary if !self.thoughts.has(index) => {
                self.summaries.set(index);
                self.thought(index, text, each);
            }
            ResponsesKind::Thought if !self.summaries.has(index) => {
                self.thoughts.set(index);
                self.thought(index, text, each);
            }
            ResponsesKind::SummaryAdded if scan.part_index > 0 && self.told.has(index) => {
                self.thought(index, Cow::Borrowed("\n\n"), each);
            }
            ResponsesKind::Arguments => self.arguments(index, text, each),
            ResponsesKind::Annotation => self.annotation(index, &scan, each),
            ResponsesKind::Begun => self.begun(scan.response.and_then(Response::of).as_ref(), each),
            ResponsesKind::ItemAdded => {
                self.last_index = index;
                if let Some(item) = scan.item.and_then(ScannedItem::of) {
                    self.added(index, &item, each);
                }
            }
            ResponsesKind::ItemDone => {
                if let Some(item) = scan.item.and_then(ScannedItem::of) {
                    self.whole(index, &item, each);
                    self.done.set(index);
                }
            }
            ResponsesKind::Completed | ResponsesKind::Incomplete => self.ended(&scan, each),
            // What failed is the meter's to say; the rest says nothing that is not said elsewhere.
            ResponsesKind::None
            | ResponsesKind::Other
            | ResponsesKind::Text
            | ResponsesKind::Refusal
            | ResponsesKind::Summary
            | ResponsesKind::Thought
            | ResponsesKind::Input
            | ResponsesKind::PartAdded
            | ResponsesKind::PartDone
            | ResponsesKind::SummaryAdded
            | ResponsesKind::SummaryDone
            | ResponsesKind::Failed
            | ResponsesKind::Error => {}
        }
    }
}

impl ResponsesReader {
    fn begun(&mut self, response: Option<&Response<'_>>, each: Each<'_>) {
        if self.has_begun {
            return;
        }
        self.has_begun = true;
        if let Some(response) = response {
            let id = plain(response.id);
            each(ChatEvent::Begin { id });
        }
    }

    fn thought(&mut self, index: u64, text: Cow<'_, str>, each: Each<'_>) {
        if text.is_empty() {
            return;
        }
        self.told.set(index);
        let answer = ANSWER;
        each(ChatEvent::Thought { answer, text });
    }

    fn call(&self, index: u64) -> Option<u32> {
        let at = self.calls.iter().rposition(|known| *known == index)?;
        u32::try_from(at).ok()
    }

    fn arguments(&mut self, index: u64, json: Cow<'_, str>, each: Each<'_>) {
        let Some(call) = self.call(index).filter(|_| !json.is_empty()) else {
            return;
        };
        self.told.set(index);
        let answer = ANSWER;
        each(ChatEvent::Arguments { answer, call, json });
    }

    /// A call begins; its arguments follow.
    fn added(&mut self, index: u64, item: &ScannedItem<'_>, each: Each<'_>) {
        let is_call = matches!(item.kind, ScannedKind::Call | ScannedKind::CustomCall);
        if !is_call || self.call(index).is_some() || self.calls.len() >= CALLS_MAX {
            return;
        }
        let Ok(call) = u32::try_from(self.calls.len()) else {
            return;
        };
        self.calls.push(index);
        each(ChatEvent::ToolCall {
            answer: ANSWER,
            call,
            id: plain(item.call_id),
            name: plain(item.name),
            signature: None,
        });
    }

    fn annotation(&mut self, index: u64, scan: &ResponsesScan<'_>, each: Each<'_>) {
        if let Some(place) = scan.annotation.and_then(ResponsesPlace::of) {
            self.annotated.set(index);
            cite(place, each);
        }
    }

    /// An item is whole: gives what of it did not come before.
    fn whole(&mut self, index: u64, item: &ScannedItem<'_>, each: Each<'_>) {
        let was_told = self.told.has(index);
        match item.kind {
            ScannedKind::Message => {
                let was_annotated = self.annotated.has(index);
                item.each_part(|part| message(part, was_told, was_annotated, each));
            }
            ScannedKind::Reasoning => {
                if !was_told {
                    let text = thought(item);
                    self.thought(index, Cow::Owned(text), each);
                }
                if let Some(signature) = signature(item) {
                    let answer = ANSWER;
                    each(ChatEvent::Signature { answer, signature });
                }
            }
            ScannedKind::Call | ScannedKind::CustomCall => {
                self.added(index, item, each);
                if !was_told {
                    self.arguments(index, arguments(item), each);
                }
            }
            ScannedKind::Image => {
                if let Some(media) = picture(item) {
                    let (answer, media) = (ANSWER, Box::new(media));
                    each(ChatEvent::Media { answer, media });
                }
            }
            ScannedKind::Other => {}
        }
    }

    fn ended(&mut self, scan: &ResponsesScan<'_>, each: Each<'_>) {
        self.has_ended = true;
        let response = scan.response.and_then(Response::of).unwrap_or_default();
        self.begun(Some(&response), each);
        response.each_item(|index, item| {
            if !self.done.has(index) {
                self.whole(index, item, each);
            }
        });
        let status: &[u8] = if scan.kind == ResponsesKind::Incomplete {
            b"incomplete"
        } else {
            response.status
        };
        let calls = !self.calls.is_empty();
        each(ChatEvent::Stop {
            answer: ANSWER,
            stop: stop(status, response.reason, calls),
        });
    }
}

fn message(part: &ScannedPart<'_>, was_told: bool, was_annotated: bool, each: Each<'_>) {
    let answer = ANSWER;
    if !was_told {
        let text = plain(if part.is_refusal {
            part.refusal
        } else {
            part.text
        });
        match (text.is_empty(), part.is_refusal) {
            (true, _) => {}
            (false, true) => each(ChatEvent::Refusal { answer, text }),
            (false, false) => each(ChatEvent::Text { answer, text }),
        }
    }
    if !was_annotated {
        ResponsesPlace::each(part.annotations, |place| cite(place, each));
    }
}

fn cite(place: ResponsesPlace<'_>, each: Each<'_>) {
    let citation = Box::new(citation(place));
    let answer = ANSWER;
    each(ChatEvent::Citation { answer, citation });
}

/// The place as it is cited.
pub(super) fn citation(place: ResponsesPlace<'_>) -> Citation {
    let title = plain(place.title).into_owned();
    Citation {
        url: plain(place.url).into_owned(),
        title: Some(title).filter(|title| !title.is_empty()),
        quote: None,
    }
}

/// What is shown of a thought.
pub(super) fn thought(item: &ScannedItem<'_>) -> String {
    let mut text = String::new();
    item.each_thought(|part| {
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str(&plain(part));
    });
    text
}

/// What proves a thought.
pub(super) fn signature(item: &ScannedItem<'_>) -> Option<Signature> {
    let text = plain(item.encrypted);
    if text.is_empty() {
        return None;
    }
    Signature::read_in(Some(SignatureFormat::OpenAi), &text)
}

/// The arguments of a call; the text of a tool that takes one is the argument `input`.
pub(super) fn arguments<'a>(item: &ScannedItem<'a>) -> Cow<'a, str> {
    if item.kind == ScannedKind::CustomCall {
        return Cow::Owned(custom_arguments(&plain(item.input)));
    }
    plain(item.arguments)
}

/// The text that a tool takes, as arguments of a function.
pub(super) fn custom_arguments(input: &str) -> String {
    let json = Json::of_value(&serde_json::json!({ "input": input }));
    json.map_or_else(String::new, |json| json.get().to_owned())
}

/// A picture that was made.
pub(super) fn picture(item: &ScannedItem<'_>) -> Option<Media> {
    let data = plain(item.result);
    if data.is_empty() {
        return None;
    }
    let format = match item.format {
        b"webp" | b"jpeg" | b"gif" => plain(item.format),
        _ => Cow::Borrowed("png"),
    };
    Some(Media {
        kind: MediaKind::Image,
        media_type: Some(format!("image/{format}")),
        source: Source::Base64(data.into_owned()),
        name: None,
        detail: None,
        cache: None,
    })
}
