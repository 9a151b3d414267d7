//! Superadmins' routes and pages with the ids of two tenants in one path: there is no such pair.

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::super::{PASSWORD, Start, places};
use super::super::{admin, routes, two_tenants};
use super::ids::{Thing, ids, state};
use super::portal::{FIELDS, of_page};

/// What the second ids of superadmins' routes are of, with a body that a fitting pair takes.
fn of_admin(operation: &str) -> Option<(Thing, Value)> {
    Some(match operation {
        "admin_revoke_key" => (Thing::Key, json!({})),
        "admin_update_key" => (Thing::Key, json!({"name": "x"})),
        "admin_rotate_key" => (Thing::Key, json!({"grace_seconds": 0})),
        "admin_set_key_budget" => (Thing::Key, json!({"limit": "5"})),
        "admin_set_user_budget" => (Thing::User, json!({"limit": "5"})),
        "admin_update_user" => (Thing::User, json!({"role": "member"})),
        "admin_delete_user" | "admin_delete_user_second_factor" => (Thing::User, json!({})),
        "admin_lift_end_user" => (Thing::EndUser, json!({})),
        _ => return None,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn superadmins_routes_know_no_pair_of_two_tenants() {
    for (place, db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let (acme, other) = two_tenants(&place, &token).await;
        let (foreign, _) = ids(&place, &db, &token, &other).await;
        let before = (
            state(&place, &token, &acme).await,
            state(&place, &token, &other).await,
        );
        let mut asked = 0;
        for (operation, method, path) in routes(&place, "/admin/api/tenants/{id}/").await {
            let rest = path.trim_start_matches("/admin/api/tenants/{id}");
            if !rest.contains('{') {
                continue;
            }
            let (thing, body) = of_admin(&operation)
                .unwrap_or_else(|| panic!("{operation} is not in the table of ids"));
            let rest = rest.replace("{period}", "day");
            let rest = rest.replace("{key_id}", foreign.of(thing));
            let rest = rest.replace("{user_id}", foreign.of(thing));
            let rest = rest.replace("{identity}", foreign.of(thing));
            assert!(!rest.contains('{'), "{rest}");
            let path = format!("/admin/api/tenants/{}{rest}", acme.id);
            let answer = place.api(method.clone(), &path, &token, &body).await;
            let at = format!("{} {method} {path}: {}", place.name, answer.body);
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{at}");
            asked += 1;
        }
        assert!(asked >= 8, "{asked}");
        let after = (
            state(&place, &token, &acme).await,
            state(&place, &token, &other).await,
        );
        assert_eq!(before, after, "{}", place.name);
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_consoles_pages_know_no_pair_of_two_tenants() {
    for (place, db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let (acme, other) = two_tenants(&place, &token).await;
        let (foreign, _) = ids(&place, &db, &token, &other).await;
        let mut console = place.browser();
        let admins = [("username", "admin")];
        let entered = console.log_in("/admin", &admins, PASSWORD).await;
        assert_eq!(entered.location(), "/admin", "{}", entered.body);
        let before = state(&place, &token, &other).await;
        let mut asked = 0;
        for (method, path) in server::pages::listed() {
            let rest = path.strip_prefix("/admin/tenants/:id/");
            let Some(rest) = rest.filter(|rest| rest.contains(':')) else {
                continue;
            };
            let thing =
                of_page(rest).unwrap_or_else(|| panic!("{path} is not in the table of ids"));
            let (own, _) = ids(&place, &db, &token, &acme).await;
            for (ids, known) in [(&foreign, false), (&own, true)] {
                let at = path.replace(":id", &acme.id);
                let at = at.replace(":key", ids.of(thing));
                let at = at.replace(":member", ids.of(thing));
                assert!(!at.contains(':'), "{at}");
                console.get("/admin/security").await;
                let status = match method {
                    Method::GET => console.get(&at).await.status,
                    _ => console.post(&at, &FIELDS).await.status,
                };
                let found = [StatusCode::OK, StatusCode::SEE_OTHER].contains(&status);
                let missing = status == StatusCode::NOT_FOUND;
                let right = if known { found } else { missing };
                assert!(
                    right,
                    "{} {method} {path}, own: {known}: {status}",
                    place.name
                );
                asked += 1;
            }
            // The member may have been locked out or got another password.
            let user = format!("/tenants/{}/users/{}", acme.id, acme.member);
            let whole = json!({"status": "active", "password": PASSWORD});
            admin(&place, &token, Method::PATCH, &user, &whole).await;
        }
        assert!(asked >= 10, "{asked}");
        assert_eq!(state(&place, &token, &other).await, before);
        place.end().await;
    }
}
