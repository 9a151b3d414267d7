//! Adding up on SQLite: one blocking job on the writer connection, in one immediate transaction. The
//! ledger waits for that connection meanwhile, so a step is small. Decides nothing.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use server_rules::usage::sums::Place;
use shared::clock::Moment;
use shared::db::{DbError, SqlitePool};

use super::{CountedCallRow, Rolled, RollupRow, USAGE, added, merged, numbered};
use crate::schema::{rollup_state, rollup_tops, rollups, usage_records};
use crate::statement::row_statement;

/// A hundred records of as many tenants change about five hundred rows, some ten milliseconds.
const RECORDS_MAX: i64 = 100;

macro_rules! of_one_place {
    ({} [$($key:ident: $key_sql:ty => $key_rust:ty,)+] $($field:ident: $sql:ty => $rust:ty,)+) => {
        row_statement!(
            WriteRollup of RollupRow,
            concat!(
                "INSERT OR REPLACE INTO rollups (", names!($($key,)+ $($field),+), ") VALUES ("
            ),
            [$($key: $key_sql,)+ $($field: $sql),+];
            ")"
        );

        // Without the cast SQLite would look at the value when it plans, because an index covers one of the
        // dimensions only, and therefore prepare the statement anew for every place.
        row_statement!(
            LoadRollup of Place,
            concat!(
                "SELECT ", names!($($key,)+ $($field),+), " FROM rollups WHERE dimension = CAST("
            ),
            [dimension: Text],
            " AS TEXT) AND tenant_id = ",
            [tenant: Text],
            " AND grain = ",
            [grain: Text],
            " AND starts_at = ",
            [starts_at: BigInt],
            " AND key_id = ",
            [key: Text],
            " AND model = ",
            [model: Text],
            " AND provider = ",
            [provider: Text],
            " AND operation = ",
            [operation: Text],
            " AND test = ",
            [test: Bool];
            ""
        );

        impl diesel::query_builder::Query for LoadRollup<'_> {
            type SqlType = ($($key_sql,)+ $($sql,)+);
        }
    };
}
with_rollup_columns!(of_one_place! {});

pub async fn blocking<T: Send + 'static>(
    writer: &SqlitePool,
    job: impl FnOnce(&mut SqliteConnection) -> Result<T, DbError> + Send + 'static,
) -> Result<T, DbError> {
    let mut conn = writer.get().await?;
    let done = conn.spawn_blocking(move |conn: &mut SqliteConnection| {
        Ok(conn.immediate_transaction(|conn| job(conn)))
    });
    done.await?
}

pub(super) async fn roll(
    writer: &SqlitePool,
    upto: i64,
    limit: i64,
    now: Moment,
) -> Result<Rolled, DbError> {
    let limit = limit.min(RECORDS_MAX);
    blocking(writer, move |conn| {
        let through: i64 = rollup_state::table
            .find(USAGE)
            .select(rollup_state::through)
            .first(conn)?;
        let rows: Vec<(CountedCallRow, i64)> = numbered!(through, upto, limit).load(conn)?;
        let records = rows.len();
        let through = rows.last().map_or(upto.max(through), |(_, number)| *number);
        add(conn, rows.into_iter().map(|(row, _)| row))?;
        move_on(conn, through, now)?;
        Ok(Rolled::Added { records, through })
    })
    .await
}

/// How far the sums are, and the last number that was given.
pub fn last_number(conn: &mut SqliteConnection) -> QueryResult<(i64, i64)> {
    let through: i64 = rollup_state::table
        .find(USAGE)
        .select(rollup_state::through)
        .first(conn)?;
    let last: Option<Option<i64>> = usage_records::table
        .filter(usage_records::number.is_not_null())
        .order(usage_records::number.desc())
        .select(usage_records::number)
        .first(conn)
        .optional()?;
    // Records that were kept long enough are gone, and their numbers with them.
    Ok((through, last.flatten().unwrap_or(0).max(through)))
}

/// Adds records to the sums.
pub fn add(
    conn: &mut SqliteConnection,
    rows: impl Iterator<Item = CountedCallRow>,
) -> Result<(), DbError> {
    let sums = added(rows);
    let mut stored: Vec<RollupRow> = Vec::with_capacity(sums.len());
    for place in sums.keys() {
        let row = LoadRollup(place).get_result::<RollupRow>(conn);
        stored.extend(row.optional()?);
    }
    for row in merged(sums, &stored)? {
        WriteRollup(&row).execute(conn)?;
    }
    Ok(())
}

/// Notes how far the sums are now.
pub fn move_on(conn: &mut SqliteConnection, through: i64, now: Moment) -> QueryResult<()> {
    let state = diesel::update(rollup_state::table.find(USAGE)).set((
        rollup_state::through.eq(through),
        rollup_state::updated_at.eq(now.unix_ms()),
    ));
    state.execute(conn).map(drop)
}

pub(super) async fn number(writer: &SqlitePool, limit: i64) -> Result<usize, DbError> {
    blocking(writer, move |conn| {
        let numbered = diesel::sql_query(
            "UPDATE usage_records SET number = f.number FROM (SELECT id AS id, \
             ROW_NUMBER() OVER (ORDER BY id) + MAX((SELECT COALESCE(MAX(number), 0) FROM usage_records), \
             (SELECT through FROM rollup_state WHERE name = 'usage')) AS number \
             FROM usage_records WHERE number IS NULL ORDER BY id LIMIT $1) f WHERE usage_records.id = f.id",
        );
        Ok(numbered.bind::<BigInt, _>(limit).execute(conn)?)
    })
    .await
}

pub(super) async fn reset(writer: &SqlitePool) -> Result<(), DbError> {
    blocking(writer, |conn| {
        let state = rollup_state::table.find(USAGE);
        let (through, kept_from): (i64, i64) = state
            .select((rollup_state::through, rollup_state::kept_from))
            .first(conn)?;
        // These count in sums that stay; the rest would count there twice.
        let gone = usage_records::table
            .filter(usage_records::created_at.lt(kept_from))
            .filter(usage_records::number.le(through));
        diesel::delete(gone).execute(conn)?;
        diesel::update(state)
            .set(rollup_state::through.eq(0))
            .execute(conn)?;
        let anew = rollups::table.filter(rollups::starts_at.ge(kept_from));
        diesel::delete(anew).execute(conn)?;
        diesel::delete(rollup_tops::table).execute(conn)?;
        Ok(())
    })
    .await
}
