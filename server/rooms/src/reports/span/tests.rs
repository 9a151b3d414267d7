//! Days begin where their zone begins them, weeks of both shapes are the same days, and every hour is
//! in exactly one column.

use super::*;

const HOUR_MS: i64 = 3_600_000;

fn zone(name: &str) -> Zone {
    Zone::named(name).unwrap_or_else(|| panic!("{name}"))
}

/// A moment out of `2026-11-28T16:00`.
fn at(text: &str) -> Moment {
    let (date, clock) = text.split_once('T').expect(text);
    let numbers = |text: &str, gap| -> Vec<i64> {
        let parts = text.split(gap);
        parts.map(|part| part.parse().expect(text)).collect()
    };
    let (date, clock) = (numbers(date, '-'), numbers(clock, ':'));
    let day = shared::calendar::CivilDate {
        year: i32::try_from(date[0]).expect(text),
        month: u8::try_from(date[1]).expect(text),
        day: u8::try_from(date[2]).expect(text),
    };
    let midnight = day.start().expect(text).unix_ms();
    Moment::from_unix_ms(midnight + clock[0] * HOUR_MS + clock[1] * 60_000)
}

#[test]
fn days_begin_and_end_where_the_zone_says() {
    for (name, now, first, today, until) in [
        (
            "UTC",
            "2026-11-28T22:55",
            "2026-10-30T00:00",
            "2026-11-28T00:00",
            "2026-11-29T00:00",
        ),
        // Seven in the morning of the 29th in Beijing.
        (
            "Asia/Shanghai",
            "2026-11-28T22:55",
            "2026-10-30T16:00",
            "2026-11-28T16:00",
            "2026-11-29T16:00",
        ),
        (
            "Asia/Shanghai",
            "2026-11-28T15:59",
            "2026-10-29T16:00",
            "2026-11-27T16:00",
            "2026-11-28T16:00",
        ),
        // Over the day of 25 hours: it began at four.
        (
            "America/New_York",
            "2026-11-03T12:00",
            "2026-10-05T04:00",
            "2026-11-03T05:00",
            "2026-11-04T05:00",
        ),
        (
            "America/New_York",
            "2026-11-01T12:00",
            "2026-10-03T04:00",
            "2026-11-01T04:00",
            "2026-11-02T05:00",
        ),
        // Midnight is at half past six: the hour that it lies in counts in the day that begins.
        (
            "Asia/Kolkata",
            "2026-11-28T17:59",
            "2026-10-29T18:00",
            "2026-11-27T18:00",
            "2026-11-28T18:00",
        ),
        (
            "Asia/Kolkata",
            "2026-11-28T18:15",
            "2026-10-30T18:00",
            "2026-11-28T18:00",
            "2026-11-29T18:00",
        ),
        // Clocks went forward at midnight, which there was not.
        (
            "Africa/Cairo",
            "2026-04-24T12:00",
            "2026-03-25T22:00",
            "2026-04-23T22:00",
            "2026-04-24T21:00",
        ),
    ] {
        let window = Span::Month.window(at(now), &zone(name));
        let told = (window.from(), window.starts.last().copied(), window.until);
        let wanted = (at(first), Some(at(today)), at(until));
        assert_eq!(told, wanted, "{name} {now}");
        assert_eq!(window.starts.len(), 30, "{name} {now}");
        let is_by_day = window.query().grain == Grain::Day;
        assert_eq!(is_by_day, name == "UTC", "{name}");
    }
}

#[test]
fn a_week_is_the_same_days_by_the_hour_and_by_the_day_and_ends_now() {
    for name in [
        "UTC",
        "Asia/Shanghai",
        "America/New_York",
        "Asia/Kolkata",
        "Africa/Cairo",
    ] {
        for hours in 0..24 * 400 {
            // Half past of each hour for more than a year.
            let now = Moment::from_unix_ms(1_772_000_000_000 + hours * HOUR_MS);
            let zone = zone(name);
            let (week, days) = (Span::Week.window(now, &zone), Span::Week.by_day(now, &zone));
            assert_eq!(
                (week.from(), days.starts.len()),
                (days.from(), 7),
                "{name} {now:?}"
            );
            assert!(
                week.until <= days.until && now < week.until,
                "{name} {now:?}"
            );
            assert_eq!(days.place(now), Some(6), "{name} {now:?}");
            assert_eq!(week.place(now), Some(week.starts.len() - 1));
            assert!(
                (144..=170).contains(&week.starts.len()),
                "{}",
                week.starts.len()
            );
        }
    }
}

#[test]
fn a_day_rolls_and_each_moment_has_one_column() {
    let now = at("2026-11-28T22:55");
    let window = Span::Day.window(now, &zone("Asia/Shanghai"));
    assert_eq!(
        (window.starts.len(), window.until),
        (24, at("2026-11-28T23:00"))
    );
    assert_eq!(window.place(at("2026-11-27T22:59")), None);
    assert_eq!(window.place(at("2026-11-27T23:00")), Some(0));
    assert_eq!(window.place(window.until), None);
    let before = window.before();
    assert_eq!(
        (before.from, before.until),
        (at("2026-11-26T23:00"), window.from())
    );
}
