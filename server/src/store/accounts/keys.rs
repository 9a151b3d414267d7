//! API keys: their rows, never their secrets.

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable};
use diesel_async::RunQueryDsl;
use serde_json::json;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::{ApiKeyId, TenantId};
use shared::{on, write_tx};

use super::tenants::{limit_columns, limits_of};
use super::{damaged, words};
use crate::limits::LimitSettings;
use crate::store::Store;
use crate::store::audit::{Actor, Note, note};
use crate::store::changes::{TENANT, announce};
use crate::store::schema::api_keys;

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
        });
        shown.to_string()
    }
}

/// Adds a key with its audit entry inside the transaction of `conn`.
macro_rules! add_key {
    ($conn:expr, $actor:expr, $key:expr, $now:expr) => {{
        let key: &$crate::store::accounts::ApiKey = $key;
        diesel::insert_into($crate::store::schema::api_keys::table)
            .values(key.row())
            .execute($conn)
            .await?;
        $crate::store::audit::note!($conn, $actor, key.created(), $now);
    }};
}
pub(super) use add_key;

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
        after: Option<&ApiKeyId>,
        limit: i64,
    ) -> Result<Vec<ApiKey>, DbError> {
        let rows: Vec<KeyRow> = on!(self.db, |conn| {
            api_keys::table
                .filter(api_keys::tenant_id.eq(tenant.as_str()))
                .filter(api_keys::id.lt(after.map_or("~", ApiKeyId::as_str)))
                .order(api_keys::id.desc())
                .limit(limit)
                .load(conn)
                .await
        })?;
        rows.into_iter().map(ApiKey::try_from).collect()
    }

    /// Whether a key is the tenant's, revoked or not.
    pub async fn has_key(&self, tenant: &TenantId, id: &ApiKeyId) -> Result<bool, DbError> {
        let found: Option<String> = on!(self.db, |conn| {
            api_keys::table
                .filter(api_keys::tenant_id.eq(tenant.as_str()))
                .filter(api_keys::id.eq(id.as_str()))
                .select(api_keys::id)
                .first(conn)
                .await
                .optional()
        })?;
        Ok(found.is_some())
    }

    /// The key of that hash, revoked or not.
    pub async fn key_by_hash(&self, hash: &str) -> Result<Option<ApiKey>, DbError> {
        let row: Option<KeyRow> = on!(self.db, |conn| api_keys::table
            .filter(api_keys::hash.eq(hash))
            .first(conn)
            .await
            .optional())?;
        row.map(ApiKey::try_from).transpose()
    }

    /// Revokes a key; `false` when the tenant has none of that id that is not revoked.
    pub async fn revoke_key(
        &self,
        actor: &Actor,
        tenant: &TenantId,
        id: &ApiKeyId,
        now: Moment,
    ) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            announce!(conn, format!("{TENANT}{tenant}"), now);
            let key = api_keys::table
                .filter(api_keys::tenant_id.eq(tenant.as_str()))
                .filter(api_keys::id.eq(id.as_str()))
                .filter(api_keys::status.eq("active"));
            // The announcement's lock lets one revocation at a time look.
            let row: Option<KeyRow> = key.first(conn).await.optional()?;
            let Some(before) = row.map(ApiKey::try_from).transpose()? else {
                return Ok(false);
            };
            diesel::update(api_keys::table.find(id.as_str()))
                .set((
                    api_keys::status.eq("revoked"),
                    api_keys::revoked_at.eq(now.unix_ms()),
                ))
                .execute(conn)
                .await?;
            let after = ApiKey {
                revoked: true,
                ..before.clone()
            };
            let tenant = Some(tenant.as_str());
            let entry = Note {
                tenant,
                action: "key.revoke",
                subject: id.as_str(),
                before: Some(before.shown()),
                after: Some(after.shown()),
            };
            note!(conn, actor, entry, now);
            Ok(true)
        })
    }
}
