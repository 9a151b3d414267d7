//! The toy vendor, played by table: answers, streams and refusals.

use std::time::Duration;

use futures_util::StreamExt;
use shared::dialect::{Judged, Metered, Verdict};
use shared::link::options::ProviderOptions;
use shared::secret::Secret;
use shared::supervisor::Supervisor;
use shared::surface::Surface;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::fixture;
use crate::providers::AnswerBody;
use crate::providers::learned::Learned;
use crate::providers::provider;

fn call(operation: Operation, stream: bool) -> Call {
    let body = r#"{"model":"ours","messages":[{"role":"user","content":"hi"}],"max_tokens":9}"#;
    Call {
        stream,
        show_usage: true,
        headers: Vec::new(),
        ..fixture::call(operation, body)
    }
}

/// Calls a vendor that gives one answer; also what it was sent.
async fn asked(call: Call, status: &str, body: &str) -> (Result<Answer, Refusal>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base_url = format!("http://{}", listener.local_addr().expect("an address"));
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let (told, seen) = tokio::sync::oneshot::channel();
    let supervisor = Supervisor::new();
    supervisor.spawn_servant("toy vendor", async move {
        let (mut socket, _) = listener.accept().await.expect("a call");
        let mut read = Vec::new();
        while !read.ends_with(b"}") && socket.read_buf(&mut read).await.expect("read") > 0 {}
        socket.write_all(answer.as_bytes()).await.expect("written");
        // Nobody asks where nothing was to be sent.
        let _ = told.send(String::from_utf8_lossy(&read).into_owned());
    });
    let (key, learned) = (Secret::new("k-1".to_owned()), Learned::default());
    let route = Route {
        base_url: &base_url,
        options: &ProviderOptions::default(),
        key: &key,
        model: "theirs",
        learned: &learned,
        headers: &[],
        heard: None,
        files: None,
    };
    let patience = Patience {
        first_byte: Duration::from_secs(5),
        silence: Duration::from_secs(5),
    };
    let toy = provider("toy").expect("it is in the list of connectors");
    let answered = toy.call(&call, route, patience).await;
    let seen = tokio::time::timeout(Duration::from_secs(1), seen).await;
    (
        answered,
        seen.map_or_else(|_| String::new(), Result::unwrap_or_default),
    )
}

const GOOD: &str = r#"{"a":"hello","counted":[3,1]}"#;

#[tokio::test]
async fn an_answer_comes_in_the_words_of_the_surface() {
    let (answered, seen) = asked(call(Operation::Chat, false), "200 OK", GOOD).await;
    let Ok(Answer {
        body: AnswerBody::Whole(bytes),
        ..
    }) = answered
    else {
        panic!("it answers");
    };
    let dialect = Surface::of(Operation::Chat).dialect;
    assert_eq!(dialect.judge(&bytes), Judged::Answer);
    let usage = dialect.usage(Metered::default(), &bytes).expect("counted");
    assert_eq!((usage.input_total(), usage.output_total()), (3, 1));
    assert!(
        seen.starts_with("POST /ask ") && seen.contains("x-toy-key: k-1"),
        "{seen}"
    );
    assert!(
        seen.contains(r#""engine":"theirs""#) && seen.contains(r#""limit":9"#),
        "{seen}"
    );
    assert!(!seen.contains("ours"), "{seen}");
}

#[tokio::test]
async fn a_stream_is_whole_by_the_dialects_own_meter() {
    let (answered, _) = asked(call(Operation::Chat, true), "200 OK", GOOD).await;
    let Ok(Answer {
        body: AnswerBody::Stream(mut bytes),
        ..
    }) = answered
    else {
        panic!("it streams");
    };
    let mut meter = Surface::of(Operation::Chat)
        .dialect
        .meter(Metered::default());
    while let Some(piece) = bytes.next().await {
        let piece = piece.expect("bytes");
        for event in std::str::from_utf8(&piece)
            .expect("text")
            .split_inclusive("\n\n")
        {
            let verdict = meter.event(event.as_bytes());
            assert!(matches!(verdict, Verdict::Pass | Verdict::Hide), "{event}");
        }
    }
    assert!(meter.is_done() && meter.is_whole() && meter.is_told());
}

#[tokio::test]
async fn refusals_are_blamed_on_whom_they_belong_to() {
    for (status, kind, for_tenant) in [
        ("400 Bad Request", FaultKind::BadRequest, true),
        ("401 Unauthorized", FaultKind::InvalidKey, false),
        ("429 Too Many Requests", FaultKind::RateLimited, false),
        ("503 Service Unavailable", FaultKind::Overloaded, false),
    ] {
        let (answered, _) = asked(call(Operation::Chat, false), status, "no").await;
        let refusal = answered.err().expect(status);
        assert_eq!(
            (refusal.fault.kind, refusal.caller.is_some()),
            (kind, for_tenant)
        );
    }
    for nonsense in ["<html>", "{}", r#"{"a":7}"#] {
        let (answered, _) = asked(call(Operation::Chat, false), "200 OK", nonsense).await;
        let fault = answered.err().expect(nonsense).fault;
        assert_eq!(fault.kind, FaultKind::InvalidAnswer, "{nonsense}");
    }
    let other = question_of(Operation::Embedding);
    assert_eq!(
        other.err().map(|refusal| refusal.fault.kind),
        Some(FaultKind::NotFound)
    );
}

fn question_of(operation: Operation) -> Result<Request<Full<Bytes>>, Refusal> {
    let (key, learned) = (Secret::new("k".to_owned()), Learned::default());
    let route = Route {
        base_url: "http://127.0.0.1:1",
        options: &ProviderOptions::default(),
        key: &key,
        model: "theirs",
        learned: &learned,
        headers: &[],
        heard: None,
        files: None,
    };
    question(&call(operation, false), route)
}
