//! Google's Gemini API. Facts: ai.google.dev, API reference as of 2026-11.

use std::borrow::Cow;

use async_trait::async_trait;
use http::HeaderName;
use http::request::Builder;
use shared::dialect::Dialect;
use shared::fault::Fault;
use shared::link::Operation;
use shared::link::connectors::{AddressRule, ConnectorFacts, SecretRule, Speaks};
use shared::surface::Surface;

use super::{Asked, Door, secret};
use crate::providers::Route;

/// The door.
pub(in crate::providers) struct Gemini;

/// What it is and can.
static FACTS: ConnectorFacts = ConnectorFacts {
    kind: Cow::Borrowed("gemini"),
    label: Cow::Borrowed("Gemini API"),
    address: AddressRule::Needed,
    secret: SecretRule::IN_A_HEADER,
    speaks: Cow::Borrowed(&[Speaks::new(Operation::Chat, "gemini")]),
    media: false,
};

const KEY: HeaderName = HeaderName::from_static("x-goog-api-key");

#[async_trait]
impl Door for Gemini {
    fn facts(&self) -> &'static ConnectorFacts {
        &FACTS
    }

    fn path<'a>(
        &self,
        _: &'static Surface,
        _: &'static dyn Dialect,
        route: Route<'a>,
        stream: bool,
    ) -> Cow<'a, str> {
        generate(route.model, stream)
    }

    async fn open(
        &self,
        request: Builder,
        _: &Asked<'_>,
        route: Route<'_>,
    ) -> Result<Builder, Fault> {
        Ok(request.header(KEY, secret("", route.key.expose())?))
    }
}

/// Where `model` generates, below the version. Names of models are words of URLs; tuned ones have their
/// own collection.
pub(super) fn generate<'a>(model: &str, stream: bool) -> Cow<'a, str> {
    let collection = if model.contains('/') { "" } else { "models/" };
    let what = if stream {
        "streamGenerateContent?alt=sse"
    } else {
        "generateContent"
    };
    Cow::Owned(format!("/{collection}{}:{what}", encoded(model)))
}

/// As a part of a path; a slash stays one.
pub(super) fn encoded(model: &str) -> String {
    let mut out = String::with_capacity(model.len());
    for byte in model.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
