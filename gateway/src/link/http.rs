//! The door over HTTP/1.1 and HTTP/2: checks the secret, reads a call from its headers, writes the
//! reply with its outcome. Holds no rule of generations; operators' part is `admin`'s.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http::header::{CONTENT_TYPE, TRAILER};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::combinators::BoxBody;
use poem::web::{Data, Path, Query};
use poem::{Endpoint, EndpointExt, IntoResponse, Request, Response, Route, get, handler, post};
use rustls::ServerConfig;
use serde::{Deserialize, Serialize};
use shared::config::ConfigError;
use shared::fault::FaultKind;
use shared::id::{GenerationId, JournalId};
use shared::link::codec::{Encoder, VERSION};
use shared::link::events::{Event, EventSource};
use shared::link::wire::{self, Joining};
use shared::link::{Failure, LinkError, Reply, ReplyBody};
use shared::secret::Secret;
use shared::surface::{SURFACES, Surface};
use tracing::warn;

use super::body::{PieceBody, WholeBody, header};
use super::body_decoder::{BodyDecodeError, BodyDecoder};
use super::coalesce::Coalesced;
use super::{admin, alive};
use crate::admin::ProviderList;
use crate::config::Config;
use crate::events::{Events, Journal};
use crate::generations::{self, Coming, GenerationContext, OnDisconnect};
use crate::store::Store;

/// A server that takes longer to send a body is cut off.
const BODY_READ_MAX: Duration = Duration::from_secs(60);
/// More than servers send to keep a connection warm.
const WARM_BYTES_MAX: usize = 64 * 1024;
/// What servers need to come in.
pub(crate) struct HttpDoor {
    decoder: Arc<BodyDecoder>,
    secrets: Arc<LinkSecrets>,
    /// Absent where servers are spoken to plainly.
    pub(crate) tls: Option<Arc<ServerConfig>>,
}

/// What servers may send as their secret.
struct LinkSecrets {
    accepted: Vec<Secret<String>>,
    /// Whether it was told that somebody shows another one.
    told: AtomicBool,
}

impl LinkSecrets {
    /// Whether `candidate` is one of them; each is compared in constant time.
    fn opens(&self, candidate: &[u8]) -> bool {
        let Ok(candidate) = std::str::from_utf8(candidate) else {
            return false;
        };
        self.accepted
            .iter()
            .fold(false, |opens, secret| secret.matches(candidate) | opens)
    }

    /// Says once in a life that a server shows another secret: the commonest mistake of a first start.
    /// Whoever shows none is no server of ours.
    fn tell(&self, candidate: &[u8]) {
        if !candidate.is_empty() && !self.told.swap(true, Ordering::Relaxed) {
            warn!(
                "a server was refused: its INTERNAL_SECRET is not this gateway's; both sides need the same one"
            );
        }
    }
}

impl HttpDoor {
    /// For servers that send one of the `accepted` secrets, which stand between commas.
    pub(crate) fn new(config: &Config, accepted: &Secret<String>) -> Result<Self, ConfigError> {
        let accepted = accepted.expose().split(',');
        let secrets = accepted.map(|secret| Secret::new(secret.trim().to_owned()));
        Ok(Self {
            decoder: Arc::new(BodyDecoder::new(
                config.prefix_kept_bytes,
                config.gateway_body_bytes_max,
            )),
            secrets: Arc::new(LinkSecrets {
                accepted: secrets.collect(),
                told: AtomicBool::new(false),
            }),
            tls: config.tls()?,
        })
    }

    /// All routes of the gateway.
    pub(crate) fn routes(
        &self,
        generations: &Arc<GenerationContext>,
        providers: &Arc<ProviderList>,
    ) -> Route {
        let journal = &providers.journal;
        // Shared data is cloned for each request below it, so the way of calls has none.
        let mut inside = Route::new()
            .at("/health", get(health).post(warm).data(generations.clone()))
            .at(
                "/generations/:id/attach",
                post(attach).data(generations.clone()),
            )
            .at(
                "/generations/:id/finish",
                post(finish).data(generations.clone()),
            )
            .at("/events", get(follow_events).data(journal.clone()))
            .at("/events/journal", get(own_journal).data(journal.clone()));
        for surface in SURFACES {
            inside = inside.at(
                surface.path,
                OpenEndpoint {
                    generations: generations.clone(),
                    decoder: self.decoder.clone(),
                    surface,
                },
            );
        }
        // A boot id is letters, digits and an underscore.
        let boot = HeaderValue::try_from(generations.boot.as_str())
            .unwrap_or(HeaderValue::from_static(""));
        let inside = Guarded {
            inner: inside,
            secrets: self.secrets.clone(),
            boot: boot.clone(),
        };
        let admin = Guarded {
            inner: admin::routes(providers),
            secrets: self.secrets.clone(),
            boot,
        };
        let ready = get(readyz)
            .data(generations.clone())
            .data(providers.store.clone());
        Route::new()
            .at("/healthz", get(healthz))
            .at("/readyz", ready)
            .nest(wire::PREFIX, inside)
            .nest(wire::ADMIN_PREFIX, admin)
    }
}

/// Refuses before any body is read.
struct Guarded<E> {
    inner: E,
    secrets: Arc<LinkSecrets>,
    boot: HeaderValue,
}

impl<E: Endpoint> Endpoint for Guarded<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let secret = request.headers().get(wire::SECRET);
        let secret = secret.map(HeaderValue::as_bytes).unwrap_or_default();
        if !self.secrets.opens(secret) {
            self.secrets.tell(secret);
            return Ok(StatusCode::UNAUTHORIZED.into_response());
        }
        let mut response = self.inner.call(request).await?.into_response();
        // Also where something was refused: the server must know which life says so.
        response.headers_mut().insert(wire::BOOT, self.boot.clone());
        Ok(response)
    }
}

struct OpenEndpoint {
    generations: Arc<GenerationContext>,
    decoder: Arc<BodyDecoder>,
    surface: &'static Surface,
}

impl Endpoint for OpenEndpoint {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        if request.method() != http::Method::POST {
            return Ok(StatusCode::METHOD_NOT_ALLOWED.into_response());
        }
        let body = match read_body(&mut request, self.decoder.bytes_max()).await {
            Ok(body) => body,
            Err(status) => return Ok(status.into_response()),
        };
        let body = match self.decoder.decode(request.headers(), body).await {
            Ok(body) => body,
            Err(error) => return Ok(not_decoded(error)),
        };
        let call = match wire::read_call(self.surface, request.headers(), body) {
            Ok(call) => call,
            Err(sentence) => return Ok(bad(sentence)),
        };
        let (joining, coming) = match coming(request.headers()) {
            Ok(read) => read,
            Err(sentence) => return Ok(bad(sentence)),
        };
        for seen in &joining.seen {
            self.generations.register.seen(seen);
        }
        let generation = call.generation.clone();
        let opened = generations::open(&self.generations, call, coming, joining.life.as_ref());
        let way = (encoder(request.headers()), joining.offset);
        Ok(answer(&self.generations, opened.await, generation, way))
    }
}

/// How a server comes: from where on, and for how long it would come again.
fn coming(headers: &HeaderMap) -> Result<(Joining, Coming), String> {
    let joining = Joining::read(headers)?;
    let coming = Coming {
        offset: joining.offset,
        on_disconnect: OnDisconnect::Detaches,
        patience: wire::read_patience(headers)?,
    };
    Ok((joining, coming))
}

/// Lets the pieces wait for ticks, where that is asked for.
fn coalesce(mut reply: Reply, headers: &HeaderMap) -> Reply {
    let tick = headers.get(wire::GATHER).and_then(|ms| ms.to_str().ok());
    let Some(tick) = tick.and_then(|ms| ms.parse().ok()) else {
        return reply;
    };
    if let ReplyBody::Stream(pieces) = reply.body {
        let coalesced = Coalesced::new(pieces, Duration::from_millis(tick));
        reply.body = ReplyBody::Stream(Box::pin(coalesced));
    }
    reply
}

fn not_decoded(error: BodyDecodeError) -> Response {
    match error {
        BodyDecodeError::Missing => StatusCode::PRECONDITION_REQUIRED.into_response(),
        BodyDecodeError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        BodyDecodeError::Bad(sentence) => bad(sentence),
    }
}

/// For an answer to a server that reads this version of compression.
fn encoder(headers: &HeaderMap) -> Option<Box<Encoder>> {
    let version = headers.get(wire::CODEC)?.to_str().ok()?;
    if version.parse() != Ok(VERSION) {
        return None;
    }
    Encoder::new().ok().map(Box::new)
}

fn bad(sentence: String) -> Response {
    Response::builder()
        .status(StatusCode::BAD_REQUEST)
        .body(sentence)
}

/// The reply or why there is none.
fn answer(
    generations: &Arc<GenerationContext>,
    opened: Result<Reply, LinkError>,
    generation: GenerationId,
    way: (Option<Box<Encoder>>, u64),
) -> Response {
    match opened {
        Ok(reply) => respond(generations, reply, generation, way),
        Err(LinkError::Failed(failure)) => failed(&failure),
        Err(LinkError::Refused(sentence)) => Response::builder()
            .status(StatusCode::CONFLICT)
            .body(sentence),
        Err(LinkError::NotSent(why)) => Response::builder()
            .status(StatusCode::SERVICE_UNAVAILABLE)
            .header(wire::NOT_STARTED, "1")
            .body(why),
        Err(LinkError::Lost(why)) => Response::builder().status(StatusCode::GONE).body(why),
    }
}

async fn read_body(request: &mut Request, bytes_max: usize) -> Result<Bytes, StatusCode> {
    let reading = request.take_body().into_bytes_limit(bytes_max);
    match tokio::time::timeout(BODY_READ_MAX, reading).await {
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(poem::error::ReadBodyError::PayloadTooLarge)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
    }
}

fn respond(
    generations: &Arc<GenerationContext>,
    reply: Reply,
    generation: GenerationId,
    (mut encoder, position): (Option<Box<Encoder>>, u64),
) -> Response {
    let mut response = Response::default();
    let headers = response.headers_mut();
    let mut put = |name, text: &str| {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    };
    put(CONTENT_TYPE, &reply.content_type);
    put(wire::GENERATION, generation.as_str());
    if let Some(dropped) = wire::write_dropped(&reply.dropped) {
        headers.insert(wire::DROPPED, dropped);
    }
    match reply.body {
        ReplyBody::Whole { bytes, outcome } => {
            headers.insert(wire::OUTCOME, header(&outcome));
            let small = encoder.as_mut().map(|encoder| encoder.encode(&bytes));
            let bytes = match small {
                Some(Ok(small)) if small.len() < bytes.len() => {
                    headers.insert(wire::CODEC, HeaderValue::from_static("1"));
                    small
                }
                // Too large for one piece, or nothing is saved.
                Some(_) | None => bytes,
            };
            let body = WholeBody::new(generations, generation, bytes);
            response.set_body(poem::Body::from(BoxBody::new(body)));
        }
        ReplyBody::Stream(pieces) => {
            headers.insert(
                TRAILER,
                HeaderValue::from_static("x-waule-outcome, x-waule-length"),
            );
            if encoder.is_some() {
                headers.insert(wire::CODEC, HeaderValue::from_static("1"));
            }
            let body = PieceBody::new(pieces, encoder, position);
            response.set_body(poem::Body::from(BoxBody::new(body)));
        }
    }
    response
}

fn failed(failure: &Failure) -> Response {
    let status = match failure.fault.kind {
        FaultKind::BadRequest | FaultKind::ContentPolicy | FaultKind::EndUserBlocked => {
            StatusCode::BAD_REQUEST
        }
        FaultKind::NotFound => StatusCode::NOT_FOUND,
        FaultKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        FaultKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        FaultKind::NoCapacity | FaultKind::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
        FaultKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        FaultKind::InvalidKey
        | FaultKind::QuotaExhausted
        | FaultKind::Unreachable
        | FaultKind::Interrupted
        | FaultKind::InvalidAnswer
        | FaultKind::Canceled => StatusCode::BAD_GATEWAY,
    };
    let mut response = json(status, failure);
    response
        .headers_mut()
        .insert(wire::FAILURE, HeaderValue::from_static("1"));
    response
}

pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    Response::builder()
        .status(status)
        .content_type("application/json")
        .body(bytes)
}

type Shared<'a> = Data<&'a Arc<GenerationContext>>;

#[handler]
fn healthz() -> &'static str {
    "alive"
}

#[handler]
async fn readyz(generations: Shared<'_>, store: Data<&Store>) -> Response {
    if generations.supervisor.leaving().is_cancelled() {
        return Response::builder()
            .status(StatusCode::SERVICE_UNAVAILABLE)
            .body("draining");
    }
    match store.ping().await {
        // Calls go on without the journal: what it can't keep is known to this process.
        Ok(()) => match generations.outcomes.broken() {
            None => "ready".into_response(),
            Some(why) => format!("ready, but {why}").into_response(),
        },
        Err(_) => Response::builder()
            .status(StatusCode::SERVICE_UNAVAILABLE)
            .body("the database does not answer"),
    }
}

#[handler]
fn health(generations: Shared<'_>) -> Response {
    json(StatusCode::OK, &alive(&generations.boot))
}

/// Takes what is sent only to keep a connection's window open.
#[handler]
async fn warm(body: poem::Body) -> StatusCode {
    match body.into_bytes_limit(WARM_BYTES_MAX).await {
        Ok(_) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::PAYLOAD_TOO_LARGE,
    }
}

/// Takes as long as the provider's count is waited for, where the tenant left.
#[handler]
async fn finish(
    generations: Shared<'_>,
    Path(id): Path<String>,
    Query(asked): Query<wire::Finish>,
) -> Response {
    match id.parse::<GenerationId>() {
        Ok(id) => {
            let status = generations::cancel(&generations, &id, asked.why, true).await;
            json(StatusCode::OK, &status)
        }
        Err(error) => bad(error.to_string()),
    }
}

#[handler]
async fn attach(generations: Shared<'_>, Path(id): Path<String>, headers: &HeaderMap) -> Response {
    let id = match id.parse::<GenerationId>() {
        Ok(id) => id,
        Err(error) => return bad(error.to_string()),
    };
    match coming(headers) {
        Ok((joining, coming)) => {
            let attached = generations::attach(&generations, &id, coming);
            let attached = attached.await.map(|reply| coalesce(reply, headers));
            answer(
                &generations,
                attached,
                id,
                (encoder(headers), joining.offset),
            )
        }
        Err(sentence) => bad(sentence),
    }
}

#[handler]
async fn own_journal(journal: Data<&Arc<Journal>>) -> Response {
    match Events(journal.0.clone()).journal().await {
        Ok(id) => json(StatusCode::OK, &id),
        Err(error) => unavailable(&error),
    }
}

#[derive(Deserialize)]
struct From {
    journal: String,
    after: i64,
}

/// One event a line, as they happen.
#[handler]
async fn follow_events(journal: Data<&Arc<Journal>>, Query(from): Query<From>) -> Response {
    let followed = match from.journal.parse::<JournalId>() {
        Ok(id) => id,
        Err(error) => return bad(format!("journal: {error}")),
    };
    match Events(journal.0.clone())
        .follow(&followed, from.after)
        .await
    {
        Ok(events) => {
            let line = |event: Result<Event, LinkError>| {
                let mut line = serde_json::to_vec(&event.map_err(io::Error::other)?)?;
                line.push(b'\n');
                Ok::<_, io::Error>(line)
            };
            poem::Body::from_bytes_stream(events.map(line))
                .with_content_type("application/x-ndjson")
                .into_response()
        }
        Err(LinkError::Refused(sentence)) => Response::builder()
            .status(StatusCode::CONFLICT)
            .body(sentence),
        Err(error) => unavailable(&error),
    }
}

fn unavailable(error: &LinkError) -> Response {
    Response::builder()
        .status(StatusCode::SERVICE_UNAVAILABLE)
        .body(error.to_string())
}
