//! Prices as they are sent and shown: amounts in credits, and rates where a plain price does not
//! say it all.

use poem_openapi::Object;
use server_edge::date;
use server_rooms::catalogue::price::{ImagePrice, PlainPrice, Price, PriceList};
use shared::link::Operation;

use super::super::rates::{CurrencyBody, RateBody, rates};
use crate::error::ApiError;
use crate::manage::Amount;

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

/// The parts of a price, or of a cost that is known, in credits; what is absent is 0, or falls back.
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

/// A body that tells a price, behind fields of its own.
macro_rules! price_body {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Object)]
        #[oai(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
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
            /// All that a plain price can't say: instead of the fields above, rates by unit, of which the first
            /// that fits applies.
            pub rates: Option<Vec<RateBody>>,
            /// What a call that came to anything costs at least.
            pub minimum: Option<Amount>,
            /// In what costs are told; credits when absent.
            pub currency: Option<CurrencyBody>,
            /// What the provider takes; not known when absent. Rates have theirs beside them.
            pub cost: Option<ItemsBody>,
        }
    };
}

price_body! {
    /// What a model costs from now on.
    PriceBody {}
}

price_body! {
    /// A price to be added.
    NewPriceBody {
        /// Of which model.
        model_id: String,
        /// From this day (2026-11-21, UTC) or moment (RFC 3339) on; now when absent.
        valid_from: Option<String>,
    }
}

/// A price, in credits. The fields of a plain price are there where it is one.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct PriceView {
    /// Its id.
    pub id: String,
    /// Of which model.
    pub model_id: String,
    /// From when on, in RFC 3339.
    pub valid_from: String,
    /// For each call that produced something.
    pub per_request: Option<Amount>,
    /// For a million input tokens.
    pub input_per_million: Option<Amount>,
    /// For a million cached input tokens.
    pub cached_input_per_million: Option<Amount>,
    /// For a million tokens written to the cache.
    pub cache_write_per_million: Option<Amount>,
    /// For a million output tokens.
    pub output_per_million: Option<Amount>,
    /// For a million reasoning tokens.
    pub reasoning_per_million: Option<Amount>,
    /// For an image, by size and quality.
    pub per_image: Option<Vec<ImagePriceBody>>,
    /// What the provider takes, where that is known.
    pub cost: Option<ItemsBody>,
    /// All of it, as it is reckoned with.
    pub rates: Vec<RateBody>,
    /// What a call that came to anything costs at least.
    pub minimum: Option<Amount>,
    /// In what costs are told; credits when absent.
    pub currency: Option<CurrencyBody>,
}

/// Reads the seven parts that the bodies share.
macro_rules! items {
    ($body:expr) => {
        PlainPrice {
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

impl From<ItemsBody> for PlainPrice {
    fn from(body: ItemsBody) -> Self {
        items!(body)
    }
}

impl From<PlainPrice> for ItemsBody {
    fn from(items: PlainPrice) -> Self {
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

/// The price that a body tells, of a model for that operation.
macro_rules! list {
    ($body:expr, $operation:expr) => {{
        let mut body = $body;
        let (rates_told, minimum) = (body.rates.take(), body.minimum.take());
        let (currency, cost) = (body.currency.take(), body.cost.take());
        let plain = items!(body);
        let list = match rates_told {
            Some(_) if cost.is_some() || plain != PlainPrice::default() => {
                return Err(ApiError::bad_field(
                    "rates",
                    "Give `rates`, or the fields of a plain price, but not both.".to_owned(),
                ));
            }
            Some(told) => PriceList {
                rates: rates(told)?,
                ..PriceList::default()
            },
            None => {
                let cost = cost.map(PlainPrice::from);
                plain
                    .list(cost.as_ref())
                    .or_free($operation.units().iter().copied())
            }
        };
        PriceList {
            minimum: minimum.map(Into::into),
            currency: currency.map(Into::into),
            ..list
        }
    }};
}

impl PriceBody {
    /// As rates, for a model of that operation.
    pub fn list(self, operation: Operation) -> Result<PriceList, ApiError> {
        Ok(list!(self, operation))
    }
}

impl NewPriceBody {
    /// As rates, for a model of that operation.
    pub fn list(self, operation: Operation) -> Result<PriceList, ApiError> {
        Ok(list!(self, operation))
    }
}

impl PriceView {
    /// `price` as one of `model`.
    pub fn new(model: &str, price: &Price) -> Self {
        let list = &price.list;
        let (plain, cost) = match list.plain() {
            Some((plain, cost)) => (Some(ItemsBody::from(plain)), cost.map(ItemsBody::from)),
            None => (None, None),
        };
        let plain = plain.as_ref();
        Self {
            id: price.id.to_string(),
            model_id: model.to_owned(),
            valid_from: date::text(price.valid_from),
            per_request: plain.map(|plain| plain.per_request),
            input_per_million: plain.map(|plain| plain.input_per_million),
            cached_input_per_million: plain.and_then(|plain| plain.cached_input_per_million),
            cache_write_per_million: plain.and_then(|plain| plain.cache_write_per_million),
            output_per_million: plain.map(|plain| plain.output_per_million),
            reasoning_per_million: plain.and_then(|plain| plain.reasoning_per_million),
            per_image: plain.map(|plain| plain.per_image.clone().unwrap_or_default()),
            cost,
            rates: list.rates.iter().cloned().map(RateBody::from).collect(),
            minimum: list.minimum.map(Into::into),
            currency: list.currency.clone().map(Into::into),
        }
    }
}
