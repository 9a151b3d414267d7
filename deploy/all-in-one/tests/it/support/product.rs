//! A product that runs, and its customers: asked as clients and superadmins ask it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use server::app::Server;
use shared::id::random_text;
use shared::supervisor::Supervisor;

use super::{ADMIN_PASSWORD, client};

/// One running server with a gateway of its own.
pub(crate) struct Product {
    pub(crate) address: SocketAddr,
    pub(crate) supervisor: Supervisor,
    pub(crate) http: Client,
    pub(super) server: Option<Arc<Server>>,
    pub(super) admin: String,
}

/// A tenant with a key.
pub(crate) struct Customer {
    pub(crate) id: String,
    pub(crate) key: String,
}

impl Product {
    /// A server that somebody else started on this port, with a superadmin's token.
    pub(crate) async fn at(port: u16) -> Self {
        let mut product = Self {
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            supervisor: Supervisor::new(),
            http: client(),
            server: None,
            admin: String::new(),
        };
        product.log_in().await;
        product
    }

    /// The server, where it runs in this process.
    pub(crate) fn server(&self) -> &Server {
        self.server.as_deref().expect("it runs in this process")
    }

    pub(super) async fn log_in(&mut self) {
        let body = json!({"username": "admin", "password": ADMIN_PASSWORD});
        let (status, answer) = self
            .send(Method::POST, "/admin/api/login", None, Some(body))
            .await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer["token"]
            .as_str()
            .expect("a token")
            .clone_into(&mut self.admin);
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends JSON with a bearer; answers the status and the JSON that came.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        bearer: Option<&str>,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        if path.starts_with("/api/v1/usage") {
            self.filed().await;
        }
        let mut request = self.http.request(method, self.url(path));
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("a body");
        (
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }

    pub(crate) fn admin_token(&self) -> &str {
        &self.admin
    }

    pub(crate) async fn admin(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        self.send(
            method,
            &format!("/admin/api{path}"),
            Some(&self.admin),
            body,
        )
        .await
    }

    /// A tenant with that many credits, given as decimal text.
    pub(crate) async fn customer(&self, credits: &str) -> Customer {
        let name = format!("tenant {}", random_text(10));
        let (status, made) = self
            .admin(Method::POST, "/tenants", Some(json!({"name": name})))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let id = made["tenant"]["id"].as_str().expect("an id").to_owned();
        let recharge = self
            .http
            .post(self.url(&format!("/admin/api/tenants/{id}/recharge")))
            .bearer_auth(&self.admin)
            .header("idempotency-key", random_text(10))
            .json(&json!({"amount": credits}))
            .send()
            .await
            .expect("an answer");
        assert!(
            recharge.status().is_success(),
            "{}",
            recharge.text().await.unwrap_or_default()
        );
        Customer {
            id,
            key: made["key"].as_str().expect("a key").to_owned(),
        }
    }

    /// A model of the sandbox at a price.
    pub(crate) async fn model(&self, id: &str, operation: &str, price: Value) {
        let target = json!({"provider": "sandbox", "model": id, "weight": 1, "priority": 0});
        let body = json!({"id": id, "operation": operation, "targets": [target], "max_output_tokens": 1000, "price": price});
        let (status, made) = self.admin(Method::POST, "/models", Some(body)).await;
        // Another product at the same place may have made it.
        assert!(
            [StatusCode::CREATED, StatusCode::CONFLICT].contains(&status),
            "{made}"
        );
    }

    pub(crate) async fn balance(&self, customer: &Customer) -> Value {
        let path = "/api/v1/credits/balance";
        let (status, balance) = self
            .send(Method::GET, path, Some(&customer.key), None)
            .await;
        assert_eq!(status, StatusCode::OK, "{balance}");
        balance
    }

    /// The balance when nothing is held any more.
    pub(crate) async fn settled(&self, customer: &Customer) -> Value {
        for _ in 0..200 {
            let balance = self.balance(customer).await;
            if balance["held"] == 0 {
                self.filed().await;
                return balance;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let balance = self.balance(customer).await;
        panic!("credits are held for ever: {balance}");
    }

    /// The record of the customer's newest call, when nothing is held any more.
    pub(crate) async fn newest(&self, customer: &Customer) -> Value {
        self.settled(customer).await;
        let path = "/api/v1/usage?limit=1";
        let (status, page) = self
            .send(Method::GET, path, Some(&customer.key), None)
            .await;
        assert_eq!(status, StatusCode::OK, "{page}");
        page["data"][0].clone()
    }

    /// Waits until lists show every call that is settled.
    async fn filed(&self) {
        let Some(server) = self.server.as_deref() else {
            return;
        };
        let filed = server.filed(Duration::from_secs(10)).await;
        assert!(filed.expect("read"), "records wait for ever");
    }

    pub(crate) async fn chat(
        &self,
        customer: &Customer,
        model: &str,
        text: &str,
    ) -> (StatusCode, Value) {
        let body = json!({"model": model, "messages": [{"role": "user", "content": text}]});
        self.send(
            Method::POST,
            "/api/v1/chat/completions",
            Some(&customer.key),
            Some(body),
        )
        .await
    }

    pub(crate) async fn stop(&self) {
        assert!(
            self.supervisor.finish(Duration::from_secs(10)).await,
            "everything ends when told to stop"
        );
    }
}
