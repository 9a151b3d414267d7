//! The script asks for what pages have, and never makes markup of text.

use std::collections::BTreeSet;

use admin_templates::assets::assets;

use crate::pages;

fn script() -> &'static str {
    std::str::from_utf8(assets().js.bytes).expect("the script is text")
}

#[test]
fn text_never_becomes_markup_or_code() {
    for way in [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "DOMParser",
        "createContextualFragment",
        "eval(",
        "new Function",
        "setAttribute(\"on",
        "cssText",
    ] {
        assert!(!script().contains(way), "the script uses {way}");
    }
}

/// `willCost` as `data-will-cost`.
fn attribute(name: &str) -> String {
    let mut attribute = String::from("data-");
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            attribute.push('-');
        }
        attribute.push(letter.to_ascii_lowercase());
    }
    attribute
}

/// What the script keeps for itself.
const OWN: &[&str] = &["data-sent"];

#[test]
fn every_attribute_the_script_reads_stands_on_a_page() {
    let mut asked = BTreeSet::new();
    for begin in ["dataset.", "words."] {
        for rest in script().split(begin).skip(1) {
            let end = rest
                .find(|c: char| !c.is_ascii_alphanumeric())
                .unwrap_or(rest.len());
            asked.insert(attribute(&rest[..end]));
        }
    }
    for rest in script().split("[data-").skip(1) {
        let end = rest.find(['=', ']', ',']).unwrap_or(rest.len());
        asked.insert(format!("data-{}", &rest[..end]));
    }
    assert!(asked.len() > 12, "{asked:?}");
    let missing: Vec<&String> = asked
        .iter()
        .filter(|name| !OWN.contains(&name.as_str()))
        .filter(|name| {
            !pages::all()
                .iter()
                .any(|page| page.html.contains(name.as_str()))
        })
        .collect();
    assert!(missing.is_empty(), "no page has {missing:?}");
}
