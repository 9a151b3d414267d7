//! What one generation consumed, in units. Knows no money.

use serde::{Deserialize, Serialize};

/// Units of one generation. Token classes are disjoint: `input` holds neither cached nor
/// cache-write tokens, `output` does not hold `reasoning`; so their sum is the provider's total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Input tokens read at the full price.
    pub input_tokens: u64,
    /// Input tokens read from the provider's prompt cache.
    pub cached_input_tokens: u64,
    /// Input tokens written to the provider's prompt cache.
    pub cache_write_tokens: u64,
    /// Output tokens without reasoning.
    pub output_tokens: u64,
    /// Output tokens spent on reasoning.
    pub reasoning_tokens: u64,
    /// Images made.
    pub images: u64,
    /// Length of the audio or video made or read, in milliseconds.
    pub media_ms: u64,
    /// Characters read aloud.
    pub characters: u64,
    /// Whether counts are Waule's estimate, because the provider's never arrived or were zero for what
    /// it wrote.
    pub estimated: bool,
    /// Whether the provider counted more than the call can bring, and these counts were cut to that:
    /// they are estimates then too.
    #[serde(skip_serializing_if = "is_false")]
    pub capped: bool,
    /// Whether more was written than the call's maximum: the tenant pays at most what was held, and the
    /// rest is the platform's loss.
    #[serde(skip_serializing_if = "is_false")]
    pub overrun: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// A class of tokens larger than this is a provider's bug, not a usage.
pub const TOKENS_MAX: u64 = 1 << 40;

impl Usage {
    /// All input tokens, whatever their class.
    pub fn input_total(&self) -> u64 {
        self.input_tokens
            .saturating_add(self.cached_input_tokens)
            .saturating_add(self.cache_write_tokens)
    }

    /// All output tokens, reasoning included.
    pub fn output_total(&self) -> u64 {
        self.output_tokens.saturating_add(self.reasoning_tokens)
    }

    /// Whether nothing at all was consumed: such a call costs nothing, a price per request included.
    pub fn is_nothing(&self) -> bool {
        let Self {
            images,
            media_ms,
            characters,
            ..
        } = *self;
        self.input_total() == 0
            && self.output_total() == 0
            && images == 0
            && media_ms == 0
            && characters == 0
    }
}
