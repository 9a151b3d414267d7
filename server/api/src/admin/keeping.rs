//! Whether a tenant's answers are kept, for programs of the platform; its own people set it in the portal.

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_rooms::accounts::{Accounts, Field, TenantSettingsPatch};
use server_rooms::auth::roles::kind;

use super::tenant_of;
use crate::error::ApiError;
use crate::principal::SuperadminCaller;

/// Whether answers are kept.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct KeepingBody {
    /// For how many days, 1 to 365; nothing is kept where it is absent. What is kept stays its time.
    pub days: Option<u32>,
}

/// Keeping for the superadmin.
#[derive(Debug, Clone)]
pub struct KeepingApi {
    /// The room.
    pub accounts: Accounts,
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Tenants")]
impl KeepingApi {
    /// Show whether a tenant's answers are kept
    #[oai(
        path = "/tenants/:id/keeping",
        method = "get",
        operation_id = "admin_get_keeping"
    )]
    async fn get(
        &self,
        _caller: SuperadminCaller,
        id: Path<String>,
    ) -> Result<Json<KeepingBody>, ApiError> {
        let tenant = self.accounts.tenant(&tenant_of(&id.0)?).await?.id;
        let own = self.accounts.tenant_settings(&tenant).await?;
        Ok(Json(KeepingBody {
            days: own.keep_days,
        }))
    }

    /// Set whether a tenant's answers are kept
    ///
    /// Responses and chat completions requested with `store`, and conversations: encrypted at rest and
    /// readable only by the tenant. Takes effect on every replica within a second.
    #[oai(
        path = "/tenants/:id/keeping",
        method = "put",
        operation_id = "admin_put_keeping"
    )]
    async fn put(
        &self,
        caller: SuperadminCaller<kind::EditTenants>,
        id: Path<String>,
        body: Json<KeepingBody>,
    ) -> Result<Json<KeepingBody>, ApiError> {
        let tenant = self.accounts.tenant(&tenant_of(&id.0)?).await?.id;
        let patch = TenantSettingsPatch {
            keep_days: Field::from(body.0.days),
            ..TenantSettingsPatch::default()
        };
        let actor = caller.actor();
        let put = self.accounts.put_tenant_settings(&actor, &tenant, patch);
        put.await?;
        Ok(body)
    }
}
