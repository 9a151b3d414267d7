//! The walk of the browser's tests goes to every view. The list it goes by is read here as text.

use std::collections::BTreeSet;

use admin_templates::views::VIEWS;

const PLACES: &str = include_str!("../../../tests/browser/places.mjs");

#[test]
fn every_view_is_walked_to() {
    let named = PLACES.split("view: \"").skip(1);
    let walked: BTreeSet<&str> = named.filter_map(|rest| rest.split('"').next()).collect();
    let views: BTreeSet<&str> = VIEWS.iter().map(|entry| entry.name).collect();
    let missing: Vec<_> = views.difference(&walked).collect();
    assert!(
        missing.is_empty(),
        "not in tests/browser/places.mjs: {missing:?}"
    );
    let gone: Vec<_> = walked.difference(&views).collect();
    assert!(
        gone.is_empty(),
        "in tests/browser/places.mjs and no view: {gone:?}"
    );
}
