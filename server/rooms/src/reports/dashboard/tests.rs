//! Asked ranges become whole spans within bounds.

use super::*;

const HOUR_MS: i64 = 3_600_000;

#[test]
fn ranges_are_widened_to_whole_spans_and_bounded() {
    let at = Moment::from_unix_ms;
    let query = |grain, from, until| {
        Range::Between {
            grain,
            from: at(from),
            until: at(until),
        }
        .query(at(0))
    };
    let one = query(Grain::Hour, 5, 6);
    assert_eq!((one.from, one.until), (at(0), at(HOUR_MS)));
    let whole = query(Grain::Hour, 0, HOUR_MS);
    assert_eq!(
        (whole.from, whole.until),
        (at(0), at(HOUR_MS)),
        "the end is outside"
    );
    let long = query(Grain::Hour, 0, 10_000 * HOUR_MS);
    assert_eq!(filled(long, Vec::new()).len(), 336);
    let turned = query(Grain::Day, 90 * 24 * HOUR_MS, HOUR_MS);
    assert_eq!(filled(turned, Vec::new()), Vec::new());
    let now = at(1_795_255_200_123);
    for (span, points) in [
        (Span::Day, 24),
        (Span::Week, 168),
        (Span::Month, 30),
        (Span::Quarter, 90),
    ] {
        let query = Range::Last(span).query(now);
        assert_eq!(filled(query, Vec::new()).len(), points);
        assert!(
            query.from <= now && now < query.until,
            "the running one is the last"
        );
        assert_eq!(Span::from_word(span.word()), Some(span));
    }
}
