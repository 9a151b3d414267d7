//! Room: deletes records of calls and entries of the audit log that are older than the settings say.
//! Sums of usage, the ledger and prices stay; sessions and gateways' events have their own ends.
//!
//! Several servers may sweep at once: a batch is one transaction and takes what nobody else takes.

use std::time::Duration;

use server_store::Store;
use shared::clock::{Clock, Moment};
use shared::db::DbError;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::reports::sums::Grain;
use crate::settings::{Retention, Settings};
use crate::studio;

/// A server that has just started has more urgent work.
const FIRST: Duration = Duration::from_secs(60);
/// Between two rounds; what is kept is told in days.
const EVERY: Duration = Duration::from_secs(3_600);
/// Rows of one transaction: on SQLite, whose writer the ledger waits for, about 20 ms.
const BATCH: i64 = 500;
/// What was kept of answers is larger.
const KEPT_BATCH: i64 = 100;
/// Between two batches, so that calls come first.
const PAUSE: Duration = Duration::from_millis(20);
const DAY: Duration = Duration::from_secs(86_400);

/// What a round deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Records of calls.
    pub usage: usize,
    /// Entries of the audit log.
    pub audit: usize,
    /// Answers and conversations that were kept for tenants.
    pub kept: usize,
    /// Conversations and images of the studio.
    pub studio: usize,
}

/// Deletes what was kept long enough; cheap to clone.
#[derive(Debug, Clone)]
pub struct Sweeper {
    store: Store,
    settings: Settings,
    clock: Clock,
}

impl Sweeper {
    /// Over the server's database.
    pub fn new(store: Store, clock: Clock) -> Self {
        let settings = Settings::new(store.clone(), clock.clone());
        Self {
            store,
            settings,
            clock,
        }
    }

    /// Sweeps every hour, until told to stop.
    pub async fn run_forever(self, stop: CancellationToken) {
        let mut pause = FIRST;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            match self.sweep(&stop).await {
                Ok(swept) if swept == Swept::default() => {}
                Ok(Swept {
                    usage,
                    audit,
                    kept,
                    studio,
                }) => info!(
                    usage,
                    audit,
                    kept,
                    studio,
                    "{usage} records of calls, {audit} audit entries, {kept} answers and {studio} conversations and images were kept long enough and are deleted"
                ),
                Err(error) => warn!(%error, "what was kept long enough can't be deleted: {error}"),
            }
            pause = EVERY;
        }
    }

    /// One round; answers what it deleted. It ends early when told to stop.
    pub async fn sweep(&self, stop: &CancellationToken) -> Result<Swept, DbError> {
        let retention: Retention = self.settings.get().await?;
        let now = self.clock.now();
        let days = |days: u32| now.before(DAY.saturating_mul(days));
        let audit = self.sweep_audit(days(retention.audit_days), stop).await?;
        let wanted = Grain::Day.start(days(retention.usage_days));
        let kept = self.sweep_kept(now, stop).await?;
        let studio = studio::sweep(&self.store, now, stop).await?;
        let usage = self.sweep_usage(wanted, stop).await?;
        Ok(Swept {
            usage,
            audit,
            kept,
            studio,
        })
    }

    async fn sweep_kept(&self, now: Moment, stop: &CancellationToken) -> Result<usize, DbError> {
        let mut all = 0_usize;
        loop {
            let deleted = self.store.forget_kept_before(now, KEPT_BATCH).await?;
            all = all.saturating_add(deleted);
            let is_last = i64::try_from(deleted).is_ok_and(|deleted| deleted < KEPT_BATCH);
            if is_last || pause(stop).await {
                return Ok(all);
            }
        }
    }

    async fn sweep_audit(
        &self,
        before: Moment,
        stop: &CancellationToken,
    ) -> Result<usize, DbError> {
        let mut all = 0_usize;
        loop {
            let deleted = self.store.forget_audit(before, BATCH).await?;
            all = all.saturating_add(deleted);
            if is_last(deleted) || pause(stop).await {
                return Ok(all);
            }
        }
    }

    /// Day after day: the next one is begun when nothing of the one before is left.
    async fn sweep_usage(
        &self,
        wanted: Moment,
        stop: &CancellationToken,
    ) -> Result<usize, DbError> {
        let mut all = 0_usize;
        loop {
            let deleted = self.store.forget_usage(BATCH).await?;
            all = all.saturating_add(deleted);
            if !is_last(deleted) {
                if pause(stop).await {
                    return Ok(all);
                }
                continue;
            }
            if self.store.usage_kept_from().await? >= wanted {
                return Ok(all);
            }
            let oldest = self.store.usage_oldest().await?;
            let next = oldest.map_or(wanted, |oldest| {
                Grain::Day.later(Grain::Day.start(oldest), 1)
            });
            self.store.keep_usage_from(next.min(wanted)).await?;
            if stop.is_cancelled() {
                return Ok(all);
            }
        }
    }
}

/// Whether a batch took the last rows there were.
fn is_last(deleted: usize) -> bool {
    i64::try_from(deleted).is_ok_and(|deleted| deleted < BATCH)
}

/// Lets others work; answers whether to stop.
async fn pause(stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => true,
        () = tokio::time::sleep(PAUSE) => false,
    }
}
