//! The sessions that a person has, and how they end: one, all others, or by logging out.

use std::collections::HashMap;
use std::net::IpAddr;

use server_store::audit::Actor;
use server_store::sessions::Session;
use server_store::web_sessions::{Ending, SessionPlace, WebSession};
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::SessionId;

use super::{BrowserSession, BrowserSessions, Person};
use crate::auth::factors::FactorOwner;

impl BrowserSessions {
    /// The sessions of a person, the one last used first.
    pub async fn sessions(&self, person: &Person) -> Result<Vec<WebSession>, DbError> {
        let now = self.clock.now();
        self.store.web_sessions_of(person.id(), now).await
    }

    /// When each of these people last used a session that has not ended.
    pub async fn last_seen(&self, ids: &[String]) -> Result<HashMap<String, Moment>, DbError> {
        self.store.web_sessions_seen(ids).await
    }

    /// Ends one of a person's sessions; `false` when they have none of that id.
    pub async fn end(
        &self,
        browser: &BrowserSession,
        id: &SessionId,
        address: IpAddr,
    ) -> Result<bool, DbError> {
        let person = &browser.person;
        let actor = person.actor(address);
        let ending = ending(&actor, person, "session.end");
        let subject = person.id();
        let place = SessionPlace { subject, id };
        let now = self.clock.now();
        if self.store.end_web_session(ending, place, now).await? {
            return Ok(true);
        }
        // It may be one of those over the API.
        let ended = self.store.revoke_sessions(ending, subject, Some(id), now);
        Ok(ended.await? > 0)
    }

    /// The logins of a person over the API that have not ended, the newest first.
    pub async fn api_logins(&self, person: &Person) -> Result<Vec<Session>, DbError> {
        let now = self.clock.now();
        self.store.sessions_of(person.id(), now).await
    }

    /// Ends the session itself.
    pub async fn log_out(&self, browser: &BrowserSession, address: IpAddr) -> Result<(), DbError> {
        self.end(browser, &browser.session.id, address)
            .await
            .map(drop)
    }

    /// Ends all of a person's sessions but this one; how many there were.
    pub async fn end_others(
        &self,
        browser: &BrowserSession,
        address: IpAddr,
    ) -> Result<usize, DbError> {
        let person = &browser.person;
        let actor = person.actor(address);
        let ending = ending(&actor, person, "session.end_others");
        let (subject, id) = (person.id(), &browser.session.id);
        let place = SessionPlace { subject, id };
        let now = self.clock.now();
        let browsers = self.store.end_other_web_sessions(ending, place, now);
        let browsers = browsers.await?;
        let logins = self.store.revoke_sessions(ending, subject, None, now);
        Ok(browsers + logins.await?)
    }
}

/// Why sessions of `person` end.
fn ending<'a>(actor: &'a Actor, person: &'a Person, action: &'static str) -> Ending<'a> {
    Ending {
        actor,
        tenant: person.tenant(),
        action,
    }
}

/// Whose second factor it is.
pub(super) fn owner<'a>(actor: &'a Actor, person: &'a Person) -> FactorOwner<'a> {
    FactorOwner {
        actor,
        tenant: person.tenant(),
    }
}
