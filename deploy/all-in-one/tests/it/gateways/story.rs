//! The story of a call names the gateway of each try, and those that did not take the call.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use server::link::http::LinkSettings;
use shared::supervisor::Supervisor;

use crate::faults::fake::{Fake, answer, model, models, provider};
use crate::gateways::vendor::GOOD;
use crate::support::joined::node::gateway;
use crate::support::joined::start_with;
use crate::support::places;
use crate::support::product::{Customer, Product};

/// Gateways on one database look for news of each other every two seconds.
const HEARD_MAX: Duration = Duration::from_secs(20);

/// The tries of a tenant's newest call.
async fn tries(product: &Product, customer: &Customer) -> (Value, Vec<Value>) {
    product.settled(customer).await;
    let path = format!("/tenants/{}/usage?limit=1", customer.id);
    let (_, usage) = product.admin(Method::GET, &path, None).await;
    let record = usage["records"]["data"][0].clone();
    let tries = record["tries"].as_array().cloned().unwrap_or_default();
    let row = |one: &Value| {
        json!([
            one["number"],
            one["gateway"],
            one["provider"],
            one["status"],
            one["fault"],
            one["next"]
        ])
    };
    (record, tries.iter().map(row).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_try_names_its_gateway_and_so_does_one_that_did_not_take_the_call() {
    for place in places().await {
        let (stays, leaves) = (Supervisor::new(), Supervisor::new());
        let west = gateway(&place, &stays, &[]).await;
        let east = gateway(&place, &leaves, &[]).await;
        let urls = [
            format!("{}#name=east", east.open_door()),
            format!("{}#name=west&priority=1", west.open_door()),
        ];
        let (product, _) = start_with(&place, &urls, LinkSettings::default()).await;
        let (_fake, address) = Fake::start(|seen| match seen {
            seen if seen.asks_models() => models(),
            seen if seen.head.contains("key-of-bad") => answer("503 Service Unavailable", "", "{}"),
            _ => answer("200 OK", "", GOOD),
        })
        .await;
        let base = format!("http://{address}/v1");
        provider(&product, "bad", &base, 1).await;
        provider(&product, "good", &base, 1).await;
        model(&product, "any", &["bad", "good"]).await;
        let target = json!({"provider": "good", "model": "theirs", "gateway": "west"});
        let pinned = json!({"id": "pinned", "operation": "chat", "targets": [target], "price": {"per_request": 1}});
        let (status, made) = product.admin(Method::POST, "/models", Some(pinned)).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let customer = product.customer("50").await;

        let (status, told) = product.chat(&customer, "any", "hi").await;
        assert_eq!(status, StatusCode::OK, "{told}");
        let (record, rows) = tries(&product, &customer).await;
        assert_eq!(record["attempts"], 2, "{record}");
        assert_eq!(
            Value::from(rows),
            json!([
                [1, "east", "bad", 503, "overloaded", "no_other_key"],
                [2, "east", "good", null, null, null],
            ]),
            "{}: {record}",
            place.name
        );
        let last4 = record["tries"][0]["key_last4"].as_str();
        assert!(last4.is_some_and(|end| end.len() == 4), "{record}");
        // The gateway in the west hears of providers that the other one was told of in a while.
        let began = Instant::now();
        loop {
            let (status, told) = product.chat(&customer, "pinned", "hi").await;
            if status == StatusCode::OK {
                break;
            }
            assert!(began.elapsed() < HEARD_MAX, "{status} {told}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let (record, rows) = tries(&product, &customer).await;
        assert_eq!(
            rows,
            [json!([1, "west", "good", null, null, null])],
            "{record}"
        );

        // One that goes hands its calls on, and whoever is told so is in the story too.
        leaves.stop();
        let (status, told) = product.chat(&customer, "any", "hi").await;
        assert_eq!(status, StatusCode::OK, "{told}");
        let (record, rows) = tries(&product, &customer).await;
        let (passed, made): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row[0] == 0);
        for row in passed {
            let is_told = row[4] == "gateway_away" || row[4] == "gateway_full";
            assert!(is_told, "{record}");
            assert_eq!(
                (&row[1], &row[5]),
                (&json!("east"), &json!("other_gateway"))
            );
        }
        assert!(!made.is_empty(), "{record}");
        assert!(
            made.iter().all(|row| row[1] == "west" || row[1] == "east"),
            "{record}"
        );

        // Tenants see none of it.
        let key = Some(customer.key.as_str());
        let (_, own) = product.send(Method::GET, "/api/v1/usage", key, None).await;
        let own = own.to_string();
        assert!(!own.contains("west") && !own.contains("tries"), "{own}");
        product.stop().await;
        stays.stop();
    }
}
