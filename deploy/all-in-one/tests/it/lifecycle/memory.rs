//! What a running process keeps: freed memory goes back, and readers that do not read cost little.

use std::process::Stdio;
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::process::{Process, command, free_port};
use super::{KEY, chat};
use crate::support::product::Product;
use crate::support::{ADMIN_PASSWORD, long, places, until};

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
