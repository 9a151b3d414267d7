//! How bad a line is, and what becomes of each packet on it: lost, refused by a full queue, or due
//! at an instant. Knows no sockets and no clock; the caller says what time it is.

use std::time::{Duration, Instant};

/// A queue shorter than this would refuse the burst with which every connection begins.
const QUEUE_BYTES_MIN: u64 = 64 * 1024;

/// What one direction of a link does to packets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conditions {
    /// From one end to the other; half the round trip.
    pub(crate) delay: Duration,
    /// At most this much is added, evenly distributed. Order is kept: on one route packets queue
    /// behind each other.
    pub(crate) jitter: Duration,
    pub(crate) loss: Loss,
    /// Bits a second; `None` is a line without a limit.
    pub(crate) bits_per_second: Option<u64>,
    /// Bytes that may wait for the line; beyond it the last to come is dropped. `None` takes one
    /// round trip's worth.
    pub(crate) queue_bytes: Option<u64>,
    /// The same seed loses the same packets of the same traffic.
    pub(crate) seed: u64,
}

impl Conditions {
    fn queue_bytes(&self) -> u64 {
        self.queue_bytes.unwrap_or_else(|| {
            let round_trip = self.delay * 2;
            let bits = self.bits_per_second.unwrap_or_default() as f64 * round_trip.as_secs_f64();
            whole(bits / 8.0).max(QUEUE_BYTES_MIN)
        })
    }
}

/// How packets get lost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Loss {
    /// Lost packets out of all, 0 to below 1.
    pub(crate) fraction: f64,
    /// Mean length of a run of lost packets; 1 loses each packet independently of the last,
    /// more is Gilbert's model: a good state that passes all and a bad one that loses all.
    pub(crate) burst: f64,
}

impl Loss {
    pub(crate) const NONE: Self = Self::independent(0.0);

    pub(crate) const fn independent(fraction: f64) -> Self {
        Self {
            fraction,
            burst: 1.0,
        }
    }
}

/// What becomes of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Lost,
    QueueFull,
    Due(Instant),
}

/// One direction of the link.
#[derive(Debug)]
pub(super) struct Line {
    conditions: Conditions,
    queue_bytes: u64,
    random: Random,
    in_bad_state: bool,
    /// When the line has sent what is queued.
    free_at: Instant,
    last_due: Instant,
}

impl Line {
    pub(super) fn new(conditions: Conditions, now: Instant) -> Self {
        Self {
            queue_bytes: conditions.queue_bytes(),
            random: Random(conditions.seed),
            conditions,
            in_bad_state: false,
            free_at: now,
            last_due: now,
        }
    }

    /// Decides about a packet of `bytes` that arrives now. A lost one has used the line all the
    /// same: it is lost further on.
    pub(super) fn admit(&mut self, now: Instant, bytes: usize, loss: Loss) -> Fate {
        let sent_at = match self.conditions.bits_per_second {
            None => now,
            Some(rate) => {
                let waiting = self.free_at.saturating_duration_since(now);
                let backlog = whole(waiting.as_secs_f64() * rate as f64 / 8.0);
                if backlog + bytes as u64 > self.queue_bytes {
                    return Fate::QueueFull;
                }
                let sending = Duration::from_secs_f64(bytes as f64 * 8.0 / rate as f64);
                self.free_at = self.free_at.max(now) + sending;
                self.free_at
            }
        };
        if self.loses(loss) {
            return Fate::Lost;
        }
        let jitter = self.conditions.jitter.mul_f64(self.random.unit());
        let due = (sent_at + self.conditions.delay + jitter).max(self.last_due);
        self.last_due = due;
        Fate::Due(due)
    }

    fn loses(&mut self, loss: Loss) -> bool {
        let draw = self.random.unit();
        if loss.burst <= 1.0 {
            return draw < loss.fraction;
        }
        // Runs last `burst` packets on average, and the bad state's share of time is the fraction.
        let leave = 1.0 / loss.burst;
        let enter = leave * loss.fraction / (1.0 - loss.fraction).max(f64::EPSILON);
        self.in_bad_state = if self.in_bad_state {
            draw >= leave
        } else {
            draw < enter
        };
        self.in_bad_state
    }
}

/// `SplitMix64`: its sequence is part of what a seed promises, so it does not change with a library.
#[derive(Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bytes of a queue: never negative, and far below 2^53"
)]
fn whole(amount: f64) -> u64 {
    amount as u64
}

#[cfg(test)]
mod tests;
