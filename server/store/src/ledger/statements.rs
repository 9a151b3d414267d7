//! The ledger's statements on PostgreSQL. Decides nothing.

use diesel::query_builder::Query;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};

use super::rows::{
    AccountRow, AdjustmentRow, AllocationRow, BudgetRow, ClosedRow, EntryRow, ExtendedRow,
    GrantRow, HoldRow, RemainingRow, ResolvedRow,
};
use crate::statement::{over_rows, statement};
use crate::usage::UsageRow;

macro_rules! answers {
    ($($name:ident => $sql:ty;)+) => {
        $(impl Query for $name { type SqlType = $sql; })+
    };
}

type AccountSql = (
    Text,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
);
type GrantSql = (
    Text,
    Text,
    Text,
    Text,
    BigInt,
    BigInt,
    Nullable<BigInt>,
    Text,
    BigInt,
);
type HoldSql = (
    Text,
    Text,
    Text,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    Nullable<Text>,
    BigInt,
    Text,
    Text,
    Text,
    Text,
    BigInt,
    BigInt,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Bool,
);
type AllocationSql = (Text, BigInt, Text, BigInt);
type BudgetSql = (
    Text,
    Text,
    Text,
    Text,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    Nullable<BigInt>,
);
type AdjustmentSql = (Text, Text, Text, BigInt, Bool, Text, Text, BigInt);

answers! {
    LockAccounts => AccountSql;
    LoadHolds => HoldSql;
    LoadAllocations => AllocationSql;
    LoadGrants => GrantSql;
    LoadGrantBySource => GrantSql;
    LoadBudgets => BudgetSql;
    LoadAdjustment => AdjustmentSql;
    LastBatch => BigInt;
}

statement!(
    MarkWriter,
    "INSERT INTO ledger_writers (boot, batch, seen_at, skew_ms) SELECT n.boot, n.batch, n.seen_at, \
     n.seen_at - CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) FROM (SELECT ",
    [boot: Text => String, batch: BigInt => i64, seen_at: BigInt => i64],
    ") AS n (boot, batch, seen_at) ON CONFLICT (boot) DO UPDATE SET batch = excluded.batch, \
     seen_at = excluded.seen_at, skew_ms = excluded.skew_ms"
);
statement!(
    LastBatch,
    "SELECT batch FROM ledger_writers WHERE boot = ",
    [boot: Text => String],
    " FOR UPDATE"
);
statement!(
    OpenAccounts,
    "INSERT INTO ledger_accounts (tenant_id, version, entries, grants_micros, held_micros, \
     revenue_micros, breakage_micros, refund_micros, debt_micros, loss_micros, \
     issuance_micros) SELECT t.id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM unnest(",
    [tenants: Array<Text> => Vec<String>],
    ") AS t (id) ORDER BY t.id ON CONFLICT DO NOTHING"
);
statement!(
    LockAccounts,
    "SELECT tenant_id, version, entries, grants_micros, held_micros, revenue_micros, \
     breakage_micros, refund_micros, debt_micros, loss_micros, issuance_micros FROM \
     ledger_accounts WHERE tenant_id = ANY(",
    [tenants: Array<Text> => Vec<String>],
    ") ORDER BY tenant_id FOR UPDATE"
);
statement!(
    LoadHolds,
    "SELECT id, tenant_id, state, requested_micros, least_micros, held_micros, \
     settled_micros, shortfall_micros, grant_id, grant_micros, budgets, refusal, owner, call, \
     created_at, deadline_at, closed_at, ask_until, promised FROM ledger_holds WHERE id = ANY(",
    [holds: Array<Text> => Vec<String>],
    ")"
);
statement!(
    LoadAllocations,
    "SELECT hold_id, position, grant_id, amount_micros FROM ledger_allocations WHERE hold_id = ANY(",
    [holds: Array<Text> => Vec<String>],
    ") ORDER BY hold_id, position"
);
statement!(
    LoadGrants,
    "WITH asked (tenants, ids) AS (SELECT ",
    [tenants: Array<Text> => Vec<String>, ids: Array<Text> => Vec<String>],
    ") SELECT g.id, g.tenant_id, g.kind, g.source_key, g.granted_micros, g.remaining_micros, \
     g.expires_at, g.note, g.created_at FROM ledger_grants g WHERE g.tenant_id = ANY((SELECT \
     tenants FROM asked)::text[]) AND g.remaining_micros > 0 UNION ALL SELECT g.id, \
     g.tenant_id, g.kind, g.source_key, g.granted_micros, g.remaining_micros, g.expires_at, \
     g.note, g.created_at FROM ledger_grants g WHERE g.id = ANY((SELECT ids FROM \
     asked)::text[]) AND NOT (g.remaining_micros > 0 AND g.tenant_id = ANY((SELECT tenants \
     FROM asked)::text[]))"
);
statement!(
    LoadGrantBySource,
    "WITH asked (tenant, source) AS (SELECT ",
    [tenant: Text => String, source: Text => String],
    ") SELECT g.id, g.tenant_id, g.kind, g.source_key, g.granted_micros, g.remaining_micros, \
     g.expires_at, g.note, g.created_at FROM ledger_grants g, asked WHERE g.tenant_id = \
     asked.tenant AND g.source_key = asked.source"
);
statement!(
    LoadAdjustment,
    "WITH asked (tenant, source) AS (SELECT ",
    [tenant: Text => String, source: Text => String],
    ") SELECT j.id, j.tenant_id, j.source_key, j.amount_micros, j.into_debt, j.operator, \
     j.reason, j.created_at FROM ledger_adjustments j, asked WHERE j.tenant_id = asked.tenant \
     AND j.source_key = asked.source"
);
statement!(
    LoadBudgets,
    "SELECT spender, period, tenant_id, id, limit_micros, spent_micros, held_micros, \
     period_start, period_end FROM ledger_budgets WHERE spender = ANY(",
    [spenders: Array<Text> => Vec<String>],
    ")"
);
statement!(
    DeleteBudgets,
    "DELETE FROM ledger_budgets b USING unnest(",
    [spenders: Array<Text> => Vec<String>, periods: Array<Text> => Vec<String>],
    ") AS n (spender, period) WHERE b.spender = n.spender AND b.period = n.period"
);
over_rows!(
    UpdateAccounts from AccountRow,
    "UPDATE ledger_accounts a SET version = n.version, entries = n.entries, grants_micros = \
     n.grants_micros, held_micros = n.held_micros, revenue_micros = n.revenue_micros, \
     breakage_micros = n.breakage_micros, refund_micros = n.refund_micros, debt_micros = \
     n.debt_micros, loss_micros = n.loss_micros, issuance_micros = n.issuance_micros FROM \
     unnest(",
    [
        tenant_id: Text => String,
        version: BigInt => i64,
        entries: BigInt => i64,
        grants_micros: BigInt => i64,
        held_micros: BigInt => i64,
        revenue_micros: BigInt => i64,
        breakage_micros: BigInt => i64,
        refund_micros: BigInt => i64,
        debt_micros: BigInt => i64,
        loss_micros: BigInt => i64,
        issuance_micros: BigInt => i64,
    ],
    ") AS n (tenant_id, version, entries, grants_micros, held_micros, revenue_micros, \
     breakage_micros, refund_micros, debt_micros, loss_micros, issuance_micros) WHERE \
     a.tenant_id = n.tenant_id"
);
over_rows!(
    InsertGrants from GrantRow,
    "INSERT INTO ledger_grants (id, tenant_id, kind, source_key, granted_micros, \
     remaining_micros, expires_at, note, created_at) SELECT * FROM unnest(",
    [
        id: Text => String,
        tenant_id: Text => String,
        kind: Text => String,
        source_key: Text => String,
        granted_micros: BigInt => i64,
        remaining_micros: BigInt => i64,
        expires_at: Nullable<BigInt> => Option<i64>,
        note: Text => String,
        created_at: BigInt => i64,
    ],
    ")"
);
over_rows!(
    UpdateGrants from RemainingRow,
    "UPDATE ledger_grants g SET remaining_micros = n.remaining, expires_at = n.expires FROM \
     unnest(",
    [
        id: Text => String,
        remaining_micros: BigInt => i64,
        expires_at: Nullable<BigInt> => Option<i64>,
    ],
    ") AS n (id, remaining, expires) WHERE g.id = n.id"
);
over_rows!(
    InsertHolds from HoldRow,
    "INSERT INTO ledger_holds (id, tenant_id, state, requested_micros, least_micros, \
     held_micros, settled_micros, shortfall_micros, grant_id, grant_micros, budgets, refusal, \
     owner, call, created_at, deadline_at, closed_at, ask_until, promised) SELECT * FROM unnest(",
    [
        id: Text => String,
        tenant_id: Text => String,
        state: Text => String,
        requested_micros: BigInt => i64,
        least_micros: BigInt => i64,
        held_micros: BigInt => i64,
        settled_micros: BigInt => i64,
        shortfall_micros: BigInt => i64,
        grant_id: Nullable<Text> => Option<String>,
        grant_micros: BigInt => i64,
        budgets: Text => String,
        refusal: Text => String,
        owner: Text => String,
        call: Text => String,
        created_at: BigInt => i64,
        deadline_at: BigInt => i64,
        closed_at: Nullable<BigInt> => Option<i64>,
        ask_until: Nullable<BigInt> => Option<i64>,
        promised: Bool => bool,
    ],
    ")"
);
over_rows!(
    ExtendHolds from ExtendedRow,
    "UPDATE ledger_holds h SET held_micros = n.held, grant_id = n.grant_id, grant_micros = \
     n.grant_micros FROM unnest(",
    [
        id: Text => String,
        held_before: BigInt => i64,
        held_micros: BigInt => i64,
        grant_id: Nullable<Text> => Option<String>,
        grant_micros: BigInt => i64,
    ],
    ") AS n (id, before, held, grant_id, grant_micros) WHERE h.id = n.id AND h.state = 'held' \
     AND h.held_micros = n.before"
);
over_rows!(
    CloseHolds from ClosedRow,
    "UPDATE ledger_holds h SET held_micros = n.held, state = n.state, settled_micros = \
     n.settled, shortfall_micros = n.shortfall, closed_at = n.closed_at, ask_until = n.ask_until, \
     promised = n.promised FROM unnest(",
    [
        id: Text => String,
        held_before: BigInt => i64,
        held_micros: BigInt => i64,
        state: Text => String,
        settled_micros: BigInt => i64,
        shortfall_micros: BigInt => i64,
        closed_at: BigInt => i64,
        ask_until: Nullable<BigInt> => Option<i64>,
        promised: Bool => bool,
    ],
    ") AS n (id, before, held, state, settled, shortfall, closed_at, ask_until, promised) WHERE \
     h.id = n.id AND h.state = 'held' AND h.held_micros = n.before"
);
over_rows!(
    ResolveHolds from ResolvedRow,
    "UPDATE ledger_holds h SET state = n.state, settled_micros = n.settled, shortfall_micros = \
     n.shortfall, closed_at = n.closed_at, ask_until = NULL FROM unnest(",
    [
        id: Text => String,
        state: Text => String,
        settled_micros: BigInt => i64,
        shortfall_micros: BigInt => i64,
        closed_at: BigInt => i64,
    ],
    ") AS n (id, state, settled, shortfall, closed_at) WHERE h.id = n.id AND h.state = 'released' \
     AND h.ask_until IS NOT NULL"
);
over_rows!(
    InsertAllocations from AllocationRow,
    "INSERT INTO ledger_allocations (hold_id, position, grant_id, amount_micros) SELECT * \
     FROM unnest(",
    [
        hold_id: Text => String,
        position: BigInt => i64,
        grant_id: Text => String,
        amount_micros: BigInt => i64,
    ],
    ")"
);
over_rows!(
    InsertEntries from EntryRow,
    "INSERT INTO ledger_entries (tenant_id, number, kind, reference, grants_delta, \
     held_delta, revenue_delta, breakage_delta, refund_delta, debt_delta, loss_delta, \
     issuance_delta, grants_after, held_after, at) SELECT * FROM unnest(",
    [
        tenant_id: Text => String,
        number: BigInt => i64,
        kind: Text => String,
        reference: Text => String,
        grants_delta: BigInt => i64,
        held_delta: BigInt => i64,
        revenue_delta: BigInt => i64,
        breakage_delta: BigInt => i64,
        refund_delta: BigInt => i64,
        debt_delta: BigInt => i64,
        loss_delta: BigInt => i64,
        issuance_delta: BigInt => i64,
        grants_after: BigInt => i64,
        held_after: BigInt => i64,
        at: BigInt => i64,
    ],
    ")"
);
over_rows!(
    InsertAdjustments from AdjustmentRow,
    "INSERT INTO ledger_adjustments (id, tenant_id, source_key, amount_micros, into_debt, \
     operator, reason, created_at) SELECT * FROM unnest(",
    [
        id: Text => String,
        tenant_id: Text => String,
        source_key: Text => String,
        amount_micros: BigInt => i64,
        into_debt: Bool => bool,
        operator: Text => String,
        reason: Text => String,
        created_at: BigInt => i64,
    ],
    ")"
);
over_rows!(
    WriteBudgets from BudgetRow,
    "INSERT INTO ledger_budgets (spender, period, tenant_id, id, limit_micros, \
     spent_micros, held_micros, period_start, period_end) SELECT * FROM unnest(",
    [
        spender: Text => String,
        period: Text => String,
        tenant_id: Text => String,
        id: Text => String,
        limit_micros: BigInt => i64,
        spent_micros: BigInt => i64,
        held_micros: BigInt => i64,
        period_start: BigInt => i64,
        period_end: Nullable<BigInt> => Option<i64>,
    ],
    ") ON CONFLICT (spender, period) DO UPDATE SET tenant_id = excluded.tenant_id, id = \
     excluded.id, limit_micros = excluded.limit_micros, spent_micros = \
     excluded.spent_micros, held_micros = excluded.held_micros, period_start = \
     excluded.period_start, period_end = excluded.period_end"
);
macro_rules! insert_usage {
    ({} $($field:ident: $sql:ty => $rust:ty,)+) => {
        over_rows!(
            InsertUsage from UsageRow,
            concat!("INSERT INTO usage_inbox (", names!($($field),+), ") SELECT * FROM unnest("),
            [$($field: $sql => $rust),+],
            ") ON CONFLICT DO NOTHING"
        );
        // Of calls that nobody knows the end of: they count in no sum, for which the number 0 stands.
        over_rows!(
            InsertOpenUsage from UsageRow,
            concat!(
                "INSERT INTO usage_records (",
                names!($($field),+),
                ", number) SELECT n.*, 0 FROM unnest("
            ),
            [$($field: $sql => $rust),+],
            ") AS n ON CONFLICT DO NOTHING"
        );
    };
}
with_usage_columns!(insert_usage! {});
