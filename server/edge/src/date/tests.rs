//! Moments and plain days are read and printed alike, and no text panics.

use proptest::prelude::*;

use super::*;

fn ms(text: &str) -> i64 {
    text.parse::<Date>().expect(text).start().unix_ms()
}

#[test]
fn known_moments_are_read() {
    assert_eq!(ms("2000-01-01"), 946_684_800_000);
    assert_eq!(ms("2026-11-21T00:45:14Z"), 1_795_221_914_000);
    assert_eq!(ms("2026-11-21T08:45:14.5+08:00"), 1_795_221_914_500);
    assert_eq!(ms("2026-11-20T23:45:14.123456-01:00"), 1_795_221_914_123);
    assert_eq!(
        text(Moment::from_unix_ms(1_795_221_914_007)),
        "2026-11-21T00:45:14.007Z"
    );
}

#[test]
fn the_end_of_a_plain_date_is_the_whole_day() {
    let day: Date = "2024-02-29".parse().expect("a leap day");
    assert_eq!(day.end().unix_ms() - day.start().unix_ms(), 86_400_000);
    let instant: Date = "2024-02-29T00:00:00Z".parse().expect("a moment");
    assert_eq!(instant.end().unix_ms() - instant.start().unix_ms(), 1);
}

#[test]
fn what_is_no_date_is_refused() {
    for bad in [
        "",
        "2026",
        "2026-13-01",
        "2026-02-29",
        "2026-00-10",
        "2026-01-00",
        "1999-12-31",
        "9999-01-01",
        "2026-1-1",
        "+026-01-01",
        "2026-01-01T",
        "2026-01-01T10:00Z",
        "2026-01-01T25:00:00Z",
        "2026-01-01T10:00:00",
        "2026-01-01T10:00:00+8:00",
        "2026-01-01T10:00:00.Z",
        "２026-01-01",
        "2026-01-01T10:00:00+24:00",
        "2026-01-01é",
        "2026-01-01'; DROP",
        "2026-01-01-",
    ] {
        assert_eq!(bad.parse::<Date>(), Err(DateError), "{bad}");
    }
}

proptest! {
    #[test]
    fn printed_moments_read_back(ms in 946_684_800_000_i64..7_000_000_000_000) {
        let moment = Moment::from_unix_ms(ms);
        prop_assert_eq!(text(moment).parse(), Ok(Date::Instant(moment)));
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,40}") {
        let _ = text.parse::<Date>();
    }
}
