//! Prices as the superadmin sets them: amounts in credits, the provider's cost beside them.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use shared::id::PriceId;

use crate::api::answer::{Created, Deleted};
use crate::api::date::{self, Date};
use crate::api::error::ApiError;
use crate::api::manage::{Amount, Page, page_limit};
use crate::api::principal::SuperadminCaller;
use crate::auth::roles::kind;
use crate::catalogue::Catalogue;
use crate::catalogue::price::{ImagePrice, Price, PriceItems};

/// The price of an image; what is absent fits any.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct ImagePriceBody {
    /// For example `1024x1024`.
    #[oai(skip_serializing_if_is_none)]
    pub size: Option<String>,
    /// For example `high`.
    #[oai(skip_serializing_if_is_none)]
    pub quality: Option<String>,
    /// For one image.
    pub credits: Amount,
}

/// The parts of a price or a cost, in credits; what is absent costs nothing, or falls back.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct ItemsBody {
    /// For each call that produced something.
    #[oai(default)]
    pub per_request: Amount,
    /// For a million input tokens.
    #[oai(default)]
    pub input_per_million: Amount,
    /// For a million cached input tokens; as input when absent.
    #[oai(skip_serializing_if_is_none)]
    pub cached_input_per_million: Option<Amount>,
    /// For a million tokens written to the cache; as input when absent.
    #[oai(skip_serializing_if_is_none)]
    pub cache_write_per_million: Option<Amount>,
    /// For a million output tokens.
    #[oai(default)]
    pub output_per_million: Amount,
    /// For a million reasoning tokens; as output when absent.
    #[oai(skip_serializing_if_is_none)]
    pub reasoning_per_million: Option<Amount>,
    /// For an image, by size and quality.
    #[oai(skip_serializing_if_is_none)]
    pub per_image: Option<Vec<ImagePriceBody>>,
}

/// What a model costs from now on.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct PriceBody {
    /// For each call that produced something.
    #[oai(default)]
    pub per_request: Amount,
    /// For a million input tokens.
    #[oai(default)]
    pub input_per_million: Amount,
    /// For a million cached input tokens; as input when absent.
    pub cached_input_per_million: Option<Amount>,
    /// For a million tokens written to the cache; as input when absent.
    pub cache_write_per_million: Option<Amount>,
    /// For a million output tokens.
    #[oai(default)]
    pub output_per_million: Amount,
    /// For a million reasoning tokens; as output when absent.
    pub reasoning_per_million: Option<Amount>,
    /// For an image, by size and quality.
    pub per_image: Option<Vec<ImagePriceBody>>,
    /// What the provider takes; nothing when absent.
    pub cost: Option<ItemsBody>,
}

/// A price to be added.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct NewPriceBody {
    /// Of which model.
    pub model_id: String,
    /// From this day (2026-11-21, UTC) or moment (RFC 3339) on; now when absent.
    pub valid_from: Option<String>,
    /// For each call that produced something.
    #[oai(default)]
    pub per_request: Amount,
    /// For a million input tokens.
    #[oai(default)]
    pub input_per_million: Amount,
    /// For a million cached input tokens; as input when absent.
    pub cached_input_per_million: Option<Amount>,
    /// For a million tokens written to the cache; as input when absent.
    pub cache_write_per_million: Option<Amount>,
    /// For a million output tokens.
    #[oai(default)]
    pub output_per_million: Amount,
    /// For a million reasoning tokens; as output when absent.
    pub reasoning_per_million: Option<Amount>,
    /// For an image, by size and quality.
    pub per_image: Option<Vec<ImagePriceBody>>,
    /// What the provider takes; nothing when absent.
    pub cost: Option<ItemsBody>,
}

/// A price, in credits.
#[derive(Debug, Clone, Object)]
pub struct PriceView {
    /// Its id.
    pub id: String,
    /// Of which model.
    pub model_id: String,
    /// From when on, in RFC 3339.
    pub valid_from: String,
    /// For each call that produced something.
    pub per_request: Amount,
    /// For a million input tokens.
    pub input_per_million: Amount,
    /// For a million cached input tokens.
    pub cached_input_per_million: Option<Amount>,
    /// For a million tokens written to the cache.
    pub cache_write_per_million: Option<Amount>,
    /// For a million output tokens.
    pub output_per_million: Amount,
    /// For a million reasoning tokens.
    pub reasoning_per_million: Option<Amount>,
    /// For an image, by size and quality.
    pub per_image: Vec<ImagePriceBody>,
    /// What the provider takes.
    pub cost: ItemsBody,
}

/// Reads the seven parts that the bodies share.
macro_rules! items {
    ($body:expr) => {
        PriceItems {
            per_request: $body.per_request.into(),
            input_per_million: $body.input_per_million.into(),
            cached_input_per_million: $body.cached_input_per_million.map(Into::into),
            cache_write_per_million: $body.cache_write_per_million.map(Into::into),
            output_per_million: $body.output_per_million.into(),
            reasoning_per_million: $body.reasoning_per_million.map(Into::into),
            per_image: $body
                .per_image
                .unwrap_or_default()
                .into_iter()
                .map(ImagePrice::from)
                .collect(),
        }
    };
}

impl From<ImagePriceBody> for ImagePrice {
    fn from(body: ImagePriceBody) -> Self {
        Self {
            size: body.size,
            quality: body.quality,
            credits: body.credits.into(),
        }
    }
}

impl From<ImagePrice> for ImagePriceBody {
    fn from(row: ImagePrice) -> Self {
        Self {
            size: row.size,
            quality: row.quality,
            credits: row.credits.into(),
        }
    }
}

impl From<ItemsBody> for PriceItems {
    fn from(body: ItemsBody) -> Self {
        items!(body)
    }
}

impl From<PriceItems> for ItemsBody {
    fn from(items: PriceItems) -> Self {
        let per_image: Vec<_> = items
            .per_image
            .into_iter()
            .map(ImagePriceBody::from)
            .collect();
        Self {
            per_request: items.per_request.into(),
            input_per_million: items.input_per_million.into(),
            cached_input_per_million: items.cached_input_per_million.map(Into::into),
            cache_write_per_million: items.cache_write_per_million.map(Into::into),
            output_per_million: items.output_per_million.into(),
            reasoning_per_million: items.reasoning_per_million.map(Into::into),
            per_image: Some(per_image).filter(|rows| !rows.is_empty()),
        }
    }
}

impl From<PriceBody> for (PriceItems, PriceItems) {
    fn from(body: PriceBody) -> Self {
        let cost = body.cost.map(PriceItems::from).unwrap_or_default();
        (items!(body), cost)
    }
}

impl PriceView {
    /// `price` as one of `model`.
    pub fn new(model: &str, price: &Price) -> Self {
        let items = ItemsBody::from(price.items.clone());
        Self {
            id: price.id.to_string(),
            model_id: model.to_owned(),
            valid_from: date::text(price.valid_from),
            per_request: items.per_request,
            input_per_million: items.input_per_million,
            cached_input_per_million: items.cached_input_per_million,
            cache_write_per_million: items.cache_write_per_million,
            output_per_million: items.output_per_million,
            reasoning_per_million: items.reasoning_per_million,
            per_image: items.per_image.unwrap_or_default(),
            cost: price.cost.clone().into(),
        }
    }
}

/// Prices for the superadmin.
#[derive(Debug, Clone)]
pub struct PricesApi {
    /// The models.
    pub catalogue: Catalogue,
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::api::Tag::Catalogue")]
impl PricesApi {
    /// List prices
    ///
    /// Newest first, those of every model or of one.
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
        let wanted = models
            .iter()
            .filter(|model| model_id.0.as_ref().is_none_or(|id| *id == model.id));
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
        let valid_from = body.valid_from.as_deref();
        let valid_from = valid_from
            .map(|text| date::read("valid_from", text))
            .transpose()?
            .map(Date::start);
        let model = body.model_id;
        let cost = body.cost.map(PriceItems::from).unwrap_or_default();
        let items = items!(body);
        let price = self
            .catalogue
            .create_price(&caller.actor(), model.clone(), valid_from, (items, cost))
            .await?;
        Ok(Created::Made(Json(PriceView::new(&model, &price))))
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
