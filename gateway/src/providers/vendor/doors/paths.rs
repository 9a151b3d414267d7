//! Where each dialect is asked, below an address that ends with the version. Facts: the API references of
//! OpenAI, Anthropic, Google (ai.google.dev), Cohere, Jina and Voyage as of 2026-11.

use std::borrow::Cow;

use shared::dialect::Dialect;
use shared::dialect::vendor_embeddings::{COHERE_EMBEDDINGS, JINA_EMBEDDINGS, VOYAGE_EMBEDDINGS};
use shared::surface::{Surface, TenantPath};

/// Of a call of `surface`, asked in `dialect` of `model`.
pub(super) fn path<'a>(
    surface: &'static Surface,
    dialect: &'static dyn Dialect,
    model: &str,
    stream: bool,
) -> Cow<'a, str> {
    match dialect.name() {
        "gemini" => generate(model, stream),
        "gemini_embeddings" => asked_of(model, embedding_verb(surface)),
        "anthropic_messages" => Cow::Borrowed("/messages"),
        "openai_chat" => Cow::Borrowed("/chat/completions"),
        "openai_embeddings" => Cow::Borrowed("/embeddings"),
        "openai_responses" => Cow::Borrowed("/responses"),
        "cohere_chat" => Cow::Borrowed("/chat"),
        "cohere_embeddings" => Cow::Borrowed(COHERE_EMBEDDINGS.path(model)),
        "jina_embeddings" => Cow::Borrowed(JINA_EMBEDDINGS.path(model)),
        "voyage_embeddings" => Cow::Borrowed(VOYAGE_EMBEDDINGS.path(model)),
        "cohere_rerank" | "jina_rerank" | "voyage_rerank" => Cow::Borrowed("/rerank"),
        // One surface speaks it, and has its path.
        _ => Cow::Borrowed(surface.path),
    }
}

/// Where `model` generates.
fn generate<'a>(model: &str, stream: bool) -> Cow<'a, str> {
    let what = if stream {
        "streamGenerateContent?alt=sse"
    } else {
        "generateContent"
    };
    asked_of(model, what)
}

/// Where Google is asked something of `model`. Tuned models have a collection of their own in their names.
fn asked_of<'a>(model: &str, what: &str) -> Cow<'a, str> {
    let collection = if model.contains('/') { "" } else { "models/" };
    Cow::Owned(format!("/{collection}{}:{what}", encoded(model, b"/@")))
}

/// What Google is asked for vectors with: the surface's own word, and what is translated goes in batches.
pub(super) fn embedding_verb(surface: &Surface) -> &'static str {
    match surface.at {
        TenantPath::Model {
            verbs: [verb, ..], ..
        } => verb.word,
        TenantPath::Model { .. } | TenantPath::Plain | TenantPath::Versioned(_) => {
            "batchEmbedContents"
        }
    }
}

/// As a part of a path (RFC 3986, 3.3); these bytes stay as they are, too.
pub(super) fn encoded(model: &str, stay: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(model.len());
    for byte in model.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || stay.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use shared::dialect::named;

    use super::*;

    #[test]
    fn names_of_models_are_parts_of_a_path_whatever_is_in_them() {
        for (model, stream, expected) in [
            (
                "gemini-3.8-flash",
                false,
                "/models/gemini-3.8-flash:generateContent",
            ),
            (
                "gemini-3.8-flash",
                true,
                "/models/gemini-3.8-flash:streamGenerateContent?alt=sse",
            ),
            (
                "tunedModels/a b",
                false,
                "/tunedModels/a%20b:generateContent",
            ),
            ("x?key=1#", false, "/models/x%3Fkey%3D1%23:generateContent"),
        ] {
            assert_eq!(generate(model, stream), expected);
        }
        assert_eq!(encoded("a:b/c", b""), "a%3Ab%2Fc");
    }

    #[test]
    fn every_surface_has_its_own_path_in_its_own_dialect() {
        for surface in shared::surface::SURFACES {
            let dialect = named(surface.dialect.name()).expect("in the list of dialects");
            let found = path(surface, dialect, "m", false);
            assert!(found.starts_with('/'), "{found}");
            if dialect.name().starts_with("openai") {
                assert_eq!(found, surface.path);
            }
        }
    }
}
