//! A credential that the cache does not know is looked up, with all that its principal needs.

use std::sync::Arc;

use server_rules::access::{Network, Parent, Principal, Role};
use server_rules::routing::RouteRule;
use server_store::Store;
use server_store::accounts::{ApiKey, ApiKeyKind, Scopes, Tenant, TenantStatus, UserStatus};
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::{ApiKeyId, SessionId, TenantId, UserId};

use super::Auth;
use super::cache::Known;
use super::credential::both;
use super::token::Claims;
use crate::limits::LimitSettings;

/// Keys make keys that make keys; so many one after the other.
const LINEAGE_MAX: usize = 64;

/// What is said of where a tenant's calls go, and those of these keys, as one rule. One that can't be read
/// lets nobody in: it may forbid what would be done.
pub(crate) async fn route(
    store: &Store,
    tenant: &TenantId,
    keys: &[ApiKeyId],
) -> Result<Option<Arc<RouteRule>>, DbError> {
    let mut whole: Option<RouteRule> = None;
    for json in store.tenant_routes(tenant, keys).await? {
        let rule = RouteRule::read(&json)
            .map_err(|why| DbError::Damaged(format!("a route of tenant `{tenant}`: {why}")))?;
        whole = Some(whole.map_or_else(|| rule.clone(), |whole| whole.narrowed(&rule)));
    }
    Ok(whole.map(Arc::new))
}

impl Auth {
    pub(super) async fn load_key(&self, hash: String) -> Result<Option<Known>, DbError> {
        let now = self.0.clock.now();
        let store = &self.0.store;
        let Some(key) = store.key_by_hash(&hash, now).await? else {
            return Ok(None);
        };
        if key.revoked {
            return Ok(None);
        }
        let expires_at = key.ends_at(&hash);
        let Some(tenant) = self.active_tenant(&key.tenant).await? else {
            return Ok(None);
        };
        let own = store.tenant_settings(&tenant.id).await?;
        let parent = match &key.parent {
            Some(id) => store.key(&key.tenant, id).await?.map(|parent| Parent {
                key: parent.id,
                limits: parent.limits,
            }),
            None => None,
        };
        let keys = self.lineage(&key).await?;
        let route = route(store, &key.tenant, &keys).await?;
        let networks = key.allowed_addresses.as_ref();
        let networks = networks.map(|list| {
            list.iter()
                .filter_map(|text| Network::parse(text))
                .collect()
        });
        let principal = Principal {
            tenant: key.tenant,
            tenant_name: tenant.name,
            user: None,
            username: None,
            key: Some(key.id),
            key_name: Some(key.name),
            scopes: key.scopes,
            role: Role::Owner,
            test: key.kind == ApiKeyKind::Test,
            price_multiplier_ppm: tenant.price_multiplier_ppm,
            tenant_limits: tenant.limits,
            key_limits: key.limits,
            allowed_models: both(tenant.allowed_models, key.allowed_models),
            parent,
            ends_at: expires_at,
            keep_days: own.keep_days,
            zone: tenant.zone,
            route,
        };
        Ok(Some(Known {
            principal: Arc::new(principal),
            networks,
            expires_at,
            loaded_at: now,
        }))
    }

    /// A key, the one that made it, and so on: what is said of one holds for all that come of it.
    async fn lineage(&self, key: &ApiKey) -> Result<Vec<ApiKeyId>, DbError> {
        let mut line = vec![key.id.clone()];
        let mut made_by = key.parent.clone();
        while let Some(id) = made_by {
            if line.len() >= LINEAGE_MAX || line.contains(&id) {
                let why = format!("key `{}` comes of too many others", key.id);
                return Err(DbError::Damaged(why));
            }
            let maker = self.0.store.key(&key.tenant, &id).await?;
            made_by = maker.and_then(|maker| maker.parent);
            line.push(id);
        }
        Ok(line)
    }

    pub(super) async fn load_user(&self, claims: Claims) -> Result<Option<Known>, DbError> {
        let now = self.0.clock.now();
        let store = &self.0.store;
        let session = store.session(&SessionId::from_stored(claims.sid)).await?;
        let Some(session) =
            session.filter(|s| s.revoked_at.is_none() && s.subject_id == claims.user)
        else {
            return Ok(None);
        };
        let tenant = TenantId::from_stored(claims.tenant);
        let user = store
            .user(&tenant, &UserId::from_stored(claims.user))
            .await?;
        let Some(user) = user.filter(|user| user.status == UserStatus::Active) else {
            return Ok(None);
        };
        let Some(tenant) = self.active_tenant(&tenant).await? else {
            return Ok(None);
        };
        let route = route(store, &tenant.id, &[]).await?;
        let own = store.tenant_settings(&tenant.id).await?;
        let principal = Principal {
            tenant: tenant.id,
            tenant_name: tenant.name,
            user: Some(user.id),
            username: Some(user.username),
            key: None,
            key_name: None,
            scopes: Scopes::ALL,
            role: user.role,
            test: false,
            price_multiplier_ppm: tenant.price_multiplier_ppm,
            tenant_limits: tenant.limits,
            key_limits: LimitSettings::default(),
            allowed_models: tenant.allowed_models,
            parent: None,
            ends_at: None,
            keep_days: own.keep_days,
            zone: tenant.zone,
            route,
        };
        let expires_at = Some(Moment::from_unix_ms(session.expires_at));
        Ok(Some(Known {
            principal: Arc::new(principal),
            networks: None,
            expires_at,
            loaded_at: now,
        }))
    }

    async fn active_tenant(&self, id: &TenantId) -> Result<Option<Tenant>, DbError> {
        let tenant = self.0.store.tenant(id).await?;
        Ok(tenant.filter(|tenant| tenant.status == TenantStatus::Active))
    }
}
