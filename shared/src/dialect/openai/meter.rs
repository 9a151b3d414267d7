//! Counts what a stream produced, while its bytes pass, and says what becomes of each event. Pure; one pass
//! over an event, and no allocation for a usual one.

use std::fmt::Write;

use bytes::Bytes;

use super::events::DONE;
use super::scan::{Kind, Scan};
use super::{Chunk, Shape};
use crate::dialect::event::{Said, said};
use crate::dialect::tally::Tally;
use crate::dialect::text_count::TextCount;
use crate::dialect::walk::Walk;
use crate::dialect::{Metered, StreamError, StreamMeter, Told, Verdict, told};
use crate::fault::{Fault, FaultKind};
use crate::units::{Facts, Unit, Usage};

/// What ends a stream of texts, and some others.
const END: &[u8] = b"[DONE]";

/// How far a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Open,
    /// Its pictures are made.
    Completed,
    /// The event that ends it came.
    Done,
    /// It was ended here, because more came than the call may bring.
    Stopped,
}

/// The running count of one stream.
#[derive(Debug)]
pub(crate) struct EventMeter {
    count: TextCount,
    shape: Shape,
    /// What was told of how it was served.
    facts: Facts,
    images: u64,
    seen: u128,
    finished: u128,
    /// Whether anything came beside usage and the end.
    has_answer: bool,
    stage: Stage,
}

fn fault(told: Option<Told>) -> Fault {
    let detail = match told {
        Some(told) => {
            let code = told.code.or(told.kind).unwrap_or_default();
            let status = told
                .status
                .map_or(String::new(), |status| format!(" {status}"));
            let message = told.message;
            format!("the provider reported an error in the stream:{status} {code} {message}")
        }
        None => "the provider reported an error in the stream".to_owned(),
    };
    Fault::new(FaultKind::Overloaded, detail)
}

fn broken(told: Option<Told>) -> Verdict {
    Verdict::Broken(StreamError::told(told, fault))
}

impl EventMeter {
    /// For a stream of a call.
    pub(crate) fn new(of: Metered, shape: Shape) -> Self {
        Self {
            count: TextCount::new(of),
            shape,
            facts: Facts::none(),
            images: 0,
            seen: 0,
            finished: 0,
            has_answer: false,
            stage: Stage::Open,
        }
    }

    fn chunk(&self) -> Option<Chunk> {
        match self.shape {
            Shape::Choices(chunk) => Some(chunk),
            Shape::Vectors | Shape::Pictures(_) | Shape::Verdicts => None,
        }
    }

    fn count(&mut self, scan: &Scan, data: &[u8]) {
        scan.note_tier(data, &mut self.facts);
        self.count.take(scan.counts, &scan.tally);
        self.seen |= scan.seen;
        self.finished |= scan.finished;
        self.has_answer |= scan.has_fields && (scan.choices > 0 || !scan.has_usage);
        if scan.kind == Kind::Completed {
            self.stage = self.stage.max(Stage::Completed);
        }
        let is_picture =
            scan.kind == Kind::PartDone || (scan.kind == Kind::Completed && scan.has_picture);
        self.images += u64::from(is_picture);
        // The only event of a picture counts too.
        self.has_answer |= is_picture;
    }

    /// Ends a stream as its provider would at the maximum; names are those of the chunk in `data`.
    fn ending(&self, data: &[u8], chunk: Chunk) -> Bytes {
        let mut head = String::new();
        let mut walk = Walk::new(data);
        // Ends at what is no JSON, with what was found before.
        walk.object(|walk, name| {
            let value = walk.value()?;
            if matches!(name, b"id" | b"created" | b"model")
                && let (Ok(name), Ok(value)) =
                    (std::str::from_utf8(name), std::str::from_utf8(value))
            {
                let _ = write!(head, "\"{name}\":{value},");
            }
            Some(())
        });
        let object = format!("\"object\":\"{}\"", chunk.object);
        let open = (0..128_u32).filter(|index| {
            let bit = 1_u128 << index;
            (self.seen & bit != 0 || self.seen == 0 && *index == 0) && self.finished & bit == 0
        });
        let choices: Vec<String> = open
            .map(|index| {
                let nothing = chunk.nothing;
                format!("{{\"index\":{index},{nothing},\"finish_reason\":\"length\"}}")
            })
            .collect();
        let mut text = String::new();
        if !choices.is_empty() {
            let choices = choices.join(",");
            let _ = write!(text, "data: {{{head}{object},\"choices\":[{choices}]}}\n\n");
        }
        if self.count.of.show_usage {
            let usage = self.usage();
            let paid = self
                .count
                .of
                .bounds
                .map_or(u64::MAX, |bounds| bounds.output_max);
            let (input, output) = (usage.input_total(), usage.output_total().min(paid));
            let sum = input.saturating_add(output);
            let _ = write!(
                text,
                "data: {{{head}{object},\"choices\":[],\"usage\":{{\"prompt_tokens\":{input},\
                 \"completion_tokens\":{output},\"total_tokens\":{sum}}}}}\n\n"
            );
        }
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(DONE);
        bytes.into()
    }
}

impl StreamMeter for EventMeter {
    fn event(&mut self, event: &[u8]) -> Verdict {
        let said = said(event);
        let data = &*said.data;
        let pass = if said.marked > 0 {
            Verdict::Without(0..said.marked)
        } else {
            Verdict::Pass
        };
        if self.is_done() {
            // Behind the end only counts are of use.
            let mut scan = Scan::default();
            scan.read(data);
            scan.tally = Tally::default();
            self.count(&scan, data);
            return Verdict::Hide;
        }
        if data == END {
            self.stage = Stage::Done;
            return pass;
        }
        if said.is_error {
            return broken(told::error_in(data));
        }
        if data.first() != Some(&b'{') {
            // A comment, or what clients that read objects stumble over.
            return match told::error_in(data) {
                Some(told) => broken(Some(told)),
                None if data.is_empty() => pass,
                None => Verdict::Hide,
            };
        }
        let mut scan = Scan::default();
        if !scan.read(data) {
            let why = "an event is no JSON";
            return Verdict::Broken(Fault::new(FaultKind::InvalidAnswer, why).into());
        }
        // Something stands where errors stand, or where answers stand there is nothing.
        let is_bare = scan.choices == 0 && !scan.has_usage && scan.kind == Kind::Other;
        let is_part = scan.kind == Kind::Part;
        if (scan.may_be_error || scan.broke || is_bare)
            && !is_part
            && let found @ Some(_) = told::error_in(data)
        {
            return broken(found);
        }
        if scan.broke {
            return broken(None);
        }
        let was_over = self.chunk().is_some() && self.count.is_over();
        self.count(&scan, data);
        // What follows a part that went beyond the bound does not pass; that part itself may be all there
        // is, and its count may follow it.
        let is_over = was_over || self.count.is_told_over();
        if !scan.tally.is_nothing()
            && is_over
            && let Some(chunk) = self.chunk()
        {
            self.stage = Stage::Stopped;
            return Verdict::Enough(self.ending(data, chunk));
        }
        if self.count.of.show_usage || self.chunk().is_none() {
            return pass;
        }
        if scan.choices == 0 && scan.has_usage && scan.tally.is_nothing() {
            return Verdict::Hide;
        }
        match (pass, scan.no_usage) {
            (Verdict::Pass, Some(null)) => without_usage(event, &said, null),
            (pass, _) => pass,
        }
    }

    fn ended_by(&self, unfinished: &[u8]) -> Option<&'static [u8]> {
        let line = unfinished.strip_suffix(b"\n").map(<[u8]>::trim_ascii_end);
        let data = line.and_then(|line| line.strip_prefix(b"data:"))?;
        (data.trim_ascii() == END).then_some(DONE)
    }

    fn is_complete(&self, event: &[u8]) -> bool {
        let data = said(event).data;
        let is_object = || serde_json::from_slice::<serde::de::IgnoredAny>(&data).is_ok();
        &*data == END || (data.first() == Some(&b'{') && is_object())
    }

    fn is_done(&self) -> bool {
        self.stage >= Stage::Done
    }

    fn passed(&self) -> u64 {
        self.count.passed()
    }

    fn is_told(&self) -> bool {
        self.count.is_told()
    }

    fn is_whole(&self) -> bool {
        self.stage >= Stage::Completed || (self.seen != 0 && self.seen == self.finished)
    }

    fn end(&self) -> &'static [u8] {
        if self.chunk().is_some() { DONE } else { b"" }
    }

    fn missing(&self) -> Option<Fault> {
        if !self.is_whole() {
            let why = "the stream ended without a finish_reason or [DONE]";
            return Some(Fault::new(FaultKind::Interrupted, why));
        }
        let is_empty = !self.has_answer && self.count.is_nothing();
        is_empty.then(|| Fault::new(FaultKind::InvalidAnswer, "the stream holds no answer"))
    }

    fn usage(&self) -> Usage {
        let mut usage = if matches!(self.shape, Shape::Pictures(_)) {
            let mut made = self.count.told();
            made.set(Unit::Image, made.count(Unit::Image).max(self.images));
            self.count.believed(made)
        } else if self.count.is_nothing() && !self.count.has_told() && self.finished == 0 {
            return Usage::default().as_estimate();
        } else {
            self.count.usage(self.stage == Stage::Stopped)
        };
        usage.facts = self.facts.clone();
        usage
    }
}

/// The event without `"usage":null`, which nobody asked for; as it is where that does not stand plainly.
fn without_usage(event: &[u8], said: &Said<'_>, (from, to): (usize, usize)) -> Verdict {
    const NAME: &[u8] = b"\"usage\"";
    let cut = || {
        let at = said.at?;
        let before = event.get(..at + from)?.trim_ascii_end();
        let before = before.strip_suffix(b":")?.trim_ascii_end();
        let before = before.strip_suffix(NAME)?;
        let trimmed = before.trim_ascii_end();
        if let Some(shorter) = trimmed.strip_suffix(b",") {
            return Some(shorter.len()..at + to);
        }
        // The first of its object: the comma behind it goes, where there is one.
        let behind = event.get(at + to..)?;
        let comma = behind.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let more = usize::from(behind[comma] == b',') * (comma + 1);
        Some(before.len()..at + to + more)
    };
    cut().map_or(Verdict::Pass, Verdict::Without)
}

#[cfg(test)]
mod image_tests;
#[cfg(test)]
mod tests;
