//! The surfaces beside chats, embeddings and images: completions, moderations and rankings, on the sandbox and
//! passed through to a provider that speaks OpenAI's formats.

mod passing;
mod pictures;
mod ranks;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::joined::{Joined, start};
use crate::support::places;
use crate::support::product::{Customer, Product};

async fn post(
    product: &Product,
    customer: &Customer,
    path: &str,
    body: &Value,
) -> (StatusCode, String) {
    let request = product
        .http
        .post(product.url(path))
        .bearer_auth(&customer.key);
    let answer = request.json(body).send().await.expect("an answer");
    (answer.status(), answer.text().await.expect("text"))
}

async fn model(product: &Product, id: &str, operation: &str, (provider, price): (&str, Value)) {
    let theirs = if provider == "sandbox" { "x" } else { "theirs" };
    let body = json!({"id": id, "operation": operation, "price": price,
        "targets": [{"provider": provider, "model": theirs}]});
    let (status, made) = product.admin(Method::POST, "/models", Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
}

/// A model's name, of its own for each way: both share a database.
fn name(model: &str, joined: Joined) -> String {
    format!("{model}-{joined:?}").to_lowercase()
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_completion_is_continued_counted_and_charged() {
    for place in places().await {
        for joined in [Joined::InProcess, Joined::OverHttp] {
            let product = start(&place, joined).await;
            let words = name("words", joined);
            let price = json!({"input_per_million": 0, "output_per_million": 1_000_000});
            model(&product, &words, "completion", ("sandbox", price)).await;
            let customer = product.customer("1000").await;
            let body = json!({"model": words, "prompt": ["Once", "upon"], "n": 2, "max_tokens": 3, "echo": true});
            for path in ["/api/v1/completions", "/v1/completions"] {
                let (status, text) = post(&product, &customer, path, &body).await;
                assert_eq!(status, StatusCode::OK, "{text}");
                let told = json_of(&text);
                assert_eq!(told["choices"][3]["text"], "uponThe sand box");
                assert_eq!(told["usage"]["completion_tokens"], 12);
            }
            assert_eq!(product.settled(&customer).await["used"], 24, "{joined:?}");
            let streamed = json!({"model": words, "prompt": "Once", "stream": true, "stop": " says",
                "stream_options": {"include_usage": true}});
            let (status, text) = post(&product, &customer, "/api/v1/completions", &streamed).await;
            assert_eq!(status, StatusCode::OK, "{text}");
            assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
            assert!(text.contains("\"completion_tokens\":3"), "{text}");
            assert_eq!(product.settled(&customer).await["used"], 27);
            for (wrong, param) in [
                (
                    json!({"model": words, "prompt": "x", "best_of": 2}),
                    "best_of",
                ),
                (json!({"model": words}), "prompt"),
                (json!({"model": "sandbox-chat", "prompt": "x"}), "model"),
            ] {
                let (status, text) = post(&product, &customer, "/api/v1/completions", &wrong).await;
                assert_eq!(status, StatusCode::BAD_REQUEST, "{text}");
                assert_eq!(json_of(&text)["error"]["param"], param, "{text}");
            }
            product.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_balance_lowers_a_completions_maximum() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let price = json!({"input_per_million": 0, "output_per_million": 1_000_000});
        model(&product, "words", "completion", ("sandbox", price)).await;
        let customer = product.customer("20").await;
        let body = json!({"model": "words", "prompt": "[tokens:500]", "max_tokens": 100});
        let (status, text) = post(&product, &customer, "/api/v1/completions", &body).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        assert_eq!(json_of(&text)["usage"]["completion_tokens"], 20, "{text}");
        assert_eq!(product.settled(&customer).await["available"], 0);
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moderation_is_free_or_priced_by_its_call_and_may_name_no_model() {
    for place in places().await {
        for joined in [Joined::InProcess, Joined::OverHttp] {
            let product = start(&place, joined).await;
            let customer = product.customer("10").await;
            let body = json!({"input": ["all well", "you [flag] one"]});
            for path in ["/api/v1/moderations", "/v1/moderations"] {
                let (status, text) = post(&product, &customer, path, &body).await;
                assert_eq!(status, StatusCode::OK, "{text}");
                let told = json_of(&text);
                assert_eq!(told["results"][0]["flagged"], false, "{text}");
                assert_eq!(told["results"][1]["categories"]["harassment"], true);
            }
            assert_eq!(product.settled(&customer).await["used"], 0, "free");
            let judge = name("judge", joined);
            let price = json!({"per_request": 2});
            model(&product, &judge, "moderation", ("sandbox", price)).await;
            let parts = json!({"model": judge, "input": [{"type": "text", "text": "hi"},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]});
            let (status, text) = post(&product, &customer, "/api/v1/moderations", &parts).await;
            assert_eq!(status, StatusCode::OK, "{text}");
            assert_eq!(product.settled(&customer).await["used"], 2, "{joined:?}");
            let (status, text) = post(
                &product,
                &customer,
                "/api/v1/moderations",
                &json!({"input": []}),
            )
            .await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{text}");
            product.stop().await;
        }
    }
}
