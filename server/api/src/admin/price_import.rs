//! Price lists of others, looked through before they are prices: uploaded, read back row by row, and set as
//! somebody chose. Models whose price no import changes are pinned here too.

pub mod bodies;

use std::collections::HashMap;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use server_edge::date::Date;
use server_rooms::auth::roles::kind;
use server_rooms::catalogue::price_import::{ImportError, RowChoice};
use server_rooms::catalogue::{Catalogue, check};
use server_rooms::providers::Providers;
use server_rooms::reports::Reports;
use shared::id::PriceReviewId;

use self::bodies::{
    AppliedReviewView, ApplyReviewBody, NewReviewBody, PricePinBody, PriceReviewList,
    PriceReviewView, PriceReviewsView,
};
use super::reprice::RepricingView;
use crate::answer::Created;
use crate::error::ApiError;
use crate::fields;
use crate::principal::SuperadminCaller;

/// Refused rows that a message names; the others are counted.
const ROWS_TOLD_MAX: usize = 20;

impl From<ImportError> for ApiError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::NoSuchReview => Self::not_found("price review"),
            ImportError::List(error) => Self::bad_field("file", format!("In `file`: {error}.")),
            ImportError::Rows(rows) => {
                let told = rows.iter().take(ROWS_TOLD_MAX);
                let told: Vec<String> = told
                    .map(|(model, why)| format!("`{model}`: {}", bodies::refusal(why)))
                    .collect();
                let more = rows.len().saturating_sub(told.len());
                let more = if more > 0 {
                    format!("; and {more} more")
                } else {
                    String::new()
                };
                let message = format!("Nothing was changed. {}{more}.", told.join("; "));
                Self::conflict("rows_refused", message)
            }
            ImportError::Catalogue(error) => error.into(),
        }
    }
}

fn id(text: &str) -> Result<PriceReviewId, ApiError> {
    text.parse()
        .map_err(|_| ApiError::not_found("price review"))
}

/// Price lists for the superadmin.
#[derive(Debug, Clone)]
pub struct PriceImportApi {
    /// Models and prices.
    pub catalogue: Catalogue,
    /// What providers are of which kind.
    pub providers: Providers,
    /// What was.
    pub reports: Reports,
}

impl PriceImportApi {
    /// Kinds of providers by name; none where no gateway answers, so that models are found by their names
    /// alone.
    async fn kinds(&self) -> HashMap<String, String> {
        let known = self.providers.all().await.unwrap_or_default().providers;
        let kinds = known
            .into_iter()
            .map(|one| (one.answer.name, one.answer.kind));
        kinds.collect()
    }
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Catalogue")]
impl PriceImportApi {
    /// Upload a price list
    ///
    /// Reads a list of model prices: the public list in JSON (an object by model with `input_cost_per_token`
    /// and the like), new-api's ratios (`/api/ratio_config` or `/api/pricing`), or an export of Waule in CSV
    /// or JSON. Sets nothing: the answer is a review of the models that both know, kept for 24 hours.
    #[oai(
        path = "/price-reviews",
        method = "post",
        operation_id = "admin_create_price_review"
    )]
    async fn create(
        &self,
        caller: SuperadminCaller<kind::SetPrices>,
        body: Json<NewReviewBody>,
    ) -> Result<Created<PriceReviewView>, ApiError> {
        let import = body.0.read();
        let kinds = self.kinds().await;
        let id = self
            .catalogue
            .import_list(&caller.actor(), import, &kinds)
            .await?;
        let review = self.catalogue.price_review(&id, None).await?;
        Ok(Created::Made(Json(review.into())))
    }

    /// List price reviews
    ///
    /// Those of the last 24 hours, newest first.
    #[oai(
        path = "/price-reviews",
        method = "get",
        operation_id = "admin_list_price_reviews"
    )]
    async fn list(&self, _caller: SuperadminCaller) -> Result<Json<PriceReviewsView>, ApiError> {
        let reviews = self.catalogue.price_reviews().await?;
        let data = reviews.into_iter().map(PriceReviewList::from);
        Ok(Json(PriceReviewsView {
            data: data.collect(),
        }))
    }

    /// Get a price review
    ///
    /// Each row with the current price of its model and the new one.
    #[oai(
        path = "/price-reviews/:id",
        method = "get",
        operation_id = "admin_get_price_review"
    )]
    async fn get(
        &self,
        _caller: SuperadminCaller,
        id: Path<String>,
    ) -> Result<Json<PriceReviewView>, ApiError> {
        let review = self.catalogue.price_review(&self::id(&id.0)?, None).await?;
        Ok(Json(review.into()))
    }

    /// Preview a row of a price review
    ///
    /// What the model's calls of the last 30 days would have been charged and earned, compared with the
    /// actual amounts. Reads up to 200,000 calls, newest first, for up to ten seconds. Changes nothing.
    #[oai(
        path = "/price-reviews/:id/effect",
        method = "get",
        operation_id = "admin_preview_price_review"
    )]
    async fn effect(
        &self,
        _caller: SuperadminCaller<kind::SetPrices>,
        id: Path<String>,
        /// Of which model
        model_id: Query<String>,
    ) -> Result<Json<RepricingView>, ApiError> {
        let review = self.catalogue.price_review(&self::id(&id.0)?, None).await?;
        let mut rows = review.rows.into_iter();
        let row = rows.find(|row| row.model == model_id.0);
        let row = row.ok_or_else(|| ApiError::not_found("model"))?;
        let model = self.catalogue.model(&row.model);
        let model = model.ok_or_else(|| ApiError::not_found("model"))?;
        let tariff = check::tariff(model.operation, row.list)?;
        let repricing = self.reports.reprice(&model.id, &tariff).await?;
        Ok(Json(repricing.into()))
    }

    /// Apply a price review
    ///
    /// Sets the prices of the selected rows, all of them or none. A row whose price or cost becomes 0, or
    /// changes by more than half, must be confirmed individually. Applying a review again changes nothing
    /// and returns the first result.
    #[oai(
        path = "/price-reviews/:id/apply",
        method = "post",
        operation_id = "admin_apply_price_review"
    )]
    async fn apply(
        &self,
        caller: SuperadminCaller<kind::SetPrices>,
        id: Path<String>,
        body: Json<ApplyReviewBody>,
    ) -> Result<Json<AppliedReviewView>, ApiError> {
        let from = body.0.valid_from.as_deref();
        let from = from.map(|text| fields::date("valid_from", text));
        let from = from.transpose()?.map(Date::start);
        let rows = body.0.rows.into_iter().map(RowChoice::from);
        let rows: Vec<RowChoice> = rows.collect();
        let applied = self
            .catalogue
            .apply_price_review(&caller.actor(), &self::id(&id.0)?, (&rows, from))
            .await?;
        Ok(Json(applied.into()))
    }

    /// Get whether a price is pinned
    #[oai(
        path = "/models/:id/price-pin",
        method = "get",
        operation_id = "admin_get_price_pin"
    )]
    async fn pin(
        &self,
        _caller: SuperadminCaller,
        id: Path<String>,
    ) -> Result<Json<PricePinBody>, ApiError> {
        let model = self.catalogue.model(&id.0);
        model.ok_or_else(|| ApiError::not_found("model"))?;
        let pins = self.catalogue.price_pins().await?;
        Ok(Json(PricePinBody {
            pinned: pins.contains(&id.0),
        }))
    }

    /// Pin or unpin a price
    ///
    /// Imports of price lists do not change a pinned price. Prices that are set individually are not
    /// affected.
    #[oai(
        path = "/models/:id/price-pin",
        method = "put",
        operation_id = "admin_put_price_pin"
    )]
    async fn put_pin(
        &self,
        caller: SuperadminCaller<kind::SetPrices>,
        id: Path<String>,
        body: Json<PricePinBody>,
    ) -> Result<Json<PricePinBody>, ApiError> {
        let pin = body.0.pinned;
        self.catalogue
            .pin_price(&caller.actor(), &id.0, pin)
            .await?;
        Ok(Json(PricePinBody { pinned: pin }))
    }
}
