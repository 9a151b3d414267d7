//! Hold, extend, settle, release: amounts move from grants to held, then to revenue or back.

mod ends;

use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::{GenerationId, TenantId};

use super::{Allocation, Books, Deltas, EntryKind, Extended, HeldBook, minus};
use crate::ledger::nouns::holds::{Hold, HoldRequest, HoldState, Refusal};
use crate::ledger::{ExtendError, HoldError};

fn refused(refusal: &Refusal, required: Credits) -> HoldError {
    match refusal {
        Refusal::Balance { available } => HoldError::Insufficient {
            available: *available,
            required,
        },
        Refusal::Budget {
            spender,
            period,
            left,
        } => HoldError::Budget {
            spender: spender.clone(),
            period: *period,
            left: *left,
            required,
        },
    }
}

/// The answer to a hold that was asked for before.
fn known(hold: &Hold, request: &HoldRequest) -> Result<Credits, HoldError> {
    let same = hold.tenant == request.tenant
        && hold.requested == request.amount
        && hold.least == request.least;
    match (&hold.refusal, same) {
        (_, false) => Err(HoldError::Conflict),
        (Some(refusal), true) => Err(refused(refusal, request.least)),
        (None, true) => Ok(hold.held),
    }
}

impl Books {
    /// Places a hold of `amount`, or of what is available if that is at least `least`.
    pub fn hold(&mut self, request: &HoldRequest, now: Moment) -> Result<Credits, HoldError> {
        assert!(!request.least.is_negative(), "a hold is never negative");
        assert!(
            request.least <= request.amount,
            "the least is not more than the whole"
        );
        if let Some(hold) = self.find(&request.tenant, &request.id) {
            return known(hold, request);
        }
        if self.fresh.contains_key(&request.id) {
            return Err(HoldError::Conflict);
        }
        self.fresh
            .insert(request.id.clone(), request.tenant.clone());
        let available = self
            .accounts
            .get(&request.tenant)
            .map_or(0, |account| account.available(now));
        let budget = self.budget_left(&request.tenant, (&request.spenders, &request.zone), now);
        let refusal = match &budget {
            _ if available < request.least.micros() => Some(Refusal::Balance {
                available: Credits::from_micros(available),
            }),
            Some((left, refusal)) if *left < request.least.micros() => Some(refusal.clone()),
            Some(_) | None => None,
        };
        let mut hold = Hold {
            id: request.id.clone(),
            tenant: request.tenant.clone(),
            state: HoldState::Refused,
            requested: request.amount,
            least: request.least,
            held: Credits::ZERO,
            settled: Credits::ZERO,
            shortfall: Credits::ZERO,
            unknown: None,
            budgets: Vec::new(),
            refusal: None,
            owner: request.owner.clone(),
            snapshot: request.snapshot.clone(),
            created_at: now,
            deadline_at: request.deadline_at,
            closed_at: None,
        };
        let place = (request.tenant.clone(), request.id.clone());
        self.changes.holds_new.push(place);
        if let Some(refusal) = refusal {
            let error = refused(&refusal, request.least);
            hold.closed_at = Some(now);
            hold.refusal = Some(refusal);
            self.closed.insert(request.id.clone(), hold);
            return Err(error);
        }
        let most = budget.map_or(i64::MAX, |(left, _)| left);
        let micros = available.min(most).min(request.amount.micros());
        hold.state = HoldState::Held;
        hold.held = Credits::from_micros(micros);
        hold.budgets = self.count_held(&request.tenant, &request.spenders, micros);
        let allocations =
            self.move_to_held(&request.tenant, EntryKind::Hold, &request.id, micros, now);
        let book = HeldBook { hold, allocations };
        self.account(&request.tenant)
            .holds
            .insert(request.id.clone(), book);
        Ok(Credits::from_micros(micros))
    }

    /// Raises an open hold to `to` in all; a hold that is as large already stays as it is.
    pub fn extend(
        &mut self,
        id: &GenerationId,
        tenant: &TenantId,
        to: Credits,
        now: Moment,
    ) -> Result<Credits, ExtendError> {
        let account = self.accounts.get(tenant);
        let book = account.and_then(|account| account.holds.get(id));
        let (Some(account), Some(book)) = (account, book) else {
            return Err(match self.find(tenant, id) {
                Some(_) => ExtendError::Closed,
                None => ExtendError::NoSuchHold,
            });
        };
        let more = minus(to.micros(), book.hold.held.micros());
        if more <= 0 {
            return Ok(book.hold.held);
        }
        let (counted, first) = (book.hold.budgets.clone(), book.allocations.len());
        let available = account.available(now);
        let budget = self.counted_left(tenant, &counted);
        let left = budget.map_or(i64::MAX, |(left, _)| left);
        if available.min(left) < more {
            return Err(ExtendError::Insufficient {
                available: Credits::from_micros(available.min(left)),
                required: Credits::from_micros(more),
            });
        }
        self.count_change(tenant, &counted, more, 0);
        let parts = self.move_to_held(tenant, EntryKind::Extend, id, more, now);
        let book = self.account(tenant).holds.get_mut(id).expect("found above");
        book.hold.held = to;
        book.allocations.extend(parts);
        self.changes.holds_extended.push(Extended {
            tenant: tenant.clone(),
            hold: id.clone(),
            parts_before: first,
            held_before: Credits::from_micros(minus(to.micros(), more)),
        });
        Ok(to)
    }

    /// Moves what is available to held and writes the entry.
    fn move_to_held(
        &mut self,
        tenant: &TenantId,
        kind: EntryKind,
        id: &GenerationId,
        micros: i64,
        now: Moment,
    ) -> Vec<Allocation> {
        if micros == 0 {
            return Vec::new();
        }
        let allocations = self.account(tenant).take(micros, now);
        for allocation in &allocations {
            self.grant_changed(tenant, &allocation.grant);
        }
        let deltas = Deltas {
            grants: minus(0, micros),
            held: micros,
            ..Deltas::default()
        };
        self.record(tenant, kind, id.as_str(), deltas);
        allocations
    }

    /// A hold of that tenant, whatever its state.
    fn find(&self, tenant: &TenantId, id: &GenerationId) -> Option<&Hold> {
        let open = self.accounts.get(tenant).and_then(|a| a.holds.get(id));
        open.map(|book| &book.hold).or_else(|| self.closed.get(id))
    }

    /// Whether the hold is there and open.
    pub fn is_open(&self, tenant: &TenantId, id: &GenerationId) -> bool {
        let account = self.accounts.get(tenant);
        account.is_some_and(|account| account.holds.contains_key(id))
    }
}
