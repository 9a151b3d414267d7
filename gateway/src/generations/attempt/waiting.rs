//! What a call does when no target takes it at once and one of them is only full: it waits there for a short
//! time. Decides nothing about who is served first; the pool's queue does.

use std::time::Duration;

use shared::fault::FaultKind;
use shared::link::trail::NextStep;
use shared::link::{FailedTry, Failure};

use super::{Accepted, AttemptsSoFar, Tries};
use crate::generations::millis;
use crate::pool::{Idle, wait_limit};

/// A target without a try whose keys were all full, and when the first of them probably has room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FullTarget {
    pub(super) at: usize,
    pub(super) wait_ms: u64,
}

impl FullTarget {
    /// The one of two that is sooner; the order of the targets counts where they are the same.
    pub(super) fn sooner(self, other: Option<Self>) -> Self {
        other.map_or(self, |other| {
            if self.wait_ms < other.wait_ms {
                self
            } else {
                other
            }
        })
    }
}

impl Tries<'_> {
    /// Waits for room at this target and tries it then; nothing where there was none in time.
    pub(super) async fn run_when_free(
        &self,
        full: FullTarget,
        so_far: &mut AttemptsSoFar,
    ) -> Result<Option<Accepted>, Failure> {
        let limit = wait_limit(self.call.deadline);
        let is_too_late = Duration::from_millis(full.wait_ms) > limit;
        if is_too_late || !so_far.may_go_on(self.call, true) {
            return Ok(None);
        }
        let began_ms = millis(so_far.elapsed());
        let pools = self.means.pools;
        let waited = pools
            .wait(&self.target.provider, self.asker(so_far), limit)
            .await;
        let duration_ms = millis(so_far.elapsed()).saturating_sub(began_ms);
        let is_full = matches!(waited, Ok(_) | Err(Idle::Full { .. }));
        if duration_ms > 0 && is_full {
            so_far.failed.push(FailedTry {
                provider: self.target.provider.clone(),
                model: self.target.model.clone(),
                key_last4: String::new(),
                began_ms,
                duration_ms,
                fault: FaultKind::RateLimited.word().to_owned(),
                status: None,
                next: Some(NextStep::Waited.word().to_owned()),
            });
        }
        match waited {
            Ok(lease) => self.run_with(Some(lease), so_far).await,
            Err(_) => Ok(None),
        }
    }
}
