//! Counts what a stream produced, while its bytes pass, and says what becomes of each event. Pure; one pass
//! over an event, and no allocation for a usual one.

use std::fmt::Write;

use bytes::Bytes;

use super::counts::{Counts, believe};
use super::events::DONE;
use super::scan::{Kind, Scan, Tally};
use super::{Chunk, Shape, told, whole};
use crate::dialect::event::{Said, said};
use crate::dialect::walk::Walk;
use crate::dialect::{Metered, StreamMeter, Told, Verdict};
use crate::fault::{Fault, FaultKind};
use crate::units::{Facts, Unit, Usage};

/// What ends a stream of texts, and some others.
const END: &[u8] = b"[DONE]";
/// Empty parts and the first ones beside the text: a stream is not stopped for these.
const EVENTS_SLACK: u64 = 16;

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
    of: Metered,
    shape: Shape,
    told: Counts,
    /// What was told of how it was served.
    facts: Facts,
    /// All that was said.
    all: Tally,
    /// What was said after the last report that counts output.
    uncovered: Tally,
    images: u64,
    seen: u128,
    finished: u128,
    /// Whether anything came beside usage and the end.
    has_answer: bool,
    stage: Stage,
}

fn broken(told: Option<Told>) -> Fault {
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

impl EventMeter {
    /// For a stream of a call.
    pub(crate) fn new(of: Metered, shape: Shape) -> Self {
        Self {
            of,
            shape,
            told: Counts::default(),
            facts: Facts::none(),
            all: Tally::default(),
            uncovered: Tally::default(),
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
            Shape::Vectors | Shape::Pictures | Shape::Verdicts => None,
        }
    }

    fn count(&mut self, scan: &Scan, data: &[u8]) {
        scan.note_tier(data, &mut self.facts);
        self.told.merge(scan.counts);
        self.all.add(&scan.tally);
        if scan.counts.output > 0 {
            self.uncovered = Tally::default();
        } else {
            self.uncovered.add(&scan.tally);
        }
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

    /// Whether what came so far is more than is paid for. What the provider tells is exact. An estimate must
    /// be half above the bound with more parts than tokens are allowed, since a part is a token at least
    /// and four bytes a token count prose too high; or twice above it, however it came.
    fn is_over(&self) -> bool {
        let (Some(bounds), Some(_)) = (self.of.bounds, self.chunk()) else {
            return false;
        };
        // Input that is repeated is no output, however it is cut.
        let max = bounds.output_max.saturating_add(self.of.echoed);
        if self.uncovered.is_nothing() {
            return false;
        }
        let parts = self.told.output + self.uncovered.events();
        let weight = self.told.output + self.uncovered.by_weight();
        let half_above = max.saturating_add(max / 2).saturating_add(EVENTS_SLACK);
        let twice = max.saturating_mul(2).saturating_add(4 * EVENTS_SLACK);
        (parts > max.saturating_add(EVENTS_SLACK) && weight > half_above) || weight > twice
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
        if self.of.show_usage {
            let usage = self.usage();
            let paid = self.of.bounds.map_or(u64::MAX, |bounds| bounds.output_max);
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

    fn consumed(&self) -> Usage {
        let said = (&self.uncovered, &self.all);
        let mut usage = whole::consumed(&self.of, self.shape, self.told, said, true);
        usage.facts = self.facts.clone();
        usage
    }

    fn believed(&self, mut usage: Usage) -> Usage {
        if let Some(bounds) = &self.of.bounds {
            believe(&mut usage, bounds, self.all.most());
        }
        usage
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
            return Verdict::Broken(broken(told::error_in(data)));
        }
        if data.first() != Some(&b'{') {
            // A comment, or what clients that read objects stumble over.
            return match told::error_in(data) {
                Some(told) => Verdict::Broken(broken(Some(told))),
                None if data.is_empty() => pass,
                None => Verdict::Hide,
            };
        }
        let mut scan = Scan::default();
        if !scan.read(data) {
            let why = "an event is no JSON";
            return Verdict::Broken(Fault::new(FaultKind::InvalidAnswer, why));
        }
        // Something stands where errors stand, or where answers stand there is nothing.
        let is_bare = scan.choices == 0 && !scan.has_usage && scan.kind == Kind::Other;
        let is_part = scan.kind == Kind::Part;
        if (scan.may_be_error || scan.broke || is_bare)
            && !is_part
            && let found @ Some(_) = told::error_in(data)
        {
            return Verdict::Broken(broken(found));
        }
        if scan.broke {
            return Verdict::Broken(broken(None));
        }
        let was_over = self.is_over();
        self.count(&scan, data);
        // What follows a part that went beyond the bound does not pass; that part itself may be all there
        // is, and its count may follow it.
        let is_told_over = self
            .of
            .bounds
            .is_some_and(|bounds| self.told.output > bounds.output_max);
        if !scan.tally.is_nothing()
            && (was_over || is_told_over)
            && let Some(chunk) = self.chunk()
        {
            self.stage = Stage::Stopped;
            return Verdict::Enough(self.ending(data, chunk));
        }
        if self.of.show_usage || self.chunk().is_none() {
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
        let output = self.all.output(true).saturating_sub(self.of.echoed);
        output + self.all.reasoning(true)
    }

    fn is_told(&self) -> bool {
        self.told.output > 0 && self.uncovered.is_nothing()
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
        let is_empty = !self.has_answer && self.all.is_nothing();
        is_empty.then(|| Fault::new(FaultKind::InvalidAnswer, "the stream holds no answer"))
    }

    fn usage(&self) -> Usage {
        let mut usage = self.consumed();
        if matches!(self.shape, Shape::Pictures) {
            usage.set(Unit::Image, usage.count(Unit::Image).max(self.images));
            return self.believed(usage);
        }
        let is_empty = self.all.is_nothing() && self.told.output == 0;
        if is_empty && self.finished == 0 {
            return Usage::default().as_estimate();
        }
        if let (true, Some(bounds)) = (self.stage != Stage::Stopped, self.of.bounds) {
            // What only an estimate makes too much was not too much.
            let told = self.told.output;
            let most = bounds.output_max.max(told);
            let surplus = usage.output_total().saturating_sub(most);
            usage.cut_from([Unit::OutputToken, Unit::ReasoningToken], surplus);
        }
        self.believed(usage)
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
