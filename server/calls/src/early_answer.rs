//! A stream that is begun before a provider has accepted it, since whoever stands between the tenant and
//! this server gives up on silence. Knows no texts.

use std::pin::Pin;
use std::time::Duration;

use server_rooms::limits::LimitInfo;
use shared::id::GenerationId;

use super::open_call::Outgoing;
use super::{Answer, CallError, Calls, Lifecycle};

/// An answer on its way.
pub type Later = Pin<Box<dyn Future<Output = Result<Answer, CallError>> + Send>>;

/// What a tenant's answer begins with.
pub enum EarlyAnswer {
    /// A provider answers.
    Answered(Answer),
    /// No provider has accepted yet; dropping it cancels the call and settles it.
    Later(Later),
}

impl std::fmt::Debug for EarlyAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Answered(answer) => write!(f, "Answered({answer:?})"),
            Self::Later(_) => f.write_str("Later"),
        }
    }
}

/// A call that can be sent.
pub(super) struct Ready {
    pub(super) generation: GenerationId,
    pub(super) limits: LimitInfo,
    /// The maximum of output tokens, when it was lowered.
    pub(super) lowered: Option<u64>,
    pub(super) outgoing: Outgoing,
    /// What is to be said of its model's end.
    pub(super) lifecycle: Lifecycle,
}

/// An answer and what is known of it beside its bytes.
pub(super) struct Opened<A> {
    /// Of the body.
    pub(super) content_type: String,
    /// What could not be said at the provider.
    pub(super) dropped: Vec<String>,
    /// The body.
    pub(super) answer: A,
}

impl Opened<Answer> {
    fn early(self) -> Opened<EarlyAnswer> {
        Opened {
            content_type: self.content_type,
            dropped: self.dropped,
            answer: EarlyAnswer::Answered(self.answer),
        }
    }
}

/// What a stream is, also before its provider says so.
const EVENTS: &str = "text/event-stream; charset=utf-8";

impl Calls {
    /// Opens a call; a stream no longer than `patience`, where that is given.
    pub(super) async fn begin(
        &self,
        outgoing: Outgoing,
        patience: Option<Duration>,
    ) -> Result<Opened<EarlyAnswer>, CallError> {
        let Some(patience) = patience.filter(|_| outgoing.is_stream()) else {
            return self.open(outgoing).await.map(Opened::early);
        };
        let this = self.clone();
        let mut opening = Box::pin(async move { this.open(outgoing).await });
        if let Ok(opened) = tokio::time::timeout(patience, &mut opening).await {
            return opened.map(Opened::early);
        }
        let metrics = self.settler.metrics().clone();
        let later = async move {
            let opened = opening.await;
            if let Err(error) = &opened {
                metrics.refused(error);
            }
            opened.map(|opened| opened.answer)
        };
        Ok(Opened {
            content_type: EVENTS.to_owned(),
            dropped: Vec::new(),
            answer: EarlyAnswer::Later(Box::pin(later)),
        })
    }
}
