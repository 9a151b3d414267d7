//! What each vendor has of its own: which dialects it speaks, where each is asked, which header opens it.
//! Most are a row of [`plain`]; a vendor that wants more than a key in a header has a file.

mod azure;
mod bedrock;
mod dashscope;
mod paths;
mod plain;
mod vertex;

pub(in crate::providers) use self::azure::Azure;
pub(in crate::providers) use self::bedrock::BEDROCK;
pub(in crate::providers) use self::dashscope::DashScope;
pub(in crate::providers) use self::plain::{
    ANTHROPIC, COHERE, CUSTOM, GEMINI, IDEOGRAM, JINA, OPENAI, STABILITY, VOYAGE,
};
pub(in crate::providers) use self::vertex::VERTEX;

use std::borrow::Cow;

use async_trait::async_trait;
use bytes::Bytes;
use http::request::Builder;
use http::{HeaderValue, Method};
use shared::dialect::{self, BadBody, Dialect};
use shared::fault::{Fault, FaultKind};
use shared::link::connectors::{ConnectorFacts, Speaks};
use shared::surface::Surface;

use crate::providers::Route;
use crate::providers::http::Stage;

/// What is asked of a vendor.
#[derive(Debug, Clone)]
pub(in crate::providers) struct Asked<'a> {
    pub(super) method: Method,
    /// Below the provider's address, with its query.
    pub(super) path: Cow<'a, str>,
    /// Whether events are to come.
    pub(super) stream: bool,
    pub(super) body: Bytes,
    /// What the body is.
    pub(super) content_type: &'a str,
    /// In which it is said.
    pub(super) dialect: Option<&'static dyn Dialect>,
    /// Headers that the tenant's request had and its dialect knows, where the vendor speaks that.
    pub(super) headers: &'a [(String, String)],
}

/// A request in the words of a dialect, before a door makes it fit.
#[derive(Debug, Clone, Copy)]
pub(in crate::providers) struct Worded<'a> {
    /// In which.
    pub(super) dialect: &'static dyn Dialect,
    /// The model's name at the vendor.
    pub(super) model: &'a str,
    /// Headers that the tenant's request had and its dialect knows, where the vendor speaks that.
    pub(super) headers: &'a [(String, String)],
    /// The body.
    pub(super) body: &'a Bytes,
}

/// A body that a door takes.
#[derive(Debug)]
pub(in crate::providers) struct Fitted {
    pub(super) body: Bytes,
    /// What it does not say any more.
    pub(super) dropped: Vec<String>,
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

    /// Whether it asks `model` in the dialect of that name, where its kind speaks that at all.
    fn is_asked_in(&self, _dialect: &str, _model: &str) -> bool {
        true
    }

    /// Whether what a dialect tells in headers is told in headers here.
    fn has_headers(&self) -> bool {
        true
    }

    /// The body as it is taken here; `Err` where it would mean something else.
    fn fitted(&self, worded: Worded<'_>) -> Result<Fitted, BadBody> {
        Ok(Fitted {
            body: worded.body.clone(),
            dropped: Vec::new(),
        })
    }

    /// The address that its paths stand below.
    fn base<'a>(&self, route: Route<'a>) -> &'a str {
        route.base_url
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

    /// Where its whole list of models begins; `None` where what [`Door::models`] asks for is none.
    fn list(&self, route: Route<'_>) -> Option<Cow<'static, str>> {
        Some(self.models(route))
    }

    /// Makes events of a stream that comes in another form; `None` where it comes as events.
    fn unframed(&self) -> Option<Box<dyn Stage>> {
        None
    }

    /// A request was answered with 401: what was made of the route's key is not taken any more.
    fn refused(&self, _: Route<'_>) {}

    /// Opens a request with the route's key.
    async fn open(
        &self,
        request: Builder,
        _: &Asked<'_>,
        route: Route<'_>,
    ) -> Result<Builder, Fault> {
        opened(request, self.key_header(), route)
    }
}

/// Opened by the key itself, in the header that the route's options name, else in `usual`.
fn opened(
    request: Builder,
    usual: (&'static str, &'static str),
    route: Route<'_>,
) -> Result<Builder, Fault> {
    let (name, prefix) = match &route.options.key_header {
        Some(own) => (own.name.as_str(), own.prefix.as_str()),
        None => usual,
    };
    Ok(request.header(name, secret(prefix, route.key.expose())?))
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
        one.operation == surface.operation
            && is_spoken
            && door.is_asked_in(&one.dialect, route.model)
    };
    let able = || door.facts().speaks.iter().filter(is_able);
    // What nobody translates goes out as it came, to whoever an operator says does it.
    let is_alone = !surface.dialect.is_translated() && able().next().is_some();
    if is_alone || able().any(|one| one.dialect == own) {
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
