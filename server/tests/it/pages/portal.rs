//! The portal's door: a tenant's people come in by name, id or key, and are out at once when they
//! are shut out.

pub(super) mod people;

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};

use self::people::tenant;
use super::{PASSWORD, Start, places};

/// The first text in a document that begins so.
fn find(value: &Value, start: &str) -> Option<String> {
    match value {
        Value::String(text) => text.starts_with(start).then(|| text.clone()),
        Value::Array(items) => items.iter().find_map(|item| find(item, start)),
        Value::Object(fields) => fields.values().find_map(|field| find(field, start)),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_come_in_by_name_id_or_key_of_their_tenant() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let (id, key, _) = tenant(&place, &token, "Acme 公司").await;
        tenant(&place, &token, "Other").await;
        for given in ["Acme 公司", " Acme 公司 ", &id, &key] {
            let mut browser = place.browser();
            let names = [("tenant", given), ("username", "ada")];
            let answer = browser.log_in("/portal", &names, PASSWORD).await;
            assert_eq!(answer.location(), "/portal", "{given}: {}", answer.body);
            let page = browser.get("/portal/security").await;
            assert!(page.body.contains("Acme 公司"), "{given}");
            // Another area's door stays shut.
            assert_eq!(
                browser.get("/admin/superadmins").await.location(),
                "/admin/login?next=%2Fadmin%2Fsuperadmins"
            );
            let cookie = browser.session("portal").to_owned();
            browser.cookies.insert("waule_admin".to_owned(), cookie);
            assert!(!browser.is_in("/admin/superadmins").await);
        }
        for (given, username, password) in [
            ("acme", "ada", PASSWORD),
            ("Acme 公司", "eve", PASSWORD),
            ("Acme 公司", "ada", "wrong"),
            ("ten_nobody", "ada", PASSWORD),
            ("wk_live_", "ada", PASSWORD),
            ("", "", ""),
        ] {
            let mut browser = place.browser();
            let names = [("tenant", given), ("username", username)];
            let answer = browser.log_in("/portal", &names, password).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{given}");
            assert!(
                !answer.body.contains("wk_live_"),
                "no key is filled in again"
            );
            place.clock.advance(std::time::Duration::from_secs(60));
        }
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_shut_out_is_out_at_once() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let (id, _, user) = tenant(&place, &token, "Acme").await;
        let names = [("tenant", "Acme"), ("username", "ada")];
        let patch = async |path: &str, body: Value| {
            let path = format!("/admin/api/tenants/{id}{path}");
            let answer = place.api(Method::PATCH, &path, &token, &body).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        };
        let mut browser = place.browser();
        browser.log_in("/portal", &names, PASSWORD).await;
        assert!(browser.is_in("/portal/security").await);

        patch("", json!({"status": "suspended"})).await;
        assert!(!browser.is_in("/portal/security").await, "{}", place.name);
        let answer = place.browser().log_in("/portal", &names, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        patch("", json!({"status": "active"})).await;
        assert!(browser.is_in("/portal/security").await);

        let user = format!("/users/{user}");
        patch(&user, json!({"password": "another long one"})).await;
        assert!(!browser.is_in("/portal/security").await, "a new password");
        let mut browser = place.browser();
        browser.log_in("/portal", &names, "another long one").await;
        assert!(browser.is_in("/portal/security").await);
        // The last owner stays; another one may follow.
        let other = json!({"username": "eve", "password": PASSWORD, "role": "owner"});
        let users = format!("/admin/api/tenants/{id}/users");
        let made = place.api(Method::POST, &users, &token, &other).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        patch(&user, json!({"status": "disabled"})).await;
        assert!(!browser.is_in("/portal/security").await, "disabled");
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_sessions_are_nobody_elses_to_end() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        for name in ["Acme", "Other"] {
            tenant(&place, &token, name).await;
        }
        let log_in = async |name: &str| {
            let mut browser = place.browser();
            let names = [("tenant", name), ("username", "ada")];
            browser.log_in("/portal", &names, PASSWORD).await;
            browser
        };
        let (mut here, mut second, mut foreign) = (
            log_in("Acme").await,
            log_in("Acme").await,
            log_in("Other").await,
        );
        let page = here.get("/portal/security").await;
        let end = page.body.split("/portal/security/sessions/ses_").nth(1);
        let id = end.and_then(|rest| rest.split('/').next()).expect("an id");
        let path = format!("/portal/security/sessions/ses_{id}/end");
        foreign.get("/portal/security").await;
        assert_eq!(foreign.post(&path, &[]).await.status, StatusCode::NOT_FOUND);
        assert!(second.is_in("/portal/security").await, "{}", place.name);
        assert_eq!(here.post(&path, &[]).await.status, StatusCode::SEE_OTHER);
        assert!(!second.is_in("/portal/security").await);
        place.end().await;
    }
}
