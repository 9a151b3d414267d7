//! Ids read back, keep their order in time, and are not taken for those of another kind.

use super::*;

#[test]
fn a_random_id_reads_back_as_itself() {
    let id = TenantId::random();
    assert_eq!(id.as_str().parse::<TenantId>(), Ok(id.clone()));
    assert_eq!(
        id.as_str().len(),
        TenantId::PREFIX.len() + TIME_CHARS + RANDOM_CHARS
    );
}

#[test]
fn a_later_id_is_greater() {
    assert!(time_text(1_795_000_000_000) < time_text(1_795_000_000_001));
    assert_eq!(time_text(35), "00000000z");
    assert_eq!(time_text(36), "000000010");
}

#[test]
fn an_id_tells_when_it_was_made_and_what_stands_before_it() {
    let at = Moment::from_unix_ms(1_795_000_000_000);
    let first = GenerationId::first_of(at);
    assert_eq!(first.made_at(), Some(at));
    let later = GenerationId::first_of(Moment::from_unix_ms(1_795_000_000_001));
    let made = GenerationId::from_stored(format!("{first}abc"));
    assert!(first < made && made < later);
    assert_eq!(made.made_at(), Some(at));
    for text in ["gen_", "gen_0mw", "gen_é0mwabcdef", "req_0mw000000abc"] {
        assert_eq!(
            GenerationId::from_stored(text.to_owned()).made_at(),
            None,
            "{text}"
        );
    }
}

#[test]
fn entries_of_one_millisecond_keep_their_order() {
    let ids: Vec<_> = (0..1_000).map(|_| AuditId::successive()).collect();
    assert!(ids.is_sorted());
}

#[test]
fn an_id_of_another_kind_or_with_odd_characters_is_refused() {
    for text in [
        "usr_abc", "ten_", "ten_ABC", "ten_a'b", "ten_a b", "", "ten_é",
    ] {
        assert!(text.parse::<TenantId>().is_err(), "{text}");
    }
}
