//! Whole answers: which are ones, what they come to, and their streams.

use super::*;
use crate::dialect::Told;
use crate::link::Bounds;
use crate::units::{Fact, Unit};

fn of() -> Metered {
    Metered {
        input_bytes: 400,
        bounds: Some(Bounds {
            input_estimate: 100,
            input_max: 2_000,
            output_max: 5_000,
        }),
        ..Metered::default()
    }
}

fn message(content: &str, stop: &str, usage: &str) -> String {
    format!(
        r#"{{"id":"msg_01","type":"message","role":"assistant","model":"claude-sonnet-5","content":{content},"stop_reason":{stop},"stop_sequence":null,"usage":{usage}}}"#
    )
}

const SAID: &str = r#"[{"type":"text","text":"Hello."}]"#;

fn counted(json: &str) -> Usage {
    usage(of(), json.as_bytes()).expect("JSON")
}

#[test]
fn every_class_of_tokens_is_counted_once() {
    let told = r#"{"input_tokens":10,"cache_creation_input_tokens":90,"cache_read_input_tokens":600,
        "cache_creation":{"ephemeral_5m_input_tokens":40,"ephemeral_1h_input_tokens":50},
        "output_tokens":30,"output_tokens_details":{"thinking_tokens":20},
        "service_tier":"Priority","inference_geo":"us","server_tool_use":{"web_search_requests":2,"web_fetch_requests":1}}"#;
    let counted = counted(&message(SAID, "\"end_turn\"", told));
    let measures: Vec<(Unit, u64)> = counted.measures().collect();
    assert_eq!(
        measures,
        [
            (Unit::InputToken, 10),
            (Unit::CachedInputToken, 600),
            (Unit::CacheWriteToken, 40),
            (Unit::CacheWriteLongToken, 50),
            (Unit::OutputToken, 10),
            (Unit::ReasoningToken, 20),
            (Unit::Search, 2),
        ]
    );
    assert_eq!(counted.facts.get(Fact::Tier), Some("priority"));
    assert!(!counted.estimated && !counted.capped);
}

#[test]
fn what_is_not_told_is_estimated_by_what_is_said() {
    let classes = |json: &str| {
        let counted = counted(json);
        let (input, output) = (counted.input_total(), counted.output_total());
        (input, output, counted.estimated)
    };
    for (content, usage, expected) in [
        (SAID, "null", (100, 2, true)),
        (
            SAID,
            r#"{"input_tokens":0,"output_tokens":0}"#,
            (100, 2, true),
        ),
        (
            SAID,
            r#"{"input_tokens":12.0,"output_tokens":"3"}"#,
            (12, 3, false),
        ),
        (
            r#"[{"type":"thinking","thinking":"Let me see it.","signature":"x"},{"type":"tool_use","id":"t","name":"f","input":{"city":"Oslo"}}]"#,
            "{}",
            (100, 8, true),
        ),
        // A cache was warmed, or the model had nothing to add.
        (
            "[]",
            r#"{"input_tokens":12,"output_tokens":0}"#,
            (12, 0, false),
        ),
        (
            "[]",
            r#"{"input_tokens":12,"output_tokens":3}"#,
            (12, 3, false),
        ),
    ] {
        let json = message(content, "\"end_turn\"", usage);
        assert_eq!(classes(&json), expected, "{content} {usage}");
    }
    for nothing in [
        "{}",
        r#"{"content":[],"stop_reason":null,"usage":{"input_tokens":7}}"#,
        r#"{"usage":{"input_tokens":7,"output_tokens":7}}"#,
    ] {
        assert!(counted(nothing).is_nothing(), "{nothing}");
    }
    for nonsense in ["<html>", "", "[]", "null", "{\"content\":", "{} x"] {
        assert!(usage(of(), nonsense.as_bytes()).is_err(), "{nonsense}");
    }
}

#[test]
fn errors_and_pages_are_no_answers() {
    let told = |json: &str| judge(json.as_bytes());
    let usage = r#"{"input_tokens":1,"output_tokens":1}"#;
    for answer in [
        message(SAID, "\"end_turn\"", usage),
        message("[]", "\"end_turn\"", usage),
        message("[]", "\"refusal\"", usage),
        format!("\n\n  {}", message(SAID, "null", usage)),
        message(SAID, "\"end_turn\"", "null").replace("{\"id\"", "{\"error\":null,\"id\""),
    ] {
        assert_eq!(told(&answer), Judged::Answer, "{answer}");
    }
    let error = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}"#;
    let expected = Told {
        message: "Overloaded".to_owned(),
        kind: Some("overloaded_error".to_owned()),
        ..Told::default()
    };
    assert_eq!(told(error), Judged::Error(Box::new(expected)));
    assert!(matches!(told("{\"type\":\"error\"}"), Judged::Error(_)));
    for nonsense in [
        "<html>",
        "",
        "{}",
        "[]",
        "{\"content\":[]}",
        "{\"content\":[1]",
    ] {
        assert!(matches!(told(nonsense), Judged::Nonsense(_)), "{nonsense}");
    }
}

#[test]
fn a_whole_answer_becomes_a_stream_that_says_the_same() {
    let content = r#"[{"type":"thinking","thinking":"Hm.","signature":"EqQB"},
        {"type":"text","text":"It is \u6c49.","citations":[{"type":"char_location","cited_text":"x","document_index":0,"start_char_index":0,"end_char_index":1,"document_title":null}]},
        {"type":"redacted_thinking","data":"EmwK"},
        {"type":"tool_use","id":"toolu_1","name":"f","input":{"z":1,"a":[2]}}]"#;
    let usage = r#"{"input_tokens":3,"output_tokens":5}"#;
    let stream = as_stream(message(content, "\"tool_use\"", usage).as_bytes()).expect("a stream");
    let text = String::from_utf8(stream.to_vec()).expect("text");
    let events: Vec<Value> = text
        .split_terminator("\n\n")
        .map(|event| {
            let (name, data) = event.split_once("\ndata: ").expect("two lines");
            let data: Value = serde_json::from_str(data).expect("JSON");
            assert_eq!(name.strip_prefix("event: "), data["type"].as_str());
            data
        })
        .collect();
    assert_eq!(events[0]["message"]["content"], json!([]));
    assert_eq!(events[0]["message"]["stop_reason"], Value::Null);
    assert_eq!(events[0]["message"]["usage"]["input_tokens"], 3);
    let deltas: Vec<&Value> = events
        .iter()
        .filter_map(|event| event.get("delta"))
        .collect();
    assert_eq!(
        deltas[0],
        &json!({"type": "thinking_delta", "thinking": "Hm."})
    );
    assert_eq!(
        deltas[1],
        &json!({"type": "signature_delta", "signature": "EqQB"})
    );
    assert_eq!(
        deltas[2],
        &json!({"type": "text_delta", "text": "It is \u{6c49}."})
    );
    assert_eq!(deltas[3]["citation"]["type"], "char_location");
    assert_eq!(
        deltas[4],
        &json!({"type": "input_json_delta", "partial_json": r#"{"z":1,"a":[2]}"#}),
        "fields stay in the model's order"
    );
    assert_eq!(
        deltas[5],
        &json!({"stop_reason": "tool_use", "stop_sequence": null})
    );
    assert_eq!(
        events[events.len() - 2]["usage"],
        json!({"input_tokens": 3, "output_tokens": 5})
    );
    assert!(stream.ends_with(STOP));
    for none in ["{}", "[]", "", r#"{"content":7}"#, r#"{"content":[1]}"#] {
        assert_eq!(as_stream(none.as_bytes()), None, "{none}");
    }
}
