//! Browsers of known places, and keys in every header that clients use.

use reqwest::{Method, StatusCode};

use super::super::{ask, text};
use crate::support::joined::{Joined, start};
use crate::support::places;
use crate::support::product::Customer;

/// The origin that the tests' products let in.
const ORIGIN: &str = "https://app.example";

/// C05.
#[tokio::test(flavor = "multi_thread")]
async fn browsers_of_known_places_may_call_with_a_key() {
    let [place, _] = places().await;
    let product = start(&place, Joined::InProcess).await;
    let customer = product.customer("1").await;
    let preflight = [
        ("origin", ORIGIN),
        ("access-control-request-method", "POST"),
        (
            "access-control-request-headers",
            "authorization,content-type,x-stainless-lang,openai-organization,anthropic-version,x-api-key,api-key,cookie",
        ),
    ];
    for path in [
        "/api/v1/chat/completions",
        "/v1/chat/completions",
        "/v1/models",
        "/api/v1/auth/login",
    ] {
        let (status, headers, body) =
            ask(&product, (Method::OPTIONS, path), &preflight, None).await;
        if status == StatusCode::NOT_FOUND {
            continue;
        }
        assert_eq!((status, body.len()), (StatusCode::NO_CONTENT, 0), "{path}");
        assert_eq!(
            text(&headers, "access-control-allow-origin"),
            ORIGIN,
            "{path}"
        );
        let allowed = text(&headers, "access-control-allow-headers");
        assert_eq!(
            allowed,
            "authorization, content-type, x-stainless-lang, openai-organization, anthropic-version, \
             x-api-key, api-key"
        );
        assert!(
            text(&headers, "access-control-max-age")
                .parse::<u32>()
                .is_ok_and(|age| age > 0)
        );
        assert!(!headers.contains_key("access-control-allow-credentials"));
        assert!(headers.get_all("vary").iter().any(|name| name == "origin"));
    }
    let bearer = format!("Bearer {}", customer.key);
    for (path, headers, expected) in [
        (
            "/api/v1/models",
            vec![("authorization", bearer.as_str())],
            StatusCode::OK,
        ),
        ("/v1/models", vec![], StatusCode::UNAUTHORIZED),
        ("/api/v1/nothing", vec![], StatusCode::NOT_FOUND),
    ] {
        let asked: Vec<_> = headers.into_iter().chain([("origin", ORIGIN)]).collect();
        let (status, headers, _) = ask(&product, (Method::GET, path), &asked, None).await;
        assert_eq!(status, expected);
        assert_eq!(
            text(&headers, "access-control-allow-origin"),
            ORIGIN,
            "{path}"
        );
        assert!(text(&headers, "access-control-expose-headers").contains("x-request-id"));
    }
    for (path, origin) in [
        ("/api/v1/models", "https://evil.example"),
        ("/api/v1/models", "null"),
        ("/admin/api/tenants", ORIGIN),
        ("/portal/login", ORIGIN),
        ("/healthz", ORIGIN),
    ] {
        let asked = [("origin", origin), ("access-control-request-method", "GET")];
        for method in [Method::OPTIONS, Method::GET] {
            let (_, headers, _) = ask(&product, (method, path), &asked, None).await;
            assert_eq!(
                text(&headers, "access-control-allow-origin"),
                "",
                "{path} {origin}"
            );
        }
    }
    product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_found_in_every_header_clients_use() {
    let [place, _] = places().await;
    let product = start(&place, Joined::InProcess).await;
    let Customer { key, .. } = product.customer("1").await;
    let bearer = format!("Bearer {key}");
    for headers in [
        vec![("authorization", bearer.as_str())],
        vec![("authorization", key.as_str())],
        vec![("x-api-key", key.as_str())],
        vec![("api-key", key.as_str())],
        vec![("API-KEY", key.as_str())],
        vec![("authorization", "Bearer "), ("api-key", key.as_str())],
        vec![("authorization", "Basic dTpw"), ("x-api-key", key.as_str())],
    ] {
        let path = "/v1/models?api-version=2024-10-21";
        let (status, ..) = ask(&product, (Method::GET, path), &headers, None).await;
        assert_eq!(status, StatusCode::OK, "{headers:?}");
    }
    for headers in [
        vec![],
        vec![("authorization", "Bearer ")],
        vec![
            (
                "authorization",
                "Bearer wk_live_00000000000000000000000000000000",
            ),
            ("api-key", key.as_str()),
        ],
        vec![("api-key", "")],
    ] {
        let (status, ..) = ask(&product, (Method::GET, "/v1/models"), &headers, None).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{headers:?}");
    }
    product.stop().await;
}
