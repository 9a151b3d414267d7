//! A stream on its way through: bytes pass as they come, the meter sees every event, and the end is
//! recorded whatever it is - also when the reader goes away.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use futures_util::Stream;
use shared::fault::{Fault, FaultKind};
use shared::link::{LinkError, Outcome, Piece};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::meter::{Meter, Verdict};
use super::register::End;
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
    bytes: Option<ByteStream>,
    events: Events,
    running: Option<Running>,
    canceled: Pin<Box<WaitForCancellationFutureOwned>>,
    deadline: Pin<Box<tokio::time::Sleep>>,
    ready: Vec<Bytes>,
    fault: Option<Fault>,
}

impl MeteredStream {
    pub(super) fn new(bytes: ByteStream, running: Running, deadline: Instant) -> Self {
        let cancel = running
            .guard
            .place
            .as_ref()
            .map(|place| place.cancel.clone())
            .unwrap_or_default();
        Self {
            bytes: Some(bytes),
            events: Events::default(),
            running: Some(running),
            canceled: Box::pin(cancel.cancelled_owned()),
            deadline: Box::pin(tokio::time::sleep_until(deadline.into())),
            ready: Vec::new(),
            fault: None,
        }
    }

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

    fn end(&mut self, fault: Option<Fault>) -> Poll<Option<Result<Piece, LinkError>>> {
        // The provider's connection goes first.
        self.bytes = None;
        let outcome = self.running.take().map(|mut running| running.end(fault));
        Poll::Ready(outcome.map(|outcome| Ok(Piece::Outcome(Box::new(outcome)))))
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

impl Stream for MeteredStream {
    type Item = Result<Piece, LinkError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.running.is_none() {
            return Poll::Ready(None);
        }
        loop {
            if let Some(piece) = this.piece() {
                return Poll::Ready(Some(Ok(Piece::Bytes(piece))));
            }
            if let Some(fault) = this.fault.take() {
                return this.end(Some(fault));
            }
            let Some(bytes) = &mut this.bytes else {
                return this.end(None);
            };
            match bytes.as_mut().poll_next(cx) {
                Poll::Ready(Some(Ok(bytes))) => this.take(bytes),
                Poll::Ready(Some(Err(fault))) => this.fault = Some(fault),
                Poll::Ready(None) => {
                    this.bytes = None;
                    this.fault = this.missing_end();
                }
                Poll::Pending => {
                    let canceled = std::future::Future::poll(this.canceled.as_mut(), cx);
                    if canceled.is_ready() {
                        return this.end(Some(Fault::new(
                            FaultKind::Canceled,
                            "cancelled by the server",
                        )));
                    }
                    ready!(std::future::Future::poll(this.deadline.as_mut(), cx));
                    return this.end(Some(Fault::new(
                        FaultKind::Timeout,
                        "the call's deadline is over",
                    )));
                }
            }
        }
    }
}

impl Drop for MeteredStream {
    fn drop(&mut self) {
        self.bytes = None;
        if let Some(mut running) = self.running.take() {
            drop(running.end(Some(Fault::new(
                FaultKind::Canceled,
                "the tenant went away",
            ))));
        }
    }
}
