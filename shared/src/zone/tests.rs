//! Days and months begin where people live, and follow one another without a gap.

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

#[test]
fn clocks_and_offsets_are_those_of_the_moment() {
    for (name, moment, clock, label) in [
        ("UTC", "2026-11-27T15:59:59.999Z", "11-27 15:59", "UTC"),
        (
            "Asia/Shanghai",
            "2026-11-27T15:59:59.999Z",
            "11-27 23:59",
            "Asia/Shanghai (UTC+8)",
        ),
        (
            "Asia/Shanghai",
            "2026-11-27T16:00:00Z",
            "11-28 00:00",
            "Asia/Shanghai (UTC+8)",
        ),
        (
            "Asia/Kolkata",
            "2026-11-27T18:30:00Z",
            "11-28 00:00",
            "Asia/Kolkata (UTC+5:30)",
        ),
        // The last second before and the first of summer time, then the hour that comes twice.
        (
            "America/New_York",
            "2026-03-08T06:59:59Z",
            "03-08 01:59",
            "America/New_York (UTC-5)",
        ),
        (
            "America/New_York",
            "2026-03-08T07:00:00Z",
            "03-08 03:00",
            "America/New_York (UTC-4)",
        ),
        (
            "America/New_York",
            "2026-11-01T05:30:00Z",
            "11-01 01:30",
            "America/New_York (UTC-4)",
        ),
        (
            "America/New_York",
            "2026-11-01T06:30:00Z",
            "11-01 01:30",
            "America/New_York (UTC-5)",
        ),
        (
            "America/St_Johns",
            "2026-01-05T03:29:00Z",
            "01-04 23:59",
            "America/St_Johns (UTC-3:30)",
        ),
    ] {
        let zone = zone(name);
        let wall = zone.wall(at(moment));
        let CivilDate { month, day, .. } = wall.date;
        let shown = format!("{month:02}-{day:02} {:02}:{:02}", wall.hour, wall.minute);
        assert_eq!(shown, clock, "{name} {moment}");
        assert_eq!(zone.label(at(moment)), label, "{name} {moment}");
    }
}

#[test]
fn days_are_counted_back_by_the_calendar_and_not_by_hours() {
    for (name, moment, days, first) in [
        (
            "Asia/Shanghai",
            "2026-11-28T15:59:00Z",
            6,
            "2026-11-21T16:00:00Z",
        ),
        (
            "Asia/Shanghai",
            "2026-11-28T16:00:00Z",
            6,
            "2026-11-22T16:00:00Z",
        ),
        // Over a day of 25 hours, then over one of 23.
        (
            "America/New_York",
            "2026-11-03T12:00:00Z",
            6,
            "2026-10-28T04:00:00Z",
        ),
        (
            "America/New_York",
            "2026-03-10T12:00:00Z",
            2,
            "2026-03-08T05:00:00Z",
        ),
        (
            "America/New_York",
            "2026-03-10T12:00:00Z",
            1,
            "2026-03-09T04:00:00Z",
        ),
        (
            "Asia/Kolkata",
            "2026-11-28T12:00:00Z",
            0,
            "2026-11-27T18:30:00Z",
        ),
        (
            "Africa/Cairo",
            "2026-04-25T12:00:00Z",
            1,
            "2026-04-23T22:00:00Z",
        ),
    ] {
        let first = at(first);
        assert_eq!(
            zone(name).days_before(at(moment), days),
            first,
            "{name} {moment}"
        );
    }
    let far = Moment::from_unix_ms(i64::MIN);
    zone("Asia/Shanghai").days_before(far, u32::MAX);
    zone("Asia/Shanghai").wall(far);
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
