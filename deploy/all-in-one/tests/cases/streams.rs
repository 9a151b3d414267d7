//! Streams: events in every form, errors inside of them, ends that are no ends.

mod usage;

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::case::case;
use crate::fake::bodies::{
    DONE, chunk, error, event, finish, good_stream, sse, text, two_credits, usage, well,
};
use crate::fake::script::{End, Script};
use crate::fake::{always, with_field};
use crate::reading::streamed::Streamed;
use crate::world::{Shape, everywhere, run};

const NONE: Value = Value::Null;

/// A stream of this body ends well and costs 2 credits; answers what came.
async fn passes(shape: Shape, script: Script) -> Streamed {
    let case = case(shape, vec![always(script)]).start().await;
    let read = case.stream(&NONE).await;
    read.is_whole();
    case.bill().await.is(2.0);
    read
}

/// The client sees an error, the call failed, and nothing is charged.
async fn fails_free(shape: Shape, script: Script) -> Streamed {
    let price = json!({"per_request": 1, "input_per_million": 1_000, "output_per_million": 10_000});
    let case = case(shape, vec![always(script)]).price(price).start().await;
    let read = case.stream(&NONE).await;
    read.is_failed();
    case.is_free().await;
    read
}

#[test]
fn s09_a_chunk_with_id_and_choices_and_an_error_is_an_error() {
    everywhere(async |shape| {
        let mut failed = chunk(&json!({"content": ""}), Some("error"));
        failed["error"] = json!({"code": 502, "message": "Provider returned error"});
        fails_free(shape, sse([&event(&failed), DONE].concat())).await;
    });
}

#[test]
fn s10_an_error_as_the_first_event_is_an_error() {
    everywhere(async |shape| {
        let failed = json!({"error": {"message": "overloaded", "type": "server_error"}});
        fails_free(shape, sse([&event(&failed), DONE].concat())).await;
    });
}

#[test]
fn s12_json_with_an_error_for_a_stream_is_an_error() {
    everywhere(async |shape| {
        let body = r#"{"error":{"message":"No endpoints found","code":404}}"#;
        fails_free(shape, error(200, body)).await;
    });
}

#[test]
fn s14_a_clean_end_behind_the_finish_reason_is_whole_without_done() {
    everywhere(async |shape| {
        let body = [&well()[..], &usage(&two_credits())].concat();
        let read = passes(shape, sse(body)).await;
        assert_eq!(read.content(), "all well");
    });
}

#[test]
fn s15_comments_between_events_do_no_harm() {
    everywhere(async |shape| {
        let wait = ": OPENROUTER PROCESSING\n\n";
        let body = [wait, wait, &well(), wait, &usage(&two_credits()), DONE].concat();
        let read = passes(shape, sse(body)).await;
        assert_eq!(read.content(), "all well");
    });
}

#[test]
fn s16_lines_may_end_with_crlf_and_be_cut_anywhere() {
    everywhere(async |shape| {
        let body = [&well(), &usage(&two_credits()), DONE]
            .concat()
            .replace('\n', "\r\n");
        let read = passes(shape, sse(body).split(3)).await;
        assert_eq!(read.content(), "all well");
    });
}

#[test]
fn s17_data_may_come_without_a_blank() {
    everywhere(async |shape| {
        let body = [&well(), &usage(&two_credits()), DONE].concat();
        let read = passes(shape, sse(body.replace("data: ", "data:"))).await;
        assert_eq!(read.content(), "all well");
    });
}

#[test]
fn s19_an_event_of_one_and_a_half_megabytes_passes() {
    everywhere(async |shape| {
        let picture = format!("data:image/png;base64,{}", "iVBORw0KGgo".repeat(140_000));
        let delta = json!({"content": "", "images": [{"type": "image_url",
            "image_url": {"url": picture}}]});
        let body = [
            &event(&chunk(&delta, None)),
            &well(),
            &usage(&two_credits()),
            DONE,
        ]
        .concat();
        let read = passes(shape, sse(body)).await;
        let images = &read.events[0]["choices"][0]["delta"]["images"];
        assert_eq!(images[0]["image_url"]["url"], picture);
    });
}

#[test]
fn s20_parallel_tool_calls_in_pieces_are_the_same_at_the_client() {
    everywhere(async |shape| {
        let call = |value: Value| event(&chunk(&json!({"tool_calls": [value]}), None));
        let mut body = String::new();
        for index in 0..2 {
            body += &call(
                json!({"index": index, "id": format!("call_{index}"), "type": "function",
                "function": {"name": "look_up", "arguments": ""}}),
            );
            for piece in ["{\"city\":", "\"Par", "is\"}"] {
                body += &call(json!({"index": index, "function": {"arguments": piece}}));
            }
        }
        body += &finish("tool_calls");
        let told = [&body, &usage(&two_credits()), DONE].concat();
        let read = passes(shape, sse(told)).await;
        assert!(read.text.starts_with(&body), "{}", read.text);
    });
}

#[test]
fn s21_a_clean_end_in_the_middle_of_an_event_leaves_a_readable_error() {
    everywhere(async |shape| {
        let body = [
            &text("all "),
            r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk"#,
        ]
        .concat();
        let case = case(shape, vec![always(sse(body))]).start().await;
        let read = case.stream(&NONE).await;
        read.is_failed();
        assert_eq!(read.content(), "all ");
        assert_eq!(read.events.len(), 2, "{}", read.text);
    });
}

/// Validators of strict providers, as FastAPI words them.
const EXTRA_FORBIDDEN: &str = r#"{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted","input":{"include_usage":true}}]}"#;

#[test]
fn s25_a_field_that_we_added_and_the_provider_refuses_is_left_out() {
    everywhere(async |shape| {
        let rows = vec![
            with_field("stream_options", error(422, EXTRA_FORBIDDEN)),
            always(good_stream()),
        ];
        let case = case(shape, rows).start().await;
        for _ in 0..3 {
            let read = case.stream(&NONE).await;
            read.is_whole();
            assert_eq!(read.content(), "all well");
        }
        for bill in case.bills(3).await {
            bill.is(2.0);
        }
        assert_eq!(case.key_states().await, ["active"]);
        let refused = case
            .calls()
            .iter()
            .filter(|call| call.has("stream_options"))
            .count();
        assert_eq!(refused, 1, "it was learned");
    });
}

#[test]
fn s27_done_ends_a_stream_without_a_finish_reason() {
    everywhere(async |shape| {
        let body = [&text("all "), &text("well"), &usage(&two_credits()), DONE].concat();
        let read = passes(shape, sse(body)).await;
        assert_eq!(read.content(), "all well");
    });
}

#[test]
fn s29_done_goes_out_at_once_though_the_connection_stays_open() {
    everywhere(async |shape| {
        let script = good_stream().ends(End::Hang(Duration::from_secs(8)));
        let read = passes(shape, script).await;
        let after = read.done_after.expect("it came");
        assert!(after < Duration::from_secs(3), "after {after:?}");
    });
}

#[test]
fn s32_a_null_error_in_front_of_good_chunks_is_none() {
    everywhere(async |shape| {
        let body = [&well(), &usage(&two_credits()), DONE].concat();
        let body = body.replace("data: {", r#"data: {"error":null,"#);
        let read = passes(shape, sse(body)).await;
        assert_eq!(read.content(), "all well");
    });
}

#[test]
fn e28_nothing_but_done_costs_nothing() {
    everywhere(async |shape| {
        let price = json!({"per_request": 1, "input_per_million": 1_000});
        let case = case(shape, vec![always(sse(DONE))])
            .price(price)
            .start()
            .await;
        case.stream(&NONE).await;
        let balance = case.settled().await;
        assert_eq!(balance, json!({"available": 1000, "held": 0, "used": 0}));
    });
}

#[test]
fn e29_a_silent_provider_does_not_make_a_silent_stream() {
    const SILENCE: Duration = Duration::from_secs(18);
    async fn heard(shape: Shape, before_the_head: bool) {
        let script = if before_the_head {
            good_stream().after(SILENCE)
        } else {
            let silent = Script::new(200, "text/event-stream")
                .body(": \n\n")
                .pause(SILENCE);
            let rest = [&well(), &usage(&two_credits()), DONE].concat();
            silent.body(rest)
        };
        let read = passes(shape, script).await;
        assert_eq!(read.content(), "all well");
        let first = read.first_after.expect("something came");
        assert!(read.head_after <= first);
        assert!(
            first <= Duration::from_secs(16),
            "{shape:?} {before_the_head}: after {first:?}"
        );
    }
    run(async {
        let shapes = [Shape::Whole, Shape::Apart];
        let all = shapes
            .into_iter()
            .flat_map(|shape| [true, false].map(|head| heard(shape, head)));
        join_all(all).await;
    });
}
