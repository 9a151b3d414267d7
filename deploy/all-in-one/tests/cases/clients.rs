//! Browsers, names and lists: what clients expect besides the calls themselves.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use shared::id::random_text;

use crate::case::{Case, case};
use crate::fake::always;
use crate::fake::bodies::good_whole;
use crate::world::{everywhere, own_product, run};

const NONE: Value = Value::Null;

#[test]
fn c05_a_browser_may_ask_first_and_read_the_answer() {
    run(async {
        let origin = "https://app.example";
        let product = own_product(&["--cors-origins", origin]).await;
        let case = case(crate::world::Shape::Whole, vec![always(good_whole())])
            .start_on(product)
            .await;
        for (path, method) in [
            ("/api/v1/chat/completions", "POST"),
            ("/api/v1/models", "GET"),
            ("/v1/chat/completions", "POST"),
        ] {
            let asked = product
                .http
                .request(Method::OPTIONS, product.url(path))
                .header("origin", origin)
                .header("access-control-request-method", method)
                .header(
                    "access-control-request-headers",
                    "authorization,content-type,x-stainless-os",
                )
                .send()
                .await
                .expect("an answer");
            let status = asked.status().as_u16();
            assert!([200, 204].contains(&status), "{path}: {status}");
            let header = |name: &str| {
                asked
                    .headers()
                    .get(name)
                    .and_then(|value| value.to_str().ok())
            };
            assert_eq!(
                header("access-control-allow-origin"),
                Some(origin),
                "{path}"
            );
            let allowed = header("access-control-allow-headers")
                .unwrap_or_default()
                .to_lowercase();
            for name in ["authorization", "content-type", "x-stainless-os"] {
                assert!(
                    allowed.contains(name) || allowed == "*",
                    "{path}: {allowed}"
                );
            }
            let methods = header("access-control-allow-methods").unwrap_or_default();
            assert!(
                methods.contains(method) || methods == "*",
                "{path}: {methods}"
            );
        }
        let request = case
            .request("/api/v1/chat/completions")
            .header("origin", origin);
        let answer = crate::reading::read_whole(request.json(&case.chat_body(&NONE))).await;
        answer.is(200);
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        // Refusals are read too, else a browser shows a network error for every 401.
        let request = product
            .http
            .get(product.url("/api/v1/models"))
            .header("origin", origin);
        let refused = crate::reading::read_whole(request).await;
        refused.is(401);
        assert_eq!(refused.header("access-control-allow-origin"), Some(origin));
        let request = product.http.get(product.url("/api/v1/models"));
        let request = request.header("origin", "https://evil.example");
        let other = crate::reading::read_whole(request).await;
        assert_eq!(other.header("access-control-allow-origin"), None);
    });
}

async fn shown(case: &Case, id: &str) -> (StatusCode, Value) {
    let path = format!("/api/v1/models/{id}");
    let key = Some(case.customer.key.as_str());
    case.product.send(Method::GET, &path, key, None).await
}

/// Every way to ask for a model of that name finds it.
async fn found(shape: crate::world::Shape, name: String) {
    let case = case(shape, vec![always(good_whole())])
        .model(&name)
        .start()
        .await;
    for id in [
        name.clone(),
        name.replace('/', "%2F"),
        name.replace('/', "%2f"),
    ] {
        let (status, model) = shown(&case, &id).await;
        assert_eq!(status, StatusCode::OK, "{id}: {model}");
        assert_eq!(model["id"], name.as_str());
    }
    case.chat(&NONE).await.is(200);
}

#[test]
fn c07_a_model_with_a_slash_and_a_colon_is_found() {
    everywhere(async |shape| found(shape, format!("org/{}:free", random_text(8))).await);
}

#[test]
fn c08_a_model_with_several_slashes_is_found() {
    everywhere(async |shape| {
        found(shape, format!("hf.co/unsloth/{}:q4", random_text(8))).await;
        found(shape, format!("a/b/c/d/{}", random_text(8))).await;
    });
}

#[test]
fn c27_names_in_any_script_come_back_unchanged() {
    everywhere(async |shape| {
        let case = case(shape, vec![always(good_whole())]).start().await;
        for name in ["客户甲 🦊", "Ünïcödé \u{202e}عربي", "🏳️‍🌈👩‍👩‍👧"]
        {
            let name = format!("{name} {}", random_text(8));
            let (status, made) = case
                .product
                .admin(Method::POST, "/tenants", Some(json!({"name": name})))
                .await;
            if status == StatusCode::BAD_REQUEST {
                // What can't be told apart by eye may be refused, never changed.
                assert!(name.contains('\u{202e}'), "{made}");
                continue;
            }
            assert_eq!(status, StatusCode::CREATED, "{made}");
            assert_eq!(made["tenant"]["name"], name.as_str());
            let id = made["tenant"]["id"].as_str().expect("an id");
            let (_, read) = case
                .product
                .admin(Method::GET, &format!("/tenants/{id}"), None)
                .await;
            assert_eq!(read["name"], name.as_str(), "{read}");
            let keys = format!("/tenants/{id}/keys");
            let (status, made) = case
                .product
                .admin(Method::POST, &keys, Some(json!({"name": name})))
                .await;
            assert_eq!(status, StatusCode::CREATED, "{made}");
            let (_, listed) = case.product.admin(Method::GET, &keys, None).await;
            let names: Vec<&Value> = listed["data"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|key| &key["name"])
                .collect();
            assert!(names.contains(&&json!(name)), "{listed}");
        }
    });
}

/// The bytes of an export.
async fn exported(case: &Case, query: &str) -> Vec<u8> {
    let url = case.product.url(&format!("/api/v1/usage/export{query}"));
    let request = case.product.http.get(url).bearer_auth(&case.customer.key);
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK, "{query}");
    answer.bytes().await.expect("a body").to_vec()
}

#[test]
fn a05_an_export_has_a_bom_on_wish_and_no_formulas() {
    everywhere(async |shape| {
        let case = case(shape, vec![always(good_whole())]).start().await;
        case.chat(&NONE).await.is(200);
        case.bill().await.is(2.0);
        let plain = exported(&case, "").await;
        assert!(plain.starts_with(b"created_at,"), "no BOM unasked");
        let marked = exported(&case, "?bom=1").await;
        assert_eq!(marked.strip_prefix("\u{feff}".as_bytes()), Some(&plain[..]));
        let keys = format!("/tenants/{}/keys", case.customer.id);
        for name in ["=1+1", "+cmd", "-2", "@SUM(A1)"] {
            let body = json!({"name": name});
            let (status, made) = case.product.admin(Method::POST, &keys, Some(body)).await;
            assert_eq!(status, StatusCode::CREATED, "{made}");
        }
        let text = String::from_utf8(plain).expect("text");
        let cells = text.lines().flat_map(|line| line.split(','));
        for cell in cells {
            let dangerous = cell.starts_with(['=', '@', '+']);
            assert!(!dangerous, "{cell}");
        }
    });
}
