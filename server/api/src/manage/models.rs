//! The catalogue as tenants see it, in OpenAI's shape: what is enabled and what their key may use.

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_rooms::catalogue::{Catalogue, Model};

use crate::error::{ApiError, INVALID, Words};
use crate::principal::TenantCaller;

/// OpenAI's model object.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct TenantModelView {
    /// The name to call it by.
    pub id: String,
    /// Always `model`.
    pub object: String,
    /// When it was added, in unix seconds.
    pub created: i64,
    /// Always `waule`.
    pub owned_by: String,
}

/// OpenAI's list of models.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct TenantModelList {
    /// Always `list`.
    pub object: String,
    /// All of them.
    pub data: Vec<TenantModelView>,
}

impl From<&Model> for TenantModelView {
    fn from(model: &Model) -> Self {
        Self {
            id: model.id.clone(),
            object: "model".to_owned(),
            created: model.created_at.unix_seconds(),
            owned_by: "waule".to_owned(),
        }
    }
}

/// Models for tenants.
#[derive(Debug, Clone)]
pub struct ModelsApi {
    /// The models.
    pub catalogue: Catalogue,
}

fn may_use(caller: &TenantCaller, model: &Model) -> bool {
    model.enabled && caller.who.may_use(&model.id)
}

#[OpenApi(prefix_path = "/api/v1", tag = "crate::Tag::Models")]
impl ModelsApi {
    /// List models
    ///
    /// Those that are enabled and that your key may use.
    #[oai(path = "/models", method = "get", operation_id = "list_models")]
    #[expect(clippy::unused_async, reason = "poem-openapi has async handlers only")]
    async fn list(&self, caller: TenantCaller) -> Result<Json<TenantModelList>, ApiError> {
        let models = self.catalogue.models();
        let mine = models.iter().filter(|model| may_use(&caller, model));
        let data = mine
            .map(|model| TenantModelView::from(model.as_ref()))
            .collect();
        Ok(Json(TenantModelList {
            object: "list".to_owned(),
            data,
        }))
    }

    /// Show a model
    ///
    /// Slashes of its name may be written as they are or as `%2F`.
    #[oai(path = "/models/:id", method = "get", operation_id = "get_model")]
    #[expect(clippy::unused_async, reason = "poem-openapi has async handlers only")]
    async fn get(
        &self,
        caller: TenantCaller,
        id: Path<String>,
    ) -> Result<Json<TenantModelView>, ApiError> {
        self.find(&caller, &id.0)
    }
}

impl ModelsApi {
    fn find(&self, caller: &TenantCaller, id: &str) -> Result<Json<TenantModelView>, ApiError> {
        let model = self
            .catalogue
            .meant(id)
            .filter(|model| may_use(caller, model));
        model.map(|model| Json(TenantModelView::from(model.as_ref()))).ok_or_else(|| {
            let message = "There is no such model, or your key may not use it. GET /api/v1/models lists yours.";
            let words = Words { kind: INVALID, code: "model_not_found", message, param: Some("model") };
            ApiError::NotFound(words.body())
        })
    }
}
