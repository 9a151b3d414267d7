//! Who comes to the portal: a tenant, its people, and what each of them may reach.

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};
use server::auth::Role;

use super::super::roles::console::Access;
use super::super::{Browser, PASSWORD, Place};
use super::find;

/// Who may what of the portal's own pages; the table of pages asks for it.
pub(in super::super) fn access(method: &Method, rest: &str) -> Option<Access> {
    match (method, rest) {
        // The documentation is nobody's secret, and the end of a look is its opener's alone.
        (&Method::GET, "docs") | (&Method::POST, "opened/end") => Some(Access::Everybody),
        (
            &Method::GET,
            ""
            | "history"
            | "search"
            | "usage/:id"
            | "models"
            | "suggest"
            | "studio"
            | "studio/chat"
            | "studio/images"
            | "studio/images/:id/file",
        )
        | (
            &Method::POST,
            "studio/chat"
            | "studio/chats/:id/delete"
            | "studio/estimate"
            | "studio/forget"
            | "studio/images"
            | "studio/images/:id/delete",
        ) => Some(Access::Member),
        (
            &Method::GET,
            "end-users" | "keys" | "keys/new" | "keys/:id" | "ledger" | "ledger.csv" | "members"
            | "members/new" | "members/:id" | "settings" | "usage" | "usage.csv",
        )
        | (
            &Method::POST,
            "keys/new"
            | "keys/:id"
            | "keys/:id/rotate"
            | "keys/:id/route"
            | "keys/:id/revoke"
            | "members/new"
            | "members/:id"
            | "members/:id/disable"
            | "members/:id/enable"
            | "members/:id/password"
            | "settings"
            | "settings/calendar"
            | "settings/data"
            | "settings/keeping"
            | "settings/studio",
        ) => Some(Access::Manager),
        (&Method::POST, "settings/security") => Some(Access::Owner),
        _ => None,
    }
}

/// Whether somebody of a tenant may.
pub(in super::super) fn may(role: Role, access: Access) -> bool {
    match access {
        Access::Everybody | Access::SignedIn | Access::Member => true,
        Access::Manager => role != Role::Member,
        Access::Owner => role == Role::Owner,
        Access::Admin(_) => false,
    }
}

/// A tenant's owner `ada`, admin `max` and member `mia`, each in the portal; the tenant is new.
pub(in super::super) async fn people(
    place: &Place,
    token: &str,
    name: &str,
) -> Vec<(Role, Browser)> {
    let (id, ..) = tenant(place, token, name).await;
    let mut people = Vec::new();
    for (username, role) in [
        ("ada", Role::Owner),
        ("max", Role::Admin),
        ("mia", Role::Member),
    ] {
        if role != Role::Owner {
            let path = format!("/admin/api/tenants/{id}/users");
            let body = json!({"username": username, "password": PASSWORD, "role": role.word()});
            let made = place.api(Method::POST, &path, token, &body).await;
            assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        }
        let mut browser = place.browser();
        let names = [("tenant", name), ("username", username)];
        let answer = browser.log_in("/portal", &names, PASSWORD).await;
        assert_eq!(answer.location(), "/portal", "{}", answer.body);
        browser.get("/portal/security").await;
        people.push((role, browser));
    }
    people
}

/// A tenant with an owner: its id, its key and the owner's id.
pub(in super::super) async fn tenant(
    place: &Place,
    token: &str,
    name: &str,
) -> (String, String, String) {
    let body = json!({"name": name, "username": "ada", "password": PASSWORD});
    let made = place
        .api(Method::POST, "/admin/api/tenants", token, &body)
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let made = made.json();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let id = find(&made, "ten_").expect("the tenant's id");
    let key = find(&made, "wk_live_").expect("the key");
    let users = format!("/admin/api/tenants/{id}/users");
    let users = place.api(Method::GET, &users, token, &json!({})).await;
    let user = text(&users.json()["data"][0]["id"]);
    (id, key, user)
}
