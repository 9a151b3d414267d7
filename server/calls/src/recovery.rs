//! Closes holds that nobody looks after: asks the gateways that may have taken each call how it
//! ended, then settles or gives back. A hold whose call's end nobody knows is given back after a
//! while, and asked about on. Who is asked when is decided by `lanes`.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream;
use server_rooms::ledger::recovery::Watch;
use server_rooms::ledger::{Hold, HoldState};
use shared::clock::Moment;
use shared::db::DbError;
use shared::fault::{Fault, FaultKind};
use shared::id::{BootId, GenerationId};
use shared::link::Parting;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::Calls;
use super::facts::{CallFacts, Ended};
use super::kept::{Place, priced};
use super::lanes::{Inquiry, Lanes};
use super::settle::{Told, Verdict};

/// Holds looked up at once.
const AT_ONCE: usize = 32;
/// Between two rounds over calls whose end nobody knows.
const UNKNOWN_EVERY: Duration = Duration::from_secs(600);

/// How recovery looks for abandoned holds.
#[derive(Debug, Clone, Copy)]
pub struct RecoveryPace {
    /// Between two rounds.
    pub every: Duration,
    /// A process that shows no sign of life for so long is gone.
    pub silent: Duration,
}

/// What recovery remembers from round to round.
#[derive(Debug)]
pub struct Rounds {
    watch: Watch,
    /// Since when it is asked in vain how these ended.
    since: HashMap<GenerationId, Instant>,
    unknown_asked: Option<Instant>,
    lanes: Lanes,
}

impl Rounds {
    /// A process without a sign of life for `silent` is gone.
    pub fn new(silent: Duration) -> Self {
        Self {
            watch: Watch::new(silent),
            since: HashMap::new(),
            unknown_asked: None,
            lanes: Lanes::default(),
        }
    }
}

/// Why a call is asked about.
pub(super) enum Cause {
    /// Its owner is gone or should have ended it; its end is not known since then.
    Abandoned(Instant),
    /// Its owner is this process, and could not learn its end.
    Doubtful(Instant),
    /// It was given back for want of knowledge, and is asked about until then.
    GivenBack(Moment),
}

impl Calls {
    /// Looks after abandoned holds at start and round after round, until told to stop. No round waits
    /// for the questions of the one before: a gateway may be away for longer.
    pub async fn recover_forever(self, pace: RecoveryPace, stop: CancellationToken) {
        let mut rounds = Rounds::new(pace.silent);
        while !stop.is_cancelled() {
            self.begin_round(&mut rounds).await;
            let mut rest = std::pin::pin!(tokio::time::sleep(pace.every));
            loop {
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = &mut rest => break,
                    Some(closed) = rounds.lanes.next() => tell(closed),
                }
            }
        }
    }

    /// One round with all its questions; answers how many holds it closed.
    pub async fn recover(&self, rounds: &mut Rounds) -> usize {
        self.begin_round(rounds).await;
        let mut closed: usize = 0;
        while let Some(more) = rounds.lanes.next().await {
            closed = closed.saturating_add(more);
        }
        tell(closed);
        closed
    }

    /// Looks for holds that nobody looks after, and starts to ask about them.
    async fn begin_round(&self, rounds: &mut Rounds) {
        let gone = match self.ledger.gone(&mut rounds.watch).await {
            Ok(gone) => gone,
            Err(error) => {
                warn!(%error, "abandoned holds could not be read: {error}");
                return;
            }
        };
        if let Ok(lives) = self.ledger.processes().await {
            let skews = lives.iter().map(|life| life.skew_ms.unsigned_abs());
            self.settler.metrics().skew(skews.max().unwrap_or(0));
        }
        let mut inquiries = self.abandoned(&gone, &mut rounds.since).await;
        inquiries.extend(self.doubtful().await);
        rounds.lanes.ask(self, inquiries);
        let asked = rounds.unknown_asked;
        if asked.is_none_or(|asked| asked.elapsed() >= UNKNOWN_EVERY) {
            rounds.unknown_asked = Some(Instant::now());
            let asking = self.clone().ask_about_unknown();
            rounds.lanes.beside("unknown", asking);
        }
    }

    /// Those of processes that died, and the own ones that should have ended. Remembers since when.
    async fn abandoned(
        &self,
        gone: &[BootId],
        since: &mut HashMap<GenerationId, Instant>,
    ) -> Vec<Inquiry> {
        let (mut inquiries, mut seen, mut last) = (Vec::new(), HashMap::new(), None);
        loop {
            let page = match self.ledger.abandoned(gone, last.as_ref()).await {
                Ok(page) => page,
                Err(error) => {
                    warn!(%error, "abandoned holds could not be read: {error}");
                    // What was not looked at keeps its time.
                    seen.extend(since.drain());
                    break;
                }
            };
            let Some(end) = page.last().cloned() else {
                break;
            };
            last = Some(end);
            let looking = page.into_iter().map(|hold| {
                let known = since.get(&hold.id).copied();
                let since = known.unwrap_or_else(Instant::now);
                seen.insert(hold.id.clone(), since);
                self.inquiry(hold, Parting::Abandoned, Cause::Abandoned(since))
            });
            let looking: Vec<_> = looking.collect();
            let looked = stream::iter(looking).buffer_unordered(AT_ONCE);
            inquiries.extend(
                looked
                    .filter_map(std::future::ready)
                    .collect::<Vec<_>>()
                    .await,
            );
        }
        *since = seen;
        inquiries
    }

    /// The own ones of which it could not be learned how they ended.
    async fn doubtful(&self) -> Vec<Inquiry> {
        let doubtful = self.settler.doubtful();
        let looking = doubtful.into_iter().map(|(id, (why, since))| async move {
            let hold = match self.ledger.hold_of(&id).await {
                Ok(Some((hold, _))) if hold.state == HoldState::Held => hold,
                Ok(_) => return None,
                Err(error) => {
                    warn!(%error, "the hold of `{id}` could not be read: {error}");
                    self.settler.still_doubtful(id, why, since);
                    return None;
                }
            };
            self.inquiry(hold, why, Cause::Doubtful(since)).await
        });
        let looked = stream::iter(looking).buffer_unordered(AT_ONCE);
        looked.filter_map(std::future::ready).collect().await
    }

    /// What is to be asked about a hold; nothing where its end is known here already.
    async fn inquiry(&self, hold: Hold, why: Parting, cause: Cause) -> Option<Inquiry> {
        if self.settler.keeper().has(&hold.id) {
            return None;
        }
        match self.facts_of(&hold).await {
            Ok(Some(facts)) if is_for_its_keeper(&facts, why, &cause) => {
                self.close_detached(&facts).await;
            }
            Ok(Some(facts)) => return Some(Inquiry::new(facts, why, cause)),
            Ok(None) if !matches!(cause, Cause::GivenBack(_)) => {
                // Of a version that deleted prices: the loss is the platform's, not the tenant's.
                error!("hold `{}` can't be priced and is released", hold.id);
                if let Err(error) = self.ledger.release(&hold.id, &hold.tenant, None).await {
                    warn!(%error, "hold `{}` was not released: {error}", hold.id);
                }
            }
            Ok(None) => {}
            Err(error) => {
                warn!(%error, "the price of hold `{}` could not be read: {error}", hold.id);
                if let Cause::Doubtful(since) = cause {
                    self.settler.still_doubtful(hold.id, why, since);
                }
            }
        }
        None
    }

    /// Charges the answer of a detached call that is kept; else nobody keeps it.
    async fn close_detached(&self, facts: &CallFacts) {
        let id = &facts.generation;
        if let Some(ended) = facts.kept_end() {
            // Its answer can be read since then.
            self.settler.settle(facts, Verdict::ended(ended)).await;
            info!("the answer of `{id}` was kept; it is charged");
        } else if facts.snapshot.ended.is_some() {
            // Its answer can be read, so it is neither given back nor asked about.
            error!(
                "how `{id}` ended is written as this version can't read; its hold waits for one that can"
            );
        } else {
            // Who was to keep its answer is gone with it: it is told as failed, and costs nothing.
            let verdict = Verdict::Unknown { promised: true };
            self.settler.settle(facts, verdict).await;
            warn!("nobody keeps the answer of `{id}`; its hold is given back");
        }
    }

    /// Acts on what gateways said of a call; tells whether its hold was closed.
    pub(super) async fn decide(&self, inquiry: &Inquiry, told: Told) -> bool {
        let Inquiry {
            facts, why, cause, ..
        } = inquiry;
        let id = &facts.generation;
        if let Told::Ended(outcome) = told {
            if matches!(cause, Cause::GivenBack(_)) {
                info!("it is known now how generation `{id}` ended");
            }
            let ended = ended(*outcome, *why);
            self.settler.settle(facts, Verdict::ended(ended)).await;
            return !matches!(cause, Cause::GivenBack(_));
        }
        let (Cause::Abandoned(since) | Cause::Doubtful(since)) = cause else {
            self.conclude_in_time(facts, cause).await;
            return false;
        };
        let is_clear = matches!(told, Told::Unknown { had: false });
        if is_clear || since.elapsed() >= self.settler.policy().release_after {
            let verdict = Verdict::Unknown { promised: false };
            self.settler.settle(facts, verdict).await;
            warn!("nobody knows how generation `{id}` ended; its hold is given back");
            return true;
        }
        if matches!(cause, Cause::Doubtful(_)) {
            self.settler.still_doubtful(id.clone(), *why, *since);
        }
        false
    }

    /// Asks about calls whose holds were given back because nobody knew. What is known now counts;
    /// what is not known when its time is over never will be.
    async fn ask_about_unknown(self) -> usize {
        let mut last: Option<Hold> = None;
        loop {
            let page = match self.ledger.unknown(last.as_ref()).await {
                Ok(page) => page,
                Err(error) => {
                    warn!(%error, "calls with an unknown end could not be read: {error}");
                    return 0;
                }
            };
            let Some(end) = page.last().cloned() else {
                return 0;
            };
            last = Some(end);
            let looking = page.into_iter().filter_map(|hold| {
                let unknown = hold.unknown?;
                let why = if unknown.promised {
                    Parting::NotDelivered
                } else {
                    Parting::Abandoned
                };
                Some(self.inquiry(hold, why, Cause::GivenBack(unknown.ask_until)))
            });
            let looked = stream::iter(looking.collect::<Vec<_>>()).buffer_unordered(AT_ONCE);
            let inquiries = looked.filter_map(std::future::ready).collect().await;
            let mut lanes = Lanes::default();
            lanes.ask(&self, inquiries);
            while lanes.next().await.is_some() {}
        }
    }

    /// Nobody will ever know, where the time to ask is over.
    async fn conclude_in_time(&self, facts: &CallFacts, cause: &Cause) {
        let now = self.clock.now();
        if !matches!(cause, Cause::GivenBack(ask_until) if *ask_until <= now) {
            return;
        }
        let why = "how the call ended was never learned";
        let record = facts.unknown_record(Fault::new(FaultKind::Interrupted, why), now);
        let (hold, tenant) = (&facts.generation, &facts.tenant);
        if let Err(error) = self.ledger.release(hold, tenant, Some(record)).await {
            warn!(%error, "hold `{hold}` was not closed for good: {error}");
        }
    }

    async fn facts_of(&self, hold: &Hold) -> Result<Option<CallFacts>, DbError> {
        let snapshot = hold.snapshot.read();
        let Some(snapshot) = snapshot.filter(|snapshot| snapshot.price.is_some()) else {
            return Ok(None);
        };
        let place = Place {
            generation: hold.id.clone(),
            tenant: hold.tenant.clone(),
            created_at: hold.created_at,
        };
        priced(&self.catalogue, place, snapshot).await
    }
}

fn tell(closed: usize) {
    if closed > 0 {
        info!("closed {closed} holds that were left open");
    }
}

/// Whether an open hold's end is known by whether its answer was kept, and by no gateway.
fn is_for_its_keeper(facts: &CallFacts, why: Parting, cause: &Cause) -> bool {
    let nobody_keeps = match cause {
        Cause::Abandoned(_) => true,
        Cause::Doubtful(_) => matches!(why, Parting::NotDelivered),
        Cause::GivenBack(_) => return false,
    };
    facts.snapshot.detached && (nobody_keeps || facts.snapshot.ended.is_some())
}

/// What of an outcome counts, by why it was asked for.
fn ended(outcome: shared::link::Outcome, why: Parting) -> Ended {
    match why {
        Parting::TenantLeft => outcome.into(),
        Parting::Abandoned => Ended::as_taken(outcome),
        Parting::NotDelivered => Ended::as_not_delivered(outcome),
    }
}
