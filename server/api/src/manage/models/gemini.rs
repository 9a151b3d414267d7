//! Models in the shape of Google's Gemini API (reference, "Models"), for its clients.

use std::sync::Arc;

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_rooms::catalogue::{Catalogue, Model};
use shared::link::Operation;
use shared::surface::{SURFACES, TenantPath};

use super::{found, may_use};
use crate::error::ApiError;
use crate::principal::TenantCaller;

/// Before a model's name there.
const RESOURCE: &str = "models/";

/// Google's model object.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct GeminiModelView {
    /// `models/` and the name to call it by.
    pub name: String,
    /// The name to call it by.
    pub display_name: String,
    /// What may stand behind the colon of its path.
    pub supported_generation_methods: Vec<String>,
    /// Output tokens of an answer at most, where it writes some.
    pub output_token_limit: Option<u64>,
}

/// Google's list of models, whole.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct GeminiModelList {
    /// All that chat or make vectors.
    pub models: Vec<GeminiModelView>,
}

/// What Google's API can ask of models of an operation.
fn methods(operation: Operation) -> Vec<String> {
    let own = SURFACES
        .into_iter()
        .filter(|surface| surface.operation == operation);
    own.flat_map(|surface| {
        let TenantPath::Model { verbs, .. } = surface.at else {
            return Vec::new();
        };
        let counting = surface.counting.map(|counting| counting.at);
        let words = verbs.iter().map(|verb| verb.word).chain(counting);
        words.map(str::to_owned).collect()
    })
    .collect()
}

impl From<&Model> for GeminiModelView {
    fn from(model: &Model) -> Self {
        Self {
            name: format!("{RESOURCE}{}", model.id),
            display_name: model.id.clone(),
            supported_generation_methods: methods(model.operation),
            output_token_limit: Some(model.max_output_tokens).filter(|tokens| *tokens > 0),
        }
    }
}

impl GeminiModelList {
    /// Those of `models` that Google's API could call.
    pub(super) fn of<'m>(models: impl Iterator<Item = &'m Arc<Model>>) -> Self {
        let callable = models.filter(|model| !methods(model.operation).is_empty());
        Self {
            models: callable.map(|model| model.as_ref().into()).collect(),
        }
    }
}

/// Models for clients of Google's API.
#[derive(Debug, Clone)]
pub struct GeminiModelsApi {
    /// The models.
    pub catalogue: Catalogue,
}

#[OpenApi(prefix_path = "/api/v1beta", tag = "crate::Tag::Models")]
impl GeminiModelsApi {
    /// List models in Google's shape
    ///
    /// Those that chat or make vectors, are enabled and that your key may use.
    #[oai(path = "/models", method = "get", operation_id = "list_gemini_models")]
    #[expect(clippy::unused_async, reason = "poem-openapi has async handlers only")]
    async fn list(&self, caller: TenantCaller) -> Result<Json<GeminiModelList>, ApiError> {
        let models = self.catalogue.models();
        let mine = models.iter().filter(|model| may_use(&caller, model));
        Ok(Json(GeminiModelList::of(mine)))
    }

    /// Show a model in Google's shape
    ///
    /// Slashes of its name may be written as they are or as `%2F`.
    #[oai(
        path = "/models/:id",
        method = "get",
        operation_id = "get_gemini_model"
    )]
    #[expect(clippy::unused_async, reason = "poem-openapi has async handlers only")]
    async fn get(
        &self,
        caller: TenantCaller,
        id: Path<String>,
    ) -> Result<Json<GeminiModelView>, ApiError> {
        let model = found(&self.catalogue, &caller, &id.0)?;
        Ok(Json(model.as_ref().into()))
    }
}
