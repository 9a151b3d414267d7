//! API keys: their rows, never their secrets.

pub(crate) mod changes;
mod statements;

use diesel::{Insertable, Queryable};
use serde_json::json;
use server_rules::limits::LimitSettings;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::{ApiKeyId, TenantId};

use self::changes::{KeyPatch, PreviousSecret};
use super::tenants::{limit_columns, limits_of};
use super::{Scopes, damaged, words};
use crate::audit::Note;
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
