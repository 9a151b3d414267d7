//! Names as they are compared: without case, and with what looks the same written the same. Pure.

use unicode_normalization::UnicodeNormalization;

/// The form of a name in which two are the same when people would not tell them apart by case.
/// Stored beside names, so a change of it needs a new column.
pub fn folded(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    // Through capitals, so that ß meets SS and a final sigma the others (Unicode 16, 3.13).
    let capitals = name.nfkc().flat_map(char::to_uppercase);
    capitals.flat_map(char::to_lowercase).nfkc().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_differ_in_case_alone_are_the_same() {
        for (one, other) in [
            ("Acme", "aCME"),
            ("ÉMILE", "émile"),
            ("e\u{301}mile", "\u{c9}mile"),
            ("Straße", "STRASSE"),
            ("ΟΔΟΣ", "οδος"),
            ("Ｗａｕｌｅ", "waule"),
            ("ДОМ", "дом"),
            ("ﬁrma", "FIRMA"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        for (one, other) in [
            ("acme", "acme2"),
            ("a", "á"),
            ("模型", "模形"),
            ("a b", "ab"),
        ] {
            assert_ne!(folded(one), folded(other), "{one} {other}");
        }
        assert_eq!(folded("模型🙂"), "模型🙂");
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(name in "\\PC{0,20}") {
            let once = folded(&name);
            prop_assert_eq!(folded(&once), once);
        }
    }
}
