//! What keys used of their days, kept over a restart: written at intervals and when the process stops,
//! never while a call waits. A process that is killed loses what it used since; gateways on one database
//! know of each other's use as late.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use shared::db::DbError;
use shared::supervisor::Supervisor;
use tracing::warn;

use super::ProviderList;
use crate::pool::days::day_of;

/// What a killed process loses at most, and what gateways on one database may use together beyond a limit.
const SAVE_EVERY: Duration = Duration::from_secs(5);
/// While the last calls end.
const LAST_LOOK: Duration = Duration::from_millis(200);

impl ProviderList {
    /// Keeps the days of keys in the database until the process stops and its calls have ended.
    pub(super) async fn keep_days(self: Arc<Self>, supervisor: Supervisor) {
        let stop = supervisor.stopping();
        let pause = || stop.run_until_cancelled(tokio::time::sleep(SAVE_EVERY));
        while pause().await.is_some() {
            self.save_days_or_warn().await;
        }
        self.save_days_or_warn().await;
        if self.pools.is_busy() {
            while self.pools.is_busy() {
                tokio::time::sleep(LAST_LOOK).await;
            }
            self.save_days_or_warn().await;
        }
    }

    async fn save_days_or_warn(&self) {
        if let Err(error) = self.save_days().await {
            warn!(%error, "what keys used of their day is not stored yet: {error}");
        }
    }

    /// Writes what was used since, and learns what others used. What may have been written and was not
    /// told counts twice at worst, so that no limit is passed by it.
    pub(crate) async fn save_days(&self) -> Result<(), DbError> {
        let now = self.clock.now();
        let unsaved = self.pools.unsaved_days(now);
        if unsaved.is_empty() {
            return Ok(());
        }
        let changed: Vec<_> = unsaved
            .iter()
            .filter(|(_, count)| !count.is_nothing())
            .map(|(key, count)| (key.id.as_str(), *count))
            .collect();
        if !changed.is_empty() {
            self.store.add_to_days(&changed).await?;
        }
        // A key stays in a day that it has been in while the clock is behind it.
        let days: BTreeSet<i64> = unsaved.iter().map(|(_, count)| count.day).collect();
        let mut totals = HashMap::new();
        for day in days {
            let of_day = self.store.days(day).await?.into_iter();
            totals.extend(of_day.map(|(id, total)| ((id, day), total)));
        }
        for (key, written) in unsaved {
            let whose = (key.id.as_str().to_owned(), written.day);
            if let Some(total) = totals.remove(&whose) {
                key.day_saved(written, total);
            }
        }
        Ok(())
    }

    /// What was used of today before this process began.
    pub(crate) async fn restore_days(&self) -> Result<(), DbError> {
        self.store.forget_days(day_of(self.clock.now())).await?;
        self.save_days().await
    }
}

#[cfg(test)]
mod tests;
