//! Tenants.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_edge::date;
use server_rooms::accounts::{Accounts, NewUser, Role, Tenant, TenantPatch, TenantStatus};
use server_rooms::auth::roles::{Action, kind};

use super::{LimitsBody, tenant_of};
use crate::answer::Created;
use crate::error::ApiError;
use crate::manage::sessions::bodies::secret;
use crate::manage::{Page, page_after, page_limit, page_rows};
use crate::principal::SuperadminCaller;

/// As notes of the ledger are bounded.
const REASON_BYTES_MAX: usize = 500;

/// A tenant to be made; with `username` and `password` also its owner.
#[derive(Object)]
#[expect(missing_debug_implementations, reason = "holds a secret")]
#[oai(deny_unknown_fields)]
pub struct NewTenantBody {
    /// Its name, unique.
    pub name: String,
    /// Its owner's name.
    pub username: Option<String>,
    /// Its owner's password.
    pub password: Option<String>,
}

/// A change of a tenant; what is absent stays.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct TenantPatchBody {
    /// A new name.
    pub name: Option<String>,
    /// `active` or `suspended`.
    pub status: Option<String>,
    /// What prices are multiplied by, in millionths.
    pub price_multiplier_ppm: Option<i64>,
    /// All three limits anew.
    pub limits: Option<LimitsBody>,
    /// The models it may use; an empty list lets it use all.
    pub allowed_models: Option<Vec<String>>,
    /// Where its days begin: the IANA name of a time zone, for example `Asia/Shanghai`; empty for the
    /// platform's. A budget's period that runs goes on to its end.
    pub time_zone: Option<String>,
    /// `true` deletes it: it is suspended at once and goes away when the days of grace are over;
    /// `false` restores it.
    pub deleted: Option<bool>,
    /// Why, for the audit log; at most 500 bytes.
    pub reason: Option<String>,
}

/// A tenant.
#[derive(Debug, Clone, Object)]
pub struct TenantView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `active` or `suspended`.
    pub status: String,
    /// What prices are multiplied by, in millionths.
    pub price_multiplier_ppm: i64,
    /// Over all its keys and people.
    pub limits: LimitsBody,
    /// The models it may use; all when absent.
    pub allowed_models: Option<Vec<String>>,
    /// Where its days begin, by the IANA name of the time zone; absent for the platform's.
    pub time_zone: Option<String>,
    /// When it goes away for good, in RFC 3339, where it was deleted.
    pub delete_at: Option<String>,
    /// When it was made, in RFC 3339.
    pub created_at: String,
}

impl From<Tenant> for TenantView {
    fn from(tenant: Tenant) -> Self {
        Self {
            id: tenant.id.into_string(),
            name: tenant.name,
            status: tenant.status.word().to_owned(),
            price_multiplier_ppm: tenant.price_multiplier_ppm,
            limits: tenant.limits.into(),
            allowed_models: tenant.allowed_models,
            time_zone: tenant.zone.map(|zone| zone.name().to_owned()),
            delete_at: tenant.delete_at.map(date::text),
            created_at: date::text(tenant.created_at),
        }
    }
}

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

/// A new tenant with its first key.
#[derive(Object)]
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct NewTenantView {
    /// The tenant.
    pub tenant: TenantView,
    /// Its first key, shown this once.
    pub key: String,
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
    /// Answers its first key, which is shown this once.
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
    /// Suspending takes effect on every replica within a second. The multiplier is finance's to set,
    /// the rest is the operator's.
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
