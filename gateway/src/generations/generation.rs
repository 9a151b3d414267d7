//! One generation as a state machine: opening, streaming, ended. It is driven by whoever waits for
//! it, so the usual call, one reader from first to last byte, costs no task; when the last reader of
//! a call over the border is cut off, `care` drives it for a while. Knows no HTTP.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use shared::dialect::meter::{self, Meter, Metered};
use shared::fault::{Fault, FaultKind};
use shared::id::{GenerationId, RequestId};
use shared::link::{Call, Failure, Operation, Outcome};
use shared::usage::Usage;
use tokio::time::Sleep;
use tracing::{info, warn};

use super::attempt::{self, Accepted};
use super::flow::{Flow, Flowed};
use super::log::Log;
use super::register::{End, Ended, Output};
use super::{Story, failure};
use crate::Gateway;
use crate::pool::Lease;
use crate::providers::Answer;

type Opening = Pin<Box<dyn Future<Output = Result<Accepted, Failure>> + Send>>;

/// What of a call is needed after it was sent to a provider.
struct About {
    id: GenerationId,
    request: RequestId,
    operation: Operation,
    print: u64,
    metered: Metered,
}

/// One generation.
pub(crate) struct Generation {
    about: About,
    gateway: Arc<Gateway>,
    state: Mutex<State>,
}

struct Streaming {
    flow: Flow,
    story: Story,
    lease: Lease,
}

enum Phase {
    Opening(Opening),
    Streaming(Box<Streaming>),
    Ended(Ended),
}

/// A reader's place; its waker is there while it waits.
#[derive(Default)]
struct Seat {
    taken: bool,
    waker: Option<Waker>,
}

struct State {
    phase: Phase,
    deadline: Pin<Box<Sleep>>,
    /// Absent where nobody can come again: inside one process.
    log: Option<Log>,
    /// Bytes put out so far.
    length: u64,
    seats: Vec<Seat>,
    /// Whoever drives while nobody reads.
    carer: Option<Waker>,
    /// Counts how often the last reader left, so that an earlier carer knows that it is not meant.
    left: u64,
}

/// What driving brought.
pub(super) enum Driven {
    /// A provider accepted.
    Opened,
    /// Bytes, kept already where they are kept.
    Piece(Bytes),
    /// It is over.
    Ended,
}

/// Why a generation ends before its provider says so.
pub(super) fn canceled(why: &'static str) -> Fault {
    Fault::new(FaultKind::Canceled, why)
}

impl Generation {
    /// Of `call`, not yet sent; `keeps` what it puts out for readers that come again.
    pub(super) fn new(gateway: &Arc<Gateway>, call: Call, print: u64, keeps: bool) -> Arc<Self> {
        let begun = Instant::now();
        let about = About {
            id: call.generation.clone(),
            request: call.request.clone(),
            operation: call.operation,
            print,
            metered: Metered::of(&call),
        };
        let deadline = Box::pin(tokio::time::sleep_until((begun + call.deadline).into()));
        let opening = {
            let gateway = gateway.clone();
            async move { attempt::attempts(&gateway, &call, begun).await }
        };
        let state = State {
            phase: Phase::Opening(Box::pin(opening)),
            deadline,
            log: keeps.then(|| Log::new(gateway.register.budget().clone())),
            length: 0,
            seats: Vec::new(),
            carer: None,
            left: 0,
        };
        Arc::new(Self {
            about,
            gateway: gateway.clone(),
            state: Mutex::new(state),
        })
    }

    /// Of the request it belongs to.
    pub(super) fn print(&self) -> u64 {
        self.about.print
    }

    pub(super) fn gateway(&self) -> &Arc<Gateway> {
        &self.gateway
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a new reader its seat.
    pub(super) fn attach(&self) -> usize {
        let mut state = self.lock();
        let free = state.seats.iter().position(|seat| !seat.taken);
        let at = free.unwrap_or_else(|| {
            state.seats.push(Seat::default());
            state.seats.len() - 1
        });
        state.seats[at].taken = true;
        at
    }

    /// Frees a seat. The number tells a carer that nobody reads any more; nothing is to be done
    /// where somebody does or it is over.
    pub(super) fn detach(&self, seat: usize) -> Option<u64> {
        let mut state = self.lock();
        state.seats[seat] = Seat::default();
        if matches!(state.phase, Phase::Ended(_)) {
            return None;
        }
        if state.is_read() {
            // Whoever left may have been the one that its provider would wake.
            state.wake_all();
            return None;
        }
        state.left += 1;
        Some(state.left)
    }

    /// How it ended, for a reader that saw that it did.
    pub(super) fn ended(&self) -> Option<Ended> {
        match &self.lock().phase {
            Phase::Ended(ended) => Some(ended.clone()),
            Phase::Opening(_) | Phase::Streaming(_) => None,
        }
    }

    /// Ends it, unless it has ended; answers how it ended.
    pub(super) fn stop(&self, fault: Fault) -> End {
        let mut state = self.lock();
        match &state.phase {
            Phase::Ended(ended) => return ended.end.clone(),
            Phase::Opening(_) => self.fail(&mut state, failure(fault, 0)),
            Phase::Streaming(_) => self.finish(&mut state, Some(fault)),
        }
        match &state.phase {
            Phase::Ended(ended) => ended.end.clone(),
            // Not reached: both ways above end it.
            Phase::Opening(_) | Phase::Streaming(_) => {
                End::Failure(Arc::new(failure(canceled("it did not end"), 0)))
            }
        }
    }

    /// What comes next for the reader in `seat`, who has read up to `position`.
    pub(super) fn poll_for(
        &self,
        seat: usize,
        position: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Driven, super::log::Gone>> {
        let mut state = self.lock();
        if let Some(log) = &state.log
            && let Some(bytes) = log.read(position)?
        {
            return Poll::Ready(Ok(Driven::Piece(bytes)));
        }
        if position > 0 && matches!(state.phase, Phase::Opening(_)) {
            return Poll::Ready(Err(super::log::Gone));
        }
        let driven = self.drive(&mut state, cx);
        if driven.is_pending() {
            let waker = &mut state.seats[seat].waker;
            if !waker.as_ref().is_some_and(|old| old.will_wake(cx.waker())) {
                *waker = Some(cx.waker().clone());
            }
        } else {
            state.seats[seat].waker = None;
            state.wake_all();
        }
        driven.map(Ok)
    }

    /// Whether a provider has accepted, for a reader that comes later.
    pub(super) fn is_streaming(&self) -> bool {
        matches!(self.lock().phase, Phase::Streaming(_))
    }

    /// Drives it for its carer of number `left`; ready when the carer is not needed any more.
    pub(super) fn poll_care(&self, left: u64, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        let over = matches!(state.phase, Phase::Ended(_));
        if over || state.left != left || state.is_read() {
            return Poll::Ready(());
        }
        // Beyond its share nothing could be read again: the provider waits instead.
        while state.log.as_ref().is_some_and(Log::has_room) {
            match self.drive(&mut state, cx) {
                Poll::Ready(Driven::Ended) => return Poll::Ready(()),
                Poll::Ready(Driven::Opened | Driven::Piece(_)) => {}
                Poll::Pending => break,
            }
        }
        state.carer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// One step further.
    fn drive(&self, state: &mut State, cx: &mut Context<'_>) -> Poll<Driven> {
        let driven = match &mut state.phase {
            Phase::Ended(_) => return Poll::Ready(Driven::Ended),
            Phase::Opening(opening) => opening.as_mut().poll(cx).map(Ok),
            Phase::Streaming(streaming) => streaming.flow.poll(cx).map(Err),
        };
        match driven {
            Poll::Ready(Ok(Ok(accepted))) => return Poll::Ready(self.accept(state, accepted)),
            Poll::Ready(Ok(Err(failure))) => self.fail(state, failure),
            Poll::Ready(Err(Flowed::Piece(bytes))) => {
                state.length += u64::try_from(bytes.len()).unwrap_or(0);
                if let Some(log) = &mut state.log {
                    log.push(&bytes);
                }
                return Poll::Ready(Driven::Piece(bytes));
            }
            Poll::Ready(Err(Flowed::End(fault))) => self.finish(state, fault),
            Poll::Pending => {
                std::task::ready!(state.deadline.as_mut().poll(cx));
                let late = Fault::new(FaultKind::Timeout, "the call's deadline is over");
                match state.phase {
                    Phase::Streaming(_) => self.finish(state, Some(late)),
                    Phase::Opening(_) | Phase::Ended(_) => self.fail(state, failure(late, 0)),
                }
            }
        }
        Poll::Ready(Driven::Ended)
    }

    fn accept(&self, state: &mut State, accepted: Accepted) -> Driven {
        let Accepted {
            answer,
            story,
            lease,
        } = accepted;
        let bytes = match answer {
            Answer::Stream(bytes) => {
                let flow = Flow::new(bytes, Meter::new(self.about.metered));
                state.phase = Phase::Streaming(Box::new(Streaming { flow, story, lease }));
                return Driven::Opened;
            }
            Answer::Whole(bytes) => bytes,
        };
        match meter::whole(self.about.metered, &bytes) {
            Ok(usage) => {
                lease.succeeded();
                state.length = u64::try_from(bytes.len()).unwrap_or(0);
                let outcome = story.outcome(usage, None);
                let end = End::Outcome(Arc::new(outcome));
                self.end(state, end, Some(Output::Whole(bytes)));
            }
            Err(fault) => {
                warn!(request.id = %self.about.request, "generation `{}`: {fault}", self.about.id);
                self.fail(state, failure(fault, story.attempts));
            }
        }
        Driven::Ended
    }

    fn fail(&self, state: &mut State, failure: Failure) {
        info!(
            request.id = %self.about.request, generation.id = %self.about.id,
            "generation `{}` failed: {failure}", self.about.id
        );
        self.end(state, End::Failure(Arc::new(failure)), None);
    }

    /// Ends a stream with what it consumed.
    fn finish(&self, state: &mut State, fault: Option<Fault>) {
        let usage = match &state.phase {
            Phase::Streaming(streaming) => streaming.flow.usage(),
            Phase::Opening(_) | Phase::Ended(_) => Usage::default(),
        };
        let Some(outcome) = state.phase.outcome(usage, fault) else {
            return;
        };
        let output = state.log.take().map(|mut log| {
            log.close();
            Output::Stream(log)
        });
        self.end(state, End::Outcome(Arc::new(outcome)), output);
    }

    /// Records the end, once. The provider's connection is dropped with the phase.
    fn end(&self, state: &mut State, end: End, output: Option<Output>) {
        let keep = state.log.is_some() || matches!(output, Some(Output::Stream(_)));
        state.log = None;
        self.gateway.metrics.ended(self.about.operation, &end);
        let ended = Ended {
            end,
            whole: matches!(output, Some(Output::Whole(_))),
            length: state.length,
            output: output.map(Arc::new),
        };
        state.phase = Phase::Ended(ended.clone());
        let About { id, print, .. } = &self.about;
        self.gateway.register.end(id, *print, ended, keep);
        state.wake_all();
    }
}

impl Phase {
    fn outcome(&self, usage: Usage, fault: Option<Fault>) -> Option<Outcome> {
        let Self::Streaming(streaming) = self else {
            return None;
        };
        let outcome = streaming.story.outcome(usage, fault);
        match &outcome.fault {
            None => streaming.lease.succeeded(),
            Some(fault) => streaming.lease.failed(fault),
        }
        Some(outcome)
    }
}

impl State {
    fn is_read(&self) -> bool {
        self.seats.iter().any(|seat| seat.taken)
    }

    fn wake_all(&mut self) {
        let seats = self.seats.iter_mut().filter_map(|seat| seat.waker.take());
        for waker in seats.chain(self.carer.take()) {
            waker.wake();
        }
    }
}
