//! Changes of models and prices: checked, stored with their entry, and in force at once.

use std::sync::Arc;

use server_rules::catalogue::facts::ModelFacts;
use server_rules::catalogue::model::Model;
use server_rules::catalogue::retirement::Retirement;
use server_store::audit::Actor;
use server_store::catalogue::{ModelPatch, NewModel, NewPrice};
use server_store::routes::RouteSubject;
use shared::clock::Moment;
use shared::id::PriceId;
use shared::link::Operation;
use tracing::info;

use super::price::{Price, PriceList};
use super::{Catalogue, CatalogueError, check};

impl Catalogue {
    /// Adds a model.
    pub async fn create_model(
        &self,
        actor: &Actor,
        new: NewModel,
    ) -> Result<Arc<Model>, CatalogueError> {
        check::id(&new.id)?;
        check::targets(&new.targets)?;
        check::max_output_tokens(new.operation, new.max_output_tokens)?;
        check::is_default(new.operation, new.is_default)?;
        if let Some(price) = &new.price {
            check::price(new.operation, price)?;
        }
        let new = NewModel {
            facts: self.checked_facts((&new.id, new.operation), new.facts, None)?,
            ..new
        };
        self.0.store.create_model(actor, &new, self.now()).await?;
        info!("model `{}` was added", new.id);
        self.reload().await?;
        self.model(&new.id).ok_or(CatalogueError::NoSuchModel)
    }

    /// Changes a model.
    pub async fn update_model(
        &self,
        actor: &Actor,
        id: &str,
        patch: ModelPatch,
    ) -> Result<Arc<Model>, CatalogueError> {
        if let Some(targets) = &patch.targets {
            check::targets(targets)?;
        }
        if let Some(tokens) = patch.max_output_tokens {
            // One that is not here yet is checked as the most lenient; it is new within a second.
            let operation = self
                .model(id)
                .map_or(Operation::Image, |model| model.operation);
            check::max_output_tokens(operation, tokens)?;
        }
        if let (Some(is_default), Some(model)) = (patch.is_default, self.model(id)) {
            check::is_default(model.operation, is_default)?;
        }
        if let (Some(price), Some(model)) = (&patch.price, self.model(id)) {
            check::price(model.operation, price)?;
        }
        let mut patch = patch;
        if let Some(facts) = patch.facts.take() {
            let model = self.model(id).ok_or(CatalogueError::NoSuchModel)?;
            let before = model.facts.retirement.as_ref();
            let facts = self.checked_facts((id, model.operation), facts, before)?;
            patch.facts = Some(facts);
        }
        if !self
            .0
            .store
            .update_model(actor, id, &patch, self.now())
            .await?
        {
            return Err(CatalogueError::NoSuchModel);
        }
        self.reload().await?;
        self.model(id).ok_or(CatalogueError::NoSuchModel)
    }

    /// Facts as they may be stored: an end that is planned counts as announced since it was planned first.
    fn checked_facts(
        &self,
        of: (&str, Operation),
        mut facts: ModelFacts,
        before: Option<&Retirement>,
    ) -> Result<ModelFacts, CatalogueError> {
        check::facts::facts(&facts)?;
        if let Some(end) = &mut facts.retirement {
            end.announced_at = before.map_or(self.now(), |before| before.announced_at);
            check::facts::retirement(of, end, |id| self.model(id))?;
        }
        Ok(facts)
    }

    /// Removes a model with its prices.
    pub async fn delete_model(&self, actor: &Actor, id: &str) -> Result<(), CatalogueError> {
        if !self.0.store.delete_model(actor, id, self.now()).await? {
            return Err(CatalogueError::NoSuchModel);
        }
        // Another one of that name begins anew.
        let of = RouteSubject::Model(id);
        let routed = self.0.store.put_route_rule(actor, of, None, self.now());
        routed.await?;
        info!("model `{id}` was removed");
        self.reload().await?;
        Ok(())
    }

    /// Adds a price; without a moment it is valid from now on.
    pub async fn create_price(
        &self,
        actor: &Actor,
        model: String,
        valid_from: Option<Moment>,
        list: PriceList,
    ) -> Result<Price, CatalogueError> {
        let mut made = self
            .create_prices(actor, valid_from, vec![(model, list)])
            .await?;
        let made = made.pop().map(|(_, price)| price);
        made.ok_or(CatalogueError::NoSuchModel)
    }

    /// Adds a price to each of these models, or to none of them where one is refused.
    pub async fn create_prices(
        &self,
        actor: &Actor,
        valid_from: Option<Moment>,
        lists: Vec<(String, PriceList)>,
    ) -> Result<Vec<(String, Price)>, CatalogueError> {
        let now = self.now();
        let mut new = Vec::with_capacity(lists.len());
        for (model, list) in lists {
            let of = self.model(&model).ok_or(CatalogueError::NoSuchModel)?;
            new.push(NewPrice {
                model,
                valid_from: valid_from.unwrap_or(now),
                list: check::tariff(of.operation, list)?,
            });
        }
        let ids = self.0.store.create_prices(actor, &new, now).await?;
        let ids = ids.ok_or(CatalogueError::NoSuchModel)?;
        self.reload().await?;
        let made = ids.into_iter().zip(new).map(|(id, new)| {
            let (valid_from, list) = (new.valid_from, new.list);
            let price = Price {
                id,
                valid_from,
                list,
            };
            (new.model, price)
        });
        Ok(made.collect())
    }

    /// Removes a price.
    pub async fn delete_price(&self, actor: &Actor, id: &PriceId) -> Result<(), CatalogueError> {
        if !self.0.store.delete_price(actor, id, self.now()).await? {
            return Err(CatalogueError::NoSuchPrice);
        }
        self.reload().await?;
        Ok(())
    }
}
