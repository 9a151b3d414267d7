//! Anthropic's Messages: a conversation in, one message out, made of texts, thoughts and calls of tools;
//! in tokens. Facts: API reference and official SDKs as of 2026-11, versions 2023-06-01 and 2026-10-21.

mod events;
mod meter;
mod models;
mod read;
mod scan;
mod translate;
pub mod version;
mod whole;

use bytes::Bytes;

use self::meter::MessagesMeter;
use self::translate::TRANSLATOR;
use super::body::Body;
use super::look;
use super::neutral::Translator;
use super::{
    ApiFamily, Asked, BadBody, Dialect, ErrorText, Forward, Head, Judged, Look, Metered,
    StreamMeter,
};
use crate::fault::Fault;
use crate::units::Usage;

/// The format.
pub static ANTHROPIC_MESSAGES: AnthropicMessages = AnthropicMessages;

/// Anthropic's Messages.
#[derive(Debug)]
pub struct AnthropicMessages;

impl Dialect for AnthropicMessages {
    fn name(&self) -> &'static str {
        "anthropic_messages"
    }

    fn request_schema(&self) -> &'static str {
        read::SCHEMA
    }

    fn read(&self, head: &Head, body: &Body) -> Result<Asked, BadBody> {
        read::read(head, body)
    }

    fn read_to_count(&self, head: &Head, body: &Body) -> Result<Asked, BadBody> {
        read::read(head, &body.having("max_tokens", "1")?)
    }

    fn family(&self) -> ApiFamily {
        ApiFamily::Anthropic
    }

    fn names_end_users(&self) -> bool {
        true
    }

    fn headers(&self) -> &'static [&'static str] {
        &[version::VERSION, version::BETA]
    }

    fn translator(&self) -> Option<&'static dyn Translator> {
        Some(&TRANSLATOR)
    }

    fn with_maximum(&self, body: &Bytes, asked: &Asked, tokens: u64) -> Bytes {
        read::with_maximum(body, asked, tokens)
    }

    fn forwarded(&self, body: &Bytes, to: Forward<'_>) -> Result<Bytes, BadBody> {
        read::forwarded(body, to)
    }

    fn meter(&self, of: Metered) -> Box<dyn StreamMeter> {
        Box::new(MessagesMeter::new(of))
    }

    fn usage(&self, of: Metered, answer: &[u8]) -> Result<Usage, Fault> {
        whole::usage(of, answer)
    }

    fn judge(&self, answer: &[u8]) -> Judged {
        whole::judge(answer)
    }

    fn look(&self, seen: &[u8]) -> Look {
        look::look(seen)
    }

    fn as_stream(&self, answer: &[u8]) -> Option<Bytes> {
        whole::as_stream(answer)
    }

    fn error(&self, told: ErrorText<'_>) -> Bytes {
        events::error(told)
    }

    fn error_event(&self, told: ErrorText<'_>) -> Bytes {
        events::error_event(told)
    }

    fn keep_alive(&self) -> Option<Bytes> {
        Some(Bytes::from_static(events::PING))
    }

    fn end(&self) -> &'static [u8] {
        events::STOP
    }

    fn ends(&self, bytes: &[u8]) -> bool {
        events::ends(bytes)
    }
}

#[cfg(test)]
mod tests;
