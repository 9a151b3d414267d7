//! What holds of every connector and every surface: an answer is one by the surface's own dialect, a stream
//! is whole by its own meter, what the provider counted is what is told, and each refusal is blamed on whom
//! it belongs to, in whatever form it comes. Connectors are played by their fakes, which answer what was
//! recorded.

mod doors;
mod files;
mod goldens;
mod pictures;
mod ranks;
mod recorded;
mod vectors;
mod vendor;

use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::json;
use shared::dialect::{Judged, Verdict};
use shared::fault::{FaultKind, Retry, Scope};
use shared::id::{GenerationId, RequestId};
use shared::link::{
    Bounds, Call, Failure, Generations, LinkError, Outcome, Piece, ReplyBody, Target,
};
use shared::surface::{AnswerForm, SURFACES, Surface};

use self::recorded::recorded;
use self::vendor::Vendor;
use crate::support::{Node, admin};

/// A call on a surface at a provider, with as little as its format needs.
fn call(surface: &'static Surface, provider: &str, stream: bool) -> Call {
    let mut body = recorded(surface).request;
    if stream {
        body["stream"] = json!(true);
    }
    Call {
        generation: GenerationId::random(),
        request: RequestId::random(),
        surface,
        targets: [Target {
            provider: provider.to_owned(),
            model: "theirs".to_owned(),
            gateway: None,
            answers: None,
        }]
        .into(),
        body: Bytes::from(body.to_string()),
        stream,
        show_usage: true,
        headers: Vec::new(),
        tenant: None,
        caller: 1,
        end_user: None,
        bounds: Some(Bounds {
            input_estimate: 10,
            input_max: 10_000,
            output_max: 10_000,
        }),
        answer_model: None,
        says_all: false,
        deadline: std::time::Duration::from_secs(30),
    }
}

/// What came of a call.
struct Came {
    content_type: String,
    bytes: Vec<u8>,
    outcome: Outcome,
}

async fn came(link: &dyn Generations, call: Call) -> Result<Came, Failure> {
    let reply = match link.open(call).await {
        Ok(reply) => reply,
        Err(LinkError::Failed(failure)) => return Err(*failure),
        Err(error) => panic!("{error}"),
    };
    let content_type = reply.content_type;
    let mut pieces = match reply.body {
        ReplyBody::Whole { bytes, outcome } => {
            return Ok(Came {
                content_type,
                bytes: bytes.to_vec(),
                outcome: *outcome,
            });
        }
        ReplyBody::Stream(pieces) => pieces,
    };
    let mut all = Vec::new();
    while let Some(piece) = pieces.next().await {
        match piece.expect("inside one process nothing is cut") {
            Piece::Bytes(bytes) => all.extend_from_slice(&bytes),
            Piece::Waiting => {}
            Piece::Outcome(outcome) => {
                return Ok(Came {
                    content_type,
                    bytes: all,
                    outcome: *outcome,
                });
            }
        }
    }
    panic!("a stream ends with its outcome");
}

/// Each surface, whole and where it can be as a stream.
fn ways() -> Vec<(&'static Surface, bool)> {
    let both = |surface: &'static Surface| {
        let streams = surface.answer == AnswerForm::Events;
        [Some((surface, false)), streams.then_some((surface, true))]
    };
    SURFACES.into_iter().flat_map(both).flatten().collect()
}

/// Those that a vendor of OpenAI's formats is asked as they came.
fn own_ways() -> Vec<(&'static Surface, bool)> {
    let is_own = |(surface, _): &(&'static Surface, bool)| {
        let foreign = [
            "openai_responses",
            "anthropic_messages",
            "gemini",
            "gemini_embeddings",
            "rerank",
        ];
        !foreign.contains(&surface.dialect.name())
    };
    ways().into_iter().filter(is_own).collect()
}

/// A provider of that kind with one key; the vendor behind it, where there is one.
async fn provider(node: &Node, kind: &str, name: &str, vendor: &Vendor) {
    let mut body = json!({"name": name, "kind": kind});
    if kind != "sandbox" {
        body["base_url"] = json!(vendor.base_url());
    }
    provider_of(node, &body, "key-0123456789").await;
}

/// A provider as `body` describes it, with that key.
async fn provider_of(node: &Node, body: &serde_json::Value, key: &str) {
    admin(node.address, "/providers", body).await;
    let path = format!("/providers/{}/keys", body["name"].as_str().expect("a name"));
    admin(node.address, &path, &json!({"secret": key})).await;
}

/// An answer is one by the rules of its surface, and whole.
fn is_answer(surface: &Surface, stream: bool, came: &Came) {
    let (path, text) = (surface.path, String::from_utf8_lossy(&came.bytes));
    if !stream {
        assert_eq!(came.content_type, "application/json", "{path}");
        assert_eq!(
            surface.dialect.judge(&came.bytes),
            Judged::Answer,
            "{path}: {text}"
        );
        return;
    }
    assert_eq!(
        came.content_type, "text/event-stream; charset=utf-8",
        "{path}"
    );
    let mut meter = surface.dialect.meter(shared::dialect::Metered::default());
    // Google ends lines as HTTP does.
    for event in text.replace("\r\n", "\n").split_inclusive("\n\n") {
        let verdict = meter.event(event.as_bytes());
        let passes = matches!(verdict, Verdict::Pass | Verdict::Hide | Verdict::Without(_));
        assert!(passes, "{path}: {event}");
    }
    assert!(
        meter.is_whole() && meter.missing().is_none(),
        "{path}: {text}"
    );
    assert!(text.as_bytes().ends_with(surface.dialect.end()), "{path}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_connector_answers_every_surface_by_its_own_rules() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    let vendor = Vendor::start(recorded::good).await;
    let asked = link.provider_admins().remove(0);
    let facts = asked.facts().await.expect("a gateway knows its connectors");
    for connector in &facts.connectors {
        let kind = connector.kind.as_ref();
        if kind != "sandbox" {
            provider(&node, kind, kind, &vendor).await;
        }
        // What it does in another dialect is translated.
        let does = |surface: &Surface| {
            let mut all = connector.speaks.iter();
            all.any(|one| one.operation == surface.operation)
        };
        assert!(
            SURFACES.into_iter().any(does),
            "{kind} can be asked nothing"
        );
        for (surface, stream) in ways().into_iter().filter(|(surface, _)| does(surface)) {
            let came = came(link.as_ref(), call(surface, kind, stream)).await;
            let came = came.unwrap_or_else(|failure| panic!("{} {kind}: {failure}", surface.path));
            assert_eq!(came.outcome.fault, None, "{} {kind}", surface.path);
            is_answer(surface, stream, &came);
            let usage = &came.outcome.usage;
            assert!(!usage.is_nothing(), "{} {kind}: {usage:?}", surface.path);
            if kind != "sandbox" {
                let counted = recorded::counted_by(kind, surface);
                let told = (usage.input_total(), usage.output_total());
                assert_eq!(told, counted, "{} {kind} {stream}", surface.path);
            }
        }
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_answer_where_a_stream_was_asked_for_becomes_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    let vendor = Vendor::start(recorded::whole_always).await;
    provider(&node, "openai", "vendor", &vendor).await;
    for (surface, _) in ways().into_iter().filter(|(_, stream)| *stream) {
        let came = came(link.as_ref(), call(surface, "vendor", true)).await;
        let came = came.unwrap_or_else(|failure| panic!("{}: {failure}", surface.path));
        is_answer(surface, true, &came);
        let counted = recorded::counted_by("openai", surface);
        let usage = &came.outcome.usage;
        assert_eq!((usage.input_total(), usage.output_total()), counted);
    }
    node.stop().await;
}

/// A refusal as it was recorded, and what it means.
struct Row {
    status: &'static str,
    body: &'static str,
    kind: FaultKind,
    scope: Scope,
    retry: Retry,
    /// Whether the tenant reads the provider's words.
    told: bool,
}

const fn row(
    (status, body): (&'static str, &'static str),
    (kind, scope): (FaultKind, Scope),
    (retry, told): (Retry, bool),
) -> Row {
    Row {
        status,
        body,
        kind,
        scope,
        retry,
        told,
    }
}

const REFUSALS: &[Row] = &[
    row(
        (
            "400 Bad Request",
            r#"{"error":{"message":"'temperature' must be below 2","type":"invalid_request_error","param":"temperature","code":null}}"#,
        ),
        (FaultKind::BadRequest, Scope::Request),
        (Retry::No, true),
    ),
    row(
        (
            "401 Unauthorized",
            r#"{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#,
        ),
        (FaultKind::InvalidKey, Scope::Key),
        (Retry::OtherKey, false),
    ),
    row(
        (
            "429 Too Many Requests",
            r#"{"error":{"message":"Rate limit reached for requests","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#,
        ),
        (FaultKind::RateLimited, Scope::Key),
        (Retry::OtherKey, false),
    ),
    row(
        (
            "429 Too Many Requests",
            r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#,
        ),
        (FaultKind::QuotaExhausted, Scope::Account),
        (Retry::OtherKey, false),
    ),
    row(
        (
            "404 Not Found",
            r#"{"error":{"message":"The model `theirs` does not exist","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#,
        ),
        (FaultKind::NotFound, Scope::ModelAtKey),
        (Retry::OtherKey, false),
    ),
    row(
        ("503 Service Unavailable", "<html>busy</html>"),
        (FaultKind::Overloaded, Scope::Provider),
        (Retry::OtherKey, false),
    ),
    row(
        ("200 OK", "<html>Welcome</html>"),
        (FaultKind::InvalidAnswer, Scope::Provider),
        (Retry::No, false),
    ),
    row(
        ("200 OK", "{}"),
        (FaultKind::InvalidAnswer, Scope::Provider),
        (Retry::No, false),
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_means_the_same_on_every_surface_whole_or_streamed() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    for (number, row) in REFUSALS.iter().enumerate() {
        let vendor = Vendor::start(|_| vendor::answer(row.status, row.body)).await;
        for (at, (surface, stream)) in ways().into_iter().enumerate() {
            // A pool of its own: what one refusal rests says nothing of the next.
            let name = format!("vendor-{number}-{at}");
            provider(&node, "openai", &name, &vendor).await;
            let failed = came(link.as_ref(), call(surface, &name, stream)).await;
            let which = format!("{} {} {} {stream}", row.status, row.body, surface.path);
            let failure = failed
                .err()
                .unwrap_or_else(|| panic!("{which}: it is refused"));
            let fault = &failure.fault;
            assert_eq!(
                (fault.kind, fault.scope, fault.retry),
                (row.kind, row.scope, row.retry),
                "{which}: {fault}"
            );
            assert_eq!(failure.caller.is_some(), row.told, "{which}");
        }
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_that_comes_as_a_success_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    let told = r#"{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}"#;
    let vendor = Vendor::start(move |seen| {
        if seen.is_stream {
            vendor::events(&format!("data: {told}\n\n"))
        } else {
            vendor::answer("200 OK", told)
        }
    })
    .await;
    for (at, (surface, stream)) in ways().into_iter().enumerate() {
        let name = format!("vendor-{at}");
        provider(&node, "openai", &name, &vendor).await;
        let failed = came(link.as_ref(), call(surface, &name, stream)).await;
        let failure = failed.err().expect(surface.path);
        assert_eq!(
            failure.fault.kind,
            FaultKind::RateLimited,
            "{}",
            surface.path
        );
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_cut_or_fails_in_the_middle_is_told_as_such_and_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    for (what, kind) in [
        ("cut", FaultKind::Interrupted),
        ("error", FaultKind::Overloaded),
        ("nonsense", FaultKind::InvalidAnswer),
    ] {
        let vendor = Vendor::start(move |seen| vendor::events(&recorded::broken(seen, what))).await;
        let name = format!("vendor-{what}");
        provider(&node, "openai", &name, &vendor).await;
        for surface in SURFACES
            .into_iter()
            .filter(|one| one.operation.writes_text())
        {
            let came = came(link.as_ref(), call(surface, &name, true)).await;
            let came = came.unwrap_or_else(|failure| panic!("{what}: {failure}"));
            let fault = came.outcome.fault.as_ref().map(|fault| fault.kind);
            assert_eq!(fault, Some(kind), "{what} {}", surface.path);
            let text = String::from_utf8_lossy(&came.bytes).into_owned();
            assert!(
                !text.contains("\"error\":{") && !surface.dialect.ends(text.as_bytes()),
                "{what}: {text}"
            );
            let usage = &came.outcome.usage;
            assert!(
                usage.estimated && usage.output_total() > 0,
                "{what}: {usage:?}"
            );
        }
    }
    node.stop().await;
}

/// Anthropic takes no JSON by no schema.
#[tokio::test(flavor = "multi_thread")]
async fn what_cant_be_said_to_a_vendor_is_tried_at_no_other_key_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    let vendor = Vendor::start(recorded::good).await;
    provider(&node, "anthropic", "anthropic", &vendor).await;
    let other = json!({"secret": "key-9876543210"});
    admin(node.address, "/providers/anthropic/keys", &other).await;
    let chat = Surface::of(shared::link::Operation::Chat);
    let body = json!({"model": "ours", "response_format": {"type": "json_object"},
        "messages": [{"role": "user", "content": "hi"}]});
    let asked = Call {
        body: Bytes::from(body.to_string()),
        ..call(chat, "anthropic", false)
    };
    let failure = came(link.as_ref(), asked).await.err().expect("refused");
    assert_eq!(failure.fault.kind, FaultKind::BadRequest, "{failure}");
    assert_eq!(failure.attempts, 1, "{failure}");
    assert!(failure.caller.is_some_and(|told| !told.message.is_empty()));
    assert!(vendor.calls().is_empty(), "nothing was sent");
    node.stop().await;
}
