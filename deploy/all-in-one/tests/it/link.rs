//! What the server may rely on, whichever way it reaches its gateway: each promise of `shared::link`
//! on the link inside the process and on the one over HTTP.

mod ends;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::json;
use shared::id::{GenerationId, RequestId, TenantId};
use shared::link::{
    Call, GenerationStatus, Link, LinkError, Operation, Outcome, Parting, Piece, PieceStream,
    ReplyBody, Target,
};
use shared::surface::Surface;
use shared::units::Unit;

use crate::support::{joined::links, places};

fn call(text: &str, stream: bool) -> Call {
    let body =
        json!({"model": "any", "messages": [{"role": "user", "content": text}], "stream": stream});
    Call {
        generation: GenerationId::random(),
        request: RequestId::random(),
        surface: Surface::of(Operation::Chat),
        targets: Arc::new([Target {
            provider: "sandbox".to_owned(),
            model: "sandbox-chat".to_owned(),
            gateway: None,
            answers: None,
        }]),
        body: Bytes::from(body.to_string()),
        stream,
        show_usage: true,
        headers: Vec::new(),
        tenant: None,
        caller: 0,
        end_user: None,
        bounds: None,
        answer_model: None,
        says_all: false,
        deadline: Duration::from_secs(30),
    }
}

async fn stream(link: &Arc<dyn Link>, call: Call) -> PieceStream {
    match link.open(call).await.expect("accepted").body {
        ReplyBody::Stream(pieces) => pieces,
        ReplyBody::Whole { .. } => panic!("a stream was asked for"),
    }
}

/// All bytes and the outcome; a second outcome or anything behind it is a broken promise.
async fn read(mut pieces: PieceStream, name: &str) -> (Vec<u8>, Outcome) {
    let mut bytes = Vec::new();
    loop {
        match pieces.next().await.expect(name).expect(name) {
            Piece::Bytes(part) => bytes.extend_from_slice(&part),
            Piece::Waiting => panic!("{name}: the link is there"),
            Piece::Outcome(outcome) => {
                assert!(pieces.next().await.is_none(), "{name}: nothing follows");
                return (bytes, *outcome);
            }
        }
    }
}

/// The same call again starts nothing: over the border it joins until the server said that it has
/// all of it, inside a process it is refused.
async fn joined(link: &Arc<dyn Link>, name: &str, asked: &Call, is_seen: bool) {
    let again = link.open(asked.clone()).await;
    if name == "in process" {
        assert!(matches!(again, Err(LinkError::Refused(_))), "{again:?}");
    } else if is_seen {
        assert!(matches!(again, Err(LinkError::Lost(_))), "{again:?}");
    } else {
        let ReplyBody::Stream(pieces) = again.expect("joined").body else {
            panic!("a stream was asked for")
        };
        let (bytes, outcome) = read(pieces, name).await;
        assert!(bytes.ends_with(b"data: [DONE]\n\n"));
        assert_eq!(outcome.usage.count(Unit::OutputToken), 12);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generation_starts_once_and_ends_with_one_outcome() {
    let [place, _] = places().await;
    let (supervisor, links) = links(&place).await;
    let mut texts = Vec::new();
    for (name, link) in &links {
        let asked = call("hello [tokens:12]", true);
        let reply = link.open(asked.clone()).await.expect(name);
        assert_eq!(reply.boot, link.health().await.expect(name), "{name}");
        assert!(reply.content_type.starts_with("text/event-stream"));
        let ReplyBody::Stream(pieces) = reply.body else {
            panic!("{name}: a stream was asked for")
        };
        joined(link, name, &asked, false).await;
        let (bytes, outcome) = read(pieces, name).await;
        assert!(bytes.ends_with(b"data: [DONE]\n\n"), "{name}");
        assert_eq!(
            (outcome.usage.count(Unit::OutputToken), &outcome.fault),
            (12, &None),
            "{name}"
        );
        joined(link, name, &asked, true).await;
        let other = Call {
            body: Bytes::from_static(b"{}"),
            ..asked.clone()
        };
        let other = link.open(other).await;
        assert!(
            matches!(other, Err(LinkError::Refused(_))),
            "{name}: another request under the same id: {other:?}"
        );
        let status = link
            .cancel(&[], &asked.generation, Parting::Abandoned)
            .await
            .expect(name);
        let GenerationStatus::Ended { outcome: known } = status else {
            panic!("{name}: {status:?}")
        };
        assert_eq!(known.usage, outcome.usage, "{name}");
        texts.push(bytes);
    }
    assert!(
        texts.iter().all(|text| *text == texts[0]),
        "all links pass the same bytes"
    );
    assert!(
        supervisor.finish(Duration::from_secs(5)).await,
        "nothing is left running"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_answer_comes_with_its_outcome() {
    let [place, _] = places().await;
    let (supervisor, links) = links(&place).await;
    for (name, link) in &links {
        let reply = link
            .open(call("hello [tokens:3]", false))
            .await
            .expect(name);
        let ReplyBody::Whole { bytes, outcome } = reply.body else {
            panic!("{name}: no stream was asked for")
        };
        let answer: serde_json::Value = serde_json::from_slice(&bytes).expect(name);
        assert_eq!(answer["usage"]["completion_tokens"], 3, "{name}");
        assert_eq!(outcome.usage.count(Unit::OutputToken), 3, "{name}");
    }
    assert!(
        supervisor.finish(Duration::from_secs(5)).await,
        "nothing is left running"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_grows_crosses_whole_whatever_the_gateway_has_of_it() {
    let [place, _] = places().await;
    let (supervisor, links) = links(&place).await;
    for (name, link) in &links {
        let mut said = "hello [tokens:2]".to_owned();
        for turn in 0..6 {
            let news = "something new ".repeat(400 + turn);
            said.extend([" turn ", &turn.to_string(), " says ", &news]);
            for tenant in [Some(TenantId::random()), None] {
                for _ in 0..2 {
                    let asked = Call {
                        tenant: tenant.clone(),
                        ..call(&said, false)
                    };
                    let length = asked.body.len() as u64;
                    let reply = link.open(asked).await.expect(name);
                    let ReplyBody::Whole { outcome, .. } = reply.body else {
                        panic!("{name}: no stream was asked for")
                    };
                    let counted = outcome.usage.count(Unit::InputToken) * 4;
                    assert!(
                        counted <= length && counted * 2 > length,
                        "{name}: {counted} of {length}"
                    );
                }
            }
        }
    }
    supervisor.finish(Duration::from_secs(5)).await;
}
