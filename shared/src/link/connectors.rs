//! What a gateway says of its connectors: which kinds of providers there are, what an address and a
//! secret of each must be like, and well-known vendors of a kind. Servers ask for it and know none of it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Operation;
use super::options::ProviderOptions;
use crate::id::JournalId;

/// A text that is written into the program at a gateway, and read at a server.
type Text = Cow<'static, str>;

/// What a gateway says of itself to whoever sets its providers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayFacts {
    /// The journal of its database: gateways of one journal share their providers.
    pub journal: JournalId,
    /// Its connectors, in the order in which to offer them.
    pub connectors: Vec<ConnectorFacts>,
    /// Vendors that one of them reaches, in the order in which to offer them.
    #[serde(default)]
    pub presets: Vec<ProviderPreset>,
}

/// What a connector says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectorFacts {
    /// Its word, which a provider is kept with.
    pub kind: Text,
    /// What people call it.
    pub label: Text,
    /// Whether a provider of it has an address.
    pub address: AddressRule,
    /// What a key's secret must be like.
    pub secret: SecretRule,
    /// What can be asked of it, and in which wire format it is asked at the provider.
    pub speaks: Cow<'static, [Speaks]>,
    /// Whether it has jobs that are submitted and polled.
    #[serde(default)]
    pub media: bool,
}

/// One thing a connector can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speaks {
    /// What.
    pub operation: Operation,
    /// The wire format.
    pub dialect: Text,
    /// Whether it is asked so unless its options say otherwise.
    #[serde(default = "usual")]
    pub is_usual: bool,
}

fn usual() -> bool {
    true
}

impl Speaks {
    /// `operation` in `dialect`.
    pub const fn new(operation: Operation, dialect: &'static str) -> Self {
        Self {
            operation,
            dialect: Cow::Borrowed(dialect),
            is_usual: true,
        }
    }

    /// `operation` in `dialect`, which only some who are of the kind speak.
    pub const fn seldom(operation: Operation, dialect: &'static str) -> Self {
        Self {
            operation,
            dialect: Cow::Borrowed(dialect),
            is_usual: false,
        }
    }
}

/// Whether a provider has an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressRule {
    /// It has none.
    Absent,
    /// It needs one, up to and with the version.
    Needed,
}

/// What a key's secret must be like, besides visible ASCII characters without spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretRule {
    /// Whether a provider without any key takes no calls.
    pub is_needed: bool,
    /// Characters at most.
    pub chars_max: u32,
    /// Whether it may be a JSON object instead, as files of keys are, which is kept without the blanks
    /// between its parts.
    #[serde(default)]
    pub is_json: bool,
}

impl SecretRule {
    /// Of kinds that send a secret in a header: half of the 8 KiB that servers commonly take for one,
    /// room for a signed token of some kilobytes.
    pub const IN_A_HEADER: Self = Self {
        is_needed: true,
        chars_max: 4_096,
        is_json: false,
    };
}

/// A vendor that speaks what a connector speaks: a row of data, to begin a provider with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderPreset {
    /// A name for the provider.
    pub name: Text,
    /// What people call the vendor.
    pub label: Text,
    /// The connector.
    pub kind: Text,
    /// Where it answers.
    pub base_url: Text,
    /// Where its keys are made; may be empty.
    #[serde(default)]
    pub keys_url: Text,
    /// Some of its models, by their names there; may be empty.
    pub models: Cow<'static, [Text]>,
    /// How it differs from its connector's kind.
    #[serde(default, skip_serializing_if = "ProviderOptions::is_empty")]
    pub options: ProviderOptions,
}

impl GatewayFacts {
    /// The connector of that word.
    pub fn connector(&self, kind: &str) -> Option<&ConnectorFacts> {
        self.connectors.iter().find(|facts| facts.kind == kind)
    }
}
