//! Every statement of the server: one function is one statement or one transaction, and answers
//! with nouns. Holds no rule and knows no HTTP.

#[macro_use]
mod columns;
mod notes;

pub mod accounts;
pub mod alerts;
pub mod audit;
pub mod catalogue;
pub mod changes;
mod claims;
pub mod end_users;
pub mod factors;
pub mod filing;
pub mod gateways;
pub mod kept;
pub mod ledger;
pub mod opened_portals;
pub mod part;
mod retention;
pub mod rollups;
pub mod routes;
pub mod schema;
pub mod sessions;
pub mod settings;
mod statement;
pub mod studio;
pub mod usage;
pub mod usage_log;
pub mod web_sessions;

use std::sync::Arc;

use diesel::QueryableByName;
use diesel::sql_types::{Nullable, Text};
use diesel_async::RunQueryDsl;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use shared::db::migrate::Migrations;
use shared::db::{Db, DbError, first};
use shared::on;
use tokio::sync::Notify;

/// The server's schema on both databases.
pub const MIGRATIONS: Migrations = Migrations {
    postgres: postgres_migrations,
    sqlite: sqlite_migrations,
};

fn postgres_migrations() -> EmbeddedMigrations {
    const EMBEDDED: EmbeddedMigrations = embed_migrations!("../../migrations/server/postgres");
    EMBEDDED
}

fn sqlite_migrations() -> EmbeddedMigrations {
    const EMBEDDED: EmbeddedMigrations = embed_migrations!("../../migrations/server/sqlite");
    EMBEDDED
}

#[derive(QueryableByName)]
struct OneText {
    #[diesel(sql_type = Nullable<Text>)]
    text: Option<String>,
}

/// What a failed statement means: `duplicate` where a unique index refused a row, else `other` of it.
pub fn duplicate_or<E>(error: DbError, duplicate: E, other: impl FnOnce(DbError) -> E) -> E {
    match error {
        DbError::Duplicate(_) => duplicate,
        error @ (DbError::UnknownScheme
        | DbError::Unreachable(_)
        | DbError::Damaged(_)
        | DbError::Statement(_)
        | DbError::Later(_)
        | DbError::Migration(_)) => other(error),
    }
}

/// The server's statements over one database; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) db: Db,
    /// Woken when the ledger of this process has committed: records may wait to be filed.
    pub committed: Arc<Notify>,
}

impl Store {
    /// Over a connected and migrated database.
    pub fn new(db: Db) -> Self {
        Self {
            db,
            committed: Arc::default(),
        }
    }

    /// Which database it is, with its version, and the newest migration it has.
    pub async fn about(&self) -> Result<(String, String), DbError> {
        let (name, version) = match &self.db {
            Db::Postgres(_) => (
                "PostgreSQL",
                "SELECT CAST(current_setting('server_version') AS TEXT) AS text",
            ),
            Db::Sqlite { .. } => ("SQLite", "SELECT sqlite_version() AS text"),
        };
        let newest = "SELECT CAST(MAX(version) AS TEXT) AS text FROM __diesel_schema_migrations";
        let version = self.one_text(version).await?;
        let newest = self.one_text(newest).await?;
        Ok((format!("{name} {version}"), newest))
    }

    /// Waits until no other process does what only one may do at a time.
    pub async fn alone(&self) -> Result<first::Alone, DbError> {
        first::alone(&self.db).await
    }

    async fn one_text(&self, query: &'static str) -> Result<String, DbError> {
        let rows: Vec<OneText> = on!(self.db, |conn| diesel::sql_query(query).load(conn).await)?;
        let first = rows.into_iter().next().and_then(|row| row.text);
        Ok(first.unwrap_or_default())
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), DbError> {
        self.db.ping().await
    }
}
