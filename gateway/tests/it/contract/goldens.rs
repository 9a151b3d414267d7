//! What goes out to a provider, byte for byte, and what comes back to the tenant: the tenant's own bytes
//! but for the edits that the format needs.

use bytes::Bytes;
use shared::link::{Call, Operation};
use shared::surface::Surface;

use super::vendor::Vendor;
use super::{call, came, provider, recorded};
use crate::support::Node;

/// The surface, whether it streams, the tenant's body, and what the provider reads.
const SENT: &[(Operation, bool, &str, &str)] = &[
    (
        Operation::Chat,
        false,
        r#"{ "model" : "ours", "messages":[{"role":"user","content":"é\u0000 \"model\""}], "x-new":{"max_tokens":1} }"#,
        r#"{ "model" : "theirs", "messages":[{"role":"user","content":"é\u0000 \"model\""}], "x-new":{"max_tokens":1} }"#,
    ),
    (
        Operation::Chat,
        true,
        r#"{"model":"ours","messages":[],"stream":true,"max_completion_tokens":7}"#,
        r#"{"stream_options":{"include_usage":true},"model":"theirs","messages":[],"stream":true,"max_completion_tokens":7}"#,
    ),
    (
        Operation::Chat,
        true,
        r#"{"model":"ours","messages":[],"stream":true,"stream_options":{"include_usage":false,"a":1}}"#,
        r#"{"model":"theirs","messages":[],"stream":true,"stream_options":{"a":1,"include_usage":true}}"#,
    ),
    (
        Operation::Chat,
        false,
        r#"{"max_tokens":5,"model":"ours","messages":[],"max_completion_tokens":9}"#,
        r#"{"max_tokens":9,"model":"theirs","messages":[]}"#,
    ),
    (
        Operation::Completion,
        true,
        r#"{"model":"ours","prompt":[1,2],"stream":true,"logprobs":3}"#,
        r#"{"stream_options":{"include_usage":true},"model":"theirs","prompt":[1,2],"stream":true,"logprobs":3}"#,
    ),
    (
        Operation::Embedding,
        false,
        r#"{"input":["a"],"model":"ours","encoding_format":"base64","max_tokens":1}"#,
        r#"{"input":["a"],"model":"theirs","encoding_format":"base64","max_tokens":1}"#,
    ),
    (
        Operation::Image,
        true,
        r#"{"prompt":"a cat","stream":true,"partial_images":2}"#,
        r#"{"model":"theirs","prompt":"a cat","stream":true,"partial_images":2}"#,
    ),
    (
        Operation::Moderation,
        false,
        r#"{"input":[{"type":"text","text":"x"}]}"#,
        r#"{"model":"theirs","input":[{"type":"text","text":"x"}]}"#,
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_request_goes_out_as_it_came_but_for_what_must_differ() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    let vendor = Vendor::start(recorded::good).await;
    provider(&node, "openai", "vendor", &vendor).await;
    for (number, (operation, stream, body, sent)) in SENT.iter().enumerate() {
        let surface = Surface::of(*operation);
        let asked = Call {
            body: Bytes::from_static(body.as_bytes()),
            show_usage: false,
            headers: Vec::new(),
            ..call(surface, "vendor", *stream)
        };
        let came = came(link.as_ref(), asked).await;
        assert!(came.is_ok(), "{body}");
        let seen = &vendor.calls()[number];
        assert_eq!(
            (seen.path.as_str(), seen.body.as_str()),
            (surface.path, *sent)
        );
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_comes_back_as_it_was_but_for_what_nobody_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    let vendor = Vendor::start(recorded::good).await;
    provider(&node, "openai", "vendor", &vendor).await;
    for (surface, stream) in super::own_ways() {
        for show_usage in [true, false] {
            let asked = Call {
                show_usage,
                ..call(surface, "vendor", stream)
            };
            let came = came(link.as_ref(), asked).await;
            let came = came.unwrap_or_else(|failure| panic!("{}: {failure}", surface.path));
            let text = String::from_utf8(came.bytes).expect("text");
            let recorded = recorded::text(surface, stream);
            let hides = stream && !show_usage && surface.operation.writes_text();
            let expected = if hides {
                recorded::without_usage(recorded)
            } else {
                recorded.to_owned()
            };
            assert_eq!(text, expected, "{} {stream} {show_usage}", surface.path);
        }
    }
    node.stop().await;
}
