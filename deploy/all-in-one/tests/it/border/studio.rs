//! A process that dies in the middle of an answer in the studio: the person's message is there in its next life,
//! no answer is made up, and the conversation goes on.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::StatusCode;
use serde_json::json;

use super::halves::one_program;
use super::process::free_port;
use crate::studio::member;
use crate::support::places;
use crate::support::product::Product;

#[tokio::test(flavor = "multi_thread")]
async fn a_death_in_mid_answer_leaves_the_message_and_no_false_answer() {
    for place in places().await {
        let port = free_port();
        let mut program = one_program(&place, port);
        program.start().await;
        let product = Product::at(port).await;
        let customer = product.customer("100").await;
        let mut mia = member(&product, &customer).await;
        let id = format!("chat_{}", "d".repeat(32));
        let slow = json!({
            "model": "sandbox-chat",
            "messages": [{"role": "user", "content": "a heron dies [tokens:500] [pace:50]"}],
            "kept": {"conversation": id, "seen": 0, "nonce": "w.1"},
        });
        let pairs = mia.cookies.iter().map(|(k, v)| format!("{k}={v}"));
        let cookies = pairs.collect::<Vec<_>>().join("; ");
        let request = mia
            .http
            .post(product.url("/portal/studio/chat"))
            .json(&slow);
        let request = request.header("x-csrf-token", &mia.token);
        let answer = request.header("cookie", cookies).send().await;
        let mut stream = answer.expect("an answer").bytes_stream();
        let mut events = String::new();
        while events.matches("chat.completion.chunk").count() < 5 {
            let bytes = stream.next().await.expect("more").expect("bytes");
            events.push_str(&String::from_utf8_lossy(&bytes));
        }
        program.kill();
        drop(stream);
        program.start().await;

        let path = format!("/portal/studio/chat?chat={id}");
        let mut page = mia.get(&path).await;
        assert!(page.contains("a heron dies"), "{}: {page}", place.name);
        // Recovery learns that the life is over.
        for _ in 0..400 {
            if page.contains("No answer was kept") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            page = mia.get(&path).await;
        }
        assert!(
            page.contains("No answer was kept"),
            "{}: {page}",
            place.name
        );
        let next = json!({
            "model": "sandbox-chat",
            "messages": [{"role": "user", "content": "and lives [tokens:2]"}],
            "kept": {"conversation": id, "seen": 1, "nonce": "x.1"},
        });
        let (status, events) = mia.script("/portal/studio/chat", &next).await;
        assert_eq!(status, StatusCode::OK, "{events}");
        let page = mia.get(&path).await;
        assert_eq!(page.matches("said-assistant").count(), 2, "{page}");
        program.kill();
    }
}
