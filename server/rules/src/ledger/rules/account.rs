//! One tenant's books: sums, grants in the order they are spent, open holds. Decides no operation.

use std::collections::{HashMap, HashSet};

use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::{GenerationId, GrantId, TenantId};

use super::{minus, plus, spendable};
use crate::ledger::nouns::budgets::Budget;
use crate::ledger::nouns::holds::Hold;
use crate::ledger::nouns::{Grant, Spender};

/// Spent grants are forgotten when an account has more than this many.
const GRANTS_KEPT: usize = 32;

/// Lists the accounts once for all that goes over every one of them.
macro_rules! accounts {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// What a tenant's accounts hold, all in micro-credits; `debt`, `loss` and `issuance` are never
        /// above zero, the others never below, so that all sum to zero at every commit.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct Totals {
            /// Entries written so far; the next one gets this number plus one.
            pub entries: i64,
            $($(#[$doc])* pub $name: i64,)+
        }

        /// Changes of the accounts in one entry; they sum to zero.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct Deltas {
            $($(#[$doc])* pub $name: i64,)+
        }

        impl Totals {
            /// All accounts; the sum is zero.
            pub fn sum(&self) -> i128 {
                [$(self.$name),+].into_iter().map(i128::from).sum()
            }

            fn add(&mut self, deltas: Deltas) {
                self.entries = plus(self.entries, 1);
                $(self.$name = plus(self.$name, deltas.$name);)+
            }
        }
    };
}

accounts! {
    /// In grants, expired ones that were not swept included.
    grants,
    /// In open holds.
    held,
    /// Charged.
    revenue,
    /// Lapsed.
    breakage,
    /// Taken back by operators.
    refund,
    /// Owed after a correction.
    debt,
    /// Charged beyond what there was: the platform's loss.
    loss,
    /// Given to the tenant.
    issuance,
}

/// What kind of change an entry records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// Credits were given.
    Grant,
    /// Credits were set aside for a call.
    Hold,
    /// More was set aside for it.
    Extend,
    /// A call was charged.
    Settle,
    /// A call was not charged.
    Release,
    /// A grant lapsed.
    Expire,
    /// An operator corrected the balance.
    Adjust,
    /// A call was charged whose hold had been given back before its end was known.
    Claim,
}

impl EntryKind {
    /// As the database holds it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Hold => "hold",
            Self::Extend => "extend",
            Self::Settle => "settle",
            Self::Release => "release",
            Self::Expire => "expire",
            Self::Adjust => "adjust",
            Self::Claim => "claim",
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
    /// The hold, grant or adjustment it belongs to.
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

/// An open hold with its parts.
#[derive(Debug, Clone)]
pub struct HeldBook {
    /// The hold.
    pub hold: Hold,
    /// Where it was taken from, in order.
    pub allocations: Vec<Allocation>,
}

/// One tenant's part of the books.
#[derive(Debug, Default)]
pub struct Account {
    /// Goes up with every batch that changes anything of the tenant.
    pub version: i64,
    /// Sums.
    pub totals: Totals,
    /// Grants that hold something, or that an open hold was taken from; in the order they are spent.
    pub grants: Vec<Grant>,
    /// Open holds that are known here.
    pub holds: HashMap<GenerationId, HeldBook>,
    /// Budgets of the spenders that were asked for; an empty list says that there are none.
    pub budgets: HashMap<Spender, Vec<Budget>>,
}

/// Earliest expiry first, then oldest (ids sort by creation).
fn spending_order(a: &Grant, b: &Grant) -> std::cmp::Ordering {
    let expiry = |g: &Grant| g.expires_at.map_or(i64::MAX, Moment::unix_ms);
    expiry(a).cmp(&expiry(b)).then_with(|| a.id.cmp(&b.id))
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

    /// Forgets spent grants to which no known hold can give anything back.
    pub fn forget_spent_grants(&mut self) {
        if self.grants.len() <= GRANTS_KEPT {
            return;
        }
        let parts = self.holds.values().flat_map(|book| &book.allocations);
        let needed: HashSet<GrantId> = parts.map(|part| part.grant.clone()).collect();
        self.grants
            .retain(|grant| grant.remaining > Credits::ZERO || needed.contains(&grant.id));
    }

    /// Takes `micros` from the spendable grants in order; the caller has checked that it is there.
    pub(super) fn take(&mut self, micros: i64, now: Moment) -> Vec<Allocation> {
        let mut rest = micros;
        let mut taken = Vec::new();
        for grant in self.grants.iter_mut().filter(|g| spendable(g, now)) {
            if rest == 0 {
                break;
            }
            let part = rest.min(grant.remaining.micros());
            if part > 0 {
                grant.remaining = Credits::from_micros(minus(grant.remaining.micros(), part));
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

    pub(super) fn apply(&mut self, deltas: Deltas) {
        let t = &mut self.totals;
        t.add(deltas);
        assert!(
            t.grants
                .min(t.held)
                .min(t.revenue)
                .min(t.breakage)
                .min(t.refund)
                >= 0,
            "what a tenant has or spent never goes below zero: {t:?}"
        );
        assert!(
            t.debt.max(t.loss).max(t.issuance) <= 0,
            "what was lent never goes above zero: {t:?}"
        );
        assert_eq!(t.sum(), 0, "the accounts sum to zero");
    }
}
