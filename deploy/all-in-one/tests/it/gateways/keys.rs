//! Keys that fail rest or are disabled, keys are tested, and nothing secret comes out.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::vendor::{GOOD, answer, at_once, with_vendor};
use crate::support::joined::{Joined, start};
use crate::support::product::Product;
use crate::support::{places, until};

pub(super) async fn key_states(product: &Product) -> Vec<String> {
    let (_, keys) = product
        .admin(Method::GET, "/providers/vendor/keys", None)
        .await;
    let keys = keys["data"].as_array().cloned().unwrap_or_default();
    keys.iter()
        .map(|key| key["status"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_fails_hands_its_call_to_another_and_rests_or_is_disabled() {
    for place in places().await {
        for (failing, status, state) in [
            (
                answer("429 Too Many Requests", "retry-after: 30\r\n", "{}"),
                "429",
                "cooling",
            ),
            (
                answer(
                    "401 Unauthorized",
                    "",
                    r#"{"error":{"message":"bad key","code":"invalid_api_key"}}"#,
                ),
                "401",
                "disabled",
            ),
            (
                answer(
                    "429 Too Many Requests",
                    "",
                    r#"{"error":{"type":"insufficient_quota","code":"insufficient_quota"}}"#,
                ),
                "quota",
                "cooling",
            ),
        ] {
            let product = start(&place, Joined::OverHttp).await;
            let (vendor, customer) =
                with_vendor(&product, &["bad-key-0123456789", "good-key-0123456789"]).await;
            vendor.script("bad-key-0123456789", at_once(failing));
            vendor.script("good-key-0123456789", at_once(answer("200 OK", "", GOOD)));
            for _ in 0..20 {
                let (status, body) = product.chat(&customer, "ours", "hi").await;
                assert_eq!(status, StatusCode::OK, "{body}");
                assert_eq!(
                    body["vendor_extra"]["kept"], true,
                    "what we do not know passes"
                );
            }
            // A key that was refused is asked about once, which costs nothing.
            let questions = usize::from(status == "401");
            assert_eq!(
                vendor.calls("bad-key-0123456789"),
                1 + questions,
                "{status}: it is left alone after its fault"
            );
            let patience = Duration::from_secs(10);
            until(
                &format!("{} {status} {state}", place.name),
                patience,
                async || key_states(&product).await == [state, "active"],
            )
            .await;
            assert_eq!(product.settled(&customer).await["used"], 20);
            for name in ["vendor"] {
                assert_eq!(
                    product
                        .admin(Method::DELETE, &format!("/providers/{name}"), None)
                        .await
                        .0,
                    StatusCode::NO_CONTENT
                );
            }
            assert_eq!(
                product.admin(Method::DELETE, "/models/ours", None).await.0,
                StatusCode::NO_CONTENT
            );
            product.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_tested_and_nothing_secret_comes_out_anywhere() {
    for place in places().await {
        let product = start(&place, Joined::OverHttp).await;
        let (vendor, _) = with_vendor(&product, &["key-0123456789ab"]).await;
        vendor.script(
            "key-0123456789ab",
            at_once(answer("200 OK", "", r#"{"object":"list","data":[]}"#)),
        );
        let (_, keys) = product
            .admin(Method::GET, "/providers/vendor/keys", None)
            .await;
        assert_eq!(keys["data"][0]["last4"], "89ab");
        let path = format!(
            "/providers/vendor/keys/{}",
            keys["data"][0]["id"].as_str().expect("an id")
        );
        let (status, tested) = product
            .admin(Method::POST, &format!("{path}/test"), None)
            .await;
        assert_eq!(
            (status, &tested["ok"]),
            (StatusCode::OK, &json!(true)),
            "{tested}"
        );
        let (status, changed) = product
            .admin(Method::PATCH, &path, Some(json!({"status": "disabled"})))
            .await;
        assert_eq!(
            (status, &changed["status"]),
            (StatusCode::OK, &json!("disabled")),
            "{changed}"
        );
        let mut everything: Vec<Value> = vec![keys, tested, changed];
        for path in [
            "/providers",
            "/providers/vendor/keys",
            "/audit?limit=100",
            "/models",
            "/tenants",
        ] {
            everything.push(product.admin(Method::GET, path, None).await.1);
        }
        assert!(
            !json!(everything).to_string().contains("key-0123456789ab"),
            "{}",
            place.name
        );
        let door = product
            .http
            .get(product.url("/internal/admin/providers"))
            .send()
            .await
            .expect("an answer");
        assert_eq!(
            door.status(),
            StatusCode::NOT_FOUND,
            "the server has no gateway door"
        );
        product.stop().await;
    }
}
