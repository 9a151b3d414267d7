//! What an operator asks of a gateway: its providers and their keys. Names no transport, and shows no
//! secret.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::balance::{BalanceBoard, BalanceTerms};
use super::choice::{ChoiceQuery, ChoiceTold};
use super::connectors::{GatewayFacts, SecretRule};
use super::key_batch::{KeysAdded, KeysChange, KeysChanged, NewProviderKeys};
use super::models::ProviderModels;
use super::options::ProviderOptions;
use super::terms::KeyTerms;
use crate::id::ProviderKeyId;
use crate::secret::Secret;
use crate::units::Usage;

/// A provider to be created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewProvider {
    /// Its name, used in targets: `[a-z0-9-]`, at most 40.
    pub name: String,
    /// The connector's word, one of those in the gateway's facts.
    pub kind: String,
    /// Where it answers, up to and with the version, for example `https://api.example.com/v1`.
    #[serde(default)]
    pub base_url: String,
    /// How it differs from its kind.
    #[serde(default, skip_serializing_if = "ProviderOptions::is_empty")]
    pub options: ProviderOptions,
}

/// A change of a provider; what is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProviderPatch {
    /// A new address.
    pub base_url: Option<String>,
    /// Whether it takes calls.
    pub enabled: Option<bool>,
    /// How it differs from its kind, all of it anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<ProviderOptions>,
}

/// A provider as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderView {
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
    /// How it differs from its kind.
    #[serde(default, skip_serializing_if = "ProviderOptions::is_empty")]
    pub options: ProviderOptions,
    /// What a secret of its keys must be like.
    pub secret: SecretRule,
    /// Created, in unix milliseconds.
    pub created_at: i64,
}

/// A key to be added to a provider's pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewProviderKey {
    /// The provider's secret; crosses the link once and is sealed at the gateway.
    #[serde(with = "exposed")]
    pub secret: Secret<String>,
    /// The operator's name for it.
    #[serde(default)]
    pub label: String,
    /// Share of the calls relative to the other keys, 1 to 100; default 1.
    #[serde(default = "one")]
    pub weight: u32,
    /// On what terms it is used.
    #[serde(default, skip_serializing_if = "KeyTerms::is_usual")]
    pub terms: KeyTerms,
}

fn one() -> u32 {
    1
}

/// A secret on its way over the link, the one place where one is written out.
mod exposed {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::secret::Secret;

    pub(super) fn serialize<S: Serializer>(
        secret: &Secret<String>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        secret.expose().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Secret<String>, D::Error> {
        String::deserialize(from).map(Secret::new)
    }

    pub(super) mod optional {
        use serde::{Deserialize, Deserializer, Serialize, Serializer};

        use crate::secret::Secret;

        #[expect(clippy::ref_option, reason = "serde hands the field over as it stands")]
        pub(in super::super) fn serialize<S: Serializer>(
            secret: &Option<Secret<String>>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            secret.as_ref().map(Secret::expose).serialize(to)
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<Secret<String>>, D::Error> {
            Ok(Option::deserialize(from)?.map(Secret::new))
        }
    }
}

/// A change of a key; what is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProviderKeyPatch {
    /// `active` or `disabled`.
    pub status: Option<String>,
    /// A new share.
    pub weight: Option<u32>,
    /// A new name.
    pub label: Option<String>,
    /// The secret again, or another one; crosses the link once and is sealed at the gateway.
    #[serde(with = "exposed::optional", skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret<String>>,
    /// Other terms, all of them anew; of these, headers that are absent stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<KeyTerms>,
}

/// A key as an operator sees it: never its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderKeyView {
    /// Its id.
    pub id: ProviderKeyId,
    /// The operator's name for it.
    pub label: String,
    /// The last four characters of the secret.
    pub last4: String,
    /// Its share.
    pub weight: u32,
    /// `active`, `cooling`, `parked` or `disabled`.
    pub status: String,
    /// Why it cools or is disabled.
    pub reason: Option<String>,
    /// Until when it cools, in unix milliseconds.
    pub cooling_until: Option<i64>,
    /// When its provider is asked about it again, in unix milliseconds.
    #[serde(default)]
    pub probe_at: Option<i64>,
    /// Calls running on it now.
    pub in_flight: u32,
    /// On what terms it is used, without its headers.
    #[serde(default, skip_serializing_if = "KeyTerms::is_usual")]
    pub terms: KeyTerms,
    /// The names of its headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub header_names: Vec<String>,
    /// Created, in unix milliseconds.
    pub created_at: i64,
}

/// What a provider says of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyVerdict {
    /// It is good.
    Accepted,
    /// It is not good.
    Refused,
    /// It can't be told in this way: no such question there, or no answer.
    #[default]
    Unknown,
}

impl KeyVerdict {
    /// Stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// What trying a key brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyTest {
    /// Whether the provider accepted it.
    pub ok: bool,
    /// The same with what lies between.
    #[serde(default)]
    pub verdict: KeyVerdict,
    /// The provider's status, 0 when there was none.
    pub status: u16,
    /// How long the answer took.
    pub latency_ms: u64,
    /// What went wrong, without any secret.
    pub detail: String,
    /// What a small call consumed; absent of a free question, and from earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

/// Why the gateway did not do what an operator asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "error", content = "message")]
pub enum AdminError {
    /// There is no such provider or key.
    #[error("there is no such provider or key")]
    NotFound,
    /// The name is taken.
    #[error("there is a provider of that name already")]
    Duplicate,
    /// Something in the request is wrong.
    #[error("{0}")]
    Invalid(InvalidField),
    /// The gateway can't be reached: it was not asked.
    #[error("the gateway can't be reached: {0}")]
    Unreachable(String),
    /// The gateway was asked and its answer did not come: nobody knows whether it did it.
    #[error("the gateway's answer did not come: {0}")]
    Unanswered(String),
    /// The gateway failed; its log has the reason.
    #[error("the gateway failed")]
    Internal,
}

impl AdminError {
    /// What a gateway answers, or would, that does not know what it was asked.
    pub fn earlier() -> Self {
        Self::Invalid(InvalidField {
            field: String::new(),
            rule: EARLIER.to_owned(),
        })
    }

    /// Whether it is that.
    pub fn is_earlier(&self) -> bool {
        matches!(self, Self::Invalid(wrong) if wrong.rule.starts_with(EARLIER))
    }

    /// The same where a gateway of an earlier version met a field that it does not know, which it says
    /// as its reader of JSON does; so no limit is dropped without a word.
    #[must_use]
    pub fn plainly(self) -> Self {
        match self {
            Self::Invalid(InvalidField { field, rule })
                if field.is_empty() && rule.starts_with("unknown field") =>
            {
                let unknown = rule.split('`').nth(1).unwrap_or_default().to_owned();
                Self::Invalid(InvalidField {
                    field: String::new(),
                    rule: format!("{EARLIER} (it does not know `{unknown}`)"),
                })
            }
            Self::NotFound
            | Self::Duplicate
            | Self::Invalid(_)
            | Self::Unreachable(_)
            | Self::Unanswered(_)
            | Self::Internal => self,
        }
    }
}

/// For operators.
const EARLIER: &str =
    "the gateway is of an earlier version and can't do this; nothing was changed: update it first";

/// What is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvalidField {
    /// The field; empty where no single one is to blame.
    pub field: String,
    /// What it must be, or a sentence where no field is to blame.
    pub rule: String,
}

impl std::fmt::Display for InvalidField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { field, rule } = self;
        if field.is_empty() {
            f.write_str(rule)
        } else {
            write!(f, "`{field}` must be {rule}")
        }
    }
}

/// A gateway as operators call it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GatewayName {
    /// Its name; may be empty.
    pub name: String,
    /// Its address; empty inside a process.
    pub url: String,
}

impl GatewayName {
    /// Its name, or its host and port where it has none.
    pub fn shown(&self) -> &str {
        if self.name.is_empty() {
            self.authority()
        } else {
            &self.name
        }
    }

    /// Whether an operator who says `word` means this one.
    pub fn is_called(&self, word: &str) -> bool {
        !word.is_empty() && [self.name.as_str(), &self.url, self.authority()].contains(&word)
    }

    fn authority(&self) -> &str {
        self.url.split_once("://").map_or("", |(_, rest)| rest)
    }
}

/// Where providers can be set.
pub trait ProviderAdmins: Send + Sync {
    /// One for each gateway that is known now, in the order in which to ask where any will do.
    fn provider_admins(&self) -> Vec<Arc<dyn ProviderAdmin>>;
}

/// Provider and key management at one gateway, and so in its database: others that share it see each
/// change within seconds.
#[async_trait]
pub trait ProviderAdmin: Send + Sync {
    /// Which gateway this is.
    fn gateway(&self) -> GatewayName;
    /// Its region, which targets may give; may be empty.
    fn region(&self) -> String {
        String::new()
    }
    /// Its connectors, and which other gateways share its database.
    async fn facts(&self) -> Result<GatewayFacts, AdminError>;
    /// Every provider, by name.
    async fn providers(&self) -> Result<Vec<ProviderView>, AdminError>;
    /// Adds a provider.
    async fn create_provider(&self, new: NewProvider) -> Result<ProviderView, AdminError>;
    /// Changes one.
    async fn update_provider(
        &self,
        name: &str,
        patch: ProviderPatch,
    ) -> Result<ProviderView, AdminError>;
    /// Removes one with its keys.
    async fn delete_provider(&self, name: &str) -> Result<(), AdminError>;
    /// The keys of one, oldest first.
    async fn provider_keys(&self, provider: &str) -> Result<Vec<ProviderKeyView>, AdminError>;
    /// Adds a key.
    async fn create_provider_key(
        &self,
        provider: &str,
        new: NewProviderKey,
    ) -> Result<ProviderKeyView, AdminError>;
    /// Changes a key: disable, enable, weight, label.
    async fn update_provider_key(
        &self,
        provider: &str,
        key: &ProviderKeyId,
        patch: ProviderKeyPatch,
    ) -> Result<ProviderKeyView, AdminError>;
    /// Removes a key.
    async fn delete_provider_key(
        &self,
        provider: &str,
        key: &ProviderKeyId,
    ) -> Result<(), AdminError>;
    /// Adds many keys, all that are good or none. A gateway of an earlier version says that it can't.
    async fn add_provider_keys(
        &self,
        provider: &str,
        new: NewProviderKeys,
    ) -> Result<KeysAdded, AdminError> {
        let _ = (provider, new);
        Err(AdminError::earlier())
    }
    /// Changes several keys, all or none. A gateway of an earlier version says that it can't.
    async fn change_provider_keys(
        &self,
        provider: &str,
        change: KeysChange,
    ) -> Result<KeysChanged, AdminError> {
        let _ = (provider, change);
        Err(AdminError::earlier())
    }
    /// Asks a provider for its list of models, with a key that is in use.
    async fn provider_models(&self, provider: &str) -> Result<ProviderModels, AdminError>;
    /// Makes one free call with it, or the smallest one that `model` can answer.
    async fn test_provider_key(
        &self,
        provider: &str,
        key: &ProviderKeyId,
        model: Option<&str>,
    ) -> Result<KeyTest, AdminError>;
    /// What is left on the accounts of all keys.
    async fn balances(&self) -> Result<BalanceBoard, AdminError>;
    /// Says what is to be done about those of a provider's keys.
    async fn set_balance_terms(
        &self,
        provider: &str,
        terms: BalanceTerms,
    ) -> Result<(), AdminError>;
    /// Where a call would go; calls nobody and changes nothing.
    async fn would_choose(&self, query: ChoiceQuery) -> Result<ChoiceTold, AdminError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_that_does_not_know_a_field_is_told_to_be_earlier() {
        let said = serde_json::from_str::<KeyTerms>(r#"{"limit_of_tomorrow":1}"#);
        let told = |rule: String, field: &str| {
            AdminError::Invalid(InvalidField {
                field: field.to_owned(),
                rule,
            })
        };
        let rule = said.expect_err("an unknown field").to_string();
        let plain = told(rule.clone(), "").plainly();
        assert!(plain.is_earlier(), "{plain}");
        assert!(plain.to_string().contains("`limit_of_tomorrow`"), "{plain}");
        // What a gateway blames a field for is another matter.
        assert!(!told(rule, "terms").plainly().is_earlier());
        assert!(!AdminError::NotFound.plainly().is_earlier());
        assert!(AdminError::earlier().is_earlier());
    }
}
