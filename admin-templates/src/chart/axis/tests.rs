//! Names of an axis are those of the zone, none is cut, none touches another.

use super::*;

const HOUR_MS: i64 = 3_600_000;
/// 2026-11-28 00:00 in UTC.
const DAY: i64 = 20_785 * MS_PER_DAY;

fn zone(name: &str) -> Zone {
    Zone::named(name).unwrap_or_else(|| panic!("{name}"))
}

fn hours_from(start: i64, count: i64) -> Columns {
    let at = |hour| Moment::from_unix_ms(start + hour * HOUR_MS);
    Columns::Clock((0..count).map(at).collect())
}

fn days_in(name: &str, count: i64) -> Columns {
    let zone = zone(name);
    let mut day = zone.day(Moment::from_unix_ms(DAY));
    let mut starts = Vec::new();
    for _ in 0..count {
        let start = day.start.unix_ms();
        starts.push(Moment::from_unix_ms(start.div_euclid(HOUR_MS) * HOUR_MS));
        day = zone.day(day.end);
    }
    Columns::Days(starts)
}

fn texts(columns: &Columns, name: &str, width: usize) -> Vec<String> {
    let names = columns.fitting(&zone(name), width).into_iter();
    names.map(|name| name.text).collect()
}

#[test]
fn hours_are_those_of_the_zone_and_midnight_is_a_date() {
    let day = hours_from(DAY, 24);
    for (name, wanted) in [
        ("UTC", ["11-28", "06:00", "12:00", "18:00"]),
        ("Asia/Shanghai", ["12:00", "18:00", "11-29", "06:00"]),
        ("America/New_York", ["11-28", "06:00", "12:00", "18:00"]),
    ] {
        assert_eq!(texts(&day, name, 240), wanted, "{name}");
    }
    // Hours of UTC begin at half past there.
    let kolkata = texts(&day, "Asia/Kolkata", 240);
    assert_eq!(kolkata, ["06:30", "12:30", "18:30", "11-29"]);
    assert_eq!(texts(&day, "UTC", 340).len(), 4);
    assert_eq!(texts(&day, "UTC", 620).len(), 8);
}

#[test]
fn a_week_of_hours_shows_dates_and_minutes_show_minutes() {
    let week = hours_from(DAY - 6 * MS_PER_DAY - 8 * HOUR_MS, 168);
    let wide = texts(&week, "Asia/Shanghai", 620);
    assert_eq!(
        wide,
        [
            "11-22", "11-23", "11-24", "11-25", "11-26", "11-27", "11-28"
        ]
    );
    let minutes = (0..60).map(|minute| Moment::from_unix_ms(DAY + minute * 60_000));
    let minutes = Columns::Clock(minutes.collect());
    assert_eq!(
        texts(&minutes, "UTC", 340),
        ["11-28", "00:15", "00:30", "00:45"]
    );
}

#[test]
fn days_are_counted_back_from_the_last_and_called_by_their_date() {
    let shanghai = days_in("Asia/Shanghai", 30);
    assert_eq!(
        shanghai
            .names(&zone("Asia/Shanghai"))
            .first()
            .map(String::as_str),
        Some("11-28")
    );
    let wide = texts(&shanghai, "Asia/Shanghai", 620);
    assert_eq!(wide.last().map(String::as_str), Some("12-27"));
    // Added up from half past eleven of the evening before, and yet called by their own date.
    let kolkata = days_in("Asia/Kolkata", 7);
    let names = kolkata.names(&zone("Asia/Kolkata"));
    assert_eq!(
        names,
        [
            "11-28", "11-29", "11-30", "12-01", "12-02", "12-03", "12-04"
        ]
    );
}

#[test]
fn no_name_is_cut_and_none_touches_another() {
    let zones = [
        "UTC",
        "Asia/Shanghai",
        "America/New_York",
        "Asia/Kolkata",
        "Africa/Cairo",
    ];
    for name in zones {
        let zone = zone(name);
        let mut all: Vec<Columns> = (1..400).map(|count| days_in(name, count)).collect();
        // Over a year, so over the changes of clocks too.
        let starts = (0..366).map(|day| DAY + day * MS_PER_DAY);
        all.extend(starts.flat_map(|start| [hours_from(start, 24), hours_from(start, 168)]));
        for columns in all {
            for (_, width) in WIDTHS {
                let names = columns.fitting(&zone, width);
                assert!(are_apart(&names), "{name} {width} {names:?}");
                let inside = names.iter().all(|name| name.reach.1 <= width);
                assert!(inside, "{name} {width} {names:?}");
                let held = columns.len() < 2 || !names.is_empty();
                assert!(held, "{name} {width} {} columns", columns.len());
            }
        }
    }
}

#[test]
fn a_moment_lies_in_its_column_and_nowhere_outside() {
    let at = |hour: i64, minute: i64| Moment::from_unix_ms((hour * 60 + minute) * 60_000);
    let hours = Columns::Clock((0..4).map(|hour| at(hour, 0)).collect());
    assert_eq!(
        hours.spans()[3],
        (10_800_000, 14_400_000),
        "as long as the others"
    );
    assert_eq!(hours.place(at(0, 0)), Some(0));
    assert_eq!(hours.place(at(1, 30)), Some(375));
    assert_eq!(hours.place(at(3, 59)), Some(995));
    for outside in [at(4, 0), at(-1, 59)] {
        assert_eq!(hours.place(outside), None);
    }
    // A day of a change of the clocks is as long as it is.
    let days = Columns::Days(vec![at(0, 0), at(23, 0), at(47, 0)]);
    assert_eq!(days.place(at(23, 0)), Some(333));
    assert_eq!(Columns::Days(Vec::new()).place(at(0, 0)), None);
    let one = Columns::Days(vec![at(0, 0)]);
    assert_eq!(one.spans(), [(0, 86_400_000)]);
}
