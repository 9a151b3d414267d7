//! How a provider differs from its kind, as operators read and write it.

use poem_openapi::{Enum, Object};
use shared::link::options::{KeyHeader, MaximumField, Pair, ProviderOptions};

/// How a provider differs from what its kind says; what is absent is as the kind says.
#[derive(Debug, Clone, Default, Object)]
#[oai(deny_unknown_fields, default, skip_serializing_if_is_none)]
pub struct ProviderOptionsBody {
    /// The dialects in which it is asked, the preferred one first: `openai_chat`, `openai_responses`,
    /// `anthropic_messages`, `gemini`, and others that `GET /admin/api/connectors` lists for its kind.
    pub dialects: Vec<String>,
    /// The header that holds its key.
    pub key_header: Option<KeyHeaderBody>,
    /// Headers that are sent with every request; no secrets.
    pub headers: Vec<PairBody>,
    /// The version of the interface, for Azure's dated one.
    pub api_version: Option<String>,
    /// The region that its address is in, for Amazon Bedrock behind an address that does not name it.
    pub region: Option<String>,
    /// Fields of requests that it does not take.
    pub leave_out: Vec<String>,
    /// Fields of requests that have another name there.
    pub rename: Vec<PairBody>,
    /// Whether it refuses `stream_options`.
    pub no_usage_option: bool,
    /// The only field in which it takes the maximum of output tokens.
    pub maximum: Option<MaximumBody>,
}

/// A name and what belongs to it.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct PairBody {
    /// A header, or a field as tenants write it.
    pub name: String,
    /// Its value, or the field's name there.
    pub value: String,
}

/// The header that holds a key.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct KeyHeaderBody {
    /// Its name, in small letters.
    pub name: String,
    /// What stands before the key, with its blank: `Bearer `.
    #[oai(default)]
    pub prefix: String,
}

/// A field for the maximum of output tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum MaximumBody {
    /// `max_tokens`.
    MaxTokens,
    /// `max_completion_tokens`.
    MaxCompletionTokens,
}

fn pairs(bodies: Vec<PairBody>) -> Vec<Pair> {
    let pair = |PairBody { name, value }| Pair { name, value };
    bodies.into_iter().map(pair).collect()
}

fn shown(pairs: Vec<Pair>) -> Vec<PairBody> {
    let body = |Pair { name, value }| PairBody { name, value };
    pairs.into_iter().map(body).collect()
}

impl From<ProviderOptionsBody> for ProviderOptions {
    fn from(body: ProviderOptionsBody) -> Self {
        Self {
            dialects: body.dialects,
            key_header: body.key_header.map(|header| KeyHeader {
                name: header.name,
                prefix: header.prefix,
            }),
            headers: pairs(body.headers),
            api_version: body.api_version,
            region: body.region,
            leave_out: body.leave_out,
            rename: pairs(body.rename),
            no_usage_option: body.no_usage_option,
            maximum: body.maximum.map(|maximum| match maximum {
                MaximumBody::MaxTokens => MaximumField::MaxTokens,
                MaximumBody::MaxCompletionTokens => MaximumField::MaxCompletionTokens,
            }),
        }
    }
}

impl From<ProviderOptions> for ProviderOptionsBody {
    fn from(options: ProviderOptions) -> Self {
        Self {
            dialects: options.dialects,
            key_header: options.key_header.map(|header| KeyHeaderBody {
                name: header.name,
                prefix: header.prefix,
            }),
            headers: shown(options.headers),
            api_version: options.api_version,
            region: options.region,
            leave_out: options.leave_out,
            rename: shown(options.rename),
            no_usage_option: options.no_usage_option,
            maximum: options.maximum.map(|maximum| match maximum {
                MaximumField::MaxTokens => MaximumBody::MaxTokens,
                MaximumField::MaxCompletionTokens => MaximumBody::MaxCompletionTokens,
            }),
        }
    }
}
