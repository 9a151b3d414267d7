//! The border link when it breaks: streams survive cuts of every kind, a generation happens once,
//! and deaths and drains on either side leave exact accounts.

mod acknowledged;
mod away;
mod both;
mod cuts;
mod databases;
mod deaths;
mod fleet;
mod halves;
mod outages;
mod process;
mod proxy;
mod starved;
mod studio;

use std::fmt::Write;
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::json;
use shared::supervisor::Supervisor;

use self::proxy::Proxy;
use crate::gateways::streams::{DONE, sse_head};
use crate::gateways::vendor::{Script, Vendor};
use crate::support::Place;
use crate::support::joined::node::{Node, gateway};
use crate::support::product::{Customer, Product};

/// A gateway, a proxy before its door, and the address that leads through the proxy.
async fn behind_a_proxy(
    place: &Place,
    supervisor: &Supervisor,
    more: &[&str],
) -> (Node, Proxy, [String; 1]) {
    let node = gateway(place, supervisor, more).await;
    let door = node.open_door();
    let upstream = door.trim_start_matches("http://").parse();
    let proxy = Proxy::before(upstream.expect("an address")).await;
    let urls = [format!("http://{}", proxy.address)];
    (node, proxy, urls)
}

/// The vendor's key in these tests.
const KEY: &str = "vendor-key-0123456789";

/// One event with a word of its own.
fn event(n: usize) -> String {
    format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"w{n} \"}}}}],\"usage\":null}}\n\n"
    )
}

/// A stream of `count` words at a pace, with the vendor's own count at its end.
fn paced(count: usize, pace: Duration) -> Script {
    let mut script = vec![(Duration::ZERO, sse_head())];
    script.extend((0..count).map(|n| (pace, event(n).into_bytes())));
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": count}});
    let end = format!("data: {usage}\n\n{DONE}");
    script.push((Duration::ZERO, end.into_bytes()));
    script
}

/// What a tenant must receive of it: without the `usage` that it did not ask for.
fn expected(count: usize) -> String {
    let mut text = String::new();
    for n in 0..count {
        let _ = write!(text, "{}", event(n));
    }
    text.replace(",\"usage\":null", "") + DONE
}

/// What the model of `with_vendor` costs: one credit a request and nothing else.
const PRICE: i64 = 1;

/// A tenant's stream, read to its end, without the comments that say that somebody still works.
async fn stream(product: &Product, customer: &Customer) -> Result<String, String> {
    let body =
        json!({"model": "ours", "stream": true, "messages": [{"role": "user", "content": "hi"}]});
    let request = product
        .http
        .post(product.url("/api/v1/chat/completions"))
        .bearer_auth(&customer.key)
        .json(&body);
    let answer = request.send().await.map_err(|e| e.to_string())?;
    let status = answer.status();
    let mut parts = answer.bytes_stream();
    let mut text = Vec::new();
    while let Some(part) = parts.next().await {
        text.extend_from_slice(&part.map_err(|e| e.to_string())?);
    }
    let text = String::from_utf8(text).map_err(|e| e.to_string())?;
    if status.is_success() {
        Ok(text.replace(": keep-alive\n\n", ""))
    } else {
        Err(format!("{status}: {text}"))
    }
}

fn vendor_script(vendor: &Vendor, count: usize, pace: Duration) {
    vendor.script(KEY, paced(count, pace));
}
