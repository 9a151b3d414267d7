//! Whole answers, beginnings and ends of streams, and refusals, as Google's clients read them.

use proptest::prelude::*;

use super::*;
use crate::link::Bounds;
use crate::units::{Fact, Unit};

pub(super) fn of() -> Metered {
    Metered {
        show_usage: true,
        echoed: 0,
        searches: crate::dialect::Searches::default(),
        input_bytes: 400,
        bounds: Some(Bounds {
            input_estimate: 100,
            input_max: 2_000,
            output_max: 5_000,
        }),
    }
}

const ANSWER: &str = r#"{
  "candidates": [
    {
      "content": {
        "parts": [
          {"text": "I think.", "thought": true},
          {"text": "Hello."}
        ],
        "role": "model"
      },
      "finishReason": "STOP",
      "index": 0
    }
  ],
  "usageMetadata": {
    "promptTokenCount": 8, "candidatesTokenCount": 2, "thoughtsTokenCount": 30, "totalTokenCount": 40,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 8}], "trafficType": "ON_DEMAND_FLEX"
  },
  "modelVersion": "gemini-3.8-flash",
  "responseId": "r1"
}
"#;

fn counts(answer: &str) -> (u64, u64, u64, bool) {
    let usage = GEMINI.usage(of(), answer.as_bytes()).expect("JSON");
    (
        usage.count(Unit::InputToken),
        usage.count(Unit::OutputToken),
        usage.count(Unit::ReasoningToken),
        usage.estimated,
    )
}

#[test]
fn a_whole_answer_is_counted_by_what_it_tells_and_else_by_what_it_says() {
    assert_eq!(counts(ANSWER), (8, 2, 30, false));
    let usage = GEMINI.usage(of(), ANSWER.as_bytes()).expect("JSON");
    assert_eq!(usage.facts.get(Fact::Tier), Some("flex"));
    let said = |usage: &str| {
        format!(
            r#"{{"candidates":[{{"content":{{"parts":[{{"text":"Hello.","thoughtSignature":"AAAA"}}]}},"finishReason":"STOP"}}]{usage}}}"#
        )
    };
    assert_eq!(counts(&said("")), (100, 2, 0, true));
    assert_eq!(
        counts(&said(
            r#","usageMetadata":{"promptTokenCount":0,"totalTokenCount":0}"#
        )),
        (100, 2, 0, true)
    );
    assert_eq!(
        counts(&said(
            r#","usageMetadata":{"promptTokenCount":7.0,"candidatesTokenCount":"3","serviceTier":null}"#
        )),
        (7, 3, 0, false)
    );
    let image = r#"{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}}]}"#;
    assert_eq!(counts(image), (100, 1_290, 0, true));
    for nothing in [
        "{}",
        r#"{"candidates":[]}"#,
        r#"{"usageMetadata":{"promptTokenCount":7}}"#,
    ] {
        let usage = GEMINI.usage(of(), nothing.as_bytes()).expect("JSON");
        assert!(usage.is_nothing(), "{nothing}");
    }
    for nonsense in ["<html>", "", "[]", "null", "{\"candidates\":", "{} x"] {
        assert!(
            GEMINI.usage(of(), nonsense.as_bytes()).is_err(),
            "{nonsense}"
        );
    }
}

#[test]
fn a_success_is_one_where_there_are_candidates() {
    let is = |answer: &str| GEMINI.judge(answer.as_bytes());
    for good in [
        ANSWER,
        r#"{"candidates":[{"finishReason":"SAFETY","index":0}],"usageMetadata":{"promptTokenCount":7}}"#,
        r#"{"candidates":[{"content":{}}],"promptFeedback":{"blockReason":"BLOCKED_REASON_UNSPECIFIED"}}"#,
        "\u{feff}{\"candidates\":[{}]}",
    ] {
        assert_eq!(is(good), Judged::Answer, "{good}");
    }
    let blocked = r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT","safetyRatings":[]},"usageMetadata":{"promptTokenCount":7}}"#;
    let Judged::Error(told) = is(blocked) else {
        panic!("not refused");
    };
    assert_eq!(told.code.as_deref(), Some("content_filter"));
    assert!(
        told.message.contains("PROHIBITED_CONTENT"),
        "{}",
        told.message
    );
    for error in [
        r#"{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#,
        r#"[{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}]"#,
    ] {
        let Judged::Error(told) = is(error) else {
            panic!("{error}");
        };
        assert_eq!(told.status, Some(503));
    }
    for nonsense in [
        "{}",
        "[]",
        "<html>",
        "",
        r#"{"candidates":null}"#,
        r#"{"choices":[{}]}"#,
    ] {
        assert!(matches!(is(nonsense), Judged::Nonsense(_)), "{nonsense}");
    }
}

#[test]
fn the_beginning_of_a_stream_says_whether_it_is_one() {
    let look = |seen: &str| GEMINI.look(seen.as_bytes());
    let event = r#"{"candidates":[{"content":{"parts":[{"text":"H"}]}}]}"#;
    assert_eq!(look(&format!("data: {event}\r\n\r\n")), Look::Event);
    assert_eq!(look("data: {\"candidates\""), Look::More);
    assert_eq!(look(&format!("[{event}\n,")), Look::Whole);
    assert_eq!(look("<!doctype html>"), Look::Page);
    let blocked =
        r#"{"promptFeedback": {"blockReason": "SAFETY"},"usageMetadata": {"promptTokenCount": 7}}"#;
    let Look::Error(told) = look(&format!("data: {blocked}\r\n\r\n")) else {
        panic!("not refused");
    };
    assert_eq!(told.code.as_deref(), Some("content_filter"));
    let error = "data: {\"error\":{\"code\":429,\"status\":\"RESOURCE_EXHAUSTED\"}}\r\n\r\n";
    assert!(matches!(look(error), Look::Error(_)));
}

#[test]
fn a_whole_answer_becomes_a_stream_of_one_event() {
    let stream = GEMINI.as_stream(ANSWER.as_bytes()).expect("a stream");
    let text = std::str::from_utf8(&stream).expect("UTF-8");
    assert_eq!(text.lines().filter(|line| !line.is_empty()).count(), 1);
    let json: serde_json::Value =
        serde_json::from_str(text.strip_prefix("data: ").expect("an event")).expect("JSON");
    assert_eq!(
        json,
        serde_json::from_str::<serde_json::Value>(ANSWER).expect("JSON")
    );
    assert!(GEMINI.ends(&stream));
    for nothing in ["{}", "[]", r#"{"candidates":[]}"#, "{"] {
        assert_eq!(GEMINI.as_stream(nothing.as_bytes()), None, "{nothing}");
    }
}

#[test]
fn a_stream_ends_with_a_reason() {
    let event = |rest: &str| {
        format!(
            "data: {{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":\"finish\"}}]}}{rest}}}]}}"
        )
    };
    let (more, end) = (event(""), event(",\"finishReason\":\"STOP\""));
    for (bytes, ends) in [
        (format!("{end}\r\n\r\n"), true),
        (format!("{more}\n\n{end}\n\n"), true),
        (format!("{more}\n\n{end}\n\n\n\n"), true),
        (
            format!("{end}\n\ndata: {{\"usageMetadata\":{{}}}}\n\n"),
            true,
        ),
        (format!("{end}\n\n{more}\n\n"), false),
        (format!("{more}\n\n"), false),
        (
            event(",\"finishReason\":\"FINISH_REASON_UNSPECIFIED\"") + "\n\n",
            false,
        ),
        (String::new(), false),
        ("\n\n".to_owned(), false),
    ] {
        assert_eq!(GEMINI.ends(bytes.as_bytes()), ends, "{bytes}");
    }
    assert_eq!(GEMINI.end(), b"");
}

#[test]
fn refusals_are_googles() {
    let told = ErrorText {
        status: 402,
        kind: "insufficient_quota",
        code: Some("insufficient_credits"),
        param: None,
        message: "No \"credits\" left.",
    };
    let json = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).expect("JSON");
    assert_eq!(
        json(&GEMINI.error(told)),
        serde_json::json!({"error": {
            "code": 402, "message": "No \"credits\" left.", "status": "RESOURCE_EXHAUSTED",
            "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "INSUFFICIENT_CREDITS"}]
        }})
    );
    let wrong = ErrorText {
        status: 400,
        code: None,
        param: Some("contents"),
        message: "wrong",
        ..told
    };
    let error = json(&GEMINI.error(wrong));
    assert_eq!(error["error"]["status"], "INVALID_ARGUMENT");
    assert_eq!(
        error["error"]["details"][0]["fieldViolations"][0]["field"],
        "contents"
    );
    for (status, word) in [
        (401, "UNAUTHENTICATED"),
        (404, "NOT_FOUND"),
        (429, "RESOURCE_EXHAUSTED"),
        (500, "INTERNAL"),
        (503, "UNAVAILABLE"),
        (422, "INVALID_ARGUMENT"),
    ] {
        let error = json(&GEMINI.error(ErrorText { status, ..wrong }));
        assert_eq!(error["error"]["status"], word);
    }
    // An event for clients that read events, and bare for those that look for it there.
    let event = GEMINI.error_event(told);
    let text = std::str::from_utf8(&event).expect("UTF-8");
    let (first, bare) = text.split_once("\n\n").expect("two");
    let first = first.strip_prefix("data: ").expect("an event");
    assert!(
        first.starts_with("{\"error\":"),
        "clients look for these bytes"
    );
    assert_eq!(first, bare.trim_end());
    assert!(matches!(
        GEMINI.meter(of()).event(&event),
        crate::dialect::Verdict::Broken(_)
    ));
    assert_eq!(GEMINI.keep_alive().as_deref(), Some(&b"\n\n"[..]));
}

proptest! {
    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..120), at in 0_usize..600, byte in any::<u8>()) {
        let mut broken = ANSWER.as_bytes().to_vec();
        let place = at % broken.len();
        broken[place] = byte;
        for bytes in [&bytes, &broken, &broken[..place].to_vec()] {
            let _ = GEMINI.read(&Head { model: Some("m".to_owned()), ..Head::default() }, &Body::Json(bytes.clone().into()));
            let _ = GEMINI.forwarded(&bytes.clone().into(), Forward { model: "m", asks_usage: true, quirks: crate::dialect::Quirks::default(), end_user: None });
            let _ = GEMINI.usage(of(), bytes);
            let _ = (GEMINI.judge(bytes), GEMINI.look(bytes), GEMINI.as_stream(bytes), GEMINI.ends(bytes));
            let event = [b"data: ", &bytes[..], b"\n\n"].concat();
            let mut meter = GEMINI.meter(of());
            let _ = (meter.event(&event), meter.event(bytes), meter.is_complete(&event), meter.usage(), meter.missing());
            let _ = (GEMINI.look(&event), GEMINI.ends(&event));
        }
    }
}
