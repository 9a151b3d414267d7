//! Keys of tenants; a secret is answered once, when it is made.

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use server_rooms::accounts::{Accounts, KeyPlace, Scopes};
use server_rooms::auth::roles::kind;
use shared::id::{ApiKeyId, TenantId};

use super::tenant_of;
use crate::answer::{Created, Deleted};
use crate::error::ApiError;
use crate::keys::{KeyPatchBody, KeyView, NewKeyBody, NewKeyView, RotateBody, key_of};
use crate::manage::{Page, page_after, page_limit, page_rows};
use crate::principal::SuperadminCaller;

/// Keys for the superadmin.
#[derive(Debug, Clone)]
pub struct KeysApi {
    /// The room.
    pub accounts: Accounts,
}

/// Superadmins reach every key.
fn place<'a>(tenant: &'a TenantId, id: &'a ApiKeyId) -> KeyPlace<'a> {
    let reach = Scopes::ALL;
    KeyPlace {
        tenant,
        id,
        reach,
        within: None,
    }
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Tenants")]
impl KeysApi {
    /// Create a key
    ///
    /// Returns the secret; it cannot be retrieved later.
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
        let (tenant, new) = (tenant_of(&id.0)?, body.0.try_into()?);
        let actor = caller.actor();
        let made = self.accounts.create_key(&actor, &tenant, new);
        Ok(Created::Made(Json(made.await?.into())))
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
        let tenant = tenant_of(&id.0)?;
        let keys = self
            .accounts
            .keys(&tenant, after.as_ref(), page_rows(limit));
        Ok(Json(Page::cut(keys.await?, limit, |key| {
            key.id.to_string()
        })))
    }

    /// Change a key
    ///
    /// Takes effect on every replica within a second.
    #[oai(
        path = "/tenants/:id/keys/:key_id",
        method = "patch",
        operation_id = "admin_update_key"
    )]
    async fn update(
        &self,
        caller: SuperadminCaller<kind::EditKeys>,
        id: Path<String>,
        key_id: Path<String>,
        body: Json<KeyPatchBody>,
    ) -> Result<Json<KeyView>, ApiError> {
        let (tenant, key) = (tenant_of(&id.0)?, key_of(&key_id.0)?);
        let patch = body.0.try_into()?;
        let actor = caller.actor();
        let changed = self
            .accounts
            .update_key(&actor, place(&tenant, &key), patch);
        Ok(Json(changed.await?.into()))
    }

    /// Rotate a key
    ///
    /// Returns a new secret; it cannot be retrieved later. The current secret works until the grace period
    /// ends; one replaced before ends immediately.
    #[oai(
        path = "/tenants/:id/keys/:key_id/rotate",
        method = "post",
        operation_id = "admin_rotate_key"
    )]
    async fn rotate(
        &self,
        caller: SuperadminCaller<kind::EditKeys>,
        id: Path<String>,
        key_id: Path<String>,
        body: Json<RotateBody>,
    ) -> Result<Json<NewKeyView>, ApiError> {
        let (tenant, key) = (tenant_of(&id.0)?, key_of(&key_id.0)?);
        let actor = caller.actor();
        let place = place(&tenant, &key);
        let rotated = self.accounts.rotate_key(&actor, place, body.0.grace());
        Ok(Json(rotated.await?.into()))
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
        let (tenant, key) = (tenant_of(&id.0)?, key_of(&key_id.0)?);
        let actor = caller.actor();
        self.accounts
            .revoke_key(&actor, place(&tenant, &key))
            .await?;
        Ok(Deleted::Done)
    }
}
