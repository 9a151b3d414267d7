//! Callers that go away at any moment, on the runtimes that servers have.

use std::time::Instant;

use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use diesel_async::SimpleAsyncConnection;

use super::super::{Db, DbTarget};
use super::*;

/// Takes some tenths of a second in a debug build.
const SLOW: &str = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 300000) \
     SELECT COUNT(*) AS number FROM n";

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

struct File {
    db: Db,
    _folder: tempfile::TempDir,
}

async fn file() -> File {
    let folder = tempfile::tempdir().expect("a folder");
    let target = DbTarget::Sqlite(folder.path().join("a.db"));
    let db = Db::connect(&target).await.expect("connected");
    File {
        db,
        _folder: folder,
    }
}

fn pools(db: &Db) -> (&SqlitePool, &SqlitePool) {
    match db {
        Db::Sqlite { readers, writer } => (readers, writer),
        Db::Postgres(_) => unreachable!("it is a file"),
    }
}

async fn number(pool: &SqlitePool, sql: &str) -> i64 {
    let mut conn = pool.get().await.expect("a connection");
    let query = diesel::sql_query(sql);
    let rows: Vec<Number> = diesel_async::RunQueryDsl::load(query, &mut *conn)
        .await
        .expect("rows");
    rows[0].number
}

/// Panics on any thread count: a blocking `Drop` panics where the runtime is, not in the test.
fn panics() -> Arc<AtomicUsize> {
    static PANICS: std::sync::OnceLock<Arc<AtomicUsize>> = std::sync::OnceLock::new();
    let panics = PANICS.get_or_init(|| {
        let panics = Arc::<AtomicUsize>::default();
        let (counted, before) = (panics.clone(), std::panic::take_hook());
        std::panic::set_hook(Box::new(move |info| {
            let thread = std::thread::current();
            // Other tests of this process panic on purpose.
            if thread
                .name()
                .is_some_and(|name| name.contains("db::sqlite") || name == "core")
            {
                counted.fetch_add(1, Ordering::SeqCst);
            }
            before(info);
        }));
        panics
    });
    panics.clone()
}

#[test]
fn who_leaves_a_statement_on_a_lone_core_blocks_nothing_and_loses_no_connection() {
    let panics = panics();
    let main = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let file = main.block_on(file());
    let (readers, writer) = pools(&file.db);
    let (readers, writer) = (readers.clone(), writer.clone());
    let core = std::thread::Builder::new().name("core".to_owned());
    let core = core.spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            for n in 0..40_u64 {
                let pool = if n % 2 == 0 { &readers } else { &writer };
                let begun = Instant::now();
                let left = tokio::time::timeout(Duration::from_millis(n % 7), async {
                    number(pool, SLOW).await
                });
                let _ = left.await;
                assert!(
                    begun.elapsed() < Duration::from_secs(5),
                    "a core stood still: {:?}",
                    begun.elapsed()
                );
            }
            // Each of them comes back by itself.
            for _ in 0..3_000 {
                if readers.busy() + writer.busy() == 0 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            assert_eq!((readers.busy(), writer.busy()), (0, 0));
            assert_eq!(number(&readers, SLOW).await, 300_000);
            assert_eq!(number(&writer, SLOW).await, 300_000);
        });
    });
    core.expect("a thread").join().expect("no panic");
    assert_eq!(AtomicUsize::load(&panics, Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_transaction_that_is_left_is_undone_and_the_next_finds_the_lock_free() {
    let file = file().await;
    let (readers, writer) = pools(&file.db);
    let mut conn = writer.get().await.expect("a connection");
    conn.batch_execute("CREATE TABLE t (n BIGINT NOT NULL)")
        .await
        .expect("made");
    drop(conn);
    let write = async |stop: bool| {
        let db = &file.db;
        let written: Result<(), DbError> = async {
            crate::write_tx!(db, |conn| -> DbError {
                conn.batch_execute("INSERT INTO t VALUES (1)").await?;
                if stop {
                    std::future::pending::<()>().await;
                }
                Ok(())
            })
        }
        .await;
        written
    };
    let left = tokio::time::timeout(Duration::from_millis(100), write(true)).await;
    assert!(left.is_err(), "it was left in the middle");
    write(false).await.expect("the lock is free");
    assert_eq!(number(readers, "SELECT COUNT(*) AS number FROM t").await, 1);
    let failed: Result<(), DbError> = async {
        crate::write_tx!(file.db, |conn| -> DbError {
            conn.batch_execute("INSERT INTO t VALUES (2)").await?;
            Err(DbError::Damaged("on purpose".to_owned()))
        })
    }
    .await;
    assert!(matches!(failed, Err(DbError::Damaged(_))));
    assert_eq!(number(readers, "SELECT COUNT(*) AS number FROM t").await, 1);
    assert_eq!(writer.busy(), 0);
}

#[tokio::test]
async fn a_job_that_panics_costs_its_connection_and_nothing_else() {
    let file = file().await;
    let (_, writer) = pools(&file.db);
    let mut conn = writer.get().await.expect("a connection");
    let job = conn.spawn_blocking(|_| -> diesel::QueryResult<()> { panic!("on purpose") });
    assert!(job.await.is_err());
    drop(conn);
    assert_eq!(number(writer, "SELECT 7 AS number").await, 7);
    assert_eq!(writer.busy(), 0);
}

#[tokio::test]
async fn callers_wait_for_a_connection_in_the_order_they_came() {
    let file = file().await;
    let (_, writer) = pools(&file.db);
    let held = writer.get().await.expect("a connection");
    let order = Mutex::new(Vec::new());
    let wait = async |n: usize| {
        let _conn = writer.get().await.expect("a connection");
        lock(&order).push(n);
    };
    let free = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(writer.busy(), 1);
        drop(held);
    };
    tokio::join!(wait(0), wait(1), wait(2), free);
    assert_eq!(*lock(&order), [0, 1, 2]);
}

#[tokio::test]
async fn files_are_private_also_those_of_earlier_versions() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("data/a.db");
    let target = DbTarget::Sqlite(path.clone());
    let open = async || {
        let db = Db::connect(&target).await.expect("connected");
        let (_, writer) = pools(&db);
        let mut conn = writer.get().await.expect("a connection");
        conn.batch_execute("CREATE TABLE IF NOT EXISTS t (n BIGINT); INSERT INTO t VALUES (1)")
            .await
            .expect("written");
        drop(conn);
        db
    };
    let all = ["a.db", "a.db-wal", "a.db-shm"].map(|name| path.with_file_name(name));
    let modes = || {
        all.each_ref()
            .map(|file| std::fs::metadata(file).expect("there").mode() & 0o777)
    };
    let db = open().await;
    assert_eq!(modes(), [0o600; 3]);
    for file in &all {
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o644)).expect("set");
    }
    let again = open().await;
    assert_eq!(modes(), [0o600; 3]);
    drop((db, again));
}

#[tokio::test]
async fn what_was_committed_comes_into_the_file() {
    let file = file().await;
    let (_, writer) = pools(&file.db);
    let mut conn = writer.get().await.expect("a connection");
    conn.batch_execute("CREATE TABLE t (n BIGINT); INSERT INTO t VALUES (1)")
        .await
        .expect("written");
    drop(conn);
    writer.0.checkpoint().await;
    // The file alone, as `cp` takes it.
    let copy = format!("{}.copy", writer.place());
    std::fs::copy(writer.place(), &copy).expect("copied");
    let copy = SqlitePool::open(&copy, 1, "").await.expect("opened");
    assert_eq!(number(&copy, "SELECT COUNT(*) AS number FROM t").await, 1);
}

#[tokio::test]
async fn a_queue_that_moves_is_waited_in_and_one_that_stands_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("a.db").display().to_string();
    let waits = Waits {
        still: Duration::from_millis(200),
        most: Duration::from_secs(30),
    };
    let pool = SqlitePool::open_with(&place, (1, waits), "").await;
    let pool = pool.expect("opened");
    // Twenty turns of a twentieth of a second: the last waits five times as long as nobody may stand.
    let turns = (0..20).map(|_| async {
        let held = pool.get().await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(held);
        Ok::<_, DbError>(())
    });
    let had = futures_util::future::join_all(turns).await;
    assert!(had.iter().all(Result::is_ok), "{had:?}");
    let _held = pool.get().await.expect("free");
    let begun = Instant::now();
    let told = pool.get().await;
    assert!(matches!(told, Err(DbError::Unreachable(_))), "{told:?}");
    let waited = begun.elapsed();
    assert!(waited >= waits.still && waited < waits.most, "{waited:?}");
}

#[test]
fn many_that_open_a_new_file_at_once_all_get_it() {
    for _ in 0..100 {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("a.db").display().to_string();
        let start = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    start.wait();
                    let conn = establish(&place, "");
                    assert!(conn.is_ok(), "{:?}", conn.err());
                });
            }
        });
    }
}

#[test]
fn a_log_that_grows_fast_is_moved_more_often() {
    let second = Duration::from_secs(1);
    assert_eq!(pause_after(second, 0), CHECKPOINT_EVERY);
    assert_eq!(pause_after(second, 1_500), second);
    assert_eq!(pause_after(second, 3_000), second / 2);
    assert_eq!(pause_after(second, 8_000_000), CHECKPOINT_APART);
    let at = |log, checkpointed| Checkpointed { log, checkpointed };
    assert_eq!(at(500, 400).since(&at(300, 300)), 100);
    assert_eq!(at(90, 80).since(&at(300, 300)), 80, "the log began anew");
    // What SQLite says of a log that is not there.
    assert_eq!(at(-1, -1).since(&at(0, 0)), 0);
}
