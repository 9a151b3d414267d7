//! SIGKILL at random moments under load, again and again: what a client saw succeed is charged
//! once, what it saw fail is charged not at all or exactly for what was produced.

pub(super) mod clients;

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use self::clients::{Dice, INPUT, Log, OUTPUT, Work, admin, micros, recharge};
use super::process::{KEY, Waule, client};
use crate::support::{long, places};

async fn get(http: &Client, url: &str) -> Value {
    let answer = http
        .get(url)
        .bearer_auth(KEY)
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.expect("JSON")
}

/// Every record, by its generation.
async fn records(http: &Client, waule: &Waule<'_>) -> BTreeMap<String, Value> {
    let (mut all, mut after) = (BTreeMap::new(), String::new());
    loop {
        let page = get(http, &waule.url(&format!("/api/v1/usage?limit=100{after}"))).await;
        for record in page["data"].as_array().expect("records") {
            let id = record["id"].as_str().expect("an id").to_owned();
            assert!(
                all.insert(id, record.clone()).is_none(),
                "a record comes once"
            );
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return all,
        }
    }
}

/// Every record, once lists show all that was charged, which they do within a second.
async fn filed(http: &Client, waule: &Waule<'_>, used: &Value) -> BTreeMap<String, Value> {
    let begun = std::time::Instant::now();
    loop {
        let all = records(http, waule).await;
        let sum: i64 = all.values().map(|record| micros(&record["credits"])).sum();
        if sum == micros(used) || begun.elapsed() > Duration::from_secs(10) {
            return all;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A model with the price that the clients expect; answers where credits are given, and a token.
pub(super) async fn prepare(http: &Client, waule: &Waule<'_>) -> (String, String) {
    let (token, tenant) = admin(http, waule).await;
    let model = json!({"id": "crash", "operation": "chat", "max_output_tokens": 100,
        "targets": [{"provider": "sandbox", "model": "sandbox-chat", "weight": 1, "priority": 0}],
        "price": {"input_per_million": 1000, "output_per_million": 2000}});
    let made = http
        .post(waule.url("/admin/api/models"))
        .bearer_auth(&token)
        .json(&model);
    let made = made.send().await.expect("an answer");
    assert_eq!(made.status(), StatusCode::CREATED);
    let giving = waule.url(&format!("/admin/api/tenants/{tenant}/recharge"));
    (giving, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_again_and_again_stays_exact() {
    let kills = if long() { 250 } else { 25 };
    for place in places().await {
        let folder = tempfile::tempdir().expect("a folder");
        let mut waule = Waule::new(folder.path(), &place.database_url);
        let http = client();
        waule.start(&http).await;
        let (giving, token) = prepare(&http, &waule).await;
        let log = Log::default();
        let mut dice = Dice(0x5eed_0001);
        for round in 0..kills {
            let work = Work::start(&http, &waule, (&giving, &token), round, &log);
            tokio::time::sleep(Duration::from_millis(20 + dice.roll(380))).await;
            waule.kill();
            // Clients see what there is to see of a dead server.
            tokio::time::sleep(Duration::from_millis(5)).await;
            work.stop().await;
            waule.verify();
            waule.start(&http).await;
        }
        exact(&http, &waule, &log, (&giving, &token), place.name).await;
        waule.kill();
        waule.verify();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_a_hot_tenant_and_one_looks_after_what_the_other_left() {
    let [_, place] = places().await;
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let mut dying = Waule::new(folders[0].path(), &place.database_url);
    let mut living = Waule::new(folders[1].path(), &place.database_url);
    let http = client();
    dying.start(&http).await;
    living.start(&http).await;
    let (giving, token) = prepare(&http, &dying).await;
    let (log, mut dice) = (Log::default(), Dice(0x5eed_0002));
    for round in 0..if long() { 60 } else { 6 } {
        let of_dying = Work::start(&http, &dying, (&giving, &token), 2 * round, &log);
        let of_living = Work::start(&http, &living, (&giving, &token), 2 * round + 1, &log);
        tokio::time::sleep(Duration::from_millis(100 + dice.roll(300))).await;
        dying.kill();
        tokio::time::sleep(Duration::from_millis(100)).await;
        of_dying.stop().await;
        of_living.stop().await;
        living.verify();
        dying.start(&http).await;
    }
    dying.kill();
    // The other one alone frees what the dead one held; it knows no prices but the database's.
    let balance = living.url("/api/v1/credits/balance");
    free(&http, &balance, "the living one").await;
    dying.start(&http).await;
    exact(&http, &living, &log, (&giving, &token), place.name).await;
    living.verify();
}

/// Waits until nothing is held.
async fn free(http: &Client, balance: &str, name: &str) {
    let begun = std::time::Instant::now();
    while get(http, balance).await["held"] != 0 {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{name}: credits are held for ever"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Nothing is held any more, and everything the clients saw is in the books once.
pub(super) async fn exact(
    http: &Client,
    waule: &Waule<'_>,
    log: &Log,
    giving: (&str, &str),
    name: &str,
) {
    let balance = waule.url("/api/v1/credits/balance");
    free(http, &balance, name).await;
    let before = get(http, &balance).await;
    let recharged = std::mem::take(&mut log.lock().expect("no panic").recharged);
    for key in &recharged {
        assert!(recharge(http, giving.0, giving.1, key).await, "{key}");
    }
    let after = get(http, &balance).await;
    assert_eq!(
        before, after,
        "{name}: every answered recharge was there already"
    );
    let records = filed(http, waule, &after["used"]).await;
    let seen = log.lock().expect("no panic");
    assert!(
        seen.succeeded.len() > 100,
        "{name}: {} calls",
        seen.succeeded.len()
    );
    for (id, expected) in &seen.succeeded {
        let record = records
            .get(id)
            .unwrap_or_else(|| panic!("{name}: {id} is not charged"));
        assert_eq!(micros(&record["credits"]), *expected, "{name}: {record}");
    }
    let mut sum = 0;
    for record in records.values() {
        let tokens = |field: &str| record[field].as_i64().expect("tokens");
        let (input, output) = (tokens("input_tokens"), tokens("output_tokens"));
        let produced = if output > 0 {
            input * INPUT + output * OUTPUT
        } else {
            0
        };
        assert_eq!(micros(&record["credits"]), produced, "{name}: {record}");
        sum += produced;
    }
    assert_eq!(micros(&after["used"]), sum, "{name}");
}
