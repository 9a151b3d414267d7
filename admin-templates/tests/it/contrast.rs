//! Reckons the contrast of the palette's pairs after WCAG 2.2, in both themes, from the style
//! sheet itself.

use std::collections::BTreeMap;

use admin_templates::assets::assets;

/// Relative luminance of a channel, after the definition in WCAG 2.2.
fn linear(channel: u8) -> f64 {
    let share = f64::from(channel) / 255.0;
    if share <= 0.040_45 {
        share / 12.92
    } else {
        ((share + 0.055) / 1.055).powf(2.4)
    }
}

fn luminance(colour: &str) -> f64 {
    let part = |at: usize| {
        let digits = &colour[at..at + 2];
        linear(u8::from_str_radix(digits, 16).expect("two hex digits"))
    };
    assert_eq!(colour.len(), 7, "`{colour}` has six digits");
    0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
}

fn contrast(one: &str, other: &str) -> f64 {
    let (a, b) = (luminance(one), luminance(other));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Each colour on light and on dark.
fn palette() -> BTreeMap<String, (String, String)> {
    let css = std::str::from_utf8(assets().css.bytes).expect("the style sheet is text");
    let mut palette = BTreeMap::new();
    for line in css.lines() {
        let Some((name, value)) = line
            .trim()
            .strip_prefix("--")
            .and_then(|line| line.split_once(": "))
        else {
            continue;
        };
        let value = value.trim_end_matches(';');
        let both = value
            .strip_prefix("light-dark(")
            .and_then(|pair| pair.strip_suffix(')'));
        let pair = match both.and_then(|pair| pair.split_once(", ")) {
            Some((light, dark)) => (light.to_owned(), dark.to_owned()),
            None if value.starts_with('#') => (value.to_owned(), value.to_owned()),
            None => continue,
        };
        palette.insert(name.to_owned(), pair);
    }
    palette
}

/// Letters, and the surfaces they stand on: 4.5 to 1.
const TEXT: &[(&str, &[&str])] = &[
    (
        "ink",
        &[
            "paper",
            "surface",
            "raised",
            "sunken",
            "hover",
            "track",
            "field",
            "wash-accent",
            "wash-plain",
        ],
    ),
    (
        "ink-soft",
        &[
            "paper",
            "surface",
            "raised",
            "sunken",
            "hover",
            "track",
            "wash-plain",
        ],
    ),
    (
        "ink-faint",
        &["paper", "surface", "raised", "sunken", "hover"],
    ),
    (
        "accent",
        &[
            "paper",
            "surface",
            "raised",
            "hover",
            "wash-accent",
            "sunken",
        ],
    ),
    ("code-name", &["sunken"]),
    ("on-accent", &["accent", "accent-strong"]),
    (
        "good",
        &["wash-good", "surface", "raised", "hover", "sunken"],
    ),
    ("warn", &["wash-warn", "surface", "sunken"]),
    (
        "bad",
        &["wash-bad", "surface", "raised", "hover", "paper", "sunken"],
    ),
    ("info", &["wash-info", "surface"]),
    ("on-shore", &["shore"]),
    ("on-shore-soft", &["shore"]),
];

/// Edges of fields, focus rings and marks of charts: 3 to 1.
const MARKS: &[(&str, &[&str])] = &[
    ("edge", &["surface", "raised", "field", "paper"]),
    ("accent", &["surface", "paper", "field"]),
    ("bad", &["surface"]),
    ("series-0", &["surface"]),
    ("series-1", &["surface"]),
    ("series-2", &["surface"]),
    ("series-3", &["surface"]),
    ("series-4", &["surface"]),
    ("series-5", &["surface"]),
    ("scan-ink", &["scan-paper"]),
];

#[test]
fn every_pair_of_colours_can_be_read_in_both_themes() {
    let palette = palette();
    let mut faults = Vec::new();
    for (least, pairs) in [(4.5, TEXT), (3.0, MARKS)] {
        for (front, backs) in pairs {
            for back in *backs {
                let (front_pair, back_pair) = (&palette[*front], &palette[*back]);
                let light = contrast(&front_pair.0, &back_pair.0);
                let dark = contrast(&front_pair.1, &back_pair.1);
                for (theme, ratio) in [("light", light), ("dark", dark)] {
                    if ratio < least {
                        faults.push(format!("{front} on {back}, {theme}: {ratio:.2} of {least}"));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn contrast_is_reckoned_as_the_standard_says() {
    assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 1e-9);
    assert!((contrast("#777777", "#ffffff") - 4.478).abs() < 1e-3);
}
