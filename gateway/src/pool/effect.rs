//! What a fault asks of the key it happened on. Pure: a table, and the reason for each row. Whom it
//! concerns besides the caller whose call it was is [`super::share`]'s to say.

use std::time::Duration;

use shared::fault::{Fault, FaultKind, Scope};

/// A provider's wait is believed between these.
const COOL_MIN: Duration = Duration::from_millis(200);
const COOL_MAX: Duration = Duration::from_secs(3_600);
/// The same of a provider that says that it is overloaded: it often says an hour of what is over in
/// minutes, and one call every two minutes finds that out and hammers nobody.
pub(super) const OVERLOADED_MAX: Duration = Duration::from_secs(120);
/// A bare 429 cools 1, 2, 4 … seconds, at most this.
const BARE_MAX: Duration = Duration::from_secs(60);
/// Faults of the provider in a row before its key rests, and how long.
pub(super) const FAILURES_MAX: u32 = 5;
pub(super) const FAILURES_REST: Duration = Duration::from_secs(30);
/// What an operator has to mend is looked at again after a minute, two, four …, at most an hour.
const GROWING: Duration = Duration::from_secs(60);
const GROWING_MAX: Duration = Duration::from_secs(3_600);

/// What a fault asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It says nothing about the key.
    Nothing,
    /// One more in a row.
    Count,
    /// The key rests.
    Rest(Rest),
}

/// For how long and how strictly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rest {
    pub(super) span: Duration,
    /// A guess of ours: used all the same where nothing else is left, because trying beats refusing.
    pub(super) is_soft: bool,
    /// For the model it was asked for only.
    pub(super) of_model: bool,
}

/// The `streak`-th pause in a row, counted from none.
pub(super) fn growing(streak: u32) -> Duration {
    GROWING.saturating_mul(1 << streak.min(10)).min(GROWING_MAX)
}

fn told(fault: &Fault) -> Option<Duration> {
    let wait = Duration::from_millis(fault.retry_after_ms?);
    Some(wait.clamp(COOL_MIN, COOL_MAX))
}

/// What `fault` asks of a key that rested `streak` times in a row for it.
#[expect(
    clippy::match_same_arms,
    reason = "a table, and the reason of each row"
)]
pub(super) fn effect(fault: &Fault, streak: u32) -> Effect {
    use FaultKind as K;
    let rest = |span, is_soft| {
        Effect::Rest(Rest {
            span,
            is_soft,
            of_model: fault.scope == Scope::ModelAtKey,
        })
    };
    match (fault.kind, fault.scope) {
        (K::RateLimited, _) => {
            let bare = Duration::from_secs(1 << streak.min(6)).min(BARE_MAX);
            rest(told(fault).unwrap_or(bare), false)
        }
        // A provider that says when it will be back is believed, for a while.
        (K::Overloaded, _) => {
            told(fault).map_or(Effect::Count, |span| rest(span.min(OVERLOADED_MAX), false))
        }
        (K::Timeout | K::InvalidAnswer, _) => Effect::Count,
        // That it depends on the request is said by the provider, or not excluded.
        (K::InvalidKey | K::QuotaExhausted | K::NotFound, Scope::Request) => Effect::Nothing,
        // Whether the key is good is asked for besides.
        (K::InvalidKey | K::QuotaExhausted | K::NotFound, _) => {
            rest(told(fault).unwrap_or_else(|| growing(streak)), true)
        }
        // The address's fault, the tenant's or ours, not the key's.
        (
            K::Unreachable
            | K::Interrupted
            | K::BadRequest
            | K::ContentPolicy
            | K::EndUserBlocked
            | K::NoCapacity
            | K::Canceled
            | K::Internal,
            _,
        ) => Effect::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: FaultKind, scope: Scope, streak: u32) -> Effect {
        effect(&Fault::new(kind, "").reaching(scope), streak)
    }

    fn rest(seconds: u64, is_soft: bool, of_model: bool) -> Effect {
        Effect::Rest(Rest {
            span: Duration::from_secs(seconds),
            is_soft,
            of_model,
        })
    }

    #[test]
    fn the_table_holds_row_by_row() {
        use FaultKind as K;
        for (kind, scope, streak, expected) in [
            (K::InvalidKey, Scope::Key, 0, rest(60, true, false)),
            (K::InvalidKey, Scope::Request, 0, Effect::Nothing),
            (K::InvalidKey, Scope::Account, 0, rest(60, true, false)),
            (K::QuotaExhausted, Scope::Account, 0, rest(60, true, false)),
            (K::QuotaExhausted, Scope::Account, 2, rest(240, true, false)),
            (
                K::QuotaExhausted,
                Scope::Account,
                99,
                rest(3_600, true, false),
            ),
            (K::QuotaExhausted, Scope::Request, 0, Effect::Nothing),
            (K::NotFound, Scope::ModelAtKey, 0, rest(60, true, true)),
            (K::NotFound, Scope::Provider, 1, rest(120, true, false)),
            (K::RateLimited, Scope::Key, 0, rest(1, false, false)),
            (K::RateLimited, Scope::Key, 3, rest(8, false, false)),
            (K::RateLimited, Scope::Key, 99, rest(60, false, false)),
            (K::Overloaded, Scope::Provider, 3, Effect::Count),
            (K::Timeout, Scope::Provider, 3, Effect::Count),
            (K::InvalidAnswer, Scope::Provider, 3, Effect::Count),
            (K::Unreachable, Scope::Provider, 3, Effect::Nothing),
            (K::BadRequest, Scope::Request, 4, Effect::Nothing),
            (K::ContentPolicy, Scope::Request, 4, Effect::Nothing),
            (K::EndUserBlocked, Scope::Request, 4, Effect::Nothing),
            (K::Canceled, Scope::Request, 4, Effect::Nothing),
        ] {
            assert_eq!(
                of(kind, scope, streak),
                expected,
                "{kind:?} {scope:?} {streak}"
            );
        }
    }

    #[test]
    fn a_providers_wait_is_honoured_within_reason() {
        for (kind, most) in [
            (FaultKind::RateLimited, 3_600),
            (FaultKind::Overloaded, 120),
        ] {
            let told = |seconds| {
                let wait = Some(Duration::from_secs(seconds));
                effect(&Fault::new(kind, "").with_retry_after(wait), 0)
            };
            assert_eq!(told(7), rest(7, false, false));
            assert_eq!(told(90), rest(90, false, false));
            assert_eq!(told(3_600), rest(most, false, false));
            assert_eq!(told(1 << 40), rest(most, false, false));
            let least = Effect::Rest(Rest {
                span: COOL_MIN,
                is_soft: false,
                of_model: false,
            });
            assert_eq!(told(0), least);
        }
    }
}
