//! What keys' accounts hold, where a call would go, and a real call to try a provider: over HTTP, against a
//! vendor on a socket, as the API and the console tell it.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::console::Console;
use crate::gateways::vendor::{GOOD, answer, at_once, with_vendor};
use crate::support::joined::{Joined, start};
use crate::support::places;
use crate::support::product::Product;

const KEYS: [&str; 2] = ["vendor-key-0123none", "vendor-key-0123some"];

fn holds(amount: &str) -> Vec<u8> {
    let told = json!({"is_available": true,
        "balance_infos": [{"currency": "CNY", "total_balance": amount}]});
    answer("200 OK", "", &told.to_string())
}

/// The balances of the provider's keys, by how they end.
async fn balances(product: &Product) -> Value {
    let (status, told) = product.admin(Method::GET, "/balances", None).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    assert!(
        told["missing"].as_array().is_some_and(Vec::is_empty),
        "{told}"
    );
    let rows = told["data"].as_array().expect("rows");
    let row = rows.iter().find(|row| row["provider"] == "vendor");
    row.expect("the vendor").clone()
}

fn of<'a>(row: &'a Value, last4: &str) -> &'a Value {
    let keys = row["keys"].as_array().expect("keys");
    let key = keys.iter().find(|key| key["last4"] == last4);
    key.expect("the key")
}

/// The balances once `is_so`, which takes a look of the gateway.
async fn once(product: &Product, is_so: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let row = balances(product).await;
        if is_so(&row) {
            return row;
        }
        assert!(begun.elapsed() < Duration::from_secs(40), "{row}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn route(product: &Product) -> Value {
    let body = json!({"input_tokens": 10});
    let (status, told) = product
        .admin(Method::POST, "/models/ours/route", Some(body))
        .await;
    assert_eq!(status, StatusCode::OK, "{told}");
    told["targets"][0]["gateways"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_balance_is_parked_before_a_call_bounces_and_comes_back() {
    for place in places().await {
        let product = start(&place, Joined::OverHttp).await;
        let (vendor, customer) = with_vendor(&product, &KEYS).await;
        let ready = route(&product).await;
        assert_eq!(ready["state"], "ready", "{ready}");
        assert_eq!(
            (&ready["keys"]["all"], &ready["keys"]["ready"]),
            (&json!(2), &json!(2))
        );
        assert_eq!(
            vendor.calls(KEYS[0]) + vendor.calls(KEYS[1]),
            0,
            "nothing is called"
        );

        vendor.script(KEYS[0], at_once(holds("0.00")));
        vendor.script(KEYS[1], at_once(holds("-1.5")));
        let terms = json!({"vendor": "deepseek", "floor": "1", "warn_at": "20"});
        let put = |body: Value| product.admin(Method::PUT, "/providers/vendor/balance", Some(body));
        for wrong in [
            json!({"vendor": "nobody"}),
            json!({"floor": "a lot"}),
            json!({"floor": "5", "warn_at": "4"}),
            json!({"warn_days": 100_000}),
        ] {
            let (status, told) = put(wrong).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{told}");
        }
        let (status, told) = put(terms).await;
        assert!(status.is_success(), "{status} {told}");
        let row = once(&product, |row| {
            of(row, "none")["state"] == "parked" && of(row, "some")["state"] == "parked"
        })
        .await;
        assert_eq!(
            (&row["vendor"], &of(&row, "some")["amount"]),
            (&json!("deepseek"), &json!("-1.5"))
        );
        let (_, keys) = product
            .admin(Method::GET, "/providers/vendor/keys", None)
            .await;
        assert_eq!(keys["data"][0]["status"], "parked", "{keys}");
        let parked = route(&product).await;
        assert_eq!(parked["state"], "no_key", "{parked}");
        assert_eq!(parked["keys"]["parked"], 2, "{parked}");
        assert!(parked["key"].is_null(), "{parked}");

        // A call is refused without a try: what the vendor was asked are balances.
        let asked = vendor.calls(KEYS[0]) + vendor.calls(KEYS[1]);
        let (status, body) = product.chat(&customer, "ours", "hi").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
        assert_eq!(vendor.calls(KEYS[0]) + vendor.calls(KEYS[1]), asked);
        let mut console = Console::open(&product).await;
        let page = console.get("/admin/balances").await;
        assert!(
            page.contains("-1.5 CNY") && page.contains(">paused<"),
            "{page}"
        );
        // Alerts are looked for every quarter of a minute.
        let looking = async {
            let paused = "this key is paused because its account is empty";
            while !console.get("/admin").await.contains(paused) {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        };
        let seen = tokio::time::timeout(Duration::from_secs(60), looking).await;
        seen.expect("the board says so");
        let check = console.get("/admin/models/ours/route").await;
        assert!(check.contains("no usable key"), "{check}");

        // One of them is paid for again; the other one tells nothing any more.
        vendor.script(KEYS[1], at_once(holds("21")));
        vendor.script(KEYS[0], at_once(answer("200 OK", "", "<html>")));
        let form = [
            ("is_asked", "on"),
            ("vendor", "deepseek"),
            ("floor", "1"),
            ("warn_at", "20"),
            ("warn_days", "3"),
        ];
        let (status, page) = console.post("/admin/providers/vendor/balance", &form).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
        let row = once(&product, |row| {
            of(row, "some")["state"] == "fine" && !of(row, "none")["problem"].is_null()
        })
        .await;
        assert_eq!(of(&row, "none")["problem"], "unreadable");
        assert_eq!(
            of(&row, "none")["state"],
            "parked",
            "it was read a moment ago"
        );
        let ready = route(&product).await;
        assert_eq!(
            (&ready["state"], &ready["key"]["last4"]),
            (&json!("ready"), &json!("some"))
        );
        vendor.script(KEYS[1], at_once(answer("200 OK", "", GOOD)));
        let (status, body) = product.chat(&customer, "ours", "hi").await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let (_, told) = product.admin(Method::GET, "/audit", None).await;
        assert!(
            told.to_string().contains("provider.balance_terms"),
            "{told}"
        );
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_is_tried_with_a_real_call_that_nobody_pays_for() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let (vendor, customer) = with_vendor(&product, &KEYS[1..]).await;
        vendor.script(KEYS[1], at_once(answer("200 OK", "", GOOD)));
        let before = product.balance(&customer).await;
        let test = || product.admin(Method::POST, "/providers/vendor/test", None);
        let (status, told) = test().await;
        assert_eq!(status, StatusCode::OK, "{told}");
        assert_eq!(
            (&told["ok"], &told["model"]),
            (&json!(true), &json!("their-name")),
            "{told}"
        );
        assert_eq!(told["key_last4"], "some", "{told}");
        assert_eq!(vendor.calls(KEYS[1]), 1, "a real call");
        vendor.script(KEYS[1], at_once(answer("401 Unauthorized", "", "{}")));
        let (_, told) = test().await;
        assert_eq!(
            (&told["ok"], &told["verdict"]),
            (&json!(false), &json!("refused")),
            "{told}"
        );
        assert_eq!(product.balance(&customer).await, before);
        let (status, told) = product
            .admin(Method::POST, "/providers/nobody/test", None)
            .await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{told}");

        let mut console = Console::open(&product).await;
        let list = console.get("/admin/providers").await;
        assert!(list.contains("/admin/providers/vendor/test"), "{list}");
        vendor.script(KEYS[1], at_once(answer("200 OK", "", GOOD)));
        let (status, page) = console.post("/admin/providers/vendor/test", &[]).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        assert!(
            page.contains("their-name") && page.contains("HTTP 200"),
            "{page}"
        );
        let off = console.get("/admin/providers?state=off").await;
        assert!(!off.contains("/admin/providers/vendor/test"), "{off}");
        let named = console.get("/admin/providers?q=vend&state=good").await;
        assert!(named.contains("/admin/providers/vendor/test"), "{named}");
        assert!(!named.contains("/admin/providers/sandbox/test"), "{named}");
        product.stop().await;
    }
}
