//! Time zones by their IANA names: when a day and a month begin in one. Their rules are part of the
//! binary, so that every process of a release has the same ones.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

use crate::calendar::{CivilDate, MS_PER_DAY};
use crate::clock::Moment;

/// The longest name of 2026 has 32 characters.
const NAME_BYTES_MAX: usize = 64;
/// The name of the zone without rules.
const UTC: &str = "UTC";

/// A time zone; cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name())
    }
}

/// A stretch of the calendar: from its first moment to that of the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Its first moment.
    pub start: Moment,
    /// The first moment behind it.
    pub end: Moment,
}

/// What clocks and calendars of a zone show at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wall {
    /// The day.
    pub date: CivilDate,
    /// From 0 to 23.
    pub hour: u8,
    /// Of the hour.
    pub minute: u8,
    /// Of the minute.
    pub second: u8,
    /// Milliseconds of the second.
    pub ms: u16,
    /// By how many seconds its clocks are ahead of UTC.
    pub offset_s: i32,
}

impl Wall {
    /// Minutes since midnight, as the clocks show.
    pub fn minute_of_day(&self) -> u16 {
        u16::from(self.hour) * 60 + u16::from(self.minute)
    }

    /// By how much its clocks are ahead of UTC, for people: `UTC+8`, `UTC+5:30`, `UTC`.
    pub fn offset(&self) -> String {
        let sign = if self.offset_s < 0 { '-' } else { '+' };
        let minutes = self.offset_s.unsigned_abs() / 60;
        match (minutes / 60, minutes % 60) {
            (0, 0) => UTC.to_owned(),
            (hours, 0) => format!("{UTC}{sign}{hours}"),
            (hours, rest) => format!("{UTC}{sign}{hours}:{rest:02}"),
        }
    }
}

impl Zone {
    /// The zone without rules.
    pub fn utc() -> Self {
        Self::default()
    }

    /// The zone of an IANA name, however its letters are written: `Asia/Shanghai`.
    pub fn named(name: &str) -> Option<Self> {
        if name.len() > NAME_BYTES_MAX {
            return None;
        }
        if name.eq_ignore_ascii_case(UTC) {
            return Some(Self::utc());
        }
        let zone = jiff::tz::db().get(name).ok()?;
        // A zone that is unknown to the tables has no name.
        zone.iana_name()?;
        Some(Self(zone))
    }

    /// Its name as the tables write it.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or(UTC)
    }

    /// The names of all zones, in their order.
    pub fn names() -> Vec<String> {
        let mut names: Vec<String> = jiff::tz::db()
            .available()
            .map(|name| name.to_string())
            .collect();
        names.sort_unstable();
        names
    }

    /// The day that `at` lies in.
    pub fn day(&self, at: Moment) -> Stretch {
        let found = self.date(at).and_then(|date| {
            let next = date.tomorrow().ok()?;
            self.stretch(date, next)
        });
        found.unwrap_or_else(|| utc_day(at))
    }

    /// A day of its calendar; `None` if the calendar has no such day.
    pub fn day_of(&self, date: CivilDate) -> Option<Stretch> {
        let part = |n: u8| i8::try_from(n).ok();
        let year = i16::try_from(date.year).ok()?;
        let date = Date::new(year, part(date.month)?, part(date.day)?).ok()?;
        self.stretch(date, date.tomorrow().ok()?)
    }

    /// Which day of its calendar `at` lies in.
    pub fn civil(&self, at: Moment) -> Option<CivilDate> {
        let date = self.date(at)?;
        Some(CivilDate {
            year: date.year().into(),
            month: date.month().try_into().ok()?,
            day: date.day().try_into().ok()?,
        })
    }

    /// What its clocks and its calendar show at a moment; UTC's for those beyond the calendar.
    pub fn wall(&self, at: Moment) -> Wall {
        self.wall_within(at).unwrap_or_else(|| utc_wall(at))
    }

    fn wall_within(&self, at: Moment) -> Option<Wall> {
        let at = Timestamp::from_millisecond(at.unix_ms()).ok()?;
        let shown = at.to_zoned_datetime(self.0.clone());
        Some(Wall {
            date: CivilDate {
                year: shown.year().into(),
                month: shown.month().try_into().ok()?,
                day: shown.day().try_into().ok()?,
            },
            hour: shown.hour().try_into().ok()?,
            minute: shown.minute().try_into().ok()?,
            second: shown.second().try_into().ok()?,
            ms: shown.millisecond().try_into().ok()?,
            offset_s: shown.offset().seconds(),
        })
    }

    /// The first moment of the day that lies `days` days of its calendar before the one of `at`.
    pub fn days_before(&self, at: Moment, days: u32) -> Moment {
        let first = self.date(at).and_then(|date| {
            let days = jiff::Span::new().try_days(days).ok()?;
            self.begin(date.checked_sub(days).ok()?)
        });
        first.unwrap_or_else(|| {
            let back = i64::from(days).saturating_mul(MS_PER_DAY);
            Moment::from_unix_ms(utc_day(at).start.unix_ms().saturating_sub(back))
        })
    }

    /// Its name with what its clocks are ahead of UTC at a moment: `Asia/Shanghai (UTC+8)`.
    pub fn label(&self, at: Moment) -> String {
        let ahead = self.wall(at).offset();
        match self.name() {
            UTC => UTC.to_owned(),
            name => format!("{name} ({ahead})"),
        }
    }

    /// The month that `at` lies in.
    pub fn month(&self, at: Moment) -> Stretch {
        let found = self.date(at).and_then(|date| {
            let first = date.first_of_month();
            let next = date.last_of_month().tomorrow().ok()?;
            self.stretch(first, next)
        });
        found.unwrap_or_else(|| utc_day(at))
    }

    /// The day of the week, counted from Monday as 0, and the minute of the day that its clocks show.
    pub fn weekday_and_minute(&self, at: Moment) -> Option<(usize, u16)> {
        let at = Timestamp::from_millisecond(at.unix_ms()).ok()?;
        let at = at.to_zoned_datetime(self.0.clone());
        let day = usize::try_from(at.weekday().to_monday_zero_offset()).ok()?;
        let (hour, minute) = (
            u16::try_from(at.hour()).ok()?,
            u16::try_from(at.minute()).ok()?,
        );
        Some((day, hour.saturating_mul(60).saturating_add(minute)))
    }

    fn date(&self, at: Moment) -> Option<Date> {
        let at = Timestamp::from_millisecond(at.unix_ms()).ok()?;
        Some(at.to_zoned_datetime(self.0.clone()).date())
    }

    fn stretch(&self, first: Date, next: Date) -> Option<Stretch> {
        let (start, end) = (self.begin(first)?, self.begin(next)?);
        (start < end).then_some(Stretch { start, end })
    }

    /// The first moment of a day: not midnight where clocks are put forward at midnight.
    fn begin(&self, date: Date) -> Option<Moment> {
        let begun: ZonedDateTime = date
            .to_zoned_datetime(self.0.clone())
            .ok()?
            .start_of_day()
            .ok()?;
        Some(Moment::from_unix_ms(begun.timestamp().as_millisecond()))
    }
}

/// What UTC's clocks show, for moments that no calendar has.
fn utc_wall(at: Moment) -> Wall {
    let seconds = at.unix_ms().rem_euclid(MS_PER_DAY) / 1_000;
    let part = |n: i64| u8::try_from(n).unwrap_or(0);
    Wall {
        date: CivilDate::of(at),
        hour: part(seconds / 3_600),
        minute: part(seconds / 60 % 60),
        second: part(seconds % 60),
        ms: u16::try_from(at.unix_ms().rem_euclid(1_000)).unwrap_or(0),
        offset_s: 0,
    }
}

/// A day of UTC, for moments that no calendar has.
fn utc_day(at: Moment) -> Stretch {
    let start = CivilDate::of(at).start().unwrap_or_default();
    Stretch {
        start,
        end: Moment::from_unix_ms(start.unix_ms().saturating_add(MS_PER_DAY)),
    }
}

#[cfg(test)]
mod tests;
