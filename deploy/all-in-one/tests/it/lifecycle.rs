//! Real processes from the first start to the last: several at once on an empty database, a backup
//! under load and what is restored from it, a database of a later version, and taking leave.

mod backups;
mod memory;
mod process;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection;
use futures_util::future::join_all;
use serde_json::{Value, json};
use shared::db::{Db, DbTarget};
use shared::link::Operation;

use self::process::{Process, command};
use crate::support::{client, long, places, until};

const KEY: &str = "wk_live_0123456789abcdefghijklmnopqrstuv";

async fn chat(process: &Process, text: &str) -> (u16, String) {
    let body = json!({"model": "sandbox-chat", "messages": [{"role": "user", "content": text}]});
    let sent = client().post(process.url("/api/v1/chat/completions"));
    let answer = sent.bearer_auth(KEY).json(&body).send().await;
    let answer = answer.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

async fn get_json(process: &Process, path: &str) -> Value {
    let sent = client()
        .get(process.url(path))
        .bearer_auth(KEY)
        .send()
        .await;
    sent.expect("an answer").json().await.expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_first_starts_at_once_on_an_empty_database_both_serve_and_add_things_once() {
    let pairs = if long() { 10 } else { 4 };
    for pair in 0..pairs {
        // Servers on one PostgreSQL have folders of their own; on one file they share it.
        for place in places().await {
            let folders: [PathBuf; 2] = if place.name == "sqlite" {
                [place.folder().to_owned(), place.folder().to_owned()]
            } else {
                [place.folder().join("a"), place.folder().join("b")]
            };
            let mut both = folders
                .each_ref()
                .map(|folder| Process::spawn("server", folder, &place.database_url, &[]));
            join_all(both.iter_mut().map(Process::alive)).await;
            for process in &both {
                let models = get_json(process, "/api/v1/models").await;
                assert_eq!(
                    models["data"].as_array().map(Vec::len),
                    // One of the sandbox for each operation.
                    Some(Operation::ALL.len()),
                    "{pair}: {models}"
                );
                let balance = get_json(process, "/api/v1/credits/balance").await;
                assert_eq!(balance["available"], 1_000, "{pair}: {balance}");
            }
            let [first, second] = both;
            let mut greetings = 0;
            for process in [first, second] {
                process.signal("-TERM");
                let output = process.ended();
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(output.status.success(), "{}: {said}", place.name);
                let said = String::from_utf8_lossy(&output.stdout).into_owned();
                greetings += said.matches("shown this once").count();
            }
            assert_eq!(greetings, 1, "{}: one of them was first", place.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_leaves_says_so_and_takes_calls_until_its_port_is_closed() {
    let [place, _] = places().await;
    for name in ["waule", "server"] {
        let folder = place.folder().join(name);
        let more = ["--shutdown-seconds", "10", "--drain-notice-seconds", "2"];
        let mut process = Process::spawn(name, &folder, "", &more);
        process.alive().await;
        if name == "waule" {
            until("it is ready", Duration::from_secs(20), async || {
                process.get("/readyz").await == Some((200, "ready".to_owned()))
            })
            .await;
        }
        process.signal("-TERM");
        let told = Instant::now();
        let draining = Some((503, "draining".to_owned()));
        until(
            "it says so at once",
            Duration::from_millis(500),
            async || process.get("/readyz").await == draining,
        )
        .await;
        if name == "waule" {
            // Who has not heard of it yet is served, over a new connection too.
            let (status, body) = chat(&process, "hi").await;
            assert_eq!(status, 200, "{body}");
        }
        assert_eq!(process.get("/readyz").await, draining, "{name}");
        until("the port is closed", Duration::from_secs(8), async || {
            process.get("/readyz").await.is_none()
        })
        .await;
        let taken = told.elapsed();
        assert!(taken >= Duration::from_millis(1_900), "{name}: {taken:?}");
        assert!(process.ended().status.success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_runs_when_the_server_is_told_to_stop_is_finished() {
    let [place, _] = places().await;
    let more = ["--shutdown-seconds", "10", "--drain-notice-seconds", "1"];
    let mut process = Process::spawn("waule", place.folder(), "", &more);
    process.alive().await;
    let running = chat(&process, "[delay:2500]");
    let telling = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        process.signal("-TERM");
    };
    let ((status, body), ()) = tokio::join!(running, telling);
    assert_eq!(status, 200, "{body}");
    assert!(process.ended().status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_at_a_terminal_does_not_wait_for_balancers() {
    let [place, _] = places().await;
    let more = ["--shutdown-seconds", "40", "--drain-notice-seconds", "20"];
    let mut process = Process::spawn("waule", place.folder(), "", &more);
    process.alive().await;
    process.signal("-INT");
    let told = Instant::now();
    assert!(process.ended().status.success());
    assert!(
        told.elapsed() < Duration::from_secs(10),
        "{:?}",
        told.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_later_version_is_refused_with_a_sentence() {
    for place in places().await {
        let target =
            DbTarget::from_settings(Some(&place.database_url), place.folder(), "server.db");
        let target = target.expect("a target");
        let mut process = Process::spawn("waule", place.folder(), &place.database_url, &[]);
        process.alive().await;
        process.signal("-INT");
        assert!(process.ended().status.success());
        let later = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99991231000000')";
        let gateway = DbTarget::Sqlite(place.folder().join("gateway.db"));
        for (database, who) in [(&target, "waule"), (&gateway, "gateway")] {
            let db = Db::connect(database).await.expect("connected");
            match &db {
                Db::Postgres(pool) => {
                    let mut conn = pool.get().await.expect("a connection");
                    conn.batch_execute(later).await.expect("written");
                }
                Db::Sqlite { writer, .. } => {
                    let mut conn = writer.get().await.expect("a connection");
                    conn.batch_execute(later).await.expect("written");
                }
            }
            let mut command = command(who, place.folder(), &place.database_url);
            if who == "waule" {
                command.args(["--host", "127.0.0.1", "--port", "0"]);
            }
            command.args(["--gateway-port", "0"]);
            let output = command.output().expect("ran");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success(), "{said}");
            let sentence = said.lines().last().unwrap_or_default();
            assert!(
                sentence.contains("used by a later version of Waule")
                    && sentence.contains("99991231000000"),
                "{} {who}: {said}",
                place.name
            );
        }
    }
}
