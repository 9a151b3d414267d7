//! Filing on SQLite: one blocking job on the writer connection, in one immediate transaction. The ledger
//! waits for that connection meanwhile, so a step is small. Decides nothing.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use server_rules::usage::counts::with_counts;
use shared::clock::Moment;
use shared::db::{DbError, SqlitePool};

use super::{Filing, MovedRow, counted_names, counted_names_of, delay, replacing, replacing_of};
use crate::rollups::sqlite::{add, blocking, last_number, move_on};

/// Two hundred records of one tenant take about 4 ms, of as many tenants about 15.
const RECORDS_MAX: i64 = 200;

const WAITING: &str = concat!(
    "SELECT ",
    counted_names!("i"),
    ", $1 + ROW_NUMBER() OVER (ORDER BY i.id) AS number, \
     CAST(unixepoch('subsec') * 1000 AS INTEGER) - i.put_at AS waited_ms \
     FROM usage_inbox i ORDER BY i.id LIMIT $2"
);
const MOVE: &str = concat!(
    "INSERT INTO usage_records (",
    usage_names!(),
    ", number) SELECT ",
    usage_names!(),
    ", $1 + ROW_NUMBER() OVER (ORDER BY id) FROM usage_inbox WHERE id <= $2 ORDER BY id",
    replacing!()
);
const CLEAR: &str = "DELETE FROM usage_inbox WHERE id <= $1";
const NEW: &str = "SELECT id FROM usage_records WHERE number > $1 AND number <= $2";

#[derive(QueryableByName)]
struct OneId {
    #[diesel(sql_type = Text)]
    id: String,
}

pub(super) async fn file(writer: &SqlitePool, limit: i64, now: Moment) -> Result<Filing, DbError> {
    let limit = limit.min(RECORDS_MAX);
    blocking(writer, move |conn| {
        let (through, last) = last_number(conn)?;
        let mut waiting: Vec<MovedRow> = diesel::sql_query(WAITING)
            .bind::<BigInt, _>(last)
            .bind::<BigInt, _>(limit)
            .load(conn)?;
        let Some((id, end)) = waiting.last().map(|row| (row.call.id.clone(), row.number)) else {
            return Ok(Filing::Nothing);
        };
        let moved = diesel::sql_query(MOVE)
            .bind::<BigInt, _>(last)
            .bind::<Text, _>(&id)
            .execute(conn)?;
        diesel::sql_query(CLEAR)
            .bind::<Text, _>(&id)
            .execute(conn)?;
        let (delay, taken) = (delay(&waiting), waiting.len());
        if moved != taken {
            let new: Vec<OneId> = diesel::sql_query(NEW)
                .bind::<BigInt, _>(last)
                .bind::<BigInt, _>(end)
                .load(conn)?;
            let new: HashSet<String> = new.into_iter().map(|row| row.id).collect();
            waiting.retain(|row| new.contains(&row.call.id));
        }
        let summed = through == last;
        if summed {
            add(conn, waiting.into_iter().map(|row| row.call))?;
            move_on(conn, end, now)?;
        }
        Ok(Filing::Filed {
            records: moved,
            more: i64::try_from(taken).is_ok_and(|n| n >= limit),
            delay,
            summed,
        })
    })
    .await
}
