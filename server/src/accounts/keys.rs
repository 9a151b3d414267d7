//! A tenant's keys: making and revoking them. A secret is answered once and kept as its hash.

use shared::clock::Moment;
use shared::id::{ApiKeyId, TenantId};
use shared::secret::Secret;

use super::{AccountError, Accounts, check, stored};
use crate::auth::api_key;
use crate::limits::LimitSettings;
use crate::store::accounts::{ApiKey, ApiKeyKind};
use crate::store::audit::Actor;

/// A key to be made.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// For people.
    pub name: String,
    /// What it reaches.
    pub kind: ApiKeyKind,
    /// When it ends.
    pub expires_at: Option<Moment>,
    /// The models it may use.
    pub allowed_models: Option<Vec<String>>,
    /// Where it may come from.
    pub allowed_addresses: Option<Vec<String>>,
    /// Its own limits.
    pub limits: LimitSettings,
}

impl NewKey {
    /// Without any restriction.
    pub fn plain(name: &str, kind: ApiKeyKind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            expires_at: None,
            allowed_models: None,
            allowed_addresses: None,
            limits: LimitSettings::default(),
        }
    }
}

impl Accounts {
    /// Makes a key; its secret is answered this once.
    pub async fn create_key(
        &self,
        actor: &Actor,
        tenant: &TenantId,
        new: NewKey,
    ) -> Result<(ApiKey, Secret<String>), AccountError> {
        let secret = api_key::make(new.kind);
        let key = self.keep_key(actor, tenant, new, &secret).await?;
        Ok((key, secret))
    }

    /// Keeps a key whose secret was chosen elsewhere; only the first start does this.
    pub async fn keep_key(
        &self,
        actor: &Actor,
        tenant: &TenantId,
        new: NewKey,
        secret: &Secret<String>,
    ) -> Result<ApiKey, AccountError> {
        self.tenant(tenant).await?;
        let key = self.new_key(tenant, new, secret)?;
        self.store
            .insert_key(actor, &key, key.created_at)
            .await
            .map_err(stored("key"))?;
        Ok(key)
    }

    pub(super) fn new_key(
        &self,
        tenant: &TenantId,
        new: NewKey,
        secret: &Secret<String>,
    ) -> Result<ApiKey, AccountError> {
        check::models(new.allowed_models.as_deref())?;
        check::addresses(new.allowed_addresses.as_deref())?;
        check::limits(&new.limits)?;
        let now = self.clock.now();
        check::expiry(new.expires_at, now)?;
        Ok(ApiKey {
            id: ApiKeyId::random(),
            tenant: tenant.clone(),
            name: check::name("name", &new.name)?,
            kind: new.kind,
            hash: api_key::hash(secret.expose()),
            last4: api_key::last4(secret.expose()),
            revoked: false,
            allowed_models: new.allowed_models,
            allowed_addresses: new.allowed_addresses,
            limits: new.limits,
            expires_at: new.expires_at,
            created_at: now,
        })
    }

    /// A tenant's keys, newest first.
    pub async fn keys(
        &self,
        tenant: &TenantId,
        after: Option<&ApiKeyId>,
        limit: i64,
    ) -> Result<Vec<ApiKey>, AccountError> {
        self.tenant(tenant).await?;
        Ok(self.store.keys(tenant, after, limit).await?)
    }

    /// Ends a key.
    pub async fn revoke_key(
        &self,
        actor: &Actor,
        tenant: &TenantId,
        id: &ApiKeyId,
    ) -> Result<(), AccountError> {
        let revoked = self
            .store
            .revoke_key(actor, tenant, id, self.clock.now())
            .await?;
        self.auth.forget(tenant);
        if revoked {
            Ok(())
        } else {
            Err(AccountError::NotFound("key"))
        }
    }
}
