//! Counters of the gateway. Labels are bounded: operations and faults, no key, no model.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use shared::link::Operation;
use shared::telemetry::Metrics;
use shared::units::Usage;

use crate::generations::register::End;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndLabels {
    operation: &'static str,
    fault: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DoubtLabels {
    what: &'static str,
}

/// What the gateway counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct GatewayMetrics {
    ended: Family<EndLabels, Counter>,
    doubts: Family<DoubtLabels, Counter>,
    attempts: Counter,
    joined: Counter,
    resumed: Counter,
    abandoned: Counter,
    read_on: Counter,
    read_on_told: Counter,
    pub(crate) kept_bytes: Gauge,
    pub(crate) running: Gauge,
}

impl GatewayMetrics {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let this = Self::default();
        let all = this.clone();
        metrics.register(|registry| {
            registry.register(
                "waule_generations",
                "Generations that ended at this gateway",
                all.ended,
            );
            registry.register(
                "waule_usage_doubts",
                "Providers' counts that were estimated, cut to what a call can bring, or beyond its maximum",
                all.doubts,
            );
            registry.register(
                "waule_provider_attempts",
                "Calls sent to providers",
                all.attempts,
            );
            registry.register(
                "waule_generations_joined",
                "Calls that came again with the id of a known generation",
                all.joined,
            );
            registry.register(
                "waule_generations_resumed",
                "Readers that attached to a generation again",
                all.resumed,
            );
            registry.register(
                "waule_generations_abandoned",
                "Generations cancelled because nobody was attached any more",
                all.abandoned,
            );
            registry.register(
                "waule_generations_read_on",
                "Generations read on for their provider's count after the tenant left",
                all.read_on,
            );
            registry.register(
                "waule_generations_read_on_told",
                "Of these, those of which the provider told its count",
                all.read_on_told,
            );
            registry.register(
                "waule_generations_running",
                "Generations that run",
                all.running,
            );
            registry.register(
                "waule_output_kept_bytes",
                "Memory that holds output for readers that come again",
                all.kept_bytes,
            );
        });
        this
    }

    pub(crate) fn joined(&self) {
        self.joined.inc();
    }

    pub(crate) fn resumed(&self) {
        self.resumed.inc();
    }

    pub(crate) fn abandoned(&self) {
        self.abandoned.inc();
    }

    pub(crate) fn read_on(&self, is_told: bool) {
        self.read_on.inc();
        if is_told {
            self.read_on_told.inc();
        }
    }

    pub(crate) fn ended(&self, operation: Operation, end: &End) {
        let (fault, attempts) = match end {
            End::Outcome(outcome) => (outcome.fault.as_ref(), outcome.attempts),
            End::Failure(failure) => (Some(&failure.fault), failure.attempts),
        };
        let fault = fault.map_or("none", |fault| fault.word());
        self.ended
            .get_or_create(&EndLabels {
                operation: operation.word(),
                fault,
            })
            .inc();
        self.attempts.inc_by(attempts.into());
        if let End::Outcome(outcome) = end {
            self.doubt(&outcome.usage);
        }
    }

    fn doubt(&self, usage: &Usage) {
        for (is_so, what) in [
            (usage.estimated, "estimated"),
            (usage.capped, "capped"),
            (usage.overrun, "overrun"),
        ] {
            if is_so {
                self.doubts.get_or_create(&DoubtLabels { what }).inc();
            }
        }
    }
}
