//! What must be known to price and record a call after its end, and the record that comes of it.
//! Charges nothing; `settle` does.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use server_rooms::catalogue::price::Price;
use server_rooms::end_users::EndUser;
use server_rooms::ledger::{CallSnapshot, Loss, OtherModel, StoredSnapshot};
use server_rules::billing::{UNKNOWN, billed, is_free};
use server_store::usage::{Try, UsageRecord, UsageStatus};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::fault::{Fault, FaultKind};
use shared::id::{GenerationId, TenantId};
use shared::link::trail::NextStep;
use shared::link::{FailedTry, Failure, Outcome};
use shared::units::Usage;
use tracing::error;

/// What must be known to price and record a call after its end.
#[derive(Debug, Clone)]
pub struct CallFacts {
    /// The call.
    pub generation: GenerationId,
    /// Who pays.
    pub tenant: TenantId,
    /// With a `wk_test_` key.
    pub test: bool,
    /// The price of the moment it came; `None` for test calls.
    pub price: Option<Price>,
    /// Those of the other models that may serve it.
    pub others: Vec<Price>,
    /// When it came.
    pub created_at: Moment,
    /// Whose question it is; not known any more after a restart.
    pub end_user: Option<Arc<EndUser>>,
    /// The rest, as its hold keeps it.
    pub snapshot: CallSnapshot,
}

/// What is to be paid for an answer that is kept: it is written together with the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The call's hold.
    pub hold: GenerationId,
    /// What the hold keeps of its call from now on.
    pub call: StoredSnapshot,
}

/// What a call comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Charge {
    /// What the tenant pays, before the ledger looks at the hold.
    pub(crate) credits: Credits,
    /// What the provider takes; `None` where that is not known.
    pub(crate) cost: Option<Credits>,
    /// What was produced, and is not charged because it was not taken.
    pub(crate) not_taken: Credits,
    /// Measures that had no rate and were charged at the dearest of their family.
    pub(crate) unpriced: usize,
}

impl Charge {
    /// Of a call that came to nothing: no provider takes anything for it either.
    const NOTHING: Self = Self {
        credits: Credits::ZERO,
        cost: Some(Credits::ZERO),
        not_taken: Credits::ZERO,
        unpriced: 0,
    };
    /// Of a call that nobody knows the end of, and so what the provider takes for it.
    const UNKNOWN: Self = Self {
        cost: None,
        ..Self::NOTHING
    };
}

/// How a call ended, and what of it reached the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ended {
    /// What is recorded; its usage is charged.
    pub(crate) outcome: Outcome,
    /// Whether that is all that was produced.
    #[serde(default)]
    pub(crate) got: Got,
}

/// How much of what was produced reached the tenant's side.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Got {
    /// All that the outcome counts.
    #[default]
    All,
    /// All that the outcome counts, of so much.
    PartOf(Usage),
    /// Nothing, and the tenant was told that nothing is charged.
    Nothing,
}

impl From<Outcome> for Ended {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            got: Got::All,
        }
    }
}

impl Ended {
    /// Of a call whose server died: the tenant pays what its side had taken, which the gateway knows
    /// where that was not all.
    pub(crate) fn as_taken(mut outcome: Outcome) -> Self {
        let Some(taken) = outcome.taken.take() else {
            return outcome.into();
        };
        let produced = std::mem::replace(&mut outcome.usage, taken);
        let why = "the server ended before the answer was taken whole";
        outcome
            .fault
            .get_or_insert_with(|| Fault::new(FaultKind::Interrupted, why));
        Self {
            outcome,
            got: Got::PartOf(produced),
        }
    }

    /// Of a call whose tenant was told that it failed, whatever the provider made of it.
    pub(crate) fn as_not_delivered(mut outcome: Outcome) -> Self {
        let why = "the link broke before the answer was delivered";
        outcome
            .fault
            .get_or_insert_with(|| Fault::new(FaultKind::Interrupted, why));
        Self {
            outcome,
            got: Got::Nothing,
        }
    }
}

/// How a call ended, priced: reckoned once, and carried by all attempts to write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reckoned {
    /// What it comes to.
    pub(crate) charge: Charge,
    /// With the measures and facts that are billed, before the ledger looks at the hold.
    pub(crate) record: UsageRecord,
}

impl CallFacts {
    /// What is to be paid where the call ended so; nothing is held for one with a test key.
    pub(crate) fn due(&self, outcome: &Outcome) -> Option<Due> {
        if self.test {
            return None;
        }
        let ended = serde_json::to_string(&Ended::from(outcome.clone())).ok()?;
        let snapshot = CallSnapshot {
            ended: Some(ended.into()),
            ..self.snapshot.clone()
        };
        Some(Due {
            hold: self.generation.clone(),
            call: StoredSnapshot::from(&snapshot),
        })
    }

    /// How it ended, where its answer was kept with that.
    pub(crate) fn kept_end(&self) -> Option<Ended> {
        serde_json::from_str(self.snapshot.ended.as_deref()?).ok()
    }

    /// What the tenant pays and what the provider takes, and the record of it. For a call of which the
    /// tenant got nothing the ledger, which knows of the promise, makes the charge a loss.
    pub(crate) fn reckon(&self, ended: &Ended) -> Reckoned {
        let asked = &self.snapshot.asked;
        let billed_usage = billed(asked, &ended.outcome.usage);
        let charge = match &ended.got {
            Got::All | Got::Nothing => self.charge(ended, &billed_usage, &billed_usage),
            Got::PartOf(produced) => self.charge(ended, &billed_usage, &billed(asked, produced)),
        };
        let record = self.record(&ended.outcome, billed_usage, charge);
        Reckoned { charge, record }
    }

    /// The model that served a call, and what it costs.
    fn served(&self, outcome: &Outcome) -> (&str, Option<&Price>) {
        let route = self.snapshot.route.as_ref();
        let other = route.and_then(|route| {
            let runs_there = |(provider, model): &(String, String)| {
                *provider == outcome.provider && *model == outcome.model
            };
            let mut others = route.others.iter();
            others.find(|other| other.targets.iter().any(runs_there))
        });
        let price = |other: &OtherModel| self.others.iter().find(|price| price.id == other.price);
        match other.and_then(|other| Some((other, price(other)?))) {
            Some((other, price)) => (&other.model, Some(price)),
            None => (&self.snapshot.model, self.price.as_ref()),
        }
    }

    /// What is billed comes to so much, of what was produced.
    fn charge(&self, ended: &Ended, billed: &Usage, produced: &Usage) -> Charge {
        let (_, Some(price)) = self.served(&ended.outcome) else {
            return Charge::NOTHING;
        };
        let (list, at) = (&price.list, self.created_at);
        let priced = |usage: &Usage| {
            let charge = list.charge_and_unpriced(usage, at, self.snapshot.multiplier_ppm);
            charge.unwrap_or_else(|| {
                error!(generation.id = %self.generation, "the usage of `{}` does not fit a price", self.generation);
                (Credits::ZERO, 0)
            })
        };
        let free = is_free(ended.outcome.fault.is_some(), billed);
        let nothing_made = match &ended.got {
            Got::All => free,
            Got::PartOf(_) | Got::Nothing => produced.is_nothing(),
        };
        if nothing_made {
            return Charge::NOTHING;
        }
        let (whole, unpriced) = priced(produced);
        let credits = match ended.got {
            Got::All | Got::Nothing => whole,
            Got::PartOf(_) if free => Credits::ZERO,
            Got::PartOf(_) => priced(billed).0.min(whole),
        };
        Charge {
            credits,
            cost: list.cost(produced, at),
            not_taken: Credits::from_micros(whole.micros().saturating_sub(credits.micros())),
            unpriced,
        }
    }

    fn record(&self, outcome: &Outcome, usage: Usage, charge: Charge) -> UsageRecord {
        let status = match outcome.fault.as_ref().map(|fault| fault.kind) {
            None => UsageStatus::Succeeded,
            Some(FaultKind::Canceled) => UsageStatus::Canceled,
            Some(_) => UsageStatus::Failed,
        };
        let lost = charge.not_taken > Credits::ZERO;
        let snapshot = &self.snapshot;
        let (model, price) = self.served(outcome);
        // Of a version that deleted prices the id is all that is left.
        let price = price.map(|price| price.id.clone());
        UsageRecord {
            id: self.generation.clone(),
            tenant: self.tenant.clone(),
            user: snapshot.user.clone(),
            key: snapshot.key.clone(),
            test: self.test,
            operation: snapshot.operation,
            model: model.to_owned(),
            price: price.or_else(|| snapshot.price.clone()),
            provider: outcome.provider.clone(),
            provider_model: outcome.model.clone(),
            usage,
            credits: charge.credits,
            cost: charge.cost,
            status,
            fault: outcome.fault.as_ref().map(|fault| fault.word().to_owned()),
            attempts: outcome.attempts,
            first_byte_ms: outcome.first_byte_ms,
            duration_ms: outcome.duration_ms,
            created_at: self.created_at,
            tries: self.tries(outcome),
            loss: charge.not_taken,
            loss_why: lost.then(|| Loss::NotTaken.word().to_owned()),
        }
    }

    /// The record of a call that nobody knows the end of.
    pub(crate) fn unknown_record(&self, fault: Fault, now: Moment) -> UsageRecord {
        let outcome = self.nothing_produced(&failure(fault), now);
        UsageRecord {
            fault: Some(UNKNOWN.to_owned()),
            ..self.record(&outcome, Usage::default(), Charge::UNKNOWN)
        }
    }

    /// The outcome of a call that produced nothing.
    pub(crate) fn nothing_produced(&self, failure: &Failure, now: Moment) -> Outcome {
        Outcome {
            provider: failure
                .provider
                .clone()
                .unwrap_or_else(|| self.snapshot.provider.clone()),
            model: String::new(),
            key_last4: String::new(),
            attempts: failure.attempts,
            failed: failure.failed.clone(),
            usage: Usage::default(),
            taken: None,
            fault: Some(failure.fault.clone()),
            first_byte_ms: 0,
            duration_ms: u64::try_from(now.since(self.created_at).as_millis()).unwrap_or(u64::MAX),
            made_by: failure.made_by.clone(),
        }
    }
}

impl CallFacts {
    /// The tries of a call, with what was demanded of each provider and where it works.
    fn tries(&self, outcome: &Outcome) -> Vec<Try> {
        let mut tries = tries(outcome);
        if let Some(route) = &self.snapshot.route {
            // Gateways that did not take the call sent nobody anything.
            for one in tries.iter_mut().filter(|one| one.number > 0) {
                one.region = route.regions.get(&one.provider).cloned();
                one.demanded = Some(route.demanded.clone()).filter(|words| !words.is_empty());
            }
        }
        tries
    }
}

/// A failure before anybody was called.
pub(crate) fn failure(fault: Fault) -> Failure {
    Failure {
        fault,
        caller: None,
        attempts: 0,
        failed: Vec::new(),
        provider: None,
        made_by: None,
    }
}

/// The tries of a call in their order: gateways that did not take it, which called nobody and have no
/// number, then the calls that failed, and the one that answered, which began when the one before had
/// failed. A wait for room stands among them and has no number either: nothing was sent.
fn tries(outcome: &Outcome) -> Vec<Try> {
    let made_by = outcome.made_by.as_deref();
    let gateway = made_by.map(|by| by.gateway.clone());
    let passed = made_by.into_iter().flat_map(|by| &by.passed);
    let passed = passed.map(|passed| Try {
        gateway: Some(passed.gateway.clone()),
        fault: Some(passed.why.clone()),
        next: Some(NextStep::OtherGateway.word().to_owned()),
        ..Try::default()
    });
    let is_wait = |one: &FailedTry| one.next.as_deref() == Some(NextStep::Waited.word());
    let mut known = 0;
    let failed = outcome.failed.iter().map(|one| Try {
        number: if is_wait(one) {
            0
        } else {
            known += 1;
            known
        },
        provider: one.provider.clone(),
        model: one.model.clone(),
        key_last4: one.key_last4.clone(),
        fault: Some(one.fault.clone()),
        began_ms: one.began_ms,
        duration_ms: one.duration_ms,
        status: one.status,
        next: one.next.clone(),
        gateway: gateway.clone(),
        ..Try::default()
    });
    let mut tries: Vec<Try> = passed.chain(failed).collect();
    if known < outcome.attempts {
        let last = outcome.failed.last();
        let began_ms = last.map_or(0, |last| last.began_ms.saturating_add(last.duration_ms));
        let fault = outcome.fault.as_ref();
        tries.push(Try {
            number: outcome.attempts,
            provider: outcome.provider.clone(),
            model: outcome.model.clone(),
            key_last4: outcome.key_last4.clone(),
            fault: fault.map(|fault| fault.word().to_owned()),
            began_ms,
            duration_ms: outcome.duration_ms.saturating_sub(began_ms),
            status: fault.and_then(|fault| fault.upstream_status),
            gateway,
            ..Try::default()
        });
    }
    if let Some(last) = tries.iter_mut().rfind(|one| one.number > 0) {
        last.way = made_by.and_then(|by| by.way.clone());
    }
    tries
}

#[cfg(test)]
pub(crate) mod tests;
