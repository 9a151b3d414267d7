//! Proofs and repairs over a database without serving from it.

use server_rooms::reports::rollup::Roller;
use server_store::Store;
use shared::clock::Clock;
use shared::config::Common;
use shared::db::{Db, DbError};

use super::{OLDER_TRANSACTIONS_WAIT, StartError};
use crate::config::Config;

/// Runs `work` over the database, which is taken as it is.
async fn with_store<T>(
    config: &Config,
    common: &Common,
    work: impl AsyncFnOnce(Store) -> Result<T, DbError>,
) -> Result<T, StartError> {
    let unusable = |place: String| move |error| StartError::Database { place, error };
    let target = config
        .database(&common.data_dir)
        .map_err(unusable("DATABASE_URL".to_owned()))?;
    let done = async { work(Store::new(Db::connect(&target).await?)).await };
    done.await.map_err(unusable(target.shown()))
}

/// Checks the ledger's tables against each other; answers every difference as a sentence.
pub(crate) async fn verify_ledger(
    config: &Config,
    common: &Common,
) -> Result<Vec<String>, StartError> {
    with_store(config, common, async |store| {
        store.ledger_differences().await
    })
    .await
}

/// Checks the sums of usage against the records; answers every difference as a sentence.
pub(crate) async fn check_rollups(
    config: &Config,
    common: &Common,
) -> Result<Vec<String>, StartError> {
    let check = async |store| Roller::new(store, Clock::system()).check().await;
    with_store(config, common, check).await
}

/// Adds up all usage records anew; servers may run meanwhile.
pub(crate) async fn rebuild_rollups(config: &Config, common: &Common) -> Result<(), StartError> {
    let rebuild = async |store| {
        let mut roller = Roller::new(store, Clock::system());
        roller.rebuild(OLDER_TRANSACTIONS_WAIT).await
    };
    if with_store(config, common, rebuild).await? {
        return Ok(());
    }
    Err(StartError::Unfinished)
}
