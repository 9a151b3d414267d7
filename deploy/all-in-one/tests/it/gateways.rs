//! The gateway against a vendor that misbehaves: fail-over, keys that rest or are disabled, secrets
//! that never come out, streams passed on byte by byte in any split.

mod imports;
mod key_batch;
mod keys;
mod story;
pub(crate) mod streams;
pub(crate) mod vendor;

use reqwest::StatusCode;
use serde_json::json;

use self::keys::key_states;
use self::vendor::{answer, at_once, with_vendor};
use crate::support::joined::{Joined, start};
use crate::support::places;

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_been_billed_or_is_the_tenants_fault_is_never_sent_again() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let keys = ["one-key-0123456789", "two-key-0123456789"];
        let (vendor, customer) = with_vendor(&product, &keys).await;
        let told = |key: &str| {
            let told = json!({"error": {"message": format!("too hot for {key}"), "param": "temperature", "code": "invalid_value"}});
            at_once(answer("400 Bad Request", "", &told.to_string()))
        };
        for key in keys {
            vendor.script(key, told(key));
        }
        let (status, body) = product.chat(&customer, "ours", "hi").await;
        assert_eq!(
            (status, &body["error"]["param"]),
            (StatusCode::BAD_REQUEST, &json!("temperature")),
            "{body}"
        );
        assert_eq!(
            body["error"]["message"], "too hot for …",
            "no key in an error"
        );
        for (script, status) in [
            (Vec::new(), StatusCode::BAD_GATEWAY),
            (
                at_once("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"cut"),
                StatusCode::BAD_GATEWAY,
            ),
            (
                at_once(answer("200 OK", "", "<html>not JSON</html>")),
                StatusCode::BAD_GATEWAY,
            ),
        ] {
            for key in keys {
                vendor.script(key, script.clone());
            }
            let before = vendor.calls.lock().expect("no panic").len();
            let (answered, body) = product.chat(&customer, "ours", "hi").await;
            assert_eq!(answered, status, "{}: {body}", place.name);
            assert_eq!(
                vendor.calls.lock().expect("no panic").len() - before,
                1,
                "{status}: called once"
            );
        }
        assert_eq!(
            product.settled(&customer).await,
            json!({"available": 1000, "held": 0, "used": 0})
        );
        assert_eq!(key_states(&product).await, ["active", "active"]);
        product.stop().await;
    }
}
