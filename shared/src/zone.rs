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

/// A day of UTC, for moments that no calendar has.
fn utc_day(at: Moment) -> Stretch {
    let start = CivilDate::of(at).start().unwrap_or_default();
    Stretch {
        start,
        end: Moment::from_unix_ms(start.unix_ms().saturating_add(MS_PER_DAY)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::named(name).unwrap_or_else(|| panic!("{name}"))
    }

    fn at(text: &str) -> Moment {
        let at: Timestamp = text.parse().expect(text);
        Moment::from_unix_ms(at.as_millisecond())
    }

    fn shown(stretch: Stretch) -> [String; 2] {
        [stretch.start, stretch.end].map(|at| {
            let at = Timestamp::from_millisecond(at.unix_ms()).expect("in the calendar");
            at.to_string()
        })
    }

    #[test]
    fn names_are_known_or_refused() {
        assert_eq!(zone("asia/SHANGHAI").name(), "Asia/Shanghai");
        assert_eq!(zone("utc"), Zone::utc());
        for wrong in [
            "",
            " ",
            "UTC+8",
            "Mars/Olympus",
            "../../etc/passwd",
            "Asia/Shanghai\0",
            "CST-8CDT,M3",
            "Etc/Unknown",
            "local",
        ] {
            assert_eq!(Zone::named(wrong), None, "{wrong:?}");
        }
        assert_eq!(Zone::named(&"x".repeat(10_000)), None);
        let names = Zone::names();
        assert!(names.len() > 400 && names.iter().any(|name| name == "Asia/Kolkata"));
        for name in &names {
            assert!(name.len() < NAME_BYTES_MAX, "{name}");
            if name != "Etc/Unknown" {
                assert!(Zone::named(name).is_some(), "{name}");
            }
        }
    }

    #[test]
    fn days_and_months_begin_where_people_live() {
        for (name, moment, day, month) in [
            (
                "Asia/Shanghai",
                "2026-11-27T15:59:59.999Z",
                ["2026-11-26T16:00:00Z", "2026-11-27T16:00:00Z"],
                ["2026-10-31T16:00:00Z", "2026-11-30T16:00:00Z"],
            ),
            (
                "Asia/Shanghai",
                "2026-11-30T16:00:00Z",
                ["2026-11-30T16:00:00Z", "2026-12-01T16:00:00Z"],
                ["2026-11-30T16:00:00Z", "2026-12-31T16:00:00Z"],
            ),
            (
                "Asia/Kolkata",
                "2026-11-27T18:30:00Z",
                ["2026-11-27T18:30:00Z", "2026-11-28T18:30:00Z"],
                ["2026-10-31T18:30:00Z", "2026-11-30T18:30:00Z"],
            ),
            // 23 hours, then 25.
            (
                "Europe/Berlin",
                "2026-03-29T12:00:00Z",
                ["2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"],
                ["2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"],
            ),
            (
                "Europe/Berlin",
                "2026-10-25T12:00:00Z",
                ["2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"],
                ["2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"],
            ),
            // Clocks go forward at midnight: the day begins at one.
            (
                "Africa/Cairo",
                "2026-04-24T12:00:00Z",
                ["2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"],
                ["2026-03-31T22:00:00Z", "2026-04-30T21:00:00Z"],
            ),
            // A day that was left out.
            (
                "Pacific/Apia",
                "2011-12-30T09:00:00Z",
                ["2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"],
                ["2011-12-01T10:00:00Z", "2011-12-31T10:00:00Z"],
            ),
        ] {
            let zone = zone(name);
            assert_eq!(shown(zone.day(at(moment))), day, "{name} {moment}");
            assert_eq!(shown(zone.month(at(moment))), month, "{name} {moment}");
        }
    }

    proptest! {
        #[test]
        fn days_follow_one_another_without_gap(
            days in -20_000_i64..60_000, ms in 0..MS_PER_DAY, which in 0_usize..600,
        ) {
            let names = Zone::names();
            let name = &names[which % names.len()];
            prop_assume!(name != "Etc/Unknown");
            let zone = zone(name);
            let moment = Moment::from_unix_ms(days * MS_PER_DAY + ms);
            for stretch in [zone.day(moment), zone.month(moment)] {
                prop_assert!(stretch.start <= moment && moment < stretch.end, "{} {:?}", name, moment);
            }
            let day = zone.day(moment);
            prop_assert_eq!(zone.day(day.end).start, day.end);
            prop_assert_eq!(zone.day(day.start), day);
        }

        #[test]
        fn any_moment_has_a_day(ms: i64) {
            zone("Asia/Shanghai").day(Moment::from_unix_ms(ms));
            zone("Asia/Shanghai").month(Moment::from_unix_ms(ms));
        }
    }
}
