//! What is read of a chat, what is wrong with one, and where its maximum goes.

use super::super::body::Body;
use super::super::{Dialect, Head, Output};
use super::*;
use crate::units::{Fact, Unit};

fn read(body: &str) -> Result<Asked, BadBody> {
    OPENAI_CHAT.read(&Head::default(), &Body::of_json(body))
}

#[test]
fn a_chat_is_read_without_its_messages() {
    let body = r#"{"messages":[{"role":"user","content":"hi"}],"model":"m","stream":true,"n":2,
        "stream_options":{"include_usage":true},"max_tokens":7,"service_tier":"flex"}"#;
    let asked = read(body).expect("valid");
    assert_eq!(
        (asked.model.as_str(), asked.stream, asked.show_usage),
        ("m", true, true)
    );
    assert_eq!((asked.answers, asked.output), (2, Output::UpTo(Some(7))));
    assert!(asked.input_estimate <= asked.bounds.count(Unit::InputToken));
    assert_eq!(asked.bounds.facts.get(Fact::Tier), Some("flex"));
    assert_eq!(
        asked.open,
        [Fact::Tier],
        "what it is served at is another matter"
    );
}

#[test]
fn wrong_types_and_absurd_numbers_name_their_field() {
    for (body, param) in [
        (r#"{"messages":[1]}"#, Some("model")),
        (r#"{"model":7,"messages":[1]}"#, Some("model")),
        (r#"{"model":"m","messages":[ ]}"#, Some("messages")),
        (r#"{"model":"m","messages":"hi"}"#, Some("messages")),
        (r#"{"model":"m"}"#, Some("messages")),
        (r#"{"model":"m","messages":[1],"n":0}"#, Some("n")),
        (r#"{"model":"m","messages":[1],"n":-1}"#, Some("n")),
        (
            r#"{"model":"m","messages":[1],"n":18446744073686646784}"#,
            Some("n"),
        ),
        (
            r#"{"model":"m","messages":[1],"max_tokens":1.5}"#,
            Some("max_tokens"),
        ),
        (
            r#"{"model":"m","messages":[1],"max_tokens":1e3}"#,
            Some("max_tokens"),
        ),
        (
            r#"{"model":"m","messages":[1],"stream":"yes"}"#,
            Some("stream"),
        ),
        (
            r#"{"model":"m","messages":[1],"stream":true,"stream_options":7}"#,
            Some("stream_options"),
        ),
        (r#"{"model":"m","messages":[1]"#, None),
    ] {
        let wrong = read(body).expect_err(body);
        assert_eq!(wrong.param, param, "{body}");
    }
}

#[test]
fn the_maximum_is_lowered_in_the_field_that_was_used() {
    let lowered = |fields: &'static str| {
        let body = format!("{{{fields}\"model\":\"m\",\"messages\":[1]}}");
        let asked = read(&body).expect("valid");
        let out = OPENAI_CHAT.with_maximum(&Bytes::from(body), &asked, 5);
        let out = String::from_utf8(out.to_vec()).expect("text");
        let _: Value = serde_json::from_str(&out).expect("JSON");
        out.replace("\"model\":\"m\",\"messages\":[1]}", "")
    };
    for (before, after) in [
        (r#""max_tokens":9,"#, r#"{"max_tokens":5,"#),
        (
            r#""max_completion_tokens":9,"#,
            r#"{"max_completion_tokens":5,"#,
        ),
        (r#""a":1,"#, r#"{"max_tokens":5,"a":1,"#),
        (
            r#""max_tokens":9,"max_completion_tokens":7,"a":1,"#,
            r#"{"max_tokens":5,"a":1,"#,
        ),
        (
            r#""max_completion_tokens":7,"max_tokens":9,"#,
            r#"{"max_tokens":5,"#,
        ),
        (
            r#""max_tokens":null,"max_completion_tokens":7,"#,
            r#"{"max_completion_tokens":5,"#,
        ),
        (
            r#""max_tokens":9,"max_completion_tokens":null,"#,
            r#"{"max_tokens":5,"#,
        ),
    ] {
        assert_eq!(lowered(before), after, "{before}");
    }
}

#[test]
fn of_two_maxima_the_larger_is_held_for() {
    let both = r#"{"model":"m","messages":[1],"max_tokens":9,"max_completion_tokens":700}"#;
    let asked = read(both).expect("valid");
    assert_eq!(asked.output, Output::UpTo(Some(700)));
    assert!(asked.maxima.are_several());
    let one = r#"{"model":"m","messages":[1],"max_tokens":9,"max_completion_tokens":null}"#;
    let asked = read(one).expect("valid");
    assert_eq!(asked.output, Output::UpTo(Some(9)));
    assert!(!asked.maxima.are_several());
}

#[test]
fn a_field_that_changes_the_bill_or_its_twin_is_named() {
    for (body, param) in [
        (
            r#"{"model":"m","messages":[1],"service_tier":"priority"}"#,
            "service_tier",
        ),
        (
            r#"{"model":"m","messages":[1],"Max_Tokens":100000}"#,
            "max_tokens",
        ),
        (r#"{"model":"m","messages":[1],"best_of":3}"#, "best_of"),
    ] {
        let refused = read(body).expect_err(body);
        assert_eq!(refused.param, Some(param));
    }
}

#[test]
fn a_whole_answer_becomes_a_stream_that_says_the_same() {
    let answer = json!({
        "id": "x", "object": "chat.completion", "created": 7, "model": "m",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "hi \u{6c49}", "reasoning_content": "hm"}, "finish_reason": "stop", "logprobs": null},
            {"index": 1, "message": {"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}, "finish_reason": "tool_calls"},
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 5},
    });
    let stream = as_stream(answer.to_string().as_bytes()).expect("it can be streamed");
    let text = String::from_utf8(stream.to_vec()).expect("text");
    let events: Vec<&str> = text
        .split_terminator("\n\n")
        .map(|event| event.strip_prefix("data: ").expect("data"))
        .collect();
    assert_eq!(events.last(), Some(&"[DONE]"));
    let chunks: Vec<Value> = events[..events.len() - 1]
        .iter()
        .map(|text| serde_json::from_str(text).expect("JSON"))
        .collect();
    assert_eq!(chunks.len(), 5);
    assert!(
        chunks
            .iter()
            .all(|chunk| chunk["object"] == "chat.completion.chunk")
    );
    assert_eq!(
        chunks[0]["choices"][0]["delta"],
        answer["choices"][0]["message"]
    );
    assert_eq!(
        chunks[1]["choices"][0]["delta"]["tool_calls"][0]["index"],
        0
    );
    assert_eq!(chunks[2]["choices"][0]["finish_reason"], "stop");
    assert_eq!(chunks[3]["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(chunks[4]["usage"], answer["usage"]);
}
