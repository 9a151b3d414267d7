//! `Db`: one handle over PostgreSQL or SQLite, and the macros that compile one query text for both.
//! Holds no table and no statement; those live in each side's `store`.
//!
//! `on!` runs a body on a connection of whichever database is configured. `write_tx!` runs a body
//! in one transaction that may write: on SQLite that is `BEGIN IMMEDIATE` on the single writer
//! connection (writers then queue fairly in the pool instead of polling a busy file), on
//! PostgreSQL an ordinary `BEGIN`.

pub mod migrate;

use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::{ConnectionError, ConnectionResult, SqliteConnection};
use diesel_async::pooled_connection::bb8::Pool;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// A SQLite connection whose statements run on blocking threads.
pub type SqliteConn = SyncConnectionWrapper<SqliteConnection>;

/// Connections to PostgreSQL a process keeps; beyond this, callers wait in the pool's queue.
const POSTGRES_CONNECTIONS_MAX: u32 = 12;
/// SQLite readers; each holds a page cache of a few megabytes.
const SQLITE_READERS_MAX: u32 = 4;
/// How long a caller waits for a connection before it is told that the database is busy.
const CONNECTION_WAIT: Duration = Duration::from_secs(5);

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
        readers: Pool<SqliteConn>,
        /// The one connection that writes.
        writer: Pool<SqliteConn>,
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
            if matches!(kind, DatabaseErrorKind::ClosedConnection) {
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
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder).map_err(|e| {
                        DbError::Unreachable(format!("can't create {}: {e}", folder.display()))
                    })?;
                }
                let place = path.display().to_string();
                // The writer first: it creates the file and switches it to WAL.
                let writer = sqlite_pool(&place, 1, "").await?;
                let readers =
                    sqlite_pool(&place, SQLITE_READERS_MAX, "PRAGMA query_only=ON;").await?;
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

async fn sqlite_pool(
    place: &str,
    size: u32,
    extra: &'static str,
) -> Result<Pool<SqliteConn>, DbError> {
    let mut config = ManagerConfig::<SqliteConn>::default();
    config.custom_setup = Box::new(move |place| establish_sqlite(place, extra).boxed());
    drop(
        establish_sqlite(place, extra)
            .await
            .map_err(|e| DbError::Unreachable(e.to_string()))?,
    );
    let manager = AsyncDieselConnectionManager::new_with_config(place, config);
    Pool::builder()
        .max_size(size)
        .connection_timeout(CONNECTION_WAIT)
        .build(manager)
        .await
        .map_err(|e| DbError::Unreachable(e.to_string()))
}

async fn establish_sqlite(place: &str, extra: &'static str) -> ConnectionResult<SqliteConn> {
    let mut conn = SqliteConn::establish(place).await?;
    // FULL: a commit that was answered survives a power cut (MEASURED: WAL with NORMAL may not).
    let pragmas = format!(
        "PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; \
         PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=8000; \
         PRAGMA cache_size=-16000; {extra}"
    );
    conn.batch_execute(&pragmas)
        .await
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
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
                let mut guard = writer.get().await.map_err($crate::db::DbError::from)?;
                let conn: &mut $crate::db::SqliteConn = &mut guard;
                conn.immediate_transaction::<_, $error, _>(
                    async |$conn: &mut $crate::db::SqliteConn| $body,
                )
                .await
            }
        }
    };
}
