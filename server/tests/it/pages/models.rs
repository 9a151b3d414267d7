//! The models that a tenant chooses from, and the API's documentation: what each tells, and to whom.

use std::collections::BTreeSet;

use poem::http::{Method, StatusCode};
use serde_json::json;

use super::portal::people::tenant;
use super::{PASSWORD, Start, places};

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_sees_its_models_at_its_prices_and_how_to_call_them() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let (id, ..) = tenant(&place, &token, "Acme").await;
        let path = format!("/admin/api/tenants/{id}");
        let half = json!({"price_multiplier_ppm": 500_000});
        let set = place.api(Method::PATCH, &path, &token, &half).await;
        assert_eq!(set.status, StatusCode::OK, "{}", set.body);
        let mut ada = place.browser();
        let names = [("tenant", "Acme"), ("username", "ada")];
        ada.log_in("/portal", &names, PASSWORD).await;
        let page = ada.get("/portal/models").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        for told in [
            "sandbox-chat",
            "sandbox-image",
            // Half of 2.5.
            "1<span class=\"decimals\">.25</span>",
            "http://localhost:3000/api/v1/chat/completions",
            "Claude Code",
            "YOUR_KEY",
            "Too few calls for a figure",
        ] {
            assert!(page.body.contains(told), "{told}: {}", page.body);
        }
        assert!(!page.body.contains("WAULE_KEY"), "a key is pasted here");
        let found = ada.get("/portal/models?operation=image").await.body;
        assert!(found.contains("sandbox-image") && !found.contains(">sandbox-chat<"));
        let found = ada.get("/portal/models?q=EMBED").await.body;
        assert!(found.contains("sandbox-embedding") && !found.contains(">sandbox-chat<"));

        // What the tenant may not call is not there.
        let only = json!({"allowed_models": ["sandbox-chat"]});
        let set = place.api(Method::PATCH, &path, &token, &only).await;
        assert_eq!(set.status, StatusCode::OK, "{}", set.body);
        let page = ada.get("/portal/models").await.body;
        assert!(page.contains("sandbox-chat") && !page.contains("sandbox-image"));
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_of_the_document_is_on_its_page() {
    for (place, _db) in places(Start::default()).await {
        let nothing = json!({});
        let path = "/api/openapi.json";
        let document = place.api(Method::GET, path, "", &nothing).await.json();
        let mut stranger = place.browser();
        let tenants = stranger.get("/portal/docs?probe=probe-x").await;
        assert_eq!(tenants.status, StatusCode::OK);
        // The page may be compressed, because nothing in it is the reader's own.
        assert!(!tenants.body.contains("probe-x"));
        let mut owner = place.owner().await;
        let all = owner.get("/admin/docs").await.body;
        let (mut routes, mut seen) = (0, BTreeSet::new());
        for (path, methods) in document["paths"].as_object().expect("paths") {
            for (_, route) in methods.as_object().expect("methods") {
                let id = route["operationId"].as_str().expect("an operation");
                assert!(seen.insert(id.to_owned()), "{id} twice");
                let anchor = format!("id=\"{id}\"");
                assert_eq!(all.matches(&anchor).count(), 1, "{path} {id}");
                let is_admin = path.starts_with("/admin/api");
                assert_eq!(tenants.body.contains(&anchor), !is_admin, "{path} {id}");
                routes += 1;
            }
        }
        assert!(routes > 100, "{routes}");
        let first = tenants.body.find("id=\"create_chat\"");
        let keys = tenants.body.find("id=\"list_keys\"");
        assert!(first < keys, "what models are called with comes first");
        let mut chinese = place.browser();
        chinese
            .headers
            .push(("accept-language", "zh-CN".to_owned()));
        let page = chinese.get("/portal/docs").await.body;
        assert!(page.contains("API 文档") && page.contains("id=\"create_chat\""));
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_shown_no_model_of_the_catalogue() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        // Before all others in whatever order.
        for (id, operation) in [("aaa-secret-chat", "chat"), ("aaa-secret-image", "image")] {
            let target = json!({"provider": "sandbox", "model": "sandbox"});
            let body = json!({
                "id": id, "operation": operation, "enabled": true, "targets": [target],
            });
            let made = place
                .api(Method::POST, "/admin/api/models", &token, &body)
                .await;
            assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        }
        let mut stranger = place.browser();
        let page = stranger.get("/portal/docs").await.body;
        assert!(page.contains("sandbox-chat"), "{page}");
        assert!(!page.contains("aaa-secret"), "{page}");
        let mut owner = place.owner().await;
        let page = owner.get("/admin/docs").await.body;
        assert!(page.contains("aaa-secret-chat"), "{page}");
        tenant(&place, &token, "Acme").await;
        let mut ada = place.browser();
        let names = [("tenant", "Acme"), ("username", "ada")];
        ada.log_in("/portal", &names, PASSWORD).await;
        let page = ada.get("/portal/docs").await.body;
        assert!(page.contains("aaa-secret-chat"), "{page}");
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_public_is_compressed_and_nothing_else() {
    for (place, _db) in places(Start::default()).await {
        let mut browser = place.owner().await;
        let page = browser.get("/admin").await.body;
        let style = page
            .split('"')
            .find(|part| part.starts_with("/assets/") && part.contains(".css"))
            .expect("a style sheet")
            .to_owned();
        browser
            .headers
            .push(("accept-encoding", "gzip, br".to_owned()));
        for (path, packed) in [
            ("/portal/docs", true),
            ("/admin/docs", true),
            ("/api/openapi.json", true),
            (style.as_str(), true),
            ("/admin", false),
            ("/admin/audit", false),
            ("/admin/search?q=x", false),
        ] {
            let mut answer = browser.open(path).await;
            assert_eq!(answer.status(), StatusCode::OK, "{path}");
            let encoding = answer.header("content-encoding").map(str::to_owned);
            assert_eq!(encoding.is_some(), packed, "{path}");
            let bytes = answer.take_body().into_bytes().await.expect("a body");
            assert_eq!(bytes.starts_with(&[0x1f, 0x8b]), packed, "{path}");
            if packed {
                let vary = answer.header("vary").unwrap_or_default().to_owned();
                assert!(vary.contains("accept-encoding"), "{path}: {vary}");
            }
        }
        place.end().await;
    }
}
