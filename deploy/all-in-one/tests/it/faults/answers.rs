//! What is answered, and by whom: targets one after the other, streams that fail before they begin,
//! answers in other forms than asked for, fields that a provider refuses.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::fake::{
    Fake, GOOD, GOOD_STREAM, answer, ask, count, keys, model, models, provider, stream_of,
};
use crate::support::{Joined, places, start};

const STREAM: &str = "stream";

fn asks_stream() -> Value {
    json!({STREAM: true})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_out_of_order_never_starves_the_next_one() {
    for place in places().await {
        let product = start(&place, Joined::OverHttp).await;
        let (_, well) = Fake::start(|_| answer("200 OK", "", GOOD)).await;
        provider(&product, "well", &format!("http://{well}/v1"), 1).await;
        let customer = product.customer("1000").await;
        let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let dead = closed.local_addr().expect("an address");
        drop(closed);
        provider(&product, "dead", &format!("http://{dead}/v1"), 2).await;
        model(&product, "dead", &["dead", "well"]).await;
        for (name, status, body) in [
            ("busy", "503 Service Unavailable", ""),
            (
                "lacks",
                "404 Not Found",
                r#"{"error":{"message":"The model `theirs` does not exist","code":"model_not_found"}}"#,
            ),
            (
                "lacks-too",
                "400 Bad Request",
                r#"{"error":{"message":"Model Not Exist","type":"invalid_request_error"}}"#,
            ),
            ("nowhere", "404 Not Found", "<html>404</html>"),
            ("poor", "402 Payment Required", ""),
            ("locked", "401 Unauthorized", ""),
            ("walled", "403 Forbidden", ""),
            ("limited", "429 Too Many Requests", ""),
            (
                "tired",
                "529 ",
                r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            ),
            ("late", "524 ", "<html>A timeout occurred</html>"),
        ] {
            let (_, address) = Fake::start(move |_| answer(status, "", body)).await;
            provider(&product, name, &format!("http://{address}/v1"), 2).await;
            model(&product, name, &[name, "well"]).await;
        }
        let names = [
            "dead",
            "busy",
            "lacks",
            "lacks-too",
            "nowhere",
            "poor",
            "locked",
            "walled",
            "limited",
            "tired",
            "late",
        ];
        for name in names {
            for _ in 0..8 {
                let got = ask(&product, &customer, name, ("hi", json!({}))).await;
                assert_eq!(got.status, StatusCode::OK, "{name}: {}", got.text);
            }
        }
        // With nothing else left the tenant reads what was the matter, and nothing hangs.
        model(&product, "dead-only", &["dead"]).await;
        let begun = Instant::now();
        let got = ask(&product, &customer, "dead-only", ("hi", json!({}))).await;
        assert_eq!(got.status, StatusCode::SERVICE_UNAVAILABLE, "{}", got.text);
        assert!(begun.elapsed() < Duration::from_secs(3));
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_that_cools_answers_429_and_until_when() {
    let [place, _] = places().await;
    let product = start(&place, Joined::OverHttp).await;
    let customer = product.customer("1000").await;
    let date =
        "date: Sun, 06 Nov 1994 08:49:37 GMT\r\nretry-after: Sun, 06 Nov 1994 08:51:37 GMT\r\n";
    for (name, headers, body, seconds) in [
        ("seconds", "retry-after: 120\r\n", "{}", 120),
        ("ms", "retry-after-ms: 119500\r\n", "{}", 120),
        ("date", date, "{}", 120),
        (
            "words",
            "",
            r#"{"error":{"message":"Rate limit reached. Please try again in 2m0s."}}"#,
            120,
        ),
    ] {
        let (fake, address) =
            Fake::start(move |_| answer("429 Too Many Requests", headers, body)).await;
        provider(&product, name, &format!("http://{address}/v1"), 1).await;
        model(&product, name, &[name]).await;
        for _ in 0..3 {
            let got = ask(&product, &customer, name, ("hi", json!({}))).await;
            assert_eq!(
                got.status,
                StatusCode::TOO_MANY_REQUESTS,
                "{name}: {}",
                got.text
            );
            let told: u64 = got
                .header("retry-after")
                .and_then(|text| text.parse().ok())
                .expect("a number");
            assert!((seconds - 5..=seconds).contains(&told), "{name}: {told}");
        }
        assert_eq!(fake.calls().len(), 1, "{name}: it is left alone");
        let key = &keys(&product, name).await[0];
        assert_eq!(
            (&key["status"], &key["reason"]),
            (&json!("cooling"), &json!("rate_limited")),
            "{key}"
        );
    }
    // A provider that is overloaded is believed as well.
    let (fake, address) =
        Fake::start(|_| answer("503 Service Unavailable", "retry-after: 90\r\n", "")).await;
    provider(&product, "busy", &format!("http://{address}/v1"), 1).await;
    model(&product, "busy", &["busy"]).await;
    for _ in 0..2 {
        let got = ask(&product, &customer, "busy", ("hi", json!({}))).await;
        assert_eq!(got.status, StatusCode::SERVICE_UNAVAILABLE);
        let told: u64 = got
            .header("retry-after")
            .and_then(|text| text.parse().ok())
            .expect("a number");
        assert!((85..=90).contains(&told), "{told}");
    }
    assert_eq!(fake.calls().len(), 1);
    product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_that_came_as_a_success_fails_over_while_nothing_was_sent() {
    let error = r#"{"error":{"message":"upstream is gone","code":502}}"#;
    let chunk = r#"{"id":"x","choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}],"error":{"code":502,"message":"gone"}}"#;
    let rows: Vec<(&str, bool, Vec<u8>)> = vec![
        (
            "first-event",
            true,
            stream_of(&format!("data: {error}\n\n")),
        ),
        (
            "after-comments",
            true,
            stream_of(&format!(
                ": PROCESSING\n\n: again\n\ndata: {error}\n\ndata: [DONE]\n\n"
            )),
        ),
        (
            "in-a-chunk",
            true,
            stream_of(&format!("data: {chunk}\n\ndata: [DONE]\n\n")),
        ),
        (
            "named-event",
            true,
            stream_of("event: error\ndata: {\"message\":\"no\"}\n\n"),
        ),
        ("crlf", true, stream_of(&format!("data: {error}\r\n\r\n"))),
        ("without-end", true, stream_of(&format!("data: {error}"))),
        ("json-for-stream", true, answer("200 OK", "", error)),
        (
            "array-for-stream",
            true,
            answer("200 OK", "", &format!("[{error}]")),
        ),
        ("whole", false, answer("200 OK", "", error)),
        (
            "whole-with-blank",
            false,
            answer("200 OK", "", r#"{ "error" : "overloaded" }"#),
        ),
        (
            "whole-beside",
            false,
            answer("200 OK", "", r#"{"choices":[],"error":{"message":"no"}}"#),
        ),
    ];
    for place in places().await {
        let product = start(&place, Joined::OverHttp).await;
        let customer = product.customer("1000").await;
        let (_, well) = Fake::start(|seen| {
            if seen.says(STREAM) {
                stream_of(GOOD_STREAM)
            } else {
                answer("200 OK", "", GOOD)
            }
        })
        .await;
        provider(&product, "well", &format!("http://{well}/v1"), 1).await;
        for (name, is_stream, bytes) in &rows {
            let bytes = bytes.clone();
            let (fake, address) = Fake::start(move |_| bytes.clone()).await;
            provider(&product, name, &format!("http://{address}/v1"), 1).await;
            model(&product, name, &[name, "well"]).await;
            model(&product, &format!("{name}-only"), &[name]).await;
            let more = if *is_stream { asks_stream() } else { json!({}) };
            let got = ask(&product, &customer, name, ("hi", more.clone())).await;
            assert_eq!(got.status, StatusCode::OK, "{name}: {}", got.text);
            assert!(
                got.text.contains("well") && !got.text.contains("error"),
                "{name}: {}",
                got.text
            );
            assert_eq!(fake.calls().len(), 1, "{name}");
            let before = product.settled(&customer).await;
            let got = ask(&product, &customer, &format!("{name}-only"), ("hi", more)).await;
            assert_eq!(
                got.status,
                StatusCode::SERVICE_UNAVAILABLE,
                "{name}: {}",
                got.text
            );
            assert_eq!(
                got.json()["error"]["code"],
                "no_capacity",
                "{name}: {}",
                got.text
            );
            assert_eq!(
                product.settled(&customer).await,
                before,
                "{name}: nothing is charged"
            );
        }
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_another_form_is_understood_or_refused() {
    let [place, _] = places().await;
    let product = start(&place, Joined::OverHttp).await;
    let customer = product.customer("1000").await;
    let packed = |text: &str, kind: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, text.as_bytes()).expect("written");
        let body = encoder.finish().expect("packed");
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        [head.into_bytes(), body].concat()
    };
    let page =
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<html>hello</html>";
    let gibberish = "HTTP/1.1 200 OK\r\ncontent-encoding: br\r\nconnection: close\r\n\r\nxx";
    let rows: Vec<(&str, bool, Vec<u8>, u16)> = vec![
        ("gzip", false, packed(GOOD, "application/json"), 200),
        (
            "gzip-stream",
            true,
            packed(GOOD_STREAM, "text/event-stream"),
            200,
        ),
        ("json-as-stream", true, answer("200 OK", "", GOOD), 200),
        ("odd-type", true, answer("200 OK", "", GOOD_STREAM), 200),
        ("page", false, page.into(), 502),
        ("page-as-stream", true, page.into(), 502),
        ("brotli", false, gibberish.into(), 502),
        ("nothing", true, stream_of(""), 502),
        ("comments-only", true, stream_of(": hello\n\n"), 502),
        ("empty", false, answer("200 OK", "", "{}"), 502),
        ("no-content", false, answer("204 No Content", "", ""), 502),
        (
            "elsewhere",
            false,
            answer("302 Found", "location: http://127.0.0.1:1/\r\n", ""),
            502,
        ),
        (
            "cut",
            false,
            b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{".to_vec(),
            502,
        ),
    ];
    for (name, is_stream, bytes, expected) in rows {
        let (fake, address) = Fake::start(move |_| bytes.clone()).await;
        provider(&product, name, &format!("http://{address}/v1"), 2).await;
        model(&product, name, &[name]).await;
        let before = product.settled(&customer).await["used"].as_i64();
        let more = if is_stream { asks_stream() } else { json!({}) };
        let got = ask(&product, &customer, name, ("hi", more)).await;
        assert_eq!(got.status.as_u16(), expected, "{name}: {}", got.text);
        let calls = fake.calls();
        assert_eq!(
            calls.len(),
            1,
            "{name}: what may have been billed is not sent again"
        );
        assert!(
            calls[0].head.contains("accept-encoding: identity"),
            "{}",
            calls[0].head
        );
        let is_good = expected == 200;
        assert_eq!(got.text.contains("well"), is_good, "{name}: {}", got.text);
        if is_stream && is_good {
            let chunks = got.text.matches("chat.completion.chunk").count();
            assert!(
                got.text.trim_end().ends_with("data: [DONE]"),
                "{name}: {}",
                got.text
            );
            assert!(
                name != "json-as-stream" || chunks >= 2,
                "{name}: {}",
                got.text
            );
        }
        let used = product.settled(&customer).await["used"].as_i64();
        assert_eq!(used, before.map(|used| used + i64::from(is_good)), "{name}");
        assert_eq!(count(&product, name, "active").await, 2, "{name}");
    }
    product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_a_provider_refuses_are_left_out_or_moved_and_that_is_remembered() {
    let [place, _] = places().await;
    let product = start(&place, Joined::OverHttp).await;
    let customer = product.customer("1000").await;
    let (fake, address) = Fake::start(|seen| {
        if seen.asks_models() {
            return models();
        }
        if seen.says("stream_options") {
            let body = r#"{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}"#;
            return answer("422 Unprocessable Entity", "", body);
        }
        if seen.says("\"max_tokens\"") {
            let body = r#"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","param":"max_tokens","code":"unsupported_parameter"}}"#;
            return answer("400 Bad Request", "", body);
        }
        stream_of(GOOD_STREAM)
    })
    .await;
    provider(&product, "p", &format!("http://{address}/v1"), 1).await;
    model(&product, "m", &["p"]).await;
    let more = json!({STREAM: true, "max_tokens": 7});
    for calls in [3, 4, 5] {
        let got = ask(&product, &customer, "m", ("hi", more.clone())).await;
        assert_eq!(got.status, StatusCode::OK, "{}", got.text);
        assert!(got.text.contains("well"), "{}", got.text);
        assert_eq!(
            fake.calls().len(),
            calls,
            "two ways are learned, and then known"
        );
    }
    let last = fake.calls().pop().expect("a call");
    assert!(
        last.says("\"max_completion_tokens\":7") && !last.says("\"max_tokens\""),
        "{}",
        last.body
    );
    assert_eq!(keys(&product, "p").await[0]["status"], "active");
    // What the tenant asked for itself is its own to mend.
    let own = json!({STREAM: true, "stream_options": {"include_usage": true}});
    let got = ask(&product, &customer, "m", ("hi", own)).await;
    assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", got.text);
    assert_eq!(got.json()["error"]["param"], "stream_options");
    product.stop().await;
}
