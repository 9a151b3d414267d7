//! Deaths and drains under streams: a gateway killed, a gateway drained beside another, a server
//! killed, and generations that nobody comes back for.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::join_all;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use server::link::http::LinkSettings;
use shared::supervisor::Supervisor;

use super::process::{Program, free_port, records};
use super::{KEY, expected, stream, vendor_script};
use crate::gateways::vendor::with_vendor;
use crate::support::joined::{gateway, start_with};
use crate::support::{ADMIN_PASSWORD, Customer, Place, Product, SECRET, places, until};

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

/// A server as a process, with the settings of one that is watched.
pub(super) fn server_program(place: &Place, port: u16, gateway: &str) -> Program {
    let number = port.to_string();
    let arguments = [
        ["--host", "127.0.0.1"],
        ["--port", &number],
        ["--gateway-urls", gateway],
        ["--database-url", &place.database_url],
        ["--admin-password", ADMIN_PASSWORD],
        ["--recovery-seconds", "1"],
        ["--owner-silent-seconds", "2"],
    ];
    Program::new("server", place.folder(), port, arguments.as_flattened())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_leaves_a_generation_that_is_cancelled_and_settled_exactly() {
    for place in places().await {
        let supervisor = Supervisor::new();
        let settings = ["--detached-seconds", "1"];
        let node = gateway(&place, &supervisor, &settings).await;
        let door = node.open_door();
        let port = free_port();
        let mut killed = server_program(&place, port, &door);
        killed.start().await;
        let product = Product::at(port).await;
        let (vendor, customer) = with_vendor(&product, &[KEY]).await;
        by_token(&product).await;
        vendor_script(&vendor, 400, Duration::from_millis(25));
        let url = product.url("");
        let answer = ask(&product.http, &url, &customer.key).send().await;
        let mut parts = answer.expect("an answer").bytes_stream();
        let mut received = 0;
        while received < 5 {
            let part = parts.next().await.expect("more").expect("whole");
            received += words(std::str::from_utf8(&part).expect("text"));
        }
        killed.kill();
        drop(parts);
        let begun = Instant::now();
        killed.start().await;
        until(
            "its credits are free",
            Duration::from_secs(60),
            async || product.balance(&customer).await["held"] == 0,
        )
        .await;
        assert!(begun.elapsed() < Duration::from_secs(60));
        until(
            "the vendor's work is cancelled",
            Duration::from_secs(10),
            async || vendor.left.lock().expect("no panic").is_some(),
        )
        .await;
        assert_eq!(vendor.calls(KEY), 1, "{}: once", place.name);
        let records = records(&product, &customer, 1).await;
        let produced = records[0]["output_tokens"].as_i64().expect("a record");
        assert!((received..400).contains(&produced), "{received} {produced}");
        let used: &Value = &product.balance(&customer).await["used"];
        assert_eq!(*used, produced * TOKEN, "{}", place.name);
        drop(killed);
        assert!(supervisor.finish(Duration::from_secs(10)).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn generations_that_nobody_comes_back_for_do_not_grow_memory_beyond_the_bound() {
    const BOUND: i64 = 1024 * 1024;
    const PATIENCE: Duration = Duration::from_secs(120);
    let [place, _] = places().await;
    let supervisor = Supervisor::new();
    let bound = BOUND.to_string();
    let settings = [
        "--detached-seconds",
        "1",
        "--output-kept-bytes",
        bound.as_str(),
    ];
    let node = gateway(&place, &supervisor, &settings).await;
    let door = node.open_door();
    let http = Client::builder()
        .http2_prior_knowledge()
        .build()
        .expect("a client");
    let started = AtomicUsize::new(0);
    let one = || async {
        let body = json!({"model": "x", "stream": true, "messages": [{"role": "user",
            "content": "hello [tokens:100]"}]});
        let call = http
            .post(format!("{door}/internal/v1/chat/completions"))
            .header("x-internal-secret", SECRET)
            .header("x-waule-stream", "1")
            .header(
                "x-waule-targets",
                r#"[{"provider":"sandbox","model":"sandbox-chat"}]"#,
            )
            .json(&body);
        let answer = match call.send().await {
            Ok(answer) => answer,
            // This client gives up a connection on which it has left too many streams.
            Err(error) => {
                let told = format!("{error:?}");
                assert!(told.contains("too_many_internal_resets"), "{told}");
                return;
            }
        };
        // One that is too many is refused, and said to be not started.
        let full = answer.headers().contains_key("x-waule-not-started");
        assert!(answer.status().is_success() || full, "{}", answer.status());
        if !full {
            let mut parts = answer.bytes_stream();
            let _ = parts.next().await;
            started.fetch_add(1, Ordering::SeqCst);
        }
    };
    let kept = || {
        let page = node.metrics.page();
        let line = page
            .lines()
            .find(|line| line.starts_with("waule_output_kept_bytes"));
        let number = line.and_then(|line| line.split(' ').next_back()?.parse::<i64>().ok());
        number.expect("the gauge")
    };
    // How many are taken a second depends on how long the others are kept, so this goes by count.
    let most = AtomicI64::new(0);
    until("thousands were abandoned", PATIENCE, async || {
        join_all((0..50).map(|_| one())).await;
        node.gateway.count_kept();
        most.fetch_max(kept(), Ordering::SeqCst);
        started.load(Ordering::SeqCst) >= 2_000
    })
    .await;
    let most = most.into_inner();
    // Every generation may be a piece over its share before it is trimmed.
    assert!(most < 4 * BOUND, "{most} bytes are kept");
    until("all are given up", Duration::from_secs(30), async || {
        let page = node.metrics.page();
        page.contains("waule_generations_running 0")
    })
    .await;
    assert!(supervisor.finish(Duration::from_secs(10)).await);
}
