//! What streams say of their usage, where and how often, and what is charged for it.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{NONE, passes};
use crate::case::case;
use crate::fake::bodies::{
    DONE, chunk, event, finish, good_stream, sse, text, two_credits, usage, well,
};
use crate::fake::{always, on};
use crate::world::{Shape, everywhere};

#[test]
fn s01_a_usage_chunk_without_choices_is_hidden_unless_asked_for_and_charged_either_way() {
    everywhere(async |shape| {
        let case = case(shape, vec![always(good_stream())]).start().await;
        let plain = case.stream(&NONE).await;
        plain.is_whole();
        assert_eq!(plain.content(), "all well");
        assert!(!plain.text.contains("prompt_tokens"), "{}", plain.text);
        let asked = json!({"stream_options": {"include_usage": true}});
        let asked = case.stream(&asked).await;
        asked.is_whole();
        let told = asked
            .events
            .iter()
            .filter(|event| event["usage"]["prompt_tokens"] == 1000);
        assert_eq!(told.count(), 1, "{}", asked.text);
        for bill in case.bills(2).await {
            bill.is(2.0);
        }
    });
}

#[test]
fn s02_usage_may_ride_on_the_chunk_with_the_finish_reason() {
    everywhere(async |shape| {
        let mut last = chunk(&json!({}), Some("stop"));
        last["usage"] = json!({"prompt_tokens": 1000, "completion_tokens": 100,
            "total_tokens": 1100, "prompt_tokens_details": {"cached_tokens": 600}});
        let body = [&text("all well"), &event(&last), DONE].concat();
        let case = case(shape, vec![always(sse(body))]).start().await;
        case.stream(&NONE).await.is_whole();
        let bill = case.bill().await;
        assert_eq!((bill.input, bill.cached, bill.output), (400, 600, 100));
        bill.is(1.46);
    });
}

#[test]
fn s03_an_empty_chunk_behind_the_usage_does_not_hide_it() {
    everywhere(async |shape| {
        let empty = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": []});
        let body = [&well(), &usage(&two_credits()), &event(&empty), DONE].concat();
        passes(shape, sse(body)).await;
    });
}

#[test]
fn s04_zeros_after_the_real_usage_do_not_win() {
    everywhere(async |shape| {
        let zeros = json!({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0});
        let body = [&well(), &usage(&two_credits()), &usage(&zeros), DONE].concat();
        passes(shape, sse(body)).await;
    });
}

#[test]
fn s06_zeros_with_an_answer_are_estimated() {
    everywhere(async |shape| {
        let zeros = json!({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0});
        let words: String = (0..200).map(|_| text("word ")).collect();
        let body = [&words, &finish("stop"), &usage(&zeros), DONE].concat();
        let case = case(shape, vec![always(sse(body))]).start().await;
        case.stream(&NONE).await.is_whole();
        case.bill().await.is_estimate(150..=300);
    });
}

#[test]
fn s08_an_empty_usage_on_every_chunk_counts_for_nothing() {
    everywhere(async |shape| {
        let mut word = chunk(&json!({"content": "word "}), None);
        word["usage"] = json!({});
        let mut last = chunk(&json!({}), Some("stop"));
        last["usage"] = json!({});
        let body = [&event(&word).repeat(200), &event(&last), DONE].concat();
        let case = case(shape, vec![always(sse(body))]).start().await;
        case.stream(&NONE).await.is_whole();
        case.bill().await.is_estimate(150..=300);
    });
}

#[test]
fn s22_a_picture_in_a_call_that_is_left_counts_as_a_picture() {
    everywhere(async |shape| {
        let mut script = sse("");
        for _ in 0..60 {
            script = script.pause(Duration::from_millis(30)).body(text("word "));
        }
        let case = case(shape, vec![always(script.body(finish("stop")).body(DONE))])
            .start()
            .await;
        let url = format!("data:image/png;base64,{}", "iVBORw0KGgo=".repeat(34_000));
        let content = json!([{"type": "text", "text": "what is it?"},
            {"type": "image_url", "image_url": {"url": url}}]);
        let asked = json!({"messages": [{"role": "user", "content": content}]});
        let answer = case.stream_request(&asked).send().await.expect("an answer");
        let mut parts = answer.bytes_stream();
        for _ in 0..6 {
            parts.next().await.expect("a part").expect("whole");
        }
        drop(parts);
        let bill = case.bill().await;
        assert!(bill.input <= 8_192 + 100, "{bill:?}");
        assert!(bill.credits > 0.05 && bill.credits < 9.3, "{bill:?}");
    });
}

/// What a stream without usage is estimated at, of one chunk with this delta.
async fn estimate(shape: Shape, delta: Value) -> crate::case::bill::Bill {
    let body = [&event(&chunk(&delta, None)), &finish("stop"), DONE].concat();
    let case = case(shape, vec![always(sse(body))])
        .max_output_tokens(4_000)
        .start()
        .await;
    case.stream(&NONE).await.is_whole();
    case.bill().await
}

#[test]
fn s23_tool_calls_and_reasoning_are_estimated_by_their_length() {
    everywhere(async |shape| {
        let long = "four".repeat(1_000);
        let call = json!({"tool_calls": [{"index": 0, "id": "call_1", "type": "function",
            "function": {"name": "write", "arguments": long}}]});
        for delta in [
            json!({"content": long}),
            call,
            json!({"reasoning_content": long}),
            json!({"reasoning": long}),
        ] {
            estimate(shape, delta).await.is_estimate(800..=1_250);
        }
    });
}

#[test]
fn c24_what_passed_before_the_client_left_is_paid_and_the_rest_comes_back() {
    everywhere(async |shape| {
        let mut script = sse("");
        for _ in 0..100 {
            script = script.pause(Duration::from_millis(30)).body(text("word "));
        }
        let case = case(shape, vec![on(|seen| seen.method == "POST", script)])
            .start()
            .await;
        let answer = case.stream_request(&NONE).send().await.expect("an answer");
        let mut parts = answer.bytes_stream();
        for _ in 0..10 {
            parts.next().await.expect("a part").expect("whole");
        }
        drop(parts);
        let bill = case.bill().await;
        assert_eq!(bill.status, "canceled", "{bill:?}");
        // At least what passed, at most all that the provider wrote, with the question of 600 lines.
        assert!(
            bill.estimated && (10..=110).contains(&bill.output),
            "{bill:?}"
        );
        assert!((1_500..=3_000).contains(&bill.input), "{bill:?}");
        let balance = case.settled().await;
        let sum = balance["used"].as_f64().zip(balance["available"].as_f64());
        let sum = sum.map(|(used, available)| used + available);
        assert!(
            sum.is_some_and(|sum| (sum - 1000.0).abs() < 1e-6),
            "{balance}"
        );
    });
}
