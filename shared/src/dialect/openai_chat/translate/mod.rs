//! Chat completions to and from the neutral form: what OpenAI's API says, and what the many who are
//! compatible with it say beside. What no field of this dialect can say is named, said in other words, or
//! refused; each file says where.

mod answer;
mod media;
mod out;
mod raw;
mod request;
mod stream;
mod target;
mod thought;

use bytes::Bytes;

use self::stream::{ChunkReader, ChunkWriter};
use self::target::ModelTarget;
use crate::dialect::neutral::{
    AnswerShown, ChatAnswer, ChatRequest, MediaKind, StreamReader, StreamWriter, Translator,
    WriteTo, Written,
};
use crate::dialect::{BadBody, Head, others};
use crate::fault::Fault;
use crate::units::Usage;

/// The translator of chat completions.
#[derive(Debug)]
pub(super) struct ChatTranslator;

impl Translator for ChatTranslator {
    fn read_request(&self, head: &Head, body: &[u8]) -> Result<ChatRequest, BadBody> {
        request::read(head, body)
    }

    fn bytes_only(&self) -> &'static [MediaKind] {
        &[MediaKind::Audio, MediaKind::Document]
    }

    fn write_request(&self, request: &ChatRequest, to: WriteTo<'_>) -> Result<Written, BadBody> {
        request::write(request, to)
    }

    fn without_others(&self, body: &Bytes, to: WriteTo<'_>) -> Option<Bytes> {
        let fields = ["\"reasoning_details\"", "\"extra_content\""];
        let is_here = ModelTarget::of(to.model).is_strict() && others::holds(body, &fields);
        is_here.then(|| others::rewritten(self, body, to, ["messages", ""]))?
    }

    fn read_answer(&self, answer: &[u8]) -> Result<ChatAnswer, Fault> {
        answer::read(answer)
    }

    fn write_answer(&self, answer: &ChatAnswer, usage: &Usage, shown: &AnswerShown) -> Bytes {
        answer::write(answer, usage, shown)
    }

    fn stream_reader(&self) -> Box<dyn StreamReader> {
        Box::new(ChunkReader::default())
    }

    fn stream_writer(&self, shown: AnswerShown) -> Box<dyn StreamWriter> {
        Box::new(ChunkWriter::new(&shown))
    }
}

#[cfg(test)]
mod tests;
