//! Statements of fixed text, one a row, which the connection finds prepared.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::sqlite::Sqlite;

use super::super::rows::{
    AccountRow, AllocationRow, BudgetRow, ClosedRow, EntryRow, ExtendedRow, HoldRow, RemainingRow,
    ResolvedRow,
};
use crate::schema::ledger_accounts;
use crate::statement::row_statement;
use crate::usage::UsageRow;

/// Reads an account by its key; prepared once.
#[derive(Debug, QueryId)]
pub(super) struct LoadAccount {
    pub(super) tenant: String,
}

impl diesel::query_builder::Query for LoadAccount {
    type SqlType = ledger_accounts::SqlType;
}

impl diesel::RunQueryDsl<SqliteConnection> for LoadAccount {}

impl QueryFragment<Sqlite> for LoadAccount {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(
            "SELECT tenant_id, version, entries, grants_micros, held_micros, revenue_micros, \
             breakage_micros, refund_micros, debt_micros, loss_micros, issuance_micros \
             FROM ledger_accounts WHERE tenant_id = ",
        );
        out.push_bind_param::<Text, _>(&self.tenant)
    }
}

row_statement!(
    UpdateAccount of AccountRow,
    "UPDATE ledger_accounts SET (version, entries, grants_micros, held_micros, revenue_micros, \
     breakage_micros, refund_micros, debt_micros, loss_micros, issuance_micros) = (",
    [
        version: BigInt,
        entries: BigInt,
        grants_micros: BigInt,
        held_micros: BigInt,
        revenue_micros: BigInt,
        breakage_micros: BigInt,
        refund_micros: BigInt,
        debt_micros: BigInt,
        loss_micros: BigInt,
        issuance_micros: BigInt,
    ],
    ") WHERE tenant_id = ",
    [tenant_id: Text];
    // The first value is the new version: one above that of the books this was decided on.
    " AND version = ?1 - 1"
);

row_statement!(
    UpdateGrant of RemainingRow,
    "UPDATE ledger_grants SET (remaining_micros, expires_at) = (",
    [remaining_micros: BigInt, expires_at: Nullable<BigInt>],
    ") WHERE id = ",
    [id: Text];
    ""
);

row_statement!(
    WriteBudget of BudgetRow,
    "INSERT OR REPLACE INTO ledger_budgets (spender, period, tenant_id, id, limit_micros, \
     spent_micros, held_micros, period_start, period_end) VALUES (",
    [
        spender: Text,
        period: Text,
        tenant_id: Text,
        id: Text,
        limit_micros: BigInt,
        spent_micros: BigInt,
        held_micros: BigInt,
        period_start: BigInt,
        period_end: Nullable<BigInt>,
    ];
    ")"
);

// Here and below the state stands in the text: bound, SQLite would look at it for the sake of the index of
// open holds, and prepare the statement anew each time.
row_statement!(
    ExtendHold of ExtendedRow,
    "UPDATE ledger_holds SET (held_micros, grant_id, grant_micros) = (",
    [held_micros: BigInt, grant_id: Nullable<Text>, grant_micros: BigInt],
    ") WHERE state = 'held' AND id = ",
    [id: Text],
    " AND held_micros = ",
    [held_before: BigInt];
    ""
);

row_statement!(
    CloseHold of ClosedRow,
    "UPDATE ledger_holds SET (held_micros, state, settled_micros, shortfall_micros, closed_at, \
     ask_until, promised) = (",
    [
        held_micros: BigInt,
        state: Text,
        settled_micros: BigInt,
        shortfall_micros: BigInt,
        closed_at: BigInt,
        ask_until: Nullable<BigInt>,
        promised: Bool,
    ],
    ") WHERE state = 'held' AND id = ",
    [id: Text],
    " AND held_micros = ",
    [held_before: BigInt];
    ""
);

row_statement!(
    ResolveHold of ResolvedRow,
    "UPDATE ledger_holds SET (state, settled_micros, shortfall_micros, closed_at, ask_until) = (",
    [
        state: Text,
        settled_micros: BigInt,
        shortfall_micros: BigInt,
        closed_at: BigInt,
    ],
    ", NULL) WHERE state = 'released' AND ask_until IS NOT NULL AND id = ",
    [id: Text];
    ""
);

row_statement!(
    InsertHold of HoldRow,
    "INSERT INTO ledger_holds (id, tenant_id, state, requested_micros, least_micros, \
     held_micros, settled_micros, shortfall_micros, grant_id, grant_micros, budgets, refusal, \
     owner, call, created_at, deadline_at, closed_at, ask_until, promised) VALUES (",
    [
        id: Text,
        tenant_id: Text,
        state: Text,
        requested_micros: BigInt,
        least_micros: BigInt,
        held_micros: BigInt,
        settled_micros: BigInt,
        shortfall_micros: BigInt,
        grant_id: Nullable<Text>,
        grant_micros: BigInt,
        budgets: Text,
        refusal: Text,
        owner: Text,
        call: Text,
        created_at: BigInt,
        deadline_at: BigInt,
        closed_at: Nullable<BigInt>,
        ask_until: Nullable<BigInt>,
        promised: Bool,
    ];
    ")"
);

row_statement!(
    InsertAllocation of AllocationRow,
    "INSERT INTO ledger_allocations (hold_id, position, grant_id, amount_micros) VALUES (",
    [
        hold_id: Text,
        position: BigInt,
        grant_id: Text,
        amount_micros: BigInt,
    ];
    ")"
);

row_statement!(
    InsertEntry of EntryRow,
    "INSERT INTO ledger_entries (tenant_id, number, kind, reference, grants_delta, \
     held_delta, revenue_delta, breakage_delta, refund_delta, debt_delta, loss_delta, \
     issuance_delta, grants_after, held_after, at) VALUES (",
    [
        tenant_id: Text,
        number: BigInt,
        kind: Text,
        reference: Text,
        grants_delta: BigInt,
        held_delta: BigInt,
        revenue_delta: BigInt,
        breakage_delta: BigInt,
        refund_delta: BigInt,
        debt_delta: BigInt,
        loss_delta: BigInt,
        issuance_delta: BigInt,
        grants_after: BigInt,
        held_after: BigInt,
        at: BigInt,
    ];
    ")"
);

macro_rules! insert_usage {
    ({} $($field:ident: $sql:ty => $rust:ty,)+) => {
        row_statement!(
            InsertUsage of UsageRow,
            concat!("INSERT INTO usage_inbox (", names!($($field),+), ") VALUES ("),
            [$($field: $sql),+];
            ") ON CONFLICT DO NOTHING"
        );
        // Of a call that nobody knows the end of: it counts in no sum, for which the number 0 stands.
        row_statement!(
            InsertOpenUsage of UsageRow,
            concat!("INSERT INTO usage_records (number, ", names!($($field),+), ") VALUES (0, "),
            [$($field: $sql),+];
            ") ON CONFLICT DO NOTHING"
        );
    };
}

with_usage_columns!(insert_usage! {});
