//! What operators say of where calls of models go, and of what providers do with data; read with the
//! catalogue, and kept with it.

use std::collections::HashMap;
use std::sync::Arc;

use server_rules::routing::{DataTerms, RouteRule};
use server_store::audit::Actor;
use server_store::routes::{PlatformRoutes, RouteSubject};
use shared::db::DbError;
use tracing::error;

use super::check::{PROVIDER_BYTES_MAX, provider_name};
use super::{Catalogue, CatalogueError};

/// What is said, by name.
#[derive(Debug, Default)]
pub struct Routing {
    models: HashMap<String, Arc<RouteRule>>,
    providers: HashMap<String, DataTerms>,
}

impl Routing {
    /// A rule that can't be read lets nobody serve its model, since it may forbid what would be done; of a
    /// provider whose terms can't be read nothing is known.
    pub(super) fn of(stored: PlatformRoutes) -> Self {
        let models = stored.models.into_iter().map(|(name, json)| {
            let rule = RouteRule::read(&json).unwrap_or_else(|why| {
                error!("the route of model `{name}` can't be read, so nobody may serve it: {why}");
                RouteRule::nobody()
            });
            (name, Arc::new(rule))
        });
        let providers = stored.providers.into_iter().filter_map(|(name, json)| {
            let terms = serde_json::from_str(&json)
                .inspect_err(|why| error!("the terms of provider `{name}` can't be read: {why}"));
            Some((name, terms.ok()?))
        });
        Self {
            models: models.collect(),
            providers: providers.collect(),
        }
    }

    /// What is said of a model, where anything is.
    pub fn of_model(&self, name: &str) -> Option<&Arc<RouteRule>> {
        self.models.get(name)
    }

    /// What a provider does with data, where anything is known.
    pub fn terms(&self, provider: &str) -> Option<&DataTerms> {
        self.providers.get(provider)
    }
}

impl Catalogue {
    /// What is said of a model, from the database: for whoever changes a part of it.
    pub async fn model_route(&self, model: &str) -> Result<RouteRule, CatalogueError> {
        let of = RouteSubject::Model(model);
        let Some(json) = self.0.store.route_rule(of).await? else {
            return Ok(RouteRule::default());
        };
        let damaged = |why| DbError::Damaged(format!("a route: {why}"));
        RouteRule::read(&json).map_err(|why| damaged(why).into())
    }

    /// Says where calls of a model go where nobody says otherwise.
    pub async fn put_model_route(
        &self,
        actor: &Actor,
        model: &str,
        rule: &RouteRule,
    ) -> Result<(), CatalogueError> {
        if self.model(model).is_none() {
            return Err(CatalogueError::NoSuchModel);
        }
        let json = (!rule.is_nothing()).then(|| rule.json());
        self.put(actor, RouteSubject::Model(model), json).await
    }

    /// Says what a provider does with data. Providers are kept by gateways, each of its own: terms are of
    /// all that have this name.
    pub async fn put_data_terms(
        &self,
        actor: &Actor,
        provider: &str,
        terms: &DataTerms,
    ) -> Result<(), CatalogueError> {
        if !provider_name(provider) {
            return Err(CatalogueError::Invalid {
                field: "name",
                rule: format!("1 to {PROVIDER_BYTES_MAX} of a-z 0-9 -"),
            });
        }
        if let Err((field, rule)) = terms.checked() {
            let rule = rule.to_owned();
            return Err(CatalogueError::Invalid { field, rule });
        }
        let json = (!terms.is_unknown()).then(|| serde_json::to_string(terms).unwrap_or_default());
        self.put(actor, RouteSubject::Provider(provider), json)
            .await
    }

    async fn put(
        &self,
        actor: &Actor,
        of: RouteSubject<'_>,
        json: Option<String>,
    ) -> Result<(), CatalogueError> {
        let (store, now) = (&self.0.store, self.now());
        let put = store.put_route_rule(actor, of, json.as_deref(), now);
        put.await?;
        self.reload().await?;
        Ok(())
    }
}
