//! Whole answers.

use bytes::Bytes;

use super::reader::{arguments, citation, picture as read_picture, signature, thought};
use super::writer::{address, call, encrypted, head, item_id, picture};
use super::{plain, status, stop};
use crate::dialect::neutral::{
    AnswerShown, Candidate, ChatAnswer, Citation, Part, Stop, Thought, ToolCall,
};
use crate::dialect::openai::tier_shown;
use crate::dialect::openai_responses::answer::{Shown, Status};
use crate::dialect::openai_responses::echo;
use crate::dialect::openai_responses::output::{
    Annotation, ItemKind as Written, OutputItems, PartKind, escaped,
};
use crate::dialect::openai_responses::scan::{
    self, Response, ResponsesPlace, ScannedItem, ScannedKind,
};
use crate::fault::{Fault, FaultKind};
use crate::units::{Fact, Usage};

/// What a response says.
pub(super) fn read(answer: &[u8]) -> Result<ChatAnswer, Fault> {
    let json = answer.strip_prefix(b"\xef\xbb\xbf").unwrap_or(answer);
    let response = Response::of(json).filter(|response| response.output.is_some());
    let Some(response) = response else {
        let why = "not the response that was expected";
        return Err(Fault::new(FaultKind::InvalidAnswer, why));
    };
    let (mut parts, mut calls) = (Vec::new(), false);
    response.each_item(|_, item| {
        calls |= matches!(item.kind, ScannedKind::Call | ScannedKind::CustomCall);
        read_item(item, &mut parts);
    });
    let stop = stop(response.status, response.reason, calls);
    Ok(ChatAnswer {
        id: plain(response.id).into_owned(),
        candidates: vec![Candidate { parts, stop }],
        tier: response.tier(),
    })
}

fn read_item(item: &ScannedItem<'_>, parts: &mut Vec<Part>) {
    match item.kind {
        ScannedKind::Message => item.each_part(|part| {
            let said = read_part(part);
            parts.extend(said);
        }),
        ScannedKind::Reasoning => {
            let (text, signature) = (thought(item), signature(item));
            if !text.is_empty() || signature.is_some() {
                parts.push(Part::Thought(Thought { text, signature }));
            }
        }
        ScannedKind::Call | ScannedKind::CustomCall => parts.push(Part::ToolCall(ToolCall {
            id: plain(item.call_id).into_owned(),
            name: plain(item.name).into_owned(),
            arguments: arguments(item).into_owned(),
            signature: None,
            cache: None,
        })),
        ScannedKind::Image => parts.extend(read_picture(item).map(Part::Media)),
        ScannedKind::Other => {}
    }
}

fn read_part(part: &scan::ScannedPart<'_>) -> Option<Part> {
    if part.is_refusal {
        return Some(Part::Refusal(plain(part.refusal).into_owned()));
    }
    let mut citations = Vec::new();
    ResponsesPlace::each(part.annotations, |place| citations.push(citation(place)));
    let text = plain(part.text).into_owned();
    let says = !text.is_empty() || !citations.is_empty();
    says.then_some(Part::Text {
        text,
        citations,
        cache: None,
    })
}

/// The response in the making.
struct Items<'a> {
    output: OutputItems,
    /// Where items go that are written as they would be in events, which nobody reads here.
    unread: Vec<u8>,
    id: &'a str,
    /// Whether the message that is open takes more.
    in_message: bool,
}

impl Items<'_> {
    fn close(&mut self, status: &str, encrypted: Option<&[u8]>) {
        self.output.close(status, encrypted, &mut self.unread);
        self.unread.clear();
        self.in_message = false;
    }

    fn open(&mut self, kind: Written, word: &str) {
        self.close("completed", None);
        let id = item_id(word, self.id, self.output.next());
        self.output.add(id, kind, &mut self.unread);
    }

    fn said(&mut self, kind: PartKind, text: &str, citations: &[Citation]) {
        if !self.in_message {
            self.open(Written::Message, "msg");
            self.in_message = true;
        }
        let (mut written, mut annotations) = (Vec::with_capacity(text.len()), Vec::new());
        escaped(text, &mut written);
        let end = u64::try_from(text.chars().count()).unwrap_or(0);
        for citation in citations {
            if !annotations.is_empty() {
                annotations.push(b',');
            }
            let (mut url, mut title) = (Vec::new(), Vec::new());
            escaped(&citation.url, &mut url);
            escaped(citation.title.as_deref().unwrap_or_default(), &mut title);
            let (url, title) = (&url, &title);
            Annotation { url, title, end }.json(&mut annotations);
        }
        let mut part = Vec::with_capacity(written.len() + annotations.len() + 64);
        kind.json(&written, &annotations, &mut part);
        if let Some(open) = self.output.open.last_mut() {
            open.take_part(&part);
        }
    }

    fn thought(&mut self, thought: &Thought) {
        self.open(Written::Reasoning, "rs");
        if let Some(open) = self
            .output
            .open
            .last_mut()
            .filter(|_| !thought.text.is_empty())
        {
            let (mut text, mut part) = (Vec::new(), Vec::new());
            escaped(&thought.text, &mut text);
            PartKind::Summary.json(&text, b"", &mut part);
            open.take_part(&part);
        }
        let encrypted = thought.signature.as_ref().map(encrypted);
        self.close("completed", encrypted.as_deref());
    }

    fn call(&mut self, made: &ToolCall) {
        if let Some(signature) = &made.signature {
            self.thought(&Thought {
                text: String::new(),
                signature: Some(signature.clone()),
            });
        }
        let kind = call(&made.id, &made.name, (self.id, self.output.next()));
        self.open(kind, "fc");
        if let Some(open) = self.output.open.last_mut() {
            escaped(&made.arguments, &mut open.text);
        }
    }

    fn part(&mut self, part: &Part) {
        match part {
            Part::Text {
                text, citations, ..
            } => self.said(PartKind::Text, text, citations),
            Part::Refusal(text) => self.said(PartKind::Refusal, text, &[]),
            Part::Thought(thought) => self.thought(thought),
            Part::ToolCall(call) => self.call(call),
            Part::Media(media) => {
                let id = item_id("ig", self.id, self.output.next());
                if let Some(item) = picture(media, &id) {
                    self.close("completed", None);
                    self.output.add_whole(&item, &mut self.unread);
                } else if let Some(address) = address(media) {
                    self.said(PartKind::Text, address, &[]);
                }
            }
            // Answers hold none.
            Part::ToolResult(_) => {}
        }
    }
}

/// The first of the answers as a response.
pub(super) fn write(answer: &ChatAnswer, usage: &Usage, shown: &AnswerShown) -> Bytes {
    let mut items = Items {
        output: OutputItems::new(usize::MAX),
        unread: Vec::new(),
        id: &shown.id,
        in_message: false,
    };
    let nothing = Candidate {
        parts: Vec::new(),
        stop: Stop::End,
    };
    let candidate = answer.candidates.first().unwrap_or(&nothing);
    for part in &candidate.parts {
        items.part(part);
    }
    let status: Status<'_> = status(&candidate.stop);
    items.close(status.of_item(), None);
    let tier = answer.tier.as_deref();
    let echo = echo::shown(shown.repeated.clone());
    let shown = Shown {
        head: &head(shown),
        status,
        output: &items.output.whole,
        tier: tier
            .or_else(|| usage.facts.get(Fact::Tier))
            .and_then(tier_shown),
        usage: Some(usage),
        echo: &echo,
    };
    let mut to = Vec::with_capacity(items.output.whole.len() + 1_024);
    shown.json(&mut to);
    to.into()
}
