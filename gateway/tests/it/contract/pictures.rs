//! Vendors of pictures, each against a strict fake: what goes out for each task, what comes back whole and as
//! a stream, and what their refusals, empty answers and half-made orders come to.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use serde_json::{Value, json};
use shared::fault::FaultKind;
use shared::link::Call;
use shared::surface::Surface;
use shared::units::Unit;

use super::recorded::pictures::DOT;
use super::vendor::{self, Seen, Vendor};
use super::{Came, call, came, provider, provider_of};
use crate::support::Node;

/// A vendor's format, and what it answers well.
struct Maker {
    kind: &'static str,
    /// Empty where it is usual for the kind.
    dialect: &'static str,
    good: &'static str,
    /// Answers that come as a success and are none, with what they are.
    bad: &'static [(&'static str, FaultKind)],
    /// How a refusal of its own for the content looks.
    refused: (&'static str, &'static str),
}

const DATA: &str =
    r#"{"created":1,"data":[{"b64_json":"aGk="}],"usage":{"input_tokens":4,"output_tokens":6}}"#;
const NO_DATA: &[(&str, FaultKind)] = &[
    (r#"{"created":1,"data":[]}"#, FaultKind::InvalidAnswer),
    (
        r#"{"created":1,"data":[{"b64_json":""}]}"#,
        FaultKind::InvalidAnswer,
    ),
    (r#"{"created":1}"#, FaultKind::InvalidAnswer),
    ("<html>", FaultKind::InvalidAnswer),
    (
        r#"{"data":[{"error":{"code":"OutputImageSensitiveContentDetected","message":"withheld"}}]}"#,
        FaultKind::ContentPolicy,
    ),
];

const MAKERS: &[Maker] = &[
    Maker {
        kind: "gemini",
        dialect: "",
        good: r#"{"candidates":[{"content":{"parts":[{"text":"Here."},{"inlineData":{"mimeType":"image/png","data":"aGk="}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":6}}"#,
        bad: &[
            (
                r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":4}}"#,
                FaultKind::ContentPolicy,
            ),
            (
                r#"{"candidates":[{"finishReason":"IMAGE_SAFETY","finishMessage":"No."}]}"#,
                FaultKind::ContentPolicy,
            ),
            (
                r#"{"candidates":[{"finishReason":"NO_IMAGE"}]}"#,
                FaultKind::InvalidAnswer,
            ),
            (
                r#"{"candidates":[{"content":{"parts":[{"thought":true,"inlineData":{"mimeType":"image/png","data":"aGk="}}]},"finishReason":"STOP"}]}"#,
                FaultKind::InvalidAnswer,
            ),
            (
                r#"{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"audio/wav","data":"aGk="}}]}}]}"#,
                FaultKind::InvalidAnswer,
            ),
            ("{}", FaultKind::InvalidAnswer),
            ("[", FaultKind::InvalidAnswer),
        ],
        refused: (
            "400 Bad Request",
            r#"{"error":{"code":400,"message":"blocked due to safety","status":"INVALID_ARGUMENT"}}"#,
        ),
    },
    Maker {
        kind: "openai",
        dialect: "openai_chat",
        good: r#"{"id":"gen-1","choices":[{"index":0,"message":{"role":"assistant","content":"Here.","images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,aGk="}}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":4,"completion_tokens":6}}"#,
        bad: &[
            (
                r#"{"choices":[{"message":{"content":"I can only talk."},"finish_reason":"stop"}]}"#,
                FaultKind::InvalidAnswer,
            ),
            (
                r#"{"choices":[{"message":{"content":null,"images":[{"image_url":{"url":""}}]},"finish_reason":"stop"}]}"#,
                FaultKind::InvalidAnswer,
            ),
            (
                r#"{"choices":[{"message":{"content":""},"finish_reason":"content_filter"}]}"#,
                FaultKind::ContentPolicy,
            ),
        ],
        refused: (
            "400 Bad Request",
            r#"{"error":{"message":"flagged","code":"content_policy_violation"}}"#,
        ),
    },
    Maker {
        kind: "openai",
        dialect: "ark_images",
        good: DATA,
        bad: NO_DATA,
        refused: (
            "400 Bad Request",
            r#"{"error":{"code":"InputTextSensitiveContentDetected","message":"sensitive","param":"","type":"BadRequest"}}"#,
        ),
    },
    Maker {
        kind: "openai",
        dialect: "xai_images",
        good: DATA,
        bad: NO_DATA,
        refused: (
            "400 Bad Request",
            r#"{"code":"Client specified an invalid argument","error":"Generated image rejected by content moderation."}"#,
        ),
    },
    Maker {
        kind: "openai",
        dialect: "minimax_images",
        good: r#"{"id":"i","data":{"image_base64":["aGk="]},"metadata":{"success_count":"1","failed_count":"0"},"base_resp":{"status_code":0,"status_msg":"success"},"usage":{"input_tokens":4,"output_tokens":6}}"#,
        bad: &[
            (
                r#"{"data":{"image_base64":[]},"metadata":{"success_count":0,"failed_count":1},"base_resp":{"status_code":0,"status_msg":"success"}}"#,
                FaultKind::ContentPolicy,
            ),
            (
                r#"{"data":null,"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}"#,
                FaultKind::QuotaExhausted,
            ),
            (
                r#"{"base_resp":{"status_code":1026,"status_msg":"input new_sensitive"}}"#,
                FaultKind::ContentPolicy,
            ),
            (
                r#"{"data":{},"base_resp":{"status_code":0,"status_msg":"success"}}"#,
                FaultKind::InvalidAnswer,
            ),
        ],
        refused: (
            "422 Unprocessable Entity",
            r#"{"base_resp":{"status_code":1026,"status_msg":"input new_sensitive"}}"#,
        ),
    },
    Maker {
        kind: "openai",
        dialect: "recraft_images",
        good: DATA,
        bad: NO_DATA,
        refused: (
            "400 Bad Request",
            r#"{"code":"content_policy_violation","message":"moderation"}"#,
        ),
    },
    Maker {
        kind: "dashscope",
        dialect: "",
        good: r#"{"output":{"choices":[{"finish_reason":"stop","message":{"content":[{"image":"https://x.example/a.png"}]}}]},"usage":{"input_tokens":4,"output_tokens":6,"image_count":1}}"#,
        bad: &[
            (
                r#"{"code":"DataInspectionFailed","message":"Input data may contain inappropriate content.","request_id":"r"}"#,
                FaultKind::ContentPolicy,
            ),
            (
                r#"{"output":{"task_status":"FAILED","code":"InternalError.Algo","message":"later"}}"#,
                FaultKind::Overloaded,
            ),
            (
                r#"{"output":{"choices":[{"message":{"content":[{"text":"no"}]}}]}}"#,
                FaultKind::InvalidAnswer,
            ),
        ],
        refused: (
            "400 Bad Request",
            r#"{"code":"DataInspectionFailed","message":"Input data may contain inappropriate content.","request_id":"r"}"#,
        ),
    },
    Maker {
        kind: "ideogram",
        dialect: "",
        good: r#"{"data":[{"url":"https://x.example/a.png","is_image_safe":true,"seed":7}],"usage":{"input_tokens":0}}"#,
        bad: &[
            (
                r#"{"data":[{"url":null,"is_image_safe":false}]}"#,
                FaultKind::ContentPolicy,
            ),
            (r#"{"data":[]}"#, FaultKind::InvalidAnswer),
        ],
        refused: (
            "422 Unprocessable Entity",
            r#"{"error":"Prompt failed the safety check"}"#,
        ),
    },
    Maker {
        kind: "stability",
        dialect: "",
        good: r#"{"image":"aGk=","finish_reason":"SUCCESS","seed":7}"#,
        bad: &[
            (
                r#"{"image":"aGk=","finish_reason":"CONTENT_FILTERED"}"#,
                FaultKind::ContentPolicy,
            ),
            (r#"{"finish_reason":"SUCCESS"}"#, FaultKind::InvalidAnswer),
        ],
        refused: (
            "403 Forbidden",
            r#"{"id":"x","name":"content_moderation","errors":["Your request was flagged by our content moderation system"]}"#,
        ),
    },
];

/// A provider of a maker's, which answers by a rule.
async fn at(node: &Node, name: &str, maker: &Maker, vendor: &Vendor) {
    if maker.dialect.is_empty() {
        provider(node, maker.kind, name, vendor).await;
        return;
    }
    let body = json!({"name": name, "kind": maker.kind, "base_url": vendor.base_url(),
        "options": {"dialects": [maker.dialect]}});
    provider_of(node, &body, "key-0123456789").await;
}

fn asking(path: &str, provider: &str, body: &Value, stream: bool) -> Call {
    let surface = Surface::at(path).expect("a surface");
    Call {
        body: Bytes::from(body.to_string()),
        ..call(surface, provider, stream)
    }
}

fn image() -> String {
    format!("data:image/png;base64,{DOT}")
}

fn json_of(came: &Came) -> Value {
    serde_json::from_slice(&came.bytes).expect("JSON")
}

/// Every task with as little as it needs.
fn tasks() -> [(&'static str, Value); 3] {
    [
        (
            "/images/generations",
            json!({"model": "ours", "prompt": "a cat"}),
        ),
        (
            "/images/edits",
            json!({"model": "ours", "prompt": "a blue cat", "image": image()}),
        ),
        (
            "/images/variations",
            json!({"model": "ours", "image": image()}),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_maker_does_every_task_whole_and_as_a_stream() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    for maker in MAKERS {
        let name = format!("{}-{}", maker.kind, maker.dialect.replace('_', "-"));
        let vendor = Vendor::start(|_| vendor::answer("200 OK", maker.good)).await;
        at(&node, &name, maker, &vendor).await;
        for (path, mut body) in tasks() {
            for stream in [false, true] {
                if stream && path == "/images/variations" {
                    continue;
                }
                body["stream"] = json!(stream);
                let asked = asking(path, &name, &body, stream);
                let came = came(link.as_ref(), asked).await;
                let came = came.unwrap_or_else(|failure| panic!("{name} {path}: {failure}"));
                assert_eq!(came.outcome.fault, None, "{name} {path}");
                assert_eq!(came.outcome.usage.count(Unit::Image), 1, "{name} {path}");
                let text = String::from_utf8_lossy(&came.bytes).into_owned();
                if stream {
                    let what = if path == "/images/edits" {
                        "image_edit"
                    } else {
                        "image_generation"
                    };
                    assert!(
                        text.starts_with(&format!("event: {what}.completed\n")),
                        "{text}"
                    );
                } else {
                    let made = &json_of(&came)["data"][0];
                    assert!(
                        made["b64_json"] == "aGk=" || made["url"].is_string(),
                        "{text}"
                    );
                }
            }
        }
        for seen in vendor.calls() {
            assert!(
                !seen.body.contains("\"stream\":true"),
                "{name}: {}",
                seen.body
            );
            assert!(
                seen.head.contains("key-0123456789"),
                "{name}: {}",
                seen.head
            );
        }
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_holds_no_picture_is_none_and_a_refusal_of_the_content_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    for (number, maker) in MAKERS.iter().enumerate() {
        let refused = [(maker.refused.0, maker.refused.1, FaultKind::ContentPolicy)];
        let bad = maker
            .bad
            .iter()
            .map(|(body, kind)| ("200 OK", *body, *kind));
        for (at_row, (status, body, kind)) in bad.chain(refused).enumerate() {
            let name = format!("vendor-{number}-{at_row}");
            let vendor = Vendor::start(move |_| vendor::answer(status, body)).await;
            at(&node, &name, maker, &vendor).await;
            for stream in [false, true] {
                let body = json!({"model": "ours", "prompt": "a cat", "stream": stream});
                let asked = asking("/images/generations", &name, &body, stream);
                let failed = came(link.as_ref(), asked).await.err();
                let which = format!(
                    "{} {} {status} {:?}",
                    maker.kind,
                    maker.dialect,
                    maker.bad.get(at_row)
                );
                let failure = failed.unwrap_or_else(|| panic!("{which}: it is refused"));
                assert_eq!(failure.fault.kind, kind, "{which}: {}", failure.fault);
                let is_told = kind == FaultKind::ContentPolicy;
                assert_eq!(failure.caller.is_some(), is_told, "{which}");
            }
        }
    }
    node.stop().await;
}

/// Makers that make one at a time are asked as often as pictures are wanted; what failed is missing, and what
/// was made is counted.
#[tokio::test(flavor = "multi_thread")]
async fn of_several_pictures_those_count_that_were_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    let gemini = &MAKERS[0];
    for (name, failing, made) in [("all", 0, 3), ("one", 2, 1), ("none", 3, 0)] {
        let asked_before = AtomicUsize::new(0);
        let vendor = Vendor::start(move |_: &Seen| {
            if asked_before.fetch_add(1, Ordering::Relaxed) < failing {
                vendor::answer("200 OK", r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#)
            } else {
                vendor::answer("200 OK", gemini.good)
            }
        })
        .await;
        at(&node, name, gemini, &vendor).await;
        let body = json!({"model": "ours", "prompt": "a cat", "n": 3, "seed": 7});
        let came = came(
            link.as_ref(),
            asking("/images/generations", name, &body, false),
        )
        .await;
        let mut seeds: Vec<i64> = (vendor.calls().iter())
            .filter_map(|seen| {
                let sent: Value = serde_json::from_str(&seen.body).ok()?;
                sent["generationConfig"]["seed"].as_i64()
            })
            .collect();
        seeds.sort_unstable();
        assert_eq!(seeds, [7, 8, 9], "{name}: each is another picture");
        match came {
            Ok(came) => {
                let usage = &came.outcome.usage;
                assert_eq!(usage.count(Unit::Image), made, "{name}");
                assert_eq!(
                    (usage.input_total(), usage.output_total()),
                    (4 * made, 6 * made)
                );
                let data = json_of(&came)["data"].as_array().map(Vec::len);
                assert_eq!(data, Some(usize::try_from(made).expect("few")), "{name}");
            }
            Err(failure) => {
                assert_eq!(
                    (made, failure.fault.kind),
                    (0, FaultKind::ContentPolicy),
                    "{name}"
                );
            }
        }
    }
    node.stop().await;
}

/// A field of a form as it goes out.
fn has(seen: &Seen, name: &str, text: &str) {
    let part = format!("name=\"{name}\"\r\n\r\n{text}\r\n");
    assert!(seen.body.contains(&part), "{name}: {}", seen.body);
}

/// Edits reach a server of OpenAI's format as a form, and one that came so with the files as they were.
#[tokio::test(flavor = "multi_thread")]
async fn a_form_reaches_a_server_of_the_same_format_with_what_must_differ() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    let vendor = Vendor::start(|_| vendor::answer("200 OK", DATA)).await;
    provider(&node, "openai", "vendor", &vendor).await;
    let file = "\u{0}\u{1} not looked at";
    let form = format!(
        "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nours\r\n\
         --b\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\na \u{e9}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nann@example.com\r\n\
         --b\r\nContent-Disposition: form-data; name=\"image[]\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n{file}\r\n--b--\r\n",
    );
    let content_type = "multipart/form-data; boundary=b".to_owned();
    let asked = Call {
        body: Bytes::from(form),
        headers: vec![("content-type".to_owned(), content_type)],
        end_user: Some("eu_1".to_owned()),
        ..call(Surface::at("/images/edits").expect("one"), "vendor", false)
    };
    assert!(came(link.as_ref(), asked).await.is_ok());
    let seen = &vendor.calls()[0];
    assert!(
        seen.head
            .contains("content-type: multipart/form-data; boundary=b\r\n")
    );
    has(seen, "model", "theirs");
    has(seen, "user", "eu_1");
    has(seen, "prompt", "a \u{e9}");
    let kept = format!("filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n{file}\r\n");
    assert!(seen.body.contains(&kept), "{}", seen.body);
    assert!(!seen.body.contains("ours") && !seen.body.contains("ann@example.com"));
    node.stop().await;
}

/// JSON becomes a form where its pictures are in it, and stays JSON where they are elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn json_reaches_a_server_of_the_same_format_as_it_takes_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    let vendor = Vendor::start(|_| vendor::answer("200 OK", DATA)).await;
    provider(&node, "openai", "vendor", &vendor).await;
    let inline = json!({"prompt": "x", "image": [image(), image()], "mask": {"image_url": image()}, "n": 2, "background": null});
    let away = json!({"model": "ours", "prompt": "x", "image": "https://x.example/a.png"});
    for body in [&inline, &away] {
        let asked = asking("/images/edits", "vendor", body, false);
        assert!(came(link.as_ref(), asked).await.is_ok());
    }
    let seen = vendor.calls();
    let is_form = "content-type: multipart/form-data; boundary=waule-form-";
    assert!(seen[0].head.contains(is_form), "{}", seen[0].head);
    has(&seen[0], "model", "theirs");
    has(&seen[0], "n", "2");
    let files = "name=\"image[]\"; filename=\"image.png\"";
    assert_eq!(seen[0].body.matches(files).count(), 2);
    assert_eq!(seen[0].body.matches("name=\"mask\"").count(), 1);
    assert!(!seen[0].body.contains("background"), "null says nothing");
    assert!(seen[1].head.contains("content-type: application/json\r\n"));
    let sent: Value = serde_json::from_str(&seen[1].body).expect("JSON");
    let pictures = json!([{"image_url": "https://x.example/a.png"}]);
    assert_eq!(
        sent,
        json!({"model": "theirs", "prompt": "x", "images": pictures})
    );
    node.stop().await;
}

/// Models that always give bytes refuse to be told so: the field is left out, once learned for good.
#[tokio::test(flavor = "multi_thread")]
async fn a_field_for_the_delivery_is_left_out_where_it_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    let vendor = Vendor::start(|seen| {
        if seen.body.contains("response_format") {
            vendor::answer(
                "400 Bad Request",
                r#"{"error":{"message":"Unknown parameter: 'response_format'.","type":"invalid_request_error","param":"response_format","code":"unknown_parameter"}}"#,
            )
        } else {
            vendor::answer("200 OK", DATA)
        }
    })
    .await;
    provider(&node, "openai", "vendor", &vendor).await;
    for (path, mut body) in tasks() {
        body["response_format"] = json!("b64_json");
        let came = came(link.as_ref(), asking(path, "vendor", &body, false)).await;
        assert!(came.is_ok(), "{path}");
    }
    assert_eq!(vendor.calls().len(), 4, "one refusal teaches all");
    node.stop().await;
}

/// What would change the meaning is refused before anything is sent, and what is no part of it is named.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_maker_has_no_words_for_is_refused_or_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    let gemini = &MAKERS[0];
    let vendor = Vendor::start(|_| vendor::answer("200 OK", gemini.good)).await;
    at(&node, "vendor", gemini, &vendor).await;
    for (more, param) in [
        (json!({"mask": image()}), "mask"),
        (json!({"background": "transparent"}), "background"),
        (json!({"markup": image()}), "markup"),
        (json!({"response_format": "gif"}), "response_format"),
    ] {
        let mut body = tasks()[1].1.clone();
        let fields = body.as_object_mut().expect("an object");
        fields.extend(more.as_object().cloned().expect("an object"));
        let failed = came(
            link.as_ref(),
            asking("/images/edits", "vendor", &body, false),
        )
        .await;
        let failure = failed.err().expect(param);
        assert_eq!(failure.fault.kind, FaultKind::BadRequest, "{param}");
        let told = failure.caller.expect("told");
        assert_eq!(told.param.as_deref(), Some(param));
    }
    assert!(vendor.calls().is_empty(), "nothing was sent");
    let body = json!({"model": "ours", "prompt": "x", "size": "1536x1024", "quality": "high", "style": "vivid",
        "negative_prompt": "dogs", "response_format": "url"});
    let reply = link
        .open(asking("/images/generations", "vendor", &body, false))
        .await;
    let reply = reply.expect("an answer");
    assert_eq!(reply.dropped, ["style", "quality"]);
    let sent: Value = serde_json::from_str(&vendor.calls()[0].body).expect("JSON");
    let expected = json!({
        "contents": [{"role": "user", "parts": [{"text": "x\n\nDo not show: dogs"}]}],
        "generationConfig": {"responseModalities": ["TEXT", "IMAGE"], "imageConfig": {"aspectRatio": "3:2"}}});
    assert_eq!(sent, expected);
    node.stop().await;
}
