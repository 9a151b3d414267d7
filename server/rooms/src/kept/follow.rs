//! Following a response's events: from the memory of this process where it works on it, else from the database
//! as another process writes them. Reads no event, and speaks no HTTP.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use server_store::kept::KeptPart;
use shared::db::DbError;
use shared::id::TenantId;

use super::events::{EventLog, Found};
use super::running::name;
use super::{IN_PROGRESS, Keeping, KeptThing, Reader, kinds, locked};

/// How often it is looked whether another process has written events; it does once in a second.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Where it stands beside a kept answer how many events it had before the one that told its end.
pub const EVENTS: &str = "events";
/// Rows of events that are read at once, each of at most a few hundred kilobytes.
const READ_AT_ONCE: i64 = 4;

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
                Found::Earlier => {
                    let written = self.written().await?;
                    return Ok(written.unwrap_or(Next::Missing));
                }
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
        // First: what is written before its end is seen afterwards.
        let reader = Reader {
            tenant: &self.tenant,
            own: None,
        };
        let thing = self.keeping.get(reader, kinds::RESPONSE, &self.id).await?;
        let Some(thing) = thing else {
            return Ok(Some(Next::Gone));
        };
        if let Some(next) = self.written().await? {
            return Ok(Some(next));
        }
        if thing.status == IN_PROGRESS {
            return Ok(None);
        }
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

    fn part(&self, after: (i64, &'static str), newest_first: bool) -> KeptPart<'_> {
        KeptPart {
            tenant: &self.tenant,
            kind: kinds::ITEM,
            parent: &self.id,
            user: None,
            after: Some(after),
            newest_first,
            limit: if newest_first { 1 } else { READ_AT_ONCE },
        }
    }

    /// Events that are written behind those before.
    async fn written(&mut self) -> Result<Option<Next>, DbError> {
        // `~` sorts behind every id: a row's place is that of its last event.
        let part = self.part((place_of(self.after), "~"), false);
        let rows = self
            .keeping
            .0
            .store
            .kept_part(part, self.keeping.now())
            .await?;
        let mut wanted = self.wanted();
        let mut text = String::new();
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
        let last = self.last_written().await?;
        Ok(last.filter(|last| *last >= wanted).map(|_| Next::Missing))
    }

    async fn last_written(&self) -> Result<Option<u64>, DbError> {
        let part = self.part((i64::MAX, "~"), true);
        let rows = self
            .keeping
            .0
            .store
            .kept_part(part, self.keeping.now())
            .await?;
        let last = rows.first().map(|row| row.place);
        Ok(last.and_then(|last| u64::try_from(last).ok()))
    }
}

impl Keeping {
    /// Follows a response's events behind the one of that number. Whether they may read it is seen before.
    pub fn follow(&self, tenant: &TenantId, id: &str, after: Option<u64>) -> Follower {
        let here = locked(&self.0.running).get(&name(tenant, id)).cloned();
        let log = here.and_then(|here| here.log);
        Follower::new(self.clone(), (tenant.clone(), id.to_owned()), log, after)
    }
}
