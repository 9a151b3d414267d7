//! One case: a provider of its own that plays a table, a model at the prices of the cases, a tenant.
//! And what it cost.

pub(crate) mod bill;

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use shared::id::random_text;

use self::bill::{Bill, bill};
use crate::fake::{Row, Seen};
use crate::reading::streamed::{Streamed, read_stream};
use crate::reading::{Whole, read_whole};
use crate::support::client;
use crate::support::product::{Customer, Product};
use crate::world::{Shape, fake, product};

/// Input 0.001, cached 0.0001, output 0.01 credits a token.
pub(crate) fn prices() -> Value {
    json!({"input_per_million": 1_000, "cached_input_per_million": 100, "output_per_million": 10_000})
}

/// Settlements and filing take milliseconds; reading on after a tenant that left takes seconds.
const SETTLED_WITHIN: Duration = Duration::from_secs(40);

/// How a case is set up.
pub(crate) struct Setting {
    shape: Shape,
    rows: Vec<Row>,
    /// What a second target plays, where there is one.
    second: Option<Vec<Row>>,
    keys: Vec<&'static str>,
    price: Value,
    balance: &'static str,
    operation: &'static str,
    max_output_tokens: u64,
    /// Where the first target is instead of the fake.
    base_url: Option<String>,
    model: Option<String>,
}

/// A case that runs.
pub(crate) struct Case {
    pub(crate) product: &'static Product,
    pub(crate) customer: Customer,
    /// The public name of the model.
    pub(crate) model: String,
    /// The first provider's name, which is also its mount at the fake.
    pub(crate) first: String,
    /// The second provider's.
    pub(crate) second: String,
    http: Client,
}

/// Providers of cases that are over, which make room for the next.
static OVER: Mutex<Vec<(SocketAddr, String)>> = Mutex::new(Vec::new());

impl Drop for Case {
    fn drop(&mut self) {
        let names = [&self.first, &self.second].map(|name| (self.product.address, name.clone()));
        OVER.lock().expect("no panic").extend(names);
    }
}

/// A product takes two hundred providers.
async fn make_room(product: &Product) {
    let over: Vec<String> = {
        let mut over = OVER.lock().expect("no panic");
        let here = over.extract_if(.., |(address, _)| *address == product.address);
        here.map(|(_, name)| name).collect()
    };
    for name in over {
        let path = format!("/providers/{name}");
        let (status, told) = product.admin(Method::DELETE, &path, None).await;
        let gone = [StatusCode::NO_CONTENT, StatusCode::NOT_FOUND].contains(&status);
        assert!(gone, "{told}");
    }
}

/// A case on one of the products, whose first target plays `rows`.
pub(crate) fn case(shape: Shape, rows: Vec<Row>) -> Setting {
    Setting {
        shape,
        rows,
        second: None,
        keys: vec!["key-0123456789abcdef"],
        price: prices(),
        balance: "1000",
        operation: "chat",
        max_output_tokens: 1_000,
        base_url: None,
        model: None,
    }
}

impl Setting {
    /// With a second target that is tried after the first.
    pub(crate) fn then(mut self, rows: Vec<Row>) -> Self {
        self.second = Some(rows);
        self
    }

    pub(crate) fn keys(mut self, keys: &[&'static str]) -> Self {
        self.keys = keys.to_vec();
        self
    }

    pub(crate) fn price(mut self, price: Value) -> Self {
        self.price = price;
        self
    }

    pub(crate) fn balance(mut self, credits: &'static str) -> Self {
        self.balance = credits;
        self
    }

    pub(crate) fn operation(mut self, operation: &'static str) -> Self {
        self.operation = operation;
        self
    }

    pub(crate) fn max_output_tokens(mut self, tokens: u64) -> Self {
        self.max_output_tokens = tokens;
        self
    }

    pub(crate) fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    pub(crate) fn model(mut self, name: impl Into<String>) -> Self {
        self.model = Some(name.into());
        self
    }

    /// Makes the providers, the model and the tenant.
    pub(crate) async fn start(self) -> Case {
        let product = product(self.shape);
        self.start_on(product).await
    }

    /// As [`Self::start`], on a product of the test's own.
    pub(crate) async fn start_on(self, product: &'static Product) -> Case {
        make_room(product).await;
        let name = random_text(10);
        let (first, second) = (format!("first-{name}"), format!("second-{name}"));
        fake().lay(&first, self.rows);
        let url = self.base_url.unwrap_or_else(|| fake().url(&first));
        provider(product, &first, &url, &self.keys).await;
        let mut targets = vec![target(&first, 0)];
        if let Some(rows) = self.second {
            fake().lay(&second, rows);
            let url = fake().url(&second);
            provider(product, &second, &url, &["second-0123456789"]).await;
            targets.push(target(&second, 1));
        }
        let model = self.model.unwrap_or_else(|| format!("model-{name}"));
        let body = json!({"id": model, "operation": self.operation, "targets": targets,
            "max_output_tokens": self.max_output_tokens, "price": self.price});
        let (status, made) = product.admin(Method::POST, "/models", Some(body)).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        Case {
            product,
            customer: product.customer(self.balance).await,
            model,
            first,
            second,
            http: client(),
        }
    }
}

fn target(provider: &str, priority: u32) -> Value {
    json!({"provider": provider, "model": "their-name", "weight": 1, "priority": priority})
}

async fn provider(product: &Product, name: &str, url: &str, keys: &[&str]) {
    let body = json!({"name": name, "kind": "openai", "base_url": url});
    let (status, made) = product.admin(Method::POST, "/providers", Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    for key in keys {
        let path = format!("/providers/{name}/keys");
        let body = json!({"secret": key});
        let (status, made) = product.admin(Method::POST, &path, Some(body)).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
    }
}

/// A question long enough for the counts that the cases tell.
pub(crate) fn long_question() -> String {
    "every good word ".repeat(600)
}

impl Case {
    /// A chat body with these fields more; `Null` takes one out. Each begins with another word, because what
    /// begins alike is kept at the key that read it before.
    pub(crate) fn chat_body(&self, more: &Value) -> Value {
        static ASKED: AtomicU32 = AtomicU32::new(0);
        let word = format!("{:05}", ASKED.fetch_add(1, Ordering::Relaxed));
        let question = long_question().replacen("every", &word, 1);
        let mut body = json!({"model": self.model,
            "messages": [{"role": "user", "content": question}]});
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        body
    }

    pub(crate) fn request(&self, path: &str) -> reqwest::RequestBuilder {
        let url = self.product.url(path);
        self.http.post(url).bearer_auth(&self.customer.key)
    }

    /// Asks for a whole answer.
    pub(crate) async fn chat(&self, more: &Value) -> Whole {
        let body = self.chat_body(more);
        self.post("/api/v1/chat/completions", &body).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Whole {
        read_whole(self.request(path).json(body)).await
    }

    /// The request of a stream.
    pub(crate) fn stream_request(&self, more: &Value) -> reqwest::RequestBuilder {
        let mut body = self.chat_body(more);
        body["stream"] = true.into();
        self.request("/api/v1/chat/completions").json(&body)
    }

    /// Asks for a stream and reads it to its end.
    pub(crate) async fn stream(&self, more: &Value) -> Streamed {
        read_stream(self.stream_request(more)).await
    }

    /// What came to the first target.
    pub(crate) fn calls(&self) -> Vec<Seen> {
        fake().calls(&self.first)
    }

    pub(crate) fn second_calls(&self) -> Vec<Seen> {
        fake().calls(&self.second)
    }

    /// The balance when nothing is held any more.
    pub(crate) async fn settled(&self) -> Value {
        let waiting = async {
            loop {
                let balance = self.product.balance(&self.customer).await;
                if balance["held"] == 0 {
                    return balance;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let settled = tokio::time::timeout(SETTLED_WITHIN, waiting).await;
        settled.expect("credits are not held for ever")
    }

    /// The records, newest first, of which there are `count` when all is settled. Their sum is what the
    /// ledger took.
    pub(crate) async fn bills(&self, count: usize) -> Vec<Bill> {
        let balance = self.settled().await;
        let reading = async {
            loop {
                let records = self.records().await;
                if records.len() >= count {
                    return records;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let records = tokio::time::timeout(SETTLED_WITHIN, reading).await;
        let records = records.expect("every call has a record");
        assert_eq!(records.len(), count, "a record for each call: {records:?}");
        let bills: Vec<Bill> = records.iter().map(bill).collect();
        let sum: f64 = bills.iter().map(|bill| bill.credits).sum();
        let used = balance["used"].as_f64().expect("credits");
        assert!(
            (sum - used).abs() < 1e-6,
            "{sum} in records, {used} in the ledger"
        );
        bills
    }

    async fn records(&self) -> Vec<Value> {
        let path = "/api/v1/usage?limit=100";
        let key = Some(self.customer.key.as_str());
        let (status, page) = self.product.send(Method::GET, path, key, None).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        page["data"].as_array().cloned().unwrap_or_default()
    }

    /// What the only call cost.
    pub(crate) async fn bill(&self) -> Bill {
        self.bills(1).await.remove(0)
    }

    /// Nothing was charged, whether or not there is a record.
    pub(crate) async fn is_free(&self) {
        let balance = self.settled().await;
        assert_eq!(balance["used"], 0, "{balance}");
        for bill in self.records().await.iter().map(bill) {
            assert_ne!(bill.status, "succeeded", "{bill:?}");
            bill.costs(0.0);
        }
    }

    /// The first provider's keys.
    pub(crate) async fn keys(&self) -> Vec<Value> {
        let path = format!("/providers/{}/keys", self.first);
        let (status, keys) = self.product.admin(Method::GET, &path, None).await;
        assert_eq!(status, StatusCode::OK, "{keys}");
        keys["data"].as_array().cloned().unwrap_or_default()
    }

    /// The states of the first provider's keys, in the order of their making.
    pub(crate) async fn key_states(&self) -> Vec<String> {
        let keys = self.keys().await;
        let state = |key: &Value| key["status"].as_str().unwrap_or_default().to_owned();
        keys.iter().map(state).collect()
    }
}
