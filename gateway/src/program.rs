//! The gateway as a process of its own: `waule gateway`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use shared::clock::Clock;
use shared::config::{Common, ConfigError};
use shared::db::DbError;
use shared::db::backup::{self, BackupError};
use shared::process::Program;
use shared::supervisor::Supervisor;
use shared::telemetry::{self, Metrics};

use crate::config::{Config, GatewaySecrets};
use crate::{Gateway, GatewayParts, StartError};

#[derive(Debug, Args)]
pub(crate) struct Settings {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) gateway: Config,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What the program does instead of serving.
#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Saves the SQLite database and the secrets that were made, while the gateway runs, in a new folder
    Backup {
        /// Folder that is not there yet; to restore, start with a copy of it as `DATA_DIR`
        #[arg(value_name = "FOLDER")]
        to: PathBuf,
    },
}

/// One sentence.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Database(#[from] DbError),
    #[error(transparent)]
    Backup(#[from] BackupError),
}

/// Runs it until it is told to stop; the first of `arguments` is the program.
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    let program = Program {
        name: "waule gateway",
        about: "Waule's gateway: talks to AI providers for servers elsewhere.",
        arguments,
    };
    shared::process::run(program, start)
}

async fn start(settings: Settings, supervisor: Supervisor) -> Result<(), Failure> {
    let Settings {
        common,
        gateway: config,
        command,
    } = settings;
    telemetry::start_log(&common)?;
    if let Some(Command::Backup { to }) = command {
        let database = config.database(&common.data_dir)?;
        let databases = vec![(database, backup::GATEWAY)];
        return Ok(backup::run(databases, &common, to).await?);
    }
    let metrics = Metrics::default();
    let secrets = GatewaySecrets::take(&common)?;
    let listener = Gateway::bind(&config)?;
    telemetry::serve_metrics(&common, &metrics, &supervisor)?;
    let clock = Clock::system();
    let parts = GatewayParts {
        config: &config,
        common: &common,
        secrets,
        supervisor: &supervisor,
        metrics: &metrics,
        clock,
    };
    let gateway = Gateway::start(parts).await?;
    let serving = gateway.serve(listener, &common, &supervisor);
    shared::process::until_stopped(serving, &supervisor, common.shutdown_limit()).await?;
    Ok(())
}
