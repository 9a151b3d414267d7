//! Statements that write keys: one, or several in one commit.

use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use shared::db::DbError;
use shared::id::ProviderKeyId;
use shared::write_tx;

use super::schema::{key_days, provider_keys, revisions};
use super::{KeyRow, Store, moved};

/// Writes all that may change of a key; a macro, because it is compiled for either connection.
macro_rules! write_key {
    ($conn:expr, $row:expr) => {{
        let row: &KeyRow = $row;
        let key = provider_keys::table
            .filter(provider_keys::id.eq(&row.id))
            .filter(provider_keys::provider.eq(&row.provider));
        diesel::update(key)
            .set((
                provider_keys::label.eq(&row.label),
                provider_keys::weight.eq(row.weight),
                provider_keys::disabled.eq(row.disabled),
                provider_keys::reason.eq(&row.reason),
                provider_keys::sealed.eq(&row.sealed),
                provider_keys::last4.eq(&row.last4),
                provider_keys::probe_at.eq(row.probe_at),
                provider_keys::priority.eq(row.priority),
                provider_keys::requests_per_minute.eq(row.requests_per_minute),
                provider_keys::tokens_per_minute.eq(row.tokens_per_minute),
                provider_keys::calls_at_once.eq(row.calls_at_once),
                provider_keys::requests_per_day.eq(row.requests_per_day),
                provider_keys::tokens_per_day.eq(row.tokens_per_day),
                provider_keys::models.eq(&row.models),
                provider_keys::base_url.eq(&row.base_url),
                provider_keys::headers.eq(&row.headers),
                provider_keys::tags.eq(&row.tags),
            ))
            .execute($conn)
            .await?
    }};
}

impl Store {
    /// Adds keys, all of them or none.
    pub(crate) async fn insert_keys(&self, rows: &[KeyRow]) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            for row in rows {
                diesel::insert_into(provider_keys::table)
                    .values(row)
                    .execute(conn)
                    .await?;
            }
            moved!(conn);
            Ok(())
        })
    }

    /// Writes the labels, weights, terms, states and secrets of keys; answers how many of them there are
    /// still.
    pub(crate) async fn update_keys(&self, rows: &[KeyRow]) -> Result<usize, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let mut changed = 0_usize;
            for row in rows {
                changed = changed.saturating_add(write_key!(conn, row));
            }
            moved!(conn);
            Ok(changed)
        })
    }

    /// Removes keys with what they used; answers how many of them there were still.
    pub(crate) async fn delete_keys(
        &self,
        provider: &str,
        ids: &[ProviderKeyId],
    ) -> Result<usize, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let mut gone = 0_usize;
            for id in ids {
                let key = provider_keys::table
                    .filter(provider_keys::id.eq(id.as_str()))
                    .filter(provider_keys::provider.eq(provider));
                gone = gone.saturating_add(diesel::delete(key).execute(conn).await?);
                diesel::delete(key_days::table.filter(key_days::key_id.eq(id.as_str())))
                    .execute(conn)
                    .await?;
            }
            moved!(conn);
            Ok(gone)
        })
    }
}
