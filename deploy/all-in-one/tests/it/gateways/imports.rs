//! Files of providers with secrets of their keys: taken, sealed and never told, by the API and the console.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::console::Console;
use crate::support::joined::{Joined, start};
use crate::support::places;
use crate::support::product::Product;

const SECRET: &str = "sk-imported-0123456789";
const HEADER: &str = "what-a-header-says";

fn file(base_url: &str) -> Value {
    json!({"providers": [
        {"name": "one", "kind": "openai", "base_url": base_url, "keys": [
            {"label": "first", "secret": SECRET, "weight": 7, "status": "disabled",
                "terms": {"tags": ["eu"], "headers": {"x-team": HEADER}}},
            {"label": "second", "secret": "sk-imported-second-01"},
            {"label": "untold", "last4": "abcd", "status": "active"}]},
        {"name": "two", "kind": "openai", "base_url": "http://127.0.0.1:9/v1", "enabled": false}]})
}

async fn import(product: &Product, query: &str, file: &Value) -> Value {
    let path = format!("/import/providers{query}");
    let (status, told) = product.admin(Method::POST, &path, Some(file.clone())).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    told["data"].clone()
}

/// Outcome, what differs, keys added, known and without a secret.
fn rows(told: &Value) -> Value {
    let row = |one: &Value| {
        json!([
            one["outcome"],
            one["differs"],
            one["keys_added"],
            one["keys_known"],
            one["keys_without_secret"]
        ])
    };
    let rows = told.as_array().into_iter().flatten().map(row);
    rows.collect::<Vec<Value>>().into()
}

async fn names(product: &Product) -> Vec<String> {
    let (_, list) = product.admin(Method::GET, "/providers", None).await;
    let all = list["data"].as_array().cloned().unwrap_or_default();
    let name = |one: &Value| one["name"].as_str().unwrap_or_default().to_owned();
    all.iter().map(name).collect()
}

/// Where the first one of the file answers.
async fn address(product: &Product) -> Value {
    let (_, list) = product.admin(Method::GET, "/providers", None).await;
    let all = list["data"].as_array().cloned().unwrap_or_default();
    let one = all.into_iter().find(|one| one["name"] == "one");
    one.expect("a provider")["base_url"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_brings_providers_with_their_keys_and_tells_no_secret() {
    for place in places().await {
        let product = start(&place, Joined::OverHttp).await;
        let new = file("http://127.0.0.1:9/v1");
        let told = import(&product, "?dry_run=true", &new).await;
        let made = json!([["made", [], 2, 0, 1], ["made", [], 0, 0, 0]]);
        assert_eq!(rows(&told), made, "{told}");
        assert!(!names(&product).await.contains(&"one".to_owned()));

        let told = import(&product, "", &new).await;
        assert_eq!(rows(&told), made, "{told}");
        assert!(!told.to_string().contains("sk-"), "{told}");
        let (_, keys) = product
            .admin(Method::GET, "/providers/one/keys", None)
            .await;
        let of = |label: &str| {
            let keys = keys["data"].as_array().expect("keys").iter();
            keys.clone().find(|key| key["label"] == label).cloned()
        };
        let first = of("first").expect("a key");
        assert_eq!(
            (&first["weight"], &first["status"], &first["last4"]),
            (&json!(7), &json!("disabled"), &json!("6789")),
            "{keys}"
        );
        assert_eq!(first["header_names"], json!(["x-team"]));
        assert_eq!(of("second").expect("a key")["status"], "active");
        assert!(of("untold").is_none(), "it has no secret");

        // Again: nothing is there twice.
        let again = import(&product, "", &new).await;
        let exists = json!([["exists", [], 0, 2, 1], ["exists", [], 0, 0, 0]]);
        assert_eq!(rows(&again), exists, "{again}");
        // Other settings are told, and taken over where that is said.
        let moved = file("http://127.0.0.1:9/v2");
        let told = import(&product, "", &moved).await;
        assert_eq!(told[0]["differs"], json!(["base_url"]), "{told}");
        assert_eq!(told[0]["outcome"], "exists", "{told}");
        let told = import(&product, "?update=true", &moved).await;
        assert_eq!(told[0]["outcome"], "changed", "{told}");
        assert_eq!(address(&product).await, "http://127.0.0.1:9/v2");

        // A key that breaks a rule: its provider is not made, and its value is not told.
        let long = format!("sk {}", "x".repeat(20));
        let bad = |name: &str, more: Value| {
            let mut provider =
                json!({"name": name, "kind": "openai", "base_url": "http://127.0.0.1:9/v1"});
            for (field, value) in more.as_object().into_iter().flatten() {
                provider[field] = value.clone();
            }
            provider
        };
        let odd = json!({"providers": [
            bad("odd", json!({"keys": [{"secret": long}]})),
            bad("No Name", json!({})),
            bad("odd-kind", json!({"kind": "nobody"})),
            bad("one", json!({"kind": "anthropic"})),
            bad("fine", json!({})), bad("fine", json!({}))]});
        let told = import(&product, "", &odd).await;
        let outcomes: Vec<&Value> = (0..6_usize).map(|at| &told[at]["outcome"]).collect();
        let refused = json!("refused");
        let mut expected = vec![&refused; 6];
        let made = json!("made");
        expected[4] = &made;
        assert_eq!(outcomes, expected, "{told}");
        assert!(!told.to_string().contains(&long), "{told}");
        let there = names(&product).await;
        assert!(!there.contains(&"odd".to_owned()), "{there:?}");

        let many = json!({"providers": [bad("many", json!({"keys": vec![json!({"secret": SECRET}); 5_001]}))]});
        let (status, _) = product
            .admin(Method::POST, "/import/providers", Some(many))
            .await;
        assert_eq!(status, StatusCode::BAD_REQUEST);

        let (_, file) = product.admin(Method::GET, "/export/providers", None).await;
        let (_, log) = product.admin(Method::GET, "/audit?limit=100", None).await;
        for told in [file, log] {
            let told = told.to_string();
            let is_told = told.contains("sk-imported") || told.contains(HEADER);
            assert!(!is_told, "{told}");
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
async fn a_file_is_looked_at_before_it_is_taken_in_the_console() {
    const PATH: &str = "/admin/provider-import";
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let mut console = Console::open(&product).await;
        let list = console.get("/admin/providers").await;
        assert!(list.contains(PATH), "{list}");
        console.get(PATH).await;
        for odd in [
            "",
            "hello",
            r#"{"providers": []}"#,
            r#"{"providers": [{"name": "sk-told"}]}"#,
        ] {
            let (status, page) = console.post_file(PATH, odd).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{odd}: {page}");
            assert!(!page.contains("sk-told"), "{page}");
        }
        let new = file("http://127.0.0.1:9/v1").to_string();
        let (status, seen) = console.post_file(PATH, &new).await;
        assert_eq!(status, StatusCode::OK, "{seen}");
        assert!(
            !seen.contains("sk-imported") && !seen.contains(HEADER),
            "{seen}"
        );
        assert!(seen.contains(">new<"), "{seen}");
        assert!(
            !names(&product).await.contains(&"one".to_owned()),
            "only looked at"
        );
        let draft = hidden(&seen, "draft");
        let changed = draft.replacen('A', "B", 1) + "x";
        let (status, _) = console.post(PATH, &[("draft", &changed)]).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        // A draft of keys is none of a file, nor the other way round.
        let (status, _) = console
            .post(
                "/admin/providers/sandbox/keys/bulk",
                &[("draft", &draft), ("do", "add")],
            )
            .await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        let (status, done) = console.post(PATH, &[("draft", &draft)]).await;
        assert_eq!(status, StatusCode::OK, "{done}");
        assert!(done.contains("The import is done"), "{done}");
        let there = names(&product).await;
        assert!(there.contains(&"one".to_owned()) && there.contains(&"two".to_owned()));

        // The same again is no change; another address is shown, and taken over where it is ticked.
        let (_, seen) = console.post_file(PATH, &new).await;
        assert!(seen.contains(">no change<"), "{seen}");
        let moved = file("http://127.0.0.1:9/v2").to_string();
        let (_, seen) = console.post_file(PATH, &moved).await;
        assert!(
            seen.contains(">differs<") && seen.contains("base_url"),
            "{seen}"
        );
        let draft = hidden(&seen, "draft");
        console
            .post(PATH, &[("draft", &draft), ("update", "on")])
            .await;
        assert_eq!(address(&product).await, "http://127.0.0.1:9/v2");
        // One that is refused stops the others, and there is nothing to press.
        let mut odd = file("http://127.0.0.1:9/v2");
        odd["providers"][1]["name"] = json!("No Name");
        odd["providers"][0]["name"] = json!("other");
        let (status, seen) = console.post_file(PATH, &odd.to_string()).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{seen}");
        assert!(!seen.contains("name=\"draft\""), "{seen}");
        assert!(!names(&product).await.contains(&"other".to_owned()));
        product.stop().await;
    }
}
