//! Runs embedded migrations under a lock, so that several replicas may start at once.
//! Holds no migration; each side embeds its own folders.

use diesel::SqliteConnection;
use diesel::backend::Backend;
use diesel::migration::MigrationSource;
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};
use futures_util::FutureExt;

use super::{Db, DbError};

/// Any number, as long as every Waule process uses the same ("waule" in ASCII).
const ADVISORY_LOCK: i64 = 0x77_61_75_6c_65;

/// The same migrations written for both databases, under the same names.
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    /// For PostgreSQL.
    pub postgres: fn() -> EmbeddedMigrations,
    /// For SQLite.
    pub sqlite: fn() -> EmbeddedMigrations,
}

/// Brings the schema up to date; waits for another process that is doing the same.
pub async fn run(db: &Db, migrations: Migrations) -> Result<(), DbError> {
    match db {
        Db::Postgres(pool) => {
            let mut conn = pool
                .dedicated_connection()
                .await
                .map_err(|e| DbError::Unreachable(e.to_string()))?;
            conn.batch_execute(&format!("SELECT pg_advisory_lock({ADVISORY_LOCK})"))
                .await?;
            let source = (migrations.postgres)();
            // The lock goes with this connection, also when the process dies half way.
            run_postgres(conn, source).await
        }
        Db::Sqlite { writer, .. } => {
            let mut conn = writer.get().await?;
            let source = (migrations.sqlite)();
            conn.spawn_blocking(move |conn: &mut SqliteConnection| Ok(run_sqlite(conn, source)))
                .await?
        }
    }
}

async fn run_postgres(conn: AsyncPgConnection, source: EmbeddedMigrations) -> Result<(), DbError> {
    // The harness blocks inside (`block_in_place`), so it gets a thread of its own.
    let work = tokio::task::spawn_blocking(move || {
        bring_up_to_date(&mut AsyncMigrationHarness::new(conn), source)
    });
    work.map(|joined| joined.unwrap_or_else(|e| Err(DbError::Migration(e.to_string()))))
        .await
}

fn run_sqlite(conn: &mut SqliteConnection, source: EmbeddedMigrations) -> Result<(), DbError> {
    // One exclusive transaction is the lock: another process waits for it (busy_timeout) and then
    // finds nothing left to do.
    conn.exclusive_transaction(|conn| bring_up_to_date(conn, source))
}

/// Runs what is missing. A database that has more than is known here was used by a later version,
/// whose rows this one may misread: it is refused before anything is changed.
fn bring_up_to_date<DB: Backend>(
    harness: &mut impl MigrationHarness<DB>,
    source: EmbeddedMigrations,
) -> Result<(), DbError>
where
    EmbeddedMigrations: MigrationSource<DB>,
{
    let failed = |e: Box<dyn std::error::Error + Send + Sync>| DbError::Migration(e.to_string());
    let known = source.migrations().map_err(failed)?;
    let is_known = |version: &diesel::migration::MigrationVersion<'_>| {
        known.iter().any(|known| known.name().version() == *version)
    };
    let applied = harness.applied_migrations().map_err(failed)?;
    if let Some(later) = applied.iter().find(|version| !is_known(version)) {
        return Err(DbError::Later(later.to_string()));
    }
    let run = harness.run_pending_migrations(source);
    run.map(drop).map_err(failed)
}

/// Undoes every migration; only tests call it.
pub async fn revert_all(db: &Db, migrations: Migrations) -> Result<(), DbError> {
    match db {
        Db::Postgres(pool) => {
            let conn = pool
                .dedicated_connection()
                .await
                .map_err(|e| DbError::Unreachable(e.to_string()))?;
            let source = (migrations.postgres)();
            tokio::task::spawn_blocking(move || {
                let mut harness = AsyncMigrationHarness::new(conn);
                harness
                    .revert_all_migrations(source)
                    .map(drop)
                    .map_err(|e| DbError::Migration(e.to_string()))
            })
            .await
            .unwrap_or_else(|e| Err(DbError::Migration(e.to_string())))
        }
        Db::Sqlite { writer, .. } => {
            let mut conn = writer.get().await?;
            let source = (migrations.sqlite)();
            conn.spawn_blocking(move |conn: &mut SqliteConnection| {
                Ok(conn
                    .revert_all_migrations(source)
                    .map(drop)
                    .map_err(|e| DbError::Migration(e.to_string())))
            })
            .await?
        }
    }
}
