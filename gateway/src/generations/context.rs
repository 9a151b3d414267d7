//! What every generation works with: the register and the journal of outcomes, the pools it calls
//! through, its bounds of time, its counters. Looks after what nobody polls; knows no door and no list
//! of providers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use shared::config::ConfigError;
use shared::id::BootId;
use shared::supervisor::Supervisor;
use tokio_util::sync::CancellationToken;

use super::attempt::Means;
use super::journal::{JournalMetrics, OutcomeJournal};
use super::parting::Leavers;
use super::register::Register;
use crate::GatewayParts;
use crate::metrics::GatewayMetrics;
use crate::pool::Pools;
use crate::providers::Patience;
use crate::providers::files::Files;

/// How late a deadline may be noticed of a generation that nobody polls.
const DEADLINES_EVERY: Duration = Duration::from_secs(1);
/// What a killed process had handed out since, nobody pays.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// A round that is so late tells that the machine has no time.
const PROGRESS_LATE: Duration = Duration::from_millis(200);
/// Streams looked at before others may run.
const PROGRESS_AT_ONCE: usize = 16;
/// The rest after a round, in times that it took: it never takes a twentieth of the time.
const PROGRESS_REST: u32 = 20;
/// How often what is too old is given up, and the gauges are brought up to date.
const SWEEP_EVERY: Duration = Duration::from_secs(2);

/// Shared by all generations of one gateway.
pub(crate) struct GenerationContext {
    /// Which life of the gateway this is.
    pub(crate) boot: BootId,
    pub(crate) register: Register,
    pub(crate) outcomes: OutcomeJournal,
    pub(crate) supervisor: Supervisor,
    pub(super) pools: Arc<Pools>,
    pub(super) patience: Patience,
    files: Files,
    pub(super) leavers: Leavers,
    /// How long a generation is read on after its tenant left.
    pub(super) read_on: Duration,
    pub(super) metrics: GatewayMetrics,
    /// How long a generation runs on without a reader: where its server does not say it, and at most.
    detached: (Duration, Duration),
}

impl std::fmt::Debug for GenerationContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GenerationContext")
            .field("boot", &self.boot)
            .finish_non_exhaustive()
    }
}

impl GenerationContext {
    /// Of a new life, with nothing that runs; reads the journal of the earlier ones.
    pub(crate) fn open(
        parts: &GatewayParts<'_>,
        pools: Arc<Pools>,
    ) -> Result<Arc<Self>, ConfigError> {
        let GatewayParts { config, clock, .. } = parts;
        let boot = BootId::random();
        let outcomes = OutcomeJournal::open(
            config.journal(&parts.common.data_dir)?,
            &boot,
            clock.clone(),
            JournalMetrics::new(parts.metrics),
        )
        .map_err(|e| ConfigError::Invalid(format!("can't start the journal: {e}")))?;
        let detached = config.detached();
        Ok(Arc::new(Self {
            register: Register::new(
                boot.clone(),
                clock.clone(),
                config.output_kept_bytes,
                detached.1,
            ),
            boot,
            outcomes,
            supervisor: parts.supervisor.clone(),
            pools,
            patience: Patience {
                first_byte: config.first_byte(),
                silence: config.silence(),
            },
            files: Files::new(parts.common.outbound_private),
            leavers: Leavers::default(),
            read_on: config.read_on(),
            metrics: GatewayMetrics::new(parts.metrics),
            detached,
        }))
    }

    /// What attempts are made with.
    pub(super) fn means(&self) -> Means<'_> {
        Means {
            pools: &self.pools,
            supervisor: &self.supervisor,
            patience: self.patience,
            files: Some(&self.files),
        }
    }

    /// How long a generation runs on without a reader whose server says that it waits for `told`.
    pub(super) fn detached(&self, told: Option<Duration>) -> Duration {
        let (usual, most) = self.detached;
        told.map_or(usual, |told| told.min(most))
    }

    /// Starts what looks after generations whether or not somebody polls them, until the process stops.
    pub(crate) fn watch(self: &Arc<Self>) {
        let stop = || self.supervisor.stopping();
        let this = self.clone();
        let deadlines = every(DEADLINES_EVERY, stop(), move || expire(&this.register));
        self.supervisor.spawn("deadlines", deadlines);
        let this = self.clone();
        let progress = write_progress(this, stop());
        self.supervisor.spawn("progress", progress);
        let this = self.clone();
        let sweep = every(SWEEP_EVERY, stop(), move || {
            this.register.sweep();
            this.count_kept();
        });
        self.supervisor.spawn("sweep", sweep);
    }

    /// Brings the gauges of what is kept up to date.
    pub(crate) fn count_kept(&self) {
        let gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.metrics
            .kept_bytes
            .set(gauge(self.register.budget().held()));
        self.metrics.running.set(gauge(self.register.running()));
    }
}

async fn every(pause: Duration, stop: CancellationToken, work: impl Fn()) {
    let pause = || stop.run_until_cancelled(tokio::time::sleep(pause));
    while pause().await.is_some() {
        work();
    }
}

/// Ends those whose time is over, also where nobody polls them.
fn expire(register: &Register) {
    let now = Instant::now();
    for generation in register.all_running() {
        generation.expire(now);
    }
}

/// Writes down, round after round, how far those that run have come, for whoever asks when this process is
/// gone. Streams come first: where time is short, rounds are further apart, give way within, and write
/// less.
async fn write_progress(context: Arc<GenerationContext>, stop: CancellationToken) {
    let mut pause = PROGRESS_EVERY;
    let pausing = |pause| stop.run_until_cancelled(tokio::time::sleep(pause));
    let mut due = Instant::now() + pause;
    while pausing(pause).await.is_some() {
        let began = Instant::now();
        let is_time_short = began.saturating_duration_since(due) > PROGRESS_LATE;
        if context.register.running() > 0 {
            for (at, generation) in context.register.all_running().into_iter().enumerate() {
                if at % PROGRESS_AT_ONCE == PROGRESS_AT_ONCE - 1 {
                    tokio::task::yield_now().await;
                }
                generation.write_progress(began, is_time_short);
            }
        }
        pause = PROGRESS_EVERY.max(began.elapsed() * PROGRESS_REST);
        due = Instant::now() + pause;
    }
}
