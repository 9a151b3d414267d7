//! Holds that were given back because nobody knew how their calls ended: what becomes of them when it
//! is known, or never will be.

use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::{GenerationId, TenantId};

use super::{Books, Deltas, EntryKind, minus};
use crate::ledger::nouns::holds::{HoldState, Loss, Settlement};

impl Books {
    /// Whether the hold was given back and its call's end is still asked for.
    pub fn is_unknown(&self, tenant: &TenantId, id: &GenerationId) -> bool {
        let hold = self.closed.get(id).filter(|hold| hold.tenant == *tenant);
        let open = self.is_open(tenant, id);
        !open && hold.is_some_and(|hold| hold.state == HoldState::Unknown)
    }

    /// Charges a call whose end became known late: at most what was held, and what balance and
    /// budgets have now; the rest is the platform's loss, as is all of it when the tenant was told
    /// that nothing is charged.
    pub(super) fn claim(&mut self, id: &GenerationId, used: Credits, now: Moment) -> Settlement {
        let mut hold = self.closed.remove(id).expect("it is unknown");
        let tenant = hold.tenant.clone();
        let promised = hold.unknown.is_some_and(|unknown| unknown.promised);
        let most = if promised {
            0
        } else {
            used.micros().min(hold.held.micros())
        };
        let left = self.counted_left(&tenant, &hold.budgets);
        let left = left.map_or(i64::MAX, |(left, _)| left);
        let account = self.account(&tenant);
        let charged = most.min(left).min(account.available(now));
        for allocation in account.take(charged, now) {
            self.grant_changed(&tenant, &allocation.grant);
        }
        if charged > 0 {
            self.count_change(&tenant, &hold.budgets, 0, charged);
            let deltas = Deltas {
                grants: minus(0, charged),
                revenue: charged,
                ..Deltas::default()
            };
            self.record(&tenant, EntryKind::Claim, id.as_str(), deltas);
        }
        let shortfall = minus(used.micros(), charged);
        let why = if promised {
            Loss::NotDelivered
        } else if charged == hold.held.micros() {
            Loss::ProviderOverrun
        } else {
            Loss::LateOutcome
        };
        let settlement = Settlement {
            charged: Credits::from_micros(charged),
            shortfall: Credits::from_micros(shortfall),
            loss: (shortfall > 0).then_some(why),
        };
        hold.state = if promised {
            HoldState::Released
        } else {
            HoldState::Settled
        };
        (hold.settled, hold.shortfall) = (settlement.charged, settlement.shortfall);
        (hold.unknown, hold.closed_at) = (None, Some(now));
        self.changes.holds_resolved.push(id.clone());
        self.closed.insert(id.clone(), hold);
        settlement
    }

    /// Leaves a hold given back for good: nothing is asked any more, or there was nothing to charge.
    pub(super) fn conclude(&mut self, id: &GenerationId, now: Moment) {
        if let Some(hold) = self.closed.get_mut(id) {
            hold.state = HoldState::Released;
            (hold.unknown, hold.closed_at) = (None, Some(now));
            self.changes.holds_resolved.push(id.clone());
        }
    }
}
