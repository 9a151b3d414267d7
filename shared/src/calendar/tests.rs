//! Days and moments lead to one another over the whole calendar, and its ends hold.

use proptest::prelude::*;

use super::*;

fn civil(year: i32, month: u8, day: u8) -> CivilDate {
    CivilDate { year, month, day }
}

#[test]
fn known_days_are_where_they_belong() {
    for (date, days) in [
        (civil(1970, 1, 1), 0),
        (civil(1969, 12, 31), -1),
        (civil(2000, 2, 29), 11_016),
        (civil(2026, 11, 21), 20_778),
    ] {
        let start = Moment::from_unix_ms(days * MS_PER_DAY);
        assert_eq!(date.start(), Some(start));
        assert_eq!(CivilDate::of(start), date);
        assert_eq!(
            CivilDate::of(Moment::from_unix_ms(start.unix_ms() + MS_PER_DAY - 1)),
            date
        );
    }
}

#[test]
fn days_that_are_not_in_the_calendar_have_no_moment() {
    for (year, month, day) in [
        (2026, 2, 29),
        (2100, 2, 29),
        (2026, 0, 1),
        (2026, 13, 1),
        (2026, 4, 31),
        (2026, 4, 0),
        (10_000, 1, 1),
    ] {
        assert_eq!(
            civil(year, month, day).start(),
            None,
            "{year}-{month}-{day}"
        );
    }
}

#[test]
fn moments_beyond_the_calendar_are_its_ends() {
    assert_eq!(
        CivilDate::of(Moment::from_unix_ms(i64::MAX)),
        civil(9999, 12, 31)
    );
    assert_eq!(
        CivilDate::of(Moment::from_unix_ms(i64::MIN)),
        civil(-9999, 1, 1)
    );
}

proptest! {
    #[test]
    fn every_day_is_found_again(days in -700_000_i64..2_900_000) {
        let start = Moment::from_unix_ms(days * MS_PER_DAY);
        prop_assert_eq!(CivilDate::of(start).start(), Some(start));
        let first = CivilDate::of(start).first_of_month().start().expect("every month has a first");
        prop_assert!(first <= start && start.since(first).as_millis() < 31 * 86_400_000);
    }
}
