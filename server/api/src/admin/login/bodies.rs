//! Superadmins' logins as they are sent and shown.

use poem_openapi::Object;
use server_rooms::sessions::AdminLoggedIn;

use crate::error::ApiError;
use crate::manage::sessions::bodies::{Typed, secret};

/// A superadmin's name and password.
#[derive(Object)]
#[expect(missing_debug_implementations, reason = "holds a secret")]
#[oai(deny_unknown_fields)]
pub struct AdminLogInBody {
    /// `admin` is the first one.
    pub username: String,
    /// The password.
    pub password: String,
    /// A code of their app, or a recovery code; needed where there is a second factor.
    pub code: Option<String>,
}

/// A password of one's own, instead of the one that was given.
#[derive(Object)]
#[expect(missing_debug_implementations, reason = "holds a secret")]
#[oai(deny_unknown_fields)]
pub struct AdminPasswordBody {
    /// `admin` is the first one.
    pub username: String,
    /// The password that was given.
    pub password: String,
    /// A code of their app, or a recovery code; needed where there is a second factor.
    pub code: Option<String>,
    /// The password they choose.
    pub new_password: String,
    /// Another name, if they want one.
    pub new_username: Option<String>,
}

/// A superadmin.
#[derive(Debug, Clone, Object)]
pub struct SuperadminView {
    /// Their id.
    pub id: String,
    /// Their name.
    pub username: String,
    /// `owner`, `operator`, `finance` or `read_only`.
    pub role: String,
}

/// What a superadmin's login brings.
#[derive(Object)]
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct AdminSessionView {
    /// Send it as `Authorization: Bearer`.
    pub token: String,
    /// Seconds until it ends.
    pub expires_in: u64,
    /// Who is logged in.
    pub user: SuperadminView,
}

impl From<AdminLoggedIn> for AdminSessionView {
    fn from(logged_in: AdminLoggedIn) -> Self {
        let admin = logged_in.admin;
        Self {
            token: logged_in.token.expose().clone(),
            expires_in: logged_in.expires_in.as_secs(),
            user: SuperadminView {
                id: admin.id.into_string(),
                username: admin.username,
                role: admin.role.word().to_owned(),
            },
        }
    }
}

/// A second factor that is in force, and the login that is complete with it.
#[derive(Object)]
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct AdminFactorSetUpView {
    /// Each logs in once without the app; shown this once.
    pub recovery_codes: Vec<String>,
    /// The login.
    pub session: AdminSessionView,
}

impl AdminLogInBody {
    pub(super) fn read(self) -> Result<Typed, ApiError> {
        Ok(Typed {
            username: secret("username", self.username)?,
            password: secret("password", self.password)?,
            code: self.code.map(|code| secret("code", code)).transpose()?,
        })
    }
}
