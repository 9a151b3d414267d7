//! What is known of a provider's models beyond their dialect: which fields that we add they refuse, and
//! which maximum they obey. Some of it is written here, the rest is learned from their refusals.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use shared::dialect::{EndUserField, Maximum, Quirks};

/// More models than a provider has; what is beyond is learned again with each call.
const MODELS_MAX: usize = 256;

/// Host, beginning of the model's name, quirks; the first that matches counts.
const KNOWN: &[(&str, &str, Quirks)] = &[
    // Reasoning models refuse `max_tokens` (OpenAI, chat reference).
    ("api.openai.com", "o1", COMPLETION),
    ("api.openai.com", "o3", COMPLETION),
    ("api.openai.com", "o4", COMPLETION),
    ("api.openai.com", "gpt-5", COMPLETION),
    ("api.openai.com", "gpt-image", OPENAI_PICTURES),
    ("api.openai.com", "chatgpt-image", OPENAI_PICTURES),
    // Takes `user` still, and asks for the newer field (OpenAI, chat reference 2026-11).
    ("api.openai.com", "", OPENAI),
    // Not in its schema, and unknown fields are refused (Mistral, API reference).
    (
        "api.mistral.ai",
        "",
        Quirks {
            no_usage_option: true,
            maximum: Maximum::MaxTokens,
            end_user: EndUserField::Nowhere,
            no_response_format: false,
        },
    ),
    // `user_id` instead of `user` (DeepSeek, API reference 2026-11).
    (
        "api.deepseek.com",
        "",
        Quirks {
            no_usage_option: false,
            maximum: Maximum::AsAsked,
            end_user: EndUserField::UserId,
            no_response_format: false,
        },
    ),
];

const OPENAI: Quirks = Quirks {
    no_usage_option: false,
    maximum: Maximum::AsAsked,
    end_user: EndUserField::SafetyIdentifier,
    no_response_format: false,
};

/// Always give bytes, and refuse to be told so (OpenAI, images reference 2026-11).
const OPENAI_PICTURES: Quirks = Quirks {
    no_response_format: true,
    ..OPENAI
};

const COMPLETION: Quirks = Quirks {
    no_usage_option: false,
    maximum: Maximum::MaxCompletionTokens,
    end_user: EndUserField::SafetyIdentifier,
    no_response_format: false,
};

/// What one provider taught.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    /// Whether there is anything at all: most providers have no quirk.
    any: AtomicBool,
    models: Mutex<HashMap<String, Quirks>>,
}

impl Learned {
    /// The quirks of `model` at the provider of that address.
    pub(crate) fn quirks(&self, base_url: &str, model: &str) -> Quirks {
        if self.any.load(Ordering::Acquire) {
            let models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(quirks) = models.get(model) {
                return *quirks;
            }
        }
        let known = KNOWN
            .iter()
            .find(|(host, begins, _)| model.starts_with(begins) && base_url.contains(host));
        known.map(|(_, _, quirks)| *quirks).unwrap_or_default()
    }

    /// Remembers that `model` works with `quirks`.
    pub(crate) fn learn(&self, model: &str, quirks: Quirks) {
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        if models.len() < MODELS_MAX || models.contains_key(model) {
            models.insert(model.to_owned(), quirks);
            self.any.store(true, Ordering::Release);
        }
    }

    /// `model` wrote more than it was asked for: it does not know the newer field, which servers that
    /// pass over unknown ones ignore. One that refuses the older one is learned again by its refusal.
    pub(crate) fn ignored(&self, base_url: &str, model: &str) {
        let mut quirks = self.quirks(base_url, model);
        if quirks.maximum == Maximum::AsAsked {
            quirks.maximum = Maximum::MaxTokens;
            self.learn(model, quirks);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_learned_wins_over_what_is_known_and_is_bounded() {
        let learned = Learned::default();
        let of = |url, model| learned.quirks(url, model);
        assert_eq!(of("https://api.openai.com/v1", "gpt-5-mini"), COMPLETION);
        assert_eq!(of("https://api.openai.com/v1", "gpt-4o"), OPENAI);
        assert_eq!(
            of("https://api.groq.com/openai/v1", "any"),
            Quirks::default()
        );
        for (url, field) in [
            ("https://api.mistral.ai/v1", EndUserField::Nowhere),
            ("https://api.deepseek.com/v1", EndUserField::UserId),
            ("https://api.openai.com/v1", EndUserField::SafetyIdentifier),
            ("http://127.0.0.1:8000/v1", EndUserField::OfDialect),
        ] {
            assert_eq!(of(url, "any").end_user, field, "{url}");
        }
        assert!(of("https://api.mistral.ai/v1", "any").no_usage_option);
        learned.learn("gpt-5-mini", Quirks::default());
        assert_eq!(
            of("https://api.openai.com/v1", "gpt-5-mini"),
            Quirks::default()
        );
        for n in 0..2 * MODELS_MAX {
            learned.learn(&format!("m{n}"), COMPLETION);
        }
        let models = learned.models.lock().expect("no panic").len();
        assert_eq!(models, MODELS_MAX);
    }

    #[test]
    fn a_maximum_that_was_ignored_goes_into_the_older_field() {
        let learned = Learned::default();
        learned.ignored("http://x", "m");
        assert_eq!(learned.quirks("http://x", "m").maximum, Maximum::MaxTokens);
        learned.ignored("https://api.openai.com/v1", "o1");
        let known = learned.quirks("https://api.openai.com/v1", "o1");
        assert_eq!(known, COMPLETION, "what is known stays");
    }
}
