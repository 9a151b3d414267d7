//! Holds thousands of slow streams open at once and reads what the processes between take of memory
//! meanwhile. Leaves starting them to `compare` and the text to `table`.

mod table;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use tokio::task::JoinSet;

use crate::compare::targets::{self, Binaries, Name, Target};
use crate::compare::{self, Exactness, Stage, machine, services};
use crate::failure::{Failure, Outcome, Step};
use crate::http::{Call, Connection, excerpt};
use crate::load::events::EventCount;
use crate::{procfs, say, sections};

/// Between two events of a stream.
const PACE: Duration = Duration::from_secs(1);
/// Streams opened a second: all are open long before the first ends, and nobody is flooded.
const OPENED_PER_SECOND: u32 = 500;
/// Between two looks at the memory.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// What start-up allocated for once has been given back by then.
const IDLE_PAUSE: Duration = Duration::from_secs(3);
/// A stream of fifty events takes as many seconds; far longer is a failure.
const ALL_MAX: Duration = Duration::from_secs(180);

#[derive(Debug, clap::Args)]
pub(crate) struct HeldArgs {
    /// Streams open at once.
    #[arg(long, default_value_t = 5_000)]
    streams: usize,
    /// Only these targets, comma separated.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Name::Gateway, Name::Sqlite, Name::Postgres])]
    only: Vec<Name>,
    /// Markdown file to write.
    #[arg(long, default_value = "bench/RESULTS.md")]
    out: PathBuf,
}

/// What was found of a target.
#[derive(Debug)]
struct Held {
    name: Name,
    /// Waule's processes: name, megabytes before, and most while all streams were open.
    parts: Vec<(&'static str, u64, u64)>,
    /// Of all of them together, at one moment.
    most_bytes: u64,
    /// Events a second while all were open.
    events_per_second: f64,
    /// CPU of Waule's processes meanwhile, in cores.
    cpu: f64,
    whole: u64,
    first_failure: Option<String>,
    exact: Option<Exactness>,
}

/// What the streams count as they go.
#[derive(Debug, Default)]
struct Counts {
    begun: AtomicU64,
    events: AtomicU64,
    ended: AtomicU64,
}

pub(crate) async fn run(args: HeldArgs) -> Outcome<()> {
    let binaries = Binaries::beside_this_one()?;
    binaries.require(&args.only)?;
    let mut found = Vec::new();
    for name in args.only {
        say(&format!("starting: {}", name.title()));
        // Each with processes of its own: what one target's streams left behind is not another's.
        let mut stage = Stage::new()?;
        let mock = services::start_mock(&mut stage).await?;
        let started = targets::start(name, &mut stage, &binaries, mock).await;
        let mut target = started.step(|| format!("starting `{}`", name.title()))?;
        let pace = format!("http://127.0.0.1:{}/_pace/{}", mock.port, PACE.as_millis());
        Call::get(&pace)?.once(Duration::from_secs(5)).await?;
        tokio::time::sleep(IDLE_PAUSE).await;
        let held = hold(&mut target, args.streams).await;
        let held = held.step(|| name.title().to_owned())?;
        stage.check()?;
        say(&format!(
            "{}: {} of {} whole, {:.0} MB, {:.0} events/s, {:.2} cores",
            name.title(),
            held.whole,
            args.streams,
            crate::load::report::megabytes(held.most_bytes),
            held.events_per_second,
            held.cpu,
        ));
        found.push(held);
    }
    let text = table::render(&machine::describe(), args.streams, &found);
    say(&text);
    sections::put(&args.out, "held", &text)
}

async fn hold(target: &mut Target, streams: usize) -> Outcome<Held> {
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
