//! Databases for tests: a SQLite file and a PostgreSQL schema, each of its own and migrated.

use diesel_async::SimpleAsyncConnection;
use server::store::MIGRATIONS;
use server::store::usage::{UsageRecord, UsageStatus};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::db::{Db, DbTarget, migrate};
use shared::id::{GenerationId, TenantId, random_text};
use shared::link::Operation;
use shared::units::{Unit, Usage};

/// A migrated database that no other test sees.
pub(crate) struct TestDb {
    /// `sqlite` or `postgres`, for messages.
    pub(crate) name: &'static str,
    /// Where it is.
    pub(crate) target: DbTarget,
    /// Connected.
    pub(crate) db: Db,
    /// Deletes the file at the end.
    _folder: Option<tempfile::TempDir>,
}

impl TestDb {
    /// Runs a statement as it stands; answers the database's words on failure.
    pub(crate) async fn execute(&self, statement: &str) -> Result<(), String> {
        let outcome = match &self.db {
            Db::Postgres(pool) => {
                pool.get()
                    .await
                    .expect("a connection")
                    .batch_execute(statement)
                    .await
            }
            Db::Sqlite { writer, .. } => {
                writer
                    .get()
                    .await
                    .expect("a connection")
                    .batch_execute(statement)
                    .await
            }
        };
        outcome.map_err(|e| e.to_string())
    }
}

/// A fresh database of each kind.
pub(crate) async fn databases() -> Vec<TestDb> {
    vec![sqlite().await, postgres().await]
}

/// The test PostgreSQL's address; a test never skips because it is missing.
#[expect(
    clippy::disallowed_methods,
    reason = "tests take their services from the environment ./test.sh sets"
)]
pub(crate) fn service(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run ./test.sh, which starts the services")
    })
}

/// A fresh SQLite file.
pub(crate) async fn sqlite() -> TestDb {
    let folder = tempfile::tempdir().expect("a folder");
    let target = DbTarget::Sqlite(folder.path().join("server.db"));
    migrated("sqlite", target, Some(folder)).await
}

/// A fresh schema on the test PostgreSQL.
pub(crate) async fn postgres() -> TestDb {
    let url = service("TEST_DATABASE_URL");
    let schema = format!("test_{}", random_text(12));
    let owner = Db::connect(&DbTarget::Postgres(url.clone()))
        .await
        .expect("PostgreSQL answers");
    if let Db::Postgres(pool) = &owner {
        let mut conn = pool.get().await.expect("a connection");
        conn.batch_execute(&format!("CREATE SCHEMA {schema}"))
            .await
            .expect("a schema");
    }
    let separator = if url.contains('?') { '&' } else { '?' };
    let target = DbTarget::Postgres(format!("{url}{separator}options=-csearch_path%3D{schema}"));
    migrated("postgres", target, None).await
}

async fn migrated(
    name: &'static str,
    target: DbTarget,
    folder: Option<tempfile::TempDir>,
) -> TestDb {
    let db = Db::connect(&target).await.expect("connected");
    migrate::run(&db, MIGRATIONS).await.expect("migrated");
    TestDb {
        name,
        target,
        db,
        _folder: folder,
    }
}

/// A record of a call that was charged so much.
pub(crate) fn usage_record(
    id: &GenerationId,
    tenant: &TenantId,
    credits: Credits,
    created_at: Moment,
) -> UsageRecord {
    UsageRecord {
        id: id.clone(),
        tenant: tenant.clone(),
        user: None,
        key: None,
        test: false,
        operation: Operation::Chat,
        model: "m".to_owned(),
        price: None,
        provider: "p".to_owned(),
        provider_model: "m".to_owned(),
        usage: Usage::of([(Unit::InputToken, 3), (Unit::OutputToken, 4)]),
        credits,
        cost: Some(Credits::ZERO),
        status: UsageStatus::Succeeded,
        fault: None,
        attempts: 1,
        first_byte_ms: 1,
        duration_ms: 2,
        created_at,
        tries: Vec::new(),
        loss: Credits::ZERO,
        loss_why: None,
    }
}

/// The bytes of a secret's letters (RFC 4648, 6).
pub(crate) fn decoded(letters: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u64, 0_u32);
    for letter in letters.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            _ => letter - b'2' + 26,
        };
        bits = (bits << 5) | u64::from(value);
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).expect("a byte"));
        }
    }
    bytes
}
