//! The ledger's batch on PostgreSQL: set-based statements in one short transaction on a connection
//! of the writer's own. Accounts are locked first and in one order, so several processes stay exact
//! and never wait in a ring.
//!
//! Each batch leaves its number in the writer's row, with the lock and before anything else: when
//! the connection dies during COMMIT, a new one reads that row under lock. The lock waits for the
//! old transaction's end, so what it reads then is the truth, and only then anybody is told.

use std::future::Future;
use std::time::Duration;

use diesel::pg::Pg;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::{OptionalExtension, QueryResult};
use diesel_async::pooled_connection::bb8::Pool;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use futures_util::future::{FutureExt, join_all};
use futures_util::join;
use server_rules::ledger::rules::Books;
use shared::clock::Moment;
use shared::db::DbError;
use tracing::warn;

use super::LoadSet;
use super::rows::{GrantRow, Loaded, Missing, Writes};
use super::statements::{
    CloseHolds, DeleteBudgets, ExtendHolds, InsertAdjustments, InsertAllocations, InsertEntries,
    InsertGrants, InsertHolds, InsertOpenUsage, InsertUsage, LastBatch, LoadAdjustment,
    LoadAllocations, LoadBudgets, LoadGrantBySource, LoadGrants, LoadHolds, LockAccounts,
    MarkWriter, OpenAccounts, ResolveHolds, UpdateAccounts, UpdateGrants, WriteBudgets,
};
use super::writer::books::{merge, missing, missing_grants, unknown_budgets};
use super::writer::{Attempt, Life, Trouble, decided};

/// A commit is answered when it is on disk, whatever the server's default; a transaction whose
/// process is gone does not keep its locks; nobody waits for ever.
const SESSION: &str = "SET synchronous_commit = on; SET lock_timeout = '5s'; \
     SET statement_timeout = '8s'; SET idle_in_transaction_session_timeout = '8s'";
/// A batch takes milliseconds; a connection that needs this long is dead.
const BATCH_TIME_MAX: Duration = Duration::from_secs(10);
/// Between two attempts to learn what became of a COMMIT.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// The writer's connection, made when it is needed and dropped when it failed.
#[derive(Default)]
pub(super) struct PostgresWriter {
    conn: Option<AsyncPgConnection>,
}

/// Work on a connection that is given up when it takes too long.
async fn in_time<T>(work: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    let dead = || DbError::Unreachable("the database does not answer".to_owned());
    let worked = tokio::time::timeout(BATCH_TIME_MAX, work).await;
    worked.unwrap_or_else(|_| Err(Trouble::Failed(dead())))
}

async fn connect(pool: &Pool<AsyncPgConnection>) -> Result<AsyncPgConnection, Trouble> {
    let connected = pool.dedicated_connection().await;
    let mut conn = connected.map_err(|e| Trouble::Failed(DbError::Unreachable(e.to_string())))?;
    conn.batch_execute(SESSION).await?;
    Ok(conn)
}

impl PostgresWriter {
    /// Writes the sign of life.
    pub(super) async fn beat(
        &mut self,
        pool: &Pool<AsyncPgConnection>,
        life: &Life,
        now: Moment,
    ) -> Result<(), DbError> {
        let work = async {
            let conn = match self.conn.take() {
                Some(conn) => conn,
                None => connect(pool).await?,
            };
            mark(&conn, life, now).await?;
            self.conn = Some(conn);
            Ok(())
        };
        in_time(work).await.map_err(|trouble| match trouble {
            Trouble::Failed(error) | Trouble::InDoubt(error) => error,
            Trouble::Stale => DbError::Damaged("the writer's row".to_owned()),
        })
    }

    /// One attempt at a batch.
    pub(super) async fn commit<B: Sync, A>(
        &mut self,
        pool: &Pool<AsyncPgConnection>,
        books: &mut Books,
        attempt: &Attempt<'_, B, A>,
    ) -> Result<Vec<A>, Trouble> {
        let mut decided = None;
        let mut conn = match self.conn.take() {
            Some(conn) => conn,
            None => in_time(connect(pool)).await?,
        };
        let outcome = in_time(transaction(&mut conn, books, attempt, &mut decided)).await;
        match (outcome, decided) {
            (Ok(()), Some(answers)) => {
                self.conn = Some(conn);
                Ok(answers)
            }
            // The rules had decided and everything was written: only COMMIT's fate is unknown, also
            // when its answer just did not come in time.
            (Err(Trouble::InDoubt(error) | Trouble::Failed(error)), Some(answers)) => {
                drop(conn);
                warn!(%error, "the fate of a ledger batch is unknown and is asked for: {error}");
                if committed(pool, attempt.life).await {
                    Ok(answers)
                } else {
                    Err(Trouble::Failed(error))
                }
            }
            (Err(Trouble::Stale), _) => {
                self.conn = Some(conn);
                Err(Trouble::Stale)
            }
            // The next batch gets a fresh connection.
            (Err(trouble), _) => Err(trouble),
            (Ok(()), None) => Err(Trouble::Failed(DbError::Damaged("no answers".to_owned()))),
        }
    }
}

async fn transaction<B: Sync, A>(
    conn: &mut AsyncPgConnection,
    books: &mut Books,
    attempt: &Attempt<'_, B, A>,
    prepared: &mut Option<Vec<A>>,
) -> Result<(), Trouble> {
    let body = body(conn, books, attempt).await;
    match body {
        Ok(answers) => {
            // From here on the transaction may be committed whatever is heard of it.
            *prepared = Some(answers);
            let commit = conn.batch_execute("COMMIT").await;
            commit.map_err(|error| Trouble::InDoubt(error.into()))
        }
        Err(trouble) => {
            conn.batch_execute("ROLLBACK").await?;
            Err(trouble)
        }
    }
}

async fn body<B: Sync, A>(
    conn: &AsyncPgConnection,
    books: &mut Books,
    attempt: &Attempt<'_, B, A>,
) -> Result<Vec<A>, Trouble> {
    let to_load = attempt.to_load;
    let to_open: Vec<String> = to_load
        .tenants
        .iter()
        .filter(|tenant| !books.accounts.contains_key(*tenant))
        .map(ToString::to_string)
        .collect();
    let open = OpenAccounts { tenants: to_open };
    let tenants = to_load.tenants.iter().map(ToString::to_string).collect();
    let lock = LockAccounts { tenants };
    // One round trip: what is polled together is sent together, in this order.
    let (mut begin, mut locking) = (conn, conn);
    let (begun, opened, marked, locked) = join!(
        begin.batch_execute("BEGIN"),
        run(conn, open.tenants.len(), || open),
        mark(conn, attempt.life, attempt.now),
        lock.load(&mut locking)
    );
    begun?;
    opened?;
    marked?;
    let missing = missing(books, locked?, &attempt.to_load.tenants, attempt);
    read(conn, books, to_load, missing).await?;
    let (writes, answers) = decided(books, attempt)?;
    write(conn, writes).await?;
    Ok(answers)
}

/// Leaves the batch's number and a sign of life in the writer's row.
async fn mark(conn: &AsyncPgConnection, life: &Life, now: Moment) -> QueryResult<()> {
    let mark = MarkWriter {
        boot: life.boot.to_string(),
        batch: life.batch,
        seen_at: now.unix_ms(),
    };
    run(conn, 1, || mark).await.map(drop)
}

/// Whether the batch is in the database; asks until it is known.
async fn committed(pool: &Pool<AsyncPgConnection>, life: &Life) -> bool {
    loop {
        let asked = in_time(async {
            let mut conn = connect(pool).await?;
            let ask = LastBatch {
                boot: life.boot.to_string(),
            };
            // Under lock: it waits until the old connection's transaction is over.
            conn.batch_execute("BEGIN").await?;
            let last: Option<i64> = ask.get_result(&mut conn).await.optional()?;
            conn.batch_execute("ROLLBACK").await?;
            Ok(last)
        });
        match asked.await {
            Ok(last) => return last == Some(life.batch),
            Err(trouble) => warn!("a batch's fate can't be learned yet: {trouble:?}"),
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

/// Reads what is not known; nothing, for accounts that only this process writes.
async fn read(
    conn: &AsyncPgConnection,
    books: &mut Books,
    to_load: &LoadSet,
    missing: Missing,
) -> Result<(), Trouble> {
    let mut loaded = Loaded::default();
    if !missing.holds.is_empty() {
        let (mut one, mut two) = (conn, conn);
        let holds = LoadHolds {
            holds: missing.holds.clone(),
        };
        let parts = LoadAllocations {
            holds: missing.holds.clone(),
        };
        let (holds, parts) = join!(holds.load(&mut one), parts.load(&mut two));
        (loaded.holds, loaded.allocations) = (holds?, parts?);
    }
    let spenders = unknown_budgets(books, to_load, &loaded);
    if !spenders.is_empty() {
        let mut shared = conn;
        let texts = spenders.iter().map(|(_, spender)| spender.text()).collect();
        loaded.budgets = LoadBudgets { spenders: texts }.load(&mut shared).await?;
    }
    let ids = missing_grants(books, &missing, &loaded);
    if !missing.tenants.is_empty() || !ids.is_empty() {
        let mut shared = conn;
        let tenants = missing.tenants.clone();
        loaded.grants = LoadGrants { tenants, ids }.load(&mut shared).await?;
    }
    for (tenant, source) in missing.sources {
        let mut shared = conn;
        let known = LoadGrantBySource { tenant, source };
        let known = known.get_result::<GrantRow>(&mut shared).await.optional()?;
        loaded.grants_by_source.extend(known);
    }
    for (tenant, source) in missing.adjustments {
        let mut shared = conn;
        let known = LoadAdjustment { tenant, source }
            .get_result(&mut shared)
            .await;
        loaded.adjustments.extend(known.optional()?);
    }
    Ok(merge(books, loaded, &spenders)?)
}

/// Runs a statement if there is anything for it to do; answers how many rows it changed.
async fn run<S>(
    conn: &AsyncPgConnection,
    rows: usize,
    statement: impl FnOnce() -> S,
) -> QueryResult<usize>
where
    S: QueryFragment<Pg> + QueryId + Send,
{
    if rows == 0 {
        return Ok(0);
    }
    let (mut conn, statement) = (conn, statement());
    diesel_async::AsyncConnectionCore::execute_returning_count(&mut conn, statement).await
}

/// A part of the writes that must change as many rows as it has.
macro_rules! exactly {
    ($conn:expr, $statement:ident, $rows:expr) => {{
        let expected = $rows.len();
        run($conn, expected, || $statement::from($rows))
            .map(move |changed| (changed, expected))
            .boxed()
    }};
}

/// All writes in one round trip; they touch different tables and need no order among them, but for
/// extensions, which come before the closing of the same hold.
async fn write(conn: &AsyncPgConnection, writes: Writes) -> Result<(), Trouble> {
    let outcomes = join_all([
        exactly!(conn, UpdateAccounts, writes.accounts),
        exactly!(conn, InsertGrants, writes.grants_new),
        exactly!(conn, UpdateGrants, writes.grants_changed),
        exactly!(conn, InsertHolds, writes.holds_new),
        exactly!(conn, ExtendHolds, writes.holds_extended),
        exactly!(conn, CloseHolds, writes.holds_closed),
        exactly!(conn, ResolveHolds, writes.holds_resolved),
        exactly!(conn, InsertAllocations, writes.allocations),
        exactly!(conn, InsertEntries, writes.entries),
        exactly!(conn, InsertAdjustments, writes.adjustments),
        exactly!(conn, WriteBudgets, writes.budgets),
    ]);
    let gone = writes.budgets_gone;
    let (spenders, periods): (Vec<_>, Vec<_>) = gone.into_iter().unzip();
    let open = writes.usage_open;
    let (outcomes, usage, open, gone) = join!(
        outcomes,
        // The record of a settlement that was repeated is there already.
        run(conn, writes.usage.len(), || InsertUsage::from(writes.usage)),
        run(conn, open.len(), || InsertOpenUsage::from(open)),
        run(conn, spenders.len(), || DeleteBudgets { spenders, periods })
    );
    // In the order they were sent: after the first that fails, the others say only that it did.
    for (changed, expected) in outcomes {
        if changed? != expected {
            return Err(Trouble::Stale);
        }
    }
    usage?;
    open?;
    gone?;
    Ok(())
}
