//! Errors in the middle of streams as providers send them, and what each is: what is said of a person or of
//! content is that, whichever dialect it stands in, and what says nothing is the provider's failure as before.

use shared::dialect::{self, Metered, StreamError, Verdict};
use shared::sse::{Events, Keep};

use super::*;

const CHAT: &str = "data: {\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"well\"}}]}\n\n";
const MESSAGES: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"c\",\"content\":[],\"usage\":{\"input_tokens\":5,\"output_tokens\":1}}}\n\n";
const GEMINI: &str = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"well\"}],\"role\":\"model\"},\"index\":0}]}\r\n\r\n";
const RESPONSES: &str = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"item_id\":\"i\",\"output_index\":0,\"content_index\":0,\"delta\":\"well\"}\n\n";
const COHERE: &str = "event: content-delta\ndata: {\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"text\":\"well\"}}}}\n\n";
const CONVERSE: &str =
    "event: contentBlockDelta\ndata: {\"contentBlockIndex\":0,\"delta\":{\"text\":\"well\"}}\n\n";

/// The dialect, what came before, the event that ends it, and what it is.
type Row = (&'static str, &'static str, &'static str, FaultKind);

const STREAMS: &[Row] = &[
    (
        "openai_chat",
        CHAT,
        r#"data: {"error":{"message":"This safety identifier has been blocked.","type":"invalid_request_error","param":null,"code":"identifier_blocked"}}"#,
        K::EndUserBlocked,
    ),
    // Azure and OpenRouter.
    (
        "openai_chat",
        CHAT,
        r#"data: {"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.","type":null,"param":"prompt","code":"content_filter","status":400}}"#,
        K::ContentPolicy,
    ),
    (
        "openai_chat",
        CHAT,
        r#"data: {"id":"x","object":"chat.completion.chunk","provider":"P","error":{"code":403,"message":"Your input was flagged","metadata":{"reasons":["violence"]}},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"#,
        K::ContentPolicy,
    ),
    (
        "openai_chat",
        CHAT,
        r#"data: {"error":{"message":"Output data may contain inappropriate content.","type":"data_inspection_failed","code":"data_inspection_failed"}}"#,
        K::ContentPolicy,
    ),
    (
        "openai_chat",
        CHAT,
        r#"data: {"error":{"message":"Rate limit reached","type":"tokens","code":"rate_limit_exceeded"}}"#,
        K::RateLimited,
    ),
    (
        "openai_chat",
        CHAT,
        r#"data: {"error":{"message":"The server had an error","type":"server_error","code":null}}"#,
        K::Overloaded,
    ),
    // The stream proves that the key is good.
    (
        "openai_chat",
        CHAT,
        r#"data: {"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}"#,
        K::Overloaded,
    ),
    // What a tenant wrote rests no key: only a code or a status does.
    (
        "openai_chat",
        CHAT,
        r#"data: {"error":{"message":"Invalid value: 'insufficient balance'","type":"invalid_request_error","param":"messages[0].content","code":null}}"#,
        K::Overloaded,
    ),
    (
        "openai_chat",
        CHAT,
        r#"data: {"error":{"message":"Can't go on after \"what is a rate limit?\"","type":"server_error","code":null}}"#,
        K::Overloaded,
    ),
    (
        "openai_chat",
        CHAT,
        r#"data: {"error":{"message":"Rate limit reached after \"insufficient balance\"","type":"tokens","code":"rate_limit_exceeded"}}"#,
        K::RateLimited,
    ),
    (
        "openai_chat",
        CHAT,
        r#"data: {"error":{"message":"You exceeded your quota","type":"insufficient_quota","code":"insufficient_quota"}}"#,
        K::QuotaExhausted,
    ),
    (
        "openai_chat",
        CHAT,
        r#"data: {"error":{"message":"Incorrect API key provided: 'rate limit'","param":"input","code":"invalid_api_key"}}"#,
        K::Overloaded,
    ),
    (
        "anthropic_messages",
        MESSAGES,
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"Stopped at: insufficient balance\"}}",
        K::Overloaded,
    ),
    (
        "anthropic_messages",
        MESSAGES,
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"Slow down.\"}}",
        K::RateLimited,
    ),
    (
        "gemini",
        GEMINI,
        r#"data: {"error":{"code":429,"message":"Too many requests.","status":"UNKNOWN"}}"#,
        K::RateLimited,
    ),
    (
        "cohere_chat",
        COHERE,
        r#"data: {"message":"Boom at: rate limit"}"#,
        K::Overloaded,
    ),
    (
        "anthropic_messages",
        MESSAGES,
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"permission_error\",\"message\":\"This end-user has been blocked from your account.\"}}",
        K::EndUserBlocked,
    ),
    (
        "anthropic_messages",
        MESSAGES,
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"Output blocked by content filtering policy\"}}",
        K::ContentPolicy,
    ),
    (
        "anthropic_messages",
        MESSAGES,
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}",
        K::Overloaded,
    ),
    (
        "gemini",
        GEMINI,
        r#"data: {"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"}}"#,
        K::ContentPolicy,
    ),
    (
        "gemini",
        GEMINI,
        r#"data: {"error":{"code":400,"message":"The content was flagged by our safety system.","status":"INVALID_ARGUMENT"}}"#,
        K::ContentPolicy,
    ),
    (
        "gemini",
        GEMINI,
        r#"data: {"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#,
        K::Overloaded,
    ),
    (
        "openai_responses",
        RESPONSES,
        "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"id\":\"r\",\"status\":\"failed\",\"output\":[],\"error\":{\"code\":\"safety_identifier_blocked\",\"message\":\"Blocked.\"}}}",
        K::EndUserBlocked,
    ),
    (
        "openai_responses",
        RESPONSES,
        "event: error\ndata: {\"type\":\"error\",\"code\":\"content_policy_violation\",\"message\":\"Refused.\",\"param\":null}",
        K::ContentPolicy,
    ),
    // A word of this dialect alone.
    (
        "openai_responses",
        RESPONSES,
        "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"id\":\"r\",\"status\":\"failed\",\"output\":[],\"error\":{\"code\":\"bio_policy\",\"message\":\"No.\"}}}",
        K::ContentPolicy,
    ),
    (
        "openai_responses",
        RESPONSES,
        "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"id\":\"r\",\"status\":\"failed\",\"output\":[],\"error\":{\"code\":\"server_error\",\"message\":\"Boom.\"}}}",
        K::Overloaded,
    ),
    (
        "cohere_chat",
        COHERE,
        r#"data: {"message":"Your request was flagged by moderation."}"#,
        K::ContentPolicy,
    ),
    (
        "cohere_chat",
        COHERE,
        r#"data: {"message":"Boom."}"#,
        K::Overloaded,
    ),
    (
        "bedrock_converse",
        CONVERSE,
        "event: error\ndata: {\"type\":\"validationException\",\"message\":\"The output was blocked: sensitive content.\"}",
        K::ContentPolicy,
    ),
    (
        "bedrock_converse",
        CONVERSE,
        "event: error\ndata: {\"type\":\"modelStreamErrorException\",\"message\":\"The content was flagged.\"}",
        K::ContentPolicy,
    ),
];

/// What ended a stream, as its meter saw it.
fn broken(dialect: &str, stream: &str) -> StreamError {
    let dialect = dialect::named(dialect).expect("a dialect");
    let mut meter = dialect.meter(Metered::default());
    let (mut ready, mut found) = (Vec::new(), None);
    let pushed = Events::default().push(stream.to_owned().into(), &mut ready, |event| {
        match meter.event(event) {
            Verdict::Broken(broken) => found = Some(broken),
            Verdict::Pass | Verdict::Without(_) | Verdict::Hide | Verdict::Enough(_) => {}
        }
        Keep::Nothing
    });
    pushed.expect("small events");
    found.unwrap_or_else(|| panic!("nothing ended {stream}"))
}

#[test]
fn an_error_in_the_middle_of_a_stream_is_what_its_words_say_in_every_dialect() {
    for (dialect, before, last, kind) in STREAMS {
        let StreamError { fault, told } = broken(dialect, &format!("{before}{last}\n\n"));
        let known = told.and_then(|told| in_stream(fault.kind, &told));
        let fault = known.unwrap_or(fault);
        assert_eq!(fault.kind, *kind, "{dialect}: {last}: {fault}");
        let of_caller = matches!(kind, K::BadRequest | K::ContentPolicy | K::EndUserBlocked);
        assert_eq!(
            fault.fault_of == FaultOf::Caller,
            of_caller,
            "{dialect}: {last}"
        );
    }
}
