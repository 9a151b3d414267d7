//! Refusals of vendors that speak dialects of their own.

use super::*;

#[test]
fn refusals_of_other_dialects_are_what_they_say() {
    for (status, body, kind, scope, retry) in CASES {
        let told = told::refusal(body.as_bytes());
        let fault = classify(*status, &told);
        let found = (fault.kind, fault.scope, fault.retry);
        assert_eq!(found, (*kind, *scope, *retry), "{status} {body}");
    }
}

const CASES: &[Case] = &[
    // Anthropic
    (
        401,
        r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"},"request_id":"req_1"}"#,
        K::InvalidKey,
        Scope::Key,
        GO_ON,
    ),
    (
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing."}}"#,
        K::QuotaExhausted,
        Scope::Account,
        GO_ON,
    ),
    (
        429,
        r#"{"type":"error","error":{"type":"rate_limit_error","message":"You have reached your limit.","details":{"error_code":"enforced_spend_limit_reached"}}}"#,
        K::QuotaExhausted,
        Scope::Account,
        GO_ON,
    ),
    (
        429,
        r#"{"type":"error","error":{"type":"rate_limit_error","message":"Traffic grew too fast.","details":{"error_code":"ramp_limit_exceeded"}}}"#,
        K::RateLimited,
        Scope::Key,
        GO_ON,
    ),
    (
        403,
        r#"{"type":"error","error":{"type":"permission_error","message":"This organization is on hold.","details":{"error_code":"organization_on_hold"}}}"#,
        K::InvalidKey,
        Scope::Key,
        GO_ON,
    ),
    (
        529,
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
        K::Overloaded,
        Scope::Provider,
        GO_ON,
    ),
    (
        404,
        r#"{"type":"error","error":{"type":"not_found_error","message":"model: claude-9"}}"#,
        K::NotFound,
        Scope::ModelAtKey,
        GO_ON,
    ),
    (
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: must be at least 1"}}"#,
        K::BadRequest,
        Scope::Request,
        STOP,
    ),
    (
        408,
        r#"{"type":"error","error":{"type":"timeout_error","message":"The body came too slowly.","details":{"error_code":"request_body_timeout"}}}"#,
        K::Overloaded,
        Scope::Request,
        GO_ON,
    ),
    // Google
    (
        400,
        r#"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}"#,
        K::InvalidKey,
        Scope::Key,
        GO_ON,
    ),
    (
        400,
        r#"{"error":{"code":400,"message":"Gemini API free tier is not available in your country. Please enable billing on your project in Google AI Studio.","status":"FAILED_PRECONDITION"}}"#,
        K::QuotaExhausted,
        Scope::Account,
        GO_ON,
    ),
    (
        400,
        r#"{"error":{"code":400,"message":"User location is not supported for the API use.","status":"FAILED_PRECONDITION"}}"#,
        K::NotFound,
        Scope::Provider,
        GO_ON,
    ),
    (
        429,
        r#"{"error":{"code":429,"message":"Resource has been exhausted (e.g. check quota).","status":"RESOURCE_EXHAUSTED"}}"#,
        K::RateLimited,
        Scope::Key,
        GO_ON,
    ),
    (
        503,
        r#"{"error":{"code":503,"message":"The model is overloaded. Please try again later.","status":"UNAVAILABLE"}}"#,
        K::Overloaded,
        Scope::Provider,
        GO_ON,
    ),
    (
        403,
        r#"{"error":{"code":403,"message":"Generative Language API has not been used in project 1 before or it is disabled.","status":"PERMISSION_DENIED","details":[{"reason":"SERVICE_DISABLED"}]}}"#,
        K::InvalidKey,
        Scope::Account,
        GO_ON,
    ),
    (
        404,
        r#"{"error":{"code":404,"message":"models/gemini-0 is not found for API version v1beta, or is not supported for generateContent.","status":"NOT_FOUND"}}"#,
        K::NotFound,
        Scope::ModelAtKey,
        GO_ON,
    ),
    // Azure OpenAI
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
    // Amazon Bedrock; the header's word stands in the code
    (
        429,
        r#"{"code":"ThrottlingException","message":"Too many requests, please wait before trying again."}"#,
        K::RateLimited,
        Scope::Key,
        GO_ON,
    ),
    (
        403,
        r#"{"code":"AccessDeniedException","message":"You don't have access to the model with the specified model ID."}"#,
        K::NotFound,
        Scope::ModelAtKey,
        GO_ON,
    ),
    (
        403,
        r#"{"code":"UnrecognizedClientException","message":"The security token included in the request is invalid."}"#,
        K::InvalidKey,
        Scope::Key,
        GO_ON,
    ),
    (
        429,
        r#"{"code":"ModelNotReadyException","message":"Model is not ready for inference."}"#,
        K::Overloaded,
        Scope::ModelAtKey,
        GO_ON,
    ),
    (
        424,
        r#"{"code":"ModelErrorException","message":"The model failed.","originalStatusCode":500}"#,
        K::Overloaded,
        Scope::Request,
        GO_ON,
    ),
    (
        400,
        r#"{"code":"ServiceQuotaExceededException","message":"Your account's quota is used up."}"#,
        K::QuotaExhausted,
        Scope::Account,
        GO_ON,
    ),
    // Cohere
    (
        401,
        r#"{"message":"invalid api token"}"#,
        K::InvalidKey,
        Scope::Key,
        GO_ON,
    ),
];
