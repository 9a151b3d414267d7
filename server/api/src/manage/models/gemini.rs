//! Models in the shape of Google's Gemini API (reference, "Models"), for its clients.

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_rooms::catalogue::facts::Capability;
use server_rooms::catalogue::{Catalogue, Model};
use shared::clock::Clock;
use shared::link::Operation;
use shared::surface::{SURFACES, TenantPath};

use super::facts::{ModelRetirementView, Shown};
use super::{TenantPriceView, found, is_listed, may_use, price_view};
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
    /// Tokens of its context window, where that is known.
    pub input_token_limit: Option<u64>,
    /// What it is good for, where that is told.
    pub description: Option<String>,
    /// Whether it thinks; absent where it does not, or nothing is told of it.
    pub thinking: Option<bool>,
    /// What it costs you now. Not Google's.
    pub price: Option<TenantPriceView>,
    /// When it ends, where that is planned. Not Google's.
    pub retirement: Option<ModelRetirementView>,
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

impl From<Shown<'_>> for GeminiModelView {
    fn from(shown: Shown<'_>) -> Self {
        let model = shown.model;
        Self {
            name: format!("{RESOURCE}{}", model.id),
            display_name: model.id.clone(),
            supported_generation_methods: methods(model.operation),
            output_token_limit: shown.max_output(),
            input_token_limit: model.facts.context_tokens,
            description: shown.description(),
            thinking: model.facts.can(Capability::Reasoning).then_some(true),
            price: shown
                .price()
                .and_then(|price| price_view(price, shown.multiplier_ppm())),
            retirement: shown.retirement(),
        }
    }
}

impl GeminiModelList {
    /// Those of `models` that Google's API could call.
    pub(super) fn of<'m>(models: impl Iterator<Item = Shown<'m>>) -> Self {
        let callable = models.filter(|shown| !methods(shown.model.operation).is_empty());
        Self {
            models: callable.map(GeminiModelView::from).collect(),
        }
    }
}

/// Models for clients of Google's API.
#[derive(Debug, Clone)]
pub struct GeminiModelsApi {
    /// The models.
    pub catalogue: Catalogue,
    /// Time: prices begin.
    pub clock: Clock,
}

impl GeminiModelsApi {
    fn shown<'a>(&'a self, caller: &'a TenantCaller, model: &'a Model) -> Shown<'a> {
        Shown {
            model,
            catalogue: &self.catalogue,
            caller,
            now: self.clock.now(),
        }
    }
}

#[OpenApi(prefix_path = "/api/v1beta", tag = "crate::Tag::Models")]
impl GeminiModelsApi {
    /// List models in Google's format
    ///
    /// The enabled chat and embedding models that your key may use.
    #[oai(path = "/models", method = "get", operation_id = "list_gemini_models")]
    #[expect(clippy::unused_async, reason = "poem-openapi has async handlers only")]
    async fn list(&self, caller: TenantCaller) -> Result<Json<GeminiModelList>, ApiError> {
        let models = self.catalogue.models();
        let now = self.clock.now();
        let mine = models.iter().filter(|model| {
            may_use(&caller, model) && is_listed(&self.catalogue, &caller, model, now)
        });
        let mine = mine.map(|model| self.shown(&caller, model));
        Ok(Json(GeminiModelList::of(mine)))
    }

    /// Show a model in Google's format
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
        let model = found(&self.catalogue, &caller, (&id.0, self.clock.now()))?;
        Ok(Json(self.shown(&caller, &model).into()))
    }
}
