//! Adding up on PostgreSQL: one transaction of set-based statements that locks nothing the ledger
//! needs. Decides nothing.

use diesel::sql_types::{Array, BigInt, Bool, Text};
use diesel::{
    ExpressionMethods, NullableExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper,
};
use diesel_async::pooled_connection::bb8::Pool;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use shared::clock::Moment;
use shared::db::DbError;

use super::{Rolled, RollupRow, USAGE, added, columns, merged};
use crate::store::schema::{rollup_state, rollups, usage_records};
use crate::store::usage::UsageRow;

const LOAD: &str = "SELECT r.* FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) AS w (dimension, tenant_id, \
     grain, starts_at, key_id, model, provider, operation, test) JOIN rollups r ON r.dimension = w.dimension \
     AND r.tenant_id = w.tenant_id AND r.grain = w.grain AND r.starts_at = w.starts_at AND r.key_id = w.key_id \
     AND r.model = w.model AND r.provider = w.provider AND r.operation = w.operation AND r.test = w.test";

const WRITE: &str = "INSERT INTO rollups (dimension, tenant_id, grain, starts_at, key_id, model, provider, \
     operation, test, calls, failed, canceled, credits_micros, cost_micros, input_tokens, cached_input_tokens, \
     cache_write_tokens, output_tokens, reasoning_tokens, images, media_ms, characters, attempts, duration_ms, \
     first_byte_ms, durations, first_bytes) SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, \
     $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27) \
     ON CONFLICT (dimension, tenant_id, grain, starts_at, key_id, model, provider, operation, test) DO UPDATE \
     SET calls = excluded.calls, failed = excluded.failed, canceled = excluded.canceled, \
     credits_micros = excluded.credits_micros, cost_micros = excluded.cost_micros, \
     input_tokens = excluded.input_tokens, cached_input_tokens = excluded.cached_input_tokens, \
     cache_write_tokens = excluded.cache_write_tokens, output_tokens = excluded.output_tokens, \
     reasoning_tokens = excluded.reasoning_tokens, images = excluded.images, media_ms = excluded.media_ms, \
     characters = excluded.characters, attempts = excluded.attempts, duration_ms = excluded.duration_ms, \
     first_byte_ms = excluded.first_byte_ms, durations = excluded.durations, first_bytes = excluded.first_bytes";

pub(super) async fn roll(
    pool: &Pool<AsyncPgConnection>,
    upto: i64,
    limit: i64,
    now: Moment,
) -> Result<Rolled, DbError> {
    let mut guard = pool.get().await?;
    let conn: &mut AsyncPgConnection = &mut guard;
    conn.transaction::<_, DbError, _>(async |conn: &mut AsyncPgConnection| {
        let through: Option<i64> = rollup_state::table
            .find(USAGE)
            .select(rollup_state::through)
            .for_update()
            .skip_locked()
            .first(conn)
            .await
            .optional()?;
        let Some(through) = through else {
            return Ok(Rolled::Busy);
        };
        let rows: Vec<(UsageRow, i64)> = usage_records::table
            .filter(usage_records::number.gt(through))
            .filter(usage_records::number.le(upto))
            .order(usage_records::number.asc())
            .limit(limit)
            .select((
                UsageRow::as_select(),
                usage_records::number.assume_not_null(),
            ))
            .load(conn)
            .await?;
        let records = rows.len();
        // Fewer than asked for: there are none up to the horizon any more.
        let full = i64::try_from(records).is_ok_and(|records| records >= limit);
        let last = rows.last().map(|(_, number)| *number).filter(|_| full);
        let through = last.unwrap_or(upto.max(through));
        let sums = added(rows.into_iter().map(|(row, _)| row));
        let w = columns(sums.keys());
        let stored: Vec<RollupRow> = diesel::sql_query(LOAD)
            .bind::<Array<Text>, _>(w.0)
            .bind::<Array<Text>, _>(w.1)
            .bind::<Array<Text>, _>(w.2)
            .bind::<Array<BigInt>, _>(w.3)
            .bind::<Array<Text>, _>(w.4)
            .bind::<Array<Text>, _>(w.5)
            .bind::<Array<Text>, _>(w.6)
            .bind::<Array<Text>, _>(w.7)
            .bind::<Array<Bool>, _>(w.8)
            .load(conn)
            .await?;
        write(conn, &merged(sums, &stored)?).await?;
        diesel::update(rollup_state::table.find(USAGE))
            .set((
                rollup_state::through.eq(through),
                rollup_state::updated_at.eq(now.unix_ms()),
            ))
            .execute(conn)
            .await?;
        Ok(Rolled::Added { records, through })
    })
    .await
}

async fn write(conn: &mut AsyncPgConnection, rows: &[RollupRow]) -> Result<(), DbError> {
    if rows.is_empty() {
        return Ok(());
    }
    let text = |column: fn(&RollupRow) -> &String| -> Vec<String> {
        rows.iter().map(|row| column(row).clone()).collect()
    };
    let number = |column: fn(&RollupRow) -> i64| -> Vec<i64> { rows.iter().map(column).collect() };
    let tests: Vec<bool> = rows.iter().map(|row| row.test).collect();
    diesel::sql_query(WRITE)
        .bind::<Array<Text>, _>(text(|row| &row.dimension))
        .bind::<Array<Text>, _>(text(|row| &row.tenant_id))
        .bind::<Array<Text>, _>(text(|row| &row.grain))
        .bind::<Array<BigInt>, _>(number(|row| row.starts_at))
        .bind::<Array<Text>, _>(text(|row| &row.key_id))
        .bind::<Array<Text>, _>(text(|row| &row.model))
        .bind::<Array<Text>, _>(text(|row| &row.provider))
        .bind::<Array<Text>, _>(text(|row| &row.operation))
        .bind::<Array<Bool>, _>(tests)
        .bind::<Array<BigInt>, _>(number(|row| row.calls))
        .bind::<Array<BigInt>, _>(number(|row| row.failed))
        .bind::<Array<BigInt>, _>(number(|row| row.canceled))
        .bind::<Array<BigInt>, _>(number(|row| row.credits_micros))
        .bind::<Array<BigInt>, _>(number(|row| row.cost_micros))
        .bind::<Array<BigInt>, _>(number(|row| row.input_tokens))
        .bind::<Array<BigInt>, _>(number(|row| row.cached_input_tokens))
        .bind::<Array<BigInt>, _>(number(|row| row.cache_write_tokens))
        .bind::<Array<BigInt>, _>(number(|row| row.output_tokens))
        .bind::<Array<BigInt>, _>(number(|row| row.reasoning_tokens))
        .bind::<Array<BigInt>, _>(number(|row| row.images))
        .bind::<Array<BigInt>, _>(number(|row| row.media_ms))
        .bind::<Array<BigInt>, _>(number(|row| row.characters))
        .bind::<Array<BigInt>, _>(number(|row| row.attempts))
        .bind::<Array<BigInt>, _>(number(|row| row.duration_ms))
        .bind::<Array<BigInt>, _>(number(|row| row.first_byte_ms))
        .bind::<Array<Text>, _>(text(|row| &row.durations))
        .bind::<Array<Text>, _>(text(|row| &row.first_bytes))
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn number(pool: &Pool<AsyncPgConnection>, limit: i64) -> Result<usize, DbError> {
    let mut guard = pool.get().await?;
    let conn: &mut AsyncPgConnection = &mut guard;
    conn.transaction::<_, DbError, _>(async |conn: &mut AsyncPgConnection| {
        // A transaction id before the first number, as the horizon takes for granted.
        conn.batch_execute("SELECT pg_current_xact_id()").await?;
        let numbered = diesel::sql_query(
            "UPDATE usage_records SET number = nextval('usage_numbers') WHERE id IN \
             (SELECT id FROM usage_records WHERE number IS NULL ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)",
        );
        Ok(numbered.bind::<BigInt, _>(limit).execute(conn).await?)
    })
    .await
}

pub(super) async fn reset(pool: &Pool<AsyncPgConnection>) -> Result<(), DbError> {
    let mut guard = pool.get().await?;
    let conn: &mut AsyncPgConnection = &mut guard;
    conn.transaction::<_, DbError, _>(async |conn: &mut AsyncPgConnection| {
        // The lock first: it waits for whoever adds up.
        let state = rollup_state::table.find(USAGE);
        let (through, kept_from): (i64, i64) = state
            .select((rollup_state::through, rollup_state::kept_from))
            .for_update()
            .first(conn)
            .await?;
        if kept_from > 0 {
            // These count in sums that stay; the rest would count there twice.
            let gone = usage_records::table
                .filter(usage_records::created_at.lt(kept_from))
                .filter(usage_records::number.le(through));
            diesel::delete(gone).execute(conn).await?;
            let anew = rollups::table.filter(rollups::starts_at.ge(kept_from));
            diesel::delete(anew).execute(conn).await?;
            conn.batch_execute("TRUNCATE rollup_tops").await?;
        } else {
            conn.batch_execute("TRUNCATE rollups, rollup_tops").await?;
        }
        diesel::update(state)
            .set(rollup_state::through.eq(0))
            .execute(conn)
            .await?;
        Ok(())
    })
    .await
}
