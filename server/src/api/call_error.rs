//! What a tenant reads when a call was refused or failed: a room's facts as statuses and sentences.

use shared::fault::FaultKind;
use shared::link::Failure;

use super::error::{ApiError, INVALID, Words, words};
use crate::calls::CallError;

fn retry_after_seconds(ms: Option<u64>) -> u64 {
    ms.map_or(1, |ms| ms.div_ceil(1_000)).clamp(1, 3_600)
}

impl From<CallError> for ApiError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Body(error) => match error.param {
                Some(param) => Self::bad_field(param, error.message),
                None => Self::bad_request("invalid_json", error.message),
            },
            CallError::ModelNotFound(model) => {
                let message = format!(
                    "The model `{model}` does not exist or your key may not use it. GET /api/v1/models lists yours."
                );
                Self::NotFound(
                    Words {
                        kind: INVALID,
                        code: "model_not_found",
                        message: &message,
                        param: Some("model"),
                    }
                    .body(),
                )
            }
            CallError::WrongOperation { model, operation } => {
                Self::bad_field("model", format!("The model `{model}` is for {operation}."))
            }
            CallError::NoPrice(model) => {
                let message = format!(
                    "The model `{model}` has no price yet; ask your provider of this service."
                );
                Self::unavailable(message, 60)
            }
            CallError::TooLarge => Self::bad_field(
                "max_tokens",
                "The call is too large to be priced; ask for less.",
            ),
            CallError::Limited(exceeded) => {
                let seconds = exceeded
                    .retry_after
                    .as_millis()
                    .div_ceil(1_000)
                    .clamp(1, 3_600);
                Self::too_many(
                    "rate_limit_exceeded",
                    exceeded.message(),
                    u64::try_from(seconds).unwrap_or(1),
                )
            }
            CallError::InsufficientCredits {
                available,
                required,
            } => {
                let message = format!(
                    "This call needs at least {required} credits and {available} are available. Recharge, or ask for less (max_tokens, n)."
                );
                Self::PaymentRequired(words(
                    "insufficient_quota",
                    "insufficient_credits",
                    &message,
                ))
            }
            CallError::Ledger(error) => error.into(),
            CallError::Failed(failure) => (*failure).into(),
            CallError::Link(_) => Self::unavailable(
                "The region of the providers can't be reached just now; try again. Nothing was charged.",
                2,
            ),
        }
    }
}

/// A failure the gateway told; the provider's own words only where they are about the request.
impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        let fault = &failure.fault;
        let told = failure.caller.unwrap_or_default();
        let message = |default: &str| {
            if told.message.is_empty() {
                default.to_owned()
            } else {
                told.message.clone()
            }
        };
        let code = |default: &'static str| told.code.clone().unwrap_or_else(|| default.to_owned());
        let body = |kind, code: &str, message: &str| {
            Words {
                kind,
                code,
                message,
                param: told.param.as_deref(),
            }
            .body()
        };
        let after = retry_after_seconds(fault.retry_after_ms);
        match fault.kind {
            FaultKind::BadRequest => Self::BadRequest(body(
                INVALID,
                &code("invalid_request"),
                &message("The provider refused the request."),
            )),
            FaultKind::ContentPolicy => Self::BadRequest(body(
                INVALID,
                &code("content_policy_violation"),
                &message("The provider refuses this content."),
            )),
            FaultKind::NotFound => Self::NotFound(body(
                INVALID,
                "model_not_found",
                "The provider does not know this model.",
            )),
            FaultKind::RateLimited => Self::TooManyRequests(
                body(
                    "rate_limit_error",
                    "provider_rate_limited",
                    "The provider takes no more requests just now.",
                ),
                after,
            ),
            FaultKind::Overloaded | FaultKind::Unreachable | FaultKind::NoCapacity => {
                Self::Unavailable(
                    body(
                        "server_error",
                        fault.kind.word(),
                        "No provider can take this call just now; nothing was charged.",
                    ),
                    after,
                )
            }
            FaultKind::InvalidKey | FaultKind::QuotaExhausted => Self::Unavailable(
                body(
                    "server_error",
                    "no_capacity",
                    "No provider can take this call just now; nothing was charged.",
                ),
                after,
            ),
            FaultKind::Timeout => Self::GatewayTimeout(body(
                "server_error",
                "timeout",
                "The provider did not answer in time; nothing was charged.",
            )),
            FaultKind::Interrupted | FaultKind::InvalidAnswer => Self::BadGateway(body(
                "server_error",
                fault.kind.word(),
                "The provider's answer broke off; nothing was charged.",
            )),
            FaultKind::Canceled | FaultKind::Internal => Self::internal(),
        }
    }
}
