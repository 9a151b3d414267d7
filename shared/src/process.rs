//! How a Waule process starts and ends: settings, log, runtime; one sentence and a code on failure.
//! Knows nothing of what the process does.

use std::ffi::OsString;
use std::future::Future;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, FromArgMatches};

use crate::config::{self, ConfigError};
use crate::supervisor::{StopSignal, StopSignals, Supervisor};

/// The allocator of Waule's programs: a forwarded call allocates some hundred small things, and the
/// system's allocator took a fifth of its time.
pub type Allocator = mimalloc::MiMalloc;

/// For `#[global_allocator]`.
pub const ALLOCATOR: Allocator = mimalloc::MiMalloc;

/// Between two times that memory which was freed goes back to the system.
const GIVEN_BACK_EVERY: Duration = Duration::from_secs(2);

/// The tasks of a start that failed have so long to end.
const FAILED_START_MAX: Duration = Duration::from_secs(5);

/// mimalloc 3 gives back what was freed a second ago when a thread ends, and the threads of a server live
/// as long as it does: the nineteen megabytes of each password that was checked stayed for ever. A thread
/// that does next to nothing ends now and then. Ends with the process.
fn give_memory_back() {
    loop {
        std::thread::sleep(GIVEN_BACK_EVERY);
        let short = std::thread::Builder::new().name("memory".to_owned());
        // A thread that never allocated has nothing to do with the allocator.
        let short = short.spawn(|| drop(std::hint::black_box(Box::new([0_u8; 64]))));
        // Where the system has no thread left, memory is the lesser trouble.
        if let Ok(short) = short {
            let _ = short.join();
        }
    }
}

/// What a person reads of a program, and how it was called.
#[derive(Debug)]
pub struct Program {
    /// As it is typed.
    pub name: &'static str,
    /// One or two sentences for `--help`.
    pub about: &'static str,
    /// As the operating system gives them: the first is the program.
    pub arguments: Vec<OsString>,
}

/// Reads the settings, runs `work` on a multi-threaded runtime and turns its end into an exit code.
/// A failure is one sentence on standard error, the last one: what `work` started with its supervisor
/// is ended before.
pub fn run<S, F, E>(program: Program, work: impl FnOnce(S, Supervisor) -> F) -> ExitCode
where
    S: Args + FromArgMatches,
    F: Future<Output = Result<(), E>>,
    E: std::fmt::Display,
{
    let Program {
        name,
        about,
        arguments,
    } = program;
    let settings = match config::read::<S>(name, about, arguments) {
        Ok(settings) => settings,
        Err(ConfigError::Shown(text)) => {
            say(&text);
            return ExitCode::SUCCESS;
        }
        Err(ConfigError::Invalid(sentence)) => return fail(name, &sentence),
    };
    crate::tls::install_provider();
    let giving = std::thread::Builder::new().name("memory".to_owned());
    if let Err(error) = giving.spawn(give_memory_back) {
        return fail(name, &format!("no thread can be started: {error}"));
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(name, &format!("the runtime can't be started: {error}")),
    };
    let supervisor = Supervisor::new();
    let ended = runtime.block_on(async {
        let ended = work(settings, supervisor.clone()).await;
        if ended.is_err() {
            supervisor.finish(FAILED_START_MAX).await;
        }
        ended
    });
    drop(runtime);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(name, &error.to_string()),
    }
}

/// Writes to standard output for the person who started the process; a closed pipe is no failure.
pub fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn fail(name: &str, sentence: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr().lock(), "{name}: {sentence}");
    ExitCode::FAILURE
}

/// How a process that is told to stop takes its leave.
#[derive(Debug, Clone, Copy)]
pub struct Farewell {
    /// For how long it says that it leaves and serves on; SIGINT or a second signal cuts that short.
    pub notice: Duration,
    /// How long running work may take after that.
    pub limit: Duration,
}

/// Runs `serving` until it ends or the process is told to stop; then lets running work finish, at
/// most `limit`.
pub async fn until_stopped<T, E>(
    serving: impl Future<Output = Result<T, E>>,
    supervisor: &Supervisor,
    limit: Duration,
) -> Result<(), E> {
    let farewell = Farewell {
        notice: Duration::ZERO,
        limit,
    };
    until_parted(serving, supervisor, farewell).await
}

/// [`until_stopped`] for a process behind a balancer, which is told first.
pub async fn until_parted<T, E>(
    serving: impl Future<Output = Result<T, E>>,
    supervisor: &Supervisor,
    farewell: Farewell,
) -> Result<(), E> {
    // Caught before anything says that it serves.
    let signals = StopSignals::catch();
    supervisor.serves();
    tokio::pin!(serving);
    tokio::select! {
        () = stop_after(signals, supervisor, farewell.notice) => {}
        served = &mut serving => return served.map(drop),
    }
    let limit = farewell.limit;
    let (served, finished) = tokio::join!(serving, supervisor.finish(limit));
    if !finished {
        tracing::warn!(
            "some work did not finish in {} s; recovery looks after it",
            limit.as_secs()
        );
    }
    served.map(drop)
}

async fn stop_after(mut signals: StopSignals, supervisor: &Supervisor, notice: Duration) {
    let who = signals.next().await;
    supervisor.leave();
    if who == StopSignal::Platform && !notice.is_zero() {
        tracing::info!("told to stop: draining");
        tokio::select! {
            _ = signals.next() => {}
            () = tokio::time::sleep(notice) => {}
        }
    }
    supervisor.stop();
}
