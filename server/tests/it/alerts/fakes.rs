//! Receivers as strict as the real ones: they check signatures and clocks, say 200 with a code of their own, and
//! misbehave on demand.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use outbound::{Names, Outbound, OutboundParts};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde_json::Value;
use sha2::Sha256;
use shared::clock::{Clock, Moment};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::SECRET;

/// Clocks of receivers and senders may differ by as much: Standard Webhooks five minutes, the others an hour.
const WEBHOOK_SKEW: Duration = Duration::from_secs(300);
const ROBOT_SKEW: Duration = Duration::from_secs(3_600);

/// Who is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Webhook,
    Feishu,
    DingTalk,
    WeCom,
}

/// What it does with the next request instead of taking it.
#[derive(Debug, Clone)]
pub(super) enum Whim {
    Says(u16, &'static str),
    Closes,
    ClosesInTheBody,
    Hangs,
}

/// What came, in its order.
#[derive(Debug, Clone)]
pub(super) struct Came {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) path: String,
}

#[derive(Debug)]
struct State {
    taken: Vec<Came>,
    asked: usize,
    whims: VecDeque<Whim>,
}

/// A receiver; clones share what came.
#[derive(Clone)]
pub(super) struct Fake {
    role: Role,
    secret: &'static str,
    /// Its own clock.
    pub(super) clock: Clock,
    state: Arc<Mutex<State>>,
}

fn digest(key: &[u8], text: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key");
    mac.update(text);
    STANDARD.encode(mac.finalize().into_bytes())
}

fn decoded(part: &str) -> String {
    part.replace("%2B", "+")
        .replace("%2F", "/")
        .replace("%3D", "=")
}

struct Request {
    path: String,
    headers: BTreeMap<String, String>,
    body: String,
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        let mut piece = [0; 4_096];
        let count = stream.read(&mut piece).await.ok()?;
        if count == 0 {
            return None;
        }
        bytes.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let mut lines = head.lines();
        let path = lines.next()?.split(' ').nth(1)?.to_owned();
        let pairs = lines.filter_map(|line| line.split_once(": "));
        let headers: BTreeMap<String, String> = pairs
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let length: usize = headers.get("content-length")?.parse().ok()?;
        if body.len() >= length {
            let body = body.to_owned();
            return Some(Request {
                path,
                headers,
                body,
            });
        }
    }
}

impl Fake {
    pub(super) fn new(role: Role, secret: &'static str, clock: &Clock) -> Self {
        let state = State {
            taken: Vec::new(),
            asked: 0,
            whims: VecDeque::new(),
        };
        Self {
            role,
            secret,
            clock: clock.clone(),
            state: Arc::new(Mutex::new(state)),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn taken(&self) -> Vec<Came> {
        self.lock().taken.clone()
    }

    pub(super) fn asked(&self) -> usize {
        self.lock().asked
    }

    pub(super) fn next(&self, whims: &[Whim]) {
        self.lock().whims.extend(whims.iter().cloned());
    }

    /// From now on it takes everything.
    pub(super) fn calm(&self) {
        self.lock().whims.clear();
    }

    fn is_near(&self, at: Moment, skew: Duration) -> bool {
        let now = self.clock.now();
        now.since(at) <= skew && at.since(now) <= skew
    }

    /// The answer of one who takes it, or of one who does not.
    fn judge(&self, request: &Request) -> (u16, String) {
        let Ok(body) = serde_json::from_str::<Value>(&request.body) else {
            return (400, "no JSON".to_owned());
        };
        let header = |name: &str| request.headers.get(name).cloned().unwrap_or_default();
        let query = request.path.split_once('?').map_or("", |(_, query)| query);
        let asked = |name: &str| -> String {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let found = pairs.find(|(key, _)| *key == name);
            found.map(|(_, value)| decoded(value)).unwrap_or_default()
        };
        let seconds = |text: &str| -> Moment {
            Moment::from_unix_ms(text.parse::<i64>().unwrap_or(0).saturating_mul(1_000))
        };
        let secret = self.secret;
        let (id, text, refused) = match self.role {
            Role::Webhook => {
                let (id, at) = (header("webhook-id"), header("webhook-timestamp"));
                let key = STANDARD
                    .decode(secret.trim_start_matches("whsec_"))
                    .expect("letters");
                let signed = digest(&key, format!("{id}.{at}.{}", request.body).as_bytes());
                let is_right = header("webhook-signature") == format!("v1,{signed}");
                let is_near = self.is_near(seconds(&at), WEBHOOK_SKEW);
                let refused = (!is_right || !is_near).then(|| (401, "wrong signature".to_owned()));
                (id, body["data"]["text"].clone(), refused)
            }
            Role::Feishu => {
                let at = body["timestamp"].as_str().unwrap_or_default().to_owned();
                let signed = digest(format!("{at}\n{secret}").as_bytes(), b"");
                let is_right = body["sign"] == signed.as_str();
                let is_near = self.is_near(seconds(&at), ROBOT_SKEW);
                let refused = (!is_right || !is_near)
                    .then(|| (200, r#"{"code":19021,"msg":"sign match fail"}"#.to_owned()));
                (String::new(), body["content"]["text"].clone(), refused)
            }
            Role::DingTalk => {
                let at = asked("timestamp");
                let signed = digest(secret.as_bytes(), format!("{at}\n{secret}").as_bytes());
                let moment = Moment::from_unix_ms(at.parse().unwrap_or(0));
                let is_right = asked("sign") == signed && self.is_near(moment, ROBOT_SKEW);
                let refused = (!is_right).then(|| {
                    (
                        200,
                        r#"{"errcode":310000,"errmsg":"sign not match"}"#.to_owned(),
                    )
                });
                (String::new(), body["text"]["content"].clone(), refused)
            }
            Role::WeCom => {
                let text = body["text"]["content"].clone();
                let is_short = text.as_str().is_some_and(|text| text.len() <= 2_048);
                let refused = (!is_short)
                    .then(|| (200, r#"{"errcode":40058,"errmsg":"too long"}"#.to_owned()));
                (String::new(), text, refused)
            }
        };
        if let Some(refused) = refused {
            return refused;
        }
        self.lock().taken.push(Came {
            id,
            text: text.as_str().unwrap_or_default().to_owned(),
            path: request.path.clone(),
        });
        let said = match self.role {
            Role::Webhook => "thank you",
            Role::Feishu => r#"{"code":0,"msg":"success","data":{}}"#,
            Role::DingTalk | Role::WeCom => r#"{"errcode":0,"errmsg":"ok"}"#,
        };
        (200, said.to_owned())
    }

    async fn answer(&self, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
        let Some(request) = read(stream).await else {
            return;
        };
        let whim = {
            let mut state = self.lock();
            state.asked += 1;
            state.whims.pop_front()
        };
        let (status, said) = match whim {
            None => self.judge(&request),
            Some(Whim::Says(status, said)) => (status, said.to_owned()),
            Some(Whim::Closes) => return,
            Some(Whim::Hangs) => {
                tokio::time::sleep(Duration::from_secs(600)).await;
                return;
            }
            Some(Whim::ClosesInTheBody) => {
                let half = b"HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\n{\"errcode\":0";
                let _ = stream.write_all(half).await;
                return;
            }
        };
        // Where a redirect leads, nobody may go.
        let text = format!(
            "HTTP/1.1 {status} X\r\nlocation: http://169.254.169.254/latest/meta-data/\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{said}",
            said.len()
        );
        let _ = stream.write_all(text.as_bytes()).await;
        let _ = stream.shutdown().await;
    }

    /// Listens on this machine, with TLS as `name` where there is one; lives as long as the test.
    pub(super) async fn listen(&self, name: Option<&str>) -> (SocketAddr, Option<ClientConfig>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let place = listener.local_addr().expect("an address");
        let (acceptor, trusting) = name.map(tls).unzip();
        let fake = self.clone();
        let serving = async move {
            loop {
                let Ok((mut stream, _)) = listener.accept().await else {
                    return;
                };
                let (fake, acceptor) = (fake.clone(), acceptor.clone());
                let one = async move {
                    match acceptor {
                        None => fake.answer(&mut stream).await,
                        Some(acceptor) => {
                            if let Ok(mut stream) = acceptor.accept(stream).await {
                                fake.answer(&mut stream).await;
                            }
                        }
                    }
                };
                shared::supervisor::Supervisor::new().spawn_servant("a receiver's answer", one);
            }
        };
        shared::supervisor::Supervisor::new().spawn_servant("a receiver", serving);
        (place, trusting)
    }
}

/// A certificate of that name, and a client that trusts it alone.
fn tls(name: &str) -> (TlsAcceptor, ClientConfig) {
    shared::tls::install_provider();
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).expect("made");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a configuration");
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("a root");
    let trusting = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (TlsAcceptor::from(Arc::new(config)), trusting)
}

/// A webhook's receiver, its URL, and a client that may call it.
pub(super) async fn webhook(clock: &Clock) -> (Fake, String, Outbound) {
    let fake = Fake::new(Role::Webhook, SECRET, clock);
    let (place, _) = fake.listen(None).await;
    (fake, format!("http://{place}/hook"), Outbound::system(true))
}

/// A robot's receiver under its real name, and a client that finds it there.
pub(super) async fn robot(
    role: Role,
    (host, secret): (&str, &'static str),
    clock: &Clock,
) -> (Fake, Outbound) {
    let fake = Fake::new(role, secret, clock);
    let (place, trusting) = fake.listen(Some(host)).await;
    let outbound = Outbound::new(OutboundParts {
        tls: trusting.expect("a client"),
        names: Names::Fixed(BTreeMap::from([(host.to_owned(), place)])),
        allows_private: true,
    });
    (fake, outbound)
}
