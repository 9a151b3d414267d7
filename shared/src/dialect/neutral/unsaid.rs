//! Names of fields that have no words in the neutral form. They are told in a header, and whoever sends a
//! request chooses how many there are and how long.

/// Names that are told, at most.
pub(crate) const UNSAID_MAX: usize = 32;
/// Of one name.
pub(crate) const UNSAID_CHARS_MAX: usize = 64;

/// Notes a name, once and where there is room for it. Each is compared with few, however many come.
pub(crate) fn note(unsaid: &mut Vec<String>, name: &str) {
    if unsaid.len() >= UNSAID_MAX {
        return;
    }
    let end = name.char_indices().nth(UNSAID_CHARS_MAX);
    let name = &name[..end.map_or(name.len(), |(at, _)| at)];
    if !unsaid.iter().any(|known| known == name) {
        unsaid.push(name.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_few_short_and_each_of_its_own() {
        let mut unsaid = Vec::new();
        for name in ["a", "b", "a"] {
            note(&mut unsaid, name);
        }
        assert_eq!(unsaid, ["a", "b"]);
        note(&mut unsaid, &"é".repeat(1_000));
        assert_eq!(unsaid[2].chars().count(), UNSAID_CHARS_MAX);
        for number in 0..1_000 {
            note(&mut unsaid, &number.to_string());
        }
        assert_eq!(unsaid.len(), UNSAID_MAX);
    }
}
