//! Streams that are opened at an even pace, held, and read to their end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use tokio::task::JoinSet;

use super::{ALL_MAX, LOOK_EVERY, OPENED_PER_SECOND};
use crate::compare::targets::{Name, Target};
use crate::compare::{self, Exactness};
use crate::failure::{Failure, Outcome, Step};
use crate::http::{Call, Connection, excerpt};
use crate::load::events::EventCount;
use crate::procfs;

/// What was found of a target.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) name: Name,
    /// Waule's processes: name, megabytes before, and most while all streams were open.
    pub(super) parts: Vec<(&'static str, u64, u64)>,
    /// Of all of them together, at one moment.
    pub(super) most_bytes: u64,
    /// Events a second while all were open.
    pub(super) events_per_second: f64,
    /// CPU of Waule's processes meanwhile, in cores.
    pub(super) cpu: f64,
    pub(super) whole: u64,
    pub(super) first_failure: Option<String>,
    pub(super) exact: Option<Exactness>,
}

/// What the streams count as they go.
#[derive(Debug, Default)]
struct Counts {
    begun: AtomicU64,
    events: AtomicU64,
    ended: AtomicU64,
}

pub(super) async fn hold(target: &mut Target, streams: usize) -> Outcome<Held> {
    let own: Vec<_> = target.parts.iter().filter(|part| part.own).collect();
    let resident = || {
        own.iter()
            .map(|part| procfs::memory(part.pid).resident_bytes)
    };
    let before: Vec<u64> = resident().collect();
    let mut most = before.clone();
    let mut most_bytes = 0;
    let counts = Arc::new(Counts::default());
    let mut open = JoinSet::new();
    let begin = Instant::now();
    for (at, _) in (0_u32..).zip(0..streams) {
        let due = begin + Duration::from_secs(1) * at / OPENED_PER_SECOND;
        open.spawn(read(target.stream.clone(), due, counts.clone()));
    }
    // From when all are open until the first one ends.
    let (mut whole_load, mut last) = (None, None);
    while counts.ended.load(Ordering::Relaxed) < streams as u64 {
        tokio::time::sleep(LOOK_EVERY).await;
        if begin.elapsed() > ALL_MAX {
            break;
        }
        let all_open = counts.begun.load(Ordering::Relaxed) >= streams as u64
            && counts.ended.load(Ordering::Relaxed) == 0;
        if !all_open {
            continue;
        }
        let now: Vec<u64> = resident().collect();
        most_bytes = most_bytes.max(now.iter().sum());
        for (most, now) in most.iter_mut().zip(now) {
            *most = (*most).max(now);
        }
        let cpu: Duration = own.iter().map(|part| procfs::cpu(part.pid)).sum();
        let look = (Instant::now(), counts.events.load(Ordering::Relaxed), cpu);
        whole_load.get_or_insert(look);
        last = Some(look);
    }
    let (Some(first), Some(last)) = (whole_load, last) else {
        let (begun, ended) = (&counts.begun, &counts.ended);
        return Err(Failure::new(format!(
            "never were all streams open: {begun:?} began, {ended:?} ended"
        )));
    };
    let seconds = (last.0 - first.0)
        .as_secs_f64()
        .max(LOOK_EVERY.as_secs_f64());
    let (mut whole, mut first_failure) = (0, None);
    while let Some(ended) = open.join_next().await {
        match ended.step(|| "a stream".into())? {
            Ok(()) => whole += 1,
            Err(why) => drop(first_failure.get_or_insert(why)),
        }
    }
    target.succeeded += whole;
    let names = own.iter().map(|part| part.name);
    Ok(Held {
        name: target.name,
        parts: names
            .zip(before)
            .zip(most)
            .map(|((name, before), most)| (name, before, most))
            .collect(),
        most_bytes,
        events_per_second: (last.1 - first.1) as f64 / seconds,
        cpu: last.2.saturating_sub(first.2).as_secs_f64() / seconds,
        whole,
        first_failure,
        exact: compare::exactness(target).await?,
    })
}

/// One stream, on a connection of its own, from `due` to its end.
async fn read(call: Call, due: Instant, counts: Arc<Counts>) -> Result<(), String> {
    tokio::time::sleep_until(due.into()).await;
    let done = tokio::time::timeout(ALL_MAX, events(&call, &counts)).await;
    counts.ended.fetch_add(1, Ordering::Relaxed);
    done.unwrap_or_else(|_| Err(format!("not over within {ALL_MAX:?}")))
}

async fn events(call: &Call, counts: &Counts) -> Result<(), String> {
    let mut connection = Connection::open(call.address).await?;
    let response = connection.send(call).await;
    let response = response.map_err(|error| error.to_string())?;
    let status = response.status();
    let mut body = response.into_body();
    if !status.is_success() {
        let told = body.collect().await.map_err(|error| error.to_string())?;
        return Err(format!("{status}: {}", excerpt(&told.to_bytes())));
    }
    let mut seen = EventCount::default();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| error.to_string())?;
        let Some(data) = frame.data_ref() else {
            continue;
        };
        let before = seen.events;
        seen.push(data);
        if before == 0 && seen.events > 0 {
            counts.begun.fetch_add(1, Ordering::Relaxed);
        }
        counts
            .events
            .fetch_add(seen.events - before, Ordering::Relaxed);
    }
    if seen.is_whole() {
        Ok(())
    } else {
        Err(format!("ended after {} events without [DONE]", seen.events))
    }
}
