//! Superadmins log in.

use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use crate::api::error::ApiError;
use crate::api::manage::sessions::secret;
use crate::api::principal::Peer;
use crate::auth::sessions::{Sessions, Shown};

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

/// Sessions of superadmins.
#[derive(Debug, Clone)]
pub struct AdminLoginApi {
    /// The room.
    pub sessions: Sessions,
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::api::Tag::Sessions")]
impl AdminLoginApi {
    /// Log in as a superadmin
    #[oai(path = "/login", method = "post", operation_id = "admin_log_in")]
    async fn log_in(
        &self,
        peer: Peer,
        body: Json<AdminLogInBody>,
    ) -> Result<Json<AdminSessionView>, ApiError> {
        let (username, password) = (
            secret("username", body.0.username)?,
            secret("password", body.0.password)?,
        );
        let code = body.0.code.map(|code| secret("code", code)).transpose()?;
        let shown = Shown {
            username: username.expose(),
            password: &password,
            code: code.as_ref(),
            address: peer.0,
        };
        let (token, life, admin) = self.sessions.log_in_superadmin(shown).await?;
        let user = SuperadminView {
            id: admin.id.into_string(),
            username: admin.username,
            role: admin.role.word().to_owned(),
        };
        Ok(Json(AdminSessionView {
            token,
            expires_in: life.as_secs(),
            user,
        }))
    }
}
