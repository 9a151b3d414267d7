//! The story of a call names the gateway of each try, and those that did not take the call.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use server::link::http::LinkSettings;
use shared::supervisor::Supervisor;

use crate::faults::fake::{Fake, answer, model, models, provider};
use crate::gateways::vendor::GOOD;
use crate::support::joined::node::gateway;
use crate::support::joined::start_with;
use crate::support::places;

#[tokio::test(flavor = "multi_thread")]
async fn each_try_names_its_gateway_and_so_does_one_that_did_not_take_the_call() {
    for place in places().await {
        let supervisor = Supervisor::new();
        let node = gateway(&place, &supervisor, &[]).await;
        let urls = [
            "http://127.0.0.1:1#name=away".to_owned(),
            format!("{}#name=near&priority=1", node.open_door()),
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
        model(&product, "m", &["bad", "good"]).await;
        let customer = product.customer("50").await;
        let (status, told) = product.chat(&customer, "m", "hi").await;
        assert_eq!(status, StatusCode::OK, "{told}");
        product.settled(&customer).await;

        let path = format!("/tenants/{}/usage", customer.id);
        let (_, usage) = product.admin(Method::GET, &path, None).await;
        let record = &usage["records"]["data"][0];
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
        let rows: Vec<Value> = tries.iter().map(row).collect();
        assert_eq!(record["attempts"], 2, "{record}");
        assert_eq!(
            Value::from(rows),
            json!([
                [0, "away", "", null, "gateway_away", "other_gateway"],
                [1, "near", "bad", 503, "overloaded", "no_other_key"],
                [2, "near", "good", null, null, null],
            ]),
            "{}: {record}",
            place.name
        );
        assert!(
            record["tries"][1]["key_last4"]
                .as_str()
                .is_some_and(|end| end.len() == 4)
        );
        // Tenants see none of it.
        let key = Some(customer.key.as_str());
        let (_, own) = product.send(Method::GET, "/api/v1/usage", key, None).await;
        let own = own.to_string();
        assert!(!own.contains("near") && !own.contains("tries"), "{own}");
        product.stop().await;
        supervisor.stop();
    }
}
