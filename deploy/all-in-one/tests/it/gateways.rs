//! The gateway against a vendor that misbehaves: fail-over, keys that rest or are disabled, secrets
//! that never come out, streams passed on byte by byte in any split.

use std::collections::HashMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Customer, Joined, Product, places, start, start_set, until};

/// What the vendor does with a request that shows a key, piece by piece with pauses.
pub(crate) type Script = Vec<(Duration, Vec<u8>)>;

/// A vendor that answers by key; counts calls, and notices when a client goes away.
#[derive(Clone, Default)]
pub(crate) struct Vendor {
    scripts: Arc<Mutex<HashMap<String, Script>>>,
    calls: Arc<Mutex<Vec<String>>>,
    pub(crate) left: Arc<Mutex<Option<Instant>>>,
}

impl Vendor {
    pub(crate) fn script(&self, key: &str, script: Script) {
        self.scripts
            .lock()
            .expect("no panic")
            .insert(key.to_owned(), script);
    }

    pub(crate) fn calls(&self, key: &str) -> usize {
        self.calls
            .lock()
            .expect("no panic")
            .iter()
            .filter(|called| *called == key)
            .count()
    }

    pub(crate) async fn serve(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let vendor = self.clone();
        #[expect(
            clippy::disallowed_methods,
            reason = "the vendor is not a part of the product"
        )]
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let vendor = vendor.clone();
                tokio::spawn(async move { vendor.answer(socket).await });
            }
        });
        address
    }

    async fn answer(&self, mut socket: TcpStream) -> Option<()> {
        let mut seen = Vec::new();
        let head_end = loop {
            if socket.read_buf(&mut seen).await.ok()? == 0 {
                return None;
            }
            if let Some(at) = seen.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
        };
        let head = String::from_utf8_lossy(&seen[..head_end]).to_lowercase();
        let value = |name: &str| {
            Some(
                head.split_once(name)?
                    .1
                    .split("\r\n")
                    .next()?
                    .trim()
                    .to_owned(),
            )
        };
        let length: usize = value("content-length:")
            .and_then(|n| n.parse().ok())
            .unwrap_or(0);
        while seen.len() < head_end + length {
            socket.read_buf(&mut seen).await.ok()?;
        }
        let key = value("authorization: bearer ").unwrap_or_default();
        assert!(
            !head.contains("x-waule") && !head.contains("wk_live"),
            "nothing of ours reaches a vendor: {head}"
        );
        self.calls.lock().expect("no panic").push(key.clone());
        let script = self
            .scripts
            .lock()
            .expect("no panic")
            .get(&key)
            .cloned()
            .unwrap_or_default();
        for (pause, bytes) in script {
            tokio::time::sleep(pause).await;
            if socket.write_all(&bytes).await.is_err() {
                *self.left.lock().expect("no panic") = Some(Instant::now());
                return None;
            }
        }
        Some(())
    }
}

pub(crate) fn at_once(bytes: impl Into<Vec<u8>>) -> Script {
    vec![(Duration::ZERO, bytes.into())]
}

pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
        .into_bytes()
}

pub(crate) const GOOD: &str = r#"{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"well"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7},"vendor_extra":{"kept":true}}"#;

/// A product with a vendor, a model on it, and keys by name.
pub(crate) async fn with_vendor(product: &Product, keys: &[&str]) -> (Vendor, Customer) {
    let vendor = Vendor::default();
    let address = vendor.serve().await;
    let body =
        json!({"name": "vendor", "kind": "openai", "base_url": format!("http://{address}/v1")});
    let (status, made) = product.admin(Method::POST, "/providers", Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    for key in keys {
        let (status, made) = product
            .admin(
                Method::POST,
                "/providers/vendor/keys",
                Some(json!({"secret": key})),
            )
            .await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        assert!(
            !made.to_string().contains(key),
            "a secret is never answered: {made}"
        );
    }
    let target = json!({"provider": "vendor", "model": "their-name", "weight": 1, "priority": 0});
    let body = json!({"id": "ours", "operation": "chat", "targets": [target], "max_output_tokens": 1000,
        "price": {"per_request": 1}});
    let (status, made) = product.admin(Method::POST, "/models", Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    (vendor, product.customer("1000").await)
}

async fn key_states(product: &Product) -> Vec<String> {
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

pub(crate) fn sse_head() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n".to_vec()
}

fn events(count: usize) -> String {
    let mut text = String::new();
    for n in 0..count {
        let _ = write!(
            text,
            "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"w{n} 汉\\n\"}}}}],\"usage\":null}}\n\n"
        );
    }
    text
}

const USAGE: &str =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":30}}\r\n\r\n";
pub(crate) const DONE: &str = "data: [DONE]\n\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_passes_byte_by_byte_in_any_split_without_the_usage_nobody_asked_for() {
    for place in places().await {
        let product = start(&place, Joined::OverHttp).await;
        let (vendor, customer) = with_vendor(&product, &["key-0123456789ab"]).await;
        let whole = format!(": comment\n\n{}{USAGE}{DONE}", events(30));
        for size in [1, 2, 3, 7, 64, 100_000] {
            let mut script = at_once(sse_head());
            script.extend(
                whole
                    .as_bytes()
                    .chunks(size)
                    .map(|part| (Duration::ZERO, part.to_vec())),
            );
            vendor.script("key-0123456789ab", script);
            let body = json!({"model": "ours", "stream": true, "messages": [{"role": "user", "content": "hi"}]});
            let request = product
                .http
                .post(product.url("/api/v1/chat/completions"))
                .bearer_auth(&customer.key)
                .json(&body);
            let text = request
                .send()
                .await
                .expect("an answer")
                .text()
                .await
                .expect("a stream");
            assert_eq!(
                text,
                format!(": comment\n\n{}{DONE}", events(30)).replace(",\"usage\":null", ""),
                "{} {size}",
                place.name
            );
        }
        product.settled(&customer).await;
        let (_, usage) = product
            .send(
                Method::GET,
                "/api/v1/usage?limit=1",
                Some(&customer.key),
                None,
            )
            .await;
        assert_eq!(
            (
                &usage["data"][0]["input_tokens"],
                &usage["data"][0]["output_tokens"]
            ),
            (&json!(9), &json!(30)),
            "{usage}"
        );
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_leaves_cuts_the_vendors_connection_within_a_second() {
    for place in places().await {
        // Without a wait for the vendor's count.
        let more = ["--read-on-seconds", "0"];
        let product = start_set(&place, Joined::OverHttp, &more).await;
        let (vendor, customer) = with_vendor(&product, &["key-0123456789ab"]).await;
        let mut script = at_once(sse_head());
        script.extend((0..400).map(|_| (Duration::from_millis(20), events(1).into_bytes())));
        vendor.script("key-0123456789ab", script);
        let body = json!({"model": "ours", "stream": true, "messages": [{"role": "user", "content": "hi"}]});
        let request = product
            .http
            .post(product.url("/api/v1/chat/completions"))
            .bearer_auth(&customer.key)
            .json(&body);
        let mut pieces = request.send().await.expect("an answer").bytes_stream();
        pieces.next().await.expect("a piece").expect("whole");
        let dropped = Instant::now();
        drop(pieces);
        while vendor.left.lock().expect("no panic").is_none() {
            assert!(
                dropped.elapsed() < Duration::from_secs(1),
                "{}: the vendor still writes",
                place.name
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(
            product.settled(&customer).await["used"],
            1,
            "one request was made and produced something"
        );
        product.stop().await;
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
