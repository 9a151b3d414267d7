//! Calls over HTTP: streams byte by byte, leaving in the middle, limits, keys that test.

mod cut_short;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::joined::{Joined, start};
use crate::support::places;
use crate::support::product::{Customer, Product};

async fn stream(product: &Product, customer: &Customer, body: &Value) -> reqwest::Response {
    let request = product
        .http
        .post(product.url("/api/v1/chat/completions"))
        .bearer_auth(&customer.key)
        .json(body);
    request.send().await.expect("an answer")
}

fn question(text: &str) -> Value {
    json!({"model": "sandbox-chat", "stream": true, "messages": [{"role": "user", "content": text}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_the_same_through_both_doors_and_hides_usage_unless_asked() {
    for place in places().await {
        let mut seen = Vec::new();
        for joined in [Joined::InProcess, Joined::OverHttp] {
            let product = start(&place, joined).await;
            let customer = product.customer("10").await;
            let plain = stream(&product, &customer, &question("[tokens:7]")).await;
            assert_eq!(
                plain.headers()["content-type"],
                "text/event-stream; charset=utf-8"
            );
            let plain = plain.text().await.expect("a stream");
            assert!(
                plain.ends_with("data: [DONE]\n\n") && !plain.contains("prompt_tokens"),
                "{plain}"
            );
            let mut body = question("[tokens:7]");
            body["stream_options"] = json!({"include_usage": true});
            let asked = stream(&product, &customer, &body)
                .await
                .text()
                .await
                .expect("a stream");
            assert!(asked.contains("\"completion_tokens\":7"), "{asked}");
            let used = product.settled(&customer).await["used"].clone();
            seen.push((plain, used));
            product.stop().await;
        }
        assert_eq!(seen[0], seen[1], "{}", place.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_key_reaches_the_sandbox_without_credits() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        product
            .model("paid", "chat", json!({"per_request": 100}))
            .await;
        let customer = product.customer("1").await;
        let path = format!("/tenants/{}/keys", customer.id);
        let (_, made) = product
            .admin(
                Method::POST,
                &path,
                Some(json!({"name": "t", "kind": "test"})),
            )
            .await;
        let test = Customer {
            id: customer.id.clone(),
            key: made["secret"].as_str().expect("a key").to_owned(),
        };
        assert!(test.key.starts_with("wk_test_"));
        assert_eq!(product.chat(&test, "paid", "hi").await.0, StatusCode::OK);
        assert_eq!(
            product.settled(&customer).await,
            json!({"available": 1, "held": 0, "used": 0})
        );
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_refuse_with_429_and_say_when_to_come_back() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let customer = product.customer("10").await;
        let limits = json!({"limits": {"requests_per_minute": 3}});
        let (status, _) = product
            .admin(
                Method::PATCH,
                &format!("/tenants/{}", customer.id),
                Some(limits),
            )
            .await;
        assert_eq!(status, StatusCode::OK);
        let mut refused = None;
        for _ in 0..5 {
            let body =
                json!({"model": "sandbox-chat", "messages": [{"role": "user", "content": "hi"}]});
            let answer = stream(&product, &customer, &body).await;
            assert_eq!(answer.headers()["x-ratelimit-limit-requests"], "3");
            if answer.status() == StatusCode::TOO_MANY_REQUESTS {
                refused = Some(answer);
                break;
            }
        }
        let refused = refused.expect("the limit holds");
        let after: u64 = refused.headers()["retry-after"]
            .to_str()
            .ok()
            .and_then(|s| s.parse().ok())
            .expect("seconds");
        assert!((1..=60).contains(&after), "{after}");
        assert_eq!(refused.headers()["x-ratelimit-remaining-requests"], "0");
        product.stop().await;
    }
}
