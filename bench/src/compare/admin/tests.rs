//! Amounts are read exactly, and a refused or odd answer is told with its step.

use super::client::{success, text};
use super::*;
use crate::http::Reply;

#[test]
fn amounts_are_read_exactly_from_numbers_and_text() {
    let read = |text: &str| credits_micros(&serde_json::from_str(text).unwrap());
    assert_eq!(read("1000000"), Some(1_000_000_000_000));
    assert_eq!(read("999999.999"), Some(999_999_999_000));
    assert_eq!(read("0.001"), Some(1_000));
    assert_eq!(read("12.0"), Some(12_000_000));
    assert_eq!(read("\"-3.000001\""), Some(-3_000_001));
    assert_eq!(read("0.0000001"), None);
    assert_eq!(read("\"much\""), None);
    assert_eq!(read("null"), None);
}

#[test]
fn a_refused_step_is_named_with_status_and_body() {
    let reply = Reply {
        status: 409,
        body: r#"{"error":"taken"}"#.into(),
    };
    let failure = success("create the tenant", &reply)
        .unwrap_err()
        .to_string();
    assert_eq!(failure, r#"create the tenant: 409: {"error":"taken"}"#);
}

#[test]
fn an_answer_without_the_expected_field_is_shown() {
    let failure = text(&json!({"a": 1}), "/tenant/id", "create the tenant").unwrap_err();
    let expected = r#"create the tenant: no text at `/tenant/id` in {"a":1}"#;
    assert_eq!(failure.to_string(), expected);
}
