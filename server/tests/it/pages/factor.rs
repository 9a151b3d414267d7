//! The second factor: set up, asked for at every door, each code once.

use std::time::Duration;

use poem::http::{Method, StatusCode};
use serde_json::json;
use server::auth::totp;

use super::{Answer, Browser, PASSWORD, Place, Start, places};
use crate::support::decoded;

const STEP: Duration = Duration::from_secs(30);
const MINUTE: Duration = Duration::from_secs(60);

/// The secret of a set-up page, out of its letters.
fn secret_of(page: &Answer) -> Vec<u8> {
    let shown = page.body.split("<code>").nth(1);
    let letters = shown
        .and_then(|rest| rest.split('<').next())
        .expect("letters");
    decoded(letters)
}

/// Sets a second factor up; answers its secret and the recovery codes.
async fn set_up(place: &Place, browser: &mut Browser) -> (Vec<u8>, Vec<String>) {
    let page = browser.get("/admin/security/totp").await;
    assert!(page.body.contains("<svg"), "a QR code");
    let secret = secret_of(&page);
    assert_eq!(
        secret_of(&browser.get("/admin/security/totp").await),
        secret,
        "the same until it is confirmed"
    );
    let wrong = browser
        .post("/admin/security/totp", &[("code", "000000")])
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let code = totp::code_at(&secret, place.clock.now());
    let before = browser.session("admin").to_owned();
    let codes = browser
        .post("/admin/security/totp", &[("code", &code)])
        .await;
    assert_eq!(codes.status, StatusCode::OK, "{}", codes.body);
    assert_ne!(browser.session("admin"), before, "a new id");
    let codes: Vec<String> = codes
        .body
        .split("<li><code>")
        .skip(1)
        .filter_map(|rest| rest.split('<').next().map(str::to_owned))
        .collect();
    assert_eq!(codes.len(), 10);
    (secret, codes)
}

async fn second_step(place: &Place) -> Browser {
    let mut browser = place.browser();
    let names = [("username", "admin"), ("next", "/admin/settings")];
    let answer = browser.log_in("/admin", &names, PASSWORD).await;
    assert_eq!(
        answer.location(),
        "/admin/login/second?next=%2Fadmin%2Fsettings"
    );
    let page = browser.get(answer.location()).await;
    assert_eq!(page.field("next"), Some("/admin/settings"));
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_asked_for_and_works_once() {
    for (place, _db) in places(Start::default()).await {
        let mut owner = place.owner().await;
        let (secret, _) = set_up(&place, &mut owner).await;
        assert!(owner.is_in("/admin/security").await);

        // The code that set it up is used.
        let mut browser = second_step(&place).await;
        assert!(!browser.is_in("/admin/security").await, "not in yet");
        let code = totp::code_at(&secret, place.clock.now());
        let next = ("next", "/admin/settings");
        let answer = browser
            .post("/admin/login/second", &[("code", &code), next])
            .await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "a replay");

        place.clock.advance(MINUTE);
        let code = totp::code_at(&secret, place.clock.now());
        let pending = browser.session("admin").to_owned();
        let answer = browser
            .post("/admin/login/second", &[("code", &code), next])
            .await;
        assert_eq!(answer.location(), "/admin/settings", "{}", answer.body);
        assert_ne!(browser.session("admin"), pending, "a new id");
        assert!(browser.is_in("/admin/security").await);

        // Neither the same code again nor an older one passes.
        let mut other = second_step(&place).await;
        let answer = other.post("/admin/login/second", &[("code", &code)]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", place.name);
        let old = totp::code_at(&secret, place.clock.now().before(STEP));
        let answer = other.post("/admin/login/second", &[("code", &old)]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", place.name);
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_code_works_once_and_new_ones_end_the_old() {
    for (place, _db) in places(Start::default()).await {
        let mut owner = place.owner().await;
        let (secret, codes) = set_up(&place, &mut owner).await;
        let enter = async |code: &str| {
            let mut browser = second_step(&place).await;
            let path = "/admin/login/second?recovery=1";
            let answer = browser.post(path, &[("code", code)]).await;
            place.clock.advance(MINUTE);
            answer.status == StatusCode::SEE_OTHER
        };
        // As people type it: in capitals and without hyphens.
        let typed = codes[0].replace('-', " ").to_uppercase();
        assert!(enter(&typed).await, "{}", place.name);
        assert!(!enter(&codes[0]).await, "used");
        assert!(!enter("aaaa-bbbb-cccc-dddd").await);

        let page = owner.get("/admin/security").await;
        assert!(page.body.contains("<strong>9</strong>"), "nine are left");
        for fields in [
            [("password", "wrong"), ("code", codes[1].as_str())],
            [("password", PASSWORD), ("code", "")],
            [("password", PASSWORD), ("code", "000000")],
        ] {
            let wrong = owner.post("/admin/security/recovery", &fields).await;
            assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
            place.clock.advance(MINUTE);
        }
        let code = totp::code_at(&secret, place.clock.now());
        let renewed = owner
            .post(
                "/admin/security/recovery",
                &[("password", PASSWORD), ("code", &code)],
            )
            .await;
        assert_eq!(renewed.body.matches("<li><code>").count(), 10);
        assert!(!enter(&codes[1]).await, "the old ones are gone");
        let fresh = renewed.body.split("<li><code>").nth(3);
        let fresh = fresh.and_then(|rest| rest.split('<').next());
        assert!(enter(fresh.expect("a code")).await);
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_codes_are_slowed_down() {
    for (place, _db) in places(Start::default()).await {
        let mut owner = place.owner().await;
        set_up(&place, &mut owner).await;
        place.clock.advance(2 * MINUTE);
        let mut browser = second_step(&place).await;
        let mut refused = 0;
        for _ in 0..6 {
            let answer = browser
                .post("/admin/login/second", &[("code", "123456")])
                .await;
            refused += usize::from(answer.status == StatusCode::TOO_MANY_REQUESTS);
        }
        assert!(refused >= 1, "{}: codes can be tried for ever", place.name);
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_asks_for_the_code_too_and_only_behind_the_password() {
    for (place, _db) in places(Start::default()).await {
        let mut owner = place.owner().await;
        let (secret, codes) = set_up(&place, &mut owner).await;
        place.clock.advance(MINUTE);
        let log_in = async |password: &str, code: Option<&str>| {
            let body = json!({"username": "admin", "password": password, "code": code});
            let answer = place.api(Method::POST, "/admin/api/login", "", &body).await;
            let code = answer.json()["error"]["code"].clone();
            (answer.status.as_u16(), code)
        };
        assert_eq!(
            log_in("wrong", None).await,
            (401, json!("invalid_api_key")),
            "the second factor is not told to strangers"
        );
        assert_eq!(
            log_in(PASSWORD, None).await,
            (401, json!("second_factor_required"))
        );
        assert_eq!(log_in(PASSWORD, Some("000000")).await.0, 401);
        let code = totp::code_at(&secret, place.clock.now());
        assert_eq!(log_in(PASSWORD, Some(&code)).await.0, 200);
        assert_eq!(log_in(PASSWORD, Some(&code)).await.0, 401, "a replay");
        assert_eq!(log_in(PASSWORD, Some(&codes[3])).await.0, 200);
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_turned_off_with_password_and_code_and_asked_of_all_when_the_settings_say_so() {
    for (place, _db) in places(Start::default()).await {
        let mut owner = place.owner().await;
        let (_, codes) = set_up(&place, &mut owner).await;
        owner.get("/admin/security").await;
        for fields in [
            [("password", "wrong"), ("code", codes[0].as_str())],
            [("password", PASSWORD), ("code", "")],
            [("password", PASSWORD), ("code", "123456")],
        ] {
            let wrong = owner.post("/admin/security/totp/off", &fields).await;
            assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
            place.clock.advance(MINUTE);
        }
        // Whoever lost the app has a recovery code.
        let off = owner
            .post(
                "/admin/security/totp/off",
                &[("password", PASSWORD), ("code", codes[0].as_str())],
            )
            .await;
        assert_eq!(off.location(), "/admin/security");

        owner.get("/admin/settings").await;
        let fields = [
            ("idle_minutes", "60"),
            ("absolute_hours", "8"),
            ("require_second_factor", "on"),
        ];
        owner.post("/admin/settings/security", &fields).await;
        let mut browser = place.browser();
        let names = [("username", "admin")];
        let answer = browser.log_in("/admin", &names, PASSWORD).await;
        assert_eq!(answer.location(), "/admin/security/totp", "{}", place.name);
        for path in ["/admin/security", "/admin/superadmins", "/admin/confirm"] {
            let answer = browser.get(path).await;
            assert_eq!(answer.location(), "/admin/security/totp", "{path}");
        }
        set_up(&place, &mut browser).await;
        assert!(browser.is_in("/admin/superadmins").await);
        place.end().await;
    }
}
