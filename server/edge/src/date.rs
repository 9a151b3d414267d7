//! Dates and moments as text: `2026-11-21` and RFC 3339. Knows no clock, and no time zone but the
//! offset that is written.

use shared::calendar::{CivilDate, MS_PER_DAY};
use shared::clock::Moment;
use shared::zone::Zone;

const MS_PER_SECOND: i64 = 1_000;
/// Nothing here happened before, and nothing is planned for later.
const YEARS: std::ops::RangeInclusive<i32> = 2_000..=2_200;

/// The text is neither a date nor a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a date as 2026-11-21 or a moment as 2026-11-21T08:30:00Z (RFC 3339)")]
pub struct DateError;

/// A moment, or a whole day in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Date {
    /// `2026-11-21`: from this moment for a day.
    Day(Moment),
    /// `2026-11-21T08:30:00+08:00`.
    Instant(Moment),
}

impl Date {
    /// The first moment of it.
    pub fn start(self) -> Moment {
        match self {
            Self::Day(start) | Self::Instant(start) => start,
        }
    }

    /// The first moment behind it, for ends that are meant inclusively.
    pub fn end(self) -> Moment {
        let (Self::Day(start) | Self::Instant(start)) = self;
        let span = if matches!(self, Self::Day(_)) {
            MS_PER_DAY
        } else {
            1
        };
        Moment::from_unix_ms(start.unix_ms() + span)
    }
}

impl Date {
    /// When it begins: a day as it does in `zone`, a moment is itself.
    pub fn start_in(self, zone: &Zone) -> Option<Moment> {
        match self {
            Self::Day(start) => zone.day_of(CivilDate::of(start)).map(|day| day.start),
            Self::Instant(at) => Some(at),
        }
    }

    /// The first moment behind it, for ends that are meant inclusively: a day is one of `zone`.
    pub fn end_in(self, zone: &Zone) -> Option<Moment> {
        match self {
            Self::Day(_) => self.over_in(zone),
            Self::Instant(_) => Some(self.end()),
        }
    }

    /// When it is over, for what ends: a day ends as it does in `zone`, a moment is itself.
    pub fn over_in(self, zone: &Zone) -> Option<Moment> {
        match self {
            Self::Day(start) => zone.day_of(CivilDate::of(start)).map(|day| day.end),
            Self::Instant(at) => Some(at),
        }
    }
}

/// The end of something as [`Date::over_in`] reads it: the day where it is the end of one in `zone`, else the
/// moment.
pub fn over_text(at: Moment, zone: &Zone) -> String {
    let last = Moment::from_unix_ms(at.unix_ms().saturating_sub(1));
    match zone.civil(last) {
        Some(CivilDate { year, month, day }) if zone.day(last).end == at => {
            format!("{year:04}-{month:02}-{day:02}")
        }
        Some(_) | None => text(at),
    }
}

impl std::str::FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let (date, rest) = text.split_at_checked(10).ok_or(DateError)?;
        let day = day(date).ok_or(DateError)?;
        if rest.is_empty() {
            return Ok(Self::Day(day));
        }
        let ms = time(rest).ok_or(DateError)?;
        Ok(Self::Instant(Moment::from_unix_ms(day.unix_ms() + ms)))
    }
}

/// As RFC 3339 in UTC with milliseconds.
pub fn text(moment: Moment) -> String {
    let CivilDate { year, month, day } = CivilDate::of(moment);
    let ms = moment.unix_ms().rem_euclid(MS_PER_DAY);
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / MS_PER_SECOND % 60);
    let ms = ms % MS_PER_SECOND;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// As RFC 3339 with milliseconds, as the clocks of a zone show it: `2026-11-29T07:51:37.123+08:00`; in UTC
/// the same as [`text`].
pub fn text_in(moment: Moment, zone: &Zone) -> String {
    let wall = zone.wall(moment);
    if wall.offset_s == 0 {
        return text(moment);
    }
    let CivilDate { year, month, day } = wall.date;
    let sign = if wall.offset_s < 0 { '-' } else { '+' };
    // RFC 3339 knows offsets of whole minutes; zones of before 1972 had seconds too.
    let ahead = wall.offset_s.unsigned_abs() / 60;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}{sign}{:02}:{:02}",
        wall.hour,
        wall.minute,
        wall.second,
        wall.ms,
        ahead / 60,
        ahead % 60
    )
}

/// `digits` of exactly that many.
fn digits<N: std::str::FromStr>(text: &str, count: usize) -> Option<N> {
    let well_formed = text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    if well_formed { text.parse().ok() } else { None }
}

/// The first moment of `YYYY-MM-DD`.
fn day(text: &str) -> Option<Moment> {
    let mut parts = text.split('-');
    let date = CivilDate {
        year: digits(parts.next()?, 4)?,
        month: digits(parts.next()?, 2)?,
        day: digits(parts.next()?, 2)?,
    };
    let known = YEARS.contains(&date.year) && parts.next().is_none();
    date.start().filter(|_| known)
}

/// Milliseconds of `T08:30:00.123+08:00` since midnight in UTC; may be of the day before or after.
fn time(text: &str) -> Option<i64> {
    let text = text.strip_prefix(['T', 't', ' '])?;
    let (clock, offset_minutes) = offset(text)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.split(':');
    let hour: i64 = digits(parts.next()?, 2)?;
    let minute: i64 = digits(parts.next()?, 2)?;
    let second: i64 = digits(parts.next()?, 2)?;
    let all_digits =
        (1..=9).contains(&fraction.len()) && fraction.bytes().all(|b| b.is_ascii_digit());
    // Second 60 is a leap second; the clock of a database does not know it either.
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 || !all_digits {
        return None;
    }
    let ms = format!("{fraction:0<3}").get(..3)?.parse::<i64>().ok()?;
    Some((((hour * 60 + minute - offset_minutes) * 60) + second) * MS_PER_SECOND + ms)
}

/// Splits the offset off a time of the day; answers it in minutes.
fn offset(text: &str) -> Option<(&str, i64)> {
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let (clock, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let (sign, offset) = match offset.split_at_checked(1)? {
        // A plus sign that a client did not escape arrives as a space.
        ("+" | " ", offset) => (1, offset),
        ("-", offset) => (-1, offset),
        _ => return None,
    };
    let (hours, minutes) = offset.split_once(':')?;
    let (hours, minutes): (i64, i64) = (digits(hours, 2)?, digits(minutes, 2)?);
    (hours < 24 && minutes < 60).then_some((clock, sign * (hours * 60 + minutes)))
}

#[cfg(test)]
mod tests;
