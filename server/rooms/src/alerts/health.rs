//! How models and providers do, beside what operators set: out of the rows of alerts and the sums of two
//! hours. Asks no gateway.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use server_rules::catalogue::model::Model;
use server_rules::usage::sums::Grain;
use server_store::alerts::{CallSums, SumsOf};
use shared::clock::Moment;
use shared::db::DbError;

use super::{Alert, AlertKind, Alerts, SubjectKind};

/// Fewer calls tell nothing of how it does.
pub const CALLS_MIN: u64 = 10;
/// A share of successes, in hundredths of a per cent, below which something is wrong.
const GOOD_ENOUGH: u64 = 9_000;

/// The beginning of the last hour: sums are of whole hours, so it is this one and that before.
pub fn hours_from(now: Moment) -> Moment {
    Grain::Hour.start(now.before(Duration::from_secs(3_600)))
}

/// Calls whose tenants waited for their end.
fn waited(sums: &CallSums) -> u64 {
    sums.calls.saturating_sub(sums.canceled)
}

/// Successes in hundredths of a per cent; nothing where nobody waited for any call.
fn success_bp(sums: &CallSums) -> Option<u64> {
    let all = waited(sums);
    let good = all.saturating_sub(sums.failed);
    good.saturating_mul(10_000).checked_div(all)
}

/// Whether half or more of enough calls failed.
pub(super) fn is_failing(sums: &CallSums) -> bool {
    let all = waited(sums);
    all >= CALLS_MIN && sums.failed.saturating_mul(2) >= all
}

/// How something does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// A model without a price.
    NoPrice,
    /// No key of its provider, or of any of its providers, works.
    NoWorkingKey,
    /// Its end is over, or its provider has no longer what it stands on.
    Retired,
    /// No call of these succeeded.
    Failing(u64),
    /// So many hundredths of a per cent of these calls did.
    Degraded(u64, u64),
    /// All keys of its provider cool down.
    Cooling,
    /// Nothing is wrong.
    Healthy,
    /// There was no call in these hours, and nothing else is wrong.
    NoCalls,
}

/// How all of them do.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    marked: HashSet<(&'static str, &'static str, String)>,
    models: HashMap<String, CallSums>,
    providers: HashMap<String, CallSums>,
}

/// What sums alone tell.
fn of_calls(sums: Option<&CallSums>) -> Condition {
    let Some((sums, success)) = sums.and_then(|sums| Some((sums, success_bp(sums)?))) else {
        return Condition::NoCalls;
    };
    let all = waited(sums);
    match success {
        _ if all < CALLS_MIN => Condition::Healthy,
        0 => Condition::Failing(all),
        bad if bad < GOOD_ENOUGH => Condition::Degraded(bad, all),
        _ => Condition::Healthy,
    }
}

impl Conditions {
    fn new(alerts: &[Alert]) -> Self {
        let marked = alerts.iter().map(|alert| {
            let subject = &alert.subject;
            (alert.kind.word(), subject.kind.word(), subject.id.clone())
        });
        Self {
            marked: marked.collect(),
            ..Self::default()
        }
    }

    fn has(&self, kind: AlertKind, subject: SubjectKind, id: &str) -> bool {
        // A set of strings is asked with strings; a list has some hundred rows at most.
        self.marked
            .contains(&(kind.word(), subject.word(), id.to_owned()))
    }

    /// Whether a provider has no key that works; where several gateways have one of this name, all must
    /// have none.
    fn is_keyless(&self, provider: &str) -> bool {
        self.has(AlertKind::NoKeys, SubjectKind::Provider, provider)
    }

    /// How a model does.
    pub fn model(&self, model: &Model, now: Moment) -> Condition {
        let mut providers = model.targets.iter().map(|target| target.provider.as_str());
        let has_targets = !model.targets.is_empty();
        if model.price_at(now).is_none() {
            Condition::NoPrice
        } else if has_targets && providers.all(|provider| self.is_keyless(provider)) {
            Condition::NoWorkingKey
        } else if model.is_retired(now)
            || self.has(AlertKind::ModelGone, SubjectKind::Model, &model.id)
        {
            Condition::Retired
        } else {
            of_calls(self.models.get(&model.id))
        }
    }

    /// How a provider does, as it is addressed and by its name alone.
    pub fn provider(&self, reference: &str, name: &str) -> Condition {
        if self.is_keyless(reference) {
            Condition::NoWorkingKey
        } else if self.has(AlertKind::KeysCooling, SubjectKind::Provider, reference) {
            Condition::Cooling
        } else {
            of_calls(self.providers.get(name))
        }
    }
}

impl Alerts {
    /// How models do, as it was seen last.
    pub async fn model_conditions(&self) -> Result<Conditions, DbError> {
        let from = hours_from(self.0.clock.now());
        let (on, sums) = tokio::try_join!(self.on(), self.0.store.hour_sums(SumsOf::Models, from))?;
        Ok(Conditions {
            models: sums,
            ..Conditions::new(&on)
        })
    }

    /// How providers do, as it was seen last.
    pub async fn provider_conditions(&self) -> Result<Conditions, DbError> {
        let from = hours_from(self.0.clock.now());
        let (on, sums) =
            tokio::try_join!(self.on(), self.0.store.hour_sums(SumsOf::Providers, from))?;
        Ok(Conditions {
            providers: sums,
            ..Conditions::new(&on)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_tell_how_something_does_where_there_are_enough() {
        let sums = |calls, failed, canceled| CallSums {
            calls,
            failed,
            canceled,
        };
        for (told, wanted, failing) in [
            (None, Condition::NoCalls, false),
            (Some(sums(0, 0, 0)), Condition::NoCalls, false),
            (Some(sums(5, 0, 5)), Condition::NoCalls, false),
            (Some(sums(9, 9, 0)), Condition::Healthy, false),
            (Some(sums(10, 10, 0)), Condition::Failing(10), true),
            (Some(sums(41, 41, 0)), Condition::Failing(41), true),
            (Some(sums(20, 10, 10)), Condition::Failing(10), true),
            (Some(sums(10, 5, 0)), Condition::Degraded(5_000, 10), true),
            (Some(sums(10, 4, 0)), Condition::Degraded(6_000, 10), false),
            (Some(sums(10, 1, 0)), Condition::Healthy, false),
            (Some(sums(100, 0, 0)), Condition::Healthy, false),
        ] {
            assert_eq!(of_calls(told.as_ref()), wanted, "{told:?}");
            assert_eq!(
                told.is_some_and(|sums| is_failing(&sums)),
                failing,
                "{told:?}"
            );
        }
    }
}
