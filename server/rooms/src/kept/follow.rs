//! Following a response's events: from the memory of this process where it works on it, else from the database
//! as another process writes them. Reads no event, and speaks no HTTP.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use server_store::kept::{KeptPart, KeptPlace};
use shared::db::DbError;
use shared::id::TenantId;

use super::events::{EventLog, Found};
use super::running::name;
use super::{IN_PROGRESS, KeepError, Keeping, KeptThing, Reader, kinds, locked};

/// How often it is looked whether another process has written events; it does once in a second.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Where it stands beside a kept answer how many events it had before the one that told its end.
pub const EVENTS: &str = "events";
/// Rows of events that are read at once, each of at most a few hundred kilobytes.
const READ_AT_ONCE: i64 = 4;
/// Of a tenant in one process, who follow through the database, or as many as it may have in progress.
const FOLLOWERS_MAX: u32 = 32;

/// What comes next of a response's events.
#[derive(Debug)]
pub enum Next {
    /// Events behind those before.
    Events(Bytes),
    /// There are no more: it is over, as it stands now; with the number of the event that tells so, unless that
    /// was seen.
    Over(Box<KeptThing>, Option<u64>),
    /// Somebody deleted it.
    Gone,
    /// Events are missing: their time is over, or they were too many to be kept.
    Missing,
    /// This process ends, or could not write how the response did; it can be followed on later.
    Leaving,
}

/// Somebody who follows a response.
#[derive(Debug)]
pub struct Follower {
    keeping: Keeping,
    tenant: TenantId,
    id: String,
    log: Option<Arc<EventLog>>,
    after: Option<u64>,
    /// Whether this process worked on it to its end.
    was_here: bool,
    /// Where it looks into the database.
    seat: Option<FollowerSlot>,
}

fn place_of(after: Option<u64>) -> i64 {
    after.map_or(-1, |after| i64::try_from(after).unwrap_or(i64::MAX))
}

impl Follower {
    pub(super) fn new(
        keeping: Keeping,
        (tenant, id): (TenantId, String),
        log: Option<Arc<EventLog>>,
        after: Option<u64>,
    ) -> Self {
        Self {
            keeping,
            tenant,
            id,
            log,
            after,
            was_here: false,
            seat: None,
        }
    }

    /// The number of the last event that was told, or seen before.
    pub fn after(&self) -> Option<u64> {
        self.after
    }

    /// What comes next; waits for it. Nothing is lost where it is dropped.
    pub async fn next(&mut self) -> Result<Next, DbError> {
        loop {
            let Some(log) = self.log.clone() else {
                if let Some(next) = self.look().await? {
                    return Ok(next);
                }
                if self.was_here {
                    return Ok(Next::Leaving);
                }
                let pause = tokio::time::sleep(LOOK_EVERY);
                let stop = &self.keeping.0.stop;
                if stop.run_until_cancelled(pause).await.is_none() {
                    return Ok(Next::Leaving);
                }
                continue;
            };
            let mut changes = log.changes();
            match log.behind(self.after) {
                Found::Events(bytes, last) => {
                    self.after = Some(last);
                    return Ok(Next::Events(bytes));
                }
                // Where somebody cancelled it through another process, its events are not written any more: then
                // its end is told, which stands in the database.
                Found::Earlier => return Ok(self.look().await?.unwrap_or(Next::Missing)),
                // Its sender is the log.
                Found::Nothing => drop(changes.changed().await),
                Found::Over => {
                    self.log = None;
                    self.was_here = true;
                }
            }
        }
    }

    /// What the database has; nothing where it is in progress and nothing new is written.
    async fn look(&mut self) -> Result<Option<Next>, DbError> {
        // First, and its word alone, since this is asked twice in a second: what is written before its end is
        // seen afterwards.
        let store = &self.keeping.0.store;
        let place = KeptPlace {
            tenant: &self.tenant,
            parent: "",
            id: &self.id,
        };
        let Some(status) = store.kept_status(place).await? else {
            return Ok(Some(Next::Gone));
        };
        if let Some(next) = self.written().await? {
            return Ok(Some(next));
        }
        if status == IN_PROGRESS {
            return Ok(None);
        }
        let reader = Reader {
            tenant: &self.tenant,
            own: None,
        };
        let thing = self.keeping.get(reader, kinds::RESPONSE, &self.id).await?;
        let Some(thing) = thing else {
            return Ok(Some(Next::Gone));
        };
        let wanted = self.wanted();
        // Only of what came to its end by itself.
        let end = match thing.said[EVENTS].as_u64() {
            Some(end) if wanted < end => return Ok(Some(Next::Missing)),
            Some(end) => (wanted == end).then_some(end),
            None => Some(wanted),
        };
        Ok(Some(Next::Over(Box::new(thing), end)))
    }

    /// The number of the next event.
    fn wanted(&self) -> u64 {
        self.after.map_or(0, |after| after.saturating_add(1))
    }

    /// Events that are written behind those before.
    async fn written(&mut self) -> Result<Option<Next>, DbError> {
        let part = KeptPart {
            tenant: &self.tenant,
            kind: kinds::ITEM,
            parent: &self.id,
            user: None,
            // `~` sorts behind every id: a row's place is that of its last event.
            after: Some((place_of(self.after), "~")),
            newest_first: false,
            limit: READ_AT_ONCE,
        };
        let rows = self
            .keeping
            .0
            .store
            .kept_part(part, self.keeping.now())
            .await?;
        let mut wanted = self.wanted();
        let mut text = String::new();
        let is_behind = !rows.is_empty();
        for row in rows {
            let thing = self.keeping.open(&self.tenant, row)?;
            let first: u64 = thing.id.parse().unwrap_or(u64::MAX);
            if first > wanted {
                break;
            }
            let skipped = usize::try_from(wanted.saturating_sub(first)).unwrap_or(usize::MAX);
            let events = thing.said.as_str().unwrap_or_default();
            text.extend(events.split_inclusive("\n\n").skip(skipped));
            wanted = u64::try_from(thing.place).unwrap_or(0).saturating_add(1);
        }
        if !text.is_empty() {
            self.after = wanted.checked_sub(1);
            return Ok(Some(Next::Events(text.into())));
        }
        // Something is written behind what is wanted, which is not there.
        Ok(is_behind.then_some(Next::Missing))
    }
}

/// One of those who follow through the database; dropping it makes room for another.
#[derive(Debug)]
struct FollowerSlot {
    keeping: Keeping,
    tenant: TenantId,
}

impl Drop for FollowerSlot {
    fn drop(&mut self) {
        let mut seats = locked(&self.keeping.0.followers);
        if let Some(taken) = seats.get_mut(&self.tenant) {
            *taken = taken.saturating_sub(1);
            if *taken == 0 {
                seats.remove(&self.tenant);
            }
        }
    }
}

impl Keeping {
    /// Follows a response's events behind the one of that number. Whether they may read it is seen before.
    /// Refused with [`KeepError::Followed`] where too many of its tenant look into the database already.
    pub fn follow(
        &self,
        tenant: &TenantId,
        id: &str,
        after: Option<u64>,
    ) -> Result<Follower, KeepError> {
        let here = locked(&self.0.running).get(&name(tenant, id)).cloned();
        let log = here.and_then(|here| here.log);
        // What this process works on is told from memory, and bounded itself.
        let seat = if log.is_none() {
            Some(self.seat(tenant)?)
        } else {
            None
        };
        let place = (tenant.clone(), id.to_owned());
        let mut follower = Follower::new(self.clone(), place, log, after);
        follower.seat = seat;
        Ok(follower)
    }

    fn seat(&self, tenant: &TenantId) -> Result<FollowerSlot, KeepError> {
        // All that a tenant has in progress can be followed.
        let most = self.0.bounds.running.max(FOLLOWERS_MAX);
        let mut followers = locked(&self.0.followers);
        let taken = followers.entry(tenant.clone()).or_default();
        if *taken >= most {
            return Err(KeepError::Followed(most));
        }
        *taken = taken.saturating_add(1);
        Ok(FollowerSlot {
            keeping: self.clone(),
            tenant: tenant.clone(),
        })
    }

    /// Whether events of a response are there to be followed.
    pub async fn has_events(&self, tenant: &TenantId, id: &str) -> Result<bool, DbError> {
        if locked(&self.0.running).contains_key(&name(tenant, id)) {
            return Ok(true);
        }
        let place = KeptPlace {
            tenant,
            parent: "",
            id,
        };
        self.0.store.kept_below(place, self.now()).await
    }
}
