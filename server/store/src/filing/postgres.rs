//! Filing on PostgreSQL: one statement moves the records, the server's memory never holds them. Decides
//! nothing.

use diesel::query_builder::Query;
use diesel::sql_types::{BigInt, Untyped};
use diesel_async::pooled_connection::bb8::Pool;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use server_rules::usage::counts::with_counts;
use shared::clock::Moment;
use shared::db::DbError;

use super::{Filing, MovedRow, counted_names, counted_names_of, delay, replacing, replacing_of};
use crate::rollups::OneNumber;
use crate::rollups::postgres::{LAST_NUMBER, add, move_on, under_lock};
use crate::statement::statement;

statement!(
    MoveUsage,
    "WITH taken AS (DELETE FROM usage_inbox WHERE id IN (SELECT id FROM usage_inbox ORDER BY id LIMIT ",
    [limit: BigInt => i64],
    concat!(
        ") RETURNING *), filed AS (INSERT INTO usage_records (",
        usage_names!(),
        ", number) SELECT ",
        usage_names!(),
        ", nextval('usage_numbers') FROM (SELECT * FROM taken ORDER BY id) t",
        replacing!(),
        " RETURNING *) SELECT ",
        counted_names!("f"),
        ", f.number, (SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) - MIN(put_at) \
         FROM taken) AS waited_ms FROM filed f ORDER BY f.number"
    )
);

impl Query for MoveUsage {
    type SqlType = Untyped;
}

pub(super) async fn file(
    pool: &Pool<AsyncPgConnection>,
    limit: i64,
    now: Moment,
) -> Result<Filing, DbError> {
    under_lock!(pool, Filing::Busy, |conn, through| {
        // Nobody else gives numbers under the lock, but for servers of earlier versions: these leave a
        // gap, here or in a later step.
        let last = diesel::sql_query(LAST_NUMBER).get_result::<OneNumber>(conn);
        let last = last.await?.number;
        let moved: Vec<MovedRow> = MoveUsage { limit }.load(conn).await?;
        let records = moved.len();
        let follows = (last..)
            .zip(&moved)
            .all(|(before, row)| row.number == before.saturating_add(1));
        let summed = through == last && follows;
        let (delay, more) = (
            delay(&moved),
            i64::try_from(records).is_ok_and(|n| n >= limit),
        );
        if let Some(end) = moved.last().map(|row| row.number).filter(|_| summed) {
            add(conn, moved.into_iter().map(|row| row.call)).await?;
            move_on(conn, end, now).await?;
        }
        Ok(Filing::Filed {
            records,
            more,
            delay,
            summed,
        })
    })
}
