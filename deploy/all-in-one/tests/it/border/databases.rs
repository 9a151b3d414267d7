//! Gateways with databases of their own: providers of each are set where they are, and every answer
//! says which gateway spoke. Gateways that share one need not be named.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use server::link::http::LinkSettings;
use shared::supervisor::Supervisor;

use crate::console::Console;
use crate::support::joined::node::gateway;
use crate::support::joined::start_with;
use crate::support::product::Product;
use crate::support::{Place, places};

const STOP_MAX: Duration = Duration::from_secs(10);

/// A gateway over a place's database; answers its entry in the settings.
async fn named(place: &Place, name: &str, supervisor: &Supervisor) -> String {
    let node = gateway(place, supervisor, &[]).await;
    format!("{}#name={name}", node.open_door())
}

async fn ask(product: &Product, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
    let body = (!body.is_null()).then_some(body);
    product.admin(method, path, body).await
}

async fn get(product: &Product, path: &str) -> Value {
    let (status, body) = ask(product, Method::GET, path, Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{path}: {body}");
    body
}

/// The field that is blamed.
async fn blamed(product: &Product, method: Method, path: &str, body: Value) -> String {
    let (status, answer) = ask(product, method, path, body).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {answer}");
    let param = &answer["error"]["param"];
    param.as_str().unwrap_or_default().to_owned()
}

fn vendor(name: &str, host: &str) -> Value {
    let base_url = format!("https://{host}/v1");
    json!({"name": name, "kind": "openai", "base_url": base_url})
}

/// `name@gateway`, whether it takes calls and how many keys it has, of every provider but the sandbox.
async fn list(product: &Product) -> (Vec<String>, Value) {
    let mut list = get(product, "/providers").await;
    let rows = list["data"].as_array().expect("rows").iter();
    let rows = rows.filter(|row| row["kind"] != "sandbox").map(|row| {
        let text = |field: &str| row[field].as_str().expect("a text");
        let (on, keys) = (&row["enabled"], &row["keys"]);
        format!("{}@{} {on} {keys}", text("name"), text("gateway"))
    });
    (rows.collect(), list["missing"].take())
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_of_gateways_with_databases_of_their_own_are_set_where_they_are() {
    for is_swapped in [false, true] {
        let [one, two] = places().await;
        let (home, other) = if is_swapped {
            (&two, &one)
        } else {
            (&one, &two)
        };
        let (eu, us) = (Supervisor::new(), Supervisor::new());
        let doors = [named(home, "eu", &eu).await, named(other, "us", &us).await];
        let (product, _) = start_with(home, &doors, LinkSettings::default()).await;
        let p = &product;

        let new = vendor("vendor", "us.example");
        assert_eq!(
            blamed(p, Method::POST, "/providers", new.clone()).await,
            "gateway"
        );
        let moon = "/providers?gateway=moon";
        assert_eq!(blamed(p, Method::POST, moon, new.clone()).await, "gateway");
        let (status, made) = ask(p, Method::POST, "/providers?gateway=us", new).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        assert_eq!(made["gateway"], "us");
        let new = vendor("vendor", "eu.example");
        let (status, made) = ask(p, Method::POST, "/providers?gateway=eu", new).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let new = vendor("lone", "us.example");
        let (status, made) = ask(p, Method::POST, "/providers?gateway=us", new).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");

        // Two have the one name, and one the other.
        let keys = "/providers/vendor/keys";
        let key = json!({"secret": "sk-of-the-us"});
        assert_eq!(blamed(p, Method::POST, keys, key.clone()).await, "gateway");
        let (status, made) = ask(p, Method::POST, &format!("{keys}?gateway=us"), key).await;
        assert_eq!(
            (status, &made["gateway"]),
            (StatusCode::CREATED, &json!("us")),
            "{made}"
        );
        let off = json!({"enabled": false});
        let path = "/providers/vendor?gateway=eu";
        let (status, changed) = ask(p, Method::PATCH, path, off.clone()).await;
        assert_eq!(
            (status, &changed["gateway"]),
            (StatusCode::OK, &json!("eu"))
        );
        assert_eq!(changed["base_url"], "https://eu.example/v1");
        let (status, changed) = ask(p, Method::PATCH, "/providers/lone", off).await;
        assert_eq!(
            (status, &changed["gateway"]),
            (StatusCode::OK, &json!("us"))
        );
        let (mut rows, missing) = list(p).await;
        rows.sort();
        assert_eq!(
            rows,
            ["lone@us false 0", "vendor@eu false 0", "vendor@us true 1"]
        );
        assert_eq!(missing, json!([]));

        let mut console = Console::open(p).await;
        let page = console.get("/admin/providers").await;
        for link in ["vendor%40us", "vendor%40eu", "lone%40us"] {
            assert!(
                page.contains(&format!("/admin/providers/{link}\"")),
                "{link}"
            );
        }
        let page = console.get("/admin/providers/vendor%40us").await;
        assert!(page.contains("https://us.example/v1"), "{page}");
        let form = [("base_url", "https://us2.example/v1"), ("enabled", "on")];
        let (status, page) = console
            .post("/admin/providers/vendor%40us/edit", &form)
            .await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
        let page = console.get("/admin/providers/vendor%40eu").await;
        assert!(page.contains("https://eu.example/v1"), "{page}");
        let page = console.get("/admin/providers/new?vendor=deepseek").await;
        assert!(page.contains("https://api.deepseek.com/v1"), "{page}");
        assert!(page.contains("name=\"gateway\""), "{page}");

        let (status, gone) = ask(
            p,
            Method::DELETE,
            "/providers/vendor?gateway=eu",
            Value::Null,
        )
        .await;
        assert!(status.is_success(), "{status} {gone}");

        assert!(us.finish(STOP_MAX).await);
        // What is there is listed, and what one that is away said last is still known.
        assert_eq!(list(p).await, (Vec::new(), json!(["us"])));
        let connectors = get(p, "/connectors").await;
        let connectors = connectors["data"].as_array().expect("gateways");
        assert_eq!(connectors.len(), 2);
        assert!(connectors.iter().all(|of| of["is_known"] == true));
        product.stop().await;
        assert!(eu.finish(STOP_MAX).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gateways_that_share_a_database_need_not_be_named_and_one_answers_for_all() {
    for place in places().await {
        let (first, second) = (Supervisor::new(), Supervisor::new());
        let doors = [
            named(&place, "first", &first).await,
            named(&place, "second", &second).await,
        ];
        let (product, _) = start_with(&place, &doors, LinkSettings::default()).await;
        let p = &product;
        let new = vendor("vendor", "api.example");
        let (status, made) = ask(p, Method::POST, "/providers", new).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let (rows, _) = list(p).await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        let mut console = Console::open(p).await;
        let page = console.get("/admin/providers").await;
        assert!(page.contains("/admin/providers/vendor\""), "{page}");

        // What a provider and a key must be like is the gateway's to say, and in one place.
        let unknown = json!({"name": "x", "kind": "telepathy"});
        assert_eq!(blamed(p, Method::POST, "/providers", unknown).await, "kind");
        let addressed = json!({"name": "x", "kind": "sandbox", "base_url": "https://x.example"});
        assert_eq!(
            blamed(p, Method::POST, "/providers", addressed).await,
            "base_url"
        );
        let connectors = get(p, "/connectors").await;
        let facts = &connectors["data"][0]["connectors"][0];
        assert_eq!(facts["kind"], "openai");
        let most = facts["secret_chars_max"].as_u64().expect("a number");
        let most = usize::try_from(most).expect("small");
        let keys = "/providers/vendor/keys";
        let key = |chars: usize| json!({"secret": "s".repeat(chars)});
        assert_eq!(blamed(p, Method::POST, keys, key(most + 1)).await, "secret");
        let (status, made) = ask(p, Method::POST, keys, key(most)).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let form = [("secret", "s".repeat(most + 1)), ("label", "x".to_owned())];
        let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
        let (status, _) = console.post("/admin/providers/vendor/keys", &form).await;
        assert_ne!(status, StatusCode::SEE_OTHER);

        assert!(first.finish(STOP_MAX).await);
        let (rows, missing) = list(p).await;
        assert_eq!(rows, ["vendor@second true 1"]);
        assert_eq!(missing, json!([]));
        product.stop().await;
        assert!(second.finish(STOP_MAX).await);
    }
}
