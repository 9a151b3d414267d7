//! Responses that come later: begun, ended once, cancelled from any process, and failed where the process
//! that worked on them is gone. Runs no call itself.

use std::time::Duration;

use serde_json::Value;
use server_store::kept::{FAILED, KeptEnd, KeptPlace, KeptTurn};
use shared::db::DbError;
use shared::id::TenantId;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::items::{named, weight_of};
use super::{
    CONVERSATION_ITEMS_MAX, KeepError, Keeping, NewKept, NewTurn, Reader, locked, may_add, weight,
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
}

fn name(tenant: &TenantId, id: &str) -> String {
    format!("{tenant}:{id}")
}

impl Drop for Running {
    fn drop(&mut self) {
        locked(&self.keeping.0.running).remove(&name(&self.tenant, &self.id));
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

    /// Ends it with what there is to read from now on, the ids of the items in it, and with what it adds to a conversation; answers
    /// whether it was in progress still. It was let in when it began, so its answer is kept whatever it
    /// weighs, which the size of an answer bounds: else a tenant would have it worked out for nothing.
    pub async fn end(
        &self,
        who: &Principal,
        (status, said, names): (&str, &Value, &[String]),
        turn: Option<NewTurn<'_>>,
    ) -> Result<bool, DbError> {
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
    /// request brings.
    pub async fn begin(
        &self,
        who: &Principal,
        new: NewKept<'_>,
        turn: Option<(&str, usize)>,
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
        let key = name(&who.tenant, new.id);
        locked(&self.0.running).insert(key, stop.clone());
        Ok(Running {
            keeping: self.clone(),
            tenant: who.tenant.clone(),
            id: new.id.to_owned(),
            stop,
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
        };
        // One that is over works no more; what it has left to do is to be paid.
        if self.0.store.end_kept(place, end, None).await? {
            self.cancel_here(reader.tenant, id);
        }
        Ok(())
    }

    /// Stops the work on it, where that is done in this process.
    pub(super) fn cancel_here(&self, tenant: &TenantId, id: &str) {
        if let Some(stop) = locked(&self.0.running).get(&name(tenant, id)) {
            stop.cancel();
        }
    }

    /// Ends as failed what dead processes left, round after round, until told to stop.
    pub async fn fail_orphans_forever(self, stop: CancellationToken) {
        loop {
            let pause = tokio::time::sleep(ORPHANS_EVERY);
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
            match self.0.store.fail_orphans().await {
                Ok(0) => {}
                Ok(failed) => info!("{failed} responses of processes that died failed"),
                Err(error) => {
                    warn!(%error, "responses of dead processes could not be ended: {error}");
                }
            }
        }
    }
}
