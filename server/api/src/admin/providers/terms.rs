//! On what terms a key is used, as operators write and read it. What headers say is written and never read.

use std::collections::HashMap;

use poem_openapi::Object;
use shared::link::{KeyHeaders, KeyTerms, TermsChange};

/// On what terms a key is used; what is absent limits nothing.
#[derive(Clone, Default, Object)]
#[oai(deny_unknown_fields, default, skip_serializing_if_is_none)]
pub struct KeyTermsBody {
    /// Keys of a lower number are used while one of them has room: 0, the usual, to 100.
    pub priority: u32,
    /// Calls in any sixty seconds.
    pub requests_per_minute: Option<u32>,
    /// Tokens in any sixty seconds, read and written.
    pub tokens_per_minute: Option<u64>,
    /// Calls that run at the same time.
    pub calls_at_once: Option<u32>,
    /// Calls in a day of UTC.
    pub requests_per_day: Option<u32>,
    /// Tokens in a day of UTC, read and written.
    pub tokens_per_day: Option<u64>,
    /// The models that it serves, by their names at the provider; a name that ends in `*` means all that
    /// begin so. None means all.
    pub models: Vec<String>,
    /// An address of its own in place of the provider's. Another scheme, host or port takes the secret
    /// away unless it is sent with it.
    pub base_url: Option<String>,
    /// Headers that are sent with it, by name; their values are sealed at the gateway and never shown
    /// again. Absent in a change, those that it has stay; an empty object takes them away.
    #[oai(write_only)]
    pub headers: Option<HashMap<String, String>>,
    /// Your words for it, to choose keys by.
    pub tags: Vec<String>,
}

impl std::fmt::Debug for KeyTermsBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyTermsBody").finish_non_exhaustive()
    }
}

impl From<KeyTermsBody> for KeyTerms {
    fn from(body: KeyTermsBody) -> Self {
        let headers = body
            .headers
            .map(|headers| KeyHeaders(headers.into_iter().collect()));
        Self {
            priority: body.priority,
            requests_per_minute: body.requests_per_minute,
            tokens_per_minute: body.tokens_per_minute,
            calls_at_once: body.calls_at_once,
            requests_per_day: body.requests_per_day,
            tokens_per_day: body.tokens_per_day,
            models: body.models,
            base_url: body.base_url,
            headers,
            tags: body.tags,
        }
    }
}

impl From<KeyTerms> for KeyTermsBody {
    fn from(terms: KeyTerms) -> Self {
        Self {
            priority: terms.priority,
            requests_per_minute: terms.requests_per_minute,
            tokens_per_minute: terms.tokens_per_minute,
            calls_at_once: terms.calls_at_once,
            requests_per_day: terms.requests_per_day,
            tokens_per_day: terms.tokens_per_day,
            models: terms.models,
            base_url: terms.base_url,
            headers: None,
            tags: terms.tags,
        }
    }
}

/// A change of the terms of several keys; what is absent stays as each of them has it.
#[derive(Debug, Clone, Default, Object)]
#[oai(deny_unknown_fields, default)]
pub struct TermsChangeBody {
    /// Another priority, 0 to 100.
    pub priority: Option<u32>,
    /// Another limit of calls in any sixty seconds; 0 takes it away, as with the limits below.
    pub requests_per_minute: Option<u32>,
    /// Another limit of tokens in any sixty seconds.
    pub tokens_per_minute: Option<u64>,
    /// Another limit of calls that run at the same time.
    pub calls_at_once: Option<u32>,
    /// Another limit of calls in a day of UTC.
    pub requests_per_day: Option<u32>,
    /// Another limit of tokens in a day of UTC.
    pub tokens_per_day: Option<u64>,
    /// Other models; an empty list means all.
    pub models: Option<Vec<String>>,
    /// Tags that each of them gets.
    pub add_tags: Vec<String>,
    /// Tags that each of them loses.
    pub remove_tags: Vec<String>,
}

impl From<TermsChangeBody> for TermsChange {
    fn from(body: TermsChangeBody) -> Self {
        Self {
            priority: body.priority,
            requests_per_minute: body.requests_per_minute,
            tokens_per_minute: body.tokens_per_minute,
            calls_at_once: body.calls_at_once,
            requests_per_day: body.requests_per_day,
            tokens_per_day: body.tokens_per_day,
            models: body.models,
            add_tags: body.add_tags,
            remove_tags: body.remove_tags,
        }
    }
}
