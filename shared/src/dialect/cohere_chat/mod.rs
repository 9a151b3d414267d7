//! Cohere's chat, version 2 (`POST /v2/chat`). Providers speak it and no tenant does, so its requests are
//! translated ones. Streams are server-sent events whose data name their type; their last one is
//! `message-end`, and some send `[DONE]` behind it. Facts: Cohere's Python SDK 7.3.1 as of 2026-11.

mod answer;
mod read;
mod scan;
mod stream;
mod wire;
mod write;

use bytes::Bytes;
use serde_json::Value;

use self::scan::CohereScan;
use super::body::Body;
use super::neutral::{
    AnswerShown, ChatAnswer, ChatRequest, StreamReader, StreamWriter, Translator, WriteTo, Written,
};
use super::text_count::of_whole;
use super::typed_meter::{TypedMeter, TypedStep, TypedSteps, in_stream};
use super::{
    Asked, BadBody, Dialect, ErrorText, Forward, Head, Judged, Look, Metered, StreamMeter, Told,
    look, replay, told,
};
use crate::fault::{Fault, FaultKind};
use crate::json::{self, Edit};
use crate::units::Usage;

/// The format.
pub static COHERE_CHAT: CohereChat = CohereChat;

/// A comment, which clients pass over (WHATWG HTML, 9.2.6).
const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

/// Cohere's chat.
#[derive(Debug)]
pub struct CohereChat;

static STEPS: TypedSteps = TypedSteps {
    read: step,
    fault,
    ending,
};

fn step(data: &[u8]) -> Option<TypedStep<'_>> {
    CohereScan::of(data).map(|scan| scan.step())
}

fn ending(usage: &Usage) -> Bytes {
    stream::ending("MAX_TOKENS", usage).into()
}

fn fault(told: Option<Told>) -> Fault {
    Fault::new(FaultKind::Overloaded, in_stream(told))
}

impl Dialect for CohereChat {
    fn names_end_users(&self) -> bool {
        false
    }

    fn name(&self) -> &'static str {
        "cohere_chat"
    }

    fn request_schema(&self) -> &'static str {
        r#"{"type": "object", "required": ["model", "messages"], "properties": {"model": {"type": "string"}, "messages": {"type": "array", "items": {"type": "object"}}}}"#
    }

    fn read(&self, _: &Head, _: &Body) -> Result<Asked, BadBody> {
        let message = "This format is spoken to providers alone; no API of this service takes it.";
        Err(BadBody::whole(message))
    }

    fn translator(&self) -> Option<&'static dyn Translator> {
        Some(&COHERE_CHAT)
    }

    fn forwarded(&self, body: &Bytes, to: Forward<'_>) -> Result<Bytes, BadBody> {
        let [name] =
            json::fields(body, ["model"]).map_err(|error| BadBody::whole(error.to_string()))?;
        let model = Value::from(to.model).to_string();
        let edit = match name {
            Some(old) => Edit::replace(json::span(body, old), model),
            None => Edit::insert(body, "model", &model),
        };
        Ok(json::apply(body, vec![edit]))
    }

    fn meter(&self, of: Metered) -> Box<dyn StreamMeter> {
        Box::new(TypedMeter::new(of, &STEPS))
    }

    fn usage(&self, of: Metered, answer: &[u8]) -> Result<Usage, Fault> {
        let Some(scan) = CohereScan::of(answer) else {
            let why = "not the JSON object that was expected";
            return Err(Fault::new(FaultKind::InvalidAnswer, why));
        };
        if !scan.has_message && scan.said().is_nothing() {
            return Ok(Usage::default());
        }
        Ok(of_whole(&of, scan.usage.unwrap_or_default(), &scan.said()))
    }

    fn judge(&self, answer: &[u8]) -> Judged {
        if let Some(told) = told::error_in(answer) {
            return Judged::Error(Box::new(told));
        }
        match CohereScan::of(answer) {
            None => Judged::Nonsense("not the JSON object that was expected".to_owned()),
            Some(scan) => match scan.fault() {
                Some(fault) => Judged::Error(Box::new(Told {
                    message: fault.detail,
                    ..Told::default()
                })),
                None if scan.has_message => Judged::Answer,
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
        let data = serde_json::json!({
            "type": "message-end",
            "delta": {"finish_reason": "ERROR", "error": told.message},
        });
        format!("event: message-end\ndata: {data}\n\n").into()
    }

    fn keep_alive(&self) -> Option<Bytes> {
        Some(Bytes::from_static(KEEP_ALIVE))
    }
}

impl Translator for CohereChat {
    fn read_request(&self, head: &Head, body: &[u8]) -> Result<ChatRequest, BadBody> {
        read::read(head, body)
    }

    fn write_request(&self, request: &ChatRequest, to: WriteTo<'_>) -> Result<Written, BadBody> {
        write::write(request, to)
    }

    fn read_answer(&self, answer: &[u8]) -> Result<ChatAnswer, Fault> {
        answer::read(answer)
    }

    fn write_answer(&self, answer: &ChatAnswer, usage: &Usage, shown: &AnswerShown) -> Bytes {
        answer::write(answer, usage, shown)
    }

    fn stream_reader(&self) -> Box<dyn StreamReader> {
        Box::new(stream::CohereReader::default())
    }

    fn stream_writer(&self, shown: AnswerShown) -> Box<dyn StreamWriter> {
        Box::new(stream::CohereWriter::new(shown.id))
    }
}

#[cfg(test)]
mod tests;
