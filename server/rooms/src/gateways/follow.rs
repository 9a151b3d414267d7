//! Follows the journals of all gateways and keeps what they tell, and looks how each does. Every
//! replica follows: what one has kept, the others pass over.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use server_store::Store;
use shared::clock::Clock;
use shared::link::LinkError;
use shared::link::events::EventSource;
use shared::supervisor::Supervisor;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::Gateways;
use super::history::LOOK_MS;

/// How often the list of gateways is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// Between attempts at a gateway that can't be followed.
const AGAIN_AFTER: Duration = Duration::from_secs(3);

impl Gateways {
    /// Takes over the list as operators left it; from then on follows it and every gateway in the
    /// background.
    pub async fn start(&self, supervisor: &Supervisor) {
        self.use_kept().await;
        let following = self.clone().follow_forever(supervisor.clone());
        supervisor.spawn("gateways", following);
        let looking = self.clone().look_forever(supervisor.stopping());
        supervisor.spawn("gateways' history", looking);
    }

    async fn look_forever(self, stop: CancellationToken) {
        let pause = Duration::from_millis(LOOK_MS.unsigned_abs());
        loop {
            let Some(views) = stop.run_until_cancelled(self.fleet.gateways()).await else {
                return;
            };
            self.history.add(self.clock.now(), &views);
            if stop
                .run_until_cancelled(tokio::time::sleep(pause))
                .await
                .is_none()
            {
                return;
            }
        }
    }

    async fn follow_forever(self, supervisor: Supervisor) {
        let stop = supervisor.stopping();
        let mut followed: HashMap<String, CancellationToken> = HashMap::new();
        loop {
            let pause = tokio::time::sleep(LOOK_EVERY);
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
            self.use_kept().await;
            let sources = self.told.event_sources();
            followed.retain(|name, end| {
                let known = sources.iter().any(|source| source.name() == *name);
                if !known {
                    end.cancel();
                }
                // However one ended, the next look starts another.
                known && !end.is_cancelled()
            });
            for source in sources {
                followed.entry(source.name()).or_insert_with(|| {
                    let end = stop.child_token();
                    let follower = Follower {
                        source,
                        store: self.store.clone(),
                        clock: self.clock.clone(),
                    };
                    let (ended, follow) = (end.clone(), follower.follow_forever(end.clone()));
                    supervisor.spawn("gateway events", async move {
                        let _ended = ended.drop_guard();
                        follow.await;
                    });
                    end
                });
            }
        }
    }
}

struct Follower {
    source: Arc<dyn EventSource>,
    store: Store,
    clock: Clock,
}

impl Follower {
    async fn follow_forever(self, end: CancellationToken) {
        loop {
            if end.run_until_cancelled(self.follow()).await.is_none() {
                return;
            }
            let pause = tokio::time::sleep(AGAIN_AFTER);
            if end.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
    }

    /// Until the stream or the database ends it.
    async fn follow(&self) {
        let name = self.source.name();
        if let Err(error) = self.read_on(&name).await {
            debug!(%error, "the events of {name} can't be followed now: {error}");
        }
    }

    async fn read_on(&self, name: &str) -> Result<(), LinkError> {
        let lost = |error: shared::db::DbError| LinkError::Lost(error.to_string());
        let journal = self.source.journal().await?;
        let after = self.store.journal_cursor(&journal).await.map_err(lost)?;
        let mut events = self.source.follow(&journal, after).await?;
        while let Some(event) = events.next().await {
            let (event, now) = (event?, self.clock.now());
            let kept = self.store.keep_event(&journal, name, &event, now);
            if !kept.await.map_err(lost)? {
                debug!("event {} of {journal} was kept before", event.cursor);
            }
        }
        Ok(())
    }
}
