//! How far records are numbered and added up, and starting all over.

use diesel::QueryDsl;
use diesel::prelude::QueryableByName;
use diesel::sql_types::{BigInt, Bool};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::{Db, DbError};
use shared::on;

use super::super::Store;
use super::super::schema::rollup_state;
use super::{Horizon, OneNumber, Rolled, RollupState, USAGE, postgres, sqlite};

#[derive(QueryableByName)]
struct OneAnswer {
    #[diesel(sql_type = Bool)]
    answer: bool,
}

/// `text` is a statement that answers `number`.
macro_rules! number_of {
    ($conn:expr, $text:expr) => {
        diesel::sql_query($text)
            .get_result::<OneNumber>($conn)
            .await
            .map(|row| row.number)
    };
}

impl Store {
    /// The last number that was given to a record; 0 when there are none.
    pub async fn usage_last_number(&self) -> Result<i64, DbError> {
        let text = match &self.db {
            Db::Postgres(_) => postgres::LAST_NUMBER,
            Db::Sqlite { .. } => "SELECT COALESCE(MAX(number), 0) AS number FROM usage_records",
        };
        on!(self.db, |conn| number_of!(conn, text))
    }

    /// Notes how far records have come; see the module.
    pub async fn usage_horizon(&self) -> Result<Horizon, DbError> {
        // In this order: the number first, the transaction id behind it.
        let number = self.usage_last_number().await?;
        let before = match &self.db {
            Db::Sqlite { .. } => None,
            Db::Postgres(_) => {
                let text = "SELECT CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT) AS number";
                Some(on!(self.db, |conn| number_of!(conn, text))?)
            }
        };
        Ok(Horizon { number, before })
    }

    /// Whether every number up to the horizon is in the table or never will be.
    pub async fn usage_horizon_passed(&self, horizon: Horizon) -> Result<bool, DbError> {
        let Some(before) = horizon.before else {
            return Ok(true);
        };
        let text = "SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT) \
             >= $1 AS answer";
        on!(self.db, |conn| {
            diesel::sql_query(text)
                .bind::<BigInt, _>(before)
                .get_result::<OneAnswer>(conn)
                .await
                .map(|row| row.answer)
        })
    }

    /// Adds up at most `limit` records behind the last one, none above `upto`, and moves on.
    pub async fn roll_usage(&self, upto: i64, limit: i64, now: Moment) -> Result<Rolled, DbError> {
        match &self.db {
            Db::Postgres(pool) => postgres::roll(pool, upto, limit, now).await,
            Db::Sqlite { writer, .. } => sqlite::roll(writer, upto, limit, now).await,
        }
    }

    /// Gives numbers to at most `limit` records that were written before there were numbers; answers
    /// how many it numbered.
    pub async fn number_usage(&self, limit: i64) -> Result<usize, DbError> {
        match &self.db {
            Db::Postgres(pool) => postgres::number(pool, limit).await,
            Db::Sqlite { writer, .. } => sqlite::number(writer, limit).await,
        }
    }

    /// How far the sums are.
    pub async fn rollup_state(&self) -> Result<RollupState, DbError> {
        on!(self.db, |conn| {
            rollup_state::table
                .find(USAGE)
                .select((rollup_state::through, rollup_state::updated_at))
                .first(conn)
                .await
        })
    }

    /// Forgets every sum, so that all records are added up anew.
    pub async fn reset_rollups(&self) -> Result<(), DbError> {
        match &self.db {
            Db::Postgres(pool) => postgres::reset(pool).await,
            Db::Sqlite { writer, .. } => sqlite::reset(writer).await,
        }
    }
}
