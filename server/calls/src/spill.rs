//! A file of lines that are on disk before anybody relies on them, each with a checksum. Knows nothing
//! of what the lines say.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tracing::{error, warn};

/// Characters of the checksum in front of a line.
const SUM_CHARS: usize = 32;
/// No line is longer; more is damage.
const LINE_BYTES_MAX: u64 = 1024 * 1024;
const PREFIX: &str = "outcomes-";
const SUFFIX: &str = ".log";

fn sum(text: &str) -> String {
    let mut sum = hex::encode(Sha256::digest(text.as_bytes()));
    sum.truncate(SUM_CHARS);
    sum
}

/// The file of this process; there is none while there is nothing in it.
pub(super) struct Spill {
    folder: PathBuf,
    path: PathBuf,
    file: Option<File>,
    end: u64,
    damaged: bool,
}

impl Spill {
    /// In `folder`, under the name of this life of the process.
    pub(super) fn new(folder: PathBuf, life: &str) -> Self {
        Self {
            path: folder.join(format!("{PREFIX}{life}{SUFFIX}")),
            folder,
            file: None,
            end: 0,
            damaged: false,
        }
    }

    /// Appends lines and waits for the disk; answers where each begins.
    pub(super) fn append(&mut self, lines: &[String]) -> io::Result<Vec<u64>> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.create()?,
        };
        let mut text = String::new();
        let mut places = Vec::with_capacity(lines.len());
        for line in lines {
            let before = u64::try_from(text.len()).unwrap_or(u64::MAX);
            places.push(self.end.saturating_add(before));
            text.push_str(&sum(line));
            text.push(' ');
            text.push_str(line);
            text.push('\n');
        }
        let written = file
            .seek(SeekFrom::Start(self.end))
            .and_then(|_| file.write_all(text.as_bytes()))
            .and_then(|()| file.sync_data());
        if written.is_ok() {
            let more = u64::try_from(text.len()).unwrap_or(u64::MAX);
            self.end = self.end.saturating_add(more);
        }
        // What was half written is written over by the next lines, or is damage with a checksum.
        self.file = Some(file);
        written.map(|()| places)
    }

    /// Creates the file, locked. Between the two another process may take it for one that was left,
    /// and remove it: then it is made again.
    fn create(&mut self) -> io::Result<File> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)?;
        loop {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&self.path)?;
            file.lock()?;
            if fs::metadata(&self.path).is_ok_and(|there| is_same(&there, &file)) {
                File::open(&self.folder)?.sync_all()?;
                self.end = file.metadata()?.len();
                return Ok(file);
            }
        }
    }

    /// At most `most` lines from `place` on, and where the next one begins.
    pub(super) fn read(&mut self, place: u64, most: usize) -> io::Result<(Vec<String>, u64)> {
        let Some(file) = &self.file else {
            return Ok((Vec::new(), place));
        };
        let read = lines(file, place, most)?;
        self.damaged |= read.damaged;
        Ok((read.whole, read.next))
    }

    /// Removes the file; one with damage in it stays for people under another name.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        if self.file.is_none() {
            return Ok(());
        }
        remove(&self.path, std::mem::take(&mut self.damaged))?;
        (self.file, self.end) = (None, 0);
        Ok(())
    }

    /// A file that a process left which died, locked, if there is one.
    pub(super) fn left_over(&mut self) -> Option<Left> {
        for entry in fs::read_dir(&self.folder).ok()?.flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if path == self.path || !name.starts_with(PREFIX) || !name.ends_with(SUFFIX) {
                continue;
            }
            let opened = OpenOptions::new().read(true).write(true).open(&path);
            let Ok(file) = opened.inspect_err(|error| warn!(%error, "{name} can't be opened"))
            else {
                continue;
            };
            // One that lives holds its lock.
            if file.try_lock().is_ok() && path.exists() {
                return Some(Left {
                    path,
                    file,
                    damaged: false,
                });
            }
        }
        None
    }
}

fn is_same(there: &fs::Metadata, file: &File) -> bool {
    let same = |ours: fs::Metadata| ours.ino() == there.ino() && ours.dev() == there.dev();
    file.metadata().is_ok_and(same)
}

fn remove(path: &Path, damaged: bool) -> io::Result<()> {
    if damaged {
        return fs::rename(path, path.with_extension("damaged"));
    }
    fs::remove_file(path)
}

/// A file that another process left.
#[derive(Debug)]
pub(super) struct Left {
    path: PathBuf,
    file: File,
    damaged: bool,
}

impl Left {
    /// At most `most` lines from `place` on, and where the next one begins.
    pub(super) fn read(&mut self, place: u64, most: usize) -> io::Result<(Vec<String>, u64)> {
        let read = lines(&self.file, place, most)?;
        self.damaged |= read.damaged;
        Ok((read.whole, read.next))
    }

    /// Everything in it was taken over.
    pub(super) fn remove(&self) {
        if let Err(error) = remove(&self.path, self.damaged) {
            warn!(%error, "{} can't be removed: {error}", self.path.display());
        }
    }
}

struct Lines {
    whole: Vec<String>,
    next: u64,
    damaged: bool,
}

/// Whole lines whose checksum is right; the others are told of and passed over. A last line without
/// its end was never on disk as a whole, and nobody relied on it.
fn lines(file: &File, place: u64, most: usize) -> io::Result<Lines> {
    let mut reader = BufReader::new(file);
    reader.seek(SeekFrom::Start(place))?;
    let mut read = Lines {
        whole: Vec::new(),
        next: place,
        damaged: false,
    };
    while read.whole.len() < most {
        let mut bytes = Vec::new();
        let mut part = std::io::Read::take(&mut reader, LINE_BYTES_MAX);
        let length = part.read_until(b'\n', &mut bytes)?;
        if length == 0 || bytes.pop() != Some(b'\n') {
            break;
        }
        let begin = read.next;
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        read.next = read.next.saturating_add(length);
        let text = String::from_utf8(bytes).unwrap_or_default();
        match text.split_once(' ') {
            Some((told, line)) if told == sum(line) => read.whole.push(line.to_owned()),
            Some(_) | None => {
                read.damaged = true;
                error!("a line at byte {begin} of a file of outcomes is damaged");
            }
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(from: usize, to: usize) -> Vec<String> {
        (from..to).map(|n| format!("{{\"n\":{n}}}")).collect()
    }

    #[test]
    fn what_was_appended_is_read_back_in_order_and_in_parts() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut spill = Spill::new(folder.path().join("outcomes"), "boot_a");
        assert!(spill.left_over().is_none());
        let first = spill.append(&texts(0, 3)).expect("appended");
        let second = spill.append(&texts(3, 5)).expect("appended");
        assert_eq!(first[0], 0);
        let (lines, next) = spill.read(first[1], 3).expect("read");
        assert_eq!(lines, texts(1, 4));
        assert_eq!(next, second[1]);
        assert_eq!(spill.read(next, 9).expect("read").0, texts(4, 5));
        spill.clear().expect("cleared");
        assert_eq!(
            fs::read_dir(folder.path().join("outcomes"))
                .expect("there")
                .count(),
            0
        );
        let again = spill.append(&texts(9, 10)).expect("appended");
        assert_eq!(spill.read(again[0], 9).expect("read").0, texts(9, 10));
    }

    #[test]
    fn a_dead_process_file_is_taken_over_and_a_living_ones_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_owned();
        let mut dead = Spill::new(path.clone(), "boot_dead");
        dead.append(&texts(0, 2)).expect("appended");
        let mut other = Spill::new(path.clone(), "boot_other");
        assert!(other.left_over().is_none(), "it lives and holds its lock");
        drop(dead);
        let mut left = other.left_over().expect("the dead one's");
        assert_eq!(left.read(0, 9).expect("read").0, texts(0, 2));
        left.remove();
        drop(left);
        assert!(other.left_over().is_none());
    }

    #[test]
    fn a_torn_end_is_passed_over_and_damage_is_kept_for_people() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("outcomes-boot_dead.log");
        let mut text = String::new();
        for line in texts(0, 3) {
            text.extend([&sum(&line), " ", &line, "\n"]);
        }
        let damaged = text.replacen("\"n\":1", "\"n\":7", 1);
        fs::write(&path, format!("{damaged}0123 {{\"n\":")).expect("written");
        let mut spill = Spill::new(folder.path().to_owned(), "boot_new");
        let mut left = spill.left_over().expect("left");
        let (lines, next) = left.read(0, 9).expect("read");
        assert_eq!(lines, [texts(0, 1), texts(2, 3)].concat());
        assert!(left.read(next, 9).expect("read").0.is_empty());
        left.remove();
        assert!(folder.path().join("outcomes-boot_dead.damaged").exists());
    }
}
