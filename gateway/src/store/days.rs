//! Statements of what keys used of their days. Knows no limit.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use shared::db::DbError;
use shared::{on, write_tx};

use super::Store;
use super::schema::key_days;
use crate::pool::days::DayCount;

/// Adds to a key's day; a macro, because it is compiled for either connection.
macro_rules! add_to_day {
    ($conn:expr, $id:expr, $count:expr) => {{
        let key = || key_days::table.filter(key_days::key_id.eq($id));
        // Locks the row: two gateways may write at once.
        diesel::update(key())
            .set(key_days::day.eq(key_days::day))
            .execute($conn)
            .await?;
        let found: Option<i64> = key().select(key_days::day).first($conn).await.optional()?;
        let values = (
            key_days::day.eq($count.day),
            key_days::requests.eq($count.requests),
            key_days::tokens.eq($count.tokens),
        );
        match found {
            None => {
                diesel::insert_into(key_days::table)
                    .values((key_days::key_id.eq($id), values))
                    .execute($conn)
                    .await?;
            }
            Some(day) if day < $count.day => {
                diesel::update(key()).set(values).execute($conn).await?;
            }
            Some(day) if day == $count.day => {
                diesel::update(key())
                    .set((
                        key_days::requests.eq(key_days::requests + $count.requests),
                        key_days::tokens.eq(key_days::tokens + $count.tokens),
                    ))
                    .execute($conn)
                    .await?;
            }
            // Another gateway's clock is a day ahead: what is left of this one is not worth a row.
            Some(_) => {}
        }
    }};
}

impl Store {
    /// Adds what was used of their days, all of it or nothing.
    pub(crate) async fn add_to_days(&self, counts: &[(&str, DayCount)]) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            for (id, count) in counts {
                add_to_day!(conn, *id, count);
            }
            Ok(())
        })
    }

    /// What every key used of `day`, by its id; keys that are not there used nothing.
    pub(crate) async fn days(&self, day: i64) -> Result<Vec<(String, DayCount)>, DbError> {
        let rows: Vec<(String, i64, i64)> = on!(self.db, |conn| {
            key_days::table
                .filter(key_days::day.eq(day))
                .select((key_days::key_id, key_days::requests, key_days::tokens))
                .load(conn)
                .await
        })?;
        let count = |(id, requests, tokens): (String, i64, i64)| {
            let count = DayCount {
                day,
                requests,
                tokens,
            };
            (id, count)
        };
        Ok(rows.into_iter().map(count).collect())
    }

    /// Forgets days before `day`, which limit nothing any more.
    pub(crate) async fn forget_days(&self, day: i64) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            diesel::delete(key_days::table.filter(key_days::day.lt(day)))
                .execute(conn)
                .await?;
            Ok(())
        })
    }
}
