//! The walls between tenants: every route of the tenants' API as every kind of caller, and every route
//! and page with an id of a tenant's, asked with the id of another. What is not in a table here fails.

mod callers;
mod foreign;

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::portal::people::tenant;
use super::{PASSWORD, Place};

/// A tenant as the tests need it: people, keys, and what can be asked for by id.
pub(super) struct TenantFixture {
    pub(super) id: String,
    /// Of the owner `ada`.
    pub(super) owner: String,
    /// Of the member `mia`.
    pub(super) member: String,
    /// The first key's secret, which may call and read.
    pub(super) secret: String,
}

pub(super) async fn admin(
    place: &Place,
    token: &str,
    method: Method,
    path: &str,
    body: &Value,
) -> Value {
    let path = format!("/admin/api{path}");
    let answer = place.api(method, &path, token, body).await;
    assert!(answer.status.is_success(), "{path}: {}", answer.body);
    answer.json()
}

async fn add_user(place: &Place, token: &str, tenant: &str, name: &str, role: &str) -> String {
    let path = format!("/tenants/{tenant}/users");
    let body = json!({"username": name, "password": PASSWORD, "role": role});
    let made = admin(place, token, Method::POST, &path, &body).await;
    made["id"].as_str().expect("an id").to_owned()
}

/// A new key: its id and its secret.
pub(super) async fn add_key(
    place: &Place,
    token: &str,
    tenant: &str,
    body: &Value,
) -> (String, String) {
    let path = format!("/tenants/{tenant}/keys");
    let made = admin(place, token, Method::POST, &path, body).await;
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    (text(&made["key"]["id"]), text(&made["secret"]))
}

pub(super) async fn tenant_fixture(place: &Place, token: &str, name: &str) -> TenantFixture {
    let (id, secret, owner) = tenant(place, token, name).await;
    let member = add_user(place, token, &id, "mia", "member").await;
    add_user(place, token, &id, "max", "admin").await;
    TenantFixture {
        id,
        owner,
        member,
        secret,
    }
}

/// Two tenants with the same people.
async fn two_tenants(place: &Place, token: &str) -> (TenantFixture, TenantFixture) {
    let acme = tenant_fixture(place, token, "Acme").await;
    (acme, tenant_fixture(place, token, "Other").await)
}

impl TenantFixture {
    /// An API token of somebody.
    pub(super) async fn token(&self, place: &Place, username: &str) -> String {
        let body = json!({"apiKey": self.secret, "username": username, "password": PASSWORD});
        let path = "/api/v1/auth/login";
        let answer = place.api(Method::POST, path, "", &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json()["token"].as_str().expect("a token").to_owned()
    }
}

/// Every route of the document below a path: operation, method, path.
pub(super) async fn routes(place: &Place, below: &str) -> Vec<(String, Method, String)> {
    let nothing = json!({});
    let document = place.api(Method::GET, "/api/openapi.json", "", &nothing);
    let document = document.await.json();
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, route) in methods.as_object().expect("methods") {
            if path.starts_with(below) {
                let operation = route["operationId"].as_str().expect("an operation");
                let method: Method = method.to_uppercase().parse().expect("a method");
                routes.push((operation.to_owned(), method, path.clone()));
            }
        }
    }
    routes
}
