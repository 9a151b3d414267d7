//! Responses that come later: begun, ended once, cancelled from any process, and failed where the process
//! that worked on them is gone. Runs no call itself.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use server_store::kept::{FAILED, KeptDue, KeptEnd, KeptEnded, KeptPlace, KeptTurn};
use shared::db::DbError;
use shared::id::TenantId;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::events::EventLog;
use super::items::{named, weight_of};
use super::{
    CONVERSATION_ITEMS_MAX, Follower, Here, KeepError, Keeping, NewKept, NewTurn, Reader, locked,
    may_add, weight,
};
use crate::auth::Principal;

/// How soon another process's cancellation is heard of.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How soon what a dead process left is told to have failed, once recovery knows that it is dead.
const ORPHANS_EVERY: Duration = Duration::from_secs(5);
/// The word of a response that somebody cancelled.
pub const CANCELLED: &str = "cancelled";

/// A response that is being worked on; dropping it lets go of it.
#[derive(Debug)]
pub struct Running {
    keeping: Keeping,
    tenant: TenantId,
    id: String,
    stop: CancellationToken,
    log: Option<Arc<EventLog>>,
}

pub(super) fn name(tenant: &TenantId, id: &str) -> String {
    format!("{tenant}:{id}")
}

impl Drop for Running {
    fn drop(&mut self) {
        locked(&self.keeping.0.running).remove(&name(&self.tenant, &self.id));
        if let Some(log) = &self.log {
            log.end();
        }
    }
}

impl Running {
    /// Ends when somebody cancels or deletes it, here or elsewhere, or takes its process for dead. Its own
    /// end is none of these.
    pub async fn cancelled(&self) {
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let found = self.keeping.0.store.kept_status(self.place()).await;
            match found {
                Ok(None) => return,
                Ok(Some(status)) if status == CANCELLED || status == FAILED => return,
                Ok(Some(_)) => {}
                Err(error) => {
                    warn!(%error, "whether `{}` is cancelled is not known: {error}", self.id);
                }
            }
        }
    }

    fn place(&self) -> KeptPlace<'_> {
        KeptPlace {
            tenant: &self.tenant,
            parent: "",
            id: &self.id,
        }
    }

    /// Adds an event, which is told its number; events are written from time to time, and on [`Running::write`].
    pub fn tell(&self, event: impl FnOnce(u64) -> Bytes) {
        if let Some(log) = &self.log {
            log.push(event);
        }
    }

    /// Ends when events wait to be written for so long, or are so many, that it is time.
    pub async fn is_time_to_write(&self) {
        match &self.log {
            Some(log) => log.is_time().await,
            None => std::future::pending().await,
        }
    }

    /// Writes the events that were not written yet. What can't be written can be followed only as long as it
    /// is in memory.
    pub async fn write(&self, who: &Principal) {
        if let Some(log) = &self.log {
            self.keeping.write_events(who, (&self.id, log)).await;
        }
    }

    /// The number of the event behind all that were told.
    pub fn next_event(&self) -> u64 {
        self.log.as_ref().map_or(0, |log| log.next())
    }

    /// Follows its events from the first one.
    pub fn follow(&self) -> Follower {
        let place = (self.tenant.clone(), self.id.clone());
        Follower::new(self.keeping.clone(), place, self.log.clone(), None)
    }

    /// Ends it with what there is to read from now on and the ids of the items in it, with what is to be paid
    /// for it, and with what it adds to a conversation. It was let in when it began, so its answer is kept
    /// whatever it weighs, which the size of an answer bounds: else a tenant would have it worked out for
    /// nothing.
    pub async fn end(
        &self,
        who: &Principal,
        (status, said, names): (&str, &Value, &[String]),
        (turn, due): (Option<NewTurn<'_>>, Option<KeptDue<'_>>),
    ) -> Result<KeptEnded, DbError> {
        let keeping = &self.keeping;
        let sealed = keeping.seal(&self.tenant, ("", &self.id), said);
        let items = turn
            .map(|turn| keeping.items(who, turn))
            .unwrap_or_default();
        keeping.forget_weight(&self.tenant);
        let turn = turn.map(|turn| KeptTurn {
            conversation: turn.conversation,
            expires_at: keeping.ends(who),
            items_expire_at: keeping.items_end(who),
            // It was let in when it began.
            items_max: i64::MAX,
            items: &items,
        });
        let names = named(names);
        let bytes = weight(&sealed).saturating_add(weight_of(&names));
        let end = KeptEnd {
            status,
            sealed: Some((&sealed, bytes)),
            names: &names,
            due,
        };
        let ended = keeping.0.store.end_kept(self.place(), end, turn.as_ref());
        ended.await
    }

    /// Ends it without an answer.
    pub async fn end_without(&self, status: &str) {
        let end = KeptEnd {
            status,
            sealed: None,
            names: &[],
            due: None,
        };
        let ended = self.keeping.0.store.end_kept(self.place(), end, None);
        if let Err(error) = ended.await {
            // It stays in progress until this process ends; then it is told to have failed.
            warn!(%error, "`{}` could not be ended: {error}", self.id);
        }
    }

    /// Takes it back: nobody was told of it.
    pub async fn undo(&self) {
        if let Err(error) = self.keeping.0.store.forget_kept(self.place()).await {
            warn!(%error, "`{}` could not be taken back: {error}", self.id);
        }
    }
}

impl Keeping {
    /// Begins a response that comes later; `turn` is the conversation it will add to, and how many items its
    /// request brings. With `is_stream` its events can be followed.
    pub async fn begin(
        &self,
        who: &Principal,
        new: NewKept<'_>,
        (turn, is_stream): (Option<(&str, usize)>, bool),
    ) -> Result<Running, KeepError> {
        if let Some((conversation, items)) = turn {
            may_add(items)?;
            let more = i64::try_from(items).unwrap_or(i64::MAX);
            let many = self.0.store.kept_items(&who.tenant, conversation).await?;
            if many.saturating_add(more) > CONVERSATION_ITEMS_MAX {
                return Err(KeepError::TooManyItems(CONVERSATION_ITEMS_MAX));
            }
        }
        let most = self.0.bounds.running;
        let running = self.0.store.kept_running(&who.tenant).await?;
        if running >= i64::from(most) {
            return Err(KeepError::Busy(most));
        }
        self.keep(who, Some(new), None).await?;
        let stop = CancellationToken::new();
        let log = is_stream.then(|| Arc::new(EventLog::new(self.0.log_bytes.clone())));
        let here = Here {
            stop: stop.clone(),
            log: log.clone(),
        };
        locked(&self.0.running).insert(name(&who.tenant, new.id), here);
        Ok(Running {
            keeping: self.clone(),
            tenant: who.tenant.clone(),
            id: new.id.to_owned(),
            stop,
            log,
        })
    }

    /// Cancels a response; nothing where it is over.
    pub async fn cancel(&self, reader: Reader<'_>, id: &str) -> Result<(), DbError> {
        let place = KeptPlace {
            tenant: reader.tenant,
            parent: "",
            id,
        };
        let end = KeptEnd {
            status: CANCELLED,
            sealed: None,
            names: &[],
            due: None,
        };
        // One that is over works no more; what it has left to do is to be paid.
        if self.0.store.end_kept(place, end, None).await? == KeptEnded::Now {
            self.cancel_here(reader.tenant, id);
        }
        Ok(())
    }

    /// Stops the work on it, where that is done in this process.
    pub(super) fn cancel_here(&self, tenant: &TenantId, id: &str) {
        if let Some(here) = locked(&self.0.running).get(&name(tenant, id)) {
            here.stop.cancel();
        }
    }

    /// Ends as failed what dead processes left; answers how many.
    pub async fn fail_orphans(&self) -> Result<usize, DbError> {
        self.0.store.fail_orphans().await
    }

    /// Ends as failed what dead processes left, round after round, until told to stop.
    pub async fn fail_orphans_forever(self, stop: CancellationToken) {
        loop {
            let pause = tokio::time::sleep(ORPHANS_EVERY);
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
            match self.fail_orphans().await {
                Ok(0) => {}
                Ok(failed) => info!("{failed} responses of processes that died failed"),
                Err(error) => {
                    warn!(%error, "responses of dead processes could not be ended: {error}");
                }
            }
        }
    }
}
