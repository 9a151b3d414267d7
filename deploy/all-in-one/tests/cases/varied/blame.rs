//! Whose fault it is: what refusals do to keys and to other tenants' calls, and who is tried next.

mod fields;
mod outages;

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::each;
use crate::case::{Case, case};
use crate::errors::says;
use crate::fake::bodies::{error, good_whole, page};
use crate::fake::script::Script;
use crate::fake::{Seen, always, on, saying, with_key};
use crate::support::product::Customer;
use crate::world::everywhere;

const NONE: Value = Value::Null;
pub(super) const FOUR: [&str; 4] = [
    "one-key-0123456789",
    "two-key-0123456789",
    "three-key-01234567",
    "four-key-012345678",
];

pub(super) type Make = fn() -> Script;

pub(super) const BUSY: &str = r#"{"error":{"message":"slow down","type":"rate_limit_error"}}"#;

/// Refusals that a request, or a tenant's way of asking, can bring about; a good call follows.
const STEERED: &[(&str, Make)] = &[
    ("401", || {
        error(
            401,
            r#"{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","code":"invalid_api_key"}}"#,
        )
    }),
    ("401 without words", || error(401, "")),
    ("401 as a page", || page(401)),
    ("402", || {
        error(
            402,
            r#"{"error":{"message":"Insufficient credits. This request requires more credits","code":402}}"#,
        )
    }),
    ("403", || error(403, r#"{"error":{"message":"Forbidden"}}"#)),
    ("403, a model", || {
        error(
            403,
            r#"{"error":{"message":"Project does not have access to model","code":"model_not_found"}}"#,
        )
    }),
    ("403, a country", || {
        error(
            403,
            r#"{"error":{"message":"Country, region, or territory not supported","code":"unsupported_country_region_territory","type":"request_forbidden"}}"#,
        )
    }),
    ("429 for long", || {
        error(429, BUSY).header("retry-after", "3600")
    }),
    ("429, no quota", || {
        error(
            429,
            r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#,
        )
    }),
    ("503 for long", || {
        error(503, BUSY).header("retry-after", "3600")
    }),
    ("500", || error(500, r#"{"error":{"message":"oops"}}"#)),
    ("200 with an error of a key", || {
        error(
            200,
            r#"{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}"#,
        )
    }),
];

/// Another tenant of the same product.
async fn neighbour(case: &Case) -> Customer {
    case.product.customer("1000").await
}

#[test]
fn a_tenant_that_makes_a_provider_refuse_leaves_keys_to_the_others() {
    each(STEERED, async |shape, make: Make| {
        let rows = vec![saying("bad words", make()), always(good_whole())];
        let mut case = case(shape, rows).keys(&FOUR).start().await;
        for _ in 0..12 {
            case.chat(&says("bad words")).await;
        }
        case.is_free().await;
        // The keys are good: the provider lists models for each of them.
        let states = case.key_states().await;
        assert!(states.iter().all(|state| state != "disabled"), "{states:?}");
        case.customer = neighbour(&case).await;
        for n in 0..4 {
            let told = case.chat(&NONE).await;
            assert_eq!(told.status, 200, "the neighbour's call {n}: {}", told.text);
        }
    });
}

#[test]
fn a_pool_of_one_key_is_not_taken_from_the_others_either() {
    // What depends on the request, or is refuted by the free question, must leave the only key.
    each(&STEERED[..7], async |shape, make: Make| {
        let rows = vec![saying("bad words", make()), always(good_whole())];
        let mut case = case(shape, rows).keys(&FOUR[..1]).start().await;
        for _ in 0..3 {
            case.chat(&says("bad words")).await;
        }
        case.customer = neighbour(&case).await;
        let told = case.chat(&NONE).await;
        assert_eq!(told.status, 200, "{}", told.text);
    });
}

#[test]
fn a_key_that_is_really_bad_is_taken_out() {
    const FORMS: &[(&str, Make)] = &[
        ("OpenAI", || {
            error(
                401,
                r#"{"error":{"message":"Incorrect API key provided: sk-1","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#,
            )
        }),
        ("without words", || error(401, "")),
        ("Google", || {
            error(
                400,
                r#"[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}]"#,
            )
        }),
        ("revoked", || {
            error(
                403,
                r#"{"error":{"message":"This API key has been revoked","code":"invalid_api_key"}}"#,
            )
        }),
    ];
    each(FORMS, async |shape, make: Make| {
        // Also the free question is refused with this key.
        let rows = vec![
            with_key(FOUR[0], make()),
            on(|seen: &Seen| seen.method == "POST", good_whole()),
        ];
        let case = case(shape, rows).keys(&FOUR[..2]).start().await;
        for n in 0..10 {
            let told = case.chat(&NONE).await;
            assert_eq!(told.status, 200, "call {n}: {}", told.text);
        }
        let disabled = async {
            while case.key_states().await != ["disabled", "active"] {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let disabled = tokio::time::timeout(Duration::from_secs(15), disabled).await;
        assert!(disabled.is_ok(), "{:?}", case.key_states().await);
    });
}

#[test]
fn a_free_test_key_can_not_take_the_sandbox_from_anybody() {
    everywhere(async |shape| {
        let case = case(shape, vec![always(good_whole())]).start().await;
        let path = format!("/tenants/{}/keys", case.customer.id);
        let body = json!({"name": "free", "kind": "test"});
        let (status, made) = case.product.admin(Method::POST, &path, Some(body)).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let test = Customer {
            id: case.customer.id.clone(),
            key: made["secret"].as_str().expect("a key").to_owned(),
        };
        for mark in [
            "[fail:401]",
            "[fail:402]",
            "[fail:403]",
            "[fail:429]",
            "[fail:500]",
            "[fail:503]",
        ] {
            for _ in 0..5 {
                case.product.chat(&test, &case.model, mark).await;
            }
        }
        let other = case.product.customer("1").await;
        let (status, told) = case.product.chat(&other, "sandbox-chat", "hi").await;
        assert_eq!(status, StatusCode::OK, "{told}");
        let (status, told) = case.product.chat(&test, &case.model, "hi").await;
        assert_eq!(status, StatusCode::OK, "{told}");
    });
}
