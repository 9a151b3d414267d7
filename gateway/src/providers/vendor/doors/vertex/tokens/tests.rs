//! The exchange of claims for tokens, with somebody who plays Google.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use shared::supervisor::Supervisor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::super::token::tests::{NOW, file};
use super::*;

/// Somebody who answers each request for a token by its number, after a while, and takes none of them.
pub(in super::super) struct Google {
    pub(in super::super) address: SocketAddr,
    asked: Arc<AtomicUsize>,
    supervisor: Supervisor,
}

/// Whether all of a request is there: those for tokens have a body.
fn is_whole(read: &[u8]) -> bool {
    const FORM: &str =
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=ey";
    let text = String::from_utf8_lossy(read);
    text.contains(FORM) || (text.starts_with("GET ") && text.ends_with("\r\n\r\n"))
}

impl Google {
    pub(in super::super) async fn start(answer: fn(usize) -> (&'static str, String)) -> Self {
        shared::tls::install_provider();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (asked, supervisor) = (Arc::<AtomicUsize>::default(), Supervisor::new());
        let counted = asked.clone();
        supervisor.spawn_servant("google", async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut read = Vec::new();
                while !is_whole(&read) && matches!(socket.read_buf(&mut read).await, Ok(1..)) {}
                let text = String::from_utf8_lossy(&read).into_owned();
                let (status, body) = if text.starts_with("POST /token HTTP/1.1\r\n") {
                    let form = "content-type: application/x-www-form-urlencoded\r\n";
                    assert!(text.contains(form), "{text}");
                    answer(counted.fetch_add(1, Ordering::SeqCst))
                } else {
                    ("401 Unauthorized", String::new())
                };
                tokio::time::sleep(Duration::from_millis(50)).await;
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
                // Whoever left needs no answer.
                let _ = socket.write_all(answer.as_bytes()).await;
            }
        });
        Self {
            address,
            asked,
            supervisor,
        }
    }

    /// The key of an account whose tokens are asked for here.
    pub(in super::super) fn key(&self) -> String {
        let mut file = file();
        file["token_uri"] = format!("http://{}/token", self.address).into();
        file.to_string()
    }

    pub(in super::super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Google {
    fn drop(&mut self) {
        self.supervisor.stop();
    }
}

pub(in super::super) fn is_here(uri: &str) -> bool {
    uri.starts_with("http://127.0.0.1:")
}

pub(in super::super) fn numbered(number: usize) -> (&'static str, String) {
    let body = format!(r#"{{"access_token":"t{number}","expires_in":1000}}"#);
    ("200 OK", body)
}

async fn word(tokens: &Tokens, key: &str, clock: &Clock) -> Result<String, (FaultKind, Scope)> {
    let token = tokens.token(key, clock).await;
    token
        .map(|token| token.expose().clone())
        .map_err(|fault| (fault.kind, fault.scope))
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_again_at_four_fifths_of_its_life() {
    let google = Google::start(numbered).await;
    let (tokens, clock) = (Tokens::of(is_here), Clock::fixed(NOW));
    let key = google.key();
    let many = (0..20).map(|_| word(&tokens, &key, &clock));
    for token in futures_util::future::join_all(many).await {
        assert_eq!(token.as_deref(), Ok("t0"));
    }
    assert_eq!(google.asked(), 1, "the others waited");
    clock.advance(Duration::from_secs(799));
    assert_eq!(word(&tokens, &key, &clock).await.as_deref(), Ok("t0"));
    clock.advance(Duration::from_secs(1));
    let many = (0..20).map(|_| word(&tokens, &key, &clock));
    let came = futures_util::future::join_all(many).await;
    assert_eq!(came[0].as_deref(), Ok("t1"));
    assert!(
        came[1..].iter().all(|one| one.as_deref() == Ok("t0")),
        "nobody waits while there is a good one"
    );
    assert_eq!(google.asked(), 2);
    tokens.forget(&key);
    assert_eq!(word(&tokens, &key, &clock).await.as_deref(), Ok("t2"));
}

#[tokio::test]
async fn a_key_that_is_refused_is_blamed_and_nobody_asks_at_once_again() {
    let refused = |_| {
        let body = r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#;
        ("400 Bad Request", body.to_owned())
    };
    let google = Google::start(refused).await;
    let (tokens, clock) = (Tokens::of(is_here), Clock::fixed(NOW));
    let key = google.key();
    let many = (0..5).map(|_| word(&tokens, &key, &clock));
    for token in futures_util::future::join_all(many).await {
        assert_eq!(token, Err((FaultKind::InvalidKey, Scope::Key)));
    }
    assert_eq!(google.asked(), 1);
    clock.advance(FAILURE_HOLDS);
    assert!(word(&tokens, &key, &clock).await.is_err());
    assert_eq!(google.asked(), 2);
}

#[tokio::test]
async fn without_google_the_old_token_is_used_to_its_end() {
    let once = |number| match number {
        0 => numbered(0),
        _ => ("503 Service Unavailable", "<html>".to_owned()),
    };
    let google = Google::start(once).await;
    let (tokens, clock) = (Tokens::of(is_here), Clock::fixed(NOW));
    let key = google.key();
    assert_eq!(word(&tokens, &key, &clock).await.as_deref(), Ok("t0"));
    clock.advance(Duration::from_secs(900));
    for _ in 0..3 {
        assert_eq!(word(&tokens, &key, &clock).await.as_deref(), Ok("t0"));
    }
    assert_eq!(google.asked(), 2, "it is not asked with every call");
    clock.advance(Duration::from_secs(100));
    let none = Err((FaultKind::Unreachable, Scope::Provider));
    assert_eq!(word(&tokens, &key, &clock).await, none);
    // Nobody there at all.
    let mut gone = file();
    gone["token_uri"] = "http://127.0.0.1:1/token".into();
    assert_eq!(word(&tokens, &gone.to_string(), &clock).await, none);
}

#[tokio::test]
async fn a_file_that_is_no_key_is_blamed_and_sent_nowhere() {
    let google = Google::start(numbered).await;
    let (tokens, clock) = (Tokens::of(is_here), Clock::fixed(NOW));
    let blamed = Err((FaultKind::InvalidKey, Scope::Key));
    assert_eq!(word(&tokens, "{}", &clock).await, blamed);
    let strict = Tokens::of(super::super::token::is_googles);
    assert_eq!(word(&strict, &google.key(), &clock).await, blamed);
    assert_eq!(google.asked(), 0);
}
