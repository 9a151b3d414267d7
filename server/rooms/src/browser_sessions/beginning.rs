//! The beginning of a session: a new id, whatever there was before, and an entry that says who
//! came.

use server_store::web_sessions::{Stage, WebSession};
use shared::clock::Moment;
use shared::id::{SessionId, random_text};
use shared::secret::Secret;

use super::{
    BrowserError, BrowserSession, BrowserSessions, COOKIE_CHARS, CSRF_CHARS, Client, NewSession,
    Person, STEP_LIFE,
};
use crate::auth::api_key;
use crate::settings::Security;

/// What a new session takes the place of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Before<'a> {
    /// None.
    Nothing,
    /// One that ends with it.
    Ends(&'a WebSession),
    /// The same login under another id.
    GoesOn(&'a WebSession),
}

impl<'a> Before<'a> {
    pub(super) fn session(self) -> Option<&'a WebSession> {
        match self {
            Self::Nothing => None,
            Self::Ends(session) | Self::GoesOn(session) => Some(session),
        }
    }

    /// When the login that goes on ends; a login that was not complete does not say.
    pub(super) fn expires_at(self) -> Option<Moment> {
        match self {
            Self::Nothing | Self::Ends(_) => None,
            Self::GoesOn(session) => (session.stage == Stage::Open).then_some(session.expires_at),
        }
    }
}

impl BrowserSessions {
    /// Begins a session under a new id and ends the one it takes the place of.
    pub(super) async fn begin(
        &self,
        person: Person,
        stage: Stage,
        client: &Client,
        before: Before<'_>,
    ) -> Result<NewSession, BrowserError> {
        let (now, cookie) = (self.clock.now(), Secret::new(random_text(COOKIE_CHARS)));
        let (expires_at, idle_expires_at) = match stage {
            Stage::Open => {
                let security: Security = self.settings.get().await?;
                // The same login under a new id does not last longer for it.
                let whole = now.after(security.absolute());
                let expires_at = before.expires_at().unwrap_or(whole);
                (expires_at, now.after(security.idle()).min(expires_at))
            }
            Stage::SecondFactor | Stage::NewPassword | Stage::FactorSetup => {
                (now.after(STEP_LIFE), now.after(STEP_LIFE))
            }
        };
        let session = WebSession {
            id: SessionId::random(),
            kind: person.kind(),
            stage,
            tenant: person.tenant().cloned(),
            subject: person.id().to_owned(),
            created_at: now,
            seen_at: now,
            idle_expires_at,
            expires_at,
            address: client.address.to_string(),
            agent: client.agent(),
            csrf: Secret::new(random_text(CSRF_CHARS)),
            // Every way here begins with the password.
            confirmed_at: (stage == Stage::Open).then_some(now),
        };
        let actor = person.actor(client.address);
        let hash = api_key::hash(cookie.expose());
        let instead_of = before.session().map(|old| &old.id);
        let entered = stage == Stage::Open && before.expires_at().is_none();
        self.store
            .insert_web_session(&actor, &session, &hash, instead_of, entered)
            .await?;
        Ok(NewSession {
            cookie,
            device: None,
            browser: BrowserSession {
                session,
                person,
                opener: None,
            },
        })
    }
}
