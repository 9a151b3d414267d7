//! What runs up to a crash and after it, and what a client saw of it.

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Arc;

use futures_util::StreamExt;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::effects::{self, Counted};
use super::background;
use super::spot::Spot;
use crate::support::joined::{Joined, start, start_without_login};
use crate::support::product::{Customer, Product};

/// What a call costs, in credits; the sandbox's tokens cost nothing.
pub(super) const PRICE: f64 = 0.25;

const GIVEN: i64 = 10;

/// A tenant with credits and a model with a price, and a token to give more.
pub(super) async fn prepare(spot: &Spot) -> u64 {
    let product = start(&spot.place(), Joined::InProcess).await;
    let price = json!({"per_request": PRICE});
    product.model("flat", "chat", price).await;
    let price = json!({"per_request": 1000});
    product.model("dear", "chat", price).await;
    let customer = product.customer(&GIVEN.to_string()).await;
    background::keep(&product, &customer).await;
    let kept = json!({"id": customer.id, "key": customer.key, "admin": product.admin_token()});
    std::fs::write(spot.folder.join("kept.json"), kept.to_string()).expect("written");
    product.stop().await;
    0
}

pub(super) struct Kept {
    pub(super) customer: Customer,
    admin: String,
}

pub(super) fn kept(spot: &Spot) -> Kept {
    let text = std::fs::read(spot.folder.join("kept.json")).expect("prepared");
    let kept: Value = serde_json::from_slice(&text).expect("JSON");
    let text = |name: &str| kept[name].as_str().expect("a text").to_owned();
    Kept {
        customer: Customer {
            id: text("id"),
            key: text("key"),
        },
        admin: text("admin"),
    }
}

/// Notes what the client saw; it outlives the process.
pub(super) fn saw(spot: &Spot, what: &str) {
    let path = spot.folder.join("seen.log");
    let mut file = OpenOptions::new().create(true).append(true).open(path);
    writeln!(file.as_mut().expect("a log"), "{what}").expect("noted");
}

async fn recharge(product: &Product, kept: &Kept) -> StatusCode {
    let url = format!("/admin/api/tenants/{}/recharge", kept.customer.id);
    let sent = product
        .http
        .post(product.url(&url))
        .bearer_auth(&kept.admin)
        .header("Idempotency-Key", "once")
        .json(&json!({"amount": 5}))
        .send();
    sent.await.expect("an answer").status()
}

pub(super) async fn scenario(spot: &Spot, end_at: u64) -> u64 {
    effects::count_statements();
    let counted = |link| Arc::new(Counted(link)) as _;
    let product = start_without_login(&spot.place(), Joined::InProcess, counted).await;
    let kept = kept(spot);
    effects::arm(end_at);
    assert_eq!(recharge(&product, &kept).await, StatusCode::OK);
    saw(spot, "recharge");
    let (status, answer) = product.chat(&kept.customer, "flat", "hello").await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    saw(spot, "call");
    let body = json!({"model": "flat", "stream": true, "messages": [{"role": "user", "content": "hi [tokens:5]"}]});
    let sent = product
        .http
        .post(product.url("/api/v1/chat/completions"))
        .bearer_auth(&kept.customer.key)
        .json(&body)
        .send();
    let mut stream = sent.await.expect("an answer").bytes_stream();
    let mut text = Vec::new();
    while let Some(part) = stream.next().await {
        text.extend_from_slice(&part.expect("a part"));
    }
    assert!(text.ends_with(b"data: [DONE]\n\n"));
    saw(spot, "call");
    let (status, _) = product.chat(&kept.customer, "dear", "hello").await;
    assert_eq!(status, StatusCode::PAYMENT_REQUIRED);
    let (status, _) = product
        .chat(&kept.customer, "flat", "hello [fail:400]")
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    product.stop().await;
    effects::disarm()
}

/// Recovers, and checks the books against what was seen when it came to its end.
pub(super) async fn recover(spot: &Spot, end_at: u64) -> u64 {
    effects::count_statements();
    let counted = |link| Arc::new(Counted(link)) as _;
    let product = start_without_login(&spot.place(), Joined::InProcess, counted).await;
    let kept = kept(spot);
    effects::arm(end_at);
    product.server().recover_now().await;
    let count = effects::disarm();
    let differences = product.server().verify().await.expect("read");
    assert!(differences.is_empty(), "{differences:#?}");
    let balance = product.balance(&kept.customer).await;
    assert_eq!(balance["held"], 0, "nothing is held after recovery");
    let seen = std::fs::read_to_string(spot.folder.join("seen.log")).unwrap_or_default();
    let calls = seen.lines().filter(|line| *line == "call").count();
    let (_, usage) = product
        .send(
            Method::GET,
            "/api/v1/usage?limit=100",
            Some(&kept.customer.key),
            None,
        )
        .await;
    let charged = usage["data"].as_array().expect("records").iter();
    let charged = charged
        .filter(|record| record["credits"] == json!(PRICE))
        .count();
    // The last call may have been charged before its answer was seen.
    assert!((calls..=calls + 1).contains(&charged), "{seen}{usage}");
    if seen.contains("recharge") {
        assert_eq!(recharge(&product, &kept).await, StatusCode::OK);
        let again = product.balance(&kept.customer).await;
        assert_eq!(again, balance, "an answered recharge was there already");
    }
    let (used, available) = (&balance["used"], &balance["available"]);
    #[expect(clippy::cast_precision_loss, reason = "a handful of calls")]
    let expected = PRICE * charged as f64;
    let is = |value: &Value, wanted: f64| (value.as_f64().expect("credits") - wanted).abs() < 1e-9;
    assert!(is(used, expected), "{balance}");
    let sum = used.as_f64().expect("credits") + available.as_f64().expect("credits");
    let (without, with) = (10.0, 15.0);
    assert!(is(&json!(sum), with) || (is(&json!(sum), without) && !seen.contains("recharge")));
    product.stop().await;
    count
}
