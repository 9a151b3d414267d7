//! Room: tenants, users, keys, superadmins, and who may change them; every change is audited.
//! `check` looks at every field that comes from outside; holds no SQL.

mod callers;
mod check;
mod ending;
mod keys;
mod routes;
mod search;
mod superadmins;
mod tenant_settings;
mod users;

use server_store::accounts::Founding;
pub use server_store::accounts::{
    ApiKey, ApiKeyKind, DirectoryOrder, DirectoryStatus, Field, KeyPatch, KeyPlace, Role, Scope,
    Scopes, Superadmin, Tenant, TenantPatch, TenantSettings, TenantSettingsPatch, TenantStatus,
    User, UserStatus,
};
pub use server_store::audit::{Actor, AuditEntry, AuditFilter};
use server_store::part::Part;
pub use server_store::routes::RouteSubject;
use server_store::{Store, duplicate_or};
use shared::clock::Clock;
use shared::db::DbError;
use shared::id::{AuditId, TenantId};
use shared::secret::Secret;
use shared::zone::Zone;

pub use self::callers::{CalledBy, Callers, Reading};
pub use self::keys::{GRACE_DEFAULT, GRACE_MAX, NewKey};
pub use self::search::FoundAccounts;
pub use self::superadmins::{NewSuperadmin, SuperadminChange, given_password};
pub use self::users::{NewUser, UserChange};
use crate::auth::password::{PasswordError, Passwords};
use crate::auth::{Auth, api_key};
use crate::settings::{Settings, TenantDefaults};
pub use server_store::accounts::FoundName;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// There is no such tenant, user or key; or it is another tenant's.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The name is taken.
    #[error("the {0} is taken")]
    Taken(&'static str),
    /// It was revoked or has expired, and can't be changed.
    #[error("the {0} has ended")]
    Ended(&'static str),
    /// Who asks may do less than what they want to change.
    #[error("whoever asks may do less than the key")]
    OutOfReach,
    /// A key would make or change another one that has more than itself, in this field.
    #[error("a key can't give more than it has: `{0}`")]
    Beyond(&'static str),
    /// Nobody would be left who may do everything.
    #[error("the last owner stays")]
    LastOwner,
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
    move |error| duplicate_or(error, AccountError::Taken(what), AccountError::Store)
}

impl From<DbError> for AccountError {
    fn from(error: DbError) -> Self {
        Self::Store(error)
    }
}

/// Tenants and their people; cheap to clone.
#[derive(Debug, Clone)]
pub struct Accounts {
    store: Store,
    auth: Auth,
    passwords: Passwords,
    settings: Settings,
    clock: Clock,
}

impl Accounts {
    /// Over a store; `auth` forgets at once whom a change concerns.
    pub fn new(store: Store, auth: Auth, passwords: Passwords, clock: Clock) -> Self {
        Self {
            settings: Settings::new(store.clone(), clock.clone()),
            store,
            auth,
            passwords,
            clock,
        }
    }

    /// Adds a tenant, with neither people nor keys.
    pub async fn create_tenant(&self, actor: &Actor, name: &str) -> Result<Tenant, AccountError> {
        let founding = Founding {
            tenant: self.new_tenant(name).await?,
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
        let tenant = self.new_tenant(name).await?;
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

    async fn new_tenant(&self, name: &str) -> Result<Tenant, AccountError> {
        let name = check::name("name", name)?;
        let defaults: TenantDefaults = self.settings.get().await?;
        Ok(Tenant {
            id: TenantId::random(),
            name,
            status: TenantStatus::Active,
            price_multiplier_ppm: defaults.price_multiplier_ppm,
            limits: defaults.limits(),
            allowed_models: None,
            zone: None,
            delete_at: None,
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
        Ok(self.store.tenants(search, Part { after, limit }).await?)
    }

    /// The time zone of a name; none for an empty one.
    pub fn zone(name: &str) -> Result<Option<Zone>, AccountError> {
        check::zone(name)
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
        if let Some(Some(models)) = &patch.allowed_models {
            check::models(Some(models))?;
        }
        if patch.status == Some(TenantStatus::Active) && patch.delete_at.is_none() {
            // Who may call again does not go away.
            patch.delete_at = Some(None);
        }
        let changed = self
            .store
            .update_tenant(actor, id, &patch, self.clock.now())
            .await
            .map_err(stored("name"))?;
        self.auth.forget(id);
        changed.ok_or(AccountError::NotFound("tenant"))
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
