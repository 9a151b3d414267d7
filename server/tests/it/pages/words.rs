//! What pages say: errors stay inside the shell, only the first superadmin is greeted as that, every
//! change has its sentence, and addresses that are promised are there.

use std::fs;
use std::path::{Path, PathBuf};

use admin_templates::labels::{AuditTold, Word};
use admin_templates::page::Lang;
use poem::http::{Method, StatusCode};
use serde_json::json;

use super::portal_flows::{log_in, tenant};
use super::{PASSWORD, Start, places, superadmin};

/// What the frame of a signed-in person has and no other page.
const NAVIGATION: &str = "<nav class=\"nav\"";

#[tokio::test(flavor = "multi_thread")]
async fn errors_stay_inside_the_shell_of_whoever_is_signed_in() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let mut owner = place.owner().await;
        for path in ["/admin/nowhere", "/admin/usage/gen_0", "/admin/tenants/x"] {
            let missing = owner.get(path).await;
            assert_eq!(missing.status, StatusCode::NOT_FOUND, "{path}");
            assert!(missing.body.contains(NAVIGATION), "{}", missing.body);
            assert!(missing.body.contains("href=\"/admin/tenants\""));
        }
        tenant(&place, &token, "Acme").await;
        let mut ada = log_in(&place, "Acme", "ada").await;
        let new = [
            ("username", "mia"),
            ("password", PASSWORD),
            ("role", "member"),
        ];
        let answer = ada.post("/portal/members/new", &new).await;
        assert_eq!(answer.location(), "/portal/members", "{}", answer.body);
        let mut mia = log_in(&place, "Acme", "mia").await;
        let refused = mia.get("/portal/usage").await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(refused.body.contains(NAVIGATION), "{}", refused.body);
        // A stranger learns nothing of what is inside.
        let stranger = place.browser().get("/portal/nowhere").await;
        assert!(!stranger.body.contains(NAVIGATION), "{}", stranger.body);
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_first_superadmin_is_greeted_as_the_first() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let body = json!({"username": "mira", "password": "given to them", "role": "read_only"});
        let path = "/admin/api/superadmins";
        let made = place.api(Method::POST, path, &token, &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        for (lang, greeting, own) in [
            ("en", "Welcome to Waule", "Choose your own password"),
            ("zh-CN", "欢迎使用 Waule", "设置您自己的密码"),
        ] {
            let mut mira = place.browser();
            mira.headers = vec![("accept-language", lang.to_owned())];
            let names = [("username", "mira")];
            let answer = mira.log_in("/admin", &names, "given to them").await;
            assert_eq!(answer.location(), "/admin/setup");
            let page = mira.get("/admin/setup").await.body;
            assert!(page.contains(own) && !page.contains(greeting), "{page}");
        }
        // Whoever adds one gives the least unless they choose otherwise.
        let mut owner = place.owner().await;
        let page = owner.get("/admin/superadmins").await.body;
        let (_, form) = page.split_once("id=\"add\"").expect("a form");
        assert!(form.contains("value=\"read_only\" selected"), "{form}");
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_base_urls_that_the_portal_tells_are_answered() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        tenant(&place, &token, "Acme").await;
        let mut ada = log_in(&place, "Acme", "ada").await;
        let page = ada.get("/portal/settings").await.body;
        let told: Vec<&str> = page
            .split("<code>http://localhost:3000")
            .skip(1)
            .filter_map(|rest| rest.split("</code>").next())
            .collect();
        assert_eq!(told, ["/api/v1", "/api"], "{page}");
        // As official clients put it together.
        for (base, path, shape) in [
            (told[0], "/chat/completions", "\"code\":\"invalid_api_key\""),
            (told[1], "/v1/messages", "\"type\":\"authentication_error\""),
        ] {
            let path = format!("{base}{path}");
            let body = json!({"model": "m", "max_tokens": 1, "messages": []});
            let answer = place.api(Method::POST, &path, "wk_live_x", &body).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
            assert!(answer.body.contains(shape), "{path}: {}", answer.body);
        }
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_speaks_in_sentences_with_links() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let id = tenant(&place, &token, "Northwind").await;
        let path = format!("/admin/api/tenants/{id}/recharges");
        let body = json!({"credits": 1200, "source_key": "s-1"});
        let made = place.api(Method::POST, &path, &token, &body).await;
        assert!(made.status.is_success(), "{}", made.body);
        superadmin(&place, &token, "mira", "read_only").await;
        let mut owner = place.owner().await;
        for (lang, recharge, added) in [
            ("en", "admin gave Northwind 1200 credits", "admin added the superadmin mira"),
            ("zh-CN", "admin 为 Northwind 充值 1200 额度", "admin 添加了超级管理员 mira"),
        ] {
            owner.headers = vec![("accept-language", lang.to_owned())];
            let page = owner.get("/admin/audit").await.body;
            let text = super::console::text(&page);
            assert!(text.contains(recharge), "{text}");
            assert!(text.contains(added), "{text}");
            let link = format!("href=\"/admin/tenants/{id}\"");
            assert!(page.contains(&link), "{page}");
        }
        place.end().await;
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
}

/// Texts of the form `kind.verb` that are names of other things.
const NO_ACTIONS: &[&str] = &["tenant.id", "key.id", "user.id", "model.id", "price.csv", "price.json"];

#[test]
fn every_action_of_the_audit_log_has_a_sentence_in_both_languages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for room in ["store/src", "rooms/src"] {
        sources(&root.join(room), &mut files);
    }
    let kinds: Vec<&str> = AuditTold::ALL
        .iter()
        .filter_map(|told| told.code().split_once('.'))
        .map(|(kind, _)| kind)
        .collect();
    let mut seen = 0;
    for file in files {
        let code = fs::read_to_string(&file).expect("a source");
        for line in code.lines() {
            for text in line.split('"').skip(1).step_by(2) {
                let Some((kind, verb)) = text.split_once('.') else {
                    continue;
                };
                let is_word = |part: &str| {
                    !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
                };
                let is_action = line.contains("action") || kinds.contains(&kind);
                if !is_action || !is_word(kind) || !is_word(verb) || NO_ACTIONS.contains(&text) {
                    continue;
                }
                seen += 1;
                let told = AuditTold::from_code(text);
                let told = told.unwrap_or_else(|| panic!("{text} of {}", file.display()));
                for lang in Lang::ALL {
                    let words = admin_templates::labels::Label::text(&told, lang);
                    assert!(!words.is_empty(), "{text}");
                }
            }
        }
    }
    assert!(seen > 40, "only {seen} actions were found");
}
