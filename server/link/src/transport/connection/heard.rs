//! When something was last heard of a gateway, over any of its connections.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use super::{HEARD_ABOUT_MS, millis};

/// What was heard of a gateway over all its connections, and whether it was given up: silent for longer
/// than anybody waits.
#[derive(Debug)]
pub(in super::super) struct Heard {
    begun: Instant,
    pub(super) last_ms: AtomicU64,
    is_given_up: AtomicBool,
}

impl Heard {
    pub(in super::super) fn nothing() -> Self {
        Self {
            begun: Instant::now(),
            last_ms: AtomicU64::new(0),
            is_given_up: AtomicBool::new(false),
        }
    }

    /// When something was last heard, about to a tenth of a second; grows with every later sign.
    pub(in super::super) fn last_ms(&self) -> u64 {
        self.last_ms.load(Ordering::Relaxed)
    }

    pub(super) fn heard(&self, now: Instant) {
        // Plain reads mostly: cores share these, and each part of each stream is a sign.
        let now_ms = millis(now.saturating_duration_since(self.begun));
        if now_ms >= self.last_ms() + HEARD_ABOUT_MS {
            self.last_ms.store(now_ms, Ordering::Relaxed);
        }
        if self.is_given_up() {
            self.is_given_up.store(false, Ordering::Relaxed);
        }
    }

    /// Nothing was heard for longer than anybody waits.
    pub(in super::super) fn give_up(&self) {
        self.is_given_up.store(true, Ordering::Relaxed);
    }

    /// Whether it was given up and not heard since.
    pub(in super::super) fn is_given_up(&self) -> bool {
        self.is_given_up.load(Ordering::Relaxed)
    }
}
