//! One process at a time: what a first start adds must be added once, however many processes begin
//! on an empty database together. Knows nothing of what is added.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};

use super::{Db, DbError};
use crate::files;

/// The same for every Waule process ("firs" in ASCII), beside a number of the schema: installations that
/// share a database do not wait for each other.
const ADVISORY_LOCK: i32 = 0x66_69_72_73;
/// A first start hashes a password and writes some rows: seconds on a slow machine.
const WAIT_MAX: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// No other process has this while it is held; it goes with the process, also when that dies.
pub struct Alone {
    _lock: Lock,
}

#[expect(
    dead_code,
    reason = "held until they are dropped, which frees the lock"
)]
enum Lock {
    Postgres(Box<AsyncPgConnection>),
    Sqlite(File),
}

impl std::fmt::Debug for Alone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Alone")
    }
}

/// Waits until no other process is where this one wants to be.
pub async fn alone(db: &Db) -> Result<Alone, DbError> {
    let lock = match db {
        Db::Postgres(pool) => {
            let dedicated = pool.dedicated_connection().await;
            let mut conn = dedicated.map_err(|e| DbError::Unreachable(e.to_string()))?;
            let seconds = WAIT_MAX.as_secs();
            conn.batch_execute(&format!(
                "SET lock_timeout = '{seconds}s'; SELECT pg_advisory_lock({ADVISORY_LOCK}, \
                 hashtext(COALESCE(current_schema(), '')))"
            ))
            .await?;
            Lock::Postgres(Box::new(conn))
        }
        Db::Sqlite { writer, .. } => {
            let place = format!("{}-first", writer.place());
            Lock::Sqlite(locked(Path::new(&place)).await?)
        }
    };
    Ok(Alone { _lock: lock })
}

/// A file beside the database: its own locks are SQLite's.
async fn locked(path: &Path) -> Result<File, DbError> {
    let failed = |e: std::io::Error| DbError::Unreachable(format!("{}: {e}", path.display()));
    let file = files::append(path).map_err(failed)?;
    let waiting = async {
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(LOOK_EVERY).await,
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    };
    match tokio::time::timeout(WAIT_MAX, waiting).await {
        Ok(locked) => locked.map(|()| file),
        Err(_) => Err(DbError::Unreachable(
            "another process does not finish its first start".to_owned(),
        )),
    }
}
