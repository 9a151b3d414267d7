//! Translates `generateContent` to and from the neutral form.
//!
//! A `thoughtSignature` may stand on any part. On a function call it is the call's; on any other part it is
//! that of the thought before it, or of an empty thought that stands right before the part, and goes back to
//! where it was: onto the part behind its thought. Where nothing stands behind, it is an empty text with a
//! signature, which is how Google's own streams end.

mod answer;
mod config;
mod parts;
mod reader;
mod request;
mod schema;
mod signature;
mod text;
mod write;
mod writer;

use bytes::Bytes;

use crate::dialect::neutral::{
    AnswerShown, ChatAnswer, ChatRequest, StreamReader, StreamWriter, Translator, WriteTo, Written,
};
use crate::dialect::{BadBody, Head, others};
use crate::fault::Fault;
use crate::units::Usage;

/// Translates the format.
#[derive(Debug)]
pub(super) struct GeminiTranslator;

impl Translator for GeminiTranslator {
    fn read_request(&self, head: &Head, body: &[u8]) -> Result<ChatRequest, BadBody> {
        request::read(head, body)
    }

    fn write_request(&self, request: &ChatRequest, to: WriteTo<'_>) -> Result<Written, BadBody> {
        write::request(request, to)
    }

    fn without_others(&self, body: &Bytes, to: WriteTo<'_>) -> Option<Bytes> {
        if !config::wants_signatures(to.model) {
            return None;
        }
        // Calls that nobody signed are of models whose makers sign none.
        let calls = ["\"functionCall\"", "\"function_call\""];
        let proofs = ["\"thoughtSignature\"", "\"thought_signature\""];
        let is_here = others::holds(body, &signature::OTHERS)
            || (others::holds(body, &calls) && !others::holds(body, &proofs));
        is_here.then(|| others::rewritten(self, body, to, ["contents", ""]))?
    }

    fn read_answer(&self, answer: &[u8]) -> Result<ChatAnswer, Fault> {
        answer::read(answer)
    }

    fn write_answer(&self, answer: &ChatAnswer, usage: &Usage, shown: &AnswerShown) -> Bytes {
        answer::write(answer, usage, shown)
    }

    fn stream_reader(&self) -> Box<dyn StreamReader> {
        Box::new(reader::GeminiReader::default())
    }

    fn stream_writer(&self, shown: AnswerShown) -> Box<dyn StreamWriter> {
        Box::new(writer::GeminiWriter::new(shown))
    }
}

#[cfg(test)]
mod tests;
