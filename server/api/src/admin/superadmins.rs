//! Superadmins: who they are and what they may do.

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_edge::date;
use server_rooms::accounts::{
    Accounts, NewSuperadmin, Superadmin, SuperadminChange, given_password,
};
use server_rooms::auth::factors::{FactorOwner, Factors};
use server_rooms::auth::roles::{AdminRole, kind};
use server_rooms::sessions::SessionError;
use shared::id::SuperadminId;

use super::active;
use crate::answer::{Created, Deleted};
use crate::error::ApiError;
use crate::manage::Page;
use crate::manage::sessions::bodies::secret;
use crate::principal::SuperadminCaller;

/// A superadmin to be added.
#[derive(Object)]
#[expect(missing_debug_implementations, reason = "holds a secret")]
#[oai(deny_unknown_fields)]
pub struct NewSuperadminBody {
    /// Unique.
    pub username: String,
    /// 8 to 128 characters; one is made and answered when absent. They replace it at their first
    /// login in a browser.
    pub password: Option<String>,
    /// `owner`, `operator`, `finance` or `read_only`.
    pub role: String,
}

/// A change of a superadmin; what is absent stays.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct SuperadminPatchBody {
    /// `owner`, `operator`, `finance` or `read_only`.
    pub role: Option<String>,
    /// `active` or `disabled`.
    pub status: Option<String>,
}

/// A superadmin, as the others see them.
#[derive(Debug, Clone, Object)]
pub struct SuperadminDetailView {
    /// Their id.
    pub id: String,
    /// Their name.
    pub username: String,
    /// `owner`, `operator`, `finance` or `read_only`.
    pub role: String,
    /// `active` or `disabled`.
    pub status: String,
    /// Whether they log in with a second factor.
    pub second_factor: bool,
    /// When they were added, in RFC 3339.
    pub created_at: String,
}

impl SuperadminDetailView {
    fn new(admin: Superadmin, second_factor: bool) -> Self {
        Self {
            status: admin.status().to_owned(),
            id: admin.id.into_string(),
            username: admin.username,
            role: admin.role.word().to_owned(),
            second_factor,
            created_at: date::text(admin.created_at),
        }
    }
}

/// A superadmin with a password that was just made for them.
#[derive(Object)]
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct GivenPasswordView {
    /// Who.
    pub superadmin: SuperadminDetailView,
    /// Shown this once; absent when it was chosen in the request.
    pub password: Option<String>,
}

/// Superadmins for the superadmin.
#[derive(Debug, Clone)]
pub struct SuperadminsApi {
    /// The room.
    pub accounts: Accounts,
    /// Who has a second factor.
    pub factors: Factors,
}

fn role(word: &str) -> Result<AdminRole, ApiError> {
    AdminRole::from_word(word).ok_or_else(|| {
        ApiError::bad_field(
            "role",
            "`role` must be owner, operator, finance or read_only.",
        )
    })
}

fn superadmin_of(text: &str) -> Result<SuperadminId, ApiError> {
    text.parse().map_err(|_| ApiError::not_found("superadmin"))
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Superadmins")]
impl SuperadminsApi {
    /// List superadmins
    #[oai(
        path = "/superadmins",
        method = "get",
        operation_id = "admin_list_superadmins"
    )]
    async fn list(
        &self,
        _caller: SuperadminCaller,
    ) -> Result<Json<Page<SuperadminDetailView>>, ApiError> {
        let admins = self.accounts.superadmins().await?;
        let ids: Vec<String> = admins.iter().map(|admin| admin.id.to_string()).collect();
        let with_factor = self.factors.owners_of_any(&ids).await?;
        Ok(Json(Page::whole(admins.into_iter().map(|admin| {
            let second_factor = with_factor.contains(admin.id.as_str());
            SuperadminDetailView::new(admin, second_factor)
        }))))
    }

    /// Add a superadmin
    #[oai(
        path = "/superadmins",
        method = "post",
        operation_id = "admin_create_superadmin"
    )]
    async fn create(
        &self,
        caller: SuperadminCaller<kind::EditSuperadmins>,
        body: Json<NewSuperadminBody>,
    ) -> Result<Created<GivenPasswordView>, ApiError> {
        let chosen = body
            .0
            .password
            .map(|text| secret("password", text))
            .transpose()?;
        let made = chosen.is_none().then(given_password);
        let password = chosen.or_else(|| made.clone());
        let new = NewSuperadmin {
            username: body.0.username,
            password: password.ok_or_else(ApiError::internal)?,
            password_given: true,
            role: role(&body.0.role)?,
        };
        let admin = self
            .accounts
            .create_superadmin(&caller.actor(), new)
            .await?;
        Ok(Created::Made(Json(GivenPasswordView {
            superadmin: SuperadminDetailView::new(admin, false),
            password: made.map(|password| password.expose().clone()),
        })))
    }

    /// Change a superadmin's role or status
    ///
    /// Takes effect immediately. The last active owner can be neither demoted nor disabled (409).
    #[oai(
        path = "/superadmins/:id",
        method = "patch",
        operation_id = "admin_update_superadmin"
    )]
    async fn update(
        &self,
        caller: SuperadminCaller<kind::EditSuperadmins>,
        id: Path<String>,
        body: Json<SuperadminPatchBody>,
    ) -> Result<Json<SuperadminDetailView>, ApiError> {
        let active = active(body.0.status.as_deref())?;
        let change = SuperadminChange {
            role: body.0.role.as_deref().map(role).transpose()?,
            active,
            ..SuperadminChange::default()
        };
        let id = superadmin_of(&id.0)?;
        let admin = self
            .accounts
            .update_superadmin(&caller.actor(), &id, change)
            .await?;
        let second_factor = self.factors.is_on(admin.id.as_str()).await?;
        Ok(Json(SuperadminDetailView::new(admin, second_factor)))
    }

    /// Reset a superadmin's password
    ///
    /// Ends all of their logins; they choose their own at the next sign-in in a browser.
    #[oai(
        path = "/superadmins/:id/password",
        method = "post",
        operation_id = "admin_reset_superadmin_password"
    )]
    async fn reset_password(
        &self,
        caller: SuperadminCaller<kind::EditSuperadmins>,
        id: Path<String>,
    ) -> Result<Json<GivenPasswordView>, ApiError> {
        let id = superadmin_of(&id.0)?;
        let (admin, password) = self.accounts.reset_superadmin(&caller.actor(), &id).await?;
        let second_factor = self.factors.is_on(admin.id.as_str()).await?;
        Ok(Json(GivenPasswordView {
            superadmin: SuperadminDetailView::new(admin, second_factor),
            password: Some(password.expose().clone()),
        }))
    }

    /// Turn off a superadmin's two-factor sign-in
    ///
    /// For people who lost their phone and the recovery codes.
    #[oai(
        path = "/superadmins/:id/second-factor",
        method = "delete",
        operation_id = "admin_delete_superadmin_second_factor"
    )]
    async fn delete_second_factor(
        &self,
        caller: SuperadminCaller<kind::EditSuperadmins>,
        id: Path<String>,
    ) -> Result<Deleted, ApiError> {
        let admin = self.accounts.superadmin(&superadmin_of(&id.0)?).await?;
        let actor = caller.actor();
        let owner = FactorOwner {
            actor: &actor,
            tenant: None,
        };
        let off = self.factors.turn_off(owner, admin.id.as_str()).await;
        off.map_err(SessionError::from)?;
        Ok(Deleted::Done)
    }
}
