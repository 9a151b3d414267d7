//! Whole answers that look well and are none, and who is asked after them.

use serde_json::json;

use super::super::each;
use super::{Make, NONE, per_request};
use crate::case::case;
use crate::fake::always;
use crate::fake::bodies::{DONE, answer, chunk, error, event, finish, page, sse, text, usage};
use crate::fake::script::{End, Framing, Script};

/// Whole answers that are none.
const WHOLES: &[(&str, Make)] = &[
    ("an error", || {
        error(
            200,
            r#"{"error":{"message":"Rate limit exceeded","code":429}}"#,
        )
    }),
    ("an error behind a blank", || {
        error(200, "  { \"error\" : {\"message\":\"no\"}}")
    }),
    ("an error with an id first", || {
        error(200, r#"{"id":"x","error":{"message":"no","code":502}}"#)
    }),
    ("an error with choices", || {
        error(
            200,
            r#"{"id":"x","choices":[],"error":{"message":"no","code":502}}"#,
        )
    }),
    ("an error as text", || {
        error(200, r#"{"error":"no such model"}"#)
    }),
    ("an error in a list", || {
        error(200, r#"[{"error":{"message":"no"}}]"#)
    }),
    ("vLLM's", || {
        error(
            200,
            r#"{"object":"error","message":"no","type":"BadRequestError","code":400}"#,
        )
    }),
    ("FastAPI's", || {
        error(200, r#"{"detail":"Internal Server Error"}"#)
    }),
    ("nothing", || error(200, "")),
    ("null", || error(200, "null")),
    ("an empty object", || error(200, "{}")),
    ("an empty list", || error(200, "[]")),
    ("a text", || error(200, "\"all well\"")),
    ("choices that are null", || {
        error(
            200,
            r#"{"id":"x","object":"chat.completion","choices":null}"#,
        )
    }),
    ("half of it", || {
        error(
            200,
            r#"{"choices":[{"index":0,"message":{"role":"assistant","con"#,
        )
    }),
    ("a cut", || {
        Script::new(200, "application/json")
            .body(r#"{"choices":[{"index":0,"#)
            .ends(End::Cut)
    }),
    ("a reset", || {
        Script::new(200, "application/json")
            .body("{\"choices\":[")
            .ends(End::Reset)
    }),
    ("a page", || page(200)),
    ("no content", || {
        Script::new(204, "application/json").framed(Framing::Length)
    }),
    ("another place", || {
        error(302, "").header("location", "http://169.254.169.254/latest")
    }),
    ("another place, kept", || {
        error(307, "").header("location", "/v1/elsewhere")
    }),
    ("an encoding that nobody knows", || {
        answer(200, &json!({"choices": []})).header("content-encoding", "rot13")
    }),
];

#[test]
fn whole_answers_that_are_none_are_errors_and_free() {
    each(WHOLES, async |shape, make: Make| {
        let case = case(shape, vec![always(make())])
            .price(per_request())
            .start()
            .await;
        let told = case.chat(&NONE).await;
        assert!(told.status >= 400, "{} {}", told.status, told.text);
        assert!(!told.message().is_empty());
        assert!(
            !told.text.contains("<html") && !told.text.contains("169.254"),
            "{}",
            told.text
        );
        case.is_free().await;
        let states = case.key_states().await;
        assert!(states.iter().all(|state| state != "disabled"), "{states:?}");
    });
}

#[test]
fn an_error_before_a_word_is_tried_at_the_second_target() {
    const FIRST: &[(&str, Make)] = &[
        ("an event with an error", || {
            sse("data: {\"error\":{\"message\":\"overloaded\",\"code\":503}}\n\n")
        }),
        ("a chunk with an error", || {
            let mut failed = chunk(&json!({"content": ""}), Some("error"));
            failed["error"] = json!({"code": 502, "message": "Provider returned error"});
            sse([&event(&failed), DONE].concat())
        }),
        ("JSON with an error", || {
            error(200, r#"{"error":{"message":"No endpoints","code":503}}"#)
        }),
        ("comments, then an error", || {
            sse(": PROCESSING\n\ndata: {\"error\":{\"message\":\"overloaded\",\"code\":529}}\n\n")
        }),
    ];
    each(FIRST, async |shape, make: Make| {
        let case = case(shape, vec![always(make())])
            .then(vec![always(crate::fake::bodies::good_stream())])
            .start()
            .await;
        let read = case.stream(&NONE).await;
        read.is_whole();
        assert_eq!(read.content(), "all well");
        case.bill().await.is(2.0);
        assert_eq!(case.second_calls().len(), 1);
    });
}

#[test]
fn a_finish_by_a_filter_is_a_whole_answer() {
    const REASONS: &[(&str, &str)] = &[
        ("filter", "content_filter"),
        ("length", "length"),
        ("tools", "tool_calls"),
    ];
    each(REASONS, async |shape, reason: &str| {
        let body = [
            text("all well"),
            finish(reason),
            usage(&crate::fake::bodies::two_credits()),
        ]
        .concat();
        let case = case(shape, vec![always(sse(body))]).start().await;
        case.stream(&NONE).await.is_whole();
        case.bill().await.is(2.0);
    });
}
