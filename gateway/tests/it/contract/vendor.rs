//! A vendor of OpenAI's formats that answers by a rule and remembers what it was sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use shared::supervisor::Supervisor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as the vendor saw it.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// Below `/v1`.
    pub(super) path: String,
    pub(super) body: String,
    pub(super) is_stream: bool,
}

type Rule = Arc<dyn Fn(&Seen) -> Vec<u8> + Send + Sync>;

pub(super) struct Vendor {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// What runs for it ends with it.
    _supervisor: Supervisor,
}

/// A whole answer.
pub(super) fn answer(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A stream that ends with its connection.
pub(super) fn events(text: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{text}")
        .into_bytes()
}

impl Vendor {
    pub(super) async fn start(rule: impl Fn(&Seen) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let rule: Rule = Arc::new(rule);
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let supervisor = Supervisor::new();
        let (inner, kept) = (supervisor.clone(), seen.clone());
        supervisor.spawn_servant("vendor", async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (rule, kept) = (rule.clone(), kept.clone());
                inner.spawn_servant("vendor's answer", async move {
                    // A connection that ends early is another's test.
                    let _ = serve(socket, &rule, &kept).await;
                });
            }
        });
        Self {
            address,
            seen,
            _supervisor: supervisor,
        }
    }

    pub(super) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The calls so far, without the free questions about keys.
    pub(super) fn calls(&self) -> Vec<Seen> {
        let seen = self.seen.lock().expect("no panic");
        let calls = seen.iter().filter(|seen| !seen.body.is_empty());
        calls.cloned().collect()
    }
}

async fn serve(mut socket: TcpStream, rule: &Rule, kept: &Mutex<Vec<Seen>>) -> Option<()> {
    let mut read = Vec::new();
    let end = loop {
        if socket.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
        if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = String::from_utf8_lossy(&read[..end]).to_lowercase();
    let length = head.split_once("content-length:").and_then(|(_, rest)| {
        let value = rest.split("\r\n").next()?;
        value.trim().parse::<usize>().ok()
    });
    while read.len() < end + length.unwrap_or(0) {
        socket.read_buf(&mut read).await.ok()?;
    }
    let body = String::from_utf8_lossy(&read[end..]).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default();
    let seen = Seen {
        path: path.trim_start_matches("/v1").to_owned(),
        is_stream: body.contains("\"stream\":true") || path.contains(":stream"),
        body,
    };
    kept.lock().expect("no panic").push(seen.clone());
    socket.write_all(&rule(&seen)).await.ok()
}
