//! Fills the ledger's tables with history, so that speed can be measured on large ones. What it
//! writes agrees with itself: the ledger's own check passes afterwards.

use diesel_async::SimpleAsyncConnection;
use server::store::Store;
use shared::db::Db;

use crate::failure::{Outcome, Step};
use crate::say;

/// History is spread over as many tenants at most; each has ten entries at least.
const TENANTS_MAX: i64 = 1_000;

/// Adds `entries` entries of calls that are long over: a grant a tenant, then settlements.
///
/// Records have their numbers, as those have that a server filed; their sums are left to be made.
pub(super) async fn fill(db: &Db, entries: i64) -> Outcome<()> {
    say(&format!("filling the tables with {entries} entries"));
    let tenants = (entries / 10).clamp(1, TENANTS_MAX);
    let each = (entries / tenants).max(2);
    let series = |from: i64, to: i64| match db {
        Db::Postgres(_) => format!("generate_series({from}, {to}) AS {{}}"),
        Db::Sqlite { .. } => format!(
            "(WITH RECURSIVE s(n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM s WHERE n < {to}) SELECT n AS {{}} FROM s)"
        ),
    };
    let (tenants, numbers) = (
        series(1, tenants).replace("{}", "t"),
        series(2, each).replace("{}", "n"),
    );
    let name = "'ten_fill' || CAST(t AS TEXT)";
    let hold = "'gen_fill' || CAST(t AS TEXT) || '_' || CAST(n AS TEXT)";
    let given = each * 10;
    let spent = (each - 1) * 10;
    let left = given - spent;
    let accounts = format!(
        "INSERT INTO ledger_accounts (tenant_id, version, entries, grants_micros, held_micros, revenue_micros, \
         breakage_micros, refund_micros, debt_micros, loss_micros, issuance_micros) \
         SELECT {name}, {each}, {each}, {left}, 0, {spent}, 0, 0, 0, 0, -{given} FROM {tenants}"
    );
    let grants = format!(
        "INSERT INTO ledger_grants (id, tenant_id, kind, source_key, granted_micros, remaining_micros, note, created_at) \
         SELECT 'grt_fill' || CAST(t AS TEXT), {name}, 'purchase', 'fill', {given}, {left}, '', 0 FROM {tenants}"
    );
    let first = format!(
        "INSERT INTO ledger_entries SELECT {name}, 1, 'grant', 'grt_fill', {given}, 0, 0, 0, 0, 0, 0, -{given}, {given}, 0, 0 FROM {tenants}"
    );
    let entries = format!(
        "INSERT INTO ledger_entries SELECT {name}, n, 'settle', {hold}, -10, 0, 10, 0, 0, 0, 0, 0, {given} - 10 * (n - 1), 0, 0 \
         FROM {tenants}, {numbers}",
        tenants = aliased(db, &tenants, "a"),
        numbers = aliased(db, &numbers, "b"),
    );
    let holds = format!(
        "INSERT INTO ledger_holds (id, tenant_id, state, requested_micros, least_micros, held_micros, settled_micros, \
         shortfall_micros, grant_micros, budgets, refusal, owner, call, created_at, deadline_at, closed_at) \
         SELECT {hold}, {name}, 'settled', 10, 10, 10, 10, 0, 0, '', '', 'boot_fill', '', 0, 0, 0 FROM {tenants}, {numbers}",
        tenants = aliased(db, &tenants, "a"),
        numbers = aliased(db, &numbers, "b"),
    );
    let last = Store::new(db.clone()).usage_last_number().await;
    let last = last.step(|| "the last number".into())?;
    // PostgreSQL numbers by a default.
    let (column, number) = match db {
        Db::Postgres(_) => ("", String::new()),
        Db::Sqlite { .. } => (
            ", number",
            format!(", {last} + (t - 1) * {} + n - 1", each - 1),
        ),
    };
    let usage = format!(
        "INSERT INTO usage_records (id, tenant_id, test, operation, model, provider, provider_model, input_tokens, \
         cached_input_tokens, cache_write_tokens, output_tokens, reasoning_tokens, images, media_ms, characters, estimated, credits_micros, \
         cost_micros, status, attempts, first_byte_ms, duration_ms, created_at{column}) \
         SELECT {hold}, {name}, FALSE, 'chat', 'm', 'p', 'm', 1, 0, 0, 1, 0, 0, 0, 0, FALSE, 10, 0, 'succeeded', 1, 1, 1, 0{number} \
         FROM {tenants}, {numbers}",
        tenants = aliased(db, &tenants, "a"),
        numbers = aliased(db, &numbers, "b"),
    );
    for statement in [accounts, grants, first, entries, holds, usage] {
        execute(db, &statement).await?;
    }
    if let Db::Postgres(_) = db {
        execute(db, "ANALYZE").await?;
    }
    Ok(())
}

/// SQLite needs a name for a part of FROM, PostgreSQL has one already.
fn aliased(db: &Db, part: &str, alias: &str) -> String {
    match db {
        Db::Postgres(_) => part.to_owned(),
        Db::Sqlite { .. } => format!("{part} AS {alias}"),
    }
}

/// Runs a statement of the bench's own.
pub(super) async fn execute(db: &Db, statement: &str) -> Outcome<()> {
    let step = || statement.chars().take(60).collect();
    match db {
        Db::Postgres(pool) => {
            let mut conn = pool.get().await.step(step)?;
            conn.batch_execute(statement).await.step(step)
        }
        Db::Sqlite { writer, .. } => {
            let mut conn = writer.get().await.step(step)?;
            conn.batch_execute(statement).await.step(step)
        }
    }
}
