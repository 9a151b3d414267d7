//! Models as the superadmin sees and sets them: where they run, what they cost, who sees them.

pub mod bodies;
pub mod facts;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use server_rooms::auth::roles::{Action, kind};
use server_rooms::catalogue::Catalogue;
use shared::clock::Clock;

use self::bodies::{ModelPatchBody, ModelView, NewModelBody};
use crate::answer::{Created, Deleted};
use crate::error::ApiError;
use crate::manage::{Page, page_limit};
use crate::principal::SuperadminCaller;

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
    /// An operator adds it without a price, which finance sets.
    #[oai(path = "/models", method = "post", operation_id = "admin_create_model")]
    async fn create(
        &self,
        caller: SuperadminCaller<kind::EditModels>,
        body: Json<NewModelBody>,
    ) -> Result<Created<ModelView>, ApiError> {
        if body.0.price.is_some() {
            caller.must_be_able_to(Action::SetPrices)?;
        }
        let new = body.0.read(&self.catalogue.platform_zone().await)?;
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
    /// Finance sets the price; operators change everything else.
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
            || patch.is_default.is_some()
            || patch.facts.is_some();
        if others || patch.price.is_none() {
            caller.must_be_able_to(Action::EditModels)?;
        }
        let of = self.catalogue.model(&id.0);
        let operation = of.ok_or_else(|| ApiError::not_found("model"))?.operation;
        let patch = body
            .0
            .read(operation, &self.catalogue.platform_zone().await)?;
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
