//! Adding up on PostgreSQL: one transaction of set-based statements that locks nothing the ledger
//! needs. Decides nothing.

use diesel::query_builder::Query;
use diesel::sql_types::{Array, BigInt, Bool, Text};
use diesel::{
    ExpressionMethods, NullableExpressionMethods, OptionalExtension, QueryDsl, QueryResult,
    SelectableHelper,
};
use diesel_async::pooled_connection::bb8::Pool;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use server_rules::usage::sums::Place;
use shared::clock::Moment;
use shared::db::DbError;

use super::{CountedCallRow, Rolled, RollupRow, USAGE, added, merged, numbered};
use crate::schema::{rollup_state, rollups, usage_records};
use crate::statement::{over_rows, statement};

/// The last number that was given to a record, whatever became of it.
pub const LAST_NUMBER: &str =
    "SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS number FROM usage_numbers";

macro_rules! statements {
    ({} [$($key:ident: $key_sql:ty => $key_rust:ty,)+] $($field:ident: $sql:ty => $rust:ty,)+) => {
        over_rows!(
            WriteRollups from RollupRow,
            concat!(
                "INSERT INTO rollups (", names!($($key,)+ $($field),+), ") SELECT * FROM unnest("
            ),
            [$($key: $key_sql => $key_rust,)+ $($field: $sql => $rust),+],
            concat!(
                ") ON CONFLICT (", names!($($key),+), ") DO UPDATE SET ", excluded!($($field),+)
            )
        );

        /// Where sums stand.
        struct PlaceRow {
            $($key: $key_rust,)+
        }

        over_rows!(
            LoadRollups from PlaceRow,
            concat!("SELECT ", $("r.", stringify!($key), ", ",)+ names!($($field),+), " FROM unnest("),
            [$($key: $key_sql => $key_rust),+],
            concat!(
                ") AS w (", names!($($key),+), ") JOIN rollups r ON TRUE",
                $(" AND r.", stringify!($key), " = w.", stringify!($key)),+
            )
        );

        impl Query for LoadRollups {
            type SqlType = ($($key_sql,)+ $($sql,)+);
        }
    };
}
with_rollup_columns!(statements! {});

impl From<&Place> for PlaceRow {
    fn from(place: &Place) -> Self {
        Self {
            dimension: place.dimension.to_owned(),
            tenant_id: place.tenant.clone(),
            grain: place.grain.to_owned(),
            starts_at: place.starts_at,
            key_id: place.key.clone(),
            model: place.model.clone(),
            provider: place.provider.clone(),
            operation: place.operation.clone(),
            test: place.test,
        }
    }
}

/// Runs what follows in a transaction of its own.
macro_rules! in_transaction {
    ($pool:expr, |$conn:ident| $job:block) => {{
        let mut guard = $pool.get().await?;
        let conn: &mut AsyncPgConnection = &mut guard;
        conn.transaction::<_, DbError, _>(async |$conn: &mut AsyncPgConnection| $job)
            .await
    }};
}
pub(crate) use in_transaction;

/// Takes the lock of whoever adds up, and answers how far the sums are; `None` where another has it.
pub async fn lock(conn: &mut AsyncPgConnection) -> QueryResult<Option<i64>> {
    let state = rollup_state::table
        .find(USAGE)
        .select(rollup_state::through)
        .for_update()
        .skip_locked();
    state.first(conn).await.optional()
}

/// Runs what follows in a transaction under that lock; answers `busy` where another has it.
macro_rules! under_lock {
    ($pool:expr, $busy:expr, |$conn:ident, $through:ident| $job:block) => {
        $crate::rollups::postgres::in_transaction!($pool, |$conn| {
            let Some($through) = $crate::rollups::postgres::lock($conn).await? else {
                return Ok($busy);
            };
            $job
        })
    };
}
pub(crate) use under_lock;

/// Adds records to the sums.
pub async fn add(
    conn: &mut AsyncPgConnection,
    rows: impl Iterator<Item = CountedCallRow>,
) -> Result<(), DbError> {
    let sums = added(rows);
    if sums.is_empty() {
        return Ok(());
    }
    let places: Vec<PlaceRow> = sums.keys().map(PlaceRow::from).collect();
    let stored: Vec<RollupRow> = LoadRollups::from(places).load(conn).await?;
    let rows = merged(sums, &stored)?;
    WriteRollups::from(rows).execute(conn).await?;
    Ok(())
}

/// Notes how far the sums are now.
pub async fn move_on(conn: &mut AsyncPgConnection, through: i64, now: Moment) -> QueryResult<()> {
    let state = diesel::update(rollup_state::table.find(USAGE)).set((
        rollup_state::through.eq(through),
        rollup_state::updated_at.eq(now.unix_ms()),
    ));
    state.execute(conn).await.map(drop)
}

pub(super) async fn roll(
    pool: &Pool<AsyncPgConnection>,
    upto: i64,
    limit: i64,
    now: Moment,
) -> Result<Rolled, DbError> {
    under_lock!(pool, Rolled::Busy, |conn, through| {
        let rows: Vec<(CountedCallRow, i64)> = numbered!(through, upto, limit).load(conn).await?;
        let records = rows.len();
        // Fewer than asked for: there are none up to the horizon any more.
        let full = i64::try_from(records).is_ok_and(|records| records >= limit);
        let last = rows.last().map(|(_, number)| *number).filter(|_| full);
        let through = last.unwrap_or(upto.max(through));
        add(conn, rows.into_iter().map(|(row, _)| row)).await?;
        move_on(conn, through, now).await?;
        Ok(Rolled::Added { records, through })
    })
}

pub(super) async fn number(pool: &Pool<AsyncPgConnection>, limit: i64) -> Result<usize, DbError> {
    in_transaction!(pool, |conn| {
        // A transaction id before the first number, as the horizon takes for granted.
        conn.batch_execute("SELECT pg_current_xact_id()").await?;
        let numbered = diesel::sql_query(
            "UPDATE usage_records SET number = nextval('usage_numbers') WHERE id IN \
             (SELECT id FROM usage_records WHERE number IS NULL ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)",
        );
        Ok(numbered.bind::<BigInt, _>(limit).execute(conn).await?)
    })
}

pub(super) async fn reset(pool: &Pool<AsyncPgConnection>) -> Result<(), DbError> {
    in_transaction!(pool, |conn| {
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
}
