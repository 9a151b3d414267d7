//! A response in the background up to a crash, and what may be read and is charged after it.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::effects::{self, Counted};
use super::scenario::{PRICE, kept, saw};
use super::spot::Spot;
use crate::support::joined::{Joined, start_without_login};
use crate::support::product::{Customer, Product};

async fn status(product: &Product, customer: &Customer, id: &str) -> String {
    let path = format!("/api/v1/responses/{id}");
    let told = product.send(Method::GET, &path, Some(&customer.key), None);
    let (status, told) = told.await;
    assert_eq!(status, StatusCode::OK, "{told}");
    told["status"].as_str().expect("a status").to_owned()
}

/// One response from its request to its settlement.
pub(super) async fn scenario(spot: &Spot, end_at: u64) -> u64 {
    effects::count_statements();
    let counted = |link| Arc::new(Counted(link)) as _;
    let product = start_without_login(&spot.place(), Joined::InProcess, counted).await;
    let kept = kept(spot);
    effects::arm(end_at);
    // So slow that its client is told of it before it is over.
    let body = json!({"model": "flat", "input": "hello [delay:100]", "background": true});
    let sent = product.send(
        Method::POST,
        "/api/v1/responses",
        Some(&kept.customer.key),
        Some(body),
    );
    let (code, begun) = sent.await;
    assert_eq!(code, StatusCode::OK, "{begun}");
    let id = begun["id"].as_str().expect("an id");
    saw(spot, &format!("begun {id}"));
    // Looks are effects as well, and say nothing.
    tokio::time::sleep(Duration::from_millis(500)).await;
    while status(&product, &kept.customer, id).await == "in_progress" {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    saw(spot, "over");
    product.settled(&kept.customer).await;
    // What the end of a process does is the other scenario's.
    let count = effects::disarm();
    product.stop().await;
    count
}

/// Recovers: what is readable is charged, what failed is not, and nothing is held.
pub(super) async fn recover(spot: &Spot, end_at: u64) -> u64 {
    effects::count_statements();
    let counted = |link| Arc::new(Counted(link)) as _;
    let product = start_without_login(&spot.place(), Joined::InProcess, counted).await;
    let kept = kept(spot);
    effects::arm(end_at);
    product.server().recover_now().await;
    // The life that owned nothing any more is forgotten in the next round, and what it began fails.
    product.server().recover_now().await;
    product.server().fail_orphans().await.expect("looked");
    let count = effects::disarm();
    let differences = product.server().verify().await.expect("read");
    assert!(differences.is_empty(), "{differences:#?}");
    let balance = product.balance(&kept.customer).await;
    assert_eq!(
        balance["held"], 0,
        "nothing is held after recovery: {balance}"
    );
    let seen = std::fs::read_to_string(spot.folder.join("seen.log")).unwrap_or_default();
    let id = seen.lines().find_map(|line| line.strip_prefix("begun "));
    let used = balance["used"].as_f64().expect("credits");
    let charged = (used - PRICE).abs() < 1e-9;
    assert!(
        charged || used.abs() < 1e-9,
        "once or not at all: {balance}"
    );
    match id {
        // Nobody was told of it, so nobody can fetch it.
        None => assert!(!charged, "{seen}{balance}"),
        Some(id) => {
            let status = status(&product, &kept.customer, id).await;
            let wanted = if charged { "completed" } else { "failed" };
            assert_eq!(status, wanted, "{seen}{balance}");
            assert!(
                charged || !seen.contains("over"),
                "what was read is charged: {seen}"
            );
        }
    }
    product.stop().await;
    count
}

/// Lets the tenant's answers be kept.
pub(super) async fn keep(product: &Product, customer: &Customer) {
    let path = format!("/tenants/{}/keeping", customer.id);
    let body: Value = json!({"days": 1});
    let (status, told) = product.admin(Method::PUT, &path, Some(body)).await;
    assert_eq!(status, StatusCode::OK, "{told}");
}
