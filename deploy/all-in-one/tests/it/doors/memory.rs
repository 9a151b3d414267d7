//! Bodies of strangers and of greedy keys against the memory of a real process.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::CHAT;
use crate::support::product::Product;
use crate::support::{ADMIN_PASSWORD, until};

/// `waule` as a process of its own, whose memory is its own too.
struct Waule {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Waule {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Waule {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let probe = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = probe.local_addr().expect("an address").port();
        drop(probe);
        let child = Command::new(env!("CARGO_BIN_EXE_waule"))
            .env_clear()
            .env("DATA_DIR", folder.path())
            .env("ADMIN_PASSWORD", ADMIN_PASSWORD)
            .env("BODY_MEMORY_MAX", "67108864")
            .env("LOG", "error")
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .args(["--gateway-port", "0", "--metrics-port", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let waule = Self {
            child,
            port,
            _folder: folder,
        };
        let ready = format!("http://127.0.0.1:{port}/readyz");
        let http = crate::support::client();
        until("it is ready", Duration::from_secs(60), async || {
            let answer = http.get(&ready).send().await;
            answer.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
        waule
    }

    /// The most memory it ever had, in MB.
    fn peak_mb(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("it runs");
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let kb = line.and_then(|line| line.split_whitespace().nth(1));
        kb.and_then(|kb| kb.parse::<u64>().ok()).expect("a number") / 1024
    }
}

/// Begins many uploads at once and keeps them open; answers how the ends of their heads looked.
async fn flood(port: u16, many: usize, bytes: usize, (path, token): (&str, &str)) -> Vec<String> {
    let upload = async || {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            bytes + 1
        );
        socket.write_all(head.as_bytes()).await.ok()?;
        // All but the last byte: the body never ends.
        let piece = vec![b' '; 64 * 1024];
        let mut left = bytes;
        let sending = async {
            while left > 0 {
                let now = left.min(piece.len());
                if socket.write_all(&piece[..now]).await.is_err() {
                    break;
                }
                left -= now;
            }
        };
        // Whoever is not read stands still.
        let _ = tokio::time::timeout(Duration::from_secs(3), sending).await;
        let mut line = vec![0; 12];
        let read = tokio::time::timeout(Duration::from_secs(3), socket.read_exact(&mut line)).await;
        let told = matches!(read, Ok(Ok(_)));
        Some(if told {
            String::from_utf8_lossy(&line).into_owned()
        } else {
            String::new()
        })
    };
    let all = (0..many).map(|_| upload());
    let told = futures_util::future::join_all(all).await;
    told.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_and_greedy_keys_do_not_fill_the_memory() {
    const MB: usize = 1024 * 1024;
    let waule = Waule::start().await;
    let product = Product::at(waule.port).await;
    let customer = product.customer("10").await;
    let body = json!({"name": "one", "limits": {"concurrency": 1}});
    let path = format!("/tenants/{}/keys", customer.id);
    let (_, one) = product.admin(Method::POST, &path, Some(body)).await;
    let one = one["secret"].as_str().expect("a secret").to_owned();
    let before = waule.peak_mb();
    for path in [
        CHAT,
        "/admin/api/tenants",
        "/admin/api/login",
        "/admin/login",
    ] {
        let told = flood(waule.port, 100, MB, (path, "")).await;
        assert!(
            told.iter().all(|line| !line.contains(" 200")),
            "{path}: {told:?}"
        );
    }
    let strangers = waule.peak_mb();
    assert!(
        strangers < before + 64,
        "400 MB of strangers: {before} to {strangers} MB"
    );
    let told = flood(waule.port, 30, 8 * MB, (CHAT, &one)).await;
    let refused = told.iter().filter(|line| line.contains(" 429")).count();
    assert!(refused >= 29, "one at a time: {told:?}");
    let slots = waule.peak_mb();
    assert!(
        slots < strangers + 48,
        "240 MB on one slot: {strangers} to {slots} MB"
    );
    let told = flood(waule.port, 40, 8 * MB, (CHAT, &customer.key)).await;
    assert!(told.iter().any(|line| line.contains(" 503")), "{told:?}");
    let budget = waule.peak_mb();
    // The budget of 64 MB, and what sockets and an allocator add to it.
    assert!(
        budget < slots + 128,
        "320 MB without a limit: {slots} to {budget} MB"
    );
}
