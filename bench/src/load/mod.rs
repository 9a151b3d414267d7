//! The load generator: closed loop or constant rate over kept-alive connections. Leaves one
//! connection's work to `client` and the arithmetic to `report`.

mod client;
pub(crate) mod events;
pub(crate) mod report;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinSet;

use self::client::{Client, Window};
use self::report::{ProcessUse, Report, Tally};
use crate::failure::{Failure, Outcome, Step};
use crate::http::Call;
use crate::{procfs, say};

/// One schedule entry is 16 bytes; more than this is a mistyped rate.
const SCHEDULED_MAX: u64 = 10_000_000;

#[derive(Debug, clap::Args)]
pub(crate) struct LoadArgs {
    #[arg(long)]
    url: String,
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Measured seconds, after the warm-up.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    #[arg(long, default_value_t = 300)]
    warmup_ms: u64,
    /// Calls per second at a constant rate; as fast as answers come when absent.
    #[arg(long)]
    rate: Option<u32>,
    /// Ask for a stream.
    #[arg(long)]
    stream: bool,
    /// A request header, as "name: value". May be repeated.
    #[arg(long = "header")]
    headers: Vec<String>,
    /// File to send as the body, instead of a chat request.
    #[arg(long, conflicts_with_all = ["model", "stream"])]
    body: Option<PathBuf>,
    /// Model the chat request names.
    #[arg(long, default_value = "mock-chat")]
    model: String,
    /// Process whose memory and CPU to report, with its descendants. May be repeated.
    #[arg(long = "pid")]
    pids: Vec<u32>,
    #[arg(long)]
    threads: Option<usize>,
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
}

/// One load run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) call: Call,
    pub(crate) connections: usize,
    pub(crate) threads: usize,
    pub(crate) warmup: Duration,
    pub(crate) measured: Duration,
    /// `None` is the closed loop: the next call begins when the last has ended.
    pub(crate) per_second: Option<u32>,
    pub(crate) pids: Vec<u32>,
}

/// The generator shares the machine with what it measures, so it takes half the cores.
pub(crate) fn default_threads() -> usize {
    (crate::cores() / 2).max(1)
}

/// The body of every chat request that is measured.
pub(crate) fn chat_body(model: &str, stream: bool) -> String {
    let messages = serde_json::json!([
        {"role": "system", "content": "You answer in one short sentence."},
        {"role": "user", "content": "What do rivers carry down to the sea?"}
    ]);
    let mut body = serde_json::json!({"model": model, "messages": messages, "max_tokens": 64});
    if stream {
        body["stream"] = true.into();
    }
    body.to_string()
}

pub(crate) fn command(args: &LoadArgs) -> Outcome<()> {
    let body = match &args.body {
        Some(file) => std::fs::read(file).step(|| format!("`{}`", file.display()))?,
        None => chat_body(&args.model, args.stream).into_bytes(),
    };
    let mut call = Call::post(&args.url, body)?;
    for header in &args.headers {
        let (name, value) = header
            .split_once(':')
            .ok_or_else(|| Failure::new(format!("`{header}` is not \"name: value\"")))?;
        call = call.header(name.trim(), value.trim())?;
    }
    let report = run(&Plan {
        call,
        connections: args.connections,
        threads: args.threads.unwrap_or_else(default_threads),
        warmup: Duration::from_millis(args.warmup_ms),
        measured: Duration::from_secs(args.seconds.max(1)),
        per_second: args.rate,
        pids: args.pids.clone(),
    })?;
    let text = if args.json {
        serde_json::to_string_pretty(&report).step(|| "the report".into())?
    } else {
        report.to_string()
    };
    say(text.trim_end());
    Ok(())
}

/// Runs the plan on threads of its own and waits for them.
pub(crate) fn run(plan: &Plan) -> Outcome<Report> {
    // A target that is not there deserves one sentence, not a table of errors.
    std::net::TcpStream::connect_timeout(&plan.call.address, Duration::from_secs(2))
        .step(|| format!("nothing listens on {}", plan.call.address))?;
    let cpu_before: Vec<Duration> = plan.pids.iter().map(|pid| procfs::cpu(*pid)).collect();
    let begin = Instant::now() + plan.warmup;
    let window = Window {
        begin,
        end: begin + plan.measured,
    };
    let due = match plan.per_second {
        None => Due::WhenFree,
        Some(per_second) => Due::scheduled(plan, per_second)?,
    };
    let mut tally = drive_all(plan, window, &due)?;
    tally.unsent = due.left();
    let processes = plan
        .pids
        .iter()
        .zip(cpu_before)
        .map(|(pid, before)| ProcessUse {
            pid: *pid,
            memory: procfs::memory(*pid),
            cpu_seconds: procfs::cpu(*pid).saturating_sub(before).as_secs_f64(),
        });
    Ok(tally.report(plan.measured, processes.collect()))
}

fn drive_all(plan: &Plan, window: Window, due: &Due) -> Outcome<Tally> {
    let threads = plan.threads.clamp(1, plan.connections.max(1));
    let call = Arc::new(plan.call.clone());
    let workers: Vec<_> = (0..threads)
        .map(|index| {
            // The first threads take what does not divide evenly.
            let extra = usize::from(index < plan.connections % threads);
            let connections = plan.connections / threads + extra;
            let (call, due) = (Arc::clone(&call), due.clone());
            thread::spawn(move || drive(&call, window, connections, &due))
        })
        .collect();
    let mut tally = Tally::new()?;
    for worker in workers {
        tally.merge(
            worker
                .join()
                .map_err(|_| Failure::new("a load thread panicked"))??,
        )?;
    }
    Ok(tally)
}

/// One thread with a runtime of its own, so that connections never move between cores.
fn drive(call: &Arc<Call>, window: Window, connections: usize, due: &Due) -> Outcome<Tally> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .step(|| "a runtime cannot be made".into())?;
    let tally = Arc::new(Mutex::new(Tally::new()?));
    runtime.block_on(async {
        let mut clients = JoinSet::new();
        for _ in 0..connections {
            let client = Client {
                call: Arc::clone(call),
                window,
                tally: Arc::clone(&tally),
            };
            clients.spawn(client.run(due.clone()));
        }
        while clients.join_next().await.is_some() {}
    });
    drop(runtime);
    Arc::into_inner(tally)
        .and_then(|tally| tally.into_inner().ok())
        .ok_or_else(|| Failure::new("a load thread did not hand in its counts"))
}

/// When a connection may begin its next call.
#[derive(Debug, Clone)]
pub(crate) enum Due {
    /// Closed loop.
    WhenFree,
    /// Constant rate: whichever connection is free takes the oldest entry. Latency counts from the
    /// entry's time, so a target that stalls cannot hide the calls that waited for it.
    At(Arc<tokio::sync::Mutex<Receiver<Instant>>>),
}

impl Due {
    fn scheduled(plan: &Plan, per_second: u32) -> Outcome<Self> {
        if per_second == 0 {
            return Err(Failure::new("a rate of 0 sends nothing"));
        }
        let span = plan.warmup + plan.measured;
        let total = u64::try_from(span.as_millis()).unwrap_or(u64::MAX) * u64::from(per_second);
        let total = total / 1_000;
        if total == 0 || total > SCHEDULED_MAX {
            let sentence =
                format!("{total} calls are scheduled; 1 to {SCHEDULED_MAX} are possible");
            return Err(Failure::new(sentence));
        }
        let capacity = usize::try_from(total).unwrap_or(usize::MAX);
        let (sender, receiver) = mpsc::channel(capacity);
        let start = Instant::now();
        thread::spawn(move || pace(&sender, start, per_second, total));
        Ok(Self::At(Arc::new(tokio::sync::Mutex::new(receiver))))
    }

    /// The time the next call counts from, or `None` when no more is to be sent.
    pub(crate) async fn next(&self, end: Instant) -> Option<Instant> {
        let now = Instant::now();
        if now >= end {
            return None;
        }
        match self {
            Self::WhenFree => Some(now),
            Self::At(entries) => entries.lock().await.recv().await,
        }
    }

    /// Entries nobody took.
    fn left(&self) -> u64 {
        match self {
            Self::WhenFree => 0,
            Self::At(entries) => entries.try_lock().map_or(0, |entries| entries.len() as u64),
        }
    }
}

/// A thread's sleep is exact to about 0.1 ms here, tokio's timer only to 1 ms.
fn pace(entries: &Sender<Instant>, start: Instant, per_second: u32, total: u64) {
    let step = Duration::from_secs(1) / per_second;
    let mut due = start;
    for _ in 0..total {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        // The channel has room for all entries; an error means that the run was given up.
        if entries.try_send(due).is_err() {
            return;
        }
        due += step;
    }
}

#[cfg(test)]
mod tests;
