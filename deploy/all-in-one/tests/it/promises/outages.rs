//! Promises about money where a gateway is gone, a server stops or the database is locked.

use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection;
use futures_util::StreamExt;
use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use shared::db::{Db, DbTarget};
use tokio::task::JoinSet;

use super::{ask, dear, exact, message, odd};
use crate::odd::Oddity;
use crate::support::joined::{Joined, start, start_beside};
use crate::support::product::Customer;
use crate::support::{places, until};

/// Calls that may have gone to one of these gateways alone, or to any of them.
const CALLS_TO: [&[&str]; 3] = [&["gone"], &["there"], &["gone", "there"]];

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_gone_for_good_keeps_nobody_elses_holds_open() {
    for place in places().await {
        let (product, link) = odd(&place, Joined::OverHttp).await;
        // To whoever looks with no patience the owner of these calls is dead.
        let heir = start_beside(&place, link.clone()).await;
        let mut customers = Vec::new();
        for gateways in CALLS_TO {
            let customer = product.customer("100").await;
            link.go_to(gateways);
            // More than questions are asked at once.
            let calls = (0..40).map(|_| {
                let request = product
                    .http
                    .post(product.url("/api/v1/chat/completions"))
                    .bearer_auth(&customer.key);
                let request = request.json(&ask("hi [delay:60000]", false));
                request.timeout(Duration::from_secs(3)).send()
            });
            let ended = join_all(calls).await;
            assert!(ended.iter().all(Result::is_err), "the tenant leaves");
            customers.push(customer);
        }
        let [gone, there, either] = customers.try_into().ok().expect("three");
        // As a gateway behind a firewall that says nothing.
        link.be(Oddity::Away("gone", Duration::from_secs(9)));
        let begun = Instant::now();
        let settled = async {
            for customer in [&there, &either] {
                assert_eq!(product.settled(customer).await["held"], 0, "{}", place.name);
            }
            let took = begun.elapsed();
            assert!(took < Duration::from_secs(5), "{}: {took:?}", place.name);
            assert_ne!(product.balance(&gone).await["held"], 0, "not guessed yet");
        };
        tokio::join!(heir.server().recover_now(), settled);
        link.be(Oddity::None);
        heir.server().recover_now().await;
        assert_eq!(product.balance(&gone).await["held"], 0, "{}", place.name);
        exact(&product).await;
        heir.stop().await;
        product.stop().await;
    }
}

/// The text of a stream's events, and what the tenant pays for.
fn tokens_in(text: &str) -> usize {
    let events = text
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("data: "));
    let content = |event: &str| {
        let event: Value = serde_json::from_str(event).ok()?;
        let words = event["choices"][0]["delta"]["content"].as_str()?.to_owned();
        Some(words)
    };
    let words: String = events.filter_map(content).collect();
    words.len().div_ceil(4)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_ends_its_calls_in_time_and_charges_what_was_received() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        dear(&product).await;
        let (streams, waits) = (product.customer("10").await, product.customer("10").await);
        let call = |customer: &Customer, body: Value| {
            let url = product.url("/api/v1/chat/completions");
            let request = product.http.post(url).bearer_auth(&customer.key);
            request.json(&body).send()
        };
        let stream = call(&streams, ask("hi [tokens:400] [pace:50]", true));
        let mut stream = stream.await.expect("an answer").bytes_stream();
        let mut whole = JoinSet::new();
        whole.spawn(call(&waits, ask("hi [delay:60000]", false)));
        let mut text = Vec::new();
        for _ in 0..5 {
            let part = stream.next().await.expect("it goes on");
            text.extend_from_slice(&part.expect("a part"));
        }
        product.supervisor.stop();
        let begun = Instant::now();
        while let Some(part) = stream.next().await {
            text.extend_from_slice(&part.expect("no cut connection"));
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "within its time");
        let text = String::from_utf8(text).expect("text");
        assert!(!text.contains("[DONE]"), "{text}");
        let last = text.trim_end().rsplit("\n\n").next().unwrap_or_default();
        let last = last.strip_prefix("data: ").unwrap_or_default();
        let last: Value = serde_json::from_str(last).expect("an event");
        let said = message(&last);
        assert!(
            said.contains("may be charged") && said.contains("gen_"),
            "{last}"
        );
        let refused = whole.join_next().await.expect("one").expect("no panic");
        let refused = refused.expect("an answer");
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        let refused: Value = refused.json().await.expect("JSON");
        assert!(
            message(&refused).contains("Nothing was charged"),
            "{refused}"
        );
        product.stop().await;
        let again = start(&place, Joined::InProcess).await;
        again.server().recover_now().await;
        let nothing = json!({"available": 10, "held": 0, "used": 0});
        assert_eq!(again.settled(&waits).await, nothing, "{}", place.name);
        let used = again.settled(&streams).await["used"]
            .as_f64()
            .expect("credits");
        #[expect(clippy::cast_precision_loss, reason = "some tokens")]
        let received = tokens_in(&text) as f64 * 0.001;
        assert!(
            used > 0.0 && (used - received).abs() < 0.005,
            "{}: {used} for {received} received",
            place.name
        );
        exact(&again).await;
        again.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_charged_however_long_the_database_is_locked() {
    let [place, _] = places().await;
    let product = start(&place, Joined::InProcess).await;
    dear(&product).await;
    let customer = product.customer("10").await;
    let (http, url) = (
        product.http.clone(),
        product.url("/api/v1/chat/completions"),
    );
    let request = http.post(url).bearer_auth(&customer.key);
    let request = request.json(&ask("hi [tokens:30] [delay:1500]", false));
    let mut call = JoinSet::new();
    call.spawn(request.send());
    tokio::time::sleep(Duration::from_millis(700)).await;
    let target = DbTarget::Sqlite(place.folder().join("server.db"));
    let db = Db::connect(&target).await.expect("connected");
    let Db::Sqlite { writer, .. } = &db else {
        panic!("it is SQLite")
    };
    let mut conn = writer.get().await.expect("a connection");
    conn.batch_execute("BEGIN IMMEDIATE").await.expect("locked");
    let answer = call.join_next().await.expect("one").expect("no panic");
    let answer = answer.expect("an answer");
    assert_eq!(
        answer.status(),
        StatusCode::OK,
        "the answer does not wait for ever"
    );
    let kept = place.folder().join("outcomes");
    until(
        "the outcome is on disk",
        Duration::from_secs(15),
        async || std::fs::read_dir(&kept).is_ok_and(|mut files| files.next().is_some()),
    )
    .await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    conn.batch_execute("COMMIT").await.expect("free");
    drop(conn);
    until("it is charged", Duration::from_secs(20), async || {
        product.balance(&customer).await == json!({"available": 9.97, "held": 0, "used": 0.03})
    })
    .await;
    until("the file is gone", Duration::from_secs(10), async || {
        std::fs::read_dir(&kept).is_ok_and(|mut files| files.next().is_none())
    })
    .await;
    exact(&product).await;
    product.stop().await;
}
