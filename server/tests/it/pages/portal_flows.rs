//! The portal's own pages: what a tenant's people see and may do there, and what they may not.

mod keys;
mod studio;

use poem::http::{Method, StatusCode};
use serde_json::json;

use super::{Browser, PASSWORD, Place, Start, places};

/// A tenant with an owner `ada` and credits; answers its id.
pub(super) async fn tenant(place: &Place, token: &str, name: &str) -> String {
    let body = json!({"name": name, "username": "ada", "password": PASSWORD});
    let made = place
        .api(Method::POST, "/admin/api/tenants", token, &body)
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let start = made.body.find("\"ten_").expect("an id") + 1;
    let rest = &made.body[start..];
    rest[..rest.find('"').expect("an end")].to_owned()
}

pub(super) async fn log_in(place: &Place, tenant: &str, username: &str) -> Browser {
    let mut browser = place.browser();
    let names = [("tenant", tenant), ("username", username)];
    let answer = browser.log_in("/portal", &names, PASSWORD).await;
    assert_eq!(answer.location(), "/portal", "{}", answer.body);
    browser.get("/portal/security").await;
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_begin_at_the_overview_and_members_in_the_studio() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        tenant(&place, &token, "Acme").await;
        let mut ada = log_in(&place, "Acme", "ada").await;
        for path in [
            "/portal",
            "/portal/usage",
            "/portal/usage?range=24h&model=x&status=running&caller=nobody",
            "/portal/keys",
            "/portal/keys/new",
            "/portal/members",
            "/portal/ledger?kind=settle",
            "/portal/history",
            "/portal/studio/chat",
            "/portal/studio/images",
        ] {
            let page = ada.get(path).await;
            assert_eq!(page.status, StatusCode::OK, "{} {path}", place.name);
            assert!(page.body.contains("</html>"), "{path}");
        }
        let file = ada.get("/portal/usage.csv?range=30d").await;
        assert!(file.header("content-type").starts_with("text/csv"));
        assert!(file.body.starts_with("created_at,id,"), "{}", file.body);
        for path in ["/portal/usage?after=x", "/portal/ledger?after=x"] {
            assert_eq!(ada.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
        }

        let new = [
            ("username", "mia"),
            ("password", PASSWORD),
            ("role", "member"),
            ("budget", "2.5"),
            ("budget_period", "month"),
        ];
        let answer = ada.post("/portal/members/new", &new).await;
        assert_eq!(answer.location(), "/portal/members", "{}", answer.body);
        assert!(ada.get("/portal/members").await.body.contains("2.5"));
        let mut mia = log_in(&place, "Acme", "mia").await;
        assert_eq!(mia.get("/portal").await.location(), "/portal/studio/chat");
        assert_eq!(mia.get("/portal/studio/chat").await.status, StatusCode::OK);
        assert_eq!(mia.get("/portal/usage").await.status, StatusCode::FORBIDDEN);
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_neither_makes_owners_nor_changes_one() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let id = tenant(&place, &token, "Acme").await;
        tenant(&place, &token, "Other").await;
        let users = format!("/admin/api/tenants/{id}/users");
        let body = json!({"username": "max", "password": PASSWORD, "role": "admin"});
        let made = place.api(Method::POST, &users, &token, &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        let listed = place.api(Method::GET, &users, &token, &json!({})).await;
        let listed = listed.json();
        let id_of = |name: &str| {
            let all = listed["data"].as_array().expect("a list");
            let user = all.iter().find(|user| user["username"] == name);
            let id = user.and_then(|user| user["id"].as_str());
            id.expect("an id").to_owned()
        };
        let (ada_id, max_id) = (id_of("ada"), id_of("max"));
        let (mut ada, mut max) = (
            log_in(&place, "Acme", "ada").await,
            log_in(&place, "Acme", "max").await,
        );
        let owner = [
            ("username", "eve"),
            ("password", PASSWORD),
            ("role", "owner"),
        ];
        let answer = max.post("/portal/members/new", &owner).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        for path in [
            format!("/portal/members/{ada_id}/disable"),
            format!("/portal/members/{ada_id}/password"),
            format!("/portal/members/{max_id}"),
        ] {
            let answer = max.post(&path, &[("role", "owner")]).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        }
        let mut foreign = log_in(&place, "Other", "ada").await;
        let disable = format!("/portal/members/{max_id}/disable");
        let answer = foreign.post(&disable, &[]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);

        let path = format!("/portal/members/{max_id}");
        let change = [
            ("role", "member"),
            ("budget", "7"),
            ("budget_period", "day"),
        ];
        let answer = ada.post(&path, &change).await;
        assert_eq!(answer.location(), "/portal/members", "{}", answer.body);
        let page = ada.get(&path).await;
        assert!(page.body.contains("value=\"7\""), "{}", page.body);
        let monthly = [
            ("role", "member"),
            ("budget", "9"),
            ("budget_period", "month"),
        ];
        ada.post(&path, &monthly).await;
        let page = ada.get(&path).await;
        assert!(page.body.contains("value=\"9\""), "the daily one is gone");
        let asked = max.get("/portal/usage").await;
        assert_eq!(
            asked.status,
            StatusCode::SEE_OTHER,
            "a new role is a new login"
        );
        assert_eq!(ada.post(&disable, &[]).await.status, StatusCode::SEE_OTHER);
        assert!(!max.is_in("/portal/security").await);
        place.end().await;
    }
}
