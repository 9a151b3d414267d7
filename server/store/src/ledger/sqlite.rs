//! The ledger's batch on SQLite: one blocking job on the writer connection, statement by statement
//! (they cost microseconds in process), in one immediate transaction. Decides nothing.
//!
//! Statements that run for every operation are types of their own with a fixed text, so that the
//! connection finds them prepared without building and hashing their text each time.

mod statements;

use diesel::prelude::*;
use diesel::query_dsl::methods::ExecuteDsl;
use diesel::sql_types::{BigInt, Text};
use server_rules::ledger::rules::Books;
use shared::clock::Moment;
use shared::db::{DbError, SqlitePool};
use shared::id::TenantId;

use self::statements::{
    CloseHold, ExtendHold, InsertAllocation, InsertEntry, InsertHold, InsertOpenUsage, InsertUsage,
    LoadAccount, ResolveHold, UpdateAccount, UpdateGrant, WriteBudget,
};
use super::rows::{
    AccountRow, AdjustmentRow, AllocationRow, BudgetRow, GrantRow, HoldRow, Loaded, Missing, Writes,
};
use super::writer::books::{merge, missing, missing_grants, unknown_budgets};
use super::writer::{Attempt, Life, Trouble, decided};
use super::{LoadSet, empty_account};
use crate::schema::{
    ledger_accounts, ledger_adjustments, ledger_allocations, ledger_budgets, ledger_grants,
    ledger_holds,
};
use crate::statement::row_statement;

/// SQLite takes at most 32,766 values in one statement; lists are asked for in parts.
const LIST_MAX: usize = 500;

/// Runs a job on the writer connection.
pub(super) async fn blocking<T: Send + 'static>(
    writer: &SqlitePool,
    job: impl FnOnce(&mut SqliteConnection) -> T + Send + 'static,
) -> Result<T, DbError> {
    let mut conn = writer.get().await?;
    let done = conn.spawn_blocking(move |conn: &mut SqliteConnection| Ok(job(conn)));
    Ok(done.await?)
}

/// Writes the sign of life.
pub(super) async fn beat(writer: &SqlitePool, life: &Life, now: Moment) -> Result<(), DbError> {
    let life = life.clone();
    Ok(blocking(writer, move |conn| mark(conn, &life, now)).await??)
}

fn mark(conn: &mut SqliteConnection, life: &Life, now: Moment) -> QueryResult<()> {
    let row = WriterRow {
        boot: life.boot.to_string(),
        batch: life.batch,
        seen_at: now.unix_ms(),
    };
    MarkWriter(&row).execute(conn).map(drop)
}

/// The sign of life.
pub(super) struct WriterRow {
    boot: String,
    batch: i64,
    seen_at: i64,
}

/// One attempt at a batch.
pub(super) fn commit<B, A>(
    conn: &mut SqliteConnection,
    books: &mut Books,
    attempt: &Attempt<'_, B, A>,
) -> Result<Vec<A>, Trouble> {
    conn.immediate_transaction(|conn| {
        for tenant in &attempt.to_load.tenants {
            if !books.accounts.contains_key(tenant) {
                diesel::insert_into(ledger_accounts::table)
                    .values(&empty_account(tenant))
                    .on_conflict_do_nothing()
                    .execute(conn)?;
            }
        }
        mark(conn, attempt.life, attempt.now)?;
        // What memory knows is decided on as it is: the file's write lock is held, and the version that
        // an account is written over, or is asked for below, says whether another process came between.
        let is_trusted = |tenant: &&TenantId| {
            let account = books.accounts.get(*tenant);
            !attempt.careful && account.is_some_and(|account| account.version > 0)
        };
        let (trusted, asked): (Vec<&TenantId>, Vec<&TenantId>) =
            attempt.to_load.tenants.iter().partition(is_trusted);
        let locked = accounts(conn, &asked)?;
        let missing = missing(books, locked, asked, attempt);
        read(conn, books, attempt.to_load, &missing)?;
        let (writes, answers) = decided(books, attempt)?;
        write(conn, &writes)?;
        confirm(conn, books, &trusted)?;
        Ok(answers)
    })
}

/// Of accounts that were not read and are not written, memory must be of their last version.
fn confirm(
    conn: &mut SqliteConnection,
    books: &Books,
    trusted: &[&TenantId],
) -> Result<(), Trouble> {
    let written = &books.changes.accounts;
    for tenant in trusted.iter().filter(|tenant| !written.contains(**tenant)) {
        let stored = accounts(conn, &[tenant])?;
        let known = books.accounts.get(*tenant).map(|account| account.version);
        if stored.first().map(|row| row.version) != known {
            return Err(Trouble::Stale);
        }
    }
    Ok(())
}

fn accounts(conn: &mut SqliteConnection, tenants: &[&TenantId]) -> QueryResult<Vec<AccountRow>> {
    let mut rows = Vec::with_capacity(tenants.len());
    for tenant in tenants {
        let row = LoadAccount {
            tenant: tenant.to_string(),
        };
        rows.extend(row.get_result::<AccountRow>(conn).optional()?);
    }
    Ok(rows)
}

/// Reads what is not known; nothing, for accounts that only this process writes.
fn read(
    conn: &mut SqliteConnection,
    books: &mut Books,
    to_load: &LoadSet,
    missing: &Missing,
) -> Result<(), Trouble> {
    let mut loaded = Loaded::default();
    for ids in missing.holds.chunks(LIST_MAX) {
        let holds = ledger_holds::table.filter(ledger_holds::id.eq_any(ids));
        loaded.holds.extend(holds.load::<HoldRow>(conn)?);
        let parts = ledger_allocations::table
            .filter(ledger_allocations::hold_id.eq_any(ids))
            .order((ledger_allocations::hold_id, ledger_allocations::position));
        loaded
            .allocations
            .extend(parts.load::<AllocationRow>(conn)?);
    }
    let spenders = unknown_budgets(books, to_load, &loaded);
    for (_, spender) in &spenders {
        let budgets = ledger_budgets::table.filter(ledger_budgets::spender.eq(spender.text()));
        loaded.budgets.extend(budgets.load::<BudgetRow>(conn)?);
    }
    for tenants in missing.tenants.chunks(LIST_MAX) {
        let open = ledger_grants::table
            .filter(ledger_grants::tenant_id.eq_any(tenants))
            .filter(ledger_grants::remaining_micros.gt(0));
        loaded.grants.extend(open.load::<GrantRow>(conn)?);
    }
    let ids = missing_grants(books, missing, &loaded);
    for ids in ids.chunks(LIST_MAX) {
        let spent = ledger_grants::table.filter(ledger_grants::id.eq_any(ids));
        loaded.grants.extend(spent.load::<GrantRow>(conn)?);
    }
    for (tenant, source) in &missing.sources {
        let known = ledger_grants::table
            .filter(ledger_grants::tenant_id.eq(tenant))
            .filter(ledger_grants::source_key.eq(source));
        loaded
            .grants_by_source
            .extend(known.load::<GrantRow>(conn)?);
    }
    for (tenant, source) in &missing.adjustments {
        let known = ledger_adjustments::table
            .filter(ledger_adjustments::tenant_id.eq(tenant))
            .filter(ledger_adjustments::source_key.eq(source));
        loaded
            .adjustments
            .extend(known.load::<AdjustmentRow>(conn)?);
    }
    Ok(merge(books, loaded, &spenders)?)
}

/// A statement that must change exactly one row.
fn one(changed: QueryResult<usize>) -> Result<(), Trouble> {
    if changed? == 1 {
        Ok(())
    } else {
        Err(Trouble::Stale)
    }
}

/// Runs the statement of each row.
fn each<'a, R, S>(
    conn: &mut SqliteConnection,
    rows: &'a [R],
    statement: impl Fn(&'a R) -> S,
) -> Result<(), Trouble>
where
    S: RunQueryDsl<SqliteConnection> + ExecuteDsl<SqliteConnection>,
{
    for row in rows {
        one(statement(row).execute(conn))?;
    }
    Ok(())
}

fn write(conn: &mut SqliteConnection, writes: &Writes) -> Result<(), Trouble> {
    write_accounts(conn, writes)?;
    each(conn, &writes.holds_new, InsertHold)?;
    each(conn, &writes.holds_extended, ExtendHold)?;
    each(conn, &writes.holds_closed, CloseHold)?;
    each(conn, &writes.allocations, InsertAllocation)?;
    each(conn, &writes.entries, InsertEntry)?;
    each(conn, &writes.holds_resolved, ResolveHold)?;
    for row in &writes.usage {
        // The record of a settlement that was repeated is there already.
        InsertUsage(row).execute(conn)?;
    }
    for row in &writes.usage_open {
        InsertOpenUsage(row).execute(conn)?;
    }
    Ok(())
}

fn write_accounts(conn: &mut SqliteConnection, writes: &Writes) -> Result<(), Trouble> {
    each(conn, &writes.accounts, UpdateAccount)?;
    for row in &writes.grants_new {
        let insert = diesel::insert_into(ledger_grants::table).values(row);
        one(insert.execute(conn))?;
    }
    each(conn, &writes.grants_changed, UpdateGrant)?;
    for row in &writes.adjustments {
        let insert = diesel::insert_into(ledger_adjustments::table).values(row);
        one(insert.execute(conn))?;
    }
    for row in &writes.budgets {
        WriteBudget(row).execute(conn)?;
    }
    for (spender, period) in &writes.budgets_gone {
        let gone = ledger_budgets::table
            .filter(ledger_budgets::spender.eq(spender))
            .filter(ledger_budgets::period.eq(period));
        diesel::delete(gone).execute(conn)?;
    }
    Ok(())
}

row_statement!(
    MarkWriter of WriterRow,
    "INSERT OR REPLACE INTO ledger_writers (boot, batch, seen_at) VALUES (",
    [boot: Text, batch: BigInt, seen_at: BigInt];
    ")"
);
