//! stub

use crate::failure::Outcome;

#[derive(Debug, clap::Args)]
pub(crate) struct CompareArgs {}

pub(crate) async fn run(_args: CompareArgs) -> Outcome<()> {
    Ok(())
}
