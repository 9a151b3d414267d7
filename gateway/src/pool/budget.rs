//! How many calls of a provider may be tries again. When most calls fail, tries again only make it worse:
//! each one costs, and only what ends well pays in. What the AWS SDKs do, with their numbers.

use std::sync::atomic::{AtomicU32, Ordering};

/// What a provider's callers may have out together.
const WHOLE: u32 = 500;
/// What those of one place may: none of them takes all.
const PART: u32 = 125;
const PLACES: usize = 16;
const PLACES_U64: u64 = 16;
/// A try again after a refusal, and after no answer.
const AGAIN: u32 = 5;
const AGAIN_UNANSWERED: u32 = 10;
/// What each call that ends well pays in.
const WELL: u32 = 1;

/// What tries again cost so far and nothing paid in for.
#[derive(Debug, Default)]
pub(super) struct RetryBudget {
    whole: AtomicU32,
    parts: [AtomicU32; PLACES],
}

/// What one try again cost; paid back when it ends well.
pub(super) fn cost(is_answered: bool) -> u32 {
    if is_answered { AGAIN } else { AGAIN_UNANSWERED }
}

fn take(spent: &AtomicU32, cost: u32, most: u32) -> bool {
    let taken = |spent: u32| spent.checked_add(cost).filter(|spent| *spent <= most);
    spent
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken)
        .is_ok()
}

fn give(spent: &AtomicU32, count: u32) {
    if spent.load(Ordering::Relaxed) != 0 {
        let given = |spent: u32| Some(spent.saturating_sub(count));
        let _ = spent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, given);
    }
}

impl RetryBudget {
    fn part(&self, caller: u64) -> &AtomicU32 {
        &self.parts[usize::try_from(caller % PLACES_U64).unwrap_or(0)]
    }

    /// Whether a call of `caller` may try again at this `cost`.
    pub(super) fn take(&self, caller: u64, cost: u32) -> bool {
        if !take(&self.whole, cost, WHOLE) {
            return false;
        }
        let has_room = take(self.part(caller), cost, PART);
        if !has_room {
            give(&self.whole, cost);
        }
        has_room
    }

    /// A try again that was paid for was not made.
    pub(super) fn give_back(&self, caller: u64, cost: u32) {
        give(&self.whole, cost);
        give(self.part(caller), cost);
    }

    /// A call ended well; `cost` is what it had paid.
    pub(super) fn ended_well(&self, caller: u64, cost: u32) {
        self.give_back(caller, cost.saturating_add(WELL));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_again_are_few_when_nothing_ends_well_and_free_when_all_does() {
        let budget = RetryBudget::default();
        let taken = (0..1_000).filter(|_| budget.take(3, AGAIN)).count();
        assert_eq!(taken, 25, "of one caller");
        let taken = (0..1_000)
            .filter(|caller| budget.take(*caller, AGAIN))
            .count();
        assert_eq!(taken, 75, "of all others");
        for _ in 0..500 {
            budget.ended_well(3, 0);
        }
        for _ in 0..1_000 {
            assert!(budget.take(3, AGAIN));
            budget.ended_well(3, AGAIN);
        }
    }
}
