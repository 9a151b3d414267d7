//! What a tenant reads when a call was refused or failed: a room's facts as statuses and sentences.

use poem_openapi::payload::Json;
use server_calls::{CallError, sentences};
use server_edge::date;
use server_rooms::accounts::Scope;
use server_rooms::ledger::{BudgetPeriod, Spender};
use server_rooms::limits::LimitExceeded;
use shared::clock::Moment;
use shared::credits::Credits;
use shared::dialect::BadBody;
use shared::fault::{FaultKind, Scope as Reach};
use shared::link::Failure;

use super::error::{ApiError, ErrorBody, INVALID, Words, words};

fn retry_after_seconds(ms: Option<u64>) -> u64 {
    ms.map_or(1, |ms| ms.div_ceil(1_000)).clamp(1, 3_600)
}

impl From<BadBody> for ApiError {
    fn from(error: BadBody) -> Self {
        match error.param {
            Some(param) => Self::bad_field(param, error.message),
            None => Self::bad_request("invalid_json", error.message),
        }
    }
}

impl From<CallError> for ApiError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Body(error) => error.into(),
            CallError::ScopeMissing => Self::scope_missing(Scope::Inference),
            CallError::EndUserSuspended { until } => end_user_suspended(until),
            CallError::ModelNotFound(model) => {
                let message = format!(
                    "The model `{model}` does not exist or your key may not use it. GET /api/v1/models lists yours."
                );
                no_model(&message)
            }
            CallError::ModelRetired {
                model,
                at,
                successor,
            } => retired(&model, at, successor.as_deref()),
            CallError::WrongOperation { model, operation } => {
                Self::bad_field("model", format!("The model `{model}` is for {operation}."))
            }
            CallError::NoPrice(model) => {
                let message = format!("The model `{model}` has no price yet; contact support.");
                Self::unavailable(message, 60)
            }
            CallError::NoProvider(model) => not_served(
                "no_allowed_provider",
                format!(
                    "No allowed provider serves `{model}`. Allow others in `provider`, or use another model."
                ),
            ),
            CallError::DataPolicy(model) => not_served(
                "data_policy_not_met",
                format!(
                    "No provider of `{model}` meets the data policy of this call, key or tenant. Nothing was sent and nothing was charged."
                ),
            ),
            CallError::TooDear(model) => not_served(
                "max_price_exceeded",
                format!(
                    "The price of `{model}` is above the `max_price` of this call, key or tenant."
                ),
            ),
            CallError::TooLarge => Self::bad_field(
                "max_tokens",
                "The call is too large to be priced; reduce it.",
            ),
            CallError::Limited(exceeded) => limited(&exceeded),
            CallError::InsufficientCredits {
                available,
                required,
            } => short_of_credits(available, required),
            CallError::MaxCostTooLow { max_cost, least } => max_cost_too_low(max_cost, least),
            CallError::OverBudget {
                spender,
                period,
                left,
                required,
            } => over_budget(&spender, period, left, required),
            CallError::Ledger(error) => error.into(),
            CallError::Failed(failure) => (*failure).into(),
            CallError::Link(_) => Self::unavailable(sentences::LINK_BROKE, 2),
            CallError::Stopping => Self::unavailable(sentences::STOPPING, 2),
        }
    }
}

fn no_model(message: &str) -> ApiError {
    ApiError::NotFound(
        Words {
            kind: INVALID,
            code: "model_not_found",
            message,
            param: Some("model"),
        }
        .body(),
    )
}

fn limited(exceeded: &LimitExceeded) -> ApiError {
    let seconds = exceeded
        .retry_after
        .as_millis()
        .div_ceil(1_000)
        .clamp(1, 3_600);
    ApiError::too_many(
        "rate_limit_exceeded",
        exceeded.message(),
        u64::try_from(seconds).unwrap_or(1),
    )
}

/// OpenAI answers for a model that it took away as for one that never was.
fn retired(model: &str, at: Moment, successor: Option<&str>) -> ApiError {
    let instead = successor.map_or_else(
        || "GET /api/v1/models lists those that you may use.".to_owned(),
        |successor| format!("Use `{successor}` instead."),
    );
    let message = format!(
        "The model `{model}` was retired on {}. {instead}",
        date::text(at)
    );
    no_model(&message)
}

/// A model that nobody may serve; OpenRouter answers the same with 404.
fn not_served(code: &'static str, message: String) -> ApiError {
    ApiError::NotFound(
        Words {
            kind: INVALID,
            code,
            message: &message,
            param: Some("provider"),
        }
        .body(),
    )
}

/// One person, not the tenant: everybody else's calls go on.
fn end_user_suspended(until: Option<Moment>) -> ApiError {
    let when = until.map_or_else(String::new, |until| format!(" until {}", date::text(until)));
    let message = format!(
        "This end user is suspended{when} because of the content of their requests. Your other end users are not affected; your administrators can see the reason under End users. Nothing was charged."
    );
    ApiError::forbidden("end_user_suspended", message)
}

fn short_of_credits(available: Credits, required: Credits) -> ApiError {
    let message = format!(
        "This call needs at least {required} credits; {available} are available. Top up, or ask for less (max_tokens, n)."
    );
    ApiError::PaymentRequired(words(
        "insufficient_quota",
        "insufficient_credits",
        &message,
    ))
}

/// The tenant's own bound, not its balance: recharging would not help.
fn max_cost_too_low(max_cost: Credits, least: Credits) -> ApiError {
    let message = format!(
        "This call needs at least {least} credits; its `max_cost` is {max_cost}. Raise it, or ask for less (a shorter input, n)."
    );
    ApiError::PaymentRequired(
        Words {
            kind: INVALID,
            code: "max_cost_too_low",
            message: &message,
            param: Some("max_cost"),
        }
        .body(),
    )
}

fn over_budget(
    spender: &Spender,
    period: BudgetPeriod,
    left: Credits,
    required: Credits,
) -> ApiError {
    let whose = match spender {
        Spender::Key(_) => "this key",
        Spender::User(_) => "this user",
    };
    let when = match period {
        BudgetPeriod::Day => " for today",
        BudgetPeriod::Month => " for this month",
        BudgetPeriod::Total => "",
    };
    let message = format!(
        "This call needs at least {required} credits; the budget of {whose} has {left} left{when}. Ask your administrator to raise it."
    );
    ApiError::PaymentRequired(words("insufficient_quota", "budget_exceeded", &message))
}

/// What the tenant reads where the provider's own words are not for it.
const NO_CAPACITY: &str = "No provider is available for this call right now. Nothing was charged.";
const BROKE_OFF: &str = "The provider's answer was interrupted. Nothing was charged.";
const TOO_SLOW: &str = "The provider did not answer in time. Nothing was charged.";
const TOO_DEAR: &str = "No provider is available for a call of this size right now; ask for less (max_tokens, a shorter input). Nothing was charged.";
const PERSON_REFUSED: &str = "The provider refused this end user because of the content of their requests, so they are suspended. Your other end users are not affected. Nothing was charged.";
const PROVIDER_BUSY: &str =
    "The provider's rate limit is reached; try again later. Nothing was charged.";

/// A failure the gateway told; the provider's own words only where they are about the request.
impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        let kind = failure.fault.kind;
        let after = retry_after_seconds(failure.fault.retry_after_ms);
        match kind {
            FaultKind::BadRequest => refused(&failure),
            FaultKind::ContentPolicy => Self::BadRequest(told(
                &failure,
                "content_policy_violation",
                "The provider refused this content.",
            )),
            FaultKind::EndUserBlocked => Self::forbidden("end_user_suspended", PERSON_REFUSED),
            // The target's address is wrong, or it is not for this region: nothing the tenant can mend.
            FaultKind::NotFound if failure.fault.scope == Reach::Provider => {
                Self::Unavailable(words("server_error", "no_capacity", NO_CAPACITY), after)
            }
            FaultKind::QuotaExhausted if failure.fault.scope == Reach::Request => {
                Self::Unavailable(words("server_error", "no_capacity", TOO_DEAR), after)
            }
            FaultKind::NotFound => Self::NotFound(words(
                INVALID,
                "model_not_found",
                "The provider does not know this model.",
            )),
            FaultKind::RateLimited => Self::TooManyRequests(
                words("rate_limit_error", "provider_rate_limited", PROVIDER_BUSY),
                after,
            ),
            FaultKind::Overloaded
            | FaultKind::Unreachable
            | FaultKind::NoCapacity
            | FaultKind::InvalidKey
            | FaultKind::QuotaExhausted => {
                Self::Unavailable(words("server_error", "no_capacity", NO_CAPACITY), after)
            }
            FaultKind::Timeout => Self::GatewayTimeout(words("server_error", "timeout", TOO_SLOW)),
            FaultKind::Interrupted | FaultKind::InvalidAnswer => {
                Self::BadGateway(words("server_error", kind.word(), BROKE_OFF))
            }
            FaultKind::Canceled | FaultKind::Internal => Self::internal(),
        }
    }
}

/// A request that the provider refused, with the status that it gave.
fn refused(failure: &Failure) -> ApiError {
    let body = told(
        failure,
        "invalid_request",
        "The provider refused the request.",
    );
    match failure.fault.upstream_status {
        Some(403) => ApiError::Forbidden(body),
        Some(404) => ApiError::NotFound(body),
        Some(409) => ApiError::Conflict(body),
        // A provider's 429 for a request that no waiting makes smaller.
        Some(413 | 429) => ApiError::PayloadTooLarge(body),
        Some(415) => ApiError::UnsupportedMediaType(body),
        Some(422) => ApiError::Unprocessable(body),
        _ => ApiError::BadRequest(body),
    }
}

/// Whether the same call may go well later; official clients send it again where they are not told that
/// it will not.
pub(super) fn waiting_cures(error: &CallError) -> bool {
    match error {
        CallError::Limited(_) | CallError::Ledger(_) | CallError::Link(_) | CallError::Stopping => {
            true
        }
        CallError::Failed(failure) => match failure.fault.kind {
            FaultKind::RateLimited
            | FaultKind::Overloaded
            | FaultKind::Unreachable
            | FaultKind::Timeout
            | FaultKind::Interrupted
            | FaultKind::InvalidAnswer
            | FaultKind::Canceled
            | FaultKind::Internal => true,
            // Where keys rest it says until when.
            FaultKind::NoCapacity => failure.fault.retry_after_ms.is_some(),
            FaultKind::BadRequest
            | FaultKind::ContentPolicy
            | FaultKind::EndUserBlocked
            | FaultKind::NotFound
            | FaultKind::InvalidKey
            | FaultKind::QuotaExhausted => false,
        },
        CallError::Body(_)
        | CallError::ScopeMissing
        | CallError::EndUserSuspended { .. }
        | CallError::ModelNotFound(_)
        | CallError::ModelRetired { .. }
        | CallError::WrongOperation { .. }
        | CallError::NoPrice(_)
        | CallError::NoProvider(_)
        | CallError::DataPolicy(_)
        | CallError::TooDear(_)
        | CallError::TooLarge
        | CallError::InsufficientCredits { .. }
        | CallError::MaxCostTooLow { .. }
        | CallError::OverBudget { .. } => false,
    }
}

/// The provider's cleaned words, or ours where it had none.
fn told(failure: &Failure, code: &str, message: &str) -> Json<ErrorBody> {
    let told = failure.caller.as_ref();
    let words = told
        .map(|told| told.message.as_str())
        .filter(|text| !text.is_empty());
    Words {
        kind: INVALID,
        code: told.and_then(|told| told.code.as_deref()).unwrap_or(code),
        message: words.unwrap_or(message),
        param: told.and_then(|told| told.param.as_deref()),
    }
    .body()
}
