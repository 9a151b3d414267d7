//! A running product for a test: server and gateway on free ports over fresh databases, with a
//! superadmin's client.

pub(crate) mod joined;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use diesel_async::SimpleAsyncConnection;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use server::app::Server;
use shared::config::Common;
use shared::db::{Db, DbTarget};
use shared::id::random_text;
use shared::supervisor::Supervisor;

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

/// One running server with a gateway of its own.
pub(crate) struct Product {
    pub(crate) address: SocketAddr,
    pub(crate) supervisor: Supervisor,
    pub(crate) http: Client,
    server: Option<Arc<Server>>,
    admin: String,
}

/// A client as a tenant's app has it.
pub(crate) fn client() -> Client {
    let client = Client::builder().pool_max_idle_per_host(256);
    client.build().expect("a client")
}

/// A tenant with a key.
pub(crate) struct Customer {
    pub(crate) id: String,
    pub(crate) key: String,
}

impl Product {
    /// A server that somebody else started on this port, with a superadmin's token.
    pub(crate) async fn at(port: u16) -> Self {
        let mut product = Self {
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            supervisor: Supervisor::new(),
            http: client(),
            server: None,
            admin: String::new(),
        };
        product.log_in().await;
        product
    }

    /// The server, where it runs in this process.
    pub(crate) fn server(&self) -> &Server {
        self.server.as_deref().expect("it runs in this process")
    }

    async fn log_in(&mut self) {
        let body = json!({"username": "admin", "password": ADMIN_PASSWORD});
        let (status, answer) = self
            .send(Method::POST, "/admin/api/login", None, Some(body))
            .await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer["token"]
            .as_str()
            .expect("a token")
            .clone_into(&mut self.admin);
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends JSON with a bearer; answers the status and the JSON that came.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        bearer: Option<&str>,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        if path.starts_with("/api/v1/usage") {
            self.filed().await;
        }
        let mut request = self.http.request(method, self.url(path));
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("a body");
        (
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }

    pub(crate) fn admin_token(&self) -> &str {
        &self.admin
    }

    pub(crate) async fn admin(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        self.send(
            method,
            &format!("/admin/api{path}"),
            Some(&self.admin),
            body,
        )
        .await
    }

    /// A tenant with that many credits, given as decimal text.
    pub(crate) async fn customer(&self, credits: &str) -> Customer {
        let name = format!("tenant {}", random_text(10));
        let (status, made) = self
            .admin(Method::POST, "/tenants", Some(json!({"name": name})))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let id = made["tenant"]["id"].as_str().expect("an id").to_owned();
        let recharge = self
            .http
            .post(self.url(&format!("/admin/api/tenants/{id}/recharge")))
            .bearer_auth(&self.admin)
            .header("idempotency-key", random_text(10))
            .json(&json!({"amount": credits}))
            .send()
            .await
            .expect("an answer");
        assert!(
            recharge.status().is_success(),
            "{}",
            recharge.text().await.unwrap_or_default()
        );
        Customer {
            id,
            key: made["key"].as_str().expect("a key").to_owned(),
        }
    }

    /// A model of the sandbox at a price.
    pub(crate) async fn model(&self, id: &str, operation: &str, price: Value) {
        let target = json!({"provider": "sandbox", "model": id, "weight": 1, "priority": 0});
        let body = json!({"id": id, "operation": operation, "targets": [target], "max_output_tokens": 1000, "price": price});
        let (status, made) = self.admin(Method::POST, "/models", Some(body)).await;
        // Another product at the same place may have made it.
        assert!(
            [StatusCode::CREATED, StatusCode::CONFLICT].contains(&status),
            "{made}"
        );
    }

    pub(crate) async fn balance(&self, customer: &Customer) -> Value {
        let path = "/api/v1/credits/balance";
        let (status, balance) = self
            .send(Method::GET, path, Some(&customer.key), None)
            .await;
        assert_eq!(status, StatusCode::OK, "{balance}");
        balance
    }

    /// The balance when nothing is held any more.
    pub(crate) async fn settled(&self, customer: &Customer) -> Value {
        for _ in 0..200 {
            let balance = self.balance(customer).await;
            if balance["held"] == 0 {
                self.filed().await;
                return balance;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let balance = self.balance(customer).await;
        panic!("credits are held for ever: {balance}");
    }

    /// Waits until lists show every call that is settled.
    async fn filed(&self) {
        let Some(server) = self.server.as_deref() else {
            return;
        };
        let filed = server.filed(Duration::from_secs(10)).await;
        assert!(filed.expect("read"), "records wait for ever");
    }

    pub(crate) async fn chat(
        &self,
        customer: &Customer,
        model: &str,
        text: &str,
    ) -> (StatusCode, Value) {
        let body = json!({"model": model, "messages": [{"role": "user", "content": text}]});
        self.send(
            Method::POST,
            "/api/v1/chat/completions",
            Some(&customer.key),
            Some(body),
        )
        .await
    }

    pub(crate) async fn stop(&self) {
        assert!(
            self.supervisor.finish(Duration::from_secs(10)).await,
            "everything ends when told to stop"
        );
    }
}
