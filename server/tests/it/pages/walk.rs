//! The walk of the browser's tests goes to every page that the router has. The list it goes by is
//! read here as text; it knows nothing of how a page is looked at.

use std::collections::BTreeSet;

use poem::http::Method;

const PLACES: &str = include_str!("../../../../tests/browser/places.mjs");

/// What stands behind a word in the list, as in `route: "/admin"`.
fn named(word: &str) -> BTreeSet<&'static str> {
    let begin = format!("{word}: \"");
    let found = PLACES.split(begin.as_str()).skip(1);
    found.filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn every_page_is_walked_to() {
    let listed: BTreeSet<String> = server::pages::listed()
        .into_iter()
        .filter(|(method, _)| *method == Method::GET)
        .map(|(_, path)| path)
        .collect();
    let (pages, files) = (named("route"), named("file"));
    let both: Vec<_> = pages.intersection(&files).collect();
    assert!(both.is_empty(), "a page and a file: {both:?}");
    let walked: BTreeSet<String> = pages.union(&files).map(ToString::to_string).collect();
    let missing: Vec<_> = listed.difference(&walked).collect();
    assert!(
        missing.is_empty(),
        "not in tests/browser/places.mjs: {missing:?}"
    );
    let gone: Vec<_> = walked.difference(&listed).collect();
    assert!(
        gone.is_empty(),
        "in tests/browser/places.mjs and no page: {gone:?}"
    );
}
