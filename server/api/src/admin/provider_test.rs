//! A real call to a provider, to see whether it works: one token of its cheapest model.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_rooms::auth::roles::kind;
use server_rooms::catalogue::Catalogue;
use server_rooms::providers::trial::ProviderTrial;
use server_rooms::providers::{ProviderRef, Providers};
use shared::clock::Clock;

use crate::error::ApiError;
use crate::principal::SuperadminCaller;

/// Tests of providers for the superadmin.
#[derive(Debug, Clone)]
pub struct ProviderTestApi {
    /// The models.
    pub catalogue: Catalogue,
    /// The gateways' providers.
    pub providers: Providers,
    /// Which price is valid.
    pub clock: Clock,
}

/// What came of trying a provider.
#[derive(Debug, Clone, Object)]
pub struct ProviderTestBody {
    /// Whether it answered well.
    pub ok: bool,
    /// `accepted`, `refused`, or `unknown` where it can't be told.
    pub verdict: String,
    /// The name of the model there that was called; absent where none could be, so that the list of
    /// models was asked for instead.
    pub model: Option<String>,
    /// The key that was used.
    pub key: String,
    /// How its secret ends.
    pub key_last4: String,
    /// The provider's status, 0 when there was none.
    pub status: u16,
    /// How long the answer took.
    pub latency_ms: u64,
    /// What went wrong.
    pub detail: String,
    /// What it cost in credits, where the model's price knows it; no tenant is charged.
    pub cost: Option<String>,
    /// The gateway that asked the provider.
    pub gateway: String,
}

impl From<ProviderTrial> for ProviderTestBody {
    fn from(trial: ProviderTrial) -> Self {
        Self {
            ok: trial.test.ok,
            verdict: trial.test.verdict.word().to_owned(),
            model: trial.model,
            key: trial.key.into_string(),
            key_last4: trial.last4,
            status: trial.test.status,
            latency_ms: trial.test.latency_ms,
            detail: trial.test.detail,
            cost: trial.cost.map(|cost| cost.to_string()),
            gateway: trial.gateway,
        }
    }
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Providers")]
impl ProviderTestApi {
    /// Test a provider
    ///
    /// Makes a real call of a single token to the cheapest model that is configured, in the provider's own
    /// format. It costs next to nothing, and no tenant is charged. If no model can be called this way, the
    /// model list is requested instead, and `model` is absent.
    #[oai(
        path = "/providers/:name/test",
        method = "post",
        operation_id = "admin_test_provider"
    )]
    async fn test(
        &self,
        _caller: SuperadminCaller<kind::EditProviders>,
        name: Path<String>,
        /// The gateway that has it, by its name or its host and port; needed where several databases have
        /// one of that name.
        gateway: Query<Option<String>>,
    ) -> Result<Json<ProviderTestBody>, ApiError> {
        let of = ProviderRef::new(name.0, gateway.0);
        let models = self.catalogue.models();
        let tried = self.providers.try_provider(&of, &models, self.clock.now());
        Ok(Json(tried.await?.into()))
    }
}
