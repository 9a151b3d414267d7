//! Anthropic, and those who are compatible with its Messages. Facts: Anthropic, API reference and
//! versioning page as of 2026-11.

use std::borrow::Cow;

use async_trait::async_trait;
use http::HeaderName;
use http::request::Builder;
use shared::dialect::Dialect;
use shared::fault::Fault;
use shared::link::Operation;
use shared::link::connectors::{AddressRule, ConnectorFacts, SecretRule, Speaks};
use shared::surface::Surface;

use super::{Asked, Door, secret, told};
use crate::providers::Route;

/// The door.
pub(in crate::providers) struct Anthropic;

/// What it is and can.
static FACTS: ConnectorFacts = ConnectorFacts {
    kind: Cow::Borrowed("anthropic"),
    label: Cow::Borrowed("Anthropic and what speaks like it"),
    address: AddressRule::Needed,
    secret: SecretRule::IN_A_HEADER,
    speaks: Cow::Borrowed(&[Speaks::new(Operation::Chat, "anthropic_messages")]),
    media: false,
};

const KEY: HeaderName = HeaderName::from_static("x-api-key");
const VERSION: HeaderName = HeaderName::from_static("anthropic-version");
const BETA: HeaderName = HeaderName::from_static("anthropic-beta");
/// Takes what a translated request may say.
const VERSION_USUAL: &str = "2023-06-01";

#[async_trait]
impl Door for Anthropic {
    fn facts(&self) -> &'static ConnectorFacts {
        &FACTS
    }

    fn path<'a>(
        &self,
        _: &'static Surface,
        _: &'static dyn Dialect,
        _: Route<'a>,
        _: bool,
    ) -> Cow<'a, str> {
        Cow::Borrowed("/messages")
    }

    async fn open(
        &self,
        request: Builder,
        asked: &Asked<'_>,
        route: Route<'_>,
    ) -> Result<Builder, Fault> {
        let mut request = request
            .header(KEY, secret("", route.key.expose())?)
            .header(VERSION, told(asked, &VERSION, VERSION_USUAL));
        if let Some((_, flags)) = asked.headers.iter().find(|(name, _)| name == BETA.as_str()) {
            request = request.header(BETA, flags);
        }
        Ok(request)
    }
}
