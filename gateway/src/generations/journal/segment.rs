//! One file of the journal and what stands where in it. Whoever writes a file holds its lock, so that
//! another gateway in the same folder can tell a file that is written from one that was left behind.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use shared::clock::Moment;
use shared::files;

use super::line::{self, EndNote, What};

/// Bytes after which the next file is begun.
pub(super) const SEGMENT_BYTES: u64 = 16 * 1024 * 1024;
/// How far ahead of its lines a file is filled with zeros. A sync of bytes that the file had already
/// writes these alone; one that makes it longer writes the file system's own journal too, at twice the
/// cost and more.
const AHEAD_BYTES: u64 = 256 * 1024;
/// What a folder may hold under this ending is the journal's.
const ENDING: &str = "journal";

/// What one file says of a generation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Place {
    /// Where the line of its end begins, and how long it is.
    end: Option<(u32, u32)>,
    /// Likewise of the last line about it while it ran.
    came: Option<(u32, u32)>,
    is_taken: bool,
}

/// What is known of a generation from all files together.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) is_begun: bool,
    pub(super) is_taken: bool,
    pub(super) end: Option<EndNote>,
    /// What was known of it last, while it ran.
    pub(super) came: Option<EndNote>,
}

/// A file.
#[derive(Debug)]
pub(super) struct Segment {
    path: PathBuf,
    /// Of this life: its lock is held. What others left behind is opened when it is asked for.
    file: Option<File>,
    bytes: u64,
    /// How long the file is: behind its lines come zeros.
    filled: u64,
    /// By the hash of the id; sorted into `sealed` when nothing more is written.
    open: HashMap<u64, Place>,
    sealed: Vec<(u64, Place)>,
    /// When the last line was written.
    pub(super) last_at: Moment,
}

fn fingerprint(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// The journal's files in a folder, the oldest first; none where there is no folder.
pub(super) fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == ENDING) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

impl Segment {
    /// A new file; its name tells when it was begun and by which life.
    pub(super) fn create(folder: &Path, life: &str, now: Moment, number: u32) -> io::Result<Self> {
        files::folder(folder)?;
        let begun = now.unix_ms();
        let path = folder.join(format!("{begun:015}-{life}-{number:06}.{ENDING}"));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        file.try_lock()?;
        // A file whose name is not on disk is not on disk.
        files::sync_folder(folder)?;
        Ok(Self {
            path,
            file: Some(file),
            bytes: 0,
            filled: 0,
            open: HashMap::new(),
            sealed: Vec::new(),
            last_at: now,
        })
    }

    /// A file that a life which is over left behind; nothing while somebody writes it.
    pub(super) fn left_behind(path: PathBuf) -> io::Result<Option<Self>> {
        let file = File::open(&path)?;
        match file.try_lock_shared() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Ok(None),
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
        let text = std::fs::read(&path)?;
        let changed = file.metadata()?.modified().ok();
        let age = changed.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        let last_ms = age.and_then(|age| i64::try_from(age.as_millis()).ok());
        let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
        let mut this = Self {
            path,
            file: None,
            bytes,
            filled: bytes,
            open: HashMap::new(),
            sealed: Vec::new(),
            last_at: Moment::from_unix_ms(last_ms.unwrap_or(0)),
        };
        let mut at = 0;
        for one in text.split_inclusive(|byte| *byte == b'\n') {
            // The last one may be torn, or zeros: without its line feed it was never told of.
            if let Some(whole) = one.strip_suffix(b"\n")
                && let Some(read) = line::read(whole)
            {
                this.note(fingerprint(read.id), read.what, at, whole.len());
            }
            at += one.len();
        }
        this.seal();
        Ok(Some(this))
    }

    fn note(&mut self, fingerprint: u64, what: What, at: usize, length: usize) {
        let place = self.open.entry(fingerprint).or_default();
        let stands = u32::try_from(at).ok().zip(u32::try_from(length).ok());
        match what {
            What::Begun => {}
            What::Came => place.came = stands,
            What::Took => place.is_taken = true,
            What::Ended => place.end = stands,
        }
    }

    /// Writes lines, each with its id; answers where the first begins. Of what was not written whole
    /// nothing is counted.
    pub(super) fn append(&mut self, text: &[u8], now: Moment) -> io::Result<u64> {
        let at = self.bytes;
        let end = at + u64::try_from(text.len()).unwrap_or(0);
        let file = self
            .file
            .as_ref()
            .ok_or(io::ErrorKind::ReadOnlyFilesystem)?;
        if end > self.filled {
            let zeros = vec![0; usize::try_from(end - self.filled + AHEAD_BYTES).unwrap_or(0)];
            file.write_all_at(&zeros, self.filled)?;
            self.filled = end + AHEAD_BYTES;
        }
        file.write_all_at(text, at)?;
        self.bytes = end;
        self.last_at = now;
        Ok(at)
    }

    /// Remembers that a line stands at `at`.
    pub(super) fn remember(&mut self, id: &str, what: What, at: u64, length: usize) {
        self.note(
            fingerprint(id),
            what,
            usize::try_from(at).unwrap_or(usize::MAX),
            length,
        );
    }

    /// Brings what was written to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), File::sync_data)
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes >= SEGMENT_BYTES
    }

    /// What it takes on the disk.
    pub(super) fn disk_bytes(&self) -> u64 {
        self.filled
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Nothing more is written: the zeros go.
    pub(super) fn seal(&mut self) {
        if let Some(file) = &self.file
            && file.set_len(self.bytes).is_ok()
        {
            self.filled = self.bytes;
        }
        self.sealed = std::mem::take(&mut self.open).into_iter().collect();
        self.sealed
            .sort_unstable_by_key(|(fingerprint, _)| *fingerprint);
        self.sealed.shrink_to_fit();
    }

    /// Adds what this file says of a generation to what is known.
    pub(super) fn tell(&self, id: &str, known: &mut Known) {
        let fingerprint = fingerprint(id);
        let place = self.open.get(&fingerprint).copied().or_else(|| {
            let found = self
                .sealed
                .binary_search_by_key(&fingerprint, |(fingerprint, _)| *fingerprint);
            found.ok().map(|at| self.sealed[at].1)
        });
        let Some(place) = place else { return };
        known.is_begun = true;
        known.is_taken |= place.is_taken;
        let end = place.end.and_then(|at| self.end(id, What::Ended, at));
        known.end = end.or(known.end.take());
        let came = place.came.filter(|_| known.end.is_none());
        let came = came.and_then(|at| self.end(id, What::Came, at));
        known.came = came.or(known.came.take());
    }

    fn end(&self, id: &str, what: What, (at, length): (u32, u32)) -> Option<EndNote> {
        let mut text = vec![0; usize::try_from(length).ok()?];
        if let Some(file) = &self.file {
            file.read_exact_at(&mut text, u64::from(at)).ok()?;
        } else {
            let file = File::open(&self.path).ok()?;
            file.read_exact_at(&mut text, u64::from(at)).ok()?;
        }
        let read = line::read(&text)?;
        (read.id == id && read.what == what).then(|| read.end())?
    }

    /// Deletes the file.
    pub(super) fn delete(&self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }
}
