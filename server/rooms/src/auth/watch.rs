//! Follows the announced changes for one process: forgets people, has the catalogue read again,
//! and deletes what has served its time. Lets nobody in.

use std::sync::atomic::Ordering;
use std::time::Duration;

use server_store::changes::{CATALOGUE, END_USERS, TENANT};
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::TenantId;
use shared::supervisor::Supervisor;
use tracing::{info, warn};

use super::{Auth, POLL_TRUSTED};
use crate::catalogue::Catalogue;
use crate::end_users::EndUsers;

/// Between two looks at the announced changes.
const POLL_EVERY: Duration = Duration::from_millis(250);
/// What every replica has read long ago.
const CHANGES_KEPT: Duration = Duration::from_secs(3_600);
/// A process that could not look for so long may have missed changes that were deleted since.
const GAP_MAX: Duration = Duration::from_secs(1_800);
/// How long a request waits for a poll that is late, before it asks the database itself.
const POLL_WAIT: Duration = Duration::from_secs(5);
/// Polls between two clean-ups: about an hour.
const POLLS_PER_CLEANUP: u64 = 14_400;

/// What is read again when it was changed, besides who may come in.
#[derive(Debug, Clone, Default)]
pub struct Watched {
    /// Models and prices.
    pub catalogue: Option<Catalogue>,
    /// Who may not call.
    pub end_users: Option<EndUsers>,
}

impl Auth {
    /// Starts to follow the changes, until the supervisor says stop; call it once.
    pub fn watch(&self, watched: Watched, supervisor: &Supervisor) {
        let (this, stop) = (self.clone(), supervisor.stopping());
        let following = async move {
            let mut version = None;
            let mut failing = false;
            for turn in 0_u64.. {
                let polled = this.poll(&mut version, &watched).await;
                this.0.polls.send_replace(polled.is_ok());
                match polled {
                    Ok(()) if failing => {
                        failing = false;
                        info!("the announced changes are read again");
                    }
                    // Once, not four times a second for as long as the database is away.
                    Err(error) if !failing => {
                        failing = true;
                        warn!(%error, "the announced changes can't be read: {error}");
                    }
                    Ok(()) | Err(_) => {}
                }
                if turn % POLLS_PER_CLEANUP == POLLS_PER_CLEANUP / 2 {
                    this.clean_up().await;
                }
                tokio::select! {
                    () = stop.cancelled() => {
                        // Nobody waits for another poll.
                        this.0.polls.send_replace(false);
                        return;
                    }
                    () = tokio::time::sleep(POLL_EVERY) => {}
                }
            }
        };
        supervisor.spawn("changes", supervisor.vital("changes", following));
    }

    /// Whether what changed before `now` (up to what is trusted) was seen. On a machine without time
    /// polls are late: if each of thousands of requests asked the database instead, the next poll would
    /// stand behind them and be late as well.
    pub(super) async fn was_polled(&self, now: Moment) -> bool {
        let is_young = || {
            let polled_at = self.0.polled_at.load(Ordering::Acquire);
            now.since(Moment::from_unix_ms(polled_at)) < POLL_TRUSTED
        };
        if is_young() {
            return true;
        }
        let mut polls = self.0.polls.subscribe();
        let waiting = async {
            // False before the first one as well.
            while *polls.borrow_and_update() {
                if is_young() {
                    return true;
                }
                if polls.changed().await.is_err() {
                    return false;
                }
            }
            is_young()
        };
        let waited = tokio::time::timeout(POLL_WAIT, waiting).await;
        waited.unwrap_or(false)
    }

    async fn poll(&self, version: &mut Option<i64>, watched: &Watched) -> Result<(), DbError> {
        let asked_at = self.0.clock.now();
        let polled_at = Moment::from_unix_ms(self.0.polled_at.load(Ordering::Acquire));
        // At the start, and after a gap, anything may have changed unseen.
        let anew = version.is_none() || asked_at.since(polled_at) > GAP_MAX;
        let mut newest = match *version {
            Some(version) if !anew => version,
            Some(_) | None => self.0.store.changes_newest().await?,
        };
        if anew {
            self.0.cache.forget_all();
        }
        let (mut reload, mut end_users) = (anew, anew);
        loop {
            let changes = self.0.store.changes_after(newest).await?;
            let Some((last, _)) = changes.last() else {
                break;
            };
            newest = *last;
            for (_, subject) in &changes {
                if let Some(tenant) = subject.strip_prefix(TENANT) {
                    self.forget(&TenantId::from_stored(tenant.to_owned()));
                }
                reload |= subject == CATALOGUE;
                end_users |= subject == END_USERS;
            }
        }
        if let Some(catalogue) = watched.catalogue.as_ref().filter(|_| reload) {
            catalogue.reload().await?;
        }
        if let Some(room) = watched.end_users.as_ref().filter(|_| end_users) {
            room.reload().await?;
        }
        *version = Some(newest);
        self.0
            .polled_at
            .store(asked_at.unix_ms(), Ordering::Release);
        Ok(())
    }

    async fn clean_up(&self) {
        let now = self.0.clock.now();
        let forgotten = self.0.store.changes_forget(now.before(CHANGES_KEPT)).await;
        let ended = self.0.store.delete_ended_sessions(now).await;
        let browsers = self.0.store.delete_ended_web_sessions(now).await;
        // After the sessions that they end with.
        let opened = self.0.store.end_opened_portals(now).await;
        if let Err(error) = forgotten.and(ended).and(browsers).and(opened) {
            warn!(%error, "what has served its time can't be deleted: {error}");
        }
    }
}
