//! Errors in the forms in which providers were seen to send them, and answers that only look like one.

use super::*;

/// What is told: text, message, type, code, param, status.
type Row<'a> = (
    &'a str,
    &'a str,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
    Option<u16>,
);

fn row(told: &Told) -> Row<'_> {
    (
        "",
        &told.message,
        told.kind.as_deref(),
        told.code.as_deref(),
        told.param.as_deref(),
        told.status,
    )
}

/// Errors, whole as they came.
const ROWS: &[Row<'static>] = &[
    (
        r#"{"error":{"message":"No such thing","type":"invalid_request_error","param":"model","code":"model_not_found"}}"#,
        "No such thing",
        Some("invalid_request_error"),
        Some("model_not_found"),
        Some("model"),
        None,
    ),
    (
        r#"{"id":"x","choices":[{"delta":{"content":""},"finish_reason":"error"}],"error":{"code":502,"message":"Gone"}}"#,
        "Gone",
        None,
        None,
        None,
        Some(502),
    ),
    (
        r#"{ "error" : { "message" : "m", "code" : "429" } }"#,
        "m",
        None,
        None,
        None,
        Some(429),
    ),
    (
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
        "Overloaded",
        Some("overloaded_error"),
        None,
        None,
        None,
    ),
    (
        r#"[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"t","reason":"API_KEY_INVALID"}]}}]"#,
        "API key not valid. Please pass a valid API key.",
        Some("INVALID_ARGUMENT"),
        Some("API_KEY_INVALID"),
        None,
        Some(400),
    ),
    (
        r#"{"error":"model 'x' not found"}"#,
        "model 'x' not found",
        None,
        None,
        None,
        None,
    ),
    (
        r#"{"error":true,"message":"m"}"#,
        "m",
        None,
        None,
        None,
        None,
    ),
    (
        r#"{"detail":"Unauthorized"}"#,
        "Unauthorized",
        None,
        None,
        None,
        None,
    ),
    (
        r#"{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted","input":{}}]}"#,
        "stream_options: Extra inputs are not permitted",
        Some("extra_forbidden"),
        None,
        Some("stream_options"),
        None,
    ),
    (
        r#"{"detail":{"error":{"message":"deep","code":"c"}}}"#,
        "deep",
        None,
        Some("c"),
        None,
        None,
    ),
    (
        r#"{"object":"error","message":"too long","type":"BadRequestError","param":null,"code":400}"#,
        "too long",
        Some("BadRequestError"),
        None,
        None,
        Some(400),
    ),
    (
        r#"{"code":20012,"message":"Model does not exist. Please check it carefully.","data":null}"#,
        "Model does not exist. Please check it carefully.",
        None,
        Some("20012"),
        None,
        None,
    ),
    (
        r#"{"statusCode":401,"message":"Access denied due to invalid subscription key."}"#,
        "Access denied due to invalid subscription key.",
        None,
        None,
        None,
        Some(401),
    ),
    (
        r#"{"error_code":17,"error_msg":"Open api daily request limit reached"}"#,
        "Open api daily request limit reached",
        None,
        Some("17"),
        None,
        None,
    ),
    (
        r#"{"base_resp":{"status_code":1004,"status_msg":"login fail"}}"#,
        "login fail",
        None,
        Some("1004"),
        None,
        None,
    ),
    (
        r#"{"success":false,"errors":[{"code":10000,"message":"Authentication error"}],"result":null}"#,
        "Authentication error",
        None,
        Some("10000"),
        None,
        None,
    ),
    (
        r#"{"error":{"message":"Provider returned error","code":429,"metadata":{"raw":"{\"error\":{\"message\":\"m is rate-limited\"}}","provider_name":"P"}}}"#,
        "m is rate-limited",
        None,
        None,
        None,
        Some(429),
    ),
    (
        r#"{"error":{"message":{"en":"x"},"code":"odd"}}"#,
        "",
        None,
        Some("odd"),
        None,
        None,
    ),
    (
        r#"{"error":{"message":"half \ud800"}}"#,
        "",
        None,
        None,
        None,
        None,
    ),
    (
        "\u{feff} {\"error\":{\"message\":\"m\"}}\n",
        "m",
        None,
        None,
        None,
        None,
    ),
];

#[test]
fn errors_are_found_in_every_form() {
    for (text, message, kind, code, param, status) in ROWS {
        let expected = ("", *message, *kind, *code, *param, *status);
        let found = error_in(text.as_bytes()).unwrap_or_else(|| panic!("no error in {text}"));
        assert_eq!(row(&found), expected, "as a success: {text}");
        assert_eq!(row(&refusal(text.as_bytes())), expected, "refused: {text}");
    }
}

#[test]
fn what_only_looks_like_an_error_is_none() {
    for text in [
        r#"{"error":null,"choices":[]}"#,
        r#"{"error":{},"choices":[{}]}"#,
        r#"{"error": { } ,"choices":[{}]}"#,
        r#"{"error":false,"choices":[{}]}"#,
        r#"{"error":"","choices":[{}]}"#,
        r#"{"error":[],"choices":[{}]}"#,
        r#"{"error":{"code":null,"message":null},"choices":[{}]}"#,
        r#"{"error":{"code":0,"message":"success"},"choices":[{}]}"#,
        r#"{"choices":[{"delta":{"content":"\"error\":{\"message\":1}"}}]}"#,
        r#"{"choices":[{"message":{"error":{"message":"inside"}}}]}"#,
        r#"{"choices":[{"delta":{"content":"x"}}],"base_resp":{"status_code":0,"status_msg":""}}"#,
        r#"{"model":"m","message":{"role":"assistant","content":"ollama"},"done":true}"#,
        r#"{"object":"list","data":[{"embedding":[1]}],"message":"ok"}"#,
        r#"{"code":0,"message":"success"}"#,
        r#"{"id":"x","object":"chat.completion.chunk","type":"ping"}"#,
        "[]",
        "[1,2]",
        "{}",
        "[DONE]",
        "error",
        "",
        "{\"error\"",
    ] {
        assert_eq!(error_in(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn a_refusal_without_json_is_its_text_and_a_page_tells_nothing() {
    for (body, message) in [
        (&b"404 page not found\n"[..], "404 page not found"),
        (b"upstream\tdied\r\n", "upstream died"),
        (b"\"quoted\"", "quoted"),
        // Amazon's, before a request reaches the service itself.
        (
            b"{\"Message\":\"User is not authorized\"}",
            "User is not authorized",
        ),
        (b"[\"one\",\"two\"]", "one; two"),
        (b"<html><body>524</body></html>", ""),
        (b" <!DOCTYPE html>", ""),
        (b"", ""),
        (b"{}", ""),
        (b"{not json", "{not json"),
        (b"\xff\xfe bytes", "\u{fffd}\u{fffd} bytes"),
    ] {
        assert_eq!(refusal(body).message, message);
    }
    let long = "x".repeat(100_000);
    assert_eq!(refusal(long.as_bytes()).message.len(), MESSAGE_CHARS_MAX);
}

#[test]
fn a_wait_that_google_names_is_read() {
    let text = r#"{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.5s"}]}}"#;
    let told = refusal(text.as_bytes());
    assert_eq!(told.wait, Some(Duration::from_millis(34_500)));
    let absurd = text.replace("34.5s", "-1s");
    assert_eq!(refusal(absurd.as_bytes()).wait, None);
}
