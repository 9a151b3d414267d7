//! Superadmins log in, step by step where more than a password is asked for, and out.

pub mod bodies;

use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use server_rooms::auth::factors::FactorOwner;
use server_rooms::sessions::Sessions;
use server_rooms::sessions::login_steps::Chosen;

use self::bodies::{AdminFactorSetUpView, AdminLogInBody, AdminPasswordBody, AdminSessionView};
use crate::answer::Deleted;
use crate::error::ApiError;
use crate::manage::Page;
use crate::manage::sessions::bodies::{FactorDraftView, LoginView, codes, login_of, secret};
use crate::principal::{Peer, SuperadminCaller};

/// Sessions of superadmins.
#[derive(Debug, Clone)]
pub struct AdminLoginApi {
    /// The room.
    pub sessions: Sessions,
}

impl AdminLoginApi {
    async fn ended(
        &self,
        caller: &SuperadminCaller,
        id: &shared::id::SessionId,
    ) -> Result<Deleted, ApiError> {
        let actor = caller.actor();
        let owner = FactorOwner {
            actor: &actor,
            tenant: None,
        };
        if self.sessions.end(owner, id).await? {
            Ok(Deleted::Done)
        } else {
            Err(ApiError::not_found("session"))
        }
    }
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Sessions")]
impl AdminLoginApi {
    /// Log in as a superadmin
    ///
    /// 401 `second_factor_required` asks for a `code`; 403 `password_change_required` and
    /// `second_factor_needed` name the step that comes first.
    #[oai(path = "/login", method = "post", operation_id = "admin_log_in")]
    async fn log_in(
        &self,
        peer: Peer,
        body: Json<AdminLogInBody>,
    ) -> Result<Json<AdminSessionView>, ApiError> {
        let typed = body.0.read()?;
        let logged_in = self.sessions.log_in_superadmin(typed.shown(peer));
        Ok(Json(logged_in.await?.into()))
    }

    /// Choose your own password and log in
    ///
    /// For a login that returned `password_change_required`.
    #[oai(
        path = "/login/password",
        method = "post",
        operation_id = "admin_choose_password"
    )]
    async fn choose_password(
        &self,
        peer: Peer,
        body: Json<AdminPasswordBody>,
    ) -> Result<Json<AdminSessionView>, ApiError> {
        let body = body.0;
        let password = secret("new_password", body.new_password)?;
        let given = AdminLogInBody {
            username: body.username,
            password: body.password,
            code: body.code,
        };
        let typed = given.read()?;
        let chosen = Chosen {
            password: &password,
            username: body.new_username.as_deref(),
        };
        let logged_in = self.sessions.choose_password(typed.shown(peer), chosen);
        Ok(Json(logged_in.await?.into()))
    }

    /// Start two-factor setup
    ///
    /// For a login that returned `second_factor_needed`; returns the same secret until it is confirmed.
    #[oai(
        path = "/login/factor",
        method = "post",
        operation_id = "admin_draft_second_factor"
    )]
    async fn draft(
        &self,
        peer: Peer,
        body: Json<AdminLogInBody>,
    ) -> Result<Json<FactorDraftView>, ApiError> {
        let typed = body.0.read()?;
        let draft = self.sessions.superadmin_draft(typed.shown(peer));
        Ok(Json(draft.await?.into()))
    }

    /// Confirm two-factor setup and log in
    ///
    /// With a `code` from the app that has the secret. Returns recovery codes; they cannot be retrieved
    /// later.
    #[oai(
        path = "/login/factor/confirm",
        method = "post",
        operation_id = "admin_confirm_second_factor"
    )]
    async fn set_up(
        &self,
        peer: Peer,
        body: Json<AdminLogInBody>,
    ) -> Result<Json<AdminFactorSetUpView>, ApiError> {
        let typed = body.0.read()?;
        let done = self.sessions.set_superadmin_up(typed.shown(peer)).await?;
        Ok(Json(AdminFactorSetUpView {
            recovery_codes: codes(&done.codes),
            session: done.login.into(),
        }))
    }

    /// Log out
    ///
    /// The token that was sent becomes invalid everywhere, immediately.
    #[oai(path = "/logout", method = "post", operation_id = "admin_log_out")]
    async fn log_out(&self, caller: SuperadminCaller) -> Result<Deleted, ApiError> {
        let id = caller.session.clone();
        self.ended(&caller, &id).await
    }

    /// List logins
    ///
    /// The caller's own API logins that have not ended, newest first.
    #[oai(
        path = "/sessions",
        method = "get",
        operation_id = "admin_list_sessions"
    )]
    async fn list(&self, caller: SuperadminCaller) -> Result<Json<Page<LoginView>>, ApiError> {
        let logins = self.sessions.list(caller.admin.id.as_str()).await?;
        Ok(Json(Page::whole(logins)))
    }

    /// End a login
    ///
    /// Its token becomes invalid everywhere, immediately.
    #[oai(
        path = "/sessions/:id",
        method = "delete",
        operation_id = "admin_end_session"
    )]
    async fn end(&self, caller: SuperadminCaller, id: Path<String>) -> Result<Deleted, ApiError> {
        self.ended(&caller, &login_of(&id.0)?).await
    }
}
