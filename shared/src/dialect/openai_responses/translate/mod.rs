//! Translates Responses to and from the neutral form.

mod answer;
mod read;
mod read_items;
mod reader;
mod write;
mod write_items;
mod writer;

use bytes::Bytes;

use crate::dialect::neutral::{
    AnswerShown, ChatAnswer, ChatRequest, MediaKind, Stop, StreamReader, StreamWriter, Translator,
    WriteTo, Written,
};
use crate::dialect::{BadBody, Head};
use crate::fault::Fault;
use crate::units::Usage;

use super::answer::Status;

/// The translator of the dialect.
pub(super) static TRANSLATOR: Responses = Responses;

/// Translates.
#[derive(Debug)]
pub(super) struct Responses;

impl Translator for Responses {
    fn read_request(&self, _: &Head, body: &[u8]) -> Result<ChatRequest, BadBody> {
        read::request(body)
    }

    fn bytes_only(&self) -> &'static [MediaKind] {
        &[MediaKind::Audio]
    }

    fn write_request(&self, request: &ChatRequest, to: WriteTo<'_>) -> Result<Written, BadBody> {
        write::request(request, to)
    }

    fn read_answer(&self, answer: &[u8]) -> Result<ChatAnswer, Fault> {
        answer::read(answer)
    }

    fn write_answer(&self, answer: &ChatAnswer, usage: &Usage, shown: &AnswerShown) -> Bytes {
        answer::write(answer, usage, shown)
    }

    fn stream_reader(&self) -> Box<dyn StreamReader> {
        Box::<reader::ResponsesReader>::default()
    }

    fn stream_writer(&self, shown: AnswerShown) -> Box<dyn StreamWriter> {
        Box::new(writer::ResponsesWriter::new(shown))
    }
}

/// Why a response ends, of what it says of that; `calls` where it calls functions.
fn stop(status: &[u8], reason: &[u8], calls: bool) -> Stop {
    match (status, reason) {
        (b"incomplete", b"content_filter") => Stop::Refused(Some("content_filter".to_owned())),
        (b"incomplete", _) => Stop::MaxTokens,
        _ if calls => Stop::ToolCalls,
        _ => Stop::End,
    }
}

/// How a response stands that ends so.
fn status(stop: &Stop) -> Status<'static> {
    match stop {
        Stop::End | Stop::StopText(_) | Stop::ToolCalls | Stop::Paused => Status::Completed,
        Stop::MaxTokens | Stop::ContextFull => Status::Incomplete("max_output_tokens"),
        Stop::Refused(_) => Status::Incomplete("content_filter"),
    }
}

/// What stands between quotes, as a text; half characters and the like become replacement characters.
fn plain(raw: &[u8]) -> std::borrow::Cow<'_, str> {
    use std::borrow::Cow;
    match crate::dialect::walk::unescaped(raw) {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            Cow::Owned(text.into_owned())
        }
    }
}

#[cfg(test)]
mod tests;
