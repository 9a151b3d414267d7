//! Whole answers: errors with a good status, encodings, counts in every layout, pictures and
//! embeddings.

mod usage;

use serde_json::{Value, json};

use crate::case::case;
use crate::fake::bodies::{answer, error, good_whole, gzip, page, two_credits};
use crate::fake::script::{Framing, Script};
use crate::fake::{always, on};
use crate::world::everywhere;

const NONE: Value = Value::Null;

#[test]
fn w01_an_error_with_status_200_is_no_success() {
    everywhere(async |shape| {
        let body = r#"{"error":{"message":"Rate limit exceeded","code":429}}"#;
        let price = json!({"per_request": 1, "output_per_million": 10_000});
        let case = case(shape, vec![always(error(200, body))])
            .price(price)
            .start()
            .await;
        let answer = case.chat(&NONE).await;
        answer.is_one_of(&[429, 502, 503]);
        assert!(!answer.message().is_empty());
        case.is_free().await;
    });
}

#[test]
fn w03_a_compressed_answer_is_read_or_not_asked_for() {
    everywhere(async |shape| {
        let body = json!({"choices": [{"index": 0, "message": {"role": "assistant",
            "content": "all well"}, "finish_reason": "stop"}], "usage": two_credits()});
        let small = gzip(body.to_string().as_bytes());
        let small = Script::new(200, "application/json")
            .header("content-encoding", "gzip")
            .framed(Framing::Length)
            .body(small);
        let plain = |seen: &crate::fake::Seen| {
            let accepted = seen.headers.get("accept-encoding").map(String::as_str);
            accepted.is_some_and(|accepted| accepted.contains("identity"))
        };
        let case = case(shape, vec![on(plain, good_whole()), always(small)])
            .start()
            .await;
        let answer = case.chat(&NONE).await;
        answer.is(200);
        assert_eq!(answer.content(), "all well");
        case.bill().await.is(2.0);
    });
}

#[test]
fn w13_blank_lines_before_the_json_are_passed_over() {
    everywhere(async |shape| {
        let body = json!({"choices": [{"index": 0, "message": {"role": "assistant",
            "content": "all well"}, "finish_reason": "stop"}], "usage": two_credits()});
        let slow = Script::new(200, "application/json")
            .body("\n\n")
            .body("   \r\n")
            .body(body.to_string());
        let case = case(shape, vec![always(slow)]).start().await;
        let answer = case.chat(&NONE).await;
        answer.is(200);
        assert_eq!(answer.content(), "all well");
        case.bill().await.is(2.0);
    });
}

#[test]
fn w14_a_page_with_status_200_is_an_error_and_free() {
    everywhere(async |shape| {
        let case = case(shape, vec![always(page(200))]).start().await;
        let answer = case.chat(&NONE).await;
        answer.is_one_of(&[502, 503]);
        assert!(!answer.text.contains("<html"), "{}", answer.text);
        case.is_free().await;
    });
}

#[test]
fn c10_embeddings_come_as_they_were_asked_for() {
    everywhere(async |shape| {
        let vector = |embedding: Value| {
            let data = json!([{"object": "embedding", "index": 0, "embedding": embedding}]);
            answer(
                200,
                &json!({"object": "list", "data": data, "model": "their-name",
                "usage": {"prompt_tokens": 1000, "total_tokens": 1000}}),
            )
        };
        let base64 = |seen: &crate::fake::Seen| seen.json["encoding_format"] == "base64";
        let rows = vec![
            on(base64, vector(json!("AAAAAACAPw=="))),
            always(vector(json!([0.0, 1.0]))),
        ];
        let case = case(shape, rows).operation("embedding").start().await;
        let text = crate::case::long_question();
        let tokens: Vec<u64> = (0..1_200).collect();
        for (more, embedding) in [
            (
                json!({"input": text, "encoding_format": "base64"}),
                json!("AAAAAACAPw=="),
            ),
            (
                json!({"input": [text], "encoding_format": "float"}),
                json!([0.0, 1.0]),
            ),
            (json!({"input": [tokens]}), json!([0.0, 1.0])),
        ] {
            let mut body = more.clone();
            body["model"] = case.model.as_str().into();
            let answer = case.post("/api/v1/embeddings", &body).await;
            answer.is(200);
            assert_eq!(answer.body["data"][0]["embedding"], embedding);
        }
        for bill in case.bills(3).await {
            bill.is(1.0);
        }
        let sent = case.calls();
        assert_eq!(
            sent[2].json["input"],
            json!([tokens]),
            "token arrays pass as they are"
        );
    });
}

/// Prices of pictures in the cases.
fn per_image() -> Value {
    json!({"per_image": [{"credits": 5}]})
}

#[test]
fn c20_of_three_pictures_asked_for_the_one_that_was_made_is_charged() {
    everywhere(async |shape| {
        let made = json!({"created": 1_764_000_000, "data": [{"b64_json": "aGk="}]});
        let case = case(shape, vec![always(answer(200, &made))])
            .operation("image")
            .price(per_image())
            .start()
            .await;
        let body = json!({"model": case.model, "prompt": "a cat", "n": 3});
        let answer = case.post("/api/v1/images/generations", &body).await;
        answer.is(200);
        assert_eq!(answer.body["data"].as_array().map(Vec::len), Some(1));
        case.bill().await.costs(5.0);
    });
}

#[test]
fn c21_a_picture_arrives_though_its_counts_have_fractions() {
    everywhere(async |shape| {
        let made = json!({"created": 1_764_000_000, "data": [{"b64_json": "aGk="}],
            "usage": {"prompt_tokens": 12, "completion_tokens": 14417.92, "total_tokens": 14429.92}});
        let case = case(shape, vec![always(answer(200, &made))])
            .operation("image")
            .price(per_image())
            .start()
            .await;
        let body = json!({"model": case.model, "prompt": "a cat"});
        let answer = case.post("/api/v1/images/generations", &body).await;
        answer.is(200);
        assert_eq!(answer.body["data"][0]["b64_json"], "aGk=");
        case.bill().await.costs(5.0);
    });
}
