//! Amazon Bedrock: models behind signed requests (or a key of its own), streams in frames. What is asked and
//! answered is `shared::dialect::bedrock_converse`. Facts: service model of Bedrock Runtime as of 2026-11-20.

mod frames;
mod sigv4;
mod unframe;

use std::borrow::Cow;

use async_trait::async_trait;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::request::Builder;
use http::uri::Uri;
use http::{HeaderMap, HeaderValue};
use shared::clock::Clock;
use shared::dialect::Dialect;
use shared::fault::{Fault, FaultKind, Scope};
use shared::link::Operation;
use shared::link::connectors::{AddressRule, ConnectorFacts, SecretRule, Speaks};
use shared::surface::Surface;

use self::sigv4::{AwsHeaders, AwsKey, AwsScope, Unsigned, segment, sign};
use self::unframe::Unframe;
use super::{Asked, Door, opened, secret};
use crate::providers::Route;
use crate::providers::http::Stage;

/// The door.
pub(in crate::providers) struct Bedrock {
    /// Signatures name the time.
    clock: Clock,
}

/// The door, by the system's time.
pub(in crate::providers) static BEDROCK: Bedrock = Bedrock {
    clock: Clock::system(),
};

/// What it is and can.
static FACTS: ConnectorFacts = ConnectorFacts {
    kind: Cow::Borrowed("bedrock"),
    label: Cow::Borrowed("Amazon Bedrock"),
    address: AddressRule::Needed,
    // Tokens of sessions have a kilobyte or more.
    secret: SecretRule::IN_A_HEADER,
    speaks: Cow::Borrowed(&[Speaks::new(Operation::Chat, "bedrock_converse")]),
    media: false,
};

const SERVICE: &str = "bedrock";
const FRAMES: HeaderValue = HeaderValue::from_static("application/vnd.amazon.eventstream");

#[async_trait]
impl Door for &'static Bedrock {
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
        let model = segment(route.model).unwrap_or_default();
        let what = if stream {
            "converse-stream"
        } else {
            "converse"
        };
        Cow::Owned(format!("/model/{model}/{what}"))
    }

    /// Its models are listed at another host; calls that wait for their result are listed here.
    fn models(&self, _: Route<'_>) -> Cow<'static, str> {
        Cow::Borrowed("/async-invoke")
    }

    fn list(&self, _: Route<'_>) -> Option<Cow<'static, str>> {
        None
    }

    fn unframed(&self) -> Option<Box<dyn Stage>> {
        Some(Box::new(Unframe::default()))
    }

    async fn open(
        &self,
        mut request: Builder,
        asked: &Asked<'_>,
        route: Route<'_>,
    ) -> Result<Builder, Fault> {
        if asked.stream
            && let Some(headers) = request.headers_mut()
        {
            headers.insert(ACCEPT, FRAMES);
        }
        let key = route.key.expose();
        // Bedrock's own keys have no colon.
        if !key.contains(':') {
            return opened(request, self.key_header(), route);
        }
        let key = AwsKey::read(key).ok_or_else(|| {
            let why = "the key is neither ACCESS_KEY_ID:SECRET[:SESSION_TOKEN] nor one of Bedrock";
            Fault::new(FaultKind::InvalidKey, why).reaching(Scope::Key)
        })?;
        let signed = self.signed(&request, asked, route, &key)?;
        let request = request
            .header("x-amz-date", signed.date)
            .header("authorization", secret("", &signed.authorization)?);
        Ok(match signed.session_token {
            None => request,
            Some(token) => request.header("x-amz-security-token", secret("", token.expose())?),
        })
    }
}

impl Bedrock {
    fn signed(
        &self,
        request: &Builder,
        asked: &Asked<'_>,
        route: Route<'_>,
        key: &AwsKey,
    ) -> Result<AwsHeaders, Fault> {
        let internal = |why: &str| Fault::new(FaultKind::Internal, why);
        let no_url = "the provider's address is not a URL";
        let uri = request.uri_ref().ok_or_else(|| internal(no_url))?;
        let host = host(uri).ok_or_else(|| internal(no_url))?;
        let told = route.options.region.as_deref();
        let region = told.or_else(|| region(&host)).ok_or_else(|| {
            let why = "the address names no region: name it in the option `region`";
            Fault::new(FaultKind::NotFound, why).reaching(Scope::Provider)
        })?;
        let content_type = request.headers_ref().and_then(content_type);
        let unsigned = Unsigned {
            method: asked.method.as_str(),
            host: &host,
            path: uri.path(),
            content_type,
            body: &asked.body,
        };
        let service = SERVICE;
        let scope = AwsScope { region, service };
        Ok(sign(unsigned, key, scope, self.clock.now()))
    }
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()
}

/// What the request's `host` says: without the port that is usual for the scheme.
fn host(uri: &Uri) -> Option<Cow<'_, str>> {
    let host = uri.host()?;
    let usual = match uri.scheme_str() {
        Some("https") => 443,
        _ => 80,
    };
    Some(match uri.port_u16() {
        Some(port) if port != usual => Cow::Owned(format!("{host}:{port}")),
        _ => Cow::Borrowed(host),
    })
}

/// The region in a host's name, where it stands behind the service: `bedrock-runtime.eu-west-1.…`, also of a
/// private endpoint (`vpce-1.bedrock-runtime.eu-west-1.vpce.…`) and of the one for governments (`-fips`).
fn region(host: &str) -> Option<&str> {
    let mut labels = host.split('.');
    labels.find(|label| matches!(*label, "bedrock-runtime" | "bedrock-runtime-fips"))?;
    labels.next().filter(|label| label.contains('-'))
}

#[cfg(test)]
mod tests;
