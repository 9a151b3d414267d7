//! What an admitted call holds in a counter, to be corrected, taken back or finished.

use std::sync::Arc;

use server_rules::limits::LimitSettings;

use super::Scopes;
use super::local::Local;
use super::redis::RedisLimits;

/// Where a call was counted.
#[derive(Debug, Clone)]
pub(super) enum Counter {
    Local(Arc<Local>),
    Redis(Arc<RedisLimits>),
}

/// A [`Scopes`] that outlives its principal.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) counter: Counter,
    pub(super) tenant: Box<str>,
    pub(super) tenant_limits: LimitSettings,
    pub(super) key: Option<Box<str>>,
    pub(super) key_limits: LimitSettings,
    pub(super) parent: Option<(Box<str>, LimitSettings)>,
    pub(super) generation: Box<str>,
    pub(super) tokens: u64,
}

impl Lease {
    pub(super) fn new(scopes: &Scopes<'_>, counter: Counter) -> Self {
        Self {
            counter,
            tenant: scopes.tenant.into(),
            tenant_limits: scopes.tenant_limits,
            key: scopes.key.map(Into::into),
            key_limits: scopes.key_limits,
            parent: scopes.parent.map(|(id, limits)| (id.into(), limits)),
            generation: scopes.generation.into(),
            tokens: scopes.tokens,
        }
    }

    pub(super) fn scopes(&self) -> Scopes<'_> {
        Scopes {
            tenant: &self.tenant,
            tenant_limits: self.tenant_limits,
            key: self.key.as_deref(),
            key_limits: self.key_limits,
            parent: self
                .parent
                .as_ref()
                .map(|(id, limits)| (id.as_ref(), *limits)),
            generation: &self.generation,
            tokens: self.tokens,
        }
    }

    pub(super) fn finish(self, actual_tokens: Option<u64>) {
        match &self.counter {
            Counter::Local(local) => local.finish(&self.scopes(), actual_tokens),
            Counter::Redis(redis) => redis.clone().finish(self, actual_tokens),
        }
    }

    pub(super) fn undo(self) {
        match &self.counter {
            Counter::Local(local) => local.undo(&self.scopes()),
            Counter::Redis(redis) => redis.clone().undo(self),
        }
    }
}
