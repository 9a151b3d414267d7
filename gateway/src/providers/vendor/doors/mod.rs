//! What each vendor has of its own: where it is asked, how a key opens it, what it speaks. One file a
//! vendor's door; the row that names it stands in the list of connectors.

mod anthropic;
mod gemini;
mod openai;

pub(in crate::providers) use self::anthropic::Anthropic;
pub(in crate::providers) use self::gemini::Gemini;
pub(in crate::providers) use self::openai::OpenAi;

use std::borrow::Cow;

use async_trait::async_trait;
use bytes::Bytes;
use http::request::Builder;
use http::{HeaderName, HeaderValue, Method};
use shared::dialect::{self, Dialect};
use shared::fault::{Fault, FaultKind};
use shared::link::connectors::ConnectorFacts;
use shared::surface::Surface;

use crate::providers::Route;

/// What is asked of a vendor.
#[derive(Debug, Clone)]
pub(in crate::providers) struct Asked<'a> {
    pub(super) method: Method,
    /// Below the provider's address, with its query.
    pub(super) path: Cow<'a, str>,
    /// Whether events are to come.
    pub(super) stream: bool,
    pub(super) body: Bytes,
    /// Headers that the tenant's request had and its dialect knows, where the vendor speaks that.
    pub(super) headers: &'a [(String, String)],
}

/// A vendor's door.
#[async_trait]
pub(in crate::providers) trait Door: Send + Sync + 'static {
    /// What it is and can.
    fn facts(&self) -> &'static ConnectorFacts;

    /// The dialect in which calls of `surface` are asked there: their own where the vendor speaks it, else
    /// the first that it speaks for what they do; `None` where it does not do that.
    fn dialect(
        &self,
        surface: &'static Surface,
        _route: Route<'_>,
    ) -> Option<&'static dyn Dialect> {
        let speaks = &self.facts().speaks;
        let mut able = speaks
            .iter()
            .filter(|one| one.operation == surface.operation);
        let own = surface.dialect.name();
        if able.clone().any(|one| one.dialect == own) {
            return Some(surface.dialect);
        }
        able.find_map(|one| dialect::named(&one.dialect))
    }

    /// Where a call of `surface` is asked in `dialect`, below the address.
    fn path<'a>(
        &self,
        surface: &'static Surface,
        dialect: &'static dyn Dialect,
        route: Route<'a>,
        stream: bool,
    ) -> Cow<'a, str>;

    /// Opens a request with the key, and says what else the vendor wants to be told in headers.
    async fn open(
        &self,
        request: Builder,
        asked: &Asked<'_>,
        route: Route<'_>,
    ) -> Result<Builder, Fault>;

    /// Where it lists its models, which costs nothing and tells whether a key is good.
    fn models(&self) -> Cow<'static, str> {
        Cow::Borrowed("/models")
    }
}

/// A header that holds a secret, `prefix` before it.
fn secret(prefix: &str, key: &str) -> Result<HeaderValue, Fault> {
    let mut value = HeaderValue::try_from(format!("{prefix}{key}"))
        .map_err(|_| Fault::new(FaultKind::Internal, "the key is not a header value"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The tenant's own value of a header, or `usual`.
fn told(asked: &Asked<'_>, name: &HeaderName, usual: &'static str) -> HeaderValue {
    let own = asked
        .headers
        .iter()
        .find(|(known, _)| known == name.as_str());
    let own = own.and_then(|(_, value)| HeaderValue::try_from(value).ok());
    own.unwrap_or(HeaderValue::from_static(usual))
}
