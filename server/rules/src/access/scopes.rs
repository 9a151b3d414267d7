//! What a key may do, as a set of words. Decides nothing; the edges ask it.

use crate::words;

words! {
    /// One thing that a key may do.
    Scope {
        /// Call models.
        Inference = "inference",
        /// Read usage, balance and ledger.
        Usage = "usage",
        /// Make, change, rotate and revoke keys.
        Keys = "keys",
    }
}

impl Scope {
    /// Each of them, in the order they are written in.
    pub const ALL: [Self; 3] = [Self::Inference, Self::Usage, Self::Keys];

    const fn bit(self) -> u8 {
        match self {
            Self::Inference => 1,
            Self::Usage => 2,
            Self::Keys => 4,
        }
    }
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// What people may do, and keys that were given everything.
    pub const ALL: Self = Self(Scope::Inference.bit() | Scope::Usage.bit() | Scope::Keys.bit());
    /// What a key may do when nothing is said.
    pub const PLAIN: Self = Self(Scope::Inference.bit() | Scope::Usage.bit());

    /// Out of some scopes.
    pub fn of(scopes: impl IntoIterator<Item = Scope>) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | scope.bit()))
    }

    /// Out of words; `None` when one is unknown.
    pub fn from_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let scopes: Option<Vec<Scope>> = words.into_iter().map(Scope::from_word).collect();
        scopes.map(Self::of)
    }

    /// Whether nothing is allowed.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `scope` is among them.
    pub const fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// What both allow.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether `other` allows all of it.
    pub const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Their words, in a fixed order.
    pub fn words(self) -> Vec<&'static str> {
        let held = Scope::ALL.into_iter().filter(|scope| self.has(*scope));
        held.map(Scope::word).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_written_and_read_in_a_fixed_order() {
        let set = Scopes::of([Scope::Keys, Scope::Inference]);
        assert_eq!(set.words(), ["inference", "keys"]);
        assert_eq!(Scopes::from_words(["keys", "inference", "keys"]), Some(set));
        assert_eq!(Scopes::from_words(["members"]), None);
        assert!(Scopes::from_words([]).is_some_and(Scopes::is_empty));
    }

    #[test]
    fn a_set_is_within_one_that_has_all_of_it() {
        assert!(Scopes::PLAIN.is_within(Scopes::ALL) && !Scopes::ALL.is_within(Scopes::PLAIN));
        assert!(!Scopes::of([Scope::Keys]).is_within(Scopes::PLAIN));
        assert!(Scopes::of([]).is_within(Scopes::PLAIN));
        let all = Scope::ALL.into_iter();
        assert_eq!(Scopes::of(all), Scopes::ALL);
    }
}
