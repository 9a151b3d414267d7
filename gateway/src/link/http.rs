//! The door over HTTP/1.1 and HTTP/2: checks the secret, reads a call from its headers, writes the
//! reply with its outcome. The only poem here; holds no rule of generations.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http::header::{CONTENT_TYPE, TRAILER};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::combinators::BoxBody;
use poem::web::{Data, Path, Query};
use poem::{
    Endpoint, EndpointExt, IntoResponse, Request, Response, Route, get, handler, patch, post,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use shared::fault::FaultKind;
use shared::id::{GenerationId, JournalId, ProviderKeyId};
use shared::link::codec::{Encoder, VERSION};
use shared::link::events::{Event, EventSource};
use shared::link::wire::{self, Joining};
use shared::link::{AdminError, Failure, InvalidField, LinkError, ProviderAdmin, Reply, ReplyBody};
use shared::surface::{SURFACES, Surface};

use super::body::{PieceBody, WholeBody, header};
use super::body_decoder::BodyDecodeError;
use super::coalesce::Coalesced;
use crate::Gateway;
use crate::events::Events;
use crate::generations::{self, Coming, OnDisconnect};

/// A server that takes longer to send a body is cut off.
const BODY_READ_MAX: Duration = Duration::from_secs(60);
/// More than servers send to keep a connection warm.
const WARM_BYTES_MAX: usize = 64 * 1024;
/// Operators' requests are small.
const ADMIN_BYTES_MAX: usize = 64 * 1024;

/// All routes of the gateway.
pub(crate) fn routes(gateway: &Arc<Gateway>) -> Route {
    let mut inside = Route::new()
        .at("/health", get(health).post(warm))
        .at("/generations/:id/attach", post(attach))
        .at("/generations/:id/finish", post(finish))
        .at("/events", get(follow_events))
        .at("/events/journal", get(own_journal));
    for surface in SURFACES {
        inside = inside.at(
            surface.path,
            OpenEndpoint {
                gateway: gateway.clone(),
                surface,
            },
        );
    }
    let admin = Route::new()
        .at("/facts", get(facts))
        .at("/providers", get(list_providers).post(create_provider))
        .at(
            "/providers/:name",
            patch(update_provider).delete(delete_provider),
        )
        .at("/providers/:name/keys", get(list_keys).post(create_key))
        .at(
            "/providers/:name/keys/:key",
            patch(update_key).delete(delete_key),
        )
        .at("/providers/:name/keys/:key/test", post(test_key));
    // A boot id is letters, digits and an underscore.
    let boot = HeaderValue::try_from(gateway.boot.as_str()).unwrap_or(HeaderValue::from_static(""));
    let guard = |gateway: Arc<Gateway>| {
        move |request: &Request| {
            gateway.opens(
                request
                    .headers()
                    .get(wire::SECRET)
                    .map(HeaderValue::as_bytes)
                    .unwrap_or_default(),
            )
        }
    };
    let inside = Guarded {
        inner: inside.data(gateway.clone()),
        opens: guard(gateway.clone()),
        boot: boot.clone(),
    };
    let admin = Guarded {
        inner: admin.data(gateway.clone()),
        opens: guard(gateway.clone()),
        boot,
    };
    Route::new()
        .at("/healthz", get(healthz))
        .at("/readyz", get(readyz).data(gateway.clone()))
        .nest(wire::PREFIX, inside)
        .nest(wire::ADMIN_PREFIX, admin)
}

/// Refuses before any body is read.
struct Guarded<E, F> {
    inner: E,
    opens: F,
    boot: HeaderValue,
}

impl<E: Endpoint, F: Fn(&Request) -> bool + Send + Sync> Endpoint for Guarded<E, F> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if !(self.opens)(&request) {
            return Ok(StatusCode::UNAUTHORIZED.into_response());
        }
        let mut response = self.inner.call(request).await?.into_response();
        // Also where something was refused: the server must know which life says so.
        response.headers_mut().insert(wire::BOOT, self.boot.clone());
        Ok(response)
    }
}

struct OpenEndpoint {
    gateway: Arc<Gateway>,
    surface: &'static Surface,
}

impl Endpoint for OpenEndpoint {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        if request.method() != http::Method::POST {
            return Ok(StatusCode::METHOD_NOT_ALLOWED.into_response());
        }
        let body = match read_body(&mut request, self.gateway.body_bytes_max).await {
            Ok(body) => body,
            Err(status) => return Ok(status.into_response()),
        };
        let body = match self.gateway.decoder.decode(request.headers(), body).await {
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
            self.gateway.register.seen(seen);
        }
        let generation = call.generation.clone();
        let opened = generations::open(&self.gateway, call, coming, joining.life.as_ref());
        let encoder = encoder(request.headers());
        Ok(answer(&self.gateway, opened.await, generation, encoder))
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
    gateway: &Arc<Gateway>,
    opened: Result<Reply, LinkError>,
    generation: GenerationId,
    encoder: Option<Box<Encoder>>,
) -> Response {
    match opened {
        Ok(reply) => respond(gateway, reply, generation, encoder),
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
    gateway: &Arc<Gateway>,
    reply: Reply,
    generation: GenerationId,
    mut encoder: Option<Box<Encoder>>,
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
            let body = WholeBody::new(gateway, generation, bytes);
            response.set_body(poem::Body::from(BoxBody::new(body)));
        }
        ReplyBody::Stream(pieces) => {
            headers.insert(TRAILER, HeaderValue::from_static("x-waule-outcome"));
            if encoder.is_some() {
                headers.insert(wire::CODEC, HeaderValue::from_static("1"));
            }
            let body = PieceBody::new(pieces, encoder);
            response.set_body(poem::Body::from(BoxBody::new(body)));
        }
    }
    response
}

fn failed(failure: &Failure) -> Response {
    let status = match failure.fault.kind {
        FaultKind::BadRequest | FaultKind::ContentPolicy => StatusCode::BAD_REQUEST,
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

fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    Response::builder()
        .status(status)
        .content_type("application/json")
        .body(bytes)
}

type Shared<'a> = Data<&'a Arc<Gateway>>;

#[handler]
fn healthz() -> &'static str {
    "alive"
}

#[handler]
async fn readyz(gateway: Shared<'_>) -> Response {
    if gateway.supervisor.leaving().is_cancelled() {
        return Response::builder()
            .status(StatusCode::SERVICE_UNAVAILABLE)
            .body("draining");
    }
    match gateway.store.ping().await {
        // Calls go on without the journal: what it can't keep is known to this process.
        Ok(()) => match gateway.outcomes.broken() {
            None => "ready".into_response(),
            Some(why) => format!("ready, but {why}").into_response(),
        },
        Err(_) => Response::builder()
            .status(StatusCode::SERVICE_UNAVAILABLE)
            .body("the database does not answer"),
    }
}

#[handler]
fn health(gateway: Shared<'_>) -> Response {
    json(StatusCode::OK, &gateway.alive())
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
    gateway: Shared<'_>,
    Path(id): Path<String>,
    Query(asked): Query<wire::Finish>,
) -> Response {
    match id.parse::<GenerationId>() {
        Ok(id) => {
            let status = generations::cancel(&gateway, &id, asked.why, true).await;
            json(StatusCode::OK, &status)
        }
        Err(error) => bad(error.to_string()),
    }
}

#[handler]
async fn attach(gateway: Shared<'_>, Path(id): Path<String>, headers: &HeaderMap) -> Response {
    let id = match id.parse::<GenerationId>() {
        Ok(id) => id,
        Err(error) => return bad(error.to_string()),
    };
    match coming(headers) {
        Ok((_, coming)) => {
            let attached = generations::attach(&gateway, &id, coming);
            let attached = attached.await.map(|reply| coalesce(reply, headers));
            answer(&gateway, attached, id, encoder(headers))
        }
        Err(sentence) => bad(sentence),
    }
}

#[handler]
async fn own_journal(gateway: Shared<'_>) -> Response {
    match Events(gateway.0.clone()).journal().await {
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
async fn follow_events(gateway: Shared<'_>, Query(from): Query<From>) -> Response {
    let journal = match from.journal.parse::<JournalId>() {
        Ok(journal) => journal,
        Err(error) => return bad(format!("journal: {error}")),
    };
    match Events(gateway.0.clone()).follow(&journal, from.after).await {
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

fn answered<T: Serialize>(status: StatusCode, outcome: Result<T, AdminError>) -> Response {
    match outcome {
        Ok(value) => json(status, &value),
        Err(error) => {
            let status = match error {
                AdminError::NotFound => StatusCode::NOT_FOUND,
                AdminError::Duplicate => StatusCode::CONFLICT,
                AdminError::Invalid(_) => StatusCode::BAD_REQUEST,
                AdminError::Unreachable(_) | AdminError::Unanswered(_) => StatusCode::BAD_GATEWAY,
                AdminError::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            };
            json(status, &error)
        }
    }
}

async fn read_json<T: DeserializeOwned>(body: poem::Body) -> Result<T, AdminError> {
    let bytes = body.into_bytes_limit(ADMIN_BYTES_MAX).await;
    let refused = |sentence| {
        AdminError::Invalid(InvalidField {
            field: String::new(),
            rule: sentence,
        })
    };
    let bytes = bytes.map_err(|_| refused("the body can't be read or is too large".to_owned()))?;
    serde_json::from_slice(&bytes).map_err(|error| refused(error.to_string()))
}

fn key_id(text: &str) -> Result<ProviderKeyId, AdminError> {
    text.parse().map_err(|_| AdminError::NotFound)
}

#[handler]
async fn facts(gateway: Shared<'_>) -> Response {
    answered(StatusCode::OK, gateway.facts().await)
}

#[handler]
async fn list_providers(gateway: Shared<'_>) -> Response {
    answered(StatusCode::OK, gateway.providers().await)
}

#[handler]
async fn create_provider(gateway: Shared<'_>, body: poem::Body) -> Response {
    let made = async { gateway.create_provider(read_json(body).await?).await };
    answered(StatusCode::CREATED, made.await)
}

#[handler]
async fn update_provider(
    gateway: Shared<'_>,
    Path(name): Path<String>,
    body: poem::Body,
) -> Response {
    let changed = async { gateway.update_provider(&name, read_json(body).await?).await };
    answered(StatusCode::OK, changed.await)
}

#[handler]
async fn delete_provider(gateway: Shared<'_>, Path(name): Path<String>) -> Response {
    answered(StatusCode::OK, gateway.delete_provider(&name).await)
}

#[handler]
async fn list_keys(gateway: Shared<'_>, Path(name): Path<String>) -> Response {
    answered(StatusCode::OK, gateway.provider_keys(&name).await)
}

#[handler]
async fn create_key(gateway: Shared<'_>, Path(name): Path<String>, body: poem::Body) -> Response {
    let made = async {
        gateway
            .create_provider_key(&name, read_json(body).await?)
            .await
    };
    answered(StatusCode::CREATED, made.await)
}

#[handler]
async fn update_key(
    gateway: Shared<'_>,
    Path((name, key)): Path<(String, String)>,
    body: poem::Body,
) -> Response {
    let changed = async {
        gateway
            .update_provider_key(&name, &key_id(&key)?, read_json(body).await?)
            .await
    };
    answered(StatusCode::OK, changed.await)
}

#[handler]
async fn delete_key(gateway: Shared<'_>, Path((name, key)): Path<(String, String)>) -> Response {
    let gone = async { gateway.delete_provider_key(&name, &key_id(&key)?).await };
    answered(StatusCode::OK, gone.await)
}

#[handler]
async fn test_key(
    gateway: Shared<'_>,
    Path((name, key)): Path<(String, String)>,
    Query(how): Query<wire::KeyTrial>,
) -> Response {
    let model = how.model.as_deref();
    let tested = async {
        gateway
            .test_provider_key(&name, &key_id(&key)?, model)
            .await
    };
    answered(StatusCode::OK, tested.await)
}
