//! The studio: conversations and images, as pages with plain forms, and as the JSON and events that
//! the pages' script asks for. Calls go the same way as those of the API, with the person's own
//! principal: holds, budgets and limits are theirs.

pub(super) mod chat;
pub(super) mod history;
pub(super) mod images;
mod memory;
mod recording;

use admin_templates::form::FieldError;
use admin_templates::portal::{OwnBudget, StudioChat, StudioModel};
use bytes::Bytes;
use poem::http::StatusCode;
use poem::{FromRequest, Request, RequestBody, Response, handler};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use server_calls::{CallError, Calls, Receipt, RouteWish, Started};
use server_rooms::accounts::Accounts;
use server_rooms::catalogue::Catalogue;
use server_rooms::catalogue::facts::Capability;
use server_rooms::ledger::{Ledger, LedgerError, Spender};
use server_rooms::studio::StudioMemory;
use shared::credits::Credits;
use shared::dialect::{Head, body};
use shared::id::RequestId;
use shared::link::Operation;
use shared::surface::Surface;

use super::super::error::{PageError, PageResult};
use super::super::form::FieldProblem;
use super::super::refusals;
use super::super::session::Member;
use super::rows::budget_period;
use super::studio_request::{Estimate, ModelPicker, StudioRequest};
use super::{principal, unread};
use crate::page_services::CallStatus;

/// Shown where a charge is not known in time; the list of calls has it later.
const NOT_YET: &str = "…";

/// The rooms of the studio, and the request they are asked for.
#[derive(Debug, Clone)]
pub(super) struct Studio {
    accounts: Accounts,
    calls: Calls,
    catalogue: Catalogue,
    ledger: Ledger,
    memory: StudioMemory,
    call_status: CallStatus,
    request: RequestId,
    /// The script's body; a form has none.
    json: Option<Bytes>,
}

impl<'a> FromRequest<'a> for Studio {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let kind = request.content_type().unwrap_or_default();
        let json = if kind.starts_with("application/json") {
            // The guard bounded and read it.
            let bytes = body.take()?.into_bytes().await;
            Some(bytes.map_err(|_| PageError::FormExpired)?)
        } else {
            None
        };
        let (missing, id) = (PageError::Internal, request.data::<RequestId>());
        Ok(Self {
            accounts: request.data::<Accounts>().ok_or(missing.clone())?.clone(),
            calls: request.data::<Calls>().ok_or(missing.clone())?.clone(),
            catalogue: request.data::<Catalogue>().ok_or(missing.clone())?.clone(),
            ledger: request.data::<Ledger>().ok_or(missing.clone())?.clone(),
            memory: request
                .data::<StudioMemory>()
                .ok_or(missing.clone())?
                .clone(),
            call_status: *request.data::<CallStatus>().ok_or(missing)?,
            request: id.cloned().unwrap_or_else(RequestId::random),
            json,
        })
    }
}

impl Studio {
    /// What the script asks for.
    fn asked<T: DeserializeOwned>(&self) -> Option<Result<T, serde_json::Error>> {
        self.json.as_ref().map(|json| serde_json::from_slice(json))
    }

    async fn start(
        &self,
        who: &Member,
        operation: Operation,
        body: Bytes,
    ) -> Result<(Started, Receipt), CallError> {
        let route = self.accounts.whole_route(&who.tenant.id).await;
        let route = route.map_err(LedgerError::Store)?;
        let call = server_calls::Request {
            principal: principal(who, route),
            request: self.request.clone(),
            surface: Surface::of(operation),
            head: Head::default(),
            body: body::Body::Json(body),
            asked: None,
            max_cost: None,
            route: RouteWish::default(),
            end_user: None,
        };
        self.calls.start(call).await
    }

    async fn available(&self, who: &Member) -> Result<Credits, PageError> {
        let balance = self.ledger.balance(&who.tenant.id).await;
        Ok(balance.map_err(unread)?.available)
    }

    /// What is left of the person's own budget: calls from here are theirs, and no key's.
    async fn budget(&self, who: &Member) -> Result<Option<OwnBudget>, PageError> {
        let budgets = self.ledger.budgets(&who.tenant.id).await.map_err(unread)?;
        let own = Spender::User(who.user.id.clone());
        let mine = budgets.iter().filter(|budget| budget.spender == own);
        // The one that ends first is the one that says no.
        let least = mine.min_by_key(|budget| budget.left());
        Ok(least.map(|budget| OwnBudget {
            period: budget_period(budget.period),
            limit: budget.limit,
            left: budget.left(),
        }))
    }

    fn picker(&self, who: &Member) -> ModelPicker<'_> {
        ModelPicker {
            catalogue: &self.catalogue,
            multiplier_ppm: who.tenant.price_multiplier_ppm,
            now: who.now(),
            lang: who.lang(),
        }
    }

    /// The model to begin with: the one that is asked for, else the one the person used last, where it can be
    /// called; else the first.
    async fn model(
        &self,
        who: &Member,
        operation: Operation,
        (asked, offered): (&str, &[StudioModel]),
    ) -> String {
        let is_offered = |name: &str| offered.iter().any(|model| model.id == name);
        if is_offered(asked) {
            return asked.to_owned();
        }
        let last = self
            .memory
            .last_model(&memory::person(who), operation)
            .await;
        let last = last.ok().flatten().filter(|name| is_offered(name));
        let first = offered.first().map(|model| model.id.clone());
        last.or(first).unwrap_or_default()
    }

    /// Remembers which model a person used; nobody waits for it.
    fn used(&self, who: &Member, operation: Operation, model: &str) {
        // What is none of ours is no choice.
        if self.catalogue.model(model).is_some() {
            self.memory
                .used_model(&memory::person(who), operation, model);
        }
    }

    /// Whose turn it is, as what was said before is written for it.
    fn reader<'a>(&self, model: &'a str) -> memory::Reader<'a> {
        let known = self.catalogue.meant(model);
        memory::Reader {
            model,
            sees: known.is_some_and(|known| known.facts.can(Capability::Vision)),
        }
    }

    fn most(&self, who: &Member, asked: &StudioRequest) -> Option<Credits> {
        let ppm = who.tenant.price_multiplier_ppm;
        let estimate = asked.estimate(&self.catalogue, ppm, who.now()).ok()?;
        Some(estimate.most)
    }
}

/// What a call was charged, once it is settled.
async fn charged(receipt: Receipt) -> Option<Credits> {
    receipt.settled().await.map(|call| call.charged)
}

fn charge_text(charged: Option<Credits>) -> String {
    charged.map_or_else(|| NOT_YET.to_owned(), |credits| credits.to_string())
}

fn json_answer(status: StatusCode, body: &Value) -> Response {
    Response::builder()
        .status(status)
        .content_type("application/json")
        .body(body.to_string())
}

/// What is wrong, as the script reads it, in the reader's language.
async fn wrong(who: &Member, status: StatusCode, error: &FieldError) -> Response {
    let message = error.text(&who.page().await);
    json_answer(status, &json!({"error": {"message": message}}))
}

/// Why a call was refused or failed, beside its field.
fn refusal(who: &Member, error: &CallError, model: &str) -> FieldError {
    FieldError::Words(refusals::told(error, who.lang(), model))
}

/// A call that was refused, with the API's status.
async fn refused(who: &Member, studio: &Studio, (error, model): (CallError, &str)) -> Response {
    let told = refusal(who, &error, model);
    let status = (studio.call_status.0)(error);
    wrong(who, status, &told).await
}

/// What is out of bounds, with the name of its field.
async fn misused(who: &Member, (field, error): &FieldProblem) -> Response {
    let page = who.page().await;
    let told = StudioChat::field_told(&page, field, error);
    json_answer(
        StatusCode::UNPROCESSABLE_ENTITY,
        &json!({"error": {"message": told}}),
    )
}

/// What only a script that is not ours sends.
async fn unreadable(who: &Member) -> Response {
    let words = FieldError::Words("JSON?".to_owned());
    wrong(who, StatusCode::BAD_REQUEST, &words).await
}

/// `POST /portal/studio/estimate`
#[handler]
pub(super) async fn reckon(who: Member, studio: Studio) -> PageResult {
    let Some(Ok(asked)) = studio.asked::<StudioRequest>() else {
        return Ok(unreadable(&who).await);
    };
    let ppm = who.tenant.price_multiplier_ppm;
    Ok(match asked.estimate(&studio.catalogue, ppm, who.now()) {
        Ok(Estimate { least, about, most }) => json_answer(
            StatusCode::OK,
            &json!({
                "credits_min": least.to_string(),
                "credits_about": about.to_string(),
                "credits_max": most.to_string(),
            }),
        ),
        Err(error) => wrong(&who, StatusCode::UNPROCESSABLE_ENTITY, &error).await,
    })
}
