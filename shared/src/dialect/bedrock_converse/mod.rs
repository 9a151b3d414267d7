//! Amazon Bedrock's Converse: the one format for all models there. Providers speak it and no tenant does,
//! so its requests are translated ones. Its streams come as frames (`application/vnd.amazon.eventstream`),
//! which the connector writes down as events with the frame's type as their name and its payload as their
//! data; an exception is an event `error`. Facts: service model of Bedrock Runtime as of 2026-11-20.

mod answer;
mod media;
mod model;
mod read;
mod scan;
mod stream;
mod wire;
mod write;

use bytes::Bytes;

use self::scan::{ConverseScan, ConverseWhole};
use super::body::Body;
use super::neutral::{
    AnswerShown, ChatAnswer, ChatRequest, MediaKind, StreamReader, StreamWriter, Translator,
    WriteTo, Written,
};
use super::text_count::of_whole;
use super::typed_meter::{TypedMeter, TypedStep, TypedSteps, in_stream, note_tier, part_writes};
use super::{
    Asked, BadBody, Dialect, ErrorText, Forward, Head, Judged, Look, Metered, StreamMeter, Told,
    look, replay, told,
};
use crate::fault::{Fault, FaultKind};
use crate::json;
use crate::units::Usage;

/// The format.
pub static BEDROCK_CONVERSE: BedrockConverse = BedrockConverse;

/// Amazon Bedrock's Converse.
#[derive(Debug)]
pub struct BedrockConverse;

static STEPS: TypedSteps = TypedSteps {
    read: step,
    fault,
    ending,
};

fn step(data: &[u8]) -> Option<TypedStep<'_>> {
    ConverseScan::of(data).map(|scan| scan.step())
}

fn ending(usage: &Usage) -> Bytes {
    stream::ending("max_tokens", usage).into()
}

/// An exception in a stream.
fn fault(told: Option<Told>) -> Fault {
    let kind = told.as_ref().and_then(|told| told.kind.as_deref());
    let kind = match kind {
        Some("throttlingException" | "ThrottlingException") => FaultKind::RateLimited,
        Some("validationException" | "ValidationException") => FaultKind::BadRequest,
        _ => FaultKind::Overloaded,
    };
    Fault::new(kind, in_stream(told))
}

impl Dialect for BedrockConverse {
    fn name(&self) -> &'static str {
        "bedrock_converse"
    }

    fn request_schema(&self) -> &'static str {
        r#"{"type": "object", "required": ["messages"], "properties": {"messages": {"type": "array", "items": {"type": "object"}}}}"#
    }

    fn read(&self, _: &Head, _: &Body) -> Result<Asked, BadBody> {
        let message = "This format is spoken to providers alone; no API of this service takes it.";
        Err(BadBody::whole(message))
    }

    fn translator(&self) -> Option<&'static dyn Translator> {
        Some(&BEDROCK_CONVERSE)
    }

    /// The model is named in the path.
    fn forwarded(&self, body: &Bytes, _: Forward<'_>) -> Result<Bytes, BadBody> {
        let [] = json::fields(body, []).map_err(|error| BadBody::whole(error.to_string()))?;
        Ok(body.clone())
    }

    fn meter(&self, of: Metered) -> Box<dyn StreamMeter> {
        Box::new(TypedMeter::new(of, &STEPS))
    }

    fn usage(&self, of: Metered, answer: &[u8]) -> Result<Usage, Fault> {
        let Some(whole) = ConverseWhole::of(answer) else {
            let why = "not the JSON object that was expected";
            return Err(Fault::new(FaultKind::InvalidAnswer, why));
        };
        if !whole.has_message {
            return Ok(Usage::default());
        }
        let mut usage = of_whole(&of, whole.step.counts, &whole.step.tally);
        part_writes(&mut usage, whole.step.written_long);
        note_tier(whole.step.tier, &mut usage.facts);
        Ok(usage)
    }

    fn judge(&self, answer: &[u8]) -> Judged {
        if let Some(told) = told::error_in(answer) {
            return Judged::Error(Box::new(told));
        }
        match ConverseWhole::of(answer) {
            None => Judged::Nonsense("not the JSON object that was expected".to_owned()),
            Some(whole) => match whole.stop.and_then(scan::malformed) {
                Some(fault) => Judged::Nonsense(fault.detail),
                None if whole.has_message => Judged::Answer,
                None => Judged::Nonsense("the JSON holds no answer".to_owned()),
            },
        }
    }

    fn look(&self, seen: &[u8]) -> Look {
        look::look(seen)
    }

    fn as_stream(&self, answer: &[u8]) -> Option<Bytes> {
        replay::stream(self, answer)
    }

    fn error(&self, told: ErrorText<'_>) -> Bytes {
        serde_json::json!({"message": told.message})
            .to_string()
            .into()
    }

    fn error_event(&self, told: ErrorText<'_>) -> Bytes {
        let kind = match told.status {
            429 => "throttlingException",
            400..=499 => "validationException",
            503 => "serviceUnavailableException",
            _ => "internalServerException",
        };
        let data = serde_json::json!({"type": kind, "message": told.message});
        format!("event: error\ndata: {data}\n\n").into()
    }
}

impl Translator for BedrockConverse {
    fn read_request(&self, head: &Head, body: &[u8]) -> Result<ChatRequest, BadBody> {
        read::read(head, body)
    }

    fn bytes_only(&self) -> &'static [MediaKind] {
        &[
            MediaKind::Image,
            MediaKind::Audio,
            MediaKind::Video,
            MediaKind::Document,
        ]
    }

    fn write_request(&self, request: &ChatRequest, to: WriteTo<'_>) -> Result<Written, BadBody> {
        write::write(request, to)
    }

    fn read_answer(&self, answer: &[u8]) -> Result<ChatAnswer, Fault> {
        answer::read(answer)
    }

    fn write_answer(&self, answer: &ChatAnswer, usage: &Usage, _: &AnswerShown) -> Bytes {
        answer::write(answer, usage)
    }

    fn stream_reader(&self) -> Box<dyn StreamReader> {
        Box::new(stream::ConverseReader::default())
    }

    fn stream_writer(&self, _: AnswerShown) -> Box<dyn StreamWriter> {
        Box::new(stream::ConverseWriter::default())
    }
}

#[cfg(test)]
mod tests;
