//! Trying a model: a real call of a tenant that the superadmin names, with its holds, limits and
//! charge. It stands in the tenant's usage without a caller, and in the audit log with its author.

use std::sync::Arc;

use admin_templates::admin::catalogue::{FailedTry, TryOutcome};
use admin_templates::form::{FieldError, Form};
use admin_templates::labels::{CallStatus, Label as _, TenantStatus as StatusWord};
use bytes::Bytes;
use poem::handler;
use poem::web::{Data, Path};
use serde_json::{Value, json};
use server_calls::{Answer, CallError, Calls, Receipt, RouteWish, SettledCall, Started};
use server_rooms::accounts::{AccountError, Accounts, Scopes, Tenant, TenantStatus};
use server_rooms::auth::roles::kind;
use server_rooms::auth::{Principal, Role};
use server_rooms::catalogue::Model;
use server_rooms::limits::LimitSettings;
use server_rooms::routing::RouteRule;
use shared::credits::Credits;
use shared::dialect::Head;
use shared::dialect::body::Body;
use shared::id::{RequestId, TenantId};
use shared::link::Operation;
use shared::surface::Surface;

use super::super::super::error::{PageError, PageResult};
use super::super::super::form::FormData;
use super::super::super::refusals;
use super::super::super::session::{Admin, Confirmed};
use super::super::{length, word};
use super::{ModelRooms, found, operation, show_wrong, view};

/// A question longer than this belongs into a program.
const PROMPT_BYTES_MAX: usize = 20_000;
/// Documents of a ranking; more belong into a program too.
const DOCUMENTS_MAX: usize = 100;
/// An answer's beginning tells enough.
const TEXT_CHARS_MAX: usize = 4_000;

/// What a trial is made with, and what its page is filled from.
#[derive(Debug, Clone)]
pub(in super::super) struct TrialRooms {
    pub(in super::super) accounts: Accounts,
    pub(in super::super) calls: Calls,
    pub(in super::super) model: ModelRooms,
}

/// The tenant of that name or id.
pub(in super::super) async fn payer(
    accounts: &Accounts,
    text: &str,
) -> Result<Option<Tenant>, PageError> {
    let id = text.parse::<TenantId>();
    Ok(match id {
        Ok(id) => match accounts.tenant(&id).await {
            Ok(tenant) => Some(tenant),
            Err(AccountError::NotFound(_)) => None,
            Err(error) => return Err(error.into()),
        },
        Err(_) => accounts.tenant_by_name(text).await?,
    })
}

fn principal(tenant: &Tenant, route: Option<Arc<RouteRule>>) -> Arc<Principal> {
    Arc::new(Principal {
        tenant: tenant.id.clone(),
        tenant_name: tenant.name.clone(),
        user: None,
        username: None,
        key: None,
        key_name: None,
        scopes: Scopes::ALL,
        role: Role::Owner,
        test: false,
        price_multiplier_ppm: tenant.price_multiplier_ppm,
        tenant_limits: tenant.limits,
        key_limits: LimitSettings::default(),
        allowed_models: tenant.allowed_models.clone(),
        parent: None,
        ends_at: None,
        keep_days: None,
        zone: tenant.zone.clone(),
        route,
    })
}

fn asked(model: &Model, prompt: &str) -> Bytes {
    let id = &model.id;
    let body = match model.operation {
        Operation::Chat => {
            json!({"model": id, "messages": [{"role": "user", "content": prompt}]})
        }
        Operation::Embedding | Operation::Moderation => json!({"model": id, "input": prompt}),
        Operation::Image => json!({"model": id, "prompt": prompt, "n": 1}),
        Operation::Completion => json!({"model": id, "prompt": prompt}),
        Operation::Rerank => ranking(id, prompt),
    };
    body.to_string().into()
}

/// The first line is the query and each further one a document; of a single line the query is ranked
/// itself.
fn ranking(id: &str, prompt: &str) -> Value {
    let mut lines = prompt
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let query = lines.next().unwrap_or(prompt);
    let mut documents: Vec<&str> = lines.take(DOCUMENTS_MAX).collect();
    if documents.is_empty() {
        documents.push(query);
    }
    json!({"model": id, "query": query, "documents": documents, "return_documents": true})
}

/// The best documents first, each behind its score.
fn ranked(answer: &Value) -> String {
    let results = answer["results"].as_array();
    let line = |one: &Value| {
        let score = one["relevance_score"].as_f64().unwrap_or_default();
        let document = one["document"]["text"].as_str().unwrap_or_default();
        format!("{score:.4} {document}")
    };
    let lines: Vec<String> = results.into_iter().flatten().map(line).collect();
    lines.join("\n")
}

/// What came back: the text itself, or what there is of it.
fn text(model: &Model, bytes: &[u8], lang: admin_templates::page::Lang) -> String {
    let answer: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let many = |value: &Value| value.as_array().map_or(0, Vec::len);
    let text = match model.operation {
        Operation::Chat => {
            let content = answer["choices"][0]["message"]["content"].as_str();
            content.unwrap_or_default().to_owned()
        }
        Operation::Completion => {
            let text = answer["choices"][0]["text"].as_str();
            text.unwrap_or_default().to_owned()
        }
        Operation::Moderation => answer["results"][0]["categories"].to_string(),
        Operation::Rerank => ranked(&answer),
        Operation::Embedding => {
            let length = many(&answer["data"][0]["embedding"]);
            format!("{} × {length}", operation(model).text(lang))
        }
        Operation::Image => {
            format!(
                "{} × {}",
                operation(model).text(lang),
                many(&answer["data"])
            )
        }
    };
    text.chars().take(TEXT_CHARS_MAX).collect()
}

/// Why a provider gave no answer, as operators read it.
fn failed(error: &CallError) -> Option<FailedTry> {
    let CallError::Failed(failure) = error else {
        return None;
    };
    let told = failure.caller.as_ref().map(|told| told.message.clone());
    let told = told.filter(|words| !words.is_empty());
    Some(FailedTry {
        fault: failure.fault.word().to_owned(),
        provider: failure.provider.clone().unwrap_or_default(),
        detail: told.unwrap_or_else(|| failure.fault.detail.clone()),
    })
}

/// What is wrong before anything is called.
async fn checked(
    accounts: &Accounts,
    posted: &FormData,
    lang: admin_templates::page::Lang,
) -> Result<Result<Tenant, Form>, PageError> {
    let mut form = posted.again(&["tenant", "prompt"]);
    let prompt = posted.text("prompt");
    if prompt.is_empty() {
        form = form.wrong("prompt", FieldError::Required);
    } else if prompt.len() > PROMPT_BYTES_MAX {
        let most = FieldError::TooLong(length(PROMPT_BYTES_MAX));
        form = form.wrong("prompt", most);
    }
    let wrong = match posted.optional("tenant") {
        None => FieldError::Required,
        Some(text) => match payer(accounts, text).await? {
            None => FieldError::Unknown,
            Some(tenant) if tenant.status == TenantStatus::Active => {
                return Ok(if form.has_errors() {
                    Err(form)
                } else {
                    Ok(tenant)
                });
            }
            Some(_) => FieldError::Words(StatusWord::Suspended.text(lang).to_owned()),
        },
    };
    Ok(Err(form.wrong("tenant", wrong)))
}

async fn outcome(
    model: &Model,
    (started, receipt): (Started, Receipt),
    lang: admin_templates::page::Lang,
) -> Result<TryOutcome, PageError> {
    let bytes = match started.body {
        Answer::Whole(bytes) => bytes,
        // A call that does not ask for a stream gets none.
        Answer::Stream(_) => return Err(PageError::Internal),
    };
    let settled = receipt.settled().await;
    let settled = settled.as_ref();
    let number = |value: fn(&SettledCall) -> u64| settled.map_or(0, value);
    let amount = |value: fn(&SettledCall) -> Credits| settled.map_or(Credits::ZERO, value);
    let status = settled.map(|call| call.status.word());
    Ok(TryOutcome {
        status: word(status.unwrap_or_default(), CallStatus::Running),
        text: text(model, &bytes, lang),
        provider: settled.map_or_else(String::new, |call| {
            format!("{}/{}", call.provider, call.provider_model)
        }),
        first_token_ms: number(|call| call.first_byte_ms),
        duration_ms: number(|call| call.duration_ms),
        cost: settled.and_then(|call| call.cost),
        charged: amount(|call| call.charged),
        call: started.generation.to_string(),
    })
}

/// `POST /admin/models/{id}/try`
#[handler]
pub(in super::super) async fn attempt(
    who: Confirmed<Admin<kind::EditModels>>,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&TrialRooms>,
    request: Data<&RequestId>,
) -> PageResult {
    let model = found(&rooms.model.catalogue, &id)?;
    let tenant = match checked(&rooms.accounts, &posted, who.lang()).await? {
        Ok(tenant) => tenant,
        Err(form) => {
            return show_wrong(&who, &rooms.model, &model, |view| view.attempt = form).await;
        }
    };
    let route = rooms.accounts.whole_route(&tenant.id).await?;
    let call = server_calls::Request {
        principal: principal(&tenant, route),
        request: request.0.clone(),
        surface: Surface::of(model.operation),
        head: Head::default(),
        body: Body::Json(asked(&model, posted.text("prompt"))),
        asked: None,
        max_cost: None,
        route: RouteWish::default(),
        end_user: None,
    };
    let mut form = posted.again(&["tenant", "prompt"]);
    let (started, receipt) = match rooms.calls.start(call).await {
        Ok(started) => started,
        Err(error) => {
            let failed = failed(&error);
            if failed.is_none() {
                let words = refusals::told(&error, who.lang(), &model.id);
                form.error = Some(FieldError::Words(words));
            }
            return show_wrong(&who, &rooms.model, &model, |view| {
                (view.attempt, view.attempt_failed) = (form, failed);
            })
            .await;
        }
    };
    let whose = (model.id.as_str(), &tenant.id);
    let (actor, call) = (who.actor(), &started.generation);
    rooms.model.catalogue.note_try(&actor, whose, call).await?;
    let outcome = outcome(&model, (started, receipt), who.lang()).await?;
    let mut view = view::view(&rooms.model, &model, who.now()).await?;
    (view.attempt, view.attempt_result) = (form, Some(outcome));
    who.show(&view).await
}
