//! The counts of a call that have columns of their own: declared once, as a list that others turn into
//! fields, columns and statements. What has no column counts with its family. Stores and shows nothing.

use shared::units::{Family, Unit, Usage};

/// Hands the counts to the macro `$then`, behind what it was called with: for each the documentation,
/// the name of its column, and the unit that it is read back as.
#[macro_export]
macro_rules! with_counts {
    ($then:ident! { $($with:tt)* }) => {
        $then! {
            { $($with)* }
            /// Input tokens that neither came from a provider's cache nor went to one.
            input_tokens: InputToken,
            /// Input tokens from a provider's cache.
            cached_input_tokens: CachedInputToken,
            /// Input tokens that went to a provider's cache.
            cache_write_tokens: CacheWriteToken,
            /// Output tokens without reasoning.
            output_tokens: OutputToken,
            /// Output tokens spent on reasoning.
            reasoning_tokens: ReasoningToken,
            /// Images made.
            images: Image,
            /// Length of audio and video, in milliseconds.
            media_ms: AudioMs,
            /// Characters read aloud.
            characters: Character,
        }
    };
}
pub use with_counts;

macro_rules! consumed {
    ({} $($(#[$doc:meta])* $count:ident: $unit:ident,)+) => {
        /// What a call or several consumed, as columns tell it: these are added up.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct Consumed {
            $($(#[$doc])* pub $count: u64,)+
        }

        impl Consumed {
            /// The units that columns say all of, each with its count.
            pub fn units(&self) -> impl Iterator<Item = (Unit, u64)> {
                [$((Unit::$unit, self.$count)),+].into_iter()
            }

            /// Adds others; sums end at 2^64.
            pub fn add(&mut self, more: &Self) {
                $(self.$count = self.$count.saturating_add(more.$count);)+
            }
        }
    };
}
with_counts!(consumed! {});

impl Consumed {
    /// Whether a unit has a column of its own.
    pub fn has(unit: Unit) -> bool {
        Self::default().units().any(|(known, _)| known == unit)
    }

    /// Input tokens of all classes.
    pub fn input_total(&self) -> u64 {
        let apart = self
            .cached_input_tokens
            .saturating_add(self.cache_write_tokens);
        self.input_tokens.saturating_add(apart)
    }

    /// Output tokens, reasoning included.
    pub fn output_total(&self) -> u64 {
        self.output_tokens.saturating_add(self.reasoning_tokens)
    }
}

impl From<&Usage> for Consumed {
    /// Units without a column of their own count with their family.
    fn from(usage: &Usage) -> Self {
        let cached = [
            Unit::CachedInputToken,
            Unit::CachedInputAudioToken,
            Unit::CachedInputImageToken,
        ];
        let written = [Unit::CacheWriteToken, Unit::CacheWriteLongToken];
        let media = [Family::Video, Family::Audio, Family::InputAudio];
        let sum = |units: &[Unit]| {
            let counts = units.iter().map(|unit| usage.count(*unit));
            counts.fold(0, u64::saturating_add)
        };
        let (cached, written) = (sum(&cached), sum(&written));
        let reasoning = usage.count(Unit::ReasoningToken);
        let apart = cached.saturating_add(written);
        let media_ms = media.map(|family| usage.total(family)).into_iter();
        Self {
            input_tokens: usage.input_total().saturating_sub(apart),
            cached_input_tokens: cached,
            cache_write_tokens: written,
            output_tokens: usage.output_total().saturating_sub(reasoning),
            reasoning_tokens: reasoning,
            images: usage.count(Unit::Image),
            media_ms: media_ms.fold(0, u64::saturating_add),
            characters: usage.count(Unit::Character),
        }
    }
}
