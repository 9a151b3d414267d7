//! OpenAI, and everybody who is compatible with it. Facts: OpenAI API reference and error guide as of
//! 2026-08.

use std::borrow::Cow;

use async_trait::async_trait;
use http::header::AUTHORIZATION;
use http::request::Builder;
use shared::dialect::Dialect;
use shared::fault::Fault;
use shared::link::Operation;
use shared::link::connectors::{AddressRule, ConnectorFacts, SecretRule, Speaks};
use shared::surface::Surface;

use super::{Asked, Door, secret};
use crate::providers::Route;

/// The door.
pub(in crate::providers) struct OpenAi;

/// What it is and can.
static FACTS: ConnectorFacts = ConnectorFacts {
    kind: Cow::Borrowed("openai"),
    label: Cow::Borrowed("OpenAI and what speaks like it"),
    address: AddressRule::Needed,
    secret: SecretRule::IN_A_HEADER,
    speaks: Cow::Borrowed(&[
        Speaks::new(Operation::Chat, "openai_chat"),
        Speaks::new(Operation::Embedding, "openai_embeddings"),
        Speaks::new(Operation::Image, "openai_images"),
        Speaks::new(Operation::Completion, "openai_completions"),
        Speaks::new(Operation::Moderation, "openai_moderations"),
    ]),
    media: false,
};

#[async_trait]
impl Door for OpenAi {
    fn facts(&self) -> &'static ConnectorFacts {
        &FACTS
    }

    fn path<'a>(
        &self,
        surface: &'static Surface,
        dialect: &'static dyn Dialect,
        _: Route<'a>,
        _: bool,
    ) -> Cow<'a, str> {
        path(surface, dialect)
    }

    async fn open(
        &self,
        request: Builder,
        _: &Asked<'_>,
        route: Route<'_>,
    ) -> Result<Builder, Fault> {
        Ok(request.header(AUTHORIZATION, secret("Bearer ", route.key.expose())?))
    }
}

/// The path of the surface where it speaks the dialect, else of the first one that does.
pub(super) fn path<'a>(surface: &'static Surface, dialect: &'static dyn Dialect) -> Cow<'a, str> {
    if surface.dialect.name() == dialect.name() {
        return Cow::Borrowed(surface.path);
    }
    Cow::Borrowed(Surface::of_dialect(dialect).map_or(surface.path, |found| found.path))
}
