//! What a generation consumed, as data: measures in units, and facts that prices may depend on.
//! Knows no money. A new unit is one variant with its word and its family, and nothing else: no
//! column, no field on the wire.

mod facts;
mod usage;

pub use facts::{Fact, Facts};
pub use usage::{MEASURE_MAX, Usage};

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What is counted. Classes of one family are disjoint: `InputToken` counts neither cached tokens
/// nor those written to a cache, `OutputToken` no reasoning; so the sum of a family is the
/// provider's total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// A call that produced something.
    Request,
    /// Text tokens read at the full price.
    InputToken,
    /// Tokens read from the provider's prompt cache.
    CachedInputToken,
    /// Tokens written to the prompt cache for minutes.
    CacheWriteToken,
    /// Tokens written to the prompt cache for an hour or longer.
    CacheWriteLongToken,
    /// Tokens of sound in the input.
    InputAudioToken,
    /// Tokens of sound in the input that came from the cache.
    CachedInputAudioToken,
    /// Tokens of pictures in the input.
    InputImageToken,
    /// Tokens of pictures in the input that came from the cache.
    CachedInputImageToken,
    /// Tokens of video in the input.
    InputVideoToken,
    /// Text tokens written.
    OutputToken,
    /// Tokens spent on reasoning.
    ReasoningToken,
    /// Tokens of sound written.
    OutputAudioToken,
    /// Tokens of pictures written.
    OutputImageToken,
    /// Images made.
    Image,
    /// Thousandths of a megapixel made.
    Kilopixel,
    /// Milliseconds of video made.
    VideoMs,
    /// Milliseconds of sound made.
    AudioMs,
    /// Milliseconds of sound read.
    InputAudioMs,
    /// Characters read aloud or translated.
    Character,
    /// Searches of the web, or of documents for a ranking.
    Search,
    /// Pages read.
    Page,
    /// Milliseconds of a machine.
    ComputeMs,
    /// Calls of a provider's own tool.
    ToolCall,
}

/// What units are counted together: a bound of a call is one for a family, and a measure without a
/// price of its own is charged at the dearest of its family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// The call itself.
    Request,
    /// All tokens read.
    Input,
    /// All tokens written.
    Output,
    /// Pictures, by piece.
    Image,
    /// Pictures, by size.
    Pixel,
    /// Video made.
    Video,
    /// Sound made.
    Audio,
    /// Sound read.
    InputAudio,
    /// Text by its length.
    Character,
    /// Searches.
    Search,
    /// Pages.
    Page,
    /// Time of machines.
    Compute,
    /// Calls of tools.
    Tool,
}

/// Each unit with its stable word, its family, and the unit whose price it takes where it has none
/// of its own.
const UNITS: &[(Unit, &str, Family, Option<Unit>)] = &[
    (Unit::Request, "request", Family::Request, None),
    (Unit::InputToken, "input_token", Family::Input, None),
    (
        Unit::CachedInputToken,
        "cached_input_token",
        Family::Input,
        Some(Unit::InputToken),
    ),
    (
        Unit::CacheWriteToken,
        "cache_write_token",
        Family::Input,
        Some(Unit::InputToken),
    ),
    (
        Unit::CacheWriteLongToken,
        "cache_write_long_token",
        Family::Input,
        Some(Unit::CacheWriteToken),
    ),
    (
        Unit::InputAudioToken,
        "input_audio_token",
        Family::Input,
        Some(Unit::InputToken),
    ),
    (
        Unit::CachedInputAudioToken,
        "cached_input_audio_token",
        Family::Input,
        Some(Unit::InputAudioToken),
    ),
    (
        Unit::InputImageToken,
        "input_image_token",
        Family::Input,
        Some(Unit::InputToken),
    ),
    (
        Unit::CachedInputImageToken,
        "cached_input_image_token",
        Family::Input,
        Some(Unit::InputImageToken),
    ),
    (
        Unit::InputVideoToken,
        "input_video_token",
        Family::Input,
        Some(Unit::InputToken),
    ),
    (Unit::OutputToken, "output_token", Family::Output, None),
    (
        Unit::ReasoningToken,
        "reasoning_token",
        Family::Output,
        Some(Unit::OutputToken),
    ),
    (
        Unit::OutputAudioToken,
        "output_audio_token",
        Family::Output,
        Some(Unit::OutputToken),
    ),
    (
        Unit::OutputImageToken,
        "output_image_token",
        Family::Output,
        Some(Unit::OutputToken),
    ),
    (Unit::Image, "image", Family::Image, None),
    (Unit::Kilopixel, "kilopixel", Family::Pixel, None),
    (Unit::VideoMs, "video_ms", Family::Video, None),
    (Unit::AudioMs, "audio_ms", Family::Audio, None),
    (
        Unit::InputAudioMs,
        "input_audio_ms",
        Family::InputAudio,
        None,
    ),
    (Unit::Character, "character", Family::Character, None),
    (Unit::Search, "search", Family::Search, None),
    (Unit::Page, "page", Family::Page, None),
    (Unit::ComputeMs, "compute_ms", Family::Compute, None),
    (Unit::ToolCall, "tool_call", Family::Tool, None),
];

/// The word names no unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no unit `{0}`")]
pub struct UnknownUnit(String);

impl Unit {
    /// All units, in the order of bills.
    pub fn all() -> impl Iterator<Item = Self> {
        UNITS.iter().map(|(unit, ..)| *unit)
    }

    // The table has a row for each variant, in their order: a test says so.
    fn row(self) -> &'static (Self, &'static str, Family, Option<Self>) {
        &UNITS[self as usize]
    }

    /// Its stable word, for JSON, CSV and labels.
    pub fn word(self) -> &'static str {
        self.row().1
    }

    /// What it is counted with.
    pub fn family(self) -> Family {
        self.row().2
    }

    /// The unit whose price it takes where it has none of its own.
    pub fn falls_back_to(self) -> Option<Self> {
        self.row().3
    }
}

impl Family {
    /// The units of the family.
    pub fn units(self) -> impl Iterator<Item = Unit> {
        Unit::all().filter(move |unit| unit.family() == self)
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Unit {
    type Err = UnknownUnit;

    fn from_str(word: &str) -> Result<Self, UnknownUnit> {
        let found = UNITS.iter().find(|(_, known, ..)| *known == word);
        found
            .map(|(unit, ..)| *unit)
            .ok_or_else(|| UnknownUnit(word.chars().take(40).collect()))
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for Unit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        word.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_has_a_row_of_its_own_and_falls_back_within_its_family() {
        for (at, (unit, word, family, falls_back_to)) in UNITS.iter().enumerate() {
            assert_eq!(*unit as usize, at, "{word}");
            assert_eq!(word.parse(), Ok(*unit));
            let words = UNITS.iter().filter(|(_, other, ..)| other == word);
            assert_eq!(words.count(), 1, "{word}");
            if let Some(next) = falls_back_to {
                assert_eq!(next.family(), *family, "{word}");
                assert!(next < unit, "every chain ends: {word}");
            }
        }
        // The last variant is the last row.
        assert_eq!(UNITS.len(), Unit::ToolCall as usize + 1);
        assert!("tokens".parse::<Unit>().is_err());
    }
}
