//! One name for one thing: of public types, and of none that was given up.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::{code, members, sources};

/// Names of types that were given up for those of docs/glossary.md: nobody should have to learn both.
const OLD_NAMES: &[&str] = &[
    "Begun",
    "Buried",
    "Faults",
    "Figures",
    "Finisher",
    "Gathered",
    "Happened",
    "House",
    "KeptFacts",
    "LedgerOperation",
    "Legs",
    "News",
    "Packer",
    "Parcel",
    "Posted",
    "Race",
    "Seat",
    "Shelf",
    "Story",
    "Strand",
    "Talk",
    "Teller",
    "Tender",
    "Unpacker",
    "Visit",
    "Visitor",
    "Vitals",
    "Wanted",
    "Weather",
    "Wish",
    "Wrong",
];

/// The type that a line declares, and whether it is public in any degree.
fn declared(line: &str) -> Option<(bool, &str)> {
    let line = line.trim_start();
    let (is_public, line) = match line.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => (true, rest.split_once(") ")?.1),
        Some(rest) => (true, rest.strip_prefix(' ')?),
        None => (false, line),
    };
    let (kind, rest) = line.split_once(' ')?;
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let name = &rest[..end.unwrap_or(rest.len())];
    (["struct", "enum", "trait", "type", "union"].contains(&kind) && !name.is_empty())
        .then_some((is_public, name))
}

#[test]
fn a_public_types_name_is_the_only_one_of_its_crate() {
    for folder in members() {
        let mut known: BTreeMap<String, PathBuf> = BTreeMap::new();
        for file in sources(&folder) {
            let code = code(&fs::read_to_string(&file).expect("readable"));
            let types = code.lines().filter_map(declared);
            for (_, name) in types.filter(|(is_public, _)| *is_public) {
                if let Some(other) = known.insert(name.to_owned(), file.clone()) {
                    let (other, file) = (other.display(), file.display());
                    panic!("`{name}` is a type of {other} and one of {file}");
                }
            }
        }
        assert!(!known.is_empty(), "{} declares no type", folder.display());
    }
}

#[test]
fn names_that_were_given_up_do_not_come_back() {
    // The benchmarks look at the product from outside and have words of their own.
    let ours = members().into_iter().filter(|f| !f.ends_with("bench/src"));
    for file in ours.flat_map(|folder| sources(&folder)) {
        let code = code(&fs::read_to_string(&file).expect("readable"));
        for (_, name) in code.lines().filter_map(declared) {
            let path = file.display();
            assert!(!OLD_NAMES.contains(&name), "{path} declares `{name}`");
            // What is asked is a request or a query.
            assert!(!name.ends_with("Ask"), "{path} declares `{name}`");
        }
    }
}
