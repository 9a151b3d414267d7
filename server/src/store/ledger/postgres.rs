//! The ledger's batch on PostgreSQL: set-based statements in one short transaction. Accounts are
//! locked first and in one order, so several processes stay exact and never wait in a ring.
//!
//! Each statement is a type of its own with a fixed text and arrays as parameters, so that the
//! connection prepares it once (`sql_query` and batch inserts are prepared anew every time).

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};
use diesel::{OptionalExtension, QueryResult};
use diesel_async::pooled_connection::bb8::Pool;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use futures_util::future::{FutureExt, join_all};
use futures_util::join;
use shared::clock::Moment;
use shared::db::DbError;

use super::rows::{AccountRow, AllocationRow, EntryRow, GrantRow, HoldRow, Loaded, Writes, writes};
use super::{Failed, Wanted, decided};
use crate::ledger::rules::Books;
use crate::store::usage::{UsageRecord, UsageRow};

pub(super) async fn commit<R: Send + 'static>(
    pool: &Pool<AsyncPgConnection>,
    wanted: Wanted,
    now: Moment,
    decide: impl FnOnce(&mut Books) -> (Vec<UsageRecord>, Vec<R>) + Send + 'static,
) -> Result<Vec<R>, Failed<R>> {
    let mut conn = pool
        .get()
        .await
        .map_err(|e| (DbError::from(e), Vec::new()))?;
    let mut replies = Vec::new();
    let outcome = conn
        .transaction::<(), DbError, _>(async |conn| {
            if !wanted.accounts_to_open.is_empty() {
                OpenAccounts {
                    tenants: texts(&wanted.accounts_to_open),
                }
                .execute(conn)
                .await?;
            }
            let mut books = load(conn, &wanted).await?.into_books()?;
            let (usage, prepared) = decided(&mut books, decide)?;
            replies = prepared;
            write(conn, writes(&mut books, usage, now)).await
        })
        .await;
    match outcome {
        Ok(()) => Ok(replies),
        Err(failure) => Err((failure, replies)),
    }
}

fn texts(ids: &[impl AsText]) -> Vec<String> {
    ids.iter().map(AsText::text).collect()
}

trait AsText {
    fn text(&self) -> String;
}

impl AsText for shared::id::TenantId {
    fn text(&self) -> String {
        self.to_string()
    }
}

impl AsText for shared::id::GenerationId {
    fn text(&self) -> String {
        self.to_string()
    }
}

async fn load(conn: &mut AsyncPgConnection, wanted: &Wanted) -> QueryResult<Loaded> {
    let tenants = texts(&wanted.tenants);
    if tenants.is_empty() {
        return Ok(Loaded::default());
    }
    let holds = texts(&wanted.holds);
    // The lock comes first and alone: what is read after it is what it protects.
    let accounts = LockAccounts {
        tenants: tenants.clone(),
    }
    .load(conn)
    .await?;
    let (load_holds, load_allocations, load_grants) = (
        LoadHolds {
            holds: holds.clone(),
        },
        LoadAllocations {
            holds: holds.clone(),
        },
        LoadGrants { tenants, holds },
    );
    // One round trip for the three (diesel-async pipelines what is polled together).
    let shared: &AsyncPgConnection = conn;
    let (mut one, mut two, mut three) = (shared, shared, shared);
    let (holds, allocations, grants) = join!(
        load_holds.load(&mut one),
        load_allocations.load(&mut two),
        load_grants.load(&mut three)
    );
    let mut loaded = Loaded {
        accounts,
        holds: holds?,
        allocations: allocations?,
        grants: grants?,
        ..Loaded::default()
    };
    for (tenant, source) in &wanted.sources {
        let known = LoadGrantBySource {
            tenant: tenant.to_string(),
            source: source.clone(),
        };
        loaded
            .grants_by_source
            .extend(known.get_result::<GrantRow>(conn).await.optional()?);
    }
    Ok(loaded)
}

/// Runs a statement if there is anything for it to do; answers how many rows it changed.
async fn run<S>(
    conn: &AsyncPgConnection,
    rows: usize,
    statement: impl FnOnce() -> S,
) -> QueryResult<usize>
where
    S: QueryFragment<Pg> + QueryId + Send,
{
    if rows == 0 {
        return Ok(0);
    }
    let (mut conn, statement) = (conn, statement());
    diesel_async::AsyncConnectionCore::execute_returning_count(&mut conn, statement).await
}

/// All writes in one round trip; they touch different tables and need no order among them.
async fn write(conn: &mut AsyncPgConnection, writes: Writes) -> Result<(), DbError> {
    let conn: &AsyncPgConnection = conn;
    let expected = writes.accounts.len();
    let (ids, remaining): (Vec<_>, Vec<_>) = writes.grants_changed.into_iter().unzip();
    let changed = ids.len();
    let (accounts, outcomes) = join!(
        run(conn, expected, || UpdateAccounts::from(writes.accounts)),
        join_all([
            run(conn, writes.grants_new.len(), || InsertGrants::from(
                writes.grants_new
            ))
            .boxed(),
            run(conn, changed, || UpdateGrants { ids, remaining }).boxed(),
            run(conn, writes.holds_new.len(), || InsertHolds::from(
                writes.holds_new
            ))
            .boxed(),
            run(conn, writes.holds_closed.len(), || CloseHolds::from(
                writes.holds_closed
            ))
            .boxed(),
            run(conn, writes.allocations.len(), || InsertAllocations::from(
                writes.allocations
            ))
            .boxed(),
            run(conn, writes.entries.len(), || InsertEntries::from(
                writes.entries
            ))
            .boxed(),
            run(conn, writes.usage.len(), || InsertUsage::from(writes.usage)).boxed(),
        ])
    );
    for outcome in outcomes {
        outcome?;
    }
    if accounts? != expected {
        return Err(DbError::Damaged(
            "an account that changed is not there".to_owned(),
        ));
    }
    Ok(())
}

/// A statement with a fixed text: `before` the parameters, each cast by its bind, `after` them.
macro_rules! statement {
    ($name:ident, $before:literal, [$($field:ident: $sql:ty => $rust:ty),+ $(,)?], $after:literal) => {
        #[derive(Debug, QueryId)]
        struct $name { $($field: $rust,)+ }

        impl QueryFragment<Pg> for $name {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
                out.push_sql($before);
                let mut first = true;
                $(
                    if !std::mem::take(&mut first) {
                        out.push_sql(", ");
                    }
                    out.push_bind_param::<$sql, _>(&self.$field)?;
                )+
                out.push_sql($after);
                Ok(())
            }
        }

        impl<C> diesel::RunQueryDsl<C> for $name {}
    };
}

/// A statement over rows turned into one array a column.
macro_rules! over_rows {
    ($name:ident from $row:ident, $before:literal, [$($field:ident: $sql:ty => $rust:ty),+ $(,)?], $after:literal) => {
        statement!($name, $before, [$($field: Array<$sql> => Vec<$rust>),+], $after);

        impl From<Vec<$row>> for $name {
            fn from(rows: Vec<$row>) -> Self {
                let mut columns = Self { $($field: Vec::with_capacity(rows.len())),+ };
                for row in rows {
                    $(columns.$field.push(row.$field);)+
                }
                columns
            }
        }
    };
}

macro_rules! answers {
    ($($name:ident => $sql:ty;)+) => {
        $(impl Query for $name { type SqlType = $sql; })+
    };
}

type AccountSql = (Text, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt);
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
    Text,
    Text,
    BigInt,
    BigInt,
    Nullable<BigInt>,
);
type AllocationSql = (Text, BigInt, Text, BigInt);

answers! {
    LockAccounts => AccountSql;
    LoadHolds => HoldSql;
    LoadAllocations => AllocationSql;
    LoadGrants => GrantSql;
    LoadGrantBySource => GrantSql;
}

statement!(
    OpenAccounts,
    "INSERT INTO ledger_accounts (tenant_id, entries, grants_micros, held_micros, revenue_micros, \
     breakage_micros, debt_micros, issuance_micros) SELECT t.id, 0, 0, 0, 0, 0, 0, 0 FROM unnest(",
    [tenants: Array<Text> => Vec<String>],
    ") AS t (id) ORDER BY t.id ON CONFLICT DO NOTHING"
);
statement!(
    LockAccounts,
    "SELECT tenant_id, entries, grants_micros, held_micros, revenue_micros, breakage_micros, debt_micros, \
     issuance_micros FROM ledger_accounts WHERE tenant_id = ANY(",
    [tenants: Array<Text> => Vec<String>],
    ") ORDER BY tenant_id FOR UPDATE"
);
statement!(
    LoadHolds,
    "SELECT id, tenant_id, state, requested_micros, least_micros, held_micros, settled_micros, \
     shortfall_micros, owner, call, created_at, deadline_at, closed_at FROM ledger_holds WHERE id = ANY(",
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
    "WITH asked (tenants, holds) AS (SELECT ",
    [tenants: Array<Text> => Vec<String>, holds: Array<Text> => Vec<String>],
    ") SELECT g.id, g.tenant_id, g.kind, g.source_key, g.granted_micros, g.remaining_micros, g.expires_at, \
     g.note, g.created_at FROM ledger_grants g WHERE g.tenant_id = ANY((SELECT tenants FROM asked)::text[]) \
     AND g.remaining_micros > 0 \
     UNION ALL SELECT g.id, g.tenant_id, g.kind, g.source_key, g.granted_micros, g.remaining_micros, \
     g.expires_at, g.note, g.created_at FROM ledger_grants g WHERE g.remaining_micros = 0 AND g.id IN \
     (SELECT l.grant_id FROM ledger_allocations l WHERE l.hold_id = ANY((SELECT holds FROM asked)::text[]))"
);
statement!(
    LoadGrantBySource,
    "WITH asked (tenant, source) AS (SELECT ",
    [tenant: Text => String, source: Text => String],
    ") SELECT g.id, g.tenant_id, g.kind, g.source_key, g.granted_micros, g.remaining_micros, g.expires_at, \
     g.note, g.created_at FROM ledger_grants g, asked WHERE g.tenant_id = asked.tenant \
     AND g.source_key = asked.source"
);
over_rows!(
    UpdateAccounts from AccountRow,
    "UPDATE ledger_accounts a SET entries = n.entries, grants_micros = n.grants, held_micros = n.held, \
     revenue_micros = n.revenue, breakage_micros = n.breakage, debt_micros = n.debt, \
     issuance_micros = n.issuance FROM unnest(",
    [
        tenant_id: Text => String,
        entries: BigInt => i64,
        grants_micros: BigInt => i64,
        held_micros: BigInt => i64,
        revenue_micros: BigInt => i64,
        breakage_micros: BigInt => i64,
        debt_micros: BigInt => i64,
        issuance_micros: BigInt => i64,
    ],
    ") AS n (id, entries, grants, held, revenue, breakage, debt, issuance) WHERE a.tenant_id = n.id"
);
over_rows!(
    InsertGrants from GrantRow,
    "INSERT INTO ledger_grants (id, tenant_id, kind, source_key, granted_micros, remaining_micros, expires_at, \
     note, created_at) SELECT * FROM unnest(",
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
statement!(
    UpdateGrants,
    "UPDATE ledger_grants g SET remaining_micros = n.remaining FROM unnest(",
    [ids: Array<Text> => Vec<String>, remaining: Array<BigInt> => Vec<i64>],
    ") AS n (id, remaining) WHERE g.id = n.id"
);
over_rows!(
    InsertHolds from HoldRow,
    "INSERT INTO ledger_holds (id, tenant_id, state, requested_micros, least_micros, held_micros, \
     settled_micros, shortfall_micros, owner, call, created_at, deadline_at, closed_at) SELECT * FROM unnest(",
    [
        id: Text => String,
        tenant_id: Text => String,
        state: Text => String,
        requested_micros: BigInt => i64,
        least_micros: BigInt => i64,
        held_micros: BigInt => i64,
        settled_micros: BigInt => i64,
        shortfall_micros: BigInt => i64,
        owner: Text => String,
        call: Text => String,
        created_at: BigInt => i64,
        deadline_at: BigInt => i64,
        closed_at: Nullable<BigInt> => Option<i64>,
    ],
    ")"
);
over_rows!(
    CloseHolds from HoldRow,
    "UPDATE ledger_holds h SET state = n.state, settled_micros = n.settled, shortfall_micros = n.shortfall, \
     closed_at = n.closed_at FROM unnest(",
    [
        id: Text => String,
        state: Text => String,
        settled_micros: BigInt => i64,
        shortfall_micros: BigInt => i64,
        closed_at: Nullable<BigInt> => Option<i64>,
    ],
    ") AS n (id, state, settled, shortfall, closed_at) WHERE h.id = n.id"
);
over_rows!(
    InsertAllocations from AllocationRow,
    "INSERT INTO ledger_allocations (hold_id, position, grant_id, amount_micros) SELECT * FROM unnest(",
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
    "INSERT INTO ledger_entries (tenant_id, number, kind, reference, grants_delta, held_delta, revenue_delta, \
     breakage_delta, debt_delta, issuance_delta, grants_after, held_after, at) SELECT * FROM unnest(",
    [
        tenant_id: Text => String,
        number: BigInt => i64,
        kind: Text => String,
        reference: Text => String,
        grants_delta: BigInt => i64,
        held_delta: BigInt => i64,
        revenue_delta: BigInt => i64,
        breakage_delta: BigInt => i64,
        debt_delta: BigInt => i64,
        issuance_delta: BigInt => i64,
        grants_after: BigInt => i64,
        held_after: BigInt => i64,
        at: BigInt => i64,
    ],
    ")"
);
over_rows!(
    InsertUsage from UsageRow,
    "INSERT INTO usage_records (id, tenant_id, user_id, key_id, test, operation, model, price_id, provider, \
     provider_model, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, reasoning_tokens, \
     images, estimated, credits_micros, cost_micros, status, fault, attempts, first_byte_ms, duration_ms, \
     created_at) SELECT * FROM unnest(",
    [
        id: Text => String,
        tenant_id: Text => String,
        user_id: Nullable<Text> => Option<String>,
        key_id: Nullable<Text> => Option<String>,
        test: Bool => bool,
        operation: Text => String,
        model: Text => String,
        price_id: Nullable<Text> => Option<String>,
        provider: Text => String,
        provider_model: Text => String,
        input_tokens: BigInt => i64,
        cached_input_tokens: BigInt => i64,
        cache_write_tokens: BigInt => i64,
        output_tokens: BigInt => i64,
        reasoning_tokens: BigInt => i64,
        images: BigInt => i64,
        estimated: Bool => bool,
        credits_micros: BigInt => i64,
        cost_micros: BigInt => i64,
        status: Text => String,
        fault: Nullable<Text> => Option<String>,
        attempts: BigInt => i64,
        first_byte_ms: BigInt => i64,
        duration_ms: BigInt => i64,
        created_at: BigInt => i64,
    ],
    ") ON CONFLICT DO NOTHING"
);
