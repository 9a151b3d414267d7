//! The end of a call: charge what was produced, write the usage record, free the limits. Runs on
//! its own task, so the tenant's last byte never waits for it and a vanished tenant can't stop it.
//! What is known is never dropped: what the database does not take in time goes to `kept`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use server_rooms::end_users::EndUsers;
use server_rooms::ledger::{Ledger, LedgerError, Loss, SettleError, Settlement, Unknown};
use server_rooms::limits::Admission;
use shared::clock::{Clock, Moment};
use shared::credits::Credits;
use shared::fault::{Fault, FaultKind};
use shared::id::GenerationId;
use shared::link::{GenerationStatus, Generations, LinkError, Outcome, Parting};
use shared::supervisor::Supervisor;
use tokio::sync::oneshot;
use tracing::{Instrument, error, info_span, warn};

pub use super::facts::CallFacts;
use super::facts::{Ended, Reckoned, failure};
use super::kept::{Keeper, Kept};
pub use super::metrics::CallMetrics;
use super::paces::Paces;
use super::receipt::ReceiptSender;

/// Waits between attempts to write a settlement while the database is away; after the last one it is
/// kept on disk and tried until it is written.
const SETTLE_WAITS_MS: [u64; 4] = [50, 200, 500, 1_000];
/// The ledger answers within milliseconds; where it takes so long, the outcome goes to disk meanwhile.
const WRITE_MAX: Duration = Duration::from_millis(1_500);
/// The same, when the process is told to stop.
const WRITE_STOPPING_MAX: Duration = Duration::from_millis(300);
/// Waits between questions to a gateway that can't be reached; then recovery asks, round by round.
const FATE_WAITS_MS: [u64; 4] = [50, 250, 1_000, 3_000];
/// A gateway knows at once how a generation ended.
const QUESTION_MAX: Duration = Duration::from_secs(10);
/// But for one whose tenant left: then it waits for the provider's count, within a cap of its own.
const COUNT_MAX: Duration = Duration::from_secs(120);

/// What becomes of a hold when nobody knows how its call ended.
#[derive(Debug, Clone, Copy)]
pub struct UnknownPolicy {
    /// After what time the tenant gets its credits back.
    pub release_after: Duration,
    /// For how long gateways are asked from then on; what they know then counts.
    pub ask_for: Duration,
}

/// What a settler works with.
pub(super) struct SettlerParts {
    pub(super) ledger: Ledger,
    pub(super) link: Arc<dyn Generations>,
    pub(super) clock: Clock,
    pub(super) supervisor: Supervisor,
    pub(super) metrics: CallMetrics,
    pub(super) keeper: Keeper,
    pub(super) unknown: UnknownPolicy,
    pub(super) paces: Paces,
    /// Who hears of people that providers refuse.
    pub(super) end_users: Option<EndUsers>,
}

/// Settles calls; cheap to clone.
#[derive(Clone)]
pub struct Settler(Arc<Inner>);

struct Inner {
    parts: SettlerParts,
    /// Calls of this process whose end could not be learned: why they are asked for, and since when.
    doubtful: Mutex<HashMap<GenerationId, (Parting, Instant)>>,
}

impl std::fmt::Debug for Settler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Settler")
    }
}

/// What a gateway said of a generation.
#[derive(Debug)]
pub(super) enum Told {
    /// How it ended.
    Ended(Box<Outcome>),
    /// It does not know; `had` where a life of it that died had, or may have, taken it up. Else it never
    /// came, which a gateway inside this process can't tell of an earlier life.
    Unknown { had: bool },
    /// It did not answer.
    Away,
}

/// What is written of a call.
#[derive(Debug, Clone)]
pub(super) enum Verdict {
    /// It ended so.
    Ended(Box<Ended>),
    /// Nobody knows, and its hold is given back.
    Unknown {
        /// Whether the tenant was told that nothing is charged.
        promised: bool,
    },
}

impl Verdict {
    pub(super) fn ended(ended: impl Into<Ended>) -> Self {
        Self::Ended(Box::new(ended.into()))
    }

    /// What is to be written of it, reckoned once for all attempts.
    pub(super) fn reckon(&self, facts: &CallFacts) -> Writing {
        match self {
            Self::Ended(ended) => Writing::Charge(Box::new(facts.reckon(ended))),
            Self::Unknown { promised } => Writing::GiveBack {
                promised: *promised,
            },
        }
    }
}

/// What attempts to write a call's end carry.
#[derive(Debug)]
pub(super) enum Writing {
    /// A charge, which may be nothing, with its record.
    Charge(Box<Reckoned>),
    /// The hold, because nobody knows.
    GiveBack {
        /// Whether the tenant was told that nothing is charged.
        promised: bool,
    },
}

impl Settler {
    pub(super) fn new(parts: SettlerParts) -> Self {
        Self(Arc::new(Inner {
            parts,
            doubtful: Mutex::default(),
        }))
    }

    pub(super) fn metrics(&self) -> &CallMetrics {
        &self.0.parts.metrics
    }

    pub(super) fn keeper(&self) -> &Keeper {
        &self.0.parts.keeper
    }

    pub(super) fn policy(&self) -> UnknownPolicy {
        self.0.parts.unknown
    }

    pub(super) fn ledger(&self) -> &Ledger {
        &self.0.parts.ledger
    }

    pub(super) fn link(&self) -> &Arc<dyn Generations> {
        &self.0.parts.link
    }

    pub(super) fn now(&self) -> Moment {
        self.0.parts.clock.now()
    }

    /// Runs work beside the requests.
    pub(super) fn run_aside(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.0.parts.supervisor.spawn("detached call", work);
    }

    /// Settles a call that is over, on a task of its own.
    pub(super) fn spawn(&self, over: Over, end: End) -> Settled {
        let this = self.clone();
        let (done, settled) = oneshot::channel::<()>();
        let Over {
            facts,
            admission,
            receipt,
        } = over;
        let span =
            info_span!("settle", tenant.id = %facts.tenant, generation.id = %facts.generation);
        let work = async move {
            let verdict = match end {
                End::Known(outcome) => Some(Verdict::ended(*outcome)),
                End::TenantLeft { begun } => this.verdict_without_tenant(&facts, begun).await,
                End::NotDelivered => this.verdict_undelivered(&facts).await,
            };
            this.metrics().over();
            let Some(verdict) = verdict else { return };
            if let Verdict::Ended(ended) = &verdict {
                let usage = &ended.outcome.usage;
                admission.correct(usage.input_total().saturating_add(usage.output_total()));
            }
            let promised = matches!(verdict, Verdict::Unknown { promised: true });
            let written = this.settle_and_tell(&facts, verdict, receipt).await;
            // Dropping it tells whoever waits, also where the outcome went to disk.
            drop(done);
            if promised && written {
                this.tell_not_delivered(&facts).await;
            }
        };
        self.0
            .parts
            .supervisor
            .spawn("settle", work.instrument(span));
        Settled(settled)
    }

    /// Asks how a call ended whose tenant left; `None` where recovery must ask on.
    async fn verdict_without_tenant(&self, facts: &CallFacts, begun: bool) -> Option<Verdict> {
        match self.ask(facts, Parting::TenantLeft).await {
            Told::Ended(outcome) => Some(Verdict::ended(*outcome)),
            Told::Unknown { had: false } => {
                let why = "the tenant went away before the call was sent";
                let failure = failure(Fault::new(FaultKind::Canceled, why));
                let outcome = facts.nothing_produced(&failure, self.0.parts.clock.now());
                Some(Verdict::ended(outcome))
            }
            // No head of an answer came, so nothing reached the tenant.
            Told::Unknown { had: true } if !begun => Some(Verdict::Unknown { promised: false }),
            Told::Unknown { had: true } | Told::Away => {
                let id = &facts.generation;
                warn!("how generation `{id}` ended is not known yet; its hold waits for recovery");
                self.doubt(facts, Parting::TenantLeft);
                None
            }
        }
    }

    /// The tenant got nothing, as far as is known here. An answer that was to be kept may be kept all the same,
    /// where nobody learned that it was committed: then its hold says so, and it is charged. `None` where
    /// recovery must look, since that can't be read.
    async fn verdict_undelivered(&self, facts: &CallFacts) -> Option<Verdict> {
        if !facts.snapshot.detached || facts.test {
            return Some(Verdict::Unknown { promised: true });
        }
        let id = &facts.generation;
        for wait in SETTLE_WAITS_MS.map(Some).into_iter().chain([None]) {
            match self.ledger().hold_of(id).await {
                Ok(found) => {
                    let snapshot = found.and_then(|(hold, _)| hold.snapshot.read());
                    let Some(snapshot) = snapshot.filter(|snapshot| snapshot.ended.is_some())
                    else {
                        return Some(Verdict::Unknown { promised: true });
                    };
                    let kept = CallFacts {
                        snapshot,
                        ..facts.clone()
                    };
                    return kept.kept_end().map(Verdict::ended);
                }
                Err(error) => warn!(%error, "the hold of `{id}` could not be read: {error}"),
            }
            if let Some(wait) = wait {
                tokio::time::sleep(Duration::from_millis(wait)).await;
            }
        }
        warn!("whether the answer of `{id}` was kept is not known; its hold waits for recovery");
        self.doubt(facts, Parting::NotDelivered);
        None
    }

    /// Tells the gateway that the tenant got nothing, and learns what that costs. Where it can't be
    /// reached, recovery asks on.
    async fn tell_not_delivered(&self, facts: &CallFacts) {
        if let Told::Ended(outcome) = self.ask(facts, Parting::NotDelivered).await {
            let ended = Ended::as_not_delivered(*outcome);
            self.settle(facts, Verdict::ended(ended)).await;
        }
    }

    /// Asks until a gateway answers, with growing pauses for some seconds.
    async fn ask(&self, facts: &CallFacts, why: Parting) -> Told {
        for wait in FATE_WAITS_MS {
            match self.ask_once(facts, why).await {
                Told::Away => tokio::time::sleep(Duration::from_millis(wait)).await,
                told @ (Told::Ended(_) | Told::Unknown { .. }) => return told,
            }
        }
        self.ask_once(facts, why).await
    }

    /// Asks the gateways that may have taken the call how it ended, ending it if it runs.
    async fn ask_once(&self, facts: &CallFacts, why: Parting) -> Told {
        self.ask_at(&facts.snapshot.gateways, facts, why).await
    }

    /// As [`Settler::ask_once`], these gateways alone.
    pub(super) async fn ask_at(&self, at: &[String], facts: &CallFacts, why: Parting) -> Told {
        let (link, id) = (&self.0.parts.link, &facts.generation);
        let question = link.cancel(at, id, why);
        let answered = match why {
            Parting::TenantLeft => tokio::time::timeout(COUNT_MAX, question).await,
            Parting::Abandoned | Parting::NotDelivered => {
                tokio::time::timeout(QUESTION_MAX, question).await
            }
        };
        let answered =
            answered.unwrap_or_else(|_| Err(LinkError::Lost("no answer in time".to_owned())));
        let now = self.0.parts.clock.now();
        match answered {
            Ok(GenerationStatus::Ended { outcome }) => Told::Ended(outcome),
            Ok(GenerationStatus::Failed { failure }) | Err(LinkError::Failed(failure)) => {
                Told::Ended(Box::new(facts.nothing_produced(&failure, now)))
            }
            Ok(GenerationStatus::Unknown { had, memory_ms, .. }) => {
                // One whose memory begins later than the call may have had it and forgotten. Each
                // span is measured on its own side of the link. A server whose clock is off takes a call for
                // older or younger than it is: then it waits, or is told what it was told before.
                let age_ms = now.since(facts.created_at).as_millis();
                let forgot = memory_ms.is_some_and(|memory_ms| u128::from(memory_ms) < age_ms);
                Told::Unknown { had: had || forgot }
            }
            Err(LinkError::NotSent(_) | LinkError::Lost(_) | LinkError::Refused(_)) => Told::Away,
        }
    }

    /// Leaves a call of this process to recovery.
    fn doubt(&self, facts: &CallFacts, why: Parting) {
        if facts.test {
            // It holds nothing.
            return;
        }
        let doubtful = self.0.doubtful.lock();
        let mut doubtful = doubtful.unwrap_or_else(PoisonError::into_inner);
        doubtful.insert(facts.generation.clone(), (why, Instant::now()));
    }

    /// The calls of this process whose end could not be learned, taken out; those that still can't
    /// be are put back with [`Settler::still_doubtful`].
    pub(super) fn doubtful(&self) -> HashMap<GenerationId, (Parting, Instant)> {
        let doubtful = self.0.doubtful.lock();
        std::mem::take(&mut *doubtful.unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn still_doubtful(&self, id: GenerationId, why: Parting, since: Instant) {
        let doubtful = self.0.doubtful.lock();
        let mut doubtful = doubtful.unwrap_or_else(PoisonError::into_inner);
        doubtful.entry(id).or_insert((why, since));
    }

    /// Charges or gives back, and writes the record; answers whether it is in the database. Where
    /// that is away it goes to disk after some seconds, and is tried until it is written.
    pub(super) async fn settle(&self, facts: &CallFacts, verdict: Verdict) -> bool {
        self.settle_and_tell(facts, verdict, None).await
    }

    /// As [`Settler::settle`]; tells what was charged when it is in the database.
    async fn settle_and_tell(
        &self,
        facts: &CallFacts,
        verdict: Verdict,
        receipt: Option<ReceiptSender>,
    ) -> bool {
        let writing = verdict.reckon(facts);
        if let (Verdict::Ended(ended), Writing::Charge(reckoned)) = (&verdict, &writing) {
            self.note_end(facts, ended, reckoned);
        }
        let stopping = self.0.parts.supervisor.stopping();
        for wait in SETTLE_WAITS_MS.map(Some).into_iter().chain([None]) {
            let slow = async {
                tokio::select! {
                    () = tokio::time::sleep(WRITE_MAX) => {}
                    () = async {
                        stopping.cancelled().await;
                        tokio::time::sleep(WRITE_STOPPING_MAX).await;
                    } => {}
                }
            };
            tokio::select! {
                // A write that goes on all the same is not written twice: the ledger knows it again.
                written = self.write(facts, &writing) => match written {
                    Ok(settlement) => {
                        if let (Some(receipt), Writing::Charge(reckoned)) = (receipt, &writing) {
                            receipt.tell(&reckoned.record, settlement);
                        }
                        return true;
                    }
                    Err(error) => warn!(%error, "a settlement is tried again: {error}"),
                },
                () = slow => break,
            }
            let Some(wait) = wait.filter(|_| !stopping.is_cancelled()) else {
                break;
            };
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(wait)) => {}
                () = stopping.cancelled() => break,
            }
        }
        self.keeper().keep(Kept::new(facts, &verdict)).await;
        false
    }

    /// Counts a call's end, once, however often it must be written.
    fn note_end(&self, facts: &CallFacts, ended: &Ended, reckoned: &Reckoned) {
        self.0.parts.paces.learn(&ended.outcome);
        self.metrics()
            .ended(facts, &ended.outcome, &reckoned.record);
        self.note_person(facts, &ended.outcome);
        let unpriced = reckoned.charge.unpriced;
        if unpriced > 0 {
            let (id, model) = (&facts.generation, &reckoned.record.model);
            error!("the price of `{model}` has no rate for a unit of generation `{id}`");
            self.metrics().unpriced(unpriced, (model, facts.created_at));
        }
    }

    /// Tells of a person whom the provider refuses, or whose prompt it does.
    fn note_person(&self, facts: &CallFacts, outcome: &Outcome) {
        let kind = outcome.fault.as_ref().map(|fault| fault.kind);
        let is_about = matches!(
            kind,
            Some(FaultKind::EndUserBlocked | FaultKind::ContentPolicy)
        );
        let (Some(fault), Some(who), Some(end_users)) =
            (&outcome.fault, &facts.end_user, &self.0.parts.end_users)
        else {
            return;
        };
        // Nobody asks a provider with a test key.
        if !is_about || facts.test {
            return;
        }
        let (who, tenant, end_users) = (who.clone(), facts.tenant.clone(), end_users.clone());
        let (provider, detail) = (outcome.provider.clone(), fault.detail.clone());
        let is_blocked = fault.kind == FaultKind::EndUserBlocked;
        self.0.parts.supervisor.spawn("end user", async move {
            let told = (provider.as_str(), detail.as_str());
            if is_blocked {
                end_users.blocked(&tenant, &who, told).await;
            } else {
                end_users.flagged(&tenant, &who, told).await;
            }
        });
    }

    /// Writes once; answers what was charged. A hold that is closed already was closed by whoever knew
    /// before.
    pub(super) async fn write(
        &self,
        facts: &CallFacts,
        writing: &Writing,
    ) -> Result<Option<Settlement>, LedgerError> {
        let written = match writing {
            Writing::Charge(reckoned) => self.write_charge(facts, reckoned).await,
            Writing::GiveBack { promised } => {
                let given_back = self.give_back(facts, *promised).await;
                given_back.map(|()| Settlement::default())
            }
        };
        match written {
            Ok(settlement) => Ok(Some(settlement)),
            Err(SettleError::Ledger(error)) => Err(error),
            Err(error @ (SettleError::NoSuchHold | SettleError::Closed)) => {
                warn!(%error, "generation `{}` was not settled: {error}", facts.generation);
                Ok(None)
            }
        }
    }

    async fn write_charge(
        &self,
        facts: &CallFacts,
        reckoned: &Reckoned,
    ) -> Result<Settlement, SettleError> {
        let ledger = self.ledger();
        let (charge, record) = (reckoned.charge, reckoned.record.clone());
        if facts.test {
            ledger.record(record).await?;
            return Ok(Settlement::default());
        }
        let (hold, tenant) = (&facts.generation, &facts.tenant);
        let settlement = if charge.credits == Credits::ZERO {
            ledger.release(hold, tenant, Some(record)).await?
        } else {
            let settling = ledger.settle(hold, tenant, charge.credits, record);
            settling.await?
        };
        self.note(facts, settlement);
        if charge.not_taken > Credits::ZERO {
            self.metrics()
                .lost(Loss::NotTaken, charge.not_taken.micros());
        }
        Ok(settlement)
    }

    fn note(&self, facts: &CallFacts, settlement: Settlement) {
        self.metrics().charged(settlement.charged.micros());
        if let Some(loss) = settlement.loss {
            let (id, lost) = (&facts.generation, settlement.shortfall);
            warn!(tenant.id = %facts.tenant, "generation `{id}` came to {lost} credits that nobody pays: {}", loss.word());
            self.metrics().lost(loss, lost.micros());
        }
    }

    async fn give_back(&self, facts: &CallFacts, promised: bool) -> Result<(), SettleError> {
        let ledger = self.ledger();
        let now = self.now();
        let why = if promised {
            "the link broke before the answer was delivered"
        } else {
            "how the call ended is not known"
        };
        let record = facts.unknown_record(Fault::new(FaultKind::Interrupted, why), now);
        if facts.test {
            return Ok(ledger.record(record).await?);
        }
        let unknown = Unknown {
            ask_until: now.after(self.policy().ask_for),
            promised,
        };
        let (hold, tenant) = (&facts.generation, &facts.tenant);
        ledger.give_back(hold, tenant, unknown, record).await
    }

    /// How a call ends that is stopped because this process stops: the tenant's side has taken so
    /// much. `None` where the gateway does not say so in time.
    pub(super) async fn stopped(&self, facts: &CallFacts) -> Option<Outcome> {
        match self.ask_once(facts, Parting::Abandoned).await {
            Told::Ended(outcome) => Some(Ended::as_taken(*outcome).outcome),
            Told::Unknown { .. } | Told::Away => None,
        }
    }
}

/// How long the last byte of an answer waits for its settlement; a database that is away longer
/// must not keep an answer that is there.
const SETTLED_WAIT: Duration = Duration::from_secs(10);

/// Tells when a call's settlement is committed, or on disk where the database is away.
#[derive(Debug)]
pub struct Settled(oneshot::Receiver<()>);

impl Settled {
    /// Waits for the commit, within limits.
    pub async fn wait(self) {
        // Either the sender was dropped at the end of the settlement, or time is up.
        let _ = tokio::time::timeout(SETTLED_WAIT, self.0).await;
    }
}

/// How a call ended, as far as its side knows.
pub(super) enum End {
    /// The gateway told.
    Known(Box<Outcome>),
    /// The tenant left; `begun` where it may have got something.
    TenantLeft { begun: bool },
    /// The tenant gets nothing and is told that nothing is charged, whatever the provider does.
    NotDelivered,
}

/// A call that is over and waits for its settlement.
pub(super) struct Over {
    pub(super) facts: CallFacts,
    pub(super) admission: Admission,
    /// Where somebody waits for the charge.
    pub(super) receipt: Option<ReceiptSender>,
}
