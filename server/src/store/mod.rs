//! Every statement of the server: one function is one statement or one transaction, and answers
//! with nouns. Holds no rule and knows no HTTP.

mod notes;

pub mod accounts;
pub mod audit;
pub mod catalogue;
pub mod changes;
pub mod factors;
pub mod gateways;
pub(crate) mod ledger;
mod retention;
pub mod rollups;
pub mod schema;
pub mod sessions;
pub mod settings;
pub mod usage;
pub mod usage_log;
pub mod web_sessions;

use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use shared::db::Db;
use shared::db::migrate::Migrations;

/// The server's schema on both databases.
pub const MIGRATIONS: Migrations = Migrations {
    postgres: postgres_migrations,
    sqlite: sqlite_migrations,
};

fn postgres_migrations() -> EmbeddedMigrations {
    const EMBEDDED: EmbeddedMigrations = embed_migrations!("../migrations/server/postgres");
    EMBEDDED
}

fn sqlite_migrations() -> EmbeddedMigrations {
    const EMBEDDED: EmbeddedMigrations = embed_migrations!("../migrations/server/sqlite");
    EMBEDDED
}

/// The server's statements over one database; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) db: Db,
}

impl Store {
    /// Over a connected and migrated database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), shared::db::DbError> {
        self.db.ping().await
    }
}
