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
    /// Whether the counts are Waule's estimate, because the provider's never arrived.
    pub estimated: bool,
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

    /// Normalises an OpenAI `usage` object, where the details are subsets of the totals
    /// (`cached_tokens` of `prompt_tokens`, `reasoning_tokens` of `completion_tokens`).
    /// Counts that contradict one another are clamped so that the classes still sum to the totals.
    pub fn from_openai(wire: &OpenAiUsage) -> Self {
        let clamp = |n: i64| u64::try_from(n).unwrap_or(0).min(TOKENS_MAX);
        let prompt = clamp(wire.prompt_tokens.or(wire.input_tokens).unwrap_or(0));
        let completion = clamp(wire.completion_tokens.or(wire.output_tokens).unwrap_or(0));
        let details = wire.prompt_tokens_details.unwrap_or_default();
        let cached = clamp(details.cached_tokens.unwrap_or(0)).min(prompt);
        let written = clamp(details.cache_write_tokens.unwrap_or(0)).min(prompt - cached);
        let reasoning = wire
            .completion_tokens_details
            .and_then(|d| d.reasoning_tokens);
        let reasoning = clamp(reasoning.unwrap_or(0)).min(completion);
        Self {
            input_tokens: prompt - cached - written,
            cached_input_tokens: cached,
            cache_write_tokens: written,
            output_tokens: completion - reasoning,
            reasoning_tokens: reasoning,
            images: 0,
            media_ms: 0,
            characters: 0,
            estimated: false,
        }
    }
}

/// `usage` as OpenAI's chat, embeddings and image answers write it (`CompletionUsage`, `ImagesUsage`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct OpenAiUsage {
    /// All input tokens (chat, embeddings).
    pub prompt_tokens: Option<i64>,
    /// All output tokens (chat).
    pub completion_tokens: Option<i64>,
    /// All input tokens (images).
    pub input_tokens: Option<i64>,
    /// All output tokens (images).
    pub output_tokens: Option<i64>,
    /// Parts of the input.
    pub prompt_tokens_details: Option<PromptDetails>,
    /// Parts of the output.
    pub completion_tokens_details: Option<CompletionDetails>,
}

/// Parts of `prompt_tokens`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PromptDetails {
    /// Read from the prompt cache.
    pub cached_tokens: Option<i64>,
    /// Written to the prompt cache (2026).
    pub cache_write_tokens: Option<i64>,
}

/// Parts of `completion_tokens`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CompletionDetails {
    /// Spent on reasoning.
    pub reasoning_tokens: Option<i64>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &str) -> Usage {
        Usage::from_openai(&serde_json::from_str(json).expect("usage"))
    }

    #[test]
    fn details_are_taken_out_of_their_totals() {
        let usage = read(
            r#"{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,
                "prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":10},
                "completion_tokens_details":{"reasoning_tokens":20}}"#,
        );
        assert_eq!(
            (
                usage.input_tokens,
                usage.cached_input_tokens,
                usage.cache_write_tokens
            ),
            (30, 60, 10)
        );
        assert_eq!((usage.output_tokens, usage.reasoning_tokens), (30, 20));
    }

    #[test]
    fn negative_and_huge_counts_do_no_harm() {
        let usage = read(r#"{"prompt_tokens":-5,"completion_tokens":9223372036854775807}"#);
        assert_eq!(usage.input_total(), 0);
        assert_eq!(usage.output_total(), TOKENS_MAX);
    }

    proptest! {
        #[test]
        fn classes_sum_to_the_totals(p in 0_i64..1 << 41, c in any::<i64>(), k in any::<i64>(), w in any::<i64>(), r in any::<i64>()) {
            let usage = Usage::from_openai(&OpenAiUsage {
                prompt_tokens: Some(p),
                completion_tokens: Some(c),
                prompt_tokens_details: Some(PromptDetails { cached_tokens: Some(k), cache_write_tokens: Some(w) }),
                completion_tokens_details: Some(CompletionDetails { reasoning_tokens: Some(r) }),
                ..OpenAiUsage::default()
            });
            prop_assert_eq!(usage.input_total(), p.unsigned_abs().min(TOKENS_MAX));
            prop_assert_eq!(usage.output_total(), u64::try_from(c).unwrap_or(0).min(TOKENS_MAX));
        }
    }
}
