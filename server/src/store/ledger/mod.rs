//! The ledger's tables: loads the books a batch may touch under lock, writes what it changed, all in
//! one transaction. Imported by `ledger` alone. Decides nothing: the caller's function does.

mod postgres;
mod rows;
mod sqlite;

use std::panic::{AssertUnwindSafe, catch_unwind};

use diesel::sql_types::{BigInt, Text};
use diesel::{ExpressionMethods, QueryDsl, QueryableByName};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::credits::Credits;
use shared::db::{Db, DbError};
use shared::id::{GenerationId, TenantId};
use shared::on;

use self::rows::{EntryRow, HoldRow};
use super::Store;
use super::schema::{ledger_entries, ledger_holds};
use super::usage::UsageRecord;
use crate::ledger::rules::Books;
use crate::ledger::{Balance, Entry, Hold};

/// What a batch needs to see, each list without repetition and in one order everywhere, so that
/// processes lock accounts in the same order and never wait for one another in a ring.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) tenants: Vec<TenantId>,
    pub(crate) accounts_to_open: Vec<TenantId>,
    pub(crate) holds: Vec<GenerationId>,
    pub(crate) sources: Vec<(TenantId, String)>,
}

impl Wanted {
    /// Sorts and drops repetitions.
    pub(crate) fn tidy(&mut self) {
        self.tenants.sort_unstable();
        self.tenants.dedup();
        self.accounts_to_open.sort_unstable();
        self.accounts_to_open.dedup();
        self.holds.sort_unstable();
        self.holds.dedup();
        self.sources.sort_unstable();
        self.sources.dedup();
    }
}

/// What is known at the end of a failed batch: the reason and the answers that were prepared.
pub(crate) type Failed<R> = (DbError, Vec<R>);

/// Runs the caller's rules; a broken invariant stops this batch, not the ledger.
fn decided<R>(
    books: &mut Books,
    decide: impl FnOnce(&mut Books) -> (Vec<UsageRecord>, Vec<R>),
) -> Result<(Vec<UsageRecord>, Vec<R>), DbError> {
    catch_unwind(AssertUnwindSafe(|| decide(books))).map_err(|_| {
        DbError::Damaged("an invariant of the ledger does not hold; nothing was written".to_owned())
    })
}

#[derive(QueryableByName)]
struct BalanceRow {
    #[diesel(sql_type = BigInt)]
    available: i64,
    #[diesel(sql_type = BigInt)]
    held: i64,
    #[diesel(sql_type = BigInt)]
    used: i64,
}

/// One statement, so that the three figures are of one moment.
const BALANCE: &str = "SELECT CAST(COALESCE((SELECT SUM(g.remaining_micros) FROM ledger_grants g \
     WHERE g.tenant_id = a.tenant_id AND g.remaining_micros > 0 \
     AND (g.expires_at IS NULL OR g.expires_at > $1)), 0) AS BIGINT) AS available, \
     a.held_micros AS held, a.revenue_micros AS used \
     FROM ledger_accounts a WHERE a.tenant_id = $2";

#[derive(QueryableByName)]
struct AgreementRow {
    #[diesel(sql_type = BigInt)]
    differences: i64,
}

/// The account against the fold of its entries, its grants and its open holds (invariants I1, I4, I12).
const AGREEMENT: &str = "SELECT CAST(\
     ABS(a.grants_micros - COALESCE((SELECT SUM(e.grants_delta) FROM ledger_entries e WHERE e.tenant_id = a.tenant_id), 0)) + \
     ABS(a.held_micros - COALESCE((SELECT SUM(e.held_delta) FROM ledger_entries e WHERE e.tenant_id = a.tenant_id), 0)) + \
     ABS(a.revenue_micros - COALESCE((SELECT SUM(e.revenue_delta) FROM ledger_entries e WHERE e.tenant_id = a.tenant_id), 0)) + \
     ABS(a.entries - (SELECT COUNT(*) FROM ledger_entries e WHERE e.tenant_id = a.tenant_id)) + \
     ABS(a.grants_micros - COALESCE((SELECT SUM(g.remaining_micros) FROM ledger_grants g WHERE g.tenant_id = a.tenant_id), 0)) + \
     ABS(a.held_micros - COALESCE((SELECT SUM(h.held_micros) FROM ledger_holds h WHERE h.tenant_id = a.tenant_id AND h.state = 'held'), 0)) + \
     ABS(a.held_micros - COALESCE((SELECT SUM(l.amount_micros) FROM ledger_allocations l JOIN ledger_holds h ON h.id = l.hold_id \
     WHERE h.tenant_id = a.tenant_id AND h.state = 'held'), 0)) + \
     ABS(a.revenue_micros - COALESCE((SELECT SUM(h.settled_micros) FROM ledger_holds h WHERE h.tenant_id = a.tenant_id), 0)) \
     AS BIGINT) AS differences FROM ledger_accounts a WHERE a.tenant_id = $1";

/// The account of a tenant that was never given anything.
pub(crate) fn empty_account(tenant: &TenantId) -> rows::AccountRow {
    rows::AccountRow {
        tenant_id: tenant.to_string(),
        entries: 0,
        grants_micros: 0,
        held_micros: 0,
        revenue_micros: 0,
        breakage_micros: 0,
        debt_micros: 0,
        issuance_micros: 0,
    }
}

impl Store {
    /// Loads what is `wanted` under lock, lets `decide` change it, writes and commits. The answers
    /// may be given out only after `Ok`.
    pub(crate) async fn ledger_commit<R: Send + 'static>(
        &self,
        wanted: Wanted,
        now: Moment,
        decide: impl FnOnce(&mut Books) -> (Vec<UsageRecord>, Vec<R>) + Send + 'static,
    ) -> Result<Vec<R>, Failed<R>> {
        match &self.db {
            Db::Postgres(pool) => postgres::commit(pool, wanted, now, decide).await,
            Db::Sqlite { writer, .. } => sqlite::commit(writer, wanted, now, decide).await,
        }
    }

    /// What a tenant has now; nothing when it has no account yet.
    pub(crate) async fn ledger_balance(
        &self,
        tenant: &TenantId,
        now: Moment,
    ) -> Result<Balance, DbError> {
        let rows: Vec<BalanceRow> = on!(self.db, |conn| {
            diesel::sql_query(BALANCE)
                .bind::<BigInt, _>(now.unix_ms())
                .bind::<Text, _>(tenant.as_str())
                .load(conn)
                .await
        })?;
        Ok(rows
            .into_iter()
            .next()
            .map_or_else(Balance::default, |row| Balance {
                available: Credits::from_micros(row.available),
                held: Credits::from_micros(row.held),
                used: Credits::from_micros(row.used),
            }))
    }

    /// A tenant's entries, newest first.
    pub(crate) async fn ledger_history(
        &self,
        tenant: &TenantId,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Entry>, DbError> {
        let rows: Vec<EntryRow> = on!(self.db, |conn| {
            ledger_entries::table
                .filter(ledger_entries::tenant_id.eq(tenant.as_str()))
                .filter(ledger_entries::number.lt(before.unwrap_or(i64::MAX)))
                .order(ledger_entries::number.desc())
                .limit(limit)
                .load(conn)
                .await
        })?;
        Ok(rows.into_iter().map(Entry::from).collect())
    }

    /// Whether the account row, the entries, the grants and the open holds of a tenant agree.
    pub(crate) async fn ledger_account_matches_entries(
        &self,
        tenant: &TenantId,
    ) -> Result<bool, DbError> {
        let rows: Vec<AgreementRow> = on!(self.db, |conn| {
            diesel::sql_query(AGREEMENT)
                .bind::<Text, _>(tenant.as_str())
                .load(conn)
                .await
        })?;
        Ok(rows.into_iter().all(|row| row.differences == 0))
    }

    /// Open holds whose deadline is past, oldest deadline first.
    pub(crate) async fn ledger_overdue_holds(
        &self,
        now: Moment,
        limit: i64,
    ) -> Result<Vec<Hold>, DbError> {
        let rows: Vec<HoldRow> = on!(self.db, |conn| {
            ledger_holds::table
                .filter(ledger_holds::state.eq("held"))
                .filter(ledger_holds::deadline_at.lt(now.unix_ms()))
                .order(ledger_holds::deadline_at.asc())
                .limit(limit)
                .load(conn)
                .await
        })?;
        rows.into_iter().map(Hold::try_from).collect()
    }
}

/// Adds an empty account; a macro, because its body is compiled for either connection.
macro_rules! open_account {
    ($conn:expr, $tenant:expr) => {
        diesel::insert_into($crate::store::schema::ledger_accounts::table)
            .values($crate::store::ledger::empty_account($tenant))
            .on_conflict_do_nothing()
            .execute($conn)
            .await
    };
}
pub(crate) use open_account;
