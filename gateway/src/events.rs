//! The journal of what happens here, and how servers follow it. What it means is theirs to say.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream;
use shared::db::DbError;
use shared::id::JournalId;
use shared::link::LinkError;
use shared::link::events::{Event, EventSource, EventStream};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::store::Store;

/// How often the journal is looked into for what other gateways on its database wrote.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Where this gateway's database keeps its events, and who waits for them.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(crate) id: JournalId,
    store: Store,
    /// Something was written by this process.
    written: Notify,
    /// No listener is kept any longer.
    closed: CancellationToken,
}

impl Journal {
    /// The one in the database of `store`.
    pub(crate) async fn open(store: Store) -> Result<Arc<Self>, DbError> {
        Ok(Arc::new(Self {
            id: store.journal().await?,
            store,
            written: Notify::new(),
            closed: CancellationToken::new(),
        }))
    }

    /// Something was written: nobody needs to look for it.
    pub(crate) fn wake_listeners(&self) {
        self.written.notify_waiters();
    }

    /// Sends listeners away, to another gateway or the next life of this one.
    pub(crate) fn close(&self) {
        self.closed.cancel();
    }
}

/// A gateway's events, read by a server.
#[derive(Debug)]
pub(crate) struct Events(pub(crate) Arc<Journal>);

/// A listener's place.
struct Following {
    journal: Arc<Journal>,
    after: i64,
    page: std::vec::IntoIter<Event>,
}

#[async_trait]
impl EventSource for Events {
    fn name(&self) -> String {
        "the gateway of this process".to_owned()
    }

    async fn journal(&self) -> Result<JournalId, LinkError> {
        Ok(self.0.id.clone())
    }

    async fn follow(&self, journal: &JournalId, after: i64) -> Result<EventStream, LinkError> {
        if *journal != self.0.id {
            let own = &self.0.id;
            return Err(LinkError::Refused(format!("this journal is `{own}`")));
        }
        let following = Following {
            journal: self.0.clone(),
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
        let journal = &self.journal;
        loop {
            if let Some(event) = self.page.next() {
                self.after = event.cursor;
                return Some(Ok(event));
            }
            // Heard of from before the look on, or what is written meanwhile would wait.
            let mut written = std::pin::pin!(journal.written.notified());
            written.as_mut().enable();
            match journal.store.events(self.after).await {
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
