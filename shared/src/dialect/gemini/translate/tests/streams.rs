//! Streams.

use std::borrow::Cow;

use serde_json::json;

use super::*;
use crate::dialect::neutral::{ChatEvent, Citation, Signature, SignatureFormat, Stop};
use crate::units::Unit;

/// What is said in these events, in short words.
fn said(events: &[&str]) -> Vec<String> {
    let mut reader = translator().stream_reader();
    let mut all = Vec::new();
    for event in events {
        reader.read(event.as_bytes(), &mut |event| {
            all.push(match event {
                ChatEvent::Begin { id } => format!("begin {id}"),
                ChatEvent::Text { answer, text } => format!("{answer} text {text}"),
                ChatEvent::Refusal { answer, text } => format!("{answer} refusal {text}"),
                ChatEvent::Thought { answer, text } => format!("{answer} thought {text}"),
                ChatEvent::Signature { answer, signature } => {
                    format!("{answer} signature {}", signature.data)
                }
                ChatEvent::ToolCall {
                    answer,
                    call,
                    id,
                    name,
                    signature,
                } => {
                    format!(
                        "{answer} call {call} {id} {name} {}",
                        signature.map(|one| one.data).unwrap_or_default()
                    )
                }
                ChatEvent::Arguments { answer, call, json } => {
                    format!("{answer} arguments {call} {json}")
                }
                ChatEvent::Media { answer, media } => format!("{answer} media {:?}", media.kind),
                ChatEvent::Citation { answer, citation } => {
                    format!("{answer} citation {}", citation.url)
                }
                ChatEvent::Stop { answer, stop } => format!("{answer} stop {stop:?}"),
            });
        });
    }
    all
}

fn written(events: Vec<ChatEvent<'_>>, usage: &Usage) -> Vec<u8> {
    let mut writer = translator().stream_writer(shown());
    let mut out = Vec::new();
    for event in events {
        writer.write(event, &mut out);
    }
    writer.end(usage, &mut out);
    out
}

/// The events as JSON, without what stands in each.
fn events(stream: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(stream).expect("UTF-8");
    let all = text.strip_suffix("\n\n").expect("whole").split("\n\n");
    all.map(|event| {
        let mut json = value(event.strip_prefix("data: ").expect("data").as_bytes());
        assert_eq!(json["modelVersion"], "our/model");
        assert_eq!(json["responseId"], "r1");
        let fields = json.as_object_mut().expect("an object");
        fields.remove("modelVersion");
        fields.remove("responseId");
        json
    })
    .collect()
}

#[test]
fn googles_streams_are_read_as_they_come() {
    let event = |parts: &str, rest: &str| {
        format!(
            "data: {{\"candidates\": [{{\"content\": {{\"parts\": [{parts}],\"role\": \"model\"}}{rest},\"index\": 0}}],\
             \"usageMetadata\": {{\"promptTokenCount\": 8}},\"modelVersion\": \"gemini-3.8-flash\",\"responseId\": \"Ab-1\"}}\r\n\r\n"
        )
    };
    let stream = [
        event("{\"text\": \"Let me \",\"thought\": true}", ""),
        event("{\"text\": \"H\\u00e9l\\ud83d\"}", ""),
        "\r\n\r\n".to_owned(),
        event(
            "{\"text\": \"lo\"},{\"functionCall\": {\"name\": \"f\",\"args\": {\"x\": 1}},\"thoughtSignature\": \"QQ==\"}",
            "",
        ),
        event("{\"functionCall\": {\"name\": \"f\",\"args\": {}}}", ""),
        event(
            "{\"text\": \"\",\"thoughtSignature\": \"Ug==\"}",
            ",\"finishReason\": \"STOP\",\"groundingMetadata\": {\"groundingChunks\": [{\"web\": {\"uri\": \"u\"}}]}",
        ),
        event(
            "{\"text\": \"\"}",
            ",\"finishReason\": \"STOP\",\"groundingMetadata\": {\"groundingChunks\": [{\"web\": {\"uri\": \"u\"}}]}",
        ),
    ];
    let all: Vec<&str> = stream.iter().map(String::as_str).collect();
    assert_eq!(
        said(&all),
        [
            "begin Ab-1",
            "0 thought Let me ",
            "0 text Hél\u{fffd}",
            "0 text lo",
            "0 call 0 call_Ab-1_0_0 f QQ==",
            "0 arguments 0 {\"x\": 1}",
            "0 call 1 call_Ab-1_0_1 f ",
            "0 arguments 1 {}",
            "0 signature Ug==",
            "0 citation u",
            "0 stop ToolCalls",
        ]
    );
    let bare: Vec<&str> = vec![
        "data:{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}},null,7,{\"index\":1e9,\"content\":{\"parts\":[{\"text\":\"b\"},5]}}]}\n\n",
    ];
    assert_eq!(said(&bare), ["0 text a", "127 text b"]);
    for nothing in [
        "",
        "data: [DONE]\n\n",
        ": x\n\n",
        "data: {\"candidates\":{}}\n\n",
        "data: {\"candidates\":[{\"content\":\n\n",
    ] {
        assert_eq!(said(&[nothing]), Vec::<String>::new(), "{nothing}");
    }
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of what is sent and what it means"
)]
fn a_stream_is_written_as_google_writes_it() {
    let text = |text: &'static str| ChatEvent::Text {
        answer: 0,
        text: Cow::Borrowed(text),
    };
    let arguments = |call, json: &'static str| ChatEvent::Arguments {
        answer: 0,
        call,
        json: Cow::Borrowed(json),
    };
    let begins = |call, id: &'static str| ChatEvent::ToolCall {
        answer: 0,
        call,
        id: Cow::Borrowed(id),
        name: Cow::Borrowed("f"),
        signature: None,
    };
    let usage = Usage::of([(Unit::InputToken, 3), (Unit::OutputToken, 4)]);
    let stream = written(
        vec![
            ChatEvent::Begin {
                id: Cow::Borrowed("theirs"),
            },
            ChatEvent::Thought {
                answer: 0,
                text: Cow::Borrowed("Hm."),
            },
            ChatEvent::Signature {
                answer: 0,
                signature: Signature {
                    format: SignatureFormat::Anthropic,
                    data: "s".to_owned(),
                },
            },
            text("Hi"),
            text(""),
            begins(0, "c0"),
            arguments(0, "{\"x\":"),
            begins(1, "c1"),
            arguments(0, "1}"),
            arguments(1, "{}"),
            arguments(9, "{}"),
            ChatEvent::Citation {
                answer: 0,
                citation: Box::new(Citation {
                    url: "u".to_owned(),
                    title: Some("t".to_owned()),
                    quote: None,
                }),
            },
            ChatEvent::Stop {
                answer: 0,
                stop: Stop::ToolCalls,
            },
        ],
        &usage,
    );
    let part = |part: Value| json!({"candidates": [{"content": {"parts": [part], "role": "model"}, "index": 0}]});
    assert_eq!(
        events(&stream),
        [
            part(json!({"text": "Hm.", "thought": true})),
            part(json!({"text": "Hi", "thoughtSignature": "d3NhMS5z"})),
            part(json!({"functionCall": {"id": "c0", "name": "f", "args": {"x": 1}}})),
            part(json!({"functionCall": {"id": "c1", "name": "f", "args": {}}})),
            json!({
                "candidates": [{
                    "content": {"parts": [{"text": ""}], "role": "model"}, "finishReason": "STOP", "index": 0,
                    "groundingMetadata": {"groundingChunks": [{"web": {"uri": "u", "title": "t"}}]}
                }],
                "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7}
            }),
        ]
    );
    assert!(GEMINI.ends(&stream));
    let mut meter = GEMINI.meter(crate::dialect::Metered::default());
    for event in std::str::from_utf8(&stream)
        .expect("UTF-8")
        .split_inclusive("\n\n")
    {
        assert_eq!(
            meter.event(event.as_bytes()),
            crate::dialect::Verdict::Pass,
            "{event}"
        );
    }
    assert!(meter.is_whole() && meter.is_told());
    assert!(meter.usage().measures().eq(usage.measures()));
    // An end without a beginning, and a signature that nothing follows.
    let end = events(&written(vec![], &Usage::default()));
    assert_eq!(end[0]["candidates"][0]["finishReason"], "STOP");
    let signature = Signature {
        format: SignatureFormat::Google,
        data: "Ug==".to_owned(),
    };
    let end = events(&written(
        vec![
            text("x"),
            ChatEvent::Signature {
                answer: 0,
                signature,
            },
        ],
        &Usage::default(),
    ));
    assert_eq!(
        end[1]["candidates"][0]["content"]["parts"],
        json!([{"text": "", "thoughtSignature": "Ug=="}])
    );
}

#[test]
fn arguments_without_end_are_kept_within_a_bound() {
    let mut writer = translator().stream_writer(shown());
    let mut out = Vec::new();
    for call in 0..2_000 {
        writer.write(
            ChatEvent::ToolCall {
                answer: 0,
                call,
                id: Cow::Borrowed("c"),
                name: Cow::Borrowed("f"),
                signature: None,
            },
            &mut out,
        );
    }
    let piece = "x".repeat(1 << 20);
    for _ in 0..40 {
        writer.write(
            ChatEvent::Arguments {
                answer: 0,
                call: 1_999,
                json: Cow::Borrowed(&piece),
            },
            &mut out,
        );
    }
    writer.write(
        ChatEvent::Stop {
            answer: 0,
            stop: Stop::End,
        },
        &mut out,
    );
    assert!(out.len() < 18 << 20, "{}", out.len());
}
