//! What is measured on a way that is ready: tokens under loss, uploads on a warm but idle link, and
//! streams that are cut. Starts no processes and writes no tables.

pub(super) mod uploads;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::client::Caller;
use super::figures::Durations;
use super::provider::{Provider, Rhythm};
use super::stream::Log;
use super::ways::Ready;
use crate::compare::admin;
use crate::failure::{Outcome, Step};
use crate::http::Call;
use crate::netem::border::{Border, Cut};

/// Connections are opened and have found their speed by then.
const WARMUP: Duration = Duration::from_secs(5);
/// A way that refuses calls is not asked faster.
const AFTER_FAILURE: Duration = Duration::from_millis(200);
/// From the start of cut streams to the cut: all of them run.
const CUT_AFTER: Duration = Duration::from_secs(4);
/// A gap shorter than this is two tokens that were a little late, not a cut.
const GAP_MIN: Duration = Duration::from_millis(100);

/// What all scenarios need to know.
#[derive(Clone, Copy)]
pub(super) struct Setting {
    pub(super) epoch: Instant,
    pub(super) round_trip: Duration,
    pub(super) rhythm: Rhythm,
    pub(super) streams: u32,
}

/// Where it is measured.
pub(super) struct Scene<'a> {
    pub(super) border: &'a Border,
    pub(super) provider: &'a Provider,
    pub(super) ready: &'a mut Ready,
}

/// Tokens under loss.
#[derive(Debug)]
pub(super) struct TokenFigures {
    /// One-way delay of a token.
    pub(super) delay: Durations,
    /// Time to the first token, less one round trip and the provider's own time.
    pub(super) first: Durations,
    pub(super) whole: Durations,
    pub(super) streams: usize,
    pub(super) failed: Failures,
    pub(super) bytes_down_a_token: f64,
    /// Calls the provider saw beyond the streams that were asked for.
    pub(super) repeated: i64,
}

/// Streams that failed, by reason.
#[derive(Debug, Default)]
pub(super) struct Failures {
    pub(super) count: usize,
    pub(super) reasons: BTreeMap<String, usize>,
}

impl Failures {
    fn of<'a>(logs: impl IntoIterator<Item = &'a Log>) -> Self {
        let mut all = Self::default();
        for failure in logs.into_iter().filter_map(|log| log.failure.as_ref()) {
            all.add(failure);
        }
        all
    }

    fn add(&mut self, reason: &str) {
        self.count += 1;
        *self.reasons.entry(reason.to_owned()).or_default() += 1;
    }

    /// The most frequent.
    pub(super) fn main_reason(&self) -> Option<&str> {
        let most = self.reasons.iter().max_by_key(|(_, count)| **count)?;
        Some(most.0)
    }
}

/// Streams back to back on all callers, for `measured` after the warm-up.
pub(super) async fn tokens(
    place: &mut Scene<'_>,
    setting: Setting,
    measured: Duration,
) -> Outcome<TokenFigures> {
    let call = stream_call(place.ready)?;
    let asked_before = place.provider.streams();
    let begin = Instant::now();
    let (from, to) = (begin + WARMUP, begin + WARMUP + measured);
    let mut callers = JoinSet::new();
    for number in 0..setting.streams {
        let mut caller = Caller::new(place.ready.route.clone());
        let call = call.clone();
        // Spread over one stream's time, or all would end and begin together.
        let spread = (setting.rhythm.whole() + setting.round_trip) / setting.streams.max(1);
        let start = begin + spread * number;
        callers.spawn(async move {
            let mut logs = Vec::new();
            tokio::time::sleep_until(start.into()).await;
            while Instant::now() < to {
                let tokens = setting.rhythm.tokens;
                let log = caller.stream(&call, setting.epoch, tokens).await;
                if log.failure.is_some() {
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
                logs.push(log);
            }
            logs
        });
    }
    tokio::time::sleep_until(from.into()).await;
    let before = place.border.control().counts().1.offered_bytes;
    tokio::time::sleep_until(to.into()).await;
    let after = place.border.control().counts().1.offered_bytes;
    let logs = joined(callers).await?;
    check(place)?;
    let in_window = |at: Instant| (from..to).contains(&at);
    let tokens = logs.iter().flat_map(|log| &log.arrivals);
    let arrived = tokens.filter(|token| in_window(token.at)).count();
    let asked = logs.len();
    let counted: Vec<&Log> = logs.iter().filter(|log| in_window(log.began)).collect();
    let ideal_first = setting.round_trip + setting.rhythm.first;
    let whole = counted.iter().filter(|log| log.failure.is_none());
    let first = counted.iter().filter_map(|log| {
        let first = log.arrivals.first()?;
        Some((first.at - log.began).saturating_sub(ideal_first))
    });
    let delays = counted.iter().flat_map(|log| &log.arrivals);
    Ok(TokenFigures {
        delay: Durations::of(delays.map(|token| token.delay)),
        first: Durations::of(first),
        whole: Durations::of(whole.map(|log| log.ended - log.began)),
        streams: counted.len(),
        failed: Failures::of(counted.iter().copied()),
        bytes_down_a_token: (after - before) as f64 / arrived.max(1) as f64,
        repeated: beyond(place.provider.streams() - asked_before, asked),
    })
}

/// Streams that were cut once.
#[derive(Debug)]
pub(super) struct CutFigures {
    pub(super) streams: usize,
    /// Failed, or waited visibly longer than their rhythm.
    pub(super) hit: usize,
    pub(super) failed: Failures,
    /// The longest wait for a token of streams that were hit and lived, less their rhythm.
    pub(super) gap: Durations,
    pub(super) repeated: i64,
}

/// All callers stream at once, and `cut` comes while they do. A stream is longer than usual then.
pub(super) async fn cut(place: &mut Scene<'_>, setting: Setting, cut: Cut) -> Outcome<CutFigures> {
    let call = stream_call(place.ready)?;
    // Connections are opened and grown before, as in service.
    let mut callers: Vec<Caller> = (0..setting.streams)
        .map(|_| Caller::new(place.ready.route.clone()))
        .collect();
    let asked_before = place.provider.streams();
    let begin = Instant::now();
    let mut running = JoinSet::new();
    for (number, mut caller) in (0_u32..).zip(callers.drain(..)) {
        let call = call.clone();
        let start = begin + Duration::from_secs(1) * number / setting.streams.max(1);
        running.spawn(async move {
            tokio::time::sleep_until(start.into()).await;
            let tokens = setting.rhythm.tokens;
            vec![caller.stream(&call, setting.epoch, tokens).await]
        });
    }
    let at = begin + CUT_AFTER;
    tokio::time::sleep_until(at.into()).await;
    place.border.control().cut(cut)?;
    let logs = joined(running).await?;
    check(place)?;
    let gap = |log: &Log| {
        let pairs = log.arrivals.windows(2);
        let after = pairs.filter(|pair| pair[1].at >= at);
        let longest = after.map(|pair| pair[1].at - pair[0].at).max();
        longest
            .unwrap_or_default()
            .saturating_sub(setting.rhythm.between)
    };
    let lived = logs.iter().filter(|log| log.failure.is_none());
    let gaps: Vec<_> = lived.map(gap).filter(|gap| *gap >= GAP_MIN).collect();
    let failed = Failures::of(&logs);
    Ok(CutFigures {
        streams: logs.len(),
        hit: gaps.len() + failed.count,
        gap: Durations::of(gaps),
        repeated: beyond(place.provider.streams() - asked_before, logs.len()),
        failed,
    })
}

fn stream_call(ready: &Ready) -> Outcome<Call> {
    ready.chat.call(admin::stream_body())
}

async fn joined(mut callers: JoinSet<Vec<Log>>) -> Outcome<Vec<Log>> {
    let mut all = Vec::new();
    while let Some(done) = callers.join_next().await {
        all.extend(done.step(|| "a caller".into())?);
    }
    Ok(all)
}

fn beyond(seen: u64, asked: usize) -> i64 {
    let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    signed(seen) - signed(asked as u64)
}

/// An error when what was measured did not hold to the end.
fn check(place: &mut Scene<'_>) -> Outcome<()> {
    place.border.control().check()?;
    place.provider.check()?;
    place.ready.check()
}

#[cfg(test)]
mod tests {
    use super::uploads::prose;
    use super::*;

    #[test]
    fn prose_has_its_length_and_differs_by_seed() {
        assert_eq!(prose(1_000, 1).len(), 1_000);
        assert_eq!(prose(1_000, 1), prose(1_000, 1));
        assert_ne!(prose(1_000, 1), prose(1_000, 2));
    }

    #[test]
    fn the_main_reason_is_the_most_frequent() {
        let mut failures = Failures::default();
        for reason in ["reset", "late", "reset"] {
            failures.add(reason);
        }
        assert_eq!(failures.count, 3);
        assert_eq!(failures.main_reason(), Some("reset"));
    }
}
