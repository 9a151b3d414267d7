//! Output that is kept so that a cut stream can be read again: bytes by offset, and one budget over
//! all of it. Knows no generation and no reader.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// A replay is handed out in pieces of at most this.
const PIECE_MAX: usize = 64 * 1024;
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
    /// Bytes given up so far.
    begin: u64,
    /// Of `bytes`, those given up that still lie in memory.
    head: usize,
    bytes: Vec<u8>,
    running: bool,
}

impl Log {
    pub(crate) fn new(budget: Arc<Budget>) -> Self {
        budget.running.fetch_add(1, Ordering::Relaxed);
        Self {
            budget,
            begin: 0,
            head: 0,
            bytes: Vec::new(),
            running: true,
        }
    }

    fn len(&self) -> usize {
        self.bytes.len() - self.head
    }

    /// Whether more can be written without giving up what is kept.
    pub(crate) fn has_room(&self) -> bool {
        self.len() < self.budget.share()
    }

    /// Appends, and gives up the oldest bytes beyond this generation's share.
    pub(crate) fn push(&mut self, part: &[u8]) {
        let before = self.bytes.capacity();
        self.bytes.extend_from_slice(part);
        let share = self.budget.share();
        if self.len() > share {
            let surplus = self.len() - share;
            self.head += surplus;
            self.begin += u64::try_from(surplus).unwrap_or(0);
            // Moved together only when that frees half, so that each byte is moved once.
            if self.head > self.bytes.len() / 2 {
                self.bytes.drain(..self.head);
                self.head = 0;
                self.bytes.shrink_to(share + part.len());
            }
        }
        let after = self.bytes.capacity();
        if after >= before {
            self.budget.add(after - before);
        } else {
            self.budget.subtract(before - after);
        }
    }

    /// Some of the bytes from `offset` on; nothing at the end.
    pub(crate) fn read(&self, offset: u64) -> Result<Option<Bytes>, Gone> {
        let from = offset.checked_sub(self.begin).ok_or(Gone)?;
        let from = usize::try_from(from).map_err(|_| Gone)?;
        let rest = self.bytes[self.head..].get(from..).ok_or(Gone)?;
        let piece = &rest[..rest.len().min(PIECE_MAX)];
        Ok((!piece.is_empty()).then(|| Bytes::copy_from_slice(piece)))
    }

    /// Nothing more is written.
    pub(crate) fn close(&mut self) {
        if std::mem::take(&mut self.running) {
            self.budget.running.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Memory that is held.
    pub(crate) fn held(&self) -> usize {
        self.bytes.capacity()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.close();
        self.budget.subtract(self.bytes.capacity());
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
                log.push(&part);
                whole.extend_from_slice(&part);
                prop_assert_eq!(budget.held(), log.held());
                // A piece, the share, and as much again that waits to be moved together.
                let share = (bound / 2).clamp(SHARE_MIN, SHARE_MAX);
                prop_assert!(log.held() <= 4 * (share + 9_000), "{} of {share}", log.held());
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
        assert!(budget.held() <= 2 * 64 * 1024, "{}", budget.held());
        assert!(logs.iter().all(|log| log.len() >= SHARE_MIN));
        logs.truncate(1);
        for _ in 0..30 {
            logs[0].push(&[7; 1_000]);
        }
        assert!(logs[0].len() > 20_000, "the others' shares are free again");
    }
}
