//! Counts what a stream of a response produced, while its events pass, and says what becomes of each. One
//! pass over an event.

mod follow;

use self::follow::Follow;
use super::scan::{Marks, Response, ResponsesKind, ResponsesScan, ScannedItem};
use super::told::fault;
use crate::dialect::event::said;
use crate::dialect::tally::Tally;
use crate::dialect::text_count::TextCount;
use crate::dialect::{Metered, StreamError, StreamMeter, Told, Verdict, told};
use crate::fault::{Fault, FaultKind};
use crate::units::{Facts, Usage};

/// What some put behind the last event; OpenAI does not.
const DONE: &[u8] = b"[DONE]";

/// How far a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    /// The response came whole, as long as it was to be.
    Done,
    /// What ends a connection came before the response was whole.
    Cut,
    /// It was ended here, because more came than the call may bring.
    Stopped,
}

/// The running count of one stream.
#[derive(Debug)]
pub(super) struct ResponseMeter {
    count: TextCount,
    facts: Facts,
    /// Items whose texts were counted as they came.
    counted: Marks,
    /// Whether anything was answered.
    has_answer: bool,
    stage: Stage,
    /// Where the call has a bound: what it takes to end it there.
    follow: Option<Follow>,
    /// The place of the item that was begun last.
    last_index: u64,
}

impl ResponseMeter {
    /// For a stream of a call.
    pub(super) fn new(of: Metered) -> Self {
        Self {
            follow: of.bounds.map(|_| Follow::new()),
            count: TextCount::new(of),
            facts: Facts::none(),
            counted: Marks::default(),
            has_answer: false,
            stage: Stage::Open,
            last_index: 0,
        }
    }

    /// Takes what an event says; returns whether it said more of the answer.
    fn take(&mut self, scan: &ResponsesScan<'_>) -> bool {
        let mut said = Tally::default();
        let index = scan.index.unwrap_or(self.last_index);
        match scan.kind {
            ResponsesKind::Text | ResponsesKind::Refusal => said.add_text(scan.delta),
            ResponsesKind::Summary | ResponsesKind::Thought => said.add_thought(scan.delta),
            ResponsesKind::Arguments | ResponsesKind::Input => said.add_plain(scan.delta),
            ResponsesKind::ItemAdded => {
                self.last_index = index;
                if let Some(item) = scan.item.and_then(ScannedItem::of) {
                    // Its arguments follow, or come whole at its end.
                    said.add_plain(item.name);
                }
            }
            ResponsesKind::ItemDone => {
                self.has_answer = true;
                return self.take_whole(scan, index);
            }
            ResponsesKind::None
            | ResponsesKind::Other
            | ResponsesKind::Begun
            | ResponsesKind::PartAdded
            | ResponsesKind::PartDone
            | ResponsesKind::SummaryAdded
            | ResponsesKind::SummaryDone
            | ResponsesKind::Annotation
            | ResponsesKind::Completed
            | ResponsesKind::Incomplete
            | ResponsesKind::Failed
            | ResponsesKind::Error => return false,
        }
        if said.is_nothing() {
            return false;
        }
        if scan.kind != ResponsesKind::ItemAdded {
            self.counted.set(index);
        }
        let mut tally = Tally::default();
        tally.add_event(&said);
        self.has_answer = true;
        self.count.take(<_>::default(), &tally);
        true
    }

    /// An item at its end: what it says, where that did not come before.
    fn take_whole(&mut self, scan: &ResponsesScan<'_>, index: u64) -> bool {
        let mut tally = Tally::default();
        if !self.counted.has(index)
            && let Some(item) = scan.item.and_then(ScannedItem::of)
        {
            item.weigh(&mut tally);
            self.counted.set(index);
        }
        self.count.take(<_>::default(), &tally);
        !tally.is_nothing()
    }

    /// The response as the last events tell it: its usage, and items that did not come before.
    fn take_response(&mut self, scan: &ResponsesScan<'_>) {
        let Some(response) = scan.response.and_then(Response::of) else {
            return;
        };
        response.note_tier(&mut self.facts);
        let mut tally = Tally::default();
        response.each_item(|index, item| {
            self.has_answer = true;
            if !self.counted.has(index) {
                self.counted.set(index);
                item.weigh(&mut tally);
            }
        });
        // What is told at the end covers what comes with it.
        self.count.take(<_>::default(), &tally);
        self.count.take(response.counts, &Tally::default());
    }

    fn judge(&mut self, scan: &ResponsesScan<'_>, data: &[u8]) -> Option<Verdict> {
        let broken = |told| Some(broken(told));
        if scan.kind == ResponsesKind::Failed {
            self.take_response(scan);
            return broken(scan.response.and_then(told::error_in));
        }
        let is_foreign = scan.kind == ResponsesKind::None;
        if is_foreign || scan.kind == ResponsesKind::Error || scan.has_error {
            let found = told::error_in(data);
            if found.is_some() || scan.kind == ResponsesKind::Error {
                return broken(found);
            }
        }
        // Another dialect's event, over which clients that read types stumble.
        is_foreign.then_some(Verdict::Hide)
    }
}

fn broken(told: Option<Told>) -> Verdict {
    Verdict::Broken(StreamError::told(told, fault))
}

impl StreamMeter for ResponseMeter {
    fn event(&mut self, event: &[u8]) -> Verdict {
        let said = said(event);
        let data = &*said.data;
        let pass = if said.marked > 0 {
            Verdict::Without(0..said.marked)
        } else {
            Verdict::Pass
        };
        if self.is_done() {
            return Verdict::Hide;
        }
        if data == DONE {
            self.stage = Stage::Cut;
            return Verdict::Hide;
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
        let Some(scan) = ResponsesScan::of(data) else {
            let why = "an event is no JSON";
            return Verdict::Broken(Fault::new(FaultKind::InvalidAnswer, why).into());
        };
        if let Some(verdict) = self.judge(&scan, data) {
            return verdict;
        }
        if scan.kind.is_last() {
            self.take_response(&scan);
            self.has_answer |= scan.kind == ResponsesKind::Incomplete;
            self.stage = Stage::Done;
            self.follow = None;
            return pass;
        }
        let was_over = self.count.is_over();
        let says_more = self.take(&scan);
        // What follows a part that went beyond the bound does not pass; that part itself may be all there
        // is, and the count may follow it.
        if was_over
            && says_more
            && let Some(follow) = self.follow.take()
        {
            self.stage = Stage::Stopped;
            return Verdict::Enough(follow.ending(&self.shown_usage()));
        }
        if let Some(follow) = &mut self.follow {
            follow.take(&scan);
        }
        pass
    }

    fn ended_by(&self, _: &[u8]) -> Option<&'static [u8]> {
        // The last event holds the answer, so none stands for it.
        None
    }

    fn is_complete(&self, event: &[u8]) -> bool {
        let data = said(event).data;
        let is_object = || serde_json::from_slice::<serde::de::IgnoredAny>(&data).is_ok();
        &*data == DONE || (data.first() == Some(&b'{') && is_object())
    }

    fn is_done(&self) -> bool {
        self.stage != Stage::Open
    }

    fn passed(&self) -> u64 {
        self.count.passed()
    }

    fn is_told(&self) -> bool {
        self.count.is_told()
    }

    fn is_whole(&self) -> bool {
        matches!(self.stage, Stage::Done | Stage::Stopped)
    }

    fn missing(&self) -> Option<Fault> {
        if !self.is_whole() {
            let why = "the stream ended without response.completed or response.incomplete";
            return Some(Fault::new(FaultKind::Interrupted, why));
        }
        let is_empty = !self.has_answer && !self.count.has_told();
        is_empty.then(|| Fault::new(FaultKind::InvalidAnswer, "the stream holds no answer"))
    }

    fn end(&self) -> &'static [u8] {
        b""
    }

    fn usage(&self) -> Usage {
        if self.count.is_nothing() && !self.count.has_told() && !self.has_answer {
            return Usage::default().as_estimate();
        }
        let mut usage = self.count.usage(self.stage == Stage::Stopped);
        usage.facts = self.facts.clone();
        usage
    }
}

impl ResponseMeter {
    /// The usage that a stream shows that is ended here: no more than is paid for.
    fn shown_usage(&self) -> Usage {
        let mut usage = self.usage();
        let paid = self
            .count
            .of
            .bounds
            .map_or(u64::MAX, |bounds| bounds.output_max);
        let surplus = usage.output_total().saturating_sub(paid);
        usage.cut_from(crate::dialect::counts::OUTPUT_CLASSES, surplus);
        usage
    }
}

#[cfg(test)]
mod tests;
