//! The catalogue as tenants see it, in the shape that their client expects: what is enabled and what their key
//! may use.

pub mod anthropic;
pub mod facts;
pub mod gemini;

use http::HeaderMap;
use http::header::USER_AGENT;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi, Union};
use server_edge::date;
use server_rooms::catalogue::price::{Price, Rate};
use server_rooms::catalogue::{Catalogue, Model};
use shared::clock::{Clock, Moment};
use shared::credits::Credits;
use shared::dialect::ApiFamily;
use shared::surface::SURFACES;

use self::anthropic::{AnthropicModelList, AnthropicModelView};
use self::facts::{ArchitectureView, ModelRetirementView, Shown, TopProviderView, UnitPricingView};
use self::gemini::{GeminiModelList, GeminiModelView};
use super::Amount;
use crate::admin::rates::{RateBody, WhenBody};
use crate::error::{ApiError, INVALID, Words};
use crate::infer::places::shown_paths;
use crate::principal::TenantCaller;

/// Prices are multiplied by so many millionths.
const PPM: i64 = 1_000_000;

/// OpenAI's model object, and what this service knows beside it.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct TenantModelView {
    /// The name to call it by.
    pub id: String,
    /// Always `model`.
    pub object: String,
    /// When it was added, in unix seconds.
    pub created: i64,
    /// Who made it; `waule` where that is not told.
    pub owned_by: String,
    /// What it does: `chat`, `embedding` and so on.
    pub operation: String,
    /// Where it is called.
    pub endpoints: Vec<String>,
    /// Output tokens of an answer at most, where it writes some.
    pub max_output_tokens: Option<u64>,
    /// What it costs you now.
    pub price: Option<TenantPriceView>,
    /// The name to call it by, as it is shown.
    pub name: String,
    /// What it is good for, where that is told.
    pub description: Option<String>,
    /// Tokens of input and output together at most, where that is known.
    pub context_length: Option<u64>,
    /// What goes in and comes out.
    pub architecture: ArchitectureView,
    /// Bounds of a call.
    pub top_provider: TopProviderView,
    /// What one unit costs you now, in credits.
    pub pricing: Option<UnitPricingView>,
    /// Fields of requests that mean something to it.
    pub supported_parameters: Vec<String>,
    /// What it can: `tools`, `vision` and so on; empty where that is not told.
    pub capabilities: Vec<String>,
    /// When it ends, where that is planned.
    pub retirement: Option<ModelRetirementView>,
}

/// What a model costs a tenant, in credits.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct TenantPriceView {
    /// The price's id.
    pub id: String,
    /// From when on, in RFC 3339.
    pub valid_from: String,
    /// The first that fits a unit applies.
    pub rates: Vec<TenantRateView>,
    /// What a call that came to anything costs at least.
    pub minimum: Option<Amount>,
}

/// The price of units.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct TenantRateView {
    /// Of what: `input_token`, `image` and so on.
    pub unit: String,
    /// Of how many.
    pub per: u64,
    /// What you pay, rounded up to a millionth; a charge is rounded once, over all of its parts.
    pub credits: Amount,
    /// When it applies; always when absent.
    pub when: Option<WhenBody>,
    /// Begun steps of so many units count whole; 1 when absent.
    pub step: Option<u64>,
}

/// OpenAI's list of models.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct TenantModelList {
    /// Always `list`.
    pub object: String,
    /// All of them.
    pub data: Vec<TenantModelView>,
}

/// A list in the shape of the client's API.
#[derive(Debug, Clone, PartialEq, Eq, Union)]
pub enum ModelListAnswer {
    /// OpenAI's.
    OpenAi(TenantModelList),
    /// Anthropic's.
    Anthropic(AnthropicModelList),
    /// Google's.
    Gemini(GeminiModelList),
}

/// A model in the shape of the client's API.
#[derive(Debug, Clone, PartialEq, Eq, Union)]
pub enum ModelAnswer {
    /// OpenAI's.
    OpenAi(Box<TenantModelView>),
    /// Anthropic's.
    Anthropic(AnthropicModelView),
    /// Google's.
    Gemini(GeminiModelView),
}

/// Whose client asks where the path does not say it: by the headers that those of the others have. Of OpenAI's
/// official clients (`OpenAI/Python 3.57.0`) some bring their key in `x-api-key`, too.
pub fn family_of(headers: &HeaderMap) -> ApiFamily {
    let has = |name: &str| headers.contains_key(name);
    let agent = headers
        .get(USER_AGENT)
        .and_then(|agent| agent.to_str().ok());
    let is_openais = agent.is_some_and(|agent| agent.contains("OpenAI/"));
    if has("anthropic-version") {
        ApiFamily::Anthropic
    } else if is_openais {
        ApiFamily::OpenAi
    } else if has("x-api-key") {
        ApiFamily::Anthropic
    } else if has("x-goog-api-key") {
        ApiFamily::Gemini
    } else {
        ApiFamily::OpenAi
    }
}

impl From<Shown<'_>> for TenantModelView {
    fn from(shown: Shown<'_>) -> Self {
        let model = shown.model;
        let surfaces = SURFACES.into_iter();
        let own = surfaces.filter(|surface| surface.operation == model.operation);
        let price = shown.price();
        Self {
            id: model.id.clone(),
            object: "model".to_owned(),
            created: model.created_at.unix_seconds(),
            owned_by: shown.owner(),
            operation: model.operation.word().to_owned(),
            endpoints: own.flat_map(shown_paths).collect(),
            max_output_tokens: shown.max_output(),
            price: price.and_then(|price| price_view(price, shown.multiplier_ppm())),
            name: model.id.clone(),
            description: shown.description(),
            context_length: model.facts.context_tokens,
            architecture: shown.architecture(),
            top_provider: shown.top_provider(),
            pricing: shown.pricing(),
            supported_parameters: shown.supported_parameters(),
            capabilities: shown.capabilities(),
            retirement: shown.retirement(),
        }
    }
}

/// A price with a tenant's multiplier; `None` where that does not fit.
fn price_view(price: &Price, multiplier_ppm: i64) -> Option<TenantPriceView> {
    let own = |credits: Credits| credits.scaled_up(multiplier_ppm, PPM).map(Amount::from);
    let rate = |rate: &Rate| {
        let credits = own(rate.credits)?;
        // The provider's cost is nobody's business here.
        let told = RateBody::from(rate.clone());
        Some(TenantRateView {
            unit: told.unit,
            per: rate.per,
            credits,
            when: told.when,
            step: told.step,
        })
    };
    let minimum = match price.list.minimum {
        Some(minimum) => Some(own(minimum)?),
        None => None,
    };
    Some(TenantPriceView {
        id: price.id.to_string(),
        valid_from: date::text(price.valid_from),
        rates: price.list.rates.iter().map(rate).collect::<Option<_>>()?,
        minimum,
    })
}

/// Models for tenants.
#[derive(Debug, Clone)]
pub struct ModelsApi {
    /// The models.
    pub catalogue: Catalogue,
    /// Time: prices begin.
    pub clock: Clock,
}

pub(super) fn may_use(caller: &TenantCaller, model: &Model) -> bool {
    model.enabled && caller.who.may_use(&model.id)
}

/// Whether a model stands in lists: one whose end is over does only where another one takes its calls.
fn is_listed(catalogue: &Catalogue, caller: &TenantCaller, model: &Model, now: Moment) -> bool {
    let may = |next: &Model| may_use(caller, next);
    !model.is_retired(now) || catalogue.following(model, (now, true), may).is_some()
}

/// The model that a caller means and may use.
fn found(
    catalogue: &Catalogue,
    caller: &TenantCaller,
    (id, now): (&str, Moment),
) -> Result<std::sync::Arc<Model>, ApiError> {
    let model = catalogue.meant(id).filter(|model| may_use(caller, model));
    let model = model.filter(|model| is_listed(catalogue, caller, model, now));
    model.ok_or_else(|| {
        let message = "No such model, or your key may not use it. GET /api/v1/models lists yours.";
        let words = Words {
            kind: INVALID,
            code: "model_not_found",
            message,
            param: Some("model"),
        };
        ApiError::NotFound(words.body())
    })
}

#[OpenApi(prefix_path = "/api/v1", tag = "crate::Tag::Models")]
impl ModelsApi {
    /// List models
    ///
    /// The enabled models that your key may use. With the header `anthropic-version` or `x-api-key` in
    /// Anthropic's format, with `x-goog-api-key` in Google's: chat models only.
    #[oai(path = "/models", method = "get", operation_id = "list_models")]
    #[expect(clippy::unused_async, reason = "poem-openapi has async handlers only")]
    async fn list(
        &self,
        caller: TenantCaller,
        headers: &HeaderMap,
    ) -> Result<Json<ModelListAnswer>, ApiError> {
        let models = self.catalogue.models();
        let now = self.clock.now();
        let mine = models.iter().filter(|model| {
            may_use(&caller, model) && is_listed(&self.catalogue, &caller, model, now)
        });
        let mine = mine.map(|model| self.shown(&caller, model));
        Ok(Json(match family_of(headers) {
            ApiFamily::OpenAi => ModelListAnswer::OpenAi(TenantModelList {
                object: "list".to_owned(),
                data: mine.map(TenantModelView::from).collect(),
            }),
            ApiFamily::Anthropic => ModelListAnswer::Anthropic(AnthropicModelList::of(mine)),
            ApiFamily::Gemini => ModelListAnswer::Gemini(GeminiModelList::of(mine)),
        }))
    }

    /// Show a model
    ///
    /// Slashes of its name may be written as they are or as `%2F`. The format is chosen as for the list.
    #[oai(path = "/models/:id", method = "get", operation_id = "get_model")]
    #[expect(clippy::unused_async, reason = "poem-openapi has async handlers only")]
    async fn get(
        &self,
        caller: TenantCaller,
        id: Path<String>,
        headers: &HeaderMap,
    ) -> Result<Json<ModelAnswer>, ApiError> {
        let model = found(&self.catalogue, &caller, (&id.0, self.clock.now()))?;
        Ok(Json(match family_of(headers) {
            ApiFamily::OpenAi => ModelAnswer::OpenAi(Box::new(self.shown(&caller, &model).into())),
            ApiFamily::Anthropic => ModelAnswer::Anthropic(self.shown(&caller, &model).into()),
            ApiFamily::Gemini => ModelAnswer::Gemini(self.shown(&caller, &model).into()),
        }))
    }
}

impl ModelsApi {
    fn shown<'a>(&'a self, caller: &'a TenantCaller, model: &'a Model) -> Shown<'a> {
        Shown {
            model,
            catalogue: &self.catalogue,
            caller,
            now: self.clock.now(),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn a_client_is_known_by_its_headers() {
        let openais = ("user-agent", "OpenAI/JS 7.59.0");
        let key = ("x-api-key", "k");
        for (headers, family) in [
            (vec![], ApiFamily::OpenAi),
            (vec![key], ApiFamily::Anthropic),
            (vec![key, openais], ApiFamily::OpenAi),
            (
                vec![key, ("user-agent", "Anthropic/JS 1.14.0")],
                ApiFamily::Anthropic,
            ),
            (
                vec![("anthropic-version", "2023-06-01")],
                ApiFamily::Anthropic,
            ),
            (vec![("x-goog-api-key", "k")], ApiFamily::Gemini),
        ] {
            let map: HeaderMap = headers
                .iter()
                .map(|(name, value)| {
                    (
                        HeaderName::from_static(name),
                        HeaderValue::from_static(value),
                    )
                })
                .collect();
            assert_eq!(family_of(&map), family, "{headers:?}");
        }
    }
}
