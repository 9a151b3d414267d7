//! The thread that writes the journal: gathers what is told, writes it at once, syncs once for all that
//! wait, begins and deletes files, and looks up what is asked for.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use shared::clock::{Clock, Moment};
use shared::id::BootId;
use tokio::sync::oneshot;
use tracing::{error, info, warn};

use super::line::EndText;
use super::segment::{self, Known, Segment};
use super::{JournalMetrics, JournalSettings, Note, Remembered, Standing, WriterCommand};
use crate::generations::register::{End, Ended};

/// Lines written at once at most.
const BATCH_MAX: usize = 4_096;
/// From a sync to the next write at least: calls that end meanwhile share the next sync. One that comes
/// alone waits for nothing.
const GATHER: Duration = Duration::from_millis(1);
/// What nobody waits for is on disk after this time.
const SYNC_AFTER: Duration = Duration::from_millis(500);
/// How often files that are too old are looked for, and those that somebody left behind.
const SWEEP_EVERY: Duration = Duration::from_secs(30);
/// Between looks into the folder because of a question.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// After an error of the disk.
const REST: Duration = Duration::from_secs(1);

pub(super) struct Writer {
    settings: JournalSettings,
    life: String,
    clock: Clock,
    metrics: JournalMetrics,
    standing: Arc<Standing>,
    /// The one that is written; always the last begun.
    open: Option<Segment>,
    sealed: Vec<Segment>,
    number: u32,
    /// Since when there is something that no sync has reached.
    unsynced: Option<Instant>,
    rests_until: Option<Instant>,
    looked: Option<Instant>,
    swept: Instant,
    synced: Option<Instant>,
}

impl Writer {
    /// With what was left behind.
    pub(super) fn new(
        settings: JournalSettings,
        life: &BootId,
        clock: Clock,
        metrics: JournalMetrics,
        standing: Arc<Standing>,
    ) -> Self {
        let mut this = Self {
            settings,
            life: life.to_string(),
            clock,
            metrics,
            standing,
            open: None,
            sealed: Vec::new(),
            number: 0,
            unsynced: None,
            rests_until: None,
            looked: None,
            swept: Instant::now(),
            synced: None,
        };
        this.sweep();
        this
    }

    pub(super) fn run(&mut self, asked: &Receiver<WriterCommand>) {
        let mut batch = Vec::new();
        loop {
            match asked.recv_timeout(if self.unsynced.is_some() {
                SYNC_AFTER
            } else {
                SWEEP_EVERY
            }) {
                Ok(command) => {
                    batch.push(command);
                    let since = self.synced.map_or(GATHER, |synced| synced.elapsed());
                    if let Some(rest) = GATHER.checked_sub(since).filter(|rest| !rest.is_zero()) {
                        std::thread::sleep(rest);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            batch.extend(asked.try_iter().take(BATCH_MAX));
            self.take(&mut batch);
            if self
                .unsynced
                .is_some_and(|since| since.elapsed() >= SYNC_AFTER)
            {
                self.commit(Vec::new(), true);
            }
            if self.swept.elapsed() >= SWEEP_EVERY {
                self.sweep();
            }
        }
        self.commit(Vec::new(), true);
        if let Err(error) = self.close() {
            warn!(%error, "the last file of outcomes was closed with an error: {error}");
        }
    }

    fn take(&mut self, batch: &mut Vec<WriterCommand>) {
        let (mut notes, mut questions, mut flushed) = (Vec::new(), Vec::new(), Vec::new());
        for command in batch.drain(..) {
            match command {
                WriterCommand::Note(note) => notes.push(note),
                WriterCommand::Find(id, tell) => questions.push((id, tell)),
                WriterCommand::Flush(done) => flushed.push(done),
            }
        }
        self.standing
            .waiting
            .fetch_sub(notes.len(), Ordering::AcqRel);
        if !notes.is_empty() || !flushed.is_empty() {
            let waited_for = !flushed.is_empty() || notes.iter().any(|note| note.done.is_some());
            self.commit(notes, waited_for);
        }
        for done in flushed {
            // Whoever asked may have gone.
            let _ = done.send(());
        }
        for (id, tell) in questions {
            let _ = tell.send(self.find(id.as_str()));
        }
    }

    /// Writes, and syncs where somebody waits for it; tells those who wait in any case.
    fn commit(&mut self, notes: Vec<Note>, waited_for: bool) {
        let begun = Instant::now();
        if self.rests_until.is_some_and(|until| begun < until) {
            self.give_up(notes);
            return;
        }
        self.rests_until = None;
        match self.write(&notes, waited_for) {
            Ok(()) => {
                self.heal();
                if waited_for && !notes.is_empty() {
                    let took = begun.elapsed().as_secs_f64();
                    self.metrics.commit_seconds.observe(took);
                }
                tell(notes);
            }
            Err(error) => {
                self.fail(&error);
                self.give_up(notes);
            }
        }
    }

    fn write(&mut self, notes: &[Note], waited_for: bool) -> io::Result<()> {
        let now = self.clock.now();
        if !notes.is_empty() {
            if self.open.as_ref().is_some_and(Segment::is_full) {
                self.close()?;
            }
            let segment = if let Some(segment) = &mut self.open {
                segment
            } else {
                self.number += 1;
                let folder = &self.settings.folder;
                let made = Segment::create(folder, &self.life, now, self.number)?;
                self.open.insert(made)
            };
            let text: Vec<u8> = notes.iter().flat_map(|note| &note.text).copied().collect();
            let mut at = segment.append(&text, now)?;
            for note in notes {
                let length = note.text.len();
                segment.remember(note.id.as_str(), note.what, at, length.saturating_sub(1));
                at += u64::try_from(length).unwrap_or(0);
            }
            self.unsynced.get_or_insert_with(Instant::now);
        }
        if waited_for && self.unsynced.is_some() {
            let synced = self.open.as_ref().map_or(Ok(()), Segment::sync);
            self.synced = Some(Instant::now());
            synced?;
            self.unsynced = None;
        }
        Ok(())
    }

    /// Begins no line in the open file any more.
    fn close(&mut self) -> io::Result<()> {
        let Some(mut segment) = self.open.take() else {
            return Ok(());
        };
        let synced = if self.unsynced.is_some() {
            segment.sync()
        } else {
            Ok(())
        };
        self.unsynced = None;
        segment.seal();
        self.sealed.push(segment);
        synced
    }

    fn give_up(&mut self, notes: Vec<Note>) {
        let lost = u64::try_from(notes.len()).unwrap_or(u64::MAX);
        self.metrics.unwritten.inc_by(lost);
        tell(notes);
    }

    fn fail(&mut self, why: &io::Error) {
        let folder = self.settings.folder.display();
        let mut broken = self.standing.lock();
        if broken.is_none() {
            error!(error = %why, "outcomes can't be kept in {folder}, calls go on without: {why}");
        }
        *broken = Some(format!("outcomes are not kept on disk: {why}"));
        drop(broken);
        self.rests_until = Some(Instant::now() + REST);
        // After a failed sync nobody knows what of this file is on disk.
        if let Err(error) = self.close() {
            warn!(%error, "a file of outcomes was closed with an error: {error}");
        }
    }

    fn heal(&mut self) {
        if self.standing.lock().take().is_some() {
            info!("outcomes are kept on disk again");
        }
    }

    fn find(&mut self, id: &str) -> Remembered {
        let remembered = self.look_up(id);
        let is_fresh = self.looked.is_some_and(|at| at.elapsed() < LOOK_AGAIN);
        if matches!(remembered, Remembered::Ended(..)) || is_fresh {
            return remembered;
        }
        // Another gateway in this folder may have died meanwhile.
        self.adopt();
        self.look_up(id)
    }

    fn look_up(&self, id: &str) -> Remembered {
        let mut known = Known::default();
        for segment in self.sealed.iter().chain(&self.open) {
            segment.tell(id, &mut known);
        }
        let is_over = known.end.is_some();
        let Some(note) = known.end.or(known.came) else {
            return if known.is_begun {
                Remembered::Begun
            } else {
                Remembered::Nothing
            };
        };
        let (end, taken) = match note.end {
            EndText::Failure(failure) => (End::Failure(Arc::new(failure)), None),
            EndText::Outcome(mut outcome) => {
                let taken = outcome.taken.take().filter(|_| !known.is_taken);
                (End::Outcome(Arc::from(outcome)), taken)
            }
        };
        let ended = Ended::remembered(end, note.whole, note.length, taken).into();
        if is_over {
            Remembered::Ended(ended, note.fingerprint)
        } else {
            Remembered::Came(ended)
        }
    }

    /// Takes over what lives that are over left behind.
    fn adopt(&mut self) {
        self.looked = Some(Instant::now());
        let files = match segment::files(&self.settings.folder) {
            Ok(files) => files,
            Err(error) => {
                let folder = self.settings.folder.display();
                warn!(%error, "{folder} can't be read: {error}");
                return;
            }
        };
        for path in files {
            let known = self.sealed.iter().chain(&self.open);
            if known.into_iter().any(|segment| segment.path() == path) {
                continue;
            }
            let shown = path.display().to_string();
            match Segment::left_behind(path) {
                Ok(Some(segment)) => self.sealed.push(segment),
                Ok(None) => {}
                Err(error) => warn!(%error, "{shown} can't be read: {error}"),
            }
        }
        self.sealed.sort_by(|a, b| a.path().cmp(b.path()));
    }

    fn sweep(&mut self) {
        self.swept = Instant::now();
        self.adopt();
        let now = self.clock.now();
        let all = self.sealed.iter().chain(&self.open);
        let mut bytes: u64 = all.map(Segment::disk_bytes).sum();
        let settings = self.settings.clone();
        self.sealed.retain(|segment| {
            if !is_over(segment.last_at, now, bytes, &settings) {
                return true;
            }
            bytes = bytes.saturating_sub(segment.disk_bytes());
            if let Err(error) = segment.delete()
                && error.kind() != io::ErrorKind::NotFound
            {
                warn!(%error, "{} can't be deleted: {error}", segment.path().display());
            }
            false
        });
        let gauge = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.metrics.bytes.set(gauge);
    }
}

/// Whether a file whose last line was written at `last_at` goes, where all are `bytes` together.
fn is_over(last_at: Moment, now: Moment, bytes: u64, settings: &JournalSettings) -> bool {
    let age = now.since(last_at);
    age > settings.kept || (bytes > settings.bytes_max && age > settings.kept_least)
}

fn tell(notes: Vec<Note>) {
    for done in notes.into_iter().filter_map(|note| note.done) {
        // Whoever waited may have gone.
        let _: Result<(), ()> = oneshot::Sender::send(done, ());
    }
}

impl Standing {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
