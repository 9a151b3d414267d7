//! Vectors at vendors whose form is not OpenAI's: what goes out to each, what comes back, and what of it is
//! not believed.

use bytes::Bytes;
use serde_json::{Value, json};
use shared::fault::FaultKind;
use shared::link::{Call, Failure, Generations, Operation, Target};
use shared::surface::Surface;
use shared::units::Unit;

use super::vendor::{self, Vendor};
use super::{Came, call, came, provider};
use crate::support::Node;

const PICTURE: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg==";

/// A vendor, the model that is asked there, what the tenant asks, and what the vendor reads and answers.
struct VectorCase {
    kind: &'static str,
    model: &'static str,
    asked: fn() -> Value,
    path: &'static str,
    reads: fn() -> Value,
    answers: &'static str,
    /// Tokens of texts and of pictures.
    counted: (u64, u64),
}

/// Two texts for a search, short and in base64, as OpenAI's own client asks.
fn texts() -> Value {
    json!({"model": "ours", "input": ["tides", "moon"], "dimensions": 2, "encoding_format": "base64", "input_type": "query"})
}

fn pictures() -> Value {
    json!({"model": "ours", "input": [{"text": "tides"}, {"image": PICTURE}]})
}

fn parts() -> Value {
    json!({"model": "ours", "input": [{"content": [{"type": "text", "text": "tides"}, {"type": "image_url", "image_url": {"url": PICTURE}}]}, "moon"]})
}

const LIST: &str = r#"{"object":"list","data":[{"object":"embedding","index":1,"embedding":[0.5,-0.25]},{"object":"embedding","index":0,"embedding":[1.0,0.0]}],"model":"theirs","usage":{"prompt_tokens":6,"total_tokens":6}}"#;

const CASES: &[VectorCase] = &[
    VectorCase {
        kind: "cohere",
        model: "embed-v4.0",
        asked: texts,
        path: "/embed",
        reads: || json!({"model": "embed-v4.0", "texts": ["tides", "moon"], "input_type": "search_query", "output_dimension": 2, "embedding_types": ["float"]}),
        answers: r#"{"id":"e-1","embeddings":{"float":[[1.0,0.0],[0.5,-0.25]]},"texts":["tides","moon"],"meta":{"api_version":{"version":"2"},"billed_units":{"input_tokens":4}},"response_type":"embeddings_by_type"}"#,
        counted: (4, 0),
    },
    VectorCase {
        kind: "cohere",
        model: "embed-v4.0",
        asked: parts,
        path: "/embed",
        reads: || {
            json!({"model": "embed-v4.0", "input_type": "search_document", "embedding_types": ["float"], "inputs": [
            {"content": [{"type": "text", "text": "tides"}, {"type": "image_url", "image_url": {"url": PICTURE}}]},
            {"content": [{"type": "text", "text": "moon"}]}]})
        },
        answers: r#"{"id":"e-1","embeddings":{"float":[[1.0,0.0],[0.5,-0.25]]},"meta":{"billed_units":{"input_tokens":4,"image_tokens":258}}}"#,
        counted: (4, 258),
    },
    VectorCase {
        kind: "jina",
        model: "jina-embeddings-v4",
        asked: texts,
        path: "/embeddings",
        reads: || json!({"model": "jina-embeddings-v4", "input": ["tides", "moon"], "task": "retrieval.query", "dimensions": 2, "embedding_type": "float"}),
        answers: LIST,
        counted: (6, 0),
    },
    VectorCase {
        kind: "jina",
        model: "jina-embeddings-v4",
        asked: pictures,
        path: "/embeddings",
        reads: || json!({"model": "jina-embeddings-v4", "embedding_type": "float", "input": [{"text": "tides"}, {"image": "iVBORw0KGgoAAAANSUhEUg=="}]}),
        answers: LIST,
        counted: (6, 0),
    },
    VectorCase {
        kind: "voyage",
        model: "voyage-3.5",
        asked: texts,
        path: "/embeddings",
        reads: || json!({"model": "voyage-3.5", "input": ["tides", "moon"], "input_type": "query", "output_dimension": 2}),
        answers: r#"{"object":"list","data":[{"object":"embedding","embedding":[1.0,0.0],"index":0},{"object":"embedding","embedding":[0.5,-0.25],"index":1}],"model":"voyage-3.5","usage":{"total_tokens":5}}"#,
        counted: (5, 0),
    },
    VectorCase {
        kind: "voyage",
        model: "voyage-multimodal-3.5",
        asked: parts,
        path: "/multimodalembeddings",
        reads: || {
            json!({"model": "voyage-multimodal-3.5", "inputs": [
            {"content": [{"type": "text", "text": "tides"}, {"type": "image_base64", "image_base64": PICTURE}]},
            {"content": [{"type": "text", "text": "moon"}]}]})
        },
        answers: r#"{"object":"list","data":[{"object":"embedding","embedding":[1.0,0.0],"index":0},{"object":"embedding","embedding":[0.5,-0.25],"index":1}],"model":"voyage-multimodal-3.5","usage":{"text_tokens":5,"image_pixels":2000000,"total_tokens":3576}}"#,
        counted: (3_576, 0),
    },
    VectorCase {
        kind: "dashscope",
        model: "text-embedding-v4",
        asked: texts,
        path: "/compatible-mode/v1/embeddings",
        reads: || json!({"model": "text-embedding-v4", "input": ["tides", "moon"], "dimensions": 2, "encoding_format": "float"}),
        answers: LIST,
        counted: (6, 0),
    },
    VectorCase {
        kind: "dashscope",
        model: "tongyi-embedding-vision-plus",
        asked: pictures,
        path: "/api/v1/services/embeddings/multimodal-embedding/multimodal-embedding",
        reads: || json!({"model": "tongyi-embedding-vision-plus", "input": {"contents": [{"text": "tides"}, {"image": PICTURE}]}, "parameters": {}}),
        answers: r#"{"output":{"embeddings":[{"index":0,"embedding":[1.0,0.0],"type":"text"},{"index":1,"embedding":[0.5,-0.25],"type":"image"}]},"usage":{"input_tokens":10,"image_tokens":896},"request_id":"1fff9502"}"#,
        counted: (10, 896),
    },
];

fn embeddings() -> &'static Surface {
    Surface::of(Operation::Embedding)
}

async fn embedded(
    link: &dyn Generations,
    (provider, model): (&str, &str),
    body: &Value,
) -> Result<Came, Failure> {
    let asked = Call {
        body: Bytes::from(body.to_string()),
        targets: [Target {
            provider: provider.to_owned(),
            model: model.to_owned(),
            gateway: None,
            answers: None,
        }]
        .into(),
        ..call(embeddings(), provider, false)
    };
    came(link, asked).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_vendor_is_asked_in_its_own_words_and_answers_in_openais() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    for (number, case) in CASES.iter().enumerate() {
        let answers = case.answers;
        let vendor = Vendor::start(move |_| vendor::answer("200 OK", answers)).await;
        let name = format!("{}-{number}", case.kind);
        provider(&node, case.kind, &name, &vendor).await;
        let body = (case.asked)();
        let came = embedded(link.as_ref(), (&name, case.model), &body).await;
        let came = came.unwrap_or_else(|failure| panic!("{name}: {failure}"));
        let seen = &vendor.calls()[0];
        assert_eq!(seen.path, case.path, "{name}");
        let sent: Value = serde_json::from_str(&seen.body).expect("JSON");
        assert_eq!(sent, (case.reads)(), "{name}");
        let usage = &came.outcome.usage;
        let counted = (
            usage.count(Unit::InputToken),
            usage.count(Unit::InputImageToken),
        );
        assert_eq!((counted, usage.estimated), (case.counted, false), "{name}");
        let told: Value = serde_json::from_slice(&came.bytes).expect("JSON");
        let is_packed = body["encoding_format"] == "base64";
        // 1 and 0, then 0.5 and -0.25, as float32 in little endian.
        let expected = if is_packed {
            json!(["AACAPwAAAAA=", "AAAAPwAAgL4="])
        } else {
            json!([[1.0, 0.0], [0.5, -0.25]])
        };
        for at in 0..2 {
            assert_eq!(told["data"][at]["embedding"], expected[at], "{name}");
            assert_eq!(told["data"][at]["index"], at, "{name}");
        }
        let tokens = case.counted.0 + case.counted.1;
        assert_eq!(told["usage"]["prompt_tokens"], tokens, "{name}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn siliconflow_has_openais_form_and_is_asked_as_it_came() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    let vendor = Vendor::start(|_| vendor::answer("200 OK", LIST)).await;
    provider(&node, "openai", "siliconflow", &vendor).await;
    let body = json!({"input": [[101, 102], [103]], "model": "ours", "encoding_format": "float"});
    let came = embedded(link.as_ref(), ("siliconflow", "BAAI/bge-m3"), &body).await;
    let came = came.unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(String::from_utf8_lossy(&came.bytes), LIST, "bytes pass");
    let sent: Value = serde_json::from_str(&vendor.calls()[0].body).expect("JSON");
    assert_eq!(
        (&sent["input"], &sent["model"]),
        (&body["input"], &json!("BAAI/bge-m3"))
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_vendor_has_no_words_for_is_refused_before_it_is_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    let vendor = Vendor::start(super::recorded::good).await;
    for kind in ["cohere", "jina", "voyage", "dashscope"] {
        provider(&node, kind, kind, &vendor).await;
    }
    let many = |count: usize| json!({"model": "ours", "input": vec!["a"; count]});
    let tokens = json!({"model": "ours", "input": [1, 2, 3]});
    for (kind, model, body) in [
        ("cohere", "embed-v4.0", &many(97)),
        ("cohere", "embed-v4.0", &tokens),
        ("jina", "jina-embeddings-v4", &tokens),
        ("jina", "jina-embeddings-v4", &parts()),
        ("voyage", "voyage-3.5", &pictures()),
        ("voyage", "voyage-3.5", &many(1_001)),
        ("dashscope", "text-embedding-v4", &pictures()),
        ("dashscope", "text-embedding-v4", &many(26)),
        (
            "cohere",
            "embed-v4.0",
            &json!({"model": "ours", "input": [{"image": "not-a-picture"}]}),
        ),
    ] {
        let failed = embedded(link.as_ref(), (kind, model), body).await;
        let failure = failed
            .err()
            .unwrap_or_else(|| panic!("{kind} takes {body}"));
        assert_eq!(failure.fault.kind, FaultKind::BadRequest, "{kind} {body}");
        let told = failure.caller.expect("told");
        assert_eq!(told.param.as_deref(), Some("input"), "{}", told.message);
    }
    assert!(vendor.calls().is_empty(), "nothing was sent");
    node.stop().await;
}

/// Answers to two texts that are none.
const NONSENSE: &[(&str, &str)] = &[
    ("cohere", r#"{"id":"e","embeddings":{"float":[]}}"#),
    ("cohere", r#"{"id":"e","embeddings":{"float":[[1.0]]}}"#),
    ("cohere", r#"{"id":"e","embeddings":{"int8":[[1],[2]]}}"#),
    (
        "cohere",
        r#"{"id":"e","embeddings":{"float":[[1.0],["a"]]}}"#,
    ),
    (
        "jina",
        r#"{"data":[{"index":0,"embedding":[1.0]},{"index":0,"embedding":[1.0]}]}"#,
    ),
    (
        "jina",
        r#"{"data":[{"index":0,"embedding":[1.0]},{"index":1,"embedding":[]}]}"#,
    ),
    (
        "voyage",
        r#"{"data":[{"index":0,"embedding":[1.0]}],"usage":{"total_tokens":5}}"#,
    ),
    ("voyage", r#"{"data":[]}"#),
    (
        "dashscope",
        r#"{"output":{"embeddings":[]},"usage":{"total_tokens":5}}"#,
    ),
    ("dashscope", "<html>Welcome</html>"),
];

#[tokio::test(flavor = "multi_thread")]
async fn fewer_vectors_than_texts_are_no_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    for (number, (kind, answers)) in NONSENSE.iter().enumerate() {
        let vendor = Vendor::start(move |_| vendor::answer("200 OK", answers)).await;
        let name = format!("{kind}-{number}");
        provider(&node, kind, &name, &vendor).await;
        let failed = embedded(link.as_ref(), (&name, "theirs"), &texts()).await;
        let failure = failed.err().unwrap_or_else(|| panic!("{answers} is none"));
        assert_eq!(failure.fault.kind, FaultKind::InvalidAnswer, "{answers}");
    }
    node.stop().await;
}
