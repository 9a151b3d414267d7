//! A call that goes on when its request is answered: it is held for first, and its answer goes to whoever
//! keeps it before anything is settled. An answer that nobody can read is not charged. Keeps nothing itself.

use std::pin::Pin;

use bytes::Bytes;
use shared::link::{LinkError, ReplyBody};
use tokio::sync::oneshot;

use super::{Admitted, CallError, Calls, Request};

/// Takes a whole answer; tells whether it is kept.
pub type Deliver = Box<dyn FnOnce(Bytes) -> Pin<Box<dyn Future<Output = bool> + Send>> + Send>;

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

impl Calls {
    /// Runs a call to its end. `held` is told when the credits are there and the call is about to be sent;
    /// `deliver` gets its answer. Dropping the future cancels the call and settles it.
    pub async fn run_detached(
        &self,
        request: Request,
        admitted: Admitted,
        (held, deliver): (oneshot::Sender<()>, Deliver),
    ) -> Result<(), DetachedError> {
        let metrics = self.settler.metrics();
        let ready = self.ready(request, admitted, (None, true)).await;
        let ready = ready.inspect_err(|error| metrics.refused(error));
        let outgoing = ready.map_err(DetachedError::Refused)?.outgoing;
        if held.send(()).is_err() {
            // Dropping the call releases its hold.
            return Err(DetachedError::Untold);
        }
        let opened = outgoing.open(self.closing.clone()).await;
        let opened = opened.inspect_err(|error| metrics.refused(error));
        let (reply, open) = opened.map_err(DetachedError::Failed)?;
        let ReplyBody::Whole { bytes, outcome } = reply.body else {
            open.not_delivered();
            let why = "a stream came where a whole answer was asked for";
            let error = CallError::Link(LinkError::Lost(why.to_owned()));
            return Err(DetachedError::Failed(error));
        };
        if !deliver(bytes).await {
            open.not_delivered();
            return Err(DetachedError::NotKept);
        }
        let settled = open.ended(*outcome);
        if self.settle_first {
            settled.wait().await;
        }
        Ok(())
    }

    /// Runs work beside the requests, which the end of the process waits for.
    pub fn run_aside(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.settler.run_aside(work);
    }
}
