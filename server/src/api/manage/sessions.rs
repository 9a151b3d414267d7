//! Logging in, refreshing, logging out.

use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use shared::secret::Secret;

use crate::api::answer::Deleted;
use crate::api::date;
use crate::api::error::ApiError;
use crate::api::principal::Peer;
use crate::auth::Auth;
use crate::auth::sessions::{LoggedIn, SessionError, Sessions, Shown};
use crate::store::accounts::{Tenant, User};

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
            SessionError::FactorMissing => Self::forbidden(
                "second_factor_needed",
                "Your tenant asks for a second factor: sign in to the portal and set one up.",
            ),
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

/// Sessions of tenants' users.
#[derive(Debug, Clone)]
pub struct SessionsApi {
    /// The room.
    pub sessions: Sessions,
    /// Forgets who logged out.
    pub auth: Auth,
}

#[OpenApi(prefix_path = "/api/v1/auth", tag = "crate::api::Tag::Sessions")]
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
        let (key, password) = (
            secret("apiKey", body.0.api_key)?,
            secret("password", body.0.password)?,
        );
        let username = secret("username", body.0.username)?;
        let code = body.0.code.map(|code| secret("code", code)).transpose()?;
        let shown = Shown {
            username: username.expose(),
            password: &password,
            code: code.as_ref(),
            address: peer.0,
        };
        let logged_in = self.sessions.log_in(&key, shown).await?;
        Ok(Json(logged_in.into()))
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
