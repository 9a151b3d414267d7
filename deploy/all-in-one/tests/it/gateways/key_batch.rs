//! Keys' terms, many keys at once, copies and files of providers, over the API and over the console.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::console::Console;
use crate::support::joined::{Joined, start};
use crate::support::places;
use crate::support::product::Product;

const HIDDEN: &str = "what-a-header-says";

async fn ask(product: &Product, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
    let body = (!body.is_null()).then_some(body);
    product.admin(method, path, body).await
}

async fn with_provider(product: &Product) {
    let new = json!({"name": "vendor", "kind": "openai", "base_url": "http://127.0.0.1:9/v1",
        "options": {"leave_out": ["seed"], "headers": [{"name": "x-title", "value": "Waule"}]}});
    let (status, made) = ask(product, Method::POST, "/providers", new).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
}

async fn keys(product: &Product) -> Vec<Value> {
    let (_, list) = ask(product, Method::GET, "/providers/vendor/keys", Value::Null).await;
    list["data"].as_array().cloned().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_given_terms_added_and_changed_together_over_the_api() {
    for place in places().await {
        let product = start(&place, Joined::OverHttp).await;
        with_provider(&product).await;
        let terms = json!({"priority": 1, "requests_per_minute": 60, "tokens_per_day": 5_000_000,
            "models": ["m-*"], "headers": {"x-team": HIDDEN}, "tags": ["eu"]});
        let key = json!({"secret": "sk-first-0123456789", "label": "one", "terms": terms});
        let path = "/providers/vendor/keys";
        let (status, made) = ask(&product, Method::POST, path, key).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        assert_eq!(made["terms"]["tokens_per_day"], 5_000_000);
        assert_eq!(made["header_names"], json!(["x-team"]));
        // A list: one new, one known, one repeated; first only asked for.
        let secret = |end: u32| format!("sk-listed-0123456{end:03}");
        let batch = "/providers/vendor/key-batch";
        let list = |dry_run: bool| {
            json!({"dry_run": dry_run, "keys": [
                {"secret": secret(1), "label": "two", "terms": {"tags": ["eu"]}},
                {"secret": "sk-first-0123456789"}, {"secret": secret(1)}]})
        };
        let (status, told) = ask(&product, Method::POST, batch, list(true)).await;
        assert_eq!(
            (status, &told["added"]),
            (StatusCode::OK, &json!(false)),
            "{told}"
        );
        assert_eq!(keys(&product).await.len(), 1);
        let (_, told) = ask(&product, Method::POST, batch, list(false)).await;
        let lines = told["lines"].as_array().cloned().unwrap_or_default();
        let words: Vec<_> = lines.iter().map(|line| line["verdict"].clone()).collect();
        assert_eq!(words, ["good", "known", "repeated"], "{told}");
        assert_eq!(
            (&lines[1]["key"], &lines[2]["first"]),
            (&made["id"], &json!(1))
        );
        assert_eq!(keys(&product).await.len(), 2);
        // A thousand and one are too many, and a wrong one stops all of them.
        let many: Vec<_> = (0..1_001).map(|at| json!({"secret": secret(at)})).collect();
        let (status, told) = ask(&product, Method::POST, batch, json!({"keys": many})).await;
        assert_eq!(
            (status, &told["error"]["param"]),
            (StatusCode::BAD_REQUEST, &json!("keys"))
        );
        let wrong = json!({"keys": [{"secret": secret(7)},
            {"secret": secret(8), "terms": {"headers": {"authorization": "x"}}}]});
        let (_, told) = ask(&product, Method::POST, batch, wrong).await;
        assert_eq!(told["lines"][1]["field"], "terms.headers", "{told}");
        assert_eq!(keys(&product).await.len(), 2);
        let change = json!({"tag": "eu", "status": "disabled", "weight": 9,
            "terms": {"calls_at_once": 4, "requests_per_minute": 0, "add_tags": ["new"]}});
        let (status, changed) = ask(&product, Method::PATCH, batch, change).await;
        assert_eq!(status, StatusCode::OK, "{changed}");
        for key in keys(&product).await {
            assert_eq!(
                (&key["status"], &key["weight"]),
                (&json!("disabled"), &json!(9))
            );
            assert_eq!(key["terms"]["calls_at_once"], 4);
            assert_eq!(key["terms"]["requests_per_minute"], Value::Null);
            assert_eq!(key["terms"]["tags"], json!(["eu", "new"]));
        }
        let unknown = json!({"tag": "nobody's", "status": "active"});
        let (status, _) = ask(&product, Method::PATCH, batch, unknown).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        let remove = json!({"keys": [made["id"]], "delete": true});
        let (_, removed) = ask(&product, Method::PATCH, batch, remove).await;
        assert_eq!(removed["removed"], json!([made["id"]]), "{removed}");
        assert_eq!(keys(&product).await.len(), 1);
        let (_, audit) = ask(&product, Method::GET, "/audit?limit=100", Value::Null).await;
        let audit = audit.to_string();
        for action in ["create_many", "update_many", "delete_many"] {
            assert!(
                audit.contains(&format!("provider_key.{action}")),
                "{action}"
            );
        }
        assert!(!audit.contains(HIDDEN));
        assert!(!audit.contains("sk-first"));
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_is_copied_and_taken_elsewhere_without_any_secret() {
    for place in places().await {
        let product = start(&place, Joined::OverHttp).await;
        with_provider(&product).await;
        let key = json!({"secret": "sk-first-0123456789", "label": "one",
            "terms": {"headers": {"x-team": HIDDEN}, "requests_per_day": 9}});
        ask(&product, Method::POST, "/providers/vendor/keys", key).await;
        let copy = |name: &str| json!({"name": name});
        let path = "/providers/vendor/copy";
        let (status, made) = ask(&product, Method::POST, path, copy("second")).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        assert_eq!(
            (&made["keys"], &made["base_url"]),
            (&json!(0), &json!("http://127.0.0.1:9/v1"))
        );
        assert_eq!(made["options"]["leave_out"], json!(["seed"]));
        let (status, _) = ask(&product, Method::POST, path, copy("second")).await;
        assert_eq!(status, StatusCode::CONFLICT);
        let (status, told) = ask(&product, Method::POST, path, copy("No Name!")).await;
        assert_eq!(
            (status, &told["error"]["param"]),
            (StatusCode::BAD_REQUEST, &json!("name"))
        );
        let one = "/export/providers?name=vendor";
        let (_, file) = ask(&product, Method::GET, one, Value::Null).await;
        assert_eq!(
            file["providers"][0]["keys"][0]["header_names"],
            json!(["x-team"])
        );
        assert_eq!(
            file["providers"][0]["keys"][0]["terms"]["requests_per_day"],
            9
        );
        // What the console writes is taken as well.
        let mut console = Console::open(&product).await;
        let text = console.get("/admin/providers/vendor/export.json").await;
        for text in [file.to_string(), text.clone()] {
            assert!(
                !text.contains("sk-first") && !text.contains(HIDDEN),
                "{text}"
            );
        }
        let written: Value = serde_json::from_str(&text).expect("JSON");
        let (_, kept) = ask(&product, Method::POST, "/import/providers", file.clone()).await;
        assert_eq!(kept["data"][0]["outcome"], "exists", "{kept}");
        ask(
            &product,
            Method::PATCH,
            "/providers/vendor",
            json!({"enabled": false}),
        )
        .await;
        for mut file in [file, written] {
            ask(&product, Method::DELETE, "/providers/vendor", Value::Null).await;
            file["providers"][0]["enabled"] = json!(false);
            let (_, made) = ask(&product, Method::POST, "/import/providers", file).await;
            assert_eq!(made["data"][0]["outcome"], "made", "{made}");
            assert_eq!(made["data"][0]["keys_without_secret"], 1);
            let (_, again) = ask(&product, Method::GET, one, Value::Null).await;
            let again = &again["providers"][0];
            assert_eq!(
                (&again["enabled"], &again["keys"]),
                (&json!(false), &json!([]))
            );
            assert_eq!(again["options"]["headers"][0]["value"], "Waule");
        }
        product.stop().await;
    }
}

/// The value of a hidden field.
fn hidden(body: &str, name: &str) -> String {
    let (_, rest) = body
        .split_once(&format!("name=\"{name}\" value=\""))
        .unwrap_or_else(|| panic!("{name}: {body}"));
    rest.split('"').next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pasted_list_is_looked_at_before_it_is_added_in_the_console() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        with_provider(&product).await;
        let mut console = Console::open(&product).await;
        let base = "/admin/providers/vendor";
        let bulk = format!("{base}/keys/bulk");
        console.get(&bulk).await;
        let list =
            "name,key,weight,tags\none,sk-listed-0123456001,7,eu;new\nsk-listed-0123456002\n";
        let fields = [
            ("secrets", list),
            ("weight", "2"),
            ("requests_per_day", "50"),
            ("do", "preview"),
        ];
        let (status, seen) = console.post(&bulk, &fields).await;
        assert_eq!(status, StatusCode::OK, "{seen}");
        assert!(!seen.contains("sk-listed"), "{seen}");
        assert!(keys(&product).await.is_empty());
        let draft = hidden(&seen, "draft");
        // Another provider's draft, or a changed one, is none.
        for (path, draft) in [
            ("/admin/providers/sandbox/keys/bulk", draft.clone()),
            (bulk.as_str(), draft.replacen('A', "B", 1) + "x"),
        ] {
            let fields = [("draft", draft.as_str()), ("do", "add")];
            let (status, _) = console.post(path, &fields).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        }
        let (status, added) = console
            .post(&bulk, &[("draft", &draft), ("do", "add")])
            .await;
        assert_eq!(status, StatusCode::OK, "{added}");
        let made = keys(&product).await;
        let told: Vec<_> = made
            .iter()
            .map(|key| (&key["label"], &key["weight"]))
            .collect();
        assert_eq!(told.len(), 2, "{made:?}");
        assert!(
            made.iter()
                .any(|key| key["weight"] == 7 && key["terms"]["tags"] == json!(["eu", "new"]))
        );
        assert!(
            made.iter()
                .all(|key| key["terms"]["requests_per_day"] == 50)
        );
        // A wrong line stops the others and is told by its number.
        let wrong = "sk-listed-0123456003\nx,sk-listed-0123456004,0\n";
        let (status, body) = console
            .post(&bulk, &[("secrets", wrong), ("do", "add")])
            .await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert_eq!(keys(&product).await.len(), 2);
        let huge = "x".repeat(300 * 1024);
        let (status, _) = console.post(&bulk, &[("secrets", &huge)]).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        let (status, _) = console
            .post(&bulk, &[("secrets", "sk-\0-x"), ("do", "add")])
            .await;
        assert!(status.is_client_error());
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_edited_one_by_one_and_together_in_the_console() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        with_provider(&product).await;
        let mut console = Console::open(&product).await;
        let base = "/admin/providers/vendor";
        console.get(base).await;
        let add = format!("{base}/keys");
        let new = [
            ("label", "one"),
            ("secret", "sk-first-0123456789"),
            ("weight", "1"),
            ("tags", "eu"),
        ];
        let odd = [
            &new[..],
            &[("key_headers", "host: elsewhere"), ("key_url", "file:///x")],
        ]
        .concat();
        let (status, body) = console.post(&add, &odd).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        for field in ["key_headers", "key_url"] {
            assert!(
                body.contains(&format!("id=\"f-add-{field}-error\"")),
                "{field}"
            );
        }
        assert!(!body.contains("host: elsewhere"), "headers are secrets");
        let good = [
            &new[..],
            &[("key_headers", "X-Team: one"), ("tokens_per_day", "9000")],
        ]
        .concat();
        let (status, body) = console.post(&add, &good).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{body}");
        let key = keys(&product).await.remove(0);
        assert_eq!(key["terms"]["tokens_per_day"], 9_000);
        let id = key["id"].as_str().expect("an id");
        let edit = format!("{base}/keys/{id}/edit");
        let page = console.get(&edit).await;
        assert!(
            page.contains("value=\"9000\"") && page.contains("x-team"),
            "{page}"
        );
        let moved = [
            ("label", "one"),
            ("key_url", "https://elsewhere.example.com/v1"),
        ];
        let (status, body) = console.post(&edit, &moved).await;
        assert_eq!(
            status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "its secret must come with it"
        );
        assert!(body.contains("id=\"f-secret-error\""), "{body}");
        let kept = [
            ("label", "renamed"),
            ("weight", "3"),
            ("calls_at_once", "8"),
        ];
        let (status, body) = console.post(&edit, &kept).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{body}");
        let key = keys(&product).await.remove(0);
        assert_eq!(
            (&key["label"], &key["weight"]),
            (&json!("renamed"), &json!(3))
        );
        assert_eq!(
            key["header_names"],
            json!(["x-team"]),
            "headers that are left out stay"
        );
        assert_eq!(key["terms"]["tokens_per_day"], Value::Null);
        let batch = format!("{base}/keys/batch");
        for (fields, field) in [
            (vec![("do", "disable")], ""),
            (vec![("do", "delete"), ("key", id)], "sure"),
            (
                vec![("do", "change"), ("key", id), ("weight", "0")],
                "weight",
            ),
            (vec![("do", "disable"), ("tag", "nobody's")], "tag"),
        ] {
            let (status, body) = console.post(&batch, &fields).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{field}: {body}");
            let error = format!("id=\"f-batch-{field}-error\"");
            assert!(field.is_empty() || body.contains(&error), "{field}: {body}");
        }
        let (status, _) = console
            .post(&batch, &[("do", "disable"), ("key", id)])
            .await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        assert_eq!(keys(&product).await[0]["status"], "disabled");
        let gone = [("do", "delete"), ("key", id), ("sure", "on")];
        let (status, _) = console.post(&batch, &gone).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        assert!(keys(&product).await.is_empty());
        let (status, _) = console
            .post(&format!("{base}/copy"), &[("name", "second")])
            .await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let (status, _) = console
            .post(&format!("{base}/copy"), &[("name", "second")])
            .await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        product.stop().await;
    }
}
