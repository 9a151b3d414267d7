//! Periods begin at local midnight and on the first, and no change of clocks shortens one.

use std::time::Duration;

use shared::zone::Zone;

use super::budgets::{BudgetPeriod, DAY_MIN, MONTH_MIN};
use super::*;

#[test]
fn periods_begin_at_midnight_and_on_the_first() {
    let at = |ms: i64| Moment::from_unix_ms(ms);
    // 2028-02-29T12:34:56Z, 2026-03-01T00:00:00Z, 2026-12-31T23:59:59.999Z.
    for (moment, day, month) in [
        (1_835_440_496_000, 1_835_395_200_000, 1_832_976_000_000),
        (1_772_323_200_000, 1_772_323_200_000, 1_772_323_200_000),
        (1_798_761_599_999, 1_798_675_200_000, 1_796_083_200_000),
    ] {
        let start = |period: BudgetPeriod| period.span(at(moment), &Zone::utc()).0;
        assert_eq!(start(BudgetPeriod::Day), at(day));
        assert_eq!(start(BudgetPeriod::Month), at(month));
        assert_eq!(start(BudgetPeriod::Total), at(0));
    }
}

#[test]
fn no_change_of_zone_makes_a_day_or_a_month_shorter() {
    let zones = [
        "UTC",
        "Asia/Shanghai",
        "America/Los_Angeles",
        "Pacific/Kiritimati",
        "Etc/GMT+12",
        "Asia/Kolkata",
        "Europe/Berlin",
        "Pacific/Apia",
    ];
    let zones = zones.map(|name| Zone::named(name).expect(name));
    for (period, least) in [
        (BudgetPeriod::Day, DAY_MIN),
        (BudgetPeriod::Month, MONTH_MIN),
    ] {
        let mut now = Moment::from_unix_ms(1_774_000_000_000);
        let (mut start, end) = period.span(now, &zones[0]);
        let mut end = end.expect("it ends");
        // Somebody changes the zone at every turn, to the one that ends next.
        for turn in 0..500 {
            now = end.after(Duration::from_secs(turn % 7 * 1_800));
            let next = zones.iter().map(|zone| period.following(end, now, zone));
            let (next_start, next_end) = next.min_by_key(|(_, end)| *end).expect("zones");
            let next_end = next_end.expect("it ends");
            assert!(
                next_start >= end && next_start > start,
                "periods do not overlap"
            );
            assert!(next_start <= now && now < next_end, "it is the present one");
            assert!(
                next_end.since(end) >= least,
                "{period:?} of {:?}",
                next_end.since(end)
            );
            (start, end) = (next_start, next_end);
        }
    }
}
