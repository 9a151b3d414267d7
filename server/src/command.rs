//! Commands of the server's programs beside serving: looks into the database and ends. Holds no rule.

use clap::Subcommand;
use shared::config::Common;
use shared::process::say;

use crate::app::{self, StartError};
use crate::config::Config;

/// What a program does instead of serving.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Command {
    /// Looks after the money
    #[command(subcommand)]
    Ledger(LedgerCommand),
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
            Self::Ledger(LedgerCommand::Verify) => {
                let differences = app::verify_ledger(config, common).await?;
                for difference in &differences {
                    say(&format!("{difference}\n"));
                }
                if differences.is_empty() {
                    say("no differences\n");
                    return Ok(());
                }
                Err(StartError::Differences(differences.len()))
            }
        }
    }
}
