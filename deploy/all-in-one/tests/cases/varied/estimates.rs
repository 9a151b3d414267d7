//! Estimates where nothing is told: of text in any script, of what tools and thoughts are, of
//! pictures and files, and of what is held for them.

use serde_json::{Value, json};

use super::each;
use crate::case::{case, prices};
use crate::fake::always;
use crate::fake::bodies::{DONE, answer, chunk, event, finish, sse};
use crate::world::{everywhere, run};

const NONE: Value = Value::Null;

type Text = (&'static str, (&'static str, usize, u64, u64));

/// A text, and the tokens that tokenisers make of it, roughly.
const TEXTS: &[Text] = &[
    ("English", ("several words in a row ", 100, 400, 700)),
    ("Chinese", ("你好世界", 100, 200, 800)),
    ("escapes", ("\n\t\"\\", 200, 100, 900)),
    ("digits", ("1234567890", 100, 200, 600)),
    ("code", ("fn main() { let x = 1; }\n", 40, 200, 600)),
];

#[test]
fn text_of_any_script_is_estimated_in_streams_and_whole_answers() {
    each(
        TEXTS,
        async |shape, (text, times, low, high): (&str, usize, u64, u64)| {
            let text = text.repeat(times);
            let pieces: String = text
                .chars()
                .collect::<Vec<char>>()
                .chunks(40)
                .map(|part| {
                    event(&chunk(
                        &json!({"content": part.iter().collect::<String>()}),
                        None,
                    ))
                })
                .collect();
            let streamed = [&pieces, &finish("stop"), DONE].concat();
            let streamed = case(shape, vec![always(sse(streamed))]).start().await;
            streamed.stream(&NONE).await.is_whole();
            streamed.bill().await.is_estimate(low..=high);
            let once = case(
                shape,
                vec![always(crate::fake::bodies::whole(&text, &NONE))],
            )
            .start()
            .await;
            once.chat(&NONE).await.is(200);
            once.bill().await.is_estimate(low..=high);
        },
    );
}

type Place = (&'static str, fn(&str) -> Value);

/// Messages of whole answers with 4,000 letters of output in some place.
const PLACES: &[Place] = &[
    ("content", |long| json!({"content": long})),
    (
        "reasoning_content",
        |long| json!({"content": "", "reasoning_content": long}),
    ),
    (
        "reasoning",
        |long| json!({"content": null, "reasoning": long}),
    ),
    ("refusal", |long| json!({"content": null, "refusal": long})),
    ("a tool call", |long| {
        json!({"content": null, "tool_calls": [{"id": "call_1",
        "type": "function", "function": {"name": "write", "arguments": long}}]})
    }),
    ("an old function call", |long| {
        json!({"content": null,
        "function_call": {"name": "write", "arguments": long}})
    }),
    ("a transcript", |long| {
        json!({"content": null, "audio": {"id": "audio_1",
        "data": "UklGRg==", "transcript": long}})
    }),
];

#[test]
fn output_of_every_kind_is_estimated() {
    each(PLACES, async |shape, message: fn(&str) -> Value| {
        let mut message = message(&"four".repeat(1_000));
        message["role"] = json!("assistant");
        let whole = json!({"object": "chat.completion", "choices": [{"index": 0,
            "message": message, "finish_reason": "stop"}]});
        let once = case(shape, vec![always(answer(200, &whole))]).max_output_tokens(4_000);
        let once = once.start().await;
        once.chat(&NONE).await.is(200);
        once.bill().await.is_estimate(800..=1_300);
        let mut delta = message;
        if let Some(call) = delta.get_mut("tool_calls") {
            call[0]["index"] = json!(0);
        }
        let body = [&event(&chunk(&delta, None)), &finish("stop"), DONE].concat();
        let streamed = case(shape, vec![always(sse(body))]).max_output_tokens(4_000);
        let streamed = streamed.start().await;
        streamed.stream(&NONE).await.is_whole();
        streamed.bill().await.is_estimate(800..=1_300);
    });
}

type Part = (&'static str, (fn(&str) -> Value, u64));

/// Parts of a message whose bytes are no text: what they may be estimated at.
const PARTS: &[Part] = &[
    (
        "a picture",
        (
            |data| json!({"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{data}")}}),
            8_300,
        ),
    ),
    (
        "sound",
        (
            |data| json!({"type": "input_audio", "input_audio": {"data": data, "format": "mp3"}}),
            60_000,
        ),
    ),
    (
        "a file",
        (
            |data| json!({"type": "file", "file": {"filename": "a.pdf", "file_data": format!("data:application/pdf;base64,{data}")}}),
            120_000,
        ),
    ),
    (
        "a film",
        (
            |data| json!({"type": "video_url", "video_url": {"url": format!("data:video/mp4;base64,{data}")}}),
            300_000,
        ),
    ),
];

#[test]
fn parts_that_are_no_text_are_estimated_by_what_they_are() {
    each(
        PARTS,
        async |shape, (part, most): (fn(&str) -> Value, u64)| {
            let rows = vec![always(crate::fake::bodies::whole(
                "it is a cat, four words",
                &NONE,
            ))];
            let case = case(shape, rows).balance("100000").start().await;
            let part = part(&"QUJD".repeat(100_000));
            let body = json!({"model": case.model, "messages": [{"role": "user", "content": [
            {"type": "text", "text": "what is it?"}, part]}]});
            // A kind that can't be bounded may be refused, with its name; never taken for nothing.
            let told = case.post("/api/v1/chat/completions", &body).await;
            if told.status == 400 {
                assert!(told.body["error"]["param"].is_string(), "{}", told.text);
                case.is_free().await;
                return;
            }
            told.is(200);
            let bill = case.bill().await;
            assert!(bill.estimated, "{bill:?}");
            assert!(bill.input >= 50 && bill.input <= most, "{bill:?}");
        },
    );
}

#[test]
fn a_type_in_escapes_is_counted_like_the_plain_one() {
    everywhere(async |shape| {
        let rows = vec![always(crate::fake::bodies::whole("a cat", &NONE))];
        let case = case(shape, rows).balance("3").start().await;
        // A picture may be 8,192 tokens, which are 8 credits: a balance of 3 is not enough for it.
        for spelled in [
            r#""image_url""#,
            r#""image\u005furl""#,
            r#""\u0069mage_url""#,
        ] {
            let body = format!(
                r#"{{"model":"{}","messages":[{{"role":"user","content":[{{"type":{spelled},"image_url":{{"url":"https://example.com/cat.png"}}}}]}}]}}"#,
                case.model
            );
            let request = case.request("/api/v1/chat/completions");
            let request = request
                .header("content-type", "application/json")
                .body(body);
            let told = crate::reading::read_whole(request).await;
            assert_eq!(told.status, 402, "{spelled}: {}", told.text);
        }
        case.is_free().await;
    });
}

type Input = (&'static str, (fn() -> Value, u64, u64));

#[test]
fn embeddings_without_usage_are_estimated_by_their_input() {
    const INPUTS: &[Input] = &[
        ("a text", (|| json!("four".repeat(1_000)), 800, 1_300)),
        (
            "texts",
            (|| json!(vec!["four".repeat(100); 10]), 800, 1_300),
        ),
        (
            "tokens",
            (|| json!((0..1_000).collect::<Vec<u32>>()), 1_000, 1_000),
        ),
        (
            "lists of tokens",
            (
                || json!(vec![(0..100).collect::<Vec<u32>>(); 10]),
                1_000,
                1_000,
            ),
        ),
    ];
    each(
        INPUTS,
        async |shape, (input, low, high): (fn() -> Value, u64, u64)| {
            let vector = json!({"object": "list", "data": [{"object": "embedding", "index": 0,
            "embedding": [0.5]}], "model": "their-name"});
            let case = case(shape, vec![always(answer(200, &vector))]).operation("embedding");
            let case = case.start().await;
            let body = json!({"model": case.model, "input": input()});
            case.post("/api/v1/embeddings", &body).await.is(200);
            let bill = case.bill().await;
            assert!(
                bill.estimated && (low..=high).contains(&bill.input),
                "{bill:?}"
            );
        },
    );
}

#[test]
fn a_hold_is_never_less_than_what_the_provider_may_count() {
    run(async {
        // Text of one byte a token, at the price that the cases have: 0.001 credits each.
        let rows = vec![always(crate::fake::bodies::whole(
            "x",
            &json!({"prompt_tokens": 900, "completion_tokens": 1}),
        ))];
        let case = case(crate::world::Shape::Whole, rows)
            .price(prices())
            .balance("0.5");
        let case = case.start().await;
        let body = json!({"model": case.model, "max_tokens": 1,
            "messages": [{"role": "user", "content": "!?".repeat(450)}]});
        let told = case.post("/api/v1/chat/completions", &body).await;
        told.is(402);
        case.is_free().await;
        assert!(case.calls().is_empty(), "nothing was sent");
    });
}
