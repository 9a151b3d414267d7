//! Logging in with a browser, step by step: name and password, code, own password. Each step ends
//! the session of the one before it.

use shared::secret::Secret;

use super::beginning::Before;
use super::ending::owner;
use super::{
    BrowserError, BrowserSession, BrowserSessions, Client, NewSession, Person, Stage, WebSession,
};
use crate::accounts::SuperadminChange;
use crate::sessions::SessionError;
use crate::sessions::logins::TenantGiven;

/// What somebody types to log in.
#[derive(Debug, Clone, Copy)]
pub struct FirstStep<'a> {
    /// A user's tenant, by name, id or key; superadmins have none.
    pub tenant: Option<&'a Secret<String>>,
    /// Their name.
    pub username: &'a str,
    /// Their password.
    pub password: &'a Secret<String>,
}

/// What somebody types to choose a password of their own.
#[derive(Debug, Clone, Copy)]
pub struct OwnPassword<'a> {
    /// The password that was made for them.
    pub given: &'a Secret<String>,
    /// The name they want; empty keeps it.
    pub username: &'a str,
    /// The password they want.
    pub password: &'a Secret<String>,
}

impl BrowserSessions {
    /// What is still asked for.
    async fn stage(&self, person: &Person, factor_passed: bool) -> Result<Stage, BrowserError> {
        Ok(self.stages.next(person.comer(), factor_passed).await?)
    }

    /// The first step: name and password. `before` is the session this browser had.
    pub async fn log_in(
        &self,
        step: FirstStep<'_>,
        client: &Client,
        before: Option<&WebSession>,
    ) -> Result<NewSession, BrowserError> {
        let FirstStep {
            tenant,
            username,
            password,
        } = step;
        let origin = client.origin();
        let (person, device) = if let Some(tenant) = tenant {
            let given = TenantGiven::typed(tenant);
            let found = self.logins.user(given, username, password, origin);
            let (user, tenant) = found.await?;
            let device = self.logins.user_device(given, &tenant.id, username);
            (Person::User(user, tenant), device)
        } else {
            let found = self.logins.superadmin(username, password, origin);
            let found = Person::Superadmin(found.await?);
            (found, self.logins.superadmin_device(username))
        };
        let stage = self.stage(&person, false).await?;
        let before = before.map_or(Before::Nothing, Before::Ends);
        let begun = self.begin(person, stage, client, before).await?;
        Ok(NewSession {
            device: Some(device),
            ..begun
        })
    }

    /// The second step: a code of the app, or a recovery code.
    pub async fn second_factor(
        &self,
        browser: &BrowserSession,
        code: &str,
        client: &Client,
    ) -> Result<NewSession, BrowserError> {
        if browser.session.stage != Stage::SecondFactor {
            return Err(BrowserError::OtherStep);
        }
        let person = browser.person.clone();
        let actor = person.actor(client.address);
        let checked = self
            .factors
            .check(owner(&actor, &person), code, client.address);
        checked.await?;
        let stage = self.stage(&person, true).await?;
        let before = Before::GoesOn(&browser.session);
        self.begin(person, stage, client, before).await
    }

    /// Whether the platform waits for its first superadmin to choose a password.
    pub async fn is_first_start(&self) -> Result<bool, BrowserError> {
        Ok(self.accounts.newcomer().await?.is_some())
    }

    /// A superadmin chooses a password of their own: somebody whose login asks for it, or without a
    /// login the first one, who shows the password that the first start printed.
    pub async fn choose_password(
        &self,
        browser: Option<&BrowserSession>,
        own: OwnPassword<'_>,
        client: &Client,
    ) -> Result<NewSession, BrowserError> {
        let OwnPassword {
            given,
            username,
            password,
        } = own;
        let asked = browser.filter(|browser| browser.session.stage == Stage::NewPassword);
        let admin = match asked.map(|browser| &browser.person) {
            Some(Person::Superadmin(admin)) => admin.clone(),
            Some(Person::User(..)) => return Err(BrowserError::OtherStep),
            None => {
                let newcomer = self.accounts.newcomer().await?;
                newcomer.ok_or(BrowserError::OtherStep)?
            }
        };
        let admin = self
            .logins
            .superadmin(&admin.username, given, client.origin())
            .await?;
        if given.matches(password.expose()) {
            return Err(BrowserError::SamePassword);
        }
        // The session of the step has passed the second factor; without it, one is still asked for.
        if asked.is_none() && self.factors.is_on(admin.id.as_str()).await? {
            return Err(SessionError::CodeMissing.into());
        }
        let change = SuperadminChange {
            username: Some(username.trim().to_owned()).filter(|name| !name.is_empty()),
            password: Some((password.clone(), false)),
            ..SuperadminChange::default()
        };
        let person = Person::Superadmin(admin.clone());
        let actor = person.actor(client.address);
        let changed = self.accounts.update_superadmin(&actor, &admin.id, change);
        let person = Person::Superadmin(changed.await?);
        let stage = self.stage(&person, true).await?;
        // The change ended the session of the step.
        self.begin(person, stage, client, Before::Nothing).await
    }
}
