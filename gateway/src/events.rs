//! The journal of what happens here, and how servers follow it. What it means is theirs to say.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream;
use shared::db::DbError;
use shared::id::JournalId;
use shared::link::LinkError;
use shared::link::events::{Event, EventSource, EventStream, GatewayEvent};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::Gateway;

/// Events waiting to be stored.
pub(crate) const WAITING_MAX: usize = 256;
/// How often the journal is looked into for what other gateways on its database wrote.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Between attempts to store what the database did not take.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
const TRIES_MAX: u32 = 30;

/// Where this gateway's database keeps its events, and who waits for them.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(crate) id: JournalId,
    /// Something was written by this process.
    written: Notify,
    /// No listener is kept any longer.
    closed: CancellationToken,
}

impl Journal {
    pub(crate) fn new(id: JournalId) -> Self {
        Self {
            id,
            written: Notify::new(),
            closed: CancellationToken::new(),
        }
    }

    /// Sends listeners away, to another gateway or the next life of this one.
    pub(crate) fn close(&self) {
        self.closed.cancel();
    }
}

impl Gateway {
    /// Writes that this gateway came up; one without its database does not.
    pub(crate) async fn write_start(&self) -> Result<(), DbError> {
        let started = GatewayEvent::GatewayStarted {
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        self.store.record(&started, self.clock.now()).await
    }

    /// Stores what is told, until the process stops.
    pub(crate) async fn write_events(
        self: Arc<Self>,
        mut told: mpsc::Receiver<GatewayEvent>,
        stop: CancellationToken,
    ) {
        while let Some(Some(news)) = stop.run_until_cancelled(told.recv()).await {
            info!("{news:?}");
            self.write_event(&news, &stop).await;
        }
        // What was told before the end is not lost, where the database is there.
        while let Ok(news) = told.try_recv() {
            self.write_event(&news, &stop).await;
        }
    }

    async fn write_event(&self, news: &GatewayEvent, stop: &CancellationToken) {
        for _ in 0..TRIES_MAX {
            match self.try_write(news).await {
                Ok(()) => {
                    self.journal.written.notify_waiters();
                    return;
                }
                Err(error) => warn!(%error, "an event was not stored yet: {error}"),
            }
            let pause = tokio::time::sleep(AGAIN_AFTER);
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
        self.pools.written(news);
    }

    /// While the list of providers is not read: one that was read before and set after it would undo
    /// a key's switch until the next look.
    async fn try_write(&self, news: &GatewayEvent) -> Result<(), DbError> {
        let _alone = self.reloading.lock().await;
        self.store.record(news, self.clock.now()).await?;
        self.pools.written(news);
        Ok(())
    }
}

/// A gateway's events, read by a server.
#[derive(Debug)]
pub(crate) struct Events(pub(crate) Arc<Gateway>);

/// A listener's place.
struct Following {
    gateway: Arc<Gateway>,
    after: i64,
    page: std::vec::IntoIter<Event>,
}

#[async_trait]
impl EventSource for Events {
    fn name(&self) -> String {
        "the gateway of this process".to_owned()
    }

    async fn journal(&self) -> Result<JournalId, LinkError> {
        Ok(self.0.journal.id.clone())
    }

    async fn follow(&self, journal: &JournalId, after: i64) -> Result<EventStream, LinkError> {
        if *journal != self.0.journal.id {
            let own = &self.0.journal.id;
            return Err(LinkError::Refused(format!("this journal is `{own}`")));
        }
        let following = Following {
            gateway: self.0.clone(),
            after,
            page: Vec::new().into_iter(),
        };
        Ok(Box::pin(stream::unfold(following, |mut state| async {
            let next = state.next().await?;
            Some((next, state))
        })))
    }
}

impl Following {
    async fn next(&mut self) -> Option<Result<Event, LinkError>> {
        let journal = &self.gateway.journal;
        loop {
            if let Some(event) = self.page.next() {
                self.after = event.cursor;
                return Some(Ok(event));
            }
            // Heard of from before the look on, or what is written meanwhile would wait.
            let mut written = std::pin::pin!(journal.written.notified());
            written.as_mut().enable();
            match self.gateway.store.events(self.after).await {
                Err(error) => return Some(Err(LinkError::Lost(error.to_string()))),
                Ok(page) if !page.is_empty() => self.page = page.into_iter(),
                Ok(_) => {
                    tokio::select! {
                        () = journal.closed.cancelled() => return None,
                        () = written => {}
                        () = tokio::time::sleep(LOOK_EVERY) => {}
                    }
                }
            }
        }
    }
}
