//! Pages tell all of their times and days in one zone: the console's in the platform's, the portal's in the
//! tenant's, and files say by how much it is ahead of UTC.

use std::time::Duration;

use poem::http::{Method, StatusCode};
use serde_json::json;

use super::{Browser, PASSWORD, Place, Start, places};

/// Pages learn of a change of the platform's zone within ten seconds.
const LEARNED: Duration = Duration::from_secs(11);

async fn set_platform(place: &Place, token: &str, zone: &str) {
    let path = "/admin/api/settings/calendar";
    let body = json!({"time_zone": zone});
    let set = place.api(Method::PUT, path, token, &body).await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.body);
    place.clock.advance(LEARNED);
}

/// A tenant whose owner is logged in, and its address in the API.
async fn tenant(place: &Place, token: &str, name: &str) -> (Browser, String) {
    let body = json!({"name": name, "username": "ada", "password": PASSWORD});
    let path = "/admin/api/tenants";
    let made = place.api(Method::POST, path, token, &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let start = made.body.find("ten_").expect("an id");
    let rest = &made.body[start..];
    let id = &rest[..rest.find('"').expect("an end")];
    let mut browser = place.browser();
    let names = [("tenant", name), ("username", "ada")];
    let answer = browser.log_in("/portal", &names, PASSWORD).await;
    assert_eq!(answer.location(), "/portal", "{}", answer.body);
    (browser, format!("{path}/{id}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_page_tells_its_times_in_one_zone_and_names_it() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        // 2026-11-18 11:06:40 in UTC.
        let mut owner = place.owner().await;
        let (mut own, path) = tenant(&place, &token, "Own").await;
        let (mut other, _) = tenant(&place, &token, "Other").await;
        let kolkata = json!({"time_zone": "Asia/Kolkata"});
        let set = place.api(Method::PATCH, &path, &token, &kolkata).await;
        assert_eq!(set.status, StatusCode::OK, "{}", set.body);
        set_platform(&place, &token, "America/New_York").await;

        let log = owner.get("/admin/audit").await.body;
        assert!(
            log.contains(">2026-11-18 06:06<span"),
            "{} {log}",
            place.name
        );
        assert!(!log.contains("2026-11-18 11:06"), "no time of another zone");
        for (who, page, label) in [
            (&mut owner, "/admin", "America/New_York (UTC-5)"),
            (&mut own, "/portal", "Asia/Kolkata (UTC+5:30)"),
            (&mut other, "/portal", "America/New_York (UTC-5)"),
        ] {
            let shown = who.get(page).await.body;
            assert!(shown.contains(label), "{} {label} {shown}", place.name);
            assert!(shown.contains(r#"class="chart-zone""#), "{page}");
        }
        let overview = own.get("/portal").await.body;
        // Sums are kept by hours of UTC, which begin at half past there.
        assert!(overview.contains("Asia/Kolkata (UTC+5:30); days from 23:30"));
        let sessions = own.get("/portal/security").await.body;
        assert!(
            sessions.contains("2026-11-18 16:36:40 UTC+5:30"),
            "{sessions}"
        );
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_and_files_are_by_the_days_of_the_zone() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let mut owner = place.owner().await;
        let found = async |owner: &mut Browser, query: &str| {
            let page = owner.get(&format!("/admin/audit?{query}")).await;
            page.body.contains("/admin/audit/aud_")
        };
        assert!(found(&mut owner, "from=2026-11-18&to=2026-11-18").await);
        assert!(!found(&mut owner, "from=2026-11-19").await);
        // Fourteen hours ahead it is one in the morning of the next day.
        set_platform(&place, &token, "Pacific/Kiritimati").await;
        assert!(!found(&mut owner, "to=2026-11-18").await, "{}", place.name);
        assert!(found(&mut owner, "from=2026-11-19&to=2026-11-19").await);
        let file = owner.get("/admin/audit.csv?from=2026-11-19").await.body;
        assert!(file.contains("2026-11-19T01:06:40.000+14:00,"), "{file}");
        assert!(!file.contains("Z,"), "{file}");
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_ends_with_the_day_of_its_tenant() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let (mut owner, path) = tenant(&place, &token, "Acme").await;
        let shanghai = json!({"time_zone": "Asia/Shanghai"});
        place.api(Method::PATCH, &path, &token, &shanghai).await;
        owner.get("/portal/keys/new").await;
        let new = [
            ("name", "spring"),
            ("kind", "live"),
            ("scopes", "inference"),
            ("expires_at", "2026-12-31"),
        ];
        let made = owner.post("/portal/keys/new", &new).await;
        assert!(made.status.is_success(), "{} {}", made.status, made.body);
        let list = owner.get("/portal/keys").await.body;
        assert!(
            list.contains("2026-12-31T16:00:00Z"),
            "{} {list}",
            place.name
        );
        assert!(list.contains("2027-01-01 00:00:00 UTC+8"), "{list}");
        place.end().await;
    }
}
