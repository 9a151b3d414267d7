//! What a provider's list of models says beside the one before: what is new and what is gone. Pure; a list
//! that is empty or was cut off is no reason to call anything gone.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use shared::link::models::ProviderModels;

/// Names that are gone and still told of: more are no news but another provider.
const GONE_MAX: usize = 500;

/// What a provider had when it was last asked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KnownList {
    /// What it has, in the order of names.
    pub names: BTreeSet<String>,
    /// What the newest list has and the one before had not; none after the first list.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub new: BTreeSet<String>,
    /// What an earlier list had and the newest has not.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub gone: BTreeSet<String>,
    /// Whether the list was longer than what is read of one: what is missing may stand behind its end.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

impl KnownList {
    /// What is known after a list came; `None` where it says nothing, as an empty one does.
    pub fn after(&self, told: &ProviderModels) -> Option<Self> {
        let names: BTreeSet<String> = told.names.iter().cloned().collect();
        if names.is_empty() {
            return None;
        }
        let is_first = self.names.is_empty() && self.gone.is_empty();
        let new = if is_first {
            BTreeSet::new()
        } else {
            names.difference(&self.names).cloned().collect()
        };
        let missing = self.names.union(&self.gone);
        let mut gone: BTreeSet<String> = missing
            .filter(|name| !names.contains(*name))
            .cloned()
            .collect();
        if told.cut {
            // What was gone stays gone only where nothing is cut off.
            gone.clear();
        }
        while gone.len() > GONE_MAX {
            gone.pop_last();
        }
        Some(Self {
            names,
            new,
            gone,
            cut: told.cut,
        })
    }

    /// How a model of the provider stands.
    pub fn standing(&self, name: &str) -> Standing {
        if self.names.contains(name) {
            Standing::Listed
        } else if self.gone.contains(name) {
            Standing::Gone
        } else if self.names.is_empty() || self.cut {
            Standing::Unknown
        } else {
            Standing::NotListed
        }
    }
}

/// What a provider's list says of a name that a target has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is there.
    Listed,
    /// It was there and is not any more.
    Gone,
    /// It was never there: some providers take names that they don't list, as deployments and aliases.
    NotListed,
    /// There is no whole list.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(names: &[&str], cut: bool) -> ProviderModels {
        ProviderModels {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            cut,
            ..ProviderModels::default()
        }
    }

    fn names(of: &BTreeSet<String>) -> String {
        let names: Vec<&str> = of.iter().map(String::as_str).collect();
        names.join(" ")
    }

    #[test]
    fn what_is_new_and_gone_is_told_against_the_list_before() {
        let first = KnownList::default().after(&told(&["b", "a", "a"], false));
        let first = first.expect("a list");
        assert_eq!(
            (names(&first.names), names(&first.new)),
            ("a b".into(), String::new())
        );
        let second = first.after(&told(&["b", "c"], false)).expect("a list");
        assert_eq!(
            (names(&second.new), names(&second.gone)),
            ("c".into(), "a".into())
        );
        let third = second.after(&told(&["b", "c"], false)).expect("a list");
        assert_eq!(
            (names(&third.new), names(&third.gone)),
            (String::new(), "a".into())
        );
        let back = third.after(&told(&["a", "b", "c"], false)).expect("a list");
        assert_eq!(
            (names(&back.new), names(&back.gone)),
            ("a".into(), String::new())
        );
        for (name, standing) in [
            ("a", Standing::Gone),
            ("b", Standing::Listed),
            ("x", Standing::NotListed),
        ] {
            assert_eq!(third.standing(name), standing, "{name}");
        }
    }

    #[test]
    fn an_empty_list_and_one_that_was_cut_off_say_nothing_is_gone() {
        let first = KnownList::default().after(&told(&["a", "b"], false));
        let first = first.expect("a list");
        assert_eq!(first.after(&told(&[], false)), None);
        assert_eq!(first.after(&told(&[], true)), None);
        let cut = first.after(&told(&["b"], true)).expect("a list");
        assert_eq!(names(&cut.gone), "");
        assert_eq!(cut.standing("a"), Standing::Unknown);
        assert_eq!(KnownList::default().standing("a"), Standing::Unknown);
    }

    #[test]
    fn what_is_kept_of_what_is_gone_is_bounded() {
        let many: Vec<String> = (0..2_000).map(|n| format!("m{n:05}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let first = KnownList::default().after(&told(&many, false));
        let second = first.expect("a list").after(&told(&["x"], false));
        assert_eq!(second.expect("a list").gone.len(), GONE_MAX);
    }
}
