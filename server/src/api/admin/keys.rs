//! Keys of tenants; a secret is answered once, when it is made.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use shared::id::ApiKeyId;

use super::{LimitsBody, tenant_of};
use crate::accounts::{Accounts, NewKey};
use crate::api::answer::{Created, Deleted};
use crate::api::date::{self, Date, DateError};
use crate::api::error::ApiError;
use crate::api::manage::{Page, page_after, page_limit, page_rows};
use crate::api::principal::SuperadminCaller;
use crate::auth::api_key::{LIVE_PREFIX, TEST_PREFIX};
use crate::auth::roles::kind;
use crate::limits::LimitSettings;
use crate::store::accounts::{ApiKey, ApiKeyKind};

/// A key to be made.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct NewKeyBody {
    /// For people.
    pub name: String,
    /// `live` or `test`.
    #[oai(default = "live_word")]
    pub kind: String,
    /// When it ends: a day (2026-12-31, to its end in UTC) or a moment (RFC 3339).
    pub expires_at: Option<String>,
    /// The models it may use; all when absent.
    pub allowed_models: Option<Vec<String>>,
    /// Addresses or networks it may come from; any when absent.
    pub allowed_addresses: Option<Vec<String>>,
    /// Its own limits.
    pub limits: Option<LimitsBody>,
}

fn live_word() -> String {
    ApiKeyKind::Live.word().to_owned()
}

/// A key without its secret.
#[derive(Debug, Clone, Object)]
pub struct KeyView {
    /// Its id.
    pub id: String,
    /// For people.
    pub name: String,
    /// `live` or `test`.
    pub kind: String,
    /// `active` or `revoked`.
    pub status: String,
    /// How the secret begins.
    pub prefix: String,
    /// How it ends.
    pub last4: String,
    /// The models it may use; all when absent.
    pub allowed_models: Option<Vec<String>>,
    /// Where it may come from; anywhere when absent.
    pub allowed_addresses: Option<Vec<String>>,
    /// Its own limits.
    pub limits: LimitsBody,
    /// When it ends, in RFC 3339.
    pub expires_at: Option<String>,
    /// When it was made, in RFC 3339.
    pub created_at: String,
}

impl From<ApiKey> for KeyView {
    fn from(key: ApiKey) -> Self {
        let prefix = match key.kind {
            ApiKeyKind::Live => LIVE_PREFIX,
            ApiKeyKind::Test => TEST_PREFIX,
        };
        Self {
            id: key.id.into_string(),
            name: key.name,
            kind: key.kind.word().to_owned(),
            status: if key.revoked { "revoked" } else { "active" }.to_owned(),
            prefix: prefix.to_owned(),
            last4: key.last4,
            allowed_models: key.allowed_models,
            allowed_addresses: key.allowed_addresses,
            limits: key.limits.into(),
            expires_at: key.expires_at.map(date::text),
            created_at: date::text(key.created_at),
        }
    }
}

/// A new key with its secret.
#[derive(Object)]
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct NewKeyView {
    /// The key.
    pub key: KeyView,
    /// Its secret, shown this once.
    pub secret: String,
}

/// Keys for the superadmin.
#[derive(Debug, Clone)]
pub struct KeysApi {
    /// The room.
    pub accounts: Accounts,
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::api::Tag::Tenants")]
impl KeysApi {
    /// Make a key
    ///
    /// Answers its secret, which is shown this once.
    #[oai(
        path = "/tenants/:id/keys",
        method = "post",
        operation_id = "admin_create_key"
    )]
    async fn create(
        &self,
        caller: SuperadminCaller<kind::EditKeys>,
        id: Path<String>,
        body: Json<NewKeyBody>,
    ) -> Result<Created<NewKeyView>, ApiError> {
        let body = body.0;
        let wrong = || ApiError::bad_field("kind", "`kind` must be live or test.");
        let odd = |error: DateError| ApiError::bad_field("expires_at", error.to_string());
        let ends = |text: &str| text.parse().map(Date::end).map_err(odd);
        let new = NewKey {
            kind: ApiKeyKind::from_word(&body.kind).ok_or_else(wrong)?,
            expires_at: body.expires_at.as_deref().map(ends).transpose()?,
            name: body.name,
            allowed_models: body.allowed_models,
            allowed_addresses: body.allowed_addresses,
            limits: body.limits.map_or_else(LimitSettings::default, Into::into),
        };
        let (key, secret) = self
            .accounts
            .create_key(&caller.actor(), &tenant_of(&id.0)?, new)
            .await?;
        Ok(Created::Made(Json(NewKeyView {
            key: key.into(),
            secret: secret.expose().clone(),
        })))
    }

    /// List keys
    #[oai(
        path = "/tenants/:id/keys",
        method = "get",
        operation_id = "admin_list_keys"
    )]
    async fn list(
        &self,
        _caller: SuperadminCaller,
        id: Path<String>,
        /// Items of a page, 1 to 100
        limit: Query<Option<u32>>,
        /// `next` of the page before
        after: Query<Option<String>>,
    ) -> Result<Json<Page<KeyView>>, ApiError> {
        let (limit, after) = (page_limit(limit.0)?, page_after(after.0.as_deref())?);
        let keys = self
            .accounts
            .keys(&tenant_of(&id.0)?, after.as_ref(), page_rows(limit))
            .await?;
        Ok(Json(Page::cut(
            keys.into_iter().map(KeyView::from),
            limit,
            |view| view.id.clone(),
        )))
    }

    /// Revoke a key
    ///
    /// Takes effect on every replica within a second.
    #[oai(
        path = "/tenants/:id/keys/:key_id",
        method = "delete",
        operation_id = "admin_revoke_key"
    )]
    async fn revoke(
        &self,
        caller: SuperadminCaller<kind::EditKeys>,
        id: Path<String>,
        key_id: Path<String>,
    ) -> Result<Deleted, ApiError> {
        let key: ApiKeyId = key_id.0.parse().map_err(|_| ApiError::not_found("key"))?;
        self.accounts
            .revoke_key(&caller.actor(), &tenant_of(&id.0)?, &key)
            .await?;
        Ok(Deleted::Done)
    }
}
