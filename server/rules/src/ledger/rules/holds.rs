//! Hold, extend, settle, release: amounts move from grants to held, then to revenue or back.

use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::{GenerationId, TenantId};

use super::{Allocation, Books, Deltas, EntryKind, Extended, HeldBook, minus, plus, spendable};
use crate::ledger::nouns::{Hold, HoldRequest, HoldState, Loss, Refusal, Settlement, Unknown};
use crate::ledger::{ExtendError, HoldError, SettleError};

/// What came back to grants and what lapsed on the way.
#[derive(Default)]
struct GivenBack {
    returned: i64,
    lapsed: i64,
    /// What lay in expired grants that got a part back and lapses now.
    swept: i64,
}

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
