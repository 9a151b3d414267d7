//! Embeddings in the terms that dialects have in common: texts in, a vector for each out. Knows no wire
//! format. What one can say and another can't is dropped by name or refused, as with chats.

use std::fmt::Debug;

use bytes::Bytes;

use super::answer::AnswerShown;
use super::{Json, WriteTo, Written};
use crate::dialect::{BadBody, Head};
use crate::fault::Fault;
use crate::units::Usage;

/// A request for vectors.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EmbeddingsRequest {
    /// In order; each becomes a vector.
    pub texts: Vec<EmbeddedText>,
    /// How many numbers a vector is to have; the model's own size where it is absent.
    pub dimensions: Option<u64>,
    /// Fields that have no words here, by the names they had.
    pub unsaid: Vec<String>,
    /// Of these, what some vendor may have under the same name.
    pub others: Vec<(String, Json)>,
}

impl EmbeddingsRequest {
    /// That it is of texts alone, for whoever takes nothing else.
    pub(crate) fn is_of_texts(&self) -> Result<(), BadBody> {
        if self.texts.iter().all(|one| one.images.is_empty()) {
            return Ok(());
        }
        let message = "`input` must be texts: this model's provider takes no pictures.";
        Err(BadBody::of("input", message))
    }
}

/// A text that becomes a vector.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EmbeddedText {
    /// It; empty where it is a picture alone.
    pub text: String,
    /// Pictures that belong to it: addresses, or bytes as data URLs.
    pub images: Vec<String>,
    /// What the vector is for, in Google's words (`RETRIEVAL_QUERY`).
    pub task: Option<String>,
    /// The title of the document that it is.
    pub title: Option<String>,
}

/// A vector. Models compute in no finer numbers than these, and OpenAI's base64 has none.
pub type Vector = Vec<f32>;

/// Translates embeddings between one dialect and the neutral form.
pub trait EmbeddingsTranslator: Debug + Send + Sync {
    /// A request of this dialect; `Err` where something in it is no text or is wrong.
    fn read_request(&self, head: &Head, body: &[u8]) -> Result<EmbeddingsRequest, BadBody>;

    /// The request in this dialect.
    fn write_request(
        &self,
        request: &EmbeddingsRequest,
        to: WriteTo<'_>,
    ) -> Result<Written, BadBody>;

    /// The vectors of an answer that [`crate::dialect::Dialect::judge`] took for one, in the order of the
    /// texts.
    fn read_answer(&self, answer: &[u8]) -> Result<Vec<Vector>, Fault>;

    /// The answer in this dialect.
    fn write_answer(&self, vectors: &[Vector], usage: &Usage, shown: &AnswerShown) -> Bytes;
}

/// What may be dropped of a text: it makes a vector better and is no part of what is asked.
pub(crate) fn dropped_of(request: &EmbeddingsRequest) -> Vec<String> {
    let mut dropped = request.unsaid.clone();
    let texts = &request.texts;
    if texts.iter().any(|one| one.task.is_some()) {
        dropped.push("task_type".to_owned());
    }
    if texts.iter().any(|one| one.title.is_some()) {
        dropped.push("title".to_owned());
    }
    dropped
}
