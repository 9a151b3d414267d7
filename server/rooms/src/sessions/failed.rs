//! Failed logins in the audit log, bounded: an entry when the failures of an account begin to look
//! like guessing, and then one a quarter of an hour at most, which says how many there were.
//! Refuses nobody; `limits` does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shared::clock::Moment;

/// Failures that are told; people mistype.
const TOLD_FROM: u32 = 4;
/// Between two entries about one account; failures with a longer pause between them begin anew.
const EVERY: Duration = Duration::from_secs(15 * 60);
/// Accounts remembered at once, of about 100 bytes each.
const BOOK_MAX: usize = 10_000;

#[derive(Debug, Clone, Copy)]
struct FailureCount {
    failures: u32,
    since: Moment,
    last: Moment,
    told: Option<Moment>,
}

/// Failures that are worth an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FailedTries {
    /// How many since the entry before.
    pub(super) failures: u32,
    /// When the first of them was.
    pub(super) since: Moment,
}

/// What this process remembers of failed logins; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct FailedLogins(Arc<Mutex<HashMap<String, FailureCount>>>);

impl FailedLogins {
    /// Counts a failure; answers what to write down, if anything.
    pub(super) fn count(&self, subject: &str, now: Moment) -> Option<FailedTries> {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if book.len() >= BOOK_MAX {
            book.retain(|_, tally| now.since(tally.last) < EVERY);
            if book.len() >= BOOK_MAX {
                book.clear();
            }
        }
        let fresh = FailureCount {
            failures: 0,
            since: now,
            last: now,
            told: None,
        };
        let tally = book.entry(subject.to_owned()).or_insert(fresh);
        if now.since(tally.last) >= EVERY {
            tally.failures = 0;
        }
        if tally.failures == 0 {
            tally.since = now;
        }
        tally.failures = tally.failures.saturating_add(1);
        tally.last = now;
        let early = tally.told.is_some_and(|told| now.since(told) < EVERY);
        if tally.failures < TOLD_FROM || early {
            return None;
        }
        let told = FailedTries {
            failures: tally.failures,
            since: tally.since,
        };
        tally.failures = 0;
        tally.told = Some(now);
        Some(told)
    }

    /// Forgets the failures of somebody who came in.
    pub(super) fn forget(&self, subject: &str) {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tally) = book.get_mut(subject) {
            tally.failures = 0;
        }
    }
}

#[cfg(test)]
mod tests;
