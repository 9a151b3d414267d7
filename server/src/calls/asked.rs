//! What of a call follows from its request and from what was looked up: its body and bounds, who is counted
//! and charged for it. Waits for nothing.

use bytes::Bytes;
use shared::dialect::{Asked, Output};
use shared::fault::{Fault, FaultKind};
use shared::id::{GenerationId, TenantId};
use shared::link::{Bounds, Failure, LinkError};
use shared::units::{Fact, Unit, Usage};

use super::facts::failure;
use super::finish::CallFacts;
use super::plan;
use super::{Prepared, Request};
use crate::auth::Principal;
use crate::ledger::Spender;

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
    let most = prepared.model.max_output_tokens;
    let bounds = plan::bounds(asked, lowered.unwrap_or(most));
    let own = match asked.output {
        Output::UpTo(own) => own,
        Output::None | Output::OfModel => None,
    };
    match (lowered, own) {
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

/// What a call that makes pictures asks for, as its hold keeps it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ImageWish {
    /// How many.
    pub n: u64,
    /// `1024x1024` and the like.
    pub size: Option<String>,
    /// `low`, `high` and the like.
    pub quality: Option<String>,
}

impl ImageWish {
    /// Of a call; `None` where it makes none.
    fn of(asked: &Asked) -> Option<Self> {
        let n = asked.bounds.count(Unit::Image);
        let word = |fact| asked.bounds.facts.get(fact).map(str::to_owned);
        (n > 0).then(|| Self {
            n,
            size: word(Fact::Size),
            quality: word(Fact::Quality),
        })
    }

    /// Notes what prices may depend on.
    pub(crate) fn note_on(&self, usage: &mut Usage) {
        let words = [(Fact::Size, &self.size), (Fact::Quality, &self.quality)];
        for (fact, word) in words {
            if let Some(word) = word {
                usage.facts.note(fact, word);
            }
        }
    }
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
    CallFacts {
        generation,
        tenant: principal.tenant.clone(),
        user: principal.user.clone(),
        key: principal.key.clone(),
        test: principal.test,
        operation: request.surface.operation,
        model: prepared.model.id.clone(),
        price: prepared.price.clone(),
        multiplier_ppm: principal.price_multiplier_ppm,
        image: ImageWish::of(&prepared.asked),
        provider: prepared
            .targets
            .first()
            .map(|t| t.provider.clone())
            .unwrap_or_default(),
        request: Some(request.request.clone()),
        gateways: Vec::new(),
        created_at: now,
    }
}
