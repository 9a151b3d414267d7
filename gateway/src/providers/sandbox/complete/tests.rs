//! Prompts of every form, whole and streamed.

use futures_util::StreamExt;
use shared::link::Operation;

use super::*;
use crate::fixture;
use crate::providers::AnswerBody;

fn call(body: &Value, stream: bool) -> Call {
    Call {
        stream,
        show_usage: true,
        headers: Vec::new(),
        ..fixture::call(Operation::Completion, body.to_string())
    }
}

async fn whole(body: &Value) -> Value {
    let Ok(Answer {
        body: AnswerBody::Whole(bytes),
        ..
    }) = complete(&call(body, false), "m").await
    else {
        panic!("{body} has no whole answer");
    };
    serde_json::from_slice(&bytes).expect("JSON")
}

/// The texts of a stream by choice, why each ended, and the usage.
async fn merged(body: &Value) -> (Vec<(String, String)>, Value) {
    let Ok(Answer {
        body: AnswerBody::Stream(mut bytes),
        ..
    }) = complete(&call(body, true), "m").await
    else {
        panic!("{body} has no stream");
    };
    let (mut choices, mut usage) = (Vec::new(), Value::Null);
    while let Some(event) = bytes.next().await {
        let event = event.expect("an event");
        let text = std::str::from_utf8(&event).expect("text");
        let data = text.strip_prefix("data: ").expect("data").trim_end();
        if data == "[DONE]" {
            return (choices, usage);
        }
        let chunk: Value = serde_json::from_str(data).expect("JSON");
        assert_eq!(chunk["object"], "text_completion");
        for choice in chunk["choices"].as_array().expect("choices") {
            let index = usize::try_from(choice["index"].as_u64().expect("index")).expect("small");
            if choices.len() <= index {
                choices.resize(index + 1, (String::new(), String::new()));
            }
            choices[index].0 += choice["text"].as_str().expect("text");
            choices[index].1 += choice["finish_reason"].as_str().unwrap_or_default();
        }
        if chunk["choices"] == json!([]) {
            usage = chunk["usage"].clone();
        }
    }
    panic!("the stream has no end");
}

#[tokio::test]
async fn a_stream_says_what_the_whole_answer_says() {
    for body in [
        json!({"prompt": "Once upon a time"}),
        json!({"prompt": ["a", "b"], "n": 2, "echo": true, "max_tokens": 3}),
        json!({"prompt": [1, 2, 3], "stop": " box"}),
        json!({"prompt": [[1, 2], [3]], "max_tokens": 1, "echo": true}),
    ] {
        let answer = whole(&body).await;
        let choices = answer["choices"].as_array().expect("choices");
        let told: Vec<(String, String)> = choices
            .iter()
            .map(|choice| {
                let word = |name: &str| choice[name].as_str().expect(name).to_owned();
                (word("text"), word("finish_reason"))
            })
            .collect();
        let streamed = merged(&body).await;
        assert_eq!(streamed, (told, answer["usage"].clone()), "{body}");
    }
}

#[tokio::test]
async fn what_is_asked_for_is_what_is_counted() {
    let answer =
        whole(&json!({"prompt": ["abcd", "efgh"], "n": 2, "max_tokens": 3, "echo": true})).await;
    assert_eq!(answer["choices"].as_array().map(Vec::len), Some(4));
    assert_eq!(answer["choices"][2]["text"], "efghThe sand box");
    assert_eq!(answer["choices"][2]["finish_reason"], "length");
    assert_eq!(
        answer["usage"],
        json!({"prompt_tokens": 2, "completion_tokens": 12, "total_tokens": 14})
    );
    for wrong in [
        json!({"prompt": []}),
        json!({"prompt": "a", "n": 129}),
        json!({"prompt": {}}),
    ] {
        let refusal = complete(&call(&wrong, false), "m").await.err();
        assert!(
            refusal.is_some_and(|refusal| refusal.caller.is_some()),
            "{wrong}"
        );
    }
}
