//! A gateway of its own, with a door that servers reach it by.

use std::sync::Arc;

use gateway::config::GatewaySecrets;
use gateway::{Gateway, GatewayParts};
use shared::clock::Clock;
use shared::config::Common;
use shared::supervisor::Supervisor;
use shared::telemetry::Metrics;

use super::super::{Place, Settings};

/// One gateway of a test.
pub(crate) struct Node {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) metrics: Metrics,
    config: gateway::config::Config,
    common: Common,
    pub(in super::super) supervisor: Supervisor,
}

/// A gateway over a place's database, with these settings more.
pub(crate) async fn gateway(place: &Place, supervisor: &Supervisor, more: &[&str]) -> Node {
    gateway_of(place.settings(more), supervisor).await
}

/// A gateway that takes these internal secrets.
pub(crate) async fn gateway_with_secret(
    place: &Place,
    supervisor: &Supervisor,
    secret: &str,
) -> Node {
    gateway_of(place.settings_with(secret, &[]), supervisor).await
}

async fn gateway_of(settings: Settings, supervisor: &Supervisor) -> Node {
    let Settings {
        common,
        gateway: config,
        ..
    } = settings;
    let metrics = Metrics::default();
    shared::tls::install_provider();
    let parts = GatewayParts {
        config: &config,
        common: &common,
        secrets: GatewaySecrets::take(&common).expect("secrets"),
        supervisor,
        metrics: &metrics,
        clock: Clock::system(),
    };
    let gateway = Gateway::start(parts).await.expect("a gateway");
    Node {
        gateway,
        metrics,
        config,
        common,
        supervisor: supervisor.clone(),
    }
}

impl Node {
    /// Opens the gateway's door on loopback; answers its address.
    pub(crate) fn open_door(&self) -> String {
        let door = Gateway::bind(&self.config).expect("a port");
        let url = format!("http://{}", door.local_addr().expect("an address"));
        let (gateway, common) = (self.gateway.clone(), self.common.clone());
        let supervisor = self.supervisor.clone();
        self.supervisor.spawn("gateway door", async move {
            gateway.serve(door, &common, &supervisor).await
        });
        url
    }
}
