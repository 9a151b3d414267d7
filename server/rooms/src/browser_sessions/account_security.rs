//! A person's own security: proving again who they are, their password, their second factor.

use shared::secret::Secret;

use super::beginning::Before;
use super::ending::owner;
use super::{BrowserError, BrowserSession, BrowserSessions, Client, NewSession, Person, Stage};
use crate::accounts::{SuperadminChange, UserChange};
use crate::auth::factors::Draft;
use crate::sessions::SessionError;

/// A person's security as their page shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountSecurity {
    /// Whether there is a second factor.
    pub second_factor: bool,
    /// Recovery codes that were not used.
    pub recovery_left: u64,
}

/// What somebody shows to change their second factor.
#[derive(Debug, Clone, Copy)]
pub struct Proof<'a> {
    /// Their password.
    pub password: &'a Secret<String>,
    /// A code of the app, or a recovery code.
    pub code: &'a str,
}

impl BrowserSessions {
    /// Checks the password of somebody who is logged in.
    async fn check_password(
        &self,
        browser: &BrowserSession,
        password: &Secret<String>,
        client: &Client,
    ) -> Result<(), BrowserError> {
        let person = &browser.person;
        let checked = self.logins.confirm(
            person.id(),
            password,
            person.password_hash(),
            client.address,
        );
        Ok(checked.await?)
    }

    /// The person proves to be the one who logged in: with the password, and with a code where
    /// there is a second factor. Good for ten minutes.
    pub async fn confirm(
        &self,
        browser: &BrowserSession,
        password: &Secret<String>,
        code: Option<&str>,
        client: &Client,
    ) -> Result<(), BrowserError> {
        self.check_password(browser, password, client).await?;
        if self.factors.is_on(browser.person.id()).await? {
            let code = code.ok_or(SessionError::CodeMissing)?;
            let actor = browser.person.actor(client.address);
            let owner = owner(&actor, &browser.person);
            self.factors.check(owner, code, client.address).await?;
        }
        let now = self.clock.now();
        self.store
            .confirm_web_session(&browser.session.id, now)
            .await?;
        Ok(())
    }

    /// What a person's security page shows.
    pub async fn security(&self, person: &Person) -> Result<AccountSecurity, BrowserError> {
        let second_factor = self.factors.is_on(person.id()).await?;
        let recovery_left = if second_factor {
            self.factors.recovery_left(person.id()).await?
        } else {
            0
        };
        Ok(AccountSecurity {
            second_factor,
            recovery_left,
        })
    }

    /// Changes the person's own password: every other session of theirs ends, and this one goes on
    /// under a new id.
    pub async fn change_password(
        &self,
        browser: &BrowserSession,
        current: &Secret<String>,
        password: Secret<String>,
        client: &Client,
    ) -> Result<NewSession, BrowserError> {
        self.check_password(browser, current, client).await?;
        let actor = browser.person.actor(client.address);
        let person = match &browser.person {
            Person::Superadmin(admin) => {
                let change = SuperadminChange {
                    password: Some((password, false)),
                    ..SuperadminChange::default()
                };
                let changed = self.accounts.update_superadmin(&actor, &admin.id, change);
                Person::Superadmin(changed.await?)
            }
            Person::User(user, tenant) => {
                let change = UserChange {
                    password: Some(password),
                    ..UserChange::default()
                };
                let changed = self
                    .accounts
                    .update_user(&actor, &tenant.id, &user.id, change);
                Person::User(changed.await?, tenant.clone())
            }
        };
        let before = Before::GoesOn(&browser.session);
        self.begin(person, Stage::Open, client, before).await
    }

    /// The second factor that is being set up.
    pub async fn factor_draft(&self, person: &Person) -> Result<Draft, BrowserError> {
        let account = person.account();
        Ok(self.factors.draft(person.id(), &account).await?)
    }

    /// Puts the drafted second factor in force; answers recovery codes, this once. The session goes
    /// on under a new id.
    pub async fn factor_on(
        &self,
        browser: &BrowserSession,
        code: &str,
        client: &Client,
    ) -> Result<(Vec<Secret<String>>, NewSession), BrowserError> {
        let actor = browser.person.actor(client.address);
        let owner = owner(&actor, &browser.person);
        let codes = self.factors.turn_on(owner, code, client.address).await?;
        let person = browser.person.clone();
        let before = Before::GoesOn(&browser.session);
        let begun = self.begin(person, Stage::Open, client, before);
        Ok((codes, begun.await?))
    }

    /// Checks password and code of somebody who has a second factor: a borrowed browser and a
    /// password that was overheard must not be enough to do without the factor later.
    async fn check_both(
        &self,
        browser: &BrowserSession,
        proof: Proof<'_>,
        client: &Client,
    ) -> Result<(), BrowserError> {
        self.check_password(browser, proof.password, client).await?;
        let actor = browser.person.actor(client.address);
        let owner = owner(&actor, &browser.person);
        let checked = self.factors.check(owner, proof.code, client.address);
        Ok(checked.await?)
    }

    /// Takes the person's own second factor away.
    pub async fn factor_off(
        &self,
        browser: &BrowserSession,
        proof: Proof<'_>,
        client: &Client,
    ) -> Result<(), BrowserError> {
        if !self.factors.is_on(browser.person.id()).await? {
            return Err(BrowserError::OtherStep);
        }
        self.check_both(browser, proof, client).await?;
        let actor = browser.person.actor(client.address);
        let owner = owner(&actor, &browser.person);
        self.factors.turn_off(owner, browser.person.id()).await?;
        Ok(())
    }

    /// Gives fresh recovery codes; answers them this once.
    pub async fn renew_codes(
        &self,
        browser: &BrowserSession,
        proof: Proof<'_>,
        client: &Client,
    ) -> Result<Vec<Secret<String>>, BrowserError> {
        if !self.factors.is_on(browser.person.id()).await? {
            return Err(BrowserError::OtherStep);
        }
        self.check_both(browser, proof, client).await?;
        let actor = browser.person.actor(client.address);
        let owner = owner(&actor, &browser.person);
        Ok(self.factors.renew_codes(owner).await?)
    }
}
