//! Whoever reads a generation: first its head, then its pieces, from an offset on. Leaving is told to
//! the generation, and a generation that nobody reads is looked after for a while and then ended.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use shared::id::{BootId, GenerationId};
use shared::link::{LinkError, Outcome, Piece, Reply, ReplyBody};
use tracing::info;

use super::context::GenerationContext;
use super::generation::{Driven, Generation, canceled};
use super::log::Gone;
use super::parting;
use super::register::{End, Ended, Output};

/// What it means when a reader goes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnDisconnect {
    /// The tenant left: the reader is a part of the server's process.
    Cancels,
    /// Perhaps only the link was cut: somebody may come again.
    Detaches,
}

/// How a reader comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Coming {
    /// It has all before this.
    pub(crate) offset: u64,
    /// What it means when it goes.
    pub(crate) on_disconnect: OnDisconnect,
    /// How long its server tries to come again, where that is known.
    pub(crate) patience: Option<Duration>,
}

impl Coming {
    /// Inside a process.
    pub(crate) fn inside() -> Self {
        Self {
            offset: 0,
            on_disconnect: OnDisconnect::Cancels,
            patience: None,
        }
    }
}

enum Source {
    Live {
        generation: Arc<Generation>,
        subscriber: usize,
    },
    Ended {
        context: Arc<GenerationContext>,
        id: GenerationId,
        ended: Ended,
    },
}

/// One reader.
pub(super) struct Reader {
    source: Source,
    position: u64,
    on_disconnect: OnDisconnect,
    told: bool,
}

fn gone(Gone: Gone) -> LinkError {
    LinkError::Lost("the bytes asked for are not kept any more".to_owned())
}

impl Reader {
    /// Of a generation that runs.
    pub(super) fn live(generation: Arc<Generation>, coming: Coming) -> Self {
        let subscriber = generation.attach(coming.offset, coming.patience);
        Self {
            source: Source::Live {
                generation,
                subscriber,
            },
            position: coming.offset,
            on_disconnect: coming.on_disconnect,
            told: false,
        }
    }

    /// Of one that is over, from `position` on.
    pub(super) fn ended(
        context: &Arc<GenerationContext>,
        id: &GenerationId,
        ended: Ended,
        position: u64,
    ) -> Self {
        Self {
            source: Source::Ended {
                context: context.clone(),
                id: id.clone(),
                ended,
            },
            position,
            on_disconnect: OnDisconnect::Detaches,
            told: false,
        }
    }

    /// Waits until a provider has accepted and makes the reply of it.
    pub(super) async fn reply(mut self, boot: BootId) -> Result<Reply, LinkError> {
        std::future::poll_fn(|cx| self.poll_head(cx)).await?;
        let whole = match &self.source {
            Source::Ended { ended, .. } => self.whole(ended)?,
            Source::Live { .. } => None,
        };
        let (content_type, dropped) = match &self.source {
            Source::Ended { ended, .. } => (ended.content_type.clone(), ended.dropped.clone()),
            Source::Live { generation, .. } => (generation.content_type(), generation.dropped()),
        };
        Ok(Reply {
            boot,
            content_type: content_type.into_owned(),
            dropped: dropped.to_vec(),
            body: whole.unwrap_or_else(|| ReplyBody::Stream(Box::pin(self))),
        })
    }

    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), LinkError>> {
        loop {
            match &self.source {
                Source::Ended { ended, .. } => {
                    return Poll::Ready(match &ended.end {
                        End::Failure(failure) => {
                            Err(LinkError::Failed(Box::new(failure.as_ref().clone())))
                        }
                        End::Outcome(_) => Ok(()),
                    });
                }
                Source::Live { generation, .. } if generation.is_streaming() => {
                    return Poll::Ready(Ok(()));
                }
                Source::Live {
                    generation,
                    subscriber,
                } => {
                    let driven = ready!(generation.poll_for(*subscriber, self.position, cx));
                    if let Driven::Ended = driven.map_err(gone)? {
                        self.see_end();
                    }
                }
            }
        }
    }

    /// The answer of a generation that gave one at once.
    fn whole(&self, ended: &Ended) -> Result<Option<ReplyBody>, LinkError> {
        let End::Outcome(outcome) = &ended.end else {
            return Ok(None);
        };
        if !ended.whole {
            // Told now, and not after a head that promises bytes.
            return replay(ended, self.position).map(|_| None).map_err(gone);
        }
        let Some(Output::Whole(bytes)) = ended.output.as_deref() else {
            return Err(gone(Gone));
        };
        let from = usize::try_from(self.position).unwrap_or(usize::MAX);
        if from > bytes.len() {
            return Err(gone(Gone));
        }
        Ok(Some(ReplyBody::Whole {
            bytes: bytes.slice(from..),
            outcome: Box::new((**outcome).clone()),
        }))
    }

    /// Goes on with what was recorded.
    fn see_end(&mut self) {
        if let Source::Live {
            generation,
            subscriber,
        } = &self.source
            && let Some(ended) = generation.ended()
        {
            generation.detach(*subscriber);
            self.source = Source::Ended {
                context: generation.context().clone(),
                id: generation.id().clone(),
                ended,
            };
        }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Piece, LinkError>>> {
        loop {
            match &self.source {
                Source::Live {
                    generation,
                    subscriber,
                } => match ready!(generation.poll_for(*subscriber, self.position, cx)) {
                    Ok(Driven::Piece(bytes)) => {
                        return Poll::Ready(Some(Ok(self.passed(bytes))));
                    }
                    Ok(Driven::Opened) => {}
                    Ok(Driven::Ended) => self.see_end(),
                    Err(missing) => return Poll::Ready(Some(Err(gone(missing)))),
                },
                Source::Ended { context, id, ended } => {
                    let rest = match replay(ended, self.position) {
                        Ok(None) if self.told => return Poll::Ready(None),
                        Ok(None) => Ok(Piece::Outcome(Box::new(outcome(&ended.end)?))),
                        Ok(Some(bytes)) => {
                            let end = self.position + u64::try_from(bytes.len()).unwrap_or(0);
                            if let Some(untaken) = &ended.untaken
                                && untaken.took(end)
                            {
                                context.outcomes.took(id);
                            }
                            Ok(self.passed(bytes))
                        }
                        Err(missing) => Err(gone(missing)),
                    };
                    self.told = !matches!(rest, Ok(Piece::Bytes(_)));
                    return Poll::Ready(Some(rest));
                }
            }
        }
    }

    fn passed(&mut self, bytes: Bytes) -> Piece {
        self.position += u64::try_from(bytes.len()).unwrap_or(0);
        Piece::Bytes(bytes)
    }
}

fn replay(ended: &Ended, position: u64) -> Result<Option<Bytes>, Gone> {
    if position == ended.length {
        return Ok(None);
    }
    match ended.output.as_deref() {
        Some(Output::Stream(log)) => log.read(position),
        Some(Output::Whole(_)) | None => Err(Gone),
    }
}

fn outcome(end: &End) -> Result<Outcome, LinkError> {
    match end {
        End::Outcome(outcome) => Ok((**outcome).clone()),
        End::Failure(failure) => Err(LinkError::Failed(Box::new((**failure).clone()))),
    }
}

impl Stream for Reader {
    type Item = Result<Piece, LinkError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_piece(cx)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let Source::Live {
            generation,
            subscriber,
        } = &self.source
        else {
            return;
        };
        let Some(left) = generation.detach(*subscriber) else {
            return;
        };
        // Outside of a runtime the process is ending.
        if tokio::runtime::Handle::try_current().is_err() {
            generation.stop(canceled("the tenant went away"));
            return;
        }
        match self.on_disconnect {
            OnDisconnect::Cancels => parting::part(generation),
            OnDisconnect::Detaches => {
                let context = generation.context();
                let care = care(generation.clone(), left, generation.grace());
                context.supervisor.spawn("generation", care);
            }
        }
    }
}

/// Drives a generation that nobody reads, and ends it when nobody has come for `grace`.
async fn care(generation: Arc<Generation>, left: u64, grace: Duration) {
    let driving = std::future::poll_fn(|cx| generation.poll_care(left, cx));
    if tokio::time::timeout(grace, driving).await.is_err() {
        info!("a generation that nobody read for {grace:?} is cancelled");
        generation.context().metrics.abandoned();
        generation.stop(canceled("nobody was attached any more"));
    }
}
