//! Starting a product: server and gateway in one process, or joined by links, each way that
//! production knows.

use std::sync::Arc;

use gateway::config::GatewaySecrets;
use gateway::{Gateway, GatewayParts};
use server::app::{Server, ServerParts};
use server::config::ServerSecrets;
use server::link::http::{Enablement, HttpLink, LinkSettings};
use server::link::metrics::LinkMetrics;
use shared::clock::Clock;
use shared::config::Common;
use shared::link::Link;
use shared::supervisor::Supervisor;
use shared::telemetry::Metrics;

use super::{Place, Product, Settings, client};

/// How a server reaches its gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joined {
    /// In the process.
    InProcess,
    /// Over HTTP/2 on loopback.
    OverHttp,
}

/// Starts a product at a place; several may share one.
pub(crate) async fn start(place: &Place, joined: Joined) -> Product {
    start_set(place, joined, &[]).await
}

/// As [`start`], with these settings more.
pub(crate) async fn start_set(place: &Place, joined: Joined, more: &[&str]) -> Product {
    let supervisor = Supervisor::new();
    let node = gateway(place, &supervisor, more).await;
    let link: Arc<dyn Link> = match joined {
        Joined::InProcess => node.gateway.local(),
        Joined::OverHttp => {
            Arc::new(link_to(place, &[node.open_door()], LinkSettings::default()).0)
        }
    };
    let mut product = serve(place, joined, link, (supervisor, more)).await;
    product.log_in().await;
    product
}

/// As [`start`], with something around the link.
pub(crate) async fn start_around<L: Link + 'static>(
    place: &Place,
    joined: Joined,
    wrap: impl FnOnce(Arc<dyn Link>) -> Arc<L>,
) -> Product {
    let mut product = start_without_login(place, joined, |link| wrap(link)).await;
    product.log_in().await;
    product
}

/// As [`start`], without a superadmin's token and with something around the link.
pub(crate) async fn start_without_login(
    place: &Place,
    joined: Joined,
    wrap: impl FnOnce(Arc<dyn Link>) -> Arc<dyn Link>,
) -> Product {
    let supervisor = Supervisor::new();
    let node = gateway(place, &supervisor, &[]).await;
    join(place, joined, &node, wrap).await
}

/// A second server at a place, over a link of the first.
pub(crate) async fn start_beside(place: &Place, link: Arc<dyn Link>) -> Product {
    let running = (Supervisor::new(), &[][..]);
    let mut product = serve(place, Joined::OverHttp, link, running).await;
    product.log_in().await;
    product
}

async fn join(
    place: &Place,
    joined: Joined,
    node: &Node,
    wrap: impl FnOnce(Arc<dyn Link>) -> Arc<dyn Link>,
) -> Product {
    let link: Arc<dyn Link> = match joined {
        Joined::InProcess => node.gateway.local(),
        Joined::OverHttp => {
            Arc::new(link_to(place, &[node.open_door()], LinkSettings::default()).0)
        }
    };
    serve(place, joined, wrap(link), (node.supervisor.clone(), &[])).await
}

/// A server at a place with a superadmin's token, joined to gateways elsewhere; with its counters.
pub(crate) async fn start_with(
    place: &Place,
    urls: &[String],
    settings: LinkSettings,
) -> (Product, LinkMetrics) {
    let (link, metrics) = link_to(place, urls, settings);
    let running = (Supervisor::new(), &[][..]);
    let mut product = serve(place, Joined::OverHttp, Arc::new(link), running).await;
    product.log_in().await;
    (product, metrics)
}

fn link_to(place: &Place, urls: &[String], settings: LinkSettings) -> (HttpLink, LinkMetrics) {
    let Settings { common, server, .. } = place.settings(&[]);
    let secrets = ServerSecrets::take(&server, &common).expect("secrets");
    let metrics = LinkMetrics::default();
    let clock = Clock::system();
    let link = HttpLink::new(urls, &secrets.internal, clock, settings, metrics.clone());
    (link.expect("a link"), metrics)
}

async fn serve(
    place: &Place,
    joined: Joined,
    link: Arc<dyn Link>,
    (supervisor, more): (Supervisor, &[&str]),
) -> Product {
    let Settings {
        common,
        server: config,
        ..
    } = place.settings(more);
    let door = Server::bind(&config).expect("a port");
    let address = door.local_addr().expect("an address");
    let parts = ServerParts {
        config: &config,
        common: &common,
        secrets: ServerSecrets::take(&config, &common).expect("secrets"),
        link,
        supervisor: &supervisor,
        metrics: &Metrics::default(),
        clock: Clock::system(),
        gateway_inside: joined == Joined::InProcess,
        demo: false,
    };
    let server = Arc::new(Server::start(parts).await.expect("a server"));
    let (inner, serving) = (supervisor.clone(), server.clone());
    supervisor.spawn("server door", async move {
        serving.serve(door, &common, &inner).await
    });
    let http = client();
    Product {
        address,
        supervisor,
        http,
        server: Some(server),
        admin: String::new(),
    }
}

/// One gateway of a test.
pub(crate) struct Node {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) metrics: Metrics,
    config: gateway::config::Config,
    common: Common,
    pub(super) supervisor: Supervisor,
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

/// A gateway of its own, through both doors.
pub(crate) async fn links(place: &Place) -> (Supervisor, [(&'static str, Arc<dyn Link>); 3]) {
    let supervisor = Supervisor::new();
    let node = gateway(place, &supervisor, &[]).await;
    let local = node.gateway.local();
    let door = [node.open_door()];
    let (remote, _) = link_to(place, &door, LinkSettings::default());
    let compressed = LinkSettings {
        compression: Enablement::On,
        hedging: Enablement::On,
        ..LinkSettings::default()
    };
    let (small, _) = link_to(place, &door, compressed);
    (
        supervisor,
        [
            ("in process", local),
            ("over HTTP", Arc::new(remote)),
            ("as over the border", Arc::new(small)),
        ],
    )
}
