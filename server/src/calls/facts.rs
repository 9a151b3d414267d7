//! What must be known to price and record a call after its end, and the record that comes of it.
//! Charges nothing; `finish` does.

use serde::{Deserialize, Serialize};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::fault::{Fault, FaultKind};
use shared::id::{ApiKeyId, GenerationId, PriceId, RequestId, TenantId, UserId};
use shared::link::{Failure, Operation, Outcome};
use shared::units::{Unit, Usage};
use tracing::error;

use super::asked::ImageWish;
use crate::catalogue::price::Price;
use crate::ledger::Loss;
use crate::store::usage::{Try, UsageRecord, UsageStatus};

/// The word of a record whose call's end nobody knows.
pub(crate) const UNKNOWN: &str = "unknown";

/// What must be known to price and record a call after its end.
#[derive(Debug, Clone)]
pub struct CallFacts {
    /// The call.
    pub generation: GenerationId,
    /// Who pays.
    pub tenant: TenantId,
    /// Who called.
    pub user: Option<UserId>,
    /// With which key.
    pub key: Option<ApiKeyId>,
    /// With a `wk_test_` key.
    pub test: bool,
    /// What was asked.
    pub operation: Operation,
    /// The model's public name.
    pub model: String,
    /// The price of the moment it started; `None` for test calls.
    pub price: Option<Price>,
    /// The tenant's multiplier of that moment.
    pub multiplier_ppm: i64,
    /// For images.
    pub image: Option<ImageWish>,
    /// The first target, for records of calls that reached none.
    pub provider: String,
    /// The request it came with; not known of calls of earlier versions.
    pub request: Option<RequestId>,
    /// The gateways that may have taken it; empty where it is inside, or where it is not known.
    pub gateways: Vec<String>,
    /// When it came.
    pub created_at: Moment,
}

/// [`CallFacts`] as a hold keeps them for recovery.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptFacts {
    pub(crate) user: Option<UserId>,
    pub(crate) key: Option<ApiKeyId>,
    pub(crate) operation: Operation,
    pub(crate) model: String,
    /// Absent for test calls, which have no hold.
    #[serde(default)]
    pub(crate) price: Option<PriceId>,
    pub(crate) multiplier_ppm: i64,
    pub(crate) image: Option<ImageWish>,
    pub(crate) provider: String,
    #[serde(default)]
    pub(crate) request: Option<RequestId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) gateways: Vec<String>,
}

/// What a call comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Charge {
    /// What the tenant pays, before the ledger looks at the hold.
    pub(crate) credits: Credits,
    /// What the provider takes.
    pub(crate) cost: Credits,
    /// What was produced, and is not charged because it was not taken.
    pub(crate) not_taken: Credits,
    /// Measures that had no rate and were charged at the dearest of their family.
    pub(crate) unpriced: usize,
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

impl CallFacts {
    /// What is kept of them.
    pub(crate) fn kept(&self) -> KeptFacts {
        KeptFacts {
            user: self.user.clone(),
            key: self.key.clone(),
            operation: self.operation,
            model: self.model.clone(),
            price: self.price.as_ref().map(|price| price.id.clone()),
            multiplier_ppm: self.multiplier_ppm,
            image: self.image.clone(),
            provider: self.provider.clone(),
            request: self.request.clone(),
            gateways: self.gateways.clone(),
        }
    }

    /// What a hold keeps.
    pub fn to_json(&self) -> String {
        if self.price.is_none() {
            return String::new();
        }
        serde_json::to_string(&self.kept()).unwrap_or_default()
    }

    /// What the tenant pays and what the provider takes. For a call of which the tenant got nothing
    /// the ledger, which knows of the promise, makes the charge a loss.
    pub(crate) fn charge(&self, ended: &Ended) -> Charge {
        let Some(price) = &self.price else {
            return Charge::default();
        };
        let priced = |usage: &Usage| {
            let usage = billed(self.image.as_ref(), usage);
            let (list, ppm) = (&price.list, self.multiplier_ppm);
            let charge = list.charge_and_unpriced(&usage, self.created_at, ppm);
            charge.unwrap_or_else(|| {
                error!(generation.id = %self.generation, "the usage of `{}` does not fit a price", self.generation);
                (Credits::ZERO, 0)
            })
        };
        let usage = &ended.outcome.usage;
        let free = is_free(ended.outcome.fault.is_some(), usage);
        let (produced, nothing_made) = match &ended.got {
            Got::All => (usage, free),
            Got::PartOf(produced) => (produced, *produced == Usage::default()),
            Got::Nothing => (usage, *usage == Usage::default()),
        };
        if nothing_made {
            return Charge::default();
        }
        let (whole, unpriced) = priced(produced);
        let credits = match ended.got {
            Got::All | Got::Nothing => whole,
            Got::PartOf(_) if free => Credits::ZERO,
            Got::PartOf(_) => priced(usage).0.min(whole),
        };
        let produced = billed(self.image.as_ref(), produced);
        Charge {
            credits,
            // What is not known is told as nothing; the call's page says that it is not known.
            cost: price
                .list
                .cost(&produced, self.created_at)
                .unwrap_or_default(),
            not_taken: Credits::from_micros(whole.micros().saturating_sub(credits.micros())),
            unpriced,
        }
    }

    pub(crate) fn record(&self, ended: &Ended, charge: Charge) -> UsageRecord {
        let outcome = &ended.outcome;
        let status = match outcome.fault.as_ref().map(|fault| fault.kind) {
            None => UsageStatus::Succeeded,
            Some(FaultKind::Canceled) => UsageStatus::Canceled,
            Some(_) => UsageStatus::Failed,
        };
        let lost = charge.not_taken > Credits::ZERO;
        UsageRecord {
            id: self.generation.clone(),
            tenant: self.tenant.clone(),
            user: self.user.clone(),
            key: self.key.clone(),
            test: self.test,
            operation: self.operation,
            model: self.model.clone(),
            price: self.price.as_ref().map(|price| price.id.clone()),
            provider: outcome.provider.clone(),
            provider_model: outcome.model.clone(),
            usage: outcome.usage.clone(),
            credits: charge.credits,
            cost: charge.cost,
            status,
            fault: outcome.fault.as_ref().map(|fault| fault.word().to_owned()),
            attempts: outcome.attempts,
            first_byte_ms: outcome.first_byte_ms,
            duration_ms: outcome.duration_ms,
            created_at: self.created_at,
            tries: tries(outcome),
            loss: charge.not_taken,
            loss_why: lost.then(|| Loss::NotTaken.word().to_owned()),
        }
    }

    /// The record of a call that nobody knows the end of.
    pub(crate) fn unknown_record(&self, fault: Fault, now: Moment) -> UsageRecord {
        let ended = self.nothing_produced(&failure(fault), now).into();
        UsageRecord {
            fault: Some(UNKNOWN.to_owned()),
            ..self.record(&ended, Charge::default())
        }
    }

    /// The outcome of a call that produced nothing.
    pub(crate) fn nothing_produced(&self, failure: &Failure, now: Moment) -> Outcome {
        Outcome {
            provider: failure
                .provider
                .clone()
                .unwrap_or_else(|| self.provider.clone()),
            model: String::new(),
            key_last4: String::new(),
            attempts: failure.attempts,
            failed: failure.failed.clone(),
            usage: Usage::default(),
            taken: None,
            fault: Some(failure.fault.clone()),
            first_byte_ms: 0,
            duration_ms: u64::try_from(now.since(self.created_at).as_millis()).unwrap_or(u64::MAX),
        }
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
    }
}

/// Whether a call that ended so costs nothing: it failed before anything was produced, or nothing at all
/// came of it. Zero output is zero, a price per request included.
pub(crate) fn is_free(failed: bool, usage: &Usage) -> bool {
    usage.is_nothing() || (failed && usage.output_total() == 0 && usage.count(Unit::Image) == 0)
}

/// What is charged of a usage: the images that were made, and no more than were asked for, at the price
/// of what was asked for.
pub(crate) fn billed(wish: Option<&ImageWish>, usage: &Usage) -> Usage {
    let mut billed = usage.clone();
    if let Some(wish) = wish {
        let made = usage.count(Unit::Image);
        billed.set(Unit::Image, made.min(wish.n));
        wish.note_on(&mut billed);
    }
    billed
}

/// The tries of a call in their order: those that failed, and the one that answered, which began
/// when the one before had failed.
fn tries(outcome: &Outcome) -> Vec<Try> {
    let word = |fault: &Fault| fault.word().to_owned();
    let failed = (1..).zip(&outcome.failed).map(|(number, one)| Try {
        number,
        provider: one.provider.clone(),
        model: one.model.clone(),
        key_last4: one.key_last4.clone(),
        fault: Some(one.fault.clone()),
        began_ms: one.began_ms,
        duration_ms: one.duration_ms,
    });
    let mut tries: Vec<Try> = failed.collect();
    let known = u32::try_from(tries.len()).unwrap_or(u32::MAX);
    if known < outcome.attempts {
        let last = outcome.failed.last();
        let began_ms = last.map_or(0, |last| last.began_ms.saturating_add(last.duration_ms));
        tries.push(Try {
            number: outcome.attempts,
            provider: outcome.provider.clone(),
            model: outcome.model.clone(),
            key_last4: outcome.key_last4.clone(),
            fault: outcome.fault.as_ref().map(word),
            began_ms,
            duration_ms: outcome.duration_ms.saturating_sub(began_ms),
        });
    }
    tries
}

#[cfg(test)]
mod tests;
