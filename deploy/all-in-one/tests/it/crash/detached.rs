//! A response in the background whose process is killed: it fails, and costs nothing.

use std::time::Duration;

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
