//! Joins what alerts are found in with what sends them, and starts both.

use std::sync::Arc;

use outbound::Outbound;
use server_calls::Calls;
use server_pages::alert_words;
use server_rooms::alerts::channels::AlertChannels;
use server_rooms::alerts::deliver::AlertSender;
use server_rooms::alerts::{Alerts, AlertsParts};
use server_rooms::catalogue::Catalogue;
use server_rooms::catalogue::lists::ModelLists;
use server_rooms::gateways::Gateways;
use server_rooms::ledger::Ledger;
use server_rooms::providers::Providers;
use server_rooms::reports::Reports;
use server_rooms::settings::zones::Zones;
use server_store::Store;
use shared::clock::Clock;
use shared::seal::Sealer;
use shared::supervisor::Supervisor;

use crate::config::Config;

/// What alerts need of the server.
pub(super) struct AlertRooms<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) model_lists: &'a ModelLists,
    pub(super) gateways: &'a Gateways,
    pub(super) ledger: &'a Ledger,
    pub(super) providers: &'a Providers,
    pub(super) calls: &'a Calls,
    pub(super) store: &'a Store,
    pub(super) clock: &'a Clock,
    pub(super) sealer: &'a Sealer,
    pub(super) config: &'a Config,
    pub(super) outbound: Outbound,
    pub(super) supervisor: &'a Supervisor,
}

/// Alerts, looked for from now on, and their channels, told from now on.
pub(super) fn alerts(of: AlertRooms<'_>) -> (Alerts, AlertChannels) {
    let (store, clock) = (of.store.clone(), of.clock.clone());
    let calls = of.calls.clone();
    let alerts = Alerts::new(AlertsParts {
        catalogue: of.catalogue.clone(),
        model_lists: of.model_lists.clone(),
        gateways: of.gateways.clone(),
        ledger: of.ledger.clone(),
        providers: of.providers.clone(),
        reports: Reports::new(store.clone(), of.ledger.clone(), clock.clone()),
        unpriced: Arc::new(move |from| calls.unpriced_since(from)),
        store: store.clone(),
        clock: clock.clone(),
    });
    let looking = alerts.clone().look_forever(of.supervisor.stopping());
    of.supervisor.spawn("alerts", looking);
    let sealed_at = (clock.clone(), of.sealer.clone());
    let channels = AlertChannels::new(store.clone(), sealed_at, of.outbound);
    let base = of.config.public_url.trim().trim_end_matches('/').to_owned();
    let zones = Zones::new(store, clock);
    let sender = AlertSender::new(channels.clone(), zones, base, Arc::new(alert_words::write));
    let sending = sender.send_forever(of.supervisor.stopping());
    of.supervisor.spawn("alert channels", sending);
    (alerts, channels)
}
