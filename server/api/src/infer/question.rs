//! What is only asked about a call: how many tokens its input is, and what it would cost. Free; a provider is
//! never asked.

use http::Method;
use poem::{Endpoint, Request, Response};
use poem_openapi::types::ToJSON;
use serde::Deserialize;
use serde_json::json;
use server_calls::{Estimate, Question};
use shared::link::Operation;
use shared::surface::{Surface, TenantPath};
use tracing::{Instrument, info_span};

use super::state::Stateful;
use super::{InferApi, InferEndpoint, Refused, id_of};
use crate::error::ApiError;
use crate::manage::Amount;

/// Where costs are asked for.
pub(super) const ESTIMATE: &str = "/estimate";
/// The surface that is meant where none is named.
const USUAL: &str = "/chat/completions";

impl InferEndpoint {
    /// How many tokens the input of a request is.
    pub(super) async fn count(&self, mut request: Request) -> Result<Response, Refused> {
        let mut entered = self.enter(&mut request, false).await?;
        self.api.refer(&mut entered, self.stateful).await?;
        let question = Question {
            principal: entered.principal,
            surface: self.surface,
            head: entered.head,
            body: entered.told.body,
            route: entered.told.route,
        };
        let tokens = self.api.calls.count(entered.admitted, &question)?;
        let told = self.surface.counting.map(|counting| counting.told(tokens));
        let response = Response::builder().content_type("application/json; charset=utf-8");
        Ok(response.body(told.unwrap_or_default()))
    }
}

/// The query of a request for costs.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    /// A surface's path or the name of its format.
    surface: Option<String>,
    /// The model, where the call's path would name it and the body does not.
    model: Option<String>,
}

/// Tells what a call would cost.
pub(super) struct EstimateEndpoint {
    api: InferApi,
    surfaces: &'static [&'static Surface],
}

impl Endpoint for EstimateEndpoint {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let id = id_of(&request);
        let span = info_span!("estimate", request.id = %id, tenant.id = tracing::field::Empty);
        let answered = self.answer(request).instrument(span).await;
        let usual = Surface::of(Operation::Chat).dialect;
        Ok(answered.unwrap_or_else(|refused| refused.in_dialect(usual)))
    }
}

impl EstimateEndpoint {
    pub(super) fn new(api: InferApi, surfaces: &'static [&'static Surface]) -> Self {
        Self { api, surfaces }
    }

    async fn answer(&self, mut request: Request) -> Result<Response, Refused> {
        if request.method() != Method::POST {
            return Err(ApiError::method_not_allowed().into());
        }
        let asked: Result<Asked, _> = request.params();
        // Whoever may not ask hears nothing of what is wrong with the question.
        let named = asked.map_err(|_| wrong_surface()).and_then(|asked| {
            let surface = self.surface(asked.surface.as_deref().unwrap_or(USUAL))?;
            Ok((surface, asked.model))
        });
        let usual = Surface::of(Operation::Chat);
        let surface = named.as_ref().map_or(usual, |(surface, _)| *surface);
        let mut entered = self.api.enter(&mut request, (surface, false)).await?;
        let (surface, model) = named?;
        self.api.refer(&mut entered, Stateful::of(surface)).await?;
        if matches!(surface.at, TenantPath::Model { .. }) && model.is_none() {
            let message = "`model` must stand in the query: this surface has it in its path.";
            return Err(ApiError::bad_field("model", message).into());
        }
        entered.head.model = model;
        let question = Question {
            principal: entered.principal,
            surface,
            head: entered.head,
            body: entered.told.body,
            route: entered.told.route,
        };
        let estimate = self.api.calls.estimate(entered.admitted, &question).await?;
        Ok(told(&estimate))
    }

    /// The surface of that path, with or without the slash, or of that format.
    fn surface(&self, name: &str) -> Result<&'static Surface, ApiError> {
        let path = name.trim_start_matches('/');
        let is_meant = |surface: &Surface| {
            surface.path.trim_start_matches('/') == path || surface.dialect.name() == name
        };
        let found = self.surfaces.iter().find(|surface| is_meant(surface));
        found.copied().ok_or_else(wrong_surface)
    }
}

fn wrong_surface() -> ApiError {
    let message = "`surface` must be the path of a surface, as `/chat/completions`.";
    ApiError::bad_field("surface", message)
}

fn told(estimate: &Estimate) -> Response {
    let credits = |amount| Amount::from(amount).to_json();
    let body = json!({
        "lowest": credits(estimate.lowest),
        "highest": credits(estimate.highest),
        "currency": "credits",
        "price": estimate.price,
        "covered": estimate.is_covered(),
        "available": credits(estimate.available),
    });
    Response::builder()
        .content_type("application/json; charset=utf-8")
        .body(body.to_string())
}
