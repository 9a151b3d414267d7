//! Commands of the server's programs beside serving: looks into the database and ends. Holds no rule.

use std::path::PathBuf;

use clap::Subcommand;
use shared::config::Common;
use shared::db::backup;
use shared::process::say;

use crate::app::{self, StartError};
use crate::config::Config;

/// What a program does instead of serving.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Looks after the money
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Looks after the sums of usage
    #[command(subcommand)]
    Rollup(RollupCommand),
    /// Saves SQLite databases and the secrets that were made, while processes run, in a new folder
    Backup {
        /// Folder that is not there yet; to restore, start with a copy of it as `DATA_DIR`
        #[arg(value_name = "FOLDER")]
        to: PathBuf,
    },
}

/// What is done with the sums of usage.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum RollupCommand {
    /// Adds up all usage records anew; servers may run meanwhile, their figures are incomplete until it ends
    Rebuild,
    /// Compares the sums with the records; prints the differences and fails if there are any
    Check,
}

/// What is done with the ledger.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum LedgerCommand {
    /// Checks accounts, entries, grants, holds and records against each other; prints the differences and fails if there are any
    Verify,
}

impl Command {
    /// Does it; what there is to read goes to standard output.
    pub async fn run(self, config: &Config, common: &Common) -> Result<(), StartError> {
        match self {
            Self::Ledger(LedgerCommand::Verify) => told(
                &app::ledger_checks::verify_ledger(config, common).await?,
                StartError::Differences,
            ),
            Self::Rollup(RollupCommand::Check) => told(
                &app::ledger_checks::check_rollups(config, common).await?,
                StartError::Sums,
            ),
            Self::Rollup(RollupCommand::Rebuild) => {
                app::ledger_checks::rebuild_rollups(config, common).await?;
                say("every record is added up\n");
                Ok(())
            }
            Self::Backup { to } => {
                let database = config.database(&common.data_dir).map_err(|error| {
                    let place = "DATABASE_URL".to_owned();
                    StartError::Database { place, error }
                })?;
                let databases = vec![(database, backup::SERVER)];
                Ok(backup::run(databases, common, to).await?)
            }
        }
    }
}

/// Prints differences; they are a failure.
fn told(
    differences: &[String],
    failure: impl FnOnce(usize) -> StartError,
) -> Result<(), StartError> {
    for difference in differences {
        say(&format!("{difference}\n"));
    }
    if differences.is_empty() {
        say("no differences\n");
        return Ok(());
    }
    Err(failure(differences.len()))
}
