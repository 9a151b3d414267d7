//! Decides what a ledger operation changes: which grants pay, what is given back, what is refused.
//! Pure: waits for nothing and stores nothing; `store::ledger` loads the books and writes the changes.

use std::collections::HashMap;

use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::{GenerationId, GrantId, TenantId};

use super::{
    Grant, GrantError, Hold, HoldAsk, HoldError, HoldState, NewGrant, SettleError, Settlement,
};

/// What a tenant's accounts hold, all in micro-credits; `debt` and `issuance` are never above zero,
/// so that the six sum to zero at every commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Entries written so far; the next one gets this number plus one.
    pub entries: i64,
    /// In grants, expired ones that were not swept included.
    pub grants: i64,
    /// In open holds.
    pub held: i64,
    /// Charged.
    pub revenue: i64,
    /// Lapsed.
    pub breakage: i64,
    /// Charged beyond what there was: the platform's loss.
    pub debt: i64,
    /// Given to the tenant.
    pub issuance: i64,
}

/// Changes of the accounts in one entry; they sum to zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deltas {
    /// Change of [`Totals::grants`].
    pub grants: i64,
    /// Change of [`Totals::held`].
    pub held: i64,
    /// Change of [`Totals::revenue`].
    pub revenue: i64,
    /// Change of [`Totals::breakage`].
    pub breakage: i64,
    /// Change of [`Totals::debt`].
    pub debt: i64,
    /// Change of [`Totals::issuance`].
    pub issuance: i64,
}

/// What kind of change an entry records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// Credits were given.
    Grant,
    /// Credits were set aside for a call.
    Hold,
    /// A call was charged.
    Settle,
    /// A call was not charged.
    Release,
}

impl EntryKind {
    /// As the database holds it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Hold => "hold",
            Self::Settle => "settle",
            Self::Release => "release",
        }
    }
}

/// An entry to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// Whose.
    pub tenant: TenantId,
    /// Its place among the tenant's entries, from 1, without gaps.
    pub number: i64,
    /// What kind.
    pub kind: EntryKind,
    /// The hold or grant it belongs to.
    pub reference: String,
    /// What changed.
    pub deltas: Deltas,
    /// Grants after it.
    pub grants_after: i64,
    /// Held after it.
    pub held_after: i64,
}

/// A part of a hold and the grant it was taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocation {
    /// From which grant.
    pub grant: GrantId,
    /// How much.
    pub micros: i64,
}

/// One tenant's part of the books.
#[derive(Debug, Default)]
pub struct Account {
    /// Sums.
    pub totals: Totals,
    /// Grants that hold something, or that an open hold was taken from; in the order they are spent.
    pub grants: Vec<Grant>,
    /// Whether it must be written.
    pub changed: bool,
}

/// A hold with its parts.
#[derive(Debug, Clone)]
pub struct HeldBook {
    /// The hold.
    pub hold: Hold,
    /// Where it was taken from, in order.
    pub allocations: Vec<Allocation>,
    /// Not in the database yet.
    pub fresh: bool,
    /// Must be written.
    pub changed: bool,
}

/// Everything a batch of operations may read and change, loaded under lock.
#[derive(Debug, Default)]
pub struct Books {
    /// Accounts by tenant.
    pub accounts: HashMap<TenantId, Account>,
    /// Holds by id.
    pub holds: HashMap<GenerationId, HeldBook>,
    /// Ids of grants whose remaining amount changed.
    pub grants_changed: Vec<(TenantId, GrantId)>,
    /// Grants to be inserted.
    pub grants_new: Vec<(TenantId, GrantId)>,
    /// Grants by tenant and source key, for the operations of this batch that ask for one.
    pub grants_by_source: HashMap<(TenantId, String), Grant>,
    /// Entries to be appended, in order.
    pub entries: Vec<NewEntry>,
}

/// Earliest expiry first, then oldest (ids sort by creation).
fn spending_order(a: &Grant, b: &Grant) -> std::cmp::Ordering {
    let expiry = |g: &Grant| g.expires_at.map_or(i64::MAX, Moment::unix_ms);
    expiry(a).cmp(&expiry(b)).then_with(|| a.id.cmp(&b.id))
}

fn spendable(grant: &Grant, now: Moment) -> bool {
    grant.expires_at.is_none_or(|expires_at| expires_at > now)
}

impl Account {
    /// What can be held now.
    pub fn available(&self, now: Moment) -> i64 {
        self.grants
            .iter()
            .filter(|g| spendable(g, now))
            .map(|g| g.remaining.micros())
            .sum()
    }

    /// Puts the grants in the order they are spent.
    pub fn sort(&mut self) {
        self.grants.sort_by(spending_order);
    }

    /// Takes `micros` from the spendable grants in order; the caller has checked that it is there.
    fn take(&mut self, micros: i64, now: Moment) -> Vec<Allocation> {
        let mut rest = micros;
        let mut taken = Vec::new();
        for grant in self.grants.iter_mut().filter(|g| spendable(g, now)) {
            if rest == 0 {
                break;
            }
            let part = rest.min(grant.remaining.micros());
            if part > 0 {
                grant.remaining = sub(grant.remaining, part);
                rest = minus(rest, part);
                taken.push(Allocation {
                    grant: grant.id.clone(),
                    micros: part,
                });
            }
        }
        assert_eq!(rest, 0, "only what is available is taken");
        taken
    }

    fn apply(&mut self, deltas: Deltas) {
        let t = &mut self.totals;
        t.entries = plus(t.entries, 1);
        t.grants = plus(t.grants, deltas.grants);
        t.held = plus(t.held, deltas.held);
        t.revenue = plus(t.revenue, deltas.revenue);
        t.breakage = plus(t.breakage, deltas.breakage);
        t.debt = plus(t.debt, deltas.debt);
        t.issuance = plus(t.issuance, deltas.issuance);
        assert!(t.grants >= 0, "grants never go below zero");
        assert!(t.held >= 0, "held never goes below zero");
        assert!(t.revenue >= 0, "revenue never goes below zero");
        let sum = [t.grants, t.held, t.revenue, t.breakage, t.debt, t.issuance];
        assert_eq!(
            sum.iter().map(|m| i128::from(*m)).sum::<i128>(),
            0,
            "the accounts sum to zero"
        );
        self.changed = true;
    }
}

/// Balances are bounded far below 64 bits (a grant is at most 10^15 micro-credits), so a sum that
/// leaves the range is a bug, and stopping is better than being wrong.
fn plus(a: i64, b: i64) -> i64 {
    a.checked_add(b).expect("micro-credits fit in 64 bits")
}

fn minus(a: i64, b: i64) -> i64 {
    a.checked_sub(b).expect("micro-credits fit in 64 bits")
}

fn sub(credits: Credits, micros: i64) -> Credits {
    Credits::from_micros(minus(credits.micros(), micros))
}

impl Books {
    fn record(&mut self, tenant: &TenantId, kind: EntryKind, reference: &str, deltas: Deltas) {
        let account = self
            .accounts
            .get_mut(tenant)
            .expect("the account was loaded");
        account.apply(deltas);
        let totals = account.totals;
        self.entries.push(NewEntry {
            tenant: tenant.clone(),
            number: totals.entries,
            kind,
            reference: reference.to_owned(),
            deltas,
            grants_after: totals.grants,
            held_after: totals.held,
        });
    }

    /// Places a hold of `amount`, or of what is available if that is at least `least`.
    pub fn hold(&mut self, ask: &HoldAsk, now: Moment) -> Result<Credits, HoldError> {
        assert!(!ask.least.is_negative(), "a hold is never negative");
        assert!(
            ask.least <= ask.amount,
            "the least is not more than the whole"
        );
        if let Some(known) = self.holds.get(&ask.id) {
            let hold = &known.hold;
            let same = hold.tenant == ask.tenant
                && hold.requested == ask.amount
                && hold.least == ask.least;
            return match hold.state {
                _ if !same => Err(HoldError::Conflict),
                HoldState::Refused => Err(HoldError::Insufficient {
                    available: Credits::ZERO,
                    required: ask.least,
                }),
                HoldState::Held | HoldState::Settled | HoldState::Released => Ok(hold.held),
            };
        }
        let available = self
            .accounts
            .get(&ask.tenant)
            .map_or(0, |account| account.available(now));
        let mut hold = Hold {
            id: ask.id.clone(),
            tenant: ask.tenant.clone(),
            state: HoldState::Refused,
            requested: ask.amount,
            least: ask.least,
            held: Credits::ZERO,
            settled: Credits::ZERO,
            shortfall: Credits::ZERO,
            owner: ask.owner.clone(),
            call: ask.call.clone(),
            created_at: now,
            deadline_at: ask.deadline_at,
            closed_at: None,
        };
        if available < ask.least.micros() {
            hold.closed_at = Some(now);
            self.insert_hold(hold, Vec::new());
            let available = Credits::from_micros(available);
            return Err(HoldError::Insufficient {
                available,
                required: ask.least,
            });
        }
        let micros = available.min(ask.amount.micros());
        let allocations = match self.accounts.get_mut(&ask.tenant) {
            Some(account) => account.take(micros, now),
            None => Vec::new(),
        };
        for allocation in &allocations {
            self.grants_changed
                .push((ask.tenant.clone(), allocation.grant.clone()));
        }
        hold.state = HoldState::Held;
        hold.held = Credits::from_micros(micros);
        if micros > 0 {
            let deltas = Deltas {
                grants: minus(0, micros),
                held: micros,
                ..Deltas::default()
            };
            self.record(&ask.tenant, EntryKind::Hold, ask.id.as_str(), deltas);
        }
        self.insert_hold(hold, allocations);
        Ok(Credits::from_micros(micros))
    }

    fn insert_hold(&mut self, hold: Hold, allocations: Vec<Allocation>) {
        let id = hold.id.clone();
        self.holds.insert(
            id,
            HeldBook {
                hold,
                allocations,
                fresh: true,
                changed: true,
            },
        );
    }

    /// Whether the hold is there and open.
    pub fn is_open(&self, id: &GenerationId) -> bool {
        self.holds
            .get(id)
            .is_some_and(|book| book.hold.state == HoldState::Held)
    }

    /// Charges `used` for a hold and gives the rest back to the grants it came from.
    pub fn settle(
        &mut self,
        id: &GenerationId,
        tenant: &TenantId,
        used: Credits,
        now: Moment,
    ) -> Result<Settlement, SettleError> {
        assert!(!used.is_negative(), "a charge is never negative");
        let book = self.open_or_answer(id, tenant, Some(used))?;
        let book = match book {
            Ok(book) => book,
            Err(answered) => return Ok(answered),
        };
        let held = book.hold.held.micros();
        let from_hold = used.micros().min(held);
        let (returned, lapsed) = self.give_back(tenant, &book.allocations, from_hold, now);
        assert_eq!(
            plus(plus(returned, lapsed), from_hold),
            held,
            "a hold is used up exactly"
        );
        let (extra, shortfall) = self.take_extra(tenant, minus(used.micros(), from_hold), now);
        let deltas = Deltas {
            grants: minus(returned, extra),
            held: minus(0, held),
            revenue: used.micros(),
            breakage: lapsed,
            debt: minus(0, shortfall),
            issuance: 0,
        };
        if used.micros() > 0 || held > 0 {
            self.record(tenant, EntryKind::Settle, id.as_str(), deltas);
        }
        let settlement = Settlement {
            charged: used,
            shortfall: Credits::from_micros(shortfall),
        };
        self.close(id, HoldState::Settled, settlement, now);
        Ok(settlement)
    }

    /// Gives a whole hold back.
    pub fn release(
        &mut self,
        id: &GenerationId,
        tenant: &TenantId,
        now: Moment,
    ) -> Result<(), SettleError> {
        let Ok(book) = self.open_or_answer(id, tenant, None)? else {
            return Ok(());
        };
        let (returned, lapsed) = self.give_back(tenant, &book.allocations, 0, now);
        let held = book.hold.held.micros();
        assert_eq!(
            plus(returned, lapsed),
            held,
            "a released hold is given back whole"
        );
        if held > 0 {
            let deltas = Deltas {
                grants: returned,
                held: minus(0, held),
                breakage: lapsed,
                ..Deltas::default()
            };
            self.record(tenant, EntryKind::Release, id.as_str(), deltas);
        }
        self.close(id, HoldState::Released, Settlement::default(), now);
        Ok(())
    }

    /// The open hold, or the answer it got when it was closed before. `used` is `None` for a release.
    fn open_or_answer(
        &self,
        id: &GenerationId,
        tenant: &TenantId,
        used: Option<Credits>,
    ) -> Result<Result<HeldBook, Settlement>, SettleError> {
        let book = self
            .holds
            .get(id)
            .filter(|book| book.hold.tenant == *tenant);
        let book = book.ok_or(SettleError::NoSuchHold)?;
        let hold = &book.hold;
        let answered = Settlement {
            charged: hold.settled,
            shortfall: hold.shortfall,
        };
        match (hold.state, used) {
            (HoldState::Held, _) => Ok(Ok(book.clone())),
            (HoldState::Settled, Some(used)) if used == hold.settled => Ok(Err(answered)),
            (HoldState::Released, None) => Ok(Err(answered)),
            (HoldState::Settled | HoldState::Released | HoldState::Refused, _) => {
                Err(SettleError::Closed)
            }
        }
    }

    /// Consumes `used` from the allocations in their order and returns the rest to their grants;
    /// what belongs to a grant that expired meanwhile lapses. Answers (returned, lapsed).
    fn give_back(
        &mut self,
        tenant: &TenantId,
        allocations: &[Allocation],
        used: i64,
        now: Moment,
    ) -> (i64, i64) {
        // A hold of nothing may belong to a tenant that was never given anything.
        let account = self.accounts.entry(tenant.clone()).or_default();
        let (mut to_use, mut returned, mut lapsed) = (used, 0, 0);
        for allocation in allocations {
            let consumed = to_use.min(allocation.micros);
            to_use = minus(to_use, consumed);
            let rest = minus(allocation.micros, consumed);
            if rest == 0 {
                continue;
            }
            let grant = account.grants.iter_mut().find(|g| g.id == allocation.grant);
            match grant.filter(|g| spendable(g, now)) {
                Some(grant) => {
                    grant.remaining = Credits::from_micros(plus(grant.remaining.micros(), rest));
                    assert!(
                        grant.remaining <= grant.granted,
                        "no grant gets back more than it gave"
                    );
                    returned = plus(returned, rest);
                    self.grants_changed
                        .push((tenant.clone(), allocation.grant.clone()));
                }
                None => lapsed = plus(lapsed, rest),
            }
        }
        assert_eq!(to_use, 0, "a hold pays only what it holds");
        (returned, lapsed)
    }

    /// Takes what a charge exceeds its hold by; answers (taken, missing).
    fn take_extra(&mut self, tenant: &TenantId, extra: i64, now: Moment) -> (i64, i64) {
        if extra == 0 {
            return (0, 0);
        }
        let account = self.accounts.entry(tenant.clone()).or_default();
        let taken = extra.min(account.available(now));
        for allocation in account.take(taken, now) {
            self.grants_changed.push((tenant.clone(), allocation.grant));
        }
        (taken, minus(extra, taken))
    }

    fn close(&mut self, id: &GenerationId, state: HoldState, settlement: Settlement, now: Moment) {
        let book = self.holds.get_mut(id).expect("the hold was found");
        book.hold.state = state;
        book.hold.settled = settlement.charged;
        book.hold.shortfall = settlement.shortfall;
        book.hold.closed_at = Some(now);
        book.changed = true;
    }

    /// Gives credits; the same source key gives the same grant.
    pub fn grant(&mut self, new: &NewGrant, now: Moment) -> Result<Grant, GrantError> {
        let source = (new.tenant.clone(), new.source_key.clone());
        if let Some(known) = self.grants_by_source.get(&source) {
            let same = known.granted == new.amount
                && known.expires_at == new.expires_at
                && known.kind == new.kind;
            return if same {
                Ok(known.clone())
            } else {
                Err(GrantError::Conflict)
            };
        }
        assert!(new.amount > Credits::ZERO, "a grant gives something");
        let grant = Grant {
            id: GrantId::random(),
            kind: new.kind,
            source_key: new.source_key.clone(),
            granted: new.amount,
            remaining: new.amount,
            expires_at: new.expires_at,
            note: new.note.clone(),
            created_at: now,
        };
        let account = self.accounts.entry(new.tenant.clone()).or_default();
        account.grants.push(grant.clone());
        account.sort();
        let micros = new.amount.micros();
        let deltas = Deltas {
            grants: micros,
            issuance: minus(0, micros),
            ..Deltas::default()
        };
        self.record(&new.tenant, EntryKind::Grant, grant.id.as_str(), deltas);
        self.grants_new.push((new.tenant.clone(), grant.id.clone()));
        self.grants_by_source.insert(source, grant.clone());
        Ok(grant)
    }
}
