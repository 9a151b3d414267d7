//! Clients that call and recharge at random while processes are killed, and what they saw.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use super::super::process::{KEY, PASSWORD, Waule};

const CLIENTS: u64 = 12;

/// Micro-credits a token, each way.
pub(super) const INPUT: i64 = 1_000;

pub(super) const OUTPUT: i64 = 2_000;

/// What clients saw.
#[derive(Default)]
pub(in super::super) struct Seen {
    /// Generation and what it must cost.
    pub(super) succeeded: BTreeMap<String, i64>,
    failed: usize,
    /// Keys of recharges that were answered.
    pub(super) recharged: Vec<String>,
}

pub(in super::super) type Log = Arc<Mutex<Seen>>;

/// A small generator, so that a run can be repeated by its seed.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

pub(super) fn micros(credits: &Value) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a test's few credits")]
    let micros = (credits.as_f64().expect("credits") * 1e6).round() as i64;
    micros
}

fn price(usage: &Value) -> i64 {
    let tokens = |name: &str| usage[name].as_i64().expect("tokens");
    tokens("prompt_tokens") * INPUT + tokens("completion_tokens") * OUTPUT
}

/// One call; answers its generation and its price if the client saw it succeed.
async fn call(http: &Client, url: &str, dice: &mut Dice) -> Option<(String, i64)> {
    let stream = dice.roll(3) == 0;
    let text = format!(
        "hello [tokens:{}] [delay:{}] [pace:1]",
        1 + dice.roll(30),
        dice.roll(20)
    );
    let mut body = json!({"model": "crash", "messages": [{"role": "user", "content": text}], "stream": stream});
    if stream {
        body["stream_options"] = json!({"include_usage": true});
    }
    let answer = http.post(url).bearer_auth(KEY).json(&body).send().await;
    let answer = answer
        .ok()
        .filter(|answer| answer.status() == StatusCode::OK)?;
    let id = answer.headers()["x-waule-generation"]
        .to_str()
        .ok()?
        .to_owned();
    if !stream {
        let whole: Value = answer.json().await.ok()?;
        return Some((id, price(&whole["usage"])));
    }
    let (mut bytes, mut text) = (answer.bytes_stream(), Vec::new());
    while let Some(part) = bytes.next().await {
        text.extend_from_slice(&part.ok()?);
    }
    let text = String::from_utf8(text).ok()?;
    let events: Vec<&str> = text
        .split("\n\n")
        .filter_map(|e| e.strip_prefix("data: "))
        .collect();
    let [.., usage, "[DONE]"] = events.as_slice() else {
        return None;
    };
    let usage: Value = serde_json::from_str(usage).ok()?;
    Some((id, price(&usage["usage"])))
}

async fn caller(http: Client, url: String, seed: u64, log: Log) {
    let mut dice = Dice(seed);
    loop {
        let seen = call(&http, &url, &mut dice).await;
        let refused = seen.is_none();
        {
            let mut log = log.lock().expect("no panic");
            match seen {
                Some((id, micros)) => drop(log.succeeded.insert(id, micros)),
                None => log.failed += 1,
            }
        }
        if refused {
            // A dead server refuses at once; it is not worth a busy loop.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

pub(super) async fn admin(http: &Client, waule: &Waule<'_>) -> (String, String) {
    let login = http
        .post(waule.url("/admin/api/login"))
        .json(&json!({"username": "admin", "password": PASSWORD}))
        .send();
    let login: Value = login.await.expect("an answer").json().await.expect("JSON");
    let token = login["token"].as_str().expect("a token").to_owned();
    let tenants = http
        .get(waule.url("/admin/api/tenants"))
        .bearer_auth(&token);
    let tenants: Value = tenants
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    let demo = tenants["data"][0]["id"]
        .as_str()
        .expect("a tenant")
        .to_owned();
    (token, demo)
}

/// Gives one credit; whether the answer came.
pub(super) async fn recharge(http: &Client, waule_url: &str, token: &str, key: &str) -> bool {
    let sent = http
        .post(waule_url)
        .bearer_auth(token)
        .header("Idempotency-Key", key)
        .json(&json!({"amount": 1}))
        .send();
    sent.await.is_ok_and(|answer| answer.status().is_success())
}

/// Clients that call and recharge until they are stopped.
pub(in super::super) struct Work(tokio::task::JoinSet<()>);

impl Work {
    pub(in super::super) fn start(
        http: &Client,
        waule: &Waule<'_>,
        (giving, token): (&str, &str),
        round: u64,
        log: &Log,
    ) -> Self {
        let mut work = tokio::task::JoinSet::new();
        for client in 0..CLIENTS {
            let (http, url) = (http.clone(), waule.url("/api/v1/chat/completions"));
            let seed = 1 + round * CLIENTS + client;
            work.spawn(caller(http, url, seed, log.clone()));
        }
        let (http, log) = (http.clone(), log.clone());
        let (giving, token) = (giving.to_owned(), token.to_owned());
        work.spawn(async move {
            for number in 0.. {
                let key = format!("{round}-{number}");
                if recharge(&http, &giving, &token, &key).await {
                    log.lock().expect("no panic").recharged.push(key);
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        Self(work)
    }

    pub(in super::super) async fn stop(mut self) {
        self.0.shutdown().await;
    }
}
