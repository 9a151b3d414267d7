//! The HTTP face: one table of routes and the OpenAPI document. Holds no rule.

pub mod admin;
pub mod answer;
mod call_error;
mod docs;
mod document;
pub mod error;
pub mod export;
pub mod face;
mod fields;
pub mod infer;
pub mod kept;
pub mod keys;
pub mod manage;
pub mod manners;
pub mod principal;

use std::sync::Arc;

use std::time::Duration;

use http::header::{CONTENT_ENCODING, Entry, HeaderName};
use http::{HeaderMap, HeaderValue};
use poem::http::StatusCode;
use poem::middleware::AddData;
use poem::web::Data;
use poem::{Endpoint, EndpointExt, IntoResponse, Request, Response, Route, get, handler};
use poem_openapi::{OpenApiService, Tags};
use serde_json::Value;
use server_calls::Calls;
use server_edge::compressed::Compressible;
use server_edge::doors::body::{Bounds, Upload, read_later};
use server_edge::doors::{Doors, text};
use server_rooms::accounts::Accounts;
use server_rooms::alerts::Alerts;
use server_rooms::alerts::channels::AlertChannels;
use server_rooms::auth::Auth;
use server_rooms::auth::factors::Factors;
use server_rooms::browser_sessions::BrowserSessions;
use server_rooms::catalogue::Catalogue;
use server_rooms::catalogue::lists::ModelLists;
use server_rooms::catalogue::price_list::FILE_BYTES_MAX;
use server_rooms::end_users::EndUsers;
use server_rooms::gateways::Gateways;
use server_rooms::health::HealthCheck;
use server_rooms::kept::Keeping;
use server_rooms::ledger::Ledger;
use server_rooms::money::corrections::Corrections;
use server_rooms::money::recharge::Recharges;
use server_rooms::providers::Providers;
use server_rooms::reports::Reports;
use server_rooms::reports::history::UsageHistory;
use server_rooms::sessions::Sessions;
use server_rooms::settings::Settings;
use server_rooms::studio::StudioMemory;
use shared::id::RequestId;
use shared::link::GatewayFleet;
use shared::supervisor::VitalTasks;
use shared::surface::Surface;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use self::document::strict::Bodies;
use self::error::ApiError;
use self::face::ApiFace;
use self::infer::InferApi;
use self::infer::places::Places;
use self::manners::body;
use self::manners::cors::Cors;
use self::manners::methods::Methods;
use self::manners::plain;

/// Where the tenants' API begins.
pub const PREFIX: &str = "/api/v1";
/// Where what clients of Google's API ask for begins.
pub const BETA_PREFIX: &str = "/api/v1beta";
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
    /// Answers and conversations that are kept, where a tenant wants it.
    Kept,
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
    pub browsers: BrowserSessions,
    /// Second factors.
    pub factors: Factors,
    /// Settings.
    pub settings: Settings,
    /// Tenants and people.
    pub accounts: Accounts,
    /// Who may not call.
    pub end_users: EndUsers,
    /// What somebody should look at.
    pub alerts: Alerts,
    /// Where alerts are sent to, and whether messages have links.
    pub alert_channels: (AlertChannels, bool),
    /// Models and prices.
    pub catalogue: Catalogue,
    /// What providers say they have.
    pub model_lists: ModelLists,
    /// Money.
    pub ledger: Ledger,
    /// Giving money.
    pub recharges: Recharges,
    /// Corrections and budgets.
    pub corrections: Corrections,
    /// Usage records.
    pub usage: UsageHistory,
    /// Figures behind pages and exports.
    pub reports: Reports,
    /// How the platform's parts do.
    pub health: HealthCheck,
    /// The gateways.
    pub gateways: Gateways,
    /// Providers at the gateway.
    pub providers: Providers,
    /// Inference.
    pub calls: Calls,
    /// What is kept of answers.
    pub keeping: Keeping,
    /// What is kept of the studio.
    pub studio: StudioMemory,
    /// For `/readyz`.
    pub link: Arc<dyn GatewayFleet>,
    /// For `/readyz`: the process is about to stop.
    pub leaving: CancellationToken,
    /// For `/readyz`: tasks without which calls are not taken or not settled.
    pub vital: VitalTasks,
    /// Time.
    pub clock: shared::clock::Clock,
    /// Bound of a request's body.
    pub body_bytes_max: usize,
    /// What all requests pass first.
    pub doors: Doors,
    /// Which browsers of other places may call.
    pub cors: Cors,
}

impl std::fmt::Debug for Rooms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rooms")
    }
}

/// Bodies of management requests are small.
const MANAGE_BYTES_MAX: usize = 64 * 1024;
/// Those of lists are a thousand lines: keys of a provider, or providers.
const LIST_BYTES_MAX: usize = 1024 * 1024;
/// Conversations begin with what people and models said, and pictures among it.
const CONVERSATION_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Strangers log in, with four fields of at most 512 bytes, however they are escaped.
const LOGIN_BYTES_MAX: usize = 16 * 1024;
/// A price list, each quote of which has a backslash before it in the body.
const PRICE_LIST_BYTES_MAX: usize = 2 * FILE_BYTES_MAX;
/// As long as 16 MiB take over a slow line.
const PRICE_LIST_READ_MAX: Duration = Duration::from_secs(120);
/// Nobody types while a body is under way.
const MANAGE_READ_MAX: Duration = Duration::from_secs(15);

macro_rules! apis {
    ($rooms:expr) => {{
        let rooms: &Rooms = $rooms;
        (
            manage::sessions::SessionsApi {
                sessions: rooms.sessions.clone(),
                auth: rooms.auth.clone(),
            },
            (
                manage::me::MeApi,
                manage::end_users::OwnEndUsersApi {
                    end_users: rooms.end_users.clone(),
                },
                admin::end_users::EndUsersApi {
                    end_users: rooms.end_users.clone(),
                },
            ),
            (
                manage::models::ModelsApi {
                    catalogue: rooms.catalogue.clone(),
                    clock: rooms.clock.clone(),
                },
                manage::models::gemini::GeminiModelsApi {
                    catalogue: rooms.catalogue.clone(),
                    clock: rooms.clock.clone(),
                },
                manage::notices::NoticesApi {
                    catalogue: rooms.catalogue.clone(),
                },
            ),
            (
                manage::keys::OwnKeysApi {
                    accounts: rooms.accounts.clone(),
                },
                manage::routes::OwnRoutesApi {
                    accounts: rooms.accounts.clone(),
                },
                admin::routes::AdminRoutesApi {
                    catalogue: rooms.catalogue.clone(),
                    accounts: rooms.accounts.clone(),
                },
            ),
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
            admin::calls::UnknownCallsApi {
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
                admin::model_lists::ModelListsApi {
                    lists: rooms.model_lists.clone(),
                },
                admin::prices::PricesApi {
                    catalogue: rooms.catalogue.clone(),
                    clock: rooms.clock.clone(),
                },
                admin::reprice::PricePreviewApi {
                    catalogue: rooms.catalogue.clone(),
                    reports: rooms.reports.clone(),
                    clock: rooms.clock.clone(),
                },
                admin::price_import::PriceImportApi {
                    catalogue: rooms.catalogue.clone(),
                    providers: rooms.providers.clone(),
                    reports: rooms.reports.clone(),
                },
                (
                    admin::providers::ProvidersApi {
                        providers: rooms.providers.clone(),
                    },
                    admin::providers::key_batch::KeyBatchApi {
                        providers: rooms.providers.clone(),
                    },
                    admin::providers::copies::ProviderCopiesApi {
                        providers: rooms.providers.clone(),
                    },
                    admin::balances::BalancesApi {
                        providers: rooms.providers.clone(),
                    },
                    admin::provider_test::ProviderTestApi {
                        catalogue: rooms.catalogue.clone(),
                        providers: rooms.providers.clone(),
                        clock: rooms.clock.clone(),
                    },
                    admin::route_check::RouteCheckApi {
                        accounts: rooms.accounts.clone(),
                        calls: rooms.calls.clone(),
                        catalogue: rooms.catalogue.clone(),
                        clock: rooms.clock.clone(),
                        providers: rooms.providers.clone(),
                    },
                ),
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
                    reports: rooms.reports.clone(),
                },
                admin::export::AdminExportApi {
                    reports: rooms.reports.clone(),
                },
                (
                    kept::responses::ResponsesApi {
                        keeping: rooms.keeping.clone(),
                    },
                    kept::conversations::ConversationsApi {
                        keeping: rooms.keeping.clone(),
                    },
                    kept::completions::CompletionsApi {
                        keeping: rooms.keeping.clone(),
                    },
                    admin::keeping::KeepingApi {
                        accounts: rooms.accounts.clone(),
                    },
                ),
            ),
        )
    }};
}

/// Every route of the server that is no page's, those of these surfaces among them.
pub fn routes(rooms: &Rooms, surfaces: &'static [&'static Surface]) -> ApiFace {
    let service = OpenApiService::new(apis!(rooms), "Waule", env!("CARGO_PKG_VERSION"))
        .description(
            "A multi-tenant AI gateway with an OpenAI-compatible API and exact prepaid credits.",
        );
    let derived = service.spec();
    let (document, methods, bodies) = document(&derived, surfaces);
    // The page comes with the derived document inside, as text of a script.
    let shown = document.replace("</", "<\\/");
    let document: Arc<str> = document.into();
    let docs = service.swagger_ui_html().replace(&derived, &shown);
    let managed = Bounded {
        inner: service.with(AddData::new(rooms.auth.clone())),
        bodies: Arc::new(bodies),
    };
    let routes = Route::new()
        .at("/healthz", get(healthz))
        .at(
            "/readyz",
            get(readyz
                .data(rooms.health.clone())
                .data(rooms.link.clone())
                .data(rooms.vital.clone())
                .data(Leaving(rooms.leaving.clone()))),
        )
        .at(
            "/api/openapi.json",
            get(openapi.data(Document(document.clone()))),
        )
        .at(
            "/api/docs",
            get(docs::docs_page.data(docs::Docs::new(docs))),
        )
        .nest("/", managed.around(plain_answer));
    let infer = InferApi {
        auth: rooms.auth.clone(),
        calls: rooms.calls.clone(),
        keeping: rooms.keeping.clone(),
        body_bytes_max: rooms.body_bytes_max,
    };
    let places = Arc::new(Places::of(surfaces));
    let routes = infer
        .mount(routes, &places, surfaces)
        .around(with_plain_address)
        .catch_all_error(error::envelope)
        .around(move |endpoint, request| infer::shaped(endpoint, request, places.clone()))
        .around(plain_error)
        .around(identified)
        .map_to_response()
        .boxed();
    ApiFace {
        routes,
        methods,
        document,
    }
}

/// What our own routes answer, in plain decimals and with a newline.
async fn plain_answer<E: Endpoint>(endpoint: E, request: Request) -> poem::Result<Response> {
    let answer = endpoint.call(request).await?.into_response();
    Ok(plain::finished(answer).await)
}

/// The same of errors, but for those in the shape of a surface.
async fn plain_error<E: Endpoint>(endpoint: E, request: Request) -> poem::Result<Response> {
    let answer = endpoint.call(request).await?.into_response();
    if answer.status().is_client_error() || answer.status().is_server_error() {
        return Ok(plain::finished(answer).await);
    }
    Ok(answer)
}

/// Paths that are not in the document; all are read.
const UNDOCUMENTED: [&str; 4] = ["/healthz", "/readyz", "/api/openapi.json", "/api/docs"];

/// An answer of nothing but headers.
pub fn no_content() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Ok(id) = HeaderValue::try_from(RequestId::random().as_str()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The whole document, what poem-openapi derives and the inference routes, the methods that its paths
/// know and the bodies that they take.
fn document(derived: &str, surfaces: &'static [&'static Surface]) -> (String, Methods, Bodies) {
    let mut methods = Methods::default();
    for path in UNDOCUMENTED {
        methods.add(path, http::Method::GET);
    }
    let Ok(derived_json) = serde_json::from_str::<Value>(derived) else {
        return (derived.to_owned(), methods, Bodies::default());
    };
    let document = document::whole(derived_json, surfaces);
    methods.add_document(&document);
    // The document shows paths as clients write them; those with a model inside lead to these.
    for place in Places::of(surfaces).all() {
        methods.add(&place.path, http::Method::POST);
    }
    let text = serde_json::to_string(&document).unwrap_or_else(|_| derived.to_owned());
    (text, methods, document::bodies(&document))
}

#[derive(Clone)]
struct Document(Arc<str>);

/// Gives each request its id and tells it in the answer; a tenant's own id is not taken over,
/// because it would stand in the log.
pub async fn identified<E: Endpoint>(endpoint: E, mut request: Request) -> poem::Result<Response> {
    let id = RequestId::random();
    request.extensions_mut().insert(id.clone());
    let shown = HeaderValue::try_from(id.as_str()).ok();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = endpoint.get_response(request).await;
    if let Some(shown) = shown {
        response.headers_mut().insert(REQUEST_ID, shown);
    }
    debug!(request.id = %id, status = response.status().as_u16(), "{method} {path}");
    Ok(response)
}

/// Refuses paths and queries that no store could keep.
async fn with_plain_address<E: Endpoint>(endpoint: E, request: Request) -> poem::Result<Response> {
    if !text::uri_is_plain(request.uri()) {
        return Err(ApiError::odd_text().into());
    }
    endpoint
        .call(request)
        .await
        .map(IntoResponse::into_response)
}

/// How large a body of a management request may be.
fn bounds_of(path: &str) -> Bounds {
    // Of a list, and of the choices of all of its rows.
    if path.starts_with("/admin/api/price-reviews") {
        return Bounds {
            bytes: PRICE_LIST_BYTES_MAX,
            time: PRICE_LIST_READ_MAX,
        };
    }
    let is_login = path.starts_with("/admin/api/login") || path.starts_with("/api/v1/auth/");
    let is_list = path.starts_with("/admin/api/providers/") && path.ends_with("/key-batch")
        || path == "/admin/api/import/providers";
    Bounds {
        bytes: if is_login {
            LOGIN_BYTES_MAX
        } else if is_list {
            LIST_BYTES_MAX
        } else if path.starts_with("/api/v1/conversations") {
            CONVERSATION_BYTES_MAX
        } else {
            MANAGE_BYTES_MAX
        },
        time: MANAGE_READ_MAX,
    }
}

/// Lets bodies of management requests be read when a handler asks for them, which it does after it
/// asked who calls.
struct Bounded<E> {
    inner: E,
    bodies: Arc<Bodies>,
}

impl<E: Endpoint> Endpoint for Bounded<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let bounds = bounds_of(request.uri().path());
        let Some(upload) = request.extensions().get::<Upload>().cloned() else {
            let answer = self.inner.call(request).await;
            return answer.map(IntoResponse::into_response);
        };
        let mut encoded = HeaderMap::new();
        if let Entry::Occupied(found) = request.headers_mut().entry(CONTENT_ENCODING) {
            let (_, values) = found.remove_entry_mult();
            encoded.extend(values.map(|value| (CONTENT_ENCODING, value)));
        }
        body::call_it_json(request.headers_mut());
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let bodies = self.bodies.clone();
        let verdict = read_later(&mut request, async move {
            let bytes = upload.read(bounds).await?;
            let bytes = body::plain(&mut encoded, bytes, bounds.bytes, upload.budget()).await?;
            if !text::json_is_plain(&bytes) {
                return Err(ApiError::odd_text());
            }
            bodies.check(&method, &path, &bytes)?;
            Ok(bytes)
        });
        let answer = self.inner.call(request).await;
        if let Some(error) = verdict.get() {
            return Err(error.clone().into());
        }
        answer.map(IntoResponse::into_response)
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
    health: Data<&HealthCheck>,
    link: Data<&Arc<dyn GatewayFleet>>,
    vital: Data<&VitalTasks>,
    leaving: Data<&Leaving>,
) -> Response {
    // First, and without a question: a balancer asks often and must hear of it at once.
    let missing = if leaving.0.0.is_cancelled() {
        "draining"
    } else if vital.missing().is_some() {
        // Which one is said in the log: this answer is everybody's.
        "a task has ended; restart this process"
    } else {
        match (health.database_answers().await, link.health().await) {
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
    let mut response = Response::builder()
        .content_type("application/json")
        .body(document.0.0.to_string());
    // The same for everybody.
    response.extensions_mut().insert(Compressible);
    response
}
