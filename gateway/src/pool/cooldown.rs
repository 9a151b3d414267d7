//! What a fault does to the key it happened on. Pure: a table, and the reason for each row.

use std::time::Duration;

use shared::fault::{Fault, FaultKind};

/// A provider's `Retry-After` is believed between these.
const COOL_MIN: Duration = Duration::from_millis(200);
const COOL_MAX: Duration = Duration::from_secs(3_600);
/// A bare 429 cools 1, 2, 4 … seconds, at most this.
const BARE_MAX: Duration = Duration::from_secs(60);
/// Faults of the provider in a row before its key rests, and how long.
const FAILURES_MAX: u32 = 5;
const FAILURES_REST: Duration = Duration::from_secs(30);
/// An account without money is looked at again after this.
const QUOTA_REST: Duration = Duration::from_secs(3_600);

/// The change of a key's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// The fault says nothing about the key.
    Nothing,
    /// One more in a row.
    Count,
    /// Rest.
    Cool(Duration),
    /// Until an operator looks.
    Disable,
}

/// What `fault` does to a key with `failures` in a row before it; the only key of a provider does
/// not rest for the provider's own trouble, because trying beats refusing.
pub(super) fn effect(fault: &Fault, failures: u32, only_key: bool) -> Effect {
    match fault.kind {
        FaultKind::InvalidKey => Effect::Disable,
        FaultKind::QuotaExhausted => Effect::Cool(QUOTA_REST),
        FaultKind::RateLimited => Effect::Cool(match fault.retry_after_ms {
            Some(ms) => Duration::from_millis(ms).clamp(COOL_MIN, COOL_MAX),
            None => Duration::from_secs(1 << failures.min(6)).min(BARE_MAX),
        }),
        FaultKind::Overloaded | FaultKind::Timeout | FaultKind::InvalidAnswer => {
            if failures + 1 >= FAILURES_MAX && !only_key {
                Effect::Cool(FAILURES_REST)
            } else {
                Effect::Count
            }
        }
        // The address's fault, the tenant's or ours, not the key's.
        FaultKind::Unreachable
        | FaultKind::Interrupted
        | FaultKind::BadRequest
        | FaultKind::ContentPolicy
        | FaultKind::NotFound
        | FaultKind::NoCapacity
        | FaultKind::Canceled
        | FaultKind::Internal => Effect::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: FaultKind, failures: u32) -> Effect {
        effect(&Fault::new(kind, ""), failures, false)
    }

    #[test]
    fn the_table_holds_row_by_row() {
        assert_eq!(of(FaultKind::InvalidKey, 0), Effect::Disable);
        assert_eq!(of(FaultKind::QuotaExhausted, 0), Effect::Cool(QUOTA_REST));
        assert_eq!(
            of(FaultKind::RateLimited, 0),
            Effect::Cool(Duration::from_secs(1))
        );
        assert_eq!(
            of(FaultKind::RateLimited, 3),
            Effect::Cool(Duration::from_secs(8))
        );
        assert_eq!(of(FaultKind::RateLimited, 99), Effect::Cool(BARE_MAX));
        assert_eq!(of(FaultKind::Overloaded, 3), Effect::Count);
        assert_eq!(of(FaultKind::Overloaded, 4), Effect::Cool(FAILURES_REST));
        assert_eq!(of(FaultKind::BadRequest, 4), Effect::Nothing);
        assert_eq!(
            effect(&Fault::new(FaultKind::Overloaded, ""), 50, true),
            Effect::Count
        );
    }

    #[test]
    fn retry_after_is_honoured_within_reason() {
        let told = |seconds| {
            Fault::new(FaultKind::RateLimited, "")
                .with_retry_after(Some(Duration::from_secs(seconds)))
        };
        assert_eq!(
            effect(&told(7), 0, false),
            Effect::Cool(Duration::from_secs(7))
        );
        assert_eq!(effect(&told(0), 0, false), Effect::Cool(COOL_MIN));
        assert_eq!(effect(&told(1 << 40), 0, false), Effect::Cool(COOL_MAX));
    }
}
