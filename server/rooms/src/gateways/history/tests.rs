//! A course is kept for a day by the minute, and counts from where it was first seen.

use std::time::Duration;

use shared::id::BootId;
use shared::link::Alive;

use super::*;

fn view(url: &str, ms: Option<u64>, resumed: u64) -> GatewayView {
    let alive = Alive {
        boot: BootId::random(),
        version: String::new(),
    };
    GatewayView {
        url: url.to_owned(),
        name: String::new(),
        region: String::new(),
        priority: 0,
        is_well: ms.is_some(),
        answered: ms.map(|ms| (alive, Duration::from_millis(ms))),
        connections: 0,
        streams: 0,
        is_way_bad: false,
        late_ppm: None,
        counts: LinkCounts {
            resumed,
            ..LinkCounts::default()
        },
    }
}

fn minute(number: i64) -> Moment {
    Moment::from_unix_ms(number * LOOK_MS)
}

#[test]
fn a_young_course_is_drawn_by_the_minute() {
    let history = HealthHistory::default();
    assert_eq!(history.days(minute(5)), Days::default());
    history.add(minute(5), &[view("a", Some(10), 3), view("b", None, 0)]);
    history.add(minute(6), &[view("a", Some(30), 5), view("b", None, 0)]);
    // Taken out and in again: it counts from nothing.
    history.add(minute(7), &[view("a", None, 1)]);
    let days = history.days(minute(8));
    assert_eq!(days.starts, [5, 6, 7, 8].map(minute));
    let a = &days.gateways["a"];
    assert_eq!((a.p50_ms, a.p95_ms), (Some(30), Some(30)));
    assert_eq!(a.seen_at, Some(minute(6)));
    assert_eq!(a.happened.resumed, 6);
    let trips: Vec<_> = a.buckets.iter().map(|one| one.round_trip_ms).collect();
    assert_eq!(trips, [Some(10), Some(30), None, None]);
    let resumed: Vec<_> = a.buckets.iter().map(|one| one.happened.resumed).collect();
    assert_eq!(resumed, [3, 2, 1, 0]);
    assert_eq!(days.gateways["b"].p50_ms, None);
}

#[test]
fn a_day_is_all_that_is_kept_and_what_came_before_is_not_counted() {
    let history = HealthHistory::default();
    for number in 0..2_000 {
        let resumed = u64::try_from(number).expect("a count");
        history.add(minute(number), &[view("a", Some(20), resumed)]);
    }
    let days = history.days(minute(1_999));
    assert!(days.starts.len() <= 97, "{}", days.starts.len());
    let a = &days.gateways["a"];
    assert_eq!(a.happened.resumed, 1_440);
    assert_eq!(a.buckets[1].happened.resumed, 15);
    assert_eq!(a.buckets[1].round_trip_ms, Some(20));
}
