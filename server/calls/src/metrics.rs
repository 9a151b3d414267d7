//! Counters of calls. Labels name no tenant, key or model: those are unbounded.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use server_rooms::ledger::Loss;
use server_store::usage::UsageRecord;
use shared::clock::Moment;
use shared::fault::FaultOf;
use shared::link::Outcome;
use shared::telemetry::Metrics;
use tracing::info;

use super::CallError;
use super::facts::CallFacts;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndLabels {
    operation: &'static str,
    status: &'static str,
    fault: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusedLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OddLabels {
    what: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LossLabels {
    reason: &'static str,
}

/// More models without a fitting rate than anybody would look through.
const UNPRICED_MODELS_MAX: usize = 100;

/// Counters of calls. Labels name no tenant, key or model: those are unbounded.
#[derive(Debug, Clone)]
pub struct CallMetrics {
    ended: Family<EndLabels, Counter>,
    refused: Family<RefusedLabels, Counter>,
    running: Gauge,
    duration_seconds: Histogram,
    first_byte_seconds: Histogram,
    charged_micros: Counter,
    loss_micros: Family<LossLabels, Counter>,
    kept: Gauge,
    skew_ms: Gauge,
    unpriced: Counter,
    unpriced_models: Arc<Mutex<BTreeMap<String, Moment>>>,
    odd: Family<OddLabels, Counter>,
}

impl CallMetrics {
    /// Registers the counters.
    pub fn new(metrics: &Metrics) -> Self {
        // 1 ms to 17 minutes.
        let seconds = || Histogram::new(exponential_buckets(0.001, 2.0, 21));
        let this = Self {
            ended: Family::default(),
            refused: Family::default(),
            running: Gauge::default(),
            duration_seconds: seconds(),
            first_byte_seconds: seconds(),
            charged_micros: Counter::default(),
            loss_micros: Family::default(),
            kept: Gauge::default(),
            skew_ms: Gauge::default(),
            unpriced: Counter::default(),
            unpriced_models: Arc::default(),
            odd: Family::default(),
        };
        let all = this.clone();
        metrics.register(|registry| {
            registry.register("waule_calls", "Calls that ended", all.ended);
            registry.register(
                "waule_calls_refused",
                "Calls that were refused before a provider",
                all.refused,
            );
            registry.register(
                "waule_calls_running",
                "Calls between hold and settlement",
                all.running,
            );
            registry.register(
                "waule_call_duration_seconds",
                "From arrival at the gateway to the end",
                all.duration_seconds,
            );
            registry.register(
                "waule_call_first_byte_seconds",
                "From arrival at the gateway to the first byte",
                all.first_byte_seconds,
            );
            registry.register(
                "waule_charged_microcredits",
                "Charged to tenants",
                all.charged_micros,
            );
            registry.register(
                "waule_loss_microcredits",
                "What calls came to that no tenant pays",
                all.loss_micros,
            );
            registry.register(
                "waule_outcomes_kept",
                "Known outcomes that the database has not taken yet",
                all.kept,
            );
            registry.register(
                "waule_clock_skew_milliseconds",
                "By how much a server's clock is off the database's at most",
                all.skew_ms,
            );
            registry.register(
                "waule_unpriced_measures",
                "Units that no rate of a price fits; must stay 0",
                all.unpriced,
            );
            registry.register(
                "waule_calls_odd",
                "Calls of which more was reported than is possible, or more made than was asked for",
                all.odd,
            );
        });
        this
    }

    /// A call is between hold and settlement.
    pub(super) fn begun(&self) {
        self.running.inc();
    }

    /// It no longer is.
    pub(super) fn over(&self) {
        self.running.dec();
    }

    /// So many outcomes wait for the database.
    pub(super) fn kept(&self, outcomes: usize) {
        self.kept.set(i64::try_from(outcomes).unwrap_or(i64::MAX));
    }

    /// So far a server's clock is off the database's.
    pub(super) fn skew(&self, skew_ms: u64) {
        self.skew_ms.set(i64::try_from(skew_ms).unwrap_or(i64::MAX));
    }

    /// The platform bears so much of a call.
    pub(super) fn lost(&self, why: Loss, micros: i64) {
        let labels = LossLabels { reason: why.word() };
        let lost = self.loss_micros.get_or_create(&labels);
        lost.inc_by(u64::try_from(micros).unwrap_or(0));
    }

    /// So many measures of a call of `model` had no rate.
    pub(super) fn unpriced(&self, measures: usize, (model, at): (&str, Moment)) {
        self.unpriced
            .inc_by(u64::try_from(measures).unwrap_or(u64::MAX));
        let mut models = self.models();
        if models.len() < UNPRICED_MODELS_MAX || models.contains_key(model) {
            models.insert(model.to_owned(), at);
        }
    }

    /// Models with such a call since `from`, each with when the last of them came; of this process.
    pub(super) fn unpriced_since(&self, from: Moment) -> Vec<(String, Moment)> {
        let mut models = self.models();
        models.retain(|_, at| *at >= from);
        models
            .iter()
            .map(|(model, at)| (model.clone(), *at))
            .collect()
    }

    fn models(&self) -> MutexGuard<'_, BTreeMap<String, Moment>> {
        self.unpriced_models
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// So much was charged.
    pub(super) fn charged(&self, micros: i64) {
        self.charged_micros
            .inc_by(u64::try_from(micros).unwrap_or(0));
    }

    pub(super) fn ended(&self, facts: &CallFacts, outcome: &Outcome, record: &UsageRecord) {
        let fault = outcome.fault.as_ref();
        let labels = EndLabels {
            operation: facts.snapshot.operation.word(),
            status: record.status.word(),
            fault: fault.map_or("none", |fault| fault.word()),
        };
        self.ended.get_or_create(&labels).inc();
        let usage = &record.usage;
        for (is_so, what) in [(usage.capped, "capped"), (usage.overrun, "overrun")] {
            if is_so {
                self.odd.get_or_create(&OddLabels { what }).inc();
            }
        }
        let seconds = |ms: u64| Duration::from_millis(ms).as_secs_f64();
        self.duration_seconds.observe(seconds(outcome.duration_ms));
        if outcome.first_byte_ms > 0 {
            self.first_byte_seconds
                .observe(seconds(outcome.first_byte_ms));
        }
        if let Some(fault) = fault.filter(|fault| fault.fault_of != FaultOf::Caller) {
            info!(
                provider = outcome.provider,
                "generation `{}` ended with {fault}", facts.generation
            );
        }
    }

    pub(super) fn refused(&self, error: &CallError) {
        let reason = match error {
            CallError::Body(_) => "body",
            CallError::ScopeMissing => "scope",
            CallError::EndUserSuspended { .. } => "end_user",
            CallError::ModelNotFound(_)
            | CallError::ModelRetired { .. }
            | CallError::WrongOperation { .. }
            | CallError::NoPrice(_) => "model",
            CallError::NoProvider(_) | CallError::TooDear(_) => "route",
            CallError::DataPolicy(_) => "data_policy",
            CallError::TooLarge => "too_large",
            CallError::Limited(_) => "limit",
            CallError::InsufficientCredits { .. } => "credits",
            CallError::MaxCostTooLow { .. } => "max_cost",
            CallError::OverBudget { .. } => "budget",
            CallError::Ledger(_) => "ledger",
            CallError::Failed(_) => "provider",
            CallError::Link(_) => "link",
            CallError::Stopping => "stopping",
        };
        self.refused.get_or_create(&RefusedLabels { reason }).inc();
    }
}
