//! Attempts of one generation: pick a key, call, classify, and on a fault that surely did no work go on
//! to another key and then to the next target. Never sends again what may have been billed.

mod waiting;

use std::sync::Arc;
use std::time::{Duration, Instant};

use shared::clock::{Clock, Moment};
use shared::fault::{Fault, FaultKind, Retry, Scope};
use shared::id::ProviderKeyId;
use shared::link::trail::NextStep;
use shared::link::{Call, CallerError, FailedTry, Failure, Target};
use shared::supervisor::Supervisor;
use tracing::warn;

use self::waiting::FullTarget;
use super::{AttemptTrail, failure, millis};
use crate::keys;
use crate::pool::ask::{self, Size};
use crate::pool::health::Asker;
use crate::pool::{Idle, Lease, Pools, Took};
use crate::providers::files::Files;
use crate::providers::{Answer, AnswerBody, Patience, Refusal, Route};

/// Keys of one target that are tried: a pool that is out of order must not starve the next target.
const TRIES_PER_TARGET: usize = 3;
/// Connections to one target that may fail.
const UNREACHABLE_MAX: usize = 2;
/// Provider calls of one generation: from then on each target that is left has one.
const TRIES_MAX: u32 = 8;
/// The part of a call's time in which another try at the same target begins: what is left must be worth
/// it.
const TRY_PART: u32 = 2;
/// A target that was not tried yet is worth less: its first try begins up to the last quarter.
const FIRST_TRY_PART: u32 = 4;
/// Bytes of a whole answer for a token, for want of a better count.
const TOKEN_BYTES: u64 = 4;

/// What attempts are made with.
#[derive(Clone, Copy)]
pub(super) struct Means<'a> {
    pub(super) pools: &'a Arc<Pools>,
    pub(super) supervisor: &'a Supervisor,
    pub(super) patience: Patience,
    /// Fetches what tenants give by address.
    pub(super) files: Option<&'a Files>,
}

/// An attempt that a provider accepted.
pub(super) struct Accepted {
    pub(super) answer: Answer,
    pub(super) trail: AttemptTrail,
    pub(super) lease: Lease,
}

/// Tries targets in order until one accepts; then those that only rest, because trying beats refusing.
pub(super) async fn attempts(
    means: Means<'_>,
    call: &Call,
    begun: Instant,
) -> Result<Accepted, Failure> {
    let names = call.targets.iter().map(|target| target.provider.as_str());
    let has_choice = means.pools.has_choice(names);
    let affinity = has_choice.then(|| ask::affinity(call)).flatten();
    let mut so_far = AttemptsSoFar::new(begun, means.pools, Size::of(call));
    let mut untried: Vec<usize> = Vec::new();
    let mut full: Option<FullTarget> = None;
    let last = call.targets.len().saturating_sub(1);
    let at_target = |at: usize| Tries {
        means,
        call,
        affinity,
        target: &call.targets[at],
        is_last: at == last,
        is_last_resort: false,
    };
    for at in 0..call.targets.len() {
        let before = so_far.tried;
        if let Some(accepted) = at_target(at).run(&mut so_far).await? {
            return Ok(accepted);
        }
        // Also where something was tried there: it is not the next target's.
        let full_for = so_far.full_for.take();
        if so_far.tried == before {
            untried.push(at);
            if let Some(wait_ms) = full_for {
                full = Some(FullTarget { at, wait_ms }.sooner(full));
            }
        }
    }
    // Nobody takes it now: one that will soon have room is better than one that is not well.
    if let Some(full) = full {
        let before = so_far.tried;
        let tries = Tries {
            is_last: true,
            ..at_target(full.at)
        };
        if let Some(accepted) = tries.run_when_free(full, &mut so_far).await? {
            return Ok(accepted);
        }
        untried.retain(|at| so_far.tried == before || *at != full.at);
    }
    for at in untried {
        let tries = Tries {
            is_last: true,
            is_last_resort: true,
            ..at_target(at)
        };
        if let Some(accepted) = tries.run(&mut so_far).await? {
            return Ok(accepted);
        }
    }
    Err(so_far.last())
}

/// How far the try before came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LastTry {
    /// There was none, or nothing was sent.
    NotSent,
    Answered,
    Unanswered,
}

/// What was tried so far.
struct AttemptsSoFar {
    begun: Instant,
    /// The same by the clock that keys rest by.
    clock: Clock,
    began: Moment,
    size: Size,
    tried: u32,
    last_try: LastTry,
    /// Stays empty, and costs nothing, when the first one answers.
    failed: Vec<FailedTry>,
    /// The failure that tells the tenant most.
    told: Option<Failure>,
    /// In how many milliseconds the target that was looked at last probably has room, where it is only
    /// full.
    full_for: Option<u64>,
}

/// The tries at one target.
struct Tries<'a> {
    means: Means<'a>,
    call: &'a Call,
    affinity: Option<u64>,
    target: &'a Target,
    /// No other target follows.
    is_last: bool,
    is_last_resort: bool,
}

impl Tries<'_> {
    /// Accepted, or nothing when the next target is to be tried; an error ends the call.
    async fn run(&self, so_far: &mut AttemptsSoFar) -> Result<Option<Accepted>, Failure> {
        self.run_with(None, so_far).await
    }

    /// The same, where a key for the first try is there already.
    async fn run_with(
        &self,
        mut first: Option<Lease>,
        so_far: &mut AttemptsSoFar,
    ) -> Result<Option<Accepted>, Failure> {
        // Both stay empty, and cost nothing, when the first key answers.
        let mut tried: Vec<ProviderKeyId> = Vec::new();
        // Faults that may be the body's: what the next key says decides.
        let mut open: Vec<(Lease, Fault)> = Vec::new();
        let mut unreachable = 0;
        loop {
            if tried.len() >= TRIES_PER_TARGET {
                so_far.goes_on(NextStep::TriesUsed, &tried);
                break;
            }
            if first.is_none() && !so_far.may_go_on(self.call, tried.is_empty()) {
                so_far.goes_on(NextStep::TimeUsed, &tried);
                break;
            }
            let lease = match self.lease(first.take(), so_far, &tried).await {
                Ok(lease) => lease,
                Err(why) => {
                    so_far.goes_on(why, &tried);
                    break;
                }
            };
            so_far.goes_on(NextStep::OtherKey, &tried);
            so_far.tried += 1;
            let began_ms = millis(so_far.elapsed());
            let connector = lease.provider().connector;
            let route = Route {
                files: self.means.files,
                ..lease.route()
            };
            let outcome = connector.call(self.call, route, self.means.patience).await;
            let Refusal { fault, caller } = match outcome {
                Ok(answer) => {
                    lease.accepted(took(&lease, &answer, so_far.elapsed(), began_ms));
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
            unreachable += usize::from(fault.kind == FaultKind::Unreachable);
            // Another key of a host that does not answer is no better.
            let may_be_chance = self.is_last && !self.is_last_resort;
            let is_dead = unreachable >= if may_be_chance { UNREACHABLE_MAX } else { 1 };
            // What can't be said to a vendor no other key of it understands.
            let is_unsaid = fault.kind == FaultKind::BadRequest && fault.upstream_status.is_none();
            tried.push(lease.key().id.clone());
            so_far.fail(fault.clone(), caller, self.target);
            self.charge(&mut open, lease, fault);
            if !goes_on {
                so_far.goes_on(NextStep::Final, &tried);
                settle(open);
                return Err(so_far.last());
            }
            if is_dead || is_unsaid {
                let why = if is_dead {
                    NextStep::HostDown
                } else {
                    NextStep::CannotSay
                };
                so_far.goes_on(why, &tried);
                break;
            }
        }
        settle(open);
        Ok(None)
    }

    fn asker(&self, so_far: &AttemptsSoFar) -> Asker<'_> {
        Asker {
            caller: self.call.caller,
            model: &self.target.model,
            is_last_resort: self.is_last_resort,
            size: so_far.size,
            affinity: self.affinity,
        }
    }

    /// A key for the next try, which is `given` or chosen now, where there is one and a try again is not
    /// too much; else why not.
    async fn lease(
        &self,
        given: Option<Lease>,
        so_far: &mut AttemptsSoFar,
        tried: &[ProviderKeyId],
    ) -> Result<Lease, NextStep> {
        if let Some(lease) = given {
            return Ok(lease);
        }
        let asker = self.asker(so_far);
        let pools = self.means.pools;
        let lease = match pools.lease_joint(&self.target.provider, asker, tried).await {
            Ok(lease) => lease,
            Err(idle) => {
                so_far.idle(idle, self.target);
                return Err(match idle {
                    Idle::NoKey => NextStep::NoOtherKey,
                    Idle::Down => NextStep::HostDown,
                    Idle::Full { .. } | Idle::Rests { .. } => NextStep::KeysRest,
                });
            }
        };
        // The first try of each target is free while its provider is taken for well, and so is one where
        // nothing was sent before.
        let is_paid = match so_far.last_try {
            _ if self.is_last_resort && so_far.tried > 0 => lease.pay_again(true),
            _ if tried.is_empty() => true,
            LastTry::NotSent => true,
            LastTry::Answered => lease.pay_again(true),
            LastTry::Unanswered => lease.pay_again(false),
        };
        if !is_paid {
            lease.never_sent();
            return Err(NextStep::RetriesUsed);
        }
        Ok(lease)
    }

    /// Whose a fault is: its key's, unless the same body brought the same at the key before.
    fn charge(&self, open: &mut Vec<(Lease, Fault)>, lease: Lease, fault: Fault) {
        if fault.kind == FaultKind::InvalidKey {
            keys::doubt(self.means.pools, self.means.supervisor, &lease);
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
        so_far.last_try = match (fault.kind, fault.upstream_status) {
            (FaultKind::Unreachable, _) => LastTry::NotSent,
            (_, Some(_)) => LastTry::Answered,
            (_, None) => LastTry::Unanswered,
        };
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
            duration_ms: millis(so_far.elapsed()).saturating_sub(began_ms),
            fault: fault.word().to_owned(),
            status: fault.upstream_status,
            next: None,
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
            first_byte_ms: millis(so_far.elapsed()).max(1),
            answers: {
                let name = self.target.answers.as_ref();
                let name = name.or(self.call.answer_model.as_ref());
                name.map(|name| Arc::from(name.as_str()))
            },
        }
    }
}

/// How long an answer was waited for, and what of it was there then.
fn took(lease: &Lease, answer: &Answer, elapsed: Duration, began_ms: u64) -> Took {
    let output = match &answer.body {
        AnswerBody::Whole(bytes) => u64::try_from(bytes.len()).unwrap_or(0) / TOKEN_BYTES,
        AnswerBody::Stream(_) => 0,
    };
    Took {
        span: elapsed.saturating_sub(Duration::from_millis(began_ms)),
        input: lease.input(),
        output,
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
        FaultKind::BadRequest | FaultKind::ContentPolicy | FaultKind::EndUserBlocked => 3,
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
    fn new(begun: Instant, pools: &Pools, size: Size) -> Self {
        Self {
            begun,
            clock: pools.clock(),
            began: pools.now(),
            size,
            tried: 0,
            last_try: LastTry::NotSent,
            failed: Vec::new(),
            told: None,
            full_for: None,
        }
    }

    fn elapsed(&self) -> Duration {
        self.clock.now().since(self.began)
    }

    /// Says of the last of the tries at a target, if there was one, why it went on as it did.
    fn goes_on(&mut self, why: NextStep, tried: &[ProviderKeyId]) {
        if tried.is_empty() {
            return;
        }
        if let Some(last) = self.failed.last_mut() {
            last.next = Some(why.word().to_owned());
        }
    }

    /// Whether there is time for another try, which is the first one of its target or not.
    fn may_go_on(&self, call: &Call, is_first: bool) -> bool {
        if self.tried == 0 {
            return true;
        }
        let elapsed = self.elapsed();
        if is_first {
            elapsed < call.deadline.saturating_sub(call.deadline / FIRST_TRY_PART)
        } else {
            self.tried < TRIES_MAX && elapsed < call.deadline / TRY_PART
        }
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
        let full = |wait_ms: u64| {
            let mut fault = Fault::new(FaultKind::RateLimited, "every key is full");
            fault.retry = Retry::OtherKey;
            fault.retry_after_ms = Some(wait_ms.max(1));
            fault
        };
        let fault = match idle {
            Idle::NoKey => return,
            Idle::Full { wait_ms, .. } => {
                self.full_for = Some(wait_ms);
                full(wait_ms)
            }
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

#[cfg(test)]
mod simulation;
