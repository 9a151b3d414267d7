//! Models and their prices. Each change is one transaction with its audit entry and its line in
//! `changes`, so that every replica hears of it exactly when it is there.

pub mod notices;
mod price_reviews;
pub mod provider_lists;
mod statements;

pub use self::price_reviews::{
    AppliedPrices, ApplyPrices, NewPriceReview, PriceReview, ReviewedPrice, prices_print,
};
use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};
use serde::Serialize;
use serde::de::DeserializeOwned;
use server_rules::catalogue::facts::ModelFacts;
use server_rules::catalogue::model::{ModelParts, WeightedTarget};
use server_rules::catalogue::price::{PlainPrice, Price, PriceList, Tariff};
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::PriceId;
use shared::link::Operation;

use super::schema::{models, prices};

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = models)]
struct ModelRow {
    id: String,
    operation: String,
    targets: String,
    max_output_tokens: i64,
    enabled: bool,
    created_at: i64,
    updated_at: i64,
    answers_public_name: bool,
    is_default: bool,
    facts: String,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = prices)]
struct PriceRow {
    id: String,
    model_id: String,
    valid_from: i64,
    items: String,
    cost: String,
    created_at: i64,
}

/// A model to be added.
#[derive(Debug, Clone)]
pub struct NewModel {
    /// Its public name.
    pub id: String,
    /// What it is for.
    pub operation: Operation,
    /// Where it runs.
    pub targets: Vec<WeightedTarget>,
    /// Output tokens a call can bring at most.
    pub max_output_tokens: u64,
    /// Whether tenants may call it.
    pub enabled: bool,
    /// Whether answers name the model as tenants do, and not as the provider does.
    pub answers_public_name: bool,
    /// Whether calls that name no model go to it.
    pub is_default: bool,
    /// What it costs from now on.
    pub price: Option<PriceList>,
    /// What is told of it.
    pub facts: ModelFacts,
}

/// A change of a model; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct ModelPatch {
    /// Other places to run.
    pub targets: Option<Vec<WeightedTarget>>,
    /// Another bound.
    pub max_output_tokens: Option<u64>,
    /// Shown or hidden.
    pub enabled: Option<bool>,
    /// Whether answers name the model as tenants do, and not as the provider does.
    pub answers_public_name: Option<bool>,
    /// Whether calls that name no model go to it.
    pub is_default: Option<bool>,
    /// A new price from now on, with its cost.
    pub price: Option<PriceList>,
    /// What is told of it, all of it anew.
    pub facts: Option<ModelFacts>,
}

/// A price to be added.
#[derive(Debug, Clone)]
pub struct NewPrice {
    /// Of which model.
    pub model: String,
    /// From when on.
    pub valid_from: Moment,
    /// What tenants pay, and what the provider takes.
    pub list: Tariff,
}

/// A model as the audit log shows it.
#[derive(Serialize)]
struct ModelShown<'a> {
    operation: &'a str,
    targets: &'a serde_json::value::RawValue,
    max_output_tokens: i64,
    enabled: bool,
    answers_public_name: bool,
    is_default: bool,
    facts: &'a serde_json::value::RawValue,
}

/// A price as the audit log shows it.
#[derive(Serialize)]
struct PriceShown<'a> {
    model_id: &'a str,
    valid_from: i64,
    items: &'a serde_json::value::RawValue,
    cost: &'a serde_json::value::RawValue,
}

fn json(value: &impl Serialize) -> Result<String, DbError> {
    serde_json::to_string(value).map_err(|error| DbError::Damaged(error.to_string()))
}

fn read_json<T: DeserializeOwned>(text: &str, place: &str, id: &str) -> Result<T, DbError> {
    serde_json::from_str(text)
        .map_err(|error| DbError::Damaged(format!("{place} of `{id}`: {error}")))
}

impl ModelRow {
    fn new(new: &NewModel, now: Moment) -> Result<Self, DbError> {
        Ok(Self {
            id: new.id.clone(),
            operation: new.operation.word().to_owned(),
            targets: json(&new.targets)?,
            max_output_tokens: i64::try_from(new.max_output_tokens).unwrap_or(i64::MAX),
            enabled: new.enabled,
            created_at: now.unix_ms(),
            updated_at: now.unix_ms(),
            answers_public_name: new.answers_public_name,
            is_default: new.is_default,
            facts: json(&new.facts)?,
        })
    }

    fn patched(&self, patch: &ModelPatch, now: Moment) -> Result<Self, DbError> {
        let mut row = self.clone();
        if let Some(targets) = &patch.targets {
            row.targets = json(targets)?;
        }
        if let Some(tokens) = patch.max_output_tokens {
            row.max_output_tokens = i64::try_from(tokens).unwrap_or(i64::MAX);
        }
        row.enabled = patch.enabled.unwrap_or(row.enabled);
        let public = patch.answers_public_name;
        row.answers_public_name = public.unwrap_or(row.answers_public_name);
        row.is_default = patch.is_default.unwrap_or(row.is_default);
        if let Some(facts) = &patch.facts {
            row.facts = json(facts)?;
        }
        row.updated_at = now.unix_ms();
        Ok(row)
    }

    fn shown(&self) -> Result<String, DbError> {
        json(&ModelShown {
            operation: &self.operation,
            targets: &read_json::<Box<_>>(&self.targets, "targets", &self.id)?,
            max_output_tokens: self.max_output_tokens,
            enabled: self.enabled,
            answers_public_name: self.answers_public_name,
            is_default: self.is_default,
            facts: &read_json::<Box<_>>(&self.facts, "facts", &self.id)?,
        })
    }

    fn parts(self) -> Result<ModelParts, DbError> {
        let damaged = |what: &str| DbError::Damaged(format!("{what} of model `{}`", self.id));
        Ok(ModelParts {
            operation: Operation::from_word(&self.operation).ok_or_else(|| damaged("operation"))?,
            targets: read_json(&self.targets, "targets", &self.id)?,
            max_output_tokens: u64::try_from(self.max_output_tokens)
                .map_err(|_| damaged("tokens"))?,
            enabled: self.enabled,
            answers_public_name: self.answers_public_name,
            is_default: self.is_default,
            created_at: Moment::from_unix_ms(self.created_at),
            prices: Vec::new(),
            facts: read_json(&self.facts, "facts", &self.id)?,
            id: self.id,
        })
    }
}

impl PriceRow {
    fn new(new: &NewPrice, now: Moment) -> Result<Self, DbError> {
        Ok(Self {
            id: PriceId::random().into_string(),
            model_id: new.model.clone(),
            valid_from: new.valid_from.unix_ms(),
            items: json(&*new.list)?,
            // Costs stand beside the prices; versions before kept them here.
            cost: "{}".to_owned(),
            created_at: now.unix_ms(),
        })
    }

    fn from_now(
        model: &str,
        price: Option<&PriceList>,
        now: Moment,
    ) -> Result<Option<Self>, DbError> {
        let Some(list) = price.cloned() else {
            return Ok(None);
        };
        let damaged = || DbError::Damaged(format!("the price of the new model `{model}`"));
        let list = Tariff::new(list).ok_or_else(damaged)?;
        Self::new(
            &NewPrice {
                model: model.to_owned(),
                valid_from: now,
                list,
            },
            now,
        )
        .map(Some)
    }

    fn shown(&self) -> Result<String, DbError> {
        json(&PriceShown {
            model_id: &self.model_id,
            valid_from: self.valid_from,
            items: &read_json::<Box<_>>(&self.items, "items", &self.id)?,
            cost: &read_json::<Box<_>>(&self.cost, "cost", &self.id)?,
        })
    }

    /// The rates; made of what versions before rates kept, where it is of one of these. They took what
    /// was left out for free.
    fn list(&self) -> Result<PriceList, DbError> {
        #[derive(serde::Deserialize)]
        struct Form {
            rates: Option<serde::de::IgnoredAny>,
        }
        let form: Form = read_json(&self.items, "items", &self.id)?;
        if form.rates.is_some() {
            return read_json(&self.items, "items", &self.id);
        }
        let price: PlainPrice = read_json(&self.items, "items", &self.id)?;
        let cost: PlainPrice = read_json(&self.cost, "cost", &self.id)?;
        let units = Operation::ALL.into_iter().flat_map(Operation::units);
        // They wrote a cost of nothing where none was told: it is not known.
        let cost = Some(cost).filter(|cost| *cost != PlainPrice::default());
        Ok(price.list(cost.as_ref()).or_free(units.copied()))
    }

    fn price(self) -> Result<Price, DbError> {
        let damaged = || DbError::Damaged(format!("the amounts of price `{}`", self.id));
        Ok(Price {
            list: Tariff::new(self.list()?).ok_or_else(damaged)?,
            valid_from: Moment::from_unix_ms(self.valid_from),
            id: PriceId::from_stored(self.id),
        })
    }
}
