//! Responses that come later: begun, ended once, cancelled from any process, and failed where the process
//! that worked on them is gone. Runs no call itself.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
/// Waits between attempts to write an end while the database is away. What was written where nobody learned of
/// it is found written by the next.
const END_WAITS_MS: [u64; 4] = [50, 200, 500, 1_000];
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
    /// Whether its end is being written.
    is_ending: AtomicBool,
}

/// What this process has in progress by its rows, and does not work on.
#[derive(Debug, Default)]
pub struct Forgotten(HashSet<(String, String)>);

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
    /// end is none of these, and once that is being written nobody else's is.
    pub async fn cancelled(&self) {
        self.over_elsewhere().await;
        if self.is_ending.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }

    async fn over_elsewhere(&self) {
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
        let all = items.iter().map(|item| item.bytes);
        keeping.add_weight(&self.tenant, all.fold(bytes, i64::saturating_add));
        // What stood in its place weighs nothing any more.
        keeping.forget_weight(&self.tenant);
        let end = KeptEnd {
            status,
            sealed: Some((&sealed, bytes)),
            names: &names,
            due,
        };
        self.end_surely(end, turn.as_ref()).await
    }

    /// Writes the end until it is known to be written, a few times at most: a connection that breaks says
    /// nothing of what became of its transaction.
    async fn end_surely(
        &self,
        end: KeptEnd<'_>,
        turn: Option<&KeptTurn<'_>>,
    ) -> Result<KeptEnded, DbError> {
        self.is_ending.store(true, Ordering::Relaxed);
        let store = &self.keeping.0.store;
        for wait in END_WAITS_MS {
            match store.end_kept(self.place(), end, turn).await {
                Ok(ended) => return Ok(ended),
                Err(error) => {
                    warn!(%error, "the end of `{}` is written again: {error}", self.id);
                }
            }
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        store.end_kept(self.place(), end, turn).await
    }

    /// Ends it without an answer.
    pub async fn end_without(&self, status: &str) {
        let end = KeptEnd {
            status,
            sealed: None,
            names: &[],
            due: None,
        };
        if let Err(error) = self.end_surely(end, None).await {
            // It is told to have failed as soon as the database is back.
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
        let stop = CancellationToken::new();
        let log = is_stream.then(|| Arc::new(EventLog::new(self.0.log_bytes.clone())));
        let here = Here {
            stop: stop.clone(),
            log: log.clone(),
        };
        // First, so that no row is there that nobody works on; dropping it lets go of it.
        locked(&self.0.running).insert(name(&who.tenant, new.id), here);
        let running = Running {
            keeping: self.clone(),
            tenant: who.tenant.clone(),
            id: new.id.to_owned(),
            stop,
            log,
            is_ending: AtomicBool::new(false),
        };
        self.keep(who, Some(new), None).await?;
        Ok(running)
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

    /// Ends as failed what dead processes left, and says of answers in the studio that they are lost; answers how
    /// many.
    pub async fn fail_orphans(&self) -> Result<usize, DbError> {
        let failed = self.0.store.fail_orphans().await?;
        let lost = self.0.store.lose_studio_answers().await?;
        Ok(failed.saturating_add(lost))
    }

    /// Ends as failed what this life of the process has in progress and does not work on, as when the database
    /// was away at its end. It was so in the round before, too: an end may be seen later than it is written.
    /// Answers how many.
    pub async fn fail_forgotten(&self, before: &mut Forgotten) -> Result<usize, DbError> {
        let rows = self.0.store.kept_running_in(&self.0.boot).await?;
        let forgotten: HashSet<_> = {
            let running = locked(&self.0.running);
            let is_forgotten =
                |(tenant, id): &(String, String)| !running.contains_key(&format!("{tenant}:{id}"));
            rows.into_iter().filter(is_forgotten).collect()
        };
        let before = std::mem::replace(&mut before.0, forgotten.clone());
        let mut failed = 0_usize;
        for (tenant, id) in forgotten.intersection(&before) {
            let tenant = TenantId::from_stored(tenant.clone());
            let place = KeptPlace {
                tenant: &tenant,
                parent: "",
                id,
            };
            let end = KeptEnd {
                status: FAILED,
                sealed: None,
                names: &[],
                due: None,
            };
            if self.0.store.end_kept(place, end, None).await? == KeptEnded::Now {
                failed = failed.saturating_add(1);
            }
        }
        Ok(failed)
    }

    /// Ends as failed what nobody works on, round after round, until told to stop.
    pub async fn fail_orphans_forever(self, stop: CancellationToken) {
        let mut before = Forgotten::default();
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
            match self.fail_forgotten(&mut before).await {
                Ok(0) => {}
                Ok(failed) => info!("{failed} responses failed whose end could not be written"),
                Err(error) => {
                    warn!(%error, "own responses could not be ended: {error}");
                }
            }
        }
    }
}
