//! Providers and their keys as the superadmin sees and sets them. A secret comes in and never goes
//! out: only its last four characters do.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Enum, Object, OpenApi};
use shared::clock::Moment;
use shared::id::ProviderKeyId;
use shared::link::{
    KeyTest, NewProvider, NewProviderKey, ProviderKeyPatch, ProviderKeyView, ProviderPatch,
    ProviderView,
};

use crate::api::answer::{Created, Deleted};
use crate::api::date;
use crate::api::error::ApiError;
use crate::api::manage::Page;
use crate::api::principal::SuperadminCaller;
use crate::auth::roles::kind;
use crate::providers::Providers;

/// Longer ones are no addresses.
const URL_BYTES_MAX: usize = 500;
/// The longest vendor secrets are service accounts of a few kilobytes.
const SECRET_BYTES_MAX: usize = 8_192;
/// A line on a page.
const LABEL_BYTES_MAX: usize = 100;
/// The gateway's bound.
const NAME_BYTES_MAX: usize = 40;
/// The gateway's bound.
const WEIGHT_MAX: u32 = 100;

/// A connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ProviderKind {
    /// Anything that speaks OpenAI's protocol.
    Openai,
    /// Deterministic, without any account.
    Sandbox,
}

/// A provider to be added.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct NewProviderBody {
    /// Its name, used in targets: 1 to 40 of `a-z 0-9 -`.
    pub name: String,
    /// The connector.
    pub kind: ProviderKind,
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
}

impl From<ProviderView> for ProviderBody {
    fn from(view: ProviderView) -> Self {
        Self {
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
}

impl From<ProviderKeyView> for ProviderKeyBody {
    fn from(view: ProviderKeyView) -> Self {
        Self {
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
}

impl From<KeyTest> for KeyTestBody {
    fn from(test: KeyTest) -> Self {
        Self {
            ok: test.ok,
            verdict: test.verdict.word().to_owned(),
            status: test.status,
            latency_ms: test.latency_ms,
            detail: test.detail,
        }
    }
}

fn rule(holds: bool, field: &str, rule: &str) -> Result<(), ApiError> {
    if holds {
        Ok(())
    } else {
        Err(ApiError::bad_field(
            field,
            format!("`{field}` must be {rule}."),
        ))
    }
}

fn check_url(url: &str) -> Result<(), ApiError> {
    // Blanks around it come with pasting; the gateway takes them away.
    let url = url.trim();
    let plain = url.len() <= URL_BYTES_MAX && url.bytes().all(|b| b.is_ascii_graphic());
    let web = url.is_empty() || url.starts_with("https://") || url.starts_with("http://");
    rule(
        plain && web,
        "base_url",
        "an http(s) address of at most 500 characters",
    )
}

fn check_label(label: &str) -> Result<(), ApiError> {
    let holds = label.len() <= LABEL_BYTES_MAX && !label.chars().any(char::is_control);
    rule(
        holds,
        "label",
        "at most 100 bytes without control characters",
    )
}

fn check_weight(weight: u32) -> Result<(), ApiError> {
    rule(
        (1..=WEIGHT_MAX).contains(&weight),
        "weight",
        "a number from 1 to 100",
    )
}

impl TryFrom<NewProviderBody> for NewProvider {
    type Error = ApiError;

    fn try_from(body: NewProviderBody) -> Result<Self, ApiError> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let holds =
            (1..=NAME_BYTES_MAX).contains(&body.name.len()) && body.name.bytes().all(allowed);
        rule(holds, "name", "1 to 40 of a-z 0-9 -")?;
        check_url(&body.base_url)?;
        let kind = match body.kind {
            ProviderKind::Openai => "openai",
            ProviderKind::Sandbox => "sandbox",
        };
        Ok(Self {
            name: body.name,
            kind: kind.to_owned(),
            base_url: body.base_url,
        })
    }
}

impl TryFrom<NewProviderKeyBody> for NewProviderKey {
    type Error = ApiError;

    fn try_from(body: NewProviderKeyBody) -> Result<Self, ApiError> {
        let length = (1..=SECRET_BYTES_MAX).contains(&body.secret.len());
        let holds = length && body.secret.bytes().all(|b| b.is_ascii_graphic());
        rule(
            holds,
            "secret",
            "1 to 8192 visible ASCII characters without spaces",
        )?;
        check_label(&body.label)?;
        let weight = body.weight.unwrap_or(1);
        check_weight(weight)?;
        Ok(Self {
            secret: body.secret,
            label: body.label,
            weight,
        })
    }
}

impl TryFrom<ProviderKeyPatchBody> for ProviderKeyPatch {
    type Error = ApiError;

    fn try_from(body: ProviderKeyPatchBody) -> Result<Self, ApiError> {
        body.label.as_deref().map_or(Ok(()), check_label)?;
        body.weight.map_or(Ok(()), check_weight)?;
        let status = body.status.map(|status| match status {
            KeyStatus::Active => "active".to_owned(),
            KeyStatus::Disabled => "disabled".to_owned(),
        });
        Ok(Self {
            status,
            weight: body.weight,
            label: body.label,
            secret: body.secret,
        })
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

#[OpenApi(prefix_path = "/admin/api", tag = "crate::api::Tag::Providers")]
impl ProvidersApi {
    /// List providers
    #[oai(
        path = "/providers",
        method = "get",
        operation_id = "admin_list_providers"
    )]
    async fn list(&self, _caller: SuperadminCaller) -> Result<Json<Page<ProviderBody>>, ApiError> {
        let providers = self.providers.all().await?;
        Ok(Json(Page::whole(
            providers.into_iter().map(ProviderBody::from),
        )))
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
        body: Json<NewProviderBody>,
    ) -> Result<Created<ProviderBody>, ApiError> {
        let new = body.0.try_into()?;
        let made = self.providers.create(&caller.actor(), new).await?;
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
        body: Json<ProviderPatchBody>,
    ) -> Result<Json<ProviderBody>, ApiError> {
        let ProviderPatchBody { base_url, enabled } = body.0;
        base_url.as_deref().map_or(Ok(()), check_url)?;
        let patch = ProviderPatch { base_url, enabled };
        let provider = self
            .providers
            .update(&caller.actor(), &name.0, patch)
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
    ) -> Result<Deleted, ApiError> {
        self.providers.delete(&caller.actor(), &name.0).await?;
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
    ) -> Result<Json<Page<ProviderKeyBody>>, ApiError> {
        let keys = self.providers.keys(&name.0).await?;
        Ok(Json(Page::whole(
            keys.into_iter().map(ProviderKeyBody::from),
        )))
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
        body: Json<NewProviderKeyBody>,
    ) -> Result<Created<ProviderKeyBody>, ApiError> {
        let new = body.0.try_into()?;
        let made = self
            .providers
            .create_key(&caller.actor(), &name.0, new)
            .await?;
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
        body: Json<ProviderKeyPatchBody>,
    ) -> Result<Json<ProviderKeyBody>, ApiError> {
        let (key, patch) = (self::key_id(&key_id.0)?, body.0.try_into()?);
        let view = self
            .providers
            .update_key(&caller.actor(), &name.0, &key, patch)
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
    ) -> Result<Deleted, ApiError> {
        let key = self::key_id(&key_id.0)?;
        self.providers
            .delete_key(&caller.actor(), &name.0, &key)
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
        /// The name of a model at the provider, to make a small call with.
        model: Query<Option<String>>,
    ) -> Result<Json<KeyTestBody>, ApiError> {
        let key = self::key_id(&key_id.0)?;
        let model = model.0.as_deref();
        let test = self.providers.test_key(&name.0, &key, model).await?;
        Ok(Json(test.into()))
    }
}
