//! Attempts of one generation: pick a key, call, classify, and on a fault that surely did no work go on
//! to another key and then to the next target. Never sends again what may have been billed.

use std::time::Instant;

use shared::fault::{Fault, FaultKind, Retry, Scope};
use shared::id::ProviderKeyId;
use shared::link::{Call, CallerError, FailedTry, Failure, Target};
use tracing::warn;

use super::{AttemptTrail, GenerationContext, failure, millis};
use crate::keys;
use crate::pool::health::Asker;
use crate::pool::{Idle, Lease};
use crate::providers::{Answer, Refusal};

/// Keys of one target that are tried: a pool that is out of order must not starve the next target.
const TRIES_PER_TARGET: usize = 2;
/// Provider calls of one generation, whatever its targets.
const TRIES_MAX: u32 = 8;
/// The part of a call's time in which another try begins: what is left must be worth it.
const TRY_PART: u32 = 2;

/// An attempt that a provider accepted.
pub(super) struct Accepted {
    pub(super) answer: Answer,
    pub(super) trail: AttemptTrail,
    pub(super) lease: Lease,
}

/// Tries targets in order until one accepts; then those that only rest, because trying beats refusing.
pub(super) async fn attempts(
    context: &GenerationContext,
    call: &Call,
    begun: Instant,
) -> Result<Accepted, Failure> {
    let mut so_far = AttemptsSoFar::new(begun);
    let mut untried: Vec<usize> = Vec::new();
    let last = call.targets.len().saturating_sub(1);
    for (at, target) in call.targets.iter().enumerate() {
        let tries = Tries {
            context,
            call,
            target,
            is_last: at == last,
            is_last_resort: false,
        };
        let before = so_far.tried;
        if let Some(accepted) = tries.run(&mut so_far).await? {
            return Ok(accepted);
        }
        if so_far.tried == before {
            untried.push(at);
        }
    }
    for at in untried {
        let tries = Tries {
            context,
            call,
            target: &call.targets[at],
            is_last: true,
            is_last_resort: true,
        };
        if let Some(accepted) = tries.run(&mut so_far).await? {
            return Ok(accepted);
        }
    }
    Err(so_far.last())
}

/// What was tried so far.
struct AttemptsSoFar {
    begun: Instant,
    tried: u32,
    /// Stays empty, and costs nothing, when the first one answers.
    failed: Vec<FailedTry>,
    /// The failure that tells the tenant most.
    told: Option<Failure>,
}

/// The tries at one target.
struct Tries<'a> {
    context: &'a GenerationContext,
    call: &'a Call,
    target: &'a Target,
    /// No other target follows.
    is_last: bool,
    is_last_resort: bool,
}

impl Tries<'_> {
    /// Accepted, or nothing when the next target is to be tried; an error ends the call.
    async fn run(&self, so_far: &mut AttemptsSoFar) -> Result<Option<Accepted>, Failure> {
        // Both stay empty, and cost nothing, when the first key answers.
        let mut tried: Vec<ProviderKeyId> = Vec::new();
        // Faults that may be the body's: what the next key says decides.
        let mut open: Vec<(Lease, Fault)> = Vec::new();
        while tried.len() < TRIES_PER_TARGET && so_far.may_go_on(self.call) {
            let asker = Asker {
                caller: self.call.caller,
                model: &self.target.model,
                is_last_resort: self.is_last_resort,
            };
            let pools = &self.context.pools;
            let lease = match pools.lease(&self.target.provider, asker, &tried) {
                Ok(lease) => lease,
                Err(idle) => {
                    so_far.idle(idle, self.target);
                    break;
                }
            };
            so_far.tried += 1;
            let began_ms = millis(so_far.begun.elapsed());
            let route = lease.provider().route(lease.key(), &self.target.model);
            let connector = lease.provider().connector;
            let Refusal { fault, caller } = match connector
                .call(self.call, route, self.context.patience)
                .await
            {
                Ok(answer) => {
                    lease.answered();
                    // The same body was good here, so it was the key.
                    settle(open);
                    let trail = self.trail(so_far, &lease);
                    return Ok(Some(Accepted {
                        answer,
                        trail,
                        lease,
                    }));
                }
                Err(refusal) => refusal,
            };
            self.note(so_far, &lease, &fault, began_ms);
            let goes_on = fault.retry == Retry::OtherKey;
            // Another key of a host that does not answer is no better.
            let is_dead = fault.kind == FaultKind::Unreachable && !self.is_last;
            tried.push(lease.key().id.clone());
            so_far.fail(fault.clone(), caller, self.target);
            self.charge(&mut open, lease, fault);
            if !goes_on {
                settle(open);
                return Err(so_far.last());
            }
            if is_dead {
                break;
            }
        }
        settle(open);
        Ok(None)
    }

    /// Whose a fault is: its key's, unless the same body brought the same at the key before.
    fn charge(&self, open: &mut Vec<(Lease, Fault)>, lease: Lease, fault: Fault) {
        if fault.kind == FaultKind::InvalidKey {
            keys::doubt(&self.context.pools, &self.context.supervisor, &lease);
        }
        if fault.upstream_status.is_some() {
            lease.answered();
        }
        let is_open = matches!(
            fault.kind,
            FaultKind::InvalidKey | FaultKind::QuotaExhausted
        ) && fault.scope != Scope::Request;
        if !is_open {
            lease.failed(&fault);
            return;
        }
        open.push((lease, fault));
        let same = |(_, other): &(Lease, Fault)| {
            open[0].1.kind == other.kind && open[0].1.detail == other.detail
        };
        if open.len() > 1 && open.iter().all(same) {
            for (lease, fault) in open.drain(..) {
                lease.suspected(&fault);
            }
        }
    }

    fn note(&self, so_far: &mut AttemptsSoFar, lease: &Lease, fault: &Fault, began_ms: u64) {
        let (call, key) = (self.call, lease.key());
        warn!(
            request.id = %call.request, generation.id = %call.generation,
            provider = self.target.provider, key.last4 = key.last4,
            "attempt {} of generation `{}` failed: {fault}", so_far.tried, call.generation
        );
        so_far.failed.push(FailedTry {
            provider: self.target.provider.clone(),
            model: self.target.model.clone(),
            key_last4: key.last4.clone(),
            began_ms,
            duration_ms: millis(so_far.begun.elapsed()).saturating_sub(began_ms),
            fault: fault.word().to_owned(),
        });
    }

    fn trail(&self, so_far: &mut AttemptsSoFar, lease: &Lease) -> AttemptTrail {
        AttemptTrail {
            provider: self.target.provider.clone(),
            model: self.target.model.clone(),
            key_last4: lease.key().last4.clone(),
            attempts: so_far.tried,
            failed: std::mem::take(&mut so_far.failed),
            begun: so_far.begun,
            first_byte_ms: millis(so_far.begun.elapsed()).max(1),
        }
    }
}

/// No other key said otherwise.
fn settle(open: Vec<(Lease, Fault)>) {
    for (lease, fault) in open {
        lease.failed(&fault);
    }
}

/// Which of several failures a tenant is told: what waiting may cure first, then what says a reason.
fn weight(fault: &Fault) -> u8 {
    match fault.kind {
        FaultKind::RateLimited => 6,
        FaultKind::Overloaded => 5,
        FaultKind::Unreachable => 4,
        FaultKind::BadRequest | FaultKind::ContentPolicy => 3,
        FaultKind::QuotaExhausted | FaultKind::InvalidKey => 2,
        FaultKind::NotFound => 1,
        FaultKind::NoCapacity
        | FaultKind::Timeout
        | FaultKind::Interrupted
        | FaultKind::InvalidAnswer
        | FaultKind::Canceled
        | FaultKind::Internal => 0,
    }
}

impl AttemptsSoFar {
    fn new(begun: Instant) -> Self {
        Self {
            begun,
            tried: 0,
            failed: Vec::new(),
            told: None,
        }
    }

    fn may_go_on(&self, call: &Call) -> bool {
        let is_early = || self.begun.elapsed() < call.deadline / TRY_PART;
        self.tried == 0 || (self.tried < TRIES_MAX && is_early())
    }

    fn fail(&mut self, fault: Fault, caller: Option<CallerError>, target: &Target) {
        let is_final = fault.retry == Retry::No;
        let key = |fault: &Fault| {
            // Of two waits the shorter one is told.
            let wait = fault
                .retry_after_ms
                .filter(|_| fault.kind == FaultKind::RateLimited);
            (weight(fault), std::cmp::Reverse(wait))
        };
        let is_weightier = |told: &Failure| key(&fault) >= key(&told.fault);
        if is_final || self.told.as_ref().is_none_or(is_weightier) {
            self.told = Some(Failure {
                caller,
                provider: Some(target.provider.clone()),
                ..failure(fault, 0)
            });
        }
    }

    /// A target that has no key now.
    fn idle(&mut self, idle: Idle, target: &Target) {
        let fault = match idle {
            Idle::NoKey => return,
            Idle::Down => Fault::new(FaultKind::Unreachable, "the host does not answer"),
            Idle::Rests { wait_ms, kind } => {
                let is_told = matches!(kind, FaultKind::RateLimited | FaultKind::Overloaded);
                let kind = if is_told { kind } else { FaultKind::NoCapacity };
                let mut fault = Fault::new(kind, "every key rests");
                fault.retry = Retry::OtherKey;
                fault.retry_after_ms = Some(wait_ms);
                fault
            }
        };
        self.fail(fault, None, target);
    }

    /// The failure that ends the call.
    fn last(&mut self) -> Failure {
        let mut failure = self.told.take().unwrap_or_else(no_capacity);
        failure.attempts = self.tried;
        failure.failed = std::mem::take(&mut self.failed);
        failure
    }
}

fn no_capacity() -> Failure {
    let fault = Fault::new(
        FaultKind::NoCapacity,
        "no target has a provider with a healthy key",
    );
    failure(fault, 0)
}
