//! Providers' own words: a tenant's fault is told in them, without what is not the tenant's.

use serde_json::json;

use super::super::blame::FOUR;
use super::super::each;
use super::Blamed;
use crate::case::case;
use crate::errors::{reads, says};
use crate::fake::bodies::{error, good_whole};
use crate::fake::{always, saying};

/// What a request brought upon itself: its status at the tenant, and words that it reads.
const OWN: &[Blamed] = &[
    (
        "OpenAI, a bad value",
        (
            400,
            r#"{"error":{"message":"Invalid value: 'x'","type":"invalid_request_error","param":"messages[0].role","code":"invalid_value"}}"#,
            &[400],
            "Invalid value",
        ),
    ),
    (
        "OpenAI, a policy",
        (
            400,
            r#"{"error":{"message":"Your request was rejected by the safety system","type":"invalid_request_error","code":"moderation_blocked"}}"#,
            &[400, 403],
            "safety system",
        ),
    ),
    (
        "Azure, a filter",
        (
            400,
            r#"{"error":{"message":"The response was filtered","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
            &[400, 403],
            "filtered",
        ),
    ),
    (
        "OpenRouter, flagged",
        (
            403,
            r#"{"error":{"code":403,"message":"Input flagged","metadata":{"reasons":["hate"]}}}"#,
            &[400, 403],
            "flagged",
        ),
    ),
    (
        "DashScope, an inspection",
        (
            400,
            r#"{"code":"DataInspectionFailed","message":"Input data may contain inappropriate content.","request_id":"1"}"#,
            &[400, 403],
            "inappropriate",
        ),
    ),
    (
        "Google, an array",
        (
            400,
            r#"[{"error":{"code":400,"message":"Request contains an invalid argument.","status":"INVALID_ARGUMENT"}}]"#,
            &[400],
            "invalid argument",
        ),
    ),
    (
        "FastAPI, a list",
        (
            422,
            r#"{"detail":[{"type":"missing","loc":["body","messages"],"msg":"Field required"}]}"#,
            &[422],
            "Field required",
        ),
    ),
    (
        "FastAPI, a text",
        (400, r#"{"detail":"bad prompt"}"#, &[400], "bad prompt"),
    ),
    (
        "vLLM",
        (
            400,
            r#"{"object":"error","message":"This model's maximum context length is 4096 tokens","type":"BadRequestError","param":null,"code":400}"#,
            &[400],
            "maximum context length",
        ),
    ),
    (
        "Ollama",
        (
            400,
            r#"{"error":"this model does not support tools"}"#,
            &[400],
            "does not support tools",
        ),
    ),
    (
        "a message alone",
        (
            400,
            r#"{"message":"too long by far"}"#,
            &[400],
            "too long by far",
        ),
    ),
    ("plain text", (400, "prompt is too long", &[400], "")),
    (
        "too large",
        (
            413,
            r#"{"error":{"message":"Request body too large"}}"#,
            &[413],
            "too large",
        ),
    ),
    (
        "a conflict",
        (
            409,
            r#"{"error":{"message":"already there"}}"#,
            &[409],
            "already there",
        ),
    ),
    (
        "a method",
        (
            405,
            r#"{"error":{"message":"not here"}}"#,
            &[400, 404, 405, 502],
            "",
        ),
    ),
    (
        "the context",
        (
            400,
            r#"{"error":{"message":"This model's maximum context length is 128000 tokens","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
            &[400],
            "128000",
        ),
    ),
    (
        "a page",
        (
            413,
            "<html><head><title>413 Request Entity Too Large</title></head></html>",
            &[413],
            "",
        ),
    ),
];

type Own = (u16, &'static str, &'static [u16], &'static str);

#[test]
fn a_faulty_request_is_told_so_in_the_providers_words_and_costs_no_key() {
    each(OWN, async |shape, (status, body, told, words): Own| {
        let refused = reads(shape, error(status, body)).await;
        refused.is_one_of(told);
        assert!(refused.message().contains(words), "{}", refused.text);
        assert!(!refused.text.contains("<html"), "{}", refused.text);
    });
}

#[test]
fn what_is_not_the_tenants_is_taken_out_of_the_providers_words() {
    const SECRETS: &[(&str, &str)] = &[
        ("an organisation", "org-AbCdEfGhIjKlMnOpQrStUvWx"),
        ("a project", "proj_AbCdEfGhIjKlMnOpQrStUvWx"),
        ("a key", "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789"),
        ("a key with stars", "sk-abcd********************wxyz"),
        ("our key", "one-key-0123456789"),
        (
            "a bearer",
            "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        ),
        (
            "an address",
            "https://internal.provider.example/v1/chat?key=abcdef",
        ),
        ("a person", "billing-owner@provider.example"),
    ];
    each(SECRETS, async |shape, secret: &str| {
        let body = json!({"error": {"message": format!("Rejected for {secret} in this region"),
            "type": "invalid_request_error", "param": secret, "code": "invalid_value"}});
        let rows = vec![
            saying("bad words", error(400, &body.to_string())),
            always(good_whole()),
        ];
        let case = case(shape, rows).keys(&FOUR[..1]).start().await;
        let refused = case.chat(&says("bad words")).await;
        refused.is(400);
        assert!(refused.message().contains("Rejected"), "{}", refused.text);
        assert!(!refused.text.contains(secret), "{}", refused.text);
    });
}
