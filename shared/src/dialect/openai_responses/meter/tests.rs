//! Streams as providers send them, and what they are counted as.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::link::Bounds;
use crate::units::{Fact, Unit};

fn meter(output_max: u64) -> ResponseMeter {
    ResponseMeter::new(Metered {
        show_usage: true,
        echoed: 0,
        searches: crate::dialect::Searches::default(),
        input_bytes: 400,
        bounds: Some(Bounds {
            input_estimate: 100,
            input_max: 1_000,
            output_max,
        }),
    })
}

/// An event whose number is left to whoever puts them in order.
fn event(kind: &str, mut fields: Value) -> Vec<u8> {
    fields["type"] = kind.into();
    format!("event: {kind}\ndata: {fields}\n\n").into_bytes()
}

fn begun() -> Vec<u8> {
    let response = json!({
        "id": "resp_1", "object": "response", "created_at": 7, "status": "in_progress", "error": null,
        "model": "gpt-6-astra", "output": [], "usage": null,
    });
    event(
        "response.created",
        json!({"sequence_number": 0, "response": response}),
    )
}

fn added(index: u64, item: Value) -> Vec<u8> {
    event(
        "response.output_item.added",
        json!({"output_index": index, "item": item}),
    )
}

fn message_added(index: u64) -> Vec<u8> {
    added(
        index,
        json!({"type": "message", "id": "msg_1", "role": "assistant", "content": []}),
    )
}

fn text(index: u64, text: &str) -> Vec<u8> {
    let fields = json!({"output_index": index, "content_index": 0, "item_id": "msg_1", "delta": text, "sequence_number": 4});
    event("response.output_text.delta", fields)
}

fn message(text: &str) -> Value {
    json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": []}]})
}

fn done(index: u64, item: Value) -> Vec<u8> {
    event(
        "response.output_item.done",
        json!({"output_index": index, "item": item}),
    )
}

fn completed(output: Value, usage: Value) -> Vec<u8> {
    let response = json!({
        "id": "resp_1", "status": "completed", "output": output, "usage": usage, "service_tier": "flex",
    });
    event("response.completed", json!({"response": response}))
}

fn usage(input: u64, output: u64) -> Value {
    json!({"input_tokens": input, "output_tokens": output, "total_tokens": input + output})
}

fn counted(meter: &ResponseMeter) -> (u64, u64, bool) {
    let usage = meter.usage();
    (usage.input_total(), usage.output_total(), usage.estimated)
}

fn passed(mut meter: ResponseMeter, events: &[Vec<u8>]) -> ResponseMeter {
    for event in events {
        let verdict = meter.event(event);
        assert_eq!(verdict, Verdict::Pass, "{}", String::from_utf8_lossy(event));
    }
    meter
}

#[test]
fn a_stream_counts_as_its_last_event_tells() {
    let events = [
        begun(),
        message_added(0),
        text(0, "Hel"),
        text(0, "lo."),
        done(0, message("Hello.")),
        completed(json!([message("Hello.")]), usage(9, 4)),
    ];
    let meter = passed(meter(500), &events);
    assert!(meter.is_done() && meter.is_whole() && meter.is_told());
    assert_eq!(meter.missing(), None);
    assert_eq!(counted(&meter), (9, 4, false));
    assert_eq!(meter.usage().facts.get(Fact::Tier), Some("flex"));
    assert!(meter.passed() > 0);
}

#[test]
fn what_is_said_is_counted_once_however_often_it_is_repeated() {
    let words = "one two three four five six seven eight";
    let pieces: Vec<Vec<u8>> = words.split(' ').map(|word| text(0, word)).collect();
    let zeros = json!({"input_tokens": 0, "output_tokens": 0});
    let whole = |usage: Value| completed(json!([message(words)]), usage);
    let streamed: Vec<Vec<u8>> = [vec![begun(), message_added(0)], pieces].concat();
    let ended = |usage| {
        [
            streamed.clone(),
            vec![done(0, message(words)), whole(usage)],
        ]
        .concat()
    };
    for untold in [Value::Null, zeros, json!({})] {
        let meter = passed(meter(500), &ended(untold));
        assert_eq!(counted(&meter), (100, 8, true));
    }
    // Without pieces, and with nothing but the end.
    for events in [
        vec![
            begun(),
            message_added(0),
            done(0, message(words)),
            whole(Value::Null),
        ],
        vec![whole(Value::Null)],
    ] {
        let meter = passed(meter(500), &events);
        let (input, output, estimated) = counted(&meter);
        assert!(
            input == 100 && estimated && (8..12).contains(&output),
            "{output}"
        );
    }
}

#[test]
fn thoughts_and_calls_are_output_too() {
    let call = json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "arguments": ""});
    let summary = "response.reasoning_summary_text.delta";
    let arguments = "response.function_call_arguments.delta";
    let events = [
        begun(),
        added(0, json!({"type": "reasoning", "id": "rs_1", "summary": []})),
        event(
            summary,
            json!({"output_index": 0, "summary_index": 0, "delta": "I should look."}),
        ),
        added(1, call),
        event(
            arguments,
            json!({"output_index": 1, "delta": "{\"city\":\"Bern\"}"}),
        ),
    ];
    let meter = passed(meter(500), &events);
    let usage = meter.usage();
    assert!(usage.count(Unit::ReasoningToken) >= 3 && usage.count(Unit::OutputToken) >= 4);
    assert!(!meter.is_whole() && !meter.is_done());
    let missing = meter.missing().expect("it is not whole");
    assert_eq!(missing.kind, FaultKind::Interrupted);
}

#[test]
fn errors_in_a_stream_break_it_and_say_whose_fault_they_are() {
    let failed = |error: Value| {
        event(
            "response.failed",
            json!({"response": {"id": "resp_1", "status": "failed", "error": error}}),
        )
    };
    for (event, kind) in [
        (
            failed(json!({"code": "server_error", "message": "No."})),
            FaultKind::Overloaded,
        ),
        (
            failed(json!({"code": "rate_limit_exceeded", "message": "Slow."})),
            FaultKind::RateLimited,
        ),
        (
            failed(json!({"code": "misalignment_policy_violation", "message": "No."})),
            FaultKind::ContentPolicy,
        ),
        (
            failed(json!({"code": "invalid_base64_image", "message": "No."})),
            FaultKind::BadRequest,
        ),
        (failed(Value::Null), FaultKind::Overloaded),
        (
            event(
                "error",
                json!({"code": "server_error", "message": "No.", "param": null}),
            ),
            FaultKind::Overloaded,
        ),
        (
            event(
                "error",
                json!({"error": {"type": "insufficient_quota", "code": "credit_balance_exhausted", "message": "No."}}),
            ),
            FaultKind::QuotaExhausted,
        ),
        (
            b"data: {\"error\":{\"message\":\"No.\",\"code\":502}}\n\n".to_vec(),
            FaultKind::Overloaded,
        ),
        (
            b"event: error\ndata: No.\n\n".to_vec(),
            FaultKind::Overloaded,
        ),
        (
            b"data: {\"type\":\"response.output_text.delta\",\"delta\":\n\n".to_vec(),
            FaultKind::InvalidAnswer,
        ),
    ] {
        let mut meter = passed(meter(500), &[begun()]);
        let Verdict::Broken(StreamError { fault, .. }) = meter.event(&event) else {
            panic!("{}", String::from_utf8_lossy(&event))
        };
        assert_eq!(fault.kind, kind, "{fault}");
    }
    // A failure may tell what it cost.
    let mut meter = passed(meter(500), &[begun(), message_added(0), text(0, "Hi")]);
    let failed = event(
        "response.failed",
        json!({"response": {"status": "failed", "error": null, "output": [], "usage": usage(7, 3)}}),
    );
    assert!(matches!(meter.event(&failed), Verdict::Broken(_)));
    assert_eq!(counted(&meter), (7, 3, false));
}

#[test]
fn what_is_none_of_the_dialect_is_hidden_and_the_unknown_passes() {
    let mut meter = meter(500);
    for (event, verdict) in [
        (&b": keep-alive\n\n"[..], Verdict::Pass),
        (b"data: {\"type\":\"response.web_search_call.searching\"}\n\n", Verdict::Pass),
        (b"data: {\"type\":\"response.created\",\"error\":null,\"response\":{\"error\":null}}\r\n\r\n", Verdict::Pass),
        (b"data: {\"choices\":[{\"delta\":{}}]}\n\n", Verdict::Hide),
        (b"data: 7\n\n", Verdict::Hide),
        (b"\xef\xbb\xbfdata: {\"type\":\"response.queued\"}\n\n", Verdict::Without(0..3)),
    ] {
        assert_eq!(meter.event(event), verdict, "{}", String::from_utf8_lossy(event));
    }
    assert_eq!(meter.usage(), Usage::default().as_estimate());
    assert_eq!(meter.event(b"data: [DONE]\n\n"), Verdict::Hide);
    assert!(meter.is_done() && !meter.is_whole() && meter.missing().is_some());
}

#[test]
fn behind_the_end_nothing_passes() {
    let mut meter = passed(
        meter(500),
        &[completed(json!([message("Hi")]), usage(2, 1))],
    );
    for event in [
        b"data: [DONE]\n\n".to_vec(),
        text(0, "more"),
        b"data: {\"error\":{\"message\":\"late\"}}\n\n".to_vec(),
    ] {
        assert_eq!(meter.event(&event), Verdict::Hide);
    }
    assert_eq!(counted(&meter), (2, 1, false));
    assert_eq!(meter.missing(), None);
}

#[test]
fn an_answer_of_nothing_is_none_and_a_refused_one_is() {
    let empty = passed(meter(500), &[begun(), completed(json!([]), Value::Null)]);
    let missing = empty.missing().expect("nothing came");
    assert_eq!(missing.kind, FaultKind::InvalidAnswer);
    let refused = event(
        "response.incomplete",
        json!({"response": {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}, "output": []}}),
    );
    let refused = passed(meter(500), &[begun(), refused]);
    assert!(refused.is_whole() && refused.missing().is_none());
}

/// What a stream that was stopped ends with.
fn stopped(
    mut meter: ResponseMeter,
    before: &[Vec<u8>],
    more: &[u8],
) -> (Vec<Value>, ResponseMeter) {
    for event in before {
        assert_eq!(meter.event(event), Verdict::Pass);
    }
    for _ in 0..1_000 {
        match meter.event(more) {
            Verdict::Pass => {}
            Verdict::Enough(end) => {
                let end = String::from_utf8(end.to_vec()).expect("text");
                let events = end.split_terminator("\n\n").map(|event| {
                    let data = event.split("data: ").nth(1).expect("data");
                    serde_json::from_str(data).expect("JSON")
                });
                return (events.collect(), meter);
            }
            other @ (Verdict::Without(_) | Verdict::Hide | Verdict::Broken(_)) => {
                panic!("{other:?}")
            }
        }
    }
    panic!("it is never enough");
}

#[test]
fn a_stream_that_goes_on_is_ended_as_its_provider_would() {
    let before = [
        begun(),
        added(0, json!({"type": "reasoning", "id": "rs_1", "summary": []})),
        done(
            0,
            json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gA"}),
        ),
        message_added(1),
        event(
            "response.content_part.added",
            json!({"output_index": 1, "content_index": 0, "part": {"type": "output_text", "text": ""}}),
        ),
    ];
    let (events, meter) = stopped(meter(20), &before, &text(1, "word \"x\" "));
    let kinds: Vec<&str> = events
        .iter()
        .filter_map(|event| event["type"].as_str())
        .collect();
    assert_eq!(
        kinds,
        [
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.incomplete",
        ]
    );
    let numbers: Vec<u64> = events
        .iter()
        .filter_map(|event| event["sequence_number"].as_u64())
        .collect();
    assert_eq!(numbers, [5, 6, 7, 8]);
    let response = &events[3]["response"];
    assert_eq!(response["id"], "resp_1");
    assert_eq!(response["model"], "gpt-6-astra");
    assert_eq!(
        response["incomplete_details"]["reason"],
        "max_output_tokens"
    );
    assert_eq!(response["output"][0]["encrypted_content"], "gA");
    assert_eq!(response["output"][1]["status"], "incomplete");
    let text = response["output"][1]["content"][0]["text"]
        .as_str()
        .expect("a text");
    assert!(text.starts_with("word \"x\" word"), "{text}");
    assert_eq!(events[0]["text"], text);
    assert_eq!(response["usage"]["output_tokens"], 20);
    assert!(meter.is_whole() && meter.is_done() && meter.missing().is_none());
    assert!(meter.usage().output_total() > 20);
}

#[test]
fn calls_and_thoughts_that_go_on_are_ended_too() {
    let call = json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": ""});
    let more = event(
        "response.function_call_arguments.delta",
        json!({"output_index": 0, "delta": "[1,2,3,4]"}),
    );
    let (events, _) = stopped(meter(10), &[begun(), added(0, call)], &more);
    assert_eq!(events[0]["type"], "response.function_call_arguments.done");
    let item = &events[1]["item"];
    assert_eq!(
        (&item["call_id"], &item["status"]),
        (&json!("call_1"), &json!("incomplete"))
    );
    let reasoning = json!({"type": "reasoning", "id": "rs_1", "summary": []});
    let more = event(
        "response.reasoning_text.delta",
        json!({"output_index": 0, "content_index": 0, "delta": "again and again "}),
    );
    let (events, _) = stopped(meter(10), &[begun(), added(0, reasoning)], &more);
    let item = &events[2]["item"];
    assert_eq!(item["content"][0]["type"], "reasoning_text");
    // Whoever tells neither where it begins nor what it is is ended all the same.
    let more =
        b"data: {\"type\":\"response.output_text.delta\",\"delta\":\"again and again \"}\n\n";
    let (events, _) = stopped(meter(10), &[], more);
    assert_eq!(events[0]["type"], "response.incomplete");
    assert_eq!(events[0]["response"]["output"], json!([]));
}

#[test]
fn an_event_of_a_megabyte_passes() {
    let picture = format!("data:image/png;base64,{}", "A".repeat(1_500_000));
    let item = json!({"type": "image_generation_call", "id": "ig_1", "result": picture});
    let meter = passed(
        meter(5_000),
        &[
            begun(),
            done(0, item.clone()),
            completed(json!([item]), Value::Null),
        ],
    );
    let (_, output, _) = counted(&meter);
    assert!((1_000..3_000).contains(&output), "{output}");
}

#[test]
fn an_event_that_lacks_its_blank_line_is_whole() {
    let meter = meter(500);
    assert!(meter.is_complete(b"data: {\"type\":\"response.completed\"}\n\n"));
    assert!(!meter.is_complete(b"data: {\"type\":\"response.comple\n\n"));
    assert_eq!(meter.ended_by(b"data: [DONE]\n"), None);
}

proptest! {
    #[test]
    fn any_bytes_are_met_with_a_verdict(
        noise in prop::collection::vec(any::<u8>(), 0..80),
        cut in any::<prop::sample::Index>(),
        kinds in prop::collection::vec(0..8_usize, 0..12),
    ) {
        let mut meter = meter(5);
        let whole = [
            begun(),
            message_added(0),
            text(0, "Hello, hello, hello, hello."),
            text(9, "again and again and again"),
            done(0, message("Hi")),
            added(3, json!({"type": "function_call", "call_id": 7, "name": null})),
            added(0, json!([])),
            completed(json!([message("Hi"), 7, null, {"type": 9}]), usage(3, 900)),
        ];
        for kind in kinds {
            let event = &whole[kind];
            meter.event(&event[..cut.index(event.len())]);
            meter.event(event);
            meter.event(&[&event[..cut.index(event.len())], &noise].concat());
        }
        meter.event(&noise);
        meter.usage();
        meter.missing();
    }
}
