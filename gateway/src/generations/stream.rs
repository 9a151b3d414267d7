//! A stream on its way through: bytes pass as they come, the meter sees every event, and the end is
//! recorded whatever it is - also when the reader goes away.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use futures_util::Stream;
use shared::fault::{Fault, FaultKind};
use shared::link::{LinkError, Outcome, Piece};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::meter::{Meter, Verdict};
use super::register::{End, Stop};
use super::{Guard, Story};
use crate::pool::Lease;
use crate::providers::ByteStream;
use crate::providers::sse::Events;

/// What must be recorded at the end.
pub(super) struct Running {
    story: Story,
    meter: Meter,
    lease: Option<Lease>,
    guard: Guard,
}

impl Running {
    pub(super) fn new(story: Story, meter: Meter, lease: Lease, guard: Guard) -> Self {
        Self {
            story,
            meter,
            lease: Some(lease),
            guard,
        }
    }

    fn end(&mut self, fault: Option<Fault>) -> Outcome {
        let outcome = self.story.outcome(self.meter.usage(), fault);
        if let Some(lease) = self.lease.take() {
            match &outcome.fault {
                None => lease.succeeded(),
                Some(fault) => lease.failed(fault),
            }
        }
        self.guard.end(End::Outcome(Arc::new(outcome.clone())));
        outcome
    }
}

/// The metered stream; ends with its outcome.
pub(super) struct MeteredStream {
    flow: Arc<Mutex<Flow>>,
    canceled: Pin<Box<WaitForCancellationFutureOwned>>,
    deadline: Pin<Box<tokio::time::Sleep>>,
}

/// What the reader shares with whoever may end the stream; locked for the time of a poll.
struct Flow {
    bytes: Option<ByteStream>,
    events: Events,
    running: Option<Running>,
    ready: Vec<Bytes>,
    fault: Option<Fault>,
    /// How it ended, until the reader has it.
    outcome: Option<Outcome>,
}

fn canceled() -> Fault {
    Fault::new(FaultKind::Canceled, "cancelled by the server")
}

impl MeteredStream {
    pub(super) fn new(bytes: ByteStream, running: Running, deadline: Instant) -> Self {
        let place = running.guard.place.as_ref();
        let cancel = place.map(|place| place.cancel.clone()).unwrap_or_default();
        let slot = place.map(|place| place.stop.clone());
        let flow = Arc::new(Mutex::new(Flow {
            bytes: Some(bytes),
            events: Events::default(),
            running: Some(running),
            ready: Vec::new(),
            fault: None,
            outcome: None,
        }));
        if let Some(slot) = slot {
            let stop: Arc<dyn Stop> = flow.clone();
            // A place has one stream.
            let _ = slot.set(Arc::downgrade(&stop));
        }
        Self {
            flow,
            canceled: Box::pin(cancel.cancelled_owned()),
            deadline: Box::pin(tokio::time::sleep_until(deadline.into())),
        }
    }
}

fn lock(flow: &Mutex<Flow>) -> MutexGuard<'_, Flow> {
    flow.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stop for Mutex<Flow> {
    fn stop(&self) {
        lock(self).end(Some(canceled()));
    }
}

impl Flow {
    /// Looks at the events that became whole and keeps what is to be passed on.
    fn take(&mut self, bytes: Bytes) {
        let Some(running) = &mut self.running else {
            return;
        };
        let (ready, fault) = (&mut self.ready, &mut self.fault);
        let pushed = self.events.push(bytes, |event| {
            if fault.is_some() {
                return;
            }
            match running.meter.event(&event) {
                Verdict::Pass => ready.push(event),
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
        let running = self.running.as_mut()?;
        if !rest.is_empty()
            && let Verdict::Pass = running.meter.event(&rest)
        {
            self.ready.push(rest);
        }
        let done = running.meter.is_done();
        (!done).then(|| Fault::new(FaultKind::Interrupted, "the stream ended without [DONE]"))
    }

    /// Records the end, once, whatever it is.
    fn end(&mut self, fault: Option<Fault>) {
        // The provider's connection goes first.
        self.bytes = None;
        if let Some(mut running) = self.running.take() {
            self.outcome = Some(running.end(fault));
        }
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

    /// The next piece; pending while the provider has nothing.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Piece>> {
        loop {
            if let Some(outcome) = self.outcome.take() {
                return Poll::Ready(Some(Piece::Outcome(Box::new(outcome))));
            }
            if self.running.is_none() {
                return Poll::Ready(None);
            }
            if let Some(piece) = self.piece() {
                return Poll::Ready(Some(Piece::Bytes(piece)));
            }
            if let Some(fault) = self.fault.take() {
                self.end(Some(fault));
                continue;
            }
            let Some(bytes) = &mut self.bytes else {
                self.end(None);
                continue;
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
}

impl Stream for MeteredStream {
    type Item = Result<Piece, LinkError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let mut flow = lock(&this.flow);
        if let Poll::Ready(piece) = flow.poll(cx) {
            return Poll::Ready(piece.map(Ok));
        }
        if this.canceled.as_mut().poll(cx).is_ready() {
            flow.end(Some(canceled()));
        } else {
            ready!(this.deadline.as_mut().poll(cx));
            flow.end(Some(Fault::new(
                FaultKind::Timeout,
                "the call's deadline is over",
            )));
        }
        flow.poll(cx).map(|piece| piece.map(Ok))
    }
}

impl Drop for MeteredStream {
    fn drop(&mut self) {
        lock(&self.flow).end(Some(Fault::new(
            FaultKind::Canceled,
            "the tenant went away",
        )));
    }
}
