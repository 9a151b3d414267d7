//! Beginnings of streams in every split, and answers that are none.

use futures_util::StreamExt;

use super::*;

const CHUNK: &str = "data: {\"id\":\"x\",\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n";

#[test]
fn the_first_event_with_data_decides() {
    let error = "{\"error\":{\"message\":\"m\"}}";
    let rows: Vec<(String, &str)> = vec![
        (CHUNK.to_owned(), "event"),
        (CHUNK.replace('\n', "\r\n"), "event"),
        (CHUNK.replace('\n', "\r"), "event"),
        (format!("\u{feff}{CHUNK}"), "event"),
        (
            format!(": OPENROUTER PROCESSING\n\n: again\n\n{CHUNK}"),
            "event",
        ),
        (": only comments\n\n".to_owned(), "more"),
        ("event: ping\ndata: \n\n".to_owned(), "more"),
        ("data: {\"choices\":".to_owned(), "more"),
        ("data: {\"choices\":[\ndata: ]}\n".to_owned(), "more"),
        ("data: {\"choices\":[\ndata: ]}\n\n".to_owned(), "event"),
        ("data: [DONE]\n\n".to_owned(), "event"),
        (
            "data:{\"error\":null,\"choices\":[]}\n\n".to_owned(),
            "event",
        ),
        (format!("data: {error}\n\n"), "error"),
        (format!("data:{error}\n"), "error"),
        (
            format!(": wait\n\nevent: error\ndata: {error}\n\n"),
            "error",
        ),
        (
            "event: error\ndata: {\"message\":\"m\",\"choices\":[]}\n\n".to_owned(),
            "error",
        ),
        ("event: error\ndata: overloaded\n\n".to_owned(), "error"),
        (
            "data: { \"id\":\"x\", \"choices\":[], \"error\":{\"code\":502} }\n\n".to_owned(),
            "error",
        ),
        (
            "data: {\"error\":\ndata: {\"message\":\"m\"}}\n\n".to_string(),
            "error",
        ),
        (format!("\n {error}"), "json"),
        ("[{".to_owned(), "json"),
        ("<html>".to_owned(), "page"),
        (String::new(), "more"),
        (" \n".to_owned(), "more"),
    ];
    for (text, expected) in rows {
        let word = match look(text.as_bytes()) {
            Look::More => "more",
            Look::Event => "event",
            Look::Error(_) => "error",
            Look::Json => "json",
            Look::Page => "page",
        };
        assert_eq!(word, expected, "{text:?}");
        if expected == "event" || expected == "error" {
            let first = (0..text.len()).find(|at| look(&text.as_bytes()[..*at]) != Look::More);
            let first = first.map(|at| look(&text.as_bytes()[..at]));
            let same = first.is_none_or(|look| matches!(look, Look::Error(_)) == (word == "error"));
            assert!(same, "no beginning says otherwise: {text:?}");
        }
    }
}

#[test]
fn json_that_is_no_answer_is_refused() {
    let chat = |text: &'static str| judge(&Bytes::from_static(text.as_bytes()), Operation::Chat);
    assert!(chat(r#"{"choices":[{"message":{"content":""}}]}"#).is_ok());
    assert!(chat(r#"{"error":null,"choices":[{}]}"#).is_ok());
    for text in [
        "",
        "{}",
        "[]",
        "null",
        r#"{"choices":null}"#,
        r#"{"choices":[]}"#,
        r#"{"choices":{}}"#,
        "<html>",
        r#"{"choices":[{}]"#,
    ] {
        assert!(matches!(chat(text), Err(NoAnswer::Fault(_))), "{text}");
    }
    for text in [
        r#"{"error":{"message":"m","code":429}}"#,
        r#" {"detail":"no"}"#,
        r#"{"choices":[{}],"error":"late"}"#,
    ] {
        assert!(matches!(chat(text), Err(NoAnswer::Told(_))), "{text}");
    }
    let images = Bytes::from_static(br#"{"created":1,"data":[{"url":"x"}]}"#);
    assert!(judge(&images, Operation::Image).is_ok());
    assert!(judge(&images, Operation::Chat).is_err());
}

#[tokio::test]
async fn a_whole_answer_becomes_a_stream_that_says_the_same() {
    let answer = json!({
        "id": "x", "object": "chat.completion", "created": 7, "model": "m",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "hi \u{6c49}", "reasoning_content": "hm"}, "finish_reason": "stop", "logprobs": null},
            {"index": 1, "message": {"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}, "finish_reason": "tool_calls"},
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 5},
    });
    let bytes = Bytes::from(answer.to_string());
    let Ok(stream) = as_stream(&bytes) else {
        panic!("it can be streamed");
    };
    let pieces: Vec<_> = stream.collect().await;
    let text = String::from_utf8(pieces[0].as_ref().expect("bytes").to_vec()).expect("text");
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
