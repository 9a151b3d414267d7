//! Logging in, refreshing, logging out.

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_edge::date;
use server_rooms::accounts::{Tenant, User};
use server_rooms::auth::Auth;
use server_rooms::auth::factors::{Draft, FactorOwner};
use server_rooms::sessions::{LoggedIn, Session, SessionError, Sessions, Shown};
use shared::clock::Moment;
use shared::id::SessionId;
use shared::secret::Secret;

use super::Page;
use crate::answer::Deleted;
use crate::error::ApiError;
use crate::principal::{Peer, TenantCaller};

/// Longer fields are not read.
const FIELD_BYTES_MAX: usize = 512;

/// A tenant's user logs in with a key of the tenant.
#[derive(Object)]
#[expect(missing_debug_implementations, reason = "holds a secret")]
#[oai(deny_unknown_fields)]
pub struct LogInBody {
    /// A key of the tenant.
    #[oai(rename = "apiKey")]
    pub api_key: String,
    /// The user's name.
    pub username: String,
    /// The user's password.
    pub password: String,
    /// A code of the user's app, or a recovery code; needed where there is a second factor.
    pub code: Option<String>,
}

/// A refresh token.
#[derive(Object)]
#[expect(missing_debug_implementations, reason = "holds a secret")]
#[oai(deny_unknown_fields)]
pub struct RefreshBody {
    /// From the last login or refresh; good once.
    pub refresh_token: String,
}

/// A user as the tenant sees them.
#[derive(Debug, Clone, Object)]
pub struct UserView {
    /// Their id.
    pub id: String,
    /// Their tenant.
    pub tenant_id: String,
    /// Their name.
    pub username: String,
    /// `owner`, `admin` or `member`.
    pub role: String,
    /// `active` or `disabled`.
    pub status: String,
    /// When they were added, in RFC 3339.
    pub created_at: String,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id.into_string(),
            tenant_id: user.tenant.into_string(),
            username: user.username,
            role: user.role.word().to_owned(),
            status: user.status.word().to_owned(),
            created_at: date::text(user.created_at),
        }
    }
}

/// A tenant as its own people see it.
#[derive(Debug, Clone, Object)]
pub struct OwnTenantView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `active`.
    pub status: String,
}

impl From<Tenant> for OwnTenantView {
    fn from(tenant: Tenant) -> Self {
        Self {
            id: tenant.id.into_string(),
            name: tenant.name,
            status: tenant.status.word().to_owned(),
        }
    }
}

/// What a login brings.
#[derive(Object)]
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct SessionView {
    /// Send it as `Authorization: Bearer`.
    pub token: String,
    /// Exchange it for the next pair before the token ends.
    pub refresh_token: String,
    /// Seconds until the token ends.
    pub expires_in: u64,
    /// Who is logged in.
    pub user: UserView,
    /// Where.
    pub tenant: OwnTenantView,
}

impl From<LoggedIn> for SessionView {
    fn from(logged_in: LoggedIn) -> Self {
        Self {
            token: logged_in.token.expose().clone(),
            refresh_token: logged_in.refresh_token.expose().clone(),
            expires_in: logged_in.expires_in.as_secs(),
            user: logged_in.user.into(),
            tenant: logged_in.tenant.into(),
        }
    }
}

impl From<SessionError> for ApiError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Invalid => Self::unauthorized(),
            SessionError::TooMany { retry_after } => {
                let seconds = u64::try_from(retry_after.as_millis().div_ceil(1_000))
                    .unwrap_or(1)
                    .max(1);
                Self::too_many(
                    "too_many_attempts",
                    format!("Too many attempts to log in. Try again in {seconds} s."),
                    seconds,
                )
            }
            SessionError::CodeMissing => Self::code_missing(),
            SessionError::PasswordGiven => Self::forbidden(
                "password_change_required",
                "Choose a password of your own first: POST it to the login's /password.",
            ),
            SessionError::FactorMissing => Self::forbidden(
                "second_factor_needed",
                "Set a second factor up first: POST to the login's /factor, then to /factor/confirm.",
            ),
            SessionError::OtherStep => {
                Self::conflict("not_this_step", "The login does not ask for this; log in.")
            }
            SessionError::SamePassword => Self::bad_field(
                "new_password",
                "`new_password` must be another one than the one that was given.",
            ),
            SessionError::Account(error) => error.into(),
            SessionError::Sealed(error) => {
                tracing::error!(%error, "a second factor could not be read: {error}");
                Self::internal()
            }
            SessionError::Password(error) => {
                tracing::error!(%error, "a password could not be compared: {error}");
                Self::internal()
            }
            SessionError::Store(error) => error.into(),
        }
    }
}

/// A field of a login as a secret, unless it is absurdly long.
pub fn secret(field: &str, text: String) -> Result<Secret<String>, ApiError> {
    if text.len() > FIELD_BYTES_MAX {
        return Err(ApiError::bad_field(
            field,
            format!("`{field}` is longer than {FIELD_BYTES_MAX} bytes."),
        ));
    }
    Ok(Secret::new(text))
}

/// A second factor that is being set up.
#[derive(Object)]
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct FactorDraftView {
    /// For a QR code: `otpauth://totp/…`.
    pub uri: String,
    /// For typing into an app.
    pub secret: String,
}

impl From<Draft> for FactorDraftView {
    fn from(draft: Draft) -> Self {
        Self {
            uri: draft.uri.expose().clone(),
            secret: draft.letters.expose().clone(),
        }
    }
}

/// Recovery codes as texts.
pub fn codes(codes: &[Secret<String>]) -> Vec<String> {
    codes.iter().map(|code| code.expose().clone()).collect()
}

/// A second factor that is in force, and the login that is complete with it.
#[derive(Object)]
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct FactorSetUpView {
    /// Each logs in once without the app; shown this once.
    pub recovery_codes: Vec<String>,
    /// The login.
    pub session: SessionView,
}

/// A login over the API.
#[derive(Debug, Clone, Object)]
pub struct LoginView {
    /// Its id.
    pub id: String,
    /// From where; absent for old ones.
    pub address: Option<String>,
    /// When it began, in RFC 3339.
    pub created_at: String,
    /// When it ends, in RFC 3339.
    pub expires_at: String,
}

impl From<Session> for LoginView {
    fn from(session: Session) -> Self {
        Self {
            id: session.id,
            address: session.address,
            created_at: date::text(Moment::from_unix_ms(session.created_at)),
            expires_at: date::text(Moment::from_unix_ms(session.expires_at)),
        }
    }
}

/// The login of a path; what is no id is no login.
pub fn login_of(text: &str) -> Result<SessionId, ApiError> {
    text.parse().map_err(|_| ApiError::not_found("session"))
}

/// What people type at each step of a login.
pub(crate) struct Typed {
    pub(crate) username: Secret<String>,
    pub(crate) password: Secret<String>,
    pub(crate) code: Option<Secret<String>>,
}

impl Typed {
    pub(crate) fn shown(&self, peer: Peer) -> Shown<'_> {
        Shown {
            username: self.username.expose(),
            password: &self.password,
            code: self.code.as_ref(),
            address: peer.0,
        }
    }
}

impl LogInBody {
    /// The tenant's key, and what the person typed.
    fn read(self) -> Result<(Secret<String>, Typed), ApiError> {
        let key = secret("apiKey", self.api_key)?;
        let typed = Typed {
            password: secret("password", self.password)?,
            username: secret("username", self.username)?,
            code: self.code.map(|code| secret("code", code)).transpose()?,
        };
        Ok((key, typed))
    }
}

/// Sessions of tenants' users.
#[derive(Debug, Clone)]
pub struct SessionsApi {
    /// The room.
    pub sessions: Sessions,
    /// Forgets who logged out.
    pub auth: Auth,
}

#[OpenApi(prefix_path = "/api/v1/auth", tag = "crate::Tag::Sessions")]
impl SessionsApi {
    /// Log in
    ///
    /// The same 401, after the same time, for an unknown key, user or password.
    #[oai(path = "/login", method = "post", operation_id = "log_in")]
    async fn log_in(
        &self,
        peer: Peer,
        body: Json<LogInBody>,
    ) -> Result<Json<SessionView>, ApiError> {
        let (key, typed) = body.0.read()?;
        let logged_in = self.sessions.log_in(&key, typed.shown(peer));
        Ok(Json(logged_in.await?.into()))
    }

    /// Begin to set a second factor up
    ///
    /// For a login that answers `second_factor_needed`; the same secret until it is confirmed.
    #[oai(
        path = "/login/factor",
        method = "post",
        operation_id = "draft_second_factor"
    )]
    async fn draft(
        &self,
        peer: Peer,
        body: Json<LogInBody>,
    ) -> Result<Json<FactorDraftView>, ApiError> {
        let (key, typed) = body.0.read()?;
        let draft = self.sessions.draft(&key, typed.shown(peer));
        Ok(Json(draft.await?.into()))
    }

    /// Confirm a second factor and log in
    ///
    /// With a `code` of the app that has the secret. Answers recovery codes, which are shown this once.
    #[oai(
        path = "/login/factor/confirm",
        method = "post",
        operation_id = "confirm_second_factor"
    )]
    async fn set_up(
        &self,
        peer: Peer,
        body: Json<LogInBody>,
    ) -> Result<Json<FactorSetUpView>, ApiError> {
        let (key, typed) = body.0.read()?;
        let done = self.sessions.set_up(&key, typed.shown(peer)).await?;
        Ok(Json(FactorSetUpView {
            recovery_codes: codes(&done.codes),
            session: done.login.into(),
        }))
    }

    /// List logins
    ///
    /// The caller's own over the API that have not ended, newest first.
    #[oai(path = "/sessions", method = "get", operation_id = "list_sessions")]
    async fn list(&self, caller: TenantCaller) -> Result<Json<Page<LoginView>>, ApiError> {
        // A key has none.
        let logins = match &caller.who.user {
            Some(user) => self.sessions.list(user.as_str()).await?,
            None => Vec::new(),
        };
        Ok(Json(Page::whole(logins)))
    }

    /// End a login
    ///
    /// Its tokens are refused everywhere within a second.
    #[oai(
        path = "/sessions/:id",
        method = "delete",
        operation_id = "end_session"
    )]
    async fn end(&self, caller: TenantCaller, id: Path<String>) -> Result<Deleted, ApiError> {
        let id = login_of(&id.0)?;
        let actor = caller.actor();
        let owner = FactorOwner {
            actor: &actor,
            tenant: Some(&caller.who.tenant),
        };
        if !self.sessions.end(owner, &id).await? {
            return Err(ApiError::not_found("session"));
        }
        self.auth.forget(&caller.who.tenant);
        Ok(Deleted::Done)
    }

    /// Refresh a session
    ///
    /// Answers a new pair; the refresh token that was sent is used up. Sending it again ends the session.
    #[oai(path = "/refresh", method = "post", operation_id = "refresh_session")]
    async fn refresh(&self, body: Json<RefreshBody>) -> Result<Json<SessionView>, ApiError> {
        let token = secret("refresh_token", body.0.refresh_token)?;
        Ok(Json(self.sessions.refresh(&token).await?.into()))
    }

    /// Log out
    ///
    /// Ends the session of the refresh token, with every token of it.
    #[oai(path = "/logout", method = "post", operation_id = "log_out")]
    async fn log_out(&self, body: Json<RefreshBody>) -> Result<Deleted, ApiError> {
        let token = secret("refresh_token", body.0.refresh_token)?;
        if let Some(tenant) = self.sessions.log_out(&token).await? {
            self.auth.forget(&tenant);
        }
        Ok(Deleted::Done)
    }
}
