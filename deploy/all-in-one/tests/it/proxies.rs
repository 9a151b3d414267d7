//! Whose address counts behind proxies that are trusted and such that are not: for keys, for brakes,
//! and in what is written down. The tests' own machine is the proxy.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::joined::{Joined, start_set};
use crate::support::product::Product;
use crate::support::{ADMIN_PASSWORD, Place, places};

const HOME: &str = "203.0.113.7";
const STRANGER: &str = "198.51.100.1";
const LOGIN: &str = "/admin/api/login";

async fn behind(place: &Place) -> Product {
    start_set(
        place,
        Joined::InProcess,
        &["--trusted-proxies", "127.0.0.0/8, 10.0.0.0/8,::1"],
    )
    .await
}

/// Sends JSON as a proxy does for a client of that address; several texts are several headers.
async fn from(
    product: &Product,
    clients: &[&str],
    (method, path, token): (Method, &str, &str),
    body: &Value,
) -> (StatusCode, Value) {
    let mut request = product.http.request(method, product.url(path)).json(body);
    if !token.is_empty() {
        request = request.bearer_auth(token);
    }
    for client in clients {
        request = request.header("x-forwarded-for", *client);
    }
    let answer = request.send().await.expect("an answer");
    let status = answer.status();
    (status, answer.json().await.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a02_a_keys_addresses_are_those_of_its_callers_and_not_of_the_proxy() {
    for place in places().await {
        let product = behind(&place).await;
        let customer = product.customer("1").await;
        let key = async |addresses: &[&str]| {
            let body = json!({"name": "narrow", "allowed_addresses": addresses});
            let path = format!("/tenants/{}/keys", customer.id);
            let (_, made) = product.admin(Method::POST, &path, Some(body)).await;
            made["secret"].as_str().expect("a secret").to_owned()
        };
        let (home, proxy) = (key(&[HOME]).await, key(&["127.0.0.1"]).await);
        let rows: [(&str, &[&str], bool); 11] = [
            (&home, &[HOME], true),
            (&home, &["198.51.100.1, 203.0.113.7"], true),
            (&home, &["198.51.100.1", "203.0.113.7"], true),
            (&home, &["203.0.113.7, 10.0.0.8"], true),
            (&home, &["203.0.113.7:4711"], true),
            (&home, &["203.0.113.7, 198.51.100.1"], false),
            (&home, &["203.0.113.7, nonsense"], false),
            (&home, &[STRANGER], false),
            (&home, &[], false),
            (&proxy, &[HOME], false),
            (&proxy, &[], true),
        ];
        for (key, clients, right) in rows {
            let asked = (Method::GET, "/api/v1/me", key);
            let (status, answer) = from(&product, clients, asked, &json!({})).await;
            assert_eq!(
                status == StatusCode::OK,
                right,
                "{} {clients:?}: {answer}",
                place.name
            );
            assert!(
                right || answer["error"]["code"] == "address_not_allowed",
                "{answer}"
            );
        }
        product.stop().await;
        // Nobody is believed who is not named.
        let product = start_set(&place, Joined::InProcess, &[]).await;
        for (key, right) in [(&home, false), (&proxy, true)] {
            let asked = (Method::GET, "/api/v1/me", key.as_str());
            let (status, _) = from(&product, &[HOME], asked, &json!({})).await;
            assert_eq!(status == StatusCode::OK, right, "{}", place.name);
        }
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_wrong_logins_of_a_stranger_lock_nobody_out() {
    for place in places().await {
        let product = behind(&place).await;
        let customer = product.customer("1").await;
        let path = format!("/tenants/{}/users", customer.id);
        let user = json!({"username": "ada", "password": ADMIN_PASSWORD, "role": "owner"});
        let (status, made) = product.admin(Method::POST, &path, Some(user)).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let log_in = async |client: &str, path: &str, body: &Value, password: &str| {
            let mut body = body.clone();
            body["password"] = password.into();
            from(&product, &[client], (Method::POST, path, ""), &body)
                .await
                .0
        };
        let admin = json!({"username": "admin"});
        let user = json!({"apiKey": customer.key, "username": "ada"});
        for (path, body) in [(LOGIN, admin), ("/api/v1/auth/login", user)] {
            let mut braked = 0;
            for _ in 0..40 {
                let status = log_in(STRANGER, path, &body, "a guess").await;
                assert_ne!(status, StatusCode::OK);
                braked += usize::from(status == StatusCode::TOO_MANY_REQUESTS);
            }
            assert!(braked >= 20, "{}: {braked} of 40 were braked", place.name);
            let right = log_in(STRANGER, path, &body, ADMIN_PASSWORD).await;
            assert_eq!(right, StatusCode::TOO_MANY_REQUESTS, "guesses are braked");
            for client in [HOME, "2001:db8::7"] {
                let status = log_in(client, path, &body, ADMIN_PASSWORD).await;
                assert_eq!(status, StatusCode::OK, "{} {path} {client}", place.name);
            }
        }
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_guessers_are_slowed_and_the_owner_comes_in_from_home() {
    for place in places().await {
        let product = behind(&place).await;
        let log_in = async |client: &str, password: &str| {
            let body = json!({"username": "admin", "password": password});
            from(&product, &[client], (Method::POST, LOGIN, ""), &body)
                .await
                .0
        };
        assert_eq!(log_in(HOME, ADMIN_PASSWORD).await, StatusCode::OK);
        let mut checked = 0;
        for n in 0..80 {
            let status = log_in(&format!("198.51.100.{n}"), "a guess").await;
            checked += usize::from(status == StatusCode::UNAUTHORIZED);
        }
        // Twenty a minute, and what a slow machine lets drain meanwhile.
        assert!(
            (15..60).contains(&checked),
            "{}: {checked} of eighty",
            place.name
        );
        assert_eq!(
            log_in(HOME, ADMIN_PASSWORD).await,
            StatusCode::OK,
            "{}",
            place.name
        );
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_down_names_the_client() {
    for place in places().await {
        let product = behind(&place).await;
        let new = json!({"name": format!("acme {}", place.name)});
        let asked = (Method::POST, "/admin/api/tenants", product.admin_token());
        let (status, made) = from(&product, &["203.0.113.7, 10.0.0.3"], asked, &new).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let body = json!({"username": "admin", "password": ADMIN_PASSWORD});
        from(&product, &[HOME], (Method::POST, LOGIN, ""), &body).await;
        let (_, log) = product.admin(Method::GET, "/audit?limit=2", None).await;
        for (at, action) in ["key.create", "tenant.create"].iter().enumerate() {
            assert_eq!(log["data"][at]["action"], *action, "{log}");
            assert_eq!(log["data"][at]["address"], HOME, "{log}");
        }
        let (_, logins) = product.admin(Method::GET, "/sessions", None).await;
        assert_eq!(logins["data"][0]["address"], HOME, "{logins}");
        product.stop().await;
    }
}
