//! The doors on real sockets: connections after refusals, memory under strangers' bodies, and keys of
//! providers that move.

mod memory;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::joined::{Joined, start};
use crate::support::{ADMIN_PASSWORD, places};

const CHAT: &str = "/api/v1/chat/completions";

/// Reads one answer off a connection: its status line and headers.
async fn head(socket: &mut TcpStream) -> Option<String> {
    let (mut seen, mut byte) = (Vec::new(), [0_u8; 1]);
    while !seen.ends_with(b"\r\n\r\n") {
        if socket.read(&mut byte).await.ok()? == 0 {
            return None;
        }
        seen.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&seen).to_lowercase();
    let length = text.split("content-length: ").nth(1)?;
    let length: usize = length.split("\r\n").next()?.parse().ok()?;
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await.ok()?;
    Some(text)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_after_a_refusal_is_answered_on_the_same_connection_or_told_to_leave() {
    let [place, _] = places().await;
    let product = start(&place, Joined::InProcess).await;
    for (line, length, status) in [
        ("POST /api/v1/chat/completions", 2_000, "401"),
        ("POST /admin/api/tenants", 2_000, "401"),
        ("POST /nowhere", 2_000, "404"),
        ("PUT /api/v1/models", 2_000, "405"),
        ("POST /api/v1/chat/completions", 300_000, "401"),
        ("POST /admin/api/login", 300_000, "413"),
    ] {
        let mut socket = TcpStream::connect(product.address)
            .await
            .expect("connected");
        let mut told_to_leave = 0;
        for _ in 0..20 {
            let request = format!(
                "{line} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{}",
                "x".repeat(length)
            );
            // The server may be done with the request before all of it is sent.
            let _ = socket.write_all(request.as_bytes()).await;
            let answer = head(&mut socket).await;
            let Some(answer) = answer else {
                panic!("{line} {length}: the answer was lost");
            };
            assert!(
                answer.starts_with(&format!("http/1.1 {status}")),
                "{line}: {answer}"
            );
            if answer.contains("connection: close") {
                told_to_leave += 1;
                socket = TcpStream::connect(product.address)
                    .await
                    .expect("connected");
            }
        }
        let expected = if length > 64 * 1024 { 20 } else { 0 };
        assert_eq!(told_to_leave, expected, "{line} {length}");
    }
    product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_waits_for_a_word_gets_it_where_its_body_is_wanted() {
    let [place, _] = places().await;
    let product = start(&place, Joined::InProcess).await;
    let body = json!({"username": "admin", "password": ADMIN_PASSWORD}).to_string();
    let mut socket = TcpStream::connect(product.address)
        .await
        .expect("connected");
    let request = format!(
        "POST /admin/api/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(request.as_bytes()).await.expect("sent");
    let mut word = [0; 25];
    socket.read_exact(&mut word).await.expect("a word");
    assert_eq!(&word, b"HTTP/1.1 100 Continue\r\n\r\n");
    socket.write_all(body.as_bytes()).await.expect("sent");
    let answer = head(&mut socket).await.expect("an answer");
    assert!(answer.starts_with("http/1.1 200"), "{answer}");
    product.stop().await;
}

/// Somebody who takes connections and keeps what they say.
async fn listener() -> (String, std::sync::Arc<std::sync::Mutex<String>>) {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = socket.local_addr().expect("an address");
    let heard = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let kept = heard.clone();
    #[expect(
        clippy::disallowed_methods,
        reason = "the listener is not a part of the product"
    )]
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = socket.accept().await {
            let kept = kept.clone();
            tokio::spawn(async move {
                let mut bytes = vec![0; 16 * 1024];
                while let Ok(read) = socket.read(&mut bytes).await {
                    if read == 0 {
                        break;
                    }
                    let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
                    kept.lock().expect("no panic").push_str(&text);
                    let body = r#"{"object":"list","data":[]}"#;
                    let answer = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    if socket.write_all(answer.as_bytes()).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    (format!("http://{address}"), heard)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_moves_does_not_take_its_keys_along() {
    const SECRET: &str = "sk-a-secret-of-the-old-place-0123";
    for place in places().await {
        for joined in [Joined::InProcess, Joined::OverHttp] {
            let product = start(&place, joined).await;
            let ((home, heard), (evil, overheard)) = (listener().await, listener().await);
            let admin = async |method: Method, path: &str, body: Value| {
                product.admin(method, path, Some(body)).await
            };
            let new = json!({"name": "mover", "kind": "openai", "base_url": format!("{home}/v1")});
            let (status, made) = admin(Method::POST, "/providers", new).await;
            assert_eq!(status, StatusCode::CREATED, "{made}");
            let keys = "/providers/mover/keys";
            let (_, key) = admin(Method::POST, keys, json!({"secret": SECRET})).await;
            let key = format!("{keys}/{}", key["id"].as_str().expect("an id"));
            let test = format!("{key}/test");
            let (_, tested) = admin(Method::POST, &test, json!({})).await;
            assert!(heard.lock().expect("no panic").contains(SECRET), "{tested}");
            // Another path at the same place is still the same place.
            let to = |url: String| json!({"base_url": url});
            let (status, _) =
                admin(Method::PATCH, "/providers/mover", to(format!("{home}/v2"))).await;
            assert_eq!(status, StatusCode::OK);
            let (_, list) = product.admin(Method::GET, keys, None).await;
            assert_eq!(list["data"][0]["status"], "active", "{list}");

            let (status, moved) =
                admin(Method::PATCH, "/providers/mover", to(format!("{evil}/v1"))).await;
            assert_eq!(status, StatusCode::OK, "{moved}");
            let (_, list) = product.admin(Method::GET, keys, None).await;
            assert_eq!(list["data"][0]["status"], "disabled", "{list}");
            let why = list["data"][0]["reason"].as_str().unwrap_or_default();
            assert!(why.contains("address changed"), "{list}");
            let (status, refused) = admin(Method::POST, &test, json!({})).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{refused}");
            let active = json!({"status": "active"});
            let (status, refused) = admin(Method::PATCH, &key, active).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{refused}");
            // Nor does it come back with the old address.
            admin(Method::PATCH, "/providers/mover", to(format!("{home}/v1"))).await;
            let (status, _) = admin(Method::POST, &test, json!({})).await;
            assert_eq!(status, StatusCode::BAD_REQUEST);
            admin(Method::PATCH, "/providers/mover", to(format!("{evil}/v1"))).await;
            let again = json!({"secret": "sk-a-secret-of-the-new-place-4567"});
            let (status, entered) = admin(Method::PATCH, &key, again).await;
            assert_eq!(
                (status, &entered["status"]),
                (StatusCode::OK, &json!("active"))
            );
            assert_eq!(entered["last4"], "4567", "{entered}");
            let (status, _) = admin(Method::POST, &test, json!({})).await;
            assert_eq!(status, StatusCode::OK);
            let overheard = overheard.lock().expect("no panic").clone();
            assert!(overheard.contains("sk-a-secret-of-the-new-place"));
            assert!(!overheard.contains(SECRET), "{}: {overheard}", place.name);
            let (status, _) = product
                .admin(Method::DELETE, "/providers/mover", None)
                .await;
            assert_eq!(status, StatusCode::NO_CONTENT);
            product.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_made_with_a_key_share_its_limits_and_its_budget() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let price = json!({"input_per_million": 0, "output_per_million": 0, "per_request": 2});
        product.model("shared", "chat", price).await;
        let customer = product.customer("100").await;
        let keys = format!("/tenants/{}/keys", customer.id);
        let made = async |limits: Value| {
            let body = json!({"name": "parent", "scopes": ["inference", "keys"], "limits": limits});
            let (status, parent) = product.admin(Method::POST, &keys, Some(body)).await;
            assert_eq!(status, StatusCode::CREATED, "{parent}");
            let secret = parent["secret"].as_str().expect("a secret").to_owned();
            let mut children = Vec::new();
            for _ in 0..2 {
                let body = Some(json!({"name": "child"}));
                let made = product.send(Method::POST, "/api/v1/keys", Some(&secret), body);
                let (status, child) = made.await;
                assert_eq!(status, StatusCode::CREATED, "{child}");
                children.push(child["secret"].as_str().expect("a secret").to_owned());
            }
            let id = parent["key"]["id"].as_str().expect("an id").to_owned();
            (id, children)
        };
        let call = async |key: &str| {
            let body = json!({"model": "shared", "messages": [{"role": "user", "content": "hi"}]});
            let (status, _) = product
                .send(Method::POST, CHAT, Some(key), Some(body))
                .await;
            status
        };
        let (_, children) = made(json!({"requests_per_minute": 2})).await;
        assert_eq!(call(&children[0]).await, StatusCode::OK, "{}", place.name);
        assert_eq!(call(&children[1]).await, StatusCode::OK);
        for child in &children {
            assert_eq!(call(child).await, StatusCode::TOO_MANY_REQUESTS, "together");
        }
        let (parent, children) = made(json!({})).await;
        let budget = format!("{keys}/{parent}/budgets/day");
        let limit = Some(json!({"limit": 5}));
        assert_eq!(
            product.admin(Method::PUT, &budget, limit).await.0,
            StatusCode::OK
        );
        assert_eq!(call(&children[0]).await, StatusCode::OK);
        assert_eq!(call(&children[1]).await, StatusCode::OK);
        for child in &children {
            assert_eq!(call(child).await, StatusCode::PAYMENT_REQUIRED, "together");
        }
        product.stop().await;
    }
}
