//! Keys of providers as they are sent and shown; a secret comes in and never goes out.

use poem_openapi::{Enum, Object};
use server_edge::date;
use server_rooms::providers::GatewayAnswer;
use shared::clock::Moment;
use shared::link::{KeyTest, NewProviderKey, ProviderKeyPatch, ProviderKeyView};
use shared::secret::Secret;

use super::terms::KeyTermsBody;

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
    /// On what terms it is used; without limits when absent.
    pub terms: Option<KeyTermsBody>,
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
    /// Other terms, all of them anew; of these, headers that are absent stay.
    pub terms: Option<KeyTermsBody>,
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
    /// `active`, `cooling`, `parked` while its account is empty, or `disabled`.
    pub status: String,
    /// Why it cools, is parked or is disabled.
    pub reason: Option<String>,
    /// Until when it cools, in RFC 3339.
    pub cooling_until: Option<String>,
    /// When its provider is asked about it again, in RFC 3339; absent where an operator disabled it.
    pub probe_at: Option<String>,
    /// Calls running on it now.
    pub in_flight: u32,
    /// On what terms it is used, without its headers.
    pub terms: KeyTermsBody,
    /// The names of the headers that are sent with it.
    pub header_names: Vec<String>,
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
            terms: view.terms.into(),
            header_names: view.header_names,
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

impl From<NewProviderKeyBody> for NewProviderKey {
    fn from(body: NewProviderKeyBody) -> Self {
        Self {
            secret: Secret::new(body.secret),
            label: body.label,
            weight: body.weight.unwrap_or(1),
            terms: body.terms.map(Into::into).unwrap_or_default(),
        }
    }
}

impl KeyStatus {
    /// Its word at the gateway.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }
}

impl From<ProviderKeyPatchBody> for ProviderKeyPatch {
    fn from(body: ProviderKeyPatchBody) -> Self {
        let status = body.status.map(|status| status.word().to_owned());
        Self {
            status,
            weight: body.weight,
            label: body.label,
            secret: body.secret.map(Secret::new),
            terms: body.terms.map(Into::into),
        }
    }
}
