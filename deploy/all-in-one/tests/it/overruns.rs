//! `max_cost` ends an answer by itself, also at a provider that takes no notice of the maximum it was sent: the
//! tenant sees a regular end and pays no more than it said.

use std::fmt::Write;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::faults::fake::{Fake, Seen, answer, models, provider, stream_of};
use crate::support::joined::{Joined, start};
use crate::support::places;
use crate::support::product::{Customer, Product};

/// Words that the fake writes, whatever it is asked for; each is a token or two.
const WORDS: usize = 400;
const CHAT: &str = "/v1/chat/completions";

/// A stream that goes on far beyond any maximum, and counts all of it; `field` is what it writes into.
fn endless(field: &str, choices: usize) -> Vec<u8> {
    let mut text = String::new();
    for _ in 0..WORDS {
        for index in 0..choices {
            let chunk = json!({"id": "x", "object": "chat.completion.chunk", "model": "theirs",
                "choices": [{"index": index, "delta": {field: "word "}, "finish_reason": null}]});
            let _ = write!(text, "data: {chunk}\n\n");
        }
    }
    for index in 0..choices {
        let chunk = json!({"id": "x", "object": "chat.completion.chunk", "model": "theirs",
            "choices": [{"index": index, "delta": {}, "finish_reason": "stop"}]});
        let _ = write!(text, "data: {chunk}\n\n");
    }
    let usage = json!({"id": "x", "object": "chat.completion.chunk", "model": "theirs", "choices": [],
        "usage": {"prompt_tokens": 5, "completion_tokens": WORDS * choices}});
    let _ = write!(text, "data: {usage}\n\ndata: [DONE]\n\n");
    stream_of(&text)
}

/// The same at once.
fn whole() -> Vec<u8> {
    let body = json!({"id": "x", "object": "chat.completion", "model": "theirs",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "word ".repeat(WORDS)}, "finish_reason": "length"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": WORDS,
            "completion_tokens_details": {"reasoning_tokens": 90, "audio_tokens": 40},
            "prompt_tokens_details": {"cached_tokens": 3}}});
    answer("200 OK", "", &body.to_string())
}

fn hostile(seen: &Seen) -> Vec<u8> {
    match seen {
        seen if seen.asks_models() => models(),
        seen if seen.says("think") => endless("reasoning_content", 1),
        seen if seen.says("twice") => endless("content", 2),
        seen if seen.says("\"stream\":true") => endless("content", 1),
        _ => whole(),
    }
}

/// A product whose vendor takes no notice of anything; a token of output costs a thousandth of a credit, one of
/// sound ten times as much.
async fn started() -> (Product, Fake, Customer) {
    let [place, _] = places().await;
    let product = start(&place, Joined::OverHttp).await;
    let (fake, address) = Fake::start(hostile).await;
    provider(&product, "vendor", &format!("http://{address}/v1"), 1).await;
    let target = json!({"provider": "vendor", "model": "theirs", "weight": 1, "priority": 0});
    let price = json!({"output_per_million": 1000});
    let body = json!({"id": "m", "operation": "chat", "targets": [target], "max_output_tokens": 4000, "price": price});
    let (status, made) = product
        .admin(reqwest::Method::POST, "/models", Some(body))
        .await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let customer = product.customer("100").await;
    (product, fake, customer)
}

async fn text(product: &Product, customer: &Customer, path: &str, body: &Value) -> String {
    let request = product.http.post(product.url(path));
    let request = request.bearer_auth(&customer.key);
    let answer = request.header("x-waule-max-cost", "0.05").json(body).send();
    let answer = answer.await.expect("an answer");
    let status = answer.status();
    let text = answer.text().await.expect("it ends well");
    assert_eq!(status, StatusCode::OK, "{path}: {text}");
    text
}

async fn used(product: &Product, customer: &Customer) -> f64 {
    let balance = product.settled(customer).await;
    balance["used"].as_f64().expect("credits")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_beyond_its_cost_ends_regularly_on_every_surface() {
    let (product, fake, customer) = started().await;
    let say = |text: &str| json!([{"role": "user", "content": text}]);
    let contents = json!([{"role": "user", "parts": [{"text": "hi"}]}]);
    let mut before = 0.0;
    for (path, body, end) in [
        (
            CHAT,
            json!({"model": "m", "stream": true, "messages": say("hi")}),
            "\"finish_reason\":\"length\"",
        ),
        (
            CHAT,
            json!({"model": "m", "stream": true, "max_tokens": 3000, "messages": say("think")}),
            "\"finish_reason\":\"length\"",
        ),
        (
            CHAT,
            json!({"model": "m", "stream": true, "n": 2, "messages": say("twice")}),
            "\"finish_reason\":\"length\"",
        ),
        (
            "/v1/messages",
            json!({"model": "m", "stream": true, "max_tokens": 3000, "messages": say("hi")}),
            "\"stop_reason\":\"max_tokens\"",
        ),
        (
            "/v1/responses",
            json!({"model": "m", "stream": true, "input": "hi"}),
            "\"reason\":\"max_output_tokens\"",
        ),
        (
            "/v1beta/models/m:streamGenerateContent?alt=sse",
            json!({"contents": contents}),
            "\"finishReason\":\"MAX_TOKENS\"",
        ),
    ] {
        let got = text(&product, &customer, path, &body).await;
        assert!(got.replace(": ", ":").contains(end), "{path}: {got}");
        assert!(!got.contains("\"error\":{"), "{path}: {got}");
        // Responses repeats at each part's end what its deltas said.
        let is_said = |line: &&str| {
            !path.ends_with("/responses") || line.contains("response.output_text.delta")
        };
        let said = got.lines().filter(is_said);
        let words: usize = said.map(|line| line.matches("word ").count()).sum();
        assert!(words < WORDS / 2, "{path}: {words} words passed");
        let seen: Value =
            serde_json::from_str(&fake.calls().pop().expect("a call").body).expect("JSON");
        let answers = body["n"].as_u64().unwrap_or(1);
        assert_eq!(seen["max_tokens"], 50 / answers, "{path}: {seen}");
        let after = used(&product, &customer).await;
        let paid = ((after - before) * 1e6).round();
        assert!((1.0..=50_000.0).contains(&paid), "{path}: {paid}");
        before = after;
    }
    product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_answer_beyond_its_cost_is_delivered_and_charged_no_further() {
    let (product, _fake, customer) = started().await;
    let say = json!([{"role": "user", "content": "hi"}]);
    let contents = json!([{"role": "user", "parts": [{"text": "hi"}]}]);
    let mut before = 0.0;
    for (path, body, end) in [
        (
            CHAT,
            json!({"model": "m", "messages": say}),
            "\"finish_reason\":\"length\"",
        ),
        (
            "/v1/messages",
            json!({"model": "m", "max_tokens": 3000, "messages": say}),
            "\"stop_reason\":\"max_tokens\"",
        ),
        (
            "/v1/responses",
            json!({"model": "m", "input": "hi"}),
            "\"reason\":\"max_output_tokens\"",
        ),
        (
            "/v1beta/models/m:generateContent",
            json!({"contents": contents}),
            "\"finishReason\":\"MAX_TOKENS\"",
        ),
    ] {
        let got = text(&product, &customer, path, &body).await;
        assert!(got.replace(": ", ":").contains(end), "{path}: {got}");
        let after = used(&product, &customer).await;
        let paid = ((after - before) * 1e6).round();
        assert!((1.0..=50_000.0).contains(&paid), "{path}: {paid}");
        before = after;
    }
    product.stop().await;
}
