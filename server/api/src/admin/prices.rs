//! Prices as the superadmin sets them: amounts in credits, the provider's cost beside them.

pub mod bodies;

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use server_edge::date::Date;
use server_edge::export::CsvFile;
use server_rooms::auth::roles::kind;
use server_rooms::catalogue::{Catalogue, Model};
use shared::clock::{Clock, Moment};
use shared::id::PriceId;

use self::bodies::{NewPriceBody, PriceView};
use super::price_file::{ImportBody, ImportView, ModelPriceBody, PriceFileView, price_file};
use crate::answer::{Created, Deleted};
use crate::error::ApiError;
use crate::fields;
use crate::manage::{Page, page_limit};
use crate::principal::SuperadminCaller;

fn moment(valid_from: Option<&str>) -> Result<Option<Moment>, ApiError> {
    let read = valid_from.map(|text| fields::date("valid_from", text));
    Ok(read.transpose()?.map(Date::start))
}

/// The models whose prices are told: all, or the one of that id.
fn wanted<'a>(
    models: &'a [Arc<Model>],
    id: Option<&'a str>,
) -> impl Iterator<Item = &'a Arc<Model>> {
    models
        .iter()
        .filter(move |model| id.is_none_or(|id| id == model.id))
}

/// Prices for the superadmin.
#[derive(Debug, Clone)]
pub struct PricesApi {
    /// The models.
    pub catalogue: Catalogue,
    /// Which price is valid.
    pub clock: Clock,
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Catalogue")]
impl PricesApi {
    /// List prices
    ///
    /// Newest first, of every model or of one.
    #[oai(path = "/prices", method = "get", operation_id = "admin_list_prices")]
    #[expect(clippy::unused_async, reason = "poem-openapi has async handlers only")]
    async fn list(
        &self,
        _caller: SuperadminCaller,
        /// Of one model only
        model_id: Query<Option<String>>,
        /// How many, 1 to 100
        limit: Query<Option<u32>>,
        /// `next` of the page before
        after: Query<Option<String>>,
    ) -> Result<Json<Page<PriceView>>, ApiError> {
        let limit = page_limit(limit.0)?;
        let models = self.catalogue.models();
        let wanted = wanted(&models, model_id.0.as_deref());
        let prices =
            wanted.flat_map(|model| model.prices.iter().map(|price| (model.id.as_str(), price)));
        let below = |id: &str| after.0.as_deref().is_none_or(|after| id < after);
        let mut prices: Vec<_> = prices
            .filter(|(_, price)| below(price.id.as_str()))
            .collect();
        prices.sort_unstable_by(|(_, a), (_, b)| b.id.cmp(&a.id));
        let views = prices
            .into_iter()
            .map(|(model, price)| PriceView::new(model, price));
        Ok(Json(Page::cut(views, limit, |view| view.id.clone())))
    }

    /// Add a price
    #[oai(path = "/prices", method = "post", operation_id = "admin_create_price")]
    async fn create(
        &self,
        caller: SuperadminCaller<kind::SetPrices>,
        body: Json<NewPriceBody>,
    ) -> Result<Created<PriceView>, ApiError> {
        let body = body.0;
        let valid_from = moment(body.valid_from.as_deref())?;
        let model = body.model_id.clone();
        let of = self.catalogue.model(&model);
        let operation = of.ok_or_else(|| ApiError::not_found("model"))?.operation;
        let list = body.list(operation)?;
        let price = self
            .catalogue
            .create_price(&caller.actor(), model.clone(), valid_from, list)
            .await?;
        Ok(Created::Made(Json(PriceView::new(&model, &price))))
    }

    /// Export prices as CSV
    ///
    /// The prices valid now, of every model or of one; `POST /prices/import` accepts such a file.
    #[oai(
        path = "/prices/export",
        method = "get",
        operation_id = "admin_export_prices"
    )]
    #[expect(clippy::unused_async, reason = "poem-openapi has async handlers only")]
    async fn export(
        &self,
        _caller: SuperadminCaller,
        /// Of one model only
        model_id: Query<Option<String>>,
    ) -> Result<CsvFile, ApiError> {
        let (models, now) = (self.catalogue.models(), self.clock.now());
        let wanted = wanted(&models, model_id.0.as_deref());
        let lists =
            wanted.filter_map(|model| Some((model.id.as_str(), &*model.price_at(now)?.list)));
        Ok(price_file(lists))
    }

    /// Export prices as JSON
    ///
    /// The prices valid now, of every model or of one; `POST /prices/import` accepts the response as it is.
    #[oai(
        path = "/prices/export/json",
        method = "get",
        operation_id = "admin_export_prices_json"
    )]
    #[expect(clippy::unused_async, reason = "poem-openapi has async handlers only")]
    async fn export_json(
        &self,
        _caller: SuperadminCaller,
        /// Of one model only
        model_id: Query<Option<String>>,
    ) -> Result<Json<PriceFileView>, ApiError> {
        let (models, now) = (self.catalogue.models(), self.clock.now());
        let wanted = wanted(&models, model_id.0.as_deref());
        let prices = wanted.filter_map(|model| {
            let price = model.price_at(now)?;
            Some(ModelPriceBody::new(&model.id, &price.list))
        });
        Ok(Json(PriceFileView {
            prices: prices.collect(),
        }))
    }

    /// Import prices
    ///
    /// From CSV or JSON, in the format of the exports. Each model in the file gets a new price with all of
    /// its rates. Nothing is changed unless every line is valid.
    #[oai(
        path = "/prices/import",
        method = "post",
        operation_id = "admin_import_prices"
    )]
    async fn import(
        &self,
        caller: SuperadminCaller<kind::SetPrices>,
        body: Json<ImportBody>,
    ) -> Result<Json<ImportView>, ApiError> {
        let valid_from = moment(body.0.valid_from.as_deref())?;
        let lists = body.0.read()?;
        let lists = lists.into_iter().map(|list| (list.model, list.list));
        let made = self
            .catalogue
            .create_prices(&caller.actor(), valid_from, lists.collect())
            .await?;
        let data = made
            .iter()
            .map(|(model, price)| PriceView::new(model, price));
        Ok(Json(ImportView {
            data: data.collect(),
        }))
    }

    /// Withdraw a price
    #[oai(
        path = "/prices/:id",
        method = "delete",
        operation_id = "admin_delete_price"
    )]
    async fn delete(
        &self,
        caller: SuperadminCaller<kind::SetPrices>,
        id: Path<String>,
    ) -> Result<Deleted, ApiError> {
        let id: PriceId = id.0.parse().map_err(|_| ApiError::not_found("price"))?;
        self.catalogue.delete_price(&caller.actor(), &id).await?;
        Ok(Deleted::Done)
    }
}
