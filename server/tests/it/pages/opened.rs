//! A superadmin looks at a portal as one of its people: what they see, what they can't, and what ends it.

use std::time::Duration;

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};
use server::pages::opened::{CLOSE, SEEN};

use super::portal::people::tenant;
use super::{Browser, PASSWORD, Place, Start, places, superadmin};

/// The path of the button, and the browser that pressed it.
async fn opened(place: &Place, owner: &str, name: &str) -> (Browser, String, String) {
    let (id, _, user) = tenant(place, owner, name).await;
    let mut browser = place.owner().await;
    let list = format!("/admin/tenants/{id}/members");
    let path = format!("{list}/{user}/open");
    let page = browser.get(&list).await;
    assert!(page.body.contains(&path), "{}", page.body);
    let answer = browser.post(&path, &[]).await;
    assert_eq!(answer.location(), "/portal", "{}", answer.body);
    let cookie = answer.set_cookies().join("\n");
    assert!(
        cookie.contains("waule_opened=")
            && cookie.contains("HttpOnly")
            && cookie.contains("Max-Age=1800"),
        "{cookie}"
    );
    (browser, id, user)
}

/// Entries of the audit log about portals, the newest first.
async fn entries(place: &Place, token: &str) -> Vec<Value> {
    let log = place
        .api(Method::GET, "/admin/api/audit?limit=100", token, &json!({}))
        .await
        .json();
    let all = log["data"].as_array().expect("a list").iter();
    let ours = all.filter(|entry| {
        let action = entry["action"].as_str().unwrap_or_default();
        action.starts_with("portal.")
    });
    ours.cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_sees_what_is_listed_and_nothing_else_of_the_portal() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let (mut browser, id, _) = opened(&place, &token, "Acme").await;
        // From here on it has the token of its own forms: what is refused is refused for what it is.
        let page = browser.get("/portal").await;
        assert_eq!(page.status, StatusCode::OK);
        for told in ["admin", "Acme", "ada", CLOSE] {
            assert!(page.body.contains(told), "{told}");
        }
        assert!(!page.body.contains("/portal/security"), "no way there");
        let (mut seen, mut refused) = (0, 0);
        for (method, path) in server::pages::listed() {
            if !path.starts_with("/portal") || path == CLOSE {
                continue;
            }
            let may = method == Method::GET && SEEN.contains(&path.as_str());
            let filled = path.replace(":id", "gen_nobody");
            let mut one = browser.clone();
            let answer = match method {
                Method::GET => one.get(&filled).await,
                _ => one.post(&filled, &[]).await,
            };
            let at = format!("{} {method} {path}: {}", place.name, answer.status);
            if may {
                let found = [StatusCode::OK, StatusCode::NOT_FOUND];
                assert!(found.contains(&answer.status), "{at}");
                seen += 1;
            } else {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{at}");
                assert!(answer.body.contains("nothing can be changed"), "{at}");
                refused += 1;
            }
        }
        assert!(seen >= 10 && refused >= 30, "{seen} {refused}");
        // By its words, whatever the list says: nothing that makes or shows secrets, or keeps people's words.
        for path in SEEN {
            for word in [
                "security", "login", "confirm", "studio", "new", "password", "keep",
            ] {
                assert!(!path.contains(word), "{path}");
            }
        }
        // Nothing was changed meanwhile: the person is who they were, with the key they had.
        let mut ada = place.browser();
        let names = [("tenant", "Acme"), ("username", "ada")];
        let answer = ada.log_in("/portal", &names, PASSWORD).await;
        assert_eq!(answer.location(), "/portal");
        let security = ada.get("/portal/security").await;
        let ends = security.body.matches("/portal/security/sessions/").count();
        assert_eq!(ends, 0, "nobody but they themselves is signed in as them");
        let keys = format!("/admin/api/tenants/{id}/keys");
        let keys = place
            .api(Method::GET, &keys, &token, &json!({}))
            .await
            .json();
        assert_eq!(keys["data"].as_array().map(Vec::len), Some(1), "{keys}");
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn its_cookie_is_nobodys_session_and_it_needs_its_own_token() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let (browser, ..) = opened(&place, &token, "Acme").await;
        let cookie = browser.cookies["waule_opened"].clone();
        for (name, page) in [("waule_portal", "/portal"), ("waule_admin", "/admin")] {
            let mut thief = place.browser();
            thief.cookies.insert(name.to_owned(), cookie.clone());
            assert!(!thief.is_in(page).await, "{name}");
        }
        // Without the superadmin's own cookie it still is that superadmin's look, and no more.
        let mut alone = place.browser();
        alone.cookies.insert("waule_opened".to_owned(), cookie);
        assert!(alone.is_in("/portal").await);
        assert!(!alone.is_in("/admin").await);
        // A session's cookie is no look.
        let mut other = place.browser();
        let own = browser.session("admin").to_owned();
        other.cookies.insert("waule_opened".to_owned(), own);
        assert!(!other.is_in("/portal").await);
        // The console's token does not end it, and its own does.
        let mut confused = browser.clone();
        confused.get("/admin").await;
        let answer = confused.post(CLOSE, &[]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(confused.is_in("/portal").await);
        let answer = confused.post(CLOSE, &[]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        assert!(!confused.is_in("/portal").await);
        assert!(confused.is_in("/admin").await, "the console goes on");
        let mut late = browser.clone();
        assert!(
            !late.is_in("/portal").await,
            "its cookie is worth nothing more"
        );
        let told = entries(&place, &token).await;
        let actions: Vec<&str> = told
            .iter()
            .filter_map(|one| one["action"].as_str())
            .collect();
        assert_eq!(actions, ["portal.close", "portal.open"]);
        for entry in &told {
            assert_eq!(entry["actor_name"], "admin", "{entry}");
            assert_eq!(entry["after"]["username"], "ada", "{entry}");
        }
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_with_whatever_it_hangs_on() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let (id, ..) = tenant(&place, &token, "Acme").await;
        // Somebody who can be shut out: an owner has to stay.
        let users = format!("/admin/api/tenants/{id}/users");
        let body = json!({"username": "mia", "password": PASSWORD, "role": "member"});
        let made = place.api(Method::POST, &users, &token, &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        let user = made.json()["id"].as_str().expect("an id").to_owned();
        let helper = superadmin(&place, &token, "helper", "operator").await;
        let path = format!("/admin/tenants/{id}/members/{user}/open");
        let look = async || {
            let mut browser = place.admin("helper", PASSWORD).await;
            browser.get("/admin/tenants").await;
            let answer = browser.post(&path, &[]).await;
            assert_eq!(answer.location(), "/portal", "{}", answer.body);
            let first = browser.get("/portal").await;
            assert_eq!(
                first.location(),
                "/portal/history",
                "what a member may see first"
            );
            assert!(browser.is_in("/portal/models").await);
            browser
        };
        let patch = async |path: &str, body: Value| {
            let answer = place.api(Method::PATCH, path, &token, &body).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        };
        let member = format!("/admin/api/tenants/{id}/users/{user}");
        let tenant = format!("/admin/api/tenants/{id}");
        let admin = format!("/admin/api/superadmins/{helper}");

        let mut browser = look().await;
        browser.get("/admin").await;
        browser.post("/admin/logout", &[]).await;
        assert!(
            !browser.is_in("/portal/models").await,
            "the superadmin logged out"
        );

        let mut browser = look().await;
        patch(&member, json!({"status": "disabled"})).await;
        assert!(
            !browser.is_in("/portal/models").await,
            "the person is shut out"
        );
        patch(&member, json!({"status": "active"})).await;

        let mut browser = look().await;
        patch(&tenant, json!({"status": "suspended"})).await;
        assert!(
            !browser.is_in("/portal/models").await,
            "the tenant is suspended"
        );
        patch(&tenant, json!({"status": "active"})).await;

        let mut browser = look().await;
        patch(&admin, json!({"role": "read_only"})).await;
        assert!(!browser.is_in("/portal/models").await, "another role");
        // Whose role does not reach that far is refused, and nothing is opened.
        for role in ["read_only", "finance"] {
            patch(&admin, json!({"role": role})).await;
            let mut browser = place.admin("helper", PASSWORD).await;
            browser.get("/admin/tenants").await;
            let answer = browser.post(&path, &[]).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{role}");
            assert!(!browser.is_in("/portal/models").await);
        }
        patch(&admin, json!({"role": "operator"})).await;

        let mut browser = look().await;
        place.clock.advance(Duration::from_secs(29 * 60));
        assert!(browser.is_in("/portal/models").await);
        place.clock.advance(Duration::from_secs(61));
        assert!(
            !browser.is_in("/portal/models").await,
            "half an hour is over"
        );

        // Whoever proved long ago who they are is asked again first.
        let mut browser = place.admin("helper", PASSWORD).await;
        browser.get("/admin/tenants").await;
        place.clock.advance(Duration::from_secs(11 * 60));
        let answer = browser.post(&path, &[]).await;
        assert!(
            answer.location().starts_with("/admin/confirm"),
            "{}",
            answer.location()
        );
        place.end().await;
    }
}
