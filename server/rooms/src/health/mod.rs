//! Room: how the parts of the platform do at this moment, for people who look after it. Asks each part
//! once and with little patience; mends nothing and keeps no history.

use std::time::{Duration, Instant};

use server_store::Store;
use shared::clock::{Clock, Moment};
use shared::db::DbError;
use shared::link::GatewayView;

use crate::gateways::Gateways;
use crate::ledger::pulse::Commits;
use crate::ledger::{Ledger, LedgerError};
use crate::limits::Limits;

/// A part that needs longer is as good as away to whoever looks.
const PATIENCE: Duration = Duration::from_secs(2);
/// Overdue calls are counted up to this.
const OVERDUE_MAX: i64 = 1_000;

/// The rooms that are asked.
#[derive(Debug)]
pub struct HealthCheckParts {
    /// The database.
    pub store: Store,
    /// Redis.
    pub limits: Limits,
    /// The money.
    pub ledger: Ledger,
    /// The gateways.
    pub gateways: Gateways,
    /// Time.
    pub clock: Clock,
}

/// How the parts do; cheap to clone.
#[derive(Debug, Clone)]
pub struct HealthCheck {
    store: Store,
    limits: Limits,
    ledger: Ledger,
    gateways: Gateways,
    started_at: Moment,
}

/// An answer, and how long it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked<T> {
    /// The answer; `None` where none came.
    pub answer: Option<T>,
    /// How long it took, or how long it was waited for.
    pub took: Duration,
}

/// The database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseHealth {
    /// Its name and version.
    pub name: String,
    /// Its newest migration.
    pub schema: String,
}

/// The ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerHealth {
    /// Calls whose time is over and that recovery looks after.
    pub overdue: usize,
    /// Calls that have credits set aside.
    pub running: u64,
    /// Processes that write to it.
    pub processes: usize,
    /// By how much the clock of one of them is off the database's at most.
    pub skew: Duration,
}

/// All parts at one moment.
#[derive(Debug, Clone)]
pub struct HealthReport {
    /// SQLite or PostgreSQL.
    pub database: Asked<DatabaseHealth>,
    /// Whether Redis answers; `None` where this process counts alone.
    pub redis: Asked<Option<bool>>,
    /// The ledger's tables.
    pub ledger: Asked<LedgerHealth>,
    /// The gateways that calls may go to.
    pub gateways: Asked<Vec<GatewayView>>,
    /// Operations that wait for the ledger's writer, and how many may.
    pub waiting: (usize, usize),
    /// How long commits took, minute by minute.
    pub commits: Vec<Commits>,
}

async fn asked<T, E>(question: impl Future<Output = Result<T, E>>) -> Asked<T> {
    let began = Instant::now();
    let answer = tokio::time::timeout(PATIENCE, question).await;
    Asked {
        answer: answer.ok().and_then(Result::ok),
        took: began.elapsed(),
    }
}

impl HealthCheck {
    /// Over the rooms of a server that starts now.
    pub fn new(parts: HealthCheckParts) -> Self {
        Self {
            store: parts.store,
            limits: parts.limits,
            ledger: parts.ledger,
            gateways: parts.gateways,
            started_at: parts.clock.now(),
        }
    }

    /// Whether the database answers.
    pub async fn database_answers(&self) -> Result<(), DbError> {
        self.store.ping().await
    }

    /// When this process was started.
    pub fn started_at(&self) -> Moment {
        self.started_at
    }

    async fn ledger(&self) -> Result<LedgerHealth, LedgerError> {
        let (_, running) = self.ledger.running(1).await?;
        let lives = self.ledger.processes().await?;
        let skews = lives.iter().map(|life| life.skew_ms.unsigned_abs());
        Ok(LedgerHealth {
            overdue: self.ledger.overdue(OVERDUE_MAX).await?,
            processes: lives.len(),
            skew: Duration::from_millis(skews.max().unwrap_or(0)),
            running,
        })
    }

    /// Asks every part, all at once.
    pub async fn report(&self) -> HealthReport {
        let (database, redis, ledger, gateways) = tokio::join!(
            asked(async {
                let (name, schema) = self.store.about().await?;
                Ok::<_, shared::db::DbError>(DatabaseHealth { name, schema })
            }),
            asked(async { Ok::<_, ()>(self.limits.redis_answers().await) }),
            asked(self.ledger()),
            asked(async {
                let all = self.gateways.all().await?.into_iter();
                let views = all.filter_map(|gateway| gateway.view);
                Ok::<_, shared::db::DbError>(views.collect())
            })
        );
        HealthReport {
            database,
            redis,
            ledger,
            gateways,
            waiting: self.ledger.waiting(),
            commits: self.ledger.pulse(),
        }
    }
}
