//! Keys as the API writes and reads them, for superadmins and tenants alike. Knows no caller.

use std::time::Duration;

use poem_openapi::Object;
use poem_openapi::types::MaybeUndefined;
use server_edge::date::{self, Date, DateError};
use server_rooms::accounts::{ApiKey, ApiKeyKind, Field, GRACE_DEFAULT, KeyPatch, NewKey, Scopes};
use server_rooms::auth::api_key::{LIVE_PREFIX, TEST_PREFIX};
use server_rooms::limits::LimitSettings;
use shared::clock::Moment;
use shared::id::ApiKeyId;
use shared::secret::Secret;

use super::admin::LimitsBody;
use super::error::ApiError;

/// A key to be made.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct NewKeyBody {
    /// For people.
    pub name: String,
    /// `live` or `test`.
    #[oai(default = "live_word")]
    pub kind: String,
    /// What it may do, of `inference`, `usage` and `keys`; the first two when absent.
    pub scopes: Option<Vec<String>>,
    /// When it ends: a day (2026-12-31, to its end in UTC) or a moment (RFC 3339).
    pub expires_at: Option<String>,
    /// The models it may use; all when absent.
    pub allowed_models: Option<Vec<String>>,
    /// Addresses or networks it may come from; any when absent.
    pub allowed_addresses: Option<Vec<String>>,
    /// Its own limits.
    pub limits: Option<LimitsBody>,
}

fn live_word() -> String {
    ApiKeyKind::Live.word().to_owned()
}

fn ends(text: &str) -> Result<Moment, ApiError> {
    let odd = |error: DateError| ApiError::bad_field("expires_at", error.to_string());
    text.parse().map(Date::end).map_err(odd)
}

fn scopes(words: &[String]) -> Result<Scopes, ApiError> {
    let scopes = Scopes::from_words(words.iter().map(String::as_str));
    scopes
        .ok_or_else(|| ApiError::bad_field("scopes", "`scopes` are of inference, usage and keys."))
}

impl TryFrom<NewKeyBody> for NewKey {
    type Error = ApiError;

    fn try_from(body: NewKeyBody) -> Result<Self, ApiError> {
        let wrong = || ApiError::bad_field("kind", "`kind` must be live or test.");
        let chosen = body.scopes.as_deref().map(scopes).transpose()?;
        Ok(Self {
            kind: ApiKeyKind::from_word(&body.kind).ok_or_else(wrong)?,
            scopes: chosen.unwrap_or(Scopes::PLAIN),
            expires_at: body.expires_at.as_deref().map(ends).transpose()?,
            name: body.name,
            allowed_models: body.allowed_models,
            allowed_addresses: body.allowed_addresses,
            limits: body.limits.map_or_else(LimitSettings::default, Into::into),
            parent: None,
        })
    }
}

/// A change of a key. What is absent stays; what may be absent on a key and is null here is taken
/// away.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct KeyPatchBody {
    /// For people.
    pub name: Option<String>,
    /// What it may do, of `inference`, `usage` and `keys`.
    pub scopes: Option<Vec<String>>,
    /// When it ends: a day (2026-12-31, to its end in UTC) or a moment (RFC 3339).
    #[oai(default)]
    pub expires_at: MaybeUndefined<String>,
    /// The models it may use.
    #[oai(default)]
    pub allowed_models: MaybeUndefined<Vec<String>>,
    /// Addresses or networks it may come from.
    #[oai(default)]
    pub allowed_addresses: MaybeUndefined<Vec<String>>,
    /// Its own limits, all three.
    pub limits: Option<LimitsBody>,
}

fn field<T>(sent: MaybeUndefined<T>) -> Field<T> {
    match sent {
        MaybeUndefined::Undefined => Field::Keep,
        MaybeUndefined::Null => Field::Clear,
        MaybeUndefined::Value(value) => Field::Set(value),
    }
}

impl TryFrom<KeyPatchBody> for KeyPatch {
    type Error = ApiError;

    fn try_from(body: KeyPatchBody) -> Result<Self, ApiError> {
        let mut patch = Self {
            name: body.name,
            scopes: body.scopes.as_deref().map(scopes).transpose()?,
            allowed_models: field(body.allowed_models),
            allowed_addresses: field(body.allowed_addresses),
            expires_at: match body.expires_at {
                MaybeUndefined::Undefined => Field::Keep,
                MaybeUndefined::Null => Field::Clear,
                MaybeUndefined::Value(text) => Field::Set(ends(&text)?),
            },
            ..Self::default()
        };
        if let Some(limits) = body.limits {
            let limits = LimitSettings::from(limits);
            patch.requests_per_minute = limits.requests_per_minute.into();
            patch.tokens_per_minute = limits.tokens_per_minute.into();
            patch.concurrency = limits.concurrency.into();
        }
        Ok(patch)
    }
}

/// A key that gets another secret.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct RotateBody {
    /// How long the secret it has goes on to work, in seconds: 0 to 604800; a day when absent.
    pub grace_seconds: Option<u64>,
}

impl RotateBody {
    /// How long the secret of before goes on to work.
    pub fn grace(&self) -> Duration {
        self.grace_seconds
            .map_or(GRACE_DEFAULT, Duration::from_secs)
    }
}

/// A key without its secret.
#[derive(Debug, Clone, Object)]
pub struct KeyView {
    /// Its id.
    pub id: String,
    /// For people.
    pub name: String,
    /// `live` or `test`.
    pub kind: String,
    /// `active` or `revoked`.
    pub status: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// How the secret begins.
    pub prefix: String,
    /// How it ends.
    pub last4: String,
    /// How the secret before the last rotation ends, if there was one with a grace.
    pub old_last4: Option<String>,
    /// Until when that one works, in RFC 3339; it may be over.
    pub old_until: Option<String>,
    /// The models it may use; all when absent.
    pub allowed_models: Option<Vec<String>>,
    /// Where it may come from; anywhere when absent.
    pub allowed_addresses: Option<Vec<String>>,
    /// Its own limits.
    pub limits: LimitsBody,
    /// When it ends, in RFC 3339.
    pub expires_at: Option<String>,
    /// When it was made, in RFC 3339.
    pub created_at: String,
    /// The key that made it, whose limits and budgets it counts against too; people have none.
    pub parent_id: Option<String>,
}

impl From<ApiKey> for KeyView {
    fn from(key: ApiKey) -> Self {
        let prefix = match key.kind {
            ApiKeyKind::Live => LIVE_PREFIX,
            ApiKeyKind::Test => TEST_PREFIX,
        };
        let words = key.scopes.words().into_iter().map(str::to_owned);
        Self {
            id: key.id.into_string(),
            name: key.name,
            kind: key.kind.word().to_owned(),
            status: if key.revoked { "revoked" } else { "active" }.to_owned(),
            scopes: words.collect(),
            prefix: prefix.to_owned(),
            last4: key.last4,
            old_until: key.previous.as_ref().map(|old| date::text(old.until)),
            old_last4: key.previous.map(|old| old.last4),
            allowed_models: key.allowed_models,
            allowed_addresses: key.allowed_addresses,
            limits: key.limits.into(),
            expires_at: key.expires_at.map(date::text),
            created_at: date::text(key.created_at),
            parent_id: key.parent.map(ApiKeyId::into_string),
        }
    }
}

/// A key with a new secret.
#[derive(Object)]
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct NewKeyView {
    /// The key.
    pub key: KeyView,
    /// Its secret, shown this once.
    pub secret: String,
}

impl From<(ApiKey, Secret<String>)> for NewKeyView {
    fn from((key, secret): (ApiKey, Secret<String>)) -> Self {
        Self {
            key: key.into(),
            secret: secret.expose().clone(),
        }
    }
}

/// The key of a path; what is no id is no key.
pub fn key_of(text: &str) -> Result<shared::id::ApiKeyId, ApiError> {
    text.parse().map_err(|_| ApiError::not_found("key"))
}
