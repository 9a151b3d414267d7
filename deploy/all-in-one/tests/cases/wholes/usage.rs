//! What whole answers say of their usage, by many names, and what is charged for it.

use serde_json::{Value, json};

use super::NONE;
use crate::case::bill::Bill;
use crate::case::case;
use crate::fake::always;
use crate::fake::bodies::{two_credits, whole};
use crate::world::{Shape, everywhere};

/// What a whole answer with this usage costs.
async fn billed(shape: Shape, usage: &Value) -> Bill {
    let case = case(shape, vec![always(whole("all well", usage))])
        .start()
        .await;
    let answer = case.chat(&NONE).await;
    answer.is(200);
    assert_eq!(answer.content(), "all well");
    case.bill().await
}

#[test]
fn w05_without_usage_the_input_is_estimated_too() {
    everywhere(async |shape| {
        let case = case(shape, vec![always(whole("four words are enough", &NONE))])
            .start()
            .await;
        let words = json!({"messages": [{"role": "user", "content": "words ".repeat(4_000)}]});
        case.chat(&words).await.is(200);
        let bill = case.bill().await;
        bill.is_estimate(1..=10);
        assert!((3_500..=6_500).contains(&bill.input), "{bill:?}");
    });
}

#[test]
fn w07_reasoning_on_top_of_the_completion_is_counted() {
    everywhere(async |shape| {
        let usage = json!({"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 331,
            "completion_tokens_details": {"reasoning_tokens": 317}});
        let bill = billed(shape, &usage).await;
        assert_eq!(
            (bill.input, bill.output + bill.reasoning),
            (12, 319),
            "{bill:?}"
        );
        bill.is(3.202);
    });
}

#[test]
fn w08_reasoning_inside_of_the_completion_is_not_added_again() {
    everywhere(async |shape| {
        let usage = json!({"prompt_tokens": 100, "completion_tokens": 300, "total_tokens": 400,
            "completion_tokens_details": {"reasoning_tokens": 200}});
        let bill = billed(shape, &usage).await;
        assert_eq!((bill.output, bill.reasoning), (100, 200), "{bill:?}");
        bill.is(3.1);
    });
}

#[test]
fn w09_cached_tokens_have_many_names() {
    everywhere(async |shape| {
        for usage in [
            json!({"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100,
                "prompt_cache_hit_tokens": 600, "prompt_cache_miss_tokens": 400}),
            json!({"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100,
                "cached_tokens": 600}),
        ] {
            let bill = billed(shape, &usage).await;
            assert_eq!((bill.input, bill.cached), (400, 600), "{usage}: {bill:?}");
            bill.is(1.46);
        }
    });
}

#[test]
fn w10_counts_may_be_floats() {
    everywhere(async |shape| {
        let usage = json!({"prompt_tokens": 1000.0, "completion_tokens": 100.0});
        billed(shape, &usage).await.is(2.0);
    });
}

#[test]
fn w12_nulls_and_unknown_fields_in_the_usage_do_no_harm() {
    everywhere(async |shape| {
        let mut usage = two_credits();
        usage["prompt_tokens_details"] = NONE;
        usage["completion_tokens_details"] = NONE;
        usage["cost"] = json!(0.0123);
        usage["server_tool_use"] = json!({"web_search_requests": 0});
        billed(shape, &usage).await.is(2.0);
    });
}

#[test]
fn c17_an_empty_answer_with_a_finish_is_counted_as_the_provider_says() {
    everywhere(async |shape| {
        let usage = json!({"prompt_tokens": 1000, "completion_tokens": 0, "total_tokens": 1000});
        let case = case(shape, vec![always(whole("", &usage))]).start().await;
        case.chat(&NONE).await.is(200);
        let bill = case.bill().await;
        assert!(!bill.estimated, "{bill:?}");
        assert_eq!(
            (bill.input, bill.output, bill.status.as_str()),
            (1000, 0, "succeeded")
        );
        bill.costs(1.0);
    });
}
