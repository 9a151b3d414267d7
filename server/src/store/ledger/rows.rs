//! Rows of the ledger's tables and how they become the room's nouns. Runs no statement.

use diesel::prelude::{Insertable, Queryable};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::db::DbError;
use shared::id::{BootId, GenerationId, GrantId, TenantId};

use crate::ledger::rules::{Account, Allocation, Books, HeldBook, NewEntry, Totals};
use crate::ledger::{Entry, Grant, GrantKind, Hold, HoldState};
use crate::store::schema::{
    ledger_accounts, ledger_allocations, ledger_entries, ledger_grants, ledger_holds,
};
use crate::store::usage::{UsageRecord, UsageRow};

#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = ledger_accounts)]
pub(crate) struct AccountRow {
    pub(super) tenant_id: String,
    pub(super) entries: i64,
    pub(super) grants_micros: i64,
    pub(super) held_micros: i64,
    pub(super) revenue_micros: i64,
    pub(super) breakage_micros: i64,
    pub(super) debt_micros: i64,
    pub(super) issuance_micros: i64,
}

#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = ledger_grants)]
pub(super) struct GrantRow {
    pub(super) id: String,
    pub(super) tenant_id: String,
    pub(super) kind: String,
    pub(super) source_key: String,
    pub(super) granted_micros: i64,
    pub(super) remaining_micros: i64,
    pub(super) expires_at: Option<i64>,
    pub(super) note: String,
    pub(super) created_at: i64,
}

#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = ledger_holds)]
pub(super) struct HoldRow {
    pub(super) id: String,
    pub(super) tenant_id: String,
    pub(super) state: String,
    pub(super) requested_micros: i64,
    pub(super) least_micros: i64,
    pub(super) held_micros: i64,
    pub(super) settled_micros: i64,
    pub(super) shortfall_micros: i64,
    pub(super) owner: String,
    pub(super) call: String,
    pub(super) created_at: i64,
    pub(super) deadline_at: i64,
    pub(super) closed_at: Option<i64>,
}

#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = ledger_allocations)]
pub(super) struct AllocationRow {
    pub(super) hold_id: String,
    pub(super) position: i64,
    pub(super) grant_id: String,
    pub(super) amount_micros: i64,
}

#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = ledger_entries)]
pub(super) struct EntryRow {
    pub(super) tenant_id: String,
    pub(super) number: i64,
    pub(super) kind: String,
    pub(super) reference: String,
    pub(super) grants_delta: i64,
    pub(super) held_delta: i64,
    pub(super) revenue_delta: i64,
    pub(super) breakage_delta: i64,
    pub(super) debt_delta: i64,
    pub(super) issuance_delta: i64,
    pub(super) grants_after: i64,
    pub(super) held_after: i64,
    pub(super) at: i64,
}

/// Everything a batch writes.
#[derive(Debug, Default)]
pub(super) struct Writes {
    pub(super) accounts: Vec<AccountRow>,
    pub(super) grants_new: Vec<GrantRow>,
    pub(super) grants_changed: Vec<(String, i64)>,
    pub(super) holds_new: Vec<HoldRow>,
    pub(super) holds_closed: Vec<HoldRow>,
    pub(super) allocations: Vec<AllocationRow>,
    pub(super) entries: Vec<EntryRow>,
    pub(super) usage: Vec<UsageRow>,
}

/// What a batch loaded, before it becomes [`Books`].
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub(super) accounts: Vec<AccountRow>,
    pub(super) grants: Vec<GrantRow>,
    pub(super) grants_by_source: Vec<GrantRow>,
    pub(super) holds: Vec<HoldRow>,
    pub(super) allocations: Vec<AllocationRow>,
}

fn damaged(what: &str, id: &str) -> DbError {
    DbError::Damaged(format!("{what} {id}"))
}

impl TryFrom<GrantRow> for Grant {
    type Error = DbError;

    fn try_from(row: GrantRow) -> Result<Self, DbError> {
        let kind = GrantKind::from_word(&row.kind).ok_or_else(|| damaged("grant", &row.id))?;
        Ok(Self {
            id: GrantId::from_stored(row.id),
            kind,
            source_key: row.source_key,
            granted: Credits::from_micros(row.granted_micros),
            remaining: Credits::from_micros(row.remaining_micros),
            expires_at: row.expires_at.map(Moment::from_unix_ms),
            note: row.note,
            created_at: Moment::from_unix_ms(row.created_at),
        })
    }
}

impl TryFrom<HoldRow> for Hold {
    type Error = DbError;

    fn try_from(row: HoldRow) -> Result<Self, DbError> {
        let state = HoldState::from_word(&row.state).ok_or_else(|| damaged("hold", &row.id))?;
        Ok(Self {
            id: GenerationId::from_stored(row.id),
            tenant: TenantId::from_stored(row.tenant_id),
            state,
            requested: Credits::from_micros(row.requested_micros),
            least: Credits::from_micros(row.least_micros),
            held: Credits::from_micros(row.held_micros),
            settled: Credits::from_micros(row.settled_micros),
            shortfall: Credits::from_micros(row.shortfall_micros),
            owner: BootId::from_stored(row.owner),
            call: row.call,
            created_at: Moment::from_unix_ms(row.created_at),
            deadline_at: Moment::from_unix_ms(row.deadline_at),
            closed_at: row.closed_at.map(Moment::from_unix_ms),
        })
    }
}

impl From<&Hold> for HoldRow {
    fn from(hold: &Hold) -> Self {
        Self {
            id: hold.id.to_string(),
            tenant_id: hold.tenant.to_string(),
            state: hold.state.word().to_owned(),
            requested_micros: hold.requested.micros(),
            least_micros: hold.least.micros(),
            held_micros: hold.held.micros(),
            settled_micros: hold.settled.micros(),
            shortfall_micros: hold.shortfall.micros(),
            owner: hold.owner.to_string(),
            call: hold.call.clone(),
            created_at: hold.created_at.unix_ms(),
            deadline_at: hold.deadline_at.unix_ms(),
            closed_at: hold.closed_at.map(Moment::unix_ms),
        }
    }
}

impl From<EntryRow> for Entry {
    fn from(row: EntryRow) -> Self {
        Self {
            number: row.number,
            kind: row.kind,
            reference: row.reference,
            available_delta: Credits::from_micros(row.grants_delta),
            held_delta: Credits::from_micros(row.held_delta),
            charged: Credits::from_micros(row.revenue_delta),
            balance_after: Credits::from_micros(row.grants_after),
            held_after: Credits::from_micros(row.held_after),
            at: Moment::from_unix_ms(row.at),
        }
    }
}

fn entry_row(entry: NewEntry, now: Moment) -> EntryRow {
    EntryRow {
        tenant_id: entry.tenant.into_string(),
        number: entry.number,
        kind: entry.kind.word().to_owned(),
        reference: entry.reference,
        grants_delta: entry.deltas.grants,
        held_delta: entry.deltas.held,
        revenue_delta: entry.deltas.revenue,
        breakage_delta: entry.deltas.breakage,
        debt_delta: entry.deltas.debt,
        issuance_delta: entry.deltas.issuance,
        grants_after: entry.grants_after,
        held_after: entry.held_after,
        at: now.unix_ms(),
    }
}

impl Loaded {
    /// The books, as `rules` reads them.
    pub(super) fn into_books(self) -> Result<Books, DbError> {
        let mut books = Books::default();
        for row in self.accounts {
            let totals = Totals {
                entries: row.entries,
                grants: row.grants_micros,
                held: row.held_micros,
                revenue: row.revenue_micros,
                breakage: row.breakage_micros,
                debt: row.debt_micros,
                issuance: row.issuance_micros,
            };
            let account = Account {
                totals,
                ..Account::default()
            };
            books
                .accounts
                .insert(TenantId::from_stored(row.tenant_id), account);
        }
        for row in self.grants {
            let tenant = TenantId::from_stored(row.tenant_id.clone());
            let account = books
                .accounts
                .get_mut(&tenant)
                .ok_or_else(|| damaged("grant", &row.id))?;
            account.grants.push(row.try_into()?);
        }
        books.accounts.values_mut().for_each(Account::sort);
        for row in self.grants_by_source {
            let tenant = TenantId::from_stored(row.tenant_id.clone());
            books
                .grants_by_source
                .insert((tenant, row.source_key.clone()), row.try_into()?);
        }
        for row in self.holds {
            let hold = Hold::try_from(row)?;
            let book = HeldBook {
                hold,
                allocations: Vec::new(),
                fresh: false,
                changed: false,
            };
            books.holds.insert(book.hold.id.clone(), book);
        }
        // Loaded in the order of their positions.
        for row in self.allocations {
            let id = GenerationId::from_stored(row.hold_id);
            let book = books
                .holds
                .get_mut(&id)
                .ok_or_else(|| damaged("allocation of", id.as_str()))?;
            let grant = GrantId::from_stored(row.grant_id);
            book.allocations.push(Allocation {
                grant,
                micros: row.amount_micros,
            });
        }
        Ok(books)
    }
}

/// What the rules changed, as rows; taken out of the books.
pub(super) fn writes(books: &mut Books, usage: Vec<UsageRecord>, now: Moment) -> Writes {
    let mut writes = Writes {
        usage: usage.into_iter().map(UsageRow::from).collect(),
        entries: books
            .entries
            .drain(..)
            .map(|entry| entry_row(entry, now))
            .collect(),
        ..Writes::default()
    };
    for (tenant, account) in books.accounts.iter().filter(|(_, account)| account.changed) {
        let t = account.totals;
        writes.accounts.push(AccountRow {
            tenant_id: tenant.to_string(),
            entries: t.entries,
            grants_micros: t.grants,
            held_micros: t.held,
            revenue_micros: t.revenue,
            breakage_micros: t.breakage,
            debt_micros: t.debt,
            issuance_micros: t.issuance,
        });
    }
    let mut changed = std::mem::take(&mut books.grants_changed);
    changed.sort_unstable();
    changed.dedup();
    let new = std::mem::take(&mut books.grants_new);
    let find = |tenant: &TenantId, id: &GrantId| {
        books
            .accounts
            .get(tenant)
            .and_then(|account| account.grants.iter().find(|g| g.id == *id))
    };
    for (tenant, id) in &new {
        if let Some(grant) = find(tenant, id) {
            writes.grants_new.push(grant_row(tenant, grant));
        }
    }
    for (tenant, id) in changed.iter().filter(|changed| !new.contains(changed)) {
        if let Some(grant) = find(tenant, id) {
            writes
                .grants_changed
                .push((id.to_string(), grant.remaining.micros()));
        }
    }
    for book in books.holds.values().filter(|book| book.changed) {
        if book.fresh {
            writes.holds_new.push(HoldRow::from(&book.hold));
            writes.allocations.extend(allocation_rows(book));
        } else {
            writes.holds_closed.push(HoldRow::from(&book.hold));
        }
    }
    writes
}

fn grant_row(tenant: &TenantId, grant: &Grant) -> GrantRow {
    GrantRow {
        id: grant.id.to_string(),
        tenant_id: tenant.to_string(),
        kind: grant.kind.word().to_owned(),
        source_key: grant.source_key.clone(),
        granted_micros: grant.granted.micros(),
        remaining_micros: grant.remaining.micros(),
        expires_at: grant.expires_at.map(Moment::unix_ms),
        note: grant.note.clone(),
        created_at: grant.created_at.unix_ms(),
    }
}

fn allocation_rows(book: &HeldBook) -> impl Iterator<Item = AllocationRow> {
    (0_i64..)
        .zip(&book.allocations)
        .map(|(position, allocation)| AllocationRow {
            hold_id: book.hold.id.to_string(),
            position,
            grant_id: allocation.grant.to_string(),
            amount_micros: allocation.micros,
        })
}
