//! Questions about many calls to many gateways, each gateway in a lane of its own: one that does not
//! answer keeps nobody waiting but the calls that it alone may have taken. Decides nothing about holds.

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream::{self, FuturesUnordered};
use futures_util::{FutureExt, StreamExt};
use shared::link::Parting;

use super::Calls;
use super::facts::CallFacts;
use super::recovery::Cause;
use super::settle::Told;

/// Questions to a gateway at once; each is bounded, and gateways answer from memory.
const AT_ONCE: usize = 32;
/// A gateway that left so many questions in a row without an answer is asked no more in this run.
const MISSES_MAX: u32 = 8;
/// Calls that wait in a lane, as many as a large server has open at once; each has about a kilobyte.
/// The rest is asked about in a later round.
const WAITING_MAX: usize = 16_384;

/// A call, asked about at every gateway that may have taken it.
pub(super) struct Inquiry {
    pub(super) facts: CallFacts,
    pub(super) why: Parting,
    pub(super) cause: Cause,
    heard: Mutex<Heard>,
}

/// What was heard of a call so far.
#[derive(Default)]
struct Heard {
    /// Answers to come.
    open: usize,
    had: bool,
    away: bool,
    decided: bool,
}

impl Inquiry {
    pub(super) fn new(facts: CallFacts, why: Parting, cause: Cause) -> Self {
        Self {
            facts,
            why,
            cause,
            heard: Mutex::default(),
        }
    }

    fn is_decided(&self) -> bool {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.decided
    }

    fn hear(&self, told: Told) -> Option<Told> {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.hear(told)
    }
}

impl Heard {
    /// Takes a gateway's answer in; tells what is known as soon as that is decided: the first gateway
    /// that knows answers for all, and one that does not answer may be the one that knows.
    fn hear(&mut self, told: Told) -> Option<Told> {
        if self.decided {
            return None;
        }
        self.open = self.open.saturating_sub(1);
        match told {
            Told::Ended(_) => {
                self.decided = true;
                return Some(told);
            }
            Told::Unknown { had } => self.had |= had,
            Told::Away => self.away = true,
        }
        self.decided = self.open == 0;
        self.decided.then_some(if self.away {
            Told::Away
        } else {
            Told::Unknown { had: self.had }
        })
    }
}

/// Where questions wait for one another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Lane {
    /// At a gateway, or at whichever there is.
    At {
        gateway: Option<String>,
        /// These may wait for a provider's count, and nobody else is to wait for that.
        counts: bool,
    },
    /// Something that goes by itself, one at a time of a name.
    Named(&'static str),
}

type Running = Pin<Box<dyn Future<Output = (Lane, usize)> + Send>>;

/// The lanes in which something is asked; they go on while they are waited for.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    busy: HashSet<Lane>,
    running: FuturesUnordered<Running>,
}

impl Lanes {
    /// Starts to ask. A lane that is still busy from before counts as one without an answer.
    pub(super) fn ask(&mut self, calls: &Calls, inquiries: Vec<Inquiry>) {
        let mut lanes: HashMap<Lane, Vec<Arc<Inquiry>>> = HashMap::new();
        let mut unasked = Vec::new();
        for inquiry in inquiries {
            let inquiry = Arc::new(inquiry);
            let mut heard = Heard::default();
            for lane in lanes_of(&inquiry) {
                let waiting = lanes.entry(lane.clone()).or_default();
                if self.busy.contains(&lane) || waiting.len() >= WAITING_MAX {
                    heard.away = true;
                } else {
                    heard.open += 1;
                    waiting.push(inquiry.clone());
                }
            }
            if heard.open == 0 {
                unasked.push(inquiry.clone());
            }
            let mut shared = inquiry.heard.lock().unwrap_or_else(PoisonError::into_inner);
            *shared = heard;
        }
        for (lane, waiting) in lanes {
            let Lane::At { gateway, .. } = &lane else {
                continue;
            };
            if !waiting.is_empty() {
                let gateways = gateway.iter().cloned().collect();
                let asking = calls.clone().ask_at(gateways, waiting);
                self.start(lane, asking);
            }
        }
        if unasked.is_empty() {
            return;
        }
        let calls = calls.clone();
        self.start(Lane::Named("unasked"), async move {
            let calls = &calls;
            let deciding = unasked
                .into_iter()
                .map(|inquiry| async move { calls.hear(&inquiry, Told::Away).await });
            count(stream::iter(deciding).buffer_unordered(AT_ONCE)).await
        });
    }

    /// Runs `work` beside the lanes, unless it still runs from before.
    pub(super) fn beside(
        &mut self,
        name: &'static str,
        work: impl Future<Output = usize> + Send + 'static,
    ) {
        if !self.busy.contains(&Lane::Named(name)) {
            self.start(Lane::Named(name), work);
        }
    }

    fn start(&mut self, lane: Lane, work: impl Future<Output = usize> + Send + 'static) {
        self.busy.insert(lane.clone());
        self.running
            .push(Box::pin(work.map(|closed| (lane, closed))));
    }

    /// Goes on until a lane is through; answers how many holds were closed in it, nothing where no lane
    /// is left.
    pub(super) async fn next(&mut self) -> Option<usize> {
        let (lane, closed) = self.running.next().await?;
        self.busy.remove(&lane);
        Some(closed)
    }
}

fn lanes_of(inquiry: &Inquiry) -> Vec<Lane> {
    let counts = inquiry.why == Parting::TenantLeft;
    let at = |gateway| Lane::At { gateway, counts };
    let gateways = &inquiry.facts.snapshot.gateways;
    if gateways.is_empty() {
        return vec![at(None)];
    }
    gateways.iter().cloned().map(Some).map(at).collect()
}

async fn count(closed: impl stream::Stream<Item = bool>) -> usize {
    let closed = closed.filter(|closed| std::future::ready(*closed));
    closed.count().await
}

impl Calls {
    /// Runs a lane; answers how many holds were closed in it.
    async fn ask_at(self, gateways: Vec<String>, inquiries: Vec<Arc<Inquiry>>) -> usize {
        let (calls, gateways, misses) = (&self, &gateways, &AtomicU32::new(0));
        let asking = inquiries.into_iter().map(|inquiry| async move {
            if inquiry.is_decided() {
                return false;
            }
            let told = if misses.load(Ordering::Relaxed) >= MISSES_MAX {
                Told::Away
            } else {
                let Inquiry { facts, why, .. } = inquiry.as_ref();
                calls.settler.ask_at(gateways, facts, *why).await
            };
            match told {
                Told::Away => drop(misses.fetch_add(1, Ordering::Relaxed)),
                Told::Ended(_) | Told::Unknown { .. } => misses.store(0, Ordering::Relaxed),
            }
            calls.hear(&inquiry, told).await
        });
        count(stream::iter(asking).buffer_unordered(AT_ONCE)).await
    }

    /// Takes an answer in, and acts on it where that decides; tells whether a hold was closed.
    async fn hear(&self, inquiry: &Inquiry, told: Told) -> bool {
        match inquiry.hear(told) {
            Some(told) => self.decide(inquiry, told).await,
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::link::Outcome;
    use shared::units::Usage;

    use super::*;

    fn of(open: usize, away: bool) -> Heard {
        Heard {
            open,
            away,
            ..Heard::default()
        }
    }

    fn ended() -> Told {
        Told::Ended(Box::new(Outcome {
            provider: "p".to_owned(),
            model: "m".to_owned(),
            key_last4: String::new(),
            attempts: 1,
            failed: Vec::new(),
            usage: Usage::default(),
            taken: None,
            fault: None,
            first_byte_ms: 0,
            duration_ms: 0,
            made_by: None,
        }))
    }

    #[test]
    fn the_first_that_knows_decides_whoever_else_does_not_answer() {
        let mut heard = of(2, true);
        assert!(matches!(heard.hear(ended()), Some(Told::Ended(_))));
        assert!(heard.hear(Told::Away).is_none(), "it is decided");
        assert!(heard.hear(ended()).is_none(), "once");
    }

    #[test]
    fn who_does_not_answer_may_be_the_one_that_knows() {
        let mut heard = of(2, false);
        assert!(heard.hear(Told::Away).is_none());
        let last = heard.hear(Told::Unknown { had: false });
        assert!(matches!(last, Some(Told::Away)));
        // A lane that was busy counts as one without an answer.
        let only = of(1, true).hear(Told::Unknown { had: false });
        assert!(matches!(only, Some(Told::Away)));
    }

    #[test]
    fn nobody_knows_when_all_have_said_so() {
        let mut heard = of(2, false);
        assert!(heard.hear(Told::Unknown { had: true }).is_none());
        let last = heard.hear(Told::Unknown { had: false });
        assert!(matches!(last, Some(Told::Unknown { had: true })));
    }
}
