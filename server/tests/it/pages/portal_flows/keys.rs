//! Keys in the portal: shown once, changed, rotated with a grace and taken back.

use poem::http::{Method, StatusCode};
use serde_json::json;

use super::super::{Answer, PASSWORD, Start, places};
use super::{log_in, tenant};

/// The first word of a page that begins so.
fn word(body: &str, start: &str) -> String {
    let at = body
        .find(start)
        .unwrap_or_else(|| panic!("no {start} in {body}"));
    let word = body[at..].chars();
    word.take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect()
}

/// The id of the newest key of a list.
fn newest(list: &Answer) -> String {
    let at = list.body.find("/portal/keys/key_").expect("a link");
    word(&list.body[at..], "key_")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_changed_and_rotated_with_a_grace() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let tenant = tenant(&place, &token, "Acme").await;
        let mut ada = log_in(&place, "Acme", "ada").await;
        let form = [
            ("name", "worker"),
            ("kind", "live"),
            ("scopes", "inference"),
            ("scopes", "usage"),
            ("models", "sandbox-chat"),
            ("models", "sandbox-image"),
            ("budget", "10"),
            ("budget_period", "day"),
            ("expires_at", "2027-03-01"),
        ];
        let shown = ada.post("/portal/keys/new", &form).await;
        let old = word(&shown.body, "wk_live_");
        let id = newest(&ada.get("/portal/keys").await);
        let path = format!("/portal/keys/{id}");
        let page = ada.get(&path).await;
        for part in ["value=\"worker\"", "value=\"10\"", "value=\"2027-03-01\""] {
            assert!(page.body.contains(part), "{part}: {}", page.body);
        }

        // What the key may do is narrowed, and obeyed at once.
        let ask = async |secret: &str, path: &str| {
            let answer = place.api(Method::GET, path, secret, &json!({})).await;
            answer.status
        };
        assert_eq!(ask(&old, "/api/v1/usage").await, StatusCode::OK);
        let change = [
            ("name", "image worker"),
            ("scopes", "inference"),
            ("models", "sandbox-image"),
            ("budget", "3"),
            ("budget_period", "month"),
            ("expires_at", "2027-03-01"),
        ];
        let wrong = [&change[..], &[("requests_per_minute", "many")]].concat();
        let answer = ada.post(&path, &wrong).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.body.contains("image worker"), "what was typed stays");
        assert_eq!(ask(&old, "/api/v1/usage").await, StatusCode::OK);
        let answer = ada.post(&path, &change).await;
        assert_eq!(answer.location(), "/portal/keys", "{}", answer.body);
        assert_eq!(ask(&old, "/api/v1/usage").await, StatusCode::FORBIDDEN);
        let nothing = json!({});
        let models = place.api(Method::GET, "/api/v1/models", &old, &nothing);
        let models = models.await.json();
        assert_eq!(models["data"].as_array().map(Vec::len), Some(1), "{models}");
        let page = ada.get(&path).await;
        for part in [
            "value=\"image worker\"",
            "value=\"3\"",
            "value=\"2027-03-01\"",
        ] {
            assert!(page.body.contains(part), "{part}: {}", page.body);
        }

        for hours in ["-1", "169", "soon", ""] {
            ada.get("/portal/keys").await;
            let rotate = format!("{path}/rotate");
            let answer = ada.post(&rotate, &[("grace_hours", hours)]).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{hours}");
            assert!(answer.body.contains("Must be between 0 and 168."));
        }
        let answer = ada
            .post(&format!("{path}/rotate"), &[("grace_hours", "1")])
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let new = word(&answer.body, "wk_live_");
        for secret in [&old, &new] {
            assert_eq!(ask(secret, "/api/v1/models").await, StatusCode::OK);
        }
        place.clock.advance(std::time::Duration::from_secs(3_600));
        assert_eq!(ask(&old, "/api/v1/models").await, StatusCode::UNAUTHORIZED);
        assert_eq!(ask(&new, "/api/v1/models").await, StatusCode::OK);

        // The console's tab does the same.
        let mut owner = place.owner().await;
        let tab = format!("/admin/tenants/{tenant}/keys");
        owner.get(&tab).await;
        let rotate = format!("{tab}/{id}/rotate");
        let answer = owner.post(&rotate, &[("grace_hours", "200")]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        let answer = owner.post(&rotate, &[("grace_hours", "0")]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let last = word(&answer.body, "wk_live_");
        assert_eq!(ask(&new, "/api/v1/models").await, StatusCode::UNAUTHORIZED);
        assert_eq!(ask(&last, "/api/v1/models").await, StatusCode::OK);
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_shown_once_works_and_is_taken_back() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        tenant(&place, &token, "Acme").await;
        tenant(&place, &token, "Other").await;
        let mut ada = log_in(&place, "Acme", "ada").await;
        let mut form = vec![
            ("name", "worker"),
            ("kind", "live"),
            ("scopes", "inference"),
            ("scopes", "usage"),
            ("budget", "10"),
            ("budget_period", "day"),
            ("addresses", "nowhere"),
        ];
        let answer = ada.post("/portal/keys/new", &form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.body.contains("worker"), "what was typed stays");
        form.pop();
        let idle: Vec<_> = form
            .iter()
            .copied()
            .filter(|pair| pair.0 != "scopes")
            .collect();
        let answer = ada.post("/portal/keys/new", &idle).await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "a key that may do nothing is a mistake"
        );
        let shown = ada.post("/portal/keys/new", &form).await;
        assert_eq!(shown.status, StatusCode::OK, "{}", shown.body);
        let secret = word(&shown.body, "wk_live_");
        let nothing = json!({});
        let models = place.api(Method::GET, "/api/v1/models", &secret, &nothing);
        assert_eq!(models.await.status, StatusCode::OK);
        let list = ada.get("/portal/keys?q=WORK").await;
        assert!(list.body.contains("worker") && !list.body.contains(&secret));
        assert!(!ada.get("/portal/keys?q=zzz").await.body.contains("worker"));

        let revoke = format!("/portal/keys/{}/revoke", newest(&list));
        let mut eve = log_in(&place, "Other", "ada").await;
        assert_eq!(eve.post(&revoke, &[]).await.status, StatusCode::NOT_FOUND);
        ada.get("/portal/keys").await;
        let answer = ada.post(&revoke, &[]).await;
        assert_eq!(answer.location(), "/portal/keys", "{}", answer.body);
        let models = place.api(Method::GET, "/api/v1/models", &secret, &nothing);
        assert_eq!(models.await.status, StatusCode::UNAUTHORIZED);
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_says_where_a_keys_calls_go() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        tenant(&place, &token, "Acme").await;
        let mut ada = log_in(&place, "Acme", "ada").await;
        for (name, scope) in [("manager", "keys"), ("worker", "inference")] {
            let form = [("name", name), ("kind", "live"), ("scopes", scope)];
            let shown = ada.post("/portal/keys/new", &form).await;
            assert_eq!(shown.status, StatusCode::OK, "{}", shown.body);
        }
        let id = newest(&ada.get("/portal/keys?q=worker").await);
        let path = format!("/portal/keys/{id}");
        let route = format!("{path}/route");
        let page = ada.get(&path).await;
        assert!(
            page.body.contains(&format!("action=\"{route}\"")),
            "{}",
            page.body
        );
        let said = [
            ("only", "North, sandbox"),
            ("ignore", "far"),
            ("sort", "latency"),
            ("zero_retention", "on"),
        ];
        let kept = ada.post(&route, &said).await;
        assert_eq!(kept.location(), "/portal/keys", "{}", kept.body);
        let page = ada.get(&path).await.body;
        for part in [
            "value=\"north, sandbox\"",
            "value=\"far\"",
            "value=\"latency\" selected",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        let mut more = said.to_vec();
        more.push(("regions", "e_u"));
        let wrong = ada.post(&route, &more).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            wrong.body.contains("id=\"f-regions-error\""),
            "{}",
            wrong.body
        );
        assert!(
            wrong.body.contains("value=\"worker\""),
            "the rest of the page stays"
        );

        // Another tenant's people don't reach it.
        tenant(&place, &token, "Other").await;
        let mut eve = log_in(&place, "Other", "ada").await;
        eve.get("/portal/keys").await;
        let foreign = eve.post(&route, &[("only", "")]).await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND, "{}", foreign.body);
        let page = ada.get(&path).await.body;
        assert!(page.contains("value=\"north, sandbox\""), "{page}");
        place.end().await;
    }
}
