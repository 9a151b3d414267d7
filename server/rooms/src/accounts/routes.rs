//! What is said of where a tenant's calls go: by operators, by its own people, of its keys. Each adds to
//! what the others forbid; `server_rules::routing` says how.

use std::sync::Arc;

use server_rules::routing::RouteRule;
use server_store::audit::Actor;
use server_store::routes::RouteSubject;
use shared::db::DbError;
use shared::id::{ApiKeyId, TenantId};

use super::{AccountError, Accounts, Scopes};
use crate::auth::loading::route;

impl Accounts {
    /// What is said of one subject of a tenant; nothing where nobody said anything.
    pub async fn route(&self, of: RouteSubject<'_>) -> Result<RouteRule, AccountError> {
        let Some(json) = self.store.route_rule(of).await? else {
            return Ok(RouteRule::default());
        };
        RouteRule::read(&json).map_err(|why| DbError::Damaged(format!("a route: {why}")).into())
    }

    /// All that is said of where a tenant's calls go, but of its keys.
    pub async fn whole_route(&self, tenant: &TenantId) -> Result<Option<Arc<RouteRule>>, DbError> {
        route(&self.store, tenant, &[]).await
    }

    /// Says where a tenant's calls go: an operator's word.
    pub async fn put_tenant_route(
        &self,
        actor: &Actor,
        tenant: &TenantId,
        rule: &RouteRule,
    ) -> Result<(), AccountError> {
        self.tenant(tenant).await?;
        self.put_route(actor, tenant, RouteSubject::Tenant(tenant), rule)
            .await
    }

    /// The same, as the tenant's own people say it: on top of the operator's word.
    pub async fn put_own_route(
        &self,
        actor: &Actor,
        tenant: &TenantId,
        rule: &RouteRule,
    ) -> Result<(), AccountError> {
        self.put_route(actor, tenant, RouteSubject::Own(tenant), rule)
            .await
    }

    /// Says where a key's calls go, for somebody who reaches keys of these scopes: no key reaches itself.
    pub async fn put_key_route(
        &self,
        actor: &Actor,
        (tenant, id, reach): (&TenantId, &ApiKeyId, Scopes),
        rule: &RouteRule,
    ) -> Result<(), AccountError> {
        let key = self.key(tenant, id).await?;
        if !key.scopes.is_within(reach) {
            return Err(AccountError::OutOfReach);
        }
        let of = RouteSubject::Key(tenant, id);
        self.put_route(actor, tenant, of, rule).await
    }

    /// What is said of a key.
    pub async fn key_route(
        &self,
        tenant: &TenantId,
        key: &ApiKeyId,
    ) -> Result<RouteRule, AccountError> {
        self.key(tenant, key).await?;
        self.route(RouteSubject::Key(tenant, key)).await
    }

    async fn put_route(
        &self,
        actor: &Actor,
        tenant: &TenantId,
        of: RouteSubject<'_>,
        rule: &RouteRule,
    ) -> Result<(), AccountError> {
        let json = (!rule.is_nothing()).then(|| rule.json());
        let (store, now) = (&self.store, self.clock.now());
        let put = store.put_route_rule(actor, of, json.as_deref(), now);
        put.await?;
        self.auth.forget(tenant);
        Ok(())
    }
}
