//! What answers tell browsers: flags of cookies, and the headers of every page.

use poem::http::{Method, StatusCode};

use super::super::{PASSWORD, Start, places};

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_public_address_cookies_are_secure_and_the_address_is_the_only_origin() {
    let start = Start {
        public_url: "https://Waule.example:443/",
        ..Start::default()
    };
    for (place, _db) in places(start).await {
        let mut browser = place.browser();
        let page = browser.get("/admin/login").await;
        assert!(
            page.header("strict-transport-security")
                .contains("max-age=31536000")
        );
        browser.headers = vec![("origin", "https://localhost:3000".to_owned())];
        let fields = [("username", "admin"), ("password", PASSWORD)];
        let answer = browser.post("/admin/login", &fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        browser.headers = vec![("origin", "https://waule.example".to_owned())];
        let answer = browser.post("/admin/login", &fields).await;
        assert_eq!(answer.location(), "/admin", "{}", answer.body);
        let session = answer.set_cookies()[0];
        assert!(session.starts_with("__Host-waule_admin="), "{session}");
        for flag in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
            assert!(session.contains(flag), "{session}");
        }
        assert!(!session.contains("Domain"));
        // Without the prefix it is not taken: a subdomain or plain http could have set it.
        let value = browser.cookies["__Host-waule_admin"].clone();
        let mut planted = place.browser();
        planted.cookies.insert("waule_admin".to_owned(), value);
        assert!(!planted.is_in("/admin/security").await, "{}", place.name);
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_plain_http_the_flags_are_those_that_a_browser_keeps() {
    for (place, _db) in places(Start::default()).await {
        let mut browser = place.browser();
        let page = browser.get("/admin/login").await;
        assert!(page.header("strict-transport-security").is_empty());
        let answer = browser
            .post(
                "/admin/login",
                &[("username", "admin"), ("password", PASSWORD)],
            )
            .await;
        let session = answer.set_cookies()[0];
        assert!(session.starts_with("waule_admin="), "{session}");
        for flag in ["; Path=/", "; HttpOnly", "; SameSite=Lax"] {
            assert!(session.contains(flag), "{session}");
        }
        assert!(!session.contains("Secure"), "{session}");
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_of_a_page_has_the_headers() {
    for (place, _db) in places(Start::default()).await {
        let mut browser = place.browser();
        let mut owner = place.owner().await;
        let answers = [
            browser.get("/admin/login").await,
            browser.get("/admin/nowhere").await,
            browser.get("/portal/login").await,
            browser.get("/admin").await,
            browser.send(Method::DELETE, "/admin/login", None).await,
            browser.post_bare("/admin/login", &[]).await,
            owner.get("/admin/superadmins").await,
            owner.get("/admin/nowhere").await,
        ];
        for (number, answer) in answers.iter().enumerate() {
            let policy = answer.header("content-security-policy");
            for part in [
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self'",
                "img-src 'self' data: blob:",
                "connect-src 'self'",
                "form-action 'self'",
                "frame-ancestors 'none'",
                "base-uri 'none'",
            ] {
                assert!(policy.contains(part), "{number}: {policy}");
            }
            assert!(!policy.contains("unsafe"), "{policy}");
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "same-origin"),
                ("cross-origin-opener-policy", "same-origin"),
                ("cache-control", "no-store"),
            ] {
                assert_eq!(answer.header(name), value, "{number}: {name}");
            }
            assert!(answer.header("permissions-policy").contains("camera=()"));
            assert!(answer.header("x-request-id").starts_with("req_"));
        }
        assert_eq!(answers[1].status, StatusCode::NOT_FOUND);
        assert!(answers[1].body.contains("req_"), "a number to quote");

        let page = &answers[0].body;
        let style = page
            .split("href=\"/assets/")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let path = format!("/assets/{}", style.expect("a style sheet"));
        let asset = browser.get(&path).await;
        assert_eq!(asset.status, StatusCode::OK, "{path}");
        assert!(asset.header("cache-control").contains("immutable"));
        assert_eq!(asset.header("x-content-type-options"), "nosniff");
        assert!(asset.set_cookies().is_empty());
        let none = browser.get("/assets/other.css").await;
        assert_eq!(none.status, StatusCode::NOT_FOUND);
        place.end().await;
    }
}
