//! What a stranger's page or a crafted link can't do: forms without a token, from elsewhere, of
//! another person; redirects to other hosts; cookies and headers of every answer.

mod forms;
mod headers;

use poem::http::StatusCode;

use super::{PASSWORD, Start, places, superadmin};

#[tokio::test(flavor = "multi_thread")]
async fn a_login_leads_to_pages_of_ours_only() {
    for (place, _db) in places(Start::default()).await {
        for (next, expected) in [
            ("/admin/settings?x=1", "/admin/settings?x=1"),
            ("//evil.example", "/admin"),
            ("https://evil.example/admin", "/admin"),
            ("/\\evil.example", "/admin"),
            ("/admin/..//evil.example", "/admin"),
            ("/admin\r\nset-cookie: a=b", "/admin"),
            ("/portal", "/admin"),
            ("/admin/api/tenants", "/admin"),
            ("javascript:alert(1)", "/admin"),
        ] {
            let mut browser = place.browser();
            let names = [("username", "admin"), ("next", next)];
            let answer = browser.log_in("/admin", &names, PASSWORD).await;
            assert_eq!(answer.location(), expected, "{next}");
            // Confirming, and choosing a language, lead nowhere else either.
            browser.get("/admin/security").await;
            for (path, field) in [
                ("/admin/confirm", "password"),
                ("/admin/preferences", "theme"),
            ] {
                let fields = [(field, PASSWORD), ("next", next)];
                let answer = browser.post(path, &fields).await;
                assert_eq!(answer.location(), expected, "{path}: {next}");
            }
        }
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_chooses_the_language_and_the_person_overrules_it() {
    for (place, _db) in places(Start::default()).await {
        let mut browser = place.browser();
        browser.headers = vec![("accept-language", "zh-TW,zh;q=0.9,en;q=0.8".to_owned())];
        let page = browser.get("/portal/login").await;
        assert!(page.body.contains("<html lang=\"zh-CN\""), "{}", page.body);
        let fields = [("lang", "en"), ("theme", "dark"), ("next", "/portal/login")];
        let answer = browser.post("/portal/preferences", &fields).await;
        assert_eq!(answer.location(), "/portal/login");
        let page = browser.get("/portal/login").await;
        assert!(page.body.contains("<html lang=\"en\" data-theme=\"dark\""));
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_and_money_ask_again_after_ten_minutes() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let id = superadmin(&place, &token, "helper", "operator").await;
        let mut owner = place.owner().await;
        let disable = format!("/admin/superadmins/{id}/disable");
        owner.get("/admin/superadmins").await;
        owner.headers = vec![(
            "referer",
            "http://localhost:3000/admin/superadmins?x=1".to_owned(),
        )];
        place.clock.advance(std::time::Duration::from_secs(600));
        let answer = owner.post(&disable, &[]).await;
        assert_eq!(
            answer.location(),
            "/admin/confirm?next=%2Fadmin%2Fsuperadmins%3Fx%3D1",
            "{}",
            place.name
        );
        let page = owner.get(answer.location()).await;
        assert_eq!(page.field("next"), Some("/admin/superadmins?x=1"));
        let wrong = owner.post("/admin/confirm", &[("password", "wrong")]).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
        assert_eq!(
            owner.post(&disable, &[]).await.status,
            StatusCode::SEE_OTHER,
            "still asked"
        );
        let fields = [("password", PASSWORD), ("next", "/admin/superadmins?x=1")];
        let answer = owner.post("/admin/confirm", &fields).await;
        assert_eq!(answer.location(), "/admin/superadmins?x=1");
        let answer = owner.post(&disable, &[]).await;
        assert_eq!(answer.location(), "/admin/superadmins");
        let page = owner.get("/admin/superadmins").await;
        assert!(page.body.contains("Disabled."), "{}", page.body);
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn our_script_is_told_in_json_what_is_wrong() {
    for (place, _db) in places(Start::default()).await {
        let mut owner = place.owner().await;
        owner.headers = vec![("x-csrf-token", "another person's".to_owned())];
        let answer = owner.post_bare("/admin/settings/announcement", &[]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert_eq!(answer.json()["error"]["message"], "This form has expired");
        let mut stranger = place.browser();
        stranger.headers.clone_from(&owner.headers);
        let answer = stranger.get("/admin/superadmins").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", place.name);
        assert_eq!(
            answer.location(),
            "/admin/login?next=%2Fadmin%2Fsuperadmins"
        );
        assert!(answer.json()["error"]["request"].is_string());
        place.end().await;
    }
}
