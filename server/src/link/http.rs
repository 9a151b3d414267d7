//! Implements `Link` over HTTP/2 to one or more gateways, on several connections a node: one alone
//! is ruinous under loss (RELIABILITY.md A2.3). Decides no retry of what may have been started.

use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use shared::clock::Clock;
use shared::config::ConfigError;
use shared::id::{BootId, GenerationId};
use shared::link::wire;
use shared::link::{Call, Fate, Link, LinkError, Outcome, Piece, PieceStream, Reply, ReplyBody};
use shared::secret::Secret;

use super::nodes::{Health, order};
use super::transport::{Body, Pool, SendError, Shape, describe};

/// Connections a node where nobody says otherwise.
pub const CONNECTIONS: usize = 8;
/// Over the call's own deadline, so that the gateway's answer to it still arrives.
const DEADLINE_SLACK: Duration = Duration::from_secs(5);
/// How long small questions may take.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Ten images of 4 MiB in base64 and their envelope.
const WHOLE_BYTES_MAX: usize = 96 * 1024 * 1024;
/// Answers to operators and failures are small.
pub(super) const SMALL_BYTES_MAX: usize = 1024 * 1024;
struct Node {
    base: String,
    pool: Pool,
    health: Health,
}

/// Gateways reached over the border.
pub struct HttpLink {
    nodes: Vec<Node>,
    secret: HeaderValue,
    clock: Clock,
}

impl std::fmt::Debug for HttpLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.nodes.iter().map(|node| &node.base))
            .finish()
    }
}

/// Checks one entry of `GATEWAY_URLS`: plain HTTP only to this machine, because the secret and the
/// prompts would cross the border in the clear.
fn checked_base(url: &str) -> Result<String, ConfigError> {
    let wrong = |what: &str| ConfigError::Invalid(format!("GATEWAY_URLS: `{url}` {what}"));
    let parsed: Uri = url.parse().map_err(|_| wrong("is not a URL"))?;
    let host = parsed.host().ok_or_else(|| wrong("has no host"))?;
    if !matches!(parsed.path(), "" | "/") || parsed.query().is_some() {
        return Err(wrong("must have no path"));
    }
    match parsed.scheme_str() {
        Some("https") => {}
        Some("http") if is_near(host) => {}
        Some("http") => {
            return Err(wrong(
                "must use https: plain http is for this machine and private networks only",
            ));
        }
        _ => return Err(wrong("must start with https:// or http://")),
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// Loopback, private ranges and names without a dot (container networks).
fn is_near(host: &str) -> bool {
    match host.trim_matches(['[', ']']).parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(v4)) => v4.is_loopback() || v4.is_private(),
        Ok(std::net::IpAddr::V6(v6)) => v6.is_loopback() || v6.is_unique_local(),
        Err(_) => !host.contains('.'),
    }
}

impl HttpLink {
    /// To the gateways at `urls`, with the first part of `INTERNAL_SECRET`.
    pub fn new(
        urls: &[String],
        secret: &Secret<String>,
        clock: Clock,
    ) -> Result<Self, ConfigError> {
        Self::sized(urls, secret, clock, CONNECTIONS)
    }

    /// [`HttpLink::new`] with that many connections a node.
    pub fn sized(
        urls: &[String],
        secret: &Secret<String>,
        clock: Clock,
        connections: usize,
    ) -> Result<Self, ConfigError> {
        let first = secret.expose().split(',').next().unwrap_or_default().trim();
        let mut header = HeaderValue::from_str(first).map_err(|_| {
            ConfigError::Invalid("INTERNAL_SECRET must be printable ASCII".to_owned())
        })?;
        header.set_sensitive(true);
        let nodes = urls
            .iter()
            .map(|url| node(url, connections))
            .collect::<Result<Vec<_>, _>>()?;
        if nodes.is_empty() {
            return Err(ConfigError::Invalid("GATEWAY_URLS is empty".to_owned()));
        }
        Ok(Self {
            nodes,
            secret: header,
            clock,
        })
    }

    /// Opens the connections to far gateways in the background; needs a runtime.
    pub fn warm(&self) {
        for node in &self.nodes {
            node.pool.warm();
        }
    }

    /// Sends to the nodes in `key`'s order until one is reached.
    pub(super) async fn send(
        &self,
        key: &str,
        limit: Duration,
        build: impl Fn(&str) -> Result<Request<Full<Bytes>>, LinkError>,
    ) -> Result<Response<Body>, LinkError> {
        let places = order(
            key,
            self.nodes.iter().map(|n| (n.base.as_str(), &n.health)),
            self.clock.now(),
        );
        let mut last = LinkError::NotSent("there is no gateway".to_owned());
        for node in places.into_iter().filter_map(|place| self.nodes.get(place)) {
            let mut request = build(&node.base)?;
            request
                .headers_mut()
                .insert(wire::SECRET, self.secret.clone());
            match within(limit, node.pool.send(request)).await? {
                Ok(response) => {
                    node.health.succeeded();
                    return Ok(response);
                }
                Err(SendError::Unsent(why)) => {
                    node.health.failed(&self.clock);
                    last = LinkError::NotSent(why);
                }
                Err(SendError::Unknown(why)) => return Err(LinkError::Lost(why)),
            }
        }
        Err(last)
    }
}

fn node(url: &str, connections: usize) -> Result<Node, ConfigError> {
    let base = checked_base(url)?;
    Ok(Node {
        pool: Pool::new(&base, Shape::of(connections))?,
        base,
        health: Health::default(),
    })
}

async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, LinkError> {
    tokio::time::timeout(limit, work)
        .await
        .map_err(|_| LinkError::Lost("no answer in time".to_owned()))
}

/// The whole body, at most `bytes_max`.
pub(super) async fn collect(body: Body, bytes_max: usize) -> Result<Bytes, LinkError> {
    let mut body = http_body_util::Limited::new(body, bytes_max);
    let mut first: Option<Bytes> = None;
    let mut rest: Option<BytesMut> = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| LinkError::Lost(e.to_string()))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        // Most answers are one frame, which is passed on without a copy.
        match (&first, &mut rest) {
            (None, _) => first = Some(data),
            (Some(begin), None) => {
                let mut all = BytesMut::with_capacity(begin.len() + data.len());
                all.extend_from_slice(begin);
                all.extend_from_slice(&data);
                rest = Some(all);
            }
            (Some(_), Some(all)) => all.extend_from_slice(&data),
        }
    }
    Ok(rest.map(BytesMut::freeze).or(first).unwrap_or_default())
}

fn outcome(value: &HeaderValue) -> Result<Box<Outcome>, LinkError> {
    serde_json::from_slice(value.as_bytes())
        .map_err(|e| LinkError::Lost(format!("unreadable outcome: {e}")))
}

/// Pieces of a streamed reply; the outcome comes as a trailer.
fn pieces(body: Body) -> PieceStream {
    Box::pin(stream::unfold(Some(body), |state| async move {
        let mut body = state?;
        loop {
            let piece = match body.frame().await {
                None => Err(LinkError::Lost(
                    "the stream ended without an outcome".to_owned(),
                )),
                Some(Err(error)) => Err(LinkError::Lost(describe(&error))),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if data.is_empty() => continue,
                    Ok(data) => return Some((Ok(Piece::Bytes(data)), Some(body))),
                    Err(frame) => {
                        let trailers = frame.into_trailers().unwrap_or_default();
                        let Some(value) = trailers.get(wire::OUTCOME) else {
                            continue;
                        };
                        outcome(value).map(Piece::Outcome)
                    }
                },
            };
            return Some((piece, None));
        }
    }))
}

async fn reply(response: Response<Body>) -> Result<Reply, LinkError> {
    let (head, body) = response.into_parts();
    let text = |name: &http::HeaderName| {
        head.headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
    };
    if head.headers.contains_key(wire::FAILURE) {
        let bytes = collect(body, SMALL_BYTES_MAX).await?;
        let failure = serde_json::from_slice(&bytes)
            .map_err(|e| LinkError::Lost(format!("unreadable failure: {e}")))?;
        return Err(LinkError::Failed(failure));
    }
    if !head.status.is_success() {
        return Err(LinkError::Refused(format!(
            "the gateway answered {}",
            head.status.as_u16()
        )));
    }
    let boot = BootId::from_stored(text(&wire::BOOT).to_owned());
    let content_type = text(&CONTENT_TYPE).to_owned();
    let body = match head.headers.get(wire::OUTCOME) {
        Some(value) => ReplyBody::Whole {
            outcome: outcome(value)?,
            bytes: collect(body, WHOLE_BYTES_MAX).await?,
        },
        None => ReplyBody::Stream(pieces(body)),
    };
    Ok(Reply {
        boot,
        content_type,
        body,
    })
}

#[async_trait]
impl Link for HttpLink {
    async fn open(&self, call: Call) -> Result<Reply, LinkError> {
        let path = call.operation.path();
        let build = |base: &str| {
            let mut request = request(
                Method::POST,
                base,
                wire::PREFIX,
                path,
                Full::new(call.body.clone()),
            )?;
            wire::write_call(&call, request.headers_mut());
            Ok(request)
        };
        let limit = call.deadline.saturating_add(DEADLINE_SLACK);
        let response = self.send(call.generation.as_str(), limit, build).await?;
        within(limit, reply(response)).await?
    }

    async fn finish(&self, generation: &GenerationId) -> Result<Fate, LinkError> {
        let path = format!("/generations/{generation}/finish");
        let build = |base: &str| request(Method::POST, base, wire::PREFIX, &path, Full::default());
        let response = self.send(generation.as_str(), ANSWER_MAX, build).await?;
        let (status, bytes) = small(response).await?;
        if !status.is_success() {
            return Err(LinkError::Refused(format!(
                "the gateway answered {}",
                status.as_u16()
            )));
        }
        serde_json::from_slice(&bytes)
            .map_err(|e| LinkError::Refused(format!("unreadable fate: {e}")))
    }

    async fn health(&self) -> Result<BootId, LinkError> {
        #[derive(serde::Deserialize)]
        struct Alive {
            boot: BootId,
        }
        let build =
            |base: &str| request(Method::GET, base, wire::PREFIX, "/health", Full::default());
        let (status, bytes) = small(self.send("health", ANSWER_MAX, build).await?).await?;
        let alive: Result<Alive, _> = serde_json::from_slice(&bytes);
        match alive {
            Ok(alive) if status.is_success() => Ok(alive.boot),
            _ => Err(LinkError::Refused(format!(
                "the gateway answered {}",
                status.as_u16()
            ))),
        }
    }
}

/// A small answer, whole.
pub(super) async fn small(
    response: Response<Body>,
) -> Result<(http::StatusCode, Bytes), LinkError> {
    let status = response.status();
    let bytes = within(ANSWER_MAX, collect(response.into_body(), SMALL_BYTES_MAX)).await??;
    Ok((status, bytes))
}

/// A request to a node; a path that is no path is a bug of ours.
pub(super) fn request(
    method: Method,
    base: &str,
    prefix: &str,
    path: &str,
    body: Full<Bytes>,
) -> Result<Request<Full<Bytes>>, LinkError> {
    Request::builder()
        .method(method)
        .uri(format!("{base}{prefix}{path}"))
        .header(CONTENT_TYPE, "application/json")
        .body(body)
        .map_err(|e| LinkError::NotSent(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_near_gateways_only() {
        for url in [
            "http://127.0.0.1:9000",
            "http://[::1]:9000/",
            "https://gw.example.com",
            "http://gateway:9000",
            "http://10.0.0.7",
        ] {
            assert!(checked_base(url).is_ok(), "{url}");
        }
        for url in [
            "http://gw.example.com",
            "gw.example.com",
            "ftp://x",
            "https://gw.example.com/a",
            "http://8.8.8.8",
            "",
        ] {
            assert!(checked_base(url).is_err(), "{url}");
        }
    }
}
