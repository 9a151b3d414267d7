//! PostgreSQL itself is killed and started again under a running server, and with it: what the
//! server told anybody is in the database when it is back.

use std::time::Duration;

use super::cluster::Cluster;
use super::kill::clients::{Log, Work};
use super::kill::{exact, prepare};
use super::process::{KEY, Waule, client};
use crate::support::{long, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_killed_under_load_has_what_was_told() {
    // Its commits wait for the disk.
    let mut cluster = Cluster::start_new(&["-c", "fsync=on"]);
    let folder = tempfile::tempdir().expect("a folder");
    let mut waule = Waule::new(folder.path(), &cluster.url());
    let http = client();
    waule.start(&http).await;
    let (giving, token) = prepare(&http, &waule).await;
    let log = Log::default();
    for round in 0..if long() { 60 } else { 6 } {
        let work = Work::start(&http, &waule, (&giving, &token), round, &log);
        tokio::time::sleep(Duration::from_millis(150 + 40 * round)).await;
        cluster.kill();
        tokio::time::sleep(Duration::from_millis(100)).await;
        if round % 3 == 2 {
            waule.kill();
        }
        cluster.start();
        waule.verify();
        if round % 3 == 2 {
            waule.start(&http).await;
        }
        waule.ready(&http).await;
        work.stop().await;
    }
    exact(&http, &waule, &log, (&giving, &token), "postgres").await;
    waule.kill();
    waule.verify();
}

/// What the tenant has paid so far.
async fn used(http: &reqwest::Client, waule: &Waule<'_>) -> Option<f64> {
    let asked = http
        .get(waule.url("/api/v1/credits/balance"))
        .bearer_auth(KEY);
    let balance: serde_json::Value = asked.send().await.ok()?.json().await.ok()?;
    (balance["held"] == 0).then(|| balance["used"].as_f64())?
}

async fn call(http: reqwest::Client, url: String) -> reqwest::StatusCode {
    let text = "hi [tokens:30] [delay:1500]";
    let body = serde_json::json!({"model": "crash", "max_tokens": 50,
        "messages": [{"role": "user", "content": text}]});
    let sent = http.post(url).bearer_auth(KEY).json(&body).send();
    sent.await.expect("an answer").status()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_charged_however_long_the_database_is_away_and_whoever_dies_meanwhile() {
    let mut cluster = Cluster::start_new(&["-c", "fsync=on"]);
    let folder = tempfile::tempdir().expect("a folder");
    let mut waule = Waule::new(folder.path(), &cluster.url());
    let http = client();
    waule.start(&http).await;
    prepare(&http, &waule).await;
    let chat = waule.url("/api/v1/chat/completions");
    let settled = async |waule: &Waule<'_>, wanted: f64| {
        until("it is charged once", Duration::from_secs(60), async || {
            used(&http, waule)
                .await
                .is_some_and(|used| (used - wanted).abs() < 1e-9)
        })
        .await;
    };
    let before = used(&http, &waule).await.expect("read");
    assert!(call(http.clone(), chat.clone()).await.is_success());
    until("it is settled", Duration::from_secs(10), async || {
        used(&http, &waule).await.is_some_and(|used| used > before)
    })
    .await;
    let after = used(&http, &waule).await.expect("read");
    let (cost, mut paid) = (after - before, after);
    let outcomes = folder.path().join("outcomes");
    for dies in [false, true] {
        let mut running = tokio::task::JoinSet::new();
        running.spawn(call(http.clone(), chat.clone()));
        tokio::time::sleep(Duration::from_millis(700)).await;
        cluster.kill();
        let status = running.join_next().await.expect("one").expect("no panic");
        assert!(
            status.is_success(),
            "an answer that is there is told: {status}"
        );
        until(
            "the outcome is on disk",
            Duration::from_secs(30),
            async || std::fs::read_dir(&outcomes).is_ok_and(|mut files| files.next().is_some()),
        )
        .await;
        if dies {
            waule.kill();
        }
        // Longer than a settlement is tried before it goes to disk.
        tokio::time::sleep(Duration::from_secs(if long() { 90 } else { 8 })).await;
        cluster.start();
        if dies {
            waule.start(&http).await;
        }
        waule.ready(&http).await;
        paid += cost;
        settled(&waule, paid).await;
        until(
            "nothing is left on disk",
            Duration::from_secs(10),
            async || std::fs::read_dir(&outcomes).is_ok_and(|mut files| files.next().is_none()),
        )
        .await;
        waule.verify();
    }
}
