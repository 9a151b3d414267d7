//! Headers tell of the tighter limit alone, in the form that clients know.

use super::*;

#[test]
fn durations_are_written_as_go_writes_them() {
    let text = |ms| go_duration(Duration::from_millis(ms));
    assert_eq!(text(0), "0s");
    assert_eq!(text(17), "17ms");
    assert_eq!(text(1_000), "1s");
    assert_eq!(text(8_640), "8.64s");
    assert_eq!(text(360_000), "6m0s");
    assert_eq!(text(61_005), "1m1.005s");
    assert_eq!(text(3_602_000), "1h0m2s");
}

#[test]
fn only_what_is_limited_has_headers_and_the_tighter_scope_is_shown() {
    let left = |limit, remaining| Left {
        limit,
        remaining,
        reset: Duration::from_millis(1_500),
    };
    let tenant = LimitInfo {
        requests: Some(left(60, 10)),
        tokens: None,
    };
    let key = LimitInfo {
        requests: Some(left(20, 15)),
        tokens: None,
    };
    let shown: Vec<String> = tenant
        .tighter(key)
        .headers()
        .map(|(name, value)| format!("{name}: {}", value.to_str().expect("text")))
        .collect();
    assert_eq!(
        shown,
        [
            "x-ratelimit-limit-requests: 60",
            "x-ratelimit-remaining-requests: 10",
            "x-ratelimit-reset-requests: 1.5s",
        ]
    );
    assert_eq!(LimitInfo::default().headers().count(), 0);
    assert_eq!(LimitInfo::default().tighter(key), key);
}
