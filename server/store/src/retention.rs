//! Deletes what was kept long enough, in batches of a bounded size that several processes may take at
//! once. Which moment that is, the room `sweep` decides.
//!
//! Sums of usage outlive their records. `kept_from`, the begin of a day, parts them: what came before
//! it can't be added up again, so sums of that time are never made anew nor compared. It moves on, a
//! day at a time, before the first record of the day goes; whoever makes the sums anew deletes what
//! is left before it first.

use diesel::sql_types::BigInt;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::{Db, DbError};
use shared::{on, write_tx};

use super::Store;
use super::rollups::USAGE;
use super::schema::{rollup_state, usage_records};

/// Another process may be deleting the same rows.
const SKIP: &str = "FOR UPDATE SKIP LOCKED";

fn lock(db: &Db) -> &'static str {
    match db {
        Db::Postgres(_) => SKIP,
        // There is one writer.
        Db::Sqlite { .. } => "",
    }
}

impl Store {
    /// Since when records of calls are kept.
    pub async fn usage_kept_from(&self) -> Result<Moment, DbError> {
        let ms: i64 = on!(self.db, |conn| rollup_state::table
            .find(USAGE)
            .select(rollup_state::kept_from)
            .first(conn)
            .await)?;
        Ok(Moment::from_unix_ms(ms))
    }

    /// Keeps records from that moment, the begin of a day; it never moves back.
    pub async fn keep_usage_from(&self, moment: Moment) -> Result<(), DbError> {
        let ms = moment.unix_ms();
        write_tx!(self.db, |conn| -> DbError {
            // The same lock that adding up and making anew wait for.
            diesel::update(rollup_state::table.find(USAGE))
                .filter(rollup_state::kept_from.lt(ms))
                .set(rollup_state::kept_from.eq(ms))
                .execute(conn)
                .await?;
            Ok(())
        })
    }

    /// When the oldest record came that is added up and so may go.
    pub async fn usage_oldest(&self) -> Result<Option<Moment>, DbError> {
        let through = self.rollup_state().await?.through;
        let ms: Option<i64> = on!(self.db, |conn| usage_records::table
            .filter(usage_records::number.le(through))
            .order(usage_records::created_at.asc())
            .select(usage_records::created_at)
            .first(conn)
            .await
            .optional())?;
        Ok(ms.map(Moment::from_unix_ms))
    }

    /// Deletes at most `limit` records that came before records are kept and are added up; answers
    /// how many.
    pub async fn forget_usage(&self, limit: i64) -> Result<usize, DbError> {
        let text = format!(
            "DELETE FROM usage_records WHERE id IN (SELECT u.id FROM usage_records u WHERE \
             u.created_at < (SELECT kept_from FROM rollup_state WHERE name = 'usage') AND \
             u.number <= (SELECT through FROM rollup_state WHERE name = 'usage') \
             ORDER BY u.created_at, u.id LIMIT $1 {})",
            lock(&self.db)
        );
        write_tx!(self.db, |conn| -> DbError {
            let deletion = diesel::sql_query(&text).bind::<BigInt, _>(limit);
            Ok(deletion.execute(conn).await?)
        })
    }

    /// Deletes at most `limit` entries of the audit log that are older than `before`; answers how
    /// many.
    pub async fn forget_audit(&self, before: Moment, limit: i64) -> Result<usize, DbError> {
        let text = format!(
            "DELETE FROM audit_entries WHERE id IN (SELECT a.id FROM audit_entries a WHERE \
             a.at < $1 ORDER BY a.at, a.id LIMIT $2 {})",
            lock(&self.db)
        );
        write_tx!(self.db, |conn| -> DbError {
            let deletion = diesel::sql_query(&text)
                .bind::<BigInt, _>(before.unix_ms())
                .bind::<BigInt, _>(limit);
            Ok(deletion.execute(conn).await?)
        })
    }
}
