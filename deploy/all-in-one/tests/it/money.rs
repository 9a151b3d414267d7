//! Credits over HTTP: exact under concurrency, lowered maxima, nothing charged for nothing.

use futures_util::StreamExt;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::joined::{Joined, start};
use crate::support::places;

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_calls_of_one_tenant_with_credits_for_105_end_with_exactly_nothing() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        product
            .model("flat", "chat", json!({"per_request": 0.01}))
            .await;
        let customer = product.customer("1.05").await;
        let calls = (0..200).map(|_| product.chat(&customer, "flat", "hi [delay:20]"));
        let answers = futures_util::stream::iter(calls)
            .buffer_unordered(200)
            .collect::<Vec<_>>()
            .await;
        let of = |wanted: StatusCode| {
            answers
                .iter()
                .filter(|(status, _)| *status == wanted)
                .count()
        };
        assert_eq!(
            (of(StatusCode::OK), of(StatusCode::PAYMENT_REQUIRED)),
            (105, 95),
            "{}",
            place.name
        );
        let refused = answers
            .iter()
            .find(|(status, _)| *status == StatusCode::PAYMENT_REQUIRED);
        assert_eq!(
            refused.map(|(_, body)| &body["error"]["code"]),
            Some(&json!("insufficient_credits"))
        );
        let balance = product.settled(&customer).await;
        assert_eq!(
            balance,
            json!({"available": 0, "held": 0, "used": 1.05}),
            "{}",
            place.name
        );
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balance_that_covers_a_part_lowers_the_maximum_and_is_never_overspent() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        product
            .model("dear", "chat", json!({"output_per_million": 1000}))
            .await;
        // 0.001 credits a token: 0.05 pays for 50 of the 400 the sandbox would write.
        let customer = product.customer("0.05").await;
        let body =
            json!({"model": "dear", "messages": [{"role": "user", "content": "[tokens:400]"}]});
        let answer = product
            .http
            .post(product.url("/api/v1/chat/completions"))
            .bearer_auth(&customer.key)
            .json(&body)
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["x-waule-max-tokens"], "50");
        let answer: serde_json::Value = answer.json().await.expect("JSON");
        assert_eq!(answer["usage"]["completion_tokens"], 50);
        assert_eq!(answer["choices"][0]["finish_reason"], "length");
        assert_eq!(
            product.settled(&customer).await,
            json!({"available": 0, "held": 0, "used": 0.05}),
            "{}",
            place.name
        );
        assert_eq!(
            product.chat(&customer, "dear", "more").await.0,
            StatusCode::PAYMENT_REQUIRED
        );
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_of_every_kind_cost_nothing() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        product
            .model(
                "paid",
                "chat",
                json!({"per_request": 1, "output_per_million": 1_000_000}),
            )
            .await;
        let customer = product.customer("10000").await;
        for (mark, status) in [
            ("[fail:400]", StatusCode::BAD_REQUEST),
            ("[fail:404]", StatusCode::NOT_FOUND),
            ("[fail:504]", StatusCode::GATEWAY_TIMEOUT),
            ("[fail:500]", StatusCode::SERVICE_UNAVAILABLE),
            ("[fail:429]", StatusCode::TOO_MANY_REQUESTS),
        ] {
            let (answered, body) = product.chat(&customer, "paid", mark).await;
            assert_eq!(answered, status, "{} {mark}: {body}", place.name);
            assert!(
                body["error"]["message"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty()),
                "{body}"
            );
        }
        assert_eq!(
            product.settled(&customer).await,
            json!({"available": 10000, "held": 0, "used": 0}),
            "{}",
            place.name
        );
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recharge_is_done_once_for_each_key_and_another_amount_is_refused() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let customer = product.customer("1").await;
        let path = format!("/tenants/{}/recharge", customer.id);
        let (status, _) = product
            .admin(Method::POST, &path, Some(json!({"amount": 5})))
            .await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "without a key");
        for amount in ["-1", "0", "0.0000001", "1e30", "99999999999999999999"] {
            let (status, body) = product
                .admin(Method::POST, &path, Some(json!({"amount": amount})))
                .await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{amount}: {body}");
        }
        assert_eq!(product.balance(&customer).await["available"], 1);
        product.stop().await;
    }
}
