//! Connectors: one module a provider's dialect, one line in the list below. A connector translates
//! and classifies; it does not retry, choose keys, sleep, count money or know tenants.

pub(crate) mod balance;
mod decode;
pub(crate) mod files;
pub(crate) mod http;
pub(crate) mod learned;
pub(crate) mod limits;
pub(crate) mod presets;
mod sandbox;
mod spoken;
#[cfg(test)]
mod toy;
mod vendor;
mod wait;
mod words;

use std::pin::Pin;
use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;
use shared::clock::Clock;
use shared::dialect::{Dialect, Quirks};
use shared::fault::Fault;
use shared::link::connectors::ConnectorFacts;
use shared::link::models::ProviderModels;
use shared::link::options::ProviderOptions;
use shared::link::{Call, CallerError, KeyTest};
use shared::secret::Secret;

use self::files::Files;
use self::learned::Learned;
use self::limits::{LimitsHeard, ToldLimits};
pub(crate) use self::spoken::Spoken;
pub(crate) use self::vendor::in_stream;
use self::vendor::{Vendor, doors};

/// Where one attempt goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route<'a> {
    /// The provider's address up to and with the version; empty where there is none.
    pub(crate) base_url: &'a str,
    /// How it differs from its kind.
    pub(crate) options: &'a ProviderOptions,
    /// The key.
    pub(crate) key: &'a Secret<String>,
    /// The model's name there.
    pub(crate) model: &'a str,
    /// What the provider taught before.
    pub(crate) learned: &'a Learned,
    /// Sent besides those that the connector needs.
    pub(crate) headers: &'a [(HeaderName, HeaderValue)],
    /// Where what an answer tells of limits is kept; nowhere for questions of operators.
    pub(crate) heard: Option<&'a LimitsHeard>,
    /// Fetches what tenants give by address; nothing does for questions of operators.
    pub(crate) files: Option<&'a Files>,
}

impl Route<'_> {
    /// An answer with these headers came, whatever it was.
    pub(crate) fn hear(&self, headers: &HeaderMap) {
        if let Some(heard) = self.heard {
            heard.hear(ToldLimits::of(headers, Clock::system().now()));
        }
    }

    /// How the model differs from its dialect, as far as it is known.
    pub(crate) fn quirks(&self) -> Quirks {
        let known = self.learned.quirks(self.base_url, self.model);
        self.options.quirks(known)
    }
}

/// Bytes of the call's dialect as they come; an error ends them.
pub(crate) type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, Fault>> + Send>>;

/// A content type, as the tenant is told it.
pub(crate) type ContentType = std::borrow::Cow<'static, str>;

/// What a provider that accepted a call answers.
pub(crate) struct Answer {
    /// Of what.
    pub(crate) content_type: ContentType,
    /// The dialect it is in, where that is not the surface's.
    pub(crate) dialect: Option<&'static dyn Dialect>,
    /// Fields of the request that could not be said there.
    pub(crate) dropped: Vec<String>,
    /// What a translated answer repeats of its request.
    pub(crate) repeated: Bytes,
    /// Of embeddings in another dialect: how many vectors must be there.
    pub(crate) texts: Option<usize>,
    /// The answer.
    pub(crate) body: AnswerBody,
}

/// The bytes of an answer.
pub(crate) enum AnswerBody {
    /// All at once.
    Whole(Bytes),
    /// Piece by piece.
    Stream(ByteStream),
}

impl Answer {
    /// JSON at once.
    pub(crate) fn json(bytes: Bytes) -> Self {
        Self::whole(ContentType::Borrowed("application/json"), bytes)
    }

    /// Of a type of its own, at once.
    pub(crate) fn whole(content_type: ContentType, bytes: Bytes) -> Self {
        Self {
            content_type,
            dialect: None,
            dropped: Vec::new(),
            repeated: Bytes::new(),
            texts: None,
            body: AnswerBody::Whole(bytes),
        }
    }

    /// Server-sent events.
    pub(crate) fn events(bytes: ByteStream) -> Self {
        Self {
            content_type: ContentType::Borrowed("text/event-stream; charset=utf-8"),
            dialect: None,
            dropped: Vec::new(),
            repeated: Bytes::new(),
            texts: None,
            body: AnswerBody::Stream(bytes),
        }
    }

    /// The same, of a call that went out as `spoken`.
    #[must_use]
    pub(crate) fn in_dialect(mut self, spoken: Spoken) -> Self {
        self.dialect = spoken.foreign();
        self.dropped = spoken.dropped;
        self.repeated = spoken.repeated;
        self.texts = spoken.texts;
        self
    }
}

/// A call that the provider did not accept.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// Classified.
    pub(crate) fault: Fault,
    /// What the tenant may read of it.
    pub(crate) caller: Option<CallerError>,
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            caller: None,
        }
    }
}

/// Bounds of time for one attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// To the provider's first byte.
    pub(crate) first_byte: Duration,
    /// Between two pieces of a stream.
    pub(crate) silence: Duration,
}

/// One provider's dialect.
#[async_trait]
pub(crate) trait Provider: Send + Sync {
    /// What it is and can.
    fn facts(&self) -> &'static ConnectorFacts;

    /// Makes one attempt. Dropping the future or the answer drops the connection.
    async fn call(
        &self,
        call: &Call,
        route: Route<'_>,
        patience: Patience,
    ) -> Result<Answer, Refusal>;

    /// Makes one call that costs nothing, to see whether the key is accepted.
    async fn test(&self, route: Route<'_>) -> KeyTest;

    /// Makes the smallest call that the route's model can answer, which costs next to nothing.
    async fn try_model(&self, route: Route<'_>) -> KeyTest {
        self.test(route).await
    }

    /// What it says it has, which costs nothing.
    async fn models(&self, _route: Route<'_>) -> ProviderModels {
        ProviderModels {
            failure: "this kind of provider has no list of models".to_owned(),
            ..ProviderModels::default()
        }
    }

    /// Whether its faults are what the request asks for, and so say nothing of its keys.
    fn fails_on_request(&self) -> bool {
        false
    }

    /// The route's model wrote more than it was asked for.
    fn ignored_maximum(&self, _route: Route<'_>) {}
}

/// The one list of connectors.
const ALL: &[&dyn Provider] = &[
    &Vendor(&doors::OPENAI),
    &Vendor(&doors::ANTHROPIC),
    &Vendor(&doors::GEMINI),
    &Vendor(doors::Azure),
    &Vendor(&doors::BEDROCK),
    &Vendor(&doors::VERTEX),
    &Vendor(&doors::COHERE),
    &Vendor(&doors::JINA),
    &Vendor(&doors::VOYAGE),
    &Vendor(doors::DashScope),
    &Vendor(&doors::IDEOGRAM),
    &Vendor(&doors::STABILITY),
    &Vendor(&doors::CUSTOM),
    &sandbox::Sandbox,
];

/// Those that stand in the tests alone.
#[cfg(test)]
const OF_TESTS: &[&dyn Provider] = &[&toy::Toy];
#[cfg(not(test))]
const OF_TESTS: &[&dyn Provider] = &[];

/// The connector of that word.
pub(crate) fn provider(kind: &str) -> Option<&'static dyn Provider> {
    let mut all = ALL.iter().chain(OF_TESTS).copied();
    all.find(|provider| provider.facts().kind == kind)
}

/// What each connector says of itself.
pub(crate) fn facts() -> impl Iterator<Item = &'static ConnectorFacts> {
    ALL.iter().map(|provider| provider.facts())
}

/// Every connector's word, for a sentence.
pub(crate) fn kinds() -> String {
    let kinds: Vec<&str> = facts().map(|facts| facts.kind.as_ref()).collect();
    kinds.join(", ")
}
