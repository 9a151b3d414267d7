//! Inference endpoints: authenticate, admit, then read the body's bytes, call, pass bytes back as they
//! come. Beside them what is only asked about a call: tokens and costs.
//! Typed bodies would cost twice the time (docs/decisions/bytes-pass), so these routes are plain poem; their
//! documentation is `openapi`.

mod array;
mod end_user;
mod lifecycle;
mod max_cost;
pub mod openapi;
pub mod places;
mod question;
mod route;
pub(crate) mod state;
mod stream;
mod told;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method};
use poem::{Endpoint, IntoResponse, Request, Response, Route};
use server_calls::{Admitted, Answer, CallError, Calls, EarlyAnswer, Started};
use server_edge::doors::address::peer;
use server_edge::doors::body::{self, BodyError, Bounds, Upload};
use server_rooms::auth::{Auth, Principal};
use server_rooms::kept::{KeepError, Keeping};
use shared::dialect::body::Body;
use shared::dialect::{ApiFamily, Dialect, Head};
use shared::id::RequestId;
use shared::link::wire;
use shared::surface::{BodyFormat, Surface, TenantPath};
use tracing::{Instrument, info_span};

use self::places::{Asks, Places};
use self::question::{ESTIMATE, EstimateEndpoint};
use self::state::{KeptCall, Plan, Stateful};
use self::told::ReadCall;
use super::PREFIX;
use super::call_error::waiting_cures;
use super::error::{self, ApiError, InDialect};
use super::kept::completions;
use super::manners::address::InPath;
use super::manners::body::plain;

/// A client that takes longer to send its body is cut off.
const BODY_READ_MAX: Duration = Duration::from_secs(60);

/// The maximum of output tokens that was passed on, when it was lowered.
const MAX_TOKENS: HeaderName = HeaderName::from_static("x-waule-max-tokens");
/// Tells OpenAI's clients not to send again what waiting can't cure.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
/// The generation's id, as usage records show it.
const GENERATION: HeaderName = HeaderName::from_static("x-waule-generation");
/// Anthropic's name for the request's id.
const ANTHROPIC_REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
/// Tells nginx not to gather events (nginx, `proxy_buffering`).
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Of a stream that is one array.
const ARRAY: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// What the inference routes need.
#[derive(Debug, Clone)]
pub struct InferApi {
    /// Who asks.
    pub auth: Auth,
    /// The work.
    pub calls: Calls,
    /// What is kept.
    pub keeping: Keeping,
    /// Bound of a request's body.
    pub body_bytes_max: usize,
}

impl InferApi {
    /// Adds the routes of these surfaces.
    pub fn mount(
        self,
        routes: Route,
        places: &Places,
        surfaces: &'static [&'static Surface],
    ) -> Route {
        let estimate = EstimateEndpoint::new(self.clone(), surfaces);
        let routes = routes.at(format!("{PREFIX}{ESTIMATE}"), estimate);
        places.all().iter().fold(routes, |routes, place| {
            let endpoint = InferEndpoint {
                api: self.clone(),
                surface: place.surface,
                asks: place.asks,
                stateful: Stateful::of(place.surface),
            };
            routes.at(&place.path, endpoint)
        })
    }

    /// Lets a request in, then reads what it brings for a surface; its body too where `is_call`, since a
    /// question is read otherwise.
    async fn enter(
        &self,
        request: &mut Request,
        (surface, is_call): (&'static Surface, bool),
    ) -> Result<Entered, Refused> {
        let peer = peer(request);
        let principal = self.auth.authenticate(request.headers(), peer).await;
        let principal = principal.map_err(ApiError::from)?;
        tracing::Span::current().record("tenant.id", principal.tenant.as_str());
        let admitted = self.calls.admit(&principal).await?;
        let own_max = surface.body_bytes_max.unwrap_or(usize::MAX);
        let most = self.body_bytes_max.min(own_max);
        let mut body = read_body(request, most).await?;
        if let Some(upload) = request.extensions().get::<Upload>().cloned() {
            let budget = upload.budget();
            body = plain(request.headers_mut(), body, most, budget).await?;
        }
        let body = match surface.input {
            BodyFormat::Json => Body::Json(body),
            BodyFormat::Form | BodyFormat::FormOrJson => {
                Body::of(request.content_type(), body).map_err(CallError::Body)?
            }
        };
        let head = head(surface.dialect, request);
        let read = head.as_ref().ok().filter(|_| is_call);
        let read = read.and_then(|head| surface.dialect.read(head, &body).ok());
        let told = ReadCall::of(request.headers(), (body, read), surface)?;
        let end_user = end_user::told(request.headers())?;
        Ok(Entered {
            principal,
            admitted,
            head: head?,
            told,
            end_user,
        })
    }
}

/// A request that was let in, and what it brings.
struct Entered {
    principal: Arc<Principal>,
    admitted: Admitted,
    head: Head,
    told: ReadCall,
    end_user: Option<String>,
}

/// Why a request is not answered.
enum Refused {
    /// By the edge.
    Edge(Box<ApiError>),
    /// By the work itself.
    Call(Box<CallError>),
}

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Self {
        Self::Edge(Box::new(error))
    }
}

impl From<CallError> for Refused {
    fn from(error: CallError) -> Self {
        Self::Call(Box::new(error))
    }
}

impl Refused {
    fn in_dialect(self, dialect: &dyn Dialect) -> Response {
        match self {
            Self::Edge(error) => error.in_dialect(dialect),
            Self::Call(error) => refusal(*error, dialect),
        }
    }
}

/// Gives a refusal on a surface the shape of its dialect where whoever refused did not know of it, and each
/// answer the headers that clients of its family look for.
pub(super) async fn shaped<E: Endpoint>(
    endpoint: E,
    request: Request,
    places: Arc<Places>,
) -> poem::Result<Response> {
    let Some(dialect) = places.dialect(&request) else {
        return endpoint
            .call(request)
            .await
            .map(IntoResponse::into_response);
    };
    let own_id = (dialect.family() == ApiFamily::Anthropic)
        .then(|| request.extensions().get::<RequestId>().cloned())
        .flatten();
    let mut response = endpoint.call(request).await?.into_response();
    let is_refusal = response.status().is_client_error() || response.status().is_server_error();
    if is_refusal && response.extensions().get::<InDialect>().is_none() {
        response = error::reshaped(response, dialect).await;
    }
    let own_id = own_id.and_then(|id| HeaderValue::try_from(id.as_str()).ok());
    if let Some(id) = own_id {
        response.headers_mut().insert(ANTHROPIC_REQUEST_ID, id);
    }
    Ok(response)
}

struct InferEndpoint {
    api: InferApi,
    surface: &'static Surface,
    asks: Asks,
    stateful: Option<Stateful>,
}

impl Endpoint for InferEndpoint {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let dialect = self.surface.dialect;
        let id = id_of(&request);
        let span = info_span!("call", request.id = %id, tenant.id = tracing::field::Empty);
        let answered = match self.asks {
            Asks::Answer => self.answer(request, id).instrument(span).await,
            Asks::Count => self.count(request).instrument(span).await,
        };
        Ok(answered.unwrap_or_else(|refused| refused.in_dialect(dialect)))
    }
}

/// The request's id, given or new.
fn id_of(request: &Request) -> RequestId {
    let id = request.extensions().get::<RequestId>();
    id.cloned().unwrap_or_else(RequestId::random)
}

impl InferEndpoint {
    /// Lets a request in, and reads what it brings.
    async fn enter(&self, request: &mut Request, is_call: bool) -> Result<Entered, Refused> {
        if request.method() != Method::POST {
            return Err(ApiError::method_not_allowed().into());
        }
        let entered = self.api.enter(request, (self.surface, is_call)).await?;
        let names_model = matches!(self.surface.at, TenantPath::Model { .. });
        if names_model && entered.head.model.is_none() {
            // Somebody wrote the route itself, which is no address of a model.
            return Err(ApiError::no_path().into());
        }
        Ok(entered)
    }

    async fn answer(&self, mut request: Request, id: RequestId) -> Result<Response, Refused> {
        if request.method() == Method::GET && self.stateful == Some(Stateful::Chat) {
            let (auth, keeping) = (&self.api.auth, &self.api.keeping);
            return Ok(completions::listed(auth, keeping, &request).await?);
        }
        let mut entered = self.enter(&mut request, true).await?;
        let plan = match self.stateful {
            // What nobody keeps costs nothing.
            Some(stateful) if entered.principal.keep_days.is_some() => {
                self.api.plan(&mut entered, stateful).await?
            }
            _ => Plan::Plain,
        };
        let as_array = is_array(self.surface.dialect, &entered.head, request.uri().query());
        let call = server_calls::Request {
            principal: entered.principal,
            request: id,
            surface: self.surface,
            head: entered.head,
            body: entered.told.body,
            asked: entered.told.asked,
            max_cost: entered.told.max_cost,
            route: entered.told.route,
            end_user: entered.end_user,
        };
        let too_large = matches!(plan, Plan::TooLarge);
        let kept = match plan {
            Plan::Plain | Plan::TooLarge => None,
            Plan::Keep(kept) => Some(*kept),
            Plan::Later(kept, is_stream) => {
                let later = (call, entered.admitted);
                return self.api.begin_later(later, *kept, is_stream).await;
            }
        };
        let (calls, patience) = (&self.api.calls, Some(stream::HEAD_WITHIN));
        let started = calls.start_admitted(call, entered.admitted, patience).await;
        let mut response = respond(started?, self.surface.dialect, (as_array, kept)).await;
        if too_large {
            let most = self.api.keeping.bounds().item_bytes;
            state::tell(&mut response, &KeepError::TooLarge(most));
        }
        Ok(response)
    }
}

/// Whether a stream that a path asks for is to come as one JSON array: nothing in its query asks for events.
fn is_array(dialect: &dyn Dialect, head: &Head, query: Option<&str>) -> bool {
    let Some(pair) = dialect.events_asked_by() else {
        return false;
    };
    let asks = query.is_some_and(|query| query.split('&').any(|one| one == pair));
    head.stream == Some(true) && !asks
}

/// What of a request its dialect reads beside the body.
fn head(dialect: &dyn Dialect, request: &mut Request) -> Result<Head, ApiError> {
    let in_path = request.extensions_mut().remove::<InPath>();
    let InPath { model, stream } = in_path.unwrap_or_default();
    let mut head = Head {
        model,
        stream,
        headers: Vec::new(),
    };
    let mut bytes = 0;
    for name in dialect.headers() {
        // Several lines of one are one list (RFC 9110, 5.3).
        let values: Option<Vec<&str>> = request
            .headers()
            .get_all(*name)
            .iter()
            .map(|v| v.to_str().ok())
            .collect();
        let value = values
            .ok_or_else(|| {
                ApiError::bad_field(name, format!("The header `{name}` is not valid text."))
            })?
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
            BodyError::Unreadable => Self::bad_request(
                "unreadable_body",
                "The request body could not be read completely.",
            ),
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

async fn respond(
    started: Started<EarlyAnswer>,
    dialect: &'static dyn Dialect,
    (as_array, kept): (bool, Option<KeptCall>),
) -> Response {
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
    lifecycle::tell(&started.lifecycle, headers);
    if let Some(dropped) = wire::write_dropped(&started.dropped) {
        headers.insert(wire::DROPPED, dropped);
    }
    match started.body {
        EarlyAnswer::Answered(Answer::Whole(bytes)) => {
            let bytes = match kept {
                Some(kept) => kept.keep_whole(bytes, &mut response).await,
                None => bytes,
            };
            response.set_body(bytes);
        }
        begun @ (EarlyAnswer::Answered(Answer::Stream(_)) | EarlyAnswer::Later(_)) => {
            headers.insert(
                CACHE_CONTROL,
                HeaderValue::from_static("no-cache, no-transform"),
            );
            headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
            if as_array {
                headers.insert(CONTENT_TYPE, ARRAY);
            }
            response.set_body(stream::body(begun, dialect, (as_array, kept)));
        }
    }
    response
}
