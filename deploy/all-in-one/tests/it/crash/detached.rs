//! A response in the background whose process is killed: it fails, and costs nothing; and who followed its events
//! is told so.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use super::kill::prepare;
use super::process::{KEY, Waule, client};
use crate::support::places;

async fn asked(
    http: &Client,
    method: Method,
    url: &str,
    (bearer, body): (&str, Option<Value>),
) -> Value {
    let request = http.request(method, url).bearer_auth(bearer);
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    let answer = request.send().await.expect("an answer");
    let status = answer.status();
    let told: Value = answer.json().await.expect("JSON");
    assert_eq!(status, StatusCode::OK, "{told}");
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_process_is_killed_fails_and_costs_nothing() {
    for place in places().await {
        let folder = tempfile::tempdir().expect("a folder");
        let mut waule = Waule::new(folder.path(), &place.database_url);
        let http = client();
        waule.start(&http).await;
        let (giving, token) = prepare(&http, &waule).await;
        let keeping = giving.replace("/recharge", "/keeping");
        asked(
            &http,
            Method::PUT,
            &keeping,
            (&token, Some(json!({"days": 1}))),
        )
        .await;
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        let responses = waule.url("/api/v1/responses");
        let body = json!({"model": "crash", "input": "x", "background": true});
        let done = asked(&http, Method::POST, &responses, (KEY, Some(body))).await;
        let of = |told: &Value| format!("{responses}/{}", told["id"].as_str().expect("an id"));
        let status = async |told: &Value| {
            let told = asked(&http, Method::GET, &of(told), (KEY, None)).await;
            told["status"].as_str().expect("a status").to_owned()
        };
        for _ in 0..200 {
            if status(&done).await == "completed" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert_eq!(status(&done).await, "completed");
        let balance = waule.url("/api/v1/credits/balance");
        let before = asked(&http, Method::GET, &balance, (KEY, None)).await;
        assert_eq!(before["held"], 0, "{before}");
        let body = json!({"model": "crash", "input": "x [delay:15000]", "background": true});
        let begun = asked(&http, Method::POST, &responses, (KEY, Some(body))).await;
        waule.kill();
        waule.start(&http).await;
        let mut found = status(&begun).await;
        for _ in 0..120 {
            if found != "in_progress" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
            found = status(&begun).await;
        }
        assert_eq!(found, "failed", "{}", place.name);
        assert_eq!(status(&done).await, "completed", "what was kept is there");
        let after = asked(&http, Method::GET, &balance, (KEY, None)).await;
        assert_eq!(
            (&after["held"], &after["used"]),
            (&json!(0), &before["used"]),
            "{after}"
        );
        waule.kill();
        waule.verify();
    }
}

/// The numbers and types of the events in a text.
fn events(text: &str) -> Vec<(u64, String)> {
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let read = data.map(|data| {
        let told: Value = serde_json::from_str(data).expect("JSON");
        let number = told["sequence_number"].as_u64().expect("a number");
        (number, told["type"].as_str().expect("a type").to_owned())
    });
    read.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_whose_process_is_killed_ends_as_failed_where_it_is_followed_again() {
    for place in places().await {
        let folder = tempfile::tempdir().expect("a folder");
        let mut waule = Waule::new(folder.path(), &place.database_url);
        let http = client();
        waule.start(&http).await;
        let (giving, token) = prepare(&http, &waule).await;
        let keeping = giving.replace("/recharge", "/keeping");
        let days = Some(json!({"days": 1}));
        asked(&http, Method::PUT, &keeping, (&token, days)).await;
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        let responses = waule.url("/api/v1/responses");
        let input = "x [tokens:200] [pace:100]";
        let body = json!({"model": "crash", "input": input, "background": true, "stream": true});
        let sent = http.post(&responses).bearer_auth(KEY).json(&body).send();
        let mut stream = sent.await.expect("an answer").bytes_stream();
        let mut text = String::new();
        // Longer than events wait to be written.
        let seen = async {
            while let Some(Ok(part)) = stream.next().await {
                text.push_str(&String::from_utf8_lossy(&part));
            }
        };
        drop(tokio::time::timeout(Duration::from_millis(2_500), seen).await);
        let whole = text.rfind("\n\n").map_or("", |end| &text[..end]);
        let (last, _) = events(whole).pop().expect("events");
        assert!(last > 5, "{whole}");
        let begun = whole.lines().find_map(|line| line.strip_prefix("data: "));
        let begun: Value = serde_json::from_str(begun.expect("an event")).expect("JSON");
        let id = begun["response"]["id"].as_str().expect("an id").to_owned();
        waule.kill();
        waule.start(&http).await;
        let follow = async |query: &str| {
            let url = format!("{responses}/{id}?stream=true{query}");
            let told = http.get(url).bearer_auth(KEY).send().await;
            events(
                &told
                    .expect("an answer")
                    .text()
                    .await
                    .expect("a whole stream"),
            )
        };
        // It waits until it is known that nobody works on it any more.
        let rest = follow(&format!("&starting_after={last}")).await;
        let end = vec![(last + 1, "response.failed".to_owned())];
        assert_eq!(rest, end, "{}: nothing is told twice", place.name);
        let all = follow("").await;
        let numbers: Vec<u64> = all.iter().map(|(number, _)| *number).collect();
        let count = u64::try_from(all.len()).expect("few");
        assert_eq!(numbers, (0..count).collect::<Vec<_>>());
        assert!(count > 5, "what was written is there: {all:?}");
        assert_eq!(all.last().expect("events").1, "response.failed");
        let balance = waule.url("/api/v1/credits/balance");
        let balance = asked(&http, Method::GET, &balance, (KEY, None)).await;
        assert_eq!((&balance["held"], &balance["used"]), (&json!(0), &json!(0)));
        waule.kill();
        waule.verify();
    }
}
