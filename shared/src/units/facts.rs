//! What is known of a call beside its counts, where a price may depend on it: a closed set.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smallvec::SmallVec;

/// What may be known of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// Of a picture: `1024x1024`.
    Size,
    /// Of a picture, as asked for: `high`.
    Quality,
    /// Of a video: `720p`.
    Resolution,
    /// How it is made, where a model has ways: `pro`, `text_to_video`.
    Mode,
    /// Whether a video has sound: `on`, `off`.
    Audio,
    /// The service tier as the provider served it: `batch`, `flex`, `priority`.
    Tier,
    /// Where it ran: `eu`.
    Region,
    /// How much a search brings into the context: `low`, `medium`, `high`.
    SearchContext,
}

impl Fact {
    /// All facts.
    pub const ALL: [Self; 8] = [
        Self::Size,
        Self::Quality,
        Self::Resolution,
        Self::Mode,
        Self::Audio,
        Self::Tier,
        Self::Region,
        Self::SearchContext,
    ];

    /// Its stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Quality => "quality",
            Self::Resolution => "resolution",
            Self::Mode => "mode",
            Self::Audio => "audio",
            Self::Tier => "tier",
            Self::Region => "region",
            Self::SearchContext => "search_context",
        }
    }
}

/// A value longer than this is no word of a price.
const VALUE_BYTES_MAX: usize = 64;

/// What is known of a call, one value a fact. Values are compared without case: `2048X2048` is
/// `2048x2048`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts(SmallVec<[(Fact, Box<str>); 1]>);

impl Facts {
    /// Nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Notes a fact, in place of an earlier word on it. A word that no price can have is cut, so it
    /// matches none.
    pub fn note(&mut self, fact: Fact, value: &str) {
        let mut value = value.trim().to_ascii_lowercase();
        while value.len() > VALUE_BYTES_MAX {
            value.pop();
        }
        self.0.retain(|(known, _)| *known != fact);
        self.0.push((fact, value.into_boxed_str()));
        self.0.sort_unstable_by_key(|(known, _)| *known);
    }

    /// With a fact noted, where there is one.
    #[must_use]
    pub fn with(mut self, fact: Fact, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.note(fact, value);
        }
        self
    }

    /// What is known, if anything.
    pub fn get(&self, fact: Fact) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| *known == fact);
        found.map(|(_, value)| value.as_ref())
    }

    /// All that is known.
    pub fn iter(&self) -> impl Iterator<Item = (Fact, &str)> {
        self.0.iter().map(|(fact, value)| (*fact, value.as_ref()))
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Facts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Facts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut facts = Self::none();
        for (fact, value) in BTreeMap::<Fact, String>::deserialize(deserializer)? {
            facts.note(fact, &value);
        }
        Ok(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_counts_and_case_does_not() {
        let mut facts = Facts::none().with(Fact::Tier, Some("Flex"));
        facts.note(Fact::Size, "2048X2048");
        facts.note(Fact::Tier, " priority ");
        let all: Vec<_> = facts.iter().collect();
        assert_eq!(all, [(Fact::Size, "2048x2048"), (Fact::Tier, "priority")]);
        assert_eq!(facts.get(Fact::Mode), None);
        facts.note(Fact::Mode, &"x".repeat(1_000));
        assert_eq!(facts.get(Fact::Mode).map(str::len), Some(VALUE_BYTES_MAX));
        for fact in Fact::ALL {
            let json = serde_json::to_string(&fact).expect("written");
            assert_eq!(json, format!("\"{}\"", fact.word()));
        }
    }
}
