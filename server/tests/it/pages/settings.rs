//! What a tenant's own people set: when credits run low, and who needs a second factor.

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};
use server::auth::Role;

use super::portal::people::{people, tenant};
use super::{Browser, PASSWORD, Place, Start, places};

fn of(people: &mut [(Role, Browser)], wanted: Role) -> &mut Browser {
    let found = people.iter_mut().find(|(role, _)| *role == wanted);
    &mut found.expect("there is one").1
}

/// Gives the only tenant credits.
async fn give(place: &Place, amount: &str) {
    let mut owner = place.owner().await;
    let list = owner.get("/admin/tenants").await.body;
    let (_, rest) = list.split_once("/admin/tenants/ten_").expect("a row");
    let id = rest.split(['"', '/', '?']).next().expect("an id");
    let tenant = format!("/admin/tenants/ten_{id}");
    let money = owner.get(&format!("{tenant}/money")).await;
    let once = money.field("once").expect("a key").to_owned();
    let wish = [("once", once.as_str()), ("amount", amount)];
    let given = owner.post(&format!("{tenant}/recharge"), &wish).await;
    assert_eq!(given.status, StatusCode::SEE_OTHER, "{}", given.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_of_credits_is_kept_shown_and_obeyed() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let mut people = people(&place, &token, "Acme").await;
        let max = of(&mut people, Role::Admin);
        let page = max.get("/portal/settings").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        assert!(page.body.contains("Acme") && page.body.contains("http://localhost:3000/api/v1"));
        give(&place, "20").await;
        let low = "Credits are running low.";
        assert!(!max.get("/portal").await.body.contains(low));
        for wrong in ["-1", "0", "many", "0.0000001", "1000000001"] {
            max.get("/portal/settings").await;
            let form = [("alert_below", wrong)];
            let answer = max.post("/portal/settings", &form).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
            assert!(answer.body.contains(&format!("value=\"{wrong}\"")));
        }
        for (bound, is_low) in [("12.5", false), ("20.5", true), ("", false)] {
            max.get("/portal/settings").await;
            let form = [("alert_below", bound)];
            let answer = max.post("/portal/settings", &form).await;
            assert_eq!(answer.location(), "/portal/settings", "{}", answer.body);
            let page = max.get("/portal/settings").await;
            assert!(page.body.contains(&format!("value=\"{bound}\"")), "{bound}");
            let overview = max.get("/portal").await;
            assert_eq!(overview.body.contains(low), is_low, "{bound}");
        }
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_asks_for_second_factors_and_both_logins_obey() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let mut people = people(&place, &token, "Acme").await;
        let (_, key, _) = tenant(&place, &token, "Other").await;
        let on = [("require_second_factor", "on")];
        let path = "/portal/settings/security";
        let max = of(&mut people, Role::Admin);
        assert_eq!(max.post(path, &on).await.status, StatusCode::FORBIDDEN);
        let ada = of(&mut people, Role::Owner);
        let answer = ada.post(path, &on).await;
        assert_eq!(answer.location(), "/portal/settings", "{}", answer.body);

        let log_in = async |tenant: &str, username: &str| {
            let mut browser = place.browser();
            let names = [("tenant", tenant), ("username", username)];
            let answer = browser.log_in("/portal", &names, PASSWORD).await;
            let location = answer.location().to_owned();
            (browser, location)
        };
        for username in ["ada", "max"] {
            let (mut browser, location) = log_in("Acme", username).await;
            assert_eq!(location, "/portal/security/totp", "{}", place.name);
            assert!(
                !browser.is_in("/portal/usage").await,
                "not before it is set up"
            );
            let page = browser.get("/portal/security/totp").await;
            assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        }
        for (tenant, username) in [("Acme", "mia"), ("Other", "ada")] {
            let (_, location) = log_in(tenant, username).await;
            assert_eq!(location, "/portal", "{tenant} {username}");
        }
        let made = place
            .api(Method::GET, "/admin/api/tenants", &token, &json!({}))
            .await
            .json();
        let tenants = made["data"].as_array().expect("a list");
        let acme = tenants.iter().find(|tenant| tenant["name"] == "Acme");
        let acme = acme.and_then(|tenant| tenant["id"].as_str());
        let keys = format!("/admin/api/tenants/{}/keys", acme.expect("an id"));
        let made = place
            .api(Method::POST, &keys, &token, &json!({"name": "k"}))
            .await
            .json();
        let secret = made["secret"].as_str().expect("a secret").to_owned();
        let api = async |key: &str, username: &str| {
            let body = json!({"apiKey": key, "username": username, "password": PASSWORD});
            let path = "/api/v1/auth/login";
            let answer = place.api(Method::POST, path, "", &body).await;
            let code = answer.json()["error"]["code"].clone();
            (answer.status, code)
        };
        let refused = (StatusCode::FORBIDDEN, json!("second_factor_needed"));
        assert_eq!(api(&secret, "ada").await, refused);
        let taken = (StatusCode::OK, Value::Null);
        assert_eq!(api(&secret, "mia").await, taken);
        assert_eq!(api(&key, "ada").await, taken);

        let log = "/admin/api/audit?limit=100";
        let log = place.api(Method::GET, log, &token, &json!({})).await.json();
        let entries = log["data"].as_array().expect("a list");
        let entry = entries
            .iter()
            .find(|entry| entry["action"] == "tenant.settings");
        let entry = entry.expect("an entry");
        assert_eq!(entry["before"]["require_second_factor"], false);
        assert_eq!(entry["after"]["require_second_factor"], true);
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_says_when_end_users_are_suspended() {
    const PATH: &str = "/admin/settings/end-users";
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let known = async || {
            let path = "/admin/api/settings/end-users";
            place
                .api(Method::GET, path, &token, &json!({}))
                .await
                .json()
        };
        let mut owner = place.owner().await;
        let page = owner.get("/admin/settings").await.body;
        assert!(page.contains("name=\"flagged_prompts\""), "{page}");
        for (prompts, hours, wrong) in [
            ("", "24", "flagged_prompts"),
            ("-1", "24", "flagged_prompts"),
            ("10001", "24", "flagged_prompts"),
            ("5", "0", "suspended_hours"),
            ("5", "721", "suspended_hours"),
            ("5", "soon", "suspended_hours"),
        ] {
            let form = [("flagged_prompts", prompts), ("suspended_hours", hours)];
            let answer = owner.post(PATH, &form).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{form:?}");
            let error = format!("id=\"f-{wrong}-error\"");
            assert!(answer.body.contains(&error), "{form:?}: {}", answer.body);
        }
        let untouched = json!({"flagged_prompts": 20, "suspended_hours": 24});
        assert_eq!(known().await, untouched);
        for (prompts, hours) in [(0, 720), (3, 1)] {
            let (typed, length) = (prompts.to_string(), hours.to_string());
            let form = [
                ("flagged_prompts", typed.as_str()),
                ("suspended_hours", length.as_str()),
            ];
            let answer = owner.post(PATH, &form).await;
            assert_eq!(answer.location(), "/admin/settings", "{}", answer.body);
            let kept = json!({"flagged_prompts": prompts, "suspended_hours": hours});
            assert_eq!(known().await, kept);
        }
        let page = owner.get("/admin/settings").await.body;
        assert!(page.contains("value=\"3\""), "{page}");
        place.end().await;
    }
}
