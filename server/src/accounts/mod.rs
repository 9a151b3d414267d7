//! Room: tenants, users, keys, superadmins, and who may change them; every change is audited.
//! `check` looks at every field that comes from outside; holds no SQL.

mod check;

use shared::clock::{Clock, Moment};
use shared::db::DbError;
use shared::id::{ApiKeyId, AuditId, SuperadminId, TenantId, UserId};
use shared::secret::Secret;

use crate::auth::password::{PasswordError, Passwords};
use crate::auth::{Auth, api_key};
use crate::limits::LimitSettings;
use crate::store::Store;
use crate::store::accounts::{
    ApiKey, ApiKeyKind, Founding, Role, Superadmin, Tenant, TenantPatch, TenantStatus, User,
    UserPatch, UserStatus,
};
use crate::store::audit::{Actor, AuditEntry};

/// What a new tenant may do until somebody decides otherwise: enough for any honest start, too
/// little to take the whole platform.
pub const LIMITS_DEFAULT: LimitSettings = LimitSettings {
    requests_per_minute: Some(3_000),
    tokens_per_minute: Some(5_000_000),
    concurrency: Some(500),
};
/// Prices as they are listed.
pub const MULTIPLIER_PPM_PLAIN: i64 = 1_000_000;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// There is no such tenant, user or key; or it is another tenant's.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The name is taken.
    #[error("the {0} is taken")]
    Taken(&'static str),
    /// A field breaks its rule.
    #[error("`{field}` must be {rule}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// What it must be.
        rule: String,
    },
    /// A password can't be hashed just now.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database failed.
    #[error(transparent)]
    Store(DbError),
}

/// A unique index that was hit means that `what` is taken.
fn stored(what: &'static str) -> impl Fn(DbError) -> AccountError {
    move |error| match error {
        DbError::Duplicate(_) => AccountError::Taken(what),
        error @ (DbError::UnknownScheme
        | DbError::Unreachable(_)
        | DbError::Damaged(_)
        | DbError::Statement(_)
        | DbError::Migration(_)) => AccountError::Store(error),
    }
}

impl From<DbError> for AccountError {
    fn from(error: DbError) -> Self {
        Self::Store(error)
    }
}

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

/// A user to be added.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Unique inside the tenant.
    pub username: String,
    /// Hashed before it is kept.
    pub password: Secret<String>,
    /// What they may do.
    pub role: Role,
}

/// A change of a user; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// A new role.
    pub role: Option<Role>,
    /// Whether they may log in.
    pub active: Option<bool>,
    /// A new password.
    pub password: Option<Secret<String>>,
}

/// Tenants and their people; cheap to clone.
#[derive(Debug, Clone)]
pub struct Accounts {
    store: Store,
    auth: Auth,
    passwords: Passwords,
    clock: Clock,
}

impl Accounts {
    /// Over a store; `auth` forgets at once whom a change concerns.
    pub fn new(store: Store, auth: Auth, passwords: Passwords, clock: Clock) -> Self {
        Self {
            store,
            auth,
            passwords,
            clock,
        }
    }

    /// Adds a tenant, with neither people nor keys.
    pub async fn create_tenant(&self, actor: &Actor, name: &str) -> Result<Tenant, AccountError> {
        let founding = Founding {
            tenant: self.new_tenant(name)?,
            owner: None,
            key: None,
        };
        self.found(actor, &founding).await?;
        Ok(founding.tenant)
    }

    /// Adds a tenant with its first key, whose secret is answered this once, and perhaps an owner.
    pub async fn found_tenant(
        &self,
        actor: &Actor,
        name: &str,
        owner: Option<NewUser>,
    ) -> Result<(Tenant, Secret<String>), AccountError> {
        let tenant = self.new_tenant(name)?;
        let owner = match owner {
            Some(owner) => Some(self.new_user(&tenant.id, owner).await?),
            None => None,
        };
        let secret = api_key::make(ApiKeyKind::Live);
        let key = self.new_key(
            &tenant.id,
            NewKey::plain("first key", ApiKeyKind::Live),
            &secret,
        )?;
        let founding = Founding {
            tenant,
            owner,
            key: Some(key),
        };
        self.found(actor, &founding).await?;
        Ok((founding.tenant, secret))
    }

    async fn found(&self, actor: &Actor, founding: &Founding) -> Result<(), AccountError> {
        let stored_all = self
            .store
            .insert_tenant(actor, founding, self.clock.now())
            .await;
        stored_all.map_err(stored("name"))
    }

    fn new_tenant(&self, name: &str) -> Result<Tenant, AccountError> {
        Ok(Tenant {
            id: TenantId::random(),
            name: check::name("name", name)?,
            status: TenantStatus::Active,
            price_multiplier_ppm: MULTIPLIER_PPM_PLAIN,
            limits: LIMITS_DEFAULT,
            created_at: self.clock.now(),
        })
    }

    /// One tenant.
    pub async fn tenant(&self, id: &TenantId) -> Result<Tenant, AccountError> {
        self.store
            .tenant(id)
            .await?
            .ok_or(AccountError::NotFound("tenant"))
    }

    /// One tenant by name.
    pub async fn tenant_by_name(&self, name: &str) -> Result<Option<Tenant>, AccountError> {
        Ok(self.store.tenant_by_name(name).await?)
    }

    /// Tenants, newest first, whose name begins with `search`.
    pub async fn tenants(
        &self,
        search: &str,
        after: Option<&TenantId>,
        limit: i64,
    ) -> Result<Vec<Tenant>, AccountError> {
        check::search(search)?;
        Ok(self.store.tenants(search, after, limit).await?)
    }

    /// Changes a tenant.
    pub async fn update_tenant(
        &self,
        actor: &Actor,
        id: &TenantId,
        mut patch: TenantPatch,
    ) -> Result<Tenant, AccountError> {
        patch.name = patch
            .name
            .as_deref()
            .map(|name| check::name("name", name))
            .transpose()?;
        patch
            .price_multiplier_ppm
            .map(check::multiplier)
            .transpose()?;
        patch.limits.as_ref().map(check::limits).transpose()?;
        let changed = self
            .store
            .update_tenant(actor, id, &patch, self.clock.now())
            .await
            .map_err(stored("name"))?;
        self.auth.forget(id);
        changed.ok_or(AccountError::NotFound("tenant"))
    }

    /// Adds a user to a tenant.
    pub async fn create_user(
        &self,
        actor: &Actor,
        tenant: &TenantId,
        new: NewUser,
    ) -> Result<User, AccountError> {
        self.tenant(tenant).await?;
        let user = self.new_user(tenant, new).await?;
        self.store
            .insert_user(actor, &user, user.created_at)
            .await
            .map_err(stored("username"))?;
        Ok(user)
    }

    async fn new_user(&self, tenant: &TenantId, new: NewUser) -> Result<User, AccountError> {
        check::password(&new.password)?;
        Ok(User {
            id: UserId::random(),
            tenant: tenant.clone(),
            username: check::username(&new.username)?,
            role: new.role,
            password_hash: self.passwords.hash(&new.password).await?,
            status: UserStatus::Active,
            created_at: self.clock.now(),
        })
    }

    /// A tenant's user.
    pub async fn user(&self, tenant: &TenantId, id: &UserId) -> Result<User, AccountError> {
        self.store
            .user(tenant, id)
            .await?
            .ok_or(AccountError::NotFound("user"))
    }

    /// A tenant's users, newest first.
    pub async fn users(
        &self,
        tenant: &TenantId,
        after: Option<&UserId>,
        limit: i64,
    ) -> Result<Vec<User>, AccountError> {
        self.tenant(tenant).await?;
        Ok(self.store.users(tenant, after, limit).await?)
    }

    /// Changes a user.
    pub async fn update_user(
        &self,
        actor: &Actor,
        tenant: &TenantId,
        id: &UserId,
        change: UserChange,
    ) -> Result<User, AccountError> {
        let password_hash = match &change.password {
            Some(password) => {
                check::password(password)?;
                Some(self.passwords.hash(password).await?)
            }
            None => None,
        };
        let status = change.active.map(|active| {
            if active {
                UserStatus::Active
            } else {
                UserStatus::Disabled
            }
        });
        self.patch_user(
            actor,
            tenant,
            id,
            UserPatch {
                role: change.role,
                status,
                password_hash,
            },
        )
        .await
    }

    /// Removes a user; the records of what they did stay.
    pub async fn delete_user(
        &self,
        actor: &Actor,
        tenant: &TenantId,
        id: &UserId,
    ) -> Result<(), AccountError> {
        let patch = UserPatch {
            status: Some(UserStatus::Deleted),
            ..UserPatch::default()
        };
        self.patch_user(actor, tenant, id, patch).await.map(drop)
    }

    async fn patch_user(
        &self,
        actor: &Actor,
        tenant: &TenantId,
        id: &UserId,
        patch: UserPatch,
    ) -> Result<User, AccountError> {
        let changed = self
            .store
            .update_user(actor, tenant, id, &patch, self.clock.now())
            .await?;
        self.auth.forget(tenant);
        changed.ok_or(AccountError::NotFound("user"))
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

    fn new_key(
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

    /// Whether the first start has finished.
    pub async fn has_superadmin(&self) -> Result<bool, AccountError> {
        Ok(self.store.has_superadmin().await?)
    }

    /// Adds a superadmin.
    pub async fn create_superadmin(
        &self,
        username: &str,
        password: &Secret<String>,
    ) -> Result<(), AccountError> {
        check::password(password)?;
        let admin = Superadmin {
            id: SuperadminId::random(),
            username: check::username(username)?,
            password_hash: self.passwords.hash(password).await?,
            active: true,
        };
        self.store
            .insert_superadmin(&admin, self.clock.now())
            .await
            .map_err(stored("username"))
    }

    /// The audit log, newest first.
    pub async fn audit(
        &self,
        after: Option<&AuditId>,
        limit: i64,
    ) -> Result<Vec<AuditEntry>, AccountError> {
        Ok(self.store.audit_entries(after, limit).await?)
    }
}
