//! Tenants through their pages: founded, paid, narrowed, suspended, deleted and brought back.

use std::time::Duration;

use poem::http::{Method, StatusCode};
use serde_json::json;
use shared::credits::Credits;
use shared::link::Operation;

use super::super::portal::people::tenant;
use super::super::{Browser, PASSWORD, Start, places, superadmin};

const ROLES: [&str; 2] = ["operator", "finance"];

/// Where the only tenant's pages are.
async fn only_tenant(browser: &mut Browser) -> String {
    let body = browser.get("/admin/tenants").await.body;
    let (_, rest) = body
        .split_once("href=\"/admin/tenants/ten_")
        .expect("a row");
    let (id, _) = rest.split_once('"').expect("an id");
    format!("/admin/tenants/ten_{id}")
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_found_and_suspend_tenants_and_finance_pays_them() {
    for (place, _db) in places(Start::default()).await {
        let owner = place.token("admin", PASSWORD).await;
        for word in ROLES {
            superadmin(&place, &owner, &format!("a-{word}"), word).await;
        }
        let mut operator = place.admin("a-operator", PASSWORD).await;
        let mut finance = place.admin("a-finance", PASSWORD).await;

        // Credits are not the operator's to give, not even the first ones.
        let new = [
            ("name", "<Acme>"),
            ("username", "ada"),
            ("password", PASSWORD),
        ];
        operator.get("/admin/tenants/new").await;
        let paid = [&new[..], &[("credits", "5")]].concat();
        let refused = operator.post("/admin/tenants/new", &paid).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", place.name);
        operator.get("/admin/tenants/new").await;
        let made = operator.post("/admin/tenants/new", &new).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.body);
        assert!(made.body.contains("wk_live_"), "the key is shown once");
        let tenant = only_tenant(&mut operator).await;
        for tab in ["", "/members", "/keys", "/usage", "/money", "/limits"] {
            let page = operator.get(&format!("{tenant}{tab}")).await;
            assert_eq!(page.status, StatusCode::OK, "{tab}: {}", page.body);
            assert!(page.body.contains("Acme") && !page.body.contains("<Acme>"));
            assert!(!page.body.contains("wk_live_") || tab == "/keys", "{tab}");
        }

        // A form that is sent twice gives once.
        let money = finance.get(&format!("{tenant}/money")).await;
        let once = money.field("once").expect("a key").to_owned();
        let wish = [
            ("once", once.as_str()),
            ("amount", "12.5"),
            ("note", "paid"),
        ];
        for _ in 0..2 {
            let given = finance.post(&format!("{tenant}/recharge"), &wish).await;
            assert_eq!(given.status, StatusCode::SEE_OTHER, "{}", given.body);
        }
        let path = tenant.replace("/admin/", "/admin/api/") + "/balance";
        let available = async || {
            let balance = place.api(Method::GET, &path, &owner, &json!({})).await;
            let text = balance.json()["available"].to_string();
            text.parse::<Credits>().expect("credits").micros()
        };
        assert_eq!(available().await, 12_500_000, "{}", place.name);
        let money = finance.get(&format!("{tenant}/money")).await;
        let once = money.field("once").expect("a key").to_owned();
        let take = [
            ("once", once.as_str()),
            ("direction", "take"),
            ("amount", "2.5"),
        ];
        let unexplained = finance.post(&format!("{tenant}/adjust"), &take).await;
        assert_eq!(unexplained.status, StatusCode::UNPROCESSABLE_ENTITY);
        let take = [&take[..], &[("reason", "typing error")]].concat();
        let taken = finance.post(&format!("{tenant}/adjust"), &take).await;
        assert_eq!(taken.status, StatusCode::SEE_OTHER, "{}", taken.body);
        assert_eq!(available().await, 10_000_000, "{}", place.name);

        // Nobody is suspended without a word.
        operator.get(&tenant).await;
        let silent = operator.post(&format!("{tenant}/suspend"), &[]).await;
        assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
        let why = [("reason", "unpaid bills")];
        let suspended = operator.post(&format!("{tenant}/suspend"), &why).await;
        assert_eq!(
            suspended.status,
            StatusCode::SEE_OTHER,
            "{}",
            suspended.body
        );
        let path = tenant.replace("/admin/", "/admin/api/");
        let shown = place.api(Method::GET, &path, &owner, &json!({})).await;
        assert_eq!(shown.json()["status"], "suspended");
        let log = operator.get("/admin/audit?action=tenant").await;
        let (_, rest) = log.body.split_once("/admin/audit/aud_").expect("an entry");
        let id = rest.split('"').next().expect("an id");
        let entry = operator.get(&format!("/admin/audit/aud_{id}")).await;
        assert!(entry.body.contains("unpaid bills"), "{}", entry.body);
        place.end().await;
    }
}

/// The ids of a list, in its order.
async fn listed(browser: &mut Browser, query: &str) -> Vec<String> {
    let page = browser.get(&format!("/admin/tenants?{query}")).await;
    assert_eq!(page.status, StatusCode::OK, "{query}: {}", page.body);
    let rows = page
        .body
        .split("class=\"row-link\" href=\"/admin/tenants/")
        .skip(1);
    let names = rows.filter_map(|row| row.split('>').nth(1)?.split('<').next());
    names.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_sorted_and_narrowed_by_its_links() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let mut ids = Vec::new();
        for name in ["beta", "Alpha", "gamma"] {
            ids.push(tenant(&place, &token, name).await.0);
        }
        let path = format!("/admin/api/tenants/{}", ids[2]);
        let body = json!({"status": "suspended"});
        let patched = place.api(Method::PATCH, &path, &token, &body).await;
        assert_eq!(patched.status, StatusCode::OK, "{}", patched.body);
        let mut owner = place.owner().await;
        for (query, expected) in [
            ("sort=name", &["Alpha", "beta", "gamma"][..]),
            ("sort=-name", &["gamma", "beta", "Alpha"]),
            ("status=suspended", &["gamma"]),
            ("status=active&sort=name", &["Alpha", "beta"]),
            ("status=deleting", &[]),
            ("q=al&sort=-created", &["Alpha"]),
            ("q=B&sort=created", &["beta"]),
        ] {
            assert_eq!(listed(&mut owner, query).await, expected, "{query}");
        }
        let mut created = listed(&mut owner, "sort=created").await;
        assert_eq!(created.len(), 3);
        created.reverse();
        assert_eq!(listed(&mut owner, "sort=-created").await, created);
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_tenant_is_shut_out_can_be_brought_back_and_goes_away() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let (id, key, _) = tenant(&place, &token, "Acme").await;
        let models = async || {
            let nothing = json!({});
            let answer = place.api(Method::GET, "/api/v1/models", &key, &nothing);
            answer.await.status
        };
        let mut owner = place.owner().await;
        let path = format!("/admin/tenants/{id}");
        owner.get(&path).await;
        let delete = format!("{path}/delete");
        let odd = owner.post(&delete, &[("confirm", "acme")]).await;
        assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
        for field in ["confirm", "reason"] {
            let error = format!("id=\"f-delete-{field}-error\"");
            assert!(odd.body.contains(&error), "{field}: {}", odd.body);
        }
        assert_eq!(models().await, StatusCode::OK);
        let wish = [("confirm", "Acme"), ("reason", "closed down")];
        let deleted = owner.post(&delete, &wish).await;
        assert_eq!(deleted.location(), path, "{}", deleted.body);
        assert_eq!(models().await, StatusCode::UNAUTHORIZED);
        let page = owner.get(&path).await;
        assert!(
            page.body.contains(&format!("{path}/restore")),
            "{}",
            page.body
        );
        assert_eq!(listed(&mut owner, "status=deleting").await, ["Acme"]);
        owner.post(&format!("{path}/resume"), &[]).await;
        assert_eq!(
            models().await,
            StatusCode::UNAUTHORIZED,
            "by its own form only"
        );

        let back = owner.post(&format!("{path}/restore"), &[]).await;
        assert_eq!(back.location(), path, "{}", back.body);
        assert_eq!(models().await, StatusCode::OK);
        assert_eq!(place.server.end_deleted().await.expect("done"), 0);
        owner.post(&delete, &wish).await;
        assert_eq!(
            place.server.end_deleted().await.expect("done"),
            0,
            "not yet"
        );
        place.clock.advance(Duration::from_secs(31 * 24 * 60 * 60));
        assert_eq!(place.server.end_deleted().await.expect("done"), 1);
        assert_eq!(place.server.end_deleted().await.expect("done"), 0, "once");
        let token = place.token("admin", PASSWORD).await;
        let api = format!("/admin/api/tenants/{id}");
        let answer = place
            .api(Method::GET, &api, &token, &json!({}))
            .await
            .json();
        assert_eq!(answer["name"], format!("deleted {id}"));
        let (users, nothing) = (format!("{api}/users"), json!({}));
        let users = place.api(Method::GET, &users, &token, &nothing).await;
        assert_eq!(users.json()["data"], json!([]));
        let body = json!({"status": "active"});
        let patched = place.api(Method::PATCH, &api, &token, &body).await;
        assert_eq!(patched.status, StatusCode::OK, "{}", patched.body);
        assert_eq!(
            models().await,
            StatusCode::UNAUTHORIZED,
            "its keys are gone"
        );
        tenant(&place, &token, "Acme").await;
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_calls_the_models_it_is_allowed() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let (id, key, _) = tenant(&place, &token, "Acme").await;
        let mut owner = place.owner().await;
        let limits = format!("/admin/tenants/{id}/limits");
        owner.get(&limits).await;
        let path = format!("/admin/tenants/{id}/models");
        let none = owner.post(&path, &[("only", "on")]).await;
        assert_eq!(
            none.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "all would be shut out"
        );
        assert!(none.body.contains("f-models-error"), "{}", none.body);
        let two = [
            ("only", "on"),
            ("models", "sandbox-chat"),
            ("models", "sandbox-image"),
        ];
        let kept = owner.post(&path, &two).await;
        assert_eq!(kept.location(), limits, "{}", kept.body);
        let call = async |model: &str| {
            let body = json!({"model": model, "input": "x"});
            let path = "/api/v1/embeddings";
            let answer = place.api(Method::POST, path, &key, &body).await;
            answer.json()["error"]["code"].as_str().map(str::to_owned)
        };
        let refused = call("sandbox-embedding").await;
        assert_eq!(refused.as_deref(), Some("model_not_found"));
        let answer = place
            .api(Method::GET, "/api/v1/models", &key, &json!({}))
            .await;
        assert!(
            !answer.body.contains("sandbox-embedding"),
            "{}",
            answer.body
        );
        let page = owner.get(&limits).await;
        assert_eq!(
            page.body.matches("name=\"models\"").count(),
            Operation::ALL.len(),
            "{}",
            page.body
        );
        let all = owner.post(&path, &[("models", "sandbox-chat")]).await;
        assert_eq!(all.location(), limits, "{}", all.body);
        let poor = call("sandbox-embedding").await;
        assert_ne!(poor.as_deref(), Some("model_not_found"), "all again");
        place.end().await;
    }
}
