//! Whether a tenant's answers are kept, for programs of the platform; its own people set it in the portal.

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_rooms::accounts::{Accounts, Field, TenantSettingsPatch};
use server_rooms::auth::roles::kind;
use server_rooms::studio::STUDIO_DAYS;

use super::tenant_of;
use crate::error::ApiError;
use crate::principal::SuperadminCaller;

/// Whether answers are kept.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct KeepingBody {
    /// For how many days, 1 to 365; nothing is kept where it is absent. What is kept stays its time.
    pub days: Option<u32>,
    /// For how many days what people do in the studio is kept for themselves, 1 to 365; 0 keeps nothing and
    /// deletes what there is within the hour. It stays as it is where it is absent; 90 where nobody set it. A data
    /// policy that demands that nobody keeps data keeps nothing, whatever stands here.
    pub studio_days: Option<u32>,
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
            studio_days: Some(own.studio_days.unwrap_or(STUDIO_DAYS)),
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
            studio_days: body.0.studio_days.map_or(Field::Keep, Field::Set),
            ..TenantSettingsPatch::default()
        };
        let actor = caller.actor();
        let put = self.accounts.put_tenant_settings(&actor, &tenant, patch);
        put.await?;
        let own = self.accounts.tenant_settings(&tenant).await?;
        Ok(Json(KeepingBody {
            days: own.keep_days,
            studio_days: Some(own.studio_days.unwrap_or(STUDIO_DAYS)),
        }))
    }
}
