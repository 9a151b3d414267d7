//! What is told of a model beside where it runs: how much it reads, what it can, who made it, when it ends
//! and what follows it. Pure; `model` keeps it, `retirement` says what follows of an end.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};

use super::retirement::Retirement;

/// Declares the capabilities and their words: a new one is a line here and a label.
macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)+) => {
        /// Something that a model can, in the field's own words.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Capability {
            $($(#[$doc])* $name,)+
        }

        impl Capability {
            /// Every one, in the order in which they are shown.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Stable word.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }

            /// The one of that word.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }
        }
    };
}

capabilities! {
    /// Calls functions that the request describes.
    Tools = "tools",
    /// Reads pictures.
    Vision = "vision",
    /// Hears.
    AudioInput = "audio_input",
    /// Speaks.
    AudioOutput = "audio_output",
    /// Reads films.
    VideoInput = "video_input",
    /// Reads documents, as PDF.
    FileInput = "file_input",
    /// Draws inside of an answer.
    ImageOutput = "image_output",
    /// Keeps to a JSON schema.
    StructuredOutput = "structured_output",
    /// Thinks before it answers.
    Reasoning = "reasoning",
    /// Input that came before costs less.
    PromptCaching = "prompt_caching",
    /// Looks things up itself.
    WebSearch = "web_search",
    /// Runs code itself.
    CodeExecution = "code_execution",
    /// Answers piece by piece.
    Streaming = "streaming",
}

/// What is told of a model. Stored as one JSON text, so that a new fact needs no migration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelFacts {
    /// Tokens of input and output together at most, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<u64>,
    /// What it can; nothing is known where it is empty.
    #[serde(
        serialize_with = "words",
        deserialize_with = "known_words",
        skip_serializing_if = "BTreeSet::is_empty"
    )]
    pub capabilities: BTreeSet<Capability>,
    /// What it is good for, in a sentence or two for tenants; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Who made it, as tenants read it; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// When it ends, where that is planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retirement: Option<Retirement>,
}

impl ModelFacts {
    /// Whether a model is said to be able to do something.
    pub fn can(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }
}

fn words<S: serde::Serializer>(of: &BTreeSet<Capability>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(of.iter().map(|one| one.word()))
}

/// A word that a newer version of this program wrote is left out, and the model stays in the catalogue.
fn known_words<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeSet<Capability>, D::Error> {
    let words: Vec<String> = Vec::deserialize(from)?;
    let known = words.iter().filter_map(|word| Capability::from_word(word));
    Ok(known.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_of_one_capability_and_stays_what_it_is() {
        let words: Vec<&str> = Capability::ALL.iter().map(|one| one.word()).collect();
        let different: BTreeSet<&str> = words.iter().copied().collect();
        assert_eq!(different.len(), words.len());
        for one in Capability::ALL {
            assert_eq!(Capability::from_word(one.word()), Some(*one));
        }
        assert_eq!(Capability::from_word("telepathy"), None);
    }

    #[test]
    fn facts_are_read_as_they_were_written_and_unknown_ones_left_out() {
        let read = |text: &str| serde_json::from_str::<ModelFacts>(text);
        assert_eq!(read("{}").expect("none"), ModelFacts::default());
        let text = r#"{"context_tokens":8192,"capabilities":["tools","vision"],"owner":"acme"}"#;
        let facts = read(text).expect("facts");
        assert_eq!(serde_json::to_string(&facts).expect("json"), text);
        let newer = r#"{"capabilities":["telepathy","tools"],"mood":"good"}"#;
        let facts = read(newer).expect("of a newer version");
        assert!(facts.can(Capability::Tools) && facts.capabilities.len() == 1);
        assert!(read(r#"{"capabilities":"tools"}"#).is_err());
    }
}
