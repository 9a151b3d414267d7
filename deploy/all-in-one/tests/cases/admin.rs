//! Operators: addresses behind proxies, days, models with slashes in the console, and manifests.

use std::path::Path;

use reqwest::redirect::Policy;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use shared::id::random_text;

use crate::case::case;
use crate::fake::always;
use crate::fake::bodies::good_whole;
use crate::support::ADMIN_PASSWORD;
use crate::support::product::Product;
use crate::world::{Shape, everywhere, own_product, run};

const NONE: Value = Value::Null;

/// A superadmin's browser that has logged in: its cookies.
pub(crate) async fn logged_in(product: &Product) -> (Client, String) {
    let http = Client::builder()
        .redirect(Policy::none())
        .build()
        .expect("a client");
    let cookies = |answer: &reqwest::Response| -> Vec<String> {
        let set = answer.headers().get_all("set-cookie").iter();
        set.filter_map(|cookie| Some(cookie.to_str().ok()?.split(';').next()?.to_owned()))
            .collect()
    };
    let page = http
        .get(product.url("/admin/login"))
        .send()
        .await
        .expect("a page");
    let first = cookies(&page).join("; ");
    let text = page.text().await.expect("a page");
    let token = text
        .split("name=\"csrf\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let token = token.expect("a token");
    let fields = [
        ("csrf", token),
        ("username", "admin"),
        ("password", ADMIN_PASSWORD),
    ];
    let form = serde_urlencoded::to_string(fields).expect("a form");
    let answer = http
        .post(product.url("/admin/login"))
        .header("cookie", &first)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let mut all = cookies(&answer);
    all.push(first);
    (http, all.join("; "))
}

#[test]
fn a01_a_model_with_a_slash_is_managed_like_any_other() {
    everywhere(async |shape| {
        let name = format!("org/{}:free", random_text(8));
        let case = case(shape, vec![always(good_whole())])
            .model(&name)
            .start()
            .await;
        let path = format!("/models/{}", name.replace('/', "%2F"));
        let (status, shown) = case.product.admin(Method::GET, &path, None).await;
        assert_eq!(
            (status, &shown["id"]),
            (StatusCode::OK, &json!(name)),
            "{shown}"
        );
        let change = json!({"max_output_tokens": 123});
        let (status, changed) = case.product.admin(Method::PATCH, &path, Some(change)).await;
        assert_eq!(status, StatusCode::OK, "{changed}");
        assert_eq!(changed["max_output_tokens"], 123);
        let (http, cookies) = logged_in(case.product).await;
        let page = http.get(case.product.url(&format!("/admin{path}")));
        let page = page
            .header("cookie", &cookies)
            .send()
            .await
            .expect("a page");
        assert_eq!(page.status(), StatusCode::OK);
        assert!(page.text().await.expect("a page").contains(&name));
        let (status, gone) = case.product.admin(Method::DELETE, &path, None).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{gone}");
        let (status, _) = case.product.admin(Method::GET, &path, None).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    });
}

#[test]
fn a02_a_keys_addresses_are_those_of_the_client_behind_a_trusted_proxy() {
    run(async {
        let product = own_product(&["--trusted-proxies", "127.0.0.1,10.0.0.0/8"]).await;
        let case = case(Shape::Whole, vec![always(good_whole())])
            .start_on(product)
            .await;
        let path = format!("/tenants/{}/keys", case.customer.id);
        let body = json!({"name": "near", "allowed_addresses": ["203.0.113.7"]});
        let (status, made) = product.admin(Method::POST, &path, Some(body)).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let key = made["secret"].as_str().expect("a key");
        for (forwarded, status) in [
            ("203.0.113.7", 200),
            // The proxy nearest to us writes last; those before it are trusted or not.
            ("203.0.113.7, 10.1.2.3", 200),
            ("198.51.100.1, 203.0.113.7", 200),
            ("203.0.113.7, 198.51.100.1", 403),
            ("198.51.100.1", 403),
            ("", 403),
            ("203.0.113.7, nonsense", 403),
        ] {
            let mut request = product.http.post(product.url("/api/v1/chat/completions"));
            if !forwarded.is_empty() {
                request = request.header("x-forwarded-for", forwarded);
            }
            let request = request.bearer_auth(key).json(&case.chat_body(&NONE));
            let told = crate::reading::read_whole(request).await;
            assert_eq!(told.status, status, "{forwarded}: {}", told.text);
        }
        // Without that setting nobody's word is taken.
        let case = crate::case::case(Shape::Whole, vec![always(good_whole())])
            .start()
            .await;
        let path = format!("/tenants/{}/keys", case.customer.id);
        let body = json!({"name": "near", "allowed_addresses": ["203.0.113.7"]});
        let (_, made) = case.product.admin(Method::POST, &path, Some(body)).await;
        let request = case
            .product
            .http
            .post(case.product.url("/api/v1/chat/completions"));
        let request = request.header("x-forwarded-for", "203.0.113.7");
        let request = request.bearer_auth(made["secret"].as_str().expect("a key"));
        crate::reading::read_whole(request.json(&case.chat_body(&NONE)))
            .await
            .is(403);
    });
}

#[test]
fn a04_a_day_budget_begins_at_midnight_of_the_tenants_zone() {
    everywhere(async |shape| {
        // Neither begins its day with UTC, whatever the time is now.
        for (zone, hour) in [("Asia/Shanghai", "16:00:00"), ("Asia/Kolkata", "18:30:00")] {
            let case = case(shape, vec![always(good_whole())]).start().await;
            let path = format!("/tenants/{}", case.customer.id);
            let body = json!({"time_zone": zone});
            let (status, told) = case.product.admin(Method::PATCH, &path, Some(body)).await;
            assert_eq!(status, StatusCode::OK, "{told}");
            let key = format!("{path}/keys");
            let (_, keys) = case.product.admin(Method::GET, &key, None).await;
            let key = keys["data"][0]["id"].as_str().expect("a key").to_owned();
            let budget = format!("{path}/keys/{key}/budgets/day");
            let body = json!({"limit": 50});
            let (status, told) = case.product.admin(Method::PUT, &budget, Some(body)).await;
            assert_eq!(status, StatusCode::OK, "{told}");
            case.chat(&NONE).await.is(200);
            case.settled().await;
            let (_, budgets) = case
                .product
                .admin(Method::GET, &format!("{path}/budgets"), None)
                .await;
            let begins = budgets[0]["period_start"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            assert!(begins.contains(&format!("T{hour}")), "{zone}: {budgets}");
            let body = json!({"time_zone": "Middle/Earth"});
            let (status, _) = case.product.admin(Method::PATCH, &path, Some(body)).await;
            assert_eq!(status, StatusCode::BAD_REQUEST);
        }
    });
}

#[test]
fn a10_the_manifests_switch_service_links_off() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../k8s");
    let mut deployments = 0;
    for half in ["server", "gateway"] {
        for entry in std::fs::read_dir(folder.join(half))
            .expect("manifests")
            .flatten()
        {
            let text = std::fs::read_to_string(entry.path()).expect("readable");
            for manifest in text.split("\n---") {
                if manifest.contains("\n      containers:") {
                    deployments += 1;
                    let off = manifest.contains("\n      enableServiceLinks: false");
                    assert!(off, "{}", entry.path().display());
                }
            }
        }
    }
    assert!(deployments >= 2, "{deployments}");
}
