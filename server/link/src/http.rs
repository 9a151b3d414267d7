//! Implements the link over HTTP/2 to one or more gateways: sends a call to the first that takes it,
//! and when the link breaks joins it where it was sent. Never sends what may have been started
//! anywhere else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use shared::clock::Clock;
use shared::config::ConfigError;
use shared::id::{BootId, GenerationId};
use shared::link::events::{EventSource, GatewayEvents};
use shared::link::wire::{self, Joining};
use shared::link::{
    Call, GatewayFleet, GatewayPlace, GatewayView, GenerationStatus, Generations, LinkError,
    Parting, ProviderAdmin, ProviderAdmins, READ_ON_SECONDS_MAX, Reply, ReplyBody, Target,
};
use shared::secret::Secret;
use tokio::sync::Semaphore;
use tracing::debug;

use super::admin::NodeAdmin;
use super::answers::{
    ANSWER_MAX, Missed, Missing, WHOLE_BYTES_MAX, accept, alive, collect, lane, outcome, refusal,
    request, small, text, within,
};
use super::attachment::Attachment;
use super::encoded_body::EncodedBody;
use super::events::NodeEvents;
use super::fleet::{Fleet, header, part_for};
use super::metrics::{LinkEvent, LinkMetrics};
use super::nodes::Node;
use super::resumable_body::{Pauses, ResumableBody, pieces};
pub use super::settings::{Enablement, LinkSettings};
use super::transport::{Body, ConnectionId, Lane, SendError};

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

    /// Starts a call at the first node that takes it; while there is no way to any, waits for one.
    async fn open(self: &Arc<Self>, call: &Call) -> Result<Reply, LinkError> {
        let mut pauses = Pauses::new(self.fleet.patience());
        let mut place = None;
        loop {
            let missing = match self.open_somewhere(call, pauses.until()).await {
                Ok(opened) => return opened,
                Err(missing) => missing,
            };
            if place.is_none() && missing.may_come {
                place = self.waiting.try_acquire().ok();
                self.metrics.waited();
            }
            if !missing.may_come || place.is_none() || !pauses.again().await {
                return Err(LinkError::NotSent(missing.why));
            }
        }
    }

    /// One attempt at every node through which a target is reached; all of them share the time there
    /// is, or one that only takes connections would use it up.
    async fn open_somewhere(
        self: &Arc<Self>,
        call: &Call,
        until: Instant,
    ) -> Result<Result<Reply, LinkError>, Missing> {
        let mut missing = Missing {
            why: "there is no gateway for it".to_owned(),
            may_come: false,
        };
        let mut before: Option<Arc<Node>> = None;
        let nodes = self.fleet.for_call(call);
        let mut left = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
        for node in nodes {
            let now = Instant::now();
            let until = now + until.saturating_duration_since(now) / left.max(1);
            left = left.saturating_sub(1);
            if let Some(before) = before {
                self.metrics.count(&before.counters, LinkEvent::PassedOn);
            }
            let part = part_for(&node.place, call);
            let opened = self.open_at(&node, part.as_ref().unwrap_or(call), until);
            match opened.await {
                Err(Missed::NotStarted(why)) => {
                    missing = Missing {
                        why,
                        may_come: true,
                    }
                }
                Err(Missed::Full(why)) => missing.why = why,
                Err(Missed::Told(error)) => return Ok(Err(error)),
                Err(Missed::Cut { why, .. }) => return Ok(Err(LinkError::Lost(why))),
                Ok(reply) => return Ok(Ok(reply)),
            }
            before = Some(node);
        }
        Err(missing)
    }

    /// Starts a call at one node, if there is a way to it before `until`. Once it may have arrived
    /// there it is only joined there, for as long as patience lasts after each sign of the node.
    async fn open_at(
        self: &Arc<Self>,
        node: &Arc<Node>,
        call: &Call,
        until: Instant,
    ) -> Result<Reply, Missed> {
        let begun = Instant::now();
        let mut life: Option<BootId> = None;
        let mut pauses: Option<Pauses> = None;
        loop {
            let until = pauses.as_ref().map_or(until, Pauses::until);
            let heard_ms = node.pool.last_heard_ms();
            let joining = Joining {
                offset: 0,
                life: life.clone(),
                seen: node.take_seen(),
            };
            let trying = self.try_open(node, call, &joining, (begun, until));
            let why = match trying.await {
                Ok(reply) => return Ok(reply),
                Err(Missed::Told(error)) => {
                    if matches!(error, LinkError::Lost(_)) {
                        self.metrics.count(&node.counters, LinkEvent::Lost);
                    }
                    return Err(Missed::Told(error));
                }
                // An earlier copy may still be on its way to it, once there was one.
                Err(missed @ (Missed::NotStarted(_) | Missed::Full(_))) if life.is_none() => {
                    return Err(missed);
                }
                Err(Missed::NotStarted(why) | Missed::Full(why)) => why,
                Err(Missed::Cut { why, boot }) => {
                    life = life.or(boot);
                    if life.is_none() {
                        return Err(Missed::Cut { why, boot: None });
                    }
                    why
                }
            };
            debug!("generation `{}` is joined: {why}", call.generation);
            if node.pool.last_heard_ms() != heard_ms {
                pauses = None;
            }
            let pauses = pauses.get_or_insert_with(|| Pauses::new(self.fleet.patience()));
            if node.pool.is_given_up() || !pauses.again().await {
                self.metrics.count(&node.counters, LinkEvent::Lost);
                return Err(Missed::Told(LinkError::Lost(why)));
            }
            self.metrics.count(&node.counters, LinkEvent::Joined);
        }
    }

    async fn try_open(
        self: &Arc<Self>,
        node: &Arc<Node>,
        call: &Call,
        joining: &Joining,
        (begun, until): (Instant, Instant),
    ) -> Result<Reply, Missed> {
        let mut whole = false;
        loop {
            let encoded = match &node.encoder {
                None => EncodedBody::plain(call.body.clone()),
                Some(encoder) => {
                    encoder
                        .encode(&call.body, call.tenant.as_ref(), whole)
                        .await
                }
            };
            let path = call.surface.path;
            let body = Full::new(encoded.body.clone());
            let mut request = request(Method::POST, &node.place.base, wire::PREFIX, path, body)
                .map_err(Missed::Told)?;
            wire::write_call(call, request.headers_mut());
            joining.write(request.headers_mut());
            self.tell_patience(request.headers_mut());
            encoded.write(request.headers_mut());
            accept(node, request.headers_mut());
            let way = (lane(call), until);
            let response = match self.send_on(node, request, way).await {
                Ok(response) => response,
                Err(SendError::Unsent(why)) => return Err(Missed::NotStarted(why)),
                Err(SendError::Unknown { why, boot }) => return Err(Missed::Cut { why, boot }),
            };
            if let Some(encoder) = &node.encoder {
                if response.status() == StatusCode::PRECONDITION_REQUIRED && !whole {
                    encoder.missing(&encoded);
                    whole = true;
                    continue;
                }
                encoder.arrived(&encoded);
            }
            return self.reply(node, call, response, begun).await;
        }
    }

    /// What a gateway answered to a call.
    async fn reply(
        self: &Arc<Self>,
        node: &Arc<Node>,
        call: &Call,
        response: Response<Body>,
        begun: Instant,
    ) -> Result<Reply, Missed> {
        let (head, body) = response.into_parts();
        let boot = BootId::from_stored(text(&head.headers, &wire::BOOT).to_owned());
        let refused = !head.status.is_success();
        if refused && head.headers.contains_key(wire::NOT_STARTED) {
            node.health.closed(self.fleet.clock());
            let why = collect(body).await.unwrap_or_default();
            return Err(if why.ends_with(wire::DRAINING.as_bytes()) {
                Missed::NotStarted("the gateway is stopping".to_owned())
            } else {
                Missed::Full("the gateway takes no more calls".to_owned())
            });
        }
        if refused {
            let cut = |why| Missed::Cut {
                why,
                boot: Some(boot),
            };
            let bytes = collect(body).await.map_err(|e| cut(e.to_string()))?;
            return Err(Missed::Told(refusal(&head.headers, head.status, &bytes)));
        }
        let content_type = text(&head.headers, &CONTENT_TYPE).to_owned();
        let dropped = wire::read_dropped(&head.headers);
        let ended = head.headers.get(wire::OUTCOME);
        let is_stream = ended.is_none();
        let attachment = Attachment::new(&head.headers, body, 0).map_err(Missed::Told)?;
        let body = ResumableBody::new(self, node, &call.generation, &boot, attachment, is_stream);
        let body = match ended {
            Some(value) => ReplyBody::Whole {
                outcome: outcome(value).map_err(Missed::Told)?,
                bytes: body.collect(WHOLE_BYTES_MAX).await.map_err(Missed::Told)?,
            },
            None => ReplyBody::Stream(pieces(body, call, begun)),
        };
        Ok(Reply {
            boot,
            content_type,
            dropped,
            body,
        })
    }

    /// Attaches to a running or ended generation from `position` on, as soon as there is a link. Where
    /// the gateway was silent for all of the patience already, nobody waits again.
    pub(super) async fn reattach(
        &self,
        node: &Node,
        generation: &GenerationId,
        life: &BootId,
        position: u64,
    ) -> Result<Attachment, LinkError> {
        let mut pauses = Pauses::new(self.fleet.patience());
        let mut last = "no attempt was made".to_owned();
        while !node.pool.is_given_up() && pauses.again().await {
            let attempt = self.attach(node, generation, life, position, None);
            let until = pauses.until().min(Instant::now() + ATTACH_MAX);
            match tokio::time::timeout_at(until.into(), attempt).await {
                Ok(Ok(attachment)) => return Ok(attachment),
                Ok(Err(Missed::Told(error))) => return Err(error),
                Ok(Err(Missed::Cut { why, .. } | Missed::NotStarted(why) | Missed::Full(why))) => {
                    last = why;
                }
                Err(_) => "no answer in time".clone_into(&mut last),
            }
        }
        let patience = self.fleet.patience().as_secs();
        Err(LinkError::Lost(format!("no link for {patience} s: {last}")))
    }

    /// One attempt, over another connection than `beside` where there is one.
    pub(super) async fn attach_once(
        &self,
        node: &Node,
        generation: &GenerationId,
        life: &BootId,
        position: u64,
        beside: Option<ConnectionId>,
    ) -> Result<Attachment, LinkError> {
        let attempt = self.attach(node, generation, life, position, beside);
        match tokio::time::timeout(ATTACH_MAX, attempt).await {
            Ok(Ok(attachment)) => Ok(attachment),
            Ok(Err(Missed::Told(error))) => Err(error),
            Ok(Err(Missed::Cut { why, .. } | Missed::NotStarted(why) | Missed::Full(why))) => {
                Err(LinkError::Lost(why))
            }
            Err(_) => Err(LinkError::Lost("no answer in time".to_owned())),
        }
    }

    async fn attach(
        &self,
        node: &Node,
        generation: &GenerationId,
        life: &BootId,
        position: u64,
        beside: Option<ConnectionId>,
    ) -> Result<Attachment, Missed> {
        let path = format!("/generations/{generation}/attach");
        let base = &node.place.base;
        let mut request = request(Method::POST, base, wire::PREFIX, &path, Full::default())
            .map_err(Missed::Told)?;
        let joining = Joining {
            offset: position,
            ..Joining::default()
        };
        let headers = request.headers_mut();
        joining.write(headers);
        self.tell_patience(headers);
        accept(node, headers);
        let lane = match beside {
            Some(connection) => {
                headers.insert(wire::GATHER, HeaderValue::from(GATHER_MS));
                Lane::Beside(connection)
            }
            None => Lane::Any,
        };
        let until = Instant::now() + ATTACH_MAX;
        match self.send_on(node, request, (lane, until)).await {
            Err(SendError::Unsent(why) | SendError::Unknown { why, .. }) => {
                Err(Missed::NotStarted(why))
            }
            Ok(response) => {
                let (head, body) = response.into_parts();
                let boot = text(&head.headers, &wire::BOOT);
                if boot != life.as_str() {
                    let lost = LinkError::Lost("the gateway was restarted".to_owned());
                    return Err(Missed::Told(lost));
                }
                if head.status.is_server_error() {
                    return Err(Missed::NotStarted(format!("it answered {}", head.status)));
                }
                if !head.status.is_success() {
                    let lost = LinkError::Lost(format!("the gateway answered {}", head.status));
                    return Err(Missed::Told(lost));
                }
                Attachment::new(&head.headers, body, position).map_err(Missed::Told)
            }
        }
    }

    /// What is kept for this server is kept for as long as it tries.
    fn tell_patience(&self, headers: &mut HeaderMap) {
        headers.insert(wire::PATIENCE_MS, self.fleet.kept.clone());
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
            return Err(LinkError::Refused(format!("the gateway answered {status}")));
        }
        serde_json::from_slice(&bytes)
            .map_err(|e| LinkError::Refused(format!("unreadable status: {e}")))
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
