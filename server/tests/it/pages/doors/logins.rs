//! Logging in over the API, step by step, and how such logins end.

use std::time::Duration;

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};
use server::auth::totp;

use super::super::{Browser, PASSWORD, Place, Start, places, superadmin};
use super::{admin, code, post, tenant_fixture};
use crate::support::decoded;

const LOGIN: &str = "/admin/api/login";
const MINUTE: Duration = Duration::from_secs(60);

async fn works(place: &Place, token: &str) -> bool {
    let answer = place
        .api(Method::GET, "/admin/api/sessions", token, &json!({}))
        .await;
    answer.status == StatusCode::OK
}

#[tokio::test(flavor = "multi_thread")]
async fn a_given_password_is_changed_before_anything_else() {
    for (place, _db) in places(Start::default()).await {
        let owner = place.token("admin", PASSWORD).await;
        let new = json!({"username": "new", "password": "given to them", "role": "operator"});
        let made = post(&place, "/admin/api/superadmins", &owner, &new).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        let given = json!({"username": "new", "password": "given to them"});
        let refused = post(&place, LOGIN, "", &given).await;
        assert_eq!(
            (refused.status, code(&refused)),
            (StatusCode::FORBIDDEN, "password_change_required".to_owned()),
            "{}",
            place.name
        );
        let choose = |password: &str, new: &str| json!({"username": "new", "password": password, "new_password": new});
        let path = format!("{LOGIN}/password");
        for (body, right) in [
            (choose("wrong", "a new password"), "invalid_api_key"),
            (choose("given to them", "given to them"), "invalid_value"),
            (choose("given to them", "short"), "invalid_value"),
        ] {
            let answer = post(&place, &path, "", &body).await;
            assert_eq!(code(&answer), right, "{}", answer.body);
        }
        // Another step does not take its place.
        let step = post(&place, &format!("{LOGIN}/factor"), "", &given).await;
        assert_eq!(code(&step), "not_this_step");
        let chosen = post(
            &place,
            &path,
            "",
            &choose("given to them", "a new password"),
        )
        .await;
        assert_eq!(chosen.status, StatusCode::OK, "{}", chosen.body);
        assert!(works(&place, chosen.json()["token"].as_str().expect("a token")).await);
        let again = post(
            &place,
            &path,
            "",
            &choose("a new password", "another password"),
        )
        .await;
        assert_eq!(code(&again), "not_this_step", "it is asked for once");
        let old = post(&place, LOGIN, "", &given).await;
        assert_eq!(old.status, StatusCode::UNAUTHORIZED);
        place.token("new", "a new password").await;
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_leaves_no_way_around_a_password_of_ones_own() {
    let start = Start {
        generated: true,
        ..Start::default()
    };
    for (place, _db) in places(start).await {
        let first = place.server.first_start.as_ref().expect("a first start");
        let given = first.admin_password.as_ref().expect("a password");
        let body = json!({"username": "admin", "password": given.expose()});
        let refused = post(&place, LOGIN, "", &body).await;
        assert_eq!(code(&refused), "password_change_required", "{}", place.name);
        let body = json!({
            "username": "admin", "password": given.expose(),
            "new_password": PASSWORD, "new_username": "root",
        });
        let chosen = post(&place, &format!("{LOGIN}/password"), "", &body).await;
        assert_eq!(chosen.json()["user"]["username"], "root", "{}", chosen.body);
        place.end().await;
    }
}

async fn require_factors(place: &Place) {
    let mut owner: Browser = place.owner().await;
    owner.get("/admin/settings").await;
    let fields = [
        ("idle_minutes", "60"),
        ("absolute_hours", "2"),
        ("require_second_factor", "on"),
    ];
    let saved = owner.post("/admin/settings/security", &fields).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
}

/// Goes from a password to a login with a second factor; answers the factor's secret.
async fn set_up(place: &Place, login: &str, shown: &Value) -> Vec<u8> {
    let refused = post(place, login, "", shown).await;
    assert_eq!(
        (refused.status, code(&refused)),
        (StatusCode::FORBIDDEN, "second_factor_needed".to_owned()),
        "{}",
        place.name
    );
    let with = |code: &str| {
        let mut shown = shown.clone();
        shown["code"] = code.into();
        shown
    };
    let draft = post(place, &format!("{login}/factor"), "", shown).await;
    assert_eq!(draft.status, StatusCode::OK, "{}", draft.body);
    let secret = decoded(draft.json()["secret"].as_str().expect("letters"));
    let path = format!("{login}/factor/confirm");
    let wrong = post(place, &path, "", &with("000000")).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    let right = totp::code_at(&secret, place.clock.now());
    let done = post(place, &path, "", &with(&right)).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    assert_eq!(
        done.json()["recovery_codes"].as_array().map(Vec::len),
        Some(10)
    );
    assert!(done.json()["session"]["token"].is_string());
    place.clock.advance(MINUTE);
    let missing = post(place, login, "", shown).await;
    assert_eq!(code(&missing), "second_factor_required");
    let right = totp::code_at(&secret, place.clock.now());
    let entered = post(place, login, "", &with(&right)).await;
    assert_eq!(entered.status, StatusCode::OK, "{}", entered.body);
    let again = post(place, &format!("{login}/factor"), "", shown).await;
    assert_eq!(
        code(&again),
        "not_this_step",
        "the password alone brings no other factor"
    );
    secret
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_that_is_asked_for_is_set_up_over_the_api() {
    for (place, _db) in places(Start::default()).await {
        let owner = place.token("admin", PASSWORD).await;
        let acme = tenant_fixture(&place, &owner, "Acme").await;
        require_factors(&place).await;
        let shown = json!({"username": "admin", "password": PASSWORD});
        set_up(&place, LOGIN, &shown).await;

        let mut ada = place.browser();
        let names = [("tenant", "Acme"), ("username", "ada")];
        assert_eq!(
            ada.log_in("/portal", &names, PASSWORD).await.location(),
            "/portal"
        );
        ada.get("/portal/settings").await;
        let saved = ada
            .post(
                "/portal/settings/security",
                &[("require_second_factor", "on")],
            )
            .await;
        assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
        let shown = json!({"apiKey": acme.secret, "username": "ada", "password": PASSWORD});
        set_up(&place, "/api/v1/auth/login", &shown).await;
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superadmins_token_ends_with_logout_change_and_time() {
    for (place, _db) in places(Start::default()).await {
        let owner = place.token("admin", PASSWORD).await;
        let id = superadmin(&place, &owner, "sue", "operator").await;
        let path = format!("/superadmins/{id}");
        let sue = || place.token("sue", PASSWORD);

        let (first, second) = (sue().await, sue().await);
        let out = post(&place, "/admin/api/logout", &first, &json!({})).await;
        assert_eq!(out.status, StatusCode::NO_CONTENT, "{}", out.body);
        assert!(!works(&place, &first).await && works(&place, &second).await);
        let list = place
            .api(Method::GET, "/admin/api/sessions", &second, &json!({}))
            .await;
        let list = list.json()["data"].as_array().cloned().expect("a list");
        assert_eq!(list.len(), 1, "{}: {list:?}", place.name);
        let third = sue().await;
        let one = format!(
            "/admin/api/sessions/{}",
            list[0]["id"].as_str().expect("an id")
        );
        let foreign = place.api(Method::DELETE, &one, &owner, &json!({})).await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND, "another's login");
        let ended = place.api(Method::DELETE, &one, &third, &json!({})).await;
        assert_eq!(ended.status, StatusCode::NO_CONTENT);
        assert!(!works(&place, &second).await && works(&place, &third).await);

        let change = json!({"role": "finance"});
        admin(&place, &owner, Method::PATCH, &path, &change).await;
        assert!(!works(&place, &third).await, "another role");
        let fourth = sue().await;
        admin(
            &place,
            &owner,
            Method::PATCH,
            &path,
            &json!({"status": "disabled"}),
        )
        .await;
        assert!(!works(&place, &fourth).await, "shut out");
        admin(
            &place,
            &owner,
            Method::PATCH,
            &path,
            &json!({"status": "active"}),
        )
        .await;
        let fifth = sue().await;
        let reset = format!("/admin/api{path}/password");
        let reset = post(&place, &reset, &owner, &json!({"password": "given again"})).await;
        assert!(reset.status.is_success(), "{}", reset.body);
        assert!(!works(&place, &fifth).await, "another password");
        place.clock.advance(Duration::from_secs(8 * 3_600));
        assert!(!works(&place, &owner).await, "after a working day");
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_users_logins_are_listed_and_end_one_by_one_and_with_their_role() {
    for (place, _db) in places(Start::default()).await {
        let owner = place.token("admin", PASSWORD).await;
        let acme = tenant_fixture(&place, &owner, "Acme").await;
        let (first, second) = (
            acme.token(&place, "mia").await,
            acme.token(&place, "mia").await,
        );
        let path = "/api/v1/auth/sessions";
        let listed = async |token: &str| {
            let list = place.api(Method::GET, path, token, &json!({})).await;
            let list = list.json()["data"].as_array().cloned();
            list.map(|list| list.len())
        };
        assert_eq!(listed(&first).await, Some(2), "{}", place.name);
        let list = place
            .api(Method::GET, path, &first, &json!({}))
            .await
            .json();
        let newest = list["data"][0]["id"].as_str().expect("an id").to_owned();
        let one = format!("{path}/{newest}");
        let ada = acme.token(&place, "ada").await;
        for stranger in [&ada, &acme.secret] {
            let answer = place.api(Method::DELETE, &one, stranger, &json!({})).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND);
        }
        let ended = place.api(Method::DELETE, &one, &first, &json!({})).await;
        assert_eq!(ended.status, StatusCode::NO_CONTENT, "{}", ended.body);
        assert_eq!(listed(&first).await, Some(1));
        assert_eq!(listed(&second).await, None, "ended");
        let user = format!("/tenants/{}/users/{}", acme.id, acme.member);
        admin(
            &place,
            &owner,
            Method::PATCH,
            &user,
            &json!({"role": "admin"}),
        )
        .await;
        assert_eq!(listed(&first).await, None, "another role");
        place.end().await;
    }
}
