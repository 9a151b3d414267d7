//! Whom a call counts for: its key and its tenant, as far as they are limited.

use server_rules::limits::LimitSettings;

use super::{Admit, LimitScope};

/// A scope of a call that has limits.
#[derive(Debug, Clone, Copy)]
pub(super) struct LimitedScope<'a> {
    pub(super) scope: LimitScope,
    pub(super) id: &'a str,
    pub(super) limits: LimitSettings,
}

/// An [`Admit`] as the backends read it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scopes<'a> {
    pub(super) tenant: &'a str,
    pub(super) tenant_limits: LimitSettings,
    pub(super) key: Option<&'a str>,
    pub(super) key_limits: LimitSettings,
    /// The key that made the key.
    pub(super) parent: Option<(&'a str, LimitSettings)>,
    pub(super) generation: &'a str,
    pub(super) tokens: u64,
}

impl<'a> Scopes<'a> {
    pub(super) fn new(call: &Admit<'a>) -> Self {
        let principal = call.principal;
        Self {
            tenant: principal.tenant.as_str(),
            tenant_limits: principal.tenant_limits,
            key: principal.key.as_ref().map(shared::id::ApiKeyId::as_str),
            key_limits: principal.key_limits,
            parent: principal
                .parent
                .as_ref()
                .map(|parent| (parent.key.as_str(), parent.limits)),
            generation: call.generation.as_str(),
            tokens: call.tokens,
        }
    }

    /// The limited ones, tenant first.
    pub(super) fn limited(&self) -> impl Iterator<Item = LimitedScope<'a>> + use<'a> {
        let tenant = LimitedScope {
            scope: LimitScope::Tenant,
            id: self.tenant,
            limits: self.tenant_limits,
        };
        let limits = self.key_limits;
        let key = self.key.map(|id| LimitedScope {
            scope: LimitScope::Key,
            id,
            limits,
        });
        let parent = self.parent.map(|(id, limits)| LimitedScope {
            scope: LimitScope::Parent,
            id,
            limits,
        });
        [Some(tenant), key, parent]
            .into_iter()
            .flatten()
            .filter(|scope| !scope.limits.is_unlimited())
    }
}
