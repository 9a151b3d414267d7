//! Refusals that depend on the form: answers in another form, and fields that a provider does not
//! take.

use reqwest::StatusCode;
use serde_json::json;

use super::super::fake::{
    Fake, GOOD, GOOD_STREAM, answer, ask, count, keys, model, models, provider, stream_of,
};
use super::{STREAM, asks_stream};
use crate::support::joined::{Joined, start};
use crate::support::places;

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
