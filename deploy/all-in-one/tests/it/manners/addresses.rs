//! Addresses and headers as clients write them: prefixes, slashes, methods, places of browsers,
//! keys.

mod browsers;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{ask, chat, priced, text};
use crate::support::joined::{Joined, start};
use crate::support::places;

#[tokio::test(flavor = "multi_thread")]
async fn one_route_answers_by_all_its_addresses() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let customer = product.customer("10").await;
        priced(&product, "sandbox-chat", "chat").await;
        for path in [
            "/api/v1/chat/completions",
            "/v1/chat/completions",
            "/chat/completions",
            "/openai/v1/chat/completions",
            "/api/v1//chat/completions/",
            "//v1/chat/completions",
            "/v1/v1/chat/completions?api-version=2024-10-21",
            "/api/v1/chat/completions/chat/completions",
        ] {
            let body = Some(chat("sandbox-chat"));
            let (status, answer) = product
                .send(Method::POST, path, Some(&customer.key), body)
                .await;
            assert_eq!(status, StatusCode::OK, "{} {path}: {answer}", place.name);
        }
        for path in ["/v1/models", "/models/", "/api/v1/models"] {
            let (status, _) = product
                .send(Method::GET, path, Some(&customer.key), None)
                .await;
            assert_eq!(status, StatusCode::OK, "{path}");
        }
        for path in ["//admin/api/tenants", "//admin", "//portal/login"] {
            let (status, _) = product
                .send(Method::GET, path, Some(product.admin_token()), None)
                .await;
            assert_eq!(
                status,
                StatusCode::NOT_FOUND,
                "{path}: a proxy may guard what begins so"
            );
        }
        product.stop().await;
    }
}

/// C08, and A01 beside it.
#[tokio::test(flavor = "multi_thread")]
async fn names_of_models_may_have_slashes_in_every_address() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let customer = product.customer("10").await;
        for id in [
            "hf.co/unsloth/qwen3:q4",
            "a/b/c/d",
            "org/model:free",
            "plain",
        ] {
            priced(&product, id, "chat").await;
            for base in ["/api/v1", "/v1", ""] {
                for written in [
                    id.to_owned(),
                    id.replace('/', "%2F"),
                    id.replace('/', "%2f"),
                ] {
                    let path = format!("{base}/models/{written}");
                    let (status, model) = product
                        .send(Method::GET, &path, Some(&customer.key), None)
                        .await;
                    assert_eq!(
                        (status, &model["id"]),
                        (StatusCode::OK, &json!(id)),
                        "{path}"
                    );
                }
            }
            let (status, answer) = product.chat(&customer, id, "hi").await;
            assert_eq!(status, StatusCode::OK, "{id}: {answer}");
            let path = format!("/models/{}", id.replace('/', "%2F"));
            let (status, model) = product.admin(Method::GET, &path, None).await;
            assert_eq!((status, &model["id"]), (StatusCode::OK, &json!(id)));
        }
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_tells_its_methods_and_answers_head() {
    let [place, _] = places().await;
    let product = start(&place, Joined::InProcess).await;
    let customer = product.customer("1").await;
    let bearer = format!("Bearer {}", customer.key);
    for (path, allowed) in [
        ("/api/v1/chat/completions", "GET, HEAD, POST, OPTIONS"),
        ("/api/v1/embeddings", "POST, OPTIONS"),
        ("/v1/responses/resp_1", "GET, HEAD, DELETE, OPTIONS"),
        ("/v1/models", "GET, HEAD, OPTIONS"),
        ("/api/v1/models/a/b/c", "GET, HEAD, OPTIONS"),
        (
            "/admin/api/models/a%2Fb",
            "GET, HEAD, PATCH, DELETE, OPTIONS",
        ),
        ("/admin/api/tenants", "GET, HEAD, POST, OPTIONS"),
        ("/healthz", "GET, HEAD, OPTIONS"),
        ("/api/openapi.json", "GET, HEAD, OPTIONS"),
        ("/portal/login", "GET, HEAD, POST, OPTIONS"),
    ] {
        let (status, headers, _) = ask(&product, (Method::OPTIONS, path), &[], None).await;
        assert_eq!(
            (status, text(&headers, "allow")),
            (StatusCode::NO_CONTENT, allowed),
            "{path}"
        );
        assert!(
            headers.contains_key("x-request-id") || path.starts_with("/portal"),
            "{path}"
        );
        let wrong = if allowed.contains("PATCH") {
            Method::PUT
        } else {
            Method::PATCH
        };
        if path.starts_with("/portal") {
            continue;
        }
        let (status, headers, body) =
            ask(&product, (wrong, path), &[("authorization", &bearer)], None).await;
        let told = (status, text(&headers, "allow"));
        assert_eq!(told, (StatusCode::METHOD_NOT_ALLOWED, allowed), "{path}");
        let body: Value = serde_json::from_slice(&body).expect("the error object");
        assert_eq!(body["error"]["code"], "method_not_allowed");
    }
    let (status, ..) = ask(&product, (Method::OPTIONS, "/api/v1/nothing"), &[], None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    for (path, status) in [
        ("/api/v1/models", StatusCode::OK),
        ("/v1/models/none", StatusCode::NOT_FOUND),
        ("/healthz", StatusCode::OK),
        ("/readyz", StatusCode::OK),
        ("/portal/login", StatusCode::OK),
        ("/api/v1/chat/completions", StatusCode::OK),
        ("/api/v1/embeddings", StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let key = [("authorization", bearer.as_str())];
        let (found, headers, body) = ask(&product, (Method::HEAD, path), &key, None).await;
        assert_eq!((found, body.len()), (status, 0), "{path}");
        let (_, _, whole) = ask(&product, (Method::GET, path), &key, None).await;
        let length = text(&headers, "content-length").parse::<usize>();
        // Pages hold a token that is new each time, of the same length.
        assert_eq!(length, Ok(whole.len()), "{path}");
    }
    let (status, ..) = ask(&product, (Method::HEAD, "/api/v1/models"), &[], None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    product.stop().await;
}
