//! Asked ranges become whole spans within bounds.

use super::*;

const HOUR_MS: i64 = 3_600_000;

#[test]
fn ranges_are_widened_to_whole_spans_and_bounded() {
    let at = Moment::from_unix_ms;
    let utc = Zone::utc();
    let window = |grain, from, until| {
        Range::Between {
            grain,
            from: at(from),
            until: at(until),
        }
        .window(at(0), &utc)
    };
    let one = window(Grain::Hour, 5, 6);
    assert_eq!((one.from(), one.until), (at(0), at(HOUR_MS)));
    let whole = window(Grain::Hour, 0, HOUR_MS);
    assert_eq!(
        (whole.from(), whole.until),
        (at(0), at(HOUR_MS)),
        "the end is outside"
    );
    let long = window(Grain::Hour, 0, 10_000 * HOUR_MS);
    assert_eq!(filled(&long, Vec::new()).len(), 336);
    let turned = window(Grain::Day, 90 * 24 * HOUR_MS, HOUR_MS);
    assert_eq!(filled(&turned, Vec::new()), Vec::new());
    let now = at(1_795_255_200_123);
    for (span, points) in [
        (Span::Day, 24),
        (Span::Week, 6 * 24 + 11),
        (Span::Month, 30),
        (Span::Quarter, 90),
    ] {
        let window = Range::Last(span).window(now, &utc);
        assert_eq!(filled(&window, Vec::new()).len(), points);
        assert!(
            window.from() <= now && now < window.until,
            "the running one is the last"
        );
        assert_eq!(Span::from_word(span.word()), Some(span));
    }
}
