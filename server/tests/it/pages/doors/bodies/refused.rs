//! Refusals before the body: the connection stays as it was, and nobody asks for what is not
//! wanted.

use std::sync::atomic::Ordering;

use poem::http::{Method, StatusCode};
use poem::{Endpoint, Request};
use serde_json::{Value, json};

use super::super::super::{Answer, PASSWORD, Start, places};
use super::super::tenant_fixture;
use super::{PIECE, counted, send};

#[tokio::test(flavor = "multi_thread")]
async fn a_short_body_that_is_refused_leaves_the_connection_as_it_was() {
    for (place, _db) in places(Start::default()).await {
        let owner = place.token("admin", PASSWORD).await;
        for (method, path, token, right) in [
            (
                Method::POST,
                "/api/v1/chat/completions",
                "",
                StatusCode::UNAUTHORIZED,
            ),
            (
                Method::POST,
                "/admin/api/tenants",
                "",
                StatusCode::UNAUTHORIZED,
            ),
            (Method::POST, "/nowhere", "", StatusCode::NOT_FOUND),
            (
                Method::PUT,
                "/admin/api/tenants",
                owner.as_str(),
                StatusCode::METHOD_NOT_ALLOWED,
            ),
            (Method::GET, "/healthz", "", StatusCode::OK),
            (
                Method::POST,
                "/admin/api/tenants",
                owner.as_str(),
                StatusCode::BAD_REQUEST,
            ),
        ] {
            for announced in [true, false] {
                let asked = (method.clone(), path, token);
                let (answer, read) = send(&place, asked, (PIECE, announced)).await;
                let at = format!("{} {method} {path} {announced}", place.name);
                assert_eq!(answer.status, right, "{at}: {}", answer.body);
                assert_eq!(read, PIECE, "{at}");
                assert_eq!(answer.header("connection"), "", "{at}");
            }
        }
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_waits_for_a_word_is_not_asked_for_a_body_nobody_wants() {
    for (place, _db) in places(Start::default()).await {
        let (body, read) = counted(PIECE);
        let request = Request::builder()
            .method(Method::POST)
            .uri("/api/v1/chat/completions".parse().expect("a path"))
            .header("expect", "100-continue")
            .header("content-length", PIECE.to_string())
            .body(body);
        let answer = Answer::of(place.face.get_response(request).await).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", place.name);
        assert_eq!(read.load(Ordering::Relaxed), 0);
        assert_eq!(answer.header("connection"), "close");
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_a_slot_or_the_scope_is_refused_before_its_body_is_read() {
    for (place, _db) in places(Start::default()).await {
        let owner = place.token("admin", PASSWORD).await;
        let acme = tenant_fixture(&place, &owner, "Acme").await;
        let one = json!({"name": "one", "limits": {"requests_per_minute": 1}});
        let (_, one) = super::super::add_key(&place, &owner, &acme.id, &one).await;
        let reads = json!({"name": "reads", "scopes": ["usage"]});
        let (_, reads) = super::super::add_key(&place, &owner, &acme.id, &reads).await;
        let path = "/api/v1/chat/completions";
        let call = json!({"model": "sandbox-chat", "messages": []});
        let first = place.api(Method::POST, path, &one, &call).await;
        assert_ne!(first.status, StatusCode::TOO_MANY_REQUESTS);
        // What is wrong costs no request; what is held up by a gateway does.
        let valid =
            json!({"model": "sandbox-chat", "messages": [{"role": "user", "content": "x"}]});
        let _: Answer = place.api(Method::POST, path, &one, &valid).await;
        for (key, right) in [
            (&one, StatusCode::TOO_MANY_REQUESTS),
            (&reads, StatusCode::FORBIDDEN),
        ] {
            let asked = (Method::POST, path, key.as_str());
            let (answer, read) = send(&place, asked, (8 * 1024 * 1024, true)).await;
            assert_eq!(answer.status, right, "{}: {}", place.name, answer.body);
            assert_eq!(read, 0, "{}", place.name);
            let told: Value = answer.json();
            assert!(told["error"]["message"].is_string());
        }
        place.end().await;
    }
}
