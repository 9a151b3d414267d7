//! Refusals of providers: whose fault they are, what they do to keys, and who is tried next.

mod keys;
mod second;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::case::{Case, case};
use crate::fake::bodies::{answer, error, good_whole};
use crate::fake::script::{End, Script};
use crate::fake::{always, saying};
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

/// What a tenant reads of a refusal; the keys stay active.
pub(crate) async fn reads(shape: Shape, script: Script) -> crate::reading::Whole {
    let rows = vec![saying("bad words", script), always(good_whole())];
    let case = case(shape, rows).keys(&TWO).start().await;
    let refused = case.chat(&says("bad words")).await;
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
