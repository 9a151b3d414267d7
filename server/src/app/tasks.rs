//! What a server does beside its calls: the first start, and tasks that run as long as it does.

use std::sync::Arc;

use server_calls::Calls;
use server_rooms::accounts::Accounts;
use server_rooms::catalogue::Catalogue;
use server_rooms::catalogue::lists::ModelLists;
use server_rooms::gateways::Gateways;
use server_rooms::health::{HealthCheck, HealthCheckParts};
use server_rooms::kept::Keeping;
use server_rooms::ledger::Ledger;
use server_rooms::limits::Limits;
use server_rooms::reports::rollup::{FilingMetrics, Roller};
use server_rooms::reports::sweep::Sweeper;
use server_rooms::settings::zones::Zones;
use server_store::Store;
use shared::clock::Clock;
use shared::link::Link;
use shared::seal::Sealer;
use shared::supervisor::Supervisor;
use shared::telemetry::Metrics;

use super::StartError;
use crate::config::Config;
use crate::seed::{self, FirstStart, Seed};

/// Adds what a first start adds, while no other process does.
pub(super) async fn first_start(
    store: &Store,
    accounts: &Accounts,
    (catalogue, ledger): (&Catalogue, &Ledger),
    (config, demo, demo_person): (&Config, bool, bool),
) -> Result<Option<FirstStart>, StartError> {
    if accounts.has_superadmin().await? {
        return Ok(None);
    }
    let alone = store.alone().await;
    let _alone = alone.map_err(|error| StartError::Seed(error.to_string()))?;
    // Whoever was first may have written since this process read.
    let reloaded = catalogue.reload().await;
    reloaded.map_err(|error| StartError::Seed(error.to_string()))?;
    seed::finish_first_start(Seed {
        accounts,
        catalogue,
        ledger,
        config,
        demo,
        demo_person,
    })
    .await
}

/// Starts what looks after the money by itself: recovery, expiry and the check of the books. What earlier
/// lives knew and could not write comes first, so that recovery asks nobody about it.
pub(super) async fn look_after(
    calls: &Calls,
    ledger: &Ledger,
    (config, zones): (&Config, Zones),
    supervisor: &Supervisor,
) {
    calls.take_over().await;
    let recovery = calls
        .clone()
        .recover_forever(config.recovery(), supervisor.stopping());
    supervisor.spawn("recovery", supervisor.vital("recovery", recovery));
    let sweep = ledger.clone().sweep_forever(supervisor.stopping());
    supervisor.spawn("expiry", sweep);
    let checking = ledger
        .clone()
        .check_books_forever(zones, supervisor.stopping());
    supervisor.spawn("books", checking);
}

/// The gateways, followed from now on.
pub(super) async fn gateways(
    link: &Arc<dyn Link>,
    store: &Store,
    (clock, sealer): (&Clock, Sealer),
    supervisor: &Supervisor,
) -> Gateways {
    let gateways = Gateways::new(link.clone(), store.clone(), clock.clone(), sealer);
    gateways.start(supervisor).await;
    gateways
}

/// Starts what looks ahead for the catalogue: warnings of models' ends, and what providers say they have.
pub(super) fn keep_catalogue(catalogue: &Catalogue, lists: &ModelLists, supervisor: &Supervisor) {
    let warning = catalogue.clone().warn_forever(supervisor.stopping());
    supervisor.spawn("model notices", warning);
    let asking = lists.clone().ask_forever(supervisor.stopping());
    supervisor.spawn("model lists", asking);
}

/// What is kept for tenants; what processes that died left in progress is ended from now on.
pub(super) fn keeping(
    (store, ledger): (&Store, &Ledger),
    (clock, sealer): (&Clock, Sealer),
    config: &Config,
    supervisor: &Supervisor,
) -> Keeping {
    let (boot, bounds) = (ledger.boot().clone(), config.keep_bounds());
    let life = (boot, supervisor.stopping());
    let keeping = Keeping::new(store.clone(), (sealer, clock.clone()), life, bounds);
    let ending = keeping.clone().fail_orphans_forever(supervisor.stopping());
    supervisor.spawn("responses of the dead", ending);
    keeping
}

pub(super) fn health(
    store: &Store,
    limits: Limits,
    ledger: &Ledger,
    (gateways, clock): (&Gateways, &Clock),
) -> HealthCheck {
    HealthCheck::new(HealthCheckParts {
        store: store.clone(),
        limits,
        ledger: ledger.clone(),
        gateways: gateways.clone(),
        clock: clock.clone(),
    })
}

/// Starts what looks after records: files them and keeps the sums of usage up with them, deletes what was kept long
/// enough, and ends deleted tenants whose days of grace are over.
pub(super) fn keep_records(
    store: &Store,
    accounts: &Accounts,
    (clock, metrics): (&Clock, &Metrics),
    supervisor: &Supervisor,
) {
    let ending = accounts.clone().end_forever(supervisor.stopping());
    supervisor.spawn("deleted tenants", ending);
    let roller =
        Roller::new(store.clone(), clock.clone()).with_metrics(FilingMetrics::new(metrics));
    let filing = roller.run_forever(supervisor.stopping());
    supervisor.spawn("filing", supervisor.vital("filing", filing));
    let sweeper = Sweeper::new(store.clone(), clock.clone());
    supervisor.spawn("retention", sweeper.run_forever(supervisor.stopping()));
}
