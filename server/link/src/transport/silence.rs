//! How long a connection is silent, in time in which this process could have heard it: a runtime that
//! gets no core reads nothing, and that is no fault of a path. Ends nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::connection::Connection;

/// Silence that means a dead path: a ping, its answer over 300 ms, and once more both. Ending a
/// connection that only was slow costs its streams one round trip, for they attach again elsewhere.
pub(crate) const SILENCE_MAX: Duration = Duration::from_millis(1_100);
/// Silence of a connection that carries nothing; longer, because nobody waits.
const IDLE_SILENCE_MAX: Duration = Duration::from_millis(2_500);
/// How often silence is looked for on a connection that carries something, and on one that does not.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const LOOK_IDLE_EVERY: Duration = Duration::from_millis(500);
/// A look that comes later than this says that the runtime had no time.
const LATE: Duration = Duration::from_millis(50);
/// Looks in a row that came in time before silence counts: what arrived while the runtime had no time
/// is read by then.
const IN_TIME_MIN: u32 = 3;
/// For how long after a late look the raw age of the last sign says nothing.
pub(super) const LATE_TELLS: Duration = Duration::from_secs(2);

/// However long silences were that ended by themselves: beyond this it is called silence.
const LEARNED_MAX: Duration = Duration::from_secs(4);
/// For how long a false alarm is remembered.
const LEARNED_FOR: Duration = Duration::from_secs(30);

/// Silences of a pool's connections that ended by themselves: a gateway that has little time to answer
/// gets more, instead of new connections that cost it more time still.
#[derive(Debug, Default)]
pub(super) struct FalseAlarms {
    begun: OnceLock<Instant>,
    longest_ms: AtomicU64,
    at_ms: AtomicU64,
}

impl FalseAlarms {
    fn now_ms(&self) -> u64 {
        let begun = self.begun.get_or_init(Instant::now);
        u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn learn(&self, quiet: Duration) {
        let quiet = u64::try_from(quiet.as_millis()).unwrap_or(u64::MAX);
        let longest = quiet.max(self.longest_ms.load(Ordering::Relaxed) * 3 / 4);
        self.longest_ms.store(longest, Ordering::Relaxed);
        self.at_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    /// What silence is now, where it usually is `silence_max`.
    fn beyond(&self, silence_max: Duration) -> Duration {
        let longest = Duration::from_millis(self.longest_ms.load(Ordering::Relaxed));
        if longest.is_zero() {
            return silence_max;
        }
        let ago = self.now_ms() - self.at_ms.load(Ordering::Relaxed).min(self.now_ms());
        if Duration::from_millis(ago) > LEARNED_FOR {
            return silence_max;
        }
        (longest * 3 / 2).min(LEARNED_MAX).max(silence_max)
    }
}

/// What is known of a connection's silence.
#[derive(Debug, Default)]
struct Quiet {
    /// When the last sign came that was seen by a look.
    last_ms: u64,
    /// Time since then in which this runtime ran.
    span: Duration,
    in_time: u32,
}

impl Quiet {
    /// A look that should have come after `look` came after `slept`; the newest sign is of `last_ms`.
    fn looked(&mut self, last_ms: u64, slept: Duration, look: Duration) {
        let in_time = slept < look + LATE;
        self.in_time = if in_time { self.in_time + 1 } else { 0 };
        if last_ms != self.last_ms {
            self.last_ms = last_ms;
            self.span = Duration::ZERO;
        } else if in_time {
            self.span += slept;
        } else {
            // At most what it would have waited: the rest nobody could have heard.
            self.span += look;
        }
    }

    fn is_beyond(&self, silence_max: Duration) -> bool {
        self.span > silence_max && self.in_time >= IN_TIME_MIN
    }
}

/// How a connection's silence ends for whoever watches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// The connection is gone.
    Ended,
    /// It is silent for longer than one that lives.
    Long,
}

/// What came of waiting for a connection that is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speech {
    /// It is heard again.
    Heard,
    /// The connection is gone.
    Ended,
    /// Nobody waits any longer.
    GivenUp,
}

/// Watches one connection, on the runtime that drives it.
pub(super) struct Watch<'a> {
    one: Arc<Connection>,
    alarms: &'a FalseAlarms,
    patience: Duration,
    heard: Quiet,
}

impl<'a> Watch<'a> {
    pub(super) fn over(one: &Arc<Connection>, alarms: &'a FalseAlarms, patience: Duration) -> Self {
        Self {
            one: one.clone(),
            alarms,
            patience,
            heard: Quiet::default(),
        }
    }

    /// Waits until it is gone, or silent for so long that it is as good as gone.
    pub(super) async fn silence(&mut self) -> Silence {
        loop {
            let busy = self.one.streams() > 0;
            let (look, silence_max) = if busy {
                (LOOK_EVERY, SILENCE_MAX)
            } else {
                (LOOK_IDLE_EVERY, IDLE_SILENCE_MAX)
            };
            if !self.look(look).await {
                return Silence::Ended;
            }
            if self.heard.is_beyond(self.silence_max(silence_max)) {
                return Silence::Long;
            }
        }
    }

    /// Waits until something is heard of it, or it is gone, or silent for longer than anybody waits.
    pub(super) async fn speaks(&mut self) -> Speech {
        let mut quiet = self.heard.span;
        while self.look(LOOK_EVERY).await {
            if self.heard.span.is_zero() {
                self.alarms.learn(quiet);
                return Speech::Heard;
            }
            if self.heard.is_beyond(self.patience) {
                return Speech::GivenUp;
            }
            quiet = self.heard.span;
        }
        Speech::Ended
    }

    /// As [`Watch::speaks`], for no longer than `within` of time in which this process could hear, in one
    /// piece; a process that never has so much waits as long as anybody.
    pub(super) async fn speaks_within(&mut self, within: Duration) -> Speech {
        let (began, mut heard_nothing) = (Instant::now(), Duration::ZERO);
        let mut quiet = self.heard.span;
        while self.look(LOOK_EVERY).await {
            if self.heard.span.is_zero() {
                self.alarms.learn(quiet);
                return Speech::Heard;
            }
            quiet = self.heard.span;
            if self.heard.in_time == 0 {
                heard_nothing = Duration::ZERO;
            } else {
                heard_nothing += LOOK_EVERY;
            }
            if heard_nothing >= within || began.elapsed() > self.patience {
                return Speech::GivenUp;
            }
        }
        Speech::Ended
    }

    /// Waits until it carries nothing any more or is gone; false where it is silent for longer than
    /// it should be.
    pub(super) async fn carries_on(&mut self) -> bool {
        while self.one.streams() > 0 && self.look(LOOK_EVERY).await {
            if self.heard.is_beyond(self.silence_max(SILENCE_MAX)) {
                return false;
            }
        }
        true
    }

    /// What silence is now; nobody waits beyond patience.
    fn silence_max(&self, usual: Duration) -> Duration {
        self.alarms.beyond(usual).min(self.patience)
    }

    /// One look; false where the connection is gone.
    async fn look(&mut self, look: Duration) -> bool {
        let began = Instant::now();
        if !self.one.lasts(look).await {
            return false;
        }
        let slept = began.elapsed();
        self.heard.looked(self.one.last_sign_ms(), slept, look);
        if self.heard.in_time == 0 {
            self.one.was_late();
        }
        self.one.suspect(self.heard.is_beyond(SILENCE_MAX));
        true
    }
}

#[cfg(test)]
mod tests;
