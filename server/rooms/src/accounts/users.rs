//! A tenant's people: adding, changing and removing them.

use server_store::accounts::{Role, User, UserChanged, UserPatch, UserPlace, UserStatus};
use server_store::audit::Actor;
use server_store::part::Part;
use shared::id::{TenantId, UserId};
use shared::secret::Secret;
use tokio_util::sync::CancellationToken;

use super::{AccountError, Accounts, check, stored};
use crate::studio::forget_person;

/// A user to be added.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Unique inside the tenant.
    pub username: String,
    /// Hashed before it is kept.
    pub password: Secret<String>,
    /// What they may do.
    pub role: Role,
}

/// A change of a user; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// A new role.
    pub role: Option<Role>,
    /// Whether they may log in.
    pub active: Option<bool>,
    /// A new password.
    pub password: Option<Secret<String>>,
}

impl Accounts {
    /// Adds a user to a tenant.
    pub async fn create_user(
        &self,
        actor: &Actor,
        tenant: &TenantId,
        new: NewUser,
    ) -> Result<User, AccountError> {
        self.tenant(tenant).await?;
        let user = self.new_user(tenant, new).await?;
        self.store
            .insert_user(actor, &user, user.created_at)
            .await
            .map_err(stored("username"))?;
        Ok(user)
    }

    pub(super) async fn new_user(
        &self,
        tenant: &TenantId,
        new: NewUser,
    ) -> Result<User, AccountError> {
        check::password(&new.password)?;
        Ok(User {
            id: UserId::random(),
            tenant: tenant.clone(),
            username: check::username(&new.username)?,
            role: new.role,
            password_hash: self.passwords.hash(&new.password).await?,
            status: UserStatus::Active,
            created_at: self.clock.now(),
        })
    }

    /// A tenant's user.
    pub async fn user(&self, tenant: &TenantId, id: &UserId) -> Result<User, AccountError> {
        self.store
            .user(tenant, id)
            .await?
            .ok_or(AccountError::NotFound("user"))
    }

    /// A tenant's users, newest first.
    pub async fn users(
        &self,
        tenant: &TenantId,
        after: Option<&UserId>,
        limit: i64,
    ) -> Result<Vec<User>, AccountError> {
        self.tenant(tenant).await?;
        Ok(self.store.users(tenant, Part { after, limit }).await?)
    }

    /// Changes a user.
    pub async fn update_user(
        &self,
        actor: &Actor,
        tenant: &TenantId,
        id: &UserId,
        change: UserChange,
    ) -> Result<User, AccountError> {
        let password_hash = match &change.password {
            Some(password) => {
                check::password(password)?;
                Some(self.passwords.hash(password).await?)
            }
            None => None,
        };
        let status = change.active.map(|active| {
            if active {
                UserStatus::Active
            } else {
                UserStatus::Disabled
            }
        });
        let patch = UserPatch {
            role: change.role,
            status,
            password_hash,
            with_tenant: false,
        };
        self.patch_user(actor, UserPlace { tenant, id }, patch)
            .await
    }

    /// Removes a user; the records of what they did stay.
    pub async fn delete_user(
        &self,
        actor: &Actor,
        tenant: &TenantId,
        id: &UserId,
    ) -> Result<(), AccountError> {
        self.remove_user(actor, UserPlace { tenant, id }, false)
            .await
    }

    /// Removes a user; also the last owner, where the tenant itself goes away.
    pub(super) async fn remove_user(
        &self,
        actor: &Actor,
        place: UserPlace<'_>,
        with_tenant: bool,
    ) -> Result<(), AccountError> {
        let patch = UserPatch {
            status: Some(UserStatus::Deleted),
            with_tenant,
            ..UserPatch::default()
        };
        self.patch_user(actor, place, patch).await?;
        // What they did in the studio goes with them. Where this breaks off, the sweep goes on.
        let whose = (place.tenant, place.id.as_str());
        forget_person(&self.store, whose, &CancellationToken::new()).await?;
        Ok(())
    }

    async fn patch_user(
        &self,
        actor: &Actor,
        place: UserPlace<'_>,
        patch: UserPatch,
    ) -> Result<User, AccountError> {
        let now = self.clock.now();
        let changed = self.store.update_user(actor, place, &patch, now).await?;
        self.auth.forget(place.tenant);
        match changed {
            UserChanged::Done(user) => Ok(user),
            UserChanged::NotFound => Err(AccountError::NotFound("user")),
            UserChanged::LastOwner => Err(AccountError::LastOwner),
        }
    }
}
