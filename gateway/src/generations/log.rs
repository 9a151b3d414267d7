//! Output that is kept so that a cut stream can be read again: bytes by offset, and one budget over
//! all of it. What is kept and what is on its way to a reader are the same memory. Knows no generation
//! and no reader.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Buf, Bytes, BytesMut};

/// Small parts are handed out together, at most so many bytes at once.
const PIECE_MAX: usize = 16 * 1024;
/// Parts lie together in memory of this size: it never moves and is given back piece by piece.
const CHUNK: usize = 16 * 1024;
/// Most streams are short.
const CHUNK_FIRST: usize = 4 * 1024;
/// Larger parts have memory of their own.
const LARGE: usize = 4 * 1024;
/// A running generation keeps at most this, however few there are: the window of one stream on the
/// link, so that whatever may be lost in flight is still here.
const SHARE_MAX: usize = 4 * 1024 * 1024;
/// What one keeps at least, also when the budget is overdrawn.
const SHARE_MIN: usize = 4 * 1024;

/// Bytes of output this process may keep, and what it keeps now.
#[derive(Debug)]
pub(crate) struct Budget {
    bound: usize,
    held: AtomicUsize,
    running: AtomicUsize,
}

impl Budget {
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            bound,
            held: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
        }
    }

    /// Bytes of memory that are held, spare room of the buffers included.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    pub(crate) fn is_overdrawn(&self) -> bool {
        self.held() > self.bound
    }

    /// What ended generations may hold of it, all together.
    pub(crate) fn for_ended(&self) -> usize {
        self.bound / 2
    }

    /// What a running generation may keep now.
    fn share(&self) -> usize {
        if self.is_overdrawn() {
            return SHARE_MIN;
        }
        let running = self.running.load(Ordering::Relaxed).max(1);
        (self.bound / 2 / running).clamp(SHARE_MIN, SHARE_MAX)
    }

    pub(crate) fn add(&self, bytes: usize) {
        self.held.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn subtract(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// The bytes asked for are not kept any more, or were never written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;

/// The output of one generation, from some offset on. A copy and not slices of the provider's
/// buffers: a slice of 300 bytes would keep a buffer of 8 KiB alive.
#[derive(Debug)]
pub(crate) struct Log {
    budget: Arc<Budget>,
    begin: u64,
    end: u64,
    /// Each with its offset.
    parts: VecDeque<(u64, Bytes)>,
    /// Room for small parts.
    room: BytesMut,
    /// Memory that parts lie in, with the offset where the last of them ends.
    memory: VecDeque<(u64, usize)>,
    held: usize,
    running: bool,
}

impl Log {
    pub(crate) fn new(budget: Arc<Budget>) -> Self {
        budget.running.fetch_add(1, Ordering::Relaxed);
        Self {
            budget,
            begin: 0,
            end: 0,
            parts: VecDeque::new(),
            room: BytesMut::new(),
            memory: VecDeque::new(),
            held: 0,
            running: true,
        }
    }

    fn len(&self) -> usize {
        usize::try_from(self.end - self.begin).unwrap_or(usize::MAX)
    }

    /// Whether more can be written without giving up what is kept.
    pub(crate) fn has_room(&self) -> bool {
        self.len() < self.budget.share()
    }

    /// Appends, and gives up the oldest bytes beyond this generation's share. Answers the same bytes as
    /// they are kept.
    pub(crate) fn push(&mut self, part: &[u8]) -> Bytes {
        let start = self.end;
        self.end += u64::try_from(part.len()).unwrap_or(0);
        let kept = if part.len() >= LARGE {
            self.memory.push_back((self.end, part.len()));
            Bytes::copy_from_slice(part)
        } else {
            self.place(part)
        };
        if !part.is_empty() {
            self.parts.push_back((start, kept.clone()));
        }
        let surplus = self.len().saturating_sub(self.budget.share());
        self.give_up(surplus);
        self.account();
        kept
    }

    /// Copies a small part behind the one before.
    fn place(&mut self, part: &[u8]) -> Bytes {
        if self.room.capacity() - self.room.len() < part.len() {
            let size = if self.memory.is_empty() {
                CHUNK_FIRST
            } else {
                CHUNK
            };
            self.room = BytesMut::with_capacity(size);
            self.memory.push_back((self.end, size));
        } else if let Some(last) = self.memory.back_mut() {
            // Where a large part came between, its memory is counted for a little longer.
            last.0 = self.end;
        }
        self.room.extend_from_slice(part);
        self.room.split().freeze()
    }

    fn give_up(&mut self, mut surplus: usize) {
        while surplus > 0
            && let Some((start, part)) = self.parts.front_mut()
        {
            let given = surplus.min(part.len());
            let moved = u64::try_from(given).unwrap_or(0);
            surplus -= given;
            self.begin += moved;
            if given == part.len() {
                self.parts.pop_front();
            } else {
                *start += moved;
                part.advance(given);
            }
        }
        while self
            .memory
            .front()
            .is_some_and(|(end, _)| *end <= self.begin)
            && self.memory.len() > 1
        {
            self.memory.pop_front();
        }
    }

    /// Tells the budget what is held.
    fn account(&mut self) {
        let parts = self.parts.capacity() * size_of::<(u64, Bytes)>();
        let held = parts + self.memory.iter().map(|(_, size)| size).sum::<usize>();
        if held >= self.held {
            self.budget.add(held - self.held);
        } else {
            self.budget.subtract(self.held - held);
        }
        self.held = held;
    }

    /// Some of the bytes from `offset` on; nothing at the end.
    pub(crate) fn read(&self, offset: u64) -> Result<Option<Bytes>, Gone> {
        if offset < self.begin || offset > self.end {
            return Err(Gone);
        }
        let after = self.parts.partition_point(|(start, _)| *start <= offset);
        let mut parts = self.parts.range(after.saturating_sub(1)..);
        let Some((start, part)) = parts.next().filter(|_| offset < self.end) else {
            return Ok(None);
        };
        let first = part.slice(usize::try_from(offset - start).map_err(|_| Gone)?..);
        let mut length = first.len();
        let more = parts.map_while(|(_, part)| {
            length += part.len();
            (length <= PIECE_MAX).then_some(part)
        });
        let mut more = more.peekable();
        if first.len() >= LARGE || more.peek().is_none() {
            return Ok(Some(first));
        }
        let mut piece = BytesMut::with_capacity(PIECE_MAX);
        piece.extend_from_slice(&first);
        for part in more {
            piece.extend_from_slice(part);
        }
        Ok(Some(piece.freeze()))
    }

    /// Nothing more is written.
    pub(crate) fn close(&mut self) {
        if std::mem::take(&mut self.running) {
            self.budget.running.fetch_sub(1, Ordering::Relaxed);
            self.room = BytesMut::new();
            self.parts.shrink_to_fit();
            self.account();
        }
    }

    /// Memory that is held.
    pub(crate) fn held(&self) -> usize {
        self.held
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.close();
        self.budget.subtract(self.held);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_possible_truncation, reason = "any bytes will do")]

    use proptest::prelude::*;

    use super::*;

    fn rest(log: &Log, mut offset: u64) -> Result<Vec<u8>, Gone> {
        let mut all = Vec::new();
        while let Some(piece) = log.read(offset)? {
            offset += piece.len() as u64;
            all.extend_from_slice(&piece);
        }
        Ok(all)
    }

    proptest! {
        #[test]
        fn every_offset_reads_the_same_suffix_or_is_gone(
            lengths in prop::collection::vec(0_usize..9_000, 1..40),
            bound in 0_usize..200_000,
        ) {
            let budget = Arc::new(Budget::new(bound));
            let mut log = Log::new(budget.clone());
            let mut whole = Vec::new();
            for length in lengths {
                let part: Vec<u8> = (whole.len()..whole.len() + length).map(|n| n as u8).collect();
                prop_assert_eq!(&log.push(&part)[..], &part[..]);
                whole.extend_from_slice(&part);
                prop_assert_eq!(budget.held(), log.held());
                // The share, a chunk at either end, and where the parts are.
                let share = (bound / 2).clamp(SHARE_MIN, SHARE_MAX);
                prop_assert!(log.held() <= share + 2 * (CHUNK + 9_000) + 40 * 128, "{} of {share}", log.held());
            }
            for offset in [0, 1, whole.len() / 2, whole.len().saturating_sub(SHARE_MIN), whole.len()] {
                match rest(&log, offset as u64) {
                    Ok(bytes) => prop_assert_eq!(&bytes, &whole[offset..]),
                    Err(Gone) => prop_assert!(whole.len() - offset > SHARE_MIN),
                }
            }
            prop_assert_eq!(log.read(whole.len() as u64 + 1), Err(Gone));
            drop(log);
            prop_assert_eq!(budget.held(), 0);
        }
    }

    #[test]
    fn running_generations_share_the_budget() {
        let budget = Arc::new(Budget::new(64 * 1024));
        let mut logs: Vec<Log> = (0..4).map(|_| Log::new(budget.clone())).collect();
        for _ in 0..100 {
            for log in &mut logs {
                log.push(&[7; 1_000]);
            }
        }
        // Each may hold a chunk more at either end.
        assert!(budget.held() <= 4 * (8 + 32) * 1024, "{}", budget.held());
        assert!(logs.iter().all(|log| log.len() >= SHARE_MIN));
        logs.truncate(1);
        for _ in 0..30 {
            logs[0].push(&[7; 1_000]);
        }
        assert!(logs[0].len() > 20_000, "the others' shares are free again");
    }

    #[test]
    fn small_parts_come_back_together_and_what_is_handed_out_is_not_held_twice() {
        let budget = Arc::new(Budget::new(64 * 1024 * 1024));
        let mut log = Log::new(budget.clone());
        let first = log.push(&[1; 100]);
        for _ in 0..1_000 {
            log.push(&[2; 100]);
        }
        let large = log.push(&vec![3; 50_000]);
        let piece = log.read(0).expect("kept").expect("more");
        assert!(
            piece.len() > CHUNK - 200 && piece.len() <= PIECE_MAX,
            "{}",
            piece.len()
        );
        let again = log.read(100_100).expect("kept").expect("more");
        assert_eq!(again.as_ptr(), large.as_ptr(), "the same memory");
        assert!(
            budget.held() < 150_100 + 2 * CHUNK + 2_048 * 40,
            "{}",
            budget.held()
        );
        drop(log);
        assert_eq!((budget.held(), first.len()), (0, 100));
    }
}
