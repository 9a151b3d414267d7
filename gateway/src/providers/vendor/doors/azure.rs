//! Azure OpenAI. Its newer form is OpenAI's below `/openai/v1`; the dated one names the deployment in the
//! path and the version in the query. Facts: learn.microsoft.com, Azure OpenAI reference as of 2026-11.

use std::borrow::Cow;

use shared::dialect::Dialect;
use shared::link::Operation;
use shared::link::connectors::{AddressRule, ConnectorFacts, SecretRule, Speaks};
use shared::surface::Surface;

use super::{Door, paths};
use crate::providers::Route;

/// The door.
pub(in crate::providers) struct Azure;

/// What it is and can.
static FACTS: ConnectorFacts = ConnectorFacts {
    kind: Cow::Borrowed("azure"),
    label: Cow::Borrowed("Azure OpenAI"),
    address: AddressRule::Needed,
    secret: SecretRule::IN_A_HEADER,
    speaks: Cow::Borrowed(&[
        Speaks::new(Operation::Chat, "openai_chat"),
        Speaks::seldom(Operation::Chat, "openai_responses"),
        Speaks::new(Operation::Embedding, "openai_embeddings"),
        Speaks::new(Operation::Image, "openai_images"),
        Speaks::new(Operation::Completion, "openai_completions"),
    ]),
    media: false,
};

impl Door for Azure {
    fn facts(&self) -> &'static ConnectorFacts {
        &FACTS
    }

    fn key_header(&self) -> (&'static str, &'static str) {
        ("api-key", "")
    }

    fn path<'a>(
        &self,
        surface: &'static Surface,
        dialect: &'static dyn Dialect,
        route: Route<'a>,
        stream: bool,
    ) -> Cow<'a, str> {
        let path = paths::path(surface, dialect, route.model, stream);
        match &route.options.api_version {
            None => path,
            Some(version) => {
                let deployment = paths::encoded(route.model, b"");
                Cow::Owned(format!(
                    "/deployments/{deployment}{path}?api-version={version}"
                ))
            }
        }
    }

    fn models(&self, route: Route<'_>) -> Cow<'static, str> {
        match &route.options.api_version {
            None => Cow::Borrowed("/models"),
            Some(version) => Cow::Owned(format!("/models?api-version={version}")),
        }
    }
}
