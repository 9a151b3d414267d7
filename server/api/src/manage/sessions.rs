//! Logging in, refreshing, logging out.

pub mod bodies;

use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use server_rooms::auth::Auth;
use server_rooms::auth::factors::FactorOwner;
use server_rooms::sessions::{SessionError, Sessions};

use self::bodies::{
    FactorDraftView, FactorSetUpView, LogInBody, LoginView, RefreshBody, SessionView, codes,
    login_of, secret,
};
use super::Page;
use crate::answer::Deleted;
use crate::error::ApiError;
use crate::principal::{Peer, TenantCaller};

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
                "Choose your own password first: POST it to the login's /password.",
            ),
            SessionError::FactorMissing => Self::forbidden(
                "second_factor_needed",
                "Set up two-factor sign-in first: POST to the login's /factor, then to /factor/confirm.",
            ),
            SessionError::OtherStep => Self::conflict(
                "not_this_step",
                "The login is not at this step; log in again.",
            ),
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

    /// Start two-factor setup
    ///
    /// For a login that returned `second_factor_needed`; returns the same secret until it is confirmed.
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

    /// Confirm two-factor setup and log in
    ///
    /// With a `code` from the app that has the secret. Returns recovery codes; they cannot be retrieved
    /// later.
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
    /// The caller's own API logins that have not ended, newest first.
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
    /// Returns a new pair; the refresh token that was sent becomes invalid. Sending it again ends the
    /// session.
    #[oai(path = "/refresh", method = "post", operation_id = "refresh_session")]
    async fn refresh(&self, body: Json<RefreshBody>) -> Result<Json<SessionView>, ApiError> {
        let token = secret("refresh_token", body.0.refresh_token)?;
        Ok(Json(self.sessions.refresh(&token).await?.into()))
    }

    /// Log out
    ///
    /// Ends the session of the refresh token, with all of its tokens.
    #[oai(path = "/logout", method = "post", operation_id = "log_out")]
    async fn log_out(&self, body: Json<RefreshBody>) -> Result<Deleted, ApiError> {
        let token = secret("refresh_token", body.0.refresh_token)?;
        if let Some(tenant) = self.sessions.log_out(&token).await? {
            self.auth.forget(&tenant);
        }
        Ok(Deleted::Done)
    }
}
