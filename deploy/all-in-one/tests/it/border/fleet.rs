//! Several gateways: operators add and name them, targets lead to some of them, and all tell the
//! server what happens there.

mod operators;

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::Value;
use server::link::http::{HttpLink, LinkSettings};
use server::link::metrics::LinkMetrics;
use shared::clock::Clock;
use shared::link::{Generations, ProviderAdmins};
use shared::secret::Secret;
use shared::supervisor::Supervisor;

use self::operators::call;
use super::KEY;
use crate::gateways::vendor::{at_once, with_vendor};
use crate::support::joined::node::gateway;
use crate::support::joined::start_with;
use crate::support::product::Product;
use crate::support::{Place, SECRET, places, until};

const PATIENCE: Duration = Duration::from_secs(30);

async fn events(product: &Product) -> Vec<Value> {
    let (status, page) = product.admin(Method::GET, "/gateways/events", None).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    page["data"].as_array().cloned().unwrap_or_default()
}

/// How often it was told that a key was disabled.
async fn told(product: &Product) -> usize {
    let events = events(product).await;
    let disabled = events.iter().filter(|event| {
        event["kind"] == "key_disabled" && event["detail"]["reason"] == "invalid_key"
    });
    disabled.count()
}

fn refused() -> Vec<u8> {
    let body = r#"{"error":{"message":"bad key","code":"invalid_api_key"}}"#;
    format!(
        "HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

async fn server_at(place: &Place, door: &str) -> Product {
    let urls = [door.to_owned()];
    let settings = LinkSettings::default();
    start_with(place, &urls, settings).await.0
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_at_a_gateway_is_told_once_to_all_servers_also_after_they_were_away() {
    for place in places().await {
        let supervisor = Supervisor::new();
        let node = gateway(&place, &supervisor, &[]).await;
        let door = node.open_door();
        let product = server_at(&place, &door).await;
        let second = server_at(&place, &door).await;
        // One more than a call tries at a target.
        let keys = [
            "bad-key-0123456789",
            "worse-key-012345678",
            "worst-key-012345678",
            KEY,
        ];
        let (vendor, customer) = with_vendor(&product, &keys).await;
        for key in keys {
            vendor.script(key, at_once(refused()));
        }
        let started = async || {
            let events = events(&product).await;
            events
                .iter()
                .any(|event| event["kind"] == "gateway_started")
        };
        until("the start was told", PATIENCE, started).await;
        product.chat(&customer, "ours", "hi").await;
        until("disabled keys were told", PATIENCE, async || {
            told(&product).await > 0 && told(&product).await == told(&second).await
        })
        .await;
        let before = told(&product).await;
        assert!(
            (1..keys.len()).contains(&before),
            "{}: {before}",
            place.name
        );
        product.stop().await;
        second.stop().await;
        // No server listens while the other keys are disabled.
        let urls = [door.clone()];
        let settings = LinkSettings::default();
        let secret = Secret::new(SECRET.to_owned());
        let link = HttpLink::new(
            &urls,
            &secret,
            Clock::system(),
            settings,
            LinkMetrics::default(),
        );
        let link = link.expect("a link");
        until("every key is disabled", PATIENCE, async || {
            let refused = link.open(call()).await;
            assert!(refused.is_err(), "{}", place.name);
            let admins = link.provider_admins();
            let states = admins[0].provider_keys("vendor").await.expect("keys");
            states.iter().all(|key| key.status == "disabled")
        })
        .await;
        let third = server_at(&place, &door).await;
        until("what was missed was told", PATIENCE, async || {
            told(&third).await == keys.len()
        })
        .await;
        third.stop().await;
        let fourth = server_at(&place, &door).await;
        let started = events(&fourth).await;
        let started = started
            .iter()
            .filter(|event| event["kind"] == "gateway_started");
        assert_eq!((started.count(), told(&fourth).await), (1, keys.len()));
        fourth.stop().await;
        assert!(supervisor.finish(Duration::from_secs(10)).await);
    }
}
