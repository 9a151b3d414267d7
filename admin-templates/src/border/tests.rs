//! The drawing of the border: the same numbers in it and in the table, found by the live feed.

use super::*;
use crate::admin::gateways::GatewayList;
use crate::fixtures::Typical as _;
use crate::page::{Area, Lang, Theme};
use crate::views::VIEWS;

fn page() -> Page {
    let entry = VIEWS.iter().find(|entry| entry.name == "gateways");
    let entry = entry.expect("a view of gateways");
    Page::sample(entry, Area::Admin, Lang::En, Theme::System)
}

#[test]
fn every_number_has_its_place_in_the_table_and_the_drawing_shows_the_same() {
    let rows = GatewayList::typical().remove(0).rows;
    let html = page().border(&rows).to_string();
    for row in &rows {
        let mark = row.mark();
        for (name, text) in page().measured_way(row).all() {
            let place = format!(r#"data-live="{name}-{mark}">{text}<"#);
            let times = html.matches(&place).count();
            let drawn = usize::from(name == "trip" || name == "lost");
            assert_eq!(times, 1 + drawn, "{place}: {html}");
        }
    }
    let marks: std::collections::BTreeSet<String> = rows.iter().map(GatewayRow::mark).collect();
    assert_eq!(marks.len(), rows.len());
}

#[test]
fn what_was_not_measured_is_a_dash_and_a_little_loss_is_not_nothing() {
    let mut row = GatewayList::typical().remove(0).rows.remove(0);
    (row.latency_ms, row.way.late_ppm) = (0, None);
    let words = page().measured_way(&row);
    assert_eq!((words.trip.as_str(), words.loss.as_str()), ("—", "—"));
    row.way.late_ppm = Some(1);
    assert_eq!(page().measured_way(&row).loss, "0.01%");
    row.way.late_ppm = Some(0);
    assert_eq!(page().measured_way(&row).loss, "0%");
}
