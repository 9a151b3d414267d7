//! Deaths and drains under streams: a gateway killed, a gateway drained beside another, a server
//! killed, and generations that nobody comes back for.

pub(super) mod servers;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use reqwest::{Client, Method, StatusCode};
use serde_json::json;
use server::link::http::LinkSettings;
use shared::supervisor::Supervisor;

use super::process::{Program, free_port};
use super::{KEY, expected, stream, vendor_script};
use crate::gateways::vendor::with_vendor;
use crate::support::joined::node::gateway;
use crate::support::joined::start_with;
use crate::support::product::{Customer, Product};
use crate::support::{places, until};

/// What one output token costs, in credits.
const TOKEN: i64 = 1;

/// A model that is paid by output tokens.
pub(super) async fn by_token(product: &Product) {
    let target = json!({"provider": "vendor", "model": "their-name", "weight": 1, "priority": 0});
    let body = json!({"id": "by-token", "operation": "chat", "targets": [target], "max_output_tokens": 400,
        "price": {"output_per_million": 1_000_000 * TOKEN}});
    let (status, made) = product.admin(Method::POST, "/models", Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
}

pub(super) fn ask(http: &Client, url: &str, key: &str) -> reqwest::RequestBuilder {
    let body = json!({"model": "by-token", "stream": true, "messages": [{"role": "user", "content": "hi"}]});
    http.post(format!("{url}/api/v1/chat/completions"))
        .bearer_auth(key)
        .json(&body)
}

/// Words in the text that reached a tenant.
fn words(text: &str) -> i64 {
    i64::try_from(text.matches("\"content\":\"w").count()).expect("few")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_gateway_is_told_plainly_and_what_was_received_is_paid() {
    for place in places().await {
        let port = free_port();
        let folder: PathBuf = place.folder().to_owned();
        let number = port.to_string();
        let arguments = ["--gateway-port", number.as_str()];
        let mut killed = Program::new("gateway", &folder, port, &arguments);
        killed.start().await;
        let urls = [format!("http://127.0.0.1:{port}")];
        let (product, metrics) = start_with(&place, &urls, LinkSettings::default()).await;
        let (vendor, customer) = with_vendor(&product, &[KEY]).await;
        by_token(&product).await;
        vendor_script(&vendor, 300, Duration::from_millis(20));
        let url = product.url("");
        let answer = ask(&product.http, &url, &customer.key).send().await;
        let mut parts = answer.expect("an answer").bytes_stream();
        let mut text = String::new();
        while words(&text) < 5 {
            let part = parts.next().await.expect("more").expect("whole");
            text.push_str(std::str::from_utf8(&part).expect("text"));
        }
        killed.kill();
        killed.start().await;
        while let Some(part) = parts.next().await {
            text.push_str(std::str::from_utf8(&part.expect("whole")).expect("text"));
        }
        assert!(text.contains("\"code\":\"interrupted\""), "{text}");
        assert!(!text.contains("[DONE]"), "{text}");
        assert_eq!(vendor.calls(KEY), 1, "{}: never twice", place.name);
        assert_eq!(metrics.lost(), 1);
        let balance = product.settled(&customer).await;
        assert_eq!(balance["used"], words(&text) * TOKEN, "{}", place.name);
        vendor_script(&vendor, 3, Duration::ZERO);
        let next = stream(&product, &customer).await;
        assert_eq!(next, Ok(expected(3)), "the new life serves");
        product.stop().await;
    }
}

/// Calls one after another until told to stop; answers how many.
async fn load(product: &Product, customer: &Customer, stop: &AtomicBool) -> usize {
    let mut calls = 0;
    while !stop.load(Ordering::SeqCst) {
        assert_eq!(stream(product, customer).await, Ok(expected(20)));
        calls += 1;
    }
    calls
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_gateway_beside_another_is_not_noticed() {
    for place in places().await {
        let supervisors = [Supervisor::new(), Supervisor::new()];
        let mut urls = Vec::new();
        for supervisor in &supervisors {
            urls.push(gateway(&place, supervisor, &[]).await.open_door());
        }
        let (product, metrics) = start_with(&place, &urls, LinkSettings::default()).await;
        let (vendor, customer) = with_vendor(&product, &[KEY]).await;
        vendor_script(&vendor, 20, Duration::from_millis(25));
        // Gateways on one database see each other's changes within seconds.
        until(
            "both know the vendor",
            Duration::from_secs(20),
            async || {
                let tries = join_all((0..20).map(|_| stream(&product, &customer))).await;
                tries.iter().all(Result::is_ok)
            },
        )
        .await;
        let before = vendor.calls(KEY);
        let stop = AtomicBool::new(false);
        let drained = async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            assert!(supervisors[0].finish(Duration::from_secs(10)).await);
            tokio::time::sleep(Duration::from_millis(700)).await;
            stop.store(true, Ordering::SeqCst);
        };
        let workers = join_all((0..40).map(|_| load(&product, &customer, &stop)));
        let ((), calls) = tokio::join!(drained, workers);
        let calls: usize = calls.into_iter().sum();
        assert_eq!(
            vendor.calls(KEY) - before,
            calls,
            "{}: once each",
            place.name
        );
        assert_eq!(metrics.lost(), 0);
        product.settled(&customer).await;
        product.stop().await;
        assert!(supervisors[1].finish(Duration::from_secs(10)).await);
    }
}
