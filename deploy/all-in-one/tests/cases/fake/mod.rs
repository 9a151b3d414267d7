//! A provider that misbehaves by table: what a request is like leads to a script, which is written to
//! the socket step by step. It remembers what it received and how each answer ended.

pub(crate) mod bodies;
pub(crate) mod script;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use self::script::{End, Framing, Script, Step};

/// How an answer ended, as the provider saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It is being written.
    Running,
    /// All of the script was written.
    Whole,
    /// The client closed its connection before.
    Left,
}

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Without the mount.
    pub(crate) path: String,
    /// Names in small letters.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// The body where it is JSON.
    pub(crate) json: Value,
    pub(crate) ended: Ended,
    /// How many requests the mount had before it.
    pub(crate) nth: usize,
}

impl Seen {
    /// The provider key that was shown.
    pub(crate) fn key(&self) -> &str {
        let shown = self.headers.get("authorization").map(String::as_str);
        shown
            .and_then(|shown| shown.strip_prefix("Bearer "))
            .unwrap_or_default()
    }

    /// Whether the body has a field of that name.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.json.get(field).is_some()
    }

    /// Whether the body holds that text anywhere.
    pub(crate) fn says(&self, text: &str) -> bool {
        let text = text.as_bytes();
        self.body.windows(text.len()).any(|part| part == text)
    }
}

type Matches = Box<dyn Fn(&Seen) -> bool + Send + Sync>;

/// One row of a table: which requests it is for, and what they get.
pub(crate) struct Row {
    matches: Matches,
    script: Script,
}

/// A row for what `matches`.
pub(crate) fn on(matches: impl Fn(&Seen) -> bool + Send + Sync + 'static, script: Script) -> Row {
    Row {
        matches: Box::new(matches),
        script,
    }
}

/// A row for every generation.
pub(crate) fn always(script: Script) -> Row {
    on(|seen| seen.method == "POST", script)
}

/// A row for what shows that key.
pub(crate) fn with_key(key: &'static str, script: Script) -> Row {
    on(move |seen| seen.key() == key, script)
}

/// A row for generations whose body has a field.
pub(crate) fn with_field(field: &'static str, script: Script) -> Row {
    on(move |seen| seen.has(field), script)
}

/// A row for bodies that hold a text, which must not be one that a hash or an id may hold by chance.
pub(crate) fn saying(text: &'static str, script: Script) -> Row {
    let is_of_an_id = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-';
    assert!(!text.bytes().all(is_of_an_id), "{text} may be in any body");
    on(move |seen| seen.says(text), script)
}

#[derive(Default)]
struct Mount {
    rows: Arc<Vec<Row>>,
    seen: Vec<Seen>,
}

/// The provider; it ends with the runtime it was started on.
#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    mounts: Arc<Mutex<HashMap<String, Mount>>>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the provider is not a part of the product"
)]
impl Fake {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let fake = Self {
            address: listener.local_addr().expect("an address"),
            mounts: Arc::default(),
        };
        let serving = fake.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let fake = serving.clone();
                tokio::spawn(async move {
                    let _ = socket.set_nodelay(true);
                    let mut line = Line::new(socket);
                    while fake.answer(&mut line).await.is_some() {}
                });
            }
        });
        fake
    }

    /// What lies at a mount from now on.
    pub(crate) fn lay(&self, mount: &str, rows: Vec<Row>) {
        let mut mounts = self.mounts.lock().expect("no panic");
        mounts.entry(mount.to_owned()).or_default().rows = Arc::new(rows);
    }

    /// The base URL of a mount.
    pub(crate) fn url(&self, mount: &str) -> String {
        format!("http://{}/{mount}/v1", self.address)
    }

    /// The generations that came to a mount.
    pub(crate) fn calls(&self, mount: &str) -> Vec<Seen> {
        let mounts = self.mounts.lock().expect("no panic");
        let seen = mounts.get(mount).map(|mount| mount.seen.clone());
        let mut seen = seen.unwrap_or_default();
        seen.retain(|seen| seen.method == "POST");
        seen
    }

    /// Reads one request and answers it; `None` when the connection is over.
    async fn answer(&self, line: &mut Line) -> Option<()> {
        let (mount, mut seen) = line.request().await?;
        let rows = {
            let mut mounts = self.mounts.lock().expect("no panic");
            let mount = mounts.entry(mount.clone()).or_default();
            seen.nth = mount.seen.len();
            mount.seen.push(seen.clone());
            mount.rows.clone()
        };
        let row = rows.iter().find(|row| (row.matches)(&seen));
        let script = match row {
            Some(row) => row.script.clone(),
            None if seen.path.ends_with("/models") => bodies::models(),
            None => bodies::error(
                404,
                r#"{"error":{"message":"no row for this","code":"no_row"}}"#,
            ),
        };
        let ended = line.play(&script).await;
        let mut mounts = self.mounts.lock().expect("no panic");
        let noted = mounts
            .get_mut(&mount)
            .and_then(|mount| mount.seen.get_mut(seen.nth));
        if let Some(noted) = noted {
            noted.ended = if ended.is_err() {
                Ended::Left
            } else {
                Ended::Whole
            };
        }
        ended.ok().filter(|goes_on| *goes_on).map(|_| ())
    }
}

/// The client is gone.
struct Gone;

/// One connection.
struct Line {
    socket: TcpStream,
    read: Vec<u8>,
}

impl Line {
    fn new(socket: TcpStream) -> Self {
        Self {
            socket,
            read: Vec::new(),
        }
    }

    async fn request(&mut self) -> Option<(String, Seen)> {
        let head_end = loop {
            if let Some(at) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if self.socket.read_buf(&mut self.read).await.ok()? == 0 {
                return None;
            }
        };
        let head = String::from_utf8_lossy(&self.read[..head_end]).into_owned();
        let mut lines = head.split("\r\n");
        let mut first = lines.next()?.split(' ');
        let (method, target) = (first.next()?.to_owned(), first.next()?);
        let headers: HashMap<String, String> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect();
        for (name, value) in &headers {
            assert!(
                !name.starts_with("x-waule") && !value.contains("wk_live"),
                "nothing of ours reaches a provider: {name}: {value}"
            );
        }
        let length = headers.get("content-length").and_then(|n| n.parse().ok());
        let whole = head_end + length.unwrap_or(0usize);
        while self.read.len() < whole {
            if self.socket.read_buf(&mut self.read).await.ok()? == 0 {
                return None;
            }
        }
        let body = self.read[head_end..whole].to_vec();
        self.read.drain(..whole);
        let (mount, path) = target.strip_prefix('/')?.split_once('/')?;
        let seen = Seen {
            method,
            path: format!("/{path}"),
            headers,
            json: serde_json::from_slice(&body).unwrap_or_default(),
            body,
            ended: Ended::Running,
            nth: 0,
        };
        Some((mount.to_owned(), seen))
    }

    /// Writes a script; answers whether the connection goes on.
    async fn play(&mut self, script: &Script) -> Result<bool, Gone> {
        self.pause(script.silence()).await?;
        self.write(&script.head()).await?;
        for step in &script.steps {
            match step {
                Step::Raw(bytes) => self.write(bytes).await?,
                Step::Pause(time) => self.pause(*time).await?,
                Step::Body(bytes) => {
                    let size = script.split.unwrap_or(usize::MAX).min(bytes.len().max(1));
                    for part in bytes.chunks(size) {
                        match script.framing {
                            Framing::Chunked => self.write(&chunk(part)).await?,
                            Framing::Length | Framing::Close | Framing::Old => {
                                self.write(part).await?;
                            }
                        }
                        if script.split.is_some() {
                            tokio::task::yield_now().await;
                        }
                    }
                }
            }
        }
        match script.end {
            End::Clean | End::Idle if script.framing == Framing::Chunked => {
                self.write(b"0\r\n\r\n").await?;
            }
            End::Trailers => {
                self.write(b"0\r\nx-cost: 1\r\nx-usage: none\r\n\r\n")
                    .await?;
            }
            End::Hang(time) => {
                self.pause(time).await?;
                if script.framing == Framing::Chunked {
                    self.write(b"0\r\n\r\n").await?;
                }
            }
            End::Reset => {
                let _ = SockRef::from(&self.socket).set_linger(Some(Duration::ZERO));
            }
            End::Clean | End::Idle | End::Cut => {}
        }
        let lasting = matches!(script.framing, Framing::Chunked | Framing::Length);
        Ok(lasting && matches!(script.end, End::Clean | End::Trailers | End::Hang(_)))
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        self.socket.write_all(bytes).await.map_err(|_| Gone)
    }

    /// Waits, and notices when the client goes away meanwhile.
    async fn pause(&mut self, time: Duration) -> Result<(), Gone> {
        let waiting = tokio::time::sleep(time);
        tokio::pin!(waiting);
        loop {
            tokio::select! {
                () = &mut waiting => return Ok(()),
                read = self.socket.read_buf(&mut self.read) => {
                    if read.unwrap_or(0) == 0 {
                        return Err(Gone);
                    }
                }
            }
        }
    }
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut framed = format!("{:x}\r\n", bytes.len()).into_bytes();
    framed.extend_from_slice(bytes);
    framed.extend_from_slice(b"\r\n");
    framed
}
