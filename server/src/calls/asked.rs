//! What of a call follows from its request and from what was looked up: its body and bounds, who is counted
//! and charged for it. Waits for nothing.

use bytes::Bytes;
use shared::fault::{Fault, FaultKind};
use shared::id::{GenerationId, TenantId};
use shared::link::{Bounds, Failure, LinkError, Operation};

use super::facts::failure;
use super::peek::ImageWish;
use super::plan::{self, BoundsAsk};
use super::settle::CallFacts;
use super::{Prepared, Request, peek};
use crate::auth::Principal;
use crate::ledger::{CallSnapshot, Spender};

/// Output tokens a call is counted with by the limits before its real usage is known.
const OUTPUT_TOKENS_GUESS: u64 = 512;

/// The body with one maximum, the lowered one where it was, and what the call can bring with it.
pub(super) fn bounded(
    request: &Request,
    prepared: &Prepared,
    body: Bytes,
    lowered: Option<u64>,
) -> (Bytes, Option<u64>, Option<Bounds>) {
    let peek = &prepared.peek;
    let most = prepared.model.max_output_tokens;
    let bounds = plan::bounds(BoundsAsk {
        operation: request.operation,
        peek,
        body_bytes: request.body.len(),
        output_max: lowered.unwrap_or(most),
    });
    let asked = peek
        .max_output
        .filter(|_| request.operation == Operation::Chat);
    match (lowered, asked) {
        (None, Some(asked)) if asked > most => {
            (peek::with_max_output(&body, most), Some(most), bounds)
        }
        (None, Some(asked)) if peek.gives_two_maxima => {
            (peek::with_max_output(&body, asked), None, bounds)
        }
        _ => (body, lowered, bounds),
    }
}

/// The tokens a call is counted with by the limits until its real usage is known.
pub(super) fn estimated_tokens(prepared: &Prepared) -> u64 {
    let input = prepared.peek.input.estimate();
    let output = prepared
        .peek
        .max_output
        .map_or(OUTPUT_TOKENS_GUESS, |max| max.min(OUTPUT_TOKENS_GUESS));
    input.saturating_add(output)
}

pub(super) fn unreachable(error: &LinkError) -> Failure {
    failure(Fault::new(FaultKind::Unreachable, error.to_string()))
}

/// Spreads calls over targets of the same priority; any even function of the id will do.
pub(super) fn seed(generation: &GenerationId) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    generation.hash(&mut hasher);
    hasher.finish()
}

/// Tells gateways which calls are of one tenant, without telling of which.
pub(super) fn caller_number(tenant: &TenantId) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    tenant.hash(&mut hasher);
    // Zero says that it is not known.
    hasher.finish().max(1)
}

/// Whose budgets a call counts against.
pub(super) fn spenders(principal: &Principal) -> Vec<Spender> {
    let key = principal.key.clone().map(Spender::Key);
    let user = principal.user.clone().map(Spender::User);
    let parent = principal.parent.as_ref();
    let parent = parent.map(|parent| Spender::Key(parent.key.clone()));
    key.into_iter().chain(user).chain(parent).collect()
}

pub(super) fn facts(
    request: &Request,
    prepared: &Prepared,
    generation: GenerationId,
    now: shared::clock::Moment,
) -> CallFacts {
    let principal = &request.principal;
    let target = prepared.targets.first();
    CallFacts {
        generation,
        tenant: principal.tenant.clone(),
        test: principal.test,
        price: prepared.price.clone(),
        created_at: now,
        snapshot: CallSnapshot {
            user: principal.user.clone(),
            key: principal.key.clone(),
            operation: request.operation,
            model: prepared.model.id.clone(),
            price: prepared.price.as_ref().map(|price| price.id.clone()),
            multiplier_ppm: principal.price_multiplier_ppm,
            asked: prepared
                .peek
                .image
                .as_ref()
                .map(ImageWish::asked)
                .unwrap_or_default(),
            provider: target.map(|t| t.provider.clone()).unwrap_or_default(),
            request: Some(request.request.clone()),
            gateways: Vec::new(),
        },
    }
}
