//! Streams as the connector writes them down, and what becomes of broken ones.

use super::*;
use crate::dialect::{StreamError, Verdict};
use crate::link::Bounds;

const STREAM: &str = concat!(
    "event: messageStart\ndata: {\"p\":\"abcd\",\"role\":\"assistant\"}\n\n",
    "event: contentBlockDelta\ndata: {\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"text\":\"Let me\"}},\"p\":\"ab\"}\n\n",
    "event: contentBlockDelta\ndata: {\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"signature\":\"EqQB\"}}}\n\n",
    "event: contentBlockStop\ndata: {\"contentBlockIndex\":0}\n\n",
    "event: contentBlockDelta\ndata: {\"contentBlockIndex\":1,\"delta\":{\"text\":\"I'll \\u4f60\\n\"}}\n\n",
    "event: contentBlockDelta\ndata: {\"contentBlockIndex\":1,\"delta\":{\"text\":\"\"}}\n\n",
    "event: contentBlockStop\ndata: {\"contentBlockIndex\":1}\n\n",
    "event: contentBlockStart\ndata: {\"contentBlockIndex\":2,\"start\":{\"toolUse\":{\"toolUseId\":\"tooluse_a\",\"name\":\"look\"}}}\n\n",
    "event: contentBlockDelta\ndata: {\"contentBlockIndex\":2,\"delta\":{\"toolUse\":{\"input\":\"\"}}}\n\n",
    "event: contentBlockDelta\ndata: {\"contentBlockIndex\":2,\"delta\":{\"toolUse\":{\"input\":\"{\\\"q\\\":1}\"}}}\n\n",
    "event: contentBlockStop\ndata: {\"contentBlockIndex\":2}\n\n",
    "event: contentBlockStart\ndata: {\"contentBlockIndex\":3,\"start\":{\"toolUse\":{\"toolUseId\":\"tooluse_b\",\"name\":\"now\"}}}\n\n",
    "event: contentBlockStop\ndata: {\"contentBlockIndex\":3}\n\n",
    "event: messageStop\ndata: {\"stopReason\":\"tool_use\"}\n\n",
    "event: metadata\ndata: {\"metrics\":{\"latencyMs\":900},\"usage\":{\"inputTokens\":12,\"outputTokens\":30,\"totalTokens\":42},\"serviceTier\":{\"type\":\"default\"}}\n\n",
);

fn metered(stream: &str, of: Metered) -> (Box<dyn StreamMeter>, Vec<Verdict>) {
    let mut meter = BEDROCK_CONVERSE.meter(of);
    let events = stream.split_inclusive("\n\n");
    let verdicts = events.map(|event| meter.event(event.as_bytes())).collect();
    (meter, verdicts)
}

#[test]
fn a_stream_is_read_step_by_step_and_counted() {
    assert_eq!(
        steps(STREAM),
        [
            "thought Let me",
            "signature Anthropic EqQB",
            "text I'll \u{4f60}\n",
            "call 0 tooluse_a look",
            "arguments 0 {\"q\":1}",
            "call 1 tooluse_b now",
            "arguments 1 {}",
            "stop ToolCalls",
        ]
    );
    let (meter, verdicts) = metered(STREAM, Metered::default());
    assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Pass));
    assert!(meter.is_done() && meter.is_whole() && meter.is_told());
    assert_eq!(meter.missing(), None);
    let usage = meter.usage();
    assert_eq!((usage.input_total(), usage.output_total()), (12, 30));
    assert_eq!(usage.facts.get(Fact::Tier), Some("default"));
    assert!(!usage.estimated);
}

#[test]
fn other_line_ends_say_the_same() {
    let crlf = STREAM.replace('\n', "\r\n");
    let mut reader = BEDROCK_CONVERSE.stream_reader();
    let mut count = 0;
    for event in crlf.split_inclusive("\r\n\r\n") {
        reader.read(event.as_bytes(), &mut |_| count += 1);
    }
    assert_eq!(count, steps(STREAM).len());
}

#[test]
fn a_stream_without_its_counts_is_whole_and_estimated_and_a_cut_one_is_not() {
    let at = STREAM.find("event: metadata").expect("there");
    let (meter, _) = metered(&STREAM[..at], Metered::default());
    assert!(meter.is_whole() && !meter.is_done() && !meter.is_told());
    assert!(meter.usage().estimated);
    let at = STREAM.find("event: messageStop").expect("there");
    let (meter, _) = metered(&STREAM[..at], Metered::default());
    assert!(!meter.is_whole());
    let missing = meter.missing().expect("cut");
    assert_eq!(missing.kind, FaultKind::Interrupted);
    assert!(
        meter.usage().output_total() > 0,
        "what was delivered is charged"
    );
    let (meter, _) = metered("", Metered::default());
    assert!(meter.usage().is_nothing());
}

#[test]
fn exceptions_in_a_stream_break_it_by_their_kind() {
    for (kind, expected) in [
        ("throttlingException", FaultKind::RateLimited),
        ("modelStreamErrorException", FaultKind::Overloaded),
        ("internalServerException", FaultKind::Overloaded),
        ("serviceUnavailableException", FaultKind::Overloaded),
        ("validationException", FaultKind::BadRequest),
    ] {
        let event = format!("event: error\ndata: {{\"type\":\"{kind}\",\"message\":\"Why.\"}}\n\n");
        let mut meter = BEDROCK_CONVERSE.meter(Metered::default());
        meter.event(
            STREAM
                .split_inclusive("\n\n")
                .next()
                .expect("one")
                .as_bytes(),
        );
        let Verdict::Broken(StreamError { fault, .. }) = meter.event(event.as_bytes()) else {
            panic!("{kind} breaks");
        };
        assert_eq!(fault.kind, expected, "{kind}");
        assert!(fault.detail.contains("Why.") && fault.detail.contains(kind));
        let Look::Error(told) = BEDROCK_CONVERSE.look(event.as_bytes()) else {
            panic!("{kind} is an error at the beginning too");
        };
        assert_eq!(told.kind.as_deref(), Some(kind));
    }
    let unnamed = "data: {\"message\":\"Too many requests\"}\n\n";
    let mut meter = BEDROCK_CONVERSE.meter(Metered::default());
    assert!(matches!(
        meter.event(unnamed.as_bytes()),
        Verdict::Broken(_)
    ));
    let malformed = "event: messageStop\ndata: {\"stopReason\":\"malformed_model_output\"}\n\n";
    let mut meter = BEDROCK_CONVERSE.meter(Metered::default());
    assert!(matches!(
        meter.event(malformed.as_bytes()),
        Verdict::Broken(_)
    ));
    assert_eq!(BEDROCK_CONVERSE.look(STREAM.as_bytes()), Look::Event);
    let cut = "event: x\ndata: {\"contentBlockIndex\":0,\"delta\":{\"te\n\n";
    let mut meter = BEDROCK_CONVERSE.meter(Metered::default());
    assert!(matches!(meter.event(cut.as_bytes()), Verdict::Broken(_)));
    assert!(!meter.is_complete(cut.as_bytes()));
}

#[test]
fn more_than_is_paid_for_ends_well() {
    let of = Metered {
        bounds: Some(Bounds {
            input_estimate: 10,
            input_max: 50,
            output_max: 20,
        }),
        ..Metered::default()
    };
    let delta = "event: contentBlockDelta\ndata: {\"contentBlockIndex\":0,\"delta\":{\"text\":\"four four four \"}}\n\n";
    let (meter, verdicts) = metered(&delta.repeat(100), of);
    let is_end = |verdict: &&Verdict| matches!(verdict, Verdict::Enough(_));
    let Some(Verdict::Enough(enough)) = verdicts.iter().find(is_end) else {
        panic!("it is stopped");
    };
    let text = String::from_utf8(enough.to_vec()).expect("text");
    assert_eq!(steps(&text), ["stop MaxTokens"]);
    assert!(text.contains("\"outputTokens\":20"), "{text}");
    assert!(meter.is_done());
    assert_eq!(*verdicts.last().expect("some"), Verdict::Hide);
    assert!(meter.usage().overrun);
}

#[test]
fn pictures_and_places_come_whole() {
    let stream = concat!(
        "data: {\"contentBlockIndex\":0,\"start\":{\"image\":{\"format\":\"jpeg\"}}}\n\n",
        "data: {\"contentBlockIndex\":0,\"delta\":{\"image\":{\"source\":{\"bytes\":\"AAAA\"}}}}\n\n",
        "data: {\"contentBlockIndex\":0,\"delta\":{\"image\":{\"source\":{\"bytes\":\"BBBB\"}}}}\n\n",
        "data: {\"contentBlockIndex\":0}\n\n",
        "data: {\"contentBlockIndex\":1,\"delta\":{\"citation\":{\"source\":\"https://a.example\",\"title\":null}}}\n\n",
        "data: {\"contentBlockIndex\":2,\"start\":{\"toolUse\":{\"toolUseId\":\"s\",\"name\":\"web\",\"type\":\"server_tool_use\"}}}\n\n",
        "data: {\"contentBlockIndex\":2,\"delta\":{\"toolUse\":{\"input\":\"{}\"}}}\n\n",
        "data: {\"stopReason\":\"guardrail_intervened\"}\n\n",
    );
    assert_eq!(
        steps(stream),
        [
            "media Some(\"image/jpeg\") Base64(\"AAAABBBB\")",
            "citation https://a.example",
            "stop Refused(Some(\"guardrail_intervened\"))",
        ]
    );
}
