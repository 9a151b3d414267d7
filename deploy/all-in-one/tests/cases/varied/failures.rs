//! Answers that look well and are none: errors, nothing, pages, halves. Zero output is zero.

mod wholes;

use std::time::Duration;

use serde_json::{Value, json};

use super::each;
use crate::case::case;
use crate::fake::always;
use crate::fake::bodies::{DONE, chunk, error, event, finish, page, sse, text};
use crate::fake::script::{End, Framing, Script};

const NONE: Value = Value::Null;

type Make = fn() -> Script;

/// A price that also counts the call itself: what brought nothing costs not even that.
fn per_request() -> Value {
    json!({"per_request": 1, "input_per_million": 1_000, "output_per_million": 10_000})
}

/// Of each the client must see an error, and pay nothing.
const STREAMS: &[(&str, Make)] = &[
    ("the event's name says error", || {
        sse("event: error\ndata: {\"message\":\"overloaded\"}\n\n")
    }),
    ("the name behind the data", || {
        sse("data: {\"error\":{\"message\":\"overloaded\"}}\nevent: error\n\n")
    }),
    ("Anthropic's", || {
        sse(
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
        )
    }),
    ("the type first, without a name", || {
        sse("data: {\"type\":\"error\",\"error\":{\"message\":\"Overloaded\"}}\n\n")
    }),
    ("vLLM's", || {
        sse(format!(
            "data: {{\"object\":\"error\",\"message\":\"The model is gone\",\"type\":\"BadRequestError\",\"param\":null,\"code\":400}}\n\n{DONE}"
        ))
    }),
    ("DashScope's", || {
        sse(
            "data: {\"code\":\"InternalError.Algo\",\"message\":\"inference failed\",\"request_id\":\"1\"}\n\n",
        )
    }),
    ("FastAPI's", || {
        sse(format!(
            "data: {{\"detail\":\"Internal Server Error\"}}\n\n{DONE}"
        ))
    }),
    ("a text", || {
        sse(format!("data: {{\"error\":\"out of memory\"}}\n\n{DONE}"))
    }),
    ("in a list", || {
        sse(
            "data: [{\"error\":{\"code\":429,\"message\":\"Resource exhausted\",\"status\":\"RESOURCE_EXHAUSTED\"}}]\n\n",
        )
    }),
    ("blanks everywhere", || {
        sse("data:   { \"error\" : { \"message\" : \"no\" } }\n\n")
    }),
    ("empty choices first", || {
        let told =
            json!({"model": "x", "choices": [], "error": {"message": "the server had an error"}});
        sse([&event(&told), DONE].concat())
    }),
    ("an id first", || {
        sse("data: {\"id\":\"1\",\"error\":{\"message\":\"no\",\"code\":500}}\n\n")
    }),
    ("an error and a stop", || {
        let mut told = chunk(&json!({"content": ""}), Some("stop"));
        told["error"] = json!({"message": "no", "code": 502});
        sse([&event(&told), DONE].concat())
    }),
    ("comments, then an error", || {
        sse(
            ": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\ndata: {\"error\":{\"code\":502,\"message\":\"no\"}}\n\n",
        )
    }),
    ("a role, then an error", || {
        let role = event(&chunk(&json!({"role": "assistant", "content": ""}), None));
        sse([&role, "data: {\"error\":{\"message\":\"no\"}}\n\n"].concat())
    }),
    ("JSON with an error", || {
        error(
            200,
            r#"{"error":{"message":"No endpoints found","code":404}}"#,
        )
    }),
    ("JSON with a blank after the brace", || {
        error(200, "{ \"error\": {\"message\": \"no\"}}")
    }),
    ("JSON with an error as text", || {
        error(200, r#"{"error":"no"}"#)
    }),
    ("JSON with an error in a list", || {
        error(200, r#"[{"error":{"message":"no"}}]"#)
    }),
    ("JSON of an error with the content type of events", || {
        sse("{\"error\":{\"message\":\"no\",\"code\":500}}")
    }),
    ("a page", || page(200)),
    ("a page with the content type of events", || {
        sse("<html><body>Bad gateway</body></html>")
    }),
    ("plain text", || {
        Script::new(200, "text/plain").body("upstream connect error")
    }),
    ("nothing", || sse("").framed(Framing::Length)),
    ("nothing in chunks", || sse(Vec::new())),
    ("no content", || {
        Script::new(204, "text/event-stream").framed(Framing::Length)
    }),
    ("another place", || {
        error(302, "").header("location", "http://169.254.169.254/latest/meta-data")
    }),
    ("another place for good", || {
        error(308, "").header("location", "/v1/elsewhere")
    }),
    ("comments alone", || sse(": ping\n\n: ping\n\n")),
    ("a cut before the first event", || sse("").ends(End::Cut)),
    ("a reset before the first event", || {
        sse("").ends(End::Reset)
    }),
    ("a half event", || sse("data: {\"id\":\"chatcmpl-1\",\"obj")),
    ("a half event and a cut", || {
        sse("data: {\"id\":\"chatcmpl-1\",\"obj").ends(End::Cut)
    }),
    ("rubbish in the framing", || {
        sse("").raw("zz\r\nnot a chunk\r\n").ends(End::Cut)
    }),
    ("rubbish as events", || {
        sse("data: {not json}\n\ndata: {\"cut\n\n")
    }),
];

#[test]
fn streams_that_fail_before_a_word_are_errors_and_free() {
    each(STREAMS, async |shape, make: Make| {
        let case = case(shape, vec![always(make())])
            .price(per_request())
            .start()
            .await;
        let read = case.stream(&NONE).await;
        read.is_failed();
        assert!(!read.text.contains("<html"), "{}", read.text);
        case.is_free().await;
        let states = case.key_states().await;
        assert!(states.iter().all(|state| state != "disabled"), "{states:?}");
    });
}

/// Nothing was written, so nothing is paid, whatever it looks like to the client.
const EMPTY: &[(&str, Make)] = &[
    ("done alone", || sse(DONE)),
    ("an empty list", || sse(format!("data: []\n\n{DONE}"))),
    ("an empty object", || sse(format!("data: {{}}\n\n{DONE}"))),
    ("a role alone", || {
        sse([
            &event(&chunk(&json!({"role": "assistant", "content": ""}), None)),
            DONE,
        ]
        .concat())
    }),
    ("a null for the text", || {
        sse([
            &event(&chunk(&json!({"role": "assistant", "content": null}), None)),
            DONE,
        ]
        .concat())
    }),
    ("a finish alone", || sse([&finish("stop"), DONE].concat())),
    ("choices that are empty", || {
        let none = json!({"id": "1", "object": "chat.completion.chunk", "choices": []});
        sse([&event(&none), DONE].concat())
    }),
];

#[test]
fn streams_that_bring_nothing_cost_nothing() {
    each(EMPTY, async |shape, make: Make| {
        let case = case(shape, vec![always(make())])
            .price(per_request())
            .start()
            .await;
        let read = case.stream(&NONE).await;
        assert!(read.broken.is_empty() && !read.torn, "{}", read.text);
        let balance = case.settled().await;
        assert_eq!(balance["used"], 0, "{balance}");
    });
}

/// A word went out before it went wrong.
const LATE: &[(&str, Make)] = &[
    ("an error", || {
        sse([&text("all "), "data: {\"error\":{\"message\":\"no\"}}\n\n"].concat())
    }),
    ("an error with an id and choices, then done", || {
        let mut failed = chunk(&json!({"content": ""}), Some("error"));
        failed["error"] = json!({"code": 502, "message": "Provider disconnected"});
        sse([&text("all "), &event(&failed), DONE].concat())
    }),
    ("an error by the event's name", || {
        sse([
            &text("all "),
            "event: error\ndata: {\"message\":\"no\"}\n\n",
        ]
        .concat())
    }),
    ("a cut", || sse(text("all ")).ends(End::Cut)),
    ("a reset", || {
        sse(text("all "))
            .pause(Duration::from_millis(50))
            .ends(End::Reset)
    }),
    ("a cut in the middle of an event", || {
        sse([
            &text("all "),
            "data: {\"id\":\"chatcmpl-1\",\"choices\":[{\"del",
        ]
        .concat())
        .ends(End::Cut)
    }),
    ("a clean end without a finish", || sse(text("all "))),
    ("a clean end in the middle of a name", || {
        sse([&text("all "), "da"].concat())
    }),
    ("a clean end behind one line", || {
        sse([&text("all "), "data: {\"choices\":[]}\n"].concat())
    }),
    ("an end in the middle of a letter", || {
        let mut bytes = [
            &text("all ")[..],
            "data: {\"choices\":[{\"delta\":{\"content\":\"汉",
        ]
        .concat()
        .into_bytes();
        bytes.pop();
        sse(bytes)
    }),
];

#[test]
fn streams_that_fail_behind_a_word_say_so_and_cost_what_passed() {
    each(LATE, async |shape, make: Make| {
        let case = case(shape, vec![always(make())]).start().await;
        let read = case.stream(&NONE).await;
        read.is_failed();
        assert_eq!(read.content(), "all ", "{}", read.text);
        let bill = case.bill().await;
        assert_eq!(bill.status, "failed", "{bill:?}");
        assert!(bill.estimated && bill.output <= 3, "{bill:?}");
        assert_eq!(case.calls().len(), 1, "never twice when a word went out");
    });
}
