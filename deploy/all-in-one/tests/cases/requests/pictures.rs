//! Large pictures are held for, counted and limited as pictures, not by their letters.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::case::{Case, case};
use crate::errors::says;
use crate::fake::always;
use crate::fake::bodies::good_whole;
use crate::support::product::Customer;
use crate::world::everywhere;

/// 6 MB as a picture: 8 MB of base64.
fn picture() -> Value {
    let url = format!(
        "data:image/jpeg;base64,{}",
        "/9j/4AAQSkZJRg==".repeat(500_000)
    );
    json!({"messages": [{"role": "user", "content": [
        {"type": "text", "text": "what is it?"},
        {"type": "image_url", "image_url": {"url": url}}]}]})
}

/// A key of the case's tenant that may use a million tokens a minute.
async fn limited(case: &mut Case) {
    let path = format!("/tenants/{}/keys", case.customer.id);
    let body = json!({"name": "limited", "limits": {"tokens_per_minute": 1_000_000}});
    let (status, made) = case.product.admin(Method::POST, &path, Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    case.customer = Customer {
        id: case.customer.id.clone(),
        key: made["secret"].as_str().expect("a key").to_owned(),
    };
}

#[test]
fn c11_a_large_picture_is_held_for_as_a_picture() {
    everywhere(async |shape| {
        let case = case(shape, vec![always(good_whole())]).start().await;
        case.chat(&picture()).await.is(200);
        assert!(case.calls()[0].body.len() > 8_000_000, "the picture passes");
        case.bill().await.is(2.0);
    });
}

#[test]
fn c12_a_large_picture_is_counted_as_a_picture_by_the_limits() {
    everywhere(async |shape| {
        let mut case = case(shape, vec![always(good_whole())]).start().await;
        limited(&mut case).await;
        for n in 0..3 {
            assert_eq!(case.chat(&picture()).await.status, 200, "picture {n}");
        }
        case.chat(&says("a small one")).await.is(200);
    });
}

#[test]
fn a11_a_picture_that_runs_leaves_the_minute_to_a_small_call() {
    everywhere(async |shape| {
        let slow = good_whole().after(Duration::from_millis(1_500));
        let rows = vec![
            crate::fake::saying("a small one", good_whole()),
            always(slow),
        ];
        let mut case = case(shape, rows).start().await;
        limited(&mut case).await;
        let picture = picture();
        let small = async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            case.chat(&says("a small one")).await
        };
        let (large, small) = tokio::join!(case.chat(&picture), small);
        large.is(200);
        small.is(200);
    });
}
