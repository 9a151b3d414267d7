//! The ledger's batch on SQLite: one blocking job on the writer connection, statement by statement
//! (they cost microseconds in process), in one immediate transaction.

use diesel::prelude::*;
use diesel_async::pooled_connection::bb8::Pool;
use shared::clock::Moment;
use shared::db::{DbError, SqliteConn};
use shared::id::{GenerationId, TenantId};

use super::rows::{AccountRow, Loaded, Writes, writes};
use super::{Failed, Wanted, decided};
use crate::ledger::rules::Books;
use crate::store::schema::{
    ledger_accounts, ledger_allocations, ledger_entries, ledger_grants, ledger_holds, usage_records,
};
use crate::store::usage::UsageRecord;

/// SQLite takes at most 32,766 values in one statement; lists are asked for in parts.
const LIST_MAX: usize = 500;

pub(super) async fn commit<R: Send + 'static>(
    writer: &Pool<SqliteConn>,
    wanted: Wanted,
    now: Moment,
    decide: impl FnOnce(&mut Books) -> (Vec<UsageRecord>, Vec<R>) + Send + 'static,
) -> Result<Vec<R>, Failed<R>> {
    let mut conn = writer
        .get()
        .await
        .map_err(|e| (DbError::from(e), Vec::new()))?;
    let work = conn.spawn_blocking(move |conn: &mut SqliteConnection| {
        let mut replies = Vec::new();
        let outcome = conn.immediate_transaction(|conn| -> Result<(), DbError> {
            open_accounts(conn, &wanted)?;
            let mut books = load(conn, &wanted)?.into_books()?;
            let (usage, prepared) = decided(&mut books, decide)?;
            replies = prepared;
            Ok(write(conn, &writes(&mut books, usage, now))?)
        });
        Ok(match outcome {
            Ok(()) => Ok(replies),
            Err(failure) => Err((failure, replies)),
        })
    });
    work.await
        .unwrap_or_else(|e| Err((DbError::from(e), Vec::new())))
}

fn open_accounts(conn: &mut SqliteConnection, wanted: &Wanted) -> QueryResult<()> {
    for tenant in &wanted.accounts_to_open {
        let empty = super::empty_account(tenant);
        diesel::insert_into(ledger_accounts::table)
            .values(&empty)
            .on_conflict_do_nothing()
            .execute(conn)?;
    }
    Ok(())
}

fn load(conn: &mut SqliteConnection, wanted: &Wanted) -> QueryResult<Loaded> {
    let mut loaded = Loaded::default();
    for tenants in wanted.tenants.chunks(LIST_MAX) {
        let tenants: Vec<&str> = tenants.iter().map(TenantId::as_str).collect();
        loaded.accounts.extend(
            ledger_accounts::table
                .filter(ledger_accounts::tenant_id.eq_any(&tenants))
                .load::<AccountRow>(conn)?,
        );
        loaded.grants.extend(
            ledger_grants::table
                .filter(ledger_grants::tenant_id.eq_any(&tenants))
                .filter(ledger_grants::remaining_micros.gt(0))
                .load::<super::rows::GrantRow>(conn)?,
        );
    }
    for holds in wanted.holds.chunks(LIST_MAX) {
        let holds: Vec<&str> = holds.iter().map(GenerationId::as_str).collect();
        loaded.holds.extend(
            ledger_holds::table
                .filter(ledger_holds::id.eq_any(&holds))
                .load::<super::rows::HoldRow>(conn)?,
        );
        loaded.allocations.extend(
            ledger_allocations::table
                .filter(ledger_allocations::hold_id.eq_any(&holds))
                .order((ledger_allocations::hold_id, ledger_allocations::position))
                .load::<super::rows::AllocationRow>(conn)?,
        );
    }
    load_spent_grants(conn, &mut loaded)?;
    for (tenant, source) in &wanted.sources {
        loaded.grants_by_source.extend(
            ledger_grants::table
                .filter(ledger_grants::tenant_id.eq(tenant.as_str()))
                .filter(ledger_grants::source_key.eq(source))
                .load::<super::rows::GrantRow>(conn)?,
        );
    }
    Ok(loaded)
}

/// Grants with nothing left to which an open hold may give something back.
fn load_spent_grants(conn: &mut SqliteConnection, loaded: &mut Loaded) -> QueryResult<()> {
    let mut missing: Vec<String> = loaded
        .allocations
        .iter()
        .filter(|allocation| {
            !loaded
                .grants
                .iter()
                .any(|grant| grant.id == allocation.grant_id)
        })
        .map(|allocation| allocation.grant_id.clone())
        .collect();
    missing.sort_unstable();
    missing.dedup();
    for ids in missing.chunks(LIST_MAX) {
        loaded.grants.extend(
            ledger_grants::table
                .filter(ledger_grants::id.eq_any(ids))
                .load::<super::rows::GrantRow>(conn)?,
        );
    }
    Ok(())
}

fn write(conn: &mut SqliteConnection, writes: &Writes) -> QueryResult<()> {
    for row in &writes.accounts {
        diesel::update(
            ledger_accounts::table.filter(ledger_accounts::tenant_id.eq(&row.tenant_id)),
        )
        .set((
            ledger_accounts::entries.eq(row.entries),
            ledger_accounts::grants_micros.eq(row.grants_micros),
            ledger_accounts::held_micros.eq(row.held_micros),
            ledger_accounts::revenue_micros.eq(row.revenue_micros),
            ledger_accounts::breakage_micros.eq(row.breakage_micros),
            ledger_accounts::debt_micros.eq(row.debt_micros),
            ledger_accounts::issuance_micros.eq(row.issuance_micros),
        ))
        .execute(conn)?;
    }
    for row in &writes.grants_new {
        diesel::insert_into(ledger_grants::table)
            .values(row)
            .execute(conn)?;
    }
    for (id, remaining) in &writes.grants_changed {
        diesel::update(ledger_grants::table.filter(ledger_grants::id.eq(id)))
            .set(ledger_grants::remaining_micros.eq(remaining))
            .execute(conn)?;
    }
    for row in &writes.holds_new {
        diesel::insert_into(ledger_holds::table)
            .values(row)
            .execute(conn)?;
    }
    for row in &writes.holds_closed {
        diesel::update(ledger_holds::table.filter(ledger_holds::id.eq(&row.id)))
            .set((
                ledger_holds::state.eq(&row.state),
                ledger_holds::settled_micros.eq(row.settled_micros),
                ledger_holds::shortfall_micros.eq(row.shortfall_micros),
                ledger_holds::closed_at.eq(row.closed_at),
            ))
            .execute(conn)?;
    }
    for row in &writes.allocations {
        diesel::insert_into(ledger_allocations::table)
            .values(row)
            .execute(conn)?;
    }
    for row in &writes.entries {
        diesel::insert_into(ledger_entries::table)
            .values(row)
            .execute(conn)?;
    }
    for row in &writes.usage {
        diesel::insert_into(usage_records::table)
            .values(row)
            .on_conflict_do_nothing()
            .execute(conn)?;
    }
    Ok(())
}
