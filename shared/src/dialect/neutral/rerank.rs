//! Rankings in the terms that dialects have in common: a query and documents in, the documents' places in
//! order out. Knows no wire format. What one can say and another can't is dropped by name or refused.

use std::fmt::Debug;

use bytes::Bytes;

use super::answer::AnswerShown;
use super::{Json, WriteTo, Written};
use crate::dialect::{BadBody, Head};
use crate::fault::Fault;
use crate::units::Usage;

/// A request for an order of documents.
#[derive(Debug, Clone, PartialEq)]
pub struct RerankRequest {
    /// What they are to answer.
    pub query: Ranked,
    /// In the tenant's order.
    pub documents: Vec<Ranked>,
    /// How many of the best are wanted, no more than there are; all where it is absent.
    pub top: Option<usize>,
    /// Everything else that says something, by the tenant's names.
    pub others: Vec<(String, Json)>,
}

/// A query or a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ranked {
    /// A text.
    Text(String),
    /// A picture: its address, or its bytes as data.
    Image(String),
}

/// A document's place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rank {
    /// Which one, as they came.
    pub index: usize,
    /// How well it answers the query, by the model's own measure; a number.
    pub score: f64,
}

/// Translates rankings between one dialect and the neutral form.
pub trait RerankTranslator: Debug + Send + Sync {
    /// A request of this dialect.
    fn read_request(&self, head: &Head, body: &[u8]) -> Result<RerankRequest, BadBody>;

    /// The request in this dialect.
    fn write_request(&self, request: &RerankRequest, to: WriteTo<'_>) -> Result<Written, BadBody>;

    /// The places of an answer that [`crate::dialect::Dialect::judge`] took for one, as they came.
    fn read_answer(&self, answer: &[u8]) -> Result<Vec<Rank>, Fault>;

    /// The answer in this dialect; `Err` where the places are not those of the documents that
    /// [`AnswerShown::repeated`] tells of.
    fn write_answer(
        &self,
        ranks: Vec<Rank>,
        usage: &Usage,
        shown: &AnswerShown,
    ) -> Result<Bytes, Fault>;
}
