//! Counts what a stream produced, while its bytes pass, and says what becomes of each event. Pure; one pass
//! over an event, and no allocation for a usual one.

use std::io::Write;

use bytes::Bytes;
use smallvec::SmallVec;

use super::events::{STOP, event as write_event, is_stop};
use super::scan::{Beside, MessagesKind, MessagesScan};
use crate::dialect::event::said;
use crate::dialect::tally::Tally;
use crate::dialect::text_count::TextCount;
use crate::dialect::{Metered, StreamError, StreamMeter, Told, Verdict, told};
use crate::fault::{Fault, FaultKind};
use crate::units::Usage;

/// What ends a stream in another format, and is added by some who translate.
const FOREIGN_END: &[u8] = b"[DONE]";
/// Parts that are open at once; providers have one.
const OPEN_MAX: usize = 16;

/// How far a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Open,
    /// It was said why the answer ends.
    Ended,
    /// The event that ends it came.
    Done,
    /// It was ended here, because more came than the call may bring.
    Stopped,
}

/// The running count of one stream.
#[derive(Debug)]
pub(super) struct MessagesMeter {
    count: TextCount,
    beside: Beside,
    /// Parts that began and did not end.
    open: SmallVec<[u64; 2]>,
    /// Whether anything of an answer came.
    has_answer: bool,
    stage: Stage,
}

fn fault(told: Option<Told>) -> Fault {
    let mut detail = "the provider reported an error in the stream".to_owned();
    if let Some(told) = told {
        let code = told.code.or(told.kind).unwrap_or_default();
        detail = format!("{detail}: {code} {}", told.message);
    }
    Fault::new(FaultKind::Overloaded, detail)
}

fn broken(told: Option<Told>) -> Verdict {
    Verdict::Broken(StreamError::told(told, fault))
}

impl MessagesMeter {
    /// For a stream of a call.
    pub(super) fn new(of: Metered) -> Self {
        Self {
            count: TextCount::new(of),
            beside: Beside::default(),
            open: SmallVec::new(),
            has_answer: false,
            stage: Stage::Open,
        }
    }

    fn take(&mut self, scan: &MessagesScan<'_>) {
        self.beside.take(scan);
        self.count.take(scan.counts, &scan.tally);
        match scan.kind {
            MessagesKind::MessageStart => self.has_answer = true,
            MessagesKind::BlockStart if self.open.len() < OPEN_MAX => self.open.push(scan.index),
            MessagesKind::BlockStop => self.open.retain(|open| *open != scan.index),
            MessagesKind::MessageDelta if scan.has_ended => {
                self.has_answer = true;
                self.stage = self.stage.max(Stage::Ended);
            }
            MessagesKind::MessageStop => self.stage = self.stage.max(Stage::Done),
            MessagesKind::BlockStart
            | MessagesKind::BlockDelta
            | MessagesKind::MessageDelta
            | MessagesKind::Message
            | MessagesKind::Ping
            | MessagesKind::Error
            | MessagesKind::Other => {}
        }
        self.has_answer |= !scan.tally.is_nothing();
    }

    /// Ends a stream as its provider would at the maximum.
    fn ending(&self) -> Bytes {
        let mut bytes = Vec::new();
        // Writing to a Vec can't fail.
        for index in &self.open {
            let mut data = Vec::new();
            let _ = write!(
                data,
                "{{\"type\":\"content_block_stop\",\"index\":{index}}}"
            );
            write_event(&mut bytes, "content_block_stop", &data);
        }
        let bounds = self.count.of.bounds;
        let paid = bounds.map_or(u64::MAX, |bounds| bounds.output_max);
        let output = self.usage().output_total().min(paid);
        let mut data = Vec::new();
        let _ = write!(
            data,
            "{{\"type\":\"message_delta\",\"delta\":{{\"stop_reason\":\"max_tokens\",\
             \"stop_sequence\":null}},\"usage\":{{\"output_tokens\":{output}}}}}"
        );
        write_event(&mut bytes, "message_delta", &data);
        bytes.extend_from_slice(STOP);
        bytes.into()
    }
}

impl StreamMeter for MessagesMeter {
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
            let mut scan = MessagesScan::default();
            scan.read(data);
            scan.tally = Tally::default();
            self.take(&scan);
            return Verdict::Hide;
        }
        if said.is_error {
            return broken(Some(told::refusal(data)));
        }
        if data.first() != Some(&b'{') {
            // A comment, or what clients that read objects stumble over.
            return match told::error_in(data) {
                _ if data == FOREIGN_END => Verdict::Hide,
                Some(told) => broken(Some(told)),
                None if data.is_empty() => pass,
                None => Verdict::Hide,
            };
        }
        let mut scan = MessagesScan::default();
        if !scan.read(data) {
            let why = "an event is no JSON";
            return Verdict::Broken(Fault::new(FaultKind::InvalidAnswer, why).into());
        }
        if scan.kind == MessagesKind::Error {
            return broken(told::error_in(data));
        }
        // Events of types that nobody knew of pass; what has no type may be an error of another format.
        if (scan.may_be_error || !scan.has_type)
            && let found @ Some(_) = told::error_in(data)
        {
            return broken(found);
        }
        let was_over = self.count.is_over();
        self.take(&scan);
        // What follows a part that went beyond the bound does not pass; that part itself may be all there
        // is, and its count may follow it.
        let is_over = was_over || self.count.is_told_over();
        if is_over && !scan.tally.is_nothing() {
            if scan.kind == MessagesKind::BlockStart {
                // The client does not see it begin.
                self.open.retain(|open| *open != scan.index);
            }
            self.stage = Stage::Stopped;
            return Verdict::Enough(self.ending());
        }
        pass
    }

    fn is_done(&self) -> bool {
        self.stage >= Stage::Done
    }

    fn ended_by(&self, unfinished: &[u8]) -> Option<&'static [u8]> {
        (unfinished.ends_with(b"\n") && is_stop(unfinished)).then_some(STOP)
    }

    fn is_complete(&self, event: &[u8]) -> bool {
        let data = said(event).data;
        data.first() == Some(&b'{')
            && serde_json::from_slice::<serde::de::IgnoredAny>(&data).is_ok()
    }

    fn passed(&self) -> u64 {
        self.count.passed()
    }

    fn is_told(&self) -> bool {
        self.count.is_told()
    }

    fn is_whole(&self) -> bool {
        self.stage >= Stage::Ended
    }

    fn missing(&self) -> Option<Fault> {
        if !self.is_whole() {
            let why = "the stream ended without a stop_reason or message_stop";
            return Some(Fault::new(FaultKind::Interrupted, why));
        }
        (!self.has_answer)
            .then(|| Fault::new(FaultKind::InvalidAnswer, "the stream holds no answer"))
    }

    fn end(&self) -> &'static [u8] {
        STOP
    }

    fn usage(&self) -> Usage {
        // The first event tells the input of an answer that may never come.
        if self.count.is_nothing() && !(self.is_whole() && self.has_answer) {
            return Usage::default().as_estimate();
        }
        let mut usage = self.count.usage(self.stage == Stage::Stopped);
        self.beside.put(&mut usage);
        usage
    }
}

#[cfg(test)]
mod tests;
