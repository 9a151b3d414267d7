//! Models as the superadmin sees and sets them: where they run, what they cost, who sees them.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Enum, Object, OpenApi};
use server_edge::date;
use server_rooms::auth::roles::{Action, kind};
use server_rooms::catalogue::model::WeightedTarget;
use server_rooms::catalogue::{Catalogue, Model, ModelPatch, NewModel};
use shared::clock::{Clock, Moment};
use shared::link::Operation;

use super::prices::{PriceBody, PriceView};
use crate::answer::{Created, Deleted};
use crate::error::ApiError;
use crate::manage::{Page, page_limit};
use crate::principal::SuperadminCaller;

/// Output of a chat model whose bound was not told.
const CHAT_OUTPUT_TOKENS: u64 = 4_096;

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum OperationName {
    /// `/chat/completions`.
    Chat,
    /// `/embeddings`.
    Embedding,
    /// `/images/generations`.
    Image,
    /// `/completions`.
    Completion,
    /// `/moderations`.
    Moderation,
}

impl From<OperationName> for Operation {
    fn from(name: OperationName) -> Self {
        match name {
            OperationName::Chat => Self::Chat,
            OperationName::Embedding => Self::Embedding,
            OperationName::Image => Self::Image,
            OperationName::Completion => Self::Completion,
            OperationName::Moderation => Self::Moderation,
        }
    }
}

impl From<Operation> for OperationName {
    fn from(operation: Operation) -> Self {
        match operation {
            Operation::Chat => Self::Chat,
            Operation::Embedding => Self::Embedding,
            Operation::Image => Self::Image,
            Operation::Completion => Self::Completion,
            Operation::Moderation => Self::Moderation,
        }
    }
}

fn one() -> u32 {
    1
}

/// A place where a model runs.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct TargetBody {
    /// The provider's name.
    pub provider: String,
    /// The model's name there.
    pub model: String,
    /// Share of the calls among targets of the same priority, 1 to 1,000.
    #[oai(default = "one")]
    pub weight: u32,
    /// Lower ones are tried first, 0 to 9.
    #[oai(default)]
    pub priority: u32,
    /// The name or the region of the gateways it is reached through; any when absent.
    pub gateway: Option<String>,
}

impl From<TargetBody> for WeightedTarget {
    fn from(body: TargetBody) -> Self {
        Self {
            provider: body.provider,
            model: body.model,
            weight: body.weight,
            priority: body.priority,
            gateway: body.gateway,
        }
    }
}

impl From<&WeightedTarget> for TargetBody {
    fn from(target: &WeightedTarget) -> Self {
        Self {
            provider: target.provider.clone(),
            model: target.model.clone(),
            weight: target.weight,
            priority: target.priority,
            gateway: target.gateway.clone(),
        }
    }
}

fn targets(bodies: Vec<TargetBody>) -> Vec<WeightedTarget> {
    bodies.into_iter().map(WeightedTarget::from).collect()
}

fn yes() -> bool {
    true
}

/// A model to be added.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct NewModelBody {
    /// The name tenants call it by: 1 to 100 of `A-Z a-z 0-9 . _ : / -`.
    pub id: String,
    /// What it is for.
    pub operation: OperationName,
    /// Where it runs, 1 to 16.
    pub targets: Vec<TargetBody>,
    /// Output tokens a call can bring at most; 4,096 for chat when absent.
    pub max_output_tokens: Option<u64>,
    /// Whether tenants may call it.
    #[oai(default = "yes")]
    pub enabled: bool,
    /// Whether answers name the model by `id`, and not as the provider does.
    #[oai(default)]
    pub answers_public_name: bool,
    /// Whether calls that name no model go to it, which images and moderations may; takes the mark from the model that had it.
    #[oai(default)]
    pub is_default: bool,
    /// What it costs from now on; without a price nobody can call it.
    pub price: Option<PriceBody>,
}

impl NewModelBody {
    fn read(self) -> Result<NewModel, ApiError> {
        let operation = Operation::from(self.operation);
        let tokens = if operation.writes_text() {
            CHAT_OUTPUT_TOKENS
        } else {
            0
        };
        let price = self.price.map(|price| price.list(operation)).transpose()?;
        Ok(NewModel {
            id: self.id,
            operation,
            targets: targets(self.targets),
            max_output_tokens: self.max_output_tokens.unwrap_or(tokens),
            enabled: self.enabled,
            answers_public_name: self.answers_public_name,
            is_default: self.is_default,
            price,
        })
    }
}

/// A change of a model; what is absent stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct ModelPatchBody {
    /// Other places to run.
    pub targets: Option<Vec<TargetBody>>,
    /// Another bound.
    pub max_output_tokens: Option<u64>,
    /// Shown or hidden.
    pub enabled: Option<bool>,
    /// Whether answers name the model by its `id`.
    pub answers_public_name: Option<bool>,
    /// Whether image calls that name no model go to it.
    pub is_default: Option<bool>,
    /// A new price from now on.
    pub price: Option<PriceBody>,
}

impl ModelPatchBody {
    /// Of a model for that operation.
    fn read(self, operation: Operation) -> Result<ModelPatch, ApiError> {
        let price = self.price.map(|price| price.list(operation)).transpose()?;
        Ok(ModelPatch {
            targets: self.targets.map(targets),
            max_output_tokens: self.max_output_tokens,
            enabled: self.enabled,
            answers_public_name: self.answers_public_name,
            is_default: self.is_default,
            price,
        })
    }
}

/// A model.
#[derive(Debug, Clone, Object)]
pub struct ModelView {
    /// Its name.
    pub id: String,
    /// What it is for.
    pub operation: OperationName,
    /// Where it runs, in the order of priority.
    pub targets: Vec<TargetBody>,
    /// Output tokens a call can bring at most.
    pub max_output_tokens: u64,
    /// Whether tenants may call it.
    pub enabled: bool,
    /// Whether answers name the model by `id`.
    pub answers_public_name: bool,
    /// Whether image calls that name no model go to it.
    pub is_default: bool,
    /// The price that is valid now.
    pub price: Option<PriceView>,
    /// When it was added, in RFC 3339.
    pub created_at: String,
}

impl ModelView {
    fn new(model: &Model, now: Moment) -> Self {
        Self {
            id: model.id.clone(),
            operation: model.operation.into(),
            targets: model.targets.iter().map(TargetBody::from).collect(),
            max_output_tokens: model.max_output_tokens,
            enabled: model.enabled,
            answers_public_name: model.answers_public_name,
            is_default: model.is_default,
            price: model
                .price_at(now)
                .map(|price| PriceView::new(&model.id, price)),
            created_at: date::text(model.created_at),
        }
    }
}

/// Models for the superadmin.
#[derive(Debug, Clone)]
pub struct AdminModelsApi {
    /// The models.
    pub catalogue: Catalogue,
    /// Which price is valid.
    pub clock: Clock,
}

/// A model's name may hold slashes, which a path can't: send them as `%2F`.
#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Catalogue")]
impl AdminModelsApi {
    /// List models
    ///
    /// By name, hidden ones included.
    #[oai(path = "/models", method = "get", operation_id = "admin_list_models")]
    #[expect(clippy::unused_async, reason = "poem-openapi has async handlers only")]
    async fn list(
        &self,
        _caller: SuperadminCaller,
        /// How many, 1 to 100
        limit: Query<Option<u32>>,
        /// `next` of the page before
        after: Query<Option<String>>,
    ) -> Result<Json<Page<ModelView>>, ApiError> {
        let limit = page_limit(limit.0)?;
        let (models, now) = (self.catalogue.models(), self.clock.now());
        let behind = models
            .iter()
            .filter(|model| after.0.as_ref().is_none_or(|after| model.id > *after));
        let views = behind.map(|model| ModelView::new(model, now));
        Ok(Json(Page::cut(views, limit, |view| view.id.clone())))
    }

    /// Add a model
    ///
    /// An operator adds it without a price, which is finance's to set.
    #[oai(path = "/models", method = "post", operation_id = "admin_create_model")]
    async fn create(
        &self,
        caller: SuperadminCaller<kind::EditModels>,
        body: Json<NewModelBody>,
    ) -> Result<Created<ModelView>, ApiError> {
        if body.0.price.is_some() {
            caller.must_be_able_to(Action::SetPrices)?;
        }
        let new = body.0.read()?;
        let model = self.catalogue.create_model(&caller.actor(), new).await?;
        Ok(Created::Made(Json(ModelView::new(
            &model,
            self.clock.now(),
        ))))
    }

    /// Show a model
    #[oai(path = "/models/:id", method = "get", operation_id = "admin_get_model")]
    #[expect(clippy::unused_async, reason = "poem-openapi has async handlers only")]
    async fn get(
        &self,
        _caller: SuperadminCaller,
        id: Path<String>,
    ) -> Result<Json<ModelView>, ApiError> {
        let model = self
            .catalogue
            .model(&id.0)
            .ok_or_else(|| ApiError::not_found("model"))?;
        Ok(Json(ModelView::new(&model, self.clock.now())))
    }

    /// Change a model
    ///
    /// The price is finance's to set, the rest is the operator's.
    #[oai(
        path = "/models/:id",
        method = "patch",
        operation_id = "admin_update_model"
    )]
    async fn update(
        &self,
        caller: SuperadminCaller,
        id: Path<String>,
        body: Json<ModelPatchBody>,
    ) -> Result<Json<ModelView>, ApiError> {
        let patch = &body.0;
        if patch.price.is_some() {
            caller.must_be_able_to(Action::SetPrices)?;
        }
        let others = patch.targets.is_some()
            || patch.max_output_tokens.is_some()
            || patch.enabled.is_some()
            || patch.answers_public_name.is_some()
            || patch.is_default.is_some();
        if others || patch.price.is_none() {
            caller.must_be_able_to(Action::EditModels)?;
        }
        let of = self.catalogue.model(&id.0);
        let operation = of.ok_or_else(|| ApiError::not_found("model"))?.operation;
        let patch = body.0.read(operation)?;
        let model = self
            .catalogue
            .update_model(&caller.actor(), &id.0, patch)
            .await?;
        Ok(Json(ModelView::new(&model, self.clock.now())))
    }

    /// Remove a model with its prices
    #[oai(
        path = "/models/:id",
        method = "delete",
        operation_id = "admin_delete_model"
    )]
    async fn delete(
        &self,
        caller: SuperadminCaller<kind::EditModels>,
        id: Path<String>,
    ) -> Result<Deleted, ApiError> {
        self.catalogue.delete_model(&caller.actor(), &id.0).await?;
        Ok(Deleted::Done)
    }
}
