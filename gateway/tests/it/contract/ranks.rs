//! Rankings at every vendor that makes some: what goes out to each, letter for letter, what comes back in
//! the tenants' form, what is counted, and what of a vendor's answer is not believed.

use bytes::Bytes;
use serde_json::{Value, json};
use shared::dialect::Judged;
use shared::fault::FaultKind;
use shared::link::{Bounds, Call, Failure, Generations, Operation};
use shared::surface::Surface;
use shared::units::Unit;

use super::vendor::{self, Vendor};
use super::{Came, call, came, provider};
use crate::support::Node;

/// A vendor: its kind, where it is asked, what it reads and what it answers.
struct VendorCase {
    kind: &'static str,
    path: &'static str,
    reads: fn() -> Value,
    answers: &'static str,
    /// Input tokens and searches, and whether they are an estimate.
    counted: (u64, u64, bool),
    /// What was left unsaid.
    dropped: &'static [&'static str],
}

/// What the tenant asks of each.
fn asked() -> Value {
    json!({
        "model": "ours", "query": "What moves the tides?", "top_n": 2, "return_documents": true,
        "documents": ["Bread is made of flour.", {"text": "The moon moves the tides.", "id": 7}, "Tides come twice a day."],
        "max_tokens_per_doc": 512, "truncation": true, "instruction": "Prefer the sea.", "user": "ann@example.com",
    })
}

fn texts() -> Value {
    json!([
        "Bread is made of flour.",
        "The moon moves the tides.",
        "Tides come twice a day."
    ])
}

const CASES: &[VendorCase] = &[
    VendorCase {
        kind: "cohere",
        path: "/rerank",
        reads: || json!({"model": "theirs", "query": "What moves the tides?", "documents": texts(), "top_n": 2, "max_tokens_per_doc": 512}),
        // Cohere tells what it bills, and no tokens.
        answers: r#"{"id":"07734bd2","results":[{"index":1,"relevance_score":0.999071},{"index":2,"relevance_score":0.7867867}],"meta":{"api_version":{"version":"2"},"billed_units":{"search_units":1}}}"#,
        counted: (10, 1, true),
        dropped: &["instruction", "truncation"],
    },
    VendorCase {
        kind: "jina",
        path: "/rerank",
        reads: || {
            json!({"model": "theirs", "query": "What moves the tides?", "documents": texts(), "top_n": 2, "return_documents": false,
            "max_tokens_per_doc": 512, "truncation": true, "instruction": "Prefer the sea."})
        },
        answers: r#"{"model":"jina-reranker-v3.5","object":"list","usage":{"total_tokens":63},"results":[{"index":1,"relevance_score":0.999071,"document":"The moon moves the tides."},{"index":2,"relevance_score":0.7867867}]}"#,
        counted: (63, 1, false),
        dropped: &[],
    },
    // SiliconFlow, which has Jina's form and Cohere's `meta`.
    VendorCase {
        kind: "openai",
        path: "/rerank",
        reads: || {
            json!({"model": "theirs", "query": "What moves the tides?", "documents": texts(), "top_n": 2, "return_documents": false,
            "max_tokens_per_doc": 512, "truncation": true, "instruction": "Prefer the sea."})
        },
        answers: r#"{"id":"0193","results":[{"document":null,"index":1,"relevance_score":0.999071},{"document":null,"index":2,"relevance_score":0.7867867}],"meta":{"billed_units":{"input_tokens":51,"output_tokens":0,"search_units":0,"classifications":0},"tokens":{"input_tokens":51,"output_tokens":0}}}"#,
        counted: (51, 1, false),
        dropped: &[],
    },
    VendorCase {
        kind: "voyage",
        path: "/rerank",
        reads: || json!({"model": "theirs", "query": "What moves the tides?", "documents": texts(), "top_k": 2, "truncation": true}),
        answers: r#"{"object":"list","data":[{"relevance_score":0.999071,"index":1},{"relevance_score":0.7867867,"index":2}],"model":"rerank-2.5","usage":{"total_tokens":44}}"#,
        counted: (44, 1, false),
        dropped: &["instruction", "max_tokens_per_doc"],
    },
    VendorCase {
        kind: "dashscope",
        path: "/api/v1/services/rerank/text-rerank/text-rerank",
        reads: || {
            json!({"model": "theirs", "input": {"query": "What moves the tides?", "documents": texts()},
            "parameters": {"top_n": 2, "return_documents": false, "instruct": "Prefer the sea."}})
        },
        answers: r#"{"status_code":200,"request_id":"85ba5752","code":"","message":"","output":{"results":[{"index":1,"relevance_score":0.999071},{"index":2,"relevance_score":0.7867867}]},"usage":{"total_tokens":79}}"#,
        counted: (79, 1, false),
        dropped: &["max_tokens_per_doc", "truncation"],
    },
];

fn rankings() -> &'static Surface {
    Surface::of(Operation::Rerank)
}

async fn ranked(link: &dyn Generations, provider: &str, body: &Value) -> Result<Came, Failure> {
    let asked = Call {
        body: Bytes::from(body.to_string()),
        ..call(rankings(), provider, false)
    };
    came(link, asked).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_vendor_reads_its_own_form_and_the_tenant_reads_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    for case in CASES {
        let answers = case.answers;
        let vendor = Vendor::start(move |_| vendor::answer("200 OK", answers)).await;
        provider(&node, case.kind, case.kind, &vendor).await;
        let request = Call {
            body: Bytes::from(asked().to_string()),
            ..call(rankings(), case.kind, false)
        };
        let reply = link.open(request).await.expect(case.kind);
        let mut dropped = reply.dropped;
        dropped.sort_unstable();
        assert_eq!(dropped, case.dropped, "{}", case.kind);
        let came = ranked(link.as_ref(), case.kind, &asked()).await;
        let came = came.unwrap_or_else(|failure| panic!("{}: {failure}", case.kind));
        let seen = &vendor.calls()[0];
        assert_eq!(seen.path, case.path, "{}", case.kind);
        let sent: Value = serde_json::from_str(&seen.body).expect("JSON");
        assert_eq!(sent, (case.reads)(), "{}", case.kind);
        let usage = &came.outcome.usage;
        let counted = (
            usage.count(Unit::InputToken),
            usage.count(Unit::Search),
            usage.estimated,
        );
        assert_eq!(counted, case.counted, "{}", case.kind);
        let (tokens, searches, _) = case.counted;
        let mut told: Value = serde_json::from_slice(&came.bytes).expect("JSON");
        assert_eq!(rankings().dialect.judge(&came.bytes), Judged::Answer);
        let id = told["id"].take();
        assert!(id.as_str().is_some_and(|id| !id.is_empty()));
        assert_eq!(
            told,
            json!({
                "id": null, "object": "list", "model": "theirs",
                "results": [
                    {"index": 1, "relevance_score": 0.999_071, "document": {"text": "The moon moves the tides.", "id": 7}},
                    {"index": 2, "relevance_score": 0.786_786_7, "document": {"text": "Tides come twice a day."}},
                ],
                "meta": {
                    "api_version": {"version": "2"},
                    "billed_units": {"input_tokens": tokens, "search_units": searches},
                    "tokens": {"input_tokens": tokens},
                },
                "usage": {"prompt_tokens": tokens, "total_tokens": tokens, "search_units": searches},
            }),
            "{}",
            case.kind
        );
    }
    node.stop().await;
}

/// Answers that are none, to a request for two of three documents.
const NONSENSE: &[(&str, &str)] = &[
    ("nothing", "{}"),
    ("no list", r#"{"results":{"index":0,"relevance_score":1}}"#),
    (
        "an empty list",
        r#"{"results":[],"usage":{"total_tokens":9}}"#,
    ),
    (
        "one of two",
        r#"{"results":[{"index":0,"relevance_score":1}]}"#,
    ),
    (
        "a document that is not there",
        r#"{"results":[{"index":0,"relevance_score":1},{"index":3,"relevance_score":0.5}]}"#,
    ),
    (
        "a document twice",
        r#"{"results":[{"index":0,"relevance_score":1},{"index":0,"relevance_score":0.5}]}"#,
    ),
    (
        "an index below zero",
        r#"{"results":[{"index":-1,"relevance_score":1},{"index":0,"relevance_score":0.5}]}"#,
    ),
    (
        "no score",
        r#"{"results":[{"index":0,"relevance_score":1},{"index":1}]}"#,
    ),
    (
        "a score that is a text",
        r#"{"results":[{"index":0,"relevance_score":"high"},{"index":1,"relevance_score":0.5}]}"#,
    ),
    (
        "a score without end",
        r#"{"results":[{"index":0,"relevance_score":1e999},{"index":1,"relevance_score":0.5}]}"#,
    ),
    ("numbers", r#"{"results":[1,2]}"#),
    (
        "half of it",
        r#"{"results":[{"index":0,"relevance_score":1},"#,
    ),
    ("a page", "<html>Welcome</html>"),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_true_of_the_documents_is_no_answer_and_costs_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    for (number, (what, answers)) in NONSENSE.iter().enumerate() {
        let vendor = Vendor::start(move |_| vendor::answer("200 OK", answers)).await;
        // Each with a pool of its own.
        let name = format!("vendor-{number}");
        provider(&node, "jina", &name, &vendor).await;
        let failed = ranked(link.as_ref(), &name, &asked()).await;
        let failure = failed
            .err()
            .unwrap_or_else(|| panic!("{what} is no answer"));
        assert_eq!(failure.fault.kind, FaultKind::InvalidAnswer, "{what}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_is_cut_and_what_is_out_of_order_is_put_right() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    // All three where two were wanted, the worst first, and bills for a million of each.
    let answers = r#"{"results":[{"index":0,"relevance_score":-3.5},{"index":2,"relevance_score":2e-1},{"index":1.0,"relevance_score":11}],
        "meta":{"billed_units":{"search_units":1000000}},"usage":{"total_tokens":1000000}}"#;
    let vendor = Vendor::start(move |_| vendor::answer("200 OK", answers)).await;
    provider(&node, "cohere", "cohere", &vendor).await;
    let came = ranked(link.as_ref(), "cohere", &asked())
        .await
        .expect("an answer");
    let told: Value = serde_json::from_slice(&came.bytes).expect("JSON");
    let places: Vec<_> = told["results"].as_array().expect("a list").iter().collect();
    let indexes: Vec<_> = places.iter().map(|one| one["index"].as_u64()).collect();
    assert_eq!(indexes, [Some(1), Some(2)]);
    let usage = &came.outcome.usage;
    assert!(usage.capped && usage.estimated, "{usage:?}");
    let bounds = call(rankings(), "cohere", false).bounds;
    let most = bounds.map(|Bounds { input_max, .. }| input_max);
    assert_eq!(
        (
            Some(usage.count(Unit::InputToken)),
            usage.count(Unit::Search)
        ),
        (most, 1)
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_vendor_can_not_rank_is_not_sent_to_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    let vendor = Vendor::start(super::recorded::good).await;
    let picture = json!({"model": "ours", "query": "a cat", "documents": [{"image": "https://example.com/a.png"}, "a dog"]});
    let many =
        |count: usize| json!({"model": "ours", "query": "a cat", "documents": vec!["a"; count]});
    for kind in ["cohere", "voyage", "jina", "dashscope"] {
        provider(&node, kind, kind, &vendor).await;
    }
    for (kind, body, param) in [
        ("cohere", &picture, "documents"),
        ("voyage", &picture, "documents"),
        ("voyage", &many(1_001), "documents"),
        ("dashscope", &many(501), "documents"),
    ] {
        let failure = ranked(link.as_ref(), kind, body).await.err().expect(kind);
        assert_eq!(failure.fault.kind, FaultKind::BadRequest, "{kind}");
        let told = failure.caller.expect("told");
        assert_eq!(
            told.param.as_deref(),
            Some(param),
            "{kind}: {}",
            told.message
        );
    }
    assert!(vendor.calls().is_empty(), "nothing was sent");
    for kind in ["jina", "dashscope"] {
        // What was recorded ranks two documents.
        ranked(link.as_ref(), kind, &picture)
            .await
            .unwrap_or_else(|e| panic!("{kind}: {e}"));
        let seen = vendor.calls().pop().expect("a call");
        let sent: Value = serde_json::from_str(&seen.body).expect("JSON");
        let documents = sent.get("documents").unwrap_or(&sent["input"]["documents"]);
        let both = json!([{"image": "https://example.com/a.png"}, {"text": "a dog"}]);
        assert_eq!(*documents, both, "{kind}");
    }
    node.stop().await;
}

/// Refusals in the words of each vendor.
const REFUSALS: &[(&str, &str, &str, FaultKind)] = &[
    (
        "cohere",
        "400 Bad Request",
        r#"{"id":"1","message":"too many documents, max 10000"}"#,
        FaultKind::BadRequest,
    ),
    (
        "cohere",
        "401 Unauthorized",
        r#"{"id":"1","message":"invalid api token"}"#,
        FaultKind::InvalidKey,
    ),
    (
        "cohere",
        "429 Too Many Requests",
        r#"{"message":"You are using a Trial key, which is limited to 10 API calls / minute."}"#,
        FaultKind::RateLimited,
    ),
    (
        "jina",
        "401 Unauthorized",
        r#"{"detail":"Unauthorized"}"#,
        FaultKind::InvalidKey,
    ),
    (
        "jina",
        "422 Unprocessable Entity",
        r#"{"detail":[{"loc":["body","query"],"msg":"field required","type":"value_error.missing"}]}"#,
        FaultKind::BadRequest,
    ),
    (
        "voyage",
        "400 Bad Request",
        r#"{"detail":"The max allowed tokens per submitted batch is 600000."}"#,
        FaultKind::BadRequest,
    ),
    (
        "voyage",
        "429 Too Many Requests",
        r#"{"detail":"You have exceeded your rate limit."}"#,
        FaultKind::RateLimited,
    ),
    (
        "dashscope",
        "400 Bad Request",
        r#"{"code":"InvalidParameter","message":"documents is too long","request_id":"1"}"#,
        FaultKind::BadRequest,
    ),
    (
        "dashscope",
        "401 Unauthorized",
        r#"{"code":"InvalidApiKey","message":"Invalid API-key provided.","request_id":"1"}"#,
        FaultKind::InvalidKey,
    ),
    (
        "dashscope",
        "429 Too Many Requests",
        r#"{"code":"Throttling.RateQuota","message":"Requests rate limit exceeded.","request_id":"1"}"#,
        FaultKind::RateLimited,
    ),
    (
        "dashscope",
        "200 OK",
        r#"{"code":"DataInspectionFailed","message":"Input data may contain inappropriate content.","request_id":"1"}"#,
        FaultKind::ContentPolicy,
    ),
    (
        "openai",
        "503 Service Unavailable",
        r#"{"code":50505,"message":"Model service overloaded. Please try again later.","data":null}"#,
        FaultKind::Overloaded,
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_vendors_refusal_is_blamed_on_whom_it_belongs_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    for (number, (kind, status, body, fault)) in REFUSALS.iter().enumerate() {
        let vendor = Vendor::start(move |_| vendor::answer(status, body)).await;
        let name = format!("{kind}-{number}");
        provider(&node, kind, &name, &vendor).await;
        let failed = ranked(link.as_ref(), &name, &asked()).await;
        let failure = failed
            .err()
            .unwrap_or_else(|| panic!("{body} is a refusal"));
        assert_eq!(failure.fault.kind, *fault, "{kind} {status} {body}");
    }
    node.stop().await;
}
