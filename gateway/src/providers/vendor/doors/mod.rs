//! What each vendor has of its own: which dialects it speaks, where each is asked, which header opens it.
//! Most are a row of [`plain`]; a vendor that wants more than a key in a header has a file.

mod azure;
mod paths;
mod plain;

pub(in crate::providers) use self::azure::Azure;
pub(in crate::providers) use self::plain::{ANTHROPIC, COHERE, CUSTOM, GEMINI, OPENAI};

use std::borrow::Cow;

use async_trait::async_trait;
use bytes::Bytes;
use http::request::Builder;
use http::{HeaderValue, Method};
use shared::dialect::{self, Dialect};
use shared::fault::{Fault, FaultKind};
use shared::link::connectors::{ConnectorFacts, Speaks};
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
    /// In which it is said.
    pub(super) dialect: Option<&'static dyn Dialect>,
    /// Headers that the tenant's request had and its dialect knows, where the vendor speaks that.
    pub(super) headers: &'a [(String, String)],
}

/// A vendor's door.
#[async_trait]
pub(in crate::providers) trait Door: Send + Sync + 'static {
    /// What it is and can.
    fn facts(&self) -> &'static ConnectorFacts;

    /// The header that holds a key, and what stands before it.
    fn key_header(&self) -> (&'static str, &'static str) {
        ("authorization", "Bearer ")
    }

    /// Where a call of `surface` is asked in `dialect`, below the address.
    fn path<'a>(
        &self,
        surface: &'static Surface,
        dialect: &'static dyn Dialect,
        route: Route<'a>,
        stream: bool,
    ) -> Cow<'a, str> {
        paths::path(surface, dialect, route.model, stream)
    }

    /// Where it lists its models, which costs nothing and tells whether a key is good.
    fn models(&self, _: Route<'_>) -> Cow<'static, str> {
        Cow::Borrowed("/models")
    }

    /// Opens a request with the route's key.
    async fn open(
        &self,
        request: Builder,
        _: &Asked<'_>,
        route: Route<'_>,
    ) -> Result<Builder, Fault> {
        let (name, prefix) = match &route.options.key_header {
            Some(own) => (own.name.as_str(), own.prefix.as_str()),
            None => self.key_header(),
        };
        Ok(request.header(name, secret(prefix, route.key.expose())?))
    }
}

/// The dialect in which calls of `surface` are asked at a vendor: their own where it speaks it, else the
/// first that it speaks for what they do; `None` where it does not do that.
pub(super) fn dialect(
    door: &impl Door,
    surface: &'static Surface,
    route: Route<'_>,
) -> Option<&'static dyn Dialect> {
    let own = surface.dialect.name();
    let chosen = &route.options.dialects;
    let is_able = |one: &&Speaks| {
        let is_spoken = if chosen.is_empty() {
            one.is_usual
        } else {
            chosen.iter().any(|name| *name == one.dialect)
        };
        one.operation == surface.operation && is_spoken
    };
    let able = || door.facts().speaks.iter().filter(is_able);
    if able().any(|one| one.dialect == own) {
        return Some(surface.dialect);
    }
    let place = |one: &&Speaks| chosen.iter().position(|name| *name == one.dialect);
    dialect::named(&able().min_by_key(place)?.dialect)
}

/// A header that holds a secret, `prefix` before it.
fn secret(prefix: &str, key: &str) -> Result<HeaderValue, Fault> {
    let mut value = HeaderValue::try_from(format!("{prefix}{key}"))
        .map_err(|_| Fault::new(FaultKind::Internal, "the key is not a header value"))?;
    value.set_sensitive(true);
    Ok(value)
}
