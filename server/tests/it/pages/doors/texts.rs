//! Texts that no store keeps are refused at the door: every route and page is asked with a NUL in
//! each of its parameters.

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};
use server::pages;

use super::super::{PASSWORD, Start, places};
use super::{routes, tenant_fixture};

/// A NUL, a single surrogate, an overlong form, and a byte that is no UTF-8.
const ODD: [&str; 4] = ["%00", "a%ED%A0%80", "%C0%80", "x%ff"];

fn parameters(document: &Value, path: &str) -> Vec<String> {
    let listed = document["paths"][path]["get"]["parameters"].as_array();
    let listed = listed.cloned().unwrap_or_default().into_iter();
    listed
        .filter(|parameter| parameter["in"] == "query")
        .filter_map(|parameter| parameter["name"].as_str().map(str::to_owned))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_refuses_odd_texts_in_path_and_query() {
    for (place, _db) in places(Start::default()).await {
        let owner = place.token("admin", PASSWORD).await;
        let acme = tenant_fixture(&place, &owner, "Acme").await;
        let ada = acme.token(&place, "ada").await;
        let nothing = json!({});
        let document = place
            .api(Method::GET, "/api/openapi.json", "", &nothing)
            .await
            .json();
        let mut asked = 0;
        for prefix in ["/api/v1", "/admin/api"] {
            let token = if prefix == "/admin/api" { &owner } else { &ada };
            for (_, method, path) in routes(&place, prefix).await {
                let mut uris = vec![format!("{}?x=%00", path.replace(['{', '}'], "x"))];
                for odd in ODD {
                    if let Some((before, rest)) = path.split_once('{') {
                        let after = rest.split_once('}').map_or("", |(_, after)| after);
                        uris.push(format!("{before}{odd}{}", after.replace(['{', '}'], "x")));
                    }
                    for name in parameters(&document, &path) {
                        uris.push(format!("{}?{name}={odd}", path.replace(['{', '}'], "x")));
                    }
                }
                for uri in uris {
                    let answer = place.api(method.clone(), &uri, token, &nothing).await;
                    let at = format!("{} {method} {uri}", place.name);
                    assert_eq!(
                        answer.status,
                        StatusCode::BAD_REQUEST,
                        "{at}: {}",
                        answer.body
                    );
                    assert!(answer.refuses_with("invalid_text"), "{at}: {}", answer.body);
                    asked += 1;
                }
            }
        }
        assert!(asked > 200, "{asked}");
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_refuses_odd_texts_in_path_query_and_form() {
    // What pages filter by; a name that a page does not know is refused like one that it does.
    const NAMES: [&str; 12] = [
        "q", "next", "after", "before", "from", "to", "model", "status", "key", "user", "action",
        "tenant",
    ];
    for (place, _db) in places(Start::default()).await {
        let owner = place.token("admin", PASSWORD).await;
        tenant_fixture(&place, &owner, "Acme").await;
        let mut console = place.owner().await;
        let mut portal = place.browser();
        let names = [("tenant", "Acme"), ("username", "ada")];
        portal.log_in("/portal", &names, PASSWORD).await;
        let mut asked = 0;
        for (method, path) in pages::listed() {
            let browser = if path.starts_with("/portal") {
                &mut portal
            } else {
                &mut console
            };
            let filled: String = path
                .split('/')
                .map(|part| if part.starts_with(':') { "x" } else { part })
                .collect::<Vec<_>>()
                .join("/");
            let mut uris: Vec<String> = NAMES
                .iter()
                .map(|name| format!("{filled}?{name}=%00"))
                .collect();
            if path.contains(':') {
                uris.extend(ODD.map(|odd| filled.replace("/x", &format!("/{odd}"))));
            }
            for uri in uris {
                let answer = browser.send(method.clone(), &uri, None).await;
                let at = format!("{} {method} {uri}", place.name);
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{at}");
                asked += 1;
            }
            if method == Method::POST {
                let answer = browser.post(&filled, &[("name", "a\0b")]).await;
                let right = [StatusCode::BAD_REQUEST, StatusCode::FORBIDDEN];
                assert!(right.contains(&answer.status), "{} {path}", place.name);
            }
        }
        assert!(asked > 200, "{asked}");
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_texts_in_json_are_refused_and_never_reach_a_store() {
    for (place, _db) in places(Start::default()).await {
        let owner = place.token("admin", PASSWORD).await;
        let acme = tenant_fixture(&place, &owner, "Acme").await;
        let ada = acme.token(&place, "ada").await;
        for (path, token, body) in [
            (
                "/admin/api/login",
                "",
                json!({"username": "ad\0min", "password": "x"}),
            ),
            (
                "/admin/api/tenants",
                owner.as_str(),
                json!({"name": "a\0", "username": "a", "password": PASSWORD}),
            ),
            (
                "/admin/api/superadmins",
                owner.as_str(),
                json!({"username": "a\0", "password": PASSWORD, "role": "owner"}),
            ),
            (
                "/api/v1/keys",
                ada.as_str(),
                json!({"name": "a", "allowed_models": ["a\0"]}),
            ),
            (
                "/api/v1/auth/login",
                "",
                json!({"apiKey": acme.secret, "username": "a\0", "password": "x"}),
            ),
        ] {
            let answer = place.api(Method::POST, path, token, &body).await;
            assert_eq!(
                answer.status,
                StatusCode::BAD_REQUEST,
                "{} {path}: {}",
                place.name,
                answer.body
            );
            assert_eq!(super::code(&answer), "invalid_text", "{path}");
        }
        place.end().await;
    }
}
