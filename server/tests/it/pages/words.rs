//! What pages say: errors stay inside the shell, only the first superadmin is greeted as that, every
//! change has its sentence, and addresses that are promised are there.

use std::fs;
use std::path::{Path, PathBuf};

use poem::http::{Method, StatusCode};
use poem::{Body, Endpoint, Request};
use serde_json::{Value, json};

use super::portal_flows::{log_in, tenant};
use super::{Answer, PASSWORD, Place, Start, places, superadmin};

/// What the frame of a signed-in person has and no other page.
const NAVIGATION: &str = "<nav class=\"nav\"";

/// Gives a tenant credits.
async fn recharge(place: &Place, token: &str, tenant: &str, body: &Value) -> Answer {
    let path = format!("/admin/api/tenants/{tenant}/recharge");
    let request = Request::builder()
        .method(Method::POST)
        .uri(path.parse().expect("a path"))
        .content_type("application/json")
        .header("authorization", format!("Bearer {token}"))
        .header("idempotency-key", "once")
        .body(Body::from(body.to_string()));
    let made = Answer::of(place.face.get_response(request).await).await;
    assert!(made.status.is_success(), "{}", made.body);
    made
}

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
        recharge(&place, &token, &id, &json!({"amount": 1200})).await;
        superadmin(&place, &token, "mira", "read_only").await;
        let mut owner = place.owner().await;
        for (lang, recharge, added) in [
            (
                "en",
                "admin gave Northwind 1200 credits",
                "admin added the superadmin mira",
            ),
            (
                "zh-CN",
                "admin 为 Northwind 充值 1200 额度",
                "admin 添加了超级管理员 mira",
            ),
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

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_call_of_the_studio_says_why_what_it_cost_and_what_to_do() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let id = tenant(&place, &token, "Acme").await;
        let mut ada = log_in(&place, "Acme", "ada").await;
        let form = [
            ("model", "sandbox-chat"),
            ("message", "hi"),
            ("history", "[]"),
        ];
        let short = [
            ("en", "Not enough credits", "Top up", "Nothing was charged."),
            ("zh-CN", "额度不足", "请充值", "未产生费用。"),
        ];
        // Nobody listens where the gateway should.
        let away = [
            (
                "en",
                "temporarily unavailable",
                "Try again",
                "Nothing was charged.",
            ),
            ("zh-CN", "暂时不可用", "请稍候重试", "未产生费用。"),
        ];
        for (recharged, told) in [(false, short), (true, away)] {
            if recharged {
                recharge(&place, &token, &id, &json!({"amount": 5})).await;
            }
            for (lang, cause, step, free) in told {
                ada.headers = vec![("accept-language", lang.to_owned())];
                let page = ada.post("/portal/studio/chat", &form).await;
                assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
                let text = super::console::text(&page.body);
                for part in [cause, step, free] {
                    assert!(text.contains(part), "{part}: {text}");
                }
                for code in [
                    "insufficient_credits",
                    "no_capacity",
                    "unavailable\"",
                    "{a}",
                ] {
                    assert!(!text.contains(code), "{code}: {text}");
                }
            }
        }
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_ends_with_a_newline_and_writes_amounts_in_plain_decimals() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let id = tenant(&place, &token, "Acme").await;
        let body = json!({"amount": "0.000001", "note": "1e-6"});
        let made = recharge(&place, &token, &id, &body).await;
        assert!(made.body.contains("\"amount\":0.000001"), "{}", made.body);
        assert!(
            !made.body.replace("\"1e-6\"", "").contains("e-6"),
            "{}",
            made.body
        );
        let missing = place
            .api(Method::GET, "/admin/api/nowhere", &token, &body)
            .await;
        let list = place
            .api(Method::GET, "/admin/api/tenants", &token, &body)
            .await;
        for answer in [made, missing, list] {
            assert!(answer.body.ends_with("}\n"), "{}", answer.body);
        }
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_search_finds_parts_of_names_and_ids_and_no_other_tenants() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let north = tenant(&place, &token, "Northwind").await;
        let south = tenant(&place, &token, "Southwind 100%").await;
        let mut key_of = Vec::new();
        for id in [&north, &south] {
            let path = format!("/admin/api/tenants/{id}/keys");
            let body = json!({"name": "Robot_arm"});
            let made = place.api(Method::POST, &path, &token, &body).await;
            assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
            let start = made.body.find("\"key_").expect("an id") + 1;
            let rest = &made.body[start..];
            key_of.push(rest[..rest.find('"').expect("an end")].to_owned());
        }
        let mut owner = place.owner().await;
        let link = |id: &str| format!("href=\"/admin/tenants/{id}\"");
        for (text, finds, not) in [
            ("north", link(&north), link(&south)),
            ("NORTH", link(&north), link(&south)),
            ("0%25", link(&south), link(&north)),
            (north.as_str(), link(&north), link(&south)),
            (
                key_of[0].as_str(),
                format!("href=\"/admin/tenants/{north}/keys\""),
                format!("href=\"/admin/tenants/{south}/keys\""),
            ),
            (
                "sandbox-ch",
                "href=\"/admin/models/sandbox-chat\"".to_owned(),
                link(&north),
            ),
            ("no_capacity", "no working key".to_owned(), link(&north)),
            ("Gatew", "href=\"/admin/gateways\"".to_owned(), link(&north)),
        ] {
            let page = owner.get(&format!("/admin/search?q={text}")).await;
            assert_eq!(page.status, StatusCode::OK, "{text}: {}", page.body);
            let (_, main) = page.body.split_once("<main").expect("a page");
            assert!(main.contains(&finds), "{text} finds {finds}: {main}");
            assert!(!main.contains(&not), "{text} finds {not}");
        }
        let both = owner.get("/admin/search?q=WIND").await.body;
        assert!(both.contains(&link(&north)) && both.contains(&link(&south)));
        for text in ["", "%20", "%25%25", "no-such-thing", "a\u{200b}b"] {
            let text = text.replace('\u{200b}', "%E2%80%8B");
            let page = owner.get(&format!("/admin/search?q={text}")).await;
            assert_eq!(page.status, StatusCode::OK, "{text}");
            assert!(!page.body.contains("href=\"/admin/tenants/ten_"), "{text}");
        }
        // Signs that databases read as patterns are letters here.
        let exact = owner.get("/admin/search?q=robot_a").await.body;
        assert!(exact.contains("/keys\""), "{exact}");
        let pattern = owner.get("/admin/search?q=r_bot").await.body;
        assert!(!pattern.contains("/keys\""), "{pattern}");

        // The portal's box finds its own tenant's and nobody else's, by name or by id.
        let mut ada = log_in(&place, "Southwind 100%", "ada").await;
        let own = ada.get("/portal/search?q=robot").await.body;
        assert!(
            own.contains(&format!("/portal/keys/{}", key_of[1])),
            "{own}"
        );
        assert!(!own.contains(&key_of[0]), "{own}");
        for text in [north.as_str(), "northwind", key_of[0].as_str()] {
            let page = ada.get(&format!("/portal/search?q={text}")).await.body;
            let (_, main) = page.split_once("<main").expect("a page");
            assert!(!main.contains("class=\"top-name\""), "{text}: {main}");
        }
        let ada_page = ada.get("/portal/search?q=ada").await.body;
        assert_eq!(
            ada_page.matches("/portal/members/usr_").count(),
            1,
            "{ada_page}"
        );
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
const NO_ACTIONS: &[&str] = &[
    "tenant.id",
    "key.id",
    "user.id",
    "model.id",
    "login.lua",
    "price.csv",
    "price.json",
];

#[test]
fn every_action_of_the_audit_log_has_a_sentence_in_both_languages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for room in ["store/src", "rooms/src"] {
        sources(&root.join(room), &mut files);
    }
    // Each line tells a code, its tone, English and Chinese.
    let told = root.join("../admin-templates/src/labels/audit.rs");
    let told = fs::read_to_string(told).expect("the sentences");
    let sentences: Vec<Vec<&str>> = told
        .lines()
        .map(|line| line.split('"').skip(1).step_by(2).collect())
        .filter(|parts: &Vec<&str>| parts.len() == 3)
        .collect();
    let kinds: Vec<&str> = sentences
        .iter()
        .filter_map(|parts| parts[0].split_once('.'))
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
                let words = sentences.iter().find(|parts| parts[0] == text);
                let words =
                    words.unwrap_or_else(|| panic!("no words for {text} of {}", file.display()));
                assert!(words[1..].iter().all(|words| !words.is_empty()), "{text}");
                assert!(!words[2].is_ascii(), "{text} has no Chinese sentence");
            }
        }
    }
    assert!(seen > 40, "only {seen} actions were found");
}
