//! Named background tasks: the only `tokio::spawn`, common signals to leave and to stop, panics to the
//! log. Knows nothing of what the tasks do.

use std::future::Future;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, error};

/// Starts tasks and waits for them at the end; clones share both.
#[derive(Debug, Clone, Default)]
pub struct Supervisor {
    leave: CancellationToken,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Supervisor {
    /// With nothing running.
    pub fn new() -> Self {
        Self::default()
    }

    /// Becomes ready when the process is about to stop: it still takes work, and says to whoever sends
    /// it that it should go elsewhere. At the latest when it stops.
    pub fn leaving(&self) -> CancellationToken {
        self.leave.clone()
    }

    /// Tells the world that the process is about to stop.
    pub fn leave(&self) {
        self.leave.cancel();
    }

    /// Becomes ready when the process should stop taking new work.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Tells every task to stop.
    pub fn stop(&self) {
        self.leave.cancel();
        self.stop.cancel();
    }

    /// Runs `work` to its end, even when whoever asked for it goes away. A panic is logged once.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one caller that everybody else goes through"
    )]
    pub fn spawn<F>(&self, name: &'static str, work: F) -> JoinHandle<Option<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let guarded = std::panic::AssertUnwindSafe(work)
            .catch_unwind()
            .map(move |outcome| {
                outcome
                    .inspect_err(|panic| {
                        let text = panic
                            .downcast_ref::<String>()
                            .map(String::as_str)
                            .or_else(|| panic.downcast_ref::<&str>().copied())
                            .unwrap_or("unknown panic");
                        error!(task = name, "task `{name}` panicked: {text}");
                    })
                    .ok()
            });
        tokio::spawn(self.tasks.track_future(guarded.in_current_span()))
    }

    /// Runs `work` for as long as the process lives; nobody waits for its end. For servants of other
    /// tasks, which wait for their answers themselves.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one caller that everybody else goes through"
    )]
    pub fn spawn_servant<F>(&self, name: &'static str, work: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let guarded = std::panic::AssertUnwindSafe(work)
            .catch_unwind()
            .map(move |outcome| {
                if outcome.is_err() {
                    error!(task = name, "servant `{name}` panicked");
                }
            });
        tokio::spawn(guarded);
    }

    /// Waits until the process was told to stop and every task has ended.
    pub async fn ended(&self) {
        self.stop.cancelled().await;
        self.tasks.wait().await;
    }

    /// Waits until every task has ended, at most `limit`; tells whether all did.
    pub async fn finish(&self, limit: Duration) -> bool {
        self.stop();
        self.tasks.close();
        tokio::time::timeout(limit, self.tasks.wait()).await.is_ok()
    }
}

/// Who told the process to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSignal {
    /// SIGINT: somebody at a terminal, who waits.
    Person,
    /// SIGTERM: what runs processes, and has others to send work to.
    Platform,
}

/// The signals that tell a process to stop, from now on.
#[derive(Debug)]
pub struct StopSignals {
    terminate: Option<tokio::signal::unix::Signal>,
    interrupt: Option<tokio::signal::unix::Signal>,
}

impl StopSignals {
    /// Catches them; one that can't be caught ends the process as it always did.
    pub fn catch() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self {
            terminate: signal(SignalKind::terminate()).ok(),
            interrupt: signal(SignalKind::interrupt()).ok(),
        }
    }

    /// The next of them.
    pub async fn next(&mut self) -> StopSignal {
        async fn told(signal: &mut Option<tokio::signal::unix::Signal>) {
            let told = match signal {
                Some(signal) => signal.recv().await,
                None => None,
            };
            if told.is_none() {
                std::future::pending::<()>().await;
            }
        }
        tokio::select! {
            () = told(&mut self.terminate) => StopSignal::Platform,
            () = told(&mut self.interrupt) => StopSignal::Person,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_stops_has_left_before() {
        let supervisor = Supervisor::new();
        let (leaving, stopping) = (supervisor.leaving(), supervisor.stopping());
        supervisor.leave();
        assert!(leaving.is_cancelled() && !stopping.is_cancelled());
        let supervisor = Supervisor::new();
        let leaving = supervisor.leaving();
        assert!(supervisor.finish(Duration::from_secs(1)).await);
        assert!(leaving.is_cancelled());
    }

    #[tokio::test]
    async fn a_panic_ends_one_task_and_nothing_else() {
        let supervisor = Supervisor::new();
        let bad = supervisor.spawn("bad", async { panic!("on purpose") });
        let good = supervisor.spawn("good", async { 7 });
        assert!(matches!(bad.await, Ok(None)));
        assert!(matches!(good.await, Ok(Some(7))));
        assert!(supervisor.finish(Duration::from_secs(1)).await);
    }
}
