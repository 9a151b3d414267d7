//! The HTTP face: one table of routes and the OpenAPI document. Holds no rule.

pub mod admin;
pub mod answer;
mod call_error;
pub mod csv;
pub mod date;
mod document;
pub mod error;
pub mod export;
pub mod infer;
pub mod keys;
pub mod manage;
pub mod manners;
pub mod principal;

use std::sync::Arc;

use http::HeaderValue;
use http::header::{CONNECTION, HeaderName};
use poem::endpoint::BoxEndpoint;
use poem::http::StatusCode;
use poem::middleware::AddData;
use poem::web::Data;
use poem::{Endpoint, EndpointExt, IntoResponse, Request, Response, Route, get, handler};
use poem_openapi::{OpenApiService, Tags};
use serde_json::Value;
use shared::id::RequestId;
use shared::link::Link;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use self::document::strict::Bodies;
use self::infer::InferApi;
use self::manners::body;
use self::manners::cors::Cors;
use self::manners::methods::Methods;
use crate::accounts::Accounts;
use crate::auth::Auth;
use crate::auth::factors::Factors;
use crate::auth::sessions::Sessions;
use crate::calls::Calls;
use crate::catalogue::Catalogue;
use crate::corrections::Corrections;
use crate::figures::Figures;
use crate::gateways::Gateways;
use crate::ledger::Ledger;
use crate::providers::Providers;
use crate::recharge::Recharges;
use crate::settings::Settings;
use crate::store::Store;
use crate::usage::UsageHistory;
use crate::vitals::Vitals;
use crate::web::Web;

/// Where the tenants' API begins.
pub const PREFIX: &str = "/api/v1";
/// OpenAI's name for the request's id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Groups of the document.
#[derive(Debug, Tags)]
pub enum Tag {
    /// Logging in, and who one is.
    Sessions,
    /// Models as tenants see them.
    Models,
    /// A tenant's own keys.
    Keys,
    /// What a tenant has.
    Credits,
    /// What a tenant used.
    Usage,
    /// Superadmins: tenants, their users, keys and credits.
    Tenants,
    /// Superadmins: models and prices.
    Catalogue,
    /// Superadmins: gateways and what they tell.
    Gateways,
    /// Superadmins: providers and their keys at the gateway.
    Providers,
    /// Superadmins: each other.
    Superadmins,
    /// Superadmins: settings of the platform.
    Settings,
    /// Superadmins: who changed what.
    Audit,
}

/// The rooms behind the routes.
#[derive(Clone)]
pub struct Rooms {
    /// Who asks.
    pub auth: Auth,
    /// Logging in.
    pub sessions: Sessions,
    /// Sessions of browsers.
    pub web: Web,
    /// Second factors.
    pub factors: Factors,
    /// Settings.
    pub settings: Settings,
    /// Tenants and people.
    pub accounts: Accounts,
    /// Models and prices.
    pub catalogue: Catalogue,
    /// Money.
    pub ledger: Ledger,
    /// Giving money.
    pub recharges: Recharges,
    /// Corrections and budgets.
    pub corrections: Corrections,
    /// Usage records.
    pub usage: UsageHistory,
    /// Figures behind pages and exports.
    pub figures: Figures,
    /// How the platform's parts do.
    pub vitals: Vitals,
    /// The gateways.
    pub gateways: Gateways,
    /// Providers at the gateway.
    pub providers: Providers,
    /// Inference.
    pub calls: Calls,
    /// For `/readyz`.
    pub store: Store,
    /// For `/readyz`.
    pub link: Arc<dyn Link>,
    /// For `/readyz`: the process is about to stop.
    pub leaving: CancellationToken,
    /// Time.
    pub clock: shared::clock::Clock,
    /// Bound of a request's body.
    pub body_bytes_max: usize,
    /// Which browsers of other places may call.
    pub cors: Cors,
}

impl std::fmt::Debug for Rooms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rooms")
    }
}

/// Bodies of management requests are small.
const MANAGE_BYTES_MAX: usize = 1024 * 1024;

macro_rules! apis {
    ($rooms:expr) => {{
        let rooms: &Rooms = $rooms;
        (
            manage::sessions::SessionsApi {
                sessions: rooms.sessions.clone(),
                auth: rooms.auth.clone(),
            },
            manage::me::MeApi,
            manage::models::ModelsApi {
                catalogue: rooms.catalogue.clone(),
            },
            manage::keys::OwnKeysApi {
                accounts: rooms.accounts.clone(),
            },
            manage::credits::CreditsApi {
                ledger: rooms.ledger.clone(),
            },
            manage::usage::UsageApi {
                usage: rooms.usage.clone(),
            },
            admin::login::AdminLoginApi {
                sessions: rooms.sessions.clone(),
            },
            admin::tenants::TenantsApi {
                accounts: rooms.accounts.clone(),
            },
            admin::users::UsersApi {
                accounts: rooms.accounts.clone(),
                factors: rooms.factors.clone(),
            },
            admin::keys::KeysApi {
                accounts: rooms.accounts.clone(),
            },
            admin::gateways::GatewaysApi {
                gateways: rooms.gateways.clone(),
            },
            admin::recharge::RechargeApi {
                recharges: rooms.recharges.clone(),
                clock: rooms.clock.clone(),
            },
            admin::money::MoneyApi {
                ledger: rooms.ledger.clone(),
                corrections: rooms.corrections.clone(),
            },
            admin::usage::AdminUsageApi {
                usage: rooms.usage.clone(),
            },
            (
                admin::models::AdminModelsApi {
                    catalogue: rooms.catalogue.clone(),
                    clock: rooms.clock.clone(),
                },
                admin::prices::PricesApi {
                    catalogue: rooms.catalogue.clone(),
                },
                admin::providers::ProvidersApi {
                    providers: rooms.providers.clone(),
                },
                admin::superadmins::SuperadminsApi {
                    accounts: rooms.accounts.clone(),
                    factors: rooms.factors.clone(),
                },
                admin::settings::SettingsApi {
                    settings: rooms.settings.clone(),
                },
                admin::audit::AuditApi {
                    accounts: rooms.accounts.clone(),
                },
                manage::export::ExportApi {
                    figures: rooms.figures.clone(),
                },
                admin::export::AdminExportApi {
                    figures: rooms.figures.clone(),
                },
            ),
        )
    }};
}

/// Every route of the server that is no page's, and the methods of each.
pub fn routes(rooms: &Rooms) -> (BoxEndpoint<'static, Response>, Methods) {
    let service = OpenApiService::new(apis!(rooms), "Waule", env!("CARGO_PKG_VERSION"))
        .description(
            "A multi-tenant AI gateway with an OpenAI-compatible API and exact prepaid credits.",
        );
    let derived = service.spec();
    let (document, methods, bodies) = document(&derived);
    // The page comes with the derived document inside, as text of a script.
    let shown = document.replace("</", "<\\/");
    let docs = service.swagger_ui_html().replace(&derived, &shown);
    let managed = Bounded {
        inner: service.with(AddData::new(rooms.auth.clone())),
        bodies,
    };
    let routes = Route::new()
        .at("/healthz", get(healthz))
        .at(
            "/readyz",
            get(readyz
                .data(rooms.store.clone())
                .data(rooms.link.clone())
                .data(Leaving(rooms.leaving.clone()))),
        )
        .at(
            "/api/openapi.json",
            get(openapi.data(Document(document.into()))),
        )
        .at("/api/docs", get(docs_page.data(Docs(docs.into()))))
        .nest("/", managed);
    let infer = InferApi {
        auth: rooms.auth.clone(),
        calls: rooms.calls.clone(),
        body_bytes_max: rooms.body_bytes_max,
    };
    let routes = infer
        .mount(routes, PREFIX)
        .catch_all_error(error::envelope)
        .around(identified)
        .map_to_response()
        .boxed();
    (routes, methods)
}

/// Paths that are not in the document; all are read.
const UNDOCUMENTED: [&str; 4] = ["/healthz", "/readyz", "/api/openapi.json", "/api/docs"];

/// An answer of nothing but headers.
pub(crate) fn no_content() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Ok(id) = HeaderValue::try_from(RequestId::random().as_str()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The whole document, what poem-openapi derives and the inference routes, the methods that its paths
/// know and the bodies that they take.
fn document(derived: &str) -> (String, Methods, Bodies) {
    let mut methods = Methods::default();
    for path in UNDOCUMENTED {
        methods.add(path, http::Method::GET);
    }
    let Ok(derived_json) = serde_json::from_str::<Value>(derived) else {
        return (derived.to_owned(), methods, Bodies::default());
    };
    let document = document::whole(derived_json, PREFIX);
    methods.add_document(&document);
    let text = serde_json::to_string(&document).unwrap_or_else(|_| derived.to_owned());
    (text, methods, document::bodies(&document))
}

#[derive(Clone)]
struct Document(Arc<str>);

#[derive(Clone)]
struct Docs(Arc<str>);

/// Gives each request its id and tells it in the answer; a tenant's own id is not taken over,
/// because it would stand in the log.
pub(crate) async fn identified<E: Endpoint>(
    endpoint: E,
    mut request: Request,
) -> poem::Result<Response> {
    let id = RequestId::random();
    request.extensions_mut().insert(id.clone());
    let shown = HeaderValue::try_from(id.as_str()).ok();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let closes = request.version() == http::Version::HTTP_11;
    let mut response = endpoint.get_response(request).await;
    if let Some(shown) = shown {
        response.headers_mut().insert(REQUEST_ID, shown);
    }
    let unread = matches!(
        response.status(),
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT
    );
    if closes && unread {
        // The rest of the body is not read, so the connection can't be used again: say so.
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    debug!(request.id = %id, status = response.status().as_u16(), "{method} {path}");
    Ok(response)
}

/// Refuses large bodies of management requests before they are read.
struct Bounded<E> {
    inner: E,
    bodies: Bodies,
}

impl<E: Endpoint> Endpoint for Bounded<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let bytes = infer::read_body(&mut request, MANAGE_BYTES_MAX).await?;
        let bytes = body::plain(request.headers_mut(), bytes, MANAGE_BYTES_MAX).await?;
        let path = request.uri().path();
        self.bodies.check(request.method(), path, &bytes)?;
        if !bytes.is_empty() {
            body::call_it_json(request.headers_mut());
        }
        request.set_body(bytes);
        self.inner
            .call(request)
            .await
            .map(IntoResponse::into_response)
    }
}

#[handler]
fn healthz() -> &'static str {
    "alive"
}

#[derive(Clone)]
struct Leaving(CancellationToken);

#[handler]
async fn readyz(
    store: Data<&Store>,
    link: Data<&Arc<dyn Link>>,
    leaving: Data<&Leaving>,
) -> Response {
    // First, and without a question: a balancer asks often and must hear of it at once.
    let missing = if leaving.0.0.is_cancelled() {
        "draining"
    } else {
        match (store.ping().await, link.health().await) {
            (Ok(()), Ok(_)) => return "ready".into_response(),
            (Err(_), _) => "the database does not answer",
            (Ok(()), Err(_)) => "no gateway answers",
        }
    };
    Response::builder()
        .status(StatusCode::SERVICE_UNAVAILABLE)
        .body(missing)
}

#[handler]
fn openapi(document: Data<&Document>) -> Response {
    Response::builder()
        .content_type("application/json")
        .body(document.0.0.to_string())
}

#[handler]
fn docs_page(docs: Data<&Docs>) -> Response {
    Response::builder()
        .content_type("text/html; charset=utf-8")
        .body(docs.0.0.to_string())
}
