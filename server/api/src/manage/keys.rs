//! A tenant's own keys, for its owners and admins and for keys that may manage keys. A key never
//! reaches one that manages keys, nor makes one, nor one that has anything more than itself.

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use server_rooms::accounts::{AccountError, Accounts, ApiKey, KeyPatch, KeyPlace, NewKey, Scopes};
use shared::id::ApiKeyId;

use super::{Page, page_after, page_limit, page_rows};
use crate::answer::{Created, Deleted};
use crate::error::ApiError;
use crate::keys::{KeyPatchBody, KeyView, NewKeyBody, NewKeyView, RotateBody, key_of};
use crate::principal::{TenantCaller, need};

/// Keys for tenants.
#[derive(Debug, Clone)]
pub struct OwnKeysApi {
    /// The room.
    pub accounts: Accounts,
}

type Caller = TenantCaller<need::Keys>;

/// What the keys that this caller makes and changes may do at most.
fn reach(caller: &Caller) -> Scopes {
    match caller.who.user {
        Some(_) => Scopes::ALL,
        None => Scopes::PLAIN,
    }
}

fn place<'a>(caller: &'a Caller, id: &'a ApiKeyId, own: Option<&'a ApiKey>) -> KeyPlace<'a> {
    KeyPlace {
        tenant: &caller.who.tenant,
        id,
        reach: reach(caller),
        within: own,
    }
}

/// Refuses to give away more than the caller may.
fn within(caller: &Caller, scopes: Scopes) -> Result<(), ApiError> {
    if scopes.is_within(reach(caller)) {
        Ok(())
    } else {
        Err(AccountError::OutOfReach.into())
    }
}

impl OwnKeysApi {
    /// The key that calls, as far as its secret lasts; people have none.
    async fn own(&self, caller: &Caller) -> Result<Option<ApiKey>, ApiError> {
        let Some(id) = &caller.who.key else {
            return Ok(None);
        };
        let key = self.accounts.key(&caller.who.tenant, id).await?;
        let allowed_models = caller.who.allowed_models.clone();
        Ok(Some(ApiKey {
            expires_at: caller.who.ends_at,
            // Within what the tenant has, too.
            allowed_models: allowed_models.or(key.allowed_models),
            ..key
        }))
    }
}

#[OpenApi(prefix_path = "/api/v1", tag = "crate::Tag::Keys")]
impl OwnKeysApi {
    /// Create a key
    ///
    /// Returns the secret; it cannot be retrieved later. A key creates keys within its own permissions:
    /// what is not specified is taken from the creating key, and calls count against its limits and budgets
    /// too.
    #[oai(path = "/keys", method = "post", operation_id = "create_key")]
    async fn create(
        &self,
        caller: TenantCaller<need::Keys>,
        body: Json<NewKeyBody>,
    ) -> Result<Created<NewKeyView>, ApiError> {
        let nothing_said = body.0.scopes.is_none();
        let mut new: NewKey = body.0.try_into()?;
        if nothing_said {
            new.scopes = new.scopes.and(caller.who.scopes);
        }
        within(&caller, new.scopes)?;
        let (actor, tenant) = (caller.actor(), &caller.who.tenant);
        let made = match self.own(&caller).await? {
            Some(own) => self.accounts.create_key_with(&actor, &own, new).await?,
            None => self.accounts.create_key(&actor, tenant, new).await?,
        };
        Ok(Created::Made(Json(made.into())))
    }

    /// List keys
    ///
    /// Newest first, revoked ones included.
    #[oai(path = "/keys", method = "get", operation_id = "list_keys")]
    async fn list(
        &self,
        caller: TenantCaller<need::Keys>,
        /// How many, 1 to 100
        limit: Query<Option<u32>>,
        /// `next` of the page before
        after: Query<Option<String>>,
    ) -> Result<Json<Page<KeyView>>, ApiError> {
        let (limit, after) = (page_limit(limit.0)?, page_after(after.0.as_deref())?);
        let tenant = &caller.who.tenant;
        let keys = self.accounts.keys(tenant, after.as_ref(), page_rows(limit));
        Ok(Json(Page::cut(keys.await?, limit, |key| {
            key.id.to_string()
        })))
    }

    /// Show a key
    #[oai(path = "/keys/:id", method = "get", operation_id = "get_key")]
    async fn get(
        &self,
        caller: TenantCaller<need::Keys>,
        id: Path<String>,
    ) -> Result<Json<KeyView>, ApiError> {
        let id = key_of(&id.0)?;
        let key = self.accounts.key(&caller.who.tenant, &id);
        Ok(Json(key.await?.into()))
    }

    /// Change a key
    ///
    /// Takes effect on every replica within a second.
    #[oai(path = "/keys/:id", method = "patch", operation_id = "update_key")]
    async fn update(
        &self,
        caller: TenantCaller<need::Keys>,
        id: Path<String>,
        body: Json<KeyPatchBody>,
    ) -> Result<Json<KeyView>, ApiError> {
        let (key, patch) = (key_of(&id.0)?, KeyPatch::try_from(body.0)?);
        if let Some(scopes) = patch.scopes {
            within(&caller, scopes)?;
        }
        let own = self.own(&caller).await?;
        let (actor, place) = (caller.actor(), place(&caller, &key, own.as_ref()));
        let changed = self.accounts.update_key(&actor, place, patch);
        Ok(Json(changed.await?.into()))
    }

    /// Rotate a key
    ///
    /// Returns a new secret; it cannot be retrieved later. The current secret works until the grace period
    /// ends; one replaced before ends immediately.
    #[oai(
        path = "/keys/:id/rotate",
        method = "post",
        operation_id = "rotate_key"
    )]
    async fn rotate(
        &self,
        caller: TenantCaller<need::Keys>,
        id: Path<String>,
        body: Json<RotateBody>,
    ) -> Result<Json<NewKeyView>, ApiError> {
        let key = key_of(&id.0)?;
        let own = self.own(&caller).await?;
        let (actor, place) = (caller.actor(), place(&caller, &key, own.as_ref()));
        let rotated = self.accounts.rotate_key(&actor, place, body.0.grace());
        Ok(Json(rotated.await?.into()))
    }

    /// Revoke a key
    ///
    /// Takes effect on every replica within a second.
    #[oai(path = "/keys/:id", method = "delete", operation_id = "revoke_key")]
    async fn revoke(
        &self,
        caller: TenantCaller<need::Keys>,
        id: Path<String>,
    ) -> Result<Deleted, ApiError> {
        let key = key_of(&id.0)?;
        // Taking away gives nobody more.
        let (actor, place) = (caller.actor(), place(&caller, &key, None));
        self.accounts.revoke_key(&actor, place).await?;
        Ok(Deleted::Done)
    }
}
