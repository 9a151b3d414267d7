//! Counts what a stream produced, while its bytes pass, and says what becomes of each event. Pure; one pass
//! over an event, and no allocation for a usual one.
//!
//! Nothing marks the end of a stream: it is whole where every candidate has a `finishReason` when its bytes
//! are over. A reason alone is no end, since some models wrote one into every event.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::events;
use super::scan::GeminiScan;
use super::whole::refusal;
use crate::dialect::event::{Said, said};
use crate::dialect::tally::Tally;
use crate::dialect::text_count::TextCount;
use crate::dialect::walk::Walk;
use crate::dialect::{Metered, StreamError, StreamMeter, Told, Verdict, told};
use crate::fault::{Fault, FaultKind};
use crate::units::{Fact, Facts, Unit, Usage};

/// The running count of one stream.
#[derive(Debug)]
pub(super) struct GeminiMeter {
    count: TextCount,
    /// What was told of how it was served.
    facts: Facts,
    seen: u128,
    finished: u128,
    /// Whether a candidate came, be it an empty one.
    has_answer: bool,
    /// Whether it was ended here, because more came than the call may bring.
    is_stopped: bool,
}

fn fault(told: Told) -> Fault {
    let status = told
        .status
        .map_or(String::new(), |status| format!(" {status}"));
    let code = told.code.or(told.kind).unwrap_or_default();
    let message = told.message;
    let detail = format!("the provider reported an error in the stream:{status} {code} {message}");
    Fault::new(FaultKind::Overloaded, detail)
}

fn broken(told: Told) -> Verdict {
    Verdict::Broken(StreamError {
        fault: fault(told.clone()),
        told: Some(Box::new(told)),
    })
}

/// An error that stands without `data:` before it, as Google breaks streams off.
fn bare_error(event: &[u8]) -> Option<Told> {
    let text = event
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(event)
        .trim_ascii();
    matches!(text.first(), Some(b'{' | b'[')).then(|| told::error_in(text))?
}

impl GeminiMeter {
    /// For a stream of a call.
    pub(super) fn new(of: Metered) -> Self {
        Self {
            count: TextCount::new(of),
            facts: Facts::none(),
            seen: 0,
            finished: 0,
            has_answer: false,
            is_stopped: false,
        }
    }

    fn count(&mut self, scan: &GeminiScan<'_>) {
        scan.note_tier(&mut self.facts);
        self.count.take(scan.counts, &scan.tally);
        self.seen |= scan.seen;
        self.finished |= scan.finished;
        self.has_answer |= scan.candidates > 0;
    }

    /// Ends a stream as its provider would at the maximum; names are those of the event in `data`.
    fn ending(&self, data: &[u8]) -> Bytes {
        let mut end = Map::new();
        let open = (0..128_u32).filter(|index| {
            let bit = 1_u128 << index;
            (self.seen & bit != 0 || self.seen == 0 && *index == 0) && self.finished & bit == 0
        });
        let candidates: Value = open
            .map(|index| {
                json!({
                    "content": {"parts": [{"text": ""}], "role": "model"},
                    "finishReason": "MAX_TOKENS", "index": index
                })
            })
            .collect();
        end.insert("candidates".to_owned(), candidates);
        let mut usage = self.usage();
        if let Some(bounds) = self.count.of.bounds {
            let surplus = usage.output_total().saturating_sub(bounds.output_max);
            usage.cut_from([Unit::OutputToken, Unit::ReasoningToken], surplus);
        }
        let tier = self.facts.get(Fact::Tier);
        end.insert("usageMetadata".to_owned(), events::usage(&usage, tier));
        // Ends at what is no JSON, with what was found before.
        Walk::new(data).object(|walk, name| {
            let value = walk.value()?;
            if matches!(name, b"modelVersion" | b"responseId" | b"createTime")
                && let (Ok(name), Ok(value)) = (
                    std::str::from_utf8(name),
                    serde_json::from_slice::<String>(value),
                )
            {
                end.insert(name.to_owned(), value.into());
            }
            Some(())
        });
        format!("data: {}\n\n", Value::Object(end)).into()
    }

    /// What becomes of an event that is no object.
    fn other(event: &[u8], data: &[u8]) -> Verdict {
        let found = if data.is_empty() {
            bare_error(event)
        } else {
            told::error_in(data)
        };
        match found {
            Some(told) => broken(told),
            // Blank lines say nothing; comments and marks of an end are what Google's clients stumble over.
            None if event.trim_ascii().is_empty() => Verdict::Pass,
            None => Verdict::Hide,
        }
    }
}

/// The event without lines before its data, which Google's clients take for a broken answer.
fn passed(event: &[u8], said: &Said<'_>) -> Verdict {
    let line = said.at.and_then(|at| {
        let before = event.get(..at)?;
        Some(memchr::memrchr2(b'\n', b'\r', before).map_or(said.marked, |end| end + 1))
    });
    match line {
        Some(from) if from > 0 => Verdict::Without(0..from),
        _ => Verdict::Pass,
    }
}

impl StreamMeter for GeminiMeter {
    fn event(&mut self, event: &[u8]) -> Verdict {
        let said = said(event);
        let data = &*said.data;
        let mut scan = GeminiScan::default();
        if self.is_stopped {
            // Behind the end only counts are of use.
            scan.read(data);
            scan.tally = Tally::default();
            self.count(&scan);
            return Verdict::Hide;
        }
        if said.is_error {
            let told = told::error_in(data).unwrap_or_default();
            return broken(told);
        }
        if data.first() != Some(&b'{') {
            return Self::other(event, data);
        }
        if !scan.read(data) {
            let why = "an event is no JSON";
            return Verdict::Broken(Fault::new(FaultKind::InvalidAnswer, why).into());
        }
        // Something stands where errors stand, or where answers stand there is nothing.
        if (scan.may_be_error || scan.candidates == 0 && !scan.has_usage)
            && let Some(told) = told::error_in(data)
        {
            return broken(told);
        }
        if let Some(told) = refusal(&scan) {
            let refused = Fault::new(FaultKind::ContentPolicy, told.message);
            return Verdict::Broken(refused.into());
        }
        let was_over = self.count.is_over();
        self.count(&scan);
        // What follows a part that went beyond the bound does not pass; that part itself may be all there
        // is, and its count may follow it.
        if !scan.tally.is_nothing() && (was_over || self.count.is_told_over()) {
            self.is_stopped = true;
            return Verdict::Enough(self.ending(data));
        }
        passed(event, &said)
    }

    fn is_done(&self) -> bool {
        self.is_stopped
    }

    fn ended_by(&self, _: &[u8]) -> Option<&'static [u8]> {
        None
    }

    fn is_complete(&self, event: &[u8]) -> bool {
        let data = said(event).data;
        let is_object = || serde_json::from_slice::<serde::de::IgnoredAny>(&data).is_ok();
        (data.first() == Some(&b'{') && is_object())
            || (data.is_empty() && bare_error(event).is_some())
    }

    fn passed(&self) -> u64 {
        self.count.passed()
    }

    fn is_told(&self) -> bool {
        self.count.is_told()
    }

    fn is_whole(&self) -> bool {
        self.is_stopped || (self.seen != 0 && self.seen == self.finished)
    }

    fn missing(&self) -> Option<Fault> {
        if !self.is_whole() {
            let why = "the stream ended without a finishReason";
            return Some(Fault::new(FaultKind::Interrupted, why));
        }
        let is_empty = !self.has_answer && self.count.is_nothing();
        is_empty.then(|| Fault::new(FaultKind::InvalidAnswer, "the stream holds no answer"))
    }

    fn end(&self) -> &'static [u8] {
        b""
    }

    fn usage(&self) -> Usage {
        if self.count.is_nothing() && !self.count.has_told() && self.finished == 0 {
            return Usage::default().as_estimate();
        }
        let mut usage = self.count.usage(self.is_stopped);
        usage.facts = self.facts.clone();
        usage
    }
}

#[cfg(test)]
mod tests;
