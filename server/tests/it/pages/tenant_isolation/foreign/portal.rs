//! The portal's pages, asked with ids of another tenant.

use poem::http::{Method, StatusCode};
use serde_json::json;

use super::super::super::{Browser, PASSWORD, Start, places};
use super::super::{admin, two_tenants};
use super::ids::{Thing, ids, portal, quoted, record, state};

/// What the id of a portal's page is of, and whether it is a person's own thing.
pub(super) fn of_page(rest: &str) -> Option<Thing> {
    Some(match rest.split('/').next()? {
        "keys" => Thing::Key,
        "members" => Thing::User,
        "usage" => Thing::Call,
        "security" => Thing::Session,
        "studio" if rest.starts_with("studio/chats/") => Thing::Chat,
        "studio" => Thing::Picture,
        _ => return None,
    })
}

/// Enough of each form to be taken.
pub(super) const FIELDS: [(&str, &str); 5] = [
    ("name", "x"),
    ("scopes", "inference"),
    ("grace_hours", "1"),
    ("role", "member"),
    ("budget_period", "month"),
];

async fn open(browser: &mut Browser, method: &Method, path: &str) -> StatusCode {
    if *method == Method::GET {
        return browser.get(path).await.status;
    }
    browser.get("/portal/security").await;
    browser.post(path, &FIELDS).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portals_pages_know_no_ids_of_other_tenants() {
    for (place, db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let (acme, other) = two_tenants(&place, &token).await;
        let (foreign, [_, mut there]) = ids(&place, &db, &token, &other).await;
        let before = state(&place, &token, &other).await;
        let mut asked = 0;
        for (method, path) in server::pages::listed() {
            let Some(rest) = path
                .strip_prefix("/portal/")
                .filter(|rest| rest.contains(':'))
            else {
                continue;
            };
            let thing =
                of_page(rest).unwrap_or_else(|| panic!("{path} is not in the table of ids"));
            let mut people = vec![portal(&place, &acme, "ada").await];
            people.push(portal(&place, &acme, "max").await);
            for ada in &mut people {
                let at = path.replace(":id", foreign.of(thing));
                let status = open(ada, &method, &at).await;
                let at = format!("{} {method} {path}", place.name);
                assert_eq!(status, StatusCode::NOT_FOUND, "{at}");
                asked += 1;
            }
            let (own, [mut mia, _]) = ids(&place, &db, &token, &acme).await;
            let own = path.replace(":id", own.of(thing));
            let browser = match thing {
                // Their own things, also where others run the tenant.
                Thing::Session | Thing::Chat | Thing::Picture => &mut mia,
                Thing::Key | Thing::User | Thing::Call | Thing::EndUser => &mut people[0],
            };
            let status = open(browser, &method, &own).await;
            let taken = [StatusCode::OK, StatusCode::SEE_OTHER];
            assert!(
                taken.contains(&status),
                "{} {method} {own}: {status}",
                place.name
            );
            // The member may have been locked out or got another password.
            let user = format!("/tenants/{}/users/{}", acme.id, acme.member);
            let whole = json!({"status": "active", "password": PASSWORD});
            admin(&place, &token, Method::PATCH, &user, &whole).await;
        }
        assert!(asked >= 20, "{asked}");
        assert_eq!(state(&place, &token, &other).await, before);
        assert!(
            there.is_in("/portal/security").await,
            "nobody else's session ends"
        );
        // What a member did in the studio is read by nobody else of the tenant, nor deleted.
        let (own, _) = ids(&place, &db, &token, &acme).await;
        for username in ["ada", "max"] {
            let mut other = portal(&place, &acme, username).await;
            for (method, path) in [
                (
                    Method::GET,
                    format!("/portal/studio/chat?chat={}", own.of(Thing::Chat)),
                ),
                (
                    Method::POST,
                    format!("/portal/studio/chats/{}/delete", own.of(Thing::Chat)),
                ),
                (
                    Method::GET,
                    format!("/portal/studio/images?again={}", own.of(Thing::Picture)),
                ),
                (
                    Method::GET,
                    format!("/portal/studio/images/{}/file", own.of(Thing::Picture)),
                ),
                (
                    Method::POST,
                    format!("/portal/studio/images/{}/delete", own.of(Thing::Picture)),
                ),
            ] {
                let status = open(&mut other, &method, &path).await;
                assert_eq!(status, StatusCode::NOT_FOUND, "{username} {path}");
            }
            let list = other.get("/portal/studio").await;
            assert!(!list.body.contains(own.of(Thing::Chat)), "{username}");
            let list = other.get("/portal/studio/images").await;
            assert!(!list.body.contains(own.of(Thing::Picture)), "{username}");
        }
        // A member reads no other member's call, nor a manager's.
        let call = format!("gen_{}", "1".repeat(20));
        record(&db, &acme, &call, &quoted(&acme.owner), "NULL").await;
        let path = format!("/portal/usage/{call}");
        let mut mia = portal(&place, &acme, "mia").await;
        assert_eq!(mia.get(&path).await.status, StatusCode::NOT_FOUND);
        let mut ada = portal(&place, &acme, "ada").await;
        assert_eq!(ada.get(&path).await.status, StatusCode::OK);
        place.end().await;
    }
}
