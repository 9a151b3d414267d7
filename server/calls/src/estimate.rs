//! What a request would cost, and how many tokens its input is, for those who only ask that: nothing is held
//! and nobody is called. Counts as a request by the limits, and as no tokens.

use std::sync::Arc;

use server_rooms::auth::Principal;
use server_rooms::catalogue::price::Tariff;
use shared::clock::Moment;
use shared::credits::Credits;
use shared::dialect::body::Body;
use shared::dialect::{Asked, Head, Output};
use shared::id::PriceId;
use shared::surface::Surface;
use shared::units::{Family, Unit, Usage};

use super::plan::{self, PlanInput};
use super::route::{Asking, RouteWish};
use super::{Admitted, CallError, Calls};

/// A request that is only asked about.
#[derive(Debug)]
pub struct Question {
    /// Who asks.
    pub principal: Arc<Principal>,
    /// On which surface it would come.
    pub surface: &'static Surface,
    /// What of it stands beside its body.
    pub head: Head,
    /// What the tenant would send.
    pub body: Body,
    /// What it would say of where it goes.
    pub route: RouteWish,
}

/// What a call would cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimate {
    /// About the least that an answer can cost: its input as it is estimated, at the price of input that is
    /// in no cache, and one token of each answer. What is bounded by its number, as pictures, counts whole.
    pub lowest: Credits,
    /// The most: what is held for the call, and what it is never charged beyond.
    pub highest: Credits,
    /// The price it is reckoned with; `None` with a test key, whose calls cost nothing.
    pub price: Option<PriceId>,
    /// What can be spent now.
    pub available: Credits,
}

impl Estimate {
    /// Whether what can be spent covers the most.
    pub fn is_covered(&self) -> bool {
        self.highest <= self.available
    }
}

impl Calls {
    /// How many tokens the input of a request is, about.
    pub fn count(&self, admitted: Admitted, question: &Question) -> Result<u64, CallError> {
        // The slot is free at the end, and the request stays counted.
        let _admitted = admitted;
        let counted = self.count_steps(question);
        self.told(counted)
    }

    fn count_steps(&self, question: &Question) -> Result<u64, CallError> {
        let (principal, surface) = (&question.principal, question.surface);
        let asked = surface
            .dialect
            .read_to_count(&question.head, &question.body)?;
        self.model(principal, surface.operation, &asked.model)?;
        Ok(asked.input_estimate)
    }

    /// What a call would cost, reckoned as for its hold.
    pub async fn estimate(
        &self,
        admitted: Admitted,
        question: &Question,
    ) -> Result<Estimate, CallError> {
        let _admitted = admitted;
        let estimated = self.estimate_steps(question).await;
        self.told(estimated)
    }

    async fn estimate_steps(&self, question: &Question) -> Result<Estimate, CallError> {
        let (principal, surface) = (&question.principal, question.surface);
        let asked = surface.dialect.read(&question.head, &question.body)?;
        let at = self.clock.now();
        let asking = Asking {
            principal,
            operation: surface.operation,
            wish: &question.route,
            at,
            seed: 0,
        };
        let (first, others) = self.candidates(asking, &asked.model)?;
        let all = || std::iter::once(&first).chain(&others);
        let model_output_max = super::route::output_max(asked.output, all());
        let (mut lowest, mut highest, mut id) = (Credits::ZERO, Credits::ZERO, None);
        if let Some(price) = &first.price {
            let prices = all().filter_map(|candidate| candidate.price.as_ref());
            let inputs = prices.map(|price| PlanInput {
                asked: &asked,
                model_output_max,
                price: &price.list,
                at,
                multiplier_ppm: principal.price_multiplier_ppm,
            });
            let inputs: Vec<_> = inputs.collect();
            let (input, others) = inputs.split_first().ok_or(CallError::TooLarge)?;
            let plan = plan::dearest(*input, others).ok_or(CallError::TooLarge)?;
            let least = least(&asked, &price.list, (at, input.multiplier_ppm));
            highest = plan.amount;
            lowest = least.unwrap_or(highest).min(highest);
            id = Some(price.id.clone());
        }
        let balance = self.ledger.balance(&principal.tenant).await?;
        Ok(Estimate {
            lowest,
            highest,
            price: id,
            available: balance.available,
        })
    }

    /// Counts a refusal.
    fn told<T>(&self, outcome: Result<T, CallError>) -> Result<T, CallError> {
        if let Err(error) = &outcome {
            self.settler.metrics().refused(error);
        }
        outcome
    }
}

/// What the shortest answer costs.
fn least(asked: &Asked, price: &Tariff, (at, ppm): (Moment, i64)) -> Option<Credits> {
    let output = match asked.output {
        Output::None => 0,
        Output::OfModel | Output::UpTo(_) => asked.answers,
    };
    let mut usage: Usage = asked.bounds.clone();
    let input = asked.input_estimate.min(usage.input_total());
    for unit in Family::Input.units() {
        usage.set(unit, 0);
    }
    usage.set(Unit::InputToken, input);
    usage.set(Unit::OutputToken, output);
    price.charge(&usage, at, ppm)
}
