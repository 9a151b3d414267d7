//! The end of a call: charge what was produced, write the usage record, free the limits. Runs on
//! its own task, so the tenant's last byte never waits for it and a vanished tenant can't stop it.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use serde::{Deserialize, Serialize};
use shared::clock::{Clock, Moment};
use shared::credits::Credits;
use shared::fault::{Fault, FaultKind, FaultOf};
use shared::id::{ApiKeyId, GenerationId, PriceId, RequestId, TenantId, UserId};
use shared::link::{Failure, Fate, Link, LinkError, Operation, Outcome, Parting};
use shared::supervisor::Supervisor;
use shared::telemetry::Metrics;
use shared::usage::Usage;
use tokio::sync::oneshot;
use tracing::{Instrument, error, info, info_span, warn};

use super::CallError;
use super::peek::ImageWish;
use crate::catalogue::price::{ImageAsk, Price};
use crate::ledger::{Ledger, LedgerError, SettleError};
use crate::limits::Admission;
use crate::store::usage::{Try, UsageRecord, UsageStatus};

/// Waits between attempts to write a settlement while the database is away; after the last one
/// recovery takes over.
const SETTLE_WAITS_MS: [u64; 8] = [50, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000];
/// Waits between questions to a gateway that can't be reached.
const FATE_WAITS_MS: [u64; 6] = [50, 250, 1_000, 3_000, 10_000, 30_000];

/// The provider's price is not multiplied.
const PLAIN_PPM: i64 = 1_000_000;

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
    /// When it came.
    pub created_at: Moment,
}

/// [`CallFacts`] as a hold keeps them for recovery.
#[derive(Debug, Serialize, Deserialize)]
pub struct KeptFacts {
    pub(crate) user: Option<UserId>,
    pub(crate) key: Option<ApiKeyId>,
    pub(crate) operation: Operation,
    pub(crate) model: String,
    pub(crate) price: PriceId,
    pub(crate) multiplier_ppm: i64,
    pub(crate) image: Option<ImageWish>,
    pub(crate) provider: String,
    #[serde(default)]
    pub(crate) request: Option<RequestId>,
}

impl CallFacts {
    /// What a hold keeps.
    pub fn to_json(&self) -> String {
        let Some(price) = &self.price else {
            return String::new();
        };
        let kept = KeptFacts {
            user: self.user.clone(),
            key: self.key.clone(),
            operation: self.operation,
            model: self.model.clone(),
            price: price.id.clone(),
            multiplier_ppm: self.multiplier_ppm,
            image: self.image.clone(),
            provider: self.provider.clone(),
            request: self.request.clone(),
        };
        serde_json::to_string(&kept).unwrap_or_default()
    }

    /// What the tenant pays and what the provider takes for `outcome`.
    fn charge(&self, outcome: &Outcome) -> (Credits, Credits) {
        let Some(price) = &self.price else {
            return (Credits::ZERO, Credits::ZERO);
        };
        let usage = &outcome.usage;
        if is_free(outcome.fault.is_some(), usage) {
            return (Credits::ZERO, Credits::ZERO);
        }
        let image = image_ask(self.image.as_ref(), usage);
        let priced = |charge: Option<Credits>| {
            charge.unwrap_or_else(|| {
                error!(generation.id = %self.generation, "the usage of `{}` does not fit a price", self.generation);
                Credits::ZERO
            })
        };
        let credits = priced(price.items.charge(usage, image, self.multiplier_ppm));
        (credits, priced(price.cost.charge(usage, image, PLAIN_PPM)))
    }

    fn record(&self, outcome: &Outcome, credits: Credits, cost: Credits) -> UsageRecord {
        let status = match outcome.fault.as_ref().map(|fault| fault.kind) {
            None => UsageStatus::Succeeded,
            Some(FaultKind::Canceled) => UsageStatus::Canceled,
            Some(_) => UsageStatus::Failed,
        };
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
            usage: outcome.usage,
            credits,
            cost,
            status,
            fault: outcome.fault.as_ref().map(|fault| fault.word().to_owned()),
            attempts: outcome.attempts,
            first_byte_ms: outcome.first_byte_ms,
            duration_ms: outcome.duration_ms,
            created_at: self.created_at,
            tries: tries(outcome),
        }
    }

    /// The outcome of a call that produced nothing.
    fn nothing_produced(&self, failure: &Failure, now: Moment) -> Outcome {
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

/// Whether a call that ended so costs nothing: it failed before anything was produced, or nothing at all
/// came of it. Zero output is zero, a price per request included.
pub(crate) fn is_free(failed: bool, usage: &Usage) -> bool {
    usage.is_nothing() || (failed && usage.output_total() == 0 && usage.images == 0)
}

/// The images that are charged: those that were made, and no more than were asked for.
pub(crate) fn image_ask<'a>(wish: Option<&'a ImageWish>, usage: &Usage) -> Option<ImageAsk<'a>> {
    wish.map(|wish| ImageAsk {
        n: usage.images.min(wish.n),
        size: wish.size.as_deref(),
        quality: wish.quality.as_deref(),
    })
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

/// Settles calls; cheap to clone.
#[derive(Clone)]
pub struct Finisher(Arc<Inner>);

struct Inner {
    ledger: Ledger,
    link: Arc<dyn Link>,
    clock: Clock,
    supervisor: Supervisor,
    metrics: CallMetrics,
}

impl std::fmt::Debug for Finisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Finisher")
    }
}

impl Finisher {
    pub(super) fn new(
        ledger: Ledger,
        link: Arc<dyn Link>,
        clock: Clock,
        supervisor: Supervisor,
        metrics: CallMetrics,
    ) -> Self {
        Self(Arc::new(Inner {
            ledger,
            link,
            clock,
            supervisor,
            metrics,
        }))
    }

    pub(super) fn metrics(&self) -> &CallMetrics {
        &self.0.metrics
    }

    /// Takes over a call whose hold is placed.
    pub(super) fn begin(&self, facts: CallFacts, admission: Admission) -> Ending {
        self.0.metrics.running.inc();
        Ending {
            finisher: self.clone(),
            open: Some((facts, admission)),
            sent: false,
        }
    }

    fn spawn(&self, facts: CallFacts, admission: Admission, end: End) -> Settled {
        let this = self.clone();
        let (done, settled) = oneshot::channel::<()>();
        let span =
            info_span!("finish", tenant.id = %facts.tenant, generation.id = %facts.generation);
        let work = async move {
            let outcome = match end {
                End::Known(outcome) => Some(*outcome),
                End::Ask(why) => this.ask(&facts, why).await,
            };
            this.0.metrics.running.dec();
            let Some(outcome) = outcome else {
                let id = &facts.generation;
                warn!("the fate of generation `{id}` is unknown; its hold waits for recovery");
                return;
            };
            let usage = &outcome.usage;
            admission.correct(usage.input_total().saturating_add(usage.output_total()));
            this.settle(&facts, &outcome).await;
            // Dropping it tells whoever waits, also where settling was given up.
            drop(done);
        };
        self.0.supervisor.spawn("finish", work.instrument(span));
        Settled(settled)
    }

    /// Asks the gateway how a generation ended, cancelling it if it runs; `None` while it can't be known.
    pub(crate) async fn ask(&self, facts: &CallFacts, why: Parting) -> Option<Outcome> {
        for wait in FATE_WAITS_MS.map(Some).into_iter().chain([None]) {
            match self.0.link.finish(&facts.generation, why).await {
                Ok(fate) => return Some(self.outcome_of(facts, fate)),
                Err(LinkError::Failed(failure)) => {
                    return Some(facts.nothing_produced(&failure, self.0.clock.now()));
                }
                Err(LinkError::NotSent(_) | LinkError::Lost(_) | LinkError::Refused(_)) => {}
            }
            tokio::time::sleep(Duration::from_millis(wait?)).await;
        }
        None
    }

    fn outcome_of(&self, facts: &CallFacts, fate: Fate) -> Outcome {
        let now = self.0.clock.now();
        match fate {
            Fate::Ended { outcome } => *outcome,
            Fate::Failed { failure } => facts.nothing_produced(&failure, now),
            // The gateway restarted or never had it: nothing reached the tenant that it could name.
            Fate::Unknown { .. } => {
                let fault = Fault::new(
                    FaultKind::Interrupted,
                    "the gateway does not know the generation",
                );
                let failure = Failure {
                    fault,
                    caller: None,
                    attempts: 0,
                    failed: Vec::new(),
                    provider: None,
                };
                facts.nothing_produced(&failure, now)
            }
        }
    }

    /// Charges or releases, and writes the record; tries again while the database is away.
    pub(crate) async fn settle(&self, facts: &CallFacts, outcome: &Outcome) {
        let (credits, cost) = facts.charge(outcome);
        let record = facts.record(outcome, credits, cost);
        self.0.metrics.ended(facts, outcome, &record);
        for wait in SETTLE_WAITS_MS.map(Some).into_iter().chain([None]) {
            match self.write(facts, credits, record.clone()).await {
                Ok(()) => return,
                Err(SettleError::Ledger(
                    error @ (LedgerError::Busy | LedgerError::Commit(_) | LedgerError::Store(_)),
                )) => {
                    warn!(%error, "a settlement is tried again: {error}");
                }
                Err(error @ (SettleError::NoSuchHold | SettleError::Closed)) => {
                    error!(%error, "generation `{}` was not settled: {error}", facts.generation);
                    return;
                }
            }
            let Some(wait) = wait else { break };
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        error!(
            "generation `{}` was not settled; recovery will try again",
            facts.generation
        );
    }

    async fn write(
        &self,
        facts: &CallFacts,
        credits: Credits,
        record: UsageRecord,
    ) -> Result<(), SettleError> {
        let ledger = &self.0.ledger;
        if facts.test {
            return Ok(ledger.record(record).await?);
        }
        let settlement = if credits == Credits::ZERO {
            ledger
                .release(&facts.generation, &facts.tenant, Some(record))
                .await?
        } else {
            ledger
                .settle(&facts.generation, &facts.tenant, credits, record)
                .await?
        };
        if settlement.shortfall > Credits::ZERO {
            warn!(tenant.id = %facts.tenant, "generation `{}` cost {} credits more than there were", facts.generation, settlement.shortfall);
            self.0
                .metrics
                .shortfall_micros
                .inc_by(u64::try_from(settlement.shortfall.micros()).unwrap_or(0));
        }
        Ok(())
    }
}

/// How long the last byte of an answer waits for its settlement; a database that is away longer
/// must not keep an answer that is there.
const SETTLED_WAIT: Duration = Duration::from_secs(10);

/// Tells when a call's settlement is committed.
#[derive(Debug)]
pub struct Settled(oneshot::Receiver<()>);

impl Settled {
    /// Waits for the commit, within limits.
    pub async fn wait(self) {
        // Either the sender was dropped at the end of the settlement, or time is up.
        let _ = tokio::time::timeout(SETTLED_WAIT, self.0).await;
    }
}

enum End {
    Known(Box<Outcome>),
    Ask(Parting),
}

/// A call that must be settled: tell it how it ended, or drop it and it finds out.
#[derive(Debug)]
pub struct Ending {
    finisher: Finisher,
    open: Option<(CallFacts, Admission)>,
    sent: bool,
}

impl Ending {
    /// What is known of the call.
    pub(super) fn facts(&self) -> Option<&CallFacts> {
        self.open.as_ref().map(|(facts, _)| facts)
    }

    /// The hold was refused: there is nothing to close.
    pub(super) fn nothing_held(&mut self) {
        if self.open.take().is_some() {
            self.finisher.0.metrics.running.dec();
        }
    }

    /// From now on a gateway may know the generation.
    pub(super) fn opening(&mut self) {
        self.sent = true;
    }

    /// The gateway told how it ended.
    pub(super) fn ended(&mut self, outcome: Outcome) -> Option<Settled> {
        let (facts, admission) = self.open.take()?;
        let end = End::Known(Box::new(outcome));
        Some(self.finisher.spawn(facts, admission, end))
    }

    /// Nothing was produced.
    pub(super) fn never_started(&mut self, failure: &Failure) {
        if let Some((facts, admission)) = self.open.take() {
            let outcome = facts.nothing_produced(failure, self.finisher.0.clock.now());
            self.finisher
                .spawn(facts, admission, End::Known(Box::new(outcome)));
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if self.sent {
            if let Some((facts, admission)) = self.open.take() {
                self.finisher
                    .spawn(facts, admission, End::Ask(Parting::TenantLeft));
            }
        } else {
            // The tenant went away while its hold was being written; the ledger takes operations
            // in order, so the release finds the hold or there is none.
            let fault = Fault::new(
                FaultKind::Canceled,
                "the tenant went away before the call was sent",
            );
            self.never_started(&Failure {
                fault,
                caller: None,
                attempts: 0,
                failed: Vec::new(),
                provider: None,
            });
        }
    }
}

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

/// Counters of calls. Labels name no tenant, key or model: those are unbounded.
#[derive(Debug, Clone)]
pub struct CallMetrics {
    ended: Family<EndLabels, Counter>,
    refused: Family<RefusedLabels, Counter>,
    running: Gauge,
    duration_seconds: Histogram,
    first_byte_seconds: Histogram,
    charged_micros: Counter,
    shortfall_micros: Counter,
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
            shortfall_micros: Counter::default(),
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
                "waule_shortfall_microcredits",
                "Charged beyond what tenants had",
                all.shortfall_micros,
            );
        });
        this
    }

    fn ended(&self, facts: &CallFacts, outcome: &Outcome, record: &UsageRecord) {
        let fault = outcome.fault.as_ref();
        let labels = EndLabels {
            operation: facts.operation.word(),
            status: record.status.word(),
            fault: fault.map_or("none", |fault| fault.word()),
        };
        self.ended.get_or_create(&labels).inc();
        self.charged_micros
            .inc_by(u64::try_from(record.credits.micros()).unwrap_or(0));
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
            CallError::ModelNotFound(_)
            | CallError::WrongOperation { .. }
            | CallError::NoPrice(_) => "model",
            CallError::TooLarge => "too_large",
            CallError::Limited(_) => "limit",
            CallError::InsufficientCredits { .. } => "credits",
            CallError::OverBudget { .. } => "budget",
            CallError::Ledger(_) => "ledger",
            CallError::Failed(_) => "provider",
            CallError::Link(_) => "link",
        };
        self.refused.get_or_create(&RefusedLabels { reason }).inc();
    }
}
