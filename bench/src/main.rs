//! Command line of the benchmark: `mock`, `load`, `compare` and the rest. Leaves all work to the modules of
//! the same names; exits with one sentence when something does not work.

#![expect(
    clippy::cast_precision_loss,
    reason = "counts and times become ratios for people; 52 bits are far more than they need"
)]

mod compare;
mod failure;
mod held;
mod http;
mod ledger;
#[cfg(target_os = "linux")]
mod link;
mod lists;
mod load;
mod mock;
#[cfg(target_os = "linux")]
mod netem;
mod procfs;
mod sections;
#[cfg(target_os = "linux")]
mod stop;
mod translate;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::{Failure, Outcome, Step};

#[global_allocator]
static ALLOCATOR: shared::process::Allocator = shared::process::ALLOCATOR;

/// Measures Waule on this machine. Everything stays on loopback.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a mock provider that speaks OpenAI's protocol.
    Mock(mock::MockArgs),
    /// Send load to one URL and report percentiles.
    Load(load::LoadArgs),
    /// Compare direct, nginx, gateway and server in one interleaved run.
    Compare(compare::CompareArgs),
    /// Hold thousands of slow streams open and read the memory that they take.
    Held(held::HeldArgs),
    /// Measure the ledger alone: hold and settle, with group commit and without.
    Ledger(ledger::LedgerArgs),
    /// Measure the link between server and gateway over a bad network, against plain ways.
    #[cfg(target_os = "linux")]
    Link(link::LinkArgs),
    /// Run a command over a bad network: delay, jitter, loss, bandwidth and hard cuts.
    #[cfg(target_os = "linux")]
    Netem(netem::NetemArgs),
    /// Measure what translating a stream between two dialects costs, event by event.
    Translate(translate::TranslateArgs),
    /// Measure lists and dashboards on millions of usage records in PostgreSQL.
    Lists(lists::ListsArgs),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Mock(args) => mock::run(&args),
        Command::Load(args) => load::command(&args),
        Command::Compare(args) => until_signal(compare::run(args)),
        Command::Held(args) => until_signal(held::run(args)),
        Command::Ledger(args) => measure(ledger::run(&args)),
        #[cfg(target_os = "linux")]
        Command::Link(args) => link::run(&args),
        Command::Translate(args) => translate::run(&args),
        Command::Lists(args) => measure(lists::run(&args)),
        #[cfg(target_os = "linux")]
        Command::Netem(args) => netem::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing is left to do when even that cannot be written.
            let _ = writeln!(std::io::stderr(), "bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn measure(work: impl Future<Output = Outcome<()>>) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.step(|| "the runtime".into())?.block_on(work)
}

/// A signal drops the measurement, and with it every process it started.
fn until_signal(work: impl Future<Output = Outcome<()>>) -> Outcome<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .step(|| "a runtime cannot be made".into())?;
    let done = runtime.block_on(async {
        let listen = |kind| signal(kind).step(|| "signals cannot be heard".into());
        let mut interrupt = listen(SignalKind::interrupt())?;
        let mut terminate = listen(SignalKind::terminate())?;
        let mut hangup = listen(SignalKind::hangup())?;
        tokio::select! {
            done = work => done,
            _ = interrupt.recv() => Err(Failure::new("interrupted")),
            _ = terminate.recv() => Err(Failure::new("terminated")),
            _ = hangup.recv() => Err(Failure::new("the terminal went away")),
        }
    });
    // A load that still runs must not keep the process alive.
    runtime.shutdown_background();
    done
}

/// Writes one line for the person who started it.
fn say(line: &str) {
    // A closed pipe is no reason to stop measuring.
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
