//! When an answer should come over a second connection as well: because it is late by its own gaps,
//! or because the way to its node is bad. Decides only; `resumable_body` attaches and reads.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

use super::nodes::Node;

/// Beyond what the stream's own gaps explain (docs/decisions/link-hedging).
const LATE: Duration = Duration::from_millis(300);
/// Of a provider that pauses often the lateness is doubled at most so many times.
const FRUITLESS_MAX: u32 = 5;
/// Gaps to estimate by.
const GAPS_MIN: u32 = 3;
/// Between two attempts at a second connection for one stream.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The times between the pieces of one stream.
#[derive(Debug)]
struct GapEstimate {
    last: Instant,
    gaps: u32,
    mean: Duration,
    deviation: Duration,
}

impl GapEstimate {
    fn new(now: Instant) -> Self {
        Self {
            last: now,
            gaps: 0,
            mean: Duration::ZERO,
            deviation: Duration::ZERO,
        }
    }

    /// As TCP estimates round trips (RFC 6298): an eighth and a quarter.
    fn beat(&mut self, now: Instant) {
        let gap = now.saturating_duration_since(self.last);
        self.last = now;
        self.gaps = self.gaps.saturating_add(1);
        if self.gaps == 1 {
            self.mean = gap;
            return;
        }
        let off = gap.abs_diff(self.mean);
        self.deviation = self.deviation * 3 / 4 + off / 4;
        self.mean = self.mean * 7 / 8 + gap / 8;
    }

    /// When the next piece is late; never while too few gaps are known.
    fn late_at(&self, fruitless: u32) -> Option<Instant> {
        let patience = LATE.saturating_mul(1 << fruitless.min(FRUITLESS_MAX));
        let usual = self.mean + self.deviation * 4;
        (self.gaps >= GAPS_MIN).then(|| self.last + usual + patience)
    }
}

/// A first copy of bytes, until the second comes.
#[derive(Debug, Clone, Copy)]
struct Mark {
    end: u64,
    at: Instant,
}

/// Why there is a second connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The stream is late by its gaps.
    Late,
    /// The way is bad, or is to be measured.
    BadPath,
}

/// What one stream knows about a second copy of itself.
pub(super) struct HedgePolicy {
    node: Arc<Node>,
    gaps: GapEstimate,
    timer: Option<Pin<Box<Sleep>>>,
    /// Late although the provider paused: the next time more patience is due.
    fruitless: u32,
    /// The second copy is wanted for the whole stream.
    doubled: bool,
    /// Not before this is another attempt made.
    not_before: Instant,
    mark: Option<Mark>,
    /// Of the attempt under way or the second attachment.
    cause: Option<Cause>,
}

impl HedgePolicy {
    pub(super) fn new(node: &Arc<Node>) -> Self {
        let now = Instant::now();
        Self {
            node: node.clone(),
            gaps: GapEstimate::new(now),
            timer: None,
            fruitless: 0,
            doubled: node.quality.doubles_new(),
            not_before: now,
            mark: None,
            cause: None,
        }
    }

    /// Ready with a cause when a second copy is due, while there is none.
    pub(super) fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<Cause> {
        let now = Instant::now();
        if now >= self.not_before && (self.doubled || self.node.quality.is_bad()) {
            self.doubled = true;
            return Poll::Ready(self.begin(Cause::BadPath, now));
        }
        loop {
            let Some(late_at) = self.gaps.late_at(self.fruitless) else {
                return Poll::Pending;
            };
            let due = late_at.max(self.not_before);
            let timer = match &mut self.timer {
                Some(timer) => timer,
                none => none.insert(Box::pin(tokio::time::sleep_until(due.into()))),
            };
            // It is set anew when it goes off, not at every piece: most go by before it does.
            ready!(timer.as_mut().poll(cx));
            if Instant::now() >= due {
                return Poll::Ready(self.begin(Cause::Late, now));
            }
            timer.as_mut().reset(due.into());
        }
    }

    fn begin(&mut self, cause: Cause, now: Instant) -> Cause {
        self.not_before = now + AGAIN_AFTER;
        self.timer = None;
        self.cause = Some(cause);
        cause
    }

    /// Bytes up to `end` came for the first time, from the second connection or the first. Whether
    /// the second is of no use: it was opened because of a pause that was the provider's.
    pub(super) fn advanced(&mut self, end: u64, by_second: bool, has_second: bool) -> bool {
        let now = Instant::now();
        self.gaps.beat(now);
        if has_second && self.mark.is_none() {
            self.mark = Some(Mark { end, at: now });
        }
        if self.cause != Some(Cause::Late) {
            return false;
        }
        // Only the first piece after it decides.
        self.cause = None;
        if by_second {
            self.fruitless = 0;
            return false;
        }
        self.fruitless = (self.fruitless + 1).min(FRUITLESS_MAX);
        !self.doubled
    }

    /// Whether the second connection was asked for because the stream is late, and nothing came since.
    pub(super) fn is_hedge(&self) -> bool {
        self.cause == Some(Cause::Late)
    }

    /// A second copy of bytes up to `end` came.
    pub(super) fn repeated(&mut self, end: u64) {
        if let Some(mark) = self.mark.take_if(|mark| end >= mark.end) {
            self.node.quality.compared(mark.at.elapsed());
        }
    }

    /// There is no second copy any more.
    pub(super) fn alone(&mut self) {
        self.mark = None;
        self.cause = None;
    }
}

#[cfg(test)]
mod tests;
