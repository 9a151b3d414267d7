//! Tenants that leave in the middle: what the provider bills is what they pay, within what was held.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::{Value, json};

use super::each;
use crate::case::bill::Bill;
use crate::case::{Case, case};
use crate::fake::bodies::{DONE, chunk, event, finish, sse, text, usage};
use crate::fake::script::{End, Script};
use crate::fake::{Ended, always};
use crate::world::Shape;

const NONE: Value = Value::Null;

type Make = fn() -> Script;

/// Reads so many events of a stream and goes away.
async fn read_and_leave(case: &Case, more: &Value, events: usize) {
    let answer = case.stream_request(more).send().await.expect("an answer");
    let mut parts = answer.bytes_stream();
    let mut read = Vec::new();
    while String::from_utf8_lossy(&read).matches("\n\n").count() < events {
        read.extend_from_slice(&parts.next().await.expect("a part").expect("whole"));
    }
}

async fn left(shape: Shape, script: Script) -> (Case, Bill) {
    let case = case(shape, vec![always(script)]).start().await;
    read_and_leave(&case, &NONE, 3).await;
    let bill = case.bill().await;
    assert_eq!(bill.status, "canceled", "{bill:?}");
    (case, bill)
}

/// A few words, silence in which the tenant leaves, then the rest with the provider's count.
fn told_late(rest: Duration, counted: &Value) -> Script {
    sse(text("word ").repeat(5))
        .pause(rest)
        .body([&text("more"), &finish("stop"), &usage(counted), DONE].concat())
}

const TOLD: &[(&str, (Make, f64))] = &[
    (
        "hidden reasoning",
        (
            || {
                told_late(
                    Duration::from_millis(600),
                    &json!({"prompt_tokens": 1000, "completion_tokens": 900,
            "completion_tokens_details": {"reasoning_tokens": 850}}),
                )
            },
            10.0,
        ),
    ),
    (
        "cached input",
        (
            || {
                told_late(
                    Duration::from_millis(600),
                    &json!({"prompt_tokens": 1000, "completion_tokens": 100,
            "prompt_tokens_details": {"cached_tokens": 600}}),
                )
            },
            1.46,
        ),
    ),
    (
        "the count after seconds",
        (
            || {
                told_late(
                    Duration::from_secs(4),
                    &json!({"prompt_tokens": 1000, "completion_tokens": 100}),
                )
            },
            2.0,
        ),
    ),
];

#[test]
fn who_leaves_early_pays_what_the_provider_counts() {
    each(TOLD, async |shape, (make, credits): (Make, f64)| {
        let (case, bill) = left(shape, make()).await;
        bill.costs(credits);
        assert!(!bill.estimated, "{bill:?}");
        assert_eq!(case.calls()[0].ended, Ended::Whole, "it was read on");
    });
}

#[test]
fn where_no_count_comes_the_input_is_what_it_was_held_for_at_most() {
    const SILENT: &[(&str, Make)] = &[
        ("a cut", || {
            sse(text("word ").repeat(5))
                .pause(Duration::from_millis(500))
                .ends(End::Cut)
        }),
        ("an end without a count", || {
            let rest = [&finish("stop"), DONE].concat();
            sse(text("word ").repeat(5))
                .pause(Duration::from_millis(500))
                .body(rest)
        }),
        ("thoughts that pass", || {
            let thought = event(&chunk(&json!({"reasoning_content": "hm, well, "}), None));
            let rest = [&finish("stop"), DONE].concat();
            sse(text("word ").repeat(5))
                .pause(Duration::from_millis(500))
                .body(thought.repeat(100))
                .body(rest)
        }),
    ];
    each(SILENT, async |shape, make: Make| {
        let (_, bill) = left(shape, make()).await;
        assert!(bill.estimated, "{bill:?}");
        assert!((1_500..=3_000).contains(&bill.input), "{bill:?}");
        assert!(bill.output + bill.reasoning >= 3, "{bill:?}");
        assert!(bill.credits <= 20.0, "{bill:?}");
    });
}

#[test]
fn a_provider_that_never_ends_is_left_within_a_cap() {
    each(&[("without an end", ())], async |shape, (): ()| {
        let mut script = sse(text("word ").repeat(5));
        for _ in 0..600 {
            script = script.pause(Duration::from_millis(100)).body(text("word "));
        }
        let begun = Instant::now();
        let (case, bill) = left(shape, script).await;
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(35), "held for {took:?}");
        assert!(bill.credits <= 20.0, "{bill:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(
            case.calls()[0].ended,
            Ended::Left,
            "the provider's work is cancelled"
        );
    });
}

#[test]
fn who_leaves_before_the_first_word_of_a_whole_answer_pays_what_it_cost() {
    each(&[("a whole answer", ())], async |shape, (): ()| {
        let script = crate::fake::bodies::good_whole().after(Duration::from_millis(900));
        let case = case(shape, vec![always(script)]).start().await;
        let body = case.chat_body(&NONE);
        let request = case.request("/api/v1/chat/completions").json(&body);
        let request = request.timeout(Duration::from_millis(300)).send().await;
        assert!(request.is_err(), "it left");
        let bill = case.bill().await;
        assert_eq!(bill.status, "canceled", "{bill:?}");
        // Either the provider's own count was waited for, or nothing was delivered and nothing is paid.
        let known = (bill.credits - 2.0).abs() < 1e-7 || bill.credits.abs() < 1e-7;
        assert!(known, "{bill:?}");
    });
}

#[test]
fn many_who_start_and_leave_pile_up_no_streams_at_the_provider() {
    each(&[("a hundred", ())], async |shape, (): ()| {
        let mut script = sse(text("word ").repeat(5));
        for _ in 0..40 {
            script = script.pause(Duration::from_millis(100)).body(text("word "));
        }
        let case = case(shape, vec![always(script.body(finish("stop")).body(DONE))]);
        let case = case.balance("100000").start().await;
        let leaving = (0..100).map(|_| read_and_leave(&case, &NONE, 1));
        futures_util::future::join_all(leaving).await;
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        let calls = case.calls();
        let running = calls
            .iter()
            .filter(|call| call.ended == Ended::Running)
            .count();
        assert!(running < 80, "{running} of {} are read on", calls.len());
        assert_eq!(case.bills(100).await.len(), 100);
    });
}
