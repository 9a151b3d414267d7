//! Closes holds that nobody looks after: asks the gateways that may have taken each call how it
//! ended, many at once, then settles or gives back. One that does not answer keeps nobody else's
//! waiting. A hold whose call's end nobody knows is given back after a while, and asked about on.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream;
use shared::clock::Moment;
use shared::db::DbError;
use shared::fault::{Fault, FaultKind};
use shared::id::{BootId, GenerationId};
use shared::link::Parting;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::Calls;
use super::facts::{CallFacts, Ended, KeptFacts};
use super::finish::{Told, Verdict};
use super::kept::{Place, priced};
use crate::ledger::recovery::Watch;
use crate::ledger::{Hold, HoldState};

/// Questions at once; each is bounded, and gateways answer from memory.
const AT_ONCE: usize = 32;
/// A gateway that left so many questions of a round without an answer is asked no more in it.
const MISSES_MAX: u32 = 8;
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
}

impl Rounds {
    /// A process without a sign of life for `silent` is gone.
    pub fn new(silent: Duration) -> Self {
        Self {
            watch: Watch::new(silent),
            since: HashMap::new(),
            unknown_asked: None,
        }
    }
}

/// One round: who did not answer in it.
#[derive(Default)]
struct Round(Mutex<HashMap<Vec<String>, u32>>);

impl Round {
    fn is_away(&self, gateways: &[String]) -> bool {
        let misses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        misses.get(gateways).is_some_and(|n| *n >= MISSES_MAX)
    }

    fn missed(&self, gateways: &[String]) {
        let mut misses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let missed = misses.entry(gateways.to_vec()).or_default();
        *missed = missed.saturating_add(1);
    }
}

/// What became of a hold in a round.
enum Looked {
    Closed,
    /// Its end is not known yet.
    Waits(GenerationId, Instant),
    /// Somebody else's business, or the database's.
    Left,
}

impl Calls {
    /// Looks after abandoned holds at start and round after round, until told to stop.
    pub async fn recover_forever(self, pace: RecoveryPace, stop: CancellationToken) {
        let mut rounds = Rounds::new(pace.silent);
        while !stop.is_cancelled() {
            self.recover(&mut rounds).await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pace.every) => {}
            }
        }
    }

    /// One round; answers how many holds it closed.
    pub async fn recover(&self, rounds: &mut Rounds) -> usize {
        let gone = match self.ledger.gone(&mut rounds.watch).await {
            Ok(gone) => gone,
            Err(error) => {
                warn!(%error, "abandoned holds could not be read: {error}");
                return 0;
            }
        };
        if let Ok(lives) = self.ledger.processes().await {
            let skews = lives.iter().map(|life| life.skew_ms.unsigned_abs());
            self.finisher.metrics().skew(skews.max().unwrap_or(0));
        }
        let round = Round::default();
        let mut closed = self.recover_abandoned(&gone, rounds, &round).await;
        closed = closed.saturating_add(self.recover_doubtful(&round).await);
        if closed > 0 {
            info!("closed {closed} holds that were left open");
        }
        let asked = rounds.unknown_asked;
        if asked.is_none_or(|asked| asked.elapsed() >= UNKNOWN_EVERY) {
            rounds.unknown_asked = Some(Instant::now());
            self.ask_about_unknown(&round).await;
        }
        closed
    }

    /// Those of processes that died, and the own ones that should have ended.
    async fn recover_abandoned(
        &self,
        gone: &[BootId],
        rounds: &mut Rounds,
        round: &Round,
    ) -> usize {
        let (mut closed, mut waiting, mut last) = (0_usize, HashMap::new(), None);
        loop {
            let page = match self.ledger.abandoned(gone, last.as_ref()).await {
                Ok(page) => page,
                Err(error) => {
                    warn!(%error, "abandoned holds could not be read: {error}");
                    // What was not looked at keeps its time.
                    waiting.extend(rounds.since.drain());
                    break;
                }
            };
            let Some(end) = page.last().cloned() else {
                break;
            };
            last = Some(end);
            let since = &rounds.since;
            let looking = page.into_iter().map(|hold| async move {
                let since = since.get(&hold.id).copied().unwrap_or_else(Instant::now);
                self.close(hold, Parting::Abandoned, since, round).await
            });
            let mut looked = stream::iter(looking).buffer_unordered(AT_ONCE);
            while let Some(looked) = looked.next().await {
                match looked {
                    Looked::Closed => closed = closed.saturating_add(1),
                    Looked::Waits(id, since) => drop(waiting.insert(id, since)),
                    Looked::Left => {}
                }
            }
        }
        rounds.since = waiting;
        closed
    }

    /// The own ones of which it could not be learned how they ended.
    async fn recover_doubtful(&self, round: &Round) -> usize {
        let doubtful = self.finisher.doubtful();
        let looking = doubtful.into_iter().map(|(id, (why, since))| async move {
            let hold = match self.ledger.hold_of(&id).await {
                Ok(Some((hold, _))) if hold.state == HoldState::Held => hold,
                Ok(_) => return Looked::Left,
                Err(error) => {
                    warn!(%error, "the hold of `{id}` could not be read: {error}");
                    self.finisher.still_doubtful(id, why, since);
                    return Looked::Left;
                }
            };
            let looked = self.close(hold, why, since, round).await;
            if let Looked::Waits(id, since) = &looked {
                self.finisher.still_doubtful(id.clone(), why, *since);
            }
            looked
        });
        let looked = stream::iter(looking).buffer_unordered(AT_ONCE);
        let closed = looked.filter(|looked| std::future::ready(matches!(looked, Looked::Closed)));
        closed.count().await
    }

    /// Closes one hold, if it can be known how.
    async fn close(&self, hold: Hold, why: Parting, since: Instant, round: &Round) -> Looked {
        if self.finisher.keeper().has(&hold.id) {
            return Looked::Left;
        }
        let facts = match self.facts_of(&hold).await {
            Ok(Some(facts)) => facts,
            Ok(None) => {
                // Of a version that deleted prices: the loss is the platform's, not the tenant's.
                error!("hold `{}` can't be priced and is released", hold.id);
                if let Err(error) = self.ledger.release(&hold.id, &hold.tenant, None).await {
                    warn!(%error, "hold `{}` was not released: {error}", hold.id);
                }
                return Looked::Closed;
            }
            Err(error) => {
                warn!(%error, "the price of hold `{}` could not be read: {error}", hold.id);
                return Looked::Left;
            }
        };
        match self.told(&facts, why, round).await {
            Told::Ended(outcome) => {
                let ended = ended(*outcome, why);
                self.finisher.settle(&facts, Verdict::ended(ended)).await;
                Looked::Closed
            }
            told @ (Told::Unknown { .. } | Told::Away)
                if matches!(told, Told::Unknown { had: false })
                    || since.elapsed() >= self.finisher.policy().release_after =>
            {
                let verdict = Verdict::Unknown { promised: false };
                self.finisher.settle(&facts, verdict).await;
                warn!(
                    "nobody knows how generation `{}` ended; its hold is given back",
                    hold.id
                );
                Looked::Closed
            }
            Told::Unknown { .. } | Told::Away => Looked::Waits(hold.id, since),
        }
    }

    /// Asks, unless these gateways did not answer others in this round.
    async fn told(&self, facts: &CallFacts, why: Parting, round: &Round) -> Told {
        if round.is_away(&facts.gateways) {
            return Told::Away;
        }
        let told = self.finisher.ask_once(facts, why).await;
        if matches!(told, Told::Away) {
            round.missed(&facts.gateways);
        }
        told
    }

    /// Asks about calls whose holds were given back because nobody knew. What is known now counts;
    /// what is not known when its time is over never will be.
    async fn ask_about_unknown(&self, round: &Round) {
        let mut last: Option<Hold> = None;
        loop {
            let page = match self.ledger.unknown(last.as_ref()).await {
                Ok(page) => page,
                Err(error) => {
                    warn!(%error, "calls with an unknown end could not be read: {error}");
                    return;
                }
            };
            let Some(end) = page.last().cloned() else {
                return;
            };
            last = Some(end);
            let asking = page.into_iter().map(|hold| self.ask_about(hold, round));
            let asked = stream::iter(asking).buffer_unordered(AT_ONCE);
            asked.for_each(|()| std::future::ready(())).await;
        }
    }

    async fn ask_about(&self, hold: Hold, round: &Round) {
        let (Some(unknown), Ok(Some(facts))) = (hold.unknown, self.facts_of(&hold).await) else {
            return;
        };
        let why = if unknown.promised {
            Parting::NotDelivered
        } else {
            Parting::Abandoned
        };
        let now = self.clock.now();
        match self.told(&facts, why, round).await {
            Told::Ended(outcome) => {
                info!("it is known now how generation `{}` ended", hold.id);
                let ended = ended(*outcome, why);
                self.finisher.settle(&facts, Verdict::ended(ended)).await;
            }
            Told::Unknown { .. } | Told::Away if unknown.ask_until <= now => {
                self.conclude(&facts, now).await;
            }
            Told::Unknown { .. } | Told::Away => {}
        }
    }

    /// Nobody will ever know.
    async fn conclude(&self, facts: &CallFacts, now: Moment) {
        let why = "how the call ended was never learned";
        let record = facts.unknown_record(Fault::new(FaultKind::Interrupted, why), now);
        let (hold, tenant) = (&facts.generation, &facts.tenant);
        if let Err(error) = self.ledger.release(hold, tenant, Some(record)).await {
            warn!(%error, "hold `{hold}` was not closed for good: {error}");
        }
    }

    async fn facts_of(&self, hold: &Hold) -> Result<Option<CallFacts>, DbError> {
        let Ok(kept) = serde_json::from_str::<KeptFacts>(&hold.call) else {
            return Ok(None);
        };
        if kept.price.is_none() {
            return Ok(None);
        }
        let place = Place {
            generation: hold.id.clone(),
            tenant: hold.tenant.clone(),
            created_at: hold.created_at,
        };
        priced(&self.catalogue, place, kept).await
    }
}

/// What of an outcome counts, by why it was asked for.
fn ended(outcome: shared::link::Outcome, why: Parting) -> Ended {
    match why {
        Parting::TenantLeft => outcome.into(),
        Parting::Abandoned => Ended::as_taken(outcome),
        Parting::NotDelivered => Ended::as_not_delivered(outcome),
    }
}
