//! Superadmins log in: the same steps and the same refusals, and sessions of their own kind.

use std::net::IpAddr;

use server_store::accounts::Superadmin;
use server_store::audit::Actor;
use server_store::sessions::Session;
use shared::secret::Secret;

use super::stages::Comer;
use super::{AdminLoggedIn, SessionError, Sessions, Shown};
use crate::auth::api_key;
use crate::auth::factors::FactorOwner;
use crate::auth::token::{Bearer, SUPERADMIN_LIFE, TokenKind, refresh_token};
use crate::settings::Security;

impl Sessions {
    /// Logs a superadmin in.
    pub async fn log_in_superadmin(&self, shown: Shown<'_>) -> Result<AdminLoggedIn, SessionError> {
        let admin = self.superadmin(shown).await?;
        let actor = Actor::superadmin(&admin, shown.address);
        let owner = FactorOwner {
            actor: &actor,
            tenant: None,
        };
        self.pass(Comer::Superadmin(&admin), owner, shown).await?;
        self.let_superadmin_in(admin, shown.address).await
    }

    pub(super) async fn superadmin(&self, shown: Shown<'_>) -> Result<Superadmin, SessionError> {
        let (username, password) = (shown.username, shown.password);
        let found = self.logins.superadmin(username, password, shown.address);
        found.await
    }

    /// Begins the session of a superadmin whose login is complete.
    pub(super) async fn let_superadmin_in(
        &self,
        admin: Superadmin,
        address: IpAddr,
    ) -> Result<AdminLoggedIn, SessionError> {
        let security: Security = self.settings.get().await?;
        let life = SUPERADMIN_LIFE.min(security.absolute());
        let session = Session {
            address: Some(address.to_string()),
            ..self.session("superadmin", admin.id.as_str(), life)
        };
        self.store
            .insert_session(&session, &api_key::hash(refresh_token().expose()))
            .await?;
        let bearer = Bearer {
            kind: TokenKind::Superadmin,
            tenant: "",
            user: admin.id.as_str(),
            session: &session.id,
        };
        Ok(AdminLoggedIn {
            token: Secret::new(self.tokens.issue(bearer, life)),
            expires_in: life,
            admin,
        })
    }
}
