//! Named background tasks: the only `tokio::spawn`, a common signal to stop, panics to the log.
//! Knows nothing of what the tasks do.

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
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Supervisor {
    /// With nothing running.
    pub fn new() -> Self {
        Self::default()
    }

    /// Becomes ready when the process should stop taking new work.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Tells every task to stop.
    pub fn stop(&self) {
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
        self.stop.cancel();
        self.tasks.close();
        tokio::time::timeout(limit, self.tasks.wait()).await.is_ok()
    }
}

/// Ends when the process is told to stop: SIGINT or SIGTERM.
pub async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        // Without a handler only SIGINT is left.
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
