//! The server's whole face: reads an address as it is meant, chooses the edge of a request by its
//! path, API or pages, and answers for all routes alike what belongs to no route: `OPTIONS`, `HEAD`,
//! `Allow`, browsers of other places. Holds no route of its own.

use bytes::Bytes;
use http_body::Body as _;
use http_body_util::combinators::BoxBody;
use poem::endpoint::BoxEndpoint;
use poem::http::header::{ALLOW, CONTENT_LENGTH};
use poem::http::{HeaderValue, Method, StatusCode};
use poem::{Endpoint, EndpointExt, IntoResponse, Request, Response};
use server_api::face::ApiFace;
use server_api::manners::address;
use server_api::manners::cors::Cors;
use server_api::manners::methods::Methods;
use server_api::{self as api, Rooms};
use server_edge::compressed;
use server_edge::doors::Doors;
use server_pages::page_services::{CallStatus, PageServices};
use server_pages::{self as pages, ApiDocument, Console};
use shared::surface::Surface;

struct Front {
    doors: Doors,
    api: BoxEndpoint<'static, Response>,
    pages: BoxEndpoint<'static, Response>,
    methods: Methods,
    cors: Cors,
    surfaces: &'static [&'static Surface],
}

impl Endpoint for Front {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let entered = self.doors.enter(&mut request);
        let mut response = self.answer(request).await?;
        entered.leave(&mut response).await;
        Ok(response)
    }
}

impl Front {
    async fn answer(&self, mut request: Request) -> poem::Result<Response> {
        address::forgive(&mut request, self.surfaces);
        let uri = request.uri().clone();
        let granted = self.cors.granted(uri.path(), request.headers());
        if *request.method() == Method::OPTIONS
            && let Some(methods) = self.methods.allowed(uri.path())
        {
            let mut response = api::no_content();
            if let Some(granted) = granted {
                granted.preflight(request.headers(), methods.clone(), response.headers_mut());
            }
            self.cors.vary(uri.path(), response.headers_mut());
            response.headers_mut().insert(ALLOW, methods);
            return Ok(response);
        }
        let is_head = *request.method() == Method::HEAD;
        if is_head {
            request.set_method(Method::GET);
        }
        let edge = if pages::is_page(uri.path()) {
            &self.pages
        } else {
            &self.api
        };
        let takes_gzip = compressed::takes_gzip(request.headers());
        let response = edge.call(request).await.map(IntoResponse::into_response)?;
        let mut response = compressed::sent(response, takes_gzip).await;
        if let Some(granted) = granted {
            granted.mark(response.headers_mut());
        }
        self.cors.vary(uri.path(), response.headers_mut());
        if response.status() == StatusCode::METHOD_NOT_ALLOWED
            && let Some(methods) = self.methods.allowed(uri.path())
        {
            response.headers_mut().insert(ALLOW, methods);
        }
        Ok(if is_head { head_of(response) } else { response })
    }
}

/// An answer without its body, which says how long that is.
fn head_of(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let body: BoxBody<Bytes, std::io::Error> = body.into();
    if let Some(length) = body.size_hint().exact() {
        parts
            .headers
            .insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Response::from_parts(parts, poem::Body::empty())
}

/// Those of the rooms that pages ask.
fn console(rooms: &Rooms, document: &str) -> Console {
    Console {
        document: ApiDocument::new(document),
        accounts: rooms.accounts.clone(),
        alerts: rooms.alerts.clone(),
        alert_channels: rooms.alert_channels.0.clone(),
        has_links: rooms.alert_channels.1,
        calls: rooms.calls.clone(),
        call_status: CallStatus(|error| api::error::ApiError::from(error).into_response().status()),
        catalogue: rooms.catalogue.clone(),
        model_lists: rooms.model_lists.clone(),
        corrections: rooms.corrections.clone(),
        end_users: rooms.end_users.clone(),
        factors: rooms.factors.clone(),
        reports: rooms.reports.clone(),
        gateways: rooms.gateways.clone(),
        history: rooms.usage.clone(),
        ledger: rooms.ledger.clone(),
        providers: rooms.providers.clone(),
        recharges: rooms.recharges.clone(),
        settings: rooms.settings.clone(),
        studio: rooms.studio.clone(),
        health: rooms.health.clone(),
        browsers: rooms.browsers.clone(),
    }
}

/// Everything the server answers, on these surfaces among others.
pub fn routes(
    rooms: &Rooms,
    services: PageServices,
    surfaces: &'static [&'static Surface],
) -> BoxEndpoint<'static, Response> {
    let ApiFace {
        routes: api,
        mut methods,
        document,
    } = api::routes(rooms, surfaces);
    for (method, path) in pages::listed() {
        methods.add(&path, method);
    }
    methods.add("/assets/:name", Method::GET);
    let front = Front {
        doors: rooms.doors.clone(),
        api,
        pages: pages::routes(console(rooms, &document), services)
            .around(api::identified)
            .map_to_response()
            .boxed(),
        methods,
        cors: rooms.cors.clone(),
        surfaces,
    };
    front.boxed()
}
