//! Responses in the background: fetched, cancelled, refused. `crash` kills their process.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{ask, get, id, keeper, respond};
use crate::support::joined::{Joined, start, start_set};
use crate::support::places;
use crate::support::product::{Customer, Product};

async fn over(product: &Product, customer: &Customer, id: &str) -> Value {
    for _ in 0..400 {
        let (status, told) = get(product, customer, &format!("/responses/{id}")).await;
        assert_eq!(status, StatusCode::OK, "{told}");
        if told["status"] != "in_progress" {
            return told;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it is in progress for ever");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_in_the_background_is_fetched_when_it_is_there() {
    for place in places().await {
        for joined in [Joined::InProcess, Joined::OverHttp] {
            let product = start(&place, joined).await;
            let customer = keeper(&product).await;
            let asked = json!({"input": "hello [delay:700]", "background": true});
            let begun = respond(&product, &customer, asked).await;
            assert_eq!(begun["status"], "in_progress", "{begun}");
            assert_eq!(
                (&begun["background"], &begun["output"]),
                (&json!(true), &json!([]))
            );
            let (_, told) = get(&product, &customer, &format!("/responses/{}", id(&begun))).await;
            assert_eq!(told, begun);
            let body = json!({"model": "keeper", "input": "x", "previous_response_id": id(&begun)});
            let (status, told) = ask(
                &product,
                &customer,
                (Method::POST, "/responses"),
                Some(body),
            )
            .await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "in progress: {told}");
            let done = over(&product, &customer, id(&begun)).await;
            assert_eq!(
                (&done["status"], &done["id"]),
                (&json!("completed"), &begun["id"]),
                "{done}"
            );
            assert_eq!(done["background"], true);
            let used = done["usage"]["total_tokens"].clone();
            assert_eq!(product.settled(&customer).await["used"], used, "{joined:?}");
            let next = json!({"input": "and", "previous_response_id": id(&done)});
            respond(&product, &customer, next).await;
            let path = format!("/responses/{}/cancel", id(&done));
            let (status, told) = ask(&product, &customer, (Method::POST, &path), None).await;
            assert_eq!(
                (status, &told["status"]),
                (StatusCode::OK, &json!("completed")),
                "too late"
            );

            // One that fails says so, and costs nothing.
            let before = product.settled(&customer).await["used"].clone();
            let asked = json!({"input": "hello [fail:400]", "background": true});
            let failing = respond(&product, &customer, asked).await;
            let failed = over(&product, &customer, id(&failing)).await;
            assert_eq!(failed["status"], "failed", "{failed}");
            assert!(failed["error"]["message"].is_string(), "{failed}");
            assert_eq!(product.settled(&customer).await["used"], before);
            product.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_begun_is_refused_and_leaves_nothing() {
    let [place, _] = places().await;
    // The gateway does not read on for 20 seconds where somebody leaves.
    let settings = ["--background-max", "1", "--read-on-seconds", "0"];
    let product = start_set(&place, Joined::InProcess, &settings).await;
    let customer = keeper(&product).await;
    for (fields, status) in [
        (json!({"store": false}), StatusCode::BAD_REQUEST),
        (json!({"model": "no such model"}), StatusCode::NOT_FOUND),
        (json!({"max_output_tokens": 0}), StatusCode::BAD_REQUEST),
    ] {
        let mut body = json!({"model": "keeper", "input": "x", "background": true});
        for (name, value) in fields.as_object().expect("fields") {
            body[name] = value.clone();
        }
        let asked = (Method::POST, "/responses");
        let (found, told) = ask(&product, &customer, asked, Some(body)).await;
        assert_eq!(found, status, "{told}");
    }
    let slow = json!({"model": "keeper", "input": "x [delay:20000]", "background": true});
    let asked = (Method::POST, "/responses");
    let (status, begun) = ask(&product, &customer, asked.clone(), Some(slow.clone())).await;
    assert_eq!(
        status,
        StatusCode::OK,
        "what was refused counts no more: {begun}"
    );
    let (status, told) = ask(&product, &customer, asked.clone(), Some(slow.clone())).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{told}");
    assert_eq!(told["error"]["code"], "too_many_in_background");
    let path = format!("/responses/{}/cancel", id(&begun));
    let (status, told) = ask(&product, &customer, (Method::POST, &path), None).await;
    assert_eq!(
        (status, &told["status"]),
        (StatusCode::OK, &json!("cancelled")),
        "{told}"
    );
    assert_eq!(
        product.settled(&customer).await["used"],
        0,
        "nothing was produced"
    );
    let (status, begun) = ask(&product, &customer, asked, Some(slow)).await;
    assert_eq!(status, StatusCode::OK, "there is room again: {begun}");
    let path = format!("/responses/{}", id(&begun));
    let (status, _) = ask(&product, &customer, (Method::DELETE, &path), None).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        product.settled(&customer).await["used"],
        0,
        "deleting cancels"
    );
    let whole = respond(&product, &customer, json!({"input": "x"})).await;
    let path = format!("/responses/{}/cancel", id(&whole));
    let (status, told) = ask(&product, &customer, (Method::POST, &path), None).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{told}");
    product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_before_it_is_told_leaves_nothing_in_progress() {
    let [place, _] = places().await;
    let product = start_set(&place, Joined::InProcess, &["--background-max", "1"]).await;
    let customer = keeper(&product).await;
    let body = json!({"model": "keeper", "input": "x", "background": true});
    let asked = || {
        let asked = (Method::POST, "/responses");
        ask(&product, &customer, asked, Some(body.clone()))
    };
    for number in 0..60_u64 {
        let within = Duration::from_micros(number * 250);
        drop(tokio::time::timeout(within, asked()).await);
    }
    for _ in 0..200 {
        if asked().await.0 == StatusCode::OK {
            product.stop().await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("what nobody was told of is in progress for ever");
}
