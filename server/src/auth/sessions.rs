//! Room: logging in, refreshing, logging out. The same refusal, after the same time, for a wrong
//! key, user and password.

use std::net::IpAddr;
use std::time::Duration;

use shared::clock::Clock;
use shared::db::DbError;
use shared::id::{SessionId, TenantId, UserId};
use shared::secret::Secret;

use super::password::{PasswordError, Passwords};
use super::token::{
    Bearer, SESSION_LIFE, SUPERADMIN_LIFE, TokenKind, Tokens, USER_LIFE, refresh_token,
};
use super::{Network, api_key};
use crate::limits::Limits;
use crate::store::Store;
use crate::store::accounts::{Superadmin, Tenant, TenantStatus, User, UserStatus};
use crate::store::sessions::{Rotation, Session};

/// Why nobody was logged in.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Wrong, unknown, revoked or disabled; which of them is not told.
    #[error("the login is not valid")]
    Invalid,
    /// Too many attempts.
    #[error("too many attempts")]
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// Passwords can't be compared just now.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] DbError),
}

/// PostgreSQL takes no NUL in a text; no user's name has any control character.
fn is_text(username: &str) -> bool {
    !username.chars().any(char::is_control)
}

/// What a login brings.
#[derive(Debug)]
pub struct LoggedIn {
    /// The access token.
    pub token: Secret<String>,
    /// The refresh token.
    pub refresh_token: Secret<String>,
    /// How long the access token lasts.
    pub expires_in: Duration,
    /// Who.
    pub user: User,
    /// Of which tenant.
    pub tenant: Tenant,
}

/// Logs people in and out; cheap to clone.
#[derive(Debug, Clone)]
pub struct Sessions {
    store: Store,
    tokens: Tokens,
    passwords: Passwords,
    limits: Limits,
    clock: Clock,
}

/// What [`Sessions`] needs.
#[derive(Debug)]
pub struct SessionsParts {
    /// Where sessions are kept.
    pub store: Store,
    /// What makes access tokens.
    pub tokens: Tokens,
    /// What compares passwords.
    pub passwords: Passwords,
    /// What counts attempts.
    pub limits: Limits,
    /// Time.
    pub clock: Clock,
}

impl Sessions {
    /// From its parts.
    pub fn new(parts: SessionsParts) -> Self {
        let SessionsParts {
            store,
            tokens,
            passwords,
            limits,
            clock,
        } = parts;
        Self {
            store,
            tokens,
            passwords,
            limits,
            clock,
        }
    }

    /// Logs a tenant's user in with the tenant's key.
    pub async fn log_in(
        &self,
        key: &Secret<String>,
        username: &str,
        password: &Secret<String>,
        address: IpAddr,
    ) -> Result<LoggedIn, SessionError> {
        let hash = api_key::hash(key.expose());
        // By key and name, so that one tenant's attempts do not lock out another's `admin`.
        let account = format!("{hash}/{username}");
        self.allowed(&account, address).await?;
        let found = self.find(&hash, key, address).await?;
        let found = self.user_of(found, username).await?;
        let password_hash = found.as_ref().map(|(user, _)| user.password_hash.as_str());
        let right = self.passwords.verify(password, password_hash).await?;
        let Some((user, tenant)) = found.filter(|_| right) else {
            self.limits.login_failed(&account, address).await;
            return Err(SessionError::Invalid);
        };
        self.limits.login_succeeded(&account, address).await;
        let refresh = refresh_token();
        let session = self.session(
            "tenant_user",
            Some(tenant.id.as_str()),
            user.id.as_str(),
            SESSION_LIFE,
        );
        self.store
            .insert_session(&session, &api_key::hash(refresh.expose()))
            .await?;
        Ok(self.logged_in(&session.id, user, tenant, refresh))
    }

    async fn allowed(&self, account: &str, address: IpAddr) -> Result<(), SessionError> {
        let allowed = self.limits.allow_login(account, address).await;
        allowed.map_err(|retry_after| SessionError::TooMany { retry_after })
    }

    /// The active tenant of a key that may be used from there. What is wrong is not told, and the
    /// comparison of passwords outweighs the queries that are saved.
    async fn find(
        &self,
        hash: &str,
        key: &Secret<String>,
        address: IpAddr,
    ) -> Result<Option<Tenant>, SessionError> {
        if api_key::kind_of(key.expose()).is_none() {
            return Ok(None);
        }
        let now = self.clock.now();
        let key = self.store.key_by_hash(hash).await?;
        let Some(key) = key.filter(|key| !key.revoked && key.expires_at.is_none_or(|at| at > now))
        else {
            return Ok(None);
        };
        if !Network::allow(key.allowed_addresses.as_deref(), address) {
            return Ok(None);
        }
        let tenant = self.store.tenant(&key.tenant).await?;
        Ok(tenant.filter(|tenant| tenant.status == TenantStatus::Active))
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

    fn session(&self, kind: &str, tenant: Option<&str>, subject: &str, life: Duration) -> Session {
        let now = self.clock.now();
        Session {
            id: SessionId::random().into_string(),
            kind: kind.to_owned(),
            tenant_id: tenant.map(str::to_owned),
            subject_id: subject.to_owned(),
            created_at: now.unix_ms(),
            expires_at: now.after(life).unix_ms(),
            revoked_at: None,
        }
    }

    fn logged_in(
        &self,
        session: &str,
        user: User,
        tenant: Tenant,
        refresh_token: Secret<String>,
    ) -> LoggedIn {
        let bearer = Bearer {
            kind: TokenKind::TenantUser,
            tenant: tenant.id.as_str(),
            user: user.id.as_str(),
            session,
        };
        let token = Secret::new(self.tokens.issue(bearer, USER_LIFE));
        LoggedIn {
            token,
            refresh_token,
            expires_in: USER_LIFE,
            user,
            tenant,
        }
    }

    /// Takes a refresh token and gives the next one; one that was used before ends the session.
    pub async fn refresh(&self, token: &Secret<String>) -> Result<LoggedIn, SessionError> {
        let next = refresh_token();
        let (hash, next_hash) = (api_key::hash(token.expose()), api_key::hash(next.expose()));
        let session = match self
            .store
            .rotate_token(&hash, &next_hash, self.clock.now())
            .await?
        {
            Rotation::Rotated(session) => session,
            Rotation::Reused => {
                tracing::warn!("a used refresh token was shown again; its session is ended");
                return Err(SessionError::Invalid);
            }
            Rotation::Refused => return Err(SessionError::Invalid),
        };
        let tenant = TenantId::from_stored(session.tenant_id.unwrap_or_default());
        let user = self
            .store
            .user(&tenant, &UserId::from_stored(session.subject_id))
            .await?;
        let user = user
            .filter(|user| user.status == UserStatus::Active)
            .ok_or(SessionError::Invalid)?;
        let tenant = self.store.tenant(&tenant).await?;
        let tenant = tenant
            .filter(|tenant| tenant.status == TenantStatus::Active)
            .ok_or(SessionError::Invalid)?;
        Ok(self.logged_in(&session.id, user, tenant, next))
    }

    /// Ends the session of a refresh token; answers whose caches to clear.
    pub async fn log_out(&self, token: &Secret<String>) -> Result<Option<TenantId>, SessionError> {
        Ok(self
            .store
            .revoke_session_of(&api_key::hash(token.expose()), self.clock.now())
            .await?)
    }

    /// Logs a superadmin in.
    pub async fn log_in_superadmin(
        &self,
        username: &str,
        password: &Secret<String>,
        address: IpAddr,
    ) -> Result<(String, Duration, Superadmin), SessionError> {
        let account = format!("superadmin/{username}");
        self.allowed(&account, address).await?;
        let found = match username {
            username if is_text(username) => self.store.superadmin_by_name(username).await?,
            _ => None,
        };
        let found = found.filter(|admin| admin.active);
        let right = self
            .passwords
            .verify(
                password,
                found.as_ref().map(|admin| admin.password_hash.as_str()),
            )
            .await?;
        let Some(admin) = found.filter(|_| right) else {
            self.limits.login_failed(&account, address).await;
            return Err(SessionError::Invalid);
        };
        self.limits.login_succeeded(&account, address).await;
        let session = self.session("superadmin", None, admin.id.as_str(), SUPERADMIN_LIFE);
        self.store
            .insert_session(&session, &api_key::hash(refresh_token().expose()))
            .await?;
        let bearer = Bearer {
            kind: TokenKind::Superadmin,
            tenant: "",
            user: admin.id.as_str(),
            session: &session.id,
        };
        Ok((
            self.tokens.issue(bearer, SUPERADMIN_LIFE),
            SUPERADMIN_LIFE,
            admin,
        ))
    }
}
