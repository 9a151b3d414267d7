//! Google's `generateContent`: contents of parts in, candidates of parts out, in tokens. The model stands in
//! the path (`models/{model}:generateContent`), and so does whether a stream is asked for
//! (`:streamGenerateContent?alt=sse`). Facts: Gemini API reference and google-genai 3.6.1, as of 2026-11.
//!
//! Names are read as they are written in either way that Google takes, `maxOutputTokens` and
//! `max_output_tokens`: its own Python client mixes them in one body.

pub(in crate::dialect) mod events;
pub(in crate::dialect) mod fields;
mod meter;
mod request;
mod scan;
mod translate;
mod whole;

use bytes::Bytes;

use super::body::Body;
use super::look;
use super::neutral::Translator;
use super::pictures::{GEMINI_PICTURES, PictureMaker};
use super::{
    ApiFamily, Asked, BadBody, Dialect, ErrorText, Forward, Head, Judged, Look, Metered,
    StreamMeter,
};
use crate::fault::Fault;
use crate::json;
use crate::units::Usage;

/// The format.
pub static GEMINI: Gemini = Gemini;

/// Google's `generateContent`.
#[derive(Debug)]
pub struct Gemini;

const SCHEMA: &str = r#"{
    "type": "object",
    "required": ["contents"],
    "properties": {
        "contents": {
            "type": "array", "minItems": 1,
            "items": {
                "type": "object",
                "properties": {
                    "role": {"type": "string", "enum": ["user", "model"]},
                    "parts": {"type": "array", "items": {"type": "object"}}
                }
            }
        },
        "systemInstruction": {"nullable": true, "type": "object"},
        "tools": {"nullable": true, "type": "array", "items": {"type": "object"}},
        "toolConfig": {"nullable": true, "type": "object"},
        "safetySettings": {"nullable": true, "type": "array", "items": {"type": "object"}},
        "generationConfig": {
            "nullable": true, "type": "object",
            "properties": {
                "maxOutputTokens": {"nullable": true, "type": "integer", "minimum": 1, "maximum": 10000000},
                "candidateCount": {"nullable": true, "type": "integer", "minimum": 1, "maximum": 8}
            }
        }
    }
}"#;

impl Dialect for Gemini {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn request_schema(&self) -> &'static str {
        SCHEMA
    }

    fn read(&self, head: &Head, body: &Body) -> Result<Asked, BadBody> {
        let json = body.json().ok_or_else(|| {
            BadBody::whole("The body must be a JSON object; send application/json.")
        })?;
        fields::read(head, json)
    }

    /// Google's clients wrap what is to be counted where it is more than contents.
    fn read_to_count(&self, head: &Head, body: &Body) -> Result<Asked, BadBody> {
        let wrapped = body.json().and_then(|bytes| {
            let [wrapped] = json::fields(bytes, ["generateContentRequest"]).ok()?;
            Some(bytes.slice(json::span(bytes, wrapped?)))
        });
        match wrapped {
            Some(bytes) => self.read(head, &Body::Json(bytes)),
            None => self.read(head, body),
        }
    }

    fn family(&self) -> ApiFamily {
        ApiFamily::Gemini
    }

    fn pictures(&self) -> Option<&'static dyn PictureMaker> {
        Some(&GEMINI_PICTURES)
    }

    fn translator(&self) -> Option<&'static dyn Translator> {
        Some(&translate::GeminiTranslator)
    }

    fn with_maximum(&self, body: &Bytes, asked: &Asked, tokens: u64) -> Bytes {
        request::with_maximum(body, &asked.maxima, tokens)
    }

    fn forwarded(&self, body: &Bytes, _: Forward<'_>) -> Result<Bytes, BadBody> {
        request::forwarded(body)
    }

    fn meter(&self, of: Metered) -> Box<dyn StreamMeter> {
        Box::new(meter::GeminiMeter::new(of))
    }

    fn usage(&self, of: Metered, answer: &[u8]) -> Result<Usage, Fault> {
        whole::usage(&of, answer)
    }

    fn judge(&self, answer: &[u8]) -> Judged {
        whole::judge(answer)
    }

    fn look(&self, seen: &[u8]) -> Look {
        look::look_for(seen, whole::blocked)
    }

    fn as_stream(&self, answer: &[u8]) -> Option<Bytes> {
        whole::as_stream(answer)
    }

    fn error(&self, told: ErrorText<'_>) -> Bytes {
        events::error(told).into()
    }

    fn error_event(&self, told: ErrorText<'_>) -> Bytes {
        events::error_event(told)
    }

    fn events_asked_by(&self) -> Option<&'static str> {
        Some("alt=sse")
    }

    fn keep_alive(&self) -> Option<Bytes> {
        Some(Bytes::from_static(events::KEEP_ALIVE))
    }

    fn ends(&self, bytes: &[u8]) -> bool {
        whole::ends(bytes)
    }
}

#[cfg(test)]
mod tests;
