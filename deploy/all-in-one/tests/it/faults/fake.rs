//! A provider that answers by table, byte for byte, and remembers what it was sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::gateways::vendor::{Received, received};
use crate::support::product::{Customer, Product};

pub(crate) use crate::gateways::vendor::{GOOD, answer};

/// A request as the provider saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) head: String,
    pub(crate) key: String,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn asks_models(&self) -> bool {
        self.head.starts_with("get /v1/models ")
    }

    pub(crate) fn says(&self, word: &str) -> bool {
        self.body.contains(word)
    }
}

type Rule = Arc<dyn Fn(&Seen) -> Vec<u8> + Send + Sync>;

/// The provider.
#[derive(Clone)]
pub(crate) struct Fake {
    rule: Rule,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// What a provider with a free question answers to it.
pub(crate) fn models() -> Vec<u8> {
    answer("200 OK", "", r#"{"object":"list","data":[{"id":"m"}]}"#)
}

/// A stream of these bytes that ends with the connection.
pub(crate) fn stream_of(text: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{text}")
        .into_bytes()
}

pub(crate) const GOOD_STREAM: &str = "data: {\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"well\"}}]}\n\ndata: {\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: {\"id\":\"x\",\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n";

impl Fake {
    /// Listens; answers by `rule`.
    pub(crate) async fn start(
        rule: impl Fn(&Seen) -> Vec<u8> + Send + Sync + 'static,
    ) -> (Self, SocketAddr) {
        let fake = Self {
            rule: Arc::new(rule),
            seen: Arc::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let serving = fake.clone();
        #[expect(
            clippy::disallowed_methods,
            reason = "the provider is not a part of the product"
        )]
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let fake = serving.clone();
                tokio::spawn(async move { fake.serve(socket).await });
            }
        });
        (fake, address)
    }

    async fn serve(&self, mut socket: TcpStream) -> Option<()> {
        let Received { head, key, body } = received(&mut socket).await?;
        let seen = Seen { head, key, body };
        self.seen.lock().expect("no panic").push(seen.clone());
        let bytes = (self.rule)(&seen);
        socket.write_all(&bytes).await.ok()
    }

    /// Calls so far, without the free questions.
    pub(crate) fn calls(&self) -> Vec<Seen> {
        let seen = self.seen.lock().expect("no panic");
        seen.iter()
            .filter(|seen| !seen.asks_models())
            .cloned()
            .collect()
    }
}

/// A provider with that many keys, `key-of-NAME-0` and so on.
pub(crate) async fn provider(product: &Product, name: &str, base_url: &str, keys: usize) {
    let body = json!({"name": name, "kind": "openai", "base_url": base_url});
    let (status, made) = product.admin(Method::POST, "/providers", Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    for number in 0..keys {
        let body = json!({"secret": format!("key-of-{name}-{number}")});
        let path = format!("/providers/{name}/keys");
        let (status, made) = product.admin(Method::POST, &path, Some(body)).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
    }
}

/// A model with these targets in order, at one credit a call.
pub(crate) async fn model(product: &Product, id: &str, providers: &[&str]) {
    let target = |(priority, provider): (usize, &&str)| json!({"provider": provider, "model": "theirs", "weight": 1, "priority": priority});
    let targets: Vec<Value> = providers.iter().enumerate().map(target).collect();
    let body = json!({"id": id, "operation": "chat", "targets": targets, "max_output_tokens": 1000, "price": {"per_request": 1}});
    let (status, made) = product.admin(Method::POST, "/models", Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
}

/// The keys of a provider.
pub(crate) async fn keys(product: &Product, provider: &str) -> Vec<Value> {
    let path = format!("/providers/{provider}/keys");
    let (_, keys) = product.admin(Method::GET, &path, None).await;
    keys["data"].as_array().cloned().unwrap_or_default()
}

/// How many of them have that status.
pub(crate) async fn count(product: &Product, provider: &str, status: &str) -> usize {
    let keys = keys(product, provider).await;
    keys.iter().filter(|key| key["status"] == status).count()
}

/// What a tenant gets: status, headers, body.
pub(crate) struct Got {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A call with `more` beside the model and the message.
pub(crate) async fn ask(
    product: &Product,
    customer: &Customer,
    model: &str,
    (text, more): (&str, Value),
) -> Got {
    let mut body = json!({"model": model, "messages": [{"role": "user", "content": text}]});
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    let request = product.http.post(product.url("/api/v1/chat/completions"));
    let answer = request.bearer_auth(&customer.key).json(&body).send();
    let answer = answer.await.expect("an answer");
    Got {
        status: answer.status(),
        headers: answer.headers().clone(),
        text: answer.text().await.unwrap_or_default(),
    }
}
