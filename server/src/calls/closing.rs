//! A process that stops ends its calls before its time is over: streams with an error event, for what
//! the tenant's side has taken; calls without an answer yet with a refusal, for nothing.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::Stream;
use shared::link::{LinkError, Outcome, Piece, PieceStream};
use shared::supervisor::Supervisor;
use tokio::sync::Notify;

use super::facts::CallFacts;
use super::finish::Finisher;

/// Tells calls that the process ends soon; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Closing(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    begun: AtomicBool,
    told: Notify,
}

/// Before the end of its time a process needs so much of it to end its calls and to settle them.
fn needed(grace: Duration) -> Duration {
    let (least, most) = (Duration::from_secs(3), Duration::from_secs(10));
    (grace / 5).clamp(least, most).min(grace / 2)
}

impl Closing {
    /// Tells it a little before `grace` is over, which begins when the process is told to stop.
    pub fn after(grace: Duration, supervisor: &Supervisor) -> Self {
        let this = Self::default();
        let (closing, stop) = (this.clone(), supervisor.stopping());
        supervisor.spawn_servant("closing", async move {
            stop.cancelled().await;
            tokio::time::sleep(grace.saturating_sub(needed(grace))).await;
            closing.begin();
        });
        this
    }

    /// Tells it now.
    pub fn begin(&self) {
        self.0.begun.store(true, Ordering::Release);
        self.0.told.notify_waiters();
    }

    fn has_begun(&self) -> bool {
        self.0.begun.load(Ordering::Acquire)
    }

    /// Ends when it is told.
    pub(super) async fn begun(self) {
        let told = self.0.told.notified();
        tokio::pin!(told);
        // From here on it is not missed.
        told.as_mut().enable();
        if !self.has_begun() {
            told.await;
        }
    }
}

type Told = Pin<Box<dyn Future<Output = ()> + Send>>;
type Stopped = Pin<Box<dyn Future<Output = Option<Outcome>> + Send>>;

enum State {
    Passing(PieceStream),
    /// The gateway is asked what was taken.
    Ending(Stopped),
    Ended,
}

/// A stream that ends with an outcome of its own when the process is about to end.
pub(super) struct ClosingStream {
    state: State,
    closing: Closing,
    told: Option<(Told, Waker)>,
    finisher: Finisher,
    facts: CallFacts,
}

impl ClosingStream {
    pub(super) fn new(
        pieces: PieceStream,
        closing: Closing,
        finisher: Finisher,
        facts: CallFacts,
    ) -> Self {
        Self {
            state: State::Passing(pieces),
            closing,
            told: None,
            finisher,
            facts,
        }
    }

    /// Whether the process is about to end; wakes this task when it is. A lock is taken only when
    /// the task is another one than before.
    fn is_closing(&mut self, cx: &mut Context<'_>) -> bool {
        if self.closing.has_begun() {
            return true;
        }
        let known = self.told.as_ref();
        if known.is_some_and(|(_, waker)| waker.will_wake(cx.waker())) {
            return false;
        }
        let mut told = match self.told.take() {
            Some((told, _)) => told,
            None => Box::pin(self.closing.clone().begun()),
        };
        let is_told = told.as_mut().poll(cx).is_ready();
        self.told = Some((told, cx.waker().clone()));
        is_told || self.closing.has_begun()
    }
}

impl Stream for ClosingStream {
    type Item = Result<Piece, LinkError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match &mut self.state {
                State::Passing(pieces) => {
                    let polled = pieces.as_mut().poll_next(cx);
                    let more = match &polled {
                        Poll::Pending => !self.is_closing(cx),
                        Poll::Ready(Some(Ok(Piece::Bytes(_)))) => !self.closing.has_begun(),
                        Poll::Ready(_) => true,
                    };
                    if more {
                        return polled;
                    }
                    let (finisher, facts) = (self.finisher.clone(), self.facts.clone());
                    // The reader is gone before it is asked what it took.
                    self.state =
                        State::Ending(Box::pin(async move { finisher.stopped(&facts).await }));
                    if polled.is_ready() {
                        return polled;
                    }
                }
                State::Ending(stopped) => {
                    let outcome = std::task::ready!(stopped.as_mut().poll(cx));
                    self.state = State::Ended;
                    let lost = || LinkError::Lost("the server ends".to_owned());
                    let piece = outcome.map(|outcome| Piece::Outcome(Box::new(outcome)));
                    return Poll::Ready(Some(piece.ok_or_else(lost)));
                }
                State::Ended => return Poll::Ready(None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_and_who_comes_later_are_told() {
        let closing = Closing::default();
        let waits = closing.clone().begun();
        tokio::pin!(waits);
        assert!(futures_util::poll!(waits.as_mut()).is_pending());
        closing.begin();
        waits.await;
        closing.clone().begun().await;
    }

    #[test]
    fn the_time_to_end_fits_into_the_time_there_is() {
        let of = |seconds| needed(Duration::from_secs(seconds)).as_secs_f64();
        assert_eq!((of(2), of(5), of(30), of(600)), (1.0, 2.5, 6.0, 10.0));
    }
}
