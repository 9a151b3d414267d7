//! Decides what a ledger operation changes: which grants pay, what is given back, what is refused.
//! Pure: waits for nothing and stores nothing; `store::ledger` loads the books and writes the changes.

mod account;
mod budgets;
mod grants;
mod holds;
mod unknown;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::{GenerationId, GrantId, TenantId};

pub use self::account::{Account, Allocation, Deltas, EntryKind, HeldBook, NewEntry, Totals};
use super::nouns::budgets::BudgetPeriod;
use super::nouns::holds::Hold;
use super::nouns::{Adjusted, Grant, Spender};

/// Everything a batch of operations may read and change. Accounts stay from batch to batch as long
/// as their version in the database is the one that is known here.
#[derive(Debug, Default)]
pub struct Books {
    /// Accounts by tenant, with their grants, budgets and open holds.
    pub accounts: HashMap<TenantId, Account>,
    /// Holds of this batch that are closed or were refused, now or earlier.
    pub closed: HashMap<GenerationId, Hold>,
    /// Holds that this batch placed or refused, and for whom.
    pub fresh: HashMap<GenerationId, TenantId>,
    /// Grants by tenant and source key, for the operations of this batch that ask for one.
    pub grants_by_source: HashMap<(TenantId, String), Grant>,
    /// Adjustments by tenant and source key, likewise.
    pub adjusted_by_source: HashMap<(TenantId, String), Adjusted>,
    /// What this batch changed.
    pub changes: Changes,
    /// For how long a part of a hold comes back good after its grant expired.
    pub grace: Duration,
}

/// What a batch changed, to be written.
#[derive(Debug, Default)]
pub struct Changes {
    /// Accounts with new totals or a new version.
    pub accounts: BTreeSet<TenantId>,
    /// Grants to be inserted.
    pub grants_new: BTreeSet<(TenantId, GrantId)>,
    /// Grants of which another amount remains.
    pub grants: BTreeSet<(TenantId, GrantId)>,
    /// Holds to be inserted, open, closed and refused ones; in order of arrival.
    pub holds_new: Vec<(TenantId, GenerationId)>,
    /// Open holds that grew, step by step.
    pub holds_extended: Vec<Extended>,
    /// Holds that were open and are closed now.
    pub holds_closed: Vec<GenerationId>,
    /// Holds of calls with an unknown end that are closed for good now.
    pub holds_resolved: Vec<GenerationId>,
    /// Budgets to be written.
    pub budgets: BTreeSet<(TenantId, Spender, BudgetPeriod)>,
    /// Budgets to be deleted.
    pub budgets_gone: BTreeSet<(TenantId, Spender, BudgetPeriod)>,
    /// Adjustments to be inserted.
    pub adjusted: Vec<Adjusted>,
    /// Entries to be appended, in order.
    pub entries: Vec<NewEntry>,
}

/// A step in which an open hold grew.
#[derive(Debug, Clone)]
pub struct Extended {
    /// Whose.
    pub tenant: TenantId,
    /// Which.
    pub hold: GenerationId,
    /// How many parts it had before.
    pub parts_before: usize,
    /// What it held before.
    pub held_before: Credits,
}

/// Balances are bounded far below 64 bits (a grant is at most 10^15 micro-credits), so a sum that
/// leaves the range is a bug, and stopping is better than being wrong.
fn plus(a: i64, b: i64) -> i64 {
    a.checked_add(b).expect("micro-credits fit in 64 bits")
}

fn minus(a: i64, b: i64) -> i64 {
    a.checked_sub(b).expect("micro-credits fit in 64 bits")
}

fn spendable(grant: &Grant, now: Moment) -> bool {
    grant.expires_at.is_none_or(|expires_at| expires_at > now)
}

impl Books {
    /// Forgets what the last batch changed and looked up; accounts stay.
    pub fn begin(&mut self) {
        self.closed.clear();
        self.fresh.clear();
        self.grants_by_source.clear();
        self.adjusted_by_source.clear();
        self.changes = Changes::default();
    }

    /// Forgets everything: what the database holds is not known any more.
    pub fn forget(&mut self) {
        self.begin();
        self.accounts.clear();
    }

    fn account(&mut self, tenant: &TenantId) -> &mut Account {
        self.accounts.entry(tenant.clone()).or_default()
    }

    /// Marks an account to be written under a new version.
    fn touch(&mut self, tenant: &TenantId) {
        if self.changes.accounts.insert(tenant.clone()) {
            let account = self.account(tenant);
            account.version = plus(account.version, 1);
        }
    }

    fn record(&mut self, tenant: &TenantId, kind: EntryKind, reference: &str, deltas: Deltas) {
        self.touch(tenant);
        let account = self.account(tenant);
        account.apply(deltas);
        let totals = account.totals;
        self.changes.entries.push(NewEntry {
            tenant: tenant.clone(),
            number: totals.entries,
            kind,
            reference: reference.to_owned(),
            deltas,
            grants_after: totals.grants,
            held_after: totals.held,
        });
    }

    fn grant_changed(&mut self, tenant: &TenantId, grant: &GrantId) {
        self.changes.grants.insert((tenant.clone(), grant.clone()));
    }
}
