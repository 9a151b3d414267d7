//! bin `waule`: server and gateway in one process, joined without a network, or either half alone.
//! Only joins; no rule.

mod role;

use std::process::ExitCode;

use clap::Args;
use gateway::config::GatewaySecrets;
use gateway::{Gateway, GatewayParts};
use server::app::{Server, ServerParts};
use server::command::Command;
use server::config::ServerSecrets;
use server::seed;
use shared::clock::Clock;
use shared::config::{Common, ConfigError, Mode};
use shared::db::backup::{self, BackupError};
use shared::db::{DbError, DbTarget};
use shared::process::Program;
use shared::supervisor::Supervisor;
use shared::telemetry::{self, Metrics};

use self::role::Role;

#[global_allocator]
static ALLOCATOR: shared::process::Allocator = shared::process::ALLOCATOR;

#[derive(Debug, Args)]
struct Settings {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    server: server::config::Config,
    #[command(flatten)]
    gateway: gateway::config::Config,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Either half did not start; one sentence.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Server(#[from] server::app::StartError),
    #[error(transparent)]
    Gateway(#[from] gateway::StartError),
    #[error(transparent)]
    Database(#[from] DbError),
    #[error(transparent)]
    Backup(#[from] BackupError),
}

/// Both databases. The server's first: what it remembers of the gateway's news is then older than
/// what the gateway's copy has of them, and is asked for again.
fn databases(
    common: &Common,
    server: &server::config::Config,
    gateway: &gateway::config::Config,
) -> Result<Vec<(DbTarget, &'static str)>, DbError> {
    Ok(vec![
        (server.database(&common.data_dir)?, backup::SERVER),
        (gateway.database(&common.data_dir)?, backup::GATEWAY),
    ])
}

fn main() -> ExitCode {
    let (role, arguments) = Role::of(std::env::args_os());
    match role {
        Role::Server => server::program::run(arguments),
        Role::Gateway => gateway::program::run(arguments),
        Role::Whole => {
            let program = Program {
                name: "waule",
                about: "Waule, all in one: server and gateway in one process. `waule server` and `waule gateway` \
                        are the two halves as processes of their own; each has a --help.",
                arguments,
            };
            shared::process::run(program, start)
        }
    }
}

async fn start(settings: Settings, supervisor: Supervisor) -> Result<(), StartError> {
    let Settings {
        common,
        server: server_config,
        gateway: gateway_config,
        command,
    } = settings;
    telemetry::start_log(&common)?;
    match command {
        Some(Command::Backup { to }) => {
            let databases = databases(&common, &server_config, &gateway_config)?;
            return Ok(backup::run(databases, &common, to).await?);
        }
        Some(command) => return Ok(command.run(&server_config, &common).await?),
        None => {}
    }
    let (metrics, clock) = (Metrics::default(), Clock::system());
    let (supervisor, metrics) = (&supervisor, &metrics);
    let secrets = ServerSecrets::take(&server_config, &common)?;
    let gateway_secrets = GatewaySecrets::take(&common)?;
    let (server_door, gateway_door) = (
        Server::bind(&server_config)?,
        Gateway::bind(&gateway_config)?,
    );
    telemetry::serve_metrics(&common, metrics, supervisor)?;
    let gateway = Gateway::start(GatewayParts {
        config: &gateway_config,
        common: &common,
        secrets: gateway_secrets,
        supervisor,
        metrics,
        clock: clock.clone(),
    })
    .await?;
    let link = gateway.local();
    let parts = ServerParts {
        config: &server_config,
        common: &common,
        secrets,
        link,
        supervisor,
        metrics,
        clock,
        gateway_inside: true,
        demo: true,
    };
    let server = Server::start(parts).await?;
    let words = match &server.first_start {
        Some(first) => seed::greeting(first, &server_config),
        None if common.mode == Mode::Development => seed::welcome_back(&server_config),
        None => String::new(),
    };
    shared::process::say(&words);
    let farewell = server_config.farewell(&common);
    // The gateway's part begins where the server's notice ends.
    let after_notice = Common {
        shutdown_seconds: farewell.limit.as_secs(),
        ..common.clone()
    };
    let serving = async {
        tokio::try_join!(
            server.serve(server_door, &common, supervisor),
            gateway.serve(gateway_door, &after_notice, supervisor)
        )
    };
    shared::process::until_parted(serving, supervisor, farewell).await?;
    Ok(())
}
