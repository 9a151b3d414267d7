//! What this gateway knows of generations: those that run and can be cancelled, and for some minutes
//! how they ended. Bounded in count; an outcome is a few hundred bytes.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use shared::clock::{Clock, Moment};
use shared::id::GenerationId;
use shared::link::{Failure, Fate, Outcome};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How long an outcome is remembered: a server that lost its link asks within this time.
const REMEMBERED: Duration = Duration::from_secs(600);
/// Outcomes remembered at most: at about 600 bytes each 40 MB, seven minutes at 150 calls a second.
const ENDED_MAX: usize = 65_536;
/// Locks by first byte of the hash, so that cores seldom meet.
const SHARDS: usize = 16;

/// How a generation ended.
#[derive(Debug, Clone)]
pub(crate) enum End {
    Outcome(Arc<Outcome>),
    Failure(Arc<Failure>),
}

impl End {
    pub(crate) fn fate(&self) -> Fate {
        match self {
            Self::Outcome(outcome) => Fate::Ended {
                outcome: Box::new(outcome.as_ref().clone()),
            },
            Self::Failure(failure) => Fate::Failed {
                failure: Box::new(failure.as_ref().clone()),
            },
        }
    }
}

/// A stream that can be ended also while nobody reads it.
pub(crate) trait Stop: Send + Sync {
    /// Ends it as cancelled, unless it has ended.
    fn stop(&self);
}

/// Where a running generation leaves its stream, once it has one.
pub(crate) type StopSlot = Arc<OnceLock<Weak<dyn Stop>>>;

enum Entry {
    Running {
        cancel: CancellationToken,
        stop: StopSlot,
        end: watch::Receiver<Option<End>>,
    },
    Ended(End),
}

#[derive(Default)]
struct Shard {
    entries: HashMap<GenerationId, Entry>,
    ended: VecDeque<(Moment, GenerationId)>,
}

/// Running and recently ended generations.
pub(crate) struct Register {
    shards: Vec<Mutex<Shard>>,
    clock: Clock,
}

/// The hold of a running generation on its place; dropping it without an end is a bug that is
/// recorded as an internal failure by the caller's `Drop`.
pub(crate) struct Place {
    register: Arc<Register>,
    id: GenerationId,
    tell: watch::Sender<Option<End>>,
    pub(crate) cancel: CancellationToken,
    pub(crate) stop: StopSlot,
}

/// What was found for an id.
pub(crate) enum Found {
    Nothing,
    Running {
        cancel: CancellationToken,
        stop: StopSlot,
        end: watch::Receiver<Option<End>>,
    },
    Ended(End),
}

impl Register {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            clock,
        }
    }

    fn shard(&self, id: &GenerationId) -> MutexGuard<'_, Shard> {
        // The last character is random.
        let byte = id.as_str().bytes().next_back().map_or(0, usize::from);
        self.shards[byte % SHARDS]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the place of a new generation; `None` when the id is known.
    pub(crate) fn begin(self: &Arc<Self>, id: &GenerationId) -> Option<Place> {
        let mut shard = self.shard(id);
        if shard.entries.contains_key(id) {
            return None;
        }
        let (tell, end) = watch::channel(None);
        let (cancel, stop) = (CancellationToken::new(), StopSlot::default());
        shard.entries.insert(
            id.clone(),
            Entry::Running {
                cancel: cancel.clone(),
                stop: stop.clone(),
                end,
            },
        );
        Some(Place {
            register: self.clone(),
            id: id.clone(),
            tell,
            cancel,
            stop,
        })
    }

    pub(crate) fn find(&self, id: &GenerationId) -> Found {
        match self.shard(id).entries.get(id) {
            None => Found::Nothing,
            Some(Entry::Running { cancel, stop, end }) => Found::Running {
                cancel: cancel.clone(),
                stop: stop.clone(),
                end: end.clone(),
            },
            Some(Entry::Ended(end)) => Found::Ended(end.clone()),
        }
    }

    fn end(&self, id: &GenerationId, end: End) {
        let now = self.clock.now();
        let mut shard = self.shard(id);
        shard.entries.insert(id.clone(), Entry::Ended(end));
        shard.ended.push_back((now, id.clone()));
        let too_many = |shard: &Shard| shard.ended.len() > ENDED_MAX / SHARDS;
        let too_old = |shard: &Shard| {
            shard
                .ended
                .front()
                .is_some_and(|(at, _)| now.since(*at) > REMEMBERED)
        };
        while too_many(&shard) || too_old(&shard) {
            let Some((_, old)) = shard.ended.pop_front() else {
                break;
            };
            shard.entries.remove(&old);
        }
    }
}

impl Place {
    pub(crate) fn end(self, end: End) {
        self.register.end(&self.id, end.clone());
        // Nobody may be waiting.
        let _ = self.tell.send(Some(end));
    }
}
