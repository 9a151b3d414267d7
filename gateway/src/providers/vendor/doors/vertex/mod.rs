//! Google Vertex AI: Google's models in their own format and Anthropic's in theirs, behind tokens that are
//! asked for with the key of a service account. Facts: cloud.google.com, Vertex AI reference and "Claude on
//! Vertex AI", as of 2026-11.

mod claude;
mod gemini;
mod token;
mod tokens;

use std::borrow::Cow;

use async_trait::async_trait;
use http::request::Builder;
use shared::clock::Clock;
use shared::dialect::{BadBody, Dialect};
use shared::fault::Fault;
use shared::link::Operation;
use shared::link::connectors::{AddressRule, ConnectorFacts, SecretRule, Speaks};
use shared::link::rules;
use shared::surface::Surface;

use self::tokens::Tokens;
use super::{Asked, Door, Fitted, Worded, opened, paths, secret};
use crate::providers::Route;

const GEMINI: &str = "gemini";
const ANTHROPIC: &str = "anthropic_messages";
const EMBEDDINGS: &str = "gemini_embeddings";

/// The door.
pub(in crate::providers) struct Vertex {
    /// Claims and tokens name the time.
    clock: Clock,
    tokens: Tokens,
}

/// The door, by the system's time.
pub(in crate::providers) static VERTEX: Vertex = Vertex {
    clock: Clock::system(),
    tokens: Tokens::of(token::is_googles),
};

/// What it is and can.
static FACTS: ConnectorFacts = ConnectorFacts {
    kind: Cow::Borrowed("vertex"),
    label: Cow::Borrowed("Google Vertex AI"),
    address: AddressRule::Needed,
    // The file of a key has about 2,400 characters; its indentation may be anybody's.
    secret: SecretRule {
        is_needed: true,
        chars_max: 8_192,
        is_json: true,
    },
    speaks: Cow::Borrowed(&[
        Speaks::new(Operation::Chat, GEMINI),
        Speaks::new(Operation::Chat, ANTHROPIC),
        Speaks::new(Operation::Embedding, EMBEDDINGS),
        Speaks::new(Operation::Image, GEMINI),
    ]),
    media: false,
};

/// Whether a model is one of Anthropic's.
fn is_claude(model: &str) -> bool {
    model.starts_with("claude")
}

/// Google's older models of vectors, which answer to `:predict` alone, in a format of its own.
const PREDICTING: [&str; 3] = ["text-", "textembedding", "multimodalembedding"];

/// Whether a model is asked for vectors as at the Gemini API.
fn embeds(model: &str) -> bool {
    !is_claude(model) && !PREDICTING.iter().any(|name| model.starts_with(name))
}

#[async_trait]
impl Door for &'static Vertex {
    fn facts(&self) -> &'static ConnectorFacts {
        &FACTS
    }

    fn is_asked_in(&self, dialect: &str, model: &str) -> bool {
        if dialect == EMBEDDINGS {
            return embeds(model);
        }
        (dialect == ANTHROPIC) == is_claude(model)
    }

    fn has_headers(&self) -> bool {
        false
    }

    fn fitted(&self, worded: Worded<'_>) -> Result<Fitted, BadBody> {
        match worded.dialect.name() {
            ANTHROPIC => claude::fitted(worded),
            EMBEDDINGS => gemini::fitted_embeddings(worded),
            _ => gemini::fitted(worded),
        }
    }

    fn path<'a>(
        &self,
        surface: &'static Surface,
        dialect: &'static dyn Dialect,
        route: Route<'a>,
        stream: bool,
    ) -> Cow<'a, str> {
        let model = route.model;
        let (publisher, what) = match (is_claude(model), stream) {
            _ if dialect.name() == EMBEDDINGS => ("google", paths::embedding_verb(surface)),
            (true, true) => ("anthropic", "streamRawPredict"),
            (true, false) => ("anthropic", "rawPredict"),
            (false, true) => ("google", "streamGenerateContent?alt=sse"),
            (false, false) => ("google", "generateContent"),
        };
        // Tuned models are asked at endpoints of their own.
        if let Some(endpoint) = model.strip_prefix("endpoints/") {
            let endpoint = paths::encoded(endpoint, b"");
            return Cow::Owned(format!("/endpoints/{endpoint}:{what}"));
        }
        let model = paths::encoded(model, b"@");
        Cow::Owned(format!("/publishers/{publisher}/models/{model}:{what}"))
    }

    /// Models of the project's own; there may be none.
    fn models(&self, _: Route<'_>) -> Cow<'static, str> {
        Cow::Borrowed("/models?pageSize=1")
    }

    /// It lists what a customer put there, and not what Google offers.
    fn list(&self, _: Route<'_>) -> Option<Cow<'static, str>> {
        None
    }

    fn refused(&self, route: Route<'_>) {
        self.tokens.forget(route.key.expose());
    }

    async fn open(
        &self,
        request: Builder,
        _: &Asked<'_>,
        route: Route<'_>,
    ) -> Result<Builder, Fault> {
        let key = route.key.expose();
        if !rules::is_file(key) {
            return opened(request, self.key_header(), route);
        }
        let token = self.tokens.token(key, &self.clock).await?;
        Ok(request.header("authorization", secret("Bearer ", token.expose())?))
    }
}

#[cfg(test)]
mod tests;
