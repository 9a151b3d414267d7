//! The five things that are compared, each ready to take load. Leaves the neighbours to
//! `services`, the admin calls to `admin` and the measuring to `compare`.

use std::path::PathBuf;

use clap::ValueEnum;

use super::admin::{self, Account};
use super::processes::{Launch, Stage, free_port};
use super::services::{self, Listening};
use crate::failure::{Failure, Outcome, Step};
use crate::http::Call;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Name {
    Direct,
    Nginx,
    Gateway,
    Sqlite,
    Postgres,
}

impl Name {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Direct => "direct to the mock",
            Self::Nginx => "nginx",
            Self::Gateway => "gateway alone",
            Self::Sqlite => "all-in-one, SQLite",
            Self::Postgres => "server + gateway, PostgreSQL",
        }
    }
}

/// One process of a target.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) pid: u32,
    /// Waule's own processes have aims; the neighbours are shown for comparison.
    pub(crate) own: bool,
}

#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) name: Name,
    pub(crate) json: Call,
    pub(crate) stream: Call,
    pub(crate) parts: Vec<Part>,
    pub(crate) account: Option<Account>,
    /// Successful calls made so far, all of which are charged.
    pub(crate) succeeded: u64,
}

/// Where the release binaries are: next to this one.
#[derive(Debug, Clone)]
pub(crate) struct Binaries(PathBuf);

impl Binaries {
    pub(crate) fn beside_this_one() -> Outcome<Self> {
        let own = std::env::current_exe().step(|| "the bench's own path is unknown".into())?;
        Ok(Self(own.parent().map(PathBuf::from).unwrap_or_default()))
    }

    /// Before anything starts: an error when `names` need what was not built.
    pub(crate) fn require(&self, names: &[Name]) -> Outcome<()> {
        let ours = |name: &Name| match name {
            Name::Direct | Name::Nginx => false,
            Name::Gateway | Name::Sqlite | Name::Postgres => true,
        };
        if names.iter().any(ours) {
            self.launch("waule")?;
        }
        Ok(())
    }

    /// `waule`, or with that role `waule-server` or `waule-gateway`.
    pub(crate) fn launch(&self, name: &'static str) -> Outcome<Launch> {
        let program = self.0.join("waule");
        if !program.exists() {
            return Err(Failure::new(format!(
                "`{}` is missing: run `cargo build --release`",
                program.display()
            )));
        }
        // An access line per call is a choice of the log level; nginx writes none here either.
        let launch = Launch::new(name, program);
        let launch = match name.strip_prefix("waule-") {
            Some(role) => launch.arg(role),
            None => launch,
        };
        Ok(launch
            .env("WAULE_MODE", "development")
            .env("LOG", "warn")
            .env("METRICS_PORT", "0"))
    }

    /// The all-in-one with its data in `folder`.
    pub(crate) fn all_in_one(&self, folder: &str, ports: WaulePorts) -> Outcome<Launch> {
        Ok(self
            .launch("waule")?
            .env("DATA_DIR", folder)
            .env("HOST", "127.0.0.1")
            .env("PORT", ports.server.to_string())
            .env("GATEWAY_PORT", ports.gateway.to_string())
            .env("ADMIN_PASSWORD", admin::ADMIN_PASSWORD))
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct WaulePorts {
    pub(crate) server: u16,
    pub(crate) gateway: u16,
}

impl WaulePorts {
    pub(crate) fn free() -> Outcome<Self> {
        Ok(Self {
            server: free_port()?,
            gateway: free_port()?,
        })
    }
}

/// Starts the named target and proves with one call that it answers.
pub(crate) async fn start(
    name: Name,
    stage: &mut Stage,
    binaries: &Binaries,
    mock: Listening,
) -> Outcome<Target> {
    let mut target = match name {
        Name::Direct => direct(mock)?,
        Name::Nginx => nginx(stage, mock).await?,
        Name::Gateway => gateway(stage, binaries, mock).await?,
        Name::Sqlite => sqlite(stage, binaries, mock).await?,
        Name::Postgres => postgres(stage, binaries, mock).await?,
    };
    target.succeeded += admin::first_success(stage, &target.json).await?;
    target.succeeded += admin::first_success(stage, &target.stream).await?;
    Ok(target)
}

fn direct(mock: Listening) -> Outcome<Target> {
    let url = format!("{}/chat/completions", mock_base(mock));
    Ok(Target {
        name: Name::Direct,
        json: Call::post(&url, admin::json_body())?,
        stream: Call::post(&url, admin::stream_body())?,
        parts: vec![Part {
            name: "mock",
            pid: mock.pid,
            own: false,
        }],
        account: None,
        succeeded: 0,
    })
}

async fn nginx(stage: &mut Stage, mock: Listening) -> Outcome<Target> {
    let nginx = services::start_nginx(stage, mock).await?;
    let root = format!("http://127.0.0.1:{}", nginx.port);
    Ok(Target {
        name: Name::Nginx,
        json: Call::post(&format!("{root}/v1/chat/completions"), admin::json_body())?,
        stream: Call::post(
            &format!("{root}/stream/v1/chat/completions"),
            admin::stream_body(),
        )?,
        parts: vec![Part {
            name: "nginx",
            pid: nginx.pid,
            own: false,
        }],
        account: None,
        succeeded: 0,
    })
}

async fn gateway(stage: &mut Stage, binaries: &Binaries, mock: Listening) -> Outcome<Target> {
    let port = free_port()?;
    let folder = stage.make_folder("gateway")?;
    let launch = gateway_launch(binaries, port)?.env("DATA_DIR", folder.display().to_string());
    let pid = launch.start(stage)?;
    let root = format!("http://127.0.0.1:{port}");
    stage.await_ready(&format!("{root}/readyz")).await?;
    admin::prepare_gateway(&root, &mock_base(mock)).await?;
    let url = format!("{root}/internal/v1/chat/completions");
    let call = |body: String| {
        Call::post(&url, body)?
            .header("x-internal-secret", admin::INTERNAL_SECRET)?
            .header("x-waule-targets", &admin::targets_header())
    };
    Ok(Target {
        name: Name::Gateway,
        json: call(admin::json_body())?,
        stream: call(admin::stream_body())?.header("x-waule-stream", "1")?,
        parts: vec![Part {
            name: "waule-gateway",
            pid,
            own: true,
        }],
        account: None,
        succeeded: 0,
    })
}

async fn sqlite(stage: &mut Stage, binaries: &Binaries, mock: Listening) -> Outcome<Target> {
    let ports = WaulePorts::free()?;
    let folder = stage.make_folder("all-in-one")?;
    let pid = binaries
        .all_in_one(&folder.display().to_string(), ports)?
        .start(stage)?;
    let started = Served {
        name: Name::Sqlite,
        port: ports.server,
        parts: vec![Part {
            name: "waule",
            pid,
            own: true,
        }],
    };
    finish(stage, started, mock).await
}

async fn postgres(stage: &mut Stage, binaries: &Binaries, mock: Listening) -> Outcome<Target> {
    let postgres = services::database::start_postgres(stage).await?;
    let database = |name| format!("postgres://waule@127.0.0.1:{}/{name}", postgres.port);
    let ports = WaulePorts::free()?;
    let gateway_url = format!("http://127.0.0.1:{}", ports.gateway);
    let folder = stage.make_folder("apart")?;
    let gateway = gateway_launch(binaries, ports.gateway)?
        .env("DATA_DIR", folder.join("gateway").display().to_string())
        .env("GATEWAY_DATABASE_URL", database("gateway"))
        .start(stage)?;
    stage.await_ready(&format!("{gateway_url}/readyz")).await?;
    let server = binaries
        .launch("waule-server")?
        .env("DATA_DIR", folder.join("server").display().to_string())
        .env("DATABASE_URL", database("server"))
        .env("HOST", "127.0.0.1")
        .env("PORT", ports.server.to_string())
        .env("GATEWAY_URLS", gateway_url)
        .env("INTERNAL_SECRET", admin::INTERNAL_SECRET)
        .env("ADMIN_PASSWORD", admin::ADMIN_PASSWORD)
        .start(stage)?;
    let own = |name, pid| Part {
        name,
        pid,
        own: true,
    };
    let database = Part {
        name: "PostgreSQL",
        pid: postgres.pid,
        own: false,
    };
    let started = Served {
        name: Name::Postgres,
        port: ports.server,
        parts: vec![
            own("waule-server", server),
            own("waule-gateway", gateway),
            database,
        ],
    };
    finish(stage, started, mock).await
}

struct Served {
    name: Name,
    port: u16,
    parts: Vec<Part>,
}

/// What both servers have in common from here on.
async fn finish(stage: &mut Stage, served: Served, mock: Listening) -> Outcome<Target> {
    let root = format!("http://127.0.0.1:{}", served.port);
    stage.await_ready(&format!("{root}/readyz")).await?;
    let account = admin::prepare_server(&root, &mock_base(mock))
        .await
        .step(|| format!("{} at {root}", served.name.title()))?;
    let url = format!("{root}/api/v1/chat/completions");
    Ok(Target {
        name: served.name,
        json: account.authorise(Call::post(&url, admin::json_body())?)?,
        stream: account.authorise(Call::post(&url, admin::stream_body())?)?,
        parts: served.parts,
        account: Some(account),
        succeeded: 0,
    })
}

fn gateway_launch(binaries: &Binaries, port: u16) -> Outcome<Launch> {
    Ok(binaries
        .launch("waule-gateway")?
        .env("GATEWAY_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", port.to_string())
        .env("INTERNAL_SECRET", admin::INTERNAL_SECRET))
}

/// The provider's base URL, as a customer would enter it.
fn mock_base(mock: Listening) -> String {
    format!("http://127.0.0.1:{}/v1", mock.port)
}
