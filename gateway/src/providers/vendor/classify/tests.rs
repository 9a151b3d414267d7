//! Refusals as providers were seen to send them, and what each is.

use shared::dialect::told;

use super::*;

mod doors;
mod others;
mod streams;

/// Status, body, kind, scope, what is next.
type Case = (u16, &'static str, FaultKind, Scope, Retry);

const GO_ON: Retry = Retry::OtherKey;
const STOP: Retry = Retry::No;

const CASES: &[Case] = &[
    // About one person, by the name that we gave them. The words are ours: no vendor tells its own.
    (
        403,
        r#"{"error":{"message":"The safety_identifier wu_0a_1b has been blocked.","type":"invalid_request_error","param":null,"code":null}}"#,
        K::EndUserBlocked,
        Scope::Request,
        STOP,
    ),
    (
        400,
        r#"{"error":{"message":"This safety identifier is suspended for violations of our usage policies.","type":"invalid_request_error","param":"safety_identifier","code":"invalid_value"}}"#,
        K::EndUserBlocked,
        Scope::Request,
        STOP,
    ),
    (
        403,
        r#"{"error":{"message":"No.","type":"invalid_request_error","code":"identifier_blocked"}}"#,
        K::EndUserBlocked,
        Scope::Request,
        STOP,
    ),
    (
        403,
        r#"{"type":"error","error":{"type":"permission_error","message":"This end-user has been blocked from your account."}}"#,
        K::EndUserBlocked,
        Scope::Request,
        STOP,
    ),
    // About the field and not the person, and about a field that a tenant fills.
    (
        400,
        r#"{"error":{"message":"Unknown parameter: 'safety_identifier'.","type":"invalid_request_error","param":"safety_identifier","code":"unknown_parameter"}}"#,
        K::BadRequest,
        Scope::Request,
        STOP,
    ),
    (
        400,
        r#"{"error":{"message":"Invalid value: 'a safety identifier blocked'.","type":"invalid_request_error","param":"messages[0].content","code":"invalid_value"}}"#,
        K::BadRequest,
        Scope::Request,
        STOP,
    ),
    // OpenAI
    (
        401,
        r#"{"error":{"message":"Incorrect API key provided: sk-a***b. You can find your API key at https://platform.openai.com/account/api-keys.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#,
        K::InvalidKey,
        Scope::Key,
        GO_ON,
    ),
    (
        401,
        r#"{"error":{"message":"Your IP is not authorized to access this API.","type":"invalid_request_error","code":"ip_not_authorized"}}"#,
        K::InvalidKey,
        Scope::Account,
        GO_ON,
    ),
    (
        401,
        r#"{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: model.request.","type":"invalid_request_error","code":null}}"#,
        K::NotFound,
        Scope::ModelAtKey,
        GO_ON,
    ),
    (
        429,
        r#"{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#,
        K::QuotaExhausted,
        Scope::Account,
        GO_ON,
    ),
    (
        429,
        r#"{"error":{"message":"Rate limit reached for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. Please try again in 2s.","type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#,
        K::RateLimited,
        Scope::Key,
        GO_ON,
    ),
    (
        429,
        r#"{"error":{"message":"Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Requested 50000.","type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#,
        K::BadRequest,
        Scope::Request,
        GO_ON,
    ),
    (
        404,
        r#"{"error":{"message":"The model `gpt-9` does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#,
        K::NotFound,
        Scope::ModelAtKey,
        GO_ON,
    ),
    (
        403,
        r#"{"error":{"message":"Project `proj_x` does not have access to model `gpt-4o`","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#,
        K::NotFound,
        Scope::ModelAtKey,
        GO_ON,
    ),
    (
        403,
        r#"{"error":{"message":"Project does not have access to model gpt-4o"}}"#,
        K::NotFound,
        Scope::ModelAtKey,
        GO_ON,
    ),
    // A model that this key, or its account, may not use: the key is good for the others
    (
        403,
        r#"{"error":{"message":"This API key is not allowed to use the model gpt-5"}}"#,
        K::NotFound,
        Scope::ModelAtKey,
        GO_ON,
    ),
    (
        403,
        r#"{"error":{"message":"The model gpt-5 is disabled for this API key","code":"forbidden"}}"#,
        K::NotFound,
        Scope::ModelAtKey,
        GO_ON,
    ),
    (
        403,
        r#"{"error":{"message":"You do not have permission to use model gpt-5","type":"permission_error"}}"#,
        K::NotFound,
        Scope::ModelAtKey,
        GO_ON,
    ),
    (
        403,
        r#"{"error":{"message":"The model has been disabled by an administrator of your organization"}}"#,
        K::NotFound,
        Scope::ModelAtKey,
        GO_ON,
    ),
    (
        403,
        r#"{"error":{"message":"The model `x` is blocked at the organization level.","type":"permissions_error","code":"model_permission_blocked_org"}}"#,
        K::NotFound,
        Scope::ModelAtKey,
        GO_ON,
    ),
    (
        401,
        r#"{"error":{"message":"key not allowed to access model. This key can only access models=['a']. Tried to access b","type":"key_model_access_denied","param":"model","code":"401"}}"#,
        K::NotFound,
        Scope::ModelAtKey,
        GO_ON,
    ),
    (
        403,
        r#"{"error":{"message":"该令牌无权访问模型 gpt-5","type":"new_api_error","code":""}}"#,
        K::NotFound,
        Scope::ModelAtKey,
        GO_ON,
    ),
    (
        404,
        r#"{"error":{"code":"ModelNotOpen","message":"Your account 21 has not activated the model x.","type":"NotFound"}}"#,
        K::NotFound,
        Scope::ModelAtKey,
        GO_ON,
    ),
    // The key and the account themselves, though a model is named or could be
    (
        403,
        r#"{"error":{"message":"Your API key has been disabled","code":"forbidden"}}"#,
        K::InvalidKey,
        Scope::Key,
        GO_ON,
    ),
    (
        401,
        r#"{"error":{"message":"Invalid API key; the model gpt-5 was not called","code":null}}"#,
        K::InvalidKey,
        Scope::Key,
        GO_ON,
    ),
    (
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"This organization has been disabled."}}"#,
        K::QuotaExhausted,
        Scope::Account,
        GO_ON,
    ),
    // What a prompt says about a model is the prompt's
    (
        400,
        r#"{"error":{"message":"messages[0]: this model is not allowed for this key","param":"messages"}}"#,
        K::BadRequest,
        Scope::Request,
        STOP,
    ),
    (
        403,
        r#"{"error":{"message":"Country, region, or territory not supported","type":"request_forbidden","code":"unsupported_country_region_territory"}}"#,
        K::NotFound,
        Scope::Provider,
        GO_ON,
    ),
    (
        400,
        r#"{"error":{"message":"This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
        K::BadRequest,
        Scope::Request,
        STOP,
    ),
    (
        400,
        r#"{"error":{"message":"Your request was rejected as a result of our safety system.","type":"image_generation_user_error","code":"moderation_blocked"}}"#,
        K::ContentPolicy,
        Scope::Request,
        STOP,
    ),
    (
        400,
        r#"{"error":{"message":"Invalid value: 'x'.","type":"invalid_request_error","param":"messages[0].role","code":"invalid_value"}}"#,
        K::BadRequest,
        Scope::Request,
        STOP,
    ),
    (
        400,
        r#"{"error":{"message":"Invalid 'tools[0].function.name': 'incorrect api key'.","type":"invalid_request_error","param":"tools[0].function.name","code":"invalid_value"}}"#,
        K::BadRequest,
        Scope::Request,
        STOP,
    ),
    (
        404,
        r#"{"error":{"message":"Previous response with id 'resp_1' not found.","type":"invalid_request_error","param":"previous_response_id","code":"previous_response_not_found"}}"#,
        K::BadRequest,
        Scope::Request,
        GO_ON,
    ),
    // Flagged prompts, as several say it
    (
        403,
        r#"{"error":{"message":"Your input was flagged"}}"#,
        K::ContentPolicy,
        Scope::Request,
        STOP,
    ),
    (
        403,
        r#"{"error":{"code":403,"message":"openai/gpt-4 requires moderation on OpenAI. Your input was flagged for \"violence\".","metadata":{"reasons":["violence"]}}}"#,
        K::ContentPolicy,
        Scope::Request,
        STOP,
    ),
    (
        451,
        r#"{"error":{"message":"content policy"}}"#,
        K::ContentPolicy,
        Scope::Request,
        STOP,
    ),
    // Azure
    (
        401,
        r#"{"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint."}}"#,
        K::InvalidKey,
        Scope::Key,
        GO_ON,
    ),
    (
        404,
        r#"{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}"#,
        K::NotFound,
        Scope::ModelAtKey,
        GO_ON,
    ),
    (
        400,
        r#"{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
        K::ContentPolicy,
        Scope::Request,
        STOP,
    ),
    (
        429,
        r#"{"error":{"code":"429","message":"Requests to the ChatCompletions_Create Operation have exceeded call rate limit of your current pricing tier."}}"#,
        K::RateLimited,
        Scope::Key,
        GO_ON,
    ),
    // Google
    (
        400,
        r#"[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}]"#,
        K::InvalidKey,
        Scope::Key,
        GO_ON,
    ),
    (
        400,
        r#"[{"error":{"code":400,"message":"Please use a valid role: user, model.","status":"INVALID_ARGUMENT"}}]"#,
        K::BadRequest,
        Scope::Request,
        STOP,
    ),
    (
        400,
        r#"[{"error":{"code":400,"message":"User location is not supported for the API use.","status":"FAILED_PRECONDITION"}}]"#,
        K::NotFound,
        Scope::Provider,
        GO_ON,
    ),
    (
        429,
        r#"[{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details. Please retry in 34s.","status":"RESOURCE_EXHAUSTED"}}]"#,
        K::RateLimited,
        Scope::Key,
        GO_ON,
    ),
    (
        404,
        r#"[{"error":{"code":404,"message":"models/gemini-9 is not found for API version v1main, or is not supported","status":"NOT_FOUND"}}]"#,
        K::NotFound,
        Scope::ModelAtKey,
        GO_ON,
    ),
    // OpenRouter
    (
        402,
        r#"{"error":{"message":"This request requires more credits, or fewer max_tokens. You requested up to 65536 tokens, but can only afford 3919. To increase, visit https://openrouter.ai/settings/credits","code":402}}"#,
        K::QuotaExhausted,
        Scope::Request,
        GO_ON,
    ),
    (
        402,
        r#"{"error":{"message":"Insufficient credits","code":402}}"#,
        K::QuotaExhausted,
        Scope::Account,
        GO_ON,
    ),
    (
        404,
        r#"{"error":{"message":"No endpoints found for x/y.","code":404}}"#,
        K::NotFound,
        Scope::ModelAtKey,
        GO_ON,
    ),
    (
        400,
        r#"{"error":{"message":"x/y is not a valid model ID","code":400}}"#,
        K::NotFound,
        Scope::ModelAtKey,
        GO_ON,
    ),
    (
        401,
        r#"{"error":{"message":"No auth credentials found","code":401}}"#,
        K::InvalidKey,
        Scope::Key,
        GO_ON,
    ),
    (
        502,
        r#"{"error":{"message":"Provider returned error","code":502}}"#,
        K::Overloaded,
        Scope::Provider,
        GO_ON,
    ),
];

#[test]
fn each_refusal_is_what_its_words_say_and_only_then_what_its_status_says() {
    for (status, body, kind, scope, retry) in CASES.iter().chain(others::CASES) {
        let fault = classify(*status, &told::refusal(body.as_bytes()));
        assert_eq!(
            (fault.kind, fault.scope, fault.retry),
            (*kind, *scope, *retry),
            "{status} {body}"
        );
        let of_caller = matches!(kind, K::BadRequest | K::ContentPolicy | K::EndUserBlocked);
        assert_eq!(
            fault.fault_of == FaultOf::Caller,
            of_caller,
            "{status} {body}"
        );
    }
}
