//! Starting a product: server and gateway in one process, or joined by links, each way that
//! production knows.

pub(crate) mod node;

use std::sync::Arc;

use server::app::{Server, ServerParts};
use server::config::ServerSecrets;
use server::link::http::{Enablement, HttpLink, LinkSettings};
use server::link::metrics::LinkMetrics;
use shared::clock::Clock;
use shared::link::Link;
use shared::supervisor::Supervisor;
use shared::telemetry::Metrics;

use self::node::{Node, gateway};
use super::product::Product;
use super::{Place, Settings, client};

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
