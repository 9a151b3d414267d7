//! Files usage records behind the settlements and keeps the sums up with them, in the background; finds
//! the top tenants, builds all sums anew on command, checks. How it stays exact is told in
//! `store::filing` and `store::rollups`.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use server_store::Store;
use server_store::filing::Filing;
use server_store::rollups::{Horizon, Rolled, TopTenants};
use shared::clock::{Clock, Moment};
use shared::db::DbError;
use shared::telemetry::Metrics;
use shared::zone::Zone;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::span::Span;
use super::sums::Grain;
use crate::settings::zones::Zones;

/// Between two looks for records that nobody told of: those of a process that ended before it filed them.
const PACE: Duration = Duration::from_secs(2);
/// From a settlement to the filing, so that records of the same time are filed together: the more, the
/// less each costs. Figures are as old as this, and a moment more.
const GATHER: Duration = Duration::from_millis(100);
/// Records of one transaction; about 50 ms.
const STEP: i64 = 2_000;
/// The same when so many wait, for example at a rebuild: each row is then read and written less often.
const LARGE_STEP: i64 = 20_000;
/// Old records that get their numbers in one transaction.
const NUMBERED: i64 = 1_000;
/// Between two looks whether older transactions have ended, while somebody waits.
const HORIZON_LOOK: Duration = Duration::from_millis(20);
/// Tenants of a kept top list.
pub(super) const TOP_TENANTS: i64 = 20;
/// Top lists are found anew at most so often,
const TOPS_PACE: Duration = Duration::from_secs(30);
/// and never take more than this part of the time.
const TOPS_SHARE: u32 = 50;

/// How filing goes.
#[derive(Debug, Clone)]
pub struct FilingMetrics {
    delay_seconds: Histogram,
    filed: Counter,
}

impl FilingMetrics {
    /// Registers them.
    pub fn new(metrics: &Metrics) -> Self {
        let this = Self {
            // 1 ms to 17 minutes.
            delay_seconds: Histogram::new(exponential_buckets(0.001, 2.0, 21)),
            filed: Counter::default(),
        };
        let all = this.clone();
        metrics.register(|registry| {
            registry.register(
                "waule_filing_delay_seconds",
                "From a settlement until lists and sums show it, of the longest wait of each step",
                all.delay_seconds,
            );
            registry.register(
                "waule_usage_filed",
                "Usage records that were filed",
                all.filed,
            );
        });
        this
    }

    fn filed(&self, records: usize, delay: Duration) {
        self.delay_seconds.observe(delay.as_secs_f64());
        self.filed
            .inc_by(u64::try_from(records).unwrap_or(u64::MAX));
    }
}

/// Files usage records and adds them up; several processes may have one.
#[derive(Debug)]
pub struct Roller {
    store: Store,
    zones: Zones,
    clock: Clock,
    metrics: Option<FilingMetrics>,
    /// Noted and not passed yet.
    waiting: Option<Horizon>,
    /// Records up to here may be added up.
    safe: i64,
    /// Whether every old record has its number; new ones come with theirs.
    numbered: bool,
    /// Top lists are good until then.
    tops_due: Option<Instant>,
    /// The last number, the hour and the zone they were found with; without another they stay as they are.
    tops_of: Option<(i64, Moment, Zone)>,
}

impl Roller {
    /// Over the server's database.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self {
            zones: Zones::new(store.clone(), clock.clone()),
            store,
            clock,
            metrics: None,
            waiting: None,
            safe: 0,
            numbered: false,
            tops_due: None,
            tops_of: None,
        }
    }

    /// Tells of its filing.
    #[must_use]
    pub fn with_metrics(mut self, metrics: FilingMetrics) -> Self {
        self.metrics = Some(metrics);
        self
    }

    /// Files and adds up what is new, round after round, until told to stop. Sleeps until a settlement
    /// of this process wakes it, or others may have left something.
    pub async fn run_forever(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match self.round().await {
                // There may be more at once.
                Ok(Round::More) => continue,
                Ok(Round::Busy) => {
                    // What another process files may not be all that this one has told of.
                    tokio::time::sleep(GATHER).await;
                    continue;
                }
                Ok(Round::Done) => {
                    if let Err(failure) = self.keep_tops().await {
                        warn!(error = %failure, "the top tenants could not be found: {failure}");
                    }
                }
                Err(failure) => {
                    warn!(error = %failure, "usage could not be added up: {failure}");
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(PACE) => {}
                () = self.store.committed.notified() => tokio::time::sleep(GATHER).await,
            }
        }
    }

    /// One transaction's work: filing comes first.
    async fn round(&mut self) -> Result<Round, DbError> {
        match self.file().await? {
            Filing::Busy => Ok(Round::Busy),
            Filing::Filed { more: true, .. } => Ok(Round::More),
            // What is level has nothing left to be added up.
            Filing::Filed { summed: true, .. } if self.numbered => Ok(Round::Done),
            Filing::Filed { .. } | Filing::Nothing => self.level_up().await,
        }
    }

    /// A step of filing.
    async fn file(&self) -> Result<Filing, DbError> {
        let filing = self.store.file_usage(STEP, self.clock.now()).await?;
        if let Filing::Filed { records, delay, .. } = filing {
            if let Some(metrics) = &self.metrics {
                metrics.filed(records, delay);
            }
            debug!("{records} usage records were filed, the first after {delay:?}");
        }
        Ok(filing)
    }

    /// Adds up filed records that are not in the sums, a step.
    async fn level_up(&mut self) -> Result<Round, DbError> {
        if !self.numbered {
            self.numbered = self.store.number_usage(NUMBERED).await? == 0;
            return Ok(Round::More);
        }
        if self.waiting.is_none() && self.store.usage_last_number().await? > self.safe {
            self.waiting = Some(self.store.usage_horizon().await?);
        }
        if let Some(horizon) = self.waiting
            && self.store.usage_horizon_passed(horizon).await?
        {
            self.safe = self.safe.max(horizon.number);
            self.waiting = None;
        }
        let through = self.store.rollup_state().await?.through;
        if through >= self.safe {
            return Ok(Round::Done);
        }
        let step = if self.safe.saturating_sub(through) > LARGE_STEP {
            LARGE_STEP
        } else {
            STEP
        };
        let rolled = self.store.roll_usage(self.safe, step, self.clock.now());
        match rolled.await? {
            Rolled::Busy => Ok(Round::Busy),
            Rolled::Added { records, through } => {
                debug!("{records} usage records were added up, through number {through}");
                Ok(if through < self.safe {
                    Round::More
                } else {
                    Round::Done
                })
            }
        }
    }

    /// Files and adds up every record that is committed now, waiting for older transactions at most `limit`;
    /// tells whether it got there.
    pub async fn catch_up(&mut self, limit: Duration) -> Result<bool, DbError> {
        let end = Instant::now() + limit;
        while !self.numbered {
            self.level_up().await?;
        }
        loop {
            match self.file().await? {
                Filing::Filed { more: true, .. } => {}
                Filing::Filed { .. } | Filing::Nothing => break,
                Filing::Busy if Instant::now() >= end => return Ok(false),
                Filing::Busy => tokio::time::sleep(HORIZON_LOOK).await,
            }
        }
        let wanted = self.store.usage_horizon().await?;
        loop {
            let round = self.round().await?;
            let through = self.store.rollup_state().await?.through;
            if through >= wanted.number {
                return Ok(true);
            }
            if !matches!(round, Round::More) {
                if Instant::now() >= end {
                    return Ok(false);
                }
                tokio::time::sleep(HORIZON_LOOK).await;
            }
        }
    }

    /// Adds up all records from the first one anew; figures are incomplete meanwhile. Tells whether
    /// it got to the end within `limit` of waiting.
    pub async fn rebuild(&mut self, limit: Duration) -> Result<bool, DbError> {
        self.store.reset_rollups().await?;
        let whole = self.catch_up(limit).await?;
        self.find_tops().await?;
        Ok(whole)
    }

    /// Every difference between the sums and the records they were made of, as a sentence.
    pub async fn check(&self) -> Result<Vec<String>, DbError> {
        self.store.rollup_differences().await
    }

    async fn keep_tops(&mut self) -> Result<(), DbError> {
        if self.tops_due.is_some_and(|due| Instant::now() < due) {
            return Ok(());
        }
        let through = self.store.rollup_state().await?.through;
        let hour = Grain::Hour.start(self.clock.now());
        let of = Some((through, hour, self.zones.platform().await));
        if self.tops_of == of {
            return Ok(());
        }
        let began = Instant::now();
        self.find_tops().await?;
        let pause = TOPS_PACE.max(began.elapsed().saturating_mul(TOPS_SHARE));
        (self.tops_due, self.tops_of) = (Some(Instant::now() + pause), of);
        Ok(())
    }

    /// Finds the top tenants of every span that dashboards offer, and keeps them.
    pub async fn find_tops(&self) -> Result<(), DbError> {
        let now = self.clock.now();
        let zone = self.zones.platform().await;
        for span in Span::ALL {
            let query = span.window(now, &zone).query();
            let tenants = self.store.top_tenants(query, TOP_TENANTS).await?;
            let tops = TopTenants { tenants, at: now };
            self.store.keep_top_tenants(span.word(), &tops).await?;
        }
        Ok(())
    }
}

/// What is left after a round.
enum Round {
    /// Perhaps more at once.
    More,
    /// Another process is at it.
    Busy,
    /// Nothing for now.
    Done,
}
