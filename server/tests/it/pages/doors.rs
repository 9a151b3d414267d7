//! The doors of the whole server: what a login asks for over the API, which
//! bodies are read, which texts are refused, and how far one key reaches with another.

mod bodies;
mod devices;
mod keys;
mod logins;
mod texts;

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::tenant_isolation::{add_key, admin, routes, tenant_fixture};
use super::{Answer, PASSWORD, Place, Start, places, superadmin};

/// The code of an answer's error.
fn code(answer: &Answer) -> String {
    let told: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    told["error"]["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

async fn post(place: &Place, path: &str, token: &str, body: &Value) -> Answer {
    place.api(Method::POST, path, token, body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_the_document_runs_its_own_scripts_only() {
    for (place, _db) in places(Start::default()).await {
        let page = place.api(Method::GET, "/api/docs", "", &json!({})).await;
        assert_eq!(page.status, StatusCode::OK, "{}", place.name);
        let policy = page.header("content-security-policy");
        let scripts = policy
            .split(';')
            .find(|part| part.trim().starts_with("script-src"));
        let scripts = scripts.expect("a rule for scripts");
        assert_eq!(scripts.matches("'sha256-").count(), 2, "{policy}");
        assert!(!scripts.contains("unsafe") && policy.contains("default-src 'none'"));
        assert!(policy.contains("frame-ancestors 'none'"));
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateways_secret_is_its_own_and_shown_once() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let path = "/admin/api/gateways";
        let new = json!({"url": "https://gw-1.example.com", "name": "one"});
        let made = post(&place, path, &token, &new).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let (id, first) = (text(&made.json()["id"]), text(&made.json()["secret"]));
        assert!(
            first.len() >= 32 && first != super::SECRET,
            "not the one of the settings"
        );
        let rotated = post(&place, &format!("{path}/{id}/secret"), &token, &json!({})).await;
        assert_eq!(rotated.status, StatusCode::OK, "{}", rotated.body);
        let second = text(&rotated.json()["secret"]);
        let print = text(&rotated.json()["secret_fingerprint"]);
        assert_ne!(first, second);
        assert_ne!(text(&made.json()["secret_fingerprint"]), print);
        for wrong in [
            "short",
            "with,a,comma,and,more,than,32,characters",
            &"x".repeat(600),
        ] {
            let body = json!({"secret": wrong});
            let refused = post(&place, &format!("{path}/{id}/secret"), &token, &body).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{wrong}");
        }
        let list = place.api(Method::GET, path, &token, &json!({})).await;
        let log = place
            .api(Method::GET, "/admin/api/audit", &token, &json!({}))
            .await;
        let page = place.owner().await.get("/admin/gateways").await;
        for (shown, what) in [(&list, "the list"), (&log, "the log"), (&page, "the page")] {
            assert!(
                shown.body.contains(&print),
                "{what} has no fingerprint: {}",
                shown.body
            );
            for secret in [&first, &second] {
                assert!(
                    !shown.body.contains(secret.as_str()),
                    "{what} shows a secret"
                );
            }
        }
        superadmin(&place, &token, "operator", "operator").await;
        let operator = place.token("operator", PASSWORD).await;
        for path in [path.to_owned(), format!("{path}/{id}/secret")] {
            let refused = post(&place, &path, &operator, &new).await;
            assert_eq!(code(&refused), "role_not_allowed", "{path}");
        }
        place.end().await;
    }
}
