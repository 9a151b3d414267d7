//! The journal of outcomes: how generations ended, on disk before the last byte goes out, so that a
//! server can learn it from the next life of this gateway. One thread writes; all that wait share one
//! sync. A disk that fails keeps no call up. Decides nothing about generations.

mod line;
mod place;
mod segment;
#[cfg(test)]
mod tests;
mod writer;

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use shared::clock::Clock;
use shared::id::{BootId, GenerationId};
use shared::telemetry::Metrics;
use tokio::sync::oneshot;
use tracing::warn;

use self::line::{EndNote, EndText, What};
use self::place::Place;
use self::writer::Writer;
use super::register::Ended;

/// Lines that wait for the disk at most; at 500 bytes each 32 MB.
const WAITING_MAX: usize = 65_536;

/// What the journal is kept by.
#[derive(Debug, Clone)]
pub(crate) struct JournalSettings {
    /// Where its files lie.
    pub(crate) folder: PathBuf,
    /// How long a file is kept after its last line.
    pub(crate) kept: Duration,
    /// Bytes of files after which the oldest goes earlier than that, though never before `kept_least`.
    pub(crate) bytes_max: u64,
    /// Longer than a server can ask for an outcome.
    pub(crate) kept_least: Duration,
}

/// What is counted.
#[derive(Debug, Clone)]
pub(crate) struct JournalMetrics {
    unwritten: Counter,
    bytes: Gauge,
    commit_seconds: Histogram,
}

impl JournalMetrics {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let this = Self {
            unwritten: Counter::default(),
            bytes: Gauge::default(),
            commit_seconds: Histogram::new(exponential_buckets(0.000_25, 2.0, 14)),
        };
        let all = this.clone();
        metrics.register(|registry| {
            registry.register(
                "waule_outcomes_unwritten",
                "Lines about generations that the disk did not take",
                all.unwritten,
            );
            registry.register(
                "waule_outcomes_bytes",
                "Size of the journal of outcomes",
                all.bytes,
            );
            registry.register(
                "waule_outcomes_commit_seconds",
                "How long writing and syncing a group of outcomes took",
                all.commit_seconds,
            );
        });
        this
    }
}

/// A line and who waits for it.
struct Note {
    id: GenerationId,
    what: What,
    text: Vec<u8>,
    done: Option<oneshot::Sender<()>>,
}

enum WriterCommand {
    Note(Note),
    Find(GenerationId, oneshot::Sender<Remembered>),
    Flush(oneshot::Sender<()>),
}

/// What the journal says of a generation.
#[derive(Debug, Default)]
pub(crate) enum Remembered {
    /// It is not in it.
    #[default]
    Nothing,
    /// It was taken up and its end was not written: the gateway died with it.
    Begun,
    /// As `Begun`; this is what had been taken of it shortly before.
    Came(Box<Ended>),
    /// It ended; its output is gone. With the hash of the request it belongs to.
    Ended(Box<Ended>, u64),
}

/// Shared with the writer.
#[derive(Debug, Default)]
struct Standing {
    waiting: AtomicUsize,
    /// Why nothing can be written now.
    broken: Mutex<Option<String>>,
}

/// The journal's door; cheap calls that never wait for the disk.
pub(crate) struct OutcomeJournal {
    commands: Sender<WriterCommand>,
    standing: Arc<Standing>,
    metrics: JournalMetrics,
    clock: Clock,
    place: Place,
}

impl std::fmt::Debug for OutcomeJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OutcomeJournal")
    }
}

/// Ready when a line is on disk, or will not be.
#[derive(Debug)]
pub(super) struct Kept(Option<oneshot::Receiver<()>>);

impl Kept {
    /// Nothing is waited for.
    pub(super) fn nothing() -> Self {
        Self(None)
    }
}

impl Future for Kept {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(waiting) = &mut self.0 {
            // A writer that is gone answers as well: nobody is kept waiting.
            let _ = std::task::ready!(Pin::new(waiting).poll(cx));
            self.0 = None;
        }
        Poll::Ready(())
    }
}

impl OutcomeJournal {
    /// Reads what earlier lives left behind; what can't be read is told and left alone. Its thread ends
    /// when the last door is dropped.
    pub(crate) fn open(
        settings: JournalSettings,
        life: &BootId,
        clock: Clock,
        metrics: JournalMetrics,
    ) -> std::io::Result<Self> {
        let (commands, asked) = mpsc::channel();
        let standing = Arc::new(Standing::default());
        let place = Place::of(&settings.folder).unwrap_or_else(|error| {
            let folder = settings.folder.display();
            warn!(%error, "{folder} has no name, so a later start will know no call of this one: {error}");
            Place::nowhere(clock.now())
        });
        let mut writer = Writer::new(
            settings,
            life,
            clock.clone(),
            metrics.clone(),
            standing.clone(),
        );
        std::thread::Builder::new()
            .name("outcomes".to_owned())
            .spawn(move || writer.run(&asked))?;
        Ok(Self {
            commands,
            standing,
            metrics,
            clock,
            place,
        })
    }

    /// The name of the folder that it is kept in.
    pub(crate) fn place(&self) -> &str {
        &self.place.name
    }

    /// How far back it reaches.
    pub(crate) fn memory_ms(&self) -> u64 {
        let since = self.clock.now().since(self.place.made_at);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// Why nothing can be written now, as a sentence.
    pub(crate) fn broken(&self) -> Option<String> {
        let broken = self.standing.broken.lock();
        broken.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, note: Note) {
        if self.standing.waiting.fetch_add(1, Ordering::AcqRel) >= WAITING_MAX
            || self.commands.send(WriterCommand::Note(note)).is_err()
        {
            self.standing.waiting.fetch_sub(1, Ordering::AcqRel);
            self.metrics.unwritten.inc();
        }
    }

    fn bare(&self, id: &GenerationId, what: What) {
        self.note(Note {
            id: id.clone(),
            what,
            text: line::bare(id, what),
            done: None,
        });
    }

    /// A generation was taken up. Not waited for: it outlives this process, not the machine.
    pub(super) fn begun(&self, id: &GenerationId) {
        self.bare(id, What::Begun);
    }

    /// A reader took the last byte of a generation of which that was not known when it ended.
    pub(super) fn took(&self, id: &GenerationId) {
        self.bare(id, What::Took);
    }

    /// A generation runs, and this would be its end if this life ended now. Not waited for: it outlives
    /// this process, not the machine.
    pub(super) fn came(&self, id: &GenerationId, fingerprint: u64, ended: &Ended) {
        self.note(Self::about(id, What::Came, fingerprint, ended));
    }

    /// A generation ended.
    pub(super) fn ended(&self, id: &GenerationId, fingerprint: u64, ended: &Ended) -> Kept {
        let (done, kept) = oneshot::channel();
        self.note(Note {
            done: Some(done),
            ..Self::about(id, What::Ended, fingerprint, ended)
        });
        Kept(Some(kept))
    }

    fn about(id: &GenerationId, what: What, fingerprint: u64, ended: &Ended) -> Note {
        let mut end = EndText::from(&ended.end);
        if let EndText::Outcome(outcome) = &mut end {
            outcome.taken = ended.taken_of(outcome);
        }
        let note = EndNote {
            fingerprint,
            whole: ended.whole,
            length: ended.length,
            end,
        };
        Note {
            id: id.clone(),
            what,
            text: line::ended(id, what, note),
            done: None,
        }
    }

    /// What this and earlier lives wrote of a generation.
    pub(crate) async fn find(&self, id: &GenerationId) -> Remembered {
        let (tell, told) = oneshot::channel();
        if self
            .commands
            .send(WriterCommand::Find(id.clone(), tell))
            .is_err()
        {
            return Remembered::Nothing;
        }
        told.await.unwrap_or_default()
    }

    /// Waits until all that was told before is on disk.
    pub(crate) async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.commands.send(WriterCommand::Flush(done)).is_ok() {
            let _ = flushed.await;
        }
    }
}
