//! Tenants.

pub mod bodies;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use server_rooms::accounts::{Accounts, NewUser, Role, TenantPatch, TenantStatus};
use server_rooms::auth::roles::{Action, kind};

use self::bodies::{NewTenantBody, NewTenantView, TenantPatchBody, TenantView};
use super::tenant_of;
use crate::answer::Created;
use crate::error::ApiError;
use crate::manage::sessions::bodies::secret;
use crate::manage::{Page, page_after, page_limit, page_rows};
use crate::principal::SuperadminCaller;

/// As notes of the ledger are bounded.
const REASON_BYTES_MAX: usize = 500;

/// An empty list narrows nothing.
fn some_or_all(models: Vec<String>) -> Option<Vec<String>> {
    Some(models).filter(|models| !models.is_empty())
}

fn reason(text: Option<String>) -> Result<Option<String>, ApiError> {
    let fits = text
        .as_ref()
        .is_none_or(|text| text.len() <= REASON_BYTES_MAX);
    if fits {
        Ok(text)
    } else {
        let rule = format!("`reason` must be at most {REASON_BYTES_MAX} bytes.");
        Err(ApiError::bad_field("reason", rule))
    }
}

/// Tenants for the superadmin.
#[derive(Debug, Clone)]
pub struct TenantsApi {
    /// The room.
    pub accounts: Accounts,
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Tenants")]
impl TenantsApi {
    /// Create a tenant
    ///
    /// Returns the secret of its first key; it cannot be retrieved later.
    #[oai(
        path = "/tenants",
        method = "post",
        operation_id = "admin_create_tenant"
    )]
    async fn create(
        &self,
        caller: SuperadminCaller<kind::EditTenants>,
        body: Json<NewTenantBody>,
    ) -> Result<Created<NewTenantView>, ApiError> {
        let (actor, body) = (caller.actor(), body.0);
        let owner = match (body.username, body.password) {
            (Some(username), Some(password)) => Some(NewUser {
                username,
                password: secret("password", password)?,
                role: Role::Owner,
            }),
            (None, None) => None,
            _ => {
                return Err(ApiError::bad_field(
                    "password",
                    "`username` and `password` come together.",
                ));
            }
        };
        let (tenant, secret) = self
            .accounts
            .found_tenant(&actor, &body.name, owner)
            .await?;
        Ok(Created::Made(Json(NewTenantView {
            tenant: tenant.into(),
            key: secret.expose().clone(),
        })))
    }

    /// List tenants
    #[oai(path = "/tenants", method = "get", operation_id = "admin_list_tenants")]
    async fn list(
        &self,
        _caller: SuperadminCaller,
        /// Items of a page, 1 to 100
        limit: Query<Option<u32>>,
        /// `next` of the page before
        after: Query<Option<String>>,
        /// Beginning of a name, or a whole id
        search: Query<Option<String>>,
    ) -> Result<Json<Page<TenantView>>, ApiError> {
        let (limit, after) = (page_limit(limit.0)?, page_after(after.0.as_deref())?);
        let search = search.0.unwrap_or_default();
        let tenants = self
            .accounts
            .tenants(&search, after.as_ref(), page_rows(limit));
        Ok(Json(Page::cut(tenants.await?, limit, |tenant| {
            tenant.id.to_string()
        })))
    }

    /// Show a tenant
    #[oai(
        path = "/tenants/:id",
        method = "get",
        operation_id = "admin_get_tenant"
    )]
    async fn get(
        &self,
        _caller: SuperadminCaller,
        id: Path<String>,
    ) -> Result<Json<TenantView>, ApiError> {
        Ok(Json(self.accounts.tenant(&tenant_of(&id.0)?).await?.into()))
    }

    /// Change a tenant
    ///
    /// Suspending takes effect on every replica within a second. Finance sets the multiplier; operators
    /// change everything else.
    #[oai(
        path = "/tenants/:id",
        method = "patch",
        operation_id = "admin_update_tenant"
    )]
    async fn update(
        &self,
        caller: SuperadminCaller,
        id: Path<String>,
        body: Json<TenantPatchBody>,
    ) -> Result<Json<TenantView>, ApiError> {
        if body.0.price_multiplier_ppm.is_some() {
            caller.must_be_able_to(Action::SetPrices)?;
        }
        let others = body.0.name.is_some()
            || body.0.status.is_some()
            || body.0.limits.is_some()
            || body.0.allowed_models.is_some()
            || body.0.time_zone.is_some()
            || body.0.deleted.is_some();
        if others || body.0.price_multiplier_ppm.is_none() {
            caller.must_be_able_to(Action::EditTenants)?;
        }
        let wrong = || ApiError::bad_field("status", "`status` must be active or suspended.");
        let status = body
            .0
            .status
            .as_deref()
            .map(|word| TenantStatus::from_word(word).ok_or_else(wrong))
            .transpose()?;
        let patch = TenantPatch {
            name: body.0.name,
            status,
            price_multiplier_ppm: body.0.price_multiplier_ppm,
            limits: body.0.limits.map(Into::into),
            allowed_models: body.0.allowed_models.map(some_or_all),
            zone: body
                .0
                .time_zone
                .as_deref()
                .map(Accounts::zone)
                .transpose()?,
            delete_at: None,
            reason: reason(body.0.reason)?,
        };
        let (actor, id) = (caller.actor(), tenant_of(&id.0)?);
        let tenant = match body.0.deleted {
            Some(true) => self.accounts.delete_tenant(&actor, &id, patch).await?,
            Some(false) => self.accounts.restore_tenant(&actor, &id, patch).await?,
            None => self.accounts.update_tenant(&actor, &id, patch).await?,
        };
        Ok(Json(tenant.into()))
    }
}
