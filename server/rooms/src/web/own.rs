//! A person's own security: proving again who they are, their password, their second factor.

use shared::secret::Secret;

use super::{Before, Begun, Person, Stage, Visit, Visitor, Web, WebError, owner};
use crate::accounts::{SuperadminChange, UserChange};
use crate::auth::factors::Draft;
use crate::sessions::SessionError;

/// A person's security as their page shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnSecurity {
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

impl Web {
    /// Checks the password of somebody who is logged in.
    async fn check_password(
        &self,
        visit: &Visit,
        password: &Secret<String>,
        visitor: &Visitor,
    ) -> Result<(), WebError> {
        let person = &visit.person;
        let checked = self.logins.confirm(
            person.id(),
            password,
            person.password_hash(),
            visitor.address,
        );
        Ok(checked.await?)
    }

    /// The person proves to be the one who logged in: with the password, and with a code where
    /// there is a second factor. Good for ten minutes.
    pub async fn confirm(
        &self,
        visit: &Visit,
        password: &Secret<String>,
        code: Option<&str>,
        visitor: &Visitor,
    ) -> Result<(), WebError> {
        self.check_password(visit, password, visitor).await?;
        if self.factors.is_on(visit.person.id()).await? {
            let code = code.ok_or(SessionError::CodeMissing)?;
            let actor = visit.person.actor(visitor.address);
            let owner = owner(&actor, &visit.person);
            self.factors.check(owner, code, visitor.address).await?;
        }
        let now = self.clock.now();
        self.store
            .confirm_web_session(&visit.session.id, now)
            .await?;
        Ok(())
    }

    /// What a person's security page shows.
    pub async fn security(&self, person: &Person) -> Result<OwnSecurity, WebError> {
        let second_factor = self.factors.is_on(person.id()).await?;
        let recovery_left = if second_factor {
            self.factors.recovery_left(person.id()).await?
        } else {
            0
        };
        Ok(OwnSecurity {
            second_factor,
            recovery_left,
        })
    }

    /// Changes the person's own password: every other session of theirs ends, and this one goes on
    /// under a new id.
    pub async fn change_password(
        &self,
        visit: &Visit,
        current: &Secret<String>,
        password: Secret<String>,
        visitor: &Visitor,
    ) -> Result<Begun, WebError> {
        self.check_password(visit, current, visitor).await?;
        let actor = visit.person.actor(visitor.address);
        let person = match &visit.person {
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
        let before = Before::GoesOn(&visit.session);
        self.begin(person, Stage::Open, visitor, before).await
    }

    /// The second factor that is being set up.
    pub async fn factor_draft(&self, person: &Person) -> Result<Draft, WebError> {
        let account = person.account();
        Ok(self.factors.draft(person.id(), &account).await?)
    }

    /// Puts the drafted second factor in force; answers recovery codes, this once. The session goes
    /// on under a new id.
    pub async fn factor_on(
        &self,
        visit: &Visit,
        code: &str,
        visitor: &Visitor,
    ) -> Result<(Vec<Secret<String>>, Begun), WebError> {
        let actor = visit.person.actor(visitor.address);
        let owner = owner(&actor, &visit.person);
        let codes = self.factors.turn_on(owner, code, visitor.address).await?;
        let person = visit.person.clone();
        let before = Before::GoesOn(&visit.session);
        let begun = self.begin(person, Stage::Open, visitor, before);
        Ok((codes, begun.await?))
    }

    /// Checks password and code of somebody who has a second factor: a borrowed browser and a
    /// password that was overheard must not be enough to do without the factor later.
    async fn check_both(
        &self,
        visit: &Visit,
        proof: Proof<'_>,
        visitor: &Visitor,
    ) -> Result<(), WebError> {
        self.check_password(visit, proof.password, visitor).await?;
        let actor = visit.person.actor(visitor.address);
        let owner = owner(&actor, &visit.person);
        let checked = self.factors.check(owner, proof.code, visitor.address);
        Ok(checked.await?)
    }

    /// Takes the person's own second factor away.
    pub async fn factor_off(
        &self,
        visit: &Visit,
        proof: Proof<'_>,
        visitor: &Visitor,
    ) -> Result<(), WebError> {
        if !self.factors.is_on(visit.person.id()).await? {
            return Err(WebError::OtherStep);
        }
        self.check_both(visit, proof, visitor).await?;
        let actor = visit.person.actor(visitor.address);
        let owner = owner(&actor, &visit.person);
        self.factors.turn_off(owner, visit.person.id()).await?;
        Ok(())
    }

    /// Gives fresh recovery codes; answers them this once.
    pub async fn renew_codes(
        &self,
        visit: &Visit,
        proof: Proof<'_>,
        visitor: &Visitor,
    ) -> Result<Vec<Secret<String>>, WebError> {
        if !self.factors.is_on(visit.person.id()).await? {
            return Err(WebError::OtherStep);
        }
        self.check_both(visit, proof, visitor).await?;
        let actor = visit.person.actor(visitor.address);
        let owner = owner(&actor, &visit.person);
        Ok(self.factors.renew_codes(owner).await?)
    }
}
