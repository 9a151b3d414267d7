//! The pages as a browser meets them, on both databases: a whole server without a socket, and a
//! browser that keeps cookies and sends the forms it was shown.

mod browser;
mod console;
mod doors;
mod factor;
mod finding;
mod login;
mod models;
mod opened;
mod portal;
mod portal_flows;
mod roles;
mod safety;
mod settings;
mod start;
mod tenant_isolation;
mod walk;
mod words;
mod zones;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use poem::endpoint::BoxEndpoint;
use poem::http::{Method, StatusCode};
use poem::{Body, Endpoint, Request, Response};
use serde_json::{Value, json};
use server::app::{Server, ServerParts};
use server::config::{Config, ServerSecrets};
use server::link::http::{HttpLink, LinkSettings};
use server::link::metrics::LinkMetrics;
use shared::clock::{Clock, Moment};
use shared::config::Common;
use shared::db::DbTarget;
use shared::supervisor::Supervisor;
use shared::telemetry::Metrics;

use self::browser::{Answer, Browser};
use crate::support::{TestDb, postgres, sqlite};

const PASSWORD: &str = "correct horse battery";
const SECRET: &str = "0123456789abcdef0123456789abcdef";

#[derive(Debug, Args)]
struct Settings {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    server: Config,
}

/// A server without a socket.
struct Place {
    name: &'static str,
    face: Arc<BoxEndpoint<'static, Response>>,
    clock: Clock,
    server: Box<Server>,
    supervisor: Supervisor,
}

/// How a server is started.
#[derive(Debug, Clone, Copy, Default)]
struct Start {
    /// `PUBLIC_URL`.
    public_url: &'static str,
    /// Without a chosen password of the superadmin.
    generated: bool,
    /// With the system's clock.
    real_time: bool,
}

impl Place {
    async fn over(db: &TestDb, start: Start) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().display().to_string();
        let url = match &db.target {
            DbTarget::Postgres(url) => url.clone(),
            DbTarget::Sqlite(path) => format!("sqlite:{}", path.display()),
        };
        let mut arguments = vec![
            "waule-server",
            "--data-dir",
            &data,
            "--database-url",
            &url,
            "--jwt-secret",
            SECRET,
            "--internal-secret",
            SECRET,
            "--config-encryption-key",
            SECRET,
            "--public-url",
            start.public_url,
        ];
        if !start.generated {
            arguments.extend(["--admin-password", PASSWORD]);
        }
        let arguments = arguments.iter().map(std::ffi::OsString::from);
        let Settings {
            common,
            server: config,
        } = shared::config::read("waule-server", "", arguments).expect("settings");
        let (clock, supervisor) = (
            if start.real_time {
                Clock::system()
            } else {
                Clock::fixed(Moment::from_unix_ms(1_795_000_000_000))
            },
            Supervisor::new(),
        );
        let secrets = ServerSecrets::take(&config, &common).expect("secrets");
        // Nobody listens there: no page of these tests asks a gateway.
        let link = HttpLink::new(
            &["http://127.0.0.1:1".to_owned()],
            &secrets.internal,
            clock.clone(),
            LinkSettings::default(),
            LinkMetrics::default(),
        );
        let parts = ServerParts {
            config: &config,
            common: &common,
            secrets,
            link: Arc::new(link.expect("a link")),
            supervisor: &supervisor,
            metrics: &Metrics::default(),
            clock: clock.clone(),
            gateway_inside: false,
            demo: false,
        };
        let server = Box::new(Server::start(parts).await.expect(db.name));
        Self {
            name: db.name,
            face: Arc::new(server.face()),
            clock,
            server,
            supervisor,
        }
    }

    fn browser(&self) -> Browser {
        Browser {
            face: self.face.clone(),
            cookies: BTreeMap::new(),
            token: String::new(),
            headers: Vec::new(),
        }
    }

    /// A browser in which `username` is logged in to the console.
    async fn admin(&self, username: &str, password: &str) -> Browser {
        let mut browser = self.browser();
        let names = [("username", username)];
        let answer = browser.log_in("/admin", &names, password).await;
        assert_eq!(
            answer.location(),
            "/admin",
            "{}: {}",
            self.name,
            answer.body
        );
        browser
    }

    /// The first superadmin's browser.
    async fn owner(&self) -> Browser {
        self.admin("admin", PASSWORD).await
    }

    /// Sends JSON to the API.
    async fn api(&self, method: Method, path: &str, token: &str, body: &Value) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path.parse().expect("a path"))
            .content_type("application/json")
            .header("authorization", format!("Bearer {token}"))
            .body(Body::from(body.to_string()));
        Answer::of(self.face.get_response(request).await).await
    }

    /// An API token of a superadmin.
    async fn token(&self, username: &str, password: &str) -> String {
        let body = json!({"username": username, "password": password});
        let answer = self.api(Method::POST, "/admin/api/login", "", &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json()["token"].as_str().expect("a token").to_owned()
    }

    async fn end(self) {
        self.supervisor.finish(Duration::from_secs(10)).await;
        drop(self.server);
    }
}

/// A server over a fresh database of each kind; the first superadmin has [`PASSWORD`].
async fn places(start: Start) -> Vec<(Place, TestDb)> {
    let mut places = Vec::new();
    for db in [sqlite().await, postgres().await] {
        places.push((Place::over(&db, start).await, db));
    }
    places
}

/// A superadmin of a role, with [`PASSWORD`] as their own.
async fn superadmin(place: &Place, owner: &str, username: &str, role: &str) -> String {
    let body = json!({"username": username, "password": "given to them", "role": role});
    let made = place
        .api(Method::POST, "/admin/api/superadmins", owner, &body)
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let mut browser = place.browser();
    let names = [("username", username)];
    let answer = browser.log_in("/admin", &names, "given to them").await;
    assert_eq!(answer.location(), "/admin/setup");
    browser.get("/admin/setup").await;
    let chosen = [
        ("one_time", "given to them"),
        ("username", username),
        ("password", PASSWORD),
        ("repeat", PASSWORD),
    ];
    let answer = browser.post("/admin/setup", &chosen).await;
    assert_eq!(answer.location(), "/admin", "{}", answer.body);
    made.json()["superadmin"]["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}
