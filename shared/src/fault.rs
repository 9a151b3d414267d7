//! What went wrong upstream, in words that routing and billing act on.
//! Knows no HTTP status of ours; the server's edge chooses that.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The common kinds of failure of a provider call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The request is wrong; the tenant can mend it.
    BadRequest,
    /// The provider refuses the content.
    ContentPolicy,
    /// The provider refuses this end user, whatever they ask: nothing is said of the key, and no other one
    /// may be tried with the same person.
    EndUserBlocked,
    /// The provider does not accept the key.
    InvalidKey,
    /// The provider account has no money or quota left.
    QuotaExhausted,
    /// Too many requests or tokens.
    RateLimited,
    /// The provider is overloaded or answers 5xx.
    Overloaded,
    /// No answer in time.
    Timeout,
    /// The connection failed before the request was written: nothing was started.
    Unreachable,
    /// The connection broke after the request was written: whether it was billed is unknown.
    Interrupted,
    /// The answer was not what the provider's protocol says.
    InvalidAnswer,
    /// The model or operation does not exist there.
    NotFound,
    /// No healthy key, no provider, or no target is configured.
    NoCapacity,
    /// The tenant went away.
    Canceled,
    /// A bug or a broken disk of ours.
    Internal,
}

/// Whose fault it was; the tenant pays only for its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultOf {
    /// The tenant's request.
    Caller,
    /// The provider.
    Upstream,
    /// Waule.
    Us,
}

/// What may be tried next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// Nothing: the answer would be the same, or the work may have been billed.
    No,
    /// Another key or target; the provider surely did no billable work.
    OtherKey,
}

/// How far a failure reaches: what else would fail for the same reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// This request only; also where nothing says more.
    #[default]
    Request,
    /// This model with this key.
    ModelAtKey,
    /// Whatever is sent with this key.
    Key,
    /// Whatever is sent from the account that the key belongs to.
    Account,
    /// Whatever is sent to this provider.
    Provider,
}

/// A failure of one provider call, classified where the facts are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{kind:?}: {detail}")]
pub struct Fault {
    /// What kind.
    pub kind: FaultKind,
    /// Whose.
    pub fault_of: FaultOf,
    /// What next.
    pub retry: Retry,
    /// How far it reaches.
    #[serde(default)]
    pub scope: Scope,
    /// The provider's `Retry-After`, in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// The provider's HTTP status, where there was one.
    pub upstream_status: Option<u16>,
    /// For the log and the superadmin; never for the tenant.
    pub detail: String,
}

impl Fault {
    /// A fault of `kind` with that kind's usual owner and retry.
    pub fn new(kind: FaultKind, detail: impl Into<String>) -> Self {
        use FaultKind as K;
        let (fault_of, retry) = match kind {
            K::BadRequest | K::ContentPolicy | K::EndUserBlocked | K::Canceled => {
                (FaultOf::Caller, Retry::No)
            }
            K::InvalidKey
            | K::QuotaExhausted
            | K::RateLimited
            | K::Overloaded
            | K::Unreachable
            | K::NotFound => (FaultOf::Upstream, Retry::OtherKey),
            K::Timeout | K::Interrupted | K::InvalidAnswer => (FaultOf::Upstream, Retry::No),
            K::NoCapacity | K::Internal => (FaultOf::Us, Retry::No),
        };
        let scope = match kind {
            K::InvalidKey | K::RateLimited => Scope::Key,
            K::QuotaExhausted => Scope::Account,
            K::NotFound => Scope::ModelAtKey,
            K::Overloaded | K::Unreachable | K::Timeout | K::InvalidAnswer => Scope::Provider,
            K::BadRequest
            | K::ContentPolicy
            | K::EndUserBlocked
            | K::Canceled
            | K::Interrupted
            | K::NoCapacity
            | K::Internal => Scope::Request,
        };
        Self {
            kind,
            fault_of,
            retry,
            scope,
            retry_after_ms: None,
            upstream_status: None,
            detail: detail.into(),
        }
    }

    /// The same with another reach.
    #[must_use]
    pub fn reaching(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// The same with the provider's status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.upstream_status = Some(status);
        self
    }

    /// The same with the provider's `Retry-After`.
    #[must_use]
    pub fn with_retry_after(mut self, after: Option<Duration>) -> Self {
        self.retry_after_ms = after.map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// Stable word for logs and metric labels.
    pub fn word(&self) -> &'static str {
        self.kind.word()
    }
}

impl FaultKind {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::BadRequest,
        Self::ContentPolicy,
        Self::EndUserBlocked,
        Self::InvalidKey,
        Self::QuotaExhausted,
        Self::RateLimited,
        Self::Overloaded,
        Self::Timeout,
        Self::Unreachable,
        Self::Interrupted,
        Self::InvalidAnswer,
        Self::NotFound,
        Self::NoCapacity,
        Self::Canceled,
        Self::Internal,
    ];

    /// Stable word for logs, usage records and metric labels.
    pub fn word(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::ContentPolicy => "content_policy",
            Self::EndUserBlocked => "end_user_blocked",
            Self::InvalidKey => "invalid_key",
            Self::QuotaExhausted => "quota_exhausted",
            Self::RateLimited => "rate_limited",
            Self::Overloaded => "overloaded",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Interrupted => "interrupted",
            Self::InvalidAnswer => "invalid_answer",
            Self::NotFound => "not_found",
            Self::NoCapacity => "no_capacity",
            Self::Canceled => "canceled",
            Self::Internal => "internal",
        }
    }

    /// Whether it is the caller's usually: nothing is wrong with the model or the provider then.
    pub const fn is_callers(self) -> bool {
        matches!(
            self,
            Self::BadRequest | Self::ContentPolicy | Self::EndUserBlocked | Self::Canceled
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, FaultKind as K, FaultOf};

    #[test]
    fn whose_a_kind_is_agrees_with_the_faults_of_it() {
        for kind in K::ALL {
            let of = Fault::new(kind, "").fault_of;
            assert_eq!(kind.is_callers(), of == FaultOf::Caller, "{kind:?}");
        }
    }

    #[test]
    fn every_kind_stands_in_the_list_once() {
        let mut seen = [0; K::ALL.len()];
        for kind in K::ALL {
            // A kind that is missing here does not compile.
            let place = match kind {
                K::BadRequest => 0,
                K::ContentPolicy => 1,
                K::EndUserBlocked => 2,
                K::InvalidKey => 3,
                K::QuotaExhausted => 4,
                K::RateLimited => 5,
                K::Overloaded => 6,
                K::Timeout => 7,
                K::Unreachable => 8,
                K::Interrupted => 9,
                K::InvalidAnswer => 10,
                K::NotFound => 11,
                K::NoCapacity => 12,
                K::Canceled => 13,
                K::Internal => 14,
            };
            seen[place] += 1;
        }
        assert_eq!(seen, [1; K::ALL.len()]);
    }
}
