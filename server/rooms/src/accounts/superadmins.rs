//! The people who run the platform: adding, changing and shutting them out.

use server_store::accounts::{AdminRole, Superadmin, SuperadminChanged, SuperadminPatch};
use server_store::audit::Actor;
use shared::id::{SuperadminId, random_text};
use shared::secret::Secret;

use super::{AccountError, Accounts, check, stored};

/// Characters of `[a-z0-9]` in a password that is made for somebody: 103 bits.
const GIVEN_CHARS: usize = 20;

/// A password that Waule makes for somebody.
pub fn given_password() -> Secret<String> {
    Secret::new(random_text(GIVEN_CHARS))
}

/// A superadmin to be added.
#[derive(Debug, Clone)]
pub struct NewSuperadmin {
    /// Unique.
    pub username: String,
    /// Hashed before it is kept.
    pub password: Secret<String>,
    /// Whether they must choose their own at the first login of a browser.
    pub password_given: bool,
    /// What they may do.
    pub role: AdminRole,
}

/// A change of a superadmin; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct SuperadminChange {
    /// A new name.
    pub username: Option<String>,
    /// A new role.
    pub role: Option<AdminRole>,
    /// Whether they may log in.
    pub active: Option<bool>,
    /// A new password, and whether somebody else made it.
    pub password: Option<(Secret<String>, bool)>,
}

impl Accounts {
    /// Adds a superadmin.
    pub async fn create_superadmin(
        &self,
        actor: &Actor,
        new: NewSuperadmin,
    ) -> Result<Superadmin, AccountError> {
        check::password(&new.password)?;
        let admin = Superadmin {
            id: SuperadminId::random(),
            username: check::username(&new.username)?,
            password_hash: self.passwords.hash(&new.password).await?,
            active: true,
            created_at: self.clock.now(),
            role: new.role,
            password_given: new.password_given,
        };
        self.store
            .insert_superadmin(actor, &admin, admin.created_at)
            .await
            .map_err(stored("username"))?;
        Ok(admin)
    }

    /// Whether the first start has finished.
    pub async fn has_superadmin(&self) -> Result<bool, AccountError> {
        Ok(self.store.has_superadmin().await?)
    }

    /// The superadmin of the first start, while they have not chosen a password of their own.
    pub async fn newcomer(&self) -> Result<Option<Superadmin>, AccountError> {
        let mut all = self.store.superadmins().await?;
        let only = if all.len() == 1 { all.pop() } else { None };
        Ok(only.filter(|admin| admin.password_given && admin.active))
    }

    /// All superadmins, oldest first.
    pub async fn superadmins(&self) -> Result<Vec<Superadmin>, AccountError> {
        Ok(self.store.superadmins().await?)
    }

    /// One superadmin.
    pub async fn superadmin(&self, id: &SuperadminId) -> Result<Superadmin, AccountError> {
        self.store
            .superadmin(id)
            .await?
            .ok_or(AccountError::NotFound("superadmin"))
    }

    /// Changes a superadmin. The last owner can be neither demoted nor shut out.
    pub async fn update_superadmin(
        &self,
        actor: &Actor,
        id: &SuperadminId,
        change: SuperadminChange,
    ) -> Result<Superadmin, AccountError> {
        let username = change
            .username
            .as_deref()
            .map(check::username)
            .transpose()?;
        let password = match &change.password {
            Some((password, given)) => {
                check::password(password)?;
                Some((self.passwords.hash(password).await?, *given))
            }
            None => None,
        };
        let patch = SuperadminPatch {
            username,
            role: change.role,
            active: change.active,
            password,
        };
        let changed = self
            .store
            .update_superadmin(actor, id, &patch, self.clock.now())
            .await
            .map_err(stored("username"))?;
        match changed {
            SuperadminChanged::Done(admin) => Ok(admin),
            SuperadminChanged::NotFound => Err(AccountError::NotFound("superadmin")),
            SuperadminChanged::LastOwner => Err(AccountError::LastOwner),
        }
    }

    /// Makes a new password for a superadmin, who must replace it; it is answered this once.
    pub async fn reset_superadmin(
        &self,
        actor: &Actor,
        id: &SuperadminId,
    ) -> Result<(Superadmin, Secret<String>), AccountError> {
        let password = given_password();
        let change = SuperadminChange {
            password: Some((password.clone(), true)),
            ..SuperadminChange::default()
        };
        let admin = self.update_superadmin(actor, id, change).await?;
        Ok((admin, password))
    }
}
