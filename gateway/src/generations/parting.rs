//! The end that a server asks for, and why: a tenant that left pays what its provider counts, so the
//! gateway reads on for that, within bounds; everything else ends at once. Knows no HTTP.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shared::id::GenerationId;
use shared::link::{GenerationStatus, Parting};
use tracing::debug;

use super::context::GenerationContext;
use super::ending::{KEPT_WITHIN, left};
use super::generation::{Generation, Parted, canceled};
use super::journal::Remembered;
use super::register::{End, Ended, Found};

/// Generations of one caller that are read on at a time: one that starts and leaves without end must
/// not pile up streams at a provider. Beyond that the estimate decides.
const OF_A_CALLER_MAX: usize = 16;
/// Of all callers together.
const OF_ALL_MAX: usize = 1_024;

/// How many generations are read on after their tenants left.
#[derive(Debug, Default)]
pub(super) struct Leavers(Mutex<HashMap<u64, usize>>);

/// A place among them, given back when dropped.
struct Leave(Arc<GenerationContext>, u64);

impl Leavers {
    fn enter(&self, caller: u64) -> bool {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = counts.values().sum();
        let of_caller = counts.get(&caller).copied().unwrap_or(0);
        let is_free = all < OF_ALL_MAX && of_caller < OF_A_CALLER_MAX;
        if is_free {
            counts.insert(caller, of_caller + 1);
        }
        is_free
    }

    fn leave(&self, caller: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&caller) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&caller);
            }
        }
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.leavers.leave(self.1);
    }
}

/// Ends a generation for this reason if it runs, and answers how it ended. One that never came is not
/// started any more, should it still be on its way.
pub(crate) async fn cancel(
    context: &Arc<GenerationContext>,
    id: &GenerationId,
    why: Parting,
    may_be_older: bool,
) -> GenerationStatus {
    let generation = match context.register.give_up(id) {
        Found::Ended(ended) => return ended.status(why),
        Found::Running(generation) => generation,
        Found::Nothing => {
            let remembered = if may_be_older {
                context.outcomes.find(id).await
            } else {
                Remembered::Nothing
            };
            return match remembered {
                Remembered::Ended(ended, _) | Remembered::Came(ended) => ended.status(why),
                Remembered::Begun | Remembered::Nothing => GenerationStatus::Unknown {
                    boot: context.boot.clone(),
                    had: matches!(remembered, Remembered::Begun),
                    memory_ms: Some(context.outcomes.memory_ms()),
                },
            };
        }
    };
    if why == Parting::TenantLeft {
        part(&generation);
        return generation.until_over().await.status(why);
    }
    let told = match why {
        Parting::NotDelivered => "its answer could not be delivered",
        Parting::Abandoned | Parting::TenantLeft => "cancelled by the server",
    };
    let (ended, kept) = generation.stop(canceled(told));
    // A disk that hangs does not keep the answer back.
    let _ = tokio::time::timeout(KEPT_WITHIN, kept).await;
    ended.status(why)
}

/// The tenant of a generation left. Needs a runtime.
pub(super) fn part(generation: &Arc<Generation>) {
    let context = generation.context();
    match generation.part() {
        Parted::Before | Parted::Ended => {}
        Parted::First => {
            let caller = generation.caller();
            let within = context.read_on;
            let stops = context.supervisor.stopping().is_cancelled();
            if within.is_zero() || stops || !context.leavers.enter(caller) {
                generation.stop(left());
                return;
            }
            let leave = Leave(context.clone(), caller);
            let reading = read_on(generation.clone(), within, leave);
            context.supervisor.spawn("reading on", reading);
        }
    }
}

/// Reads what nobody waits for, until the provider has told its count or time is over.
async fn read_on(generation: Arc<Generation>, within: Duration, _leave: Leave) {
    let context = generation.context();
    let reading = std::future::poll_fn(|cx| generation.poll_on(cx));
    let reading = tokio::time::timeout(within, reading);
    // A process that stops does not wait for it: the estimate decides.
    let stop = context.supervisor.stopping();
    let is_over = matches!(stop.run_until_cancelled(reading).await, Some(Ok(())));
    let (ended, _) = generation.stop(left());
    let is_told =
        matches!(&ended, Ended { end: End::Outcome(outcome), .. } if !outcome.usage.estimated);
    context.metrics.read_on(is_told);
    debug!(
        generation.id = %generation.id(),
        "generation `{}` was read on after its tenant left: over {is_over}, count told {is_told}",
        generation.id()
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_caller_has_few_places_and_leaves_the_others_theirs() {
        let leavers = Leavers::default();
        for _ in 0..OF_A_CALLER_MAX {
            assert!(leavers.enter(7));
        }
        assert!(!leavers.enter(7));
        assert!(leavers.enter(8));
        leavers.leave(7);
        assert!(leavers.enter(7) && !leavers.enter(7));
        for caller in 100..100 + OF_ALL_MAX as u64 {
            leavers.enter(caller);
        }
        assert!(!leavers.enter(9), "all together have a bound");
    }
}
