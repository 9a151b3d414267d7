//! Room: what a login still asks for after the right password. One answer for browsers and for the
//! API, for superadmins and tenants' users. Asks for nothing itself.

use server_store::accounts::{Superadmin, User};
pub use server_store::web_sessions::Stage;
use shared::db::DbError;

use crate::auth::factors::Factors;
use crate::settings::{Security, Settings};

/// Whose login it is.
#[derive(Debug, Clone, Copy)]
pub enum Comer<'a> {
    /// Somebody who runs the platform.
    Superadmin(&'a Superadmin),
    /// A tenant's user.
    User(&'a User),
}

impl Comer<'_> {
    fn id(&self) -> &str {
        match self {
            Self::Superadmin(admin) => admin.id.as_str(),
            Self::User(user) => user.id.as_str(),
        }
    }
}

/// Tells the steps of logins; cheap to clone.
#[derive(Debug, Clone)]
pub struct Stages {
    factors: Factors,
    settings: Settings,
}

impl Stages {
    /// Over second factors, and the settings that ask for them.
    pub fn new(factors: Factors, settings: Settings) -> Self {
        Self { factors, settings }
    }

    /// The next step of somebody whose password was right; `factor_passed` when a code was too.
    pub async fn next(&self, who: Comer<'_>, factor_passed: bool) -> Result<Stage, DbError> {
        let factor_is_on = self.factors.is_on(who.id()).await?;
        if factor_is_on && !factor_passed {
            return Ok(Stage::SecondFactor);
        }
        let needs_factor = match who {
            Comer::Superadmin(admin) => {
                if admin.password_given {
                    return Ok(Stage::NewPassword);
                }
                let security: Security = self.settings.get().await?;
                security.require_second_factor
            }
            Comer::User(user) => self.factors.is_needed(user).await?,
        };
        Ok(if needs_factor && !factor_is_on {
            Stage::FactorSetup
        } else {
            Stage::Open
        })
    }
}
