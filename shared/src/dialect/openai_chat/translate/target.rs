//! What a model's name says of whoever reads the request. Servers that speak this dialect are many, and the
//! strict among them refuse a whole request for one field that they don't know; so what is advice and stands
//! not in OpenAI's own API goes only to models whose makers take it.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use sha2::{Digest, Sha256};

use crate::dialect::neutral::SignatureFormat;

/// OpenAI takes no longer ids of calls (API reference, chat completions: "maximum length 40").
const CALL_ID_MAX: usize = 40;
/// Mistral takes ids of just so many letters and digits (its API's own words in refusals).
const MISTRAL_ID: usize = 9;
/// OpenAI takes no longer names of users and keys of caches (API reference: "maximum length 64").
const NAME_MAX: usize = 64;

/// For whose model a request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ModelTarget {
    maker: Maker,
    /// Whether the name says its maker before a slash, as OpenRouter's do.
    is_routed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Maker {
    Anthropic,
    Google,
    OpenAi,
    Mistral,
    Moonshot,
    Other,
}

/// How makers call their models; of several that are found the first counts.
const NAMES: [(&str, Maker); 14] = [
    ("claude", Maker::Anthropic),
    ("gemini", Maker::Google),
    ("gpt-oss", Maker::Other),
    ("gpt-", Maker::OpenAi),
    ("chatgpt", Maker::OpenAi),
    ("codex", Maker::OpenAi),
    ("codestral", Maker::Mistral),
    ("devstral", Maker::Mistral),
    ("magistral", Maker::Mistral),
    ("ministral", Maker::Mistral),
    ("mistral", Maker::Mistral),
    ("pixtral", Maker::Mistral),
    ("kimi", Maker::Moonshot),
    ("moonshot", Maker::Moonshot),
];

/// Made once: every call asks, and what makes a search ready costs more than the search.
static SEARCHES: LazyLock<Vec<(Finder<'static>, Maker)>> = LazyLock::new(|| {
    let ready = |&(name, maker): &(&'static str, Maker)| (Finder::new(name), maker);
    NAMES.iter().map(ready).collect()
});

impl ModelTarget {
    pub(super) fn of(model: &str) -> Self {
        let model = model.to_ascii_lowercase();
        let mut searches = SEARCHES.iter();
        let found = searches.find(|(name, _)| name.find(model.as_bytes()).is_some());
        let last = model.rsplit('/').next().unwrap_or_default();
        let is_numbered = ["o1", "o3", "o4"].iter().any(|o| last.starts_with(o));
        let maker = match found {
            Some((_, maker)) => *maker,
            None if is_numbered => Maker::OpenAi,
            None => Maker::Other,
        };
        Self {
            maker,
            // Google's own door has them as `models/gemini-..`.
            is_routed: model.contains('/') && !model.starts_with("models/"),
        }
    }

    /// Whether what proves a thought goes back to who made it. OpenAI's own API has no place for it in
    /// chats, and Google's has one at calls only; OpenRouter has.
    pub(super) fn proves(self, format: SignatureFormat) -> bool {
        match format {
            SignatureFormat::Anthropic | SignatureFormat::AnthropicRedacted => {
                self.maker == Maker::Anthropic
            }
            SignatureFormat::Google => self.maker == Maker::Google && self.is_routed,
            SignatureFormat::OpenAi => self.maker == Maker::OpenAi && self.is_routed,
        }
    }

    /// Whether what proves the thought behind a call goes back at the call.
    pub(super) fn proves_calls(self) -> bool {
        self.maker == Maker::Google
    }

    /// Whether it refuses fields of messages that are not its own.
    pub(super) fn is_strict(self) -> bool {
        matches!(self.maker, Maker::OpenAi | Maker::Mistral) && !self.is_routed
    }

    /// Whether parts may say where a cache should end.
    pub(super) fn takes_cache_marks(self) -> bool {
        self.maker == Maker::Anthropic
    }

    /// Whether files may be given by their addresses: OpenAI's own API takes data and ids alone (API
    /// reference, chat completions), and OpenRouter fetches.
    pub(super) fn fetches_files(self) -> bool {
        self.maker != Maker::OpenAi || self.is_routed
    }

    /// Whether it takes a number of candidates for each token.
    pub(super) fn takes_top_k(self) -> bool {
        matches!(
            self.maker,
            Maker::Anthropic | Maker::Moonshot | Maker::Other
        )
    }

    /// Whether it takes a key for its cache.
    pub(super) fn takes_cache_key(self) -> bool {
        matches!(self.maker, Maker::OpenAi | Maker::Moonshot)
    }

    fn takes_call_id(self, id: &str) -> bool {
        if self.maker == Maker::Mistral {
            return id.len() == MISTRAL_ID && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        }
        (1..=CALL_ID_MAX).contains(&id.len())
    }

    /// What a call is called: as it is, where that may be, else by what follows from its id, so that its
    /// result is called the same, and in the next request too; `number` is for those without any.
    pub(super) fn call_id(self, id: &str, number: usize) -> String {
        if self.takes_call_id(id) {
            return id.to_owned();
        }
        let made = if id.is_empty() {
            format!("{number:09}")
        } else {
            hex::encode(Sha256::digest(id))
        };
        let made = made.get(..MISTRAL_ID).unwrap_or_default();
        if self.maker == Maker::Mistral {
            made.to_owned()
        } else {
            format!("call_{made}")
        }
    }
}

/// The name of a user or a key, or what stands for it where it is too long.
pub(super) fn name(of: &str) -> Cow<'_, str> {
    if of.len() <= NAME_MAX {
        Cow::Borrowed(of)
    } else {
        Cow::Owned(hex::encode(Sha256::digest(of)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makers_are_known_by_the_names_of_their_models() {
        use SignatureFormat as F;
        let routed = ModelTarget::of("anthropic/claude-opus-4.6");
        assert!(routed.proves(F::Anthropic) && routed.takes_cache_marks());
        assert!(!routed.proves(F::Google));
        assert!(!ModelTarget::of("gpt-5.6").proves(F::OpenAi));
        assert!(ModelTarget::of("openai/gpt-5.6").proves(F::OpenAi));
        assert!(!ModelTarget::of("openai/gpt-oss-120b").proves(F::OpenAi));
        assert!(ModelTarget::of("openai/o3").proves(F::OpenAi));
        assert!(ModelTarget::of("Gemini-3.8-flash").proves_calls());
        assert!(!ModelTarget::of("gemini-3.8-flash").proves(F::Google));
        assert!(!ModelTarget::of("models/gemini-3.8-flash").proves(F::Google));
        assert!(ModelTarget::of("deepseek-v4-pro").takes_top_k());
        assert!(!ModelTarget::of("mistral-large-latest").takes_top_k());
        assert!(ModelTarget::of("kimi-k3").takes_cache_key());
    }

    #[test]
    fn calls_that_may_not_be_called_so_get_a_name() {
        let mistral = ModelTarget::of("mistral-large-latest");
        assert_eq!(mistral.call_id("a1B2c3D4e", 0), "a1B2c3D4e");
        assert!(mistral.takes_call_id(&mistral.call_id("toolu_01", 0)));
        assert!(mistral.takes_call_id(&mistral.call_id("", 3)));
        let other = ModelTarget::of("m");
        assert_eq!(other.call_id("toolu_01", 0), "toolu_01");
        assert_eq!(other.call_id("", 3), "call_000000003");
        let long = "x".repeat(41);
        assert!(other.takes_call_id(&other.call_id(&long, 0)));
        assert_eq!(other.call_id(&long, 0), other.call_id(&long, 1));
        assert_ne!(other.call_id(&long, 0), other.call_id(&"y".repeat(41), 0));
        assert_eq!(name("user"), "user");
        assert_eq!(name(&"u".repeat(65)).len(), 64);
    }
}
