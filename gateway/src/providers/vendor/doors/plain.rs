//! Vendors that a key in a header opens: a row of data each.

use std::borrow::Cow;

use shared::link::Operation;
use shared::link::connectors::{AddressRule, ConnectorFacts, SecretRule, Speaks};

use super::Door;

/// A vendor without more of its own than this.
pub(in crate::providers) struct Plain {
    facts: ConnectorFacts,
    key_header: (&'static str, &'static str),
}

impl Door for &'static Plain {
    fn facts(&self) -> &'static ConnectorFacts {
        &self.facts
    }

    fn key_header(&self) -> (&'static str, &'static str) {
        self.key_header
    }
}

const fn vendor(
    kind: &'static str,
    label: &'static str,
    key_header: (&'static str, &'static str),
    speaks: &'static [Speaks],
) -> Plain {
    Plain {
        facts: ConnectorFacts {
            kind: Cow::Borrowed(kind),
            label: Cow::Borrowed(label),
            address: AddressRule::Needed,
            secret: SecretRule::IN_A_HEADER,
            speaks: Cow::Borrowed(speaks),
            media: false,
        },
        key_header,
    }
}

const BEARER: (&str, &str) = ("authorization", "Bearer ");

static OPENAI_SPEAKS: [Speaks; 12] = [
    Speaks::new(Operation::Chat, "openai_chat"),
    Speaks::seldom(Operation::Chat, "openai_responses"),
    Speaks::new(Operation::Embedding, "openai_embeddings"),
    Speaks::new(Operation::Image, "openai_images"),
    Speaks::seldom(Operation::Image, "openai_chat"),
    Speaks::seldom(Operation::Image, "ark_images"),
    Speaks::seldom(Operation::Image, "minimax_images"),
    Speaks::seldom(Operation::Image, "recraft_images"),
    Speaks::seldom(Operation::Image, "xai_images"),
    Speaks::new(Operation::Completion, "openai_completions"),
    Speaks::new(Operation::Moderation, "openai_moderations"),
    Speaks::new(Operation::Rerank, "jina_rerank"),
];

/// OpenAI, and everybody who is compatible with it. Not all of them know Responses; those that rank
/// documents, as vLLM and SiliconFlow, do it as Jina does.
pub(in crate::providers) static OPENAI: Plain = vendor(
    "openai",
    "OpenAI and what speaks like it",
    BEARER,
    &OPENAI_SPEAKS,
);

static ANTHROPIC_SPEAKS: [Speaks; 1] = [Speaks::new(Operation::Chat, "anthropic_messages")];

/// Anthropic, and those who are compatible with its Messages.
pub(in crate::providers) static ANTHROPIC: Plain = vendor(
    "anthropic",
    "Anthropic and what speaks like it",
    ("x-api-key", ""),
    &ANTHROPIC_SPEAKS,
);

static GEMINI_SPEAKS: [Speaks; 3] = [
    Speaks::new(Operation::Chat, "gemini"),
    Speaks::new(Operation::Image, "gemini"),
    Speaks::new(Operation::Embedding, "gemini_embeddings"),
];

/// Google's Gemini API.
pub(in crate::providers) static GEMINI: Plain = vendor(
    "gemini",
    "Gemini API",
    ("x-goog-api-key", ""),
    &GEMINI_SPEAKS,
);

static COHERE_SPEAKS: [Speaks; 3] = [
    Speaks::new(Operation::Chat, "cohere_chat"),
    Speaks::new(Operation::Embedding, "cohere_embeddings"),
    Speaks::new(Operation::Rerank, "cohere_rerank"),
];

/// Cohere's own interface.
pub(in crate::providers) static COHERE: Plain = vendor("cohere", "Cohere", BEARER, &COHERE_SPEAKS);

static JINA_SPEAKS: [Speaks; 2] = [
    Speaks::new(Operation::Embedding, "jina_embeddings"),
    Speaks::new(Operation::Rerank, "jina_rerank"),
];

/// Jina's models of vectors and rankings.
pub(in crate::providers) static JINA: Plain = vendor("jina", "Jina", BEARER, &JINA_SPEAKS);

static VOYAGE_SPEAKS: [Speaks; 2] = [
    Speaks::new(Operation::Embedding, "voyage_embeddings"),
    Speaks::new(Operation::Rerank, "voyage_rerank"),
];

/// Voyage's, likewise.
pub(in crate::providers) static VOYAGE: Plain = vendor("voyage", "Voyage", BEARER, &VOYAGE_SPEAKS);

static IDEOGRAM_SPEAKS: [Speaks; 1] = [Speaks::new(Operation::Image, "ideogram_images")];

/// Ideogram.
pub(in crate::providers) static IDEOGRAM: Plain =
    vendor("ideogram", "Ideogram", ("api-key", ""), &IDEOGRAM_SPEAKS);

static STABILITY_SPEAKS: [Speaks; 1] = [Speaks::new(Operation::Image, "stability_images")];

/// Stability.
pub(in crate::providers) static STABILITY: Plain =
    vendor("stability", "Stability AI", BEARER, &STABILITY_SPEAKS);

static CUSTOM_SPEAKS: [Speaks; 16] = [
    Speaks::new(Operation::Chat, "openai_chat"),
    Speaks::seldom(Operation::Chat, "openai_responses"),
    Speaks::seldom(Operation::Chat, "anthropic_messages"),
    Speaks::seldom(Operation::Chat, "gemini"),
    Speaks::seldom(Operation::Chat, "cohere_chat"),
    Speaks::new(Operation::Embedding, "openai_embeddings"),
    Speaks::seldom(Operation::Embedding, "gemini_embeddings"),
    Speaks::seldom(Operation::Embedding, "cohere_embeddings"),
    Speaks::seldom(Operation::Embedding, "jina_embeddings"),
    Speaks::seldom(Operation::Embedding, "voyage_embeddings"),
    Speaks::new(Operation::Image, "openai_images"),
    Speaks::new(Operation::Completion, "openai_completions"),
    Speaks::new(Operation::Moderation, "openai_moderations"),
    Speaks::new(Operation::Rerank, "jina_rerank"),
    Speaks::seldom(Operation::Rerank, "cohere_rerank"),
    Speaks::seldom(Operation::Rerank, "voyage_rerank"),
];

/// Any address that speaks some of these, as its options say.
pub(in crate::providers) static CUSTOM: Plain =
    vendor("custom", "Any other, set by hand", BEARER, &CUSTOM_SPEAKS);
