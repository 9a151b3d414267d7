//! What of a call follows from its request and from what was looked up: its body and bounds, who is counted
//! and charged for it. Waits for nothing.

use bytes::Bytes;
use server_rooms::auth::Principal;
use server_rooms::ledger::{CallSnapshot, Spender};
use shared::dialect::{Asked, Output};
use shared::fault::{Fault, FaultKind};
use shared::id::{GenerationId, TenantId};
use shared::link::{Bounds, Failure, LinkError};
use shared::units::{Fact, Unit, Usage};

use super::facts::failure;
use super::plan;
use super::settle::CallFacts;
use super::{Prepared, Request};

/// Output tokens a call is counted with by the limits before its real usage is known.
const OUTPUT_TOKENS_GUESS: u64 = 512;

/// The body with one maximum, the lowered one where it was, and what the call can bring with it.
pub(super) fn bounded(
    request: &Request,
    prepared: &Prepared,
    body: Bytes,
    lowered: Option<u64>,
) -> (Bytes, Option<u64>, Option<Bounds>) {
    let asked = &prepared.asked;
    let dialect = request.surface.dialect;
    let most = prepared.max_output_tokens;
    let bounds = plan::bounds(asked, lowered.unwrap_or(most));
    let own = match asked.output {
        Output::UpTo(own) => own,
        Output::None | Output::OfModel => None,
    };
    let all = std::iter::once(&prepared.first).chain(&prepared.others);
    let writes = all.map(|candidate| candidate.model.max_output_tokens).max();
    let may_pass = writes.is_some_and(|writes| writes > most);
    match (lowered, own) {
        // One of the models would write more than the least of them, which is held for.
        (None, None) if may_pass && matches!(asked.output, Output::UpTo(_)) => {
            (dialect.with_maximum(&body, asked, most), Some(most), bounds)
        }
        (None, Some(own)) if own > most => {
            (dialect.with_maximum(&body, asked, most), Some(most), bounds)
        }
        (None, Some(own)) if asked.maxima.are_several() => {
            (dialect.with_maximum(&body, asked, own), None, bounds)
        }
        _ => (body, lowered, bounds),
    }
}

/// The tokens a call is counted with by the limits until its real usage is known.
pub(super) fn estimated_tokens(prepared: &Prepared) -> u64 {
    let asked = &prepared.asked;
    let output = match asked.output {
        Output::None => 0,
        Output::OfModel | Output::UpTo(None) => OUTPUT_TOKENS_GUESS,
        Output::UpTo(Some(max)) => max.min(OUTPUT_TOKENS_GUESS),
    };
    asked.input_estimate.saturating_add(output)
}

/// What is billed at most whatever is made, by the facts of what was asked for: pictures.
fn billed_at_most(asked: &Asked) -> Usage {
    let pictures = asked.bounds.count(Unit::Image);
    let mut most = Usage::of([(Unit::Image, pictures)]);
    let words = [Fact::Size, Fact::Quality].map(|fact| (fact, asked.bounds.facts.get(fact)));
    for (fact, word) in words.into_iter().filter(|_| pictures > 0) {
        if let Some(word) = word {
            most.facts.note(fact, word);
        }
    }
    most
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
pub fn caller_number(tenant: &TenantId) -> u64 {
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
    let first = &prepared.first;
    let target = first.targets.first();
    CallFacts {
        generation,
        tenant: principal.tenant.clone(),
        test: principal.test,
        price: first.price.clone(),
        others: (prepared.others.iter())
            .filter_map(|other| other.price.clone())
            .collect(),
        created_at: now,
        end_user: Some(prepared.end_user.clone()),
        snapshot: CallSnapshot {
            user: principal.user.clone(),
            key: principal.key.clone(),
            operation: request.surface.operation,
            model: first.model.id.clone(),
            price: first.price.as_ref().map(|price| price.id.clone()),
            multiplier_ppm: principal.price_multiplier_ppm,
            asked: billed_at_most(&prepared.asked),
            provider: target.map(|t| t.provider.clone()).unwrap_or_default(),
            request: Some(request.request.clone()),
            gateways: Vec::new(),
            route: prepared.note.clone(),
            detached: false,
            ended: None,
        },
    }
}
