//! A running product for a test: server and gateway on free ports over fresh databases, with a
//! superadmin's client.

pub(crate) mod joined;
pub(crate) mod product;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use diesel_async::SimpleAsyncConnection;
use reqwest::Client;
use shared::config::Common;
use shared::db::{Db, DbTarget};
use shared::id::random_text;

pub(crate) const ADMIN_PASSWORD: &str = "a password for tests";

/// What servers show gateways in tests.
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";

#[derive(Debug, Args)]
struct Settings {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    server: server::config::Config,
    #[command(flatten)]
    gateway: gateway::config::Config,
}

/// Where a product keeps its data.
pub(crate) struct Place {
    /// For messages.
    pub(crate) name: &'static str,
    pub(crate) database_url: String,
    /// Empty counts limits in the process.
    pub(crate) redis_url: String,
    folder: PathBuf,
    /// Deletes the folder at the end.
    _kept: Option<tempfile::TempDir>,
}

/// The address of a test service; a test never skips because it is missing.
#[expect(
    clippy::disallowed_methods,
    reason = "tests take their services from the environment ./test.sh sets"
)]
pub(crate) fn service(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run ./test.sh, which starts the services")
    })
}

/// Whether the long form was asked for.
#[expect(
    clippy::disallowed_methods,
    reason = "`./test.sh --long` says so by the environment"
)]
pub(crate) fn long() -> bool {
    std::env::var_os("WAULE_TEST_LONG").is_some()
}

/// SQLite alone, and PostgreSQL with Redis.
pub(crate) async fn places() -> [Place; 2] {
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
    let database_url = format!("{url}{separator}options=-csearch_path%3D{schema}");
    [
        Place::fresh("sqlite", String::new(), String::new()),
        Place::fresh("postgres", database_url, service("TEST_REDIS_URL")),
    ]
}

/// Waits for something to become true, at most `limit`.
pub(crate) async fn until(what: &str, limit: Duration, is_true: impl AsyncFn() -> bool) {
    let waiting = async {
        while !is_true().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(limit, waiting).await;
    assert!(
        waited.is_ok(),
        "in {limit:?} it did not come true that {what}"
    );
}

impl Place {
    /// Where its data lies.
    pub(crate) fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    fn fresh(name: &'static str, database_url: String, redis_url: String) -> Self {
        let kept = tempfile::tempdir().expect("a folder");
        Self {
            name,
            database_url,
            redis_url,
            folder: kept.path().to_owned(),
            _kept: Some(kept),
        }
    }

    /// A place that somebody else made and looks after.
    pub(crate) fn at(folder: PathBuf, database_url: String, redis_url: String) -> Self {
        Self {
            name: "given",
            database_url,
            redis_url,
            folder,
            _kept: None,
        }
    }

    fn settings(&self, more: &[&str]) -> Settings {
        self.settings_with(SECRET, more)
    }

    fn settings_with(&self, secret: &str, more: &[&str]) -> Settings {
        let folder = self.folder.display().to_string();
        let arguments = [
            "waule",
            "--port",
            "0",
            "--host",
            "127.0.0.1",
            "--gateway-port",
            "0",
            "--metrics-port",
            "0",
            "--data-dir",
            &folder,
            "--database-url",
            &self.database_url,
            "--redis-url",
            &self.redis_url,
            "--admin-password",
            ADMIN_PASSWORD,
            "--shutdown-seconds",
            "5",
            "--body-bytes-max",
            "1000000",
            "--internal-secret",
            secret,
            "--cors-origins",
            "https://app.example",
        ];
        // A setting that is given replaces the usual one.
        let (program, usual) = arguments.split_first().expect("the program's name");
        let usual = usual.chunks(2).filter(|pair| !more.contains(&pair[0]));
        let arguments = usual.flatten().chain(more);
        let arguments = std::iter::once(program)
            .chain(arguments)
            .map(OsString::from);
        shared::config::read("waule", "", arguments).expect("settings")
    }
}

/// A client as a tenant's app has it.
pub(crate) fn client() -> Client {
    let client = Client::builder().pool_max_idle_per_host(256);
    client.build().expect("a client")
}
