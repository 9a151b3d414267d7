//! What is answered, and by whom: targets one after the other, streams that fail before they begin,
//! answers in other forms than asked for, fields that a provider refuses.

mod refused;

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::fake::{Fake, GOOD, GOOD_STREAM, answer, ask, keys, model, provider, stream_of};
use crate::support::joined::{Joined, start};
use crate::support::places;

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
