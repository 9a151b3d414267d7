//! What a refusal means: by the provider's code and words first, by the status last. A table, so that
//! each row can be tested; the first row that matches decides.

use shared::dialect::Told;
use shared::fault::{Fault, FaultKind, FaultOf, Retry, Scope};

use FaultKind as K;

/// Words that a message has together.
type Words = &'static [&'static str];

/// One row. It matches where one of its codes is the error's code or type, or where all words of one
/// of its phrases stand in the message.
struct Row {
    /// Statuses it is for; empty is for all.
    statuses: &'static [u16],
    /// In lower case.
    codes: &'static [&'static str],
    /// In lower case.
    phrases: &'static [Words],
    kind: FaultKind,
    scope: Scope,
    /// Where it is not the kind's usual one.
    retry: Option<Retry>,
}

/// The name of a model is mentioned by many errors about something else.
const REFUSED: &[u16] = &[403, 404, 410];

const ROWS: &[Row] = &[
    // About this request alone, though the status often says otherwise.
    Row {
        statuses: &[],
        codes: &[
            "context_length_exceeded",
            "string_above_max_length",
            "context_window_exceeded",
        ],
        phrases: &[
            &["maximum context length"],
            &["context window"],
            &["prompt is too long"],
            &["input is too long"],
            &["input token count", "exceeds"],
        ],
        kind: K::BadRequest,
        scope: Scope::Request,
        retry: None,
    },
    Row {
        statuses: &[],
        codes: &[],
        phrases: &[
            &["can only afford"],
            &["fewer max_tokens"],
            &["prompt tokens limit exceeded"],
        ],
        kind: K::QuotaExhausted,
        scope: Scope::Request,
        retry: None,
    },
    Row {
        statuses: &[429],
        codes: &[],
        phrases: &[
            &["request too large"],
            &["request is too large"],
            &["reduce your prompt"],
        ],
        kind: K::BadRequest,
        scope: Scope::Request,
        // Another account may have a larger limit.
        retry: Some(Retry::OtherKey),
    },
    // About the account.
    Row {
        statuses: &[],
        codes: &[
            "insufficient_quota",
            "credit_balance_exhausted",
            "organization_spend_limit_exceeded",
            "project_spend_limit_exceeded",
            "organization_usage_limit_exceeded",
            "billing_not_active",
            "billing_hard_limit_reached",
            "billing_error",
            "exceeded_current_quota_error",
            "insufficient_balance",
            "insufficient_credits",
            "insufficient_user_quota",
            "arrearage",
            "accountoverdueerror",
            "payment_required",
            "1113",
            "1008",
            "30001",
        ],
        phrases: &[
            &["insufficient balance"],
            &["insufficient credit"],
            &["insufficient funds"],
            &["insufficient account balance"],
            &["credit balance is too low"],
            &["out of credits"],
            &["balance is not enough"],
            &["account", "in good standing"],
            &["account", "suspended"],
            &["account", "overdue"],
            &["organization has been disabled"],
            &["organization is disabled"],
            &["billing hard limit"],
            &["余额不足"],
            &["欠费"],
        ],
        kind: K::QuotaExhausted,
        scope: Scope::Account,
        retry: None,
    },
    Row {
        statuses: &[],
        codes: &["ip_not_authorized", "ip_not_allowed"],
        phrases: &[
            &["your ip", "not"],
            &["ip address", "not"],
            &["ip allow"],
            &["ip whitelist"],
        ],
        kind: K::InvalidKey,
        scope: Scope::Account,
        retry: None,
    },
    // What the provider will not say or draw.
    Row {
        statuses: &[],
        codes: &[
            "content_policy_violation",
            "moderation_blocked",
            "content_filter",
            "content_filter_error",
            "responsibleaipolicyviolation",
            "data_inspection_failed",
            "datainspectionfailed",
            "inappropriate_content",
            "sensitive_words_detected",
            "prompt_blocked",
            "image_generation_user_error",
            "1301",
            "1026",
            "1027",
        ],
        phrases: &[
            &["flagged"],
            &["content management policy"],
            &["content policy"],
            &["usage policy"],
            &["usage policies"],
            &["safety system"],
            &["moderation"],
            &["inappropriate content"],
            &["prohibited content"],
            &["sensitive content"],
            &["high risk"],
        ],
        kind: K::ContentPolicy,
        scope: Scope::Request,
        retry: None,
    },
    // About what this key may use; before the key, which such a sentence names too.
    Row {
        statuses: &[401, 403],
        codes: &[
            "key_model_access_denied",
            "team_model_access_denied",
            "user_model_access_denied",
            "org_model_access_denied",
            "model_permission_blocked_org",
            "model_permission_blocked_project",
        ],
        phrases: &[
            &["model", "for this api key"],
            &["model", "for your api key"],
            &["model", "for this key"],
            &["model", "for your key"],
            &["key", "not allowed", "model"],
            &["key", "not permitted", "model"],
            &["can only access model"],
            &["无权", "模型"],
        ],
        kind: K::NotFound,
        scope: Scope::ModelAtKey,
        retry: None,
    },
    // About the key.
    Row {
        statuses: &[],
        codes: &[
            "invalid_api_key",
            "api_key_invalid",
            "invalid_authentication_error",
            "incorrect_api_key_error",
            "invalidapikey",
            "invalid_key",
            "account_deactivated",
            "token_expired",
            "api_key_expired",
            "api_key_disabled",
            "1004",
        ],
        phrases: &[
            &["api key not valid"],
            &["incorrect api key"],
            &["invalid api key"],
            &["invalid api-key"],
            &["invalid x-api-key"],
            &["api key expired"],
            &["invalid subscription key"],
            &["no auth credentials"],
            &["authentication fails"],
            &["无效的令牌"],
            &["无效的api"],
        ],
        kind: K::InvalidKey,
        scope: Scope::Key,
        retry: None,
    },
    Row {
        // With other statuses such a message may quote the tenant.
        statuses: &[401, 403],
        codes: &["authentication_error"],
        phrases: &[
            &["api key", "invalid"],
            &["api key", "expired"],
            &["api key", "revoked"],
            &["api key", "disabled"],
            &["apikey", "invalid"],
            &["token", "invalid"],
            &["token", "expired"],
            &["invalid authentication"],
            &["invalid credentials"],
        ],
        kind: K::InvalidKey,
        scope: Scope::Key,
        retry: None,
    },
    Row {
        statuses: &[401, 403],
        codes: &["missing_scope", "insufficient_permissions"],
        phrases: &[&["insufficient permissions"], &["missing scopes"]],
        kind: K::NotFound,
        scope: Scope::ModelAtKey,
        retry: None,
    },
    // About the place that the gateway calls from.
    Row {
        statuses: &[],
        codes: &["unsupported_country_region_territory"],
        phrases: &[
            &["country, region, or territory not supported"],
            &["location is not supported"],
        ],
        kind: K::NotFound,
        scope: Scope::Provider,
        retry: None,
    },
    // About the model.
    Row {
        statuses: &[],
        codes: &[
            "model_not_found",
            "model_not_available",
            "model_not_exist",
            "model_not_supported",
            "modelnotfound",
            "modelnotopen",
            "invalid_model",
            "unknown_model",
            "deploymentnotfound",
            "invalidendpointormodel.notfound",
            "accessdenied.unpurchased",
            "resource_not_found_error",
            "1211",
            "20012",
        ],
        phrases: &[
            &["model does not exist"],
            &["the model", "does not exist"],
            &["unsupported model"],
            &["invalid model"],
            &["model not exist"],
            &["model not found"],
            &["no such model"],
            &["unknown model"],
            &["is not a valid model"],
            &["no endpoints found"],
            &["not have access to", "model"],
            &["模型不存在"],
        ],
        kind: K::NotFound,
        scope: Scope::ModelAtKey,
        retry: None,
    },
    Row {
        statuses: REFUSED,
        codes: &[],
        phrases: &[
            &["model", "not exist"],
            &["model", "not found"],
            &["model", "access"],
            &["model", "not available"],
            &["model", "not allowed"],
            &["model", "not permitted"],
            &["model", "not authorized"],
            &["model", "not enabled"],
            &["model", "not activated"],
            &["model", "permission"],
            &["model", "disabled"],
            &["model", "deprecated"],
            &["model", "decommissioned"],
            &["model", "retired"],
            &["model:"],
            &["deployment", "not exist"],
        ],
        kind: K::NotFound,
        scope: Scope::ModelAtKey,
        retry: None,
    },
    // About how much, or how much just now.
    Row {
        statuses: &[],
        codes: &[
            "overloaded_error",
            "engine_overloaded_error",
            "engine_overloaded",
            "server_overloaded",
            "service_unavailable",
            "serveroverloaded",
            "1305",
        ],
        phrases: &[
            &["overloaded"],
            &["server is busy"],
            &["at capacity"],
            &["no capacity"],
        ],
        kind: K::Overloaded,
        scope: Scope::Provider,
        retry: None,
    },
    Row {
        statuses: &[],
        codes: &[
            "rate_limit_exceeded",
            "rate_limit_error",
            "rate_limit_reached_error",
            "rate_limited",
            "too_many_requests",
            "toomanyrequests",
            "resource_exhausted",
            "throttling",
            "throttling.ratequota",
            "throttling.allocationquota",
            "limit_requests",
            "limit_burst_rate",
            "1302",
            "1303",
        ],
        phrases: &[&["rate limit"], &["too many requests"]],
        kind: K::RateLimited,
        scope: Scope::Key,
        retry: None,
    },
];

/// The fault that `told` is; `status` is that of the answer.
pub(super) fn classify(status: u16, told: &Told) -> Fault {
    let code = lower(told.code.as_deref());
    let kind_word = lower(told.kind.as_deref());
    let message = told.message.to_lowercase();
    // A success that is an error says its status itself, where it does.
    let status = match told.status {
        Some(inner) if status < 400 => inner,
        _ => status,
    };
    // A sentence about a field of the request may quote what the tenant wrote.
    let is_about_field =
        matches!(status, 400 | 422) && told.param.as_deref().is_some_and(|param| param != "model");
    let matches = |row: &&Row| {
        let is_code = |code: &str| !code.is_empty() && row.codes.contains(&code);
        let has_all = |words: &Words| words.iter().all(|word| message.contains(word));
        (row.statuses.is_empty() || row.statuses.contains(&status))
            && (is_code(&code)
                || is_code(&kind_word)
                || (!is_about_field && row.phrases.iter().any(has_all)))
    };
    let detail = format!("status {status}, type `{kind_word}`, code `{code}`");
    let mut fault = match ROWS.iter().find(matches) {
        Some(row) => {
            let mut fault = Fault::new(row.kind, detail).reaching(row.scope);
            fault.retry = row.retry.unwrap_or(fault.retry);
            fault
        }
        None => by_status(status, told, detail),
    };
    if fault.kind == K::BadRequest || fault.kind == K::ContentPolicy {
        fault.fault_of = FaultOf::Caller;
    }
    fault.with_status(status)
}

fn lower(word: Option<&str>) -> String {
    word.unwrap_or_default().to_ascii_lowercase()
}

/// What a status means where nothing else is known.
#[expect(
    clippy::match_same_arms,
    reason = "a row a status, with the reason of each"
)]
fn by_status(status: u16, told: &Told, detail: String) -> Fault {
    let has_words = !told.message.is_empty();
    let names_field = told.param.is_some() || told.code.is_some();
    let (kind, scope, retry) = match status {
        // Not said to be the key: it is asked for, and nothing else changes.
        401 => (K::InvalidKey, Scope::Request, Retry::OtherKey),
        402 => (K::QuotaExhausted, Scope::Account, Retry::OtherKey),
        403 if has_words => (K::BadRequest, Scope::Request, Retry::OtherKey),
        403 => (K::InvalidKey, Scope::Request, Retry::OtherKey),
        404 if names_field => (K::BadRequest, Scope::Request, Retry::OtherKey),
        // No such page: the address is wrong, or the operation is not offered.
        404 => (K::NotFound, Scope::Provider, Retry::OtherKey),
        // This operation is not offered; others may be.
        405 | 501 => (K::NotFound, Scope::Request, Retry::OtherKey),
        408 | 504 => (K::Timeout, Scope::Provider, Retry::No),
        429 => (K::RateLimited, Scope::Key, Retry::OtherKey),
        // Said by balancers that gave up before the work was started.
        498 | 499 => (K::Overloaded, Scope::Provider, Retry::OtherKey),
        400..=499 => (K::BadRequest, Scope::Request, Retry::No),
        // An error that came as a success says that nothing was made.
        200..=299 | 500..=599 => (K::Overloaded, Scope::Provider, Retry::OtherKey),
        _ => (K::InvalidAnswer, Scope::Provider, Retry::No),
    };
    let mut fault = Fault::new(kind, detail).reaching(scope);
    fault.retry = retry;
    fault
}

#[cfg(test)]
mod tests;
