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
mod tests;
