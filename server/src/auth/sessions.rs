//! Room: logging in, refreshing, logging out. The same refusal, after the same time, for a wrong
//! key, user and password.

use std::net::IpAddr;
use std::time::Duration;

use shared::clock::Clock;
use shared::db::DbError;
use shared::id::{SessionId, TenantId, UserId};
use shared::seal::SealError;
use shared::secret::Secret;

use super::api_key;
use super::factors::{FactorError, FactorOwner, Factors};
use super::logins::{Logins, TenantGiven};
use super::password::PasswordError;
use super::token::{
    Bearer, SESSION_LIFE, SUPERADMIN_LIFE, TokenKind, Tokens, USER_LIFE, refresh_token,
};
use crate::store::Store;
use crate::store::accounts::{Superadmin, Tenant, TenantStatus, User, UserStatus};
use crate::store::audit::Actor;
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
    /// The password is right; a code of the second factor is missing.
    #[error("a code of the second factor is missing")]
    CodeMissing,
    /// The password is right; the tenant asks for a second factor and there is none.
    #[error("a second factor must be set up first")]
    FactorMissing,
    /// The second factor can't be read: the key that sealed it is not configured.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// Passwords can't be compared just now.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] DbError),
}

impl From<FactorError> for SessionError {
    fn from(error: FactorError) -> Self {
        match error {
            FactorError::Wrong | FactorError::AlreadyOn => Self::Invalid,
            FactorError::TooMany { retry_after } => Self::TooMany { retry_after },
            FactorError::Sealed(error) => Self::Sealed(error),
            FactorError::Store(error) => Self::Store(error),
        }
    }
}

/// What somebody shows to log in.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// Their name.
    pub username: &'a str,
    /// Their password.
    pub password: &'a Secret<String>,
    /// A code of their app, or a recovery code.
    pub code: Option<&'a Secret<String>>,
    /// From where.
    pub address: IpAddr,
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
    logins: Logins,
    factors: Factors,
    clock: Clock,
}

/// What [`Sessions`] needs.
#[derive(Debug)]
pub struct SessionsParts {
    /// Where sessions are kept.
    pub store: Store,
    /// What makes access tokens.
    pub tokens: Tokens,
    /// What checks names and passwords.
    pub logins: Logins,
    /// What checks codes.
    pub factors: Factors,
    /// Time.
    pub clock: Clock,
}

impl Sessions {
    /// From its parts.
    pub fn new(parts: SessionsParts) -> Self {
        let SessionsParts {
            store,
            tokens,
            logins,
            factors,
            clock,
        } = parts;
        Self {
            store,
            tokens,
            logins,
            factors,
            clock,
        }
    }

    /// Logs a tenant's user in with the tenant's key.
    pub async fn log_in(
        &self,
        key: &Secret<String>,
        shown: Shown<'_>,
    ) -> Result<LoggedIn, SessionError> {
        let (user, tenant) = self
            .logins
            .user(
                TenantGiven::Key(key),
                shown.username,
                shown.password,
                shown.address,
            )
            .await?;
        let actor = Actor::user(&user, shown.address);
        let passed = self.second_factor(&actor, Some(&tenant.id), shown).await?;
        if !passed && self.factors.is_needed(&user).await? {
            return Err(SessionError::FactorMissing);
        }
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

    /// Whoever has a second factor shows a code of it; told only behind the right password. Answers
    /// whether they have one.
    async fn second_factor(
        &self,
        actor: &Actor,
        tenant: Option<&TenantId>,
        shown: Shown<'_>,
    ) -> Result<bool, SessionError> {
        if !self.factors.is_on(&actor.id).await? {
            return Ok(false);
        }
        let code = shown.code.ok_or(SessionError::CodeMissing)?;
        let owner = FactorOwner { actor, tenant };
        let checked = self.factors.check(owner, code.expose(), shown.address);
        checked.await?;
        Ok(true)
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
        shown: Shown<'_>,
    ) -> Result<(String, Duration, Superadmin), SessionError> {
        let admin = self
            .logins
            .superadmin(shown.username, shown.password, shown.address)
            .await?;
        let actor = Actor::superadmin(&admin, shown.address);
        self.second_factor(&actor, None, shown).await?;
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
