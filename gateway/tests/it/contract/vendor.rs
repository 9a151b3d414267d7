//! A vendor that answers by a rule and remembers what it was sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use flate2::Crc;
use shared::supervisor::Supervisor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as the vendor saw it.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// Below `/v1`.
    pub(super) path: String,
    /// The lines of the head, in small letters.
    pub(super) head: String,
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

/// The same, of Amazon: each event as a frame with the event's type and its data; `event: error` is an
/// exception of the type that stands in the data.
pub(super) fn frames(text: &str) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\nconnection: close\r\n\r\n";
    let mut answer = head.as_bytes().to_vec();
    for event in text.split("\n\n").filter(|event| !event.is_empty()) {
        let (name, data) = event.split_once("\ndata: ").expect("a name and data");
        let name = name.strip_prefix("event: ").expect("a name");
        answer.extend(if name == "error" {
            let told: serde_json::Value = serde_json::from_str(data).expect("JSON");
            let kind = told["type"].as_str().expect("a type");
            frame(
                &[(":exception-type", kind), (":message-type", "exception")],
                data,
            )
        } else {
            frame(&[(":event-type", name), (":message-type", "event")], data)
        });
    }
    answer
}

fn frame(headers: &[(&str, &str)], payload: &str) -> Vec<u8> {
    let mut packed = Vec::new();
    for (name, value) in headers {
        packed.push(u8::try_from(name.len()).expect("short"));
        packed.extend_from_slice(name.as_bytes());
        packed.push(7);
        packed.extend_from_slice(&u16::try_from(value.len()).expect("short").to_be_bytes());
        packed.extend_from_slice(value.as_bytes());
    }
    let number = |length: usize| u32::try_from(length).expect("small").to_be_bytes();
    let sum = |bytes: &[u8]| {
        let mut sum = Crc::new();
        sum.update(bytes);
        sum.sum().to_be_bytes()
    };
    let mut frame = Vec::new();
    frame.extend(number(16 + packed.len() + payload.len()));
    frame.extend(number(packed.len()));
    frame.extend(sum(&frame));
    frame.extend(packed);
    frame.extend_from_slice(payload.as_bytes());
    frame.extend(sum(&frame));
    frame
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

    /// The free questions so far.
    pub(super) fn questions(&self) -> Vec<Seen> {
        let seen = self.seen.lock().expect("no panic");
        let questions = seen.iter().filter(|seen| seen.body.is_empty());
        questions.cloned().collect()
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
    let is_streams = |path: &str| path.contains(":stream") || path.ends_with("-stream");
    let seen = Seen {
        path: path.trim_start_matches("/v1").to_owned(),
        is_stream: body.contains("\"stream\":true")
            || body.contains("name=\"stream\"\r\n\r\ntrue")
            || is_streams(path),
        head: head.clone(),
        body,
    };
    kept.lock().expect("no panic").push(seen.clone());
    socket.write_all(&rule(&seen)).await.ok()
}
