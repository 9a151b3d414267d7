//! Users of tenants.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_rooms::accounts::{Accounts, NewUser, Role, UserChange};
use server_rooms::auth::factors::{FactorOwner, Factors};
use server_rooms::auth::roles::kind;
use server_rooms::sessions::SessionError;
use shared::id::UserId;

use super::{active, tenant_of};
use crate::answer::{Created, Deleted};
use crate::error::ApiError;
use crate::manage::sessions::bodies::{UserView, secret};
use crate::manage::{Page, page_after, page_limit, page_rows};
use crate::principal::SuperadminCaller;

/// A user to be added.
#[derive(Object)]
#[expect(missing_debug_implementations, reason = "holds a secret")]
#[oai(deny_unknown_fields)]
pub struct NewUserBody {
    /// Unique inside the tenant.
    pub username: String,
    /// 8 to 128 characters.
    pub password: String,
    /// `owner`, `admin` or `member`.
    pub role: String,
}

/// A change of a user; what is absent stays.
#[derive(Object)]
#[expect(missing_debug_implementations, reason = "holds a secret")]
#[oai(deny_unknown_fields)]
pub struct UserPatchBody {
    /// `owner`, `admin` or `member`.
    pub role: Option<String>,
    /// `active` or `disabled`.
    pub status: Option<String>,
    /// A new password.
    pub password: Option<String>,
}

/// Users for the superadmin.
#[derive(Debug, Clone)]
pub struct UsersApi {
    /// The room.
    pub accounts: Accounts,
    /// Their second factors.
    pub factors: Factors,
}

fn role(word: &str) -> Result<Role, ApiError> {
    Role::from_word(word)
        .ok_or_else(|| ApiError::bad_field("role", "`role` must be owner, admin or member."))
}

fn user_of(text: &str) -> Result<UserId, ApiError> {
    text.parse().map_err(|_| ApiError::not_found("user"))
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Tenants")]
impl UsersApi {
    /// Add a user
    #[oai(
        path = "/tenants/:id/users",
        method = "post",
        operation_id = "admin_create_user"
    )]
    async fn create(
        &self,
        caller: SuperadminCaller<kind::EditPeople>,
        id: Path<String>,
        body: Json<NewUserBody>,
    ) -> Result<Created<UserView>, ApiError> {
        let password = secret("password", body.0.password)?;
        let new = NewUser {
            username: body.0.username,
            password,
            role: role(&body.0.role)?,
        };
        let user = self
            .accounts
            .create_user(&caller.actor(), &tenant_of(&id.0)?, new)
            .await?;
        Ok(Created::Made(Json(user.into())))
    }

    /// List users
    #[oai(
        path = "/tenants/:id/users",
        method = "get",
        operation_id = "admin_list_users"
    )]
    async fn list(
        &self,
        _caller: SuperadminCaller,
        id: Path<String>,
        /// Items of a page, 1 to 100
        limit: Query<Option<u32>>,
        /// `next` of the page before
        after: Query<Option<String>>,
    ) -> Result<Json<Page<UserView>>, ApiError> {
        let (limit, after) = (page_limit(limit.0)?, page_after(after.0.as_deref())?);
        let tenant = tenant_of(&id.0)?;
        let users = self
            .accounts
            .users(&tenant, after.as_ref(), page_rows(limit));
        Ok(Json(Page::cut(users.await?, limit, |user| {
            user.id.to_string()
        })))
    }

    /// Change a user
    ///
    /// Disabling takes effect on every replica within a second.
    #[oai(
        path = "/tenants/:id/users/:user_id",
        method = "patch",
        operation_id = "admin_update_user"
    )]
    async fn update(
        &self,
        caller: SuperadminCaller<kind::EditPeople>,
        id: Path<String>,
        user_id: Path<String>,
        body: Json<UserPatchBody>,
    ) -> Result<Json<UserView>, ApiError> {
        let active = active(body.0.status.as_deref())?;
        let change = UserChange {
            role: body.0.role.as_deref().map(role).transpose()?,
            active,
            password: body
                .0
                .password
                .map(|text| secret("password", text))
                .transpose()?,
        };
        let (tenant, user) = (tenant_of(&id.0)?, user_of(&user_id.0)?);
        Ok(Json(
            self.accounts
                .update_user(&caller.actor(), &tenant, &user, change)
                .await?
                .into(),
        ))
    }

    /// Remove a user
    ///
    /// Records of what they did are kept.
    #[oai(
        path = "/tenants/:id/users/:user_id",
        method = "delete",
        operation_id = "admin_delete_user"
    )]
    async fn delete(
        &self,
        caller: SuperadminCaller<kind::EditPeople>,
        id: Path<String>,
        user_id: Path<String>,
    ) -> Result<Deleted, ApiError> {
        let (tenant, user) = (tenant_of(&id.0)?, user_of(&user_id.0)?);
        self.accounts
            .delete_user(&caller.actor(), &tenant, &user)
            .await?;
        Ok(Deleted::Done)
    }

    /// Turn off a user's two-factor sign-in
    ///
    /// For people who lost their phone and the recovery codes.
    #[oai(
        path = "/tenants/:id/users/:user_id/second-factor",
        method = "delete",
        operation_id = "admin_delete_user_second_factor"
    )]
    async fn delete_second_factor(
        &self,
        caller: SuperadminCaller<kind::EditPeople>,
        id: Path<String>,
        user_id: Path<String>,
    ) -> Result<Deleted, ApiError> {
        let tenant = tenant_of(&id.0)?;
        let user = self.accounts.user(&tenant, &user_of(&user_id.0)?).await?;
        let actor = caller.actor();
        let owner = FactorOwner {
            actor: &actor,
            tenant: Some(&tenant),
        };
        let off = self.factors.turn_off(owner, user.id.as_str()).await;
        off.map_err(SessionError::from)?;
        Ok(Deleted::Done)
    }
}
