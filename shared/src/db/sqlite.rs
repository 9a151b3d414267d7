//! Connections to one SQLite file. A caller may go away in the middle of a statement, a browser that
//! leaves a page does: the statement then runs to its end on its own thread, and only after that does
//! the connection go back to the others. Nothing waits for it in a `Drop`, which would stop a whole
//! core's runtime (and panic there). Holds no statement.

mod guard;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::sql_types::Integer;
use diesel::{
    Connection, ConnectionResult, QueryResult, QueryableByName, RunQueryDsl, SqliteConnection,
};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::guard::{Lease, SqliteGuard, Threads};
use super::{CONNECTION_WAIT, DbError, TURN_WAIT};
use crate::supervisor::Supervisor;

/// A SQLite connection whose statements run on blocking threads.
pub type SqliteConn = SyncConnectionWrapper<SqliteConnection, Threads>;

/// How often, at least, what was committed is moved from the log beside the file into the file: a copy of
/// the file alone is then at most that old.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);
/// How often at most.
const CHECKPOINT_APART: Duration = Duration::from_millis(250);
/// How many pages are to be moved at once. A commit that finds 8,000 of them in the log moves them itself,
/// which takes a tenth of a second; most are moved by then, beside the commits.
const CHECKPOINT_PAGES: u32 = 1_500;

/// How long a statement waits for a lock on the file that another process has.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// A few connections to one file; callers wait for them in the order they came.
#[derive(Clone)]
pub struct SqlitePool(Arc<Home>);

struct Home {
    place: String,
    /// Set on every connection besides what all have.
    extra: &'static str,
    size: usize,
    waits: Waits,
    permits: Arc<Semaphore>,
    /// Connections that came back so far.
    turns: AtomicU64,
    idle: Mutex<Vec<Kept>>,
    threads: Handle,
}

/// How long callers wait for a connection.
#[derive(Debug, Clone, Copy)]
struct Waits {
    /// While none comes back.
    still: Duration,
    /// In all.
    most: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            still: CONNECTION_WAIT,
            most: TURN_WAIT,
        }
    }
}

/// A connection, and where it says who has it.
struct Kept {
    conn: SqliteConn,
    lease: Arc<Mutex<Weak<Lease>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for SqlitePool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SqlitePool({})", self.0.place)
    }
}

impl SqlitePool {
    /// At most `size` connections to the file at `place`; one is opened now.
    pub(super) async fn open(
        place: &str,
        size: usize,
        extra: &'static str,
    ) -> Result<Self, DbError> {
        Self::open_with(place, (size, Waits::default()), extra).await
    }

    async fn open_with(
        place: &str,
        (size, waits): (usize, Waits),
        extra: &'static str,
    ) -> Result<Self, DbError> {
        let pool = Self(Arc::new(Home {
            place: place.to_owned(),
            extra,
            size,
            waits,
            permits: Arc::new(Semaphore::new(size)),
            turns: AtomicU64::new(0),
            idle: Mutex::new(Vec::with_capacity(size)),
            threads: Handle::current(),
        }));
        drop(pool.get().await?);
        Ok(pool)
    }

    /// A connection; waits for one that is free, though not for ever.
    pub async fn get(&self) -> Result<SqliteGuard, DbError> {
        let home = &self.0;
        let permit = home.turn().await?;
        let idle = lock(&home.idle).pop();
        let kept = match idle {
            Some(kept) => kept,
            None => home.connect().await?,
        };
        let lease = Arc::new(Lease {
            home: home.clone(),
            under_way: AtomicUsize::new(0),
            back: Mutex::new(None),
            _permit: permit,
        });
        *lock(&kept.lease) = Arc::downgrade(&lease);
        Ok(SqliteGuard {
            kept: Some(kept),
            lease,
        })
    }

    /// Connections that are held or at work now.
    pub fn busy(&self) -> usize {
        self.0.size - self.0.permits.available_permits()
    }

    /// Where the file is.
    pub fn place(&self) -> &str {
        &self.0.place
    }

    /// Moves commits into the file now and then, more often while there are many, for as long as the pool
    /// lives.
    pub(super) fn checkpoint_now_and_then(&self) {
        let home = Arc::downgrade(&self.0);
        Supervisor::new().spawn_servant("checkpoints", async move {
            let (mut seen, mut done) = (None, Checkpointed::default());
            let mut pause = Duration::from_secs(1);
            loop {
                tokio::time::sleep(pause).await;
                let Some(home) = home.upgrade() else { return };
                let log = std::fs::metadata(format!("{}-wal", home.place));
                let changed = log.and_then(|log| log.modified()).ok();
                if changed.is_none() || changed == seen {
                    pause = CHECKPOINT_EVERY;
                    continue;
                }
                seen = changed;
                let now = home.checkpoint().await;
                pause = pause_after(pause, now.since(&done));
                done = now;
            }
        });
    }
}

/// How far a log is moved into its file.
#[derive(Debug, Default, QueryableByName)]
struct Checkpointed {
    /// Pages in the log; fewer than before when it was begun anew.
    #[diesel(sql_type = Integer)]
    log: i32,
    /// Of these, pages that are moved.
    #[diesel(sql_type = Integer)]
    checkpointed: i32,
}

impl Checkpointed {
    /// How many pages were moved since.
    fn since(&self, before: &Self) -> u32 {
        let is_same_log = self.log >= before.log;
        let moved_before = if is_same_log { before.checkpointed } else { 0 };
        let moved = self.checkpointed.saturating_sub(moved_before);
        u32::try_from(moved).unwrap_or(0)
    }
}

/// How long to wait so that about [`CHECKPOINT_PAGES`] are to be moved, when `pages` came in `pause`.
fn pause_after(pause: Duration, pages: u32) -> Duration {
    let wanted = pause.saturating_mul(CHECKPOINT_PAGES) / pages.max(1);
    wanted.clamp(CHECKPOINT_APART, CHECKPOINT_EVERY)
}

impl Home {
    /// Waits for its turn: as long as turns are had, since a statement that takes milliseconds takes
    /// tenths of a second on a machine whose cores are taken, and a queue of hundreds is not stuck then.
    async fn turn(&self) -> Result<OwnedSemaphorePermit, DbError> {
        let busy = || DbError::Unreachable("no connection was free in time".to_owned());
        let mut waiting = std::pin::pin!(self.permits.clone().acquire_owned());
        let (begun, Waits { still, most }) = (Instant::now(), self.waits);
        loop {
            let turns = self.turns.load(Ordering::Relaxed);
            match tokio::time::timeout(still, waiting.as_mut()).await {
                Ok(permit) => return permit.map_err(|_| busy()),
                Err(_) if begun.elapsed() >= most => return Err(busy()),
                Err(_) if self.turns.load(Ordering::Relaxed) == turns => return Err(busy()),
                Err(_) => {}
            }
        }
    }

    async fn connect(&self) -> Result<Kept, DbError> {
        let (place, extra) = (self.place.clone(), self.extra);
        let opening = self
            .threads
            .spawn_blocking(move || establish(&place, extra));
        let unreachable = |why: String| DbError::Unreachable(why);
        let opened = opening.await.map_err(|e| unreachable(e.to_string()))?;
        let conn = opened.map_err(|e| unreachable(e.to_string()))?;
        let lease = Arc::<Mutex<Weak<Lease>>>::default();
        let threads = Threads {
            threads: self.threads.clone(),
            lease: lease.clone(),
        };
        Ok(Kept {
            conn: SyncConnectionWrapper::with_runtime(conn, threads),
            lease,
        })
    }

    /// By a connection of its own: neither readers nor the writer wait for it. It moves what no reader
    /// needs in the log any more; the rest comes the next time.
    async fn checkpoint(&self) -> Checkpointed {
        let place = self.place.clone();
        let work = self.threads.spawn_blocking(move || {
            let mut conn = establish(&place, "")?;
            diesel::sql_query("PRAGMA wal_checkpoint(PASSIVE)")
                .get_result(&mut conn)
                .map_err(diesel::ConnectionError::CouldntSetupConfiguration)
        });
        match work.await {
            Ok(Ok(checkpointed)) => checkpointed,
            Ok(Err(error)) => {
                tracing::warn!(%error, "{} was not brought up to date: {error}", self.place);
                Checkpointed::default()
            }
            Err(_) => Checkpointed::default(),
        }
    }
}

fn establish(place: &str, extra: &str) -> ConnectionResult<SqliteConnection> {
    let mut conn = SqliteConnection::establish(place)?;
    let setup = diesel::ConnectionError::CouldntSetupConfiguration;
    conn.batch_execute(&format!("PRAGMA busy_timeout={};", LOCK_WAIT.as_millis()))
        .map_err(setup)?;
    into_wal(&mut conn).map_err(setup)?;
    // FULL: a commit that was answered survives a power cut (docs/decisions/durable-commits).
    let pragmas = format!(
        "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; \
         PRAGMA wal_autocheckpoint=8000; PRAGMA cache_size=-16000; {extra}"
    );
    conn.batch_execute(&pragmas).map_err(setup)?;
    Ok(conn)
}

/// A new file is switched to its log once. Where two processes are at it together, SQLite refuses one of
/// them at once, whatever its busy timeout: both read and both want to write, and waiting would be for ever.
fn into_wal(conn: &mut SqliteConnection) -> QueryResult<()> {
    let begun = Instant::now();
    loop {
        match conn.batch_execute("PRAGMA journal_mode=WAL;") {
            Err(error) if is_locked(&error) && begun.elapsed() < LOCK_WAIT => {
                std::thread::sleep(Duration::from_millis(5));
            }
            switched => return switched,
        }
    }
}

/// Whether another connection had the file and did not let go of it in time.
pub(super) fn is_locked(error: &diesel::result::Error) -> bool {
    matches!(error, diesel::result::Error::DatabaseError(_, info) if info.message() == "database is locked")
}

/// Statements around the body of a writing transaction; `write_tx!` calls them.
pub mod transaction {
    use diesel::QueryResult;
    use diesel::connection::{AnsiTransactionManager, TransactionManager};

    use super::SqliteConn;

    /// Takes the write lock at once: a transaction that reads first could not get it later.
    pub async fn begin(conn: &mut SqliteConn) -> QueryResult<()> {
        conn.spawn_blocking(|conn| {
            AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")
        })
        .await
    }

    /// Commits.
    pub async fn commit(conn: &mut SqliteConn) -> QueryResult<()> {
        conn.spawn_blocking(AnsiTransactionManager::commit_transaction)
            .await
    }

    /// Undoes all of it.
    pub async fn roll_back(conn: &mut SqliteConn) -> QueryResult<()> {
        conn.spawn_blocking(AnsiTransactionManager::rollback_transaction)
            .await
    }
}

#[cfg(test)]
mod tests;
