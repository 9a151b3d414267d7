//! One pass over an event, a response or an item of it: what it is, and where in it things stand. Keeps
//! nothing, makes no values, and leaves texts as they are written.

use crate::dialect::counts::Counts;
use crate::dialect::tally::Tally;
use crate::dialect::walk::{Walk, count, unescaped};
use crate::units::{Fact, Facts};

/// Names of service tiers are short words.
const TIER_BYTES_MAX: usize = 32;

/// What an event is (API reference, "Streaming events", 2026-11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ResponsesKind {
    /// It has no type, and is none of this dialect.
    #[default]
    None,
    /// One that says nothing of interest.
    Other,
    /// The response as it begins: created, queued, in progress.
    Begun,
    /// More of an answer.
    Text,
    /// More of a refusal.
    Refusal,
    /// More of a summary of what is thought.
    Summary,
    /// More of what is thought.
    Thought,
    /// More of a call's arguments.
    Arguments,
    /// More of the input of a call that takes a text.
    Input,
    /// An item begins.
    ItemAdded,
    /// An item is whole.
    ItemDone,
    /// A part of a message begins.
    PartAdded,
    /// It is whole.
    PartDone,
    /// A part of a summary begins.
    SummaryAdded,
    /// It is whole.
    SummaryDone,
    /// A place that the text before was taken from.
    Annotation,
    /// The response is whole.
    Completed,
    /// The response ends before its time.
    Incomplete,
    /// The response failed.
    Failed,
    /// The stream failed.
    Error,
}

impl ResponsesKind {
    fn of(kind: &[u8]) -> Self {
        match kind {
            b"response.output_text.delta" => Self::Text,
            b"response.function_call_arguments.delta" => Self::Arguments,
            b"response.reasoning_summary_text.delta" => Self::Summary,
            b"response.reasoning_text.delta" => Self::Thought,
            b"response.refusal.delta" => Self::Refusal,
            b"response.custom_tool_call_input.delta" => Self::Input,
            b"response.output_item.added" => Self::ItemAdded,
            b"response.output_item.done" => Self::ItemDone,
            b"response.content_part.added" => Self::PartAdded,
            b"response.content_part.done" => Self::PartDone,
            b"response.reasoning_summary_part.added" => Self::SummaryAdded,
            b"response.reasoning_summary_part.done" => Self::SummaryDone,
            b"response.output_text.annotation.added" => Self::Annotation,
            b"response.created" | b"response.queued" | b"response.in_progress" => Self::Begun,
            b"response.completed" => Self::Completed,
            b"response.incomplete" => Self::Incomplete,
            b"response.failed" | b"response.cancelled" => Self::Failed,
            b"error" => Self::Error,
            _ => Self::Other,
        }
    }

    /// Whether it ends a stream well.
    pub(super) fn is_last(self) -> bool {
        matches!(self, Self::Completed | Self::Incomplete)
    }
}

/// The fields of an event, values as they are written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ResponsesScan<'a> {
    pub(super) kind: ResponsesKind,
    /// More of a text, as it is written between its quotes.
    pub(super) delta: &'a [u8],
    /// Which item of the output; absent where a provider leaves it out.
    pub(super) index: Option<u64>,
    /// Which part of the item.
    pub(super) part_index: u64,
    pub(super) item: Option<&'a [u8]>,
    pub(super) part: Option<&'a [u8]>,
    pub(super) annotation: Option<&'a [u8]>,
    pub(super) response: Option<&'a [u8]>,
    pub(super) sequence: u64,
    /// Whether something stands where errors stand.
    pub(super) has_error: bool,
}

/// Whether a value is there.
fn says(value: &[u8]) -> bool {
    !matches!(value, b"null" | b"false" | b"\"\"" | b"{}" | b"[]")
}

/// A value, unless it is null.
fn given(value: &[u8]) -> Option<&[u8]> {
    (value != b"null").then_some(value)
}

/// A text as it is written between its quotes; an empty one where something else stands there.
fn text<'a>(walk: &mut Walk<'a>) -> Option<&'a [u8]> {
    if walk.peek()? == b'"' {
        return walk.text();
    }
    walk.value().map(|_| &b""[..])
}

impl<'a> ResponsesScan<'a> {
    /// Of the data of an event; `None` where they are no JSON object.
    pub(super) fn of(json: &'a [u8]) -> Option<Self> {
        let mut scan = Self::default();
        let mut walk = Walk::new(json);
        walk.object(|walk, name| {
            match name {
                b"type" => {
                    let kind = text(walk)?;
                    scan.kind = ResponsesKind::of(&unescaped(kind));
                }
                b"delta" => scan.delta = text(walk)?,
                b"output_index" => scan.index = given(walk.value()?).map(count),
                b"content_index" | b"summary_index" => scan.part_index = count(walk.value()?),
                b"item" => scan.item = given(walk.value()?),
                b"part" => scan.part = given(walk.value()?),
                b"annotation" => scan.annotation = given(walk.value()?),
                b"response" => scan.response = given(walk.value()?),
                b"sequence_number" => scan.sequence = count(walk.value()?),
                b"error" => scan.has_error |= says(walk.value()?),
                _ => drop(walk.value()?),
            }
            Some(())
        })?;
        walk.peek().is_none().then_some(scan)
    }
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ScannedKind {
    /// One that is none of these.
    #[default]
    Other,
    /// A message of the model.
    Message,
    /// What the model thought.
    Reasoning,
    /// A function is called.
    Call,
    /// A tool is called that takes a text.
    CustomCall,
    /// A picture is made.
    Image,
}

/// The fields of an item of an output, texts as they are written between their quotes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ScannedItem<'a> {
    pub(super) kind: ScannedKind,
    pub(super) id: &'a [u8],
    pub(super) call_id: &'a [u8],
    pub(super) name: &'a [u8],
    pub(super) arguments: &'a [u8],
    pub(super) input: &'a [u8],
    pub(super) encrypted: &'a [u8],
    pub(super) result: &'a [u8],
    pub(super) format: &'a [u8],
    content: Option<&'a [u8]>,
    summary: Option<&'a [u8]>,
}

impl<'a> ScannedItem<'a> {
    /// Of an item as it is written.
    pub(super) fn of(json: &'a [u8]) -> Option<Self> {
        let mut item = Self::default();
        Walk::new(json).object(|walk, name| {
            let field = match name {
                b"type" => {
                    item.kind = match &*unescaped(text(walk)?) {
                        b"message" => ScannedKind::Message,
                        b"reasoning" => ScannedKind::Reasoning,
                        b"function_call" => ScannedKind::Call,
                        b"custom_tool_call" => ScannedKind::CustomCall,
                        b"image_generation_call" => ScannedKind::Image,
                        _ => ScannedKind::Other,
                    };
                    return Some(());
                }
                b"content" => {
                    item.content = given(walk.value()?);
                    return Some(());
                }
                b"summary" => {
                    item.summary = given(walk.value()?);
                    return Some(());
                }
                b"id" => &mut item.id,
                b"call_id" => &mut item.call_id,
                b"name" => &mut item.name,
                b"arguments" => &mut item.arguments,
                b"input" => &mut item.input,
                b"encrypted_content" => &mut item.encrypted,
                b"result" => &mut item.result,
                b"output_format" => &mut item.format,
                _ => return walk.value().map(drop),
            };
            *field = text(walk)?;
            Some(())
        })?;
        Some(item)
    }

    /// The parts of a message.
    pub(super) fn each_part(&self, each: impl FnMut(&ScannedPart<'a>)) {
        each_part(self.content, each);
    }

    /// The parts of what was thought: of the summary, where there is one, else the thought itself.
    pub(super) fn each_thought(&self, mut each: impl FnMut(&'a [u8])) {
        let mut has_summary = false;
        each_part(self.summary, |part| {
            has_summary = true;
            each(part.text);
        });
        if !has_summary {
            each_part(self.content, |part| each(part.text));
        }
    }

    /// Adds what it says.
    pub(super) fn weigh(&self, tally: &mut Tally) {
        let mut said = Tally::default();
        match self.kind {
            ScannedKind::Message => self.each_part(|part| {
                said.add_text(part.text);
                said.add_text(part.refusal);
            }),
            ScannedKind::Reasoning => self.each_thought(|text| said.add_thought(text)),
            ScannedKind::Call | ScannedKind::CustomCall => {
                said.add_plain(self.name);
                said.add_plain(self.arguments);
                said.add_plain(self.input);
            }
            ScannedKind::Image if !self.result.is_empty() => said.add_picture(),
            ScannedKind::Image | ScannedKind::Other => {}
        }
        tally.add_event(&said);
    }
}

/// A part of a message or of a thought.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ScannedPart<'a> {
    pub(super) is_refusal: bool,
    pub(super) text: &'a [u8],
    pub(super) refusal: &'a [u8],
    pub(super) annotations: Option<&'a [u8]>,
}

impl<'a> ScannedPart<'a> {
    fn read(walk: &mut Walk<'a>) -> Option<Self> {
        let mut part = Self::default();
        walk.object(|walk, name| {
            match name {
                b"type" => part.is_refusal = text(walk)? == b"refusal",
                b"text" => part.text = text(walk)?,
                b"refusal" => part.refusal = text(walk)?,
                b"annotations" => part.annotations = given(walk.value()?),
                _ => drop(walk.value()?),
            }
            Some(())
        })?;
        Some(part)
    }

    /// Of a part as it is written.
    pub(super) fn of(json: &'a [u8]) -> Option<Self> {
        Self::read(&mut Walk::new(json))
    }
}

fn each_part<'a>(list: Option<&'a [u8]>, mut each: impl FnMut(&ScannedPart<'a>)) {
    each_object(list, |walk| {
        each(&ScannedPart::read(walk)?);
        Some(())
    });
}

/// Gives the objects of a list to `each`, which must step over them; ends at what is no JSON.
pub(super) fn each_object<'a>(
    list: Option<&'a [u8]>,
    mut each: impl FnMut(&mut Walk<'a>) -> Option<()>,
) {
    let mut walk = Walk::new(list.unwrap_or_default());
    if walk.peek() != Some(b'[') {
        return;
    }
    walk.array(|walk| {
        if walk.peek()? == b'{' {
            return each(walk);
        }
        walk.value().map(drop)
    });
}

/// The place of an annotation.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ResponsesPlace<'a> {
    pub(super) url: &'a [u8],
    pub(super) title: &'a [u8],
}

impl<'a> ResponsesPlace<'a> {
    fn read(walk: &mut Walk<'a>) -> Option<Self> {
        let mut place = Self::default();
        walk.object(|walk, name| {
            match name {
                b"url" => place.url = text(walk)?,
                b"title" => place.title = text(walk)?,
                _ => drop(walk.value()?),
            }
            Some(())
        })?;
        Some(place)
    }

    /// Of an annotation as it is written; `None` where it names no address.
    pub(super) fn of(json: &'a [u8]) -> Option<Self> {
        Self::read(&mut Walk::new(json)).filter(|place| !place.url.is_empty())
    }

    /// Those of a part.
    pub(super) fn each(list: Option<&'a [u8]>, mut each: impl FnMut(Self)) {
        each_object(list, |walk| {
            let place = Self::read(walk)?;
            if !place.url.is_empty() {
                each(place);
            }
            Some(())
        });
    }
}

/// The fields of a response that matter, values as they are written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Response<'a> {
    /// Between its quotes.
    pub(super) id: &'a [u8],
    /// With its quotes.
    pub(super) model: &'a [u8],
    pub(super) created: &'a [u8],
    /// Between its quotes.
    pub(super) status: &'a [u8],
    /// Why it is incomplete, between its quotes.
    pub(super) reason: &'a [u8],
    tier: &'a [u8],
    pub(super) output: Option<&'a [u8]>,
    pub(super) counts: Counts,
    pub(super) has_usage: bool,
}

impl<'a> Response<'a> {
    /// Of a response as it is written; `None` where it is no JSON object.
    pub(super) fn of(json: &'a [u8]) -> Option<Self> {
        let mut response = Self::default();
        let mut walk = Walk::new(json);
        walk.object(|walk, name| response.take(walk, name))?;
        walk.peek().is_none().then_some(response)
    }

    fn take(&mut self, walk: &mut Walk<'a>, name: &[u8]) -> Option<()> {
        match name {
            b"id" => self.id = text(walk)?,
            b"model" => self.model = walk.value()?,
            b"created_at" => self.created = walk.value()?,
            b"status" => self.status = text(walk)?,
            b"service_tier" => self.tier = text(walk)?,
            b"output" => self.output = given(walk.value()?),
            b"usage" if walk.peek()? == b'{' => {
                self.has_usage = true;
                self.counts = Counts::read(walk)?;
            }
            b"incomplete_details" if walk.peek()? == b'{' => walk.object(|walk, name| {
                match name {
                    b"reason" => self.reason = text(walk)?,
                    _ => drop(walk.value()?),
                }
                Some(())
            })?,
            _ => drop(walk.value()?),
        }
        Some(())
    }

    /// Gives every item of the output to `each`, with its place in it.
    pub(super) fn each_item(&self, mut each: impl FnMut(u64, &ScannedItem<'a>)) {
        let mut index = 0;
        let mut walk = Walk::new(self.output.unwrap_or_default());
        if walk.peek() != Some(b'[') {
            return;
        }
        walk.array(|walk| {
            if let Some(item) = ScannedItem::of(walk.value()?) {
                each(index, &item);
            }
            index += 1;
            Some(())
        });
    }

    /// Notes the tier that it was served at, where that is a word.
    pub(super) fn note_tier(&self, facts: &mut Facts) {
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if (1..=TIER_BYTES_MAX).contains(&self.tier.len())
            && self.tier.iter().all(is_word)
            && let Ok(word) = std::str::from_utf8(self.tier)
        {
            facts.note(Fact::Tier, word);
        }
    }

    /// The tier as it is told.
    pub(super) fn tier(&self) -> Option<String> {
        let mut facts = Facts::none();
        self.note_tier(&mut facts);
        facts.get(Fact::Tier).map(str::to_owned)
    }
}

/// Items of an output that were told already, by their places; those far behind are one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Marks(u128);

impl Marks {
    fn bit(index: u64) -> u128 {
        1 << index.min(127)
    }

    pub(super) fn set(&mut self, index: u64) {
        self.0 |= Self::bit(index);
    }

    pub(super) fn has(self, index: u64) -> bool {
        self.0 & Self::bit(index) != 0
    }
}
