//! Writes a tenant's stream of Responses: the whole order of events that official clients build an answer
//! of, from `response.created` to the response that says everything again.

use std::borrow::Cow;

use bytes::Bytes;

use super::status;
use crate::dialect::neutral::{
    AnswerShown, ChatEvent, Citation, Media, MediaKind, Signature, SignatureFormat, Source, Stop,
    StreamWriter,
};
use crate::dialect::openai::tier_shown;
use crate::dialect::openai_responses::answer::{ResponseHead, Shown, Status};
use crate::dialect::openai_responses::echo;
use crate::dialect::openai_responses::output::{
    Annotation, END, ItemKind, OutputItems, PartKind, begin, escaped, number, put,
};
use crate::units::{Fact, Usage};

/// No answer is longer; what is beyond is written, and not written again at the end.
const KEPT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A stream in the making.
#[derive(Debug)]
pub(super) struct ResponsesWriter {
    head: ResponseHead<'static>,
    /// What stands in the ids of items.
    /// What each response repeats of the request.
    echo: Bytes,
    id: String,
    output: OutputItems,
    has_begun: bool,
    stop: Stop,
    /// The numbers of the calls that are open, beside the items that are.
    calls: Vec<u32>,
    /// Characters of the text that is open.
    chars: u64,
}

/// The head of a response that is shown so.
pub(super) fn head(shown: &AnswerShown) -> ResponseHead<'static> {
    let mut id = b"resp_".to_vec();
    escaped(&shown.id, &mut id);
    let model = serde_json::to_vec(&shown.model);
    ResponseHead {
        id: Cow::Owned(id),
        // Texts always can be written.
        model: Cow::Owned(model.unwrap_or_else(|_| b"\"\"".to_vec())),
        created: Cow::Owned(shown.created.to_string().into_bytes()),
    }
}

/// The id of an item, between quotes.
pub(super) fn item_id(kind: &str, id: &str, index: u64) -> Vec<u8> {
    let mut all = format!("{kind}_").into_bytes();
    escaped(id, &mut all);
    number("_", index, &mut all);
    all
}

/// A call as an item that is open.
pub(super) fn call(call_id: &str, name: &str, (id, index): (&str, u64)) -> ItemKind {
    let (mut written, mut named) = (Vec::new(), Vec::new());
    if call_id.is_empty() {
        written = item_id("call", id, index);
    } else {
        escaped(call_id, &mut written);
    }
    escaped(name, &mut named);
    ItemKind::Call {
        is_custom: false,
        call_id: written,
        name: named,
    }
}

/// A picture as an item; `None` where it can't be one.
pub(super) fn picture(media: &Media, id: &[u8]) -> Option<Vec<u8>> {
    let (MediaKind::Image, Source::Base64(data)) = (media.kind, &media.source) else {
        return None;
    };
    let format = match media.media_type.as_deref() {
        Some("image/jpeg" | "image/jpg") => "jpeg",
        Some("image/webp") => "webp",
        Some("image/gif") => "gif",
        _ => "png",
    };
    let mut item = Vec::with_capacity(data.len() + 128);
    put(&mut item, &["{\"id\":\""]);
    item.extend_from_slice(id);
    let kind = "\",\"type\":\"image_generation_call\",\"status\":\"completed\"";
    put(
        &mut item,
        &[kind, ",\"output_format\":\"", format, "\",\"result\":"],
    );
    // Texts always can be written.
    let _ = serde_json::to_writer(&mut item, data);
    put(&mut item, &["}"]);
    Some(item)
}

/// What of media can only be said in words.
pub(super) fn address(media: &Media) -> Option<&str> {
    match &media.source {
        Source::Url(url) => Some(url),
        Source::Text(text) => Some(text),
        Source::Base64(_) | Source::Id(_) => None,
    }
}

/// What proves a thought, between quotes.
pub(super) fn encrypted(signature: &Signature) -> Vec<u8> {
    let mut to = Vec::new();
    escaped(
        &signature.written_in(Some(SignatureFormat::OpenAi)),
        &mut to,
    );
    to
}

impl ResponsesWriter {
    pub(super) fn new(shown: AnswerShown) -> Self {
        Self {
            head: head(&shown),
            echo: echo::shown(shown.repeated),
            id: shown.id,
            output: OutputItems::new(KEPT_BYTES_MAX),
            has_begun: false,
            stop: Stop::End,
            calls: Vec::new(),
            chars: 0,
        }
    }

    fn event(&mut self, kind: &str, status: Status<'_>, usage: Option<&Usage>, to: &mut Vec<u8>) {
        begin(kind, &mut self.output.sequence, to);
        put(to, &[",\"response\":"]);
        let tier = usage
            .and_then(|usage| usage.facts.get(Fact::Tier))
            .and_then(tier_shown);
        let shown = Shown {
            head: &self.head,
            status,
            output: &self.output.whole,
            tier,
            usage,
            echo: &self.echo,
        };
        shown.json(to);
        put(to, &[END]);
    }

    fn begin(&mut self, to: &mut Vec<u8>) {
        if self.has_begun {
            return;
        }
        self.has_begun = true;
        for kind in ["response.created", "response.in_progress"] {
            self.event(kind, Status::InProgress, None, to);
        }
    }

    fn close(&mut self, status: &str, encrypted: Option<&[u8]>, to: &mut Vec<u8>) {
        self.calls.clear();
        self.chars = 0;
        self.output.close(status, encrypted, to);
    }

    /// Lets the item that is open be of that kind.
    fn open(&mut self, kind: &ItemKind, word: &str, to: &mut Vec<u8>) {
        let open = self.output.open.last();
        if open.is_none_or(|open| open.kind != *kind) {
            self.close("completed", None, to);
            let id = item_id(word, &self.id, self.output.next());
            self.output.add(id, kind.clone(), to);
        }
    }

    fn text(&mut self, part: PartKind, text: &str, to: &mut Vec<u8>) {
        self.open(&ItemKind::Message, "msg", to);
        if text.is_ascii() {
            self.chars += u64::try_from(text.len()).unwrap_or(0);
        } else {
            self.chars += u64::try_from(text.chars().count()).unwrap_or(0);
        }
        self.output.more(part, text, to);
    }

    fn thought(&mut self, text: &str, to: &mut Vec<u8>) {
        self.open(&ItemKind::Reasoning, "rs", to);
        self.output.more(PartKind::Summary, text, to);
    }

    fn signature(&mut self, signature: &Signature, to: &mut Vec<u8>) {
        self.open(&ItemKind::Reasoning, "rs", to);
        self.close("completed", Some(&encrypted(signature)), to);
    }

    fn call(&mut self, call: u32, kind: ItemKind, to: &mut Vec<u8>) {
        let open = self.output.open.last();
        if open.is_some_and(|open| !matches!(open.kind, ItemKind::Call { .. })) {
            self.close("completed", None, to);
        }
        let id = item_id("fc", &self.id, self.output.next());
        self.output.add(id, kind, to);
        self.calls.push(call);
        // Where many are open the first was closed.
        let closed = self.calls.len().saturating_sub(self.output.open.len());
        self.calls.drain(..closed);
    }

    fn cite(&mut self, citation: &Citation, to: &mut Vec<u8>) {
        let (mut url, mut title) = (Vec::new(), Vec::new());
        escaped(&citation.url, &mut url);
        escaped(citation.title.as_deref().unwrap_or_default(), &mut title);
        let annotation = Annotation {
            url: &url,
            title: &title,
            end: self.chars,
        };
        self.output.annotate(annotation, to);
    }

    fn media(&mut self, media: &Media, to: &mut Vec<u8>) {
        let id = item_id("ig", &self.id, self.output.next());
        if let Some(item) = picture(media, &id) {
            self.close("completed", None, to);
            self.output.add_whole(&item, to);
        } else if let Some(address) = address(media) {
            self.text(PartKind::Text, address, to);
        }
    }
}

impl StreamWriter for ResponsesWriter {
    fn write(&mut self, event: ChatEvent<'_>, to: &mut Vec<u8>) {
        self.begin(to);
        match event {
            // Responses have one answer.
            ChatEvent::Text {
                answer: 0,
                ref text,
            } if !text.is_empty() => self.text(PartKind::Text, text, to),
            ChatEvent::Refusal {
                answer: 0,
                ref text,
            } if !text.is_empty() => self.text(PartKind::Refusal, text, to),
            ChatEvent::Thought {
                answer: 0,
                ref text,
            } if !text.is_empty() => self.thought(text, to),
            ChatEvent::Signature {
                answer: 0,
                ref signature,
            } => self.signature(signature, to),
            ChatEvent::ToolCall {
                answer: 0,
                call: number,
                ref id,
                ref name,
                ref signature,
            } => {
                if let Some(signature) = signature {
                    self.close("completed", None, to);
                    self.signature(signature, to);
                }
                let place = (&*self.id, self.output.next());
                self.call(number, call(id, name, place), to);
            }
            ChatEvent::Arguments {
                answer: 0,
                call,
                ref json,
            } => {
                if let Some(at) = self.calls.iter().rposition(|known| *known == call) {
                    self.output.argue(at, json, to);
                }
            }
            ChatEvent::Media {
                answer: 0,
                ref media,
            } => self.media(media, to),
            ChatEvent::Citation {
                answer: 0,
                ref citation,
            } => {
                self.cite(citation, to);
            }
            ChatEvent::Stop { answer: 0, stop } => self.stop = stop,
            ChatEvent::Begin { .. }
            | ChatEvent::Text { .. }
            | ChatEvent::Refusal { .. }
            | ChatEvent::Thought { .. }
            | ChatEvent::Signature { .. }
            | ChatEvent::ToolCall { .. }
            | ChatEvent::Arguments { .. }
            | ChatEvent::Media { .. }
            | ChatEvent::Citation { .. }
            | ChatEvent::Stop { .. } => {}
        }
    }

    fn end(&mut self, usage: &Usage, to: &mut Vec<u8>) {
        self.begin(to);
        let status = status(&self.stop);
        self.close(status.of_item(), None, to);
        let kind = match status {
            Status::Incomplete(_) => "response.incomplete",
            Status::InProgress | Status::Completed => "response.completed",
        };
        self.event(kind, status, Some(usage), to);
    }
}
