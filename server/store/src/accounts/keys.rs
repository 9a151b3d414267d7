//! API keys: their rows, never their secrets.

use std::collections::HashMap;
use std::iter;

use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable,
};
use diesel_async::RunQueryDsl;
use serde_json::json;
use server_rules::limits::LimitSettings;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::{ApiKeyId, TenantId};
use shared::{on, write_tx};

use super::tenants::{limit_columns, limits_of};
use super::{Scopes, damaged, words};
use crate::Store;
use crate::audit::{Actor, Note, note};
use crate::changes::{TENANT, announce};
use crate::part::{Part, newest_first};
use crate::schema::api_keys;

words! {
    /// What a key reaches.
    ApiKeyKind {
        /// Every provider, with real credits.
        Live = "live",
        /// The sandbox only, without credits.
        Test = "test",
    }
}

/// A key as it is kept: its hash stands for its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Whose.
    pub tenant: TenantId,
    /// For people.
    pub name: String,
    /// What it reaches.
    pub kind: ApiKeyKind,
    /// SHA-256 of the secret, in hex.
    pub hash: String,
    /// The secret's last four characters.
    pub last4: String,
    /// Whether it was revoked.
    pub revoked: bool,
    /// The models it may use; all when absent.
    pub allowed_models: Option<Vec<String>>,
    /// The addresses it may come from, single or as networks; any when absent.
    pub allowed_addresses: Option<Vec<String>>,
    /// Its own limits.
    pub limits: LimitSettings,
    /// When it ends.
    pub expires_at: Option<Moment>,
    /// When it was made.
    pub created_at: Moment,
    /// What it may do.
    pub scopes: Scopes,
    /// The secret before the last rotation; it may have ended.
    pub previous: Option<PreviousSecret>,
    /// The key that made it, whose limits and budgets it counts against too.
    pub parent: Option<ApiKeyId>,
}

/// A secret that another one took the place of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousSecret {
    /// SHA-256 of it, in hex.
    pub hash: String,
    /// Its last four characters.
    pub last4: String,
    /// When it ends.
    pub until: Moment,
}

/// What a change does to a field that may be absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Field<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is absent from now on.
    Clear,
    /// It is this from now on.
    Set(T),
}

impl<T> Field<T> {
    /// What is to be set, if anything.
    pub fn set(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }

    /// What the field is after the change.
    pub(super) fn over(self, now: Option<T>) -> Option<T> {
        match self {
            Self::Keep => now,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

impl<T> From<Option<T>> for Field<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Clear, Self::Set)
    }
}

/// A change of a key; what it reaches and its secret stay.
#[derive(Debug, Clone, Default)]
pub struct KeyPatch {
    /// A new name.
    pub name: Option<String>,
    /// New scopes.
    pub scopes: Option<Scopes>,
    /// Other models.
    pub allowed_models: Field<Vec<String>>,
    /// Other addresses.
    pub allowed_addresses: Field<Vec<String>>,
    /// Another limit of calls a minute.
    pub requests_per_minute: Field<u32>,
    /// Another limit of tokens a minute.
    pub tokens_per_minute: Field<u64>,
    /// Another limit of calls at the same time.
    pub concurrency: Field<u32>,
    /// Another end.
    pub expires_at: Field<Moment>,
}

/// Another secret for a key.
#[derive(Debug, Clone)]
pub struct KeyRotation {
    /// SHA-256 of it, in hex.
    pub hash: String,
    /// Its last four characters.
    pub last4: String,
    /// When the one it takes the place of ends.
    pub old_until: Moment,
}

/// Which key is changed, and how far whoever changes it reaches.
#[derive(Debug, Clone, Copy)]
pub struct KeyPlace<'a> {
    /// Whose.
    pub tenant: &'a TenantId,
    /// Which.
    pub id: &'a ApiKeyId,
    /// A key that may do more than this is out of reach.
    pub reach: Scopes,
    /// The key with which it is changed; one that has more is out of reach, and stays within it.
    pub within: Option<&'a ApiKey>,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyChange {
    /// The tenant has no such key.
    Missing,
    /// The key may do more than whoever wants to change it.
    OutOfReach,
    /// The key has more than the one with which it is changed, or would have: in this field.
    Beyond(&'static str),
    /// It was revoked; for a rotation, or it has expired.
    Ended,
    /// The key as it is now.
    Done(Box<ApiKey>),
}

#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = api_keys)]
pub(super) struct KeyRow {
    id: String,
    tenant_id: String,
    name: String,
    kind: String,
    hash: String,
    last4: String,
    status: String,
    allowed_models: Option<String>,
    allowed_addresses: Option<String>,
    requests_per_minute: Option<i64>,
    tokens_per_minute: Option<i64>,
    concurrency: Option<i64>,
    expires_at: Option<i64>,
    created_at: i64,
    revoked_at: Option<i64>,
    scopes: String,
    previous_hash: Option<String>,
    previous_last4: Option<String>,
    previous_until: Option<i64>,
    parent_id: Option<String>,
}

fn list(json: Option<&String>, id: &str) -> Result<Option<Vec<String>>, DbError> {
    json.map(|json| serde_json::from_str(json))
        .transpose()
        .map_err(|_| damaged("key", id))
}

impl TryFrom<KeyRow> for ApiKey {
    type Error = DbError;

    fn try_from(row: KeyRow) -> Result<Self, DbError> {
        let kind = ApiKeyKind::from_word(&row.kind).ok_or_else(|| damaged("key", &row.id))?;
        let scopes = Scopes::from_words(row.scopes.split_ascii_whitespace())
            .ok_or_else(|| damaged("key", &row.id))?;
        let previous = row.previous_hash.zip(row.previous_last4);
        let previous = previous.zip(row.previous_until);
        Ok(Self {
            allowed_models: list(row.allowed_models.as_ref(), &row.id)?,
            allowed_addresses: list(row.allowed_addresses.as_ref(), &row.id)?,
            id: ApiKeyId::from_stored(row.id),
            tenant: TenantId::from_stored(row.tenant_id),
            name: row.name,
            kind,
            hash: row.hash,
            last4: row.last4,
            revoked: row.status == "revoked",
            limits: limits_of(
                row.requests_per_minute,
                row.tokens_per_minute,
                row.concurrency,
            ),
            expires_at: row.expires_at.map(Moment::from_unix_ms),
            created_at: Moment::from_unix_ms(row.created_at),
            scopes,
            previous: previous.map(|((hash, last4), until)| PreviousSecret {
                hash,
                last4,
                until: Moment::from_unix_ms(until),
            }),
            parent: row.parent_id.map(ApiKeyId::from_stored),
        })
    }
}

impl ApiKey {
    /// The audit entry of its making.
    pub(super) fn created(&self) -> Note<'_> {
        Note {
            tenant: Some(self.tenant.as_str()),
            action: "key.create",
            subject: self.id.as_str(),
            before: None,
            after: Some(self.shown()),
        }
    }

    pub(super) fn row(&self) -> KeyRow {
        let (requests_per_minute, tokens_per_minute, concurrency) = limit_columns(&self.limits);
        let json = |list: &Option<Vec<String>>| list.as_ref().map(|list| json!(list).to_string());
        KeyRow {
            id: self.id.to_string(),
            tenant_id: self.tenant.to_string(),
            name: self.name.clone(),
            kind: self.kind.word().to_owned(),
            hash: self.hash.clone(),
            last4: self.last4.clone(),
            status: self.status_word().to_owned(),
            allowed_models: json(&self.allowed_models),
            allowed_addresses: json(&self.allowed_addresses),
            requests_per_minute,
            tokens_per_minute,
            concurrency,
            expires_at: self.expires_at.map(Moment::unix_ms),
            created_at: self.created_at.unix_ms(),
            revoked_at: None,
            scopes: self.scopes.words().join(" "),
            previous_hash: self.previous.as_ref().map(|old| old.hash.clone()),
            previous_last4: self.previous.as_ref().map(|old| old.last4.clone()),
            previous_until: self.previous.as_ref().map(|old| old.until.unix_ms()),
            parent_id: self.parent.as_ref().map(ToString::to_string),
        }
    }

    /// When the secret of that hash ends: with the key, or sooner if another took its place.
    pub fn ends_at(&self, hash: &str) -> Option<Moment> {
        let previous = self.previous.as_ref().filter(|old| old.hash == hash);
        let until = previous.map(|old| old.until);
        self.expires_at.into_iter().chain(until).min()
    }

    /// The key after a change.
    fn patched(&self, patch: KeyPatch) -> Self {
        let limits = self.limits;
        Self {
            name: patch.name.unwrap_or_else(|| self.name.clone()),
            scopes: patch.scopes.unwrap_or(self.scopes),
            allowed_models: patch.allowed_models.over(self.allowed_models.clone()),
            allowed_addresses: patch.allowed_addresses.over(self.allowed_addresses.clone()),
            limits: LimitSettings {
                requests_per_minute: patch.requests_per_minute.over(limits.requests_per_minute),
                tokens_per_minute: patch.tokens_per_minute.over(limits.tokens_per_minute),
                concurrency: patch.concurrency.over(limits.concurrency),
            },
            expires_at: patch.expires_at.over(self.expires_at),
            ..self.clone()
        }
    }

    fn as_revoked(&self) -> Self {
        Self {
            revoked: true,
            ..self.clone()
        }
    }

    fn status_word(&self) -> &'static str {
        if self.revoked { "revoked" } else { "active" }
    }

    fn shown(&self) -> String {
        let shown = json!({
            "name": self.name, "kind": self.kind.word(), "last4": self.last4, "allowed_models": self.allowed_models,
            "allowed_addresses": self.allowed_addresses, "limits": self.limits,
            "status": self.status_word(), "expires_at": self.expires_at.map(Moment::unix_ms),
            "scopes": self.scopes.words(),
        });
        shown.to_string()
    }
}

/// Adds a key with its audit entry inside the transaction of `conn`.
macro_rules! add_key {
    ($conn:expr, $actor:expr, $key:expr, $now:expr) => {{
        let key: &$crate::accounts::ApiKey = $key;
        diesel::insert_into($crate::schema::api_keys::table)
            .values(key.row())
            .execute($conn)
            .await?;
        $crate::audit::note!($conn, $actor, key.created(), $now);
    }};
}
pub(super) use add_key;

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
