//! A process that stops ends its calls before its time is over: streams with an error event behind all
//! that the gateway put out until then, which is what is paid; calls without an answer yet with a
//! refusal, for nothing.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::Stream;
use shared::link::{LinkError, Outcome, Piece, PieceStream};
use shared::supervisor::Supervisor;
use tokio::sync::Notify;
use tokio::time::Sleep;

use super::facts::CallFacts;
use super::settle::Settler;

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

/// What is on its way when the gateway is told to end arrives within a round trip; a link that is gone
/// must not take the time that is left.
const REST_MAX: Duration = Duration::from_secs(1);

/// A stream whose gateway is told to end it.
struct Ending {
    /// What was put out before arrives, and the outcome behind it.
    pieces: Option<PieceStream>,
    patience: Pin<Box<Sleep>>,
    stopped: Stopped,
    /// What the gateway says that was taken.
    told: Option<Result<Piece, LinkError>>,
}

impl Ending {
    fn new(pieces: PieceStream, stopped: Stopped) -> Self {
        Self {
            pieces: Some(pieces),
            patience: Box::pin(tokio::time::sleep(REST_MAX)),
            stopped,
            told: None,
        }
    }

    /// What still comes of the stream; then its outcome, or where that does not come what the gateway
    /// says that was taken.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, LinkError>> {
        if self.told.is_none()
            && let Poll::Ready(told) = self.stopped.as_mut().poll(cx)
        {
            let lost = || LinkError::Lost("the server ends".to_owned());
            let piece = told.map(|outcome| Piece::Outcome(Box::new(outcome)));
            self.told = Some(piece.ok_or_else(lost));
        }
        if let Some(pieces) = &mut self.pieces {
            match pieces.as_mut().poll_next(cx) {
                Poll::Ready(Some(Ok(piece))) => return Poll::Ready(Ok(piece)),
                Poll::Ready(Some(Err(_)) | None) => self.pieces = None,
                Poll::Pending => {
                    std::task::ready!(self.patience.as_mut().poll(cx));
                    self.pieces = None;
                }
            }
        }
        self.told.take().map_or(Poll::Pending, Poll::Ready)
    }
}

enum State {
    Passing(PieceStream),
    Ending(Box<Ending>),
    Ended,
}

/// A stream that ends with an outcome of its own when the process is about to end.
pub(super) struct ClosingStream {
    state: State,
    closing: Closing,
    told: Option<(Told, Waker)>,
    settler: Settler,
    facts: CallFacts,
}

impl ClosingStream {
    pub(super) fn new(
        pieces: PieceStream,
        closing: Closing,
        settler: Settler,
        facts: CallFacts,
    ) -> Self {
        Self {
            state: State::Passing(pieces),
            closing,
            told: None,
            settler,
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
        let polled = match &mut self.state {
            State::Passing(pieces) => pieces.as_mut().poll_next(cx),
            State::Ending(ending) => ending.poll(cx).map(Some),
            State::Ended => return Poll::Ready(None),
        };
        let is_closing = match &polled {
            Poll::Pending => self.is_closing(cx),
            Poll::Ready(Some(Ok(Piece::Bytes(_) | Piece::Waiting))) => self.closing.has_begun(),
            Poll::Ready(_) => {
                self.state = State::Ended;
                return polled;
            }
        };
        if !is_closing || matches!(self.state, State::Ending(_)) {
            return polled;
        }
        if let State::Passing(pieces) = std::mem::replace(&mut self.state, State::Ended) {
            let (settler, facts) = (self.settler.clone(), self.facts.clone());
            let stopped = Box::pin(async move { settler.stopped(&facts).await });
            self.state = State::Ending(Box::new(Ending::new(pieces, stopped)));
        }
        match polled {
            Poll::Ready(piece) => Poll::Ready(piece),
            Poll::Pending => self.poll_next(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

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

    fn bytes(text: &'static [u8]) -> Piece {
        Piece::Bytes(text.into())
    }

    async fn next(ending: &mut Ending) -> Result<Piece, LinkError> {
        std::future::poll_fn(|cx| ending.poll(cx)).await
    }

    fn ending(pieces: PieceStream) -> Ending {
        let asked = async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            None
        };
        Ending::new(pieces, Box::pin(asked))
    }

    #[tokio::test]
    async fn what_is_on_its_way_arrives_before_the_end() {
        let pieces = futures_util::stream::iter([Ok(bytes(b"one")), Ok(bytes(b"two"))]);
        let later = futures_util::stream::once(async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Ok(bytes(b"three"))
        });
        let mut ending = ending(Box::pin(pieces.chain(later)));
        for text in [&b"one"[..], b"two", b"three"] {
            let piece = next(&mut ending).await;
            assert!(matches!(piece, Ok(Piece::Bytes(bytes)) if bytes == text));
        }
        // The link ended without an outcome, and the gateway knows of none.
        assert!(matches!(next(&mut ending).await, Err(LinkError::Lost(_))));
    }

    #[tokio::test]
    async fn a_link_that_is_gone_is_not_waited_for() {
        let mut ending = ending(Box::pin(futures_util::stream::pending()));
        let begun = std::time::Instant::now();
        assert!(matches!(next(&mut ending).await, Err(LinkError::Lost(_))));
        assert!(begun.elapsed() < REST_MAX * 5);
    }

    #[test]
    fn the_time_to_end_fits_into_the_time_there_is() {
        let of = |seconds| needed(Duration::from_secs(seconds)).as_secs_f64();
        assert_eq!((of(2), of(5), of(30), of(600)), (1.0, 2.5, 6.0, 10.0));
    }
}
