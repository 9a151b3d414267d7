//! The memory that bodies share: a share grows with its body and is given back at its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::time::{Instant, sleep};

use super::{BodyError, LARGE_BYTES, ROOM_LOOK, ROOM_WAIT};

#[derive(Debug)]
struct Pot {
    used: AtomicUsize,
    max: usize,
}

/// Bytes of bodies that may be in memory at once, in all of the process; cheap to clone.
#[derive(Debug, Clone)]
pub struct BodyBudget(Arc<Pot>);

/// Bytes taken out of the budget until it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    pub(super) budget: BodyBudget,
    pub(super) bytes: usize,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.0.used.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

impl BodyBudget {
    /// Of so many bytes, and at least of enough for a body of `body_bytes_max`.
    pub fn new(bytes: usize, body_bytes_max: usize) -> Self {
        // Large bodies have three quarters.
        let least = body_bytes_max.saturating_mul(2).max(LARGE_BYTES * 4);
        Self(Arc::new(Pot {
            used: AtomicUsize::new(0),
            max: bytes.max(least),
        }))
    }

    /// Bytes that are taken now.
    pub fn used(&self) -> usize {
        self.0.used.load(Ordering::Acquire)
    }

    pub(super) fn share(&self) -> Share {
        Share {
            budget: self.clone(),
            bytes: 0,
        }
    }
}

impl Share {
    fn try_grow(&mut self, bytes: usize) -> bool {
        let pot = &self.budget.0;
        let is_large = self.bytes.saturating_add(bytes) > LARGE_BYTES;
        let max = if is_large { pot.max / 4 * 3 } else { pot.max };
        let grown = pot
            .used
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
                used.checked_add(bytes).filter(|used| *used <= max)
            });
        if grown.is_ok() {
            self.bytes += bytes;
        }
        grown.is_ok()
    }

    /// Takes more, after a short wait if others have it just now.
    pub(super) async fn grow(&mut self, bytes: usize) -> Result<(), BodyError> {
        let until = Instant::now() + ROOM_WAIT;
        while !self.try_grow(bytes) {
            if Instant::now() >= until {
                return Err(BodyError::Busy);
            }
            sleep(ROOM_LOOK).await;
        }
        Ok(())
    }
}

/// A body in memory with its share of the budget.
pub(super) struct Kept {
    pub(super) bytes: Vec<u8>,
    pub(super) _share: Share,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
