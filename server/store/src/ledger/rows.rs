//! Rows of the ledger's tables. Runs no statement; how they become books and back is in `convert`.

use diesel::prelude::{Insertable, Queryable};

use crate::schema::{
    ledger_accounts, ledger_adjustments, ledger_allocations, ledger_budgets, ledger_entries,
    ledger_grants, ledger_holds,
};
use crate::usage::UsageRow;

#[derive(Debug, Clone, Default, Queryable, Insertable)]
#[diesel(table_name = ledger_accounts)]
pub struct AccountRow {
    pub(super) tenant_id: String,
    pub(super) version: i64,
    pub(super) entries: i64,
    pub(super) grants_micros: i64,
    pub(super) held_micros: i64,
    pub(super) revenue_micros: i64,
    pub(super) breakage_micros: i64,
    pub(super) refund_micros: i64,
    pub(super) debt_micros: i64,
    pub(super) loss_micros: i64,
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
    pub(super) grant_id: Option<String>,
    pub(super) grant_micros: i64,
    pub(super) budgets: String,
    pub(super) refusal: String,
    pub(super) owner: String,
    pub(super) call: String,
    pub(super) created_at: i64,
    pub(super) deadline_at: i64,
    pub(super) closed_at: Option<i64>,
    pub(super) ask_until: Option<i64>,
    pub(super) promised: bool,
}

/// How an open hold ends; written only while it is open and as large as it was known to be.
#[derive(Debug, Clone)]
pub(super) struct ClosedRow {
    pub(super) id: String,
    pub(super) held_before: i64,
    pub(super) held_micros: i64,
    pub(super) state: String,
    pub(super) settled_micros: i64,
    pub(super) shortfall_micros: i64,
    pub(super) closed_at: i64,
    pub(super) ask_until: Option<i64>,
    pub(super) promised: bool,
}

/// How a hold ends for good that was given back because nobody knew; written only while it is so.
#[derive(Debug, Clone)]
pub(super) struct ResolvedRow {
    pub(super) id: String,
    pub(super) state: String,
    pub(super) settled_micros: i64,
    pub(super) shortfall_micros: i64,
    pub(super) closed_at: i64,
}

/// An open hold that grew; written only while it is as large as it was known to be.
#[derive(Debug, Clone)]
pub(super) struct ExtendedRow {
    pub(super) id: String,
    pub(super) held_before: i64,
    pub(super) held_micros: i64,
    pub(super) grant_id: Option<String>,
    pub(super) grant_micros: i64,
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
    pub(super) refund_delta: i64,
    pub(super) debt_delta: i64,
    pub(super) loss_delta: i64,
    pub(super) issuance_delta: i64,
    pub(super) grants_after: i64,
    pub(super) held_after: i64,
    pub(super) at: i64,
}

#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = ledger_adjustments)]
pub(super) struct AdjustmentRow {
    pub(super) id: String,
    pub(super) tenant_id: String,
    pub(super) source_key: String,
    pub(super) amount_micros: i64,
    pub(super) into_debt: bool,
    pub(super) operator: String,
    pub(super) reason: String,
    pub(super) created_at: i64,
}

#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = ledger_budgets)]
pub(super) struct BudgetRow {
    pub(super) spender: String,
    pub(super) period: String,
    pub(super) tenant_id: String,
    pub(super) id: String,
    pub(super) limit_micros: i64,
    pub(super) spent_micros: i64,
    pub(super) held_micros: i64,
    pub(super) period_start: i64,
    pub(super) period_end: Option<i64>,
}

/// A grant of which another amount remains.
#[derive(Debug, Clone)]
pub(super) struct RemainingRow {
    pub(super) id: String,
    pub(super) remaining_micros: i64,
    pub(super) expires_at: Option<i64>,
}

/// Everything a batch writes.
#[derive(Debug, Default)]
pub(super) struct Writes {
    pub(super) accounts: Vec<AccountRow>,
    pub(super) grants_new: Vec<GrantRow>,
    pub(super) grants_changed: Vec<RemainingRow>,
    pub(super) holds_new: Vec<HoldRow>,
    pub(super) holds_extended: Vec<ExtendedRow>,
    pub(super) holds_closed: Vec<ClosedRow>,
    pub(super) holds_resolved: Vec<ResolvedRow>,
    pub(super) allocations: Vec<AllocationRow>,
    pub(super) entries: Vec<EntryRow>,
    pub(super) adjustments: Vec<AdjustmentRow>,
    pub(super) budgets: Vec<BudgetRow>,
    pub(super) budgets_gone: Vec<(String, String)>,
    /// Records to be filed.
    pub(super) usage: Vec<UsageRow>,
    /// Records of calls that nobody knows the end of: they stand where lists look, and count in no
    /// sum.
    pub(super) usage_open: Vec<UsageRow>,
}

/// What must still be read for a batch, after the accounts are locked.
#[derive(Debug, Default)]
pub(super) struct Missing {
    /// Accounts whose grants are not known as they are now.
    pub(super) tenants: Vec<String>,
    /// Holds that are not known.
    pub(super) holds: Vec<String>,
    /// Source keys of grants, by tenant.
    pub(super) sources: Vec<(String, String)>,
    /// Source keys of adjustments, by tenant.
    pub(super) adjustments: Vec<(String, String)>,
}

/// What was read of it.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub(super) grants: Vec<GrantRow>,
    pub(super) grants_by_source: Vec<GrantRow>,
    pub(super) adjustments: Vec<AdjustmentRow>,
    pub(super) holds: Vec<HoldRow>,
    pub(super) allocations: Vec<AllocationRow>,
    pub(super) budgets: Vec<BudgetRow>,
}
