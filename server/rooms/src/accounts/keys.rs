//! A tenant's keys: making, changing, rotating and revoking them. A secret is answered once and kept
//! as its hash.

use std::time::Duration;

use server_store::accounts::{
    ApiKey, ApiKeyKind, KeyChange, KeyPatch, KeyPlace, KeyRotation, Scopes,
};
use server_store::audit::Actor;
use server_store::part::Part;
use shared::clock::Moment;
use shared::id::{ApiKeyId, TenantId};
use shared::secret::Secret;

use super::{AccountError, Accounts, check, stored};
use crate::auth::api_key;
use crate::limits::LimitSettings;

/// How long a rotated key's old secret may go on to work, at most.
pub const GRACE_MAX: Duration = Duration::from_secs(7 * 86_400);
/// How long it does when nothing is said: a day to put the new one everywhere.
pub const GRACE_DEFAULT: Duration = Duration::from_secs(86_400);

/// A key to be made.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// For people.
    pub name: String,
    /// What it reaches.
    pub kind: ApiKeyKind,
    /// What it may do.
    pub scopes: Scopes,
    /// When it ends.
    pub expires_at: Option<Moment>,
    /// The models it may use.
    pub allowed_models: Option<Vec<String>>,
    /// Where it may come from.
    pub allowed_addresses: Option<Vec<String>>,
    /// Its own limits.
    pub limits: LimitSettings,
    /// The key that makes it; people have none.
    pub parent: Option<ApiKeyId>,
}

impl NewKey {
    /// Without any restriction.
    pub fn plain(name: &str, kind: ApiKeyKind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            scopes: Scopes::PLAIN,
            expires_at: None,
            allowed_models: None,
            allowed_addresses: None,
            limits: LimitSettings::default(),
            parent: None,
        }
    }

    /// Made with the key `outer`: what nothing is said about is as there.
    #[must_use]
    pub fn made_with(self, outer: &ApiKey) -> Self {
        let (limits, most) = (self.limits, outer.limits);
        Self {
            expires_at: self.expires_at.or(outer.expires_at),
            allowed_models: self.allowed_models.or_else(|| outer.allowed_models.clone()),
            allowed_addresses: self
                .allowed_addresses
                .or_else(|| outer.allowed_addresses.clone()),
            limits: LimitSettings {
                requests_per_minute: limits.requests_per_minute.or(most.requests_per_minute),
                tokens_per_minute: limits.tokens_per_minute.or(most.tokens_per_minute),
                concurrency: limits.concurrency.or(most.concurrency),
            },
            parent: Some(outer.id.clone()),
            ..self
        }
    }
}

impl Accounts {
    /// Makes a key with another one, which has at least as much; its secret is answered this once.
    pub async fn create_key_with(
        &self,
        actor: &Actor,
        outer: &ApiKey,
        new: NewKey,
    ) -> Result<(ApiKey, Secret<String>), AccountError> {
        let new = new.made_with(outer);
        let secret = api_key::make(new.kind);
        let key = self.new_key(&outer.tenant, new, &secret)?;
        if let Some(field) = key.beyond(outer) {
            return Err(AccountError::Beyond(field));
        }
        let kept = self.store.insert_key(actor, &key, key.created_at);
        kept.await.map_err(stored("key"))?;
        Ok((key, secret))
    }

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
        check::scopes(new.scopes, new.kind)?;
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
            scopes: new.scopes,
            previous: None,
            parent: new.parent,
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
        Ok(self.store.keys(tenant, Part { after, limit }).await?)
    }

    /// One key of a tenant.
    pub async fn key(&self, tenant: &TenantId, id: &ApiKeyId) -> Result<ApiKey, AccountError> {
        let key = self.store.key(tenant, id).await?;
        key.ok_or(AccountError::NotFound("key"))
    }

    /// Changes a key; in force on every replica within a second.
    pub async fn update_key(
        &self,
        actor: &Actor,
        place: KeyPlace<'_>,
        mut patch: KeyPatch,
    ) -> Result<ApiKey, AccountError> {
        let now = self.clock.now();
        patch.name = match patch.name {
            Some(name) => Some(check::name("name", &name)?),
            None => None,
        };
        check::models(patch.allowed_models.set().map(Vec::as_slice))?;
        check::addresses(patch.allowed_addresses.set().map(Vec::as_slice))?;
        check::limits(&LimitSettings {
            requests_per_minute: patch.requests_per_minute.set().copied(),
            tokens_per_minute: patch.tokens_per_minute.set().copied(),
            concurrency: patch.concurrency.set().copied(),
        })?;
        check::expiry(patch.expires_at.set().copied(), now)?;
        if let Some(scopes) = patch.scopes {
            // What a key reaches never changes, so it may be looked at before.
            let kind = self.key(place.tenant, place.id).await?.kind;
            check::scopes(scopes, kind)?;
        }
        let change = self.store.update_key(actor, place, &patch, now).await?;
        self.changed(place.tenant, change)
    }

    /// Gives a key another secret, which is answered this once. The one it had works for `grace`
    /// longer; one that was replaced before that ends at once.
    pub async fn rotate_key(
        &self,
        actor: &Actor,
        place: KeyPlace<'_>,
        grace: Duration,
    ) -> Result<(ApiKey, Secret<String>), AccountError> {
        check::grace(grace)?;
        let kind = self.key(place.tenant, place.id).await?.kind;
        let (secret, now) = (api_key::make(kind), self.clock.now());
        let rotation = KeyRotation {
            hash: api_key::hash(secret.expose()),
            last4: api_key::last4(secret.expose()),
            old_until: now.after(grace),
        };
        let change = self.store.rotate_key(actor, place, &rotation, now).await?;
        let key = self.changed(place.tenant, change)?;
        Ok((key, secret))
    }

    /// Ends a key, with the secret before its last rotation.
    pub async fn revoke_key(&self, actor: &Actor, place: KeyPlace<'_>) -> Result<(), AccountError> {
        let now = self.clock.now();
        let change = self.store.revoke_key(actor, place, now).await?;
        match self.changed(place.tenant, change) {
            // Whoever revokes a key twice finds nothing to revoke.
            Err(AccountError::Ended(what)) => Err(AccountError::NotFound(what)),
            other => other.map(drop),
        }
    }

    fn changed(&self, tenant: &TenantId, change: KeyChange) -> Result<ApiKey, AccountError> {
        self.auth.forget(tenant);
        match change {
            KeyChange::Done(key) => Ok(*key),
            KeyChange::Missing => Err(AccountError::NotFound("key")),
            KeyChange::OutOfReach => Err(AccountError::OutOfReach),
            KeyChange::Beyond(field) => Err(AccountError::Beyond(field)),
            KeyChange::Ended => Err(AccountError::Ended("key")),
        }
    }
}
