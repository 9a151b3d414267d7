//! The sandbox as a tenant's agent sees it: tools, formats, stops, and long streams.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::{Value, json};
use shared::link::Operation;

use super::*;
use crate::fixture;
use crate::providers::AnswerBody;

fn call(body: &Value, stream: bool) -> Call {
    Call {
        stream,
        ..fixture::call(Operation::Chat, body.to_string())
    }
}

async fn whole(mut body: Value) -> Value {
    body["messages"] = body.get("messages").cloned().unwrap_or_else(said);
    let Ok(Answer {
        body: AnswerBody::Whole(bytes),
        ..
    }) = chat(&call(&body, false), "sandbox-chat").await
    else {
        panic!("{body} has no whole answer");
    };
    serde_json::from_slice(&bytes).expect("JSON")
}

fn said() -> Value {
    json!([{"role": "user", "content": "hello"}])
}

async fn refused(mut body: Value) -> Option<String> {
    body["messages"] = said();
    let answer = chat(&call(&body, false), "sandbox-chat").await;
    answer.err()?.caller?.param
}

/// A choice's text, its calls by name and arguments, and why it ended.
type Merged = (String, Vec<(String, String)>, String);

/// The deltas of a stream, merged as clients do, per choice.
async fn merged(body: &Value) -> Vec<Merged> {
    let Ok(Answer {
        body: AnswerBody::Stream(mut events),
        ..
    }) = chat(&call(body, true), "sandbox-chat").await
    else {
        panic!("{body} has no stream");
    };
    let mut choices: Vec<Merged> = Vec::new();
    while let Some(event) = events.next().await {
        let event = event.expect("an event");
        let text = std::str::from_utf8(&event).expect("text");
        let data = text.strip_prefix("data: ").expect("data").trim_end();
        if data == "[DONE]" {
            return choices;
        }
        let chunk: Value = serde_json::from_str(data).expect("JSON");
        for choice in chunk["choices"].as_array().expect("choices") {
            let at = usize::try_from(choice["index"].as_u64().expect("an index")).expect("small");
            choices.resize(choices.len().max(at + 1), Default::default());
            let (content, calls, finish) = &mut choices[at];
            content.push_str(choice["delta"]["content"].as_str().unwrap_or_default());
            for part in choice["delta"]["tool_calls"]
                .as_array()
                .into_iter()
                .flatten()
            {
                let at = usize::try_from(part["index"].as_u64().expect("an index")).expect("small");
                calls.resize(calls.len().max(at + 1), Default::default());
                calls[at]
                    .0
                    .push_str(part["function"]["name"].as_str().unwrap_or_default());
                let more = part["function"]["arguments"].as_str().unwrap_or_default();
                calls[at].1.push_str(more);
            }
            finish.push_str(choice["finish_reason"].as_str().unwrap_or_default());
        }
    }
    panic!("the stream has no [DONE]");
}

fn weather() -> Value {
    json!([
        {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}},
        {"type": "function", "function": {"name": "clock"}}
    ])
}

#[tokio::test]
async fn tools_are_called_until_their_result_is_there() {
    let asked = json!({"messages": [{"role": "user", "content": "weather and clock please"}], "tools": weather(), "stream": true});
    let answer = whole(asked.clone()).await;
    let message = &answer["choices"][0]["message"];
    assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(message["content"], Value::Null);
    assert_eq!(message["tool_calls"][0]["function"]["name"], "weather");
    assert_eq!(
        message["tool_calls"][0]["function"]["arguments"],
        "{\"city\":\"sandbox\"}"
    );
    assert_eq!(message["tool_calls"][1]["function"]["name"], "clock");
    let streamed = merged(&asked).await;
    assert_eq!(
        streamed[0].1,
        [
            ("weather".to_owned(), "{\"city\":\"sandbox\"}".to_owned()),
            ("clock".to_owned(), "{}".to_owned())
        ]
    );
    assert_eq!(streamed[0].2, "tool_calls");
    let one =
        json!({"messages": asked["messages"], "tools": weather(), "parallel_tool_calls": false});
    let one = whole(one).await;
    assert_eq!(
        one["choices"][0]["message"]["tool_calls"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    let forced = json!({"tools": weather(), "tool_choice": {"type": "function", "function": {"name": "clock"}}});
    let forced = whole(forced).await;
    assert_eq!(
        forced["choices"][0]["message"]["tool_calls"][0]["function"]["name"],
        "clock"
    );
    let back = json!({"messages": [{"role": "tool", "tool_call_id": "x", "content": "20 degrees"}], "tools": weather()});
    assert_eq!(whole(back).await["choices"][0]["finish_reason"], "stop");
    let none = json!({"tools": weather(), "tool_choice": "none"});
    assert!(whole(none).await["choices"][0]["message"]["content"].is_string());
}

#[tokio::test]
async fn formats_stops_and_probabilities_are_as_asked_for() {
    let schema = json!({"type": "object", "properties": {"ok": {"type": "boolean"}}});
    let answer = whole(json!({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}})).await;
    assert_eq!(answer["choices"][0]["message"]["content"], "{\"ok\":true}");
    let answer = whole(json!({"response_format": {"type": "json_object"}})).await;
    let text = answer["choices"][0]["message"]["content"]
        .as_str()
        .expect("text");
    assert!(
        serde_json::from_str::<Value>(text)
            .expect("JSON")
            .is_object()
    );
    let answer = whole(json!({"stop": [" says"], "logprobs": true, "top_logprobs": 2})).await;
    let choice = &answer["choices"][0];
    assert_eq!(choice["message"]["content"], "The sand box");
    assert_eq!(choice["finish_reason"], "stop");
    assert_eq!(
        choice["logprobs"]["content"].as_array().map(Vec::len),
        Some(3)
    );
    assert_eq!(
        choice["logprobs"]["content"][0]["top_logprobs"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    assert_eq!(answer["usage"]["completion_tokens"], 3);
    for (body, param) in [
        (json!({"n": 0}), "n"),
        (json!({"n": 129}), "n"),
        (json!({"stop": [1]}), "stop"),
        (json!({"stop": ["a", "b", "c", "d", "e"]}), "stop"),
        (json!({"top_logprobs": 1}), "top_logprobs"),
        (
            json!({"response_format": {"type": "yaml"}}),
            "response_format",
        ),
        (json!({"response_format": 7}), "response_format"),
        (json!({"tools": [{"type": "function"}]}), "tools"),
        (
            json!({"tools": weather(), "tool_choice": {"function": {"name": "no"}}}),
            "tool_choice",
        ),
    ] {
        assert_eq!(
            refused(body.clone()).await.as_deref(),
            Some(param),
            "{body}"
        );
    }
}

#[tokio::test]
async fn people_are_answered_and_requests_that_measure_get_the_sentence() {
    let asked = |text: &str| json!([{"role": "system", "content": "Be kind."}, {"role": "user", "content": text}]);
    let text = async |body: Value| -> String {
        let answer = whole(body).await;
        let content = &answer["choices"][0]["message"]["content"];
        content.as_str().expect("a text").to_owned()
    };
    let told = text(json!({"messages": asked("Tell me of the tide.")})).await;
    assert!(told.contains("**Tell me of the tide**"), "{told}");
    assert!(told.contains("“Be kind”"), "{told}");
    let streamed = json!({"messages": asked("Tell me of the tide."), "stream": true});
    assert_eq!(merged(&streamed).await[0].0, told);
    let shortened =
        whole(json!({"messages": asked("Tell me of the tide."), "max_tokens": 3})).await;
    assert_eq!(shortened["choices"][0]["finish_reason"], "length");
    assert_eq!(shortened["usage"]["completion_tokens"], 3);
    for (body, tokens) in [
        (json!({"messages": asked("hello [tokens:5]")}), 5),
        (json!({"messages": asked("hello [delay:1]")}), 24),
        (json!({"n": 2}), 48),
        (json!({"logprobs": true}), 24),
        (json!({"stop": "nowhere"}), 24),
        (
            json!({"messages": [{"role": "user", "content": "x"}, {"role": "tool", "content": "20 degrees"}]}),
            24,
        ),
    ] {
        let answer = whole(body.clone()).await;
        let content = answer["choices"][0]["message"]["content"].as_str();
        assert!(
            content.expect("a text").starts_with("The sand box"),
            "{body}"
        );
        assert_eq!(answer["usage"]["completion_tokens"], tokens, "{body}");
    }
}

/// 2026-11: eight choices of 100,000 tokens were made before the first byte and stopped the server.
#[tokio::test]
async fn a_long_stream_begins_at_once_and_leaves_room_for_others() {
    let body = json!({"messages": [{"role": "user", "content": "[tokens:100000]"}], "n": 8});
    let begun = Instant::now();
    let Ok(Answer {
        body: AnswerBody::Stream(mut events),
        ..
    }) = chat(&call(&body, true), "sandbox-chat").await
    else {
        panic!("no stream");
    };
    assert!(events.next().await.is_some());
    assert!(
        begun.elapsed() < Duration::from_millis(200),
        "{:?}",
        begun.elapsed()
    );
    // Somebody else on the same thread comes between, though nobody waits for anything.
    let mut turns = 0;
    tokio::select! {
        biased;
        () = async { while events.next().await.is_some() { turns += 1; } } => {}
        () = async {} => {}
    }
    assert!(turns < 1_000, "{turns} events before anybody else's turn");
    let mut count = 0;
    while events.next().await.is_some() {
        count += 1;
    }
    assert!(count <= TOKENS_MAX + 100, "{count} events");
}
