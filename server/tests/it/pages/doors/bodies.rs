//! Bodies: read after the caller is known, and never left in the way of the next request.

mod refused;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use poem::http::{Method, StatusCode};
use poem::{Body, Endpoint, Request};
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
