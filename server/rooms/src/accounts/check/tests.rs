//! What names, passwords, lists, scopes and limits may be, at their bounds.

use super::*;

#[test]
fn names_are_one_line_and_not_empty() {
    assert_eq!(
        name("name", "  Émile & Söhne ").expect("fits"),
        "Émile & Söhne"
    );
    for odd in ["", "   ", "a\nb", "a\0b", &"x".repeat(101)] {
        assert!(name("name", odd).is_err(), "{odd:?}");
    }
}

#[test]
fn usernames_have_no_blank_and_no_odd_character() {
    assert!(username("ada.l+test@example.org").is_ok());
    for odd in ["", "a b", "a\0", "é", "a'b", &"x".repeat(65)] {
        assert!(username(odd).is_err(), "{odd:?}");
    }
}

#[test]
fn passwords_are_counted_in_characters() {
    let is_taken = |text: String| password(&Secret::new(text)).is_ok();
    assert!(!is_taken("é".repeat(7)) && is_taken("é".repeat(8)));
    assert!(is_taken("é".repeat(128)) && !is_taken("é".repeat(129)));
}

#[test]
fn lists_are_absent_or_have_valid_entries() {
    let list = |entries: &[&str]| {
        entries
            .iter()
            .map(|&entry| entry.to_owned())
            .collect::<Vec<_>>()
    };
    assert!(models(None).is_ok() && models(Some(&list(&["meta/m:70b"]))).is_ok());
    assert!(models(Some(&[])).is_err() && models(Some(&list(&["a b"]))).is_err());
    assert!(addresses(Some(&list(&["192.0.2.0/24", "::1"]))).is_ok());
    assert!(addresses(Some(&list(&["192.0.2.0/24", "everywhere"]))).is_err());
    assert!(addresses(Some(&vec!["::1".to_owned(); 101])).is_err());
}

#[test]
fn scopes_and_graces_have_bounds() {
    assert!(scopes(Scopes::ALL, ApiKeyKind::Live).is_ok());
    assert!(scopes(Scopes::PLAIN, ApiKeyKind::Test).is_ok());
    assert!(scopes(Scopes::ALL, ApiKeyKind::Test).is_err());
    assert!(scopes(Scopes::of([]), ApiKeyKind::Live).is_err());
    assert!(grace(Duration::ZERO).is_ok() && grace(GRACE_MAX).is_ok());
    assert!(grace(GRACE_MAX + Duration::from_millis(1)).is_err());
}

#[test]
fn a_limit_of_nothing_and_an_expiry_in_the_past_are_refused() {
    let none = LimitSettings {
        concurrency: Some(0),
        ..LimitSettings::default()
    };
    assert!(limits(&LimitSettings::default()).is_ok() && limits(&none).is_err());
    let now = Moment::from_unix_ms(5);
    assert!(expiry(None, now).is_ok() && expiry(Some(now), now).is_err());
    assert!(multiplier(0).is_ok() && multiplier(-1).is_err() && multiplier(i64::MAX).is_err());
}
