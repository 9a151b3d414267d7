//! Attempts of one generation: pick a key, call, classify, and on a fault that surely did no work
//! move once to another key or target. Never sends again what may have been billed.

use std::sync::Arc;
use std::time::Instant;

use shared::fault::{Fault, FaultKind, Retry};
use shared::link::{Call, CallerError, FailedTry, Failure};
use tracing::warn;

use super::{Story, millis};
use crate::Gateway;
use crate::pool::Lease;
use crate::providers::{Answer, Refusal, Route};

/// The first attempt and one fail-over.
const ATTEMPTS_MAX: u32 = 2;

/// An attempt that a provider accepted.
pub(super) struct Accepted {
    pub(super) answer: Answer,
    pub(super) story: Story,
    pub(super) lease: Lease,
}

/// Tries targets in order until one accepts.
pub(super) async fn attempts(
    gateway: &Arc<Gateway>,
    call: &Call,
    begun: Instant,
) -> Result<Accepted, Failure> {
    let mut last = no_capacity();
    let mut tried = 0;
    // Stays empty, and costs nothing, when the first one answers.
    let mut failed_tries = Vec::new();
    for target in call.targets.iter() {
        let mut avoid = None;
        while tried < ATTEMPTS_MAX {
            let Some(lease) = gateway.pools.lease(&target.provider, avoid.as_ref()) else {
                break;
            };
            tried += 1;
            let began_ms = millis(begun.elapsed());
            let key = lease.key();
            let route = Route {
                base_url: &lease.provider().base_url,
                key: &key.secret,
                model: &target.model,
            };
            match lease
                .provider()
                .connector
                .call(call, route, gateway.patience)
                .await
            {
                Ok(answer) => {
                    let story = Story {
                        provider: target.provider.clone(),
                        model: target.model.clone(),
                        key_last4: key.last4.clone(),
                        attempts: tried,
                        failed: failed_tries,
                        begun,
                        first_byte_ms: millis(begun.elapsed()).max(1),
                    };
                    return Ok(Accepted {
                        answer,
                        story,
                        lease,
                    });
                }
                Err(Refusal { fault, caller }) => {
                    lease.failed(&fault);
                    warn!(
                        request.id = %call.request, generation.id = %call.generation, provider = target.provider,
                        key.last4 = key.last4, "attempt {tried} of generation `{}` failed: {fault}", call.generation
                    );
                    failed_tries.push(FailedTry {
                        provider: target.provider.clone(),
                        model: target.model.clone(),
                        key_last4: key.last4.clone(),
                        began_ms,
                        duration_ms: millis(begun.elapsed()).saturating_sub(began_ms),
                        fault: fault.word().to_owned(),
                    });
                    let go_on = fault.retry == Retry::OtherKey;
                    last = failed(fault, caller, tried, &target.provider);
                    if !go_on {
                        last.failed = failed_tries;
                        return Err(last);
                    }
                    avoid = Some(key.id.clone());
                }
            }
        }
    }
    last.attempts = tried;
    last.failed = failed_tries;
    Err(last)
}

fn failed(fault: Fault, caller: Option<CallerError>, attempts: u32, provider: &str) -> Failure {
    Failure {
        fault,
        caller,
        attempts,
        failed: Vec::new(),
        provider: Some(provider.to_owned()),
    }
}

fn no_capacity() -> Failure {
    let fault = Fault::new(
        FaultKind::NoCapacity,
        "no target has a provider with a healthy key",
    );
    Failure {
        fault,
        caller: None,
        attempts: 0,
        failed: Vec::new(),
        provider: None,
    }
}
