//! The statements over keys: each change is one transaction, with its entry and its announcement.

use std::collections::HashMap;
use std::iter;

use diesel::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use serde_json::json;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::{ApiKeyId, TenantId};
use shared::{on, write_tx};

use super::changes::{KeyChange, KeyPatch, KeyPlace, KeyRotation, PreviousSecret};
use super::{ApiKey, KeyRow, add_key};
use crate::Store;
use crate::audit::{Actor, Note, note};
use crate::changes::{TENANT, announce};
use crate::part::{Part, newest_first};
use crate::schema::api_keys;

/// A tenant's key, revoked or not.
macro_rules! key_of {
    ($tenant:expr, $id:expr) => {
        api_keys::table
            .filter(api_keys::tenant_id.eq($tenant.as_str()))
            .filter(api_keys::id.eq($id.as_str()))
    };
}

/// The key of a place inside the transaction of `conn`, or the function's answer why it can't be
/// changed. Its announcement's lock lets one change at a time look.
macro_rules! reached {
    ($conn:expr, $place:expr, $now:expr) => {{
        let KeyPlace {
            tenant,
            id,
            reach,
            within,
        } = $place;
        announce!($conn, format!("{TENANT}{tenant}"), $now);
        let row: Option<KeyRow> = key_of!(tenant, id).first($conn).await.optional()?;
        let Some(key) = row.map(ApiKey::try_from).transpose()? else {
            return Ok(KeyChange::Missing);
        };
        if key.revoked {
            return Ok(KeyChange::Ended);
        }
        if !key.scopes.is_within(reach) {
            return Ok(KeyChange::OutOfReach);
        }
        if let Some(field) = within.and_then(|outer| key.beyond(outer)) {
            return Ok(KeyChange::Beyond(field));
        }
        key
    }};
}

/// The audit entry of a change.
fn changed<'a>(action: &'a str, before: &'a ApiKey, after: &ApiKey) -> Note<'a> {
    Note {
        tenant: Some(before.tenant.as_str()),
        action,
        subject: before.id.as_str(),
        before: Some(before.shown()),
        after: Some(after.shown()),
    }
}

/// The keys among `made` that go back to `maker`.
fn descendants<'a>(maker: &ApiKeyId, made: &'a [ApiKey]) -> Vec<&'a ApiKey> {
    let mut by_maker: HashMap<&ApiKeyId, Vec<&ApiKey>> = HashMap::new();
    for key in made {
        by_maker
            .entry(key.parent.as_ref().unwrap_or(&key.id))
            .or_default()
            .push(key);
    }
    let mut found = by_maker.remove(maker).unwrap_or_default();
    let mut at = 0;
    while let Some(key) = found.get(at) {
        found.extend(by_maker.remove(&key.id).unwrap_or_default());
        at += 1;
    }
    found
}

impl Store {
    /// Adds a key.
    pub async fn insert_key(
        &self,
        actor: &Actor,
        key: &ApiKey,
        now: Moment,
    ) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            add_key!(conn, actor, key, now);
            Ok(())
        })
    }

    /// A tenant's keys, newest first, revoked ones included.
    pub async fn keys(
        &self,
        tenant: &TenantId,
        part: Part<'_, ApiKeyId>,
    ) -> Result<Vec<ApiKey>, DbError> {
        let rows: Vec<KeyRow> = on!(self.db, |conn| {
            let keys = api_keys::table.filter(api_keys::tenant_id.eq(tenant.as_str()));
            newest_first!(keys, api_keys::id, part).load(conn).await
        })?;
        rows.into_iter().map(ApiKey::try_from).collect()
    }

    /// Whether a key is the tenant's, revoked or not.
    pub async fn has_key(&self, tenant: &TenantId, id: &ApiKeyId) -> Result<bool, DbError> {
        let found: Option<String> = on!(self.db, |conn| {
            let key = key_of!(tenant, id).select(api_keys::id);
            key.first(conn).await.optional()
        })?;
        Ok(found.is_some())
    }

    /// One key of a tenant, revoked or not.
    pub async fn key(&self, tenant: &TenantId, id: &ApiKeyId) -> Result<Option<ApiKey>, DbError> {
        let row: Option<KeyRow> = on!(self.db, |conn| {
            key_of!(tenant, id).first(conn).await.optional()
        })?;
        row.map(ApiKey::try_from).transpose()
    }

    /// The key of that hash, revoked or not; also by the secret before the last rotation, while it
    /// works.
    pub async fn key_by_hash(&self, hash: &str, now: Moment) -> Result<Option<ApiKey>, DbError> {
        let row: Option<KeyRow> = on!(self.db, |conn| {
            let before = api_keys::previous_hash
                .eq(hash)
                .and(api_keys::previous_until.gt(now.unix_ms()));
            api_keys::table
                .filter(api_keys::hash.eq(hash).or(before))
                .first(conn)
                .await
                .optional()
        })?;
        row.map(ApiKey::try_from).transpose()
    }

    /// Changes a key that was not revoked.
    pub async fn update_key(
        &self,
        actor: &Actor,
        place: KeyPlace<'_>,
        patch: &KeyPatch,
        now: Moment,
    ) -> Result<KeyChange, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let before = reached!(conn, place, now);
            let after = before.patched(patch.clone());
            if let Some(field) = place.within.and_then(|outer| after.beyond(outer)) {
                return Ok(KeyChange::Beyond(field));
            }
            let row = after.row();
            diesel::update(api_keys::table.find(place.id.as_str()))
                .set((
                    api_keys::name.eq(row.name),
                    api_keys::scopes.eq(row.scopes),
                    api_keys::allowed_models.eq(row.allowed_models),
                    api_keys::allowed_addresses.eq(row.allowed_addresses),
                    api_keys::requests_per_minute.eq(row.requests_per_minute),
                    api_keys::tokens_per_minute.eq(row.tokens_per_minute),
                    api_keys::concurrency.eq(row.concurrency),
                    api_keys::expires_at.eq(row.expires_at),
                ))
                .execute(conn)
                .await?;
            note!(conn, actor, changed("key.update", &before, &after), now);
            Ok(KeyChange::Done(Box::new(after)))
        })
    }

    /// Gives a key another secret. The one it had works until its end, if that is still to come;
    /// one that was replaced before ends at once.
    pub async fn rotate_key(
        &self,
        actor: &Actor,
        place: KeyPlace<'_>,
        rotation: &KeyRotation,
        now: Moment,
    ) -> Result<KeyChange, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let before = reached!(conn, place, now);
            if before.expires_at.is_some_and(|at| at <= now) {
                return Ok(KeyChange::Ended);
            }
            let old = PreviousSecret {
                hash: before.hash.clone(),
                last4: before.last4.clone(),
                until: rotation.old_until,
            };
            let after = ApiKey {
                hash: rotation.hash.clone(),
                last4: rotation.last4.clone(),
                previous: Some(old).filter(|old| old.until > now),
                ..before.clone()
            };
            let row = after.row();
            diesel::update(api_keys::table.find(place.id.as_str()))
                .set((
                    api_keys::hash.eq(row.hash),
                    api_keys::last4.eq(row.last4),
                    api_keys::previous_hash.eq(row.previous_hash),
                    api_keys::previous_last4.eq(row.previous_last4),
                    api_keys::previous_until.eq(row.previous_until),
                ))
                .execute(conn)
                .await?;
            let mut entry = changed("key.rotate", &before, &after);
            entry.before = Some(json!({"last4": before.last4}).to_string());
            let until = after.previous.as_ref().map(|old| old.until.unix_ms());
            entry.after = Some(json!({"last4": after.last4, "old_until": until}).to_string());
            note!(conn, actor, entry, now);
            Ok(KeyChange::Done(Box::new(after)))
        })
    }

    /// Revokes a key with both its secrets, and what was made with it: whoever had it may have made
    /// some that nobody knows of.
    pub async fn revoke_key(
        &self,
        actor: &Actor,
        place: KeyPlace<'_>,
        now: Moment,
    ) -> Result<KeyChange, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let key = reached!(conn, place, now);
            let made: Vec<KeyRow> = api_keys::table
                .filter(api_keys::tenant_id.eq(place.tenant.as_str()))
                .filter(api_keys::parent_id.is_not_null())
                .load(conn)
                .await?;
            let made = made.into_iter().map(ApiKey::try_from);
            let made = made.collect::<Result<Vec<_>, _>>()?;
            let gone = descendants(&key.id, &made);
            for before in iter::once(&key).chain(gone.into_iter().filter(|key| !key.revoked)) {
                diesel::update(api_keys::table.find(before.id.as_str()))
                    .set((
                        api_keys::status.eq("revoked"),
                        api_keys::revoked_at.eq(now.unix_ms()),
                    ))
                    .execute(conn)
                    .await?;
                let after = before.as_revoked();
                note!(conn, actor, changed("key.revoke", before, &after), now);
            }
            Ok(KeyChange::Done(Box::new(key.as_revoked())))
        })
    }
}
