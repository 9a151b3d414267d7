//! What the server asks of a gateway, and what it may rely on. Names no transport. One trait for each thing
//! that is asked: [`Generations`], [`ProviderAdmins`], [`GatewayEvents`], [`GatewayFleet`]; [`Link`] is
//! all of them.
//!
//! Promises of every implementation, proved on each by `deploy/all-in-one/tests/it/link.rs` and under
//! cuts by `deploy/all-in-one/tests/it/border`:
//! - [`Generations::open`] starts a generation at most once: `Err` with [`LinkError::NotSent`] means that
//!   nothing was started; [`LinkError::Lost`] means that nobody knows. The same call again starts
//!   nothing: it joins what runs where a link can be cut, and is refused inside one process.
//! - A reply's body ends with exactly one [`Piece::Outcome`], also when the link is gone for good:
//!   then it says what passed until then, and is marked as interrupted.
//! - Bytes come once, in order and without a gap, whatever connections they came over.
//! - [`Generations::cancel`] ends a generation if it runs and answers its outcome, for as long as the gateway
//!   remembers it, which is longer than any hold: within a second, or where the tenant left
//!   ([`Parting`]) when its provider has told its count. One that never came will not be started any
//!   more.
//! - An outcome is on the gateway's disk before the last byte goes out: a later life of it knows it.
//! - A generation that nobody reads and nobody finishes is cancelled after the time for which its server
//!   tries to come again ([`wire::PATIENCE_MS`]); inside a process its tenant has left.
//!
//! # The protocol over HTTP
//!
//! The server chooses the generation's id and stores it with the hold. Every answer names the
//! gateway's life ([`crate::id::BootId`]), and the first question on every connection asks for it, so
//! that the server knows for each call which life may have it. Names of headers are in [`wire`].
//!
//! A stream that is cut (reset, a proxy that ends, silence for 1.1 s although both sides ask for a
//! sign of life every half second, while the gateway is heard over other connections) is attached to
//! again on another connection. Each call says how long its server tries that (`x-waule-patience-ms`):
//! so long the gateway goes on with it and keeps it. New calls wait as long for a link that is away.
//!
//! ```text
//! tenant            server                            gateway                   provider
//!   | POST chat       |                                  |                         |
//!   |---------------->| hold                             |                         |
//!   |                 | POST /chat  generation=g         |                         |
//!   |                 |--------------------------------->| g: opening              |
//!   |                 |                                  |------------------------>|
//!   |                 |            200, life=b, bytes 0..| g: streaming, logged    |
//!   |<----------------|<---------------------------------|<------------------------|
//!   |                 |        x connection cut          |                         |
//!   | : keep-alive    |                                  | nobody reads: goes on   |
//!   |<----------------| POST /generations/g/attach       | for the call's patience |
//!   |                 |   offset=1234                    |                         |
//!   |                 |--------------------------------->|                         |
//!   |<----------------|<---------------- bytes 1234.. ---| log, then live          |
//!   |                 |<------- trailer: outcome --------| g: ended                |
//!   |                 | settle   (next call: seen=g) --->| g: output forgotten     |
//! ```
//!
//! A call whose answer's head did not come is sent again to the same gateway, marked with the life
//! that may have it. Where that life is over, nothing is started: the generation is lost.
//!
//! ```text
//! server                                   gateway
//!   | POST /chat  generation=g               |
//!   |--------------------------------------->| g: opening (or it never came)
//!   |     x connection cut                   |
//!   | POST /chat  generation=g  life=b       |
//!   |--------------------------------------->| same life: joins g, or starts it
//!   |                                        | another life: 410, nothing started
//! ```
//!
//! To far gateways bodies go compressed and without the beginning that the gateway has ([`prefix`]),
//! and streams come compressed event by event ([`codec`]). Offsets always count the tenant's bytes.
//!
//! Cancelling, and what is not known:
//!
//! ```text
//! server                                   gateway
//!   | POST /generations/g/finish             |
//!   |--------------------------------------->| runs:    ended now, outcome
//!   |    ?why=tenant_left                    | runs:    read on for the count, outcome
//!   |    ?why=abandoned                      | runs or ended: also what was taken of it
//!   |                                        | ended:   outcome (kept for days, on disk)
//!   |                                        | unknown: buried; a late call is refused. Says
//!   |                                        |          whether a life that died had it
//! ```
//!
//! | answer | meaning | what the server does |
//! | --- | --- | --- |
//! | 200 | started or joined | reads; attaches again when cut |
//! | 503 with `x-waule-not-started` | draining or full | asks the next gateway; all draining: waits |
//! | 428 | the beginning that was left out of the body is not kept there; nothing started | sends it whole |
//! | no connection | never sent | asks the next gateway; none there: waits |
//! | 410 | another life, or the bytes are not kept any more | lost: error to the tenant, who pays what was received |
//! | 409 | the id belongs to another request, or was given up | refused |

mod address;
mod admin;
pub mod balance;
pub mod choice;
pub mod codec;
pub mod connectors;
pub mod events;
pub mod key_batch;
pub mod models;
mod operation;
pub mod options;
pub mod prefix;
pub mod rules;
mod terms;
pub mod trail;
pub mod wire;

pub use self::admin::{
    AdminError, GatewayName, InvalidField, KeyTest, KeyVerdict, NewProvider, NewProviderKey,
    ProviderAdmin, ProviderAdmins, ProviderKeyPatch, ProviderKeyView, ProviderPatch, ProviderView,
};
use self::events::GatewayEvents;

pub use self::operation::Operation;
pub use self::terms::{KeyHeaders, KeyTerms, TermsChange};

use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;
use http::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};

use crate::dialect::BadBody;
use crate::dialect::body::Body;
use crate::fault::Fault;
use crate::id::{BootId, GenerationId, RequestId, TenantId};
use crate::secret::Secret;
use crate::surface::Surface;
use crate::units::Usage;

/// A provider and its name for the model; targets are tried in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The provider's name at the gateway.
    pub provider: String,
    /// The model's name at the provider.
    pub model: String,
    /// The name or the region of the gateways it is reached through; any where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// The name that its answers give their model, where targets of several models may answer; that of
    /// the call where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<String>,
}

/// A gateway as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayView {
    /// Its address.
    pub url: String,
    /// Its name, which targets may give; may be empty.
    pub name: String,
    /// Its region, which targets may give; may be empty.
    pub region: String,
    /// Nodes of a higher number are used while none of a lower one is well.
    pub priority: u8,
    /// Whether calls go there now.
    pub is_well: bool,
    /// What answered lately, and how long that took; nothing when it does not answer.
    pub answered: Option<(Alive, Duration)>,
    /// Open connections.
    pub connections: usize,
    /// Streams on them.
    pub streams: usize,
    /// Whether its way is bad, so that all streams come over two connections.
    pub is_way_bad: bool,
    /// Of the second copies of streams that come twice, so many in a million are late by a retransmission;
    /// `None` before any was compared.
    pub late_ppm: Option<u32>,
    /// What happened on the way there since this server started.
    pub counts: LinkCounts,
}

/// Counts of one gateway's link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LinkCounts {
    /// Streams that went on over another connection.
    pub resumed: u64,
    /// Calls sent again to join them.
    pub joined: u64,
    /// Generations given up.
    pub lost: u64,
    /// Calls that went to another gateway instead, because this one surely did not start them.
    pub passed_on: u64,
    /// Streams attached a second time because they fell behind.
    pub hedged: u64,
    /// Of these, those of which the second attachment was ahead.
    pub hedges_won: u64,
    /// Streams that came twice because of the way.
    pub doubled: u64,
    /// Streams whose length was compared with what the gateway says it sent.
    pub checked: u64,
    /// Bytes by which they differed.
    pub bytes_lost: u64,
}

/// What a gateway says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alive {
    /// Which life answers.
    pub boot: BootId,
    /// The product's version there.
    #[serde(default)]
    pub version: String,
}

/// Where a gateway is, as an operator or a setting says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayPlace {
    /// Scheme, host and port.
    pub url: String,
    /// `[a-z0-9-]`, at most 40; may be empty.
    pub name: String,
    /// `[a-z0-9-]`, at most 40; may be empty.
    pub region: String,
    /// Lower ones are used first.
    pub priority: u8,
    /// What opens it; without one the secret of the settings does.
    pub secret: Option<Secret<String>>,
}

/// One generation to start.
#[derive(Debug, Clone)]
pub struct Call {
    /// Made by the server, stored with the hold before anything is sent.
    pub generation: GenerationId,
    /// The request of the tenant this belongs to, for the logs of both sides.
    pub request: RequestId,
    /// On which surface it came.
    pub surface: &'static Surface,
    /// Where it may go, in order.
    pub targets: std::sync::Arc<[Target]>,
    /// The tenant's bytes; the gateway changes the model's name and what its dialect needs.
    pub body: Bytes,
    /// Whether the tenant asked for a stream.
    pub stream: bool,
    /// Whether the tenant asked to see the usage chunk of the stream.
    pub show_usage: bool,
    /// Headers of the request that its dialect knows, in small letters.
    pub headers: Vec<(String, String)>,
    /// Whose call it is; stays at the server, a gateway knows no tenants.
    pub tenant: Option<TenantId>,
    /// Calls of one number belong together: what they do to a pool's keys is bounded. Says nothing else
    /// of the tenant; zero where it is not known.
    pub caller: u64,
    /// Whose question it is, as providers may hear it: a name that no tenant wrote and that tells nothing of
    /// them, of `[a-z0-9_]` and at most [`END_USER_BYTES_MAX`]. Absent from servers of earlier versions;
    /// then what the tenant wrote goes on as it is.
    pub end_user: Option<String>,
    /// What the call can bring at most; absent where the server did not count.
    pub bounds: Option<Bounds>,
    /// The name that answers give their model instead of the provider's; absent leaves it as it comes.
    pub answer_model: Option<String>,
    /// Whether a provider is passed over to which something of the request can't be said.
    pub says_all: bool,
    /// When the whole call must be over.
    pub deadline: Duration,
}

impl Call {
    /// The body by what its head says that it is: a form, or JSON. Surfaces that take forms know the header
    /// `content-type`, which so comes with the call.
    pub fn body(&self) -> Result<Body, BadBody> {
        let mut named = self.headers.iter();
        let told = named.find(|(name, _)| name == CONTENT_TYPE.as_str());
        Body::of(told.map(|(_, value)| value.as_str()), self.body.clone())
    }
}

/// The least that any provider takes for the name of an end user (Perplexity and Volcengine Ark: 64).
pub const END_USER_BYTES_MAX: usize = 64;

/// What one call can bring, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Bounds {
    /// About what its input is, each part counted by what it is; used where a provider never tells.
    pub input_estimate: u64,
    /// The most its input can be: a provider that counts more is not believed.
    pub input_max: u64,
    /// Output of all choices together that is paid for; a stream that passes it is stopped.
    pub output_max: u64,
}

/// The longest a gateway may read a provider on after the tenant left, in seconds: servers wait for the
/// answer to [`Parting::TenantLeft`] a little longer.
pub const READ_ON_SECONDS_MAX: u64 = 60;

/// Why a server ends a generation; decides for how long it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parting {
    /// The tenant left: what the provider counts for what it made is read within a cap.
    TenantLeft,
    /// Nobody looks after it any more, since its server died: it ends now, and what its reader took counts.
    Abandoned,
    /// The tenant got nothing of it and pays nothing: it ends now.
    NotDelivered,
}

impl Parting {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::TenantLeft, Self::Abandoned, Self::NotDelivered];

    /// Stable word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::TenantLeft => "tenant_left",
            Self::Abandoned => "abandoned",
            Self::NotDelivered => "not_delivered",
        }
    }

    /// From its stable word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|parting| parting.word() == word)
    }
}

/// A provider call that failed before another was tried, or as the last one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedTry {
    /// Who was called.
    pub provider: String,
    /// The model's name there.
    pub model: String,
    /// The last four characters of the key that was used.
    pub key_last4: String,
    /// From the call's arrival to its beginning.
    pub began_ms: u64,
    /// How long it took.
    pub duration_ms: u64,
    /// What it failed with: the word of a fault's kind.
    pub fault: String,
    /// The provider's HTTP status; absent where it did not answer, and from earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why it went on as it did: the word of a [`trail::NextStep`]; absent from earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// How a generation ended, as the gateway saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The provider that answered.
    pub provider: String,
    /// The model's name there.
    pub model: String,
    /// The last four characters of the key that was used.
    pub key_last4: String,
    /// Provider calls tried, failed ones included.
    pub attempts: u32,
    /// Those that failed before the one that answered; absent from most outcomes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<FailedTry>,
    /// What was consumed.
    pub usage: Usage,
    /// What had been consumed by the last byte that a reader took, where it did not take all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Usage>,
    /// Why it did not end well; `None` when it did.
    pub fault: Option<Fault>,
    /// From the call's arrival to the provider's first byte.
    pub first_byte_ms: u64,
    /// From the call's arrival to its end.
    pub duration_ms: u64,
    /// Which gateway made the tries; noted by the server, absent where its gateway is inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<Box<trail::MadeBy>>,
}

/// A part of a reply's body.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Bytes for the tenant, as they came; over a link whole events.
    Bytes(Bytes),
    /// Nothing now: the link is being restored. Comes between whole events only.
    Waiting,
    /// The end; nothing follows.
    Outcome(Box<Outcome>),
}

/// A reply that comes piece by piece.
pub type PieceStream = Pin<Box<dyn Stream<Item = Result<Piece, LinkError>> + Send>>;

/// What the tenant gets.
pub enum ReplyBody {
    /// An answer that is complete already.
    Whole {
        /// The answer.
        bytes: Bytes,
        /// How it ended.
        outcome: Box<Outcome>,
    },
    /// An answer that comes piece by piece.
    Stream(PieceStream),
}

impl std::fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole { bytes, .. } => write!(f, "Whole({} bytes)", bytes.len()),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

/// A generation that a provider accepted.
#[derive(Debug)]
pub struct Reply {
    /// Which life of the gateway answers.
    pub boot: BootId,
    /// `content-type` of the body.
    pub content_type: String,
    /// Fields of the request that could not be said at the provider, whose format is another.
    pub dropped: Vec<String>,
    /// The answer.
    pub body: ReplyBody,
}

/// What a provider told about a request that it refused, cleaned for the tenant's eyes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CallerError {
    /// What is wrong and what to do.
    pub message: String,
    /// OpenAI's `param`.
    pub param: Option<String>,
    /// OpenAI's `code`.
    pub code: Option<String>,
}

/// A generation that no provider accepted; nothing was produced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{fault}")]
pub struct Failure {
    /// The last attempt's fault.
    pub fault: Fault,
    /// What the tenant may read of it.
    pub caller: Option<CallerError>,
    /// Provider calls tried.
    pub attempts: u32,
    /// All of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<FailedTry>,
    /// Where the last attempt went.
    pub provider: Option<String>,
    /// Which gateway made the tries; noted by the server, absent where its gateway is inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<Box<trail::MadeBy>>,
}

/// Why a call over the link did not bring a reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The gateway tried, and says that nothing was produced.
    #[error("the generation failed: {0}")]
    Failed(Box<Failure>),
    /// The request never reached a gateway.
    #[error("no gateway could be reached: {0}")]
    NotSent(String),
    /// The link broke while the generation may have been running.
    #[error("the link broke: {0}")]
    Lost(String),
    /// The gateway refused the request for a reason of the two sides' own.
    #[error("the gateway refused: {0}")]
    Refused(String),
}

/// What became of a generation, as far as a gateway knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
// The word on the wire is older than the name.
#[serde(rename_all = "snake_case", tag = "fate")]
pub enum GenerationStatus {
    /// How it ended is not known here.
    Unknown {
        /// The life that answers.
        boot: BootId,
        /// Whether it was taken up here, by a life that died before it had ended: a provider may have
        /// worked for it. Without that it never arrived, or was forgotten.
        #[serde(default)]
        had: bool,
        /// How far back this gateway's memory reaches, in milliseconds: of a call that is older, not
        /// knowing it says nothing. Absent from gateways of earlier versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        memory_ms: Option<u64>,
    },
    /// It ended.
    Ended {
        /// How.
        outcome: Box<Outcome>,
    },
    /// It was refused or failed before anything was produced.
    Failed {
        /// Why.
        failure: Box<Failure>,
    },
}

/// Starts generations and ends them.
#[async_trait]
pub trait Generations: Send + Sync {
    /// Starts a generation and answers when the provider has accepted it.
    async fn open(&self, call: Call) -> Result<Reply, LinkError>;

    /// The gateways that may take a call to these targets, first choice first, to be kept with it.
    /// Empty where nothing is known of them.
    fn route(&self, _generation: &GenerationId, _targets: &[Target]) -> Vec<String> {
        Vec::new()
    }

    /// Ends the generation if it still runs, and answers how it ended. Takes as long as the provider's
    /// count is waited for where the tenant left. Asks these gateways alone, all where none is named:
    /// one that never had the call and does not answer makes nobody wait.
    async fn cancel(
        &self,
        gateways: &[String],
        generation: &GenerationId,
        why: Parting,
    ) -> Result<GenerationStatus, LinkError>;
}

/// Which gateways there are, and how they do.
#[async_trait]
pub trait GatewayFleet: Send + Sync {
    /// Whether a gateway answers now.
    async fn health(&self) -> Result<BootId, LinkError>;

    /// Every gateway, asked now.
    async fn gateways(&self) -> Vec<GatewayView>;

    /// Uses these gateways besides those of the settings, and no longer those that were given before.
    /// A sentence when one of them can't be used; then nothing changes.
    fn use_gateways(&self, places: &[GatewayPlace]) -> Result<(), String>;
}

/// All that a server asks of its gateways. Who needs a part takes that part.
pub trait Link: Generations + GatewayFleet + GatewayEvents + ProviderAdmins {}

impl<T: Generations + GatewayFleet + GatewayEvents + ProviderAdmins + ?Sized> Link for T {}
