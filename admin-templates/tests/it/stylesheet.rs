//! The style sheet knows the classes that pages use, and its colours stand in one place.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use admin_templates::views::VIEWS;

use crate::pages;

fn folder(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn style() -> String {
    let css = admin_templates::assets::assets().css.bytes;
    std::str::from_utf8(css)
        .expect("the style sheet is text")
        .to_owned()
}

/// Classes that only name things: for scripts, or where the common look is the look.
const UNSTYLED: &[&str] = &[
    "bar-pool",
    "block",
    "brand-large",
    "brand-name",
    "field-several",
    "field-tick",
    "gallery",
    "nav-group",
    // Full amounts lack no zeros.
    "pad-0",
    "said-assistant",
    // The first series has the swatch's own colour.
    "swatch-0",
];

#[test]
fn every_class_on_a_page_is_known_to_the_style_sheet() {
    let css = style();
    let mut used = BTreeSet::new();
    for page in pages::all() {
        for rest in page.html.split("class=\"").skip(1) {
            let classes = rest.split('"').next().unwrap_or_default();
            used.extend(classes.split_whitespace());
        }
    }
    let known = |class: &str| {
        let name = format!(".{class}");
        css.match_indices(&name).any(|(at, _)| {
            let after = css[at + name.len()..].chars().next();
            after.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
        })
    };
    let unknown: Vec<&&str> = used
        .iter()
        .filter(|class| !known(class) && !UNSTYLED.contains(class))
        .collect();
    assert!(unknown.is_empty(), "not in the style sheet: {unknown:?}");
}

#[test]
fn colours_stand_among_the_tokens_only() {
    for file in fs::read_dir(folder("assets")).expect("the folder of assets") {
        let path = file.expect("a file").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if name == "tokens.css" || path.extension().is_none_or(|kind| kind != "css") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a style sheet");
        for line in text.lines() {
            let coloured =
                line.contains("light-dark(") || line.contains(": #") || line.contains("rgb(");
            assert!(!coloured, "{name} has a colour of its own: {line}");
        }
    }
}

#[test]
fn every_token_is_used_and_every_used_one_is_set() {
    let css = style();
    let names = |begin: &str, end: &[char]| -> BTreeSet<String> {
        let found = css.split(begin).skip(1);
        found
            .map(|rest| rest.split(end).next().unwrap_or_default().to_owned())
            .collect()
    };
    let used = names("var(--", &[')', ',']);
    let set: BTreeSet<String> = css
        .lines()
        .filter_map(|line| line.trim().strip_prefix("--")?.split_once(':'))
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(used, set);
}

#[test]
fn every_page_template_belongs_to_a_view() {
    let mut pages = 0;
    for area in ["account", "admin", "portal"] {
        for file in fs::read_dir(folder("templates").join(area)).expect("a folder of templates") {
            let text = fs::read_to_string(file.expect("a file").path()).expect("a template");
            pages += usize::from(text.starts_with("{% extends"));
        }
    }
    assert_eq!(pages, VIEWS.len());
}
