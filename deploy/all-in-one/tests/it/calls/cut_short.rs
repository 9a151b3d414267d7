//! Calls that end before their time: who leaves pays for what was produced, who is left pays for
//! what arrived.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{question, stream};
use crate::support::joined::{Joined, start, start_set};
use crate::support::places;

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_leaves_in_the_middle_pays_for_what_was_produced() {
    for place in places().await {
        for joined in [Joined::InProcess, Joined::OverHttp] {
            // A provider that tells no count is not waited for here.
            let product = start_set(&place, joined, &["--read-on-seconds", "0"]).await;
            product
                .model("words", "chat", json!({"output_per_million": 1_000_000}))
                .await;
            let customer = product.customer("5000").await;
            let mut body = question("[tokens:500][pace:20]");
            body["model"] = json!("words");
            let mut pieces = stream(&product, &customer, &body).await.bytes_stream();
            for _ in 0..6 {
                pieces.next().await.expect("a piece").expect("whole");
            }
            let left = Instant::now();
            drop(pieces);
            let used = product.settled(&customer).await["used"]
                .as_f64()
                .expect("a number");
            assert!(
                left.elapsed() < Duration::from_secs(1),
                "cancelled within a second"
            );
            assert!(
                (3.0..60.0).contains(&used),
                "{} {joined:?}: one credit a token, {used} charged",
                place.name
            );
            let record = product.newest(&customer).await;
            assert_eq!(record["status"], "canceled", "{record}");
            product.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_leaves_early_pays_what_its_provider_counts() {
    for place in places().await {
        for joined in [Joined::InProcess, Joined::OverHttp] {
            let product = start(&place, joined).await;
            product
                .model("words", "chat", json!({"output_per_million": 1_000_000}))
                .await;
            let customer = product.customer("5000").await;
            let mut body = question("[tokens:60][pace:20]");
            body["model"] = json!("words");
            let mut pieces = stream(&product, &customer, &body).await.bytes_stream();
            pieces.next().await.expect("a piece").expect("whole");
            drop(pieces);
            let balance = product.settled(&customer).await;
            assert_eq!(balance["used"], 60, "{} {joined:?}", place.name);
            let record = product.newest(&customer).await;
            assert_eq!(record["status"], "canceled", "{record}");
            assert_eq!(record["output_tokens"], 60, "{record}");
            product.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_breaks_ends_with_an_error_event_and_costs_what_arrived() {
    for place in places().await {
        let product = start(&place, Joined::OverHttp).await;
        product
            .model("words", "chat", json!({"output_per_million": 1_000_000}))
            .await;
        let customer = product.customer("5000").await;
        let mut body = question("[tokens:100][cut:11]");
        body["model"] = json!("words");
        let text = stream(&product, &customer, &body)
            .await
            .text()
            .await
            .expect("a stream");
        assert!(!text.contains("[DONE]"), "{text}");
        let last = text.trim_end().rsplit("data: ").next().unwrap_or_default();
        let last: Value = serde_json::from_str(last).expect("an error event");
        assert_eq!(last["error"]["code"], "interrupted");
        assert_eq!(
            product.settled(&customer).await["used"].as_f64(),
            Some(10.0 + 3.0 * 0.0),
            "ten words arrived"
        );
        product.stop().await;
    }
}
