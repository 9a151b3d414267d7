//! What is written to Converse and read of it, there and back, and what hostile bytes do.

mod requests;
mod roundtrip;
mod streams;

use super::*;
use crate::dialect::Quirks;
use crate::dialect::neutral::{ChatEvent, Part, Stop};
use crate::units::{Fact, Unit};

fn to(model: &str) -> WriteTo<'_> {
    WriteTo {
        model,
        quirks: Quirks::default(),
        output_max: None,
    }
}

/// The steps of a stream.
fn steps(stream: &str) -> Vec<String> {
    let mut reader = BEDROCK_CONVERSE.stream_reader();
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
        ChatEvent::Refusal { text, .. } => format!("refusal {text}"),
        ChatEvent::Thought { text, .. } => format!("thought {text}"),
        ChatEvent::Signature { signature, .. } => {
            format!("signature {:?} {}", signature.format, signature.data)
        }
        ChatEvent::ToolCall { call, id, name, .. } => format!("call {call} {id} {name}"),
        ChatEvent::Arguments { call, json, .. } => format!("arguments {call} {json}"),
        ChatEvent::Media { media, .. } => {
            format!("media {:?} {:?}", media.media_type, media.source)
        }
        ChatEvent::Citation { citation, .. } => format!("citation {}", citation.url),
        ChatEvent::Stop { stop, .. } => format!("stop {stop:?}"),
    }
}

const ANSWER: &str = r#"{"metrics":{"latencyMs":551},"output":{"message":{"role":"assistant","content":[
    {"reasoningContent":{"reasoningText":{"text":"Hm.","signature":"EqQB"}}},
    {"reasoningContent":{"redactedContent":"AAEC"}},
    {"text":"Look: "},
    {"citationsContent":{"content":[{"text":"it rains"}],"citations":[
        {"title":"Weather","sourceContent":[{"text":"rain"}],"location":{"web":{"url":"https://w.example/x","domain":"w.example"}}},
        {"title":"file","location":{"documentChar":{"documentIndex":0,"start":1,"end":2}}}]}},
    {"toolUse":{"toolUseId":"tooluse_1","name":"look","input":{"b":1,"a":[2]}}},
    {"toolUse":{"toolUseId":"srv_1","name":"web","input":{},"type":"server_tool_use"}}
    ]}},"stopReason":"tool_use","serviceTier":{"type":"flex"},
    "usage":{"inputTokens":10,"outputTokens":20,"totalTokens":130,"cacheReadInputTokens":60,"cacheWriteInputTokens":40,
    "cacheDetails":[{"ttl":"1h","inputTokens":30},{"ttl":"5m","inputTokens":10}],"serverToolUsage":{}}}"#;

#[test]
fn a_whole_answer_is_read_and_counted() {
    assert_eq!(BEDROCK_CONVERSE.judge(ANSWER.as_bytes()), Judged::Answer);
    let answer = BEDROCK_CONVERSE
        .read_answer(ANSWER.as_bytes())
        .expect("read");
    assert_eq!(answer.tier.as_deref(), Some("flex"));
    let [candidate] = &answer.candidates[..] else {
        panic!("one candidate");
    };
    assert_eq!(candidate.stop, Stop::ToolCalls);
    assert_eq!(candidate.parts.len(), 5);
    let Part::Text {
        text, citations, ..
    } = &candidate.parts[3]
    else {
        panic!("a text");
    };
    assert_eq!((text.as_str(), citations.len()), ("it rains", 1));
    assert_eq!(citations[0].quote.as_deref(), Some("rain"));
    let Part::ToolCall(call) = &candidate.parts[4] else {
        panic!("a call");
    };
    assert_eq!(call.arguments, r#"{"b":1,"a":[2]}"#, "in the model's order");
    let usage = BEDROCK_CONVERSE
        .usage(Metered::default(), ANSWER.as_bytes())
        .expect("counted");
    let counts = [
        (Unit::InputToken, 10),
        (Unit::CachedInputToken, 60),
        (Unit::CacheWriteToken, 10),
        (Unit::CacheWriteLongToken, 30),
        (Unit::OutputToken, 20),
    ];
    assert!(usage.measures().eq(counts), "{usage:?}");
    assert_eq!(usage.facts.get(Fact::Tier), Some("flex"));
    assert!(!usage.estimated);
}

#[test]
fn what_comes_as_a_success_is_judged_by_what_it_says() {
    for (json, is_answer) in [
        (
            r#"{"output":{"message":{"content":[]}},"stopReason":"end_turn"}"#,
            true,
        ),
        (r#"{"output":{"message":{"content":[{"text":"x"}]}}}"#, true),
        (r#"{"output":{"message":{"content":null}}}"#, false),
        (r#"{"output":null}"#, false),
        (
            r#"{"output":{"message":{"content":[]}},"stopReason":"malformed_tool_use"}"#,
            false,
        ),
        ("{}", false),
        ("[]", false),
        ("<html>", false),
    ] {
        let judged = BEDROCK_CONVERSE.judge(json.as_bytes());
        assert_eq!(judged == Judged::Answer, is_answer, "{json}: {judged:?}");
    }
    let told = BEDROCK_CONVERSE.judge(br#"{"message":"Too many tokens, please wait."}"#);
    let Judged::Error(told) = told else {
        panic!("an error: {told:?}");
    };
    assert_eq!(told.message, "Too many tokens, please wait.");
}

#[test]
fn whole_answers_without_counts_are_estimated_and_empty_ones_cost_nothing() {
    let usage = |json: &str| {
        let of = Metered {
            input_bytes: 400,
            ..Metered::default()
        };
        BEDROCK_CONVERSE.usage(of, json.as_bytes()).expect("JSON")
    };
    let silent = usage(
        r#"{"output":{"message":{"content":[{"text":"Hello there."},{"toolUse":{"name":"f","input":{"a":1}}}]}}}"#,
    );
    assert!(silent.estimated);
    assert_eq!(silent.count(Unit::InputToken), 100);
    assert!(silent.output_total() > 3);
    let zeros = usage(
        r#"{"output":{"message":{"content":[{"text":"Hello there."}]}},"usage":{"inputTokens":0,"outputTokens":0}}"#,
    );
    assert!(zeros.estimated && zeros.output_total() == 3);
    let floats = usage(
        r#"{"output":{"message":{"content":[{"text":"x"}]}},"usage":{"inputTokens":7.0,"outputTokens":"3","cacheReadInputTokens":null}}"#,
    );
    assert_eq!((floats.input_total(), floats.output_total()), (7, 3));
    assert!(usage(r#"{"usage":{"inputTokens":7,"outputTokens":3}}"#).is_nothing());
    assert!(
        BEDROCK_CONVERSE
            .usage(Metered::default(), b"<html>")
            .is_err()
    );
}

#[test]
fn an_answer_whose_fields_are_null_is_read() {
    let json = r#"{"output":{"message":{"role":null,"content":[{"text":null},{"toolUse":{"toolUseId":"a","name":"f","input":null}}]}},"stopReason":null,"usage":null,"serviceTier":null}"#;
    let answer = BEDROCK_CONVERSE.read_answer(json.as_bytes()).expect("read");
    assert_eq!(answer.candidates[0].parts.len(), 1);
    assert_eq!(answer.candidates[0].stop, Stop::End);
}

#[test]
fn a_whole_answer_becomes_a_stream_that_says_the_same() {
    let stream = BEDROCK_CONVERSE
        .as_stream(ANSWER.as_bytes())
        .expect("it can be streamed");
    let text = String::from_utf8(stream.to_vec()).expect("text");
    assert_eq!(
        steps(&text),
        [
            "thought Hm.",
            "signature Anthropic EqQB",
            "signature AnthropicRedacted AAEC",
            "text Look: ",
            "text it rains",
            "citation https://w.example/x",
            "call 0 tooluse_1 look",
            "arguments 0 {\"b\":1,\"a\":[2]}",
            "stop ToolCalls",
        ]
    );
    let mut meter = BEDROCK_CONVERSE.meter(Metered::default());
    for event in text.split_inclusive("\n\n") {
        meter.event(event.as_bytes());
    }
    assert_eq!(meter.usage().input_total(), 110);
    assert_eq!(meter.usage().count(Unit::CacheWriteLongToken), 30);
    assert_eq!(BEDROCK_CONVERSE.as_stream(b"{}"), None);
}

#[test]
fn no_tenant_speaks_it() {
    let read = BEDROCK_CONVERSE.read(&Head::default(), &Body::of_json("{}"));
    assert!(
        read.expect_err("refused")
            .message
            .contains("providers alone")
    );
    let to = Forward {
        model: "m",
        asks_usage: true,
        quirks: Quirks::default(),
        end_user: None,
    };
    let body = Bytes::from_static(b"{\"messages\":[]}");
    assert_eq!(BEDROCK_CONVERSE.forwarded(&body, to), Ok(body.clone()));
    let none = Bytes::from_static(b"[]");
    assert!(BEDROCK_CONVERSE.forwarded(&none, to).is_err());
}

#[test]
fn errors_are_written_as_the_meter_reads_them() {
    let told = ErrorText {
        status: 429,
        kind: "rate_limit_error",
        code: Some("rate_limited"),
        param: None,
        message: "Later.",
    };
    let event = BEDROCK_CONVERSE.error_event(told);
    let mut meter = BEDROCK_CONVERSE.meter(Metered::default());
    let verdict = meter.event(&event);
    let crate::dialect::Verdict::Broken(crate::dialect::StreamError { fault, .. }) = verdict else {
        panic!("broken: {verdict:?}");
    };
    assert_eq!(fault.kind, FaultKind::RateLimited);
    assert!(fault.detail.contains("Later."));
    let body = BEDROCK_CONVERSE.error(told);
    assert_eq!(&body[..], br#"{"message":"Later."}"#);
}
