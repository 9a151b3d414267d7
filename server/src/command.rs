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
    /// Check the ledger
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Check or rebuild the usage totals
    #[command(subcommand)]
    Rollup(RollupCommand),
    /// Save the SQLite databases and the generated secrets to a new folder; may run while Waule runs
    Backup {
        /// A folder that does not exist yet; to restore, start with a copy of it as `DATA_DIR`
        #[arg(value_name = "FOLDER")]
        to: PathBuf,
    },
}

/// What is done with the sums of usage.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum RollupCommand {
    /// Rebuild all totals from the usage records; servers may keep running, but show incomplete figures until it ends
    Rebuild,
    /// Compare the totals with the usage records; prints differences, and fails if there are any
    Check,
}

/// What is done with the ledger.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum LedgerCommand {
    /// Compare accounts, entries, grants, holds and usage records; prints differences, and fails if there are any
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
