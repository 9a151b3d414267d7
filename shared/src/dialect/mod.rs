//! Wire formats of tenants and providers, each in one room: the fields of a request that matter and where
//! they stand, what an answer counts, how errors, comments and ends are written. Nobody else knows any of
//! it. Pure: sends nothing and knows no money.
//!
//! A room is an implementation of [`Dialect`]. Those of OpenAI stand on [`openai`], and each is a row of
//! what it has of its own.

pub mod anthropic_messages;
mod asked;
pub mod bedrock_converse;
pub mod body;
mod calls;
pub mod cohere_chat;
mod counts;
mod event;
mod fields;
mod fold;
pub mod gemini;
pub mod gemini_embeddings;
mod input;
pub mod kept;
mod look;
pub mod neutral;
pub mod openai;
pub mod openai_chat;
pub mod openai_completions;
pub mod openai_embeddings;
pub mod openai_images;
pub mod openai_moderations;
pub mod openai_responses;
mod others;
pub mod pictures;
mod replay;
pub mod rerank;
mod tally;
mod text_count;
pub mod told;
mod typed_meter;
mod vendor_counts;
pub mod vendor_embeddings;
mod walk;
mod weight;

pub use self::asked::{Asked, BadBody, Head, Maxima, Output};
pub use self::fields::END_USER_WORD_BYTES_MAX;

use std::borrow::Cow;
use std::fmt::Debug;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;

use self::body::Body;
use self::neutral::{EmbeddingsTranslator, RerankTranslator, Translator};
use self::pictures::{PictureMaker, PictureTask};
use crate::fault::{Fault, FaultKind};
use crate::link::{Bounds, Call};
use crate::units::Usage;

/// One wire format.
pub trait Dialect: Debug + Send + Sync {
    /// Stable word, for logs and for what a connector says that it speaks.
    fn name(&self) -> &'static str;

    /// A request as a JSON schema of the API's document, for those who write clients; what it does not
    /// name passes.
    fn request_schema(&self) -> &'static str;

    /// Reads what routing, pricing and limits need of a request, and refuses what is wrong or has no
    /// price; one pass over the body.
    fn read(&self, head: &Head, body: &Body) -> Result<Asked, BadBody>;

    /// The same of a request whose input is only to be counted: it may lack what a call must have
    /// ([`Body::having`] puts that in), and what the format wraps it into is undone.
    fn read_to_count(&self, head: &Head, body: &Body) -> Result<Asked, BadBody> {
        self.read(head, body)
    }

    /// Whose API it is a part of.
    fn family(&self) -> ApiFamily {
        ApiFamily::OpenAi
    }

    /// Names of the request's headers that it knows, in small letters.
    fn headers(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether a maximum of output tokens stands in OpenAI's fields, of which a model may know one alone,
    /// and the usage of a stream must be asked for.
    fn has_openai_maxima(&self) -> bool {
        false
    }

    /// Translates to and from the neutral form; `None` where its calls go only to providers that speak it.
    fn translator(&self) -> Option<&'static dyn Translator> {
        None
    }

    /// The same of embeddings.
    fn embeddings(&self) -> Option<&'static dyn EmbeddingsTranslator> {
        None
    }

    /// The same of rankings.
    fn rankings(&self) -> Option<&'static dyn RerankTranslator> {
        None
    }

    /// What its requests ask for, where they are for pictures in the one format in which tenants ask for them.
    fn picture_task(&self) -> Option<PictureTask> {
        None
    }

    /// Makes pictures at providers that speak it; `None` where it knows none.
    fn pictures(&self) -> Option<&'static dyn PictureMaker> {
        None
    }

    /// What of a request its answer repeats, or is written by, where it is translated into this dialect.
    fn repeated(&self, body: &Bytes) -> Bytes {
        let _ = body;
        Bytes::new()
    }

    /// Whether calls may go to providers that speak another one.
    fn is_translated(&self) -> bool {
        self.translator().is_some()
            || self.embeddings().is_some()
            || self.rankings().is_some()
            || self.picture_task().is_some()
    }

    /// The body of a request that `read` understood, with `tokens` as its only maximum of output tokens;
    /// for formats that have one.
    fn with_maximum(&self, body: &Bytes, asked: &Asked, tokens: u64) -> Bytes {
        let _ = (asked, tokens);
        body.clone()
    }

    /// Whether its requests have a place for the name of an end user.
    fn names_end_users(&self) -> bool {
        self.family() == ApiFamily::OpenAi
    }

    /// The tenant's body as a provider takes it that speaks the same dialect.
    fn forwarded(&self, body: &Bytes, to: Forward<'_>) -> Result<Bytes, BadBody>;

    /// The same of a body that may be a form.
    fn sent(&self, body: &Body, to: Forward<'_>) -> Result<Sent, BadBody> {
        self.forwarded(&body.bytes(), to).map(Sent::json)
    }

    /// What must be known of a call to count its answer.
    fn metered(&self, call: &Call) -> Metered {
        Metered::of(call)
    }

    /// Counts a stream, event by event; for formats that have streams.
    fn meter(&self, of: Metered) -> Box<dyn StreamMeter> {
        let _ = of;
        Box::new(NoStream)
    }

    /// What a whole answer consumed; `Err` where it is none of this dialect.
    fn usage(&self, of: Metered, answer: &[u8]) -> Result<Usage, Fault>;

    /// What a whole answer that came as a success is.
    fn judge(&self, answer: &[u8]) -> Judged;

    /// What the beginning of a stream is, as far as it was `seen`.
    fn look(&self, seen: &[u8]) -> Look {
        let _ = seen;
        Look::Whole
    }

    /// A whole answer as the stream that was asked for; `None` where it holds nothing to be streamed.
    fn as_stream(&self, answer: &[u8]) -> Option<Bytes> {
        let _ = answer;
        None
    }

    /// The body of a refusal.
    fn error(&self, told: ErrorText<'_>) -> Bytes;

    /// A failure in a stream that has begun, as clients of this dialect raise it.
    fn error_event(&self, told: ErrorText<'_>) -> Bytes {
        self.error(told)
    }

    /// The pair of a query by which a stream comes as events, where it is one JSON array without it.
    fn events_asked_by(&self) -> Option<&'static str> {
        None
    }

    /// What is sent where nothing comes for a while; `None` where clients would stumble over it.
    fn keep_alive(&self) -> Option<Bytes> {
        None
    }

    /// What every whole stream ends with; empty where nothing marks the end.
    fn end(&self) -> &'static [u8] {
        b""
    }

    /// Whether these bytes, which are whole events, are the last of a whole stream.
    fn ends(&self, bytes: &[u8]) -> bool {
        let end = self.end();
        !end.is_empty() && bytes.ends_with(end)
    }
}

/// Every dialect.
static ALL: &[&dyn Dialect] = &[
    &openai_chat::OPENAI_CHAT,
    &openai_completions::OPENAI_COMPLETIONS,
    &openai_embeddings::OPENAI_EMBEDDINGS,
    &gemini_embeddings::GEMINI_EMBEDDINGS,
    &openai_images::OPENAI_IMAGES,
    &openai_moderations::OPENAI_MODERATIONS,
    &anthropic_messages::ANTHROPIC_MESSAGES,
    &gemini::GEMINI,
    &openai_responses::OPENAI_RESPONSES,
    &bedrock_converse::BEDROCK_CONVERSE,
    &cohere_chat::COHERE_CHAT,
    &rerank::RERANK,
    &rerank::COHERE_RERANK,
    &rerank::JINA_RERANK,
    &rerank::VOYAGE_RERANK,
    &rerank::DASHSCOPE_RERANK,
    &vendor_embeddings::COHERE_EMBEDDINGS,
    &vendor_embeddings::JINA_EMBEDDINGS,
    &vendor_embeddings::VOYAGE_EMBEDDINGS,
    &vendor_embeddings::DASHSCOPE_EMBEDDINGS,
    &pictures::ARK_IMAGES,
    &pictures::DASHSCOPE_IMAGES,
    &pictures::IDEOGRAM_IMAGES,
    &pictures::MINIMAX_IMAGES,
    &pictures::RECRAFT_IMAGES,
    &pictures::STABILITY_IMAGES,
    &pictures::XAI_IMAGES,
];

/// The dialect of that name.
pub fn named(name: &str) -> Option<&'static dyn Dialect> {
    ALL.iter().copied().find(|dialect| dialect.name() == name)
}

/// Whose API a format is a part of: clients of one expect the same around the bodies, as lists of models and
/// the name of the header with the request's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApiFamily {
    /// OpenAI's, and whoever copies it.
    OpenAi,
    /// Anthropic's.
    Anthropic,
    /// Google's Gemini API.
    Gemini,
}

/// How a tenant's request becomes a provider's.
#[derive(Debug, Clone, Copy)]
pub struct Forward<'a> {
    /// The model's name there.
    pub model: &'a str,
    /// Whether the stream is to end with its usage although the tenant does not see it.
    pub asks_usage: bool,
    /// How the model differs from what its dialect says.
    pub quirks: Quirks,
    /// Whose question it is, in the place of whatever the tenant wrote of them; `None` leaves that as it is.
    /// Needs no escaping.
    pub end_user: Option<&'a str>,
}

/// A body as it goes to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// What it is.
    pub content_type: Cow<'static, str>,
    /// It.
    pub body: Bytes,
}

impl Sent {
    /// As JSON.
    pub fn json(body: Bytes) -> Self {
        Self {
            content_type: Cow::Borrowed("application/json"),
            body,
        }
    }
}

/// The field in which a model's provider takes the name of an end user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EndUserField {
    /// The one that its dialect has, in the form that most servers know.
    #[default]
    OfDialect,
    /// `safety_identifier`, where the dialect is one of OpenAI's (OpenAI API reference, 2026-11: `user` is
    /// being replaced).
    SafetyIdentifier,
    /// `user_id` (DeepSeek).
    UserId,
    /// None: unknown fields are refused there.
    Nowhere,
}

/// The field in which a model takes the most that it may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Maximum {
    /// Whatever the request has.
    #[default]
    AsAsked,
    /// `max_tokens`.
    MaxTokens,
    /// `max_completion_tokens`.
    MaxCompletionTokens,
}

/// How a model differs from its dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quirks {
    /// It refuses to be asked for the usage of a stream.
    pub no_usage_option: bool,
    /// Which maximum it obeys.
    pub maximum: Maximum,
    /// Where the name of the end user stands.
    pub end_user: EndUserField,
    /// It hands pictures over in one way, and refuses to be told in which.
    pub no_response_format: bool,
}

/// What a whole answer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// What was asked for.
    Answer,
    /// An error that came as a success.
    Error(Box<Told>),
    /// Neither; says what is missing.
    Nonsense(String),
}

/// What the beginning of a stream is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// Not to be told yet.
    More,
    /// An event that is no error.
    Event,
    /// An error.
    Error(Box<Told>),
    /// A whole answer, or the beginning of one.
    Whole,
    /// A page for people.
    Page,
}

/// Words of a failure for the tenant, in the terms that all dialects have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorText<'a> {
    /// The HTTP status of the refusal; of a stream that had begun, the one it would have had.
    pub status: u16,
    /// The class of errors it belongs to, in OpenAI's words.
    pub kind: &'a str,
    /// A stable word for programs.
    pub code: Option<&'a str>,
    /// The field that is wrong.
    pub param: Option<&'a str>,
    /// What is wrong and what to do about it.
    pub message: &'a str,
}

/// What must be known of a call to count its answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Metered {
    /// Whether the tenant sees the usage of a stream.
    pub show_usage: bool,
    /// Length of the request.
    pub input_bytes: u64,
    /// What the call can bring at most, where the server counted it.
    pub bounds: Option<Bounds>,
    /// Tokens of the input that the answer repeats, about.
    pub echoed: u64,
    /// Of a ranking: the searches that it is.
    pub searches: Searches,
}

/// Searches of a ranking, by its documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Searches {
    /// Where each document counts once.
    pub least: u64,
    /// Where long documents count as several.
    pub most: u64,
}

impl Metered {
    /// Of `call`, whose answer repeats nothing.
    pub fn of(call: &Call) -> Self {
        Self {
            show_usage: call.show_usage,
            input_bytes: u64::try_from(call.body.len()).unwrap_or(u64::MAX),
            bounds: call.bounds,
            echoed: 0,
            searches: Searches::default(),
        }
    }
}

/// What to do with an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Pass it on.
    Pass,
    /// Pass it on without these bytes of it.
    Without(Range<usize>),
    /// Keep it: the tenant did not ask for it.
    Hide,
    /// Do not pass it on: the provider reports an error.
    Broken(StreamError),
    /// Do not pass it on: more was written than the call may bring. What is put in its place ends the
    /// stream well.
    Enough(Bytes),
}

/// An error that a provider reports in the middle of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamError {
    /// What it is as far as the format's own words tell.
    pub fault: Fault,
    /// What the provider told of it, for whoever knows more words than those of one format.
    pub told: Option<Box<Told>>,
}

impl StreamError {
    /// By what was told.
    fn told(told: Option<Told>, fault: impl FnOnce(Option<Told>) -> Fault) -> Self {
        Self {
            fault: fault(told.clone()),
            told: told.map(Box::new),
        }
    }
}

impl From<Fault> for StreamError {
    fn from(fault: Fault) -> Self {
        Self { fault, told: None }
    }
}

/// Counts what a stream brings while its events pass, and says what becomes of each.
pub trait StreamMeter: Debug + Send {
    /// Looks at one whole event.
    fn event(&mut self, event: &[u8]) -> Verdict;

    /// Whether the event that ends a stream came.
    fn is_done(&self) -> bool;

    /// The event that ends a stream, where bytes that are no whole event yet are all of it but the blank
    /// line behind it, which some leave out.
    fn ended_by(&self, unfinished: &[u8]) -> Option<&'static [u8]>;

    /// Whether an event that was cut off at its end is whole all the same.
    fn is_complete(&self, event: &[u8]) -> bool;

    /// Output tokens in what passed so far, by estimate.
    fn passed(&self) -> u64;

    /// Whether the provider's own count covers all that came.
    fn is_told(&self) -> bool;

    /// Whether a stream that ends here is whole.
    fn is_whole(&self) -> bool;

    /// What is wrong with a stream that ends here.
    fn missing(&self) -> Option<Fault>;

    /// What the tenant's stream ends with, where its provider left that out.
    fn end(&self) -> &'static [u8];

    /// What was consumed: the provider's own count, and an estimate of what it does not cover. Nothing
    /// where nothing came.
    fn usage(&self) -> Usage;
}

/// The meter of formats without streams: whatever comes as one is no answer.
#[derive(Debug)]
struct NoStream;

impl StreamMeter for NoStream {
    fn event(&mut self, _: &[u8]) -> Verdict {
        Verdict::Broken(no_stream().into())
    }

    fn is_done(&self) -> bool {
        false
    }

    fn ended_by(&self, _: &[u8]) -> Option<&'static [u8]> {
        None
    }

    fn is_complete(&self, _: &[u8]) -> bool {
        false
    }

    fn passed(&self) -> u64 {
        0
    }

    fn is_told(&self) -> bool {
        false
    }

    fn is_whole(&self) -> bool {
        false
    }

    fn missing(&self) -> Option<Fault> {
        Some(no_stream())
    }

    fn end(&self) -> &'static [u8] {
        b""
    }

    fn usage(&self) -> Usage {
        Usage::default()
    }
}

fn no_stream() -> Fault {
    Fault::new(FaultKind::InvalidAnswer, "this format has no streams")
}

/// An error as a provider told it; nothing in it is cleaned for a tenant's eyes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// The provider's sentence; empty where it had none.
    pub message: String,
    /// OpenAI's `type`, or the word that stands for it.
    pub kind: Option<String>,
    /// The stable word, or a number that is no HTTP status.
    pub code: Option<String>,
    /// The field that is wrong.
    pub param: Option<String>,
    /// The HTTP status that the text itself names.
    pub status: Option<u16>,
    /// How long to wait, where the text says it in a field.
    pub wait: Option<Duration>,
}
