//! Where a call of a model would go, and why: a dry run. Nothing is called, charged or changed.

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_calls::Calls;
use server_rooms::accounts::{AccountError, Accounts};
use server_rooms::catalogue::Catalogue;
use server_rooms::providers::Providers;
use server_rooms::providers::choices::{CallShape, GatewayChoice, RoutedTarget, Unsaid};
use server_rooms::routing::NoTarget;
use shared::clock::Clock;
use shared::id::TenantId;
use shared::link::choice::KeyRooms;

use crate::error::ApiError;
use crate::principal::SuperadminCaller;

/// Dry runs for the superadmin.
#[derive(Debug, Clone)]
pub struct RouteCheckApi {
    /// Whose call it would be.
    pub accounts: Accounts,
    /// The models.
    pub catalogue: Catalogue,
    /// The gateways' providers.
    pub providers: Providers,
    /// What chooses among targets.
    pub calls: Calls,
    /// Tells the time.
    pub clock: Clock,
}

/// A call that is thought of.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct RouteCheckAsked {
    /// The tenant whose call it would be, with any of its keys: its rule and its people's of where calls go
    /// count, and what a key rests for after that tenant's calls, and whether the tenant may call the model
    /// is told.
    pub tenant: Option<String>,
    /// About how many tokens it would read; default 1,000.
    pub input_tokens: Option<u64>,
    /// How many it may bring at most; default the model's own maximum.
    pub output_tokens: Option<u64>,
}

/// A key that would be used.
#[derive(Debug, Clone, Object)]
pub struct RouteKeyBody {
    /// Its id.
    pub id: String,
    /// Your name for it.
    pub label: String,
    /// How its secret ends.
    pub last4: String,
}

/// A target's keys by what keeps them from the call.
#[derive(Debug, Clone, Object)]
pub struct RouteKeysBody {
    /// All of them.
    pub all: u32,
    /// Those that could take it.
    pub ready: u32,
    /// Those that rest after a fault.
    pub resting: u32,
    /// Those whose own limits are reached.
    pub full: u32,
    /// Those with no balance.
    pub parked: u32,
    /// Those that are switched off.
    pub off: u32,
    /// Those that are for other models.
    pub other_models: u32,
    /// Those whose host does not answer.
    pub down: u32,
}

/// What one gateway would do with a target.
#[derive(Debug, Clone, Object)]
pub struct RouteGatewayBody {
    /// Which one.
    pub gateway: String,
    /// `ready`, `no_provider`, `provider_off`, `circuit_open`, `host_down`, `keys_rest`, `no_key`,
    /// `no_answer` where it did not answer, `too_old` where it knows no such question, or `other`.
    pub state: String,
    /// The key that would be used; of several that are as good, one of them.
    pub key: Option<RouteKeyBody>,
    /// Its keys; absent where it did not answer.
    pub keys: Option<RouteKeysBody>,
    /// In how many milliseconds it is ready, where it waits for something.
    pub wait_ms: Option<u64>,
    /// What the key that is ready first rests for.
    pub reason: Option<String>,
}

/// One of the model's targets.
#[derive(Debug, Clone, Object)]
pub struct RouteTargetBody {
    /// The provider.
    pub provider: String,
    /// The model's name there.
    pub model: String,
    /// Lower ones are tried first.
    pub priority: u32,
    /// Its weight among those of its priority.
    pub weight: u32,
    /// Its part of the calls among those, in hundredths of a per cent.
    pub share: u64,
    /// Why no such call goes there: `rule` where the model's or the tenant's rule leaves the provider out,
    /// `data_policy` where it does otherwise with data; null where one may.
    pub left_out: Option<String>,
    /// Every gateway through which it is reached.
    pub gateways: Vec<RouteGatewayBody>,
}

/// Where a call would go.
#[derive(Debug, Clone, Object)]
pub struct RouteCheckBody {
    /// The model.
    pub model: String,
    /// Whether tenants may call the model at all.
    pub enabled: bool,
    /// Whether the tenant may call it; absent where none is named.
    pub tenant_may: Option<bool>,
    /// Whether the model costs more than its rule or the tenant's allows, so that such a call is refused.
    pub too_dear: bool,
    /// The targets in the order in which they are tried, and behind them those that no such call goes to.
    /// Those of one priority are drawn by their shares, where no rule says otherwise.
    pub targets: Vec<RouteTargetBody>,
}

impl From<KeyRooms> for RouteKeysBody {
    fn from(keys: KeyRooms) -> Self {
        Self {
            all: keys.all,
            ready: keys.ready,
            resting: keys.resting,
            full: keys.full,
            parked: keys.parked,
            off: keys.off,
            other_models: keys.other_models,
            down: keys.down,
        }
    }
}

impl From<GatewayChoice> for RouteGatewayBody {
    fn from(choice: GatewayChoice) -> Self {
        let gateway = choice.gateway;
        let told = match choice.told {
            Ok(told) => told,
            Err(unsaid) => {
                let state = match unsaid {
                    Unsaid::NoAnswer => "no_answer",
                    Unsaid::TooOld => "too_old",
                };
                return Self {
                    gateway,
                    state: state.to_owned(),
                    key: None,
                    keys: None,
                    wait_ms: None,
                    reason: None,
                };
            }
        };
        Self {
            gateway,
            state: told.state.word().to_owned(),
            key: told.key.map(|key| RouteKeyBody {
                id: key.key.into_string(),
                label: key.label,
                last4: key.last4,
            }),
            keys: Some(told.keys.into()),
            wait_ms: told.wait_ms,
            reason: told.reason,
        }
    }
}

impl From<(RoutedTarget, Option<NoTarget>)> for RouteTargetBody {
    fn from((routed, left_out): (RoutedTarget, Option<NoTarget>)) -> Self {
        let word = |why| match why {
            NoTarget::Provider => "rule",
            NoTarget::DataPolicy => "data_policy",
        };
        Self {
            left_out: left_out.map(|why| word(why).to_owned()),
            provider: routed.target.provider,
            model: routed.target.model,
            priority: routed.target.priority,
            weight: routed.target.weight,
            share: routed.share,
            gateways: routed.gateways.into_iter().map(Into::into).collect(),
        }
    }
}

/// What prices are multiplied by where nothing is.
const PLAIN_PPM: i64 = 1_000_000;
/// Tokens that a call reads where nobody says.
const INPUT_USUAL: u64 = 1_000;

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Catalogue")]
impl RouteCheckApi {
    /// Check where a call would go
    ///
    /// Asks each gateway how it would use each target of the model now. No call is made, and nothing is
    /// charged or changed. A later call may be routed differently.
    #[oai(
        path = "/models/:id/route",
        method = "post",
        operation_id = "admin_check_route"
    )]
    async fn check(
        &self,
        _caller: SuperadminCaller,
        id: Path<String>,
        body: Json<RouteCheckAsked>,
    ) -> Result<Json<RouteCheckBody>, ApiError> {
        let asked = body.0;
        let model = self.catalogue.model(&id.0);
        let model = model.ok_or_else(|| ApiError::not_found("model"))?;
        let tenant = match asked.tenant {
            None => None,
            Some(id) => {
                let id: TenantId = id.parse().map_err(|_| ApiError::not_found("tenant"))?;
                Some(self.accounts.tenant(&id).await?)
            }
        };
        let shape = CallShape {
            caller: (tenant.as_ref()).map_or(0, |tenant| server_calls::caller_number(&tenant.id)),
            input: asked.input_tokens.unwrap_or(INPUT_USUAL),
            output_max: asked.output_tokens.unwrap_or(model.max_output_tokens),
        };
        let targets = self.providers.would_choose(&model, shape).await;
        let rule = match &tenant {
            None => None,
            Some(tenant) => self
                .accounts
                .whole_route(&tenant.id)
                .await
                .map_err(AccountError::from)?,
        };
        let ppm = (tenant.as_ref()).map_or(PLAIN_PPM, |tenant| tenant.price_multiplier_ppm);
        let rules = (rule.as_deref(), ppm);
        let would = self.calls.would_route(&model, rules, self.clock.now());
        Ok(Json(RouteCheckBody {
            model: model.id.clone(),
            enabled: model.enabled,
            tenant_may: tenant.map(|tenant| {
                let allowed = &tenant.allowed_models;
                allowed.as_ref().is_none_or(|some| some.contains(&model.id))
            }),
            too_dear: would.is_too_dear,
            targets: would.ordered(targets).into_iter().map(Into::into).collect(),
        }))
    }
}
