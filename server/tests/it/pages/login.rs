//! Sessions: how they begin, what ends them, and that no stranger begins one.

use std::time::Duration;

use poem::http::{Method, StatusCode};
use serde_json::json;

use super::{PASSWORD, Place, Start, places};
use crate::support::{postgres, sqlite};

const HOUR: Duration = Duration::from_secs(3_600);
const MINUTE: Duration = Duration::from_secs(60);
/// A second less than the two hours of the settings' defaults.
const ALMOST_IDLE: Duration = Duration::from_secs(2 * 3_600 - 1);

#[tokio::test(flavor = "multi_thread")]
async fn a_login_begins_under_a_new_id_and_ends_the_session_before() {
    for (place, _db) in places(Start::default()).await {
        // What a stranger planted in the browser is not taken over.
        let planted = "a".repeat(43);
        let mut browser = place.browser();
        browser
            .cookies
            .insert("waule_admin".to_owned(), planted.clone());
        let names = [("username", "admin")];
        let answer = browser.log_in("/admin", &names, PASSWORD).await;
        assert_eq!(answer.location(), "/admin", "{}", answer.body);
        let first = browser.session("admin").to_owned();
        assert!(first.len() == 43 && first != planted, "{first}");
        let mut stranger = place.browser();
        stranger.cookies.insert("waule_admin".to_owned(), planted);
        assert!(!stranger.is_in("/admin/security").await);

        // Logging in again in the same browser ends the session it had.
        let mut before = browser.clone();
        let token = browser.get("/admin/security").await;
        let token = token.field("csrf").expect("a token").to_owned();
        let again = [
            ("csrf", token.as_str()),
            ("username", "admin"),
            ("password", PASSWORD),
        ];
        let answer = browser.post_bare("/admin/login", &again).await;
        assert_eq!(answer.location(), "/admin", "{}", answer.body);
        assert_ne!(browser.session("admin"), first);
        assert!(browser.is_in("/admin/security").await);
        assert!(!before.is_in("/admin/security").await, "{}", place.name);
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_when_it_is_idle_and_when_it_is_old() {
    for (place, _db) in places(Start::default()).await {
        let mut browser = place.owner().await;
        place.clock.advance(ALMOST_IDLE);
        assert!(browser.is_in("/admin/security").await, "used in time");
        place.clock.advance(ALMOST_IDLE);
        assert!(browser.is_in("/admin/security").await, "used again in time");
        place.clock.advance(2 * HOUR);
        assert!(!browser.is_in("/admin/security").await, "idle for too long");

        let mut browser = place.owner().await;
        for _ in 0..11 {
            place.clock.advance(HOUR);
            assert!(browser.is_in("/admin/security").await);
        }
        place.clock.advance(59 * MINUTE);
        assert!(browser.is_in("/admin/security").await);
        place.clock.advance(MINUTE);
        let answer = browser.get("/admin/security?x=1").await;
        assert_eq!(
            answer.location(),
            "/admin/login?next=%2Fadmin%2Fsecurity%3Fx%3D1",
            "{}: twelve hours are over",
            place.name
        );
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_say_how_long_sessions_last() {
    for (place, _db) in places(Start::default()).await {
        let mut owner = place.owner().await;
        owner.get("/admin/settings").await;
        let fields = [("idle_minutes", "5"), ("absolute_hours", "1")];
        let answer = owner.post("/admin/settings/security", &fields).await;
        assert_eq!(answer.location(), "/admin/settings", "{}", answer.body);
        let mut browser = place.owner().await;
        place.clock.advance(5 * MINUTE);
        assert!(!browser.is_in("/admin/security").await, "{}", place.name);
        let mut owner = place.owner().await;
        owner.get("/admin/settings").await;
        for (field, value) in [
            ("idle_minutes", "4"),
            ("idle_minutes", "x"),
            ("absolute_hours", "721"),
        ] {
            let mut fields = vec![("idle_minutes", "5"), ("absolute_hours", "1")];
            fields.retain(|(name, _)| *name != field);
            fields.push((field, value));
            let answer = owner.post("/admin/settings/security", &fields).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
            assert!(answer.body.contains("aria-invalid"), "{field}");
        }
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_with_a_login_the_page_is_the_same() {
    for (place, _db) in places(Start::default()).await {
        let mut pages = Vec::new();
        for (username, password) in [("admin", "wrong"), ("nobody", PASSWORD), ("", "")] {
            place.clock.advance(MINUTE);
            let mut browser = place.browser();
            let names = [("username", username)];
            let answer = browser.log_in("/admin", &names, password).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{username}");
            assert!(browser.session("admin").is_empty());
            let body = answer.body.replace(&browser.token, "TOKEN");
            let value = format!("value=\"{}\"", username.trim());
            pages.push(body.replace(&value, "value=\"\""));
        }
        pages.dedup();
        assert_eq!(pages.len(), 1, "{}: {pages:?}", place.name);
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_are_slowed_down_and_time_heals() {
    for (place, _db) in places(Start::default()).await {
        let mut browser = place.browser();
        let mut refused = 0;
        for _ in 0..6 {
            let answer = browser
                .log_in("/admin", &[("username", "admin")], "wrong")
                .await;
            if answer.status == StatusCode::TOO_MANY_REQUESTS {
                assert!(!answer.header("retry-after").is_empty());
                refused += 1;
            }
        }
        assert!(refused >= 1, "{}", place.name);
        let names = [("username", "admin")];
        let answer = browser.log_in("/admin", &names, PASSWORD).await;
        assert_eq!(
            answer.status,
            StatusCode::TOO_MANY_REQUESTS,
            "the right password waits too"
        );
        place.clock.advance(MINUTE);
        let answer = browser.log_in("/admin", &names, PASSWORD).await;
        assert_eq!(answer.location(), "/admin", "{}", place.name);
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_and_ended_and_a_password_change_ends_the_others() {
    for (place, _db) in places(Start::default()).await {
        let (mut here, mut there, mut elsewhere) = (
            place.owner().await,
            place.owner().await,
            place.owner().await,
        );
        let page = here.get("/admin/security").await;
        assert_eq!(page.body.matches("Firefox · Linux").count(), 3);
        let end = page.body.split("/admin/security/sessions/ses_").nth(1);
        let id = end.and_then(|rest| rest.split('/').next()).expect("an id");
        let path = format!("/admin/security/sessions/ses_{id}/end");
        let answer = here.post(&path, &[]).await;
        assert_eq!(answer.location(), "/admin/security");
        let left = [
            there.is_in("/admin/security").await,
            elsewhere.is_in("/admin/security").await,
        ];
        assert_eq!(left.iter().filter(|is_in| **is_in).count(), 1, "{left:?}");
        assert!(here.is_in("/admin/security").await);
        let answer = here.post(&path, &[]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "ended once");

        let token = place.token("admin", PASSWORD).await;
        here.get("/admin/security").await;
        let cookie = here.session("admin").to_owned();
        let change = [
            ("current", PASSWORD),
            ("password", "another long password"),
            ("repeat", "another long password"),
        ];
        let answer = here.post("/admin/security/password", &change).await;
        assert_eq!(answer.location(), "/admin/security", "{}", answer.body);
        assert_ne!(here.session("admin"), cookie, "a new id");
        assert!(here.is_in("/admin/security").await);
        for other in [&mut there, &mut elsewhere] {
            assert!(!other.is_in("/admin/security").await, "{}", place.name);
        }
        let listed = place
            .api(Method::GET, "/admin/api/tenants", &token, &json!({}))
            .await;
        assert_eq!(listed.status, StatusCode::UNAUTHORIZED, "tokens end too");
        place
            .admin("admin", "another long password")
            .await
            .get("/admin")
            .await;
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_ends_the_session_for_whoever_kept_its_cookie() {
    for (place, _db) in places(Start::default()).await {
        let mut browser = place.owner().await;
        let mut thief = browser.clone();
        browser.get("/admin/security").await;
        let answer = browser.post("/admin/logout", &[]).await;
        assert_eq!(answer.location(), "/admin/login");
        assert!(browser.session("admin").is_empty());
        assert!(!thief.is_in("/admin/security").await, "{}", place.name);
        let page = browser.get("/admin/login").await;
        assert!(page.body.contains("You are signed out."), "said once");
        let page = browser.get("/admin/login").await;
        assert!(!page.body.contains("You are signed out."));
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_leads_to_a_password_of_ones_own() {
    for db in [sqlite().await, postgres().await] {
        let start = Start {
            generated: true,
            ..Start::default()
        };
        let place = Place::over(&db, start).await;
        let first = place.server.first_start.as_ref().expect("a first start");
        let printed = first.admin_password.clone().expect("a password");
        // The API is no way around it.
        let body = json!({"username": "admin", "password": printed.expose()});
        let answer = place.api(Method::POST, "/admin/api/login", "", &body).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
        assert_eq!(answer.json()["error"]["code"], "password_change_required");

        let mut browser = place.browser();
        assert_eq!(
            browser.get("/admin").await.location(),
            "/admin/login?next=%2Fadmin"
        );
        for path in ["/", "/admin/login"] {
            let answer = browser.get(path).await;
            assert_eq!(answer.location(), "/admin/setup", "{} {path}", place.name);
        }
        let page = browser.get("/admin/setup").await;
        assert_eq!(page.status, StatusCode::OK);
        let form = |one_time, username, password, repeat| {
            [
                ("one_time", one_time),
                ("username", username),
                ("password", password),
                ("repeat", repeat),
            ]
        };
        let printed = printed.expose().as_str();
        for (wrong, status) in [
            (form("guessed", "root", PASSWORD, PASSWORD), 401),
            (form(printed, "root", "short", "short"), 422),
            (form(printed, "root", PASSWORD, "something else"), 422),
            (form(printed, "ro ot", PASSWORD, PASSWORD), 422),
            (form(printed, "root", printed, printed), 422),
        ] {
            let answer = browser.post("/admin/setup", &wrong).await;
            assert_eq!(answer.status.as_u16(), status, "{wrong:?}");
        }
        let answer = browser
            .post("/admin/setup", &form(printed, "root", PASSWORD, PASSWORD))
            .await;
        assert_eq!(answer.location(), "/admin", "{}", answer.body);
        assert!(browser.is_in("/admin/superadmins").await);

        // It is over: nobody sets it up again, and the printed password is worth nothing.
        let mut late = place.browser();
        assert_eq!(late.get("/").await.location(), "/portal");
        assert_eq!(late.get("/admin/setup").await.location(), "/admin/login");
        for name in ["admin", "root"] {
            let answer = late.log_in("/admin", &[("username", name)], printed).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}");
        }
        place.admin("root", PASSWORD).await;
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_ended_here_is_refused_there_at_once() {
    for db in [sqlite().await, postgres().await] {
        let start = Start {
            real_time: true,
            ..Start::default()
        };
        let (near, far) = (Place::over(&db, start).await, Place::over(&db, start).await);
        let mut browser = near.owner().await;
        let mut same = far.browser();
        same.cookies.clone_from(&browser.cookies);
        assert!(same.is_in("/admin/security").await, "one session for both");
        browser.get("/admin/security").await;
        browser.post("/admin/logout", &[]).await;
        assert!(!same.is_in("/admin/security").await, "{}", db.name);
        near.end().await;
        far.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_says_who_signs_in_and_never_the_password() {
    for (place, _db) in places(Start::default()).await {
        let mut browser = place.browser();
        let long = "a".repeat(600);
        for (query, there, gone) in [
            (
                "tenant=demo&username=mia",
                vec!["value=\"demo\"", "value=\"mia\""],
                vec![],
            ),
            (
                "tenant=%3Cb%3E%22&username=",
                vec!["value=\"&#60;b&#62;&#34;\""],
                vec!["<b>"],
            ),
            (
                "username=mia&password=secret",
                vec!["value=\"mia\""],
                vec!["secret"],
            ),
            (&format!("username={long}"), vec![], vec!["aaaa"]),
        ] {
            let page = browser.get(&format!("/portal/login?{query}")).await.body;
            for part in there {
                assert!(page.contains(part), "{}: {part} of {query}", place.name);
            }
            for part in gone {
                assert!(!page.contains(part), "{}: {part} of {query}", place.name);
            }
        }
        place.end().await;
    }
}
