//! Streams through the gateway: any split, hidden usage, and a tenant that leaves.

use std::fmt::Write;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::json;

use super::vendor::{at_once, with_vendor};
use crate::support::joined::{Joined, start, start_set};
use crate::support::places;

pub(crate) fn sse_head() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n".to_vec()
}

fn events(count: usize) -> String {
    let mut text = String::new();
    for n in 0..count {
        let _ = write!(
            text,
            "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"w{n} 汉\\n\"}}}}],\"usage\":null}}\n\n"
        );
    }
    text
}

const USAGE: &str =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":30}}\r\n\r\n";

pub(crate) const DONE: &str = "data: [DONE]\n\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_passes_byte_by_byte_in_any_split_without_the_usage_nobody_asked_for() {
    for place in places().await {
        let product = start(&place, Joined::OverHttp).await;
        let (vendor, customer) = with_vendor(&product, &["key-0123456789ab"]).await;
        let whole = format!(": comment\n\n{}{USAGE}{DONE}", events(30));
        for size in [1, 2, 3, 7, 64, 100_000] {
            let mut script = at_once(sse_head());
            script.extend(
                whole
                    .as_bytes()
                    .chunks(size)
                    .map(|part| (Duration::ZERO, part.to_vec())),
            );
            vendor.script("key-0123456789ab", script);
            let body = json!({"model": "ours", "stream": true, "messages": [{"role": "user", "content": "hi"}]});
            let request = product
                .http
                .post(product.url("/api/v1/chat/completions"))
                .bearer_auth(&customer.key)
                .json(&body);
            let text = request
                .send()
                .await
                .expect("an answer")
                .text()
                .await
                .expect("a stream");
            assert_eq!(
                text,
                format!(": comment\n\n{}{DONE}", events(30)).replace(",\"usage\":null", ""),
                "{} {size}",
                place.name
            );
        }
        let record = product.newest(&customer).await;
        let counted = (&record["input_tokens"], &record["output_tokens"]);
        assert_eq!(counted, (&json!(9), &json!(30)), "{record}");
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_leaves_cuts_the_vendors_connection_within_a_second() {
    for place in places().await {
        // Without a wait for the vendor's count.
        let more = ["--read-on-seconds", "0"];
        let product = start_set(&place, Joined::OverHttp, &more).await;
        let (vendor, customer) = with_vendor(&product, &["key-0123456789ab"]).await;
        let mut script = at_once(sse_head());
        script.extend((0..400).map(|_| (Duration::from_millis(20), events(1).into_bytes())));
        vendor.script("key-0123456789ab", script);
        let body = json!({"model": "ours", "stream": true, "messages": [{"role": "user", "content": "hi"}]});
        let request = product
            .http
            .post(product.url("/api/v1/chat/completions"))
            .bearer_auth(&customer.key)
            .json(&body);
        let mut pieces = request.send().await.expect("an answer").bytes_stream();
        pieces.next().await.expect("a piece").expect("whole");
        let dropped = Instant::now();
        drop(pieces);
        while vendor.left.lock().expect("no panic").is_none() {
            assert!(
                dropped.elapsed() < Duration::from_secs(1),
                "{}: the vendor still writes",
                place.name
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(
            product.settled(&customer).await["used"],
            1,
            "one request was made and produced something"
        );
        product.stop().await;
    }
}
