//! Where a tenant's calls go, as its own people and keys say it: on top of what the operator says, and never
//! against it.

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_rooms::accounts::{Accounts, RouteSubject, Scopes};
use server_rooms::routing::RouteRule;

use crate::admin::routes::RouteBody;
use crate::error::ApiError;
use crate::keys::key_of;
use crate::principal::{TenantCaller, need};

/// Where a tenant's calls go.
#[derive(Debug, Clone, Object)]
pub struct TenantRouteView {
    /// What the operator says; only the operator changes it.
    pub platform: RouteBody,
    /// What the tenant says on top.
    pub own: RouteBody,
}

/// Routes for tenants.
#[derive(Debug, Clone)]
pub struct OwnRoutesApi {
    /// The room.
    pub accounts: Accounts,
}

impl OwnRoutesApi {
    async fn view(&self, caller: &TenantCaller<need::Keys>) -> Result<TenantRouteView, ApiError> {
        let tenant = &caller.who.tenant;
        let platform = self.accounts.route(RouteSubject::Tenant(tenant)).await?;
        let own = self.accounts.route(RouteSubject::Own(tenant)).await?;
        Ok(TenantRouteView {
            platform: platform.into(),
            own: own.into(),
        })
    }
}

#[OpenApi(prefix_path = "/api/v1", tag = "crate::Tag::Keys")]
impl OwnRoutesApi {
    /// Show the tenant's routing rules
    ///
    /// Including its data policy.
    #[oai(path = "/route", method = "get", operation_id = "get_route")]
    async fn get(
        &self,
        caller: TenantCaller<need::Keys>,
    ) -> Result<Json<TenantRouteView>, ApiError> {
        Ok(Json(self.view(&caller).await?))
    }

    /// Set the tenant's routing rules
    ///
    /// In addition to the operator's rules: they can only restrict further. A key adds to the existing
    /// rules; people replace them. Takes effect on every replica within a second.
    #[oai(path = "/route", method = "put", operation_id = "put_route")]
    async fn put(
        &self,
        caller: TenantCaller<need::Keys>,
        body: Json<RouteBody>,
    ) -> Result<Json<TenantRouteView>, ApiError> {
        let (tenant, mut rule) = (&caller.who.tenant, body.0.read()?);
        if caller.who.user.is_none() {
            let known = self.accounts.route(RouteSubject::Own(tenant)).await?;
            rule = known.narrowed(&rule);
        }
        let actor = caller.actor();
        let put = self.accounts.put_own_route(&actor, tenant, &rule);
        put.await?;
        Ok(Json(self.view(&caller).await?))
    }

    /// Show a key's routing rules
    #[oai(
        path = "/keys/:id/route",
        method = "get",
        operation_id = "get_key_route"
    )]
    async fn key(
        &self,
        caller: TenantCaller<need::Keys>,
        id: Path<String>,
    ) -> Result<Json<RouteBody>, ApiError> {
        let key = key_of(&id.0)?;
        let rule = self.accounts.key_route(&caller.who.tenant, &key).await?;
        Ok(Json(rule.into()))
    }

    /// Set a key's routing rules
    ///
    /// Requests with the key choose within them. A key cannot grant another key more than it has itself.
    /// Takes effect on every replica within a second.
    #[oai(
        path = "/keys/:id/route",
        method = "put",
        operation_id = "put_key_route"
    )]
    async fn put_key(
        &self,
        caller: TenantCaller<need::Keys>,
        id: Path<String>,
        body: Json<RouteBody>,
    ) -> Result<Json<RouteBody>, ApiError> {
        let (key, mut rule) = (key_of(&id.0)?, body.0.read()?);
        let mut reach = Scopes::ALL;
        if caller.who.user.is_none() {
            reach = Scopes::PLAIN;
            let own: Option<&RouteRule> = caller.who.route.as_deref();
            rule = own.map_or(rule.clone(), |own| own.narrowed(&rule));
        }
        let place = (&caller.who.tenant, &key, reach);
        let actor = caller.actor();
        let put = self.accounts.put_key_route(&actor, place, &rule);
        put.await?;
        Ok(Json(rule.into()))
    }
}
