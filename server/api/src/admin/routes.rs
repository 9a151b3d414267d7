//! Where calls go, and what providers do with data, as the superadmin says it: of models, providers and
//! tenants. Takes and shows rules for tenants too.

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Enum, Object, OpenApi};
use serde_json::{Map, Value, json};
use server_rooms::accounts::{Accounts, RouteSubject};
use server_rooms::auth::roles::kind;
use server_rooms::catalogue::{Catalogue, CatalogueError};
use server_rooms::routing::{DataTerms, Retention, RouteRule, RouteSort, Training};
use shared::credits::Credits;

use super::tenant_of;
use crate::error::ApiError;
use crate::manage::Amount;
use crate::principal::SuperadminCaller;

/// By what targets are put in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum SortName {
    /// What costs the operator least first: targets have a `cost`.
    Price,
    /// What writes fastest first.
    Throughput,
    /// What begins soonest first.
    Latency,
}

/// Whether providers may train on data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum DataCollectionName {
    /// They may.
    Allow,
    /// They never do.
    Deny,
}

/// What a model's price may be at most, in credits.
#[derive(Debug, Clone, Copy, Object)]
#[oai(deny_unknown_fields)]
pub struct MaxPriceBody {
    /// A million tokens of input.
    pub prompt: Option<Amount>,
    /// A million tokens of output.
    pub completion: Option<Amount>,
    /// A request.
    pub request: Option<Amount>,
    /// A picture.
    pub image: Option<Amount>,
}

/// Where calls go; the same object as the `provider` of a request.
#[derive(Debug, Clone, Default, Object)]
#[oai(deny_unknown_fields)]
pub struct RouteBody {
    /// Providers to be tried first, in this order; 32 at most.
    pub order: Option<Vec<String>>,
    /// The providers that may be called; all when absent.
    pub only: Option<Vec<String>>,
    /// Those that may not.
    pub ignore: Option<Vec<String>>,
    /// Whether others follow those of `order`, or the first one.
    pub allow_fallbacks: Option<bool>,
    /// How the rest is put in order; by priority and weight when absent.
    pub sort: Option<SortName>,
    /// `deny`: only providers that never train on data.
    pub data_collection: Option<DataCollectionName>,
    /// Only providers that keep no data.
    pub zdr: Option<bool>,
    /// Only providers that work in one of these regions.
    pub regions: Option<Vec<String>>,
    /// What the model's price may be at most.
    pub max_price: Option<MaxPriceBody>,
    /// Only providers to which all of the request can be said.
    pub require_parameters: Option<bool>,
}

impl RouteBody {
    /// The rule that it is.
    pub(crate) fn read(self) -> Result<RouteRule, ApiError> {
        let mut whole = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                whole.insert(name.to_owned(), value);
            }
        };
        put("order", self.order.map(Value::from));
        put("only", self.only.map(Value::from));
        put("ignore", self.ignore.map(Value::from));
        put("allow_fallbacks", self.allow_fallbacks.map(Value::from));
        let sort = self.sort.map(|sort| match sort {
            SortName::Price => RouteSort::Price.word(),
            SortName::Throughput => RouteSort::Throughput.word(),
            SortName::Latency => RouteSort::Latency.word(),
        });
        put("sort", sort.map(Value::from));
        let denies = self.data_collection == Some(DataCollectionName::Deny);
        put("data_collection", denies.then(|| Value::from("deny")));
        put("zdr", self.zdr.map(Value::from));
        put("regions", self.regions.map(Value::from));
        put(
            "require_parameters",
            self.require_parameters.map(Value::from),
        );
        let max_price = self.max_price.map(|most| {
            let text = |amount: Option<Amount>| amount.map(|a| Credits::from(a).to_string());
            json!({
                "prompt": text(most.prompt),
                "completion": text(most.completion),
                "request": text(most.request),
                "image": text(most.image),
            })
        });
        put("max_price", max_price);
        RouteRule::read(&Value::Object(whole).to_string()).map_err(|why| {
            ApiError::bad_field("provider", format!("This rule is not valid: {why}."))
        })
    }
}

impl From<RouteRule> for RouteBody {
    fn from(rule: RouteRule) -> Self {
        let amount = |credits: Option<Credits>| credits.map(Amount::from);
        let most = rule.max_price;
        let says_price = most
            .prompt
            .or(most.completion)
            .or(most.request)
            .or(most.image);
        Self {
            order: Some(rule.order).filter(|order| !order.is_empty()),
            only: rule.only.map(|only| only.into_iter().collect()),
            ignore: Some(rule.ignore.into_iter().collect())
                .filter(|list: &Vec<_>| !list.is_empty()),
            allow_fallbacks: rule.allow_fallbacks,
            sort: rule.sort.map(|sort| match sort {
                RouteSort::Price => SortName::Price,
                RouteSort::Throughput => SortName::Throughput,
                RouteSort::Latency => SortName::Latency,
            }),
            data_collection: (rule.demand.no_training).then_some(DataCollectionName::Deny),
            zdr: rule.demand.zero_retention.then_some(true),
            regions: (rule.demand.regions).map(|regions| regions.into_iter().collect()),
            max_price: says_price.map(|_| MaxPriceBody {
                prompt: amount(most.prompt),
                completion: amount(most.completion),
                request: amount(most.request),
                image: amount(most.image),
            }),
            require_parameters: rule.require_parameters.then_some(true),
        }
    }
}

/// Whether a provider trains on what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Enum)]
#[oai(rename_all = "snake_case")]
pub enum TrainingName {
    /// Nobody knows.
    #[default]
    Unknown,
    /// It never does.
    Never,
    /// It may.
    May,
}

/// What a provider does with data. What is absent is not known, and satisfies no policy.
#[derive(Debug, Clone, Default, Object)]
#[oai(deny_unknown_fields)]
pub struct DataTermsBody {
    /// Whether it trains on it.
    #[oai(default)]
    pub training: TrainingName,
    /// For how many days it keeps it, 0 for not at all; not known when absent.
    pub retention_days: Option<u32>,
    /// Where it works, for example `eu`: 1 to 40 of a-z 0-9 -.
    pub region: Option<String>,
}

impl From<DataTermsBody> for DataTerms {
    fn from(body: DataTermsBody) -> Self {
        Self {
            training: match body.training {
                TrainingName::Unknown => Training::Unknown,
                TrainingName::Never => Training::Never,
                TrainingName::May => Training::May,
            },
            retention: match body.retention_days {
                None => Retention::Unknown,
                Some(0) => Retention::Zero,
                Some(days) => Retention::Days(days),
            },
            region: body.region,
        }
    }
}

impl From<DataTerms> for DataTermsBody {
    fn from(terms: DataTerms) -> Self {
        Self {
            training: match terms.training {
                Training::Unknown => TrainingName::Unknown,
                Training::Never => TrainingName::Never,
                Training::May => TrainingName::May,
            },
            retention_days: match terms.retention {
                Retention::Unknown => None,
                Retention::Zero => Some(0),
                Retention::Days(days) => Some(days),
            },
            region: terms.region,
        }
    }
}

/// Routes and data terms for the superadmin.
#[derive(Debug, Clone)]
pub struct AdminRoutesApi {
    /// Models and providers.
    pub catalogue: Catalogue,
    /// Tenants.
    pub accounts: Accounts,
}

/// A model's name may hold slashes, which a path can't: send them as `%2F`.
#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Catalogue")]
impl AdminRoutesApi {
    /// Show a model's routing rules
    #[oai(
        path = "/models/:id/route",
        method = "get",
        operation_id = "admin_get_model_route"
    )]
    #[expect(clippy::unused_async, reason = "poem-openapi has async handlers only")]
    async fn model_route(
        &self,
        _caller: SuperadminCaller,
        id: Path<String>,
    ) -> Result<Json<RouteBody>, ApiError> {
        self.catalogue
            .model(&id.0)
            .ok_or(CatalogueError::NoSuchModel)?;
        let routing = self.catalogue.routing();
        let rule = routing.of_model(&id.0).map(|rule| (**rule).clone());
        Ok(Json(rule.unwrap_or_default().into()))
    }

    /// Set a model's routing rules
    ///
    /// Preferences of tenants, keys and requests take precedence; they cannot allow what is forbidden here.
    #[oai(
        path = "/models/:id/route",
        method = "put",
        operation_id = "admin_put_model_route"
    )]
    async fn put_model_route(
        &self,
        caller: SuperadminCaller<kind::EditModels>,
        id: Path<String>,
        body: Json<RouteBody>,
    ) -> Result<Json<RouteBody>, ApiError> {
        let rule = body.0.read()?;
        let actor = caller.actor();
        let put = self.catalogue.put_model_route(&actor, &id.0, &rule);
        put.await?;
        Ok(Json(rule.into()))
    }

    /// Show a provider's data terms
    #[oai(
        path = "/providers/:name/data-terms",
        method = "get",
        operation_id = "admin_get_data_terms"
    )]
    #[expect(clippy::unused_async, reason = "poem-openapi has async handlers only")]
    async fn data_terms(
        &self,
        _caller: SuperadminCaller,
        name: Path<String>,
    ) -> Result<Json<DataTermsBody>, ApiError> {
        let routing = self.catalogue.routing();
        Ok(Json(
            routing.terms(&name.0).cloned().unwrap_or_default().into(),
        ))
    }

    /// Set a provider's data terms
    ///
    /// According to its contract. Tenants whose data policy it does not meet are never served by it.
    /// Applies to every provider of this name, at any gateway, until the provider is removed.
    #[oai(
        path = "/providers/:name/data-terms",
        method = "put",
        operation_id = "admin_put_data_terms"
    )]
    async fn put_data_terms(
        &self,
        caller: SuperadminCaller<kind::EditProviders>,
        name: Path<String>,
        body: Json<DataTermsBody>,
    ) -> Result<Json<DataTermsBody>, ApiError> {
        let terms = DataTerms::from(body.0);
        let actor = caller.actor();
        let put = self.catalogue.put_data_terms(&actor, &name.0, &terms);
        put.await?;
        Ok(Json(terms.into()))
    }

    /// Show a tenant's routing rules
    #[oai(
        path = "/tenants/:id/route",
        method = "get",
        operation_id = "admin_get_tenant_route"
    )]
    async fn tenant_route(
        &self,
        _caller: SuperadminCaller,
        id: Path<String>,
    ) -> Result<Json<RouteBody>, ApiError> {
        let tenant = tenant_of(&id.0)?;
        self.accounts.tenant(&tenant).await?;
        let rule = self.accounts.route(RouteSubject::Tenant(&tenant)).await?;
        Ok(Json(rule.into()))
    }

    /// Set a tenant's routing rules
    ///
    /// Including its data policy. The tenant itself can only restrict them further. Takes effect on every
    /// replica within a second.
    #[oai(
        path = "/tenants/:id/route",
        method = "put",
        operation_id = "admin_put_tenant_route"
    )]
    async fn put_tenant_route(
        &self,
        caller: SuperadminCaller<kind::EditTenants>,
        id: Path<String>,
        body: Json<RouteBody>,
    ) -> Result<Json<RouteBody>, ApiError> {
        let (tenant, rule) = (tenant_of(&id.0)?, body.0.read()?);
        let actor = caller.actor();
        let put = self.accounts.put_tenant_route(&actor, &tenant, &rule);
        put.await?;
        Ok(Json(rule.into()))
    }
}
