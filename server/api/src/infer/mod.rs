//! Inference endpoints: authenticate, admit, then read the body's bytes, call, pass bytes back as they
//! come.
//! Typed bodies would cost twice the time (docs/decisions/bytes-pass), so these routes are plain poem; their
//! documentation is `openapi`.

pub mod openapi;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use poem::{Endpoint, IntoResponse, Request, Response, Route};
use server_calls::{Answer, CallError, Calls, EarlyAnswer, Started};
use server_edge::doors::address::peer;
use server_edge::doors::body::{self, BodyError, Bounds, Upload};
use server_rooms::auth::Auth;
use shared::dialect::body::Body;
use shared::dialect::{Dialect, Head};
use shared::id::RequestId;
use shared::surface::{BodyFormat, Surface};
use tracing::{Instrument, info_span};

use super::call_error::waiting_cures;
use super::error::{self, ApiError, InDialect};
use super::manners::body::plain;

/// A client that takes longer to send its body is cut off.
const BODY_READ_MAX: Duration = Duration::from_secs(60);

/// The maximum of output tokens that was passed on, when it was lowered.
const MAX_TOKENS: HeaderName = HeaderName::from_static("x-waule-max-tokens");
/// Tells OpenAI's clients not to send again what waiting can't cure.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
/// The generation's id, as usage records show it.
const GENERATION: HeaderName = HeaderName::from_static("x-waule-generation");
/// Tells nginx not to gather events (nginx, `proxy_buffering`).
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// What the inference routes need.
#[derive(Debug, Clone)]
pub struct InferApi {
    /// Who asks.
    pub auth: Auth,
    /// The work.
    pub calls: Calls,
    /// Bound of a request's body.
    pub body_bytes_max: usize,
}

impl InferApi {
    /// Adds the routes of these surfaces.
    pub fn mount(
        self,
        routes: Route,
        prefix: &str,
        surfaces: &'static [&'static Surface],
    ) -> Route {
        surfaces.iter().fold(routes, |routes, surface| {
            let endpoint = InferEndpoint {
                api: self.clone(),
                surface,
            };
            routes.at(format!("{prefix}{}", surface.path), endpoint)
        })
    }
}

/// Gives a refusal on a surface the shape of its dialect where whoever refused did not know of it.
pub(super) async fn shaped<E: Endpoint>(
    endpoint: E,
    request: Request,
    prefix: &str,
    surfaces: &[&Surface],
) -> poem::Result<Response> {
    let below = request
        .uri()
        .path()
        .strip_prefix(prefix)
        .unwrap_or_default();
    let surface = surfaces.iter().find(|surface| surface.path == below);
    let dialect = surface.map(|surface| surface.dialect);
    let response = endpoint.call(request).await?.into_response();
    let is_refusal = response.status().is_client_error() || response.status().is_server_error();
    match dialect {
        Some(dialect) if is_refusal && response.extensions().get::<InDialect>().is_none() => {
            Ok(error::reshaped(response, dialect).await)
        }
        Some(_) | None => Ok(response),
    }
}

struct InferEndpoint {
    api: InferApi,
    surface: &'static Surface,
}

impl Endpoint for InferEndpoint {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let id = request
            .extensions()
            .get::<RequestId>()
            .cloned()
            .unwrap_or_else(RequestId::random);
        let span = info_span!("call", request.id = %id, tenant.id = tracing::field::Empty);
        Ok(self
            .answer(request, id)
            .instrument(span)
            .await
            .unwrap_or_else(|refusal| *refusal))
    }
}

impl InferEndpoint {
    async fn answer(&self, mut request: Request, id: RequestId) -> Result<Response, Box<Response>> {
        let dialect = self.surface.dialect;
        let refused = |error: ApiError| Box::new(error.in_dialect(dialect));
        if request.method() != Method::POST {
            return Err(refused(ApiError::method_not_allowed()));
        }
        let peer = peer(&request);
        let principal = self
            .api
            .auth
            .authenticate(request.headers(), peer)
            .await
            .map_err(|e| refused(e.into()))?;
        tracing::Span::current().record("tenant.id", principal.tenant.as_str());
        let admitted = self.api.calls.admit(&principal).await;
        let admitted = admitted.map_err(|error| Box::new(refusal(error, dialect)))?;
        let own_max = self.surface.body_bytes_max.unwrap_or(usize::MAX);
        let most = self.api.body_bytes_max.min(own_max);
        let mut body = read_body(&request, most).await.map_err(refused)?;
        if let Some(upload) = request.extensions().get::<Upload>().cloned() {
            let budget = upload.budget();
            body = plain(request.headers_mut(), body, most, budget)
                .await
                .map_err(refused)?;
        }
        let body = match self.surface.input {
            BodyFormat::Json => Body::Json(body),
            BodyFormat::Form => Body::of(request.content_type(), body)
                .map_err(|error| Box::new(refusal(error.into(), dialect)))?,
        };
        let call = server_calls::Request {
            principal: Arc::clone(&principal),
            request: id,
            surface: self.surface,
            head: head(dialect, request.headers()).map_err(refused)?,
            body,
        };
        let patience = Some(stream::HEAD_WITHIN);
        match self
            .api
            .calls
            .start_admitted(call, admitted, patience)
            .await
        {
            Ok(started) => Ok(respond(started, dialect)),
            Err(error) => Err(Box::new(refusal(error, dialect))),
        }
    }
}

/// What of a request its dialect reads beside the body.
fn head(dialect: &dyn Dialect, headers: &HeaderMap) -> Result<Head, ApiError> {
    let mut head = Head::default();
    let mut bytes = 0;
    for name in dialect.headers() {
        // Several lines of one are one list (RFC 9110, 5.3).
        let values: Option<Vec<&str>> = headers
            .get_all(*name)
            .iter()
            .map(|v| v.to_str().ok())
            .collect();
        let value = values
            .ok_or_else(|| ApiError::bad_field(name, format!("The header `{name}` is no text.")))?
            .join(",");
        bytes += name.len() + value.len();
        if bytes > Head::HEADERS_BYTES_MAX {
            return Err(ApiError::bad_field(
                name,
                format!("The header `{name}` is too long."),
            ));
        }
        if !value.is_empty() {
            head.headers.push(((*name).to_owned(), value));
        }
    }
    Ok(head)
}

/// The whole body, bounded in size and time.
async fn read_body(request: &Request, bytes_max: usize) -> Result<Bytes, ApiError> {
    let bounds = Bounds {
        bytes: bytes_max,
        time: BODY_READ_MAX,
    };
    Ok(body::read(request, bounds).await?)
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge(bytes_max) => Self::too_large(bytes_max),
            BodyError::Slow => Self::request_timeout(),
            BodyError::Unreadable => {
                Self::bad_request("unreadable_body", "The body could not be read to its end.")
            }
            BodyError::Busy => Self::unavailable("Too many large requests at once; try again.", 1),
        }
    }
}

/// A limit that was hit shows its state, as OpenAI's 429 does.
fn refusal(error: CallError, dialect: &dyn Dialect) -> Response {
    let info = if let CallError::Limited(exceeded) = &error {
        Some(exceeded.info)
    } else {
        None
    };
    let is_final = !waiting_cures(&error);
    let mut response = ApiError::from(error).in_dialect(dialect);
    if is_final {
        let no = HeaderValue::from_static("false");
        response.headers_mut().insert(SHOULD_RETRY, no);
    }
    if let Some(info) = info {
        response.headers_mut().extend(info.headers());
    }
    response
}

fn respond(started: Started<EarlyAnswer>, dialect: &'static dyn Dialect) -> Response {
    let mut response = Response::default();
    let headers = response.headers_mut();
    headers.extend(started.limits.headers());
    if let Ok(value) = HeaderValue::try_from(started.content_type) {
        headers.insert(CONTENT_TYPE, value);
    }
    if let Ok(value) = HeaderValue::try_from(started.generation.as_str()) {
        headers.insert(GENERATION, value);
    }
    if let Some(tokens) = started.lowered_max_tokens {
        headers.insert(MAX_TOKENS, HeaderValue::from(tokens));
    }
    match started.body {
        EarlyAnswer::Answered(Answer::Whole(bytes)) => response.set_body(bytes),
        begun @ (EarlyAnswer::Answered(Answer::Stream(_)) | EarlyAnswer::Later(_)) => {
            headers.insert(
                CACHE_CONTROL,
                HeaderValue::from_static("no-cache, no-transform"),
            );
            headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
            response.set_body(stream::body(begun, dialect));
        }
    }
    response
}
