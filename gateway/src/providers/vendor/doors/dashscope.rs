//! Alibaba Cloud's DashScope: three interfaces side by side on one host, of which OpenAI's form has the chats
//! and the vectors of texts, and its own the rest; pictures name their path themselves. Facts: Model Studio
//! reference and DashScope SDK 2.0.2 as of 2026-11.

use std::borrow::Cow;

use shared::dialect::Dialect;
use shared::dialect::vendor_embeddings::DASHSCOPE_EMBEDDINGS;
use shared::link::Operation;
use shared::link::connectors::{AddressRule, ConnectorFacts, SecretRule, Speaks};
use shared::surface::Surface;

use super::{Door, paths};
use crate::providers::Route;

/// The door.
pub(in crate::providers) struct DashScope;

/// OpenAI's form.
const COMPATIBLE: &str = "/compatible-mode/v1";
/// Its own.
const NATIVE: &str = "/api/v1";
/// Paths that an address may have been copied with.
const ENDINGS: [&str; 3] = [COMPATIBLE, "/compatible-api/v1", NATIVE];

/// What it is and can.
static FACTS: ConnectorFacts = ConnectorFacts {
    kind: Cow::Borrowed("dashscope"),
    label: Cow::Borrowed("Alibaba Cloud DashScope"),
    address: AddressRule::Needed,
    secret: SecretRule::IN_A_HEADER,
    speaks: Cow::Borrowed(&[
        Speaks::new(Operation::Chat, "openai_chat"),
        Speaks::new(Operation::Embedding, "dashscope_embeddings"),
        Speaks::new(Operation::Image, "dashscope_images"),
        Speaks::new(Operation::Completion, "openai_completions"),
        Speaks::new(Operation::Rerank, "dashscope_rerank"),
    ]),
    media: false,
};

impl Door for DashScope {
    fn facts(&self) -> &'static ConnectorFacts {
        &FACTS
    }

    fn base<'a>(&self, route: Route<'a>) -> &'a str {
        let address = route.base_url;
        let bare = ENDINGS.iter().find_map(|end| address.strip_suffix(end));
        bare.unwrap_or(address)
    }

    fn path<'a>(
        &self,
        surface: &'static Surface,
        dialect: &'static dyn Dialect,
        route: Route<'a>,
        stream: bool,
    ) -> Cow<'a, str> {
        let (interface, path) = match dialect.name() {
            "dashscope_rerank" => (
                NATIVE,
                Cow::Borrowed("/services/rerank/text-rerank/text-rerank"),
            ),
            "dashscope_embeddings" => {
                let is_native = DASHSCOPE_EMBEDDINGS.sees(route.model);
                let interface = if is_native { NATIVE } else { COMPATIBLE };
                let path = DASHSCOPE_EMBEDDINGS.path(route.model);
                (interface, Cow::Borrowed(path))
            }
            _ => (
                COMPATIBLE,
                paths::path(surface, dialect, route.model, stream),
            ),
        };
        Cow::Owned(format!("{interface}{path}"))
    }

    fn models(&self, _: Route<'_>) -> Cow<'static, str> {
        Cow::Owned(format!("{COMPATIBLE}/models"))
    }
}
