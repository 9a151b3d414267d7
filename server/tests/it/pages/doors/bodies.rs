//! Bodies: read after the caller is known, and never left in the way of the next request.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use poem::http::{Method, StatusCode};
use poem::{Body, Endpoint, Request};
use serde_json::{Value, json};
use shared::surface::SURFACES;

use super::super::{Answer, PASSWORD, Place, Start, places};
use super::tenant_fixture;

const PIECE: usize = 16 * 1024;

/// A body that counts how much of it was read.
fn counted(bytes: usize) -> (Body, Arc<AtomicUsize>) {
    let read = Arc::new(AtomicUsize::new(0));
    let count = read.clone();
    let pieces = (0..bytes.div_ceil(PIECE)).map(move |_| {
        count.fetch_add(PIECE, Ordering::Relaxed);
        Ok::<_, std::io::Error>(vec![b' '; PIECE])
    });
    (
        Body::from_bytes_stream(futures_util::stream::iter(pieces)),
        read,
    )
}

/// Sends a body of so many bytes, with its length in front or without.
async fn send(
    place: &Place,
    (method, path, token): (Method, &str, &str),
    (bytes, announced): (usize, bool),
) -> (Answer, usize) {
    let (body, read) = counted(bytes);
    let mut request = Request::builder()
        .method(method)
        .uri(path.parse().expect("a path"))
        .content_type("application/json")
        .header("authorization", format!("Bearer {token}"));
    if announced {
        request = request.header("content-length", bytes.to_string());
    }
    let answer = Answer::of(place.face.get_response(request.body(body)).await).await;
    (answer, read.load(Ordering::Relaxed))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stranger_sends_is_not_read() {
    const MANY: usize = 1024 * 1024;
    for (place, _db) in places(Start::default()).await {
        let owner = place.token("admin", PASSWORD).await;
        let acme = tenant_fixture(&place, &owner, "Acme").await;
        let unknown = format!("wk_live_{}", "a".repeat(32));
        let mia = acme.token(&place, "mia").await;
        let mut refused = Vec::new();
        let calls = SURFACES
            .into_iter()
            .map(|surface| format!("/api/v1{}", surface.path));
        let others = ["/api/v1/keys", "/admin/api/tenants", "/admin/api/providers"];
        let paths: Vec<String> = calls.chain(others.map(str::to_owned)).collect();
        for path in paths.iter().map(String::as_str) {
            for token in ["", unknown.as_str(), "nonsense"] {
                refused.push((Method::POST, path, token, StatusCode::UNAUTHORIZED));
            }
        }
        refused.extend([
            (Method::POST, "/nowhere", "", StatusCode::NOT_FOUND),
            (
                Method::POST,
                "/api/v1/nowhere",
                acme.secret.as_str(),
                StatusCode::NOT_FOUND,
            ),
            (
                Method::PUT,
                "/api/v1/keys",
                mia.as_str(),
                StatusCode::METHOD_NOT_ALLOWED,
            ),
            (
                Method::POST,
                "/api/v1/keys",
                mia.as_str(),
                StatusCode::FORBIDDEN,
            ),
            (
                Method::POST,
                "/api/v1/keys",
                acme.secret.as_str(),
                StatusCode::FORBIDDEN,
            ),
            (
                Method::POST,
                "/admin/api/login",
                "",
                StatusCode::PAYLOAD_TOO_LARGE,
            ),
            (
                Method::POST,
                "/api/v1/auth/login",
                "",
                StatusCode::PAYLOAD_TOO_LARGE,
            ),
            (
                Method::POST,
                "/admin/api/tenants",
                owner.as_str(),
                StatusCode::PAYLOAD_TOO_LARGE,
            ),
            (
                Method::POST,
                "/admin/login",
                "",
                StatusCode::PAYLOAD_TOO_LARGE,
            ),
            (
                Method::POST,
                "/portal/login",
                "",
                StatusCode::PAYLOAD_TOO_LARGE,
            ),
        ]);
        for (method, path, token, right) in refused {
            for announced in [true, false] {
                let asked = (method.clone(), path, token);
                let (answer, read) = send(&place, asked, (MANY, announced)).await;
                let at = format!("{} {method} {path} {announced}", place.name);
                assert_eq!(answer.status, right, "{at}: {}", answer.body);
                assert!(read <= 160 * 1024, "{at}: {read} bytes were read");
                assert_eq!(answer.header("connection"), "close", "{at}");
            }
        }
        place.end().await;
    }
}

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
        let (_, one) = super::add_key(&place, &owner, &acme.id, &one).await;
        let reads = json!({"name": "reads", "scopes": ["usage"]});
        let (_, reads) = super::add_key(&place, &owner, &acme.id, &reads).await;
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
