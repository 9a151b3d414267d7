//! What Anthropic's models take, by their names: they differ in how they are told to think and in whether
//! a request may choose words. Other makers' models that are called in this format take what the oldest do.
//!
//! Facts: models overview and "Extended thinking" of platform.claude.com, and price maps, as of 2026-11.

/// What a model takes.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is known by itself, and nothing follows from two of them"
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Takes {
    /// `temperature` and `top_p` at once.
    pub(super) both_samplings: bool,
    /// `temperature`, `top_p` and `top_k` at all.
    pub(super) sampling: bool,
    /// Thinking as much as it sees fit, by effort.
    pub(super) adaptive: bool,
    /// Thinking up to a budget of tokens.
    pub(super) budget: bool,
    /// Not to think.
    pub(super) no_thinking: bool,
    /// Thinking before a function that must be called.
    pub(super) thinking_forced: bool,
}

/// Of other makers.
const OTHERS: Takes = Takes {
    both_samplings: true,
    sampling: true,
    adaptive: false,
    budget: true,
    no_thinking: true,
    thinking_forced: false,
};

/// Families whose models always think.
const ALWAYS_THINKING: [&str; 2] = ["fable", "mythos"];

impl Takes {
    /// Of the model of that name: `claude-haiku-4-5`, `us.anthropic.claude-opus-4-6-v1:0`.
    pub(super) fn of(model: &str) -> Self {
        let name = model.to_ascii_lowercase();
        let Some((_, name)) = name.split_once("claude") else {
            return OTHERS;
        };
        let always = ALWAYS_THINKING.iter().any(|family| name.contains(family));
        // A name without a number is one of the newest.
        let version = version(name).unwrap_or((u32::MAX, 0));
        let is_haiku = name.contains("haiku");
        Self {
            both_samplings: false,
            sampling: version < (4, 7) && !always,
            adaptive: version >= (4, 6),
            budget: version < (4, 7) && !always,
            no_thinking: !always && (is_haiku || version < (5, 5)),
            thinking_forced: version >= (4, 8),
        }
    }
}

/// The first number of a name and the one right behind it, where they are no dates.
fn version(name: &str) -> Option<(u32, u32)> {
    let mut parts = name.split(['-', '.', '@', ':', '_']);
    let number = |part: &str| part.parse::<u32>().ok().filter(|_| part.len() <= 2);
    let major = parts.by_ref().find_map(number)?;
    Some((major, parts.next().and_then(number).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_its_model_takes() {
        let words = |model: &str| {
            let takes = Takes::of(model);
            let flags = [
                (takes.sampling, "sampling"),
                (takes.adaptive, "adaptive"),
                (takes.budget, "budget"),
                (takes.no_thinking, "off"),
            ];
            let words: Vec<&str> = flags.iter().filter(|f| f.0).map(|f| f.1).collect();
            words.join(" ")
        };
        for (model, expected) in [
            ("claude-haiku-4-5", "sampling budget off"),
            ("claude-opus-4-5-20251101", "sampling budget off"),
            (
                "us.anthropic.claude-opus-4-6-v1:0",
                "sampling adaptive budget off",
            ),
            ("claude-sonnet-4-6", "sampling adaptive budget off"),
            ("anthropic/claude-opus-4.7", "adaptive off"),
            ("claude-opus-4-7@20260416", "adaptive off"),
            ("claude-sonnet-5", "adaptive off"),
            ("claude-opus-5-5", "adaptive"),
            ("claude-haiku-5-5", "adaptive off"),
            ("claude-fable-5", "adaptive"),
            ("claude-mythos-preview", "adaptive"),
            ("claude-next", "adaptive"),
            ("glm-5.2", "sampling budget off"),
            ("", "sampling budget off"),
        ] {
            assert_eq!(words(model), expected, "{model}");
        }
    }
}
