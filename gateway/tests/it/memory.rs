//! Memory under readers that stand still: what is kept for them is bounded, also where it lies in the
//! buffers of connections.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use shared::link::{Call, Target};
use shared::supervisor::Supervisor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Door, Program, admin, call, contents, long, until};

/// Words in a stream of about 320 KB.
const WORDS: usize = 3_000;

/// A vendor that sends its whole stream as fast as the other side takes it.
async fn vendor(supervisor: &Supervisor) -> SocketAddr {
    let mut text =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
            .to_owned();
    for n in 0..WORDS {
        let _ = write!(
            text,
            "data: {{\"id\":\"chatcmpl-0123456789\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"word {n} \"}}}}]}}\n\n"
        );
    }
    text.push_str("data: [DONE]\n\n");
    let text = Arc::new(text.into_bytes());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let inner = supervisor.clone();
    supervisor.spawn_servant("vendor", async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let text = text.clone();
            inner.spawn_servant("vendor's answer", async move {
                let mut seen = [0; 4_096];
                if socket.read(&mut seen).await.is_ok() {
                    let _ = socket.write_all(&text).await;
                }
            });
        }
    });
    address
}

/// Resident bytes of a process.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.expect("a size") * 1_024
}

/// Streams of the vendor, of which a reader takes what its window holds.
async fn open(program: &Program, count: usize) -> Vec<Incoming> {
    let mut doors = Vec::new();
    for _ in 0..8 {
        doors.push(Door::narrow(program.address).await);
    }
    let ask = |n: usize| Call {
        targets: Arc::from([Target {
            provider: "vendor".to_owned(),
            model: "theirs".to_owned(),
            gateway: None,
            answers: None,
        }]),
        deadline: Duration::from_secs(600),
        caller: n as u64 + 1,
        ..call("hi", true)
    };
    let mut bodies = Vec::new();
    for part in 0..count.div_ceil(200) {
        let opened = join_all((0..200).map(|n| {
            let (door, asked) = (&doors[n % doors.len()], ask(part * 200 + n));
            async move { door.open(&asked, &[]).await.into_body() }
        }));
        bodies.extend(opened.await);
    }
    bodies
}

async fn readers(program: &Program, count: usize, vendor: SocketAddr) {
    let provider = serde_json::json!({"name": "vendor", "kind": "openai",
        "base_url": format!("http://{vendor}/v1")});
    admin(program.address, "/providers", &provider).await;
    let key = serde_json::json!({"secret": "vendor-key-0123456789"});
    admin(program.address, "/providers/vendor/keys", &key).await;
    let process = program.child.id();
    let before = resident(process);
    let bodies = open(program, count).await;
    let mut most = 0;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(5) {
        most = resident(process).max(most);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let each = most.saturating_sub(before) / bodies.len() as u64;
    eprintln!(
        "{} that stand still: from {} to {} MB, {} KB each",
        bodies.len(),
        before >> 20,
        most >> 20,
        each >> 10
    );
    let bodies_read = bodies.len() as u64;
    // Nothing is lost by it: all is there once they read.
    let read = join_all(bodies.into_iter().map(|mut body| async move {
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame.expect("whole").into_data() {
                bytes.extend(data);
            }
        }
        contents(&bytes)
    }));
    assert!(read.await.iter().all(|words| *words == WORDS));
    let mut after = resident(process);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(3) {
        after = after.min(resident(process));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    eprintln!("after they have read: {} MB", after >> 20);
    // Its share of what is kept, one buffer on each side, and what a call is besides.
    assert!(each < 128 << 10, "{each} bytes a reader");
    // Half of `OUTPUT_KEPT_BYTES` is what ended calls may keep.
    let most = before + (160 << 20) + bodies_read * (64 << 10);
    assert!(after < most, "{after} bytes stay, of {most}");
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_that_stand_still_cost_a_bounded_part_each() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = Supervisor::new();
    let vendor = vendor(&supervisor).await;
    let program = Program::start(folder.path(), &[]).await;
    until("it is up", Duration::from_secs(10), async || {
        TcpStream::connect(program.address).await.is_ok()
    })
    .await;
    readers(&program, if long() { 3_000 } else { 400 }, vendor).await;
    program.kill();
}
