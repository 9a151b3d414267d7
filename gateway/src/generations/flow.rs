//! A provider's stream on its way through: bytes are cut into events, the meter sees each, and those
//! for the tenant come out as pieces of whole events. Keeps nothing that was passed on.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use shared::answer_model;
use shared::fault::{Fault, FaultKind};
use shared::meter::{Meter, Verdict};
use shared::sse::Events;
use shared::usage::Usage;

use crate::providers::ByteStream;

/// What comes out of a flow.
pub(super) enum Flowed {
    /// Whole events for the tenant.
    Piece(Bytes),
    /// The end, and what was wrong with it.
    End(Option<Fault>),
}

/// A stream that is read.
pub(super) struct Flow {
    bytes: Option<ByteStream>,
    events: Events,
    meter: Meter,
    ready: Vec<Bytes>,
    fault: Option<Fault>,
    answer_model: Option<Arc<str>>,
}

impl Flow {
    /// Of a provider's bytes; answers name `answer_model` where it is given.
    pub(super) fn new(bytes: ByteStream, meter: Meter, answer_model: Option<Arc<str>>) -> Self {
        Self {
            bytes: Some(bytes),
            events: Events::default(),
            meter,
            ready: Vec::new(),
            fault: None,
            answer_model,
        }
    }

    /// What was consumed so far.
    pub(super) fn usage(&self) -> Usage {
        self.meter.usage()
    }

    /// Output tokens in what was passed on so far, by estimate.
    pub(super) fn passed(&self) -> u64 {
        self.meter.passed()
    }

    /// Whether the event that ends a stream well was seen.
    pub(super) fn is_done(&self) -> bool {
        self.meter.is_done()
    }

    /// The next piece or the end; pending while the provider has nothing. Not to be asked again
    /// after the end.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Flowed> {
        loop {
            if let Some(piece) = self.piece() {
                return Poll::Ready(Flowed::Piece(piece));
            }
            if let Some(fault) = self.fault.take() {
                return Poll::Ready(Flowed::End(Some(fault)));
            }
            let Some(bytes) = &mut self.bytes else {
                return Poll::Ready(Flowed::End(None));
            };
            match ready!(bytes.as_mut().poll_next(cx)) {
                Some(Ok(bytes)) => self.take(bytes),
                Some(Err(fault)) => self.fault = Some(fault),
                None => {
                    self.bytes = None;
                    self.fault = self.missing_end();
                }
            }
        }
    }

    /// Looks at the events that became whole and keeps what is to be passed on.
    fn take(&mut self, bytes: Bytes) {
        let (ready, fault, meter) = (&mut self.ready, &mut self.fault, &mut self.meter);
        let name = self.answer_model.as_deref();
        let pushed = self.events.push(bytes, |event| {
            if fault.is_some() {
                return;
            }
            match meter.event(&event) {
                Verdict::Pass => ready.push(named(event, name)),
                Verdict::Hide => {}
                Verdict::Broken(error) => *fault = Some(error),
            }
        });
        if pushed.is_err() {
            self.fault = Some(Fault::new(
                FaultKind::InvalidAnswer,
                "an event is too large",
            ));
        }
    }

    /// Why a stream that came to its end is not whole.
    fn missing_end(&mut self) -> Option<Fault> {
        let rest = self.events.rest();
        if !rest.is_empty()
            && let Verdict::Pass = self.meter.event(&rest)
        {
            self.ready.push(named(rest, self.answer_model.as_deref()));
        }
        let done = self.meter.is_done();
        (!done).then(|| Fault::new(FaultKind::Interrupted, "the stream ended without [DONE]"))
    }

    /// Everything that may be passed on, as one piece.
    fn piece(&mut self) -> Option<Bytes> {
        match self.ready.len() {
            0 => None,
            1 => self.ready.pop(),
            _ => {
                let piece = self.ready.concat().into();
                self.ready.clear();
                Some(piece)
            }
        }
    }
}

/// A tenant's event, which names the public model where that is wanted.
fn named(event: Bytes, name: Option<&str>) -> Bytes {
    match name {
        Some(name) => answer_model::in_event(&event, name),
        None => event,
    }
}
