//! Implements the link over HTTP/2 to one or more gateways: sends a call to the first that takes it,
//! and when the link breaks joins it where it was sent. Never sends what may have been started
//! anywhere else.

mod attaching;
mod opening;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use http::{Method, Request, Response};
use http_body_util::Full;
use shared::clock::Clock;
use shared::config::ConfigError;
use shared::id::{BootId, GenerationId};
use shared::link::events::{EventSource, GatewayEvents};
use shared::link::trail::MadeBy;
use shared::link::{
    Call, GatewayFleet, GatewayPlace, GatewayView, GenerationStatus, Generations, LinkError,
    Parting, ProviderAdmin, ProviderAdmins, READ_ON_SECONDS_MAX, Reply, Target, wire,
};
use shared::secret::Secret;
use tokio::sync::Semaphore;

use super::admin::NodeAdmin;
use super::answers::{ANSWER_MAX, alive, not_taken, request, small, within};
use super::events::NodeEvents;
use super::fleet::{Fleet, header};
use super::metrics::LinkMetrics;
use super::nodes::Node;
pub use super::settings::{Enablement, LinkSettings};
use super::transport::{Body, Lane, SendError};

/// Over the call's own deadline, so that the gateway's answer to it still arrives.
const DEADLINE_SLACK: Duration = Duration::from_secs(5);
/// How long an operator who looks waits for a gateway that does not answer.
const PROBE_MAX: Duration = Duration::from_secs(3);
/// How long one attempt to attach again may take.
pub(super) const ATTACH_MAX: Duration = Duration::from_secs(5);
/// A second copy of a stream waits for ticks of so many milliseconds at the gateway, with those of
/// others: fewer packets are lost, and what they carry is late by that much at worst.
const GATHER_MS: u16 = 20;

/// Gateways reached over the border.
#[derive(Clone)]
pub struct HttpLink(Arc<Inner>);

pub(super) struct Inner {
    pub(super) fleet: Fleet,
    pub(super) metrics: LinkMetrics,
    /// Room for calls that wait for a link.
    waiting: Semaphore,
}

impl std::fmt::Debug for HttpLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let nodes = self.0.fleet.all();
        let bases = nodes.iter().map(|node| node.place.base.clone());
        f.debug_list().entries(bases).finish()
    }
}

/// Calls that wait for a link that is away; each has its body in memory and its hold. More are refused
/// at once.
const WAITING_MAX: usize = 4_096;

impl HttpLink {
    /// To the gateways at `urls`, with the first part of `INTERNAL_SECRET`.
    pub fn new(
        urls: &[String],
        secret: &Secret<String>,
        clock: Clock,
        settings: LinkSettings,
        metrics: LinkMetrics,
    ) -> Result<Self, ConfigError> {
        let first = secret.expose().split(',').next().unwrap_or_default().trim();
        let secret = header(&Secret::new(first.to_owned())).map_err(|_| {
            ConfigError::Invalid("INTERNAL_SECRET must be printable ASCII".to_owned())
        })?;
        let fleet = Fleet::new(urls, secret, settings, clock)?;
        Ok(Self(Arc::new(Inner {
            fleet,
            metrics,
            waiting: Semaphore::new(WAITING_MAX),
        })))
    }

    /// Opens the connections to far gateways in the background; needs a runtime.
    pub fn warm(&self) {
        for node in self.0.fleet.all().iter() {
            node.pool.warm();
        }
    }
}

impl Inner {
    pub(super) async fn send_to(
        &self,
        node: &Node,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Body>, SendError> {
        let until = Instant::now() + self.fleet.patience();
        self.send_on(node, request, (Lane::Any, until)).await
    }

    async fn send_on(
        &self,
        node: &Node,
        mut request: Request<Full<Bytes>>,
        (lane, until): (Lane, Instant),
    ) -> Result<Response<Body>, SendError> {
        let secret = node.secret.clone();
        request.headers_mut().insert(wire::SECRET, secret);
        let sent = node.pool.send(request, lane, until).await;
        match &sent {
            Ok(_) => node.health.succeeded(),
            Err(SendError::Unsent(_)) => node.health.failed(self.fleet.clock()),
            Err(SendError::Unknown { .. }) => {}
        }
        sent
    }

    async fn view(&self, node: &Node) -> GatewayView {
        let asked = Instant::now();
        let (base, path) = (&node.place.base, "/health");
        let asking = async {
            let request = request(Method::GET, base, wire::PREFIX, path, Full::default()).ok()?;
            let response = self.send_to(node, request).await.ok()?;
            let alive = alive(response).await.ok()?;
            Some((alive, asked.elapsed()))
        };
        let answered = tokio::time::timeout(PROBE_MAX, asking).await;
        node.view(self.fleet.clock(), answered.unwrap_or_default())
    }

    async fn cancel_at(
        &self,
        node: &Node,
        path: &str,
        why: Parting,
    ) -> Result<GenerationStatus, LinkError> {
        let base = &node.place.base;
        let request = request(Method::POST, base, wire::PREFIX, path, Full::default())?;
        let limit = match why {
            // Its provider is read on for the count.
            Parting::TenantLeft => ANSWER_MAX + Duration::from_secs(READ_ON_SECONDS_MAX),
            Parting::Abandoned | Parting::NotDelivered => ANSWER_MAX,
        };
        let response = match within(limit, self.send_to(node, request)).await? {
            Ok(response) => response,
            Err(SendError::Unsent(why)) => return Err(LinkError::NotSent(why)),
            Err(SendError::Unknown { why, .. }) => return Err(LinkError::Lost(why)),
        };
        let (status, bytes) = small(response).await?;
        if !status.is_success() {
            return Err(not_taken(status));
        }
        let mut status = serde_json::from_slice(&bytes)
            .map_err(|e| LinkError::Refused(format!("unreadable status: {e}")))?;
        let made_by = || {
            Some(Box::new(MadeBy {
                gateway: node.place.shown().to_owned(),
                // Who was asked before it is not known any more.
                passed: Vec::new(),
                way: None,
            }))
        };
        match &mut status {
            GenerationStatus::Ended { outcome } => outcome.made_by = made_by(),
            GenerationStatus::Failed { failure } => failure.made_by = made_by(),
            GenerationStatus::Unknown { .. } => {}
        }
        Ok(status)
    }
}

#[async_trait]
impl Generations for HttpLink {
    async fn open(&self, call: Call) -> Result<Reply, LinkError> {
        let limit = call.deadline.saturating_add(DEADLINE_SLACK);
        within(limit, self.0.open(&call)).await?
    }

    fn route(&self, generation: &GenerationId, targets: &[Target]) -> Vec<String> {
        self.0.fleet.route(generation, targets)
    }

    async fn cancel(
        &self,
        gateways: &[String],
        generation: &GenerationId,
        why: Parting,
    ) -> Result<GenerationStatus, LinkError> {
        let path = format!("/generations/{generation}/finish?why={}", why.word());
        let (nodes, is_all) = self.0.fleet.at(gateways);
        let asked = nodes.iter().map(|node| self.0.cancel_at(node, &path, why));
        let mut answers: FuturesUnordered<_> = asked.collect();
        let (mut unknown, mut away) = (None, None);
        // Which of them had it is not known: the first that knows it answers for all.
        while let Some(answered) = answers.next().await {
            match answered {
                Ok(status @ GenerationStatus::Unknown { .. }) => {
                    let rank = |status: &GenerationStatus| match status {
                        // The one that had it says more than those that never heard of it, and of these
                        // the one that remembers least: it may be the one that had it.
                        GenerationStatus::Unknown { had, memory_ms, .. } => (!had, *memory_ms),
                        GenerationStatus::Ended { .. } | GenerationStatus::Failed { .. } => {
                            (true, None)
                        }
                    };
                    let least = [unknown.take(), Some(status)].into_iter().flatten();
                    unknown = least.min_by_key(rank);
                }
                Ok(status) => return Ok(status),
                Err(error) => away = Some(error),
            }
        }
        // A node that does not answer may be the one that knows.
        match (away, unknown) {
            (None, Some(status)) if is_all => Ok(status),
            (Some(error), _) => Err(error),
            (None, Some(_)) => Err(LinkError::NotSent("a gateway is there no more".to_owned())),
            (None, None) => Err(LinkError::NotSent("there is no gateway".to_owned())),
        }
    }
}

#[async_trait]
impl GatewayFleet for HttpLink {
    async fn health(&self) -> Result<BootId, LinkError> {
        let mut last = LinkError::NotSent("there is no gateway".to_owned());
        for node in self.0.fleet.ordered("health") {
            let base = &node.place.base;
            let request = request(Method::GET, base, wire::PREFIX, "/health", Full::default())?;
            match within(ANSWER_MAX, self.0.send_to(&node, request)).await? {
                Ok(response) => return Ok(alive(response).await?.boot),
                Err(SendError::Unsent(why)) => last = LinkError::NotSent(why),
                Err(SendError::Unknown { why, .. }) => return Err(LinkError::Lost(why)),
            }
        }
        Err(last)
    }

    async fn gateways(&self) -> Vec<GatewayView> {
        let nodes = self.0.fleet.all();
        join_all(nodes.iter().map(|node| self.0.view(node))).await
    }

    fn use_gateways(&self, places: &[GatewayPlace]) -> Result<(), String> {
        let used = self.0.fleet.use_gateways(places);
        used.map_err(|error| error.to_string())
    }
}

impl GatewayEvents for HttpLink {
    fn event_sources(&self) -> Vec<Arc<dyn EventSource>> {
        let nodes = self.0.fleet.all();
        let source = |node: &Arc<Node>| -> Arc<dyn EventSource> {
            Arc::new(NodeEvents {
                link: self.0.clone(),
                node: node.clone(),
            })
        };
        nodes.iter().map(source).collect()
    }
}

impl ProviderAdmins for HttpLink {
    fn provider_admins(&self) -> Vec<Arc<dyn ProviderAdmin>> {
        let admin = |node| -> Arc<dyn ProviderAdmin> {
            Arc::new(NodeAdmin {
                link: self.0.clone(),
                node,
            })
        };
        self.0
            .fleet
            .ordered("admin")
            .into_iter()
            .map(admin)
            .collect()
    }
}
