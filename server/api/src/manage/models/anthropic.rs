//! Models in the shape of Anthropic's API (reference, "Models"), for its clients.

use std::sync::Arc;

use poem_openapi::Object;
use server_edge::date;
use server_rooms::catalogue::Model;
use shared::link::Operation;

/// Anthropic's model object.
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

impl From<&Model> for AnthropicModelView {
    fn from(model: &Model) -> Self {
        Self {
            kind: "model".to_owned(),
            id: model.id.clone(),
            display_name: model.id.clone(),
            created_at: date::text(model.created_at),
        }
    }
}

impl AnthropicModelList {
    /// Those of `models` that Anthropic's API could call.
    pub(super) fn of<'m>(models: impl Iterator<Item = &'m Arc<Model>>) -> Self {
        let chatting = models.filter(|model| model.operation == Operation::Chat);
        let data: Vec<AnthropicModelView> = chatting.map(|model| model.as_ref().into()).collect();
        Self {
            has_more: false,
            first_id: data.first().map(|model| model.id.clone()),
            last_id: data.last().map(|model| model.id.clone()),
            data,
        }
    }
}
