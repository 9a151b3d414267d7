//! A vendor on a socket that answers by a script, and a product that has it for a provider.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::product::{Customer, Product};

/// What the vendor does with a request that shows a key, piece by piece with pauses.
pub(crate) type Script = Vec<(Duration, Vec<u8>)>;

/// A request as it came over a socket.
pub(crate) struct Received {
    /// In small letters.
    pub(crate) head: String,
    /// The bearer.
    pub(crate) key: String,
    pub(crate) body: String,
}

/// Reads one request with its body; none when the client goes away before.
pub(crate) async fn received(socket: &mut TcpStream) -> Option<Received> {
    let mut read = Vec::new();
    let head_end = loop {
        if socket.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
        if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = String::from_utf8_lossy(&read[..head_end]).to_lowercase();
    let value = |name: &str| {
        let rest = head.split_once(name)?.1;
        Some(rest.split("\r\n").next()?.trim().to_owned())
    };
    let length = value("content-length:")
        .and_then(|n| n.parse().ok())
        .unwrap_or(0_usize);
    while read.len() < head_end + length {
        socket.read_buf(&mut read).await.ok()?;
    }
    Some(Received {
        key: value("authorization: bearer ").unwrap_or_default(),
        body: String::from_utf8_lossy(&read[head_end..]).into_owned(),
        head,
    })
}

/// A vendor that answers by key; counts calls, and notices when a client goes away.
#[derive(Clone, Default)]
pub(crate) struct Vendor {
    scripts: Arc<Mutex<HashMap<String, Script>>>,
    pub(super) calls: Arc<Mutex<Vec<String>>>,
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
        let Received { head, key, .. } = received(&mut socket).await?;
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
