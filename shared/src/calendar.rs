//! Days of the calendar, in UTC: of moments, and moments of them. Knows no other time zones and no
//! texts.

use time::{Date, Month};

use crate::clock::Moment;

/// Milliseconds of a day; leap seconds are not counted, as in all unix time.
pub const MS_PER_DAY: i64 = 86_400_000;
/// The Julian day of 1970-01-01.
const EPOCH: i64 = 2_440_588;

/// A day of the proleptic Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CivilDate {
    /// From -9999 to 9999.
    pub year: i32,
    /// From 1.
    pub month: u8,
    /// Of the month, from 1.
    pub day: u8,
}

impl CivilDate {
    /// The day that a moment lies in; the first or last that can be told for those beyond.
    pub fn of(at: Moment) -> Self {
        let julian = at.unix_ms().div_euclid(MS_PER_DAY).saturating_add(EPOCH);
        let bounded = julian.clamp(
            i64::from(Date::MIN.to_julian_day()),
            i64::from(Date::MAX.to_julian_day()),
        );
        let date = i32::try_from(bounded)
            .ok()
            .and_then(|julian| Date::from_julian_day(julian).ok())
            .unwrap_or(Date::MIN);
        Self {
            year: date.year(),
            month: date.month().into(),
            day: date.day(),
        }
    }

    /// The first moment of the day; `None` if the calendar has no such day.
    pub fn start(self) -> Option<Moment> {
        let month = Month::try_from(self.month).ok()?;
        let date = Date::from_calendar_date(self.year, month, self.day).ok()?;
        let days = i64::from(date.to_julian_day()).saturating_sub(EPOCH);
        Some(Moment::from_unix_ms(days.saturating_mul(MS_PER_DAY)))
    }

    /// The first day of the same month.
    #[must_use]
    pub fn first_of_month(self) -> Self {
        Self { day: 1, ..self }
    }
}

#[cfg(test)]
mod tests {
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
}
