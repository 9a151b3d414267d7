//! `Db`: one handle over PostgreSQL or SQLite, and the macros that compile one query text for both.
//! Holds no table and no statement; those live in each side's `store`.
//!
//! `on!` runs a body on a connection of whichever database is configured. `write_tx!` runs a body
//! in one transaction that may write: on SQLite that is `BEGIN IMMEDIATE` on the single writer
//! connection (writers then queue fairly in the pool instead of polling a busy file), on
//! PostgreSQL an ordinary `BEGIN`.

pub mod backup;
pub mod first;
pub mod migrate;
pub mod sqlite;

use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::pooled_connection::bb8::Pool;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

pub use self::sqlite::{SqliteConn, SqlitePool};
use crate::files;

/// Connections to PostgreSQL a process keeps; beyond this, callers wait in the pool's queue.
const POSTGRES_CONNECTIONS_MAX: u32 = 12;
/// SQLite readers; each holds a page cache of a few megabytes.
const SQLITE_READERS_MAX: usize = 4;
/// How long a caller waits for a connection before it is told that the database is busy. On SQLite: for
/// so long no other caller gave one back.
const CONNECTION_WAIT: Duration = Duration::from_secs(5);
/// How long a caller waits for a SQLite connection while those before it have their turns: the file
/// works, and only the machine has no time.
const TURN_WAIT: Duration = Duration::from_secs(30);

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DbTarget {
    /// A `postgres://` URL.
    Postgres(String),
    /// A SQLite file.
    Sqlite(PathBuf),
}

impl DbTarget {
    /// `DATABASE_URL` when it is set, else `file` in the data folder.
    pub fn from_settings(url: Option<&str>, data_dir: &Path, file: &str) -> Result<Self, DbError> {
        match url.filter(|url| !url.is_empty()) {
            None => Ok(Self::Sqlite(data_dir.join(file))),
            Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Ok(Self::Postgres(url.to_owned()))
            }
            Some(url) => match url.strip_prefix("sqlite:") {
                Some(path) => Ok(Self::Sqlite(PathBuf::from(path.trim_start_matches("//")))),
                None => Err(DbError::UnknownScheme),
            },
        }
    }

    /// The place without a password, for messages.
    pub fn shown(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Postgres(url) => match url.rsplit_once('@') {
                Some((_, place)) => format!("postgres://…@{place}"),
                None => url.clone(),
            },
        }
    }
}

/// Two pools of which one is used.
#[derive(Clone)]
pub enum Db {
    /// PostgreSQL.
    Postgres(Pool<AsyncPgConnection>),
    /// SQLite: many readers and one writer.
    Sqlite {
        /// Connections that only read.
        readers: SqlitePool,
        /// The one connection that writes.
        writer: SqlitePool,
    },
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Postgres(_) => "Db(postgres)",
            Self::Sqlite { .. } => "Db(sqlite)",
        })
    }
}

/// A statement or a connection failed; details are for the log only.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// `DATABASE_URL` starts with something else.
    #[error("DATABASE_URL must start with postgres:// or sqlite:")]
    UnknownScheme,
    /// No connection in time, or none at all.
    #[error("the database can't be reached: {0}")]
    Unreachable(String),
    /// A row that must be unique is there already.
    #[error("already there: {0}")]
    Duplicate(String),
    /// A row holds what no code writes.
    #[error("a stored row is damaged: {0}")]
    Damaged(String),
    /// Anything else a statement can fail with.
    #[error("statement failed: {0}")]
    Statement(diesel::result::Error),
    /// A later version of the program has migrated it.
    #[error(
        "it was used by a later version of Waule (this one does not know its migration {0}): start \
         that version, or restore a backup from before it"
    )]
    Later(String),
    /// A migration failed.
    #[error("migration failed: {0}")]
    Migration(String),
}

impl From<diesel::result::Error> for DbError {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::{DatabaseErrorKind, Error};
        if let Error::DatabaseError(kind, info) = &error {
            if matches!(kind, DatabaseErrorKind::UniqueViolation) {
                return Self::Duplicate(info.message().to_owned());
            }
            if sqlite::is_locked(&error) || matches!(kind, DatabaseErrorKind::ClosedConnection) {
                return Self::Unreachable(info.message().to_owned());
            }
        }
        Self::Statement(error)
    }
}

impl From<diesel_async::pooled_connection::bb8::RunError> for DbError {
    fn from(error: diesel_async::pooled_connection::bb8::RunError) -> Self {
        Self::Unreachable(error.to_string())
    }
}

impl Db {
    /// Connects once, so that an unreachable database is known at start.
    pub async fn connect(target: &DbTarget) -> Result<Self, DbError> {
        let db = match target {
            DbTarget::Postgres(url) => Self::Postgres(postgres_pool(url).await?),
            DbTarget::Sqlite(path) => {
                private_file(path).map_err(|e| {
                    DbError::Unreachable(format!("can't create {}: {e}", path.display()))
                })?;
                let place = path.display().to_string();
                // The writer first: it creates the file and switches it to WAL.
                let writer = SqlitePool::open(&place, 1, "").await?;
                let readers =
                    SqlitePool::open(&place, SQLITE_READERS_MAX, "PRAGMA query_only=ON;").await?;
                writer.checkpoint_now_and_then();
                Self::Sqlite { readers, writer }
            }
        };
        db.ping().await?;
        Ok(db)
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), DbError> {
        match self {
            Self::Postgres(pool) => pool.get().await?.batch_execute("SELECT 1").await?,
            Self::Sqlite { writer, .. } => writer.get().await?.batch_execute("SELECT 1").await?,
        }
        Ok(())
    }
}

async fn postgres_pool(url: &str) -> Result<Pool<AsyncPgConnection>, DbError> {
    let mut config = ManagerConfig::<AsyncPgConnection>::default();
    config.custom_setup = Box::new(establish_postgres);
    // One attempt outside the pool: the pool would retry in silence until its time is over.
    drop(
        establish_postgres(url)
            .await
            .map_err(|e| DbError::Unreachable(e.to_string()))?,
    );
    let manager = AsyncDieselConnectionManager::new_with_config(url, config);
    Pool::builder()
        .max_size(POSTGRES_CONNECTIONS_MAX)
        .min_idle(Some(1))
        .connection_timeout(CONNECTION_WAIT)
        .build(manager)
        .await
        .map_err(|e| DbError::Unreachable(e.to_string()))
}

/// diesel-async's own `establish` speaks no TLS, which managed PostgreSQL asks for.
fn establish_postgres(url: &str) -> BoxFuture<'_, ConnectionResult<AsyncPgConnection>> {
    async move {
        let config: tokio_postgres::Config = url
            .parse()
            .map_err(|e| ConnectionError::BadConnection(format!("DATABASE_URL: {e}")))?;
        let tls = tokio_postgres_rustls::MakeRustlsConnect::new(crate::tls::client_config());
        let connecting = tokio::time::timeout(CONNECTION_WAIT, config.connect(tls));
        let (client, connection) = connecting
            .await
            .map_err(|_| ConnectionError::BadConnection("no answer in time".to_owned()))?
            .map_err(|e| ConnectionError::BadConnection(describe(&e)))?;
        AsyncPgConnection::try_from_client_and_connection(client, connection).await
    }
    .boxed()
}

/// tokio-postgres keeps the reason in the error's source.
fn describe(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// Creates a database's file where it is missing and makes it and its companions private. SQLite
/// itself leaves that to the umask; what it creates beside the file gets the file's own rights.
fn private_file(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        files::folder(folder)?;
    }
    // Never opened where it is there: closing it would free the locks this process has on it.
    match files::create(path) {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    for end in ["", "-wal", "-shm"] {
        let mut companion = path.as_os_str().to_owned();
        companion.push(end);
        files::tighten(Path::new(&companion));
    }
    Ok(())
}

/// Runs a body that reads on a connection of the configured database: `on!(db, |conn| { … })`.
/// The body is compiled once for each database; its value must be a `Result<_, diesel::result::Error>`.
#[macro_export]
macro_rules! on {
    ($db:expr, |$conn:ident| $body:expr) => {
        match &$db {
            $crate::db::Db::Postgres(pool) => {
                let mut guard = pool.get().await?;
                let $conn: &mut diesel_async::AsyncPgConnection = &mut guard;
                let outcome: Result<_, diesel::result::Error> = $body;
                outcome.map_err($crate::db::DbError::from)
            }
            $crate::db::Db::Sqlite { readers, .. } => {
                let mut guard = readers.get().await?;
                let $conn: &mut $crate::db::SqliteConn = &mut guard;
                let outcome: Result<_, diesel::result::Error> = $body;
                outcome.map_err($crate::db::DbError::from)
            }
        }
    };
}

/// Runs a body in one writing transaction: `write_tx!(db, |conn| { … })`.
/// The body's value is a `Result<_, E>` with `E: From<diesel::result::Error>`; an error rolls back.
#[macro_export]
macro_rules! write_tx {
    ($db:expr, |$conn:ident| -> $error:ty $body:block) => {
        match &$db {
            $crate::db::Db::Postgres(pool) => {
                let mut guard = pool.get().await.map_err($crate::db::DbError::from)?;
                let conn: &mut diesel_async::AsyncPgConnection = &mut guard;
                diesel_async::AsyncConnection::transaction::<_, $error, _>(
                    conn,
                    async |$conn: &mut diesel_async::AsyncPgConnection| $body,
                )
                .await
            }
            $crate::db::Db::Sqlite { writer, .. } => {
                let mut guard = writer.get().await?;
                let conn: &mut $crate::db::SqliteConn = &mut guard;
                let outcome: Result<_, $error> = async {
                    $crate::db::sqlite::transaction::begin(conn).await?;
                    let written: Result<_, $error> = async {
                        let $conn: &mut $crate::db::SqliteConn = &mut *conn;
                        $body
                    }
                    .await;
                    match written {
                        Ok(written) => {
                            $crate::db::sqlite::transaction::commit(conn).await?;
                            Ok(written)
                        }
                        Err(error) => {
                            $crate::db::sqlite::transaction::roll_back(conn).await?;
                            Err(error)
                        }
                    }
                }
                .await;
                outcome
            }
        }
    };
}
