//! Whose address counts behind proxies: for keys, for brakes, and in what is written down.

use poem::http::{Method, StatusCode};
use poem::web::RemoteAddr;
use poem::{Addr, Body, Endpoint, Request};
use serde_json::{Value, json};

use super::super::{Answer, PASSWORD, Place, Start, places};
use super::{add_key, house};

const PROXY: &str = "10.0.0.9";
const HOME: &str = "203.0.113.7";

/// A request that a socket of `peer` hands over, with what it says of its client.
async fn from(
    place: &Place,
    (peer, client): (&str, &str),
    (method, path, token): (Method, &str, &str),
    body: &Value,
) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(path.parse().expect("a path"))
        .content_type("application/json");
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    if !client.is_empty() {
        request = request.header("x-forwarded-for", client);
    }
    let mut request = request.body(Body::from(body.to_string()));
    let socket = format!("{peer}:4711").parse().expect("a socket's address");
    *request.remote_addr_mut() = RemoteAddr(Addr::SocketAddr(socket));
    Answer::of(place.face.get_response(request).await).await
}

fn start() -> Start {
    Start {
        trusted_proxies: "10.0.0.0/8, 2001:db8:ff::/48",
        ..Start::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a02_a_keys_addresses_are_those_of_its_callers_and_not_of_the_proxy() {
    for (place, _db) in places(start()).await {
        let owner = place.token("admin", PASSWORD).await;
        let acme = house(&place, &owner, "Acme").await;
        let new = json!({"name": "narrow", "allowed_addresses": [HOME]});
        let (_, narrow) = add_key(&place, &owner, &acme.id, &new).await;
        let new = json!({"name": "proxy", "allowed_addresses": [PROXY]});
        let (_, proxy) = add_key(&place, &owner, &acme.id, &new).await;
        for (key, peer, client, right) in [
            (&narrow, PROXY, HOME, true),
            (&narrow, PROXY, "198.51.100.1, 203.0.113.7", true),
            (&narrow, PROXY, "203.0.113.7, 10.0.0.8", true),
            (&narrow, PROXY, "203.0.113.7, 198.51.100.1", false),
            (&narrow, PROXY, "198.51.100.1", false),
            (&narrow, PROXY, "", false),
            (&narrow, PROXY, "203.0.113.7, nonsense", false),
            (&narrow, "198.51.100.1", HOME, false),
            (&narrow, HOME, "", true),
            (&narrow, HOME, "198.51.100.1", true),
            (&proxy, PROXY, HOME, false),
        ] {
            let asked = (Method::GET, "/api/v1/me", key.as_str());
            let answer = from(&place, (peer, client), asked, &json!({})).await;
            let is_in = answer.status == StatusCode::OK;
            assert_eq!(
                is_in, right,
                "{} {peer} {client}: {}",
                place.name, answer.body
            );
            assert!(is_in || super::code(&answer) == "address_not_allowed");
        }
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_wrong_logins_of_a_stranger_lock_nobody_out() {
    for (place, _db) in places(start()).await {
        let owner = place.token("admin", PASSWORD).await;
        let acme = house(&place, &owner, "Acme").await;
        let log_in = async |client: &str, path: &str, mut body: Value, password: &str| {
            body["password"] = password.into();
            let asked = (Method::POST, path, "");
            from(&place, (PROXY, client), asked, &body).await.status
        };
        let admin = json!({"username": "admin"});
        let user = json!({"apiKey": acme.secret, "username": "ada"});
        for (path, body) in [("/admin/api/login", admin), ("/api/v1/auth/login", user)] {
            let mut braked = 0;
            for _ in 0..40 {
                let status = log_in("198.51.100.1", path, body.clone(), "a guess").await;
                assert_ne!(status, StatusCode::OK);
                braked += usize::from(status == StatusCode::TOO_MANY_REQUESTS);
            }
            assert!(braked >= 30, "{}: {braked} of 40 were braked", place.name);
            let right = log_in("198.51.100.1", path, body.clone(), PASSWORD).await;
            assert_eq!(right, StatusCode::TOO_MANY_REQUESTS, "guesses are braked");
            for client in [HOME, "2001:db8::7"] {
                let status = log_in(client, path, body.clone(), PASSWORD).await;
                assert_eq!(status, StatusCode::OK, "{} {path} {client}", place.name);
            }
        }
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_guessers_are_slowed_and_the_owner_comes_in_from_home() {
    for (place, _db) in places(start()).await {
        let body = |password: &str| json!({"username": "admin", "password": password});
        let log_in = async |client: &str, password: &str| {
            let asked = (Method::POST, "/admin/api/login", "");
            from(&place, (PROXY, client), asked, &body(password))
                .await
                .status
        };
        assert_eq!(log_in(HOME, PASSWORD).await, StatusCode::OK);
        let mut checked = 0;
        for n in 0..60 {
            let status = log_in(&format!("198.51.100.{n}"), "a guess").await;
            checked += usize::from(status == StatusCode::UNAUTHORIZED);
        }
        assert_eq!(checked, 20, "{}: of sixty guessers", place.name);
        assert_eq!(
            log_in(HOME, PASSWORD).await,
            StatusCode::OK,
            "{}",
            place.name
        );
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_was_there_before_is_not_locked_out_by_its_neighbours() {
    for (place, _db) in places(Start::default()).await {
        let names = [("username", "admin")];
        let mut mine = place.browser();
        assert_eq!(
            mine.log_in("/admin", &names, PASSWORD).await.location(),
            "/admin"
        );
        mine.post("/admin/logout", &[]).await;
        // From the same address: all of them have none here.
        let mut stranger = place.browser();
        for _ in 0..40 {
            stranger.log_in("/admin", &names, "a guess").await;
        }
        let locked = stranger.log_in("/admin", &names, PASSWORD).await;
        assert_eq!(
            locked.status,
            StatusCode::TOO_MANY_REQUESTS,
            "{}",
            place.name
        );
        let entered = mine.log_in("/admin", &names, PASSWORD).await;
        assert_eq!(entered.location(), "/admin", "{}", place.name);
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_down_names_the_client() {
    for (place, _db) in places(start()).await {
        let token = place.token("admin", PASSWORD).await;
        let new = json!({"name": "Acme", "username": "ada", "password": PASSWORD});
        let asked = (Method::POST, "/admin/api/tenants", token.as_str());
        let made = from(&place, (PROXY, "203.0.113.7, 10.0.0.3"), asked, &new).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        let body = json!({"username": "admin", "password": PASSWORD});
        let asked = (Method::POST, "/admin/api/login", "");
        from(&place, (PROXY, HOME), asked, &body).await;
        for path in ["/admin/api/audit", "/admin/api/sessions"] {
            let list = place.api(Method::GET, path, &token, &json!({})).await;
            assert!(list.body.contains(HOME), "{path}: {}", list.body);
            assert!(!list.body.contains(PROXY), "{path}: {}", list.body);
        }
        place.end().await;
    }
}
