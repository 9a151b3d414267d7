//! One pass over an event or an answer of Cohere's chat: what it says, where it stands, and what it counts.
//! Makes no values; texts stay as they are written between their quotes.

use crate::dialect::counts::Counts;
use crate::dialect::tally::Tally;
use crate::dialect::typed_meter::{TypedMark, TypedStep};
use crate::dialect::walk::{Walk, count, text_of};
use crate::fault::{Fault, FaultKind};

/// What an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum CohereKind {
    #[default]
    Other,
    MessageStart,
    /// The beginning of a content, of a call or of a citation, or more of one.
    More,
    CallStart,
    CallEnd,
    MessageEnd,
}

/// An event, or a whole answer, of which one says what several events say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct CohereScan<'a> {
    pub(super) kind: CohereKind,
    pub(super) id: Option<&'a [u8]>,
    pub(super) index: Option<u64>,
    pub(super) text: &'a [u8],
    pub(super) thought: &'a [u8],
    pub(super) plan: &'a [u8],
    pub(super) call_id: &'a [u8],
    pub(super) call_name: &'a [u8],
    pub(super) arguments: &'a [u8],
    /// As it is written.
    pub(super) citation: Option<&'a [u8]>,
    pub(super) finish: Option<&'a [u8]>,
    /// What went wrong.
    pub(super) error: Option<&'a [u8]>,
    pub(super) usage: Option<Counts>,
    /// Whether a message with a content or a call stands at the top, as in a whole answer.
    pub(super) has_message: bool,
    /// What is said in all.
    said: Tally,
}

fn kind(word: &[u8]) -> CohereKind {
    match word {
        b"message-start" => CohereKind::MessageStart,
        b"content-start" | b"content-delta" | b"content-end" | b"tool-plan-delta"
        | b"tool-call-delta" | b"citation-start" | b"citation-end" => CohereKind::More,
        b"tool-call-start" => CohereKind::CallStart,
        b"tool-call-end" => CohereKind::CallEnd,
        b"message-end" => CohereKind::MessageEnd,
        _ => CohereKind::Other,
    }
}

/// A text; empty where something else stands.
fn text_or<'a>(walk: &mut Walk<'a>) -> Option<&'a [u8]> {
    if walk.peek()? == b'"' {
        return walk.text();
    }
    walk.value().map(|_| &b""[..])
}

impl<'a> CohereScan<'a> {
    /// `None` where it is no JSON object.
    pub(super) fn of(json: &'a [u8]) -> Option<Self> {
        let mut scan = Self::default();
        let mut walk = Walk::new(json);
        walk.object(|walk, name| scan.field(walk, name))?;
        walk.peek().is_none().then_some(scan)
    }

    /// A field at the top.
    fn field(&mut self, walk: &mut Walk<'a>, name: &[u8]) -> Option<()> {
        match (name, walk.peek()?) {
            (b"type", b'"') => self.kind = kind(walk.text()?),
            (b"id", b'"') => self.id = Some(walk.text()?),
            (b"index", _) => self.index = Some(count(walk.value()?)),
            (b"delta", b'{') => walk.object(|walk, name| self.field(walk, name))?,
            (b"message", b'{') => walk.object(|walk, name| self.message(walk, name))?,
            (b"finish_reason", b'"') => self.finish = Some(walk.text()?),
            (b"error", b'"') => self.error = Some(walk.text()?),
            (b"usage", b'{') => self.usage = Some(told(walk)?),
            _ => drop(walk.value()?),
        }
        Some(())
    }

    /// A field of the message, or of a part of it.
    fn message(&mut self, walk: &mut Walk<'a>, name: &[u8]) -> Option<()> {
        match (name, walk.peek()?) {
            (b"content" | b"tool_calls", b'[') => {
                self.has_message = true;
                walk.array(|walk| {
                    if walk.peek()? != b'{' {
                        return walk.value().map(drop);
                    }
                    walk.object(|walk, name| self.message(walk, name))
                })?;
            }
            (b"content" | b"tool_calls" | b"function", b'{') => {
                walk.object(|walk, name| self.message(walk, name))?;
            }
            (b"content", b'"') => {
                self.has_message = true;
                let text = walk.text()?;
                self.said.add_text(text);
            }
            (b"text", _) => {
                self.text = text_or(walk)?;
                self.said.add_text(self.text);
            }
            (b"thinking", _) => {
                self.thought = text_or(walk)?;
                self.said.add_thought(self.thought);
            }
            (b"tool_plan", _) => {
                self.plan = text_or(walk)?;
                self.said.add_plain(self.plan);
            }
            (b"id", b'"') => self.call_id = walk.text()?,
            (b"name", b'"') => {
                self.call_name = walk.text()?;
                self.said.add_plain(self.call_name);
            }
            (b"arguments", _) => {
                self.arguments = text_or(walk)?;
                self.said.add_plain(self.arguments);
            }
            (b"citations", b'{') => self.citation = Some(walk.value()?),
            _ => drop(walk.value()?),
        }
        Some(())
    }

    /// What an event is for billing.
    pub(super) fn step(&self) -> TypedStep<'a> {
        let mut step = TypedStep {
            counts: self.usage.unwrap_or_default(),
            fault: self.fault(),
            ..TypedStep::default()
        };
        step.tally.add_event(&self.said);
        step.mark = match self.kind {
            CohereKind::MessageEnd => TypedMark::Last,
            CohereKind::More | CohereKind::CallStart | CohereKind::CallEnd => TypedMark::Answer,
            CohereKind::MessageStart | CohereKind::Other => TypedMark::Beside,
        };
        step
    }

    /// What is said in all.
    pub(super) fn said(&self) -> Tally {
        self.said
    }

    /// Why an answer that ends so is none.
    pub(super) fn fault(&self) -> Option<Fault> {
        let kind = match self.finish {
            Some(b"ERROR") => FaultKind::Overloaded,
            Some(b"TIMEOUT") => FaultKind::Timeout,
            _ => return None,
        };
        let why = self.error.map(text_of).unwrap_or_default();
        Some(Fault::new(
            kind,
            format!("the provider ended the answer with an error: {why}"),
        ))
    }
}

/// What is billed, where that is told, which is less than what the model read: Cohere puts texts of its own
/// before the conversation. Of the cache only what the model read is told, so that it is no part of what is
/// billed.
fn told(walk: &mut Walk<'_>) -> Option<Counts> {
    let all = walk.value()?;
    let (mut billed, mut read) = (Counts::default(), Counts::default());
    Walk::new(all).object(|walk, name| {
        match (name, walk.peek()?) {
            (b"billed_units", b'{') => billed = Counts::read(walk)?,
            (b"tokens", b'{') => read = Counts::read(walk)?,
            _ => drop(walk.value()?),
        }
        Some(())
    })?;
    if billed.input > 0 || billed.output > 0 {
        return Some(billed);
    }
    let mut top = Counts::read(&mut Walk::new(all))?;
    top.merge(read);
    Some(top)
}
