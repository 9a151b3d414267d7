//! Forms that our pages did not make: without a token, from elsewhere, or too large.

use poem::http::StatusCode;

use super::super::{PASSWORD, Start, places};

#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_its_own_token_changes_nothing() {
    for (place, _db) in places(Start::default()).await {
        let mut owner = place.owner().await;
        let mut other = place.owner().await;
        other.get("/admin/settings").await;
        let theirs = other.token.clone();
        let mut fresh = place.browser();
        fresh.get("/admin/login").await;
        let before_login = fresh.token.clone();
        owner.get("/admin/settings").await;
        let line = ("announcement", "planted");
        for token in [
            None,
            Some(""),
            Some("x"),
            Some(&*theirs),
            Some(&*before_login),
        ] {
            let fields: Vec<_> = token
                .map(|token| ("csrf", token))
                .into_iter()
                .chain([line])
                .collect();
            let answer = owner
                .post_bare("/admin/settings/announcement", &fields)
                .await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{token:?}");
        }
        assert!(!owner.get("/admin/settings").await.body.contains("planted"));

        // The script's header does as well as the field.
        owner.headers = vec![("x-csrf-token", owner.token.clone())];
        let answer = owner
            .post_bare(
                "/admin/settings/announcement",
                &[("announcement", "wanted")],
            )
            .await;
        assert_eq!(answer.location(), "/admin/settings", "{}", place.name);
        owner.headers.clear();
        assert!(owner.get("/admin/settings").await.body.contains("wanted"));
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_another_page_sends_is_refused() {
    for (place, _db) in places(Start::default()).await {
        let mut attacker = place.browser();
        attacker.get("/admin/login").await;
        let stolen = attacker.token.clone();
        let fields = |token| {
            [
                ("csrf", token),
                ("username", "admin"),
                ("password", PASSWORD),
            ]
        };
        // The victim's browser has no cookie yet, or one of its own.
        let mut victim = place.browser();
        for visited in [false, true] {
            if visited {
                victim.get("/admin/login").await;
            }
            let answer = victim.post_bare("/admin/login", &fields(&stolen)).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{visited}");
            assert!(victim.session("admin").is_empty());
        }
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_from_elsewhere_is_refused_even_with_its_token() {
    for (place, _db) in places(Start::default()).await {
        let mut owner = place.owner().await;
        for (header, value, status) in [
            ("origin", "https://evil.example", 403),
            ("origin", "http://localhost:3001", 403),
            ("origin", "null", 403),
            ("origin", "http://localhost:3000.evil.example", 403),
            ("sec-fetch-site", "cross-site", 403),
            ("sec-fetch-site", "same-site", 403),
            ("origin", "http://localhost:3000", 303),
            ("sec-fetch-site", "same-origin", 303),
        ] {
            owner.headers.clear();
            owner.get("/admin/settings").await;
            owner.headers = vec![(header, value.to_owned())];
            let answer = owner
                .post("/admin/settings/announcement", &[("announcement", "x")])
                .await;
            assert_eq!(answer.status.as_u16(), status, "{header}: {value}");
        }
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_too_large_is_not_read() {
    for (place, _db) in places(Start::default()).await {
        let mut owner = place.owner().await;
        owner.get("/admin/settings").await;
        let long = "x".repeat(300 * 1024);
        let answer = owner
            .post("/admin/settings/announcement", &[("announcement", &long)])
            .await;
        assert_eq!(
            answer.status,
            StatusCode::PAYLOAD_TOO_LARGE,
            "{}",
            place.name
        );
        place.end().await;
    }
}
