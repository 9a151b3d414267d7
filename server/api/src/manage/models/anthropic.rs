//! Models in the shape of Anthropic's API (reference, "Models"), for its clients.

use poem_openapi::Object;
use server_edge::date;
use server_rooms::catalogue::facts::Capability;
use shared::link::Operation;

use super::TenantPriceView;
use super::facts::{ModelRetirementView, Shown};
use super::price_view;

/// Anthropic's model object, and what this service knows beside it.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct AnthropicModelView {
    /// Always `model`.
    #[oai(rename = "type")]
    pub kind: String,
    /// The name to call it by.
    pub id: String,
    /// The same.
    pub display_name: String,
    /// When it was added, in RFC 3339.
    pub created_at: String,
    /// Tokens of its context window, where that is known.
    pub max_input_tokens: Option<u64>,
    /// What `max_tokens` may be at most.
    pub max_tokens: Option<u64>,
    /// What it can; null where nothing is known.
    pub capabilities: Option<AnthropicCapabilities>,
    /// What it costs you now. Not Anthropic's.
    pub price: Option<TenantPriceView>,
    /// When it ends, where that is planned. Not Anthropic's.
    pub retirement: Option<ModelRetirementView>,
}

/// Whether it can something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Object)]
pub struct AnthropicSupport {
    /// Whether it can.
    pub supported: bool,
}

/// How it thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Object)]
pub struct AnthropicThinking {
    /// Whether it thinks.
    pub supported: bool,
    /// In which of the ways.
    pub types: AnthropicThinkingTypes,
}

/// Ways to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Object)]
pub struct AnthropicThinkingTypes {
    /// As much as it sees fit.
    pub adaptive: AnthropicSupport,
    /// Up to a budget.
    pub enabled: AnthropicSupport,
}

/// How hard it may be told to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Object)]
pub struct AnthropicEffort {
    /// Whether it may be told.
    pub supported: bool,
    /// Little.
    pub low: AnthropicSupport,
    /// Some.
    pub medium: AnthropicSupport,
    /// Much.
    pub high: AnthropicSupport,
    /// As much as it can.
    pub max: AnthropicSupport,
}

/// What a model can, in Anthropic's words; what is not told of it is told as missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Object)]
pub struct AnthropicCapabilities {
    /// Batches: there are none here.
    pub batch: AnthropicSupport,
    /// Citations.
    pub citations: AnthropicSupport,
    /// Running code.
    pub code_execution: AnthropicSupport,
    /// Clearing a context.
    pub context_management: AnthropicSupport,
    /// How hard it thinks.
    pub effort: AnthropicEffort,
    /// Reading pictures.
    pub image_input: AnthropicSupport,
    /// Reading documents.
    pub pdf_input: AnthropicSupport,
    /// Keeping to a schema.
    pub structured_outputs: AnthropicSupport,
    /// Thinking.
    pub thinking: AnthropicThinking,
}

/// Anthropic's list of models, whole.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct AnthropicModelList {
    /// All that chat.
    pub data: Vec<AnthropicModelView>,
    /// Always false.
    pub has_more: bool,
    /// The name of the first.
    pub first_id: Option<String>,
    /// The name of the last.
    pub last_id: Option<String>,
}

/// `None` where nothing is told of the model.
fn capabilities(shown: Shown<'_>) -> Option<AnthropicCapabilities> {
    let facts = &shown.model.facts;
    if facts.capabilities.is_empty() {
        return None;
    }
    let is = |supported| AnthropicSupport { supported };
    let can = |capability| is(facts.can(capability));
    let (no, thinks) = (is(false), can(Capability::Reasoning));
    Some(AnthropicCapabilities {
        batch: no,
        citations: no,
        code_execution: can(Capability::CodeExecution),
        context_management: no,
        effort: AnthropicEffort {
            supported: false,
            low: no,
            medium: no,
            high: no,
            max: no,
        },
        image_input: can(Capability::Vision),
        pdf_input: can(Capability::FileInput),
        structured_outputs: can(Capability::StructuredOutput),
        thinking: AnthropicThinking {
            supported: thinks.supported,
            types: AnthropicThinkingTypes {
                adaptive: no,
                enabled: thinks,
            },
        },
    })
}

impl From<Shown<'_>> for AnthropicModelView {
    fn from(shown: Shown<'_>) -> Self {
        let model = shown.model;
        Self {
            kind: "model".to_owned(),
            id: model.id.clone(),
            display_name: model.id.clone(),
            created_at: date::text(model.created_at),
            max_input_tokens: model.facts.context_tokens,
            max_tokens: shown.max_output(),
            capabilities: capabilities(shown),
            price: shown
                .price()
                .and_then(|price| price_view(price, shown.multiplier_ppm())),
            retirement: shown.retirement(),
        }
    }
}

impl AnthropicModelList {
    /// Those of `models` that Anthropic's API could call.
    pub(super) fn of<'m>(models: impl Iterator<Item = Shown<'m>>) -> Self {
        let chatting = models.filter(|shown| shown.model.operation == Operation::Chat);
        let data: Vec<AnthropicModelView> = chatting.map(AnthropicModelView::from).collect();
        Self {
            has_more: false,
            first_id: data.first().map(|model| model.id.clone()),
            last_id: data.last().map(|model| model.id.clone()),
            data,
        }
    }
}
