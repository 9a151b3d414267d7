//! What a call may cost by the tenant's own word, what it would cost, and what of it could not be said at its
//! provider.

use std::sync::Arc;

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use shared::link::Link;

use crate::odd::{Odd, Oddity};
use crate::support::joined::{Joined, start, start_around};
use crate::support::places;
use crate::support::product::{Customer, Product};

const CHAT: &str = "/v1/chat/completions";

async fn post(
    product: &Product,
    (path, customer): (&str, &Customer),
    header: Option<&str>,
    body: &Value,
) -> (StatusCode, HeaderMap, Value) {
    let mut request = product
        .http
        .post(product.url(path))
        .bearer_auth(&customer.key);
    if let Some(header) = header {
        request = request.header("x-waule-max-cost", header);
    }
    let answer = request.json(body).send().await.expect("an answer");
    let (status, headers) = (answer.status(), answer.headers().clone());
    let text = answer.text().await.expect("text");
    let told = serde_json::from_str(&text).unwrap_or(Value::String(text));
    (status, headers, told)
}

/// A token of output costs a thousandth of a credit; input is free.
async fn dear(product: &Product) {
    product
        .model("dear", "chat", json!({"output_per_million": 1000}))
        .await;
}

fn ask(tokens: u64) -> Value {
    json!({"model": "dear", "messages": [{"role": "user", "content": format!("[tokens:{tokens}]")}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_costs_at_most_what_its_tenant_says() {
    for place in places().await {
        for joined in [Joined::InProcess, Joined::OverHttp] {
            let product = start(&place, joined).await;
            dear(&product).await;
            let customer = product.customer("10").await;
            let to = (CHAT, &customer);
            let with = |cost: Value| {
                let mut body = ask(400);
                body["max_cost"] = cost;
                body
            };
            // At the border: 16 tokens are the least that is worth having.
            for (header, body, tokens) in [
                (Some("0.05"), ask(400), 50),
                (None, with(json!(0.05)), 50),
                (None, with(json!("0.0509")), 50),
                (Some("0.016"), ask(400), 16),
                (Some("0.4"), with(json!(0.02)), 20),
            ] {
                let before = product.settled(&customer).await["used"].as_f64();
                let (status, headers, told) = post(&product, to, header, &body).await;
                assert_eq!(status, StatusCode::OK, "{told}");
                assert_eq!(headers["x-waule-max-tokens"], tokens.to_string().as_str());
                assert_eq!(told["usage"]["completion_tokens"], tokens, "{told}");
                assert_eq!(told["choices"][0]["finish_reason"], "length");
                let after = product.settled(&customer).await["used"].as_f64();
                let paid = after.zip(before).map(|(after, before)| after - before);
                let micros = paid.map(|paid| (paid * 1e6).round());
                assert_eq!(micros, Some(f64::from(tokens) * 1e3), "{joined:?}");
            }
            let (status, headers, _) = post(&product, to, Some("1"), &ask(400)).await;
            assert_eq!(status, StatusCode::OK);
            assert!(!headers.contains_key("x-waule-max-tokens"), "it fits whole");
            for (header, body) in [(Some("0.015999"), ask(400)), (None, with(json!(0)))] {
                let (status, headers, told) = post(&product, to, header, &body).await;
                assert_eq!(status, StatusCode::PAYMENT_REQUIRED, "{told}");
                assert_eq!(told["error"]["code"], "max_cost_too_low");
                assert_eq!(headers["x-should-retry"], "false");
                let message = told["error"]["message"].as_str().expect("a sentence");
                assert!(message.contains("at least 0.016 credits"), "{message}");
            }
            for (header, body) in [
                (Some("much"), ask(1)),
                (None, with(json!(-1))),
                (None, with(json!({"a": 1}))),
            ] {
                let (status, _, told) = post(&product, to, header, &body).await;
                assert_eq!(status, StatusCode::BAD_REQUEST, "{told}");
            }
            let balance = product.settled(&customer).await;
            assert_eq!(
                (&balance["held"], &balance["used"]),
                (&json!(0), &json!(0.586))
            );
            product.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balance_below_the_tenants_own_bound_counts_and_pictures_are_all_or_nothing() {
    let [place, _] = places().await;
    let product = start(&place, Joined::InProcess).await;
    dear(&product).await;
    product
        .model("paints", "image", json!({"per_image": [{"credits": 0.5}]}))
        .await;
    let customer = product.customer("0.03").await;
    let (status, headers, told) = post(&product, (CHAT, &customer), Some("0.05"), &ask(400)).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    assert_eq!(headers["x-waule-max-tokens"], "30");
    let (status, _, told) = post(&product, (CHAT, &customer), Some("0.05"), &ask(400)).await;
    assert_eq!(status, StatusCode::PAYMENT_REQUIRED);
    assert_eq!(told["error"]["code"], "insufficient_credits");
    let rich = product.customer("10").await;
    let paint = json!({"model": "paints", "prompt": "a cat", "n": 2});
    let to = ("/v1/images/generations", &rich);
    let (status, _, told) = post(&product, to, Some("0.999999"), &paint).await;
    assert_eq!(status, StatusCode::PAYMENT_REQUIRED, "{told}");
    assert_eq!(told["error"]["code"], "max_cost_too_low");
    let (status, _, told) = post(&product, to, Some("1"), &paint).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    assert_eq!(product.settled(&rich).await["used"], 1);
    product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_takes_no_notice_charges_no_more_and_what_it_was_not_told_is_a_header() {
    for place in places().await {
        let mut link = None;
        let product = start_around(&place, Joined::OverHttp, |inner: Arc<dyn Link>| {
            let odd = Odd::around(inner);
            link = Some(odd.clone());
            odd
        });
        let product = product.await;
        let link = link.expect("it was wrapped");
        dear(&product).await;
        let customer = product.customer("10").await;
        link.be(Oddity::Overruns(51_153));
        let (status, ..) = post(&product, (CHAT, &customer), Some("0.02"), &ask(400)).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(
            product.settled(&customer).await["used"],
            0.02,
            "{}",
            place.name
        );
        link.be(Oddity::Drops(&["seed", "top_k"]));
        for stream in [false, true] {
            let mut body = ask(3);
            body["stream"] = json!(stream);
            let (status, headers, _) = post(&product, (CHAT, &customer), None, &body).await;
            assert_eq!(status, StatusCode::OK);
            assert_eq!(headers["x-waule-dropped"], "seed, top_k", "{stream}");
        }
        link.be(Oddity::None);
        let (_, headers, _) = post(&product, (CHAT, &customer), None, &ask(3)).await;
        assert!(!headers.contains_key("x-waule-dropped"));
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_estimate_tells_what_is_held_and_holds_nothing() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let price = json!({"input_per_million": 1000, "output_per_million": 2000});
        product.model("two-sided", "chat", price).await;
        product
            .model("paints", "image", json!({"per_image": [{"credits": 0.5}]}))
            .await;
        let customer = product.customer("1").await;
        let body = json!({"model": "two-sided", "max_tokens": 100, "messages": [{"role": "user", "content": "word ".repeat(40)}]});
        for path in [
            "/api/v1/estimate",
            "/v1/estimate?surface=/chat/completions",
            "/v1/estimate?surface=chat/completions",
            "/v1/estimate?surface=openai_chat",
        ] {
            let (status, _, told) = post(&product, (path, &customer), None, &body).await;
            assert_eq!(status, StatusCode::OK, "{path}: {told}");
            let number = |name: &str| told[name].as_f64().expect("credits");
            // Every byte may be a token, and 100 are written; about 40 are read, and one written.
            let bytes = f64::from(u32::try_from(body.to_string().len()).expect("short"));
            assert!(
                (number("highest") - (bytes + 200.0) / 1e3).abs() < 1e-9,
                "{told}"
            );
            assert!((0.042..0.07).contains(&number("lowest")), "{told}");
            assert_eq!(
                (&told["currency"], &told["covered"]),
                (&json!("credits"), &json!(true))
            );
            assert_eq!(told["available"], 1);
            assert!(
                told["price"]
                    .as_str()
                    .is_some_and(|id| id.starts_with("prc_")),
                "{told}"
            );
        }
        let paint = json!({"model": "paints", "prompt": "a cat", "n": 3});
        let path = "/v1/estimate?surface=/images/generations";
        let (_, _, told) = post(&product, (path, &customer), None, &paint).await;
        assert_eq!(
            (&told["lowest"], &told["highest"]),
            (&json!(1.5), &json!(1.5)),
            "{told}"
        );
        assert_eq!(told["covered"], false);
        for (path, body, status, code) in [
            ("/v1/estimate?surface=/none", &body, 400, "invalid_value"),
            (
                "/v1/estimate",
                &json!({"model": "none", "messages": [1]}),
                404,
                "model_not_found",
            ),
            (
                "/v1/estimate",
                &json!({"model": "two-sided"}),
                400,
                "invalid_value",
            ),
            ("/v1/estimate", &paint, 400, "invalid_value"),
        ] {
            let (found, _, told) = post(&product, (path, &customer), None, body).await;
            assert_eq!(
                (found.as_u16(), &told["error"]["code"]),
                (status, &json!(code)),
                "{told}"
            );
        }
        let (status, told) = product
            .send(Method::POST, "/v1/estimate", None, Some(body))
            .await;
        assert_eq!(
            (status, &told["error"]["code"]),
            (StatusCode::UNAUTHORIZED, &json!("invalid_api_key"))
        );
        let (status, _) = product
            .send(Method::GET, "/v1/estimate", Some(&customer.key), None)
            .await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
        let balance = product.balance(&customer).await;
        assert_eq!(balance, json!({"available": 1, "held": 0, "used": 0}));
        let history = "/api/v1/credits/history";
        let (_, lines) = product
            .send(Method::GET, history, Some(&customer.key), None)
            .await;
        assert_eq!(
            lines["data"].as_array().map(Vec::len),
            Some(1),
            "the grant alone: {lines}"
        );
        product.stop().await;
    }
}
