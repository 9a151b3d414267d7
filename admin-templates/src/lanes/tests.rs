//! Lanes of calls: every moment has its own place, in order, whatever the lengths.

use super::*;
use crate::page::{Area, Lang, Theme};
use crate::views::VIEWS;

fn row(step: LaneStep, start_ms: u64, length_ms: u64) -> LaneRow {
    LaneRow {
        lane: Lane::Provider,
        step,
        number: 1,
        start_ms,
        length_ms,
        about: false,
        detail: String::new(),
    }
}

fn page() -> Page {
    let entry = VIEWS.iter().find(|entry| entry.name == "call");
    let entry = entry.expect("a view of a call");
    Page::sample(entry, Area::Admin, Lang::En, Theme::System)
}

#[test]
fn three_milliseconds_and_forty_seconds_are_both_seen() {
    let rows = [
        row(LaneStep::Hold, 0, 3),
        row(LaneStep::Failed, 3, 40_000),
        row(LaneStep::Answered, 40_003, 5),
        row(LaneStep::Settle, 40_008, 2),
    ];
    let axis = Axis::of(&rows);
    let widths: Vec<u64> = axis.places.windows(2).map(|two| two[1] - two[0]).collect();
    assert!(widths.iter().all(|width| *width >= STEP_MIN), "{widths:?}");
    assert_eq!(axis.shortened, [1], "the long one, and it alone");
    assert!(axis.end() - LEFT <= ROOM, "{}", axis.end());
    let html = page().lanes(&rows).to_string();
    assert!(html.contains("lane-break"), "{html}");
    assert!(html.contains("40.00 s"), "its length is told: {html}");
}

#[test]
fn steps_of_one_length_are_drawn_to_scale() {
    let rows = [
        row(LaneStep::Answered, 0, 100),
        row(LaneStep::Answered, 100, 300),
    ];
    let axis = Axis::of(&rows);
    assert_eq!(axis.shortened, [0_usize; 0]);
    assert!(axis.x(400) - axis.x(100) > 2 * (axis.x(100) - axis.x(0)));
    assert!(axis.x(0) < axis.x(100) && axis.x(100) < axis.x(400));
}

#[test]
fn times_above_do_not_touch() {
    let rows: Vec<LaneRow> = (0..40).map(|at| row(LaneStep::Failed, at * 7, 7)).collect();
    let axis = Axis::of(&rows);
    let names = axis.names(&page());
    let wide = |name: &str| LETTER * count(name.chars().count());
    for two in names.windows(2) {
        let between = two[1].0 - two[0].0;
        let least = u64::midpoint(wide(&two[0].1), wide(&two[1].1));
        assert!(between >= least, "{two:?}");
    }
    assert_eq!(names.first().map(|name| name.0), Some(LEFT));
    assert_eq!(names.last().map(|name| name.0), Some(axis.end()));
}

#[test]
fn nothing_and_the_largest_numbers_are_drawn_too() {
    let most = row(LaneStep::Failed, u64::MAX, u64::MAX);
    for rows in [vec![], vec![most.clone(), most]] {
        let html = page().lanes(&rows).to_string();
        assert!(html.contains("<svg"), "{html}");
    }
}
