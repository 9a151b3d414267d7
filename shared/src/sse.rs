//! Server-sent events, read as they pass: finds the end of each event in any split of the bytes.
//! Keeps at most one unfinished event, bounded by itself and over all streams; changes no byte.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};

/// A picture in a delta may be as large as this; a larger event is a fault, not a reason to grow.
pub const EVENT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// What every stream may keep of an unfinished event; usual events are far smaller.
const KEPT_FREE: usize = 64 * 1024;
/// A piece that waits for its reader takes of the budget only when it is larger.
const ROOM_FREE: usize = 1024 * 1024;
/// What all streams of a process may keep beyond that: eight of the largest events at once.
const KEPT_ALL_MAX: usize = 128 * 1024 * 1024;

/// The budget of this process.
static KEPT: Budget = Budget::new(KEPT_ALL_MAX);

/// An unfinished event was larger than [`EVENT_BYTES_MAX`], or than what is left for all streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventTooLarge;

/// Bytes that streams may keep together.
#[derive(Debug)]
struct Budget {
    max: usize,
    taken: AtomicUsize,
}

impl Budget {
    const fn new(max: usize) -> Self {
        Self {
            max,
            taken: AtomicUsize::new(0),
        }
    }

    fn take(&self, bytes: usize) -> Result<(), EventTooLarge> {
        let before = self.taken.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.max {
            self.give(bytes);
            return Err(EventTooLarge);
        }
        Ok(())
    }

    fn give(&self, bytes: usize) {
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// A part of what streams may keep together, for what is whole and waits to be taken; given back when
/// dropped.
#[derive(Debug)]
pub struct Room(usize);

impl Room {
    /// Room for so many bytes; for usual pieces none is needed.
    pub fn of(bytes: usize) -> Result<Option<Self>, EventTooLarge> {
        if bytes <= ROOM_FREE {
            return Ok(None);
        }
        KEPT.take(bytes).map(|()| Some(Self(bytes)))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        KEPT.give(self.0);
    }
}

/// What becomes of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// It goes on as it is.
    All,
    /// It goes on without these bytes.
    Without(Range<usize>),
    /// It ends here.
    Nothing,
    /// This goes on in its place.
    Instead(Bytes),
}

/// Cuts a stream of bytes into whole events, each with its closing blank line.
#[derive(Debug)]
pub struct Events {
    kept: BytesMut,
    /// Of `kept`, where the line begins in which the next end may be found.
    looked: usize,
    /// Bytes of the budget that are taken for `kept`.
    taken: usize,
    budget: &'static Budget,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            kept: BytesMut::new(),
            looked: 0,
            taken: 0,
            budget: &KEPT,
        }
    }
}

/// The place behind the first blank line: `\n\n`, `\r\n\r\n` or `\r\r` (WHATWG HTML, 9.2.5). `Err` with
/// the place of the last line end that may become one.
fn event_end(bytes: &[u8], from: usize) -> Result<usize, usize> {
    let mut at = from;
    while let Some(end) = memchr::memchr2(b'\n', b'\r', &bytes[at..]).map(|found| found + at) {
        let Some(next) = line_end(bytes, end) else {
            return Err(end);
        };
        match bytes.get(next) {
            None => return Err(end),
            Some(b'\n' | b'\r') => return line_end(bytes, next).ok_or(end),
            Some(_) => at = next,
        }
    }
    Err(bytes.len())
}

/// The place behind the line ending at `at`; `None` while a `\r` may still become `\r\n`.
fn line_end(bytes: &[u8], at: usize) -> Option<usize> {
    match (bytes.get(at)?, bytes.get(at + 1)) {
        (b'\n', _) => Some(at + 1),
        (_, Some(b'\n')) => Some(at + 2),
        (_, Some(_)) => Some(at + 1),
        (_, None) => None,
    }
}

impl Events {
    /// Adds `bytes`, asks `each` of every event that is whole now, and adds to `out` what goes on: as few
    /// slices of the bytes as can be.
    pub fn push(
        &mut self,
        mut bytes: Bytes,
        out: &mut Vec<Bytes>,
        mut each: impl FnMut(&[u8]) -> Keep,
    ) -> Result<(), EventTooLarge> {
        let mut looked = 0;
        if !self.kept.is_empty() {
            self.grow(bytes.len())?;
            self.kept.extend_from_slice(&bytes);
            looked = self.looked;
            match event_end(&self.kept, looked) {
                Ok(_) => bytes = self.take(),
                Err(place) => {
                    self.looked = place;
                    return Ok(());
                }
            }
        }
        // `begin` of what goes on in one slice, `at` of the event that is looked at.
        let (mut begin, mut at) = (0, 0);
        let rest = loop {
            let end = match event_end(&bytes, looked) {
                Ok(end) => end,
                Err(place) => break place,
            };
            let keep = each(&bytes[at..end]);
            let mut pass = |from: usize, to: usize| {
                if from < to {
                    out.push(bytes.slice(from..to));
                }
            };
            match keep {
                Keep::All => {}
                Keep::Without(range) => {
                    pass(begin, (at + range.start).min(end));
                    begin = (at + range.end).min(end);
                }
                Keep::Nothing => {
                    pass(begin, at);
                    begin = end;
                }
                Keep::Instead(other) => {
                    pass(begin, at);
                    out.push(other);
                    begin = end;
                }
            }
            (at, looked) = (end, end);
        };
        if begin < at {
            out.push(bytes.slice(begin..at));
        }
        if at < bytes.len() {
            self.grow(bytes.len() - at)?;
            self.kept.extend_from_slice(&bytes[at..]);
            self.looked = rest - at;
        }
        Ok(())
    }

    /// Makes sure that so much more may be kept.
    fn grow(&mut self, more: usize) -> Result<(), EventTooLarge> {
        let size = self.kept.len().saturating_add(more);
        if size > EVENT_BYTES_MAX {
            return Err(EventTooLarge);
        }
        let needed = size.saturating_sub(KEPT_FREE);
        if needed > self.taken {
            self.budget.take(needed - self.taken)?;
            self.taken = needed;
        }
        Ok(())
    }

    /// What is kept; nothing is afterwards.
    fn take(&mut self) -> Bytes {
        self.budget.give(std::mem::take(&mut self.taken));
        self.looked = 0;
        // A buffer that grew for one large event is not kept for small ones.
        if self.kept.capacity() > KEPT_FREE {
            return std::mem::take(&mut self.kept).freeze();
        }
        self.kept.split().freeze()
    }

    /// Whether the bytes so far end with a whole event.
    pub fn is_between(&self) -> bool {
        self.kept.is_empty()
    }

    /// What is kept of an unfinished event.
    pub fn unfinished(&self) -> &[u8] {
        &self.kept
    }

    /// What is left when the stream has ended.
    pub fn rest(&mut self) -> Bytes {
        self.take()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.budget.give(self.taken);
    }
}

#[cfg(test)]
mod tests;
