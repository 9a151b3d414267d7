//! Room: who somebody is by name and password. The same refusal, after the same time, whatever is
//! wrong; attempts are counted. Begins no session and asks for no second factor.

use std::net::IpAddr;

use serde_json::json;
use server_store::Store;
use server_store::accounts::{ApiKey, Superadmin, Tenant, TenantStatus, User, UserStatus};
use server_store::audit::{Actor, Note};
use shared::clock::Clock;
use shared::db::DbError;
use shared::fold::folded;
use shared::id::TenantId;
use shared::secret::Secret;
use tracing::warn;

use super::SessionError;
use super::failed::FailedLogins;
use crate::auth::devices::Devices;
use crate::auth::password::Passwords;
use crate::auth::{Network, api_key};
use crate::limits::{Limits, LoginFrom};

/// How a tenant is named at a login.
#[derive(Debug, Clone, Copy)]
pub enum TenantGiven<'a> {
    /// By one of its keys.
    Key(&'a Secret<String>),
    /// By its name or id.
    Name(&'a str),
}

impl<'a> TenantGiven<'a> {
    /// As typed into one field.
    pub fn typed(text: &'a Secret<String>) -> Self {
        if text.expose().starts_with("wk_") {
            Self::Key(text)
        } else {
            Self::Name(text.expose().trim())
        }
    }
}

/// From where somebody logs in.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The address.
    pub address: IpAddr,
    /// What a browser kept of a login before.
    pub device: Option<&'a str>,
}

impl From<IpAddr> for Origin<'_> {
    fn from(address: IpAddr) -> Self {
        Self {
            address,
            device: None,
        }
    }
}

/// As the brakes know a tenant's user: one tenant's attempts do not lock out another's `admin`.
fn user_account(given: TenantGiven<'_>, tenant: Option<&TenantId>, username: &str) -> String {
    match given {
        TenantGiven::Key(key) => format!("{}/{}", api_key::hash(key.expose()), folded(username)),
        // Its id and its name count as one.
        TenantGiven::Name(text) => {
            let named = tenant.map(TenantId::to_string);
            let named = named.unwrap_or_else(|| folded(text));
            format!("tenant/{named}/{}", folded(username))
        }
    }
}

fn superadmin_account(username: &str) -> String {
    format!("superadmin/{}", folded(username))
}

/// Checks names and passwords; cheap to clone.
#[derive(Debug, Clone)]
pub struct Logins {
    pub(super) store: Store,
    pub(super) passwords: Passwords,
    pub(super) limits: Limits,
    pub(super) clock: Clock,
    failed: FailedLogins,
    devices: Devices,
}

/// PostgreSQL takes no NUL in a text; no user's name has any control character.
fn is_text(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

impl Logins {
    /// Over a store.
    pub fn new(
        store: Store,
        passwords: Passwords,
        limits: Limits,
        clock: Clock,
        devices: Devices,
    ) -> Self {
        Self {
            store,
            passwords,
            limits,
            clock,
            failed: FailedLogins::default(),
            devices,
        }
    }

    /// What a browser keeps of a login as a superadmin.
    pub fn superadmin_device(&self, username: &str) -> Secret<String> {
        self.devices.make(&superadmin_account(username))
    }

    /// What a browser keeps of a login as a tenant's user.
    pub fn user_device(
        &self,
        given: TenantGiven<'_>,
        tenant: &TenantId,
        username: &str,
    ) -> Secret<String> {
        self.devices
            .make(&user_account(given, Some(tenant), username))
    }

    /// As the brakes know it.
    fn whence<'a>(&self, account: &str, origin: Origin<'a>) -> LoginFrom<'a> {
        LoginFrom {
            address: origin.address,
            device: origin
                .device
                .and_then(|shown| self.devices.known(account, shown)),
        }
    }

    async fn allowed(&self, account: &str, from: LoginFrom<'_>) -> Result<(), SessionError> {
        let allowed = self.limits.allow_login(account, from).await;
        allowed.map_err(|retry_after| SessionError::TooMany { retry_after })
    }

    /// Counts a failure, and writes an audit entry where it is one of many; `subject` is a person, or
    /// where nobody has the name, what the login was for. What was typed is not written down: it
    /// may be a password in the wrong field.
    async fn tell(&self, subject: &str, tenant: Option<&TenantId>, address: IpAddr) {
        let now = self.clock.now();
        let Some(told) = self.failed.count(subject, now) else {
            return;
        };
        let actor = Actor {
            kind: "system".to_owned(),
            id: String::new(),
            name: "login".to_owned(),
            address: address.to_string(),
        };
        let after = json!({"failures": told.failures, "since": told.since.unix_ms()});
        let note = Note {
            tenant: tenant.map(TenantId::as_str),
            action: "login.failed",
            subject,
            before: None,
            after: Some(after.to_string()),
        };
        if let Err(error) = self.store.note_done(&actor, note, now).await {
            warn!(%error, "failed logins of `{subject}` have no audit entry: {error}");
        }
    }

    /// The active user of an active tenant.
    pub async fn user(
        &self,
        tenant: TenantGiven<'_>,
        username: &str,
        password: &Secret<String>,
        origin: impl Into<Origin<'_>>,
    ) -> Result<(User, Tenant), SessionError> {
        let origin = origin.into();
        let address = origin.address;
        let (account, from, found) = match tenant {
            TenantGiven::Key(key) => {
                let account = user_account(tenant, None, username);
                let from = self.whence(&account, origin);
                self.allowed(&account, from).await?;
                let hash = api_key::hash(key.expose());
                let found = self.tenant_of_key(&hash, key, address).await?;
                (account, from, found)
            }
            TenantGiven::Name(text) => {
                let found = self.tenant_named(text).await?;
                let id = found.as_ref().map(|tenant| &tenant.id);
                let account = user_account(tenant, id, username);
                let from = self.whence(&account, origin);
                self.allowed(&account, from).await?;
                (account, from, found)
            }
        };
        // Whom failures are told of: a person, their tenant, or nobody's name at all.
        let tenant_id = found.as_ref().map(|tenant| tenant.id.clone());
        let found = self.user_of(found, username).await?;
        let place = match (&found, &tenant_id) {
            (Some((user, _)), _) => user.id.to_string(),
            (None, Some(tenant)) => tenant.to_string(),
            (None, None) => "portal".to_owned(),
        };
        let password_hash = found.as_ref().map(|(user, _)| user.password_hash.as_str());
        let right = self.passwords.verify(password, password_hash).await?;
        let Some(found) = found.filter(|_| right) else {
            self.limits.login_failed(&account, from).await;
            self.tell(&place, tenant_id.as_ref(), address).await;
            return Err(SessionError::Invalid);
        };
        self.limits.login_succeeded(&account, from).await;
        self.failed.forget(&place);
        Ok(found)
    }

    /// The active tenant of a key that may be used from there. What is wrong is not told, and the
    /// comparison of passwords outweighs the queries that are saved.
    async fn tenant_of_key(
        &self,
        hash: &str,
        key: &Secret<String>,
        address: IpAddr,
    ) -> Result<Option<Tenant>, SessionError> {
        if api_key::kind_of(key.expose()).is_none() {
            return Ok(None);
        }
        let now = self.clock.now();
        let key = self.store.key_by_hash(hash, now).await?;
        let lasts = |key: &ApiKey| key.ends_at(hash).is_none_or(|at| at > now);
        let Some(key) = key.filter(|key| !key.revoked && lasts(key)) else {
            return Ok(None);
        };
        if !Network::allow(key.allowed_addresses.as_deref(), address) {
            return Ok(None);
        }
        let tenant = self.store.tenant(&key.tenant).await?;
        Ok(tenant.filter(|tenant| tenant.status == TenantStatus::Active))
    }

    /// The active tenant of that id or name.
    async fn tenant_named(&self, text: &str) -> Result<Option<Tenant>, DbError> {
        if !is_text(text) {
            return Ok(None);
        }
        let by_id = match text.parse::<TenantId>() {
            Ok(id) => self.store.tenant(&id).await?,
            Err(_) => None,
        };
        let found = match by_id {
            Some(tenant) => Some(tenant),
            None => self.store.tenant_by_name(text).await?,
        };
        Ok(found.filter(|tenant| tenant.status == TenantStatus::Active))
    }

    /// The tenant's active user of that name.
    async fn user_of(
        &self,
        tenant: Option<Tenant>,
        username: &str,
    ) -> Result<Option<(User, Tenant)>, SessionError> {
        let Some(tenant) = tenant.filter(|_| is_text(username)) else {
            return Ok(None);
        };
        let user = self.store.user_by_name(&tenant.id, username).await?;
        let user = user.filter(|user| user.status == UserStatus::Active);
        Ok(user.map(|user| (user, tenant)))
    }

    /// The active superadmin.
    pub async fn superadmin(
        &self,
        username: &str,
        password: &Secret<String>,
        origin: impl Into<Origin<'_>>,
    ) -> Result<Superadmin, SessionError> {
        let (account, origin) = (superadmin_account(username), origin.into());
        let from = self.whence(&account, origin);
        self.allowed(&account, from).await?;
        let found = match username {
            username if is_text(username) => self.store.superadmin_by_name(username).await?,
            _ => None,
        };
        let found = found.filter(|admin| admin.active);
        let place = found.as_ref().map(|admin| admin.id.to_string());
        let place = place.unwrap_or_else(|| "console".to_owned());
        let hash = found.as_ref().map(|admin| admin.password_hash.as_str());
        let right = self.passwords.verify(password, hash).await?;
        let Some(admin) = found.filter(|_| right) else {
            self.limits.login_failed(&account, from).await;
            self.tell(&place, None, origin.address).await;
            return Err(SessionError::Invalid);
        };
        self.limits.login_succeeded(&account, from).await;
        self.failed.forget(&place);
        Ok(admin)
    }

    /// Whether `password` is still the password of somebody who is logged in; attempts count.
    pub async fn confirm(
        &self,
        subject: &str,
        password: &Secret<String>,
        hash: &str,
        address: IpAddr,
    ) -> Result<(), SessionError> {
        let account = format!("confirm/{subject}");
        self.allowed(&account, address.into()).await?;
        if self.passwords.verify(password, Some(hash)).await? {
            self.limits.login_succeeded(&account, address).await;
            return Ok(());
        }
        self.limits.login_failed(&account, address).await;
        Err(SessionError::Invalid)
    }
}
