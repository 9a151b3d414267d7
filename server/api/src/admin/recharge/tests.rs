//! Keys of recharges are plain and present, and an expiry lies ahead.

use super::*;

#[test]
fn a_key_is_the_same_in_quotes_and_without() {
    let key = |header| idempotency_key(Some(header)).ok();
    assert_eq!(key("8e03978e-40d5"), key("\"8e03978e-40d5\""));
    assert_eq!(key(" a b "), Some("a b".to_owned()));
    assert_eq!(key(r#""a\"b\\c""#), Some(r#"a"b\c"#.to_owned()));
    assert_eq!(key(&"x".repeat(255)).map(|key| key.len()), Some(255));
}

#[test]
fn a_missing_empty_or_odd_key_is_refused() {
    assert!(idempotency_key(None).is_err());
    let long = "x".repeat(256);
    for bad in [
        "",
        "  ",
        "\"\"",
        "é",
        "a\"b",
        "\"a",
        r#""a\b""#,
        r#""a\""#,
        "\"a\"b\"",
        "a\u{7f}",
        long.as_str(),
    ] {
        assert!(idempotency_key(Some(bad)).is_err(), "{bad}");
    }
}

#[test]
fn an_expiry_is_in_the_future_and_a_day_counts_to_its_end() {
    let now = "2026-11-21T10:00:00Z"
        .parse::<Date>()
        .expect("a moment")
        .start();
    assert_eq!(expiry(None, now).expect("none"), None);
    let end = expiry(Some("2026-11-21"), now)
        .expect("today")
        .expect("an end");
    assert_eq!(date::text(end), "2026-11-22T00:00:00.000Z");
    for bad in ["2026-11-20", "2026-11-21T10:00:00Z", "soon", ""] {
        assert!(expiry(Some(bad), now).is_err(), "{bad}");
    }
    assert!(check_text("note", "for Q4 — thank you").is_ok());
    assert!(check_text("note", "a\nb").is_err() && check_text("note", &"x".repeat(501)).is_err());
}
