//! What tenants are told about money when two things fail holds: nothing is charged where they read
//! so, never more than was held, and each call once.

mod outages;

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use shared::link::{Link, Outcome, Parting};
use shared::units::{Unit, Usage};

use crate::odd::{Odd, Oddity};
use crate::support::joined::{Joined, start_around};
use crate::support::product::{Customer, Product};
use crate::support::{Place, places, until};

/// A token costs a thousandth of a credit.
async fn dear(product: &Product) {
    let price = json!({"output_per_million": 1000});
    product.model("dear", "chat", price).await;
}

async fn odd(place: &Place, joined: Joined) -> (Product, Arc<Odd>) {
    let mut link = None;
    let product = start_around(place, joined, |inner: Arc<dyn Link>| {
        let odd = Odd::around(inner);
        link = Some(odd.clone());
        odd
    });
    let product = product.await;
    dear(&product).await;
    (product, link.expect("it was wrapped"))
}

async fn usage(product: &Product, customer: &Customer) -> Vec<Value> {
    let path = "/api/v1/usage?limit=100";
    let (status, page) = product
        .send(Method::GET, path, Some(&customer.key), None)
        .await;
    assert_eq!(status, StatusCode::OK, "{page}");
    page["data"].as_array().expect("records").clone()
}

async fn exact(product: &Product) {
    let differences = product.server().verify().await.expect("read");
    assert!(differences.is_empty(), "{differences:#?}");
}

fn message(body: &Value) -> &str {
    body["error"]["message"].as_str().unwrap_or_default()
}

fn ask(text: &str, stream: bool) -> Value {
    json!({"model": "dear", "stream": stream, "max_tokens": 400,
        "messages": [{"role": "user", "content": text}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_charged_where_the_tenant_reads_so_although_the_provider_finished() {
    for place in places().await {
        let (product, link) = odd(&place, Joined::InProcess).await;
        let customer = product.customer("10").await;
        link.be(Oddity::LosesAnswers);
        let (status, body) = product.chat(&customer, "dear", "hi [tokens:20]").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
        assert!(message(&body).contains("Nothing was charged"), "{body}");
        let balance = product.settled(&customer).await;
        assert_eq!(balance, json!({"available": 10, "held": 0, "used": 0}));
        until(
            "the provider's part is known",
            Duration::from_secs(10),
            async || {
                let records = usage(&product, &customer).await;
                records.len() == 1
                    && records[0]["credits"] == 0
                    && records[0]["output_tokens"] == 20
            },
        )
        .await;
        assert!(link.asked().contains(&Parting::NotDelivered), "it is told");
        product.server().recover_now().await;
        let balance = product.settled(&customer).await;
        assert_eq!(balance, json!({"available": 10, "held": 0, "used": 0}));
        exact(&product).await;
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_takes_no_notice_of_the_maximum_charges_at_most_the_hold() {
    for place in places().await {
        let (product, link) = odd(&place, Joined::InProcess).await;
        link.be(Oddity::Overruns(51_153));
        let customer = product.customer("0.05").await;
        for stream in [false, true] {
            let mut body = ask("hi", stream);
            body["max_tokens"] = json!(10);
            let sent = product
                .http
                .post(product.url("/api/v1/chat/completions"))
                .bearer_auth(&customer.key)
                .json(&body)
                .send();
            let answer = sent.await.expect("an answer");
            assert_eq!(answer.status(), StatusCode::OK);
            answer.bytes().await.expect("whole");
        }
        let balance = product.settled(&customer).await;
        let name = place.name;
        assert_eq!(
            balance,
            json!({"available": 0.03, "held": 0, "used": 0.02}),
            "{name}"
        );
        let records = usage(&product, &customer).await;
        for record in &records {
            assert_eq!(record["credits"], json!(0.01), "{name}: {record}");
        }
        assert_eq!(records.len(), 2);
        exact(&product).await;
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_nobody_knows_is_given_back_and_charged_once_when_it_is_known() {
    for place in places().await {
        let (product, link) = odd(&place, Joined::OverHttp).await;
        let customer = product.customer("10").await;
        link.be(Oddity::Forgets);
        let request = product
            .http
            .post(product.url("/api/v1/chat/completions"))
            .bearer_auth(&customer.key)
            .json(&ask("hi [delay:20000]", false))
            .timeout(Duration::from_millis(400));
        request.send().await.expect_err("the tenant leaves");
        let balance = product.settled(&customer).await;
        assert_eq!(balance, json!({"available": 10, "held": 0, "used": 0}));
        let records = usage(&product, &customer).await;
        assert_eq!(records.len(), 1, "{records:?}");
        assert_eq!(records[0]["credits"], 0);
        // Asked again, nobody knows either.
        product.server().recover_now().await;
        assert_eq!(product.settled(&customer).await, balance);
        let known = Outcome {
            provider: "sandbox".to_owned(),
            model: "sandbox-chat".to_owned(),
            key_last4: String::new(),
            attempts: 1,
            failed: Vec::new(),
            usage: Usage::of([(Unit::OutputToken, 100)]),
            taken: None,
            fault: None,
            first_byte_ms: 1,
            duration_ms: 2,
            made_by: None,
        };
        link.be(Oddity::Knows(Box::new(known)));
        for _ in 0..3 {
            product.server().recover_now().await;
            let balance = product.settled(&customer).await;
            assert_eq!(balance, json!({"available": 9.9, "held": 0, "used": 0.1}));
        }
        let records = usage(&product, &customer).await;
        assert_eq!(records.len(), 1, "{}: {records:?}", place.name);
        assert_eq!(records[0]["credits"], json!(0.1));
        exact(&product).await;
        product.stop().await;
    }
}
