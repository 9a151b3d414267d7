//! Room: logging in, refreshing, logging out. The same refusal, after the same time, for a wrong
//! key, user and password.

mod failed;
pub mod login_steps;
pub mod logins;
pub mod stages;
mod superadmins;

use std::net::IpAddr;
use std::time::Duration;

use server_store::Store;
use server_store::accounts::{Superadmin, Tenant, TenantStatus, User, UserStatus};
use server_store::audit::Actor;
pub use server_store::sessions::Session;
use server_store::sessions::TokenRotation;
use server_store::web_sessions::Ending;
use shared::clock::Clock;
use shared::db::DbError;
use shared::id::{SessionId, TenantId, UserId};
use shared::seal::SealError;
use shared::secret::Secret;

use self::logins::{Logins, TenantGiven};
use self::stages::{Comer, Stage, Stages};
use crate::accounts::{AccountError, Accounts};
use crate::auth::api_key;
use crate::auth::factors::{FactorError, FactorOwner, Factors};
use crate::auth::password::PasswordError;
use crate::auth::token::{Bearer, SESSION_LIFE, TokenKind, Tokens, USER_LIFE, refresh_token};
use crate::settings::Settings;

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
    /// The password is right; it was made by somebody else and must be changed.
    #[error("a password of one's own must be chosen first")]
    PasswordGiven,
    /// The password is right; a second factor is asked for and there is none.
    #[error("a second factor must be set up first")]
    FactorMissing,
    /// The login does not ask for this.
    #[error("the login is at another step")]
    OtherStep,
    /// The password that was made for somebody can't be the one they choose.
    #[error("the password is the one that was given")]
    SamePassword,
    /// The new name or password.
    #[error(transparent)]
    Account(#[from] AccountError),
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
            FactorError::Wrong => Self::Invalid,
            FactorError::AlreadyOn => Self::OtherStep,
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

/// What a superadmin's login brings.
#[derive(Debug)]
pub struct AdminLoggedIn {
    /// The access token.
    pub token: Secret<String>,
    /// How long it lasts.
    pub expires_in: Duration,
    /// Who.
    pub admin: Superadmin,
}

/// Logs people in and out; cheap to clone. `login_steps` has the steps before a login is complete.
#[derive(Debug, Clone)]
pub struct Sessions {
    store: Store,
    tokens: Tokens,
    logins: Logins,
    factors: Factors,
    stages: Stages,
    settings: Settings,
    accounts: Accounts,
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
    /// What logins ask for.
    pub stages: Stages,
    /// How long sessions last.
    pub settings: Settings,
    /// What changes passwords.
    pub accounts: Accounts,
    /// Time.
    pub clock: Clock,
}

impl Sessions {
    /// From its parts.
    pub fn new(parts: SessionsParts) -> Self {
        Self {
            store: parts.store,
            tokens: parts.tokens,
            logins: parts.logins,
            factors: parts.factors,
            stages: parts.stages,
            settings: parts.settings,
            accounts: parts.accounts,
            clock: parts.clock,
        }
    }

    /// Logs a tenant's user in with the tenant's key.
    pub async fn log_in(
        &self,
        key: &Secret<String>,
        shown: Shown<'_>,
    ) -> Result<LoggedIn, SessionError> {
        let (user, tenant) = self.user(key, shown).await?;
        let actor = Actor::user(&user, shown.address);
        let owner = FactorOwner {
            actor: &actor,
            tenant: Some(&tenant.id),
        };
        self.pass(Comer::User(&user), owner, shown).await?;
        self.let_in(user, tenant, shown.address).await
    }

    async fn user(
        &self,
        key: &Secret<String>,
        shown: Shown<'_>,
    ) -> Result<(User, Tenant), SessionError> {
        let (username, password) = (shown.username, shown.password);
        let given = TenantGiven::Key(key);
        let found = self.logins.user(given, username, password, shown.address);
        found.await
    }

    /// Begins the session of a user whose login is complete.
    async fn let_in(
        &self,
        user: User,
        tenant: Tenant,
        address: IpAddr,
    ) -> Result<LoggedIn, SessionError> {
        let refresh = refresh_token();
        let session = Session {
            tenant_id: Some(tenant.id.to_string()),
            address: Some(address.to_string()),
            ..self.session("tenant_user", user.id.as_str(), SESSION_LIFE)
        };
        self.store
            .insert_session(&session, &api_key::hash(refresh.expose()))
            .await?;
        Ok(self.logged_in(&session.id, user, tenant, refresh))
    }

    /// Goes through the steps that a login asks for, or answers the one that is open. A given
    /// password is told before a code is used up, which would be needed again.
    async fn pass(
        &self,
        who: Comer<'_>,
        owner: FactorOwner<'_>,
        shown: Shown<'_>,
    ) -> Result<(), SessionError> {
        let afterwards = self.stages.next(who, true).await?;
        if afterwards == Stage::NewPassword {
            return Err(SessionError::PasswordGiven);
        }
        if self.stages.next(who, false).await? == Stage::SecondFactor {
            let code = shown.code.ok_or(SessionError::CodeMissing)?;
            let checked = self.factors.check(owner, code.expose(), shown.address);
            checked.await?;
        }
        match afterwards {
            Stage::Open => Ok(()),
            Stage::NewPassword => Err(SessionError::PasswordGiven),
            Stage::FactorSetup => Err(SessionError::FactorMissing),
            Stage::SecondFactor => Err(SessionError::CodeMissing),
        }
    }

    fn session(&self, kind: &str, subject: &str, life: Duration) -> Session {
        let now = self.clock.now();
        Session {
            id: SessionId::random().into_string(),
            kind: kind.to_owned(),
            tenant_id: None,
            subject_id: subject.to_owned(),
            created_at: now.unix_ms(),
            expires_at: now.after(life).unix_ms(),
            revoked_at: None,
            address: None,
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
            TokenRotation::Rotated(session) => session,
            TokenRotation::Reused => {
                tracing::warn!("a used refresh token was shown again; its session is ended");
                return Err(SessionError::Invalid);
            }
            TokenRotation::Refused => return Err(SessionError::Invalid),
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

    /// A person's logins over the API that have not ended, the newest first.
    pub async fn list(&self, subject: &str) -> Result<Vec<Session>, DbError> {
        self.store.sessions_of(subject, self.clock.now()).await
    }

    /// Ends one login of the person who asks; `false` when they have none of that id. Answers go on
    /// to be refused everywhere within a second.
    pub async fn end(&self, owner: FactorOwner<'_>, id: &SessionId) -> Result<bool, DbError> {
        let ending = Ending {
            actor: owner.actor,
            tenant: owner.tenant,
            action: "session.end",
        };
        let subject = owner.actor.id.as_str();
        let now = self.clock.now();
        let ended = self.store.revoke_sessions(ending, subject, Some(id), now);
        Ok(ended.await? > 0)
    }
}
