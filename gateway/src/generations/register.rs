//! What this gateway knows of generations: those that run, and for some minutes how they ended and
//! what they put out. Bounded in count and bytes. Runs nothing itself.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use shared::clock::{Clock, Moment};
use shared::id::{BootId, GenerationId};
use shared::link::wire::DEADLINE_MAX;
use shared::link::{Failure, GenerationStatus, Outcome, Parting};
use shared::units::Usage;

use super::generation::Generation;
use super::log::{Budget, Log};
use super::taken::Untaken;
use crate::providers::ContentType;

/// After the longest call's own deadline a server may wait so long before it asks how it ended.
const ASKED_WITHIN: Duration = Duration::from_secs(600);
/// How long an outcome is remembered: longer than any hold can be open.
pub(crate) const REMEMBERED: Duration = DEADLINE_MAX.saturating_add(ASKED_WITHIN);
/// How long output is kept after the end at least: longer than a server tries to attach again.
const OUTPUT_KEPT: Duration = Duration::from_secs(120);
/// Outcomes remembered at most: at about 600 bytes each 40 MB, seven minutes at 150 calls a second.
/// Earlier ones are looked up in the journal.
const ENDED_MAX: usize = 65_536;
/// Answers up to this are copied when they are kept; larger ones fill the buffer they lie in.
const COPIED_MAX: usize = 64 * 1024;
/// Locks by the id's last character, so that cores seldom meet.
const SHARDS: usize = 16;

/// How a generation ended.
#[derive(Debug, Clone)]
pub(crate) enum End {
    Outcome(Arc<Outcome>),
    Failure(Arc<Failure>),
}

/// What an ended generation put out.
#[derive(Debug)]
pub(crate) enum Output {
    Whole(Bytes),
    Stream(Log),
}

impl Output {
    /// As it may be kept for minutes: a short answer is a slice of the buffer it was read into, which
    /// is many times as large and would be kept with it.
    fn kept(output: Arc<Self>) -> Arc<Self> {
        match output.as_ref() {
            Self::Whole(bytes) if bytes.len() <= COPIED_MAX => {
                Arc::new(Self::Whole(Bytes::copy_from_slice(bytes)))
            }
            Self::Whole(_) | Self::Stream(_) => output,
        }
    }

    fn held(&self) -> usize {
        match self {
            Self::Whole(bytes) => bytes.len(),
            Self::Stream(log) => log.held(),
        }
    }
}

/// A generation that is over.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    pub(crate) end: End,
    /// Whether it answered at once and not as a stream.
    pub(crate) whole: bool,
    /// Of what it put out; empty where that is not kept.
    pub(crate) content_type: ContentType,
    /// What of the request could not be said to its provider; not remembered beyond this life.
    pub(crate) dropped: Arc<[String]>,
    /// Bytes that it put out.
    pub(crate) length: u64,
    /// Those bytes, while they are kept.
    pub(crate) output: Option<Arc<Output>>,
    /// What of it no reader took; nothing where all was taken, or was the tenant's to take.
    pub(crate) untaken: Option<Arc<Untaken>>,
}

impl Ended {
    /// As the journal has it, with what was taken where that was not all.
    pub(super) fn remembered(end: End, whole: bool, length: u64, taken: Option<Usage>) -> Self {
        Self {
            end,
            whole,
            content_type: ContentType::default(),
            dropped: Arc::default(),
            length,
            output: None,
            untaken: taken.map(Untaken::remembered),
        }
    }

    /// What of this outcome was taken, where it was not all.
    pub(super) fn taken_of(&self, outcome: &Outcome) -> Option<Usage> {
        let untaken = self.untaken.as_ref()?;
        untaken.usage(&outcome.usage)
    }

    /// What is told of it to a server that asks for this reason.
    pub(crate) fn status(&self, why: Parting) -> GenerationStatus {
        match &self.end {
            End::Outcome(outcome) => {
                let mut outcome = Box::new(outcome.as_ref().clone());
                if why == Parting::Abandoned {
                    outcome.taken = self.taken_of(&outcome);
                }
                GenerationStatus::Ended { outcome }
            }
            End::Failure(failure) => GenerationStatus::Failed {
                failure: Box::new(failure.as_ref().clone()),
            },
        }
    }
}

enum Entry {
    Running(Arc<Generation>),
    Ended {
        fingerprint: u64,
        ended: Ended,
    },
    /// Given up before it came: should it still come, it is not started.
    Tombstone,
}

#[derive(Default)]
struct Shard {
    entries: HashMap<GenerationId, Entry>,
    ended: VecDeque<(Moment, GenerationId)>,
    outputs: VecDeque<(Moment, GenerationId)>,
    output_bytes: usize,
}

/// What was found for an id that a call came with.
pub(crate) enum Registration {
    New(Arc<Generation>),
    Running(Arc<Generation>),
    Ended(Ended),
}

/// Why a call is neither started nor joined; nothing was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotRegistered {
    /// The id belongs to another request.
    OtherRequest,
    /// The call was given up before.
    Tombstone,
    /// This gateway takes no new calls now.
    Closed(&'static str),
    /// The call was sent to another life of this gateway, which may have started it.
    OtherLife,
}

/// What is known of an id.
pub(crate) enum Found {
    Nothing,
    Running(Arc<Generation>),
    Ended(Ended),
}

/// Running and recently ended generations.
pub(crate) struct Register {
    boot: BootId,
    shards: Vec<Mutex<Shard>>,
    clock: Clock,
    budget: Arc<Budget>,
    output_kept: Duration,
    running: AtomicUsize,
    draining: AtomicBool,
}

impl Register {
    /// Keeps at most about `output_bytes` of output, each for as long as a server may come again, which
    /// is at most `detached`.
    pub(crate) fn new(boot: BootId, clock: Clock, output_bytes: usize, detached: Duration) -> Self {
        Self {
            boot,
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            clock,
            budget: Arc::new(Budget::new(output_bytes)),
            output_kept: OUTPUT_KEPT.max(detached),
            running: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
        }
    }

    fn shard(&self, id: &GenerationId) -> MutexGuard<'_, Shard> {
        // The last character is random.
        let byte = id.as_str().bytes().next_back().map_or(0, usize::from);
        lock(&self.shards[byte % SHARDS])
    }

    pub(crate) fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// Generations that run now.
    pub(crate) fn running(&self) -> usize {
        self.running.load(Ordering::Acquire)
    }

    /// From now on nothing new is started; what runs can be joined.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    fn closed(&self) -> Option<&'static str> {
        if self.is_draining() {
            Some("draining")
        } else if self.budget.is_overdrawn() {
            Some("full")
        } else {
            None
        }
    }

    /// Finds the generation of a call, or gives it a place. `life` is the boot id of the gateway
    /// that the call was first sent to. Inside one process (`keeps` nothing) the other side looks after
    /// itself when it is told to stop.
    pub(crate) fn begin(
        &self,
        id: &GenerationId,
        fingerprint: u64,
        life: Option<&BootId>,
        keeps: bool,
        make: impl FnOnce() -> Arc<Generation>,
    ) -> Result<Registration, NotRegistered> {
        let mut shard = self.shard(id);
        match shard.entries.get(id) {
            Some(Entry::Running(generation)) if generation.fingerprint() == fingerprint => {
                Ok(Registration::Running(generation.clone()))
            }
            Some(Entry::Ended {
                fingerprint: known,
                ended,
            }) if *known == fingerprint => Ok(Registration::Ended(ended.clone())),
            Some(Entry::Running(_) | Entry::Ended { .. }) => Err(NotRegistered::OtherRequest),
            Some(Entry::Tombstone) => Err(NotRegistered::Tombstone),
            None if life.is_some_and(|life| *life != self.boot) => Err(NotRegistered::OtherLife),
            None => {
                if keeps && let Some(why) = self.closed() {
                    return Err(NotRegistered::Closed(why));
                }
                let generation = make();
                shard
                    .entries
                    .insert(id.clone(), Entry::Running(generation.clone()));
                self.running.fetch_add(1, Ordering::AcqRel);
                Ok(Registration::New(generation))
            }
        }
    }

    /// Those that run now.
    pub(crate) fn all_running(&self) -> Vec<Arc<Generation>> {
        let mut all = Vec::new();
        for shard in &self.shards {
            let shard = lock(shard);
            all.extend(shard.entries.values().filter_map(|entry| match entry {
                Entry::Running(generation) => Some(generation.clone()),
                Entry::Ended { .. } | Entry::Tombstone => None,
            }));
        }
        all
    }

    /// What is known of a generation.
    pub(crate) fn find(&self, id: &GenerationId) -> Found {
        found(self.shard(id).entries.get(id))
    }

    /// As [`Register::find`]; an id that is not known will not be started any more.
    pub(crate) fn give_up(&self, id: &GenerationId) -> Found {
        let mut shard = self.shard(id);
        if !shard.entries.contains_key(id) {
            shard.entries.insert(id.clone(), Entry::Tombstone);
            shard.ended.push_back((self.clock.now(), id.clone()));
        }
        found(shard.entries.get(id))
    }

    /// Records how a running generation ended; `keep` its output for readers to come.
    pub(crate) fn end(&self, id: &GenerationId, fingerprint: u64, mut ended: Ended, keep: bool) {
        let now = self.clock.now();
        ended.output = ended.output.filter(|_| keep).map(Output::kept);
        let held = ended.output.as_deref().map(Output::held);
        let mut shard = self.shard(id);
        if let Some(held) = held {
            if let Some(Output::Whole(bytes)) = ended.output.as_deref() {
                self.budget.add(bytes.len());
            }
            shard.output_bytes += held;
            shard.outputs.push_back((now, id.clone()));
        }
        shard.ended.push_back((now, id.clone()));
        shard
            .entries
            .insert(id.clone(), Entry::Ended { fingerprint, ended });
        self.running.fetch_sub(1, Ordering::AcqRel);
        self.tidy(&mut shard, now);
    }

    /// The server has all output of a generation.
    pub(crate) fn seen(&self, id: &GenerationId) {
        let mut shard = self.shard(id);
        self.forget_output(&mut shard, id);
    }

    /// Gives up what is too old; called now and then, for an idle gateway ends nothing.
    pub(crate) fn sweep(&self) {
        let now = self.clock.now();
        for shard in &self.shards {
            self.tidy(&mut lock(shard), now);
        }
    }

    fn forget_output(&self, shard: &mut Shard, id: &GenerationId) {
        let Some(Entry::Ended { ended, .. }) = shard.entries.get_mut(id) else {
            return;
        };
        let Some(output) = ended.output.take() else {
            return;
        };
        shard.output_bytes = shard.output_bytes.saturating_sub(output.held());
        // A log gives its part of the budget back when its last reader is gone.
        if let Output::Whole(bytes) = output.as_ref() {
            self.budget.subtract(bytes.len());
        }
    }

    fn tidy(&self, shard: &mut Shard, now: Moment) {
        let bytes_max = self.budget.for_ended() / SHARDS;
        while let Some((at, id)) = shard.outputs.front() {
            let old = now.since(*at) > self.output_kept;
            let known = matches!(shard.entries.get(id), Some(Entry::Ended { ended, .. }) if ended.output.is_some());
            if known && !old && shard.output_bytes <= bytes_max {
                break;
            }
            if let Some((_, id)) = shard.outputs.pop_front() {
                self.forget_output(shard, &id);
            }
        }
        while let Some((at, _)) = shard.ended.front() {
            if shard.ended.len() <= ENDED_MAX / SHARDS && now.since(*at) <= REMEMBERED {
                break;
            }
            if let Some((_, id)) = shard.ended.pop_front() {
                self.forget_output(shard, &id);
                shard.entries.remove(&id);
            }
        }
    }
}

fn found(entry: Option<&Entry>) -> Found {
    match entry {
        None | Some(Entry::Tombstone) => Found::Nothing,
        Some(Entry::Running(generation)) => Found::Running(generation.clone()),
        Some(Entry::Ended { ended, .. }) => Found::Ended(ended.clone()),
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use shared::fault::{Fault, FaultKind};

    use super::super::failure;
    use super::*;

    #[test]
    fn a_short_answer_that_is_kept_does_not_keep_the_buffer_it_was_read_into() {
        let register = Register::new(
            BootId::random(),
            Clock::system(),
            64 * 1024 * 1024,
            Duration::ZERO,
        );
        let buffer = Bytes::from(vec![b'x'; 400 * 1024]);
        let end = |length: usize, keep| {
            let id = GenerationId::random();
            let fault = Fault::new(FaultKind::Canceled, "a test's end");
            let ended = Ended {
                content_type: ContentType::default(),
                dropped: Arc::default(),
                end: End::Failure(Arc::new(failure(fault, 1))),
                whole: true,
                length: 0,
                output: Some(Arc::new(Output::Whole(buffer.slice(0..length)))),
                untaken: None,
            };
            register.running.fetch_add(1, Ordering::AcqRel);
            register.end(&id, 0, ended, keep);
            match register.find(&id) {
                Found::Ended(ended) => ended.output.map(|output| output.held()),
                Found::Nothing | Found::Running(_) => panic!("it ended"),
            }
        };
        assert_eq!(end(300, false), None);
        assert_eq!(end(300, true), Some(300));
        assert!(buffer.is_unique(), "nobody else holds it");
        assert_eq!(end(COPIED_MAX, true), Some(COPIED_MAX));
        assert!(buffer.is_unique(), "nobody else holds it");
        assert_eq!(end(COPIED_MAX + 1, true), Some(COPIED_MAX + 1));
        assert!(!buffer.is_unique(), "not worth a copy");
    }
}
