//! Whether Redis is worth asking: after a failure one call in a while tries, the others go on
//! without it, and the log says so once a minute. Knows nothing of limits, and no Redis.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tracing::{info, warn};

/// How long nobody asks after a failure; one call then pays for the attempt.
const PAUSE: Duration = Duration::from_secs(1);
/// How often the log says that Redis is still away.
const WARN_EVERY: Duration = Duration::from_secs(60);
/// Never: before any failure, before any warning.
const NEVER: u64 = 0;

/// The state of the other side.
#[derive(Debug)]
pub struct Away {
    words: AwayWords,
    began: Instant,
    silent: AtomicBool,
    /// Milliseconds since `began`, plus one, so that 0 is never.
    ask_again_at: AtomicU64,
    warned_at: AtomicU64,
}

/// What it means where it is asked, to be said behind "Redis is back" and "Redis does not answer".
#[derive(Debug, Clone, Copy)]
pub struct AwayWords {
    /// What is again as it should be.
    pub back: &'static str,
    /// How it goes on meanwhile.
    pub gone: &'static str,
}

impl Away {
    /// Not known to be away.
    pub fn new(words: AwayWords) -> Self {
        Self {
            words,
            // The monotonic clock: a step of the wall clock must not keep Redis away.
            began: Instant::now(),
            silent: AtomicBool::new(false),
            ask_again_at: AtomicU64::new(NEVER),
            warned_at: AtomicU64::new(NEVER),
        }
    }

    /// Whether this caller should ask: everybody while all is well, one a second while it is not.
    pub fn may_try(&self) -> bool {
        if !self.silent.load(Ordering::Acquire) {
            return true;
        }
        let now = self.now();
        let again = self.ask_again_at.load(Ordering::Acquire);
        let next = now.saturating_add(millis(PAUSE));
        now >= again
            && self
                .ask_again_at
                .compare_exchange(again, next, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
    }

    /// Notes an answer or a failure.
    pub fn checked<T>(&self, answer: Result<T, String>) -> Option<T> {
        match answer {
            Ok(answer) => {
                if self.silent.swap(false, Ordering::AcqRel) {
                    info!("Redis is back; {}", self.words.back);
                }
                Some(answer)
            }
            Err(reason) => {
                let now = self.now();
                self.ask_again_at
                    .store(now.saturating_add(millis(PAUSE)), Ordering::Release);
                self.silent.store(true, Ordering::Release);
                let warned = self.warned_at.load(Ordering::Acquire);
                let due = warned == NEVER || now >= warned.saturating_add(millis(WARN_EVERY));
                let mine = || {
                    let order = (Ordering::AcqRel, Ordering::Acquire);
                    self.warned_at
                        .compare_exchange(warned, now, order.0, order.1)
                        .is_ok()
                };
                if due && mine() {
                    warn!(
                        reason,
                        "Redis does not answer ({reason}); {}", self.words.gone
                    );
                }
                None
            }
        }
    }

    fn now(&self) -> u64 {
        millis(self.began.elapsed()).saturating_add(1)
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_failure_nobody_asks_for_a_while_and_an_answer_ends_it() {
        let away = Away::new(AwayWords {
            back: "all is well",
            gone: "it goes on",
        });
        assert!(away.may_try() && away.may_try());
        assert_eq!(away.checked::<()>(Err("gone".to_owned())), None);
        assert!(!away.may_try());
        away.ask_again_at.store(NEVER, Ordering::Release);
        assert!(away.may_try(), "one tries");
        assert!(!away.may_try(), "the others do not");
        assert_eq!(away.checked(Ok(5)), Some(5));
        assert!(away.may_try() && away.may_try());
    }
}
