//! A call from its admission to its settlement, by type: what is not held can't be sent, and however a
//! call is left, it is settled or its hold released. Reckons nothing.
//!
//! | stage | what it may do | dropped |
//! |---|---|---|
//! | [`Unheld`] | place its hold | released, should the hold have been placed |
//! | [`Held`] | become a call for the link | released |
//! | [`Sent`] | end, begin | its gateway is asked how it ended |
//! | [`Answering`] | end | the same, and the tenant may have got something |

use std::marker::PhantomData;

use server_rooms::ledger::{HoldError, HoldRequest, Owner, Spender, StoredSnapshot};
use server_rooms::limits::Admission;
use shared::clock::Moment;
use shared::credits::Credits;
use shared::dialect::Dialect;
use shared::fault::{Fault, FaultKind};
use shared::link::{Call, Failure, LinkError, Outcome, Reply};
use shared::zone::Zone;
use tracing::warn;

use super::CallError;
use super::asked::unreachable;
use super::closing::Closing;
use super::facts::failure;
use super::receipt::ReceiptSender;
use super::settle::{CallFacts, End, Over, Settled, Settler};

/// Nothing is held yet, or nobody knows whether it is.
#[derive(Debug)]
pub(super) struct Unheld;
/// What it may cost is held, and no gateway knows of it.
#[derive(Debug)]
pub(super) struct Held;
/// A gateway may know of it.
#[derive(Debug)]
pub(super) struct Sent;
/// The tenant may have got something of it.
#[derive(Debug)]
pub(super) struct Answering;

/// A call that must be settled: tell it how it ended, or drop it and it finds out.
#[derive(Debug)]
pub(super) struct OpenCall<Stage> {
    guard: Guard,
    stage: PhantomData<Stage>,
}

/// Settles what is left without a word.
#[derive(Debug)]
struct Guard {
    settler: Settler,
    /// Gone when it ended.
    open: Option<(CallFacts, Admission)>,
    receipt: Option<ReceiptSender>,
    left: Left,
}

/// What becomes of a call that is dropped.
#[derive(Debug, Clone, Copy)]
enum Left {
    BeforeSent,
    Sent { begun: bool },
}

/// What a hold is placed with, beside its call.
#[derive(Debug)]
pub(super) struct HoldTerms {
    /// The worst case.
    pub(super) amount: Credits,
    /// The least that is useful.
    pub(super) least: Credits,
    /// Whose budgets it counts against.
    pub(super) spenders: Vec<Spender>,
    /// Where the tenant's days begin.
    pub(super) zone: Zone,
    /// When recovery looks after it.
    pub(super) deadline_at: Moment,
}

impl Settler {
    /// Takes over a call that is admitted; `receipt` is told what it was charged.
    pub(super) fn begin(
        &self,
        facts: CallFacts,
        admission: Admission,
        receipt: Option<ReceiptSender>,
    ) -> OpenCall<Unheld> {
        self.metrics().begun();
        let guard = Guard {
            settler: self.clone(),
            open: Some((facts, admission)),
            receipt,
            left: Left::BeforeSent,
        };
        OpenCall {
            guard,
            stage: PhantomData,
        }
    }
}

impl<Stage> OpenCall<Stage> {
    /// What is known of the call.
    pub(super) fn facts(&self) -> &CallFacts {
        let open = self.guard.open.as_ref();
        &open.expect("a call is open until it is consumed").0
    }

    fn into_stage<Next>(mut self, left: Left) -> OpenCall<Next> {
        self.guard.left = left;
        OpenCall {
            guard: self.guard,
            stage: PhantomData,
        }
    }

    /// It ended.
    fn end(mut self, outcome: Outcome) -> Settled {
        let end = End::Known(Box::new(outcome));
        let settled = self.guard.spawn(|_| end);
        settled.expect("a call is open until it is consumed")
    }

    /// It ended before anything was produced.
    fn end_with_nothing(mut self, failure: &Failure) {
        self.guard.nothing_produced(failure);
    }
}

impl OpenCall<Unheld> {
    /// Sets credits aside; answers how many. Nothing is left open where that is refused.
    pub(super) async fn hold(
        mut self,
        terms: HoldTerms,
    ) -> Result<(OpenCall<Held>, Credits), HoldError> {
        let (ledger, facts) = (self.guard.settler.ledger(), self.facts());
        let request = HoldRequest {
            id: facts.generation.clone(),
            tenant: facts.tenant.clone(),
            amount: terms.amount,
            least: terms.least,
            spenders: terms.spenders,
            zone: terms.zone,
            owner: Owner::Process(ledger.boot().clone()),
            snapshot: StoredSnapshot::from(&facts.snapshot),
            deadline_at: terms.deadline_at,
        };
        let held = ledger.hold(request).await;
        match held {
            Ok(held) => Ok((self.into_stage(Left::BeforeSent), held)),
            Err(error) => {
                self.guard.forget();
                Err(error)
            }
        }
    }

    /// Calls with a test key cost nothing, and nothing is set aside for them.
    pub(super) fn hold_nothing(self) -> OpenCall<Held> {
        assert!(self.facts().test, "only a test call goes without a hold");
        self.into_stage(Left::BeforeSent)
    }

    /// It is refused before anything is held.
    pub(super) fn refuse(mut self) {
        self.guard.forget();
    }
}

impl OpenCall<Held> {
    /// As a call for the link.
    pub(super) fn outgoing(self, call: impl FnOnce(&CallFacts) -> Call) -> Outgoing {
        let call = call(self.facts());
        assert!(
            call.generation == self.facts().generation,
            "a call is sent under the id of its hold"
        );
        Outgoing { call, open: self }
    }
}

impl OpenCall<Sent> {
    /// The gateway told how it ended.
    pub(super) fn ended(self, outcome: Outcome) -> Settled {
        self.end(outcome)
    }

    /// Nothing was produced.
    fn never_started(self, failure: &Failure) {
        self.end_with_nothing(failure);
    }

    /// The tenant gets nothing and is told that nothing is charged, whatever the provider does.
    pub(super) fn not_delivered(mut self) {
        self.guard.spawn(|_| End::NotDelivered);
    }

    /// From now on the tenant may have got something.
    pub(super) fn begun(self) -> OpenCall<Answering> {
        self.into_stage(Left::Sent { begun: true })
    }
}

impl OpenCall<Answering> {
    /// The gateway told how it ended.
    pub(super) fn ended(self, outcome: Outcome) -> Settled {
        self.end(outcome)
    }
}

impl Guard {
    fn spawn(&mut self, end: impl FnOnce(&CallFacts) -> End) -> Option<Settled> {
        let (facts, admission) = self.open.take()?;
        let end = end(&facts);
        let over = Over {
            facts,
            admission,
            receipt: self.receipt.take(),
        };
        Some(self.settler.spawn(over, end))
    }

    fn nothing_produced(&mut self, failure: &Failure) {
        let now = self.settler.now();
        self.spawn(|facts| End::Known(Box::new(facts.nothing_produced(failure, now))));
    }

    /// There is nothing to close.
    fn forget(&mut self) {
        if self.open.take().is_some() {
            self.settler.metrics().over();
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        match self.left {
            Left::Sent { begun } => {
                // Also what was to be fetched later: who cancels pays as who leaves.
                self.spawn(|_| End::TenantLeft { begun });
            }
            Left::BeforeSent => {
                // The tenant went away while its hold was being written; the ledger takes commands
                // in order, so the release finds the hold or there is none.
                let why = "the tenant went away before the call was sent";
                self.nothing_produced(&failure(Fault::new(FaultKind::Canceled, why)));
            }
        }
    }
}

/// A call that is held for, ready for the link.
#[derive(Debug)]
pub(super) struct Outgoing {
    call: Call,
    open: OpenCall<Held>,
}

impl Outgoing {
    /// Whether a stream is asked for.
    pub(super) fn is_stream(&self) -> bool {
        self.call.stream
    }

    /// What it is asked and answered in.
    pub(super) fn dialect(&self) -> &'static dyn Dialect {
        self.call.surface.dialect
    }

    /// Sends it, and waits until a provider accepts it or the process ends.
    pub(super) async fn open(self, closing: Closing) -> Result<(Reply, OpenCall<Sent>), CallError> {
        let Self { call, open } = self;
        let open: OpenCall<Sent> = open.into_stage(Left::Sent { begun: false });
        let link = open.guard.settler.link().clone();
        let opened = tokio::select! {
            // The call first: the other is the exception.
            biased;
            opened = link.open(call) => opened,
            () = closing.begun() => {
                open.not_delivered();
                return Err(CallError::Stopping);
            }
        };
        match opened {
            Ok(reply) => Ok((reply, open)),
            Err(LinkError::Failed(failure)) => {
                open.never_started(&failure);
                Err(CallError::Failed(failure))
            }
            Err(error @ (LinkError::NotSent(_) | LinkError::Refused(_))) => {
                warn!(%error, "a call was not sent: {error}");
                open.never_started(&unreachable(&error));
                Err(CallError::Link(error))
            }
            Err(error @ LinkError::Lost(_)) => {
                warn!(%error, "a call's link broke before its answer: {error}");
                // A provider may work on it, or be done: the tenant gets nothing of it and pays nothing.
                open.not_delivered();
                Err(CallError::Link(error))
            }
        }
    }
}

#[cfg(test)]
mod tests;
