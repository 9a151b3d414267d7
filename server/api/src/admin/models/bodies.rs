//! Models as they are sent and shown.

use poem_openapi::{Enum, Object};
use server_edge::date;
use server_rooms::catalogue::model::WeightedTarget;
use server_rooms::catalogue::{Model, ModelPatch, NewModel};
use shared::clock::Moment;
use shared::link::Operation;
use shared::zone::Zone;

use super::super::prices::bodies::{PriceBody, PriceView};
use super::facts::ModelFactsBody;
use crate::error::ApiError;

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
    /// `/rerank`.
    Rerank,
}

impl From<OperationName> for Operation {
    fn from(name: OperationName) -> Self {
        match name {
            OperationName::Chat => Self::Chat,
            OperationName::Embedding => Self::Embedding,
            OperationName::Image => Self::Image,
            OperationName::Completion => Self::Completion,
            OperationName::Moderation => Self::Moderation,
            OperationName::Rerank => Self::Rerank,
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
            Operation::Rerank => Self::Rerank,
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
    /// What it costs you in any measure that is the same for all targets of the model, 0 to 1,000,000: `sort`
    /// by `price` tries the least first.
    pub cost: Option<u32>,
}

impl From<TargetBody> for WeightedTarget {
    fn from(body: TargetBody) -> Self {
        Self {
            provider: body.provider,
            model: body.model,
            weight: body.weight,
            priority: body.priority,
            gateway: body.gateway,
            cost: body.cost,
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
            cost: target.cost,
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
    /// What is told of it.
    pub facts: Option<ModelFactsBody>,
}

impl NewModelBody {
    /// With days as `zone` has them.
    pub(super) fn read(self, zone: &Zone) -> Result<NewModel, ApiError> {
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
            facts: self.facts.unwrap_or_default().read(zone)?,
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
    /// What is told of it, all of it anew.
    pub facts: Option<ModelFactsBody>,
}

impl ModelPatchBody {
    /// Of a model for that operation, with days as `zone` has them.
    pub(super) fn read(self, operation: Operation, zone: &Zone) -> Result<ModelPatch, ApiError> {
        let price = self.price.map(|price| price.list(operation)).transpose()?;
        Ok(ModelPatch {
            targets: self.targets.map(targets),
            max_output_tokens: self.max_output_tokens,
            enabled: self.enabled,
            answers_public_name: self.answers_public_name,
            is_default: self.is_default,
            price,
            facts: self.facts.map(|facts| facts.read(zone)).transpose()?,
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
    /// What is told of it.
    pub facts: ModelFactsBody,
}

impl ModelView {
    pub(super) fn new(model: &Model, now: Moment) -> Self {
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
            facts: (&model.facts).into(),
        }
    }
}
