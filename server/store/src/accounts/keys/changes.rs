//! What is asked of keys that are there, and what a change came to.

use shared::clock::Moment;
use shared::id::{ApiKeyId, TenantId};

use super::super::Scopes;
use super::ApiKey;

/// A secret that another one took the place of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousSecret {
    /// SHA-256 of it, in hex.
    pub hash: String,
    /// Its last four characters.
    pub last4: String,
    /// When it ends.
    pub until: Moment,
}

/// What a change does to a field that may be absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Field<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is absent from now on.
    Clear,
    /// It is this from now on.
    Set(T),
}

impl<T> Field<T> {
    /// What is to be set, if anything.
    pub fn set(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }

    /// What the field is after the change.
    pub(in super::super) fn over(self, now: Option<T>) -> Option<T> {
        match self {
            Self::Keep => now,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

impl<T> From<Option<T>> for Field<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Clear, Self::Set)
    }
}

/// A change of a key; what it reaches and its secret stay.
#[derive(Debug, Clone, Default)]
pub struct KeyPatch {
    /// A new name.
    pub name: Option<String>,
    /// New scopes.
    pub scopes: Option<Scopes>,
    /// Other models.
    pub allowed_models: Field<Vec<String>>,
    /// Other addresses.
    pub allowed_addresses: Field<Vec<String>>,
    /// Another limit of calls a minute.
    pub requests_per_minute: Field<u32>,
    /// Another limit of tokens a minute.
    pub tokens_per_minute: Field<u64>,
    /// Another limit of calls at the same time.
    pub concurrency: Field<u32>,
    /// Another end.
    pub expires_at: Field<Moment>,
}

/// Another secret for a key.
#[derive(Debug, Clone)]
pub struct KeyRotation {
    /// SHA-256 of it, in hex.
    pub hash: String,
    /// Its last four characters.
    pub last4: String,
    /// When the one it takes the place of ends.
    pub old_until: Moment,
}

/// Which key is changed, and how far whoever changes it reaches.
#[derive(Debug, Clone, Copy)]
pub struct KeyPlace<'a> {
    /// Whose.
    pub tenant: &'a TenantId,
    /// Which.
    pub id: &'a ApiKeyId,
    /// A key that may do more than this is out of reach.
    pub reach: Scopes,
    /// The key with which it is changed; one that has more is out of reach, and stays within it.
    pub within: Option<&'a ApiKey>,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyChange {
    /// The tenant has no such key.
    Missing,
    /// The key may do more than whoever wants to change it.
    OutOfReach,
    /// The key has more than the one with which it is changed, or would have: in this field.
    Beyond(&'static str),
    /// It was revoked; for a rotation, or it has expired.
    Ended,
    /// The key as it is now.
    Done(Box<ApiKey>),
}
