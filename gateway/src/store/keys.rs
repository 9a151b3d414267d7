//! Statements that write keys: one, or several in one commit.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use shared::db::DbError;
use shared::id::ProviderKeyId;
use shared::write_tx;

use super::schema::{key_days, provider_keys, revisions};
use super::{KeyRow, Store, lock_provider, moved};

/// A key that is to be changed: as it was read, and as it is to be.
#[derive(Debug)]
pub(crate) struct KeyChange {
    pub(crate) before: KeyRow,
    pub(crate) after: KeyRow,
}

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
            .await?;
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

    /// Writes the labels, weights, terms, states and secrets of keys of a provider that was read with an
    /// address: all of them, or none and `false` where the provider or one of them is not as it was read.
    /// Whole rows are written, and an old one would bring a secret back that is gone.
    pub(crate) async fn update_keys(
        &self,
        (provider, base_url): (&str, &str),
        changes: &[KeyChange],
    ) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            // Who moves the provider waits from here on, or is waited for.
            let at = lock_provider!(conn, provider);
            if at.as_deref() != Some(base_url) {
                return Ok(false);
            }
            for change in changes {
                let key = || {
                    provider_keys::table
                        .filter(provider_keys::id.eq(&change.before.id))
                        .filter(provider_keys::provider.eq(provider))
                };
                // Locks the row: what happens to a key is written without its provider.
                diesel::update(key())
                    .set(provider_keys::weight.eq(provider_keys::weight))
                    .execute(conn)
                    .await?;
                let found = key().first::<KeyRow>(conn).await.optional()?;
                if found.as_ref() != Some(&change.before) {
                    return Ok(false);
                }
            }
            for change in changes {
                write_key!(conn, &change.after);
            }
            moved!(conn);
            Ok(true)
        })
    }

    /// Removes keys with what they used; answers how many of them there were still.
    pub(crate) async fn delete_keys(
        &self,
        provider: &str,
        ids: &[ProviderKeyId],
    ) -> Result<usize, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let _ = lock_provider!(conn, provider);
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

#[cfg(test)]
mod tests;
