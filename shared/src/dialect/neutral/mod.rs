//! A chat in the terms that dialects have in common: what stands between two that are not the same, so that
//! each translates to and from one form and not to and from every other. Knows no wire format.
//!
//! What one dialect can say and another can't is dropped by name or refused where dropping would change
//! what is meant; `docs/decisions/translation.md` has the table.

pub(crate) mod address;
mod answer;
pub(crate) mod embeddings;
mod event;
mod request;
mod rerank;
pub(crate) mod unsaid;

pub use self::answer::{AnswerShown, Candidate, ChatAnswer, Stop};
pub use self::embeddings::{EmbeddedText, EmbeddingsRequest, EmbeddingsTranslator, Vector};
pub use self::event::{ChatEvent, StreamReader, StreamWriter};
pub use self::request::{
    CacheMark, ChatRequest, Citation, Effort, Format, Json, Media, MediaKind, Part, Reasoning,
    Role, Sampling, Signature, SignatureFormat, Source, Thought, Tool, ToolCall, ToolChoice,
    ToolResult, Turn,
};
pub use self::rerank::{Rank, Ranked, RerankRequest, RerankTranslator};

use std::fmt::Debug;

use bytes::Bytes;

use super::asked::{BadBody, Head};
use crate::fault::Fault;
use crate::units::Usage;

/// Translates between one dialect and the neutral form.
pub trait Translator: Debug + Send + Sync {
    /// A request of this dialect. What it holds beside what the neutral form can say is named in
    /// [`ChatRequest::unsaid`]; `Err` where something is wrong in a way that would change its meaning.
    fn read_request(&self, head: &Head, body: &[u8]) -> Result<ChatRequest, BadBody>;

    /// Kinds of media that it takes as bytes alone, so that whoever asks in it fetches what lies at an address.
    fn bytes_only(&self) -> &'static [MediaKind] {
        &[]
    }

    /// The request in this dialect.
    fn write_request(&self, request: &ChatRequest, to: WriteTo<'_>) -> Result<Written, BadBody>;

    /// A request of this dialect without what other vendors' models put into its conversation and this
    /// model's maker refuses; `None` where nothing of it is there.
    fn without_others(&self, _body: &Bytes, _to: WriteTo<'_>) -> Option<Bytes> {
        None
    }

    /// A whole answer that [`super::Dialect::judge`] took for one.
    fn read_answer(&self, answer: &[u8]) -> Result<ChatAnswer, Fault>;

    /// The whole answer in this dialect.
    fn write_answer(&self, answer: &ChatAnswer, usage: &Usage, shown: &AnswerShown) -> Bytes;

    /// Reads a stream of this dialect.
    fn stream_reader(&self) -> Box<dyn StreamReader>;

    /// Writes a stream of this dialect.
    fn stream_writer(&self, shown: AnswerShown) -> Box<dyn StreamWriter>;
}

/// For whom a request is written.
#[derive(Debug, Clone, Copy)]
pub struct WriteTo<'a> {
    /// The model's name there.
    pub model: &'a str,
    /// How the model differs from its dialect.
    pub quirks: super::Quirks,
    /// The most output tokens that the model writes, for dialects that must be told a maximum although
    /// the request has none.
    pub output_max: Option<u64>,
}

/// A request as it was written, and what of it could not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The body.
    pub body: Bytes,
    /// Fields that had no words there and are no part of the meaning, by OpenAI's names where it has
    /// one; told to the tenant.
    pub dropped: Vec<String>,
}
