//! Room: sessions of browsers. Begins one at a login, always under a new id, and finds, lists and
//! ends them. `steps` logs people in, `account_security` changes a person's own security. Knows no cookie
//! and no form.
//!
//! A session and its person are read from the database each time: what was ended or shut out
//! anywhere is refused at once everywhere. People are few beside calls.

mod account_security;
mod beginning;
mod ending;
pub mod opened;
mod steps;

use std::net::IpAddr;
use std::time::Duration;

use server_store::Store;
use server_store::accounts::{Superadmin, Tenant, TenantStatus, User, UserStatus};
use server_store::audit::Actor;
pub use server_store::web_sessions::{PersonKind, Stage, WebSession};
use shared::clock::{Clock, Moment};
use shared::db::DbError;
use shared::id::{SuperadminId, TenantId, UserId};
use shared::secret::Secret;

pub use self::account_security::{AccountSecurity, Proof};
use self::opened::Opener;
pub use self::steps::{FirstStep, OwnPassword};
use crate::accounts::{AccountError, Accounts};
use crate::auth::api_key;
use crate::auth::factors::{FactorError, Factors};
use crate::sessions::SessionError;
use crate::sessions::logins::{Logins, Origin};
use crate::sessions::stages::{Comer, Stages};
use crate::settings::{Security, Settings};

/// Characters of `[a-z0-9]` in a cookie: 222 bits.
const COOKIE_CHARS: usize = 43;
/// Characters of `[a-z0-9]` in a session's form token: 165 bits.
const CSRF_CHARS: usize = 32;
/// A login that is not complete ends after this.
const STEP_LIFE: Duration = Duration::from_secs(15 * 60);
/// A session's use is written down at most this often.
const TOUCH_EVERY: Duration = Duration::from_secs(60);
/// After proving to be the one who logged in, a person is not asked again for this long.
const CONFIRMED_FOR: Duration = Duration::from_secs(10 * 60);
/// What a browser says of itself is cut here.
const AGENT_CHARS_MAX: usize = 300;

/// Why a person did not get where they wanted.
#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    /// The login or the password.
    #[error(transparent)]
    Login(#[from] SessionError),
    /// The code.
    #[error(transparent)]
    Factor(#[from] FactorError),
    /// The new name or password.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The password that was made for somebody can't be the one they choose.
    #[error("the password is the one that was given")]
    SamePassword,
    /// The login is at another step.
    #[error("the login is at another step")]
    OtherStep,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] DbError),
}

/// Where a request comes from.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its address.
    pub address: IpAddr,
    /// The browser, as it says.
    pub agent: String,
    /// What the browser kept of a login before.
    pub device: Option<String>,
}

impl Client {
    fn origin(&self) -> Origin<'_> {
        Origin {
            address: self.address,
            device: self.device.as_deref(),
        }
    }

    fn agent(&self) -> String {
        self.agent
            .chars()
            .filter(|c| !c.is_control())
            .take(AGENT_CHARS_MAX)
            .collect()
    }
}

/// Who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Person {
    /// Somebody who runs the platform.
    Superadmin(Superadmin),
    /// A user, and their tenant.
    User(User, Tenant),
}

impl Person {
    /// Their id.
    pub fn id(&self) -> &str {
        match self {
            Self::Superadmin(admin) => admin.id.as_str(),
            Self::User(user, _) => user.id.as_str(),
        }
    }

    /// Their name.
    pub fn username(&self) -> &str {
        match self {
            Self::Superadmin(admin) => &admin.username,
            Self::User(user, _) => &user.username,
        }
    }

    fn comer(&self) -> Comer<'_> {
        match self {
            Self::Superadmin(admin) => Comer::Superadmin(admin),
            Self::User(user, _) => Comer::User(user),
        }
    }

    /// As an authenticator app names them.
    fn account(&self) -> String {
        match self {
            Self::Superadmin(admin) => admin.username.clone(),
            Self::User(user, tenant) => format!("{}@{}", user.username, tenant.name),
        }
    }

    fn password_hash(&self) -> &str {
        match self {
            Self::Superadmin(admin) => &admin.password_hash,
            Self::User(user, _) => &user.password_hash,
        }
    }

    fn kind(&self) -> PersonKind {
        match self {
            Self::Superadmin(_) => PersonKind::Superadmin,
            Self::User(..) => PersonKind::TenantUser,
        }
    }

    /// The tenant of a user.
    pub fn tenant(&self) -> Option<&TenantId> {
        match self {
            Self::Superadmin(_) => None,
            Self::User(_, tenant) => Some(&tenant.id),
        }
    }

    /// As the audit log names them.
    pub fn actor(&self, address: IpAddr) -> Actor {
        match self {
            Self::Superadmin(admin) => Actor::superadmin(admin, address),
            Self::User(user, _) => Actor::user(user, address),
        }
    }
}

/// A session with its person.
#[derive(Debug, Clone)]
pub struct BrowserSession {
    /// The session.
    pub session: WebSession,
    /// Who.
    pub person: Person,
    /// The superadmin who looks at the portal as that person; absent where they came themselves.
    pub opener: Option<Opener>,
}

impl BrowserSession {
    /// Whether nothing is asked for any more.
    pub fn is_in(&self) -> bool {
        self.session.stage == Stage::Open
    }

    /// Whether the person proved a short while ago to be the one who logged in.
    pub fn is_confirmed(&self, now: Moment) -> bool {
        let at = self.session.confirmed_at;
        at.is_some_and(|at| now.since(at) < CONFIRMED_FOR)
    }
}

/// Whether a text can be a cookie of ours.
fn is_cookie(text: &str) -> bool {
    text.len() == COOKIE_CHARS && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A session that just began.
#[derive(Debug)]
pub struct NewSession {
    /// For the cookie; known to nobody else.
    pub cookie: Secret<String>,
    /// What the browser keeps to be known again, after a name and a password.
    pub device: Option<Secret<String>>,
    /// The session.
    pub browser: BrowserSession,
}

/// What [`BrowserSessions`] needs.
#[derive(Debug)]
pub struct BrowserParts {
    /// Where sessions are kept.
    pub store: Store,
    /// What checks names and passwords.
    pub logins: Logins,
    /// What checks codes.
    pub factors: Factors,
    /// What changes passwords.
    pub accounts: Accounts,
    /// What logins ask for.
    pub stages: Stages,
    /// How long sessions last.
    pub settings: Settings,
    /// Time.
    pub clock: Clock,
}

/// Sessions of browsers; cheap to clone.
#[derive(Debug, Clone)]
pub struct BrowserSessions {
    store: Store,
    logins: Logins,
    factors: Factors,
    accounts: Accounts,
    stages: Stages,
    settings: Settings,
    clock: Clock,
}

impl BrowserSessions {
    /// From its parts.
    pub fn new(parts: BrowserParts) -> Self {
        Self {
            store: parts.store,
            logins: parts.logins,
            factors: parts.factors,
            accounts: parts.accounts,
            stages: parts.stages,
            settings: parts.settings,
            clock: parts.clock,
        }
    }

    /// The session of a cookie with its person, unless it has ended or they were shut out. Its use
    /// is noted.
    pub async fn find(&self, cookie: &str) -> Result<Option<BrowserSession>, DbError> {
        if !is_cookie(cookie) {
            return Ok(None);
        }
        let Some(session) = self.store.web_session(&api_key::hash(cookie)).await? else {
            return Ok(None);
        };
        let now = self.clock.now();
        if session.expires_at <= now || session.idle_expires_at <= now {
            return Ok(None);
        }
        let Some(person) = self.person(&session).await? else {
            return Ok(None);
        };
        let session = self.touched(session, now).await?;
        Ok(Some(BrowserSession {
            session,
            person,
            opener: None,
        }))
    }

    async fn person(&self, session: &WebSession) -> Result<Option<Person>, DbError> {
        match (session.kind, &session.tenant) {
            (PersonKind::Superadmin, _) => {
                let id = SuperadminId::from_stored(session.subject.clone());
                let admin = self.store.superadmin(&id).await?;
                Ok(admin.filter(|admin| admin.active).map(Person::Superadmin))
            }
            (PersonKind::TenantUser, Some(tenant)) => {
                let id = UserId::from_stored(session.subject.clone());
                let found = self.user(tenant, &id).await?;
                Ok(found.map(|(user, tenant)| Person::User(user, tenant)))
            }
            (PersonKind::TenantUser, None) => Ok(None),
        }
    }

    /// A tenant's user who may sign in, and the tenant.
    async fn user(
        &self,
        tenant: &TenantId,
        id: &UserId,
    ) -> Result<Option<(User, Tenant)>, DbError> {
        let user = self.store.user(tenant, id).await?;
        let Some(user) = user.filter(|user| user.status == UserStatus::Active) else {
            return Ok(None);
        };
        let tenant = self.store.tenant(tenant).await?;
        let tenant = tenant.filter(|tenant| tenant.status == TenantStatus::Active);
        Ok(tenant.map(|tenant| (user, tenant)))
    }

    async fn touched(&self, session: WebSession, now: Moment) -> Result<WebSession, DbError> {
        if session.stage != Stage::Open || now.since(session.seen_at) < TOUCH_EVERY {
            return Ok(session);
        }
        let security: Security = self.settings.get().await?;
        let idle_expires_at = now.after(security.idle()).min(session.expires_at);
        self.store
            .touch_web_session(&session.id, now, idle_expires_at)
            .await?;
        Ok(WebSession {
            seen_at: now,
            idle_expires_at,
            ..session
        })
    }
}
