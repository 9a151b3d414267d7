//! Streams as Cohere sends them, and what becomes of broken ones.

use super::*;
use crate::dialect::{StreamError, Verdict};
use crate::link::Bounds;

const STREAM: &str = concat!(
    "event: message-start\ndata: {\"id\":\"e1\",\"type\":\"message-start\",\"delta\":{\"message\":{\"role\":\"assistant\",\"content\":[],\"tool_plan\":\"\",\"tool_calls\":[],\"citations\":[]}}}\n\n",
    "event: content-start\ndata: {\"type\":\"content-start\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"type\":\"thinking\",\"thinking\":\"\"}}}}\n\n",
    "event: content-delta\ndata: {\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"thinking\":\"Hm \\u4f60\"}}}}\n\n",
    "event: content-end\ndata: {\"type\":\"content-end\",\"index\":0}\n\n",
    "event: tool-plan-delta\ndata: {\"type\":\"tool-plan-delta\",\"delta\":{\"message\":{\"tool_plan\":\"I will\"}}}\n\n",
    "event: content-start\ndata: {\"type\":\"content-start\",\"index\":1,\"delta\":{\"message\":{\"content\":{\"type\":\"text\",\"text\":\"\"}}}}\n\n",
    "event: content-delta\ndata: {\"type\":\"content-delta\",\"index\":1,\"delta\":{\"message\":{\"content\":{\"text\":\"It rains.\"}}}}\n\n",
    "event: content-end\ndata: {\"type\":\"content-end\",\"index\":1}\n\n",
    "event: citation-start\ndata: {\"type\":\"citation-start\",\"index\":0,\"delta\":{\"message\":{\"citations\":{\"start\":0,\"end\":2,\"text\":\"It\",\"sources\":[{\"type\":\"document\",\"document\":{\"url\":\"https://w.example\"}}]}}}}\n\n",
    "event: citation-end\ndata: {\"type\":\"citation-end\",\"index\":0}\n\n",
    "event: tool-call-start\ndata: {\"type\":\"tool-call-start\",\"index\":1,\"delta\":{\"message\":{\"tool_calls\":{\"id\":\"look_1\",\"type\":\"function\",\"function\":{\"name\":\"look\",\"arguments\":\"\"}}}}}\n\n",
    "event: tool-call-delta\ndata: {\"type\":\"tool-call-delta\",\"index\":1,\"delta\":{\"message\":{\"tool_calls\":{\"function\":{\"arguments\":\"{\\\"q\\\":\"}}}}}\n\n",
    "event: tool-call-delta\ndata: {\"type\":\"tool-call-delta\",\"index\":1,\"delta\":{\"message\":{\"tool_calls\":{\"function\":{\"arguments\":\"1}\"}}}}}\n\n",
    "event: tool-call-end\ndata: {\"type\":\"tool-call-end\",\"index\":1}\n\n",
    "event: tool-call-start\ndata: {\"type\":\"tool-call-start\",\"index\":2,\"delta\":{\"message\":{\"tool_calls\":{\"id\":\"\",\"type\":\"function\",\"function\":{\"name\":\"now\",\"arguments\":\"\"}}}}}\n\n",
    "event: tool-call-end\ndata: {\"type\":\"tool-call-end\",\"index\":2}\n\n",
    "event: message-end\ndata: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"TOOL_CALL\",\"usage\":{\"billed_units\":{\"input_tokens\":50,\"output_tokens\":26},\"tokens\":{\"input_tokens\":793,\"output_tokens\":61},\"cached_tokens\":176}}}\n\n",
    "data: [DONE]\n\n",
);

fn metered(stream: &str, of: Metered) -> (Box<dyn StreamMeter>, Vec<Verdict>) {
    let mut meter = COHERE_CHAT.meter(of);
    let events = stream.split_inclusive("\n\n");
    let verdicts = events.map(|event| meter.event(event.as_bytes())).collect();
    (meter, verdicts)
}

#[test]
fn a_stream_is_read_step_by_step_and_counted() {
    assert_eq!(
        steps(STREAM),
        [
            "begin e1",
            "thought Hm \u{4f60}",
            "thought I will",
            "text It rains.",
            "citation https://w.example",
            "call 0 look_1 look",
            "arguments 0 {\"q\":",
            "arguments 0 1}",
            "call 1 call_1 now",
            "arguments 1 {}",
            "stop ToolCalls",
        ]
    );
    let (meter, verdicts) = metered(STREAM, Metered::default());
    let (last, others) = verdicts.split_last().expect("some");
    assert!(others.iter().all(|verdict| *verdict == Verdict::Pass));
    assert_eq!(*last, Verdict::Hide);
    assert!(meter.is_done() && meter.is_whole() && meter.is_told());
    assert_eq!(meter.missing(), None);
    let billed = Usage::of([(Unit::InputToken, 50), (Unit::OutputToken, 26)]);
    assert_eq!(meter.usage(), billed);
}

#[test]
fn events_without_names_and_with_other_line_ends_say_the_same() {
    let bare = STREAM.lines().filter(|line| !line.starts_with("event:"));
    let bare = bare.collect::<Vec<_>>().join("\r\n") + "\r\n\r\n";
    let mut reader = COHERE_CHAT.stream_reader();
    let mut read = Vec::new();
    for event in bare.split_inclusive("\r\n\r\n") {
        reader.read(event.as_bytes(), &mut |event| read.push(short(&event)));
    }
    assert_eq!(read, steps(STREAM));
}

#[test]
fn a_stream_of_which_something_is_missing() {
    let at = STREAM.find("event: message-end").expect("there");
    let (meter, _) = metered(&STREAM[..at], Metered::default());
    assert!(!meter.is_whole());
    assert_eq!(meter.missing().expect("cut").kind, FaultKind::Interrupted);
    assert!(meter.usage().estimated && meter.usage().output_total() > 0);
    let (meter, _) = metered("data: [DONE]\n\n", Metered::default());
    assert_eq!(
        meter.missing().expect("empty").kind,
        FaultKind::InvalidAnswer
    );
    assert!(meter.usage().is_nothing());
    let whole = concat!(
        "data: {\"type\":\"content-delta\",\"index\":null,\"delta\":{\"message\":{\"content\":{\"text\":\"Hi\"}}}}\n\n",
        "data: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":null,\"usage\":null}}\n\n",
    );
    assert_eq!(steps(whole), ["text Hi", "stop End"]);
    let (meter, _) = metered(whole, Metered::default());
    assert!(meter.is_done() && meter.usage().estimated);
}

#[test]
fn errors_in_a_stream_break_it() {
    for (event, kind) in [
        (
            "{\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"ERROR\",\"error\":\"Boom.\"}}",
            FaultKind::Overloaded,
        ),
        (
            "{\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"TIMEOUT\"}}",
            FaultKind::Timeout,
        ),
        ("{\"message\":\"Boom.\"}", FaultKind::Overloaded),
        (
            "{\"type\":\"error\",\"message\":\"Boom.\"}",
            FaultKind::Overloaded,
        ),
        (
            "{\"type\":\"content-delta\",\"delta\":",
            FaultKind::InvalidAnswer,
        ),
    ] {
        let mut meter = COHERE_CHAT.meter(Metered::default());
        let verdict = meter.event(format!("data: {event}\n\n").as_bytes());
        let Verdict::Broken(StreamError { fault, .. }) = verdict else {
            panic!("{event} breaks: {verdict:?}");
        };
        assert_eq!(fault.kind, kind, "{event}");
    }
    let told = ErrorText {
        status: 500,
        kind: "server_error",
        code: None,
        param: None,
        message: "Boom.",
    };
    let mut meter = COHERE_CHAT.meter(Metered::default());
    let verdict = meter.event(&COHERE_CHAT.error_event(told));
    assert!(matches!(verdict, Verdict::Broken(_)));
    assert_eq!(COHERE_CHAT.look(STREAM.as_bytes()), Look::Event);
    let refused = COHERE_CHAT.error(told);
    assert!(matches!(COHERE_CHAT.judge(&refused), Judged::Error(_)));
    let mut meter = COHERE_CHAT.meter(Metered::default());
    let alive = COHERE_CHAT.keep_alive().expect("a comment");
    assert_eq!(meter.event(&alive), Verdict::Pass);
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
    let delta = "data: {\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"text\":\"four four four \"}}}}\n\n";
    let (meter, verdicts) = metered(&delta.repeat(100), of);
    let is_end = |verdict: &&Verdict| matches!(verdict, Verdict::Enough(_));
    let Some(Verdict::Enough(enough)) = verdicts.iter().find(is_end) else {
        panic!("it is stopped");
    };
    let text = String::from_utf8(enough.to_vec()).expect("text");
    assert_eq!(steps(&text), ["stop MaxTokens"]);
    assert!(text.contains("\"output_tokens\":20"), "{text}");
    assert!(meter.is_done() && meter.usage().overrun);
}
