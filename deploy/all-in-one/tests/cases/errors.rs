//! Refusals of providers: whose fault they are, what they do to keys, and who is tried next.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::case::{Case, case};
use crate::fake::bodies::{answer, error, good_whole, page};
use crate::fake::script::{End, Script};
use crate::fake::{always, on, saying, with_key};
use crate::world::{Shape, everywhere, run};

const NONE: Value = Value::Null;
const TWO: [&str; 2] = ["one-key-0123456789", "two-key-0123456789"];

/// A chat body that says something.
pub(crate) fn says(text: &str) -> Value {
    json!({"messages": [{"role": "user", "content": text}]})
}

/// `seconds` from now in HTTP's form.
#[expect(
    clippy::disallowed_methods,
    reason = "the provider's clock is not a part of the product"
)]
pub(crate) fn http_date(seconds: u64) -> String {
    const NAMES: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    let at = now.as_secs() + seconds;
    let (days, second) = (at / 86_400, at % 86_400);
    // Civil from days, with years that begin in March (Hinnant, "chrono-compatible date algorithms").
    let z = days + 719_468;
    let of_era = z % 146_097;
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + z / 146_097 * 400 + u64::from(month <= 2);
    let name = NAMES[usize::try_from(month - 1).expect("small")];
    let weekday = DAYS[usize::try_from(days % 7).expect("small")];
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    format!(
        "{weekday}, {day:02} {name} {year} {hour:02}:{minute:02}:{:02} GMT",
        second % 60
    )
}

/// The seconds after which the tenant shall come again, of a 429.
pub(crate) async fn told_to_wait(shape: Shape, script: Script) -> (Case, u64) {
    let case = case(shape, vec![always(script)]).start().await;
    let refused = case.chat(&NONE).await;
    refused.is_one_of(&[429, 503]);
    let after = refused
        .header("retry-after")
        .and_then(|after| after.parse().ok());
    let after = after.unwrap_or_else(|| panic!("no retry-after: {refused:?}"));
    case.is_free().await;
    (case, after)
}

#[test]
fn e01_retry_after_may_be_a_date() {
    everywhere(async |shape| {
        let body = r#"{"error":{"message":"slow down","type":"rate_limit_error"}}"#;
        let script = error(429, body).header("retry-after", &http_date(120));
        let (case, after) = told_to_wait(shape, script).await;
        assert!((110..=121).contains(&after), "{after}");
        let keys = case.keys().await;
        assert_eq!(keys[0]["status"], "cooling", "{keys:?}");
        // The key rests until then, so the provider is left alone.
        let again = case.chat(&NONE).await;
        again.is_one_of(&[429, 503]);
        let after: Option<u64> = again
            .header("retry-after")
            .and_then(|after| after.parse().ok());
        assert!(
            after.is_some_and(|after| (100..=121).contains(&after)),
            "{again:?}"
        );
        assert_eq!(case.calls().len(), 1);
    });
}

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
fn e04_a_flagged_prompt_disables_no_key() {
    everywhere(async |shape| {
        let body = r#"{"error":{"code":403,"message":"Your input was flagged by moderation","metadata":{"reasons":["violence"],"flagged_input":"..."}}}"#;
        let rows = vec![saying("evil", error(403, body)), always(good_whole())];
        let case = case(shape, rows).keys(&TWO).start().await;
        for _ in 0..2 {
            let flagged = case.chat(&says("evil things")).await;
            flagged.is_one_of(&[400, 403]);
            assert!(
                flagged.message().contains("Your input was flagged"),
                "{}",
                flagged.text
            );
        }
        assert_eq!(case.key_states().await, ["active", "active"]);
        case.chat(&NONE).await.is(200);
    });
}

#[test]
fn e06_a_model_that_the_project_lacks_leaves_the_keys_to_the_others() {
    everywhere(async |shape| {
        let body = r#"{"error":{"message":"Project `proj_abc` does not have access to model `secret-1`","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#;
        let lacks = |seen: &crate::fake::Seen| seen.json["model"] == "secret-1";
        let rows = vec![on(lacks, error(403, body)), always(good_whole())];
        let case = case(shape, rows).keys(&TWO).start().await;
        let target =
            json!({"provider": case.first, "model": "secret-1", "weight": 1, "priority": 0});
        let name = format!("{}-secret", case.model);
        let body = json!({"id": name, "operation": "chat", "targets": [target], "price": {}});
        let (status, made) = case
            .product
            .admin(Method::POST, "/models", Some(body))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        for _ in 0..3 {
            let refused = case.chat(&json!({"model": name})).await;
            refused.is_one_of(&[403, 404, 503]);
            assert!(!refused.text.contains("proj_abc"), "{}", refused.text);
        }
        assert_eq!(case.key_states().await, ["active", "active"]);
        case.chat(&NONE).await.is(200);
    });
}

#[test]
fn e07_a_402_that_depends_on_the_request_leaves_small_calls_alone() {
    everywhere(async |shape| {
        let body = r#"{"error":{"message":"This request requires more credits, or fewer max_tokens. You requested up to 65536 tokens, but can only afford 3919.","code":402}}"#;
        let large = |seen: &crate::fake::Seen| {
            let max = &seen.json["max_tokens"];
            max.as_u64()
                .or(seen.json["max_completion_tokens"].as_u64())
                .is_some_and(|max| max > 500)
        };
        let rows = vec![on(large, error(402, body)), always(good_whole())];
        let case = case(shape, rows).start().await;
        let refused = case.chat(&json!({"max_tokens": 900})).await;
        assert!(refused.status >= 400, "{}", refused.text);
        case.chat(&json!({"max_tokens": 100})).await.is(200);
        assert_eq!(case.key_states().await, ["active"]);
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
fn e09_a_400_that_names_the_key_takes_the_key_out() {
    everywhere(async |shape| {
        let body = r#"[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}]"#;
        let rows = vec![with_key(TWO[0], error(400, body)), always(good_whole())];
        let case = case(shape, rows).keys(&TWO).start().await;
        // Questions that begin alike would stay with one key.
        for user in 0..12 {
            let user = json!({"user": format!("user {user}")});
            case.chat(&user).await.is(200);
        }
        let disabled = async {
            while case.key_states().await != ["disabled", "active"] {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let disabled = tokio::time::timeout(Duration::from_secs(10), disabled).await;
        assert!(disabled.is_ok(), "{:?}", case.key_states().await);
    });
}

/// What a tenant reads of a refusal; the keys stay active.
pub(crate) async fn reads(shape: Shape, script: Script) -> crate::reading::Whole {
    let rows = vec![saying("bad", script), always(good_whole())];
    let case = case(shape, rows).keys(&TWO).start().await;
    let refused = case.chat(&says("bad")).await;
    assert_eq!(
        case.key_states().await,
        ["active", "active"],
        "{}",
        refused.text
    );
    case.is_free().await;
    case.chat(&NONE).await.is(200);
    refused
}

#[test]
fn e10_the_reason_in_an_array_is_read() {
    everywhere(async |shape| {
        let body = r#"[{"error":{"code":400,"message":"Unable to process input image","status":"INVALID_ARGUMENT"}}]"#;
        let refused = reads(shape, error(400, body)).await;
        refused.is(400);
        assert!(refused.message().contains("Unable to process input image"));
    });
}

#[test]
fn e12_message_code_and_param_of_a_context_that_is_too_long_reach_the_client() {
    everywhere(async |shape| {
        let body = json!({"error": {"message": "This model's maximum context length is 8192 tokens.",
            "type": "invalid_request_error", "param": "messages", "code": "context_length_exceeded"}});
        let refused = reads(shape, answer(400, &body)).await;
        refused.is(400);
        assert_eq!(refused.body["error"], body["error"]);
    });
}

#[test]
fn e13_refusals_of_a_request_leave_the_keys_active() {
    everywhere(async |shape| {
        let body = r#"{"error":{"message":"not like this","type":"invalid_request_error"}}"#;
        for status in [400, 413, 422] {
            let refused = reads(shape, error(status, body)).await;
            refused.is(status);
            assert!(
                refused.message().contains("not like this"),
                "{}",
                refused.text
            );
        }
    });
}

#[test]
fn e14_a_key_without_quota_leaves_the_call_to_the_other() {
    everywhere(async |shape| {
        let body = r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#;
        let rows = vec![with_key(TWO[0], error(429, body)), always(good_whole())];
        let case = case(shape, rows).keys(&TWO).start().await;
        for _ in 0..6 {
            case.chat(&NONE).await.is(200);
        }
        let spent = case
            .calls()
            .iter()
            .filter(|call| call.key() == TWO[0])
            .count();
        assert!(spent <= 1, "{spent}");
    });
}

#[test]
fn e15_a_provider_that_closes_idle_connections_fails_no_call() {
    everywhere(async |shape| {
        let case = case(shape, vec![always(good_whole().ends(End::Idle))])
            .start()
            .await;
        for n in 0..20 {
            assert_eq!(case.chat(&NONE).await.status, 200, "call {n}");
            tokio::time::sleep(Duration::from_millis(n % 4 * 5)).await;
        }
        assert_eq!(case.bills(20).await.len(), 20);
    });
}

#[test]
fn e17_a_slash_at_the_end_of_the_base_url_is_one_in_the_path() {
    everywhere(async |shape| {
        let url = format!("http://{}/slash-e17/v1/", crate::world::fake().address);
        crate::world::fake().lay("slash-e17", vec![always(good_whole())]);
        let case = case(shape, Vec::new()).base_url(url).start().await;
        case.chat(&NONE).await.is(200);
        let calls = crate::world::fake().calls("slash-e17");
        assert_eq!(
            calls.last().map(|call| call.path.as_str()),
            Some("/v1/chat/completions")
        );
    });
}

#[test]
fn e20_a_key_is_not_called_bad_where_its_test_can_not_tell() {
    everywhere(async |shape| {
        let nowhere = error(404, r#"{"detail":"Not Found"}"#);
        let rows = vec![
            on(|seen| seen.method == "GET", nowhere),
            always(good_whole()),
        ];
        let case = case(shape, rows).start().await;
        let id = case.keys().await[0]["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        let path = format!("/providers/{}/keys/{id}/test", case.first);
        let (status, told) = case.product.admin(Method::POST, &path, None).await;
        assert_eq!(status, StatusCode::OK, "{told}");
        let detail = told["detail"].as_str().unwrap_or_default();
        assert!(
            told["ok"] == true || detail.contains("can't be told"),
            "{told}"
        );
        case.chat(&NONE).await.is(200);
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
fn e22_a_pasted_key_is_trimmed_or_refused() {
    everywhere(async |shape| {
        let case = case(shape, vec![always(good_whole())])
            .keys(&[])
            .start()
            .await;
        let path = format!("/providers/{}/keys", case.first);
        for pasted in [
            " sk-pasted-0123456789\n",
            "\tsk-pasted-0123456789 ",
            "sk-pasted\r\n-0123456789",
        ] {
            let body = json!({"secret": pasted});
            let (status, made) = case.product.admin(Method::POST, &path, Some(body)).await;
            if status != StatusCode::BAD_REQUEST {
                assert_eq!(status, StatusCode::CREATED, "{made}");
                case.chat(&NONE).await.is(200);
                let calls = case.calls();
                assert_eq!(
                    calls.last().map(crate::fake::Seen::key),
                    Some("sk-pasted-0123456789")
                );
            }
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

#[test]
fn a08_ten_calls_at_once_that_cost_more_than_there_is_leave_no_debt() {
    run(async {
        for shape in [Shape::Whole, Shape::Apart] {
            let slow = good_whole().after(Duration::from_millis(200));
            let case = case(shape, vec![always(slow)]).balance("25").start().await;
            let asked = json!({"max_tokens": 200});
            let calls = (0..10).map(|_| case.chat(&asked));
            let answers = futures_util::future::join_all(calls).await;
            let told: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
            assert!(
                told.iter().all(|status| [200, 402].contains(status)),
                "{told:?}"
            );
            let passed = told.iter().filter(|status| **status == 200).count();
            assert!((1..10).contains(&passed), "{told:?}");
            let balance = case.settled().await;
            let available = balance["available"].as_f64().expect("credits");
            assert!(available >= 0.0, "{balance}");
            assert_eq!(case.bills(passed).await.len(), passed);
        }
    });
}
