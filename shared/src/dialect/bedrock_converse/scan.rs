//! One pass over an event or an answer of Converse: what it says, where it stands, and what it counts.
//! Makes no values; texts stay as they are written between their quotes.

use crate::dialect::counts::Counts;
use crate::dialect::tally::Tally;
use crate::dialect::typed_meter::{TypedMark, TypedStep};
use crate::dialect::walk::{Walk, count};
use crate::fault::{Fault, FaultKind};
use crate::units::MEASURE_MAX;

/// Why an answer ends that is none: what the model wrote could not be read.
const MALFORMED: [&[u8]; 2] = [b"malformed_model_output", b"malformed_tool_use"];

/// An event. Its name is not needed: each has fields of its own.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ConverseScan<'a> {
    /// Whose message begins.
    pub(super) has_role: bool,
    pub(super) index: Option<u64>,
    pub(super) start: Option<ConverseStart<'a>>,
    pub(super) delta: Option<ConverseDelta<'a>>,
    pub(super) stop: Option<&'a [u8]>,
    pub(super) usage: Option<ConverseTold>,
    pub(super) tier: Option<&'a [u8]>,
}

/// How a block begins.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct ConverseStart<'a> {
    pub(super) id: &'a [u8],
    pub(super) name: &'a [u8],
    pub(super) is_tool: bool,
    /// Whether the provider runs the tool itself.
    pub(super) is_theirs: bool,
    /// The format of a picture.
    pub(super) image: Option<&'a [u8]>,
}

/// More of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConverseDelta<'a> {
    Nothing,
    Text(&'a [u8]),
    Thought(&'a [u8]),
    Signature(&'a [u8]),
    Redacted(&'a [u8]),
    Input(&'a [u8]),
    /// Bytes of a picture.
    Image(&'a [u8]),
    /// A citation, as it is written.
    Citation(&'a [u8]),
}

/// What is told of tokens.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct ConverseTold {
    pub(super) counts: Counts,
    /// Of what was written to the cache, what lives an hour.
    pub(super) written_long: u64,
}

impl<'a> ConverseScan<'a> {
    /// `None` where it is no JSON object.
    pub(super) fn of(data: &'a [u8]) -> Option<Self> {
        let mut scan = Self::default();
        let mut walk = Walk::new(data);
        walk.object(|walk, name| scan.field(walk, name))?;
        walk.peek().is_none().then_some(scan)
    }

    fn field(&mut self, walk: &mut Walk<'a>, name: &[u8]) -> Option<()> {
        match (name, walk.peek()?) {
            (b"role", b'"') => {
                walk.text()?;
                self.has_role = true;
            }
            (b"contentBlockIndex", _) => self.index = Some(count(walk.value()?)),
            (b"start", b'{') => self.start = Some(start(walk)?),
            (b"delta", b'{') => self.delta = Some(delta(walk)?),
            (b"stopReason", b'"') => self.stop = Some(walk.text()?),
            (b"usage", b'{') => self.usage = Some(told(walk)?),
            (b"serviceTier", b'{') => self.tier = Some(tier(walk)?),
            _ => drop(walk.value()?),
        }
        Some(())
    }

    /// What it is for billing.
    pub(super) fn step(&self) -> TypedStep<'a> {
        let mut said = Tally::default();
        if let Some(start) = &self.start {
            said.add_plain(start.name);
        }
        match self.delta {
            Some(ConverseDelta::Text(text)) => said.add_text(text),
            Some(ConverseDelta::Thought(text)) => said.add_thought(text),
            Some(ConverseDelta::Input(text)) => said.add_plain(text),
            Some(ConverseDelta::Image(_)) => said.add_picture(),
            Some(
                ConverseDelta::Nothing
                | ConverseDelta::Signature(_)
                | ConverseDelta::Redacted(_)
                | ConverseDelta::Citation(_),
            )
            | None => {}
        }
        let mut step = TypedStep {
            tier: self.tier,
            ..TypedStep::default()
        };
        step.tally.add_event(&said);
        if let Some(told) = self.usage {
            step.counts = told.counts;
            step.written_long = told.written_long;
        }
        step.fault = self.stop.and_then(malformed);
        step.mark = if self.usage.is_some() {
            TypedMark::Last
        } else if self.stop.is_some() {
            TypedMark::Stop
        } else if self.index.is_some() {
            TypedMark::Answer
        } else {
            TypedMark::Beside
        };
        step
    }
}

/// The fault of an answer that could not be read.
pub(super) fn malformed(reason: &[u8]) -> Option<Fault> {
    MALFORMED.contains(&reason).then(|| {
        let why = "what the model wrote could not be read by its provider";
        Fault::new(FaultKind::InvalidAnswer, why)
    })
}

/// Gives each field of the object in a field that is one to `each`, and steps over it.
fn within<'a>(
    walk: &mut Walk<'a>,
    mut each: impl FnMut(&mut Walk<'a>, &[u8]) -> Option<()>,
) -> Option<()> {
    if walk.peek()? != b'{' {
        return walk.value().map(drop);
    }
    walk.object(|walk, name| each(walk, name))
}

/// A text; empty where something else stands.
fn text_or<'a>(walk: &mut Walk<'a>) -> Option<&'a [u8]> {
    if walk.peek()? == b'"' {
        return walk.text();
    }
    walk.value().map(|_| &b""[..])
}

fn start<'a>(walk: &mut Walk<'a>) -> Option<ConverseStart<'a>> {
    let mut start = ConverseStart::default();
    within(walk, |walk, name| match name {
        b"toolUse" => {
            start.is_tool = true;
            within(walk, |walk, name| {
                let text = text_or(walk)?;
                match name {
                    b"toolUseId" => start.id = text,
                    b"name" => start.name = text,
                    b"type" => start.is_theirs = text == b"server_tool_use",
                    _ => {}
                }
                Some(())
            })
        }
        b"image" => within(walk, |walk, name| {
            let text = text_or(walk)?;
            if name == b"format" {
                start.image = Some(text);
            }
            Some(())
        }),
        _ => walk.value().map(drop),
    })?;
    Some(start)
}

fn delta<'a>(walk: &mut Walk<'a>) -> Option<ConverseDelta<'a>> {
    let mut found = ConverseDelta::Nothing;
    within(walk, |walk, name| {
        match name {
            b"text" => found = ConverseDelta::Text(text_or(walk)?),
            b"toolUse" => within(walk, |walk, name| {
                let text = text_or(walk)?;
                if name == b"input" {
                    found = ConverseDelta::Input(text);
                }
                Some(())
            })?,
            b"reasoningContent" => within(walk, |walk, name| {
                let text = text_or(walk)?;
                match name {
                    b"text" => found = ConverseDelta::Thought(text),
                    b"signature" => found = ConverseDelta::Signature(text),
                    b"redactedContent" => found = ConverseDelta::Redacted(text),
                    _ => {}
                }
                Some(())
            })?,
            b"citation" if walk.peek()? == b'{' => {
                found = ConverseDelta::Citation(walk.value()?);
            }
            b"image" => within(walk, |walk, name| {
                if name != b"source" {
                    return walk.value().map(drop);
                }
                within(walk, |walk, name| {
                    let text = text_or(walk)?;
                    if name == b"bytes" {
                        found = ConverseDelta::Image(text);
                    }
                    Some(())
                })
            })?,
            _ => drop(walk.value()?),
        }
        Some(())
    })?;
    Some(found)
}

/// The cache is counted beside the input here, whatever the sum says (AWS, "Prompt caching").
pub(super) fn told(walk: &mut Walk<'_>) -> Option<ConverseTold> {
    let mut told = ConverseTold::default();
    let mut input = 0_u64;
    within(walk, |walk, name| {
        let field = match name {
            b"inputTokens" => &mut input,
            b"outputTokens" => &mut told.counts.output,
            b"cacheReadInputTokens" => &mut told.counts.cached,
            b"cacheWriteInputTokens" => &mut told.counts.written,
            b"cacheDetails" if walk.peek()? == b'[' => {
                return walk.array(|walk| {
                    let long = long(walk)?;
                    told.written_long = told.written_long.saturating_add(long);
                    Some(())
                });
            }
            _ => return walk.value().map(drop),
        };
        *field = (*field).max(count(walk.value()?).min(MEASURE_MAX));
        Some(())
    })?;
    let beside = told.counts.cached.saturating_add(told.counts.written);
    told.counts.input = input.saturating_add(beside).min(MEASURE_MAX);
    Some(told)
}

fn long(walk: &mut Walk<'_>) -> Option<u64> {
    let (mut is_long, mut tokens) = (false, 0);
    within(walk, |walk, name| {
        let value = walk.value()?;
        match name {
            b"ttl" => is_long = value == b"\"1h\"",
            b"inputTokens" => tokens = count(value).min(MEASURE_MAX),
            _ => {}
        }
        Some(())
    })?;
    Some(if is_long { tokens } else { 0 })
}

fn tier<'a>(walk: &mut Walk<'a>) -> Option<&'a [u8]> {
    let mut tier = &b""[..];
    within(walk, |walk, name| {
        let text = text_or(walk)?;
        if name == b"type" {
            tier = text;
        }
        Some(())
    })?;
    Some(tier)
}

/// A whole answer.
#[derive(Debug, Default)]
pub(super) struct ConverseWhole<'a> {
    /// Whether a message stands where answers do.
    pub(super) has_message: bool,
    pub(super) stop: Option<&'a [u8]>,
    pub(super) step: TypedStep<'a>,
}

impl<'a> ConverseWhole<'a> {
    /// `None` where it is no JSON object.
    pub(super) fn of(json: &'a [u8]) -> Option<Self> {
        let mut whole = Self::default();
        let mut walk = Walk::new(json);
        walk.object(|walk, name| whole.field(walk, name))?;
        walk.peek().is_none().then_some(whole)
    }

    fn field(&mut self, walk: &mut Walk<'a>, name: &[u8]) -> Option<()> {
        match name {
            b"output" => within(walk, |walk, name| {
                if name != b"message" {
                    return walk.value().map(drop);
                }
                within(walk, |walk, name| {
                    if name != b"content" || walk.peek()? != b'[' {
                        return walk.value().map(drop);
                    }
                    self.has_message = true;
                    walk.array(|walk| block(walk, &mut self.step.tally))
                })
            }),
            b"stopReason" => {
                self.stop = Some(text_or(walk)?);
                Some(())
            }
            b"usage" => {
                let told = told(walk)?;
                self.step.counts = told.counts;
                self.step.written_long = told.written_long;
                Some(())
            }
            b"serviceTier" => {
                self.step.tier = Some(tier(walk)?);
                Some(())
            }
            _ => walk.value().map(drop),
        }
    }
}

/// Counts what a block of an answer says.
fn block(walk: &mut Walk<'_>, tally: &mut Tally) -> Option<()> {
    within(walk, |walk, name| {
        match name {
            b"text" => tally.add_text(text_or(walk)?),
            b"toolUse" => within(walk, |walk, name| {
                let value = walk.value()?;
                if matches!(name, b"name" | b"input") {
                    tally.add_plain(value);
                }
                Some(())
            })?,
            b"reasoningContent" => within(walk, |walk, name| {
                if name != b"reasoningText" {
                    return walk.value().map(drop);
                }
                within(walk, |walk, name| {
                    let text = text_or(walk)?;
                    if name == b"text" {
                        tally.add_thought(text);
                    }
                    Some(())
                })
            })?,
            b"citationsContent" => within(walk, |walk, name| {
                if name != b"content" || walk.peek()? != b'[' {
                    return walk.value().map(drop);
                }
                walk.array(|walk| block(walk, tally))
            })?,
            b"image" => {
                walk.value()?;
                tally.add_picture();
            }
            _ => drop(walk.value()?),
        }
        Some(())
    })
}
