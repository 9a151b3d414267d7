//! Real processes from the first start to the last: several at once on an empty database, a backup
//! under load and what is restored from it, a database of a later version, and taking leave.

use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use shared::db::{Db, DbTarget};
use shared::link::Operation;

use crate::support::{ADMIN_PASSWORD, Product, SECRET, client, long, places, until};

const KEY: &str = "wk_live_0123456789abcdefghijklmnopqrstuv";

/// One program of the product, killed with the test at the latest.
struct Process {
    child: Child,
    port: u16,
}

fn free_port() -> u16 {
    let probe = TcpListener::bind("127.0.0.1:0").expect("a port");
    probe.local_addr().expect("an address").port()
}

/// A program beside `waule`, over a folder and a database of the server.
/// `role` is "server", "gateway" or "waule" for both in one process.
fn command(role: &str, folder: &Path, database_url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waule"));
    command
        .args((role != "waule").then_some(role))
        .env_clear()
        .env("DATA_DIR", folder)
        .env("DATABASE_URL", database_url)
        .env("INTERNAL_SECRET", SECRET)
        .env("ADMIN_PASSWORD", ADMIN_PASSWORD)
        .env("DEMO_TENANT_KEY", KEY)
        .env("LOG", "warn")
        .args(["--metrics-port", "0"])
        .stdin(Stdio::null());
    command
}

impl Process {
    /// Begins to start it; what it says is read by whoever ends it.
    fn spawn(role: &str, folder: &Path, database_url: &str, more: &[&str]) -> Self {
        let port = free_port();
        let mut command = command(role, folder, database_url);
        command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        if role == "waule" {
            command.args(["--gateway-port", "0"]);
        }
        command.args(more);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().expect("started");
        Self { child, port }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The status and the text at a path; nothing while the port is closed.
    async fn get(&self, path: &str) -> Option<(u16, String)> {
        let answer = client().get(self.url(path)).send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }

    async fn alive(&mut self) {
        let begun = Instant::now();
        while self.get("/healthz").await.is_none() {
            if let Some(status) = self.child.try_wait().expect("a status") {
                let mut said = String::new();
                if let Some(mut err) = self.child.stderr.take() {
                    err.read_to_string(&mut said).expect("text");
                }
                panic!("it ended with {status}: {said}");
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "no answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status();
        assert!(sent.expect("kill").success());
    }

    /// Waits for its end; what it said.
    fn ended(mut self) -> Output {
        let begun = Instant::now();
        while self.child.try_wait().expect("a status").is_none() {
            assert!(begun.elapsed() < Duration::from_secs(30), "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        let mut output = Output {
            status: self.child.wait().expect("a status"),
            stdout: Vec::new(),
            stderr: Vec::new(),
        };
        if let Some(mut out) = self.child.stdout.take() {
            out.read_to_end(&mut output.stdout).expect("read");
        }
        if let Some(mut err) = self.child.stderr.take() {
            err.read_to_end(&mut output.stderr).expect("read");
        }
        output
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

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

/// Runs `waule backup`.
fn back_up(folder: &Path, to: &Path) -> Output {
    let mut command = command("waule", folder, "");
    command.arg("backup").arg(to).output().expect("ran")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_is_whole_and_what_is_restored_from_it_adds_up_and_serves() {
    let [place, _] = places().await;
    let folder = place.folder().join("data");
    let mut process = Process::spawn("waule", &folder, "", &[]);
    process.alive().await;
    let to = place.folder().join("backup");
    let (calls, rounds) = (8, if long() { 40 } else { 10 });
    let load = join_all((0..calls).map(|_| async {
        for _ in 0..rounds {
            let (status, body) = chat(&process, "hi").await;
            assert_eq!(status, 200, "{body}");
        }
    }));
    let saving = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let (folder, to) = (folder.clone(), to.clone());
        let saved = tokio::task::spawn_blocking(move || back_up(&folder, &to)).await;
        saved.expect("ran")
    };
    let (_, saved) = tokio::join!(load, saving);
    let said = String::from_utf8_lossy(&saved.stderr).into_owned();
    assert!(saved.status.success(), "{said}");
    for (name, mode) in [
        ("", 0o700),
        ("server.db", 0o600),
        ("gateway.db", 0o600),
        ("secrets.toml", 0o600),
    ] {
        let known = std::fs::metadata(to.join(name)).expect(name);
        assert_eq!(known.mode() & 0o777, mode, "{name}");
    }
    let again = back_up(&folder, &to);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(
        !again.status.success() && said.contains("not overwritten"),
        "{said}"
    );
    // The process dies, and its folder with it.
    drop(process);
    std::fs::remove_dir_all(&folder).expect("gone");
    let restored = place.folder().join("restored");
    std::fs::create_dir(&restored).expect("a folder");
    for name in ["server.db", "gateway.db", "secrets.toml"] {
        std::fs::copy(to.join(name), restored.join(name)).expect(name);
    }
    let verify = || {
        let mut command = command("waule", &restored, "");
        let output = command.args(["ledger", "verify"]).output().expect("ran");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}");
        assert_eq!(said, "no differences\n");
    };
    verify();
    let more = ["--recovery-seconds", "1", "--owner-silent-seconds", "1"];
    let mut process = Process::spawn("waule", &restored, "", &more);
    process.alive().await;
    let (status, body) = chat(&process, "hi").await;
    assert_eq!(
        status, 200,
        "the demo key and the sandbox's key are known: {body}"
    );
    // What ran at the moment of the backup is settled or released.
    until("nothing is held", Duration::from_secs(30), async || {
        get_json(&process, "/api/v1/credits/balance").await["held"] == 0
    })
    .await;
    drop(process);
    verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_postgresql_is_left_to_its_own_tools() {
    let [_, place] = places().await;
    let mut command = command("server", place.folder(), &place.database_url);
    let output = command.arg("backup").arg(place.folder().join("b")).output();
    let output = output.expect("ran");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && said.contains("pg_dump"),
        "{said}"
    );
}

/// What a gateway keeps of output at most, in kilobytes.
const KEPT_KB: u64 = 256 * 1024;

/// Memory that a process has, in kilobytes.
fn resident(process: &Process) -> u64 {
    memory(process, "VmRSS:")
}

/// Of a process, in kilobytes, as the kernel names it.
fn memory(process: &Process, name: &str) -> u64 {
    let status = format!("/proc/{}/status", process.child.id());
    let status = std::fs::read_to_string(status).expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    kilobytes
        .and_then(|number| number.parse().ok())
        .expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_that_was_freed_goes_back_to_the_system() {
    let [place, _] = places().await;
    let mut process = Process::spawn("waule", place.folder(), "", &[]);
    process.alive().await;
    let product = Product::at(process.port).await;
    let own = || memory(&process, "RssAnon:");
    tokio::time::sleep(Duration::from_secs(5)).await;
    let before = own();
    // Each password that is checked takes nineteen megabytes.
    let body = json!({"username": "admin", "password": ADMIN_PASSWORD});
    let login = || {
        let url = product.url("/admin/api/login");
        product.http.post(url).json(&body).send()
    };
    let (most, ()) = tokio::join!(
        async {
            let mut most = 0;
            for _ in 0..60 {
                most = most.max(own());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            most
        },
        async {
            for status in join_all((0..4).map(|_| login())).await {
                assert_eq!(status.expect("an answer").status(), 200);
            }
        }
    );
    assert!(most > before + 15_000, "{before} kB, at most {most}");
    until("it is given back", Duration::from_secs(20), async || {
        own() < before + 6_000
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_that_do_not_read_cost_a_server_and_its_gateway_little() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let readers: u64 = if long() { 3_000 } else { 300 };
    let [place, _] = places().await;
    let (near, far) = (
        place.folder().join("server"),
        place.folder().join("gateway"),
    );
    let door = free_port().to_string();
    let mut gateway = command("gateway", &far, "");
    gateway.args(["--gateway-port", &door]);
    gateway.stdout(Stdio::null()).stderr(Stdio::null());
    let mut gateway = Process {
        child: gateway.spawn().expect("started"),
        port: door.parse().expect("a port"),
    };
    gateway.alive().await;
    let urls = format!("http://127.0.0.1:{door}");
    let mut server = Process::spawn("server", &near, "", &["--gateway-urls", &urls]);
    server.alive().await;
    let (status, body) = chat(&server, "hi").await;
    assert_eq!(status, 200, "{body}");
    // Limits of a tenant are not what is tried here.
    let product = Product::at(server.port).await;
    let (_, tenants) = product.admin(Method::GET, "/tenants", None).await;
    let id = tenants["data"][0]["id"].as_str().expect("the demo tenant");
    let (path, none) = (format!("/tenants/{id}"), json!({"limits": {}}));
    let (status, patched) = product.admin(Method::PATCH, &path, Some(none)).await;
    assert_eq!(status, 200, "{patched}");
    let processes = [&server, &gateway];
    let before = processes.map(resident);
    // Some 320 KB each, of which nothing but the head is read.
    let body = json!({"model": "sandbox-chat", "stream": true, "max_tokens": 1_500,
        "messages": [{"role": "user", "content": "[tokens:1500]"}]})
    .to_string();
    let request = format!(
        "POST /api/v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {KEY}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut held = Vec::new();
    for _ in 0..readers {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("small");
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], server.port));
        let mut stream = socket.connect(address).await.expect("connected");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut head = [0; 12];
        stream.read_exact(&mut head).await.expect("a head");
        if &head != b"HTTP/1.1 200" {
            let mut told = vec![0; 4_096];
            let length = stream.read(&mut told).await.expect("a reason");
            let told = String::from_utf8_lossy(&told[..length]).into_owned();
            // What is kept for so many fills the gateway's bound: it takes no more, and says when to
            // come back. Each keeps less than what it is to read.
            let is_full = &head == b"HTTP/1.1 503" && told.contains("retry-after");
            assert!(
                is_full && held.len() > 1_000,
                "reader {}: {told}",
                held.len()
            );
            break;
        }
        held.push(stream);
    }
    let readers = u64::try_from(held.len()).expect("few");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let after = processes.map(resident);
    let [more, at_gateway] = [0, 1].map(|at| after[at].saturating_sub(before[at]));
    eprintln!("{readers} readers, kB: server and gateway had {before:?}, have {after:?}");
    // What one may have unsent and unread, and its connection and task.
    assert!(
        more < readers * 128 + 16_384,
        "{readers} readers: {more} kB at the server"
    );
    // There what was put out is kept as well, so that it can be read again; all of it within a bound.
    assert!(
        at_gateway < (readers * 256).min(KEPT_KB) + 32_768,
        "{readers} readers: {at_gateway} kB at the gateway"
    );
    // The last of them is served when it reads.
    let mut last = held.pop().expect("one");
    let mut text = Vec::new();
    let reading = async {
        let mut part = vec![0; 64 * 1024];
        while !text.ends_with(b"data: [DONE]\n\n\r\n0\r\n\r\n") {
            let read = last.read(&mut part).await.expect("more");
            assert!(read > 0, "it ends early");
            text.extend_from_slice(&part[..read]);
        }
    };
    tokio::time::timeout(Duration::from_secs(60), reading)
        .await
        .expect("its end in time");
    assert!(text.len() > 150_000, "{}", text.len());
}
