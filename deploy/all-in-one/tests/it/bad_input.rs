//! Hostile and broken requests: the OpenAI error object with the right status; nothing is charged,
//! nothing leaks, nothing panics.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::joined::{Joined, start};
use crate::support::places;
use crate::support::product::{Customer, Product};

async fn raw(
    product: &Product,
    customer: &Customer,
    path: &str,
    body: impl Into<reqwest::Body>,
) -> (StatusCode, Value) {
    let request = product
        .http
        .post(product.url(path))
        .bearer_auth(&customer.key);
    let answer = request
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await
        .expect("an answer");
    let status = answer.status();
    assert!(answer.headers().contains_key("x-request-id"));
    let text = answer.text().await.expect("a body");
    (
        status,
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text}")),
    )
}

fn assert_error(status: StatusCode, body: &Value, what: &str) {
    let error = &body["error"];
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|text| !text.is_empty()),
        "{what} {status}: {body}"
    );
    assert!(
        error["type"].is_string() && error.get("param").is_some() && error.get("code").is_some(),
        "{what}: {body}"
    );
    let text = body.to_string().to_lowercase();
    for leak in [
        "select ",
        "diesel",
        "panicked",
        "stack",
        "127.0.0.1",
        "src/",
    ] {
        assert!(!text.contains(leak), "{what} leaks `{leak}`: {body}");
    }
}

const CHAT: &str = "/api/v1/chat/completions";

#[tokio::test(flavor = "multi_thread")]
async fn broken_bodies_get_the_error_object_and_cost_nothing() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let customer = product.customer("10").await;
        let bodies: Vec<(&str, Vec<u8>)> = vec![
            ("", Vec::new()),
            (
                "cut",
                b"{\"model\":\"sandbox-chat\",\"messages\":[".to_vec(),
            ),
            ("not an object", b"[1,2]".to_vec()),
            (
                "bad UTF-8",
                b"{\"model\":\"sandbox-chat\",\"messages\":[{\"content\":\"\xff\xfe\"}]}".to_vec(),
            ),
            (
                "twice",
                b"{\"model\":\"a\",\"model\":\"b\",\"messages\":[1]}".to_vec(),
            ),
            (
                "model is a number",
                b"{\"model\":7,\"messages\":[1]}".to_vec(),
            ),
            ("no messages", b"{\"model\":\"sandbox-chat\"}".to_vec()),
            (
                "negative",
                b"{\"model\":\"sandbox-chat\",\"messages\":[{}],\"max_tokens\":-1}".to_vec(),
            ),
            (
                "absurd",
                b"{\"model\":\"sandbox-chat\",\"messages\":[{}],\"n\":18446744073686646784}"
                    .to_vec(),
            ),
            (
                "float",
                b"{\"model\":\"sandbox-chat\",\"messages\":[{}],\"max_tokens\":1.5}".to_vec(),
            ),
            (
                "wrong type inside",
                b"{\"model\":\"sandbox-chat\",\"messages\":[7]}".to_vec(),
            ),
            (
                "deep",
                [
                    b"{\"model\":\"sandbox-chat\",\"messages\":".to_vec(),
                    vec![b'['; 100_000],
                    vec![b']'; 100_000],
                    b"}".to_vec(),
                ]
                .concat(),
            ),
        ];
        for (what, body) in bodies {
            let (status, answer) = raw(&product, &customer, CHAT, body).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{what}: {answer}");
            assert_error(status, &answer, what);
        }
        let (status, answer) = raw(&product, &customer, CHAT, vec![b' '; 1_000_001]).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_error(status, &answer, "too large");
        let chunks = futures_util::stream::iter(
            (0..200).map(|_| Ok::<_, std::io::Error>(vec![b' '; 10_000])),
        );
        let (status, _) = raw(
            &product,
            &customer,
            CHAT,
            reqwest::Body::wrap_stream(chunks),
        )
        .await;
        assert_eq!(
            status,
            StatusCode::PAYLOAD_TOO_LARGE,
            "without a length in front"
        );
        assert_eq!(
            product.settled(&customer).await,
            json!({"available": 10, "held": 0, "used": 0}),
            "{}",
            place.name
        );
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_models_paths_and_methods_are_told_in_the_same_form() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let customer = product.customer("10").await;
        let body =
            json!({"model": "sandbox-chat", "messages": [{"role": "user", "content": "hi"}]});
        let unknown = format!("wk_live_{}", "z".repeat(32));
        for key in [
            None,
            Some("wk_live_short"),
            Some(unknown.as_str()),
            Some("sk-123"),
            Some("' OR 1=1 --"),
            Some("a.b.c"),
        ] {
            let (status, answer) = product
                .send(Method::POST, CHAT, key, Some(body.clone()))
                .await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{key:?}");
            assert_error(status, &answer, "credentials");
            for path in [
                "/api/v1/me",
                "/api/v1/models",
                "/api/v1/credits/balance",
                "/api/v1/usage",
            ] {
                let (status, answer) = product.send(Method::GET, path, key, None).await;
                assert_eq!(status, StatusCode::UNAUTHORIZED, "{path} {key:?}");
                assert_error(status, &answer, path);
            }
        }
        let key = Some(customer.key.as_str());
        let (status, answer) = product.chat(&customer, "no-such-model", "hi").await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (StatusCode::NOT_FOUND, &json!("model_not_found"))
        );
        let (status, answer) = product
            .send(Method::GET, "/api/v1/nowhere", key, None)
            .await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_error(status, &answer, "path");
        let (status, answer) = product.send(Method::PUT, CHAT, key, None).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
        assert_error(status, &answer, "method");
        let (status, answer) = product
            .send(Method::GET, "/admin/api/tenants", key, None)
            .await;
        assert_eq!(
            status,
            StatusCode::UNAUTHORIZED,
            "a tenant's key is no superadmin: {answer}"
        );
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_ids_are_not_found_and_odd_management_bodies_are_refused() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let (one, other) = (product.customer("1").await, product.customer("1").await);
        let user = json!({"username": "ann", "password": "long enough", "role": "member"});
        let (status, made) = product
            .admin(
                Method::POST,
                &format!("/tenants/{}/users", one.id),
                Some(user),
            )
            .await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let foreign = format!(
            "/tenants/{}/users/{}",
            other.id,
            made["id"].as_str().expect("an id")
        );
        for method in [Method::PATCH, Method::DELETE] {
            let body = (method == Method::PATCH).then(|| json!({"status": "disabled"}));
            assert_eq!(
                product.admin(method, &foreign, body).await.0,
                StatusCode::NOT_FOUND
            );
        }
        for (path, body) in [
            ("/tenants", json!({"name": ""})),
            ("/tenants", json!({"name": "x", "is_admin": true})),
            ("/tenants", json!({"name": {}})),
            ("/tenants", json!({"name": ["x"]})),
            ("/tenants", json!({"name": "a\u{0}b"})),
            (
                "/models",
                json!({"id": "m", "operation": "chat", "targets": [], "max_output_tokens": 1}),
            ),
            (
                "/models",
                json!({"id": "m", "operation": "dance", "targets": [{"provider": "sandbox", "model": "m"}], "max_output_tokens": 1}),
            ),
            (
                "/providers",
                json!({"name": "UPPER", "kind": "openai", "base_url": "https://x"}),
            ),
            (
                "/providers",
                json!({"name": "ok", "kind": "openai", "base_url": "file:///etc/passwd"}),
            ),
        ] {
            let (status, answer) = product.admin(Method::POST, path, Some(body.clone())).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{path} {body}: {answer}");
            assert_error(status, &answer, path);
        }
        for path in [
            "/tenants/nonsense",
            "/tenants/ten_%27--",
            "/models/nonsense",
            "/tenants/ten_000000000aaaaaaaaaaaaaaaaaa",
        ] {
            assert_eq!(
                product.admin(Method::GET, path, None).await.0,
                StatusCode::NOT_FOUND,
                "{path}"
            );
        }
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_and_half_closed_clients_hurt_nobody() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let customer = product.customer("10").await;
        let head = format!(
            "POST {CHAT} HTTP/1.1\r\nhost: waule\r\nauthorization: Bearer {}\r\ncontent-length: 90\r\n\r\n{{\"mod",
            customer.key
        );
        let mut slow = Vec::new();
        for _ in 0..50 {
            let mut socket = TcpStream::connect(product.address)
                .await
                .expect("connected");
            socket.write_all(head.as_bytes()).await.expect("written");
            slow.push(socket);
        }
        // Others are served while fifty hang.
        let (status, _) = product.chat(&customer, "sandbox-chat", "hi").await;
        assert_eq!(status, StatusCode::OK);
        // A client that closes its sending side in the middle of the body gets an answer or is cut off.
        for socket in &mut slow {
            socket.shutdown().await.expect("half closed");
        }
        let mut answer = Vec::new();
        let reading = slow[0].read_to_end(&mut answer);
        tokio::time::timeout(Duration::from_secs(5), reading)
            .await
            .expect("not left hanging")
            .ok();
        for garbage in [
            "\u{0}\u{1}\u{2}\r\n\r\n",
            "GET / HTTP/9.9\r\n\r\n",
            "POST /api/v1/chat/completions HTTP/1.1\r\ncontent-length: -5\r\n\r\n",
        ] {
            let mut socket = TcpStream::connect(product.address)
                .await
                .expect("connected");
            socket.write_all(garbage.as_bytes()).await.expect("written");
            let mut answer = Vec::new();
            let reading = socket.read_to_end(&mut answer);
            tokio::time::timeout(Duration::from_secs(5), reading)
                .await
                .expect("cut off")
                .ok();
            assert!(
                answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"),
                "{}",
                String::from_utf8_lossy(&answer)
            );
        }
        drop(slow);
        let used = product.settled(&customer).await;
        assert_eq!(used["held"], 0, "{}", place.name);
        product.stop().await;
    }
}
