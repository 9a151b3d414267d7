//! Room: the steps that complete a login over the API: choosing a password of one's own, and setting a
//! second factor up. Each shows name and password again, so nothing is kept between them.

use server_store::audit::Actor;
use shared::secret::Secret;

use super::stages::{Comer, Stage};
use super::{AdminLoggedIn, LoggedIn, SessionError, Sessions, Shown};
use crate::accounts::SuperadminChange;
use crate::auth::factors::{Draft, FactorOwner};

/// A password of one's own, instead of the one that was shown.
#[derive(Debug, Clone, Copy)]
pub struct Chosen<'a> {
    /// The password.
    pub password: &'a Secret<String>,
    /// Another name; the one that was shown stays without.
    pub username: Option<&'a str>,
}

/// Recovery codes, shown this once, and the login that is complete with them.
#[derive(Debug)]
pub struct SetUp<T> {
    /// The codes.
    pub codes: Vec<Secret<String>>,
    /// The login.
    pub login: T,
}

impl Sessions {
    /// Fails unless the login of somebody who passed everything else is at that step.
    async fn must_be_at(&self, who: Comer<'_>, step: Stage) -> Result<(), SessionError> {
        if self.stages.next(who, true).await? == step {
            Ok(())
        } else {
            Err(SessionError::OtherStep)
        }
    }

    /// Puts the second factor that was drafted in force with its code; answers recovery codes.
    async fn turn_on(
        &self,
        owner: FactorOwner<'_>,
        shown: Shown<'_>,
    ) -> Result<Vec<Secret<String>>, SessionError> {
        let code = shown.code.ok_or(SessionError::CodeMissing)?;
        let codes = self.factors.turn_on(owner, code.expose(), shown.address);
        Ok(codes.await?)
    }

    /// A superadmin chooses a password instead of the one that was made for them, and is logged in
    /// unless something else is asked for.
    pub async fn choose_password(
        &self,
        shown: Shown<'_>,
        chosen: Chosen<'_>,
    ) -> Result<AdminLoggedIn, SessionError> {
        let admin = self.superadmin(shown).await?;
        self.must_be_at(Comer::Superadmin(&admin), Stage::NewPassword)
            .await?;
        if shown.password.matches(chosen.password.expose()) {
            return Err(SessionError::SamePassword);
        }
        let actor = Actor::superadmin(&admin, shown.address);
        if self.factors.is_on(admin.id.as_str()).await? {
            let code = shown.code.ok_or(SessionError::CodeMissing)?;
            let owner = FactorOwner {
                actor: &actor,
                tenant: None,
            };
            let checked = self.factors.check(owner, code.expose(), shown.address);
            checked.await?;
        }
        let change = SuperadminChange {
            username: chosen.username.map(str::to_owned),
            password: Some((chosen.password.clone(), false)),
            ..SuperadminChange::default()
        };
        let changed = self.accounts.update_superadmin(&actor, &admin.id, change);
        let admin = changed.await?;
        match self.stages.next(Comer::Superadmin(&admin), true).await? {
            Stage::Open => self.let_superadmin_in(admin, shown.address).await,
            Stage::NewPassword => Err(SessionError::PasswordGiven),
            Stage::FactorSetup => Err(SessionError::FactorMissing),
            Stage::SecondFactor => Err(SessionError::CodeMissing),
        }
    }

    /// The second factor that a superadmin must set up, for their app.
    pub async fn superadmin_draft(&self, shown: Shown<'_>) -> Result<Draft, SessionError> {
        let admin = self.superadmin(shown).await?;
        self.must_be_at(Comer::Superadmin(&admin), Stage::FactorSetup)
            .await?;
        let draft = self.factors.draft(admin.id.as_str(), &admin.username);
        Ok(draft.await?)
    }

    /// Puts that second factor in force with its code, and logs the superadmin in.
    pub async fn set_superadmin_up(
        &self,
        shown: Shown<'_>,
    ) -> Result<SetUp<AdminLoggedIn>, SessionError> {
        let admin = self.superadmin(shown).await?;
        self.must_be_at(Comer::Superadmin(&admin), Stage::FactorSetup)
            .await?;
        let owner = FactorOwner {
            actor: &Actor::superadmin(&admin, shown.address),
            tenant: None,
        };
        Ok(SetUp {
            codes: self.turn_on(owner, shown).await?,
            login: self.let_superadmin_in(admin, shown.address).await?,
        })
    }

    /// The second factor that a tenant's user must set up, for their app.
    pub async fn draft(
        &self,
        key: &Secret<String>,
        shown: Shown<'_>,
    ) -> Result<Draft, SessionError> {
        let (user, tenant) = self.user(key, shown).await?;
        self.must_be_at(Comer::User(&user), Stage::FactorSetup)
            .await?;
        let account = format!("{}@{}", user.username, tenant.name);
        let draft = self.factors.draft(user.id.as_str(), &account);
        Ok(draft.await?)
    }

    /// Puts that second factor in force with its code, and logs the user in.
    pub async fn set_up(
        &self,
        key: &Secret<String>,
        shown: Shown<'_>,
    ) -> Result<SetUp<LoggedIn>, SessionError> {
        let (user, tenant) = self.user(key, shown).await?;
        self.must_be_at(Comer::User(&user), Stage::FactorSetup)
            .await?;
        let owner = FactorOwner {
            actor: &Actor::user(&user, shown.address),
            tenant: Some(&tenant.id),
        };
        Ok(SetUp {
            codes: self.turn_on(owner, shown).await?,
            login: self.let_in(user, tenant, shown.address).await?,
        })
    }
}
