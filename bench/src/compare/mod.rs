//! The comparison: starts every target, measures them in interleaved rounds, checks the ledger and
//! writes the report. Leaves processes, admin calls and text to its modules.

pub(crate) mod admin;
mod aims;
mod figures;
mod first_answer;
pub(crate) mod machine;
pub(crate) mod processes;
mod results;
mod rounds;
pub(crate) mod services;
mod table;
pub(crate) mod targets;

use std::path::PathBuf;
use std::time::{Duration, Instant};

pub(crate) use self::processes::Stage;
pub(crate) use self::results::Exactness;
use self::results::{PartMemory, Results, TargetResults};
use self::rounds::Rounds;
use self::targets::{Binaries, Name, Target};
use crate::failure::{Failure, Outcome, Step};
use crate::load::report::Report;
use crate::{procfs, say, sections};

/// Streams hold 50 chunks each, so fewer connections load the machine as much.
const STREAM_CONNECTIONS: usize = 32;
/// The rate at which added latency is stated; far below what any target can take.
const CONSTANT_RATE: u32 = 300;
const WARMUP: Duration = Duration::from_millis(500);
/// What start-up allocated for once has been given back by then.
const IDLE_PAUSE: Duration = Duration::from_secs(5);
/// Settling is behind the answer by a batch; held credits return within this.
const SETTLED_MAX: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
pub(crate) struct CompareArgs {
    /// Measured seconds per target, phase and round.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Connections of the JSON and constant-rate phases; streams use 32.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Only these targets, comma separated.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Name>,
    /// Markdown file to write.
    #[arg(long, default_value = "bench/RESULTS.md")]
    out: PathBuf,
}

/// What is asked of a target in one phase.
#[derive(Debug, Clone, Copy)]
enum Phase {
    Json,
    Stream,
    Rate,
}

pub(crate) async fn run(args: CompareArgs) -> Outcome<()> {
    let names = wanted(&args);
    let binaries = Binaries::beside_this_one()?;
    binaries.require(&names)?;
    // Found out now rather than after minutes of measuring.
    let folder = args
        .out
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        let out = args.out.display();
        return Err(Failure::new(format!(
            "the folder of `{out}` does not exist; see --out"
        )));
    }
    let mut stage = Stage::new()?;
    let mock = services::start_mock(&mut stage).await?;
    let starts = if names.contains(&Name::Sqlite) {
        say("start-up of the all-in-one");
        Some(first_answer::measure(&mut stage, &binaries, args.rounds.max(1)).await?)
    } else {
        None
    };
    let mut targets = Vec::new();
    for name in names {
        say(&format!("starting: {}", name.title()));
        let target = targets::start(name, &mut stage, &binaries, mock).await;
        targets.push(target.step(|| format!("starting `{}`", name.title()))?);
    }
    tokio::time::sleep(IDLE_PAUSE).await;
    let mut measured: Vec<TargetResults> = targets
        .iter()
        .map(|target| TargetResults::new(target.name, idle_memory(target)))
        .collect();
    let mut rounds = Rounds {
        args: &args,
        stage,
        mock,
    };
    for round in 0..args.rounds.max(1) {
        rounds.round(round, &mut targets, &mut measured).await?;
    }
    for (target, results) in targets.iter().zip(&mut measured) {
        for part in &mut results.memory {
            part.loaded = procfs::memory(part.pid);
        }
        results.exact = exactness(target).await?;
    }
    let results = Results {
        machine: machine::describe(),
        seconds: args.seconds,
        rounds: args.rounds.max(1),
        connections: args.connections,
        stream_connections: STREAM_CONNECTIONS,
        rate: CONSTANT_RATE,
        targets: measured,
        starts,
    };
    let text = table::render(&results);
    say(&text);
    sections::put(&args.out, "compare", &text)?;
    say(&format!("written to {}", args.out.display()));
    Ok(())
}

fn wanted(args: &CompareArgs) -> Vec<Name> {
    let mut names = if args.only.is_empty() {
        vec![
            Name::Direct,
            Name::Nginx,
            Name::Gateway,
            Name::Sqlite,
            Name::Postgres,
        ]
    } else {
        args.only.clone()
    };
    names.sort_unstable();
    names.dedup();
    names
}

fn idle_memory(target: &Target) -> Vec<PartMemory> {
    target
        .parts
        .iter()
        .map(|part| {
            let idle = procfs::memory(part.pid);
            PartMemory {
                name: part.name,
                pid: part.pid,
                own: part.own,
                idle,
                loaded: idle,
            }
        })
        .collect()
}

/// Compares what was charged with what was answered, once nothing is held any more.
pub(crate) async fn exactness(target: &Target) -> Outcome<Option<Exactness>> {
    let Some(account) = &target.account else {
        return Ok(None);
    };
    let begin = Instant::now();
    let mut balance = account.balance().await?;
    while balance.held != 0 && begin.elapsed() < SETTLED_MAX {
        tokio::time::sleep(Duration::from_millis(100)).await;
        balance = account.balance().await?;
    }
    Ok(Some(Exactness {
        succeeded: target.succeeded,
        price_micros: admin::PRICE_MICROS,
        used_micros: balance.used,
        held_micros: balance.held,
        available_micros: balance.available,
        granted_micros: admin::GRANTED_MICROS,
        waited: begin.elapsed(),
    }))
}

fn progress(round: usize, phase: Phase, name: Name, report: &Report) -> String {
    let failures = match (&report.first_failure, report.failed) {
        (Some(first), failed) if failed > 0 => format!("; {failed} FAILED, first: {first}"),
        _ => String::new(),
    };
    format!(
        "round {} {phase:?} {}: {:.0} calls/s, {:.0} chunks/s, p50 {:.3} ms, p99 {:.3} ms{failures}",
        round + 1,
        name.title(),
        report.per_second,
        report.chunks_per_second,
        report.latency.p50_ms,
        report.latency.p99_ms,
    )
}
