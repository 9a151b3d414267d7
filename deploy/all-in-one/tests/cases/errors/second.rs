//! Who is tried next: a first target that is out of order hands over to the second.

use serde_json::json;

use super::{NONE, TWO};
use crate::case::{Case, case};
use crate::fake::always;
use crate::fake::bodies::{error, good_whole, page};
use crate::fake::script::Script;
use crate::world::{Shape, everywhere};

/// A first target that fails in this way, and a second one that is well: every call is answered.
async fn second_answers(shape: Shape, keys: &[&'static str], script: Script) -> Case {
    let calls = 6;
    let case = case(shape, vec![always(script)])
        .keys(keys)
        .then(vec![always(good_whole())])
        .start()
        .await;
    for n in 0..calls {
        let answer = case.chat(&NONE).await;
        assert_eq!(answer.status, 200, "call {n}: {}", answer.text);
        assert_eq!(answer.content(), "all well");
    }
    assert_eq!(case.second_calls().len(), calls);
    for bill in case.bills(calls).await {
        bill.is(2.0);
    }
    case
}

#[test]
fn e03_an_overloaded_target_hands_over_to_the_second() {
    everywhere(async |shape| {
        let body = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
        second_answers(shape, &TWO[..1], error(529, body)).await;
    });
}

#[test]
fn e08_a_target_that_lacks_the_model_hands_over_to_the_second() {
    everywhere(async |shape| {
        let body = r#"{"error":{"message":"The model `their-name` does not exist","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#;
        let case = second_answers(shape, &TWO[..1], error(404, body)).await;
        assert_eq!(case.key_states().await, ["active"]);
    });
}

#[test]
fn e21_pages_of_a_proxy_in_front_hand_over_to_the_second() {
    everywhere(async |shape| {
        for status in [520, 524] {
            second_answers(shape, &TWO[..1], page(status)).await;
        }
    });
}

#[test]
fn e23_a_pool_that_is_down_does_not_starve_the_second_target() {
    everywhere(async |shape| {
        let body = r#"{"error":{"message":"The server is overloaded","type":"server_error"}}"#;
        second_answers(shape, &TWO, error(503, body)).await;
    });
}

#[test]
fn e24_a_host_that_refuses_connections_does_not_starve_the_second_target() {
    everywhere(async |shape| {
        // A port that was free a moment ago.
        let probe = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let dead = format!("http://{}/v1", probe.local_addr().expect("an address"));
        drop(probe);
        let case = case(shape, Vec::new())
            .keys(&TWO)
            .base_url(dead)
            .then(vec![always(good_whole())])
            .start()
            .await;
        for n in 0..20 {
            let answer = case.chat(&NONE).await;
            assert_eq!(answer.status, 200, "call {n}: {}", answer.text);
        }
        assert_eq!(case.second_calls().len(), 20);
        let states = case.key_states().await;
        assert!(states.iter().all(|state| state != "disabled"), "{states:?}");
    });
}

#[test]
fn a09_two_targets_that_fail_cost_nothing_and_hold_nothing() {
    everywhere(async |shape| {
        let broken = error(500, r#"{"error":{"message":"oops"}}"#);
        let case = case(shape, vec![always(broken.clone())])
            .then(vec![always(broken)])
            .start()
            .await;
        let refused = case.chat(&NONE).await;
        refused.is_one_of(&[502, 503]);
        assert_eq!(
            case.settled().await,
            json!({"available": 1000, "held": 0, "used": 0})
        );
        case.is_free().await;
    });
}
