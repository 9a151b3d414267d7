//! What gateways say of their connectors, as the superadmin's programs read it.

use poem_openapi::Object;
use server_rooms::providers::Connectors;
use shared::link::connectors::{AddressRule, ConnectorFacts, ProviderPreset};

use super::options::ProviderOptionsBody;

/// Something that can be asked of a connector.
#[derive(Debug, Clone, Object)]
pub(super) struct SpeaksBody {
    /// What.
    pub operation: String,
    /// In which wire format its providers are asked.
    pub dialect: String,
    /// Whether a provider of it is asked so unless its options name the dialects.
    pub is_usual: bool,
}

/// What a provider can be.
#[derive(Debug, Clone, Object)]
pub(super) struct ConnectorBody {
    /// Its word, a provider's `kind`.
    pub kind: String,
    /// What people call it.
    pub label: String,
    /// Whether a provider of it needs a `base_url`; else it must have none.
    pub needs_base_url: bool,
    /// Whether a provider of it takes no calls without a key.
    pub needs_key: bool,
    /// The most characters a key's secret may have.
    pub secret_chars_max: u32,
    /// What can be asked of it.
    pub speaks: Vec<SpeaksBody>,
    /// Whether it has jobs that are submitted and polled.
    pub media: bool,
}

impl From<&ConnectorFacts> for ConnectorBody {
    fn from(facts: &ConnectorFacts) -> Self {
        let speaks = facts.speaks.iter().map(|speaks| SpeaksBody {
            operation: speaks.operation.word().to_owned(),
            dialect: speaks.dialect.to_string(),
            is_usual: speaks.is_usual,
        });
        Self {
            kind: facts.kind.to_string(),
            label: facts.label.to_string(),
            needs_base_url: facts.address == AddressRule::Needed,
            needs_key: facts.secret.is_needed,
            secret_chars_max: facts.secret.chars_max,
            speaks: speaks.collect(),
            media: facts.media,
        }
    }
}

/// A vendor to begin a provider with.
#[derive(Debug, Clone, Object)]
pub(super) struct PresetBody {
    /// A name for the provider.
    pub name: String,
    /// What people call the vendor.
    pub label: String,
    /// The connector.
    pub kind: String,
    /// Where it answers.
    pub base_url: String,
    /// Where its keys are made; may be empty.
    pub keys_url: String,
    /// Some of its models; may be empty.
    pub models: Vec<String>,
    /// How it differs from its connector's kind, as a new provider's `options` take it.
    pub options: ProviderOptionsBody,
}

impl From<&ProviderPreset> for PresetBody {
    fn from(preset: &ProviderPreset) -> Self {
        Self {
            name: preset.name.to_string(),
            label: preset.label.to_string(),
            kind: preset.kind.to_string(),
            base_url: preset.base_url.to_string(),
            keys_url: preset.keys_url.to_string(),
            models: preset.models.iter().map(ToString::to_string).collect(),
            options: preset.options.clone().into(),
        }
    }
}

/// What gateways that share a database say of their connectors.
#[derive(Debug, Clone, Object)]
pub(super) struct ConnectorsBody {
    /// One of them: its name, or its host and port.
    pub gateway: String,
    /// Whether it ever said so; where not, the lists are empty.
    pub is_known: bool,
    /// Its connectors.
    pub connectors: Vec<ConnectorBody>,
    /// Vendors that one of them reaches.
    pub presets: Vec<PresetBody>,
}

impl From<Connectors> for ConnectorsBody {
    fn from(known: Connectors) -> Self {
        let facts = known.facts.as_deref();
        let (connectors, presets) = facts.map_or((&[][..], &[][..]), |facts| {
            (&facts.connectors, &facts.presets)
        });
        Self {
            gateway: known.gateway,
            is_known: facts.is_some(),
            connectors: connectors.iter().map(ConnectorBody::from).collect(),
            presets: presets.iter().map(PresetBody::from).collect(),
        }
    }
}
