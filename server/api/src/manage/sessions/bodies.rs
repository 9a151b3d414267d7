//! Logins as they are sent and shown, step by step.

use poem_openapi::Object;
use server_edge::date;
use server_rooms::accounts::{Tenant, User};
use server_rooms::auth::factors::Draft;
use server_rooms::sessions::{LoggedIn, Session, Shown};
use shared::clock::Moment;
use shared::id::SessionId;
use shared::secret::Secret;

use crate::error::ApiError;
use crate::principal::Peer;

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
    pub(super) fn read(self) -> Result<(Secret<String>, Typed), ApiError> {
        let key = secret("apiKey", self.api_key)?;
        let typed = Typed {
            password: secret("password", self.password)?,
            username: secret("username", self.username)?,
            code: self.code.map(|code| secret("code", code)).transpose()?,
        };
        Ok((key, typed))
    }
}
