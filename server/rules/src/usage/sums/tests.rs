//! A call counts once in each dimension, and nobody's failures are in no rate.

use super::*;

fn call(status: &str, test: bool) -> CountedCall {
    CountedCall {
        tenant: "ten_1".to_owned(),
        key: "key_1".to_owned(),
        model: "m".to_owned(),
        provider: "p".to_owned(),
        operation: "chat".to_owned(),
        test,
        status: status.to_owned(),
        fault: None,
        usage: Consumed::default(),
        credits: Credits::from_micros(30),
        cost: Some(Credits::from_micros(20)),
        attempts: 1,
        first_byte_ms: 5,
        duration_ms: 9,
        at: Moment::from_unix_ms(DAY_MS + HOUR_MS + 1),
    }
}

#[test]
fn a_call_counts_once_in_each_dimension_of_its_hour_and_day() {
    let places = call("succeeded", false).places();
    assert_eq!(places.len(), 12);
    let starts = |grain: &str| {
        let of_grain = places.iter().filter(|place| place.grain == grain);
        of_grain.map(|place| place.starts_at).collect::<Vec<_>>()
    };
    assert_eq!(starts("hour"), vec![DAY_MS + HOUR_MS; 6]);
    assert_eq!(starts("day"), vec![DAY_MS; 6]);
    let test: Vec<_> = call("succeeded", true).places();
    assert!(
        test.iter()
            .all(|place| place.dimension == "call" && place.test)
    );
    assert_eq!(test.len(), 2);
}

#[test]
fn what_callers_did_wrong_counts_by_itself_among_what_failed() {
    let mut sums = Sums::default();
    for (status, fault) in [
        ("succeeded", None),
        ("canceled", Some("canceled")),
        ("failed", None),
        ("failed", Some("overloaded")),
        ("failed", Some("rate_limited")),
        ("failed", Some("a word of tomorrow")),
        ("failed", Some("bad_request")),
        ("failed", Some("content_policy")),
        ("failed", Some("end_user_blocked")),
    ] {
        let call = CountedCall {
            fault: fault.map(str::to_owned),
            ..call(status, false)
        };
        sums.count(&call);
    }
    assert_eq!((sums.calls, sums.failed, sums.caller_faults), (9, 7, 3));
}

#[test]
fn rates_leave_out_what_nobody_failed_at() {
    let mut sums = Sums::default();
    assert_eq!(
        (sums.success_rate_bp(), sums.cost.margin_bp(0)),
        (None, None)
    );
    for status in [
        "succeeded",
        "succeeded",
        "succeeded",
        "failed",
        "canceled",
        "canceled",
    ] {
        sums.count(&call(status, false));
    }
    assert_eq!(sums.succeeded(), 3);
    assert_eq!(sums.success_rate_bp(), Some(7_500));
    let margin = sums.cost.margin(sums.calls);
    assert_eq!(margin, Some(Credits::from_micros(60)));
    assert_eq!(sums.cost.margin_bp(sums.calls), Some(3_333));
    assert_eq!(sums.durations.count(), 3, "only of those that succeeded");
    assert_eq!(sums.latency().p99_ms, Some(9));
    assert_eq!(sums.first_bytes.count(), 6);
}
