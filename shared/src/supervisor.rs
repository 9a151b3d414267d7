//! Named background tasks: the only `tokio::spawn`, common signals to leave and to stop, panics to the
//! log. Knows nothing of what the tasks do.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    vital: VitalTasks,
}

/// The tasks without which a process does not do its work, and which of them are gone; clones share both.
#[derive(Debug, Clone, Default)]
pub struct VitalTasks(Arc<Mutex<Vital>>);

#[derive(Debug, Default)]
struct Vital {
    tasks: Vec<VitalTask>,
    /// Before that a task that ends is part of a start that fails, which says its own sentence.
    is_serving: bool,
}

#[derive(Debug)]
struct VitalTask {
    name: &'static str,
    kill: CancellationToken,
    is_gone: bool,
}

impl VitalTasks {
    /// One that ended although the process was not told to stop.
    pub fn missing(&self) -> Option<&'static str> {
        let vital = self.lock();
        let mut tasks = vital.tasks.iter();
        tasks.find(|task| task.is_gone).map(|task| task.name)
    }

    /// Ends those of that name, as a fault of theirs would; for tests of what notices it.
    pub fn kill(&self, name: &str) {
        for task in (self.lock().tasks.iter()).filter(|task| task.name == name) {
            task.kill.cancel();
        }
    }

    fn begin(&self, name: &'static str) -> (usize, CancellationToken) {
        let kill = CancellationToken::new();
        let mut vital = self.lock();
        vital.tasks.push(VitalTask {
            name,
            kill: kill.clone(),
            is_gone: false,
        });
        (vital.tasks.len() - 1, kill)
    }

    fn lock(&self) -> MutexGuard<'_, Vital> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes the end of a vital task, however it ends: a panic and an abort drop it too.
struct VitalEnd {
    tasks: VitalTasks,
    at: usize,
    stop: CancellationToken,
}

impl Drop for VitalEnd {
    fn drop(&mut self) {
        if self.stop.is_cancelled() {
            return;
        }
        let mut vital = self.tasks.lock();
        let is_serving = vital.is_serving;
        if let Some(task) = vital.tasks.get_mut(self.at) {
            task.is_gone = true;
            if is_serving {
                tell_missing(task.name);
            }
        }
    }
}

fn tell_missing(name: &'static str) {
    error!(
        task = name,
        "task `{name}` ended, and this process can't do its work without it"
    );
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

    /// The start is over: from now on the end of a vital task is told at once, and one that is gone
    /// already is told now.
    pub fn serves(&self) {
        let mut vital = self.vital.lock();
        vital.is_serving = true;
        for task in vital.tasks.iter().filter(|task| task.is_gone) {
            tell_missing(task.name);
        }
    }

    /// What readiness asks: the tasks that were made [`Supervisor::vital`].
    pub fn vital_tasks(&self) -> VitalTasks {
        self.vital.clone()
    }

    /// `work` as a task that must not end before the process is told to stop; to be spawned.
    pub fn vital<F>(&self, name: &'static str, work: F) -> impl Future<Output = ()> + Send + 'static
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (at, kill) = self.vital.begin(name);
        let end = VitalEnd {
            tasks: self.vital.clone(),
            at,
            stop: self.stop.clone(),
        };
        async move {
            let _end = end;
            tokio::select! {
                () = work => {}
                () = kill.cancelled() => {}
            }
        }
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
    async fn a_vital_task_is_missed_however_it_ends_but_not_at_the_stop() {
        let missing = async |end: fn(&Supervisor)| {
            let supervisor = Supervisor::new();
            let stop = supervisor.stopping();
            let other = supervisor.vital("other", async move { stop.cancelled().await });
            supervisor.spawn("other", other);
            end(&supervisor);
            // What was spawned runs on this thread, in between.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            supervisor.vital_tasks().missing()
        };
        let ends = |supervisor: &Supervisor| {
            supervisor.spawn("one", supervisor.vital("one", async {}));
        };
        let panics = |supervisor: &Supervisor| {
            let work = async { panic!("on purpose") };
            supervisor.spawn_servant("one", supervisor.vital("one", work));
        };
        let killed = |supervisor: &Supervisor| supervisor.vital_tasks().kill("other");
        let stopped = |supervisor: &Supervisor| supervisor.stop();
        assert_eq!(missing(|_| {}).await, None, "it runs");
        assert_eq!(missing(ends).await, Some("one"));
        assert_eq!(missing(panics).await, Some("one"));
        assert_eq!(missing(killed).await, Some("other"));
        assert_eq!(missing(stopped).await, None, "the end of the process");
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
