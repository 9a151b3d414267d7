//! Settle and release: what was held becomes revenue or comes back, once.

use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::{GenerationId, TenantId};

use super::super::{Allocation, Books, Deltas, EntryKind, HeldBook, minus, plus, spendable};
use crate::ledger::SettleError;
use crate::ledger::nouns::holds::{Hold, HoldState, Loss, Settlement, Unknown};

/// What came back to grants and what lapsed on the way.
#[derive(Default)]
struct GivenBack {
    returned: i64,
    lapsed: i64,
    /// What lay in expired grants that got a part back and lapses now.
    swept: i64,
}

impl Books {
    /// Charges `used` for a hold, at most what it holds, and gives the rest back to the grants it
    /// came from. What `used` exceeds it by is the platform's loss. A hold that was given back
    /// because nobody knew is charged all the same.
    pub fn settle(
        &mut self,
        id: &GenerationId,
        tenant: &TenantId,
        used: Credits,
        now: Moment,
    ) -> Result<Settlement, SettleError> {
        assert!(!used.is_negative(), "a charge is never negative");
        if self.is_unknown(tenant, id) {
            return Ok(self.claim(id, used, now));
        }
        let book = match self.take_open(id, tenant, Some(used))? {
            Ok(book) => book,
            Err(answered) => return Ok(answered),
        };
        let held = book.hold.held.micros();
        let charged = used.micros().min(held);
        let back = self.give_back(tenant, &book.allocations, charged, now);
        assert_eq!(
            plus(plus(back.returned, back.lapsed), charged),
            held,
            "a hold is used up exactly"
        );
        self.count_change(tenant, &book.hold.budgets, minus(0, held), charged);
        if held > 0 {
            let deltas = Deltas {
                grants: minus(back.returned, back.swept),
                held: minus(0, held),
                revenue: charged,
                breakage: plus(back.lapsed, back.swept),
                ..Deltas::default()
            };
            self.record(tenant, EntryKind::Settle, id.as_str(), deltas);
        }
        let shortfall = minus(used.micros(), charged);
        let settlement = Settlement {
            charged: Credits::from_micros(charged),
            shortfall: Credits::from_micros(shortfall),
            loss: (shortfall > 0).then_some(Loss::ProviderOverrun),
        };
        self.close(book.hold, HoldState::Settled, settlement, now);
        Ok(settlement)
    }

    /// Gives a whole hold back; with `unknown` for the time being only, because nobody knows how its
    /// call ended.
    pub fn release(
        &mut self,
        id: &GenerationId,
        tenant: &TenantId,
        unknown: Option<Unknown>,
        now: Moment,
    ) -> Result<(), SettleError> {
        if self.is_unknown(tenant, id) {
            if unknown.is_none() {
                self.conclude(id, now);
            }
            return Ok(());
        }
        let Ok(mut book) = self.take_open(id, tenant, None)? else {
            return Ok(());
        };
        let back = self.give_back(tenant, &book.allocations, 0, now);
        let held = book.hold.held.micros();
        assert_eq!(
            plus(back.returned, back.lapsed),
            held,
            "a released hold is given back whole"
        );
        self.count_change(tenant, &book.hold.budgets, minus(0, held), 0);
        if held > 0 {
            let deltas = Deltas {
                grants: minus(back.returned, back.swept),
                held: minus(0, held),
                breakage: plus(back.lapsed, back.swept),
                ..Deltas::default()
            };
            self.record(tenant, EntryKind::Release, id.as_str(), deltas);
        }
        book.hold.unknown = unknown;
        let state = match unknown {
            Some(_) => HoldState::Unknown,
            None => HoldState::Released,
        };
        self.close(book.hold, state, Settlement::default(), now);
        Ok(())
    }

    /// Takes the open hold out of the account, or answers what it got when it was closed before.
    /// `used` is `None` for a release.
    fn take_open(
        &mut self,
        id: &GenerationId,
        tenant: &TenantId,
        used: Option<Credits>,
    ) -> Result<Result<HeldBook, Settlement>, SettleError> {
        let account = self.accounts.get_mut(tenant);
        if let Some(book) = account.and_then(|account| account.holds.remove(id)) {
            return Ok(Ok(book));
        }
        let hold = self.closed.get(id).filter(|hold| hold.tenant == *tenant);
        let hold = hold.ok_or(SettleError::NoSuchHold)?;
        let answered = Settlement {
            charged: hold.settled,
            shortfall: hold.shortfall,
            // Told when it was closed.
            loss: None,
        };
        let came_to = plus(hold.settled.micros(), hold.shortfall.micros());
        match (hold.state, used.map(Credits::micros)) {
            (HoldState::Settled, Some(used)) if used == came_to => Ok(Err(answered)),
            // Promised to cost nothing, so that all of it became the platform's loss.
            (HoldState::Released, Some(used)) if used == came_to && used > 0 => Ok(Err(answered)),
            (HoldState::Released, None) => Ok(Err(answered)),
            (
                HoldState::Held
                | HoldState::Settled
                | HoldState::Released
                | HoldState::Unknown
                | HoldState::Refused,
                _,
            ) => Err(SettleError::Closed),
        }
    }

    /// Consumes `used` from the allocations in their order and returns the rest to their grants;
    /// what belongs to a grant that expired meanwhile lapses, or within the grace lives on a while.
    fn give_back(
        &mut self,
        tenant: &TenantId,
        allocations: &[Allocation],
        used: i64,
        now: Moment,
    ) -> GivenBack {
        let grace = self.grace;
        let (mut to_use, mut back, mut changed) = (used, GivenBack::default(), Vec::new());
        let account = self.account(tenant);
        for allocation in allocations {
            let consumed = to_use.min(allocation.micros);
            to_use = minus(to_use, consumed);
            let rest = minus(allocation.micros, consumed);
            if rest == 0 {
                continue;
            }
            let grant = account.grants.iter_mut().find(|g| g.id == allocation.grant);
            let grant = grant.expect("the grants of open holds were loaded");
            let expired_at = grant.expires_at.filter(|_| !spendable(grant, now));
            if let Some(expired_at) = expired_at {
                if expired_at.after(grace) <= now {
                    back.lapsed = plus(back.lapsed, rest);
                    continue;
                }
                // Only what comes back lives on: what lay in the grant has lapsed.
                back.swept = plus(back.swept, grant.remaining.micros());
                grant.remaining = Credits::ZERO;
                grant.expires_at = Some(now.after(grace));
            }
            grant.remaining = Credits::from_micros(plus(grant.remaining.micros(), rest));
            assert!(
                grant.remaining <= grant.granted,
                "no grant gets back more than it gave"
            );
            back.returned = plus(back.returned, rest);
            changed.push(allocation.grant.clone());
        }
        assert_eq!(to_use, 0, "a hold pays only what it holds");
        if back.swept > 0 || !grace.is_zero() {
            account.sort();
        }
        for grant in changed {
            self.grant_changed(tenant, &grant);
        }
        back
    }

    fn close(&mut self, mut hold: Hold, state: HoldState, settlement: Settlement, now: Moment) {
        hold.state = state;
        hold.settled = settlement.charged;
        hold.shortfall = settlement.shortfall;
        hold.closed_at = Some(now);
        self.changes.holds_closed.push(hold.id.clone());
        self.closed.insert(hold.id.clone(), hold);
    }
}
