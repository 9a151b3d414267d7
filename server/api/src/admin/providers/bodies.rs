//! Providers as they are sent and shown.

use super::options::ProviderOptionsBody;
use poem_openapi::Object;
use server_edge::date;
use server_rooms::providers::{GatewayAnswer, ProviderList};
use shared::clock::Moment;
use shared::link::{NewProvider, ProviderView};

use crate::manage::Page;

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
    /// How it differs from its kind.
    pub options: Option<ProviderOptionsBody>,
}

/// A change of a provider; what is absent stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct ProviderPatchBody {
    /// A new address.
    pub base_url: Option<String>,
    /// Whether it takes calls.
    pub enabled: Option<bool>,
    /// How it differs from its kind, all of it anew.
    pub options: Option<ProviderOptionsBody>,
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
    /// How it differs from its kind.
    pub options: ProviderOptionsBody,
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
            options: view.options.into(),
            keys: view.keys,
            created_at: date::text(Moment::from_unix_ms(view.created_at)),
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
            options: body.options.map(Into::into).unwrap_or_default(),
        }
    }
}
