//! Ctrl-C for commands that have to clean up: turns signals into an error that unwinds. Ends
//! nothing itself.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::failure::{Failure, Outcome, Step};

/// Says whether the person wants an end.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Listens from now on, for the rest of the process.
    pub(crate) fn on_signals() -> Outcome<Self> {
        let (sender, receiver) = watch::channel(false);
        let (ready, is_ready) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let heard = listen(&sender, &ready);
            // Whoever waits is gone when this fails.
            let _ = ready.send(heard);
        });
        is_ready
            .recv()
            .step(|| "the thread for signals ended".into())??;
        Ok(Self(receiver))
    }

    /// An error when a signal came.
    pub(crate) fn check(&self) -> Outcome<()> {
        if *self.0.borrow() {
            return Err(interrupted());
        }
        Ok(())
    }

    /// Ends `work` early, with an error, when a signal comes.
    pub(crate) async fn or<T>(&self, work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
        let mut stop = self.0.clone();
        tokio::select! {
            done = work => done,
            _ = stop.wait_for(|stopped| *stopped) => Err(interrupted()),
        }
    }
}

fn interrupted() -> Failure {
    Failure::new("interrupted")
}

fn listen(stop: &watch::Sender<bool>, ready: &std::sync::mpsc::Sender<Outcome<()>>) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .step(|| "a runtime cannot be made".into())?;
    runtime.block_on(async {
        let hear = |kind| signal(kind).step(|| "signals cannot be heard".into());
        let mut interrupt = hear(SignalKind::interrupt())?;
        let mut terminate = hear(SignalKind::terminate())?;
        let mut hangup = hear(SignalKind::hangup())?;
        // Whoever waits is gone when this fails.
        let _ = ready.send(Ok(()));
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        stop.send_replace(true);
        // The sender lives on, or waiting for it would end with an error at once.
        std::future::pending::<()>().await;
        Ok(())
    })
}
