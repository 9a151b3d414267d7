//! Outages and limits of a provider: who answers instead, and when it is worth trying again.

use super::super::each;
use super::{BUSY, FOUR, Make, NONE, neighbour};
use crate::case::case;
use crate::fake::always;
use crate::fake::bodies::{error, good_whole, page};
use crate::world::{everywhere, run};

#[test]
fn a_real_outage_hands_all_calls_to_the_second_target() {
    const OUTAGES: &[(&str, Make)] = &[
        ("500", || error(500, r#"{"error":{"message":"oops"}}"#)),
        ("502, a page", || page(502)),
        ("503", || error(503, BUSY)),
        ("522, a page", || page(522)),
        ("529", || {
            error(
                529,
                r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            )
        }),
        ("429", || error(429, BUSY).header("retry-after", "30")),
        ("404, a page", || page(404)),
        ("404, a path", || error(404, r#"{"detail":"Not Found"}"#)),
        ("402, the account", || {
            error(
                402,
                r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","code":"invalid_request_error"}}"#,
            )
        }),
    ];
    each(OUTAGES, async |shape, make: Make| {
        let case = case(shape, vec![always(make())])
            .keys(&FOUR)
            .then(vec![always(good_whole())])
            .start()
            .await;
        for n in 0..6 {
            let told = case.chat(&NONE).await;
            assert_eq!(told.status, 200, "call {n}: {}", told.text);
        }
        assert_eq!(case.second_calls().len(), 6);
        assert_eq!(case.bills(6).await.len(), 6);
    });
}

#[test]
fn a_pool_that_rests_after_429_answers_429_with_the_time_to_wait() {
    everywhere(async |shape| {
        let busy = error(429, BUSY).header("retry-after", "40");
        let mut case = case(shape, vec![always(busy)])
            .keys(&FOUR[..2])
            .start()
            .await;
        for n in 0..4 {
            let told = case.chat(&NONE).await;
            assert_eq!(told.status, 429, "call {n}: {}", told.text);
            let after = told
                .header("retry-after")
                .and_then(|after| after.parse().ok());
            assert!(
                after.is_some_and(|after: u64| (20..=40).contains(&after)),
                "{told:?}"
            );
        }
        let own = case.calls().len();
        assert!(
            own <= 2,
            "the keys rest for whoever was told so: {own} calls"
        );
        case.is_free().await;
        // One tenant's word is not another's; two tenants' word is everybody's.
        case.customer = neighbour(&case).await;
        case.chat(&NONE).await.is(429);
        let both = case.calls().len();
        assert!((own + 1..=own + 2).contains(&both), "{own}, then {both}");
        case.customer = neighbour(&case).await;
        let third = case.chat(&NONE).await;
        third.is(429);
        assert!(third.header("retry-after").is_some(), "{third:?}");
        assert_eq!(case.calls().len(), both, "the keys rest for all");
    });
}

#[test]
fn clients_are_told_not_to_try_again_what_waiting_cannot_cure() {
    everywhere(async |shape| {
        let mut case = case(shape, vec![always(good_whole())]).start().await;
        case.customer = case.product.customer("0.001").await;
        let poor = case.chat(&NONE).await;
        poor.is(402);
        assert_eq!(poor.header("x-should-retry"), Some("false"));
    });
}

#[test]
fn tries_end_within_a_bound_when_all_is_down() {
    run(async {
        let down = error(503, BUSY);
        let case = case(crate::world::Shape::Apart, vec![always(down.clone())])
            .keys(&FOUR)
            .then(vec![always(down)])
            .start()
            .await;
        let told = case.chat(&NONE).await;
        told.is_one_of(&[429, 502, 503]);
        let tries = case.calls().len() + case.second_calls().len();
        assert!((2..=8).contains(&tries), "{tries}");
        case.is_free().await;
    });
}
