//! What is written to Cohere's chat and read of it, there and back, and what hostile bytes do.

mod requests;
mod roundtrip;
mod streams;

use super::*;
use crate::dialect::Quirks;
use crate::dialect::neutral::{ChatEvent, Part, Stop, Thought};
use crate::units::Unit;

const TO: WriteTo<'_> = WriteTo {
    model: "command-a-reasoning-08-2025",
    quirks: Quirks {
        no_usage_option: false,
        maximum: crate::dialect::Maximum::AsAsked,
        end_user: crate::dialect::EndUserField::OfDialect,
        no_response_format: false,
    },
    output_max: None,
};

fn steps(stream: &str) -> Vec<String> {
    let mut reader = COHERE_CHAT.stream_reader();
    let mut steps = Vec::new();
    for event in stream.split_inclusive("\n\n") {
        reader.read(event.as_bytes(), &mut |event| steps.push(short(&event)));
    }
    steps
}

fn short(event: &ChatEvent<'_>) -> String {
    match event {
        ChatEvent::Begin { id } => format!("begin {id}"),
        ChatEvent::Text { text, .. } => format!("text {text}"),
        ChatEvent::Thought { text, .. } => format!("thought {text}"),
        ChatEvent::ToolCall { call, id, name, .. } => format!("call {call} {id} {name}"),
        ChatEvent::Arguments { call, json, .. } => format!("arguments {call} {json}"),
        ChatEvent::Citation { citation, .. } => format!("citation {}", citation.url),
        ChatEvent::Stop { stop, .. } => format!("stop {stop:?}"),
        ChatEvent::Refusal { .. } | ChatEvent::Signature { .. } | ChatEvent::Media { .. } => {
            format!("{event:?}")
        }
    }
}

const ANSWER: &str = r#"{"id":"a1b2","finish_reason":"TOOL_CALL","message":{"role":"assistant",
    "tool_plan":"I will look.","content":[{"type":"thinking","thinking":"Hm."},{"type":"text","text":"Rain."}],
    "tool_calls":[{"id":"look_1","type":"function","function":{"name":"look","arguments":"{\"b\":1}"}},
        {"id":"now_2","type":"function","function":{"name":"now","arguments":""}}],
    "citations":[{"start":0,"end":4,"text":"Rain","type":"TEXT_CONTENT","content_index":1,"sources":[
        {"type":"tool","id":"x","tool_output":{"rain":"yes"}},
        {"type":"document","id":"d","document":{"url":"https://w.example","title":"Weather","snippet":"rain"}}]}]},
    "usage":{"billed_units":{"input_tokens":50,"output_tokens":26},
        "tokens":{"input_tokens":793,"output_tokens":61},"cached_tokens":176}}"#;

#[test]
fn a_whole_answer_is_read_and_counted_as_it_is_billed() {
    assert_eq!(COHERE_CHAT.judge(ANSWER.as_bytes()), Judged::Answer);
    let answer = COHERE_CHAT.read_answer(ANSWER.as_bytes()).expect("read");
    assert_eq!(answer.id, "a1b2");
    let [candidate] = &answer.candidates[..] else {
        panic!("one candidate");
    };
    assert_eq!(candidate.stop, Stop::ToolCalls);
    let thought = |text: &str| {
        Part::Thought(Thought {
            text: text.to_owned(),
            signature: None,
        })
    };
    assert_eq!(
        candidate.parts[..2],
        [thought("Hm."), thought("I will look.")]
    );
    let Part::Text { citations, .. } = &candidate.parts[2] else {
        panic!("a text");
    };
    assert_eq!(citations[0].title.as_deref(), Some("Weather"));
    let arguments = candidate.parts[3..].iter().filter_map(|part| {
        let Part::ToolCall(call) = part else {
            return None;
        };
        Some(call.arguments.as_str())
    });
    assert!(arguments.eq(["{\"b\":1}", "{}"]));
    let usage = COHERE_CHAT.usage(Metered::default(), ANSWER.as_bytes());
    let billed = Usage::of([(Unit::InputToken, 50), (Unit::OutputToken, 26)]);
    assert_eq!(usage, Ok(billed));
}

#[test]
fn what_is_billed_goes_before_what_was_read_and_zeros_are_no_count() {
    let usage = |usage: &str| {
        let of = Metered {
            input_bytes: 400,
            ..Metered::default()
        };
        let json = format!(
            r#"{{"message":{{"content":[{{"type":"text","text":"Hello there."}}]}},"usage":{usage}}}"#
        );
        let usage = COHERE_CHAT.usage(of, json.as_bytes()).expect("JSON");
        (
            usage.input_total(),
            usage.output_total(),
            usage.count(Unit::CachedInputToken),
            usage.estimated,
        )
    };
    assert_eq!(
        usage(r#"{"billed_units":{"input_tokens":5.0,"output_tokens":2.0}}"#),
        (5, 2, 0, false)
    );
    assert_eq!(
        usage(
            r#"{"billed_units":{},"tokens":{"input_tokens":30,"output_tokens":4},"cached_tokens":10}"#
        ),
        (30, 4, 10, false)
    );
    assert_eq!(
        usage(r#"{"billed_units":null,"tokens":{"input_tokens":0,"output_tokens":0}}"#),
        (100, 3, 0, true)
    );
    assert_eq!(usage("null"), (100, 3, 0, true));
    let bare = r#"{"usage":{"billed_units":{"input_tokens":5,"output_tokens":2}}}"#;
    let bare = COHERE_CHAT.usage(Metered::default(), bare.as_bytes());
    assert!(bare.expect("JSON").is_nothing());
    assert!(COHERE_CHAT.usage(Metered::default(), b"[]").is_err());
}

#[test]
fn what_comes_as_a_success_is_judged_by_what_it_says() {
    for (json, is_answer) in [
        (
            r#"{"message":{"role":"assistant","content":[{"type":"text","text":"x"}]},"finish_reason":"COMPLETE"}"#,
            true,
        ),
        (r#"{"message":{"tool_calls":[{"id":"a"}]}}"#, true),
        (r#"{"message":{"content":[]}}"#, true),
        (r#"{"message":{"content":null}}"#, false),
        (r#"{"message":"invalid api token"}"#, false),
        (
            r#"{"message":{"content":[]},"finish_reason":"ERROR"}"#,
            false,
        ),
        (
            r#"{"message":{"content":[]},"finish_reason":"TIMEOUT"}"#,
            false,
        ),
        ("{}", false),
        ("[]", false),
        ("<html>", false),
    ] {
        let judged = COHERE_CHAT.judge(json.as_bytes());
        assert_eq!(judged == Judged::Answer, is_answer, "{json}: {judged:?}");
    }
}

#[test]
fn a_whole_answer_becomes_a_stream_that_says_the_same() {
    let stream = COHERE_CHAT.as_stream(ANSWER.as_bytes()).expect("a stream");
    let text = String::from_utf8(stream.to_vec()).expect("text");
    assert_eq!(
        steps(&text),
        [
            "begin a1b2",
            "thought Hm.",
            "thought I will look.",
            "text Rain.",
            "citation https://w.example",
            "call 0 look_1 look",
            "arguments 0 {\"b\":1}",
            "call 1 now_2 now",
            "arguments 1 {}",
            "stop ToolCalls",
        ]
    );
}

#[test]
fn no_tenant_speaks_it_and_the_model_is_put_in() {
    let read = COHERE_CHAT.read(&Head::default(), &Body::of_json("{}"));
    assert!(
        read.expect_err("refused")
            .message
            .contains("providers alone")
    );
    let to = Forward {
        model: "north",
        asks_usage: true,
        quirks: Quirks::default(),
        end_user: None,
    };
    for (body, expected) in [
        (
            r#"{"messages":[],"model":"a"}"#,
            r#"{"messages":[],"model":"north"}"#,
        ),
        (r#"{"messages":[]}"#, r#"{"model":"north","messages":[]}"#),
    ] {
        let forwarded = COHERE_CHAT.forwarded(&Bytes::from_static(body.as_bytes()), to);
        assert_eq!(forwarded.expect("JSON"), expected);
    }
    assert!(
        COHERE_CHAT
            .forwarded(&Bytes::from_static(b"7"), to)
            .is_err()
    );
}
