//! Providers and their keys as the superadmin sees and sets them. A secret comes in and never goes
//! out: only its last four characters do.

mod connectors;

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Enum, Object, OpenApi};
use server_edge::date;
use server_rooms::auth::roles::kind;
use server_rooms::providers::{GatewayAnswer, ProviderList, ProviderRef, Providers};
use shared::clock::Moment;
use shared::id::ProviderKeyId;
use shared::link::{
    KeyTerms, KeyTest, NewProvider, NewProviderKey, ProviderKeyPatch, ProviderKeyView,
    ProviderPatch, ProviderView,
};
use shared::secret::Secret;

use self::connectors::ConnectorsBody;
use crate::answer::{Created, Deleted};
use crate::error::ApiError;
use crate::manage::Page;
use crate::principal::SuperadminCaller;

/// A provider to be added.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct NewProviderBody {
    /// Its name, used in targets: 1 to 40 of `a-z 0-9 -`.
    pub name: String,
    /// The connector: one of those that `GET /admin/api/connectors` lists, as `openai` for anything that
    /// speaks OpenAI's protocol.
    pub kind: String,
    /// Where it answers, up to and with the version, for example `https://api.openai.com/v1`.
    #[oai(default)]
    pub base_url: String,
}

/// A change of a provider; what is absent stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct ProviderPatchBody {
    /// A new address.
    pub base_url: Option<String>,
    /// Whether it takes calls.
    pub enabled: Option<bool>,
}

/// A provider.
#[derive(Debug, Clone, Object)]
pub struct ProviderBody {
    /// Its name.
    pub name: String,
    /// Its connector.
    pub kind: String,
    /// Where it answers.
    pub base_url: String,
    /// Whether it takes calls.
    pub enabled: bool,
    /// Keys in its pool.
    pub keys: u32,
    /// When it was added, in RFC 3339.
    pub created_at: String,
    /// The gateway that said so: its name, or its host and port. Others that share its database have
    /// the same providers.
    pub gateway: String,
}

impl From<GatewayAnswer<ProviderView>> for ProviderBody {
    fn from(told: GatewayAnswer<ProviderView>) -> Self {
        let view = told.answer;
        Self {
            gateway: told.gateway,
            name: view.name,
            kind: view.kind,
            base_url: view.base_url,
            enabled: view.enabled,
            keys: view.keys,
            created_at: date::text(Moment::from_unix_ms(view.created_at)),
        }
    }
}

/// A key to be added.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct NewProviderKeyBody {
    /// The provider's secret; sealed at the gateway and never shown again.
    #[oai(write_only)]
    pub secret: String,
    /// Your name for it.
    #[oai(default)]
    pub label: String,
    /// Its share of the calls, 1 to 100; 1 when absent.
    pub weight: Option<u32>,
}

impl std::fmt::Debug for NewProviderKeyBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewProviderKeyBody")
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}

/// What a key can be set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum KeyStatus {
    /// Takes calls.
    Active,
    /// Does not.
    Disabled,
}

/// A change of a key; what is absent stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct ProviderKeyPatchBody {
    /// Whether it takes calls.
    pub status: Option<KeyStatus>,
    /// A new share, 1 to 100.
    pub weight: Option<u32>,
    /// A new name.
    pub label: Option<String>,
    /// Its secret again, or another one; it takes calls at once. Needed after the provider's address
    /// changed to another scheme, host or port, which takes the secrets away.
    pub secret: Option<String>,
}

/// A key, without its secret.
#[derive(Debug, Clone, Object)]
pub struct ProviderKeyBody {
    /// Its id.
    pub id: String,
    /// Your name for it.
    pub label: String,
    /// The last four characters of the secret.
    pub last4: String,
    /// Its share.
    pub weight: u32,
    /// `active`, `cooling` or `disabled`.
    pub status: String,
    /// Why it cools or is disabled.
    pub reason: Option<String>,
    /// Until when it cools, in RFC 3339.
    pub cooling_until: Option<String>,
    /// When its provider is asked about it again, in RFC 3339; absent where an operator disabled it.
    pub probe_at: Option<String>,
    /// Calls running on it now.
    pub in_flight: u32,
    /// When it was added, in RFC 3339.
    pub created_at: String,
    /// The gateway that said so.
    pub gateway: String,
}

impl From<GatewayAnswer<ProviderKeyView>> for ProviderKeyBody {
    fn from(told: GatewayAnswer<ProviderKeyView>) -> Self {
        let view = told.answer;
        Self {
            gateway: told.gateway,
            id: view.id.into_string(),
            label: view.label,
            last4: view.last4,
            weight: view.weight,
            status: view.status,
            reason: view.reason,
            cooling_until: view
                .cooling_until
                .map(|ms| date::text(Moment::from_unix_ms(ms))),
            probe_at: view.probe_at.map(|ms| date::text(Moment::from_unix_ms(ms))),
            in_flight: view.in_flight,
            created_at: date::text(Moment::from_unix_ms(view.created_at)),
        }
    }
}

/// What trying a key brought.
#[derive(Debug, Clone, Object)]
pub struct KeyTestBody {
    /// Whether the provider accepted it.
    pub ok: bool,
    /// `accepted`, `refused`, or `unknown` where it can't be told in this way.
    pub verdict: String,
    /// The provider's status, 0 when there was none.
    pub status: u16,
    /// How long the answer took.
    pub latency_ms: u64,
    /// What went wrong.
    pub detail: String,
    /// The gateway that asked the provider.
    pub gateway: String,
}

impl From<GatewayAnswer<KeyTest>> for KeyTestBody {
    fn from(told: GatewayAnswer<KeyTest>) -> Self {
        let test = told.answer;
        Self {
            gateway: told.gateway,
            ok: test.ok,
            verdict: test.verdict.word().to_owned(),
            status: test.status,
            latency_ms: test.latency_ms,
            detail: test.detail,
        }
    }
}

/// Every provider that was reached.
#[derive(Debug, Clone, Object)]
pub struct ProviderListBody {
    /// Always `list`.
    pub object: String,
    /// The providers, by gateway and name.
    pub data: Vec<ProviderBody>,
    /// Always false: the list comes whole.
    pub has_more: bool,
    /// Always absent.
    pub next: Option<String>,
    /// Gateways that did not answer, so that their providers are missing.
    pub missing: Vec<String>,
}

impl From<ProviderList> for ProviderListBody {
    fn from(list: ProviderList) -> Self {
        let page = Page::whole(list.providers);
        Self {
            object: page.object,
            data: page.data,
            has_more: page.has_more,
            next: page.next,
            missing: list.missing,
        }
    }
}

impl From<NewProviderBody> for NewProvider {
    fn from(body: NewProviderBody) -> Self {
        Self {
            name: body.name,
            kind: body.kind,
            base_url: body.base_url,
        }
    }
}

impl From<NewProviderKeyBody> for NewProviderKey {
    fn from(body: NewProviderKeyBody) -> Self {
        Self {
            secret: Secret::new(body.secret),
            label: body.label,
            weight: body.weight.unwrap_or(1),
            terms: KeyTerms::default(),
        }
    }
}

impl From<ProviderKeyPatchBody> for ProviderKeyPatch {
    fn from(body: ProviderKeyPatchBody) -> Self {
        let status = body.status.map(|status| match status {
            KeyStatus::Active => "active".to_owned(),
            KeyStatus::Disabled => "disabled".to_owned(),
        });
        Self {
            status,
            weight: body.weight,
            label: body.label,
            secret: body.secret.map(Secret::new),
            terms: None,
        }
    }
}

fn key_id(text: &str) -> Result<ProviderKeyId, ApiError> {
    text.parse().map_err(|_| ApiError::not_found("key"))
}

/// Providers for the superadmin.
#[derive(Debug, Clone)]
pub struct ProvidersApi {
    /// The gateway's providers.
    pub providers: Providers,
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Providers")]
impl ProvidersApi {
    /// List providers
    #[oai(
        path = "/providers",
        method = "get",
        operation_id = "admin_list_providers"
    )]
    async fn list(&self, _caller: SuperadminCaller) -> Result<Json<ProviderListBody>, ApiError> {
        Ok(Json(self.providers.all().await?.into()))
    }

    /// List connectors
    ///
    /// What the gateways say that a provider can be, one entry for all gateways that share a database. A
    /// gateway that is away says what it said last.
    #[oai(
        path = "/connectors",
        method = "get",
        operation_id = "admin_list_connectors"
    )]
    async fn connectors(
        &self,
        _caller: SuperadminCaller,
    ) -> Result<Json<Page<ConnectorsBody>>, ApiError> {
        let known = self.providers.connectors().await;
        Ok(Json(Page::whole(known)))
    }

    /// Add a provider
    #[oai(
        path = "/providers",
        method = "post",
        operation_id = "admin_create_provider"
    )]
    async fn create(
        &self,
        caller: SuperadminCaller<kind::EditProviders>,
        /// The gateway to add it at, by its name or its host and port; needed where the gateways have
        /// several databases.
        gateway: Query<Option<String>>,
        body: Json<NewProviderBody>,
    ) -> Result<Created<ProviderBody>, ApiError> {
        let (new, gateway) = (body.0.into(), gateway.0.as_deref());
        let made = self.providers.create(&caller.actor(), gateway, new).await?;
        Ok(Created::Made(Json(made.into())))
    }

    /// Change a provider
    #[oai(
        path = "/providers/:name",
        method = "patch",
        operation_id = "admin_update_provider"
    )]
    async fn update(
        &self,
        caller: SuperadminCaller<kind::EditProviders>,
        name: Path<String>,
        /// The gateway that has it, by its name or its host and port; needed where several databases have
        /// one of that name.
        gateway: Query<Option<String>>,
        body: Json<ProviderPatchBody>,
    ) -> Result<Json<ProviderBody>, ApiError> {
        let ProviderPatchBody { base_url, enabled } = body.0;
        let patch = ProviderPatch { base_url, enabled };
        let provider = self
            .providers
            .update(&caller.actor(), &ProviderRef::new(name.0, gateway.0), patch)
            .await?;
        Ok(Json(provider.into()))
    }

    /// Remove a provider with its keys
    #[oai(
        path = "/providers/:name",
        method = "delete",
        operation_id = "admin_delete_provider"
    )]
    async fn delete(
        &self,
        caller: SuperadminCaller<kind::EditProviders>,
        name: Path<String>,
        /// The gateway that has it, by its name or its host and port; needed where several databases have
        /// one of that name.
        gateway: Query<Option<String>>,
    ) -> Result<Deleted, ApiError> {
        let of = ProviderRef::new(name.0, gateway.0);
        self.providers.delete(&caller.actor(), &of).await?;
        Ok(Deleted::Done)
    }

    /// List a provider's keys
    #[oai(
        path = "/providers/:name/keys",
        method = "get",
        operation_id = "admin_list_provider_keys"
    )]
    async fn keys(
        &self,
        _caller: SuperadminCaller,
        name: Path<String>,
        /// The gateway that has it, by its name or its host and port; needed where several databases have
        /// one of that name.
        gateway: Query<Option<String>>,
    ) -> Result<Json<Page<ProviderKeyBody>>, ApiError> {
        let of = ProviderRef::new(name.0, gateway.0);
        let told = self.providers.keys(&of).await?;
        let each = told.answer.into_iter().map(|answer| GatewayAnswer {
            gateway: told.gateway.clone(),
            answer,
        });
        Ok(Json(Page::whole(each)))
    }

    /// Add a key
    #[oai(
        path = "/providers/:name/keys",
        method = "post",
        operation_id = "admin_create_provider_key"
    )]
    async fn create_key(
        &self,
        caller: SuperadminCaller<kind::EditProviders>,
        name: Path<String>,
        /// The gateway that has it, by its name or its host and port; needed where several databases have
        /// one of that name.
        gateway: Query<Option<String>>,
        body: Json<NewProviderKeyBody>,
    ) -> Result<Created<ProviderKeyBody>, ApiError> {
        let (of, new) = (ProviderRef::new(name.0, gateway.0), body.0.into());
        let made = self.providers.create_key(&caller.actor(), &of, new).await?;
        Ok(Created::Made(Json(made.into())))
    }

    /// Change a key
    #[oai(
        path = "/providers/:name/keys/:key_id",
        method = "patch",
        operation_id = "admin_update_provider_key"
    )]
    async fn update_key(
        &self,
        caller: SuperadminCaller<kind::EditProviders>,
        name: Path<String>,
        key_id: Path<String>,
        /// The gateway that has it, by its name or its host and port; needed where several databases have
        /// one of that name.
        gateway: Query<Option<String>>,
        body: Json<ProviderKeyPatchBody>,
    ) -> Result<Json<ProviderKeyBody>, ApiError> {
        let (of, key) = (
            ProviderRef::new(name.0, gateway.0),
            self::key_id(&key_id.0)?,
        );
        let view = self
            .providers
            .update_key(&caller.actor(), (&of, &key), body.0.into())
            .await?;
        Ok(Json(view.into()))
    }

    /// Remove a key
    #[oai(
        path = "/providers/:name/keys/:key_id",
        method = "delete",
        operation_id = "admin_delete_provider_key"
    )]
    async fn delete_key(
        &self,
        caller: SuperadminCaller<kind::EditProviders>,
        name: Path<String>,
        key_id: Path<String>,
        /// The gateway that has it, by its name or its host and port; needed where several databases have
        /// one of that name.
        gateway: Query<Option<String>>,
    ) -> Result<Deleted, ApiError> {
        let (of, key) = (
            ProviderRef::new(name.0, gateway.0),
            self::key_id(&key_id.0)?,
        );
        self.providers
            .delete_key(&caller.actor(), &of, &key)
            .await?;
        Ok(Deleted::Done)
    }

    /// Test a key
    ///
    /// Makes one call that costs nothing; with `model`, a real one of a single token, which costs next to
    /// nothing. That is the way where the provider has no `GET /models` and the verdict is `unknown`.
    #[oai(
        path = "/providers/:name/keys/:key_id/test",
        method = "post",
        operation_id = "admin_test_provider_key"
    )]
    async fn test_key(
        &self,
        _caller: SuperadminCaller<kind::EditProviders>,
        name: Path<String>,
        key_id: Path<String>,
        /// The gateway that has it, by its name or its host and port; needed where several databases have
        /// one of that name.
        gateway: Query<Option<String>>,
        /// The name of a model at the provider, to make a small call with.
        model: Query<Option<String>>,
    ) -> Result<Json<KeyTestBody>, ApiError> {
        let (of, key) = (
            ProviderRef::new(name.0, gateway.0),
            self::key_id(&key_id.0)?,
        );
        let model = model.0.as_deref();
        let test = self.providers.test_key(&of, &key, model).await?;
        Ok(Json(test.into()))
    }
}
