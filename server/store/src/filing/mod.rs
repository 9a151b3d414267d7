//! Files usage records behind the settlement: moves them from `usage_inbox`, which has a primary key and
//! nothing else, to `usage_records`, where lists, sums and exports look. When it is done decides
//! `reports::rollup` of `rooms`.
//!
//! # Exactly once, in order
//!
//! A settlement writes its record into the inbox, in its own transaction. A step takes the first ones in
//! the order of their ids, gives them the next numbers, writes them, adds them to the sums, and deletes
//! them from the inbox, all in one transaction under the lock of the sums' row: two processes never file
//! the same records, a crash undoes all of it, and a reader finds a record in one of the two tables and
//! never in neither. A record that is filed already (a settlement that was repeated) only leaves the
//! inbox; one that nobody knew the end of (number 0) gives way to the one that does.
//!
//! Records are added to the sums here only where the sums are level with the numbers, which they are
//! unless they are being made anew, or records came another way (a server of an earlier version writes
//! into `usage_records` itself). Then they wait for `Store::roll_usage`, which goes by numbers.

mod postgres;
mod sqlite;

use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::{Db, DbError};
use shared::on;

use super::Store;
use super::rollups::{CountedCallRow, OneNumber};

/// What a step of filing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filing {
    /// Another process is at it.
    Busy,
    /// Nothing waited.
    Nothing,
    /// Records were filed.
    Filed {
        /// How many.
        records: usize,
        /// Whether more may wait.
        more: bool,
        /// How long the one that waited longest had waited, by the database's clock.
        delay: Duration,
        /// Whether they are in the sums as well.
        summed: bool,
    },
}

/// A record that was moved.
#[derive(Debug, QueryableByName)]
struct MovedRow {
    #[diesel(embed)]
    call: CountedCallRow,
    /// On SQLite what it will be if it was not there yet.
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = BigInt)]
    waited_ms: i64,
}

/// The columns that sums are made of, of a record `$of`.
macro_rules! counted_names {
    ($of:literal) => {
        with_counts!(counted_names_of! { $of })
    };
}

macro_rules! counted_names_of {
    ({ $of:literal } $($(#[$doc:meta])* $count:ident: $unit:ident,)+) => {
        concat!(
            $of, ".id, ", $of, ".tenant_id, ", $of, ".key_id, ", $of, ".test, ", $of, ".operation, ",
            $of, ".model, ", $of, ".provider, ", $of, ".credits_micros, ", $of, ".cost_micros, ",
            $of, ".status, ", $of, ".fault, ", $of, ".attempts, ", $of, ".first_byte_ms, ", $of, ".duration_ms, ",
            $of, ".created_at", $(", ", $of, ".", stringify!($count)),+
        )
    };
}
use {counted_names, counted_names_of};

macro_rules! replacing_of {
    ({} $($field:ident: $sql:ty => $rust:ty,)+) => {
        concat!(
            " ON CONFLICT (id) DO UPDATE SET ",
            excluded!(number, $($field),+),
            " WHERE usage_records.number = 0"
        )
    };
}

/// What becomes of a record that is there already: it stays, unless nobody knew the call's end.
macro_rules! replacing {
    () => {
        with_usage_columns!(replacing_of! {})
    };
}
use {replacing, replacing_of};

fn delay(rows: &[MovedRow]) -> Duration {
    let longest = rows.iter().map(|row| row.waited_ms).max();
    // A clock that was set back.
    let longest = longest.and_then(|ms| u64::try_from(ms).ok());
    Duration::from_millis(longest.unwrap_or_default())
}

impl Store {
    /// How many records wait to be filed, counted up to `most`.
    pub async fn usage_waiting(&self, most: i64) -> Result<i64, DbError> {
        let text = "SELECT COUNT(*) AS number FROM (SELECT 1 FROM usage_inbox LIMIT $1) w";
        on!(self.db, |conn| {
            let counted = diesel::sql_query(text).bind::<BigInt, _>(most);
            counted.get_result::<OneNumber>(conn).await
        })
        .map(|row| row.number)
    }

    /// Whether any record waits to be filed.
    pub async fn usage_waits(&self) -> Result<bool, DbError> {
        Ok(self.usage_waiting(1).await? > 0)
    }

    /// Files at most `limit` records and adds them up where the sums are level.
    pub async fn file_usage(&self, limit: i64, now: Moment) -> Result<Filing, DbError> {
        if !self.usage_waits().await? {
            return Ok(Filing::Nothing);
        }
        match &self.db {
            Db::Postgres(pool) => postgres::file(pool, limit, now).await,
            Db::Sqlite { writer, .. } => sqlite::file(writer, limit, now).await,
        }
    }
}
