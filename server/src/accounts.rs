//! Room: tenants, users, keys, superadmins, and who may change them; every change is audited.
//! Checks every field that comes from outside; holds no SQL.

use shared::clock::{Clock, Moment};
use shared::db::DbError;
use shared::id::{ApiKeyId, AuditId, SuperadminId, TenantId, UserId};
use shared::secret::Secret;

use crate::auth::password::{self, PasswordError, Passwords};
use crate::auth::{Auth, Network, api_key};
use crate::limits::LimitSettings;
use crate::store::Store;
use crate::store::accounts::{
    ApiKey, ApiKeyKind, Role, Superadmin, Tenant, TenantPatch, TenantStatus, User, UserPatch, UserStatus,
};
use crate::store::audit::{Actor, AuditEntry};

const NAME_CHARS_MAX: usize = 100;
const USERNAME_CHARS_MAX: usize = 64;
const LIST_ITEMS_MAX: usize = 100;
/// A thousand times the list price is a mistake.
const MULTIPLIER_PPM_MAX: i64 = 1_000_000_000;
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

fn invalid(field: &'static str, rule: impl Into<String>) -> AccountError {
    AccountError::Invalid { field, rule: rule.into() }
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

fn checked_name(field: &'static str, name: &str) -> Result<String, AccountError> {
    let name = name.trim();
    let length = name.chars().count();
    if length == 0 || length > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(invalid(field, format!("one line of 1 to {NAME_CHARS_MAX} characters")));
    }
    Ok(name.to_owned())
}

fn checked_username(name: &str) -> Result<String, AccountError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'@' | b'+');
    if name.is_empty() || name.len() > USERNAME_CHARS_MAX || !name.bytes().all(allowed) {
        return Err(invalid("username", format!("1 to {USERNAME_CHARS_MAX} of a-z, A-Z, 0-9 and ._-@+")));
    }
    Ok(name.to_owned())
}

fn checked_password(password: &Secret<String>) -> Result<(), AccountError> {
    let length = password.expose().chars().count();
    if (password::CHARS_MIN..=password::CHARS_MAX).contains(&length) {
        return Ok(());
    }
    Err(invalid("password", format!("{} to {} characters long", password::CHARS_MIN, password::CHARS_MAX)))
}

fn checked_list(field: &'static str, list: Option<&Vec<String>>, well_formed: fn(&str) -> bool) -> Result<(), AccountError> {
    match list {
        Some(list) if list.is_empty() || list.len() > LIST_ITEMS_MAX || !list.iter().all(|item| well_formed(item)) => {
            Err(invalid(field, format!("1 to {LIST_ITEMS_MAX} valid entries, or absent")))
        }
        _ => Ok(()),
    }
}

fn checked_limits(limits: &LimitSettings) -> Result<(), AccountError> {
    let zero = limits.requests_per_minute == Some(0) || limits.tokens_per_minute == Some(0) || limits.concurrency == Some(0);
    if zero { Err(invalid("limits", "above 0, or absent for none")) } else { Ok(()) }
}

impl Accounts {
    /// Over a store; `auth` forgets at once whom a change concerns.
    pub fn new(store: Store, auth: Auth, passwords: Passwords, clock: Clock) -> Self {
        Self { store, auth, passwords, clock }
    }

    /// Adds a tenant.
    pub async fn create_tenant(&self, actor: &Actor, name: &str) -> Result<Tenant, AccountError> {
        let now = self.clock.now();
        let tenant = Tenant {
            id: TenantId::random(),
            name: checked_name("name", name)?,
            status: TenantStatus::Active,
            price_multiplier_ppm: MULTIPLIER_PPM_PLAIN,
            limits: LimitSettings::default(),
            created_at: now,
        };
        self.store.insert_tenant(actor, &tenant, now).await.map_err(stored("name"))?;
        Ok(tenant)
    }

    /// One tenant.
    pub async fn tenant(&self, id: &TenantId) -> Result<Tenant, AccountError> {
        self.store.tenant(id).await?.ok_or(AccountError::NotFound("tenant"))
    }

    /// One tenant by name.
    pub async fn tenant_by_name(&self, name: &str) -> Result<Option<Tenant>, AccountError> {
        Ok(self.store.tenant_by_name(name).await?)
    }

    /// Tenants, newest first, whose name begins with `search`.
    pub async fn tenants(&self, search: &str, after: Option<&TenantId>, limit: i64) -> Result<Vec<Tenant>, AccountError> {
        if search.chars().count() > NAME_CHARS_MAX {
            return Err(invalid("search", format!("at most {NAME_CHARS_MAX} characters")));
        }
        Ok(self.store.tenants(search, after, limit).await?)
    }

    /// Changes a tenant.
    pub async fn update_tenant(&self, actor: &Actor, id: &TenantId, mut patch: TenantPatch) -> Result<Tenant, AccountError> {
        patch.name = patch.name.as_deref().map(|name| checked_name("name", name)).transpose()?;
        if patch.price_multiplier_ppm.is_some_and(|ppm| !(0..=MULTIPLIER_PPM_MAX).contains(&ppm)) {
            return Err(invalid("price_multiplier_ppm", format!("from 0 to {MULTIPLIER_PPM_MAX}")));
        }
        patch.limits.as_ref().map(checked_limits).transpose()?;
        let changed = self.store.update_tenant(actor, id, &patch, self.clock.now()).await.map_err(stored("name"))?;
        self.auth.forget(id);
        changed.ok_or(AccountError::NotFound("tenant"))
    }

    /// Adds a user to a tenant.
    pub async fn create_user(&self, actor: &Actor, tenant: &TenantId, new: NewUser) -> Result<User, AccountError> {
        checked_password(&new.password)?;
        let username = checked_username(&new.username)?;
        self.tenant(tenant).await?;
        let now = self.clock.now();
        let user = User {
            id: UserId::random(),
            tenant: tenant.clone(),
            username,
            role: new.role,
            password_hash: self.passwords.hash(&new.password).await?,
            status: UserStatus::Active,
            created_at: now,
        };
        self.store.insert_user(actor, &user, now).await.map_err(stored("username"))?;
        Ok(user)
    }

    /// A tenant's user.
    pub async fn user(&self, tenant: &TenantId, id: &UserId) -> Result<User, AccountError> {
        self.store.user(tenant, id).await?.ok_or(AccountError::NotFound("user"))
    }

    /// A tenant's users, newest first.
    pub async fn users(&self, tenant: &TenantId, after: Option<&UserId>, limit: i64) -> Result<Vec<User>, AccountError> {
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
                checked_password(password)?;
                Some(self.passwords.hash(password).await?)
            }
            None => None,
        };
        let status = change.active.map(|active| if active { UserStatus::Active } else { UserStatus::Disabled });
        self.patch_user(actor, tenant, id, UserPatch { role: change.role, status, password_hash }).await
    }

    /// Removes a user; the records of what they did stay.
    pub async fn delete_user(&self, actor: &Actor, tenant: &TenantId, id: &UserId) -> Result<(), AccountError> {
        let patch = UserPatch { status: Some(UserStatus::Deleted), ..UserPatch::default() };
        self.patch_user(actor, tenant, id, patch).await.map(drop)
    }

    async fn patch_user(&self, actor: &Actor, tenant: &TenantId, id: &UserId, patch: UserPatch) -> Result<User, AccountError> {
        let changed = self.store.update_user(actor, tenant, id, &patch, self.clock.now()).await?;
        self.auth.forget(tenant);
        changed.ok_or(AccountError::NotFound("user"))
    }

    /// Makes a key; its secret is answered this once.
    pub async fn create_key(&self, actor: &Actor, tenant: &TenantId, new: NewKey) -> Result<(ApiKey, Secret<String>), AccountError> {
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
        checked_list("allowed_models", new.allowed_models.as_ref(), |name| (1..=NAME_CHARS_MAX).contains(&name.len()))?;
        checked_list("allowed_addresses", new.allowed_addresses.as_ref(), |text| Network::parse(text).is_some())?;
        checked_limits(&new.limits)?;
        let name = checked_name("name", &new.name)?;
        let now = self.clock.now();
        if new.expires_at.is_some_and(|at| at <= now) {
            return Err(invalid("expires_at", "in the future"));
        }
        self.tenant(tenant).await?;
        let key = ApiKey {
            id: ApiKeyId::random(),
            tenant: tenant.clone(),
            name,
            kind: new.kind,
            hash: api_key::hash(secret.expose()),
            last4: api_key::last4(secret.expose()),
            revoked: false,
            allowed_models: new.allowed_models,
            allowed_addresses: new.allowed_addresses,
            limits: new.limits,
            expires_at: new.expires_at,
            created_at: now,
        };
        self.store.insert_key(actor, &key, now).await.map_err(stored("key"))?;
        Ok(key)
    }

    /// A tenant's keys, newest first.
    pub async fn keys(&self, tenant: &TenantId, after: Option<&ApiKeyId>, limit: i64) -> Result<Vec<ApiKey>, AccountError> {
        self.tenant(tenant).await?;
        Ok(self.store.keys(tenant, after, limit).await?)
    }

    /// Ends a key.
    pub async fn revoke_key(&self, actor: &Actor, tenant: &TenantId, id: &ApiKeyId) -> Result<(), AccountError> {
        let revoked = self.store.revoke_key(actor, tenant, id, self.clock.now()).await?;
        self.auth.forget(tenant);
        if revoked { Ok(()) } else { Err(AccountError::NotFound("key")) }
    }

    /// Whether the first start has finished.
    pub async fn has_superadmin(&self) -> Result<bool, AccountError> {
        Ok(self.store.has_superadmin().await?)
    }

    /// Adds a superadmin.
    pub async fn create_superadmin(&self, username: &str, password: &Secret<String>) -> Result<(), AccountError> {
        checked_password(password)?;
        let admin = Superadmin {
            id: SuperadminId::random(),
            username: checked_username(username)?,
            password_hash: self.passwords.hash(password).await?,
            active: true,
        };
        self.store.insert_superadmin(&admin, self.clock.now()).await.map_err(stored("username"))
    }

    /// The audit log, newest first.
    pub async fn audit(&self, after: Option<&AuditId>, limit: i64) -> Result<Vec<AuditEntry>, AccountError> {
        Ok(self.store.audit_entries(after, limit).await?)
    }
}
