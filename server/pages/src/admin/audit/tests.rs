//! Of a change's two sides only what differs is shown, field by field.

use super::*;

#[test]
fn only_what_changed_is_shown_field_by_field() {
    let rows = changes(
        Some(r#"{"name":"a","limits":{"rpm":1,"tpm":2},"gone":null}"#),
        Some(r#"{"name":"a","limits":{"rpm":3,"tpm":2},"models":["x"]}"#),
    );
    let shown: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.field.as_str(),
                row.before.as_deref(),
                row.after.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("gone", Some("null"), None),
            ("limits.rpm", Some("1"), Some("3")),
            ("models", None, Some(r#"["x"]"#)),
        ]
    );
    assert_eq!(
        changes(None, Some("not json"))[0].after.as_deref(),
        Some("not json")
    );
    assert!(changes(None, None).is_empty());
}
