//! Servers that die: what they leave is cancelled and settled, and does not grow a gateway's
//! memory.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::join_all;
use reqwest::Client;
use serde_json::{Value, json};
use shared::supervisor::Supervisor;

use super::super::process::{Program, free_port, records};
use super::super::{KEY, vendor_script};
use super::{TOKEN, ask, by_token, words};
use crate::gateways::vendor::with_vendor;
use crate::support::joined::node::gateway;
use crate::support::product::Product;
use crate::support::{ADMIN_PASSWORD, Place, SECRET, places, until};

/// A server as a process, with the settings of one that is watched.
pub(in super::super) fn server_program(place: &Place, port: u16, gateway: &str) -> Program {
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
