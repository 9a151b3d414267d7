//! A call that goes on when its request is answered: it is held for first, and its answer goes to whoever
//! keeps it before anything is settled, with what is to be paid for it. An answer that nobody can read is not
//! charged. Keeps nothing itself.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use shared::dialect::Dialect;
use shared::link::{LinkError, Outcome, Piece, PieceStream, ReplyBody};
use tokio::sync::oneshot;
use tracing::warn;

use super::closing::ClosingStream;
use super::facts::{Due, failure};
use super::open_call::{OpenCall, Sent};
use super::{Admitted, CallError, Calls, Request};

/// Takes a whole answer and what is to be paid for it; tells whether both are kept.
pub type Deliver =
    Box<dyn FnOnce(Bytes, Option<Due>) -> Pin<Box<dyn Future<Output = bool> + Send>> + Send>;

/// Why a detached call gave no answer; nothing was charged.
#[derive(Debug, thiserror::Error)]
pub enum DetachedError {
    /// Before anything was sent, so that its request can still be refused.
    #[error(transparent)]
    Refused(CallError),
    /// Later.
    #[error(transparent)]
    Failed(CallError),
    /// Whoever asked went away before they could be told that it was begun.
    #[error("nobody was told that the call was begun")]
    Untold,
    /// The answer could not be kept.
    #[error("the answer could not be kept")]
    NotKept,
}

/// A detached call's answer as it comes. Dropping it cancels the call and settles it as one whose caller left.
pub struct DetachedStream {
    pieces: PieceStream,
    open: OpenCall<Sent>,
    outcome: Option<Box<Outcome>>,
    settle_first: bool,
}

impl std::fmt::Debug for DetachedStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DetachedStream")
    }
}

impl DetachedStream {
    /// The next bytes; `None` where nothing comes any more. Nothing is lost where it is dropped.
    pub async fn next(&mut self) -> Option<Bytes> {
        while self.outcome.is_none() {
            match self.pieces.next().await {
                Some(Ok(Piece::Bytes(bytes))) => return Some(bytes),
                Some(Ok(Piece::Waiting)) => {}
                Some(Ok(Piece::Outcome(outcome))) => self.outcome = Some(outcome),
                Some(Err(error)) => {
                    warn!(%error, "a stream in the background was cut: {error}");
                    return None;
                }
                None => return None,
            }
        }
        None
    }

    /// Whether it is known how it ended, so that it can be charged.
    pub fn is_known(&self) -> bool {
        self.outcome.is_some()
    }

    /// What is to be paid for it, to be kept with its answer.
    pub fn due(&self) -> Option<Due> {
        self.open.facts().due(self.outcome.as_ref()?)
    }

    /// Its answer is kept: it is charged.
    pub async fn settle(self) {
        // One whose end is not known is asked about, as it is dropped.
        let Some(outcome) = self.outcome else { return };
        let settled = self.open.ended(*outcome);
        if self.settle_first {
            settled.wait().await;
        }
    }

    /// Nobody gets an answer, and nothing is charged; tells why there is none.
    pub fn not_delivered(self) -> CallError {
        let fault = self.outcome.and_then(|outcome| outcome.fault);
        self.open.not_delivered();
        match fault {
            Some(fault) => CallError::Failed(Box::new(failure(fault))),
            None => CallError::Link(LinkError::Lost("the stream ended early".to_owned())),
        }
    }
}

/// An answer that came at once although a stream was asked for, as that stream.
fn at_once(bytes: &Bytes, outcome: Box<Outcome>, dialect: &dyn Dialect) -> PieceStream {
    let events = dialect.as_stream(bytes).map(Piece::Bytes);
    let pieces = events.into_iter().chain([Piece::Outcome(outcome)]);
    Box::pin(stream::iter(pieces.map(Ok).collect::<Vec<_>>()))
}

impl Calls {
    /// Runs a call to its end. `held` is told when the credits are there and the call is about to be sent;
    /// `deliver` gets its answer. Dropping the future cancels the call and settles it.
    pub async fn run_detached(
        &self,
        request: Request,
        admitted: Admitted,
        (held, deliver): (oneshot::Sender<()>, Deliver),
    ) -> Result<(), DetachedError> {
        let (reply, open, _) = self.send_detached(request, admitted, held).await?;
        let ReplyBody::Whole { bytes, outcome } = reply else {
            open.not_delivered();
            let why = "a stream came where a whole answer was asked for";
            let error = CallError::Link(LinkError::Lost(why.to_owned()));
            return Err(DetachedError::Failed(error));
        };
        let due = open.facts().due(&outcome);
        if !deliver(bytes, due).await {
            open.not_delivered();
            return Err(DetachedError::NotKept);
        }
        let settled = open.ended(*outcome);
        if self.settle_first {
            settled.wait().await;
        }
        Ok(())
    }

    /// Sends a call whose answer comes as a stream; `held` is told as in [`Calls::run_detached`].
    pub async fn stream_detached(
        &self,
        request: Request,
        admitted: Admitted,
        held: oneshot::Sender<()>,
    ) -> Result<DetachedStream, DetachedError> {
        let (reply, open, dialect) = self.send_detached(request, admitted, held).await?;
        let pieces = match reply {
            ReplyBody::Stream(pieces) => {
                let (closing, facts) = (self.closing.clone(), open.facts().clone());
                let stream = ClosingStream::new(pieces, closing, self.settler.clone(), facts);
                Box::pin(stream)
            }
            ReplyBody::Whole { bytes, outcome } => at_once(&bytes, outcome, dialect),
        };
        Ok(DetachedStream {
            pieces,
            open,
            outcome: None,
            settle_first: self.settle_first,
        })
    }

    async fn send_detached(
        &self,
        request: Request,
        admitted: Admitted,
        held: oneshot::Sender<()>,
    ) -> Result<(ReplyBody, OpenCall<Sent>, &'static dyn Dialect), DetachedError> {
        let metrics = self.settler.metrics();
        let ready = self.ready(request, admitted, (None, true)).await;
        let ready = ready.inspect_err(|error| metrics.refused(error));
        let outgoing = ready.map_err(DetachedError::Refused)?.outgoing;
        if held.send(()).is_err() {
            // Dropping the call releases its hold.
            return Err(DetachedError::Untold);
        }
        let dialect = outgoing.dialect();
        let opened = outgoing.open(self.closing.clone()).await;
        let opened = opened.inspect_err(|error| metrics.refused(error));
        let (reply, open) = opened.map_err(DetachedError::Failed)?;
        Ok((reply.body, open, dialect))
    }

    /// Runs work beside the requests, which the end of the process waits for.
    pub fn run_aside(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.settler.run_aside(work);
    }
}
